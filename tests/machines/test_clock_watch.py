"""Steps and drift of the local clock are noticed (faults F117, F118, F120)."""

from __future__ import annotations

import pytest

from exconn_sync._machines.clock_drift import ClockDrift
from exconn_sync._machines.wall_clock import WallClockWatch
from tests.machines.make import SECOND

MS = SECOND // 1000


@pytest.mark.parametrize("step", [-86_400 * SECOND, -3600 * SECOND, -SECOND, SECOND, 3600 * SECOND, 86_400 * SECOND])
def test_a_step_is_noticed_once(step: int) -> None:
    watch = WallClockWatch()
    assert watch.look(10**18, 5) == 0
    assert watch.look(10**18 + 10 * SECOND + step, 5 + 10 * SECOND) == step
    assert watch.look(10**18 + 20 * SECOND + step, 5 + 20 * SECOND) == 0


def test_what_a_time_service_corrects_is_no_step() -> None:
    """It lets the clock run up to 500 millionths faster or slower."""
    watch = WallClockWatch()
    for second in range(0, 86_400, 15):
        assert watch.look(second * SECOND + second * SECOND * 500 // 1_000_000, second * SECOND) == 0


def test_a_sleep_during_which_the_monotonic_clock_stood_still_looks_like_a_step() -> None:
    """(fault F120)"""
    watch = WallClockWatch()
    watch.look(10**18, 0)
    assert watch.look(10**18 + 3600 * SECOND + MS, MS) == 3600 * SECOND


@pytest.mark.parametrize("ppm", [-1000, -50, 0, 50, 1000])
def test_drift_is_told_once_it_is_known_well_enough(ppm: int) -> None:
    drift = ClockDrift()
    for minute in range(200):
        now = minute * 60 * SECOND
        drift.note(now, now * ppm // 1_000_000, 10 * MS)
        if minute <= 3:
            assert drift.ppm is None, "200 s are needed to tell 20 ms from a drift"
        else:
            assert drift.ppm == pytest.approx(ppm, abs=0.01)


def test_drift_is_of_the_last_two_hours_at_most() -> None:
    drift = ClockDrift()
    offset = 0
    for minute in range(600):
        offset += 60 * SECOND // 1_000_000 * (900 if minute < 300 else 100)
        drift.note(minute * 60 * SECOND, offset, MS)
    assert drift.ppm == pytest.approx(100, abs=1)


def test_after_a_step_drift_begins_anew() -> None:
    drift = ClockDrift()
    for minute in range(10):
        drift.note(minute * 60 * SECOND, 0, MS)
    told = [drift.ppm]
    drift.forget()
    told.append(drift.ppm)
    drift.note(600 * SECOND, 30 * SECOND, MS)
    drift.note(660 * SECOND, 30 * SECOND, MS)
    told.append(drift.ppm)
    assert told == [0, None, 0]
