"""When connections are replaced ahead of time (F044, F045)."""

from __future__ import annotations

import random
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from exconn_sync._machines.rotation import RotationPlan
from tests.machines.make import SECOND, fixed

MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR
# Midnight of some day; the monotonic clock has another origin.
MIDNIGHT = 20_000 * DAY
START = 5 * HOUR


class Drawn(random.Random):
    """A random source that always gives the same share."""

    def __init__(self, share: float) -> None:
        super().__init__(1)
        self.share = share

    def random(self) -> float:
        return self.share


class Clocks:
    """A monotonic clock, and a wall clock that can be stepped."""

    def __init__(self, time_of_day: int) -> None:
        self.now = START
        self.wall = MIDNIGHT + time_of_day

    def go(self, duration: int) -> None:
        self.now += duration
        self.wall += duration


def opened_at(time_of_day: int, window: tuple[str, str], share: float) -> tuple[RotationPlan, Clocks]:
    clocks = Clocks(time_of_day)
    plan = RotationPlan(10.0, window, Drawn(share))
    plan.opened(clocks.now, clocks.wall)
    return plan, clocks


def wait(plan: RotationPlan, clocks: Clocks) -> int:
    return round(plan.until_due(clocks.now, clocks.wall) * SECOND)


def is_due_exactly_after(plan: RotationPlan, clocks: Clocks, duration: int) -> bool:
    told = wait(plan, clocks)
    clocks.go(duration - 1)
    is_early = plan.is_due(clocks.now, clocks.wall)
    clocks.go(1)
    return told == duration and not is_early and plan.is_due(clocks.now, clocks.wall)


# --- without a window ------------------------------------------------------------------------------------------------


def test_a_connection_is_replaced_at_its_age() -> None:
    """Before the exchange ends it (fault F044)."""
    plan = RotationPlan(100.0, None, Drawn(0.0))
    plan.opened(START, MIDNIGHT)
    assert is_due_exactly_after(plan, Clocks(0), 100 * SECOND)
    plan = RotationPlan(100.0, None, Drawn(0.5))
    plan.opened(START, MIDNIGHT)
    assert is_due_exactly_after(plan, Clocks(0), 95 * SECOND)


def test_it_stays_due_until_it_was_done() -> None:
    plan = RotationPlan(100.0, None, Drawn(0.0))
    plan.opened(START, MIDNIGHT)
    late = START + 300 * SECOND
    assert plan.is_due(late, MIDNIGHT)
    assert plan.is_due(late, MIDNIGHT)
    plan.opened(late, MIDNIGHT)
    assert not plan.is_due(late, MIDNIGHT)
    assert plan.until_due(late, MIDNIGHT) == 100.0


def test_connections_opened_together_are_replaced_apart() -> None:
    """Never all in the same second (fault F044)."""
    waits = []
    rng = random.Random(7)
    for _ in range(50):
        plan = RotationPlan(23 * 3600.0, None, rng)
        plan.opened(START, MIDNIGHT)
        waits.append(plan.until_due(START, MIDNIGHT))
    assert 0.9 * 23 * 3600 <= min(waits) < 0.92 * 23 * 3600
    assert 0.98 * 23 * 3600 < max(waits) <= 23 * 3600
    assert len({round(each) for each in waits}) == 50


def test_each_connection_draws_its_own_share() -> None:
    plan, waits = RotationPlan(1000.0, None, random.Random(1)), set()
    for _ in range(10):
        plan.opened(START, MIDNIGHT)
        waits.add(plan.until_due(START, MIDNIGHT))
    assert len(waits) == 10


def test_the_wall_clock_does_not_matter_without_a_window() -> None:
    plan = RotationPlan(100.0, None, Drawn(0.0))
    plan.opened(START, MIDNIGHT)
    for step in (-40 * DAY, 40 * DAY):
        assert plan.until_due(START + SECOND, MIDNIGHT + step) == 99.0
        assert not plan.is_due(START + 99 * SECOND, MIDNIGHT + step)


def test_nothing_is_due_before_there_is_a_connection() -> None:
    plan = RotationPlan(100.0, None, Drawn(0.0))
    assert not plan.is_due(START + DAY, MIDNIGHT)
    assert plan.until_due(START + DAY, MIDNIGHT) == 100.0
    assert not RotationPlan(100.0, ("00:00", "01:00"), Drawn(0.0)).is_due(START, MIDNIGHT)


# --- demands and failures --------------------------------------------------------------------------------------------


