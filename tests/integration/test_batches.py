"""Several orders in one call: each has an outcome of its own, whatever becomes of the others (fault model 0.1).

Binance takes orders one by one; for batches its driver gets a request of which the test writes the answers.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import pytest

from exconn_sync import (
    CommandOutcome,
    CommandResult,
    Connector,
    DuplicateOrder,
    ExconnError,
    InsufficientBalance,
    OrderNotFound,
    OrderRejected,
    OrderRequest,
    OutcomeUnknown,
    RequestTimeout,
    ValidationError,
)
from exconn_sync.exchanges.binance.driver import BinanceDriver
from exconn_sync.model.enums import FactSource
from exconn_sync.model.ids import ClientOrderId, ExchangeOrderId
from exconn_sync.model.orders import OrderFact, OrderState
from exconn_sync.model.wire import HttpResponse, RestCall
from exconn_sync.ports import registry
from exconn_sync.ports.batch import ChangedOrder, NewOrder
from exconn_sync.ports.trading import HalfAnswer
from exconn_sync.simulator import Simulator
from tests.integration.conftest import LIMIT, Connect
from tests.simulator.clients import eventually
from tests.unit.support import Background

limit = OrderRequest.limit
DONE, NOT_SENT, REFUSED, UNKNOWN = (
    CommandOutcome.DONE, CommandOutcome.NOT_SENT, CommandOutcome.REFUSED, CommandOutcome.UNKNOWN,
)  # fmt: skip
ORDER, BATCH = "/api/v3/order", "/api/v3/account"
"""The batch goes to a path that exists, with a method that it does not have: the test answers."""


def orders(count: int, price: str = "50000") -> list[OrderRequest]:
    return [limit("BTC-USDT", "buy", "0.01", price, client_order_id=f"order-{number}") for number in range(count)]


def outcomes(results: Sequence[CommandResult]) -> list[CommandOutcome]:
    return [result.outcome for result in results]


# --- one by one -----------------------------------------------------------------------------------------------------


def test_orders_are_placed_one_by_one_where_there_are_no_batches(quiet: Simulator, connect: Connect) -> None:
    connector = connect(quiet)
    results = connector.place_orders(orders(3))
    assert [result.order.client_order_id for result in results] == ["order-0", "order-1", "order-2"]
    assert outcomes(results) == [DONE, DONE, DONE]
    assert {result.order.status for result in results} == {"new"}


def test_an_order_that_is_refused_keeps_no_other_from_being_placed(quiet: Simulator, connect: Connect) -> None:
    connector = connect(quiet)
    rich = limit("BTC-USDT", "buy", "100", "59000", client_order_id="rich")
    results = connector.place_orders([orders(1)[0], rich, limit("BTC-USDT", "buy", "0.01", "50000")])
    assert outcomes(results) == [DONE, REFUSED, DONE]
    assert isinstance(results[1].error, InsufficientBalance)
    assert (results[1].order.status, results[2].order.status) == ("rejected", "new")
    assert results[0].is_done
    assert not results[1].is_done


def test_one_bad_order_keeps_all_from_being_sent(quiet: Simulator, connect: Connect) -> None:
    connector = connect(quiet)
    with pytest.raises(ValidationError):
        connector.place_orders([*orders(2), limit("BTC-USDT", "buy", "0.0000001", "50000")])
    assert connector.place_orders([]) == []
    assert connector.fetch_open_orders() == []


def test_an_id_that_was_used_before_is_refused_before_its_order_is_sent(quiet: Simulator, connect: Connect) -> None:
    connector = connect(quiet)
    connector.place_orders(orders(1))
    with pytest.raises(ValidationError, match="was used before"):
        connector.place_orders(orders(1))
    assert len(connector.fetch_open_orders()) == 1


def test_an_id_given_twice_keeps_all_from_being_sent(quiet: Simulator, connect: Connect) -> None:
    connector = connect(quiet)
    first, *_ = orders(1)
    with pytest.raises(ValidationError, match="was used before"):
        connector.place_orders([first, first])
    assert connector.fetch_open_orders() == []
    (state,) = connector.orders.history()
    assert (state.status, state.reason) == ("rejected", "not sent: another order with it could not be entered")


def test_an_interrupt_leaves_no_doubt_about_orders_whose_turn_had_not_come(
    quiet: Simulator, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    """(fault F129)"""
    connector = connect(quiet)
    desk = connector._core.assembly.batches._desk
    send, sent = desk.send, iter([False, True])

    def interrupted(call: Any, deadline: Any) -> Any:
        if next(sent):
            raise KeyboardInterrupt
        return send(call, deadline)

    monkeypatch.setattr(desk, "send", interrupted)
    with pytest.raises(KeyboardInterrupt):
        connector.place_orders(orders(3))
    states = [connector.orders.get(f"order-{number}") for number in range(3)]
    assert [state and state.status for state in states] == ["new", "unknown", "rejected"]
    assert states[2] is not None
    assert states[2].reason == "interrupted by KeyboardInterrupt before it was sent"


@pytest.mark.parametrize("bad", ["text", 7, None, {"a": 1}])
def test_what_is_no_list(bad: Any, quiet: Simulator, connect: Connect) -> None:
    connector = connect(quiet)
    for call in (connector.place_orders, connector.cancel_orders, connector.amend_orders):
        with pytest.raises(ValidationError):
            call(bad)
    for change in (["a"], [("a", None)], [("a",)], ["ab"]):
        with pytest.raises(ValidationError):
            connector.amend_orders(change)  # type: ignore[arg-type]
    with pytest.raises(ValidationError):
        connector.place_orders(["order"])  # type: ignore[list-item]
    with pytest.raises(ValidationError, match="not a known order"):
        connector.cancel_orders(["nobody"])


def test_an_order_that_was_not_answered_is_found(quiet: Simulator, connect: Connect) -> None:
    """(faults F067, F068)"""
    connector = connect(quiet)
    quiet.faults.execute_then_drop("POST", ORDER)
    results = connector.place_orders(orders(2))
    assert outcomes(results) == [DONE, DONE]
    assert results[0].error is None
    assert len(connector.fetch_open_orders()) == 2


def test_an_order_of_which_nothing_is_known_in_time_is_unknown(quiet: Simulator, connect: Connect) -> None:
    connector = connect(quiet)
    quiet.faults.answer("POST", ORDER, 503, "busy")
    results = connector.place_orders(orders(2), timeout=1)
    assert outcomes(results) == [UNKNOWN, DONE]
    assert isinstance(results[0].error, OutcomeUnknown)
    assert results[0].error.order.client_order_id == "order-0"
    assert results[0].order.status == "unknown"


def test_cancels_one_by_one(quiet: Simulator, connect: Connect) -> None:
    connector = connect(quiet)
    placed = [result.order for result in connector.place_orders(orders(3))]
    placed[2].cancel()
    quiet.faults.answer("DELETE", ORDER, 400, json.dumps({"code": -2011, "msg": "Unknown order sent."}))
    results = connector.cancel_orders([placed[0], "order-1", placed[2]])
    assert outcomes(results) == [REFUSED, DONE, NOT_SENT]
    assert isinstance(results[0].error, OrderNotFound)
    assert isinstance(results[2].error, OrderRejected)
    assert (placed[0].status, placed[1].status) == ("new", "canceled")


def test_amends_one_by_one(quiet: Simulator, connect: Connect) -> None:
    connector = connect(quiet)
    placed = [result.order for result in connector.place_orders(orders(3))]
    placed[2].cancel()
    results = connector.amend_orders([(placed[0], "0.005"), ("order-1", Decimal("0.004")), (placed[2], "0.001")])
    assert outcomes(results) == [DONE, DONE, NOT_SENT]
    assert [order.quantity for order in placed[:2]] == [Decimal("0.005"), Decimal("0.004")]


# --- batches --------------------------------------------------------------------------------------------------------


answered = threading.Event()
"""A batch has been answered."""


class Batches:
    """Two orders in a request; the answer says of each order a code, and 0 for one that was received."""

    size = 2

    def takes(self, order: OrderState) -> bool:
        return order.client_order_id != "order-2"

    def place(self, orders: Sequence[NewOrder]) -> RestCall[Sequence[HalfAnswer]]:
        return self._call([order.client_order_id for order in orders])

    def cancel(self, orders: Sequence[ChangedOrder]) -> RestCall[Sequence[HalfAnswer]]:
        return self._call([order.order.client_order_id for order in orders])

    amend = cancel

    def _call(self, names: Sequence[ClientOrderId]) -> RestCall[Sequence[HalfAnswer]]:
        def parse(response: HttpResponse) -> Sequence[HalfAnswer]:
            answered.set()
            return [answer(name, code) for name, code in zip(names, json.loads(response.body), strict=True)]

        return RestCall("POST", BATCH, parse, is_signed=True, is_command=True, is_receipt=True)


def answer(name: ClientOrderId, code: int) -> HalfAnswer:
    if code == 0:
        number = ExchangeOrderId("9" + name[-1])
        fact = OrderFact("binance", "BTC-USDT", name, FactSource.ANSWER, 1, exchange_order_id=number)
        return HalfAnswer(DONE, [fact])
    refused = ExconnError("no", outcome="unknown") if code == 2 else DuplicateOrder("no")
    return HalfAnswer(UNKNOWN if code == 2 else REFUSED, (), refused)


class BatchDriver(BinanceDriver):
    def batch_calls(self, environment: str) -> Batches:  # type: ignore[override]
        return Batches()


@pytest.fixture
def batched(monkeypatch: pytest.MonkeyPatch, quiet: Simulator, connect: Connect) -> Connector:
    """A connector to an exchange that takes two orders in a request."""
    monkeypatch.setitem(registry._registered, "binance", BatchDriver())
    return connect(quiet)


def says(quiet: Simulator, *codes: int) -> None:
    quiet.faults.answer("POST", BATCH, 200, json.dumps(codes))


def tells(quiet: Simulator, name: str, **changes: Any) -> None:
    """Have the account stream tell of an order."""
    report = {
        "e": "executionReport", "E": 1, "s": "BTCUSDT", "c": name, "S": "BUY", "o": "LIMIT", "f": "GTC", "q": "0.01",
        "p": "50000", "x": "NEW", "X": "NEW", "i": int("9" + name[-1]), "z": "0", "Z": "0", "T": 2, "t": -1,
    } | changes  # fmt: skip
    quiet.faults.send_raw(json.dumps({"subscriptionId": 0, "event": report}), kind="ws_api")


def test_a_batch_is_sent_in_parts_of_its_size(quiet: Simulator, batched: Connector) -> None:
    says(quiet, 0, 1)
    says(quiet, 0)
    results = batched.place_orders(orders(3))
    assert outcomes(results) == [DONE, REFUSED, DONE]
    # Not found once: the order that has the id may be this one, and reads may lag behind.
    assert [result.order.status for result in results] == ["pending_new", "unknown", "pending_new"]
    assert isinstance(results[1].error, DuplicateOrder)
    tells(quiet, "order-0")
    assert results[0].order.wait("new", LIMIT), "received, and told by the stream"


def test_a_whole_part_that_is_refused_refuses_each_of_its_orders(quiet: Simulator, batched: Connector) -> None:
    quiet.faults.answer("POST", BATCH, 400, json.dumps({"code": -2010, "msg": "Account has insufficient balance."}))
    says(quiet, 0)
    results = batched.place_orders(orders(3))
    assert outcomes(results) == [REFUSED, REFUSED, DONE]
    assert results[0].error is results[1].error
    assert results[1].order.status == "rejected"


def test_a_part_that_is_not_answered_is_unknown_for_each_of_its_orders(quiet: Simulator, batched: Connector) -> None:
    """And an order that the account stream tells of is known again."""
    quiet.faults.answer("POST", BATCH, 503, "busy")
    quiet.faults.answer("GET", "/api/v3/openOrders", 503, "busy", 99)
    results = batched.place_orders(orders(2), timeout=1.0)
    assert outcomes(results) == [UNKNOWN, UNKNOWN]
    tells(quiet, "order-1")
    assert results[1].order.wait("new", LIMIT)
    assert results[0].order.status == "unknown"


def test_an_order_that_was_doubted_and_then_told_of_is_done(quiet: Simulator, batched: Connector) -> None:
    says(quiet, 2, 0)
    orders_told: list[OrderState] = []
    batched.on_order(
        lambda state: tells(quiet, state.client_order_id) if state.status == "unknown" else orders_told.append(state)
    )
    results = batched.place_orders(orders(2))
    assert outcomes(results) == [DONE, DONE]
    assert (results[0].error, results[0].order.status) == (None, "new")


def test_what_there_is_no_time_for_is_not_sent(quiet: Simulator, batched: Connector) -> None:
    with pytest.raises(RequestTimeout) as caught:
        batched.place_orders(orders(2), timeout=0)
    assert caught.value.outcome == "not_sent"


def received(quiet: Simulator, batched: Connector, count: int) -> None:
    """Have orders placed that the exchange tells of."""
    for start in range(0, count, 2):
        says(quiet, *[0] * min(2, count - start))
    results = batched.place_orders(orders(count))
    for result in results:
        tells(quiet, result.order.client_order_id)
        assert result.order.wait("new", LIMIT)


def test_cancels_in_batches_end_when_the_orders_do(quiet: Simulator, batched: Connector) -> None:
    received(quiet, batched, 2)
    says(quiet, 0, 0)
    answered.clear()
    cancel = Background(lambda: batched.cancel_orders(["order-0", "order-1"]))
    assert answered.wait(LIMIT)
    tells(quiet, "order-0", x="CANCELED", X="CANCELED", T=3)
    tells(quiet, "order-1", x="TRADE", X="FILLED", z="0.01", Z="500", t=5, l="0.01", L="50000", T=3)
    results = cancel.result()
    assert outcomes(results) == [DONE, REFUSED]
    assert str(results[1].error) == "order order-1 was not canceled, it is filled"


def test_a_cancel_in_a_batch_that_is_not_confirmed_is_unknown(quiet: Simulator, batched: Connector) -> None:
    received(quiet, batched, 2)
    says(quiet, 0, 1)
    quiet.faults.answer("GET", "/api/v3/openOrders", 503, "busy", 99)
    results = batched.cancel_orders(["order-0", "order-1"], timeout=1.0)
    assert outcomes(results) == [UNKNOWN, REFUSED]
    assert isinstance(results[0].error, OutcomeUnknown)


def test_an_order_that_no_batch_takes_is_cancelled_alone(quiet: Simulator, batched: Connector) -> None:
    received(quiet, batched, 3)
    says(quiet, 0)
    body = {
        "symbol": "BTCUSDT",
        "origClientOrderId": "order-2",
        "orderId": 92,
        "clientOrderId": "c",
        "status": "CANCELED",
    }
    quiet.faults.answer("DELETE", ORDER, 200, json.dumps(body | {"executedQty": "0"}))
    results = batched.cancel_orders(["order-2"])
    assert outcomes(results) == [DONE]


def test_amends_in_batches_end_when_they_show(quiet: Simulator, batched: Connector) -> None:
    received(quiet, batched, 2)
    says(quiet, 0, 1)
    quiet.faults.answer("GET", ORDER, 503, "busy", 99)
    results = batched.amend_orders([("order-0", "0.005"), ("order-1", "0.005")], timeout=1.0)
    assert outcomes(results) == [UNKNOWN, REFUSED]
    says(quiet, 0)
    tells(quiet, "order-0", q="0.004", T=9)
    eventually(lambda: [state.quantity for state in batched.orders.open()] == [Decimal("0.004"), Decimal("0.01")])
    assert outcomes(batched.amend_orders([("order-0", "0.004")])) == [DONE]
