"""Amending an order: smaller, in its place, as often as the symbol allows."""

from decimal import Decimal

import pytest

from exconn_sync.simulator import Simulator
from exconn_sync.simulator.core.accounts import Balance
from exconn_sync.simulator.core.exchange import Exchange
from exconn_sync.simulator.core.orders import OrderStatus, OrderType, Side
from exconn_sync.simulator.core.refusals import Reason, Refusal

from .clients import Json, Rest, WsApi
from .venue_state import SYMBOL, check_invariants, current, limit, make_exchange, stop, trade_at

D = Decimal
PATH = "/api/v3/order/amend/keepPriority"


@pytest.fixture
def exchange() -> Exchange:
    return make_exchange()


def test_an_amended_order_keeps_its_place(exchange: Exchange) -> None:
    first = exchange.place("taker", limit(Side.BUY, "5.5", "50000", "first"), 1)
    second = exchange.place("maker", limit(Side.BUY, "4", "50000", "second"), 1)
    amended = exchange.amend(first, D(5), 2)
    assert (amended.order_id, amended.quantity, amended.status) == (first.order_id, D(5), OrderStatus.NEW)
    assert exchange.accounts["taker"].balance("USDT") == Balance(D(750_000), D(250_000))
    assert exchange.markets[SYMBOL].book.best(Side.BUY) == (D(50000), D(9))
    exchange.place("maker", limit(Side.SELL, "5", "50000", "hit"), 3)
    assert current(exchange, first).status is OrderStatus.FILLED
    assert current(exchange, second).filled_quantity == D(0)
    check_invariants(exchange)


def test_an_amendment_down_to_what_has_traded_ends_the_order(exchange: Exchange) -> None:
    order = exchange.place("taker", limit(Side.SELL, "1", "61000", "mine"), 1)
    exchange.place("maker", limit(Side.BUY, "0.4", "61000", "hit"), 2)
    ended = exchange.amend(current(exchange, order), D("0.4"), 3)
    assert (ended.status, ended.filled_quantity, ended.locked) == (OrderStatus.EXPIRED, D("0.4"), D(0))
    check_invariants(exchange)


def test_a_waiting_stop_can_be_amended(exchange: Exchange) -> None:
    waiting = exchange.place("taker", stop(OrderType.STOP_LOSS, Side.BUY, "0.3", "61000"), 1)
    amended = exchange.amend(waiting, D("0.1"), 2)
    assert amended.locked == D(6100)
    exchange.place("maker", limit(Side.SELL, "1", "62000", "offer"), 3)
    trade_at(exchange, "61000", 4)
    assert current(exchange, amended).filled_quantity == D("0.1")
    check_invariants(exchange)


@pytest.mark.parametrize(
    ("quantity", "reason"),
    [
        ("1", Reason.NO_CHANGE),
        ("1.1", Reason.QUANTITY_INCREASE),
        ("0.3", Reason.NOTHING_LEFT),
        ("0.500001", Reason.FILTER),
    ],
)
def test_a_refused_amendment_changes_nothing(exchange: Exchange, quantity: str, reason: Reason) -> None:
    order = exchange.place("taker", limit(Side.SELL, "1", "61000", "mine"), 1)
    exchange.place("maker", limit(Side.BUY, "0.4", "61000", "hit"), 2)
    before = current(exchange, order)
    with pytest.raises(Refusal) as refused:
        exchange.amend(before, D(quantity), 3)
    assert refused.value.reason is reason
    assert current(exchange, order) == before
    check_invariants(exchange)


def place(rest: Rest, quantity: str = "5") -> Json:
    return rest.limit("BUY", quantity, "59000", newClientOrderId="mine")[1]


def amend(rest: Rest, quantity: str, **which: object) -> tuple[int, Json]:
    which = which or {"origClientOrderId": "mine"}
    return rest.signed("PUT", PATH, symbol="BTCUSDT", newQty=quantity, **which)


