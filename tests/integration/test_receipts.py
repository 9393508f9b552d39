"""An exchange whose answers to commands are receipts: what became of an order is told later (Bybit: 4.7; fault F073).

The driver is Binance's with answers that say nothing but that the command has arrived, so that all the rest is real.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from exconn_sync import (
    Connector,
    Order,
    OrderRejected,
    OrderRequest,
    OutcomeUnknown,
    PartlyDone,
    WouldTakeLiquidity,
)
from exconn_sync.config.settings import Intervals
from exconn_sync.exchanges.binance.driver import BinanceDriver
from exconn_sync.model.account import Fact
from exconn_sync.model.instrument import Instrument, Instruments
from exconn_sync.model.orders import OrderFact, OrderState
from exconn_sync.model.wire import HttpResponse, RestCall
from exconn_sync.ports import registry
from exconn_sync.simulator import Simulator
from tests.integration.conftest import LIMIT, Connect
from tests.simulator.clients import eventually
from tests.unit.support import Background

limit = OrderRequest.limit
ORDER, OPEN_ORDERS, AMEND = "/api/v3/order", "/api/v3/openOrders", "/api/v3/order/amend/keepPriority"
EVENTS = "userDataStream"


def receipt(call: RestCall[Sequence[Fact]]) -> RestCall[Sequence[Fact]]:
    """Return the command with an answer that only names its orders."""

    def named(response: HttpResponse) -> Sequence[Fact]:
        orders = [fact for fact in call.parse(response) if isinstance(fact, OrderFact)]
        return [
            OrderFact(
                fact.exchange, fact.symbol, fact.client_order_id, fact.source, fact.received_at,
                exchange_order_id=fact.exchange_order_id,
            )
            for fact in orders
        ]  # fmt: skip

    return replace(call, parse=named, is_receipt=True)


class ReceiptDriver(BinanceDriver):
    """Binance, if it answered commands as Bybit does: a new order may be refused after its receipt."""

    def place_order(self, *args: Any) -> RestCall[Sequence[Fact]]:
        return receipt(super().place_order(*args))

    def cancel_order(self, *args: Any) -> RestCall[Sequence[Fact]]:
        return receipt(super().cancel_order(*args))

    def amend_order(self, *args: Any, **more: Any) -> RestCall[Sequence[Fact]]:
        return receipt(super().amend_order(*args, **more))

    def cancel_all(self, instrument: Instrument, instruments: Instruments) -> Sequence[RestCall[Sequence[Fact]]]:
        (call,) = super().cancel_all(instrument, instruments)
        # The second kind of orders is one of which there is none.
        return receipt(call), receipt(call)

    def fetch_past_order(  # type: ignore[override]
        self, instrument: Instrument, order: OrderState, instruments: Instruments
    ) -> RestCall[OrderFact]:
        return self.fetch_order(instrument, order, instruments)


@pytest.fixture
def receipts(monkeypatch: pytest.MonkeyPatch, quiet: Simulator) -> Simulator:
    """A quiet exchange whose answers to commands are receipts."""
    monkeypatch.setitem(registry._registered, "binance", ReceiptDriver())
    return quiet


def resting(connector: Connector, client_order_id: str | None = None) -> Order:
    order = connector.place_order(limit("BTC-USDT", "buy", "0.02", "50000", client_order_id=client_order_id))
    eventually(lambda: order.status == "new")
    return order


def cancelled(order: Order) -> dict[str, Any]:
    """Return an answer that names a cancelled order."""
    return {
        "symbol": "BTCUSDT", "origClientOrderId": order.client_order_id, "orderId": int(order.exchange_order_id or 0),
        "clientOrderId": "of-cancel", "status": "CANCELED", "executedQty": "0",
    }  # fmt: skip


# --- place ----------------------------------------------------------------------------------------------------------


def test_a_received_order_is_pending_until_the_stream_tells(receipts: Simulator, connect: Connect) -> None:
    connector = connect(receipts)
    with receipts.faults.silence(EVENTS):
        order = connector.place_order(limit("BTC-USDT", "buy", "0.02", "50000"))
        assert order.status == "pending_new", "nobody has said more"
        assert order.exchange_order_id is not None
    assert order.wait("new", LIMIT), "the stream is silent, so the order is asked for"
    assert [str(entry.source) for entry in order.history] == ["local", "answer", "query"]
    assert connector.health().unknown_orders == 0


def test_an_event_that_comes_before_the_receipt_counts(receipts: Simulator, connect: Connect) -> None:
    """(fault F091)"""
    connector = connect(receipts)
    with receipts.faults.delay("POST", ORDER, 0.3):
        order = connector.place_order(limit("BTC-USDT", "buy", "0.02", "60010"))
    assert order.wait("filled", LIMIT)
    assert order.filled_quantity == Decimal("0.02")
    assert order.state.contradictions == ()


def test_an_order_refused_after_its_receipt_reaches_the_handle_the_events_and_a_waiter(
    receipts: Simulator, connect: Connect
) -> None:
    connector = connect(receipts)
    states: list[OrderState] = []
    connector.on_order(states.append)
    with receipts.faults.silence(EVENTS):
        order = connector.place_order(limit("BTC-USDT", "buy", "0.02", "50000"))
        waiter = Background(lambda: order.wait(timeout=LIMIT))
        report = {
            "e": "executionReport", "E": 1, "s": "BTCUSDT", "c": order.client_order_id, "S": "BUY", "o": "LIMIT",
            "f": "GTC", "q": "0.02", "p": "50000", "x": "REJECTED", "X": "REJECTED", "r": "INSUFFICIENT_BALANCES",
            "i": int(order.exchange_order_id or 0), "z": "0", "Z": "0", "T": 1, "t": -1,
        }  # fmt: skip
        receipts.faults.send_raw(json.dumps({"subscriptionId": 0, "event": report}), kind="ws_api")
        assert waiter.result(), "it is at its end"
        assert (order.status, order.state.reason) == ("rejected", "INSUFFICIENT_BALANCES")
        eventually(lambda: bool(states) and states[-1].status == "rejected")


def test_a_refusal_in_the_answer_is_raised_at_once(receipts: Simulator, connect: Connect) -> None:
    connector = connect(receipts)
    with pytest.raises(WouldTakeLiquidity):
        connector.place_order(limit("BTC-USDT", "buy", "0.02", "60010", post_only=True))


# --- cancel ---------------------------------------------------------------------------------------------------------


def test_a_cancel_returns_when_the_stream_has_confirmed_it(receipts: Simulator, connect: Connect) -> None:
    connector = connect(receipts)
    order = resting(connector)
    order.cancel()
    assert order.status == "canceled"
    assert "query" not in [str(entry.source) for entry in order.history], "nobody had to ask"


def test_a_cancel_is_confirmed_by_a_look_where_the_stream_is_silent(receipts: Simulator, connect: Connect) -> None:
    connector = connect(receipts)
    order = resting(connector)
    with receipts.faults.silence(EVENTS):
        order.cancel()
    assert order.status == "canceled"
    assert [str(entry.source) for entry in order.history][-1] == "query"


def test_a_cancel_that_is_not_confirmed_in_time_is_unknown(receipts: Simulator, connect: Connect) -> None:
    connector = connect(receipts)
    order = resting(connector)
    with receipts.faults.silence(EVENTS), pytest.raises(OutcomeUnknown) as caught:
        order.cancel(timeout=1.0)
    assert (caught.value.outcome, order.status) == ("unknown", "new")
    assert "is not confirmed yet" in caught.value.message
    assert caught.value.order.client_order_id == order.client_order_id


def test_a_cancel_that_came_too_late_says_so(receipts: Simulator, connect: Connect) -> None:
    """(fault F094)"""
    connector = connect(receipts)
    order = resting(connector)
    receipts.faults.answer("DELETE", ORDER, 200, json.dumps(cancelled(order)))
    with receipts.faults.silence(EVENTS):
        receipts.market.trade("BTCUSDT", "sell", "1.02")
        with pytest.raises(OrderRejected, match="was not canceled, it is filled"):
            connector.cancel_order(order)


# --- amend ----------------------------------------------------------------------------------------------------------


def test_an_amend_returns_when_it_shows(receipts: Simulator, connect: Connect) -> None:
    connector = connect(receipts)
    order = resting(connector)
    assert connector.amend_order(order, "0.01").quantity == Decimal("0.01")
    with receipts.faults.silence(EVENTS):
        assert connector.amend_order(order, "0.005").quantity == Decimal("0.005"), "by a look"


# --- cancel all -----------------------------------------------------------------------------------------------------


def test_cancel_all_sends_every_command_and_waits_for_the_orders(receipts: Simulator, connect: Connect) -> None:
    connector = connect(receipts)
    orders = [resting(connector, f"order-{number}") for number in range(3)]
    ended = connector.cancel_all("BTC-USDT")
    assert [order.client_order_id for order in ended] == ["order-0", "order-1", "order-2"]
    assert {order.status for order in orders} == {"canceled"}


def test_cancel_all_compares_all_orders_where_the_stream_is_silent(receipts: Simulator, connect: Connect) -> None:
    connector = connect(receipts, intervals=Intervals(reconcile=3600))
    orders = [resting(connector, f"order-{number}") for number in range(3)]
    with receipts.faults.silence(EVENTS):
        assert len(connector.cancel_all("BTC-USDT")) == 3
    assert {order.status for order in orders} == {"canceled"}


def test_cancel_all_that_is_not_confirmed_in_time_names_the_orders(receipts: Simulator, connect: Connect) -> None:
    connector = connect(receipts)
    order = resting(connector)
    late = receipts.faults.delay("GET", OPEN_ORDERS, 4.0)
    with receipts.faults.silence(EVENTS), late, pytest.raises(OutcomeUnknown) as caught:
        connector.cancel_all("BTC-USDT", timeout=1.0)
    assert [left.client_order_id for left in caught.value.result] == [order.client_order_id]


def test_cancel_all_of_which_one_command_is_refused_is_partly_done(receipts: Simulator, connect: Connect) -> None:
    connector = connect(receipts)
    order = resting(connector)
    receipts.faults.answer("DELETE", OPEN_ORDERS, 200, json.dumps([cancelled(order)]))
    receipts.faults.answer("DELETE", OPEN_ORDERS, 400, json.dumps({"code": -1013, "msg": "Invalid quantity."}))
    order_id = {"symbol": "BTCUSDT", "orderId": order.exchange_order_id or ""}
    connector.request("DELETE", ORDER, order_id, signed=True)
    with pytest.raises(PartlyDone) as caught:
        connector.cancel_all("BTC-USDT")
    assert [ended.client_order_id for ended in caught.value.result] == [order.client_order_id]
