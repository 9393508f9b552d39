"""Requests that wait for their budget: in which order, for how long, and what they are told."""

from __future__ import annotations

import random
import threading
import time
from typing import Any

import pytest

from exconn_sync import ConnectionFailed, ConnectorStopped, PermissionDenied, RateLimitError
from exconn_sync._live.admission import Admission
from exconn_sync._live.pipeline import Pipeline
from exconn_sync._live.server_clock import ServerClock
from exconn_sync._machines.deadline import Deadline
from exconn_sync._machines.request_budget import EVERYTHING, When
from exconn_sync._runtime.bus import Bus
from exconn_sync._runtime.stop_signal import StopSignal
from exconn_sync._transport.budget import Budget, Grant
from exconn_sync._transport.budget_store import StoreUnreachable
from exconn_sync.metrics import MemoryMetrics
from exconn_sync.model.limits import Lane, UsedFigure
from exconn_sync.model.wire import Cost, RateRule
from exconn_sync.ports.clock import SystemClock
from tests.live.support import listen
from tests.unit.support import LIMIT, Background, in_threads, until

DAY = 86_400_000
NEVER = Deadline(None)


class Desk:
    """One way to a budget, and what it tells."""

    def __init__(self, *rules: RateRule, budget: Budget | None = None, shared: Any = None) -> None:
        bus = Bus()
        self.clock = SystemClock()
        self.errors = listen(bus, "error")
        self.metrics = MemoryMetrics()
        self.stop = StopSignal()
        self.server_clock = ServerClock(self.clock)
        now = self.clock.monotonic_ns()
        self.server_clock.add(now, now, time.time_ns())
        self.budget = budget or Budget(rules, shared)
        self.admission = Admission(
            "binance", self.budget, lambda: "me", self.clock, self.server_clock,
            Pipeline("binance", bus, self.clock, self.metrics), self.stop,
        )  # fmt: skip

    def admit(self, lane: Lane = Lane.CANCEL, weight: int = 1, orders: int = 0, seconds: float | None = None) -> Grant:
        deadline = Deadline.after(self.clock.monotonic_ns(), seconds)
        costs = [Cost("weight", weight), Cost("orders", orders)]
        return self.admission.admit("/q", costs, lane, deadline)

    def waiting(self, count: int) -> None:
        until(lambda: self.budget.turns.waiting == count)


def test_in_a_short_window_everybody_gets_his_turn_in_order_of_lane_and_arrival() -> None:
    """Nobody overtakes, and nobody starves (faults F159, F160)."""
    desk = Desk(RateRule("weight", 3, 100))
    served: list[tuple[Lane, int]] = []
    lock = threading.Lock()
    plan = [Lane.BULK, Lane.QUERY, Lane.ORDER, Lane.CANCEL] * 4
    random.Random(1).shuffle(plan)
    # Nothing passes before all of them wait.
    blocked = desk.admit(weight=3)
    desk.budget.silence(EVERYTHING, 1, 1, blocked.lease.taken_ms, desk.server_clock.moment)
    desk.admission.settle(blocked, has_succeeded=True)

    def ask(lane: Lane, number: int) -> None:
        desk.admission.settle(desk.admit(lane), has_succeeded=True)
        with lock:
            served.append((lane, number))

    asking = []
    for number, lane in enumerate(plan):
        asking.append(Background(lambda lane=lane, number=number: ask(lane, number)))  # type: ignore[misc]
        desk.waiting(number + 1)
    for each in asking:
        each.result()
    assert len(served) == len(plan)
    # Threads that were let through together note it in any order: three of them at most.
    wanted = sorted((lane, number) for number, lane in enumerate(plan))
    assert all(abs(wanted.index(each) - place) <= 3 for place, each in enumerate(served))
    assert desk.budget.turns.waiting == 0


