"""Counting a limit of the exchange, whose clock is not quite known, with answers that overtake each other."""

from __future__ import annotations

import heapq
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from exconn_sync._machines.rate_window import RateWindow
from exconn_sync._machines.request_budget import Lease, RequestBudget, When
from exconn_sync.model.limits import Lane, UsedFigure
from exconn_sync.model.wire import Cost, RateRule

MINUTE = 60_000
LIMIT, INTERVAL = 20, 1_000
fixed = settings(derandomize=True, deadline=None, max_examples=120)


def take(window: RateWindow, amount: int, now_ms: int, limit: int = 10, margin_ms: int = 0) -> Any:
    wait = window.room(amount, limit, MINUTE, now_ms, margin_ms)
    return wait or window.take(amount, MINUTE, now_ms, margin_ms)


def land(window: RateWindow, hold: Any, now_ms: int, **more: Any) -> None:
    window.settle(hold, MINUTE, now_ms, 0, **more)


def test_a_window_gives_its_amount_and_says_when_the_next_one_begins() -> None:
    window = RateWindow()
    for amount in (4, 6):
        land(window, take(window, amount, MINUTE + 1), MINUTE + 2)
    assert take(window, 1, MINUTE + 50_000) == 10_000
    assert window.used == 10
    take(window, 1, 2 * MINUTE)
    assert window.used == 1


def test_a_credit_lowers_the_count_and_never_below_what_is_under_way() -> None:
    window = RateWindow()
    for _ in range(2):
        land(window, take(window, 2, MINUTE + 1), MINUTE + 2)
    take(window, 2, MINUTE + 3)
    window.credit(1, MINUTE + 4, MINUTE, MINUTE + 5, 0)
    assert window.used == 5
    window.credit(9, MINUTE + 4, MINUTE, MINUTE + 5, 0)
    assert window.used == 2


def test_a_credit_that_the_last_figure_may_have_in_already_is_none() -> None:
    window = RateWindow()
    land(window, take(window, 4, MINUTE + 1), MINUTE + 20, figure=4)
    window.credit(1, MINUTE + 20, MINUTE, MINUTE + 30, 0)
    assert window.used == 4
    window.credit(1, MINUTE + 21, MINUTE, MINUTE + 30, 0)
    assert window.used == 3


def test_a_credit_of_another_window_or_near_an_edge_is_none() -> None:
    """Which count the exchange lowered nobody knows."""
    for happened, now in ((MINUTE - 1, MINUTE + 50), (MINUTE + 1, MINUTE + 5)):
        window = RateWindow()
        land(window, take(window, 8, MINUTE + 5), MINUTE + 6)
        window.credit(1, happened, MINUTE, now, 10)
        assert window.used == 8
    window.credit(1, 2 * MINUTE - 5, MINUTE, 2 * MINUTE - 5, 10)
    assert (window.before, window.used) == (8, 0)


def test_near_an_edge_both_sides_are_counted() -> None:
    """The exchange's clock may be on the other side already (fault F160)."""
    window = RateWindow()
    land(window, take(window, 6, MINUTE + 1000), MINUTE + 1001)
    assert take(window, 5, 2 * MINUTE - 5, margin_ms=10) == 15, "too much for the old window"
    land(window, take(window, 4, 2 * MINUTE - 5, margin_ms=10), 2 * MINUTE - 4)
    assert (window.before, window.used) == (10, 4)
    assert take(window, 7, 2 * MINUTE + 9, margin_ms=10) > 0
    land(window, take(window, 6, 2 * MINUTE + 11, margin_ms=10), 2 * MINUTE + 12)
    assert (window.before, window.used) == (10, 10)


def test_what_is_under_way_counts_in_the_next_window_too() -> None:
    """It may arrive there (fault F160)."""
    window = RateWindow()
    under_way = take(window, 7, 2 * MINUTE - 500)
    assert take(window, 4, 2 * MINUTE + 500) == MINUTE - 500
    land(window, under_way, 2 * MINUTE + 600)
    # Where it was counted nobody knows, so it stays.
    assert take(window, 4, 2 * MINUTE + 700) > 0
    assert take(window, 10, 3 * MINUTE).amount == 10


def test_an_answer_from_the_next_window_counts_there_though_nobody_had_opened_it() -> None:
    """The request may have arrived in it (fault F160)."""
    window = RateWindow()
    under_way = take(window, 7, 2 * MINUTE - 500)
    land(window, under_way, 2 * MINUTE + 600)
    assert take(window, 4, 2 * MINUTE + 700) > 0
    assert take(window, 3, 2 * MINUTE + 700).amount == 3


def test_what_was_never_heard_of_is_forgotten_after_a_window() -> None:
    """A process that died in the middle of a request takes nothing from the others for ever (fault F128)."""
    window = RateWindow()
    take(window, 10, MINUTE)
    assert take(window, 10, 2 * MINUTE) > 0
    assert take(window, 10, 3 * MINUTE).amount == 10


def test_what_was_free_after_all_is_given_back_wherever_it_counted() -> None:
    window = RateWindow()
    order = take(window, 7, 2 * MINUTE - 5)
    take(window, 1, 2 * MINUTE + 5)
    assert (window.before, window.used) == (7, 8)
    land(window, order, 2 * MINUTE + 6, is_free=True)
    assert (window.before, window.used) == (0, 1)


