"""The estimate of the exchange's clock and its bound (F118, F119, F121)."""

from __future__ import annotations

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


@pytest.mark.parametrize("step", [-3600 * SECOND, -21, 21, 3600 * SECOND])
def test_a_stepped_clock_replaces_all_older_samples(step: int) -> None:
    clock = ClockOffset()
    clock.add(0, 10, 1005)
    clock.add(100, 130, 1115 + step)
    assert (clock.offset_ns, clock.bound_ns) == (1000 + step, 15)
    clock.add(200, 400, 1300 + step)
    assert clock.offset_ns == 1000 + step


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