def test_a_cancel_passes_what_waits_for_the_rest_of_the_budget() -> None:
    """A share is reserved for it (fault F160)."""
    desk = Desk(RateRule("weight", 20, DAY))
    for lane, amount in ((Lane.QUERY, 18), (Lane.ORDER, 1)):
        for _ in range(amount):
            desk.admit(lane)
    waiting = [Background(lambda: desk.admit(Lane.QUERY)), Background(lambda: desk.admit(Lane.ORDER))]
    desk.waiting(2)
    desk.admit(Lane.CANCEL, seconds=LIMIT)
    assert all(each.is_running for each in waiting)
    desk.stop.set()
    for each in waiting:
        with pytest.raises(ConnectorStopped):
            each.result()


CREDITED = RateRule("orders", 1, DAY, is_per_account=True, fill_credit=1)


def later_ns(desk: Desk) -> int:
    """Return a time of the exchange's clock that is later than anything that it can have told."""
    told_ns = desk.server_clock.now_ns()
    until(lambda: desk.server_clock.now_ns() > told_ns + 50_000_000)
    return desk.server_clock.now_ns()


def test_a_first_fill_lets_an_order_through_that_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("exconn_sync._live.admission._LONGEST_SLEEP", 1000.0)
    desk = Desk(CREDITED)
    desk.admission.settle(desk.admit(orders=1), has_succeeded=True)
    waiting = Background(lambda: desk.admit(Lane.ORDER, orders=1))
    desk.waiting(1)
    assert waiting.is_running
    desk.admission.first_fill(later_ns(desk))
    assert isinstance(waiting.result(), Grant)


def test_a_first_fill_that_comes_while_an_order_begins_to_wait_is_not_missed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("exconn_sync._live.admission._LONGEST_SLEEP", 1000.0)
    desk = Desk(CREDITED)
    desk.admission.settle(desk.admit(orders=1), has_succeeded=True)
    at_ns, turns = later_ns(desk), desk.budget.turns
    original = turns.join

    def join(ticket: Any) -> Any:
        # Nobody waits yet who could be woken.
        desk.admission.first_fill(at_ns)
        return original(ticket)

    monkeypatch.setattr(turns, "join", join)
    assert isinstance(Background(lambda: desk.admit(Lane.ORDER, orders=1)).result(), Grant)


def test_orders_that_are_too_many_hold_up_no_question() -> None:
    """(fault F160)"""
    desk = Desk(RateRule("weight", 100, DAY), RateRule("orders", 1, DAY, is_per_account=True))
    desk.admit(Lane.ORDER, orders=1)
    waiting = Background(lambda: desk.admit(Lane.ORDER, orders=1))
    desk.waiting(1)
    desk.admit(Lane.BULK, seconds=LIMIT)
    desk.admit(Lane.CANCEL, seconds=LIMIT)
    desk.stop.set()
    with pytest.raises(ConnectorStopped):
        waiting.result()


def test_who_comes_later_is_told_at_once_that_it_will_be_too_late() -> None:
    """Also behind somebody who waits longer than that (fault F160)."""
    desk = Desk(RateRule("weight", 1, DAY))
    desk.admit()
    waiting = Background(lambda: desk.admit(Lane.QUERY))
    desk.waiting(1)
    for lane in (Lane.CANCEL, Lane.QUERY, Lane.BULK):
        with pytest.raises(RateLimitError, match="used up") as limited:
            desk.admit(lane, seconds=60)
        assert limited.value.outcome == "not_sent"
        assert limited.value.retry_after is not None
        assert 60 < limited.value.retry_after <= 86_401
    assert desk.budget.turns.waiting == 1
    desk.stop.set()
    with pytest.raises(ConnectorStopped):
        waiting.result()


def test_a_deadline_ends_a_wait_behind_others() -> None:
    desk = Desk(RateRule("weight", 1, DAY))
    first = desk.budget.turns.ticket(Lane.CANCEL, ["weight"])
    desk.budget.turns.join(first)
    with pytest.raises(RateLimitError):
        desk.admit(Lane.CANCEL, seconds=0.02)
    desk.budget.turns.leave(first)
    desk.admit(Lane.CANCEL, seconds=LIMIT)