def test_a_higher_figure_tells_of_others_behind_the_same_address() -> None:
    """(fault F128)"""
    window = RateWindow()
    first, second = take(window, 1, MINUTE), take(window, 2, MINUTE + 1)
    land(window, first, MINUTE + 100, figure=7)
    assert window.used == 9, "what is under way may not be in the figure"
    land(window, second, MINUTE + 101, figure=9)
    assert window.used == 9
    assert take(window, 2, MINUTE + 102) > 0


def test_a_lower_figure_gives_back_but_never_what_may_still_be_counted() -> None:
    """(fault F128)"""
    window = RateWindow()
    land(window, take(window, 8, MINUTE), MINUTE + 1)
    slow = take(window, 1, MINUTE + 2)
    quick = take(window, 1, MINUTE + 3)
    land(window, quick, MINUTE + 4, figure=1)
    assert window.used == 2, "the slow one may have arrived later than the answer was written"
    land(window, slow, MINUTE + 5, figure=1)
    assert window.used == 2, "and so may the quick one: its answer overtook"
    land(window, take(window, 1, MINUTE + 6), MINUTE + 7, figure=3)
    assert window.used == 3


def test_a_figure_from_near_an_edge_corrects_nothing() -> None:
    """Nobody knows for which window it was said (fault F128)."""
    window = RateWindow()
    land(window, take(window, 8, MINUTE), MINUTE + 1)
    across = take(window, 1, 2 * MINUTE - 1)
    land(window, across, 2 * MINUTE + 1, figure=7)
    assert (window.before, window.used) == (9, 1)


def test_times_a_little_behind_count_in_the_newest_window_too() -> None:
    """A thread that read the clock before another one, and got its turn after it (fault F160)."""
    window = RateWindow()
    land(window, take(window, 9, 2 * MINUTE), 2 * MINUTE)
    land(window, take(window, 1, 2 * MINUTE - 1), 2 * MINUTE)
    assert take(window, 1, 2 * MINUTE + 1) > 0


def test_a_clock_that_was_hours_ahead_does_not_block_for_hours() -> None:
    """(fault F117)"""
    window = RateWindow()
    land(window, take(window, 10, 200 * MINUTE), 200 * MINUTE)
    assert 0 < take(window, 1, 10 * MINUTE) <= MINUTE
    assert take(window, 10, 11 * MINUTE).amount == 10


@dataclass
class Exchange:
    """Counts what arrives, by its own clock, as an exchange does."""

    counts: Counter[int] = field(default_factory=Counter)

    def arrive(self, amount: int, at_ms: int, *, is_free: bool) -> int:
        index = at_ms // INTERVAL
        if not is_free:
            self.counts[index] += amount
        return self.counts[index]


requests = st.lists(
    st.tuples(
        st.sampled_from((0, 1, 30, 200, 600, 1000)),
        st.integers(1, 8),
        st.sampled_from((0, 1, 9, 50, 300, 1200)),
        st.sampled_from((0, 3, 40, 700)),
        st.booleans(),
        st.booleans(),
    ),
    min_size=8,
    max_size=40,
)


@fixed
@given(requests, st.integers(-40, 40), st.integers(40, 60))
def test_the_exchange_never_counts_more_than_the_limit(
    plan: list[tuple[int, int, int, int, bool, bool]], error_ms: int, margin_ms: int
) -> None:
    """Whatever the error of our clock within its bound, and however requests and answers travel (faults F160, F128)."""
    budget = RequestBudget([RateRule("weight", LIMIT, INTERVAL)])
    exchange, now, serial = Exchange(), 10 * INTERVAL, 0
    arrivals: list[Any] = []
    answers: list[Any] = []

    def play(until_ms: int) -> None:
        while arrivals or answers:
            due = min(queue[0][0] for queue in (arrivals, answers) if queue)
            if due > until_ms:
                return
            if arrivals and arrivals[0][0] == due:
                at, number, lease, amount, back, is_free, has_figure = heapq.heappop(arrivals)
                used = exchange.arrive(amount, at, is_free=is_free)
                heapq.heappush(answers, (at + back, number, lease, used if has_figure else None, is_free))
            else:
                at, _, lease, figure, is_free = heapq.heappop(answers)
                figures = [] if figure is None else [UsedFigure("weight", INTERVAL, figure)]
                budget.settle(lease, When(at + error_ms, margin_ms), figures, has_succeeded=is_free)

    for gap, amount, there, back, is_free, has_figure in plan:
        now += gap
        play(now)
        # As many at once as there is room for: windows have to become full to show anything.
        while True:
            costs = [Cost("weight", amount, is_free_on_success=True)]
            lease = budget.take(costs, "", Lane.CANCEL, When(now + error_ms, margin_ms))
            if not isinstance(lease, Lease):
                assert 0 < lease.wait <= (INTERVAL + 2 * margin_ms) / 1000
                break
            serial += 1
            heapq.heappush(arrivals, (now + there, serial, lease, amount, back, is_free, has_figure))
    play(now + 10 * INTERVAL)
    assert all(count <= LIMIT for count in exchange.counts.values())
