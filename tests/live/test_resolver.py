"""An order of unknown fate is settled by looking, and its absence only by the whole proof (fault model 0.1)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from exconn_sync import OrderStatus
from exconn_sync._live.resolver import Resolver
from exconn_sync._live.server_clock import ServerClock
from exconn_sync._store.account_store import AccountStore
from exconn_sync.errors import ConnectionFailed, OrderNotFound
from exconn_sync.model.enums import FactSource
from exconn_sync.model.ids import ClientOrderId, ExchangeOrderId
from exconn_sync.model.orders import OrderFact, OrderState
from exconn_sync.persistence import MemoryJournal
from exconn_sync.testing import ManualClock

ID = ClientOrderId("unknown-1")
WINDOW_MS, PROCESSING_MS = 5_000, 10_000
LONG_ENOUGH = 17.0
"""Seconds after which the request can no longer be accepted: window, processing limit, margin, the clock's error."""


class Desk:
    """A resolver with everything around it; ``answer`` is what the exchange says when it is asked."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.server_clock = ServerClock(self.clock)
        now = self.clock.monotonic_ns()
        self.server_clock.add(now, now, self.clock.time_ns())
        self.store = AccountStore("binance", MemoryJournal(), lambda *event: None, lambda where, error: None)
        self.store.apply([self.fact(OrderStatus.PENDING_NEW), self.fact(OrderStatus.UNKNOWN)])
        self.looks = 0
        self.answer: Callable[[], list[OrderFact]] = self.not_found
        self.resolver = Resolver(
            self.store, self.clock, self.server_clock, WINDOW_MS, PROCESSING_MS, self.look, lambda: None
        )
        self.resolver.track(ID)

    def look(self, state: OrderState) -> list[OrderFact]:
        assert state.client_order_id == ID
        self.looks += 1
        return self.answer()

    def not_found(self) -> list[OrderFact]:
        raise OrderNotFound("Order does not exist.")

    def failing(self) -> list[OrderFact]:
        raise ConnectionFailed("the line is dead")

    def fact(self, status: OrderStatus, source: FactSource = FactSource.LOCAL) -> OrderFact:
        number = ExchangeOrderId("7") if source is not FactSource.LOCAL else None
        return OrderFact(
            "binance",
            "BTC-USDT",
            ID,
            source,
            self.clock.time_ns(),
            status=status,
            exchange_order_id=number,
            is_own=True,
        )

    def status(self) -> OrderStatus:
        state = self.store.order(ID)
        assert state is not None
        return state.status


def test_finding_the_order_settles_it_at_once() -> None:
    """(fault F068)"""
    desk = Desk()
    desk.answer = lambda: [desk.fact(OrderStatus.NEW, FactSource.QUERY)]
    assert desk.resolver.resolve() is None
    assert desk.status() is OrderStatus.NEW
    assert desk.resolver.unresolved == []


def test_not_finding_it_proves_nothing_while_the_request_may_still_be_accepted() -> None:
    """(fault F069)"""
    desk = Desk()
    for _ in range(15):
        assert desk.resolver.resolve() is not None
        desk.clock.advance(1)
    assert desk.looks == 15
    assert desk.status() is OrderStatus.UNKNOWN


def test_two_looks_after_that_moment_prove_that_it_never_arrived() -> None:
    """(fault F067)"""
    desk = Desk()
    desk.clock.advance(LONG_ENOUGH)
    desk.resolver.resolve()
    assert desk.status() is OrderStatus.UNKNOWN
    desk.clock.advance(1.5)
    assert desk.resolver.resolve() is None
    assert desk.status() is OrderStatus.REJECTED
    state = desk.store.order(ID)
    assert state is not None
    assert "never arrived" in state.reason


def test_two_looks_too_close_together_prove_nothing() -> None:
    """(fault F070)"""
    desk = Desk()
    desk.clock.advance(LONG_ENOUGH)
    desk.resolver.resolve()
    desk.clock.advance(0.5)
    desk.resolver.resolve()
    assert desk.status() is OrderStatus.UNKNOWN


def test_a_failed_look_counts_as_none_however_often() -> None:
    desk = Desk()
    desk.answer = desk.failing
    for _ in range(50):
        desk.clock.advance(5)
        assert desk.resolver.resolve() is not None
    assert desk.status() is OrderStatus.UNKNOWN
    desk.answer = desk.not_found
    desk.resolver.resolve()
    assert desk.status() is OrderStatus.UNKNOWN


def test_an_older_order_of_the_same_id_is_another_one() -> None:
    """Absence of the new one is proven although the old one is found at each look (fault F102)."""
    desk = Desk()
    since = desk.clock.time_ns()
    desk.store.apply([replace(desk.fact(OrderStatus.PENDING_NEW), created_at=since)])
    older = replace(desk.fact(OrderStatus.FILLED, FactSource.QUERY), created_at=since - 1)
    desk.answer = lambda: [older]
    assert desk.resolver.resolve() is not None
    assert desk.status() is OrderStatus.UNKNOWN
    desk.clock.advance(LONG_ENOUGH)
    desk.resolver.resolve()
    desk.clock.advance(1.5)
    assert desk.resolver.resolve() is None
    assert desk.status() is OrderStatus.REJECTED
    found = desk.store.order("7")
    assert found is not None
    assert (found.client_order_id, found.status) == ("unknown-1~7", OrderStatus.FILLED)


@pytest.mark.parametrize("younger_by", [0, 1])
def test_an_order_as_old_as_the_intent_is_the_one(younger_by: int) -> None:
    desk = Desk()
    since = desk.clock.time_ns()
    desk.store.apply([replace(desk.fact(OrderStatus.PENDING_NEW), created_at=since)])
    desk.answer = lambda: [replace(desk.fact(OrderStatus.NEW, FactSource.QUERY), created_at=since + younger_by)]
    assert desk.resolver.resolve() is None
    assert desk.status() is OrderStatus.NEW


def test_after_a_step_of_the_exchanges_clock_ages_tell_nothing() -> None:
    """The request may have been signed again for an earlier time than the intent was made for (fault F081)."""
    desk = Desk()
    since = desk.clock.time_ns()
    desk.store.apply([replace(desk.fact(OrderStatus.PENDING_NEW), created_at=since)])
    desk.store.apply([replace(desk.fact(OrderStatus.UNKNOWN), created_at=0)])
    desk.answer = lambda: [replace(desk.fact(OrderStatus.NEW, FactSource.QUERY), created_at=since - 1)]
    assert desk.resolver.resolve() is None
    assert desk.status() is OrderStatus.NEW


def test_a_stream_event_meanwhile_ends_the_looking() -> None:
    desk = Desk()
    desk.store.apply([desk.fact(OrderStatus.FILLED, FactSource.STREAM)])
    assert desk.resolver.resolve() is None
    assert desk.looks == 0
    assert desk.status() is OrderStatus.FILLED


@pytest.mark.parametrize("step", [-30.0, 30.0])
def test_a_step_of_the_local_clock_changes_nothing(step: float) -> None:
    """(fault F117)"""
    desk = Desk()
    desk.clock.step(step)
    desk.clock.advance(10)
    desk.resolver.resolve()
    desk.clock.advance(1.5)
    desk.resolver.resolve()
    assert desk.status() is OrderStatus.UNKNOWN, "only ten seconds have passed at the exchange"


def received(desk: Desk) -> ClientOrderId:
    """Enter an order that the exchange has received, and have it looked for in a second."""
    name = ClientOrderId("received-1")
    known = OrderFact(
        "binance", "BTC-USDT", name, FactSource.ANSWER, desk.clock.time_ns(), exchange_order_id=ExchangeOrderId("8")
    )
    desk.resolver = Resolver(
        desk.store, desk.clock, desk.server_clock, WINDOW_MS, PROCESSING_MS, lambda state: desk.answer(), lambda: None
    )
    desk.store.apply([known])
    desk.resolver.track(name, 1.0)
    return name


def test_the_stream_is_left_the_time_to_speak_first() -> None:
    desk = Desk()
    name = received(desk)
    asked: list[float] = []

    def answer() -> list[OrderFact]:
        asked.append(desk.clock.monotonic_ns() / 1e9)
        raise OrderNotFound("not there yet")

    desk.answer = answer
    began = desk.clock.monotonic_ns() / 1e9
    assert desk.resolver.resolve() == 1.0
    assert asked == []
    desk.clock.advance(1.0)
    desk.resolver.resolve()
    assert asked == [began + 1.0]
    state = desk.store.order(name)
    assert state is not None
    assert state.status is OrderStatus.PENDING_NEW, "received, and nobody knows more"


def test_a_received_order_that_nobody_knows_in_the_end_was_never_placed() -> None:
    desk = Desk()
    name = received(desk)
    for _ in range(20):
        desk.clock.advance(1.0)
        desk.resolver.resolve()
    state = desk.store.order(name)
    assert state is not None
    assert state.status is OrderStatus.REJECTED
    assert state.reason.startswith("received and never placed")
    assert desk.resolver.unresolved == []


def test_a_received_order_is_looked_for_and_not_in_doubt() -> None:
    desk = Desk()
    assert desk.resolver.doubtful == [ID]
    desk.store.apply([desk.fact(OrderStatus.NEW, FactSource.STREAM)])
    assert desk.resolver.doubtful == [], "told by the stream, before anybody has looked again"
    name = received(desk)
    assert (desk.resolver.unresolved, desk.resolver.doubtful) == ([name], [])