def test_answer_event_and_history(rest: Rest, ws_api: WsApi) -> None:
    order = place(rest)
    ws_api.subscribe()
    status, body = amend(rest, "4")
    assert status == 200
    amended = body["amendedOrder"]
    assert list(amended) == [
        "symbol",
        "orderId",
        "orderListId",
        "origClientOrderId",
        "clientOrderId",
        "price",
        "qty",
        "executedQty",
        "preventedQty",
        "quoteOrderQty",
        "cumulativeQuoteQty",
        "status",
        "timeInForce",
        "type",
        "side",
        "workingTime",
        "selfTradePreventionMode",
    ]
    assert (amended["orderId"], amended["qty"], amended["origClientOrderId"]) == (
        order["orderId"],
        "4.00000000",
        "mine",
    )
    event = ws_api.event("executionReport")
    assert (event["x"], event["X"], event["q"], event["C"], event["c"]) == (
        "REPLACED",
        "NEW",
        "4.00000000",
        "mine",
        amended["clientOrderId"],
    )
    assert (event["I"], event["T"]) == (body["executionId"], body["transactTime"])
    assert amended["clientOrderId"] != "mine"
    kept = amend(rest, "3", orderId=order["orderId"], newClientOrderId=amended["clientOrderId"])[1]
    assert kept["amendedOrder"]["clientOrderId"] == amended["clientOrderId"]
    which = {"symbol": "BTCUSDT", "orderId": order["orderId"]}
    _, rows = rest.signed("GET", "/api/v3/order/amendments", **which)
    assert [(row["origQty"], row["newQty"]) for row in rows] == [
        ("5.00000000", "4.00000000"),
        ("4.00000000", "3.00000000"),
    ]
    assert rows[0] == {
        **which,
        "executionId": body["executionId"],
        "origClientOrderId": "mine",
        "newClientOrderId": amended["clientOrderId"],
        "origQty": "5.00000000",
        "newQty": "4.00000000",
        "time": body["transactTime"],
    }
    later = ws_api.call("order.amendments", signed=True, **which, fromExecutionId=body["executionId"] + 1)
    assert later["result"] == rows[1:]


def test_the_old_client_id_is_free_again(rest: Rest) -> None:
    order = place(rest)
    amend(rest, "4", orderId=order["orderId"], newClientOrderId="other")
    assert rest.signed("GET", "/api/v3/order", symbol="BTCUSDT", origClientOrderId="mine")[1]["code"] == -2013
    again = place(rest)
    assert again["clientOrderId"] == "mine"
    assert amend(rest, "3", orderId=order["orderId"], origClientOrderId="mine")[1]["code"] == -2039


@pytest.mark.parametrize(
    ("quantity", "which", "code", "text"),
    [
        ("5", {}, -2038, "The requested action would change no state; rejecting"),
        ("6", {}, -2038, "Order amend (quantity increase) is not supported."),
        ("4", {"orderId": 999_999}, -2038, "Unknown order sent."),
        ("0", {}, -1102, "Mandatory parameter 'newQty' was not sent, was empty/null, or malformed."),
        ("4.000001", {}, -1013, "Filter failure: LOT_SIZE"),
        ("0.00001", {}, -1013, "Filter failure: NOTIONAL"),
        ("4.000000001", {}, -1111, "Parameter 'newQty' has too much precision."),
        ("4", {"orderId": 1, "unheard": "of"}, -1104, "Not all sent parameters were read;"),
    ],
)
def test_refusals(rest: Rest, quantity: str, which: dict[str, object], code: int, text: str) -> None:
    place(rest)
    status, body = amend(rest, quantity, **which)
    assert (status, body["code"]) == (400, code)
    assert body["msg"].startswith(text)


def test_an_order_is_amended_at_most_so_often(quiet: Simulator, rest: Rest) -> None:
    order = place(rest)
    for number in range(10):
        assert amend(rest, str(Decimal(4) - Decimal(number) / 10), orderId=order["orderId"])[0] == 200
    assert amend(rest, "1", orderId=order["orderId"])[1] == {
        "code": -2038,
        "msg": "Filter failure: MAX_NUM_ORDER_AMENDS",
    }
    quiet.market.rules("BTCUSDT", amend_allowed=False)
    assert amend(rest, "1", orderId=order["orderId"])[1]["msg"] == "Order amend is not supported for this symbol."


def test_an_amendment_over_the_socket(rest: Rest, ws_api: WsApi) -> None:
    order = place(rest)
    reply = ws_api.call("order.amend.keepPriority", signed=True, symbol="BTCUSDT", orderId=order["orderId"], newQty="2")
    assert reply["result"]["amendedOrder"]["qty"] == "2.00000000"
    assert rest.signed("GET", "/api/v3/rateLimit/order")[1][1]["count"] == 1
