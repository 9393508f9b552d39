"""When a subscriber lags or is stuck: once an episode (faults F136, F156)."""

from __future__ import annotations

import pytest

from exconn_sync._machines.delivery_watch import DeliveryWatch
from tests.unit.support import SECOND


def test_an_episode_of_lagging_ends_when_a_tenth_is_left() -> None:
    watch = DeliveryWatch(100, 5)
    assert [watch.raise_alarm(waiting) for waiting in (99, 100, 101, 5000)] == [False, True, False, False]
    watch.lower_alarm(11)
    assert not watch.raise_alarm(5000)
    watch.lower_alarm(10)
    assert watch.raise_alarm(100)


def test_without_an_alarm_nothing_is_too_many() -> None:
    watch = DeliveryWatch(None, 5)
    watch.lower_alarm(0)
    assert not watch.raise_alarm(1 << 60)


@pytest.mark.parametrize(("seconds", "stuck"), [(4.9, False), (5, True), (60, True)])
def test_the_first_call_of_a_batch_is_as_old_as_the_batch(seconds: float, stuck: bool) -> None:
    watch = DeliveryWatch(None, 5)
    assert watch.is_stuck(int((100 + seconds) * SECOND), 100 * SECOND, 7, 0) is stuck


def test_a_later_call_is_as_old_as_our_first_sight_of_it() -> None:
    watch = DeliveryWatch(None, 5)
    ages = [(60, 3), (64, 3), (65, 4), (69, 4), (70, 4), (71, 4), (99, 4), (100, 5), (105, 5)]
    found = [at for at, done in ages if watch.is_stuck(at * SECOND, 0, done, done)]
    assert found == [70, 105]


def test_who_has_nothing_to_do_is_not_stuck_and_the_next_episode_is_told() -> None:
    watch = DeliveryWatch(None, 5)
    assert not watch.is_stuck(50 * SECOND, None, 0, 0)
    assert watch.is_stuck(60 * SECOND, 50 * SECOND, 0, 0)
    assert not watch.is_stuck(61 * SECOND, None, 1, 0)
    assert not watch.is_stuck(62 * SECOND, 61 * SECOND, 1, 0)
    assert watch.is_stuck(66 * SECOND, 61 * SECOND, 1, 0)
