"""The estimate of the exchange's clock and its bound (F118, F119, F121)."""

from __future__ import annotations

from itertools import pairwise
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exconn_sync._machines.clock_offset import ClockOffset
from exconn_sync.errors import NotReady
from tests.machines.make import SECOND, fixed

samples = st.lists(
    st.tuples(st.integers(0, 10**15), st.integers(0, 5 * SECOND), st.integers(0, 5 * SECOND)), min_size=1, max_size=20
)


@fixed
@given(st.integers(-(10**18), 2 * 10**18), samples, st.integers(1, 10))
def test_the_error_stays_within_the_bound(true_offset: int, samples: list[tuple[int, int, int]], keep: int) -> None:
    clock = ClockOffset(keep)
    for sent, out, back in samples:
        clock.add(sent, sent + out + back, sent + out + true_offset)
        assert abs(clock.offset_ns - true_offset) <= clock.bound_ns
    shortest = min(out + back for _, out, back in samples[-keep:])
    assert clock.bound_ns == (shortest + 1) // 2
    assert abs(clock.server_time_ns(10**15) - (10**15 + true_offset)) <= clock.bound_ns


def test_a_slow_answer_does_not_spoil_a_good_sample() -> None:
    clock = ClockOffset()
    clock.add(0, 10, 1005)
    clock.add(100, 100 + 5 * SECOND, 1105)
    assert (clock.offset_ns, clock.bound_ns) == (1000, 5)


def test_an_old_sample_leaves_after_enough_newer_ones() -> None:
    clock = ClockOffset(keep=2)
    clock.add(0, 10, 1005)
    clock.add(100, 200, 1150)
    clock.add(300, 400, 1350)
    assert clock.bound_ns == 50


def test_of_equally_good_samples_the_newer_one_counts() -> None:
    clock = ClockOffset()
    clock.add(0, 10, 1005)
    clock.add(100, 110, 1108)
    assert clock.offset_ns == 1003


@pytest.mark.parametrize(("step", "needed"), [(-3600 * SECOND, 2), (-21, 2), (21, 6), (3600 * SECOND, 6)])
def test_a_stepped_clock_is_believed_when_enough_samples_say_so(step: int, needed: int) -> None:
    """An earlier time sooner than a later one, because it does no harm (fault F121)."""
    clock = ClockOffset()
    clock.add(0, 10, 1005)
    for number in range(1, needed):
        clock.add(number * 100, number * 100 + 30, number * 100 + 1015 + step)
        assert (clock.offset_ns, clock.bound_ns, clock.is_contested, clock.steps) == (1000, 5, True, 0)
    clock.add(900, 930, 1915 + step)
    assert (clock.offset_ns, clock.bound_ns, clock.is_contested, clock.steps) == (1000 + step, 15, False, 1)
    clock.add(1000, 1200, 2100 + step)
    assert clock.offset_ns == 1000 + step


@pytest.mark.parametrize("step", [-3600 * SECOND, 21])
def test_in_doubt_the_next_sample_is_believed(step: int) -> None:
    """(fault F081)"""
    clock = ClockOffset()
    clock.add(0, 10, 1005)
    clock.doubt()
    assert clock.offset_ns == 1000, "better than nothing"
    clock.add(100, 130, 1115 + step)
    assert (clock.offset_ns, clock.bound_ns, clock.steps) == (1000 + step, 15, 1)


def test_doubt_that_was_unfounded_is_no_step() -> None:
    clock = ClockOffset()
    clock.doubt()
    clock.add(0, 10, 1005)
    clock.doubt()
    clock.add(100, 130, 1115)
    assert (clock.offset_ns, clock.bound_ns, clock.steps) == (1000, 15, 0)


@fixed
@given(st.lists(st.booleans(), min_size=1, max_size=60), st.integers(100, 10 * SECOND))
def test_nodes_that_disagree_do_not_make_the_estimate_swing(nodes: list[bool], apart: int) -> None:
    """It follows answers in a row from the other node, and never one alone (fault F121)."""
    clock = ClockOffset()
    clock.add(0, 10, 1005)
    seen = [clock.offset_ns]
    for number, is_ahead in enumerate(nodes, start=1):
        at = number * 1000
        clock.add(at, at + 10, at + 1005 + apart * is_ahead)
        seen.append(clock.offset_ns)
    assert set(seen) <= {1000, 1000 + apart}
    changes = sum(before != after for before, after in pairwise(seen))
    assert changes == clock.steps <= len(nodes) / 2
    alternating = ClockOffset()
    for number in range(50):
        alternating.add(number * 1000, number * 1000 + 10, number * 1000 + 1005 + apart * (number % 2))
    assert (alternating.offset_ns, alternating.steps) == (1000, 0)


@pytest.mark.parametrize("order", [(0, 1, 0), (1, 0, 1), (1, 1, 0), (0, 1, 1)])
def test_a_round_in_doubt_whose_nodes_disagree_ends_with_the_earlier_time(order: tuple[int, ...]) -> None:
    """An exchange takes a time that is a little old, and refuses one that lies ahead (fault F121)."""
    clock = ClockOffset()
    clock.add(0, 10, 1005 + 3 * SECOND)
    clock.doubt()
    for number, node in enumerate(order, start=1):
        clock.add(number * 1000, number * 1000 + 10, number * 1000 + 1005 + 3 * SECOND * node)
    clock.settle()
    assert clock.offset_ns == 1000
    # From then on the later one needs even more answers in a row.
    for number in range(10, 21):
        clock.add(number * 1000, number * 1000 + 10, number * 1000 + 1005 + 3 * SECOND)
    assert clock.offset_ns == 1000
    clock.add(21_000, 21_010, 22_005 + 3 * SECOND)
    assert clock.offset_ns == 1000 + 3 * SECOND


@pytest.mark.parametrize("ppm", [-1000, -100, 0, 100, 1000])
def test_a_clock_that_drifts_is_followed_for_a_day(ppm: int) -> None:
    """Three samples a minute, with round trips from 1 ms to 1 s (fault F118)."""
    rng, clock, worst = Random(7), ClockOffset(drift_ppm=1000), 0
    for minute in range(24 * 60):
        for sample in range(3):
            sent = minute * 60 * SECOND + sample * SECOND
            out, back = (rng.randrange(SECOND // 1000, SECOND) for _ in range(2))
            read_at = sent + out
            clock.add(sent, read_at + back, read_at + read_at * ppm // 1_000_000)
        now = (minute + 1) * 60 * SECOND
        error = abs(clock.server_time_ns(now) - (now + now * ppm // 1_000_000))
        assert error <= clock.bound_at(now)
        worst = max(worst, error)
    assert worst < SECOND, "signed requests stay far within their window of 5 s"
    assert clock.steps == 0


def test_samples_within_the_bounds_are_no_step() -> None:
    clock = ClockOffset()
    clock.add(0, 10, 1005)
    clock.add(100, 130, 1115 + 20)
    assert clock.offset_ns == 1000


def test_without_a_sample_it_refuses_to_answer() -> None:
    """(fault F122)"""
    clock = ClockOffset()
    assert not clock.is_synchronized
    with pytest.raises(NotReady):
        clock.server_time_ns(0)
    with pytest.raises(NotReady):
        _ = clock.offset_ns
    with pytest.raises(NotReady):
        _ = clock.bound_ns


def test_reset_forgets_everything() -> None:
    clock = ClockOffset()
    clock.add(0, 10, 1005)
    clock.reset()
    assert not clock.is_synchronized
    clock.add(0, 1000, 99)
    assert clock.bound_ns == 500