def test_an_announced_shutdown_is_due_at_once() -> None:
    """The exchange says that it will end the connection (fault F045)."""
    plan = RotationPlan(100.0, None, Drawn(0.0))
    plan.opened(START, MIDNIGHT)
    plan.demand(START + SECOND)
    assert plan.is_due(START + SECOND, MIDNIGHT)
    assert plan.until_due(START + SECOND, MIDNIGHT) == 0.0
    plan.opened(START + 2 * SECOND, MIDNIGHT)
    assert not plan.is_due(START + 2 * SECOND, MIDNIGHT)


def test_a_failed_attempt_puts_it_off() -> None:
    plan = RotationPlan(100.0, None, Drawn(0.0))
    plan.opened(START, MIDNIGHT)
    late = START + 100 * SECOND
    plan.postponed(late, 30.0)
    assert plan.until_due(late, MIDNIGHT) == 30.0
    assert not plan.is_due(late + 30 * SECOND - 1, MIDNIGHT)
    assert plan.is_due(late + 30 * SECOND, MIDNIGHT)
    plan.postponed(late, 500.0)
    plan.opened(late, MIDNIGHT)
    assert plan.until_due(late, MIDNIGHT) == 100.0


def test_a_failure_does_not_hasten_what_is_not_due() -> None:
    plan = RotationPlan(100.0, None, Drawn(0.0))
    plan.opened(START, MIDNIGHT)
    plan.postponed(START, 30.0)
    assert plan.until_due(START, MIDNIGHT) == 100.0


def test_a_demand_overrides_an_earlier_failure_but_its_repetition_does_not() -> None:
    """The announcement comes again and again (fault F045)."""
    plan = RotationPlan(100.0, None, Drawn(0.0))
    plan.opened(START, MIDNIGHT)
    plan.postponed(START, 500.0)
    plan.demand(START)
    assert plan.is_due(START, MIDNIGHT)
    plan.postponed(START, 5.0)
    plan.demand(START + SECOND)
    assert plan.until_due(START + SECOND, MIDNIGHT) == 4.0


# --- with a window ---------------------------------------------------------------------------------------------------


def test_a_connection_is_replaced_at_a_random_point_of_the_window() -> None:
    for share, point in ((0.0, 2 * HOUR), (0.25, 2 * HOUR + 30 * MINUTE), (0.75, 3 * HOUR + 30 * MINUTE)):
        plan, clocks = opened_at(HOUR, ("02:00", "04:00"), share)
        assert is_due_exactly_after(plan, clocks, point - HOUR)
        plan.opened(clocks.now, clocks.wall)
        assert not plan.is_due(clocks.now, clocks.wall)
        assert wait(plan, clocks) > 20 * HOUR


def test_a_connection_opened_within_the_window_is_left_alone_in_it() -> None:
    for opened in (2 * HOUR, 2 * HOUR + 1, 4 * HOUR - 1):
        plan, clocks = opened_at(opened, ("02:00", "04:00"), 0.5)
        clocks.go(4 * HOUR - opened - 1)
        assert not plan.is_due(clocks.now, clocks.wall)


def test_a_window_may_span_midnight() -> None:
    for opened in (22 * HOUR, DAY - 3 * HOUR):
        plan, clocks = opened_at(opened, ("23:30", "00:30"), 0.75)
        assert is_due_exactly_after(plan, clocks, DAY + 15 * MINUTE - opened)
    plan, clocks = opened_at(10 * MINUTE, ("23:30", "00:30"), 0.75)
    clocks.go(20 * MINUTE - 1)
    assert not plan.is_due(clocks.now, clocks.wall)


def test_a_window_that_ends_where_it_begins_is_the_whole_day() -> None:
    plan, clocks = opened_at(23 * HOUR, ("00:00", "00:00"), 0.5)
    assert is_due_exactly_after(plan, clocks, 13 * HOUR)


def test_what_was_missed_is_made_up_for_until_the_window_ends() -> None:
    plan, clocks = opened_at(HOUR, ("02:00", "04:00"), 0.0)
    clocks.go(90 * MINUTE)
    assert plan.is_due(clocks.now, clocks.wall)
    plan.postponed(clocks.now, 60.0)
    assert not plan.is_due(clocks.now, clocks.wall)
    clocks.go(90 * MINUTE - 1)
    assert plan.is_due(clocks.now, clocks.wall)
    clocks.go(1)
    assert not plan.is_due(clocks.now, clocks.wall)


