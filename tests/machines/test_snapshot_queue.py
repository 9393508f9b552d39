"""Which book gets its snapshot next: all in the least time that the limits allow, the most wanted first."""

from __future__ import annotations

import heapq
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exconn_sync._machines.request_budget import Lease, RequestBudget, When
from exconn_sync._machines.snapshot_queue import Rank, SnapshotQueue, Ticket
from exconn_sync.exchanges.binance.limits import RATE_RULES, costs_of
from exconn_sync.model.limits import Lane
from exconn_sync.model.wire import Cost, RateRule
from tests.machines.make import SECOND, fixed

MS = 1_000_000
MINUTE_MS = 60_000
AT_ONCE = 4
TRAVEL_MS = 150
MARGIN_MS = 40
"""How wrong the estimate of the exchange's clock may be."""


class Exchange:
    """Counts as the exchange does, in whole minutes, and never forgives."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self.used: dict[int, int] = {}

    def on_request(self, weight: int, at_ms: int) -> None:
        minute = at_ms // MINUTE_MS
        self.used[minute] = self.used.get(minute, 0) + weight
        assert self.used[minute] <= self._limit, "this would be a 429"


def load_all(
    wanted: dict[str, int], costs: tuple[Cost, ...], rules: tuple[RateRule, ...], begin_ms: int
) -> tuple[list[str], int]:
    """Load the snapshots of all books by the real limiter; return their order, and the ms until the last one came."""
    weight, limit = costs[0].amount, rules[0].amount
    queue, budget, exchange = SnapshotQueue(AT_ONCE), RequestBudget(list(rules)), Exchange(limit)
    ranks: dict[str, Rank] = {symbol: (0, -count) for symbol, count in wanted.items()}
    for symbol in wanted:
        queue.add(symbol)
    now_ms, order = begin_ms, []
    under_way: list[tuple[int, int, Ticket, Lease]] = []
    while queue.waiting or under_way:
        while (ticket := queue.next(ranks, now_ms * MS)) is not None:
            answer = budget.take(costs, "", Lane.SNAPSHOT, When(now_ms, MARGIN_MS))
            if isinstance(answer, Lease):
                exchange.on_request(weight, now_ms + TRAVEL_MS // 2)
                heapq.heappush(under_way, (now_ms + TRAVEL_MS, ticket.number, ticket, answer))
            else:
                assert queue.held_up(ticket, answer.wait, now_ms * MS)
        due = queue.until_due(now_ms * MS)
        moments = [under_way[0][0]] if under_way else []
        moments += [] if due is None else [now_ms + max(1, math.ceil(due * 1000))]
        now_ms = min(moments)
        while under_way and under_way[0][0] <= now_ms:
            _, _, ticket, lease = heapq.heappop(under_way)
            budget.settle(lease, When(now_ms, MARGIN_MS), has_succeeded=True)
            queue.ended(ticket)
            order.append(ticket.symbol)
    return order, now_ms - begin_ms


def least_ms(count: int, weight: int, limit: int, begin_ms: int) -> int:
    """Return when the last of them can be asked for at the earliest, by the limits alone."""
    windows = math.ceil(count / (limit // weight))
    return 0 if windows == 1 else (begin_ms // MINUTE_MS + windows - 1) * MINUTE_MS - begin_ms


@pytest.mark.parametrize("second", [0, 20, 55])
def test_five_hundred_books_start_in_the_least_time_that_the_limits_allow(second: int) -> None:
    """Of Binance, 1,000 levels each: a weight of 50, of 6,000 a minute (Binance: 4, 5.1; faults F054, F158)."""
    costs = costs_of("GET", "/api/v3/depth", (("limit", "1000"),))
    assert [cost.amount for cost in costs] == [50, 1]
    wanted = {f"S{number}": number % 7 for number in range(500)}
    begin_ms = 1_000 * MINUTE_MS + second * 1000
    order, took_ms = load_all(wanted, costs, RATE_RULES, begin_ms)
    least = least_ms(500, 50, 6_000, begin_ms)
    assert took_ms <= 1.1 * least, f"{took_ms} ms, the least is {least} ms"
    assert sorted(order) == sorted(wanted)
    # Those under way at a time may overtake each other; nothing else may.
    counts = [wanted[symbol] for symbol in order]
    assert all(later <= earlier for earlier, later in zip(counts, counts[AT_ONCE:], strict=False))


def test_fifty_a_minute_for_five_hundred_books_lets_all_get_their_turn() -> None:
    """Nobody is forgotten, however little there is (fault F054)."""
    rules = (RateRule("weight", 2_500, MINUTE_MS),)
    wanted = {f"S{number}": 1 for number in range(500)}
    order, took_ms = load_all(wanted, (Cost("weight", 50),), rules, 0)
    assert len(order) == len(set(order)) == 500
    assert [int(symbol[1:]) for symbol in order] == pytest.approx(range(500), abs=AT_ONCE), "first come, first served"
    # The lane may use 43 of 50.
    assert took_ms // MINUTE_MS == math.ceil(500 / 43) - 1


@fixed
@given(
    st.dictionaries(st.sampled_from([f"S{each}" for each in range(30)]), st.integers(0, 5), min_size=1),
    st.integers(50, 2_000), st.integers(0, 59_999),
)  # fmt: skip
def test_whatever_the_limit_no_request_is_too_many_and_each_book_comes_once(
    wanted: dict[str, int], limit: int, begin_ms: int
) -> None:
    order, _ = load_all(wanted, (Cost("weight", 50),), (RateRule("weight", limit, MINUTE_MS),), begin_ms)
    assert sorted(order) == sorted(wanted)


def ranks(**wanted: int) -> dict[str, Rank]:
    return {symbol: (0, -count) for symbol, count in wanted.items()}


def test_who_becomes_more_wanted_while_waiting_goes_first() -> None:
    queue = SnapshotQueue(1)
    for symbol in ("A", "B", "C"):
        queue.add(symbol)
    first = queue.next(ranks(A=1, B=1, C=1), 0)
    assert first is not None
    assert first.symbol == "A"
    assert queue.next(ranks(B=1, C=1), 0) is None, "one at a time"
    queue.ended(first)
    second = queue.next(ranks(B=1, C=2), 0)
    assert second is not None
    assert second.symbol == "C"


def test_what_is_held_up_is_the_first_again_and_holds_up_all() -> None:
    queue = SnapshotQueue(2)
    queue.add("A")
    queue.add("B")
    ticket = queue.next(ranks(A=1, B=1), 0)
    assert ticket is not None
    assert queue.held_up(ticket, 5.0, 0)
    assert queue.next(ranks(A=1, B=1), 4 * SECOND) is None
    assert queue.until_due(4 * SECOND) == 1.0
    assert queue.next(ranks(A=1, B=1), 5 * SECOND) == ticket


def test_a_book_that_asks_anew_waits_once() -> None:
    queue = SnapshotQueue(2)
    first, _ = queue.add("A")
    second, former = queue.add("A")
    assert (former, queue.waiting) == (first, ["A"])
    assert queue.next(ranks(A=1), 0) == second
    third, former = queue.add("A")
    assert former is None, "the second one is under way"
    assert not queue.held_up(second, 1.0, 0), "and void, because the book has asked anew"
    assert queue.next(ranks(A=1), 2 * SECOND) == third


def test_a_book_that_nobody_wants_any_more_is_not_asked_for() -> None:
    queue = SnapshotQueue(2)
    ticket, _ = queue.add("A")
    assert queue.next({}, 0) is None
    assert queue.forget(["A", "B"]) == [ticket]
    assert (queue.waiting, queue.until_due(0)) == ([], None)