def test_what_never_fits_is_refused_at_once() -> None:
    desk = Desk(RateRule("weight", 5, DAY))
    with pytest.raises(RateLimitError, match="more than the whole limit") as limited:
        desk.admit(weight=6)
    assert (limited.value.outcome, limited.value.retry_after) == ("not_sent", None)


def test_connectors_of_one_process_wait_in_one_line() -> None:
    """(fault F160)"""
    first = Desk(RateRule("weight", 2, 50))
    desks = [first, *[Desk(budget=first.budget) for _ in range(3)]]
    done: list[int] = []

    def ask(index: int) -> None:
        desk = desks[index % 4]
        for _ in range(3):
            desk.admission.settle(desk.admit(Lane.QUERY), has_succeeded=True)
            done.append(index)

    in_threads(8, ask)
    assert len(done) == 24
    assert first.budget.turns.waiting == 0


def test_a_thread_that_is_interrupted_leaves_its_place(monkeypatch: pytest.MonkeyPatch) -> None:
    """(fault F129)"""
    desk = Desk(RateRule("weight", 1, DAY))
    desk.admit()

    def interrupt(*asked: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(desk.admission, "_sleep", interrupt)
    with pytest.raises(KeyboardInterrupt):
        desk.admit()
    assert desk.budget.turns.waiting == 0


# --- silence --------------------------------------------------------------------------------------------------------


def test_a_reached_limit_is_told_once_and_stops_everything() -> None:
    """(fault F076)"""
    desk = Desk(RateRule("weight", 100, DAY))
    other = Desk(budget=desk.budget)
    grants = [desk.admit() for _ in range(20)]
    for grant in grants:
        error = RateLimitError("too many", retry_after=30.0)
        desk.admission.hear(error, 429, grant)
        assert error.retry_after is not None
        assert 29 < error.retry_after <= 30
    assert desk.errors.pending == 1, "twenty refusals are one case"
    told = desk.errors.get(0)
    assert told.where == "request budget"
    assert told.error.retry_after == 30.0
    for each in (desk, other):
        assert 29 < each.admission.silent_for <= 30
        for lane in Lane:
            with pytest.raises(RateLimitError, match="silence"):
                each.admit(lane, weight=0, seconds=1)


@pytest.mark.parametrize(("status", "first"), [(429, 60), (418, 120)])
@pytest.mark.parametrize("stated", [None, 0.0])
def test_without_a_usable_time_the_wait_grows(
    monkeypatch: pytest.MonkeyPatch, status: int, first: int, stated: float | None
) -> None:
    """(fault F077)"""
    desk = Desk(RateRule("weight", 100, DAY))
    lengths = []
    began_ms, passed_ms = desk.server_clock.moment().now_ms, 0
    monkeypatch.setattr(desk.admission, "_when", lambda: When(began_ms + passed_ms))
    for _ in range(3):
        grant = desk.admit()
        error = RateLimitError("no", retry_after=stated)
        desk.admission.hear(error, status, grant)
        lengths.append(error.retry_after)
        passed_ms += int((error.retry_after or 0) * 1000) + 1
    assert lengths == [first, 2 * first, 4 * first]
    assert desk.errors.pending == 3


def test_too_many_orders_stop_the_orders_alone() -> None:
    """(Binance: 7.4)"""
    desk = Desk(RateRule("weight", 100, DAY), RateRule("orders", 50, DAY, is_per_account=True))
    error = RateLimitError("too many orders", is_per_account=True)
    desk.admission.hear(error, 429, desk.admit(Lane.ORDER, orders=1))
    assert error.retry_after == 10
    with pytest.raises(RateLimitError):
        desk.admit(Lane.ORDER, orders=1, seconds=1)
    for lane in Lane:
        desk.admit(lane, seconds=1)
    assert desk.admission.silent_for == 0


def test_a_ban_by_the_status_of_a_firewall_is_kept_to_where_the_driver_knows_it() -> None:
    """An exchange may ban an address by 403 and say nowhere for how long: its driver does (Bybit: 2.2; fault F079)."""
    desk = Desk(RateRule("weight", 6000, 60_000))
    banned = RateLimitError("this address is refused", retry_after=600.0)
    desk.admission.hear(banned, 403, desk.admit())
    assert desk.admission.silent_for == pytest.approx(600, abs=2)
    with pytest.raises(RateLimitError) as caught:
        desk.admit(Lane.CANCEL, seconds=1)
    assert caught.value.outcome == "not_sent"


def test_a_firewall_asks_for_patience_without_a_word() -> None:
    """(fault F079)"""
    desk = Desk(RateRule("weight", 100, DAY))
    grant = desk.admit()
    desk.admission.hear(PermissionDenied("this key may not"), 400, grant)
    assert desk.admission.silent_for == 0
    desk.admission.hear(PermissionDenied("blocked", retryable=True), 403, grant)
    assert 9 < desk.admission.silent_for <= 10


def test_a_refused_connection_may_tell_of_a_ban() -> None:
    """(fault F020)"""
    desk = Desk(RateRule("weight", 100, DAY))
    desk.admission.hear_refusal(ConnectionFailed("HTTP 429", details={"http_status": 429}))
    assert desk.admission.silent_for == 0, "there are limits of connections too"
    assert desk.admission.banned_for == 0
    desk.admission.hear_refusal(ConnectionFailed("HTTP 418", details={"http_status": 418, "retry_after": 7.0}))
    assert 6 < desk.admission.silent_for <= 7
    assert 6 < desk.admission.banned_for <= 7


def test_what_a_reply_on_a_socket_says_is_used_corrects_the_count() -> None:
    """(fault F128; Binance: 11)"""
    desk = Desk(RateRule("weight", 100, DAY))
    desk.admission.settle(desk.admit(weight=5), has_succeeded=True)

    def used() -> int:
        return desk.budget.used("weight", "me", desk.server_clock.moment)[DAY]

    assert used() == 5
    desk.admission.hear_figures([UsedFigure("weight", DAY, 42), UsedFigure("tea", DAY, 99)])
    assert used() == 42
    desk.admission.hear_figures([])
    assert used() == 42
    desk.admission.hear_figures([UsedFigure("weight", DAY, 100)])
    with pytest.raises(RateLimitError):
        desk.admit(seconds=0.01)
    # Where nothing may be asked there is nothing to learn, and nobody waits.
    desk.admission.hear_figures([UsedFigure("weight", DAY, 3)])
    assert used() == 100


def test_a_limit_that_is_no_ban_leaves_connections_alone() -> None:
    desk = Desk(RateRule("weight", 100, DAY))
    desk.admission.hear(RateLimitError("too much", retry_after=9.0), 429, desk.admit())
    assert desk.admission.silent_for > 8
    assert desk.admission.banned_for == 0


def test_a_shared_budget_that_is_lost_is_told_once_to_each_connector() -> None:
    """(fault F128)"""

    class Lost:
        last = None

        def update(self, change: Any) -> Any:
            raise StoreUnreachable("the disk is full")

        def close(self) -> None:
            """Nothing is open."""

    first = Desk(RateRule("weight", 100, DAY), shared=Lost())
    second = Desk(budget=first.budget)
    for desk in (first, second, first, second):
        desk.admission.settle(desk.admit(), has_succeeded=True)
    for desk in (first, second):
        assert desk.errors.pending == 1
        told = desk.errors.get(0)
        assert isinstance(told.error, ConnectionFailed)
        assert "the disk is full" in str(told.error)
        assert desk.metrics.counts()["rest.budget_losses{exchange=binance}"] == 1
