"""Who has hung, told the time by hand (faults F144, F163)."""

from __future__ import annotations

import pytest

from exconn_sync._machines.watchdog import CONFIRM, LATE, Watchdog
from tests.machines.make import SECOND

HANG = 10.0


def at(seconds: float) -> int:
    return round(seconds * SECOND)


def looked(dog: Watchdog, promise: float, *moments: float) -> list[bool]:
    """Look at a life at moments that are as planned."""
    answers = []
    for moment in moments:
        dog.woke(at(moment), at(moment))
        answers.append(dog.is_hung("a", at(promise), at(moment)))
    return answers


@pytest.mark.parametrize("promise", [0.0, 60.0])
def test_silence_is_hung_after_the_promise_the_limit_and_a_second_look(promise: float) -> None:
    dog = Watchdog(HANG)
    overdue = promise + HANG
    assert dog.next_look("a", at(promise)) == at(overdue)
    assert looked(dog, promise, overdue - 1e-9, overdue) == [False, False]
    assert dog.next_look("a", at(promise)) == at(overdue + CONFIRM)
    assert looked(dog, promise, overdue + CONFIRM - 1e-9, overdue + CONFIRM) == [False, True]


def test_a_word_between_the_looks_ends_the_suspicion() -> None:
    dog = Watchdog(HANG)
    assert looked(dog, 0, 10) == [False]
    assert dog.next_look("a", at(10.2)) == at(20.2)
    assert looked(dog, 10.2, 10.5, 20.2, 20.7) == [False, False, True]


def test_a_late_look_gives_everybody_the_whole_time_anew() -> None:
    dog = Watchdog(HANG)
    looked(dog, 0, 10)
    late = 10.5 + LATE + 0.001
    dog.woke(at(late), at(10.5))
    assert not dog.is_hung("a", 0, at(late))
    assert dog.next_look("a", 0) == at(late + HANG)
    assert looked(dog, 0, late + HANG, late + HANG + CONFIRM) == [False, True]


def test_a_look_that_is_a_little_late_has_to_be_repeated() -> None:
    dog = Watchdog(HANG)
    looked(dog, 0, 10)
    dog.woke(at(11.4), at(10.5))
    assert not dog.is_hung("a", 0, at(11.4))
    assert looked(dog, 0, 11.4 + CONFIRM) == [True]


def test_lives_are_told_apart_and_forgotten() -> None:
    dog = Watchdog(HANG)
    looked(dog, 0, 10)
    dog.forget("a")
    dog.forget("never seen")
    assert dog.next_look("a", 0) == at(10)
    assert not dog.is_hung("b", at(5), at(10.5))
