"""Delays before the next attempt (F001, F019, invariant I19)."""

from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from exconn_sync._machines.backoff import Backoff
from tests.machines.make import SECOND, fixed


class Highest(random.Random):
    """A random source that always gives the upper end."""

    def uniform(self, a: float, b: float) -> float:
        return b


@fixed
@given(
    st.floats(0.001, 10), st.floats(0.001, 1000), st.integers(0, 2**32), st.integers(0, 200)
)  # fmt: skip
def test_the_nth_delay_lies_between_zero_and_the_ceiling(base: float, cap: float, seed: int, attempt: int) -> None:
    backoff = Backoff(base, cap, 1.0, random.Random(seed))
    for n in range(attempt):
        delay = backoff.next_delay()
        assert 0 <= delay <= cap
        if n < 60:
            assert delay <= base * 2**n
    assert backoff.attempts == attempt


def test_the_ceiling_doubles_up_to_the_cap() -> None:
    backoff = Backoff(0.5, 5.0, 1.0, Highest())
    assert [backoff.next_delay() for _ in range(6)] == [0.5, 1.0, 2.0, 4.0, 5.0, 5.0]


def test_a_huge_number_of_attempts_does_not_overflow() -> None:
    backoff = Backoff(0.5, 60.0, 1.0, Highest())
    for _ in range(5000):
        delay = backoff.next_delay()
    assert delay == 60.0


def test_delays_use_the_whole_range_and_differ_between_seeds() -> None:
    one, other = (Backoff(100.0, 100.0, 1.0, random.Random(seed)) for seed in (1, 2))
    delays = [one.next_delay() for _ in range(200)]
    assert min(delays) < 5
    assert max(delays) > 95
    assert delays != [other.next_delay() for _ in range(200)]


def test_useful_data_after_the_settling_time_starts_again() -> None:
    backoff = Backoff(1.0, 60.0, 10.0, Highest())
    backoff.next_delay()
    backoff.connected(0)
    backoff.proved(10 * SECOND - 1)
    assert backoff.attempts == 1
    backoff.proved(10 * SECOND)
    assert backoff.attempts == 0
    assert backoff.next_delay() == 1.0


def test_a_flapping_connection_waits_longer_each_time() -> None:
    backoff = Backoff(1.0, 60.0, 10.0, Highest())
    delays = []
    for start in range(5):
        backoff.connected(start * 100 * SECOND)
        backoff.proved((start * 100 + 1) * SECOND)
        delays.append(backoff.next_delay())
    assert delays == [1.0, 2.0, 4.0, 8.0, 16.0]


def test_data_of_a_lost_connection_proves_nothing() -> None:
    backoff = Backoff(1.0, 60.0, 10.0, Highest())
    backoff.connected(0)
    backoff.next_delay()
    backoff.proved(1000 * SECOND)
    assert backoff.attempts == 1


def test_living_long_without_useful_data_is_no_success() -> None:
    backoff = Backoff(1.0, 60.0, 10.0, Highest())
    backoff.connected(0)
    assert backoff.next_delay() == 1.0
    backoff.connected(1000 * SECOND)
    assert backoff.next_delay() == 2.0
