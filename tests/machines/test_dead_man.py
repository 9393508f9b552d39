"""A connection that is down for too long is told once for each time that it was lost."""

from __future__ import annotations

from exconn_sync._machines.dead_man import DeadMan
from tests.machines.make import SECOND


def test_it_is_told_once_when_the_time_is_over_and_again_after_the_next_loss() -> None:
    dead_man = DeadMan()
    looks = [
        (True, 0),
        (False, 1),
        (False, 3),
        (False, 4),
        (False, 9),
        (True, 10),
        (False, 11),
        (False, 13),
        (False, 14),
    ]
    told = [at for is_whole, at in looks if dead_man.look(is_whole, 3.0, at * SECOND)]
    assert told == [4, 14]


def test_a_blip_begins_the_time_anew() -> None:
    dead_man = DeadMan()
    looks = [(False, 0), (True, 2), (False, 3), (False, 5)]
    assert not any(dead_man.look(is_whole, 3.0, at * SECOND) for is_whole, at in looks)


def test_without_a_limit_or_before_the_first_connection_nothing_is_told() -> None:
    dead_man = DeadMan()
    assert not any(dead_man.look(None, 3.0, at * SECOND) for at in (0, 9))
    assert not any(dead_man.look(False, None, at * SECOND) for at in (10, 19))
    # One that is set later counts from the loss on.
    assert dead_man.look(False, 5.0, 20 * SECOND)
