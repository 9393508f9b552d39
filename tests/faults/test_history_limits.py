"""A process that was away for longer than the exchange remembers (fault F090).

The exchange's clock is set ahead by the time that the process was away.
"""

from __future__ import annotations

from decimal import Decimal

import pytest

from exconn_sync import Connector, OrderRequest, OutcomeUnknown
from exconn_sync.persistence import MemoryJournal
from exconn_sync.simulator import Simulator
from tests.faults.conftest import LIMIT, Connect, Errors
from tests.faults.faces import RESTING, Face, face, faces, proof, resting
from tests.quiet import quiet_exchange
from tests.simulator.clients import eventually

__all__ = ["face"]

HOUR_MS = 3600 * 1000
MEMORY_MS = {"binance": 90 * 24 * HOUR_MS, "bybit": 24 * HOUR_MS}


def left_unknown(face: Face, connect: Connect, journal: MemoryJournal) -> None:
    """Leave behind an order that arrived, and of which nobody here learnt that."""
    first = connect(face.exchange, journal=journal)
    with face.exchange.faults.lag_reads(600), face.exchange.faults.silence(face.orders):
        face.exchange.faults.execute_then_drop(*face.place)
        with pytest.raises(OutcomeUnknown):
            first.place_order(RESTING, timeout=0.3)
        assert first.stop(LIMIT) == []


def cancelled_elsewhere(face: Face, connect: Connect) -> None:
    """Have another program cancel everything, and everything of the past leave the short memory."""
    other = connect(face.exchange)
    other.cancel_all("BTC-USDT")
    assert other.stop(LIMIT) == []
    face.exchange.faults.forget_closed_orders()


def back_after(face: Face, connect: Connect, journal: MemoryJournal, away_ms: int) -> tuple[Connector, Errors]:
    """Start the next process, so much later by the exchange's clock."""
    face.exchange.faults.offset_clock(away_ms)
    second = connect(face.exchange, start=False, journal=journal, **proof())
    errors = Errors(second)
    second.start()
    second.wait_ready(LIMIT)
    return second, errors


def test_an_unknown_order_that_is_too_old_to_be_seen_is_never_called_rejected(face: Face, connect: Connect) -> None:
    """It arrived and was cancelled, and nothing tells that any more (fault F090)."""
    journal = MemoryJournal()
    left_unknown(face, connect, journal)
    cancelled_elsewhere(face, connect)
    second, errors = back_after(face, connect, journal, MEMORY_MS[face.name] + 2 * HOUR_MS)
    event = errors.until(lambda event: isinstance(event.error, OutcomeUnknown))
    assert "older than what the exchange remembers" in str(event.error)
    (state,) = second.orders.open()
    assert (state.status, second.health().unknown_orders) == ("unknown", 1)
    assert event.where == f"order {state.client_order_id}"


def test_an_unknown_order_that_is_remembered_is_found(face: Face, connect: Connect) -> None:
    """(fault F090)"""
    journal = MemoryJournal()
    left_unknown(face, connect, journal)
    cancelled_elsewhere(face, connect)
    second, _ = back_after(face, connect, journal, MEMORY_MS[face.name] - 4 * HOUR_MS)
    eventually(lambda: [state.status for state in second.orders.history()] == ["canceled"])


def test_an_open_order_that_ended_and_was_forgotten_is_told(connect: Connect) -> None:
    """Of one with fills the exchange knows on (fault F090)."""
    with quiet_exchange("bybit") as exchange:
        face, journal = faces("bybit", exchange), MemoryJournal()
        first = connect(exchange, journal=journal)
        unfilled = resting(first)
        filled = resting(first, OrderRequest.limit("BTC-USDT", "buy", "0.2", "60005"))
        assert first.stop(LIMIT) == []
        exchange.market.trade("BTCUSDT", "sell", "0.1")
        cancelled_elsewhere(face, connect)
        second, errors = back_after(face, connect, journal, 26 * HOUR_MS)
        event = errors.until(lambda event: event.where == f"order {unfilled.client_order_id}")
        assert "longer ago than the exchange remembers" in str(event.error)
        known = {state.client_order_id: state for state in second.orders.history()}
        assert known[unfilled.client_order_id].status == "new", "what became of it, nobody can say"
        found = known[filled.client_order_id]
        assert (found.status, found.filled_quantity) == ("canceled", Decimal("0.1"))
        eventually(lambda: [fill.quantity for fill in second.fills()] == [Decimal("0.1")])


def test_an_archived_order_is_not_found_and_nothing_more(quiet: Simulator, connect: Connect) -> None:
    """The exchange has a word of its own for it (Binance: 7.2; fault F090)."""
    connector = connect(quiet)
    order = resting(connector)
    order.cancel()
    quiet.faults.offset_clock(91 * 24 * HOUR_MS)
    later = connect(quiet)
    with pytest.raises(Exception, match="archived") as caught:
        later.fetch_order(order.client_order_id, symbol="BTC-USDT")
    assert type(caught.value).__name__ == "OrderNotFound"
    assert order.status == "canceled"