def test_no_connection_gets_too_old() -> None:
    """The window lies too late for it (fault F044); a tiny ``rotate_after`` does not count."""
    plan, clocks = opened_at(2 * HOUR + 10 * MINUTE, ("02:00", "04:00"), 0.9)
    assert is_due_exactly_after(plan, clocks, 23 * HOUR + 21 * MINUTE)


def test_too_old_connections_are_not_replaced_together_either() -> None:
    waits, rng = set(), random.Random(3)
    for _ in range(20):
        plan = RotationPlan(DAY, ("02:00", "02:01"), rng)
        plan.opened(START, MIDNIGHT + 2 * HOUR)
        waits.add(round(plan.until_due(START, MIDNIGHT + 2 * HOUR)))
    assert len(waits) == 20


def test_a_step_of_the_wall_clock_does_not_make_it_due_again() -> None:
    """(fault F117)"""
    for step in (-90 * MINUTE, -HOUR, -SECOND, SECOND, 23 * HOUR, DAY, 10 * DAY, -10 * DAY):
        plan, clocks = opened_at(HOUR, ("02:00", "04:00"), 0.0)
        clocks.go(HOUR)
        assert plan.is_due(clocks.now, clocks.wall)
        plan.opened(clocks.now, clocks.wall)
        clocks.wall += step
        for _ in range(11 * 4):
            assert not plan.is_due(clocks.now, clocks.wall), step
            clocks.go(15 * MINUTE)


def test_a_step_while_the_connection_is_being_replaced_does_not_make_it_due_again() -> None:
    for step in (-90 * MINUTE, 5 * HOUR, 22 * HOUR + 30 * MINUTE):
        plan, clocks = opened_at(HOUR, ("02:00", "04:00"), 0.0)
        clocks.go(HOUR)
        assert plan.is_due(clocks.now, clocks.wall)
        clocks.wall += step
        plan.opened(clocks.now, clocks.wall)
        for _ in range(11 * 4):
            assert not plan.is_due(clocks.now, clocks.wall), step
            clocks.go(15 * MINUTE)


def test_a_turn_that_was_missed_does_not_cost_the_next_one() -> None:
    plan, clocks = opened_at(HOUR, ("02:00", "04:00"), 0.0)
    clocks.go(HOUR)
    assert plan.is_due(clocks.now, clocks.wall)
    clocks.go(18 * HOUR)
    plan.opened(clocks.now, clocks.wall)
    assert is_due_exactly_after(plan, clocks, 6 * HOUR)


times = st.integers(0, 24 * 60 - 1)
window_times = st.tuples(times, times).filter(lambda pair: pair[0] != pair[1])


def text_of(minutes: int) -> str:
    return f"{minutes // 60:02}:{minutes % 60:02}"


@fixed
@given(
    window_times,
    times,
    st.integers(0, 2**32),
    st.lists(st.tuples(st.integers(0, 20), st.integers(-2 * 24 * 60, 2 * 24 * 60)), max_size=4),
)
def test_connections_live_long_enough_and_never_too_long(
    window: tuple[int, int], opened: int, seed: int, steps: list[tuple[int, int]]
) -> None:
    """Days of replacements, while the wall clock is stepped here and there."""
    clocks = Clocks(opened * MINUTE)
    begin, end = window
    plan = RotationPlan(1.0, (text_of(begin), text_of(end)), random.Random(seed))
    plan.opened(clocks.now, clocks.wall)
    since, turns, pending = clocks.now, [], dict(steps)
    for turn in range(20):
        planned = wait(plan, clocks)
        if turn in pending:
            clocks.go(planned // 2)
            assert not plan.is_due(clocks.now, clocks.wall)
            clocks.wall += pending[turn] * MINUTE
            planned = wait(plan, clocks)
        if planned:
            clocks.go(planned - 1)
            assert not plan.is_due(clocks.now, clocks.wall)
            clocks.go(1)
        assert plan.is_due(clocks.now, clocks.wall)
        age = clocks.now - since
        assert age <= 23 * HOUR + 30 * MINUTE
        if age < 23 * HOUR + 20 * MINUTE:
            into = (clocks.wall - MIDNIGHT - begin * MINUTE) % DAY
            assert into < ((end - begin) % (24 * 60)) * MINUTE
            turns.append(clocks.now)
        plan.opened(clocks.now, clocks.wall)
        assert not plan.is_due(clocks.now, clocks.wall)
        since = clocks.now
    assert all(later - earlier >= 12 * HOUR for earlier, later in pairwise(turns))
