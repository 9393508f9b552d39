"""Several orders in one request, each with an outcome of its own (Bybit: 4.9, 3.3)."""

from __future__ import annotations

import json
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import pytest

from exconn_sync.errors import (
    ExchangeError,
    InsufficientBalance,
    OrderNotFound,
    OutcomeUnknown,
    ProtocolError,
    ValidationError,
)
from exconn_sync.exchanges.bybit.driver import DRIVER
from exconn_sync.model.enums import CommandOutcome, OrderType
from exconn_sync.model.ids import ClientOrderId
from exconn_sync.model.orders import OrderFact, OrderRequest
from exconn_sync.model.wire import RestCall
from exconn_sync.ports.batch import ChangedOrder, NewOrder
from exconn_sync.ports.trading import HalfAnswer
from tests.data import read_json
from tests.exchanges.bybit.orders import ORDER_ID, order_state
from tests.exchanges.bybit.support import BTCUSDT, envelope, response

DONE, REFUSED, UNKNOWN = CommandOutcome.DONE, CommandOutcome.REFUSED, CommandOutcome.UNKNOWN
BATCHES = DRIVER.batch_calls("production")
LIMIT = OrderRequest.limit("BTC-USDT", "buy", "0.01", "28000")
STOP = OrderRequest.stop_market("BTC-USDT", "sell", 1, "80")


def new(request: OrderRequest, name: str) -> NewOrder:
    return NewOrder(request, BTCUSDT, ClientOrderId(name))


def placing() -> RestCall[Sequence[HalfAnswer]]:
    assert BATCHES is not None
    return BATCHES.place([new(LIMIT, "one"), new(STOP, "two")])


def cancelling() -> RestCall[Sequence[HalfAnswer]]:
    assert BATCHES is not None
    return BATCHES.cancel([ChangedOrder(BTCUSDT, order_state()), ChangedOrder(BTCUSDT, order_state(None, "two"))])


def answered(*rows: tuple[str, str, int]) -> Any:
    """Return an answer with an order id, a client id and a code for each order."""
    listed = [{"category": "spot", "symbol": "BTCUSDT", "orderId": row[0], "orderLinkId": row[1]} for row in rows]
    items = [{"code": row[2], "msg": "OK" if row[2] == 0 else "no"} for row in rows]
    return response(envelope({"list": listed}, retExtInfo={"list": items}))


def test_a_batch_says_of_each_order_what_a_single_command_says() -> None:
    call = placing()
    assert (call.path, call.is_command, call.is_receipt, call.is_signed) == (
        "/v5/order/create-batch", True, True, True,
    )  # fmt: skip
    body = json.loads(call.body or b"")
    assert body["category"] == "spot"
    singles = [
        json.loads(DRIVER.place_order(*each, None).body or b"")  # type: ignore[arg-type]
        for each in (new(LIMIT, "one"), new(STOP, "two"))
    ]
    assert [each | {"category": "spot"} for each in body["request"]] == singles


def test_a_batch_costs_its_orders() -> None:
    """Not one request (Bybit: 3.3)."""
    costs = {cost.limit: cost.amount for cost in placing().costs}
    assert costs["/v5/order/create-batch"] == 2
    assert {cost.limit: cost.amount for cost in cancelling().costs}["/v5/order/cancel-batch"] == 2


def test_cancels_and_amends_name_each_order_by_one_id() -> None:
    assert BATCHES is not None
    assert json.loads(cancelling().body or b"")["request"] == [
        {"symbol": "BTCUSDT", "orderId": ORDER_ID}, {"symbol": "BTCUSDT", "orderLinkId": "two"},
    ]  # fmt: skip
    amends = BATCHES.amend([ChangedOrder(BTCUSDT, order_state(), Decimal("0.50"))])
    assert amends.path == "/v5/order/amend-batch"
    assert json.loads(amends.body or b"")["request"] == [{"symbol": "BTCUSDT", "orderId": ORDER_ID, "qty": "0.5"}]


def test_each_order_fails_or_succeeds_by_itself() -> None:
    """Although the answer is a success (Bybit: 10)."""
    done, failed = placing().parse(answered((ORDER_ID, "one", 0), ("", "two", 170131)))
    (fact,) = done.facts
    assert isinstance(fact, OrderFact)
    assert (done.outcome, done.error, fact.exchange_order_id, fact.status) == (DONE, None, ORDER_ID, None)
    assert (failed.outcome, list(failed.facts), type(failed.error)) == (REFUSED, [], InsufficientBalance)
    first, second = cancelling().parse(answered((ORDER_ID, "", 0), ("", "two", 170213)))
    assert (first.outcome, second.outcome, type(second.error)) == (DONE, REFUSED, OrderNotFound)


@pytest.mark.parametrize(("code", "kind"), [(170146, OutcomeUnknown), (10016, OutcomeUnknown), (424242, ExchangeError)])
def test_a_code_that_proves_nothing_refuses_nothing(code: int, kind: type[Exception]) -> None:
    _, doubtful = placing().parse(answered((ORDER_ID, "one", 0), ("", "two", code)))
    assert (doubtful.outcome, type(doubtful.error)) == (UNKNOWN, kind)


@pytest.mark.parametrize(
    "body",
    [
        answered((ORDER_ID, "one", 0)),
        answered((ORDER_ID, "one", 0), ("", "two", 0)),
        answered((ORDER_ID, "two", 0), ("9", "one", 0)),
        response(envelope({"list": [{"orderId": "1", "orderLinkId": "one"}, {"orderId": "2", "orderLinkId": "two"}]})),
        response(envelope({})),
    ],
)
def test_an_answer_about_something_else_is_none(body: Any) -> None:
    """(fault F084)"""
    with pytest.raises(ProtocolError):
        placing().parse(body)


def test_orders_that_wait_for_a_price_are_cancelled_one_by_one() -> None:
    assert BATCHES is not None
    assert BATCHES.takes(order_state(type=OrderType.LIMIT))
    assert not BATCHES.takes(order_state(type=OrderType.STOP_LIMIT))
    assert BATCHES.takes(order_state(type=OrderType.STOP_LIMIT, is_working=True))


def test_what_bybit_lacks_is_refused_in_a_batch_too() -> None:
    assert BATCHES is not None
    with pytest.raises(ValidationError):
        BATCHES.place([new(LIMIT, "one"), new(LIMIT.with_options(iceberg_quantity="0.001"), "two")])


def test_demo_has_no_batches_for_spot() -> None:
    """(Bybit: 1.3)"""
    assert DRIVER.batch_calls("demo") is None
    assert BATCHES is not None
    assert BATCHES.size == 10


def test_the_documented_batches_are_read() -> None:
    assert BATCHES is not None
    folder = ("docs_examples", "bybit_v5", "rest")
    answer = response(read_json(*folder, "POST_order_cancel_batch__response.json"))
    orders = [order_state("1666800494330512128", "a"), order_state(None, "1666800494330512129")]
    done, failed = BATCHES.cancel([ChangedOrder(BTCUSDT, order) for order in orders]).parse(answer)
    assert (done.outcome, type(failed.error)) == (DONE, OrderNotFound)
    answer = response(read_json(*folder, "POST_order_create_batch__response.json"))
    both = BATCHES.place([new(LIMIT, "spot-btc-03"), new(LIMIT, "spot-atom-03")]).parse(answer)
    assert [each.outcome for each in both] == [DONE, DONE]
