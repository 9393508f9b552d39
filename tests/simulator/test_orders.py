"""Placing, cancelling and querying orders over REST."""

from decimal import Decimal
from typing import Any

import pytest

from exconn_sync.simulator import Simulator
from exconn_sync.simulator.binance.order_reports import EXPIRY_REASONS
from exconn_sync.simulator.core.orders import ExpiryReason

from .clients import Rest, now_ms


def test_a_resting_limit_order(rest: Rest) -> None:
    response = rest.signed_raw(
        "POST",
        "/api/v3/order",
        symbol="BTCUSDT",
        side="BUY",
        type="LIMIT",
        timeInForce="GTC",
        quantity="0.5",
        price="59000",
        newClientOrderId="mine-1",
    )
    body = response.json()
    assert list(body) == [
        "symbol",
        "orderId",
        "orderListId",
        "clientOrderId",
        "transactTime",
        "price",
        "origQty",
        "executedQty",
        "origQuoteOrderQty",
        "cummulativeQuoteQty",
        "status",
        "timeInForce",
        "type",
        "side",
        "workingTime",
        "selfTradePreventionMode",
        "fills",
    ]
    assert (body["clientOrderId"], body["status"], body["fills"]) == ("mine-1", "NEW", [])
    assert int(response.headers["X-MBX-ORDER-COUNT-1D"]) == 1
    assert "X-MBX-ORDER-COUNT-10S" in response.headers
    _, opened = rest.signed("GET", "/api/v3/openOrders", symbol="BTCUSDT")
    assert [order["orderId"] for order in opened] == [body["orderId"]]


def test_an_order_that_takes(quiet: Simulator, rest: Rest) -> None:
    _, body = rest.limit("BUY", "1.5", "60010")
    assert body["status"] == "PARTIALLY_FILLED"
    assert body["cummulativeQuoteQty"] == "60010.00000000"
    (fill,) = body["fills"]
    assert (fill["price"], fill["qty"]) == ("60010.00000000", "1.00000000")
    assert (fill["commission"], fill["commissionAsset"]) == ("0.00100000", "BTC")
    assert quiet.accounts.balances()["USDT"] == (Decimal(1_000_000) - Decimal("90015"), Decimal("30005"))
    _, trades = rest.signed("GET", "/api/v3/myTrades", symbol="BTCUSDT", orderId=body["orderId"])
    assert [trade["id"] for trade in trades] == [fill["tradeId"]]
    assert [recorded.trade_id for recorded in quiet.accounts.fills()] == [fill["tradeId"]]


def test_market_orders(rest: Rest) -> None:
    _, by_quantity = rest.market("BUY", quantity="0.25")
    assert (by_quantity["status"], by_quantity["price"]) == ("FILLED", "0.00000000")
    _, by_quote = rest.market("SELL", quoteOrderQty="600")
    assert (by_quote["status"], by_quote["executedQty"]) == ("FILLED", "0.01000000")
    _, too_much = rest.market("BUY", quantity="5")
    assert (too_much["status"], too_much["executedQty"]) == ("EXPIRED", "0.75000000")
    assert too_much["expiryReason"] == "INSUFFICIENT_LIQUIDITY"
    assert rest.market("BUY", quantity="5")[1]["status"] == "EXPIRED"


def test_response_types(rest: Rest) -> None:
    assert "fills" not in rest.limit("BUY", "0.1", "59000", newOrderRespType="RESULT")[1]
    assert "status" not in rest.limit("BUY", "0.1", "59000", newOrderRespType="ACK")[1]
    maker = {"symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT_MAKER", "quantity": "0.1", "price": "59000"}
    assert "status" not in rest.signed("POST", "/api/v3/order", **maker)[1]


def test_cancel(rest: Rest) -> None:
    _, order = rest.limit("BUY", "0.1", "59000", newClientOrderId="mine")
    status, body = rest.signed(
        "DELETE", "/api/v3/order", symbol="BTCUSDT", origClientOrderId="mine", newClientOrderId="stop-it"
    )
    assert status == 200
    assert (body["origClientOrderId"], body["clientOrderId"], body["status"]) == ("mine", "stop-it", "CANCELED")
    again = rest.signed("DELETE", "/api/v3/order", symbol="BTCUSDT", orderId=order["orderId"])
    assert again == (400, {"code": -2011, "msg": "Unknown order sent."})
    _, found = rest.signed("GET", "/api/v3/order", symbol="BTCUSDT", origClientOrderId="mine")
    assert (found["orderId"], found["status"]) == (order["orderId"], "CANCELED")


def test_cancel_all(rest: Rest) -> None:
    for price in ("59000", "59001"):
        rest.limit("BUY", "0.1", price)
    _, body = rest.signed("DELETE", "/api/v3/openOrders", symbol="BTCUSDT")
    assert [report["status"] for report in body] == ["CANCELED", "CANCELED"]
    assert rest.signed("GET", "/api/v3/openOrders") == (200, [])
    assert rest.signed("DELETE", "/api/v3/openOrders", symbol="BTCUSDT")[1]["code"] == -2011
    _, everything = rest.signed("GET", "/api/v3/allOrders", symbol="BTCUSDT")
    assert len(everything) == 2


def test_queries_that_find_nothing(rest: Rest) -> None:
    _, order = rest.limit("BUY", "0.1", "59000")
    ids: list[tuple[dict[str, Any], int]] = [
        ({"orderId": 99999}, -2013),
        ({"origClientOrderId": "never"}, -2013),
        ({}, -1102),
        ({"orderId": order["orderId"], "origClientOrderId": "other"}, -2039),
    ]
    for which, code in ids:
        assert rest.signed("GET", "/api/v3/order", symbol="BTCUSDT", **which)[1]["code"] == code
    # An id of the house is nobody's business.
    assert rest.signed("GET", "/api/v3/order", symbol="ETHUSDT", orderId=1)[1]["code"] == -2013


def test_cancel_restrictions(rest: Rest) -> None:
    _, order = rest.limit("BUY", "0.1", "59000")
    which = {"symbol": "BTCUSDT", "orderId": order["orderId"]}
    _, body = rest.signed("DELETE", "/api/v3/order", **which, cancelRestrictions="ONLY_PARTIALLY_FILLED")
    assert body == {"code": -2011, "msg": "Order was not canceled due to cancel restrictions."}
    assert rest.signed("DELETE", "/api/v3/order", **which, cancelRestrictions="SOMETIMES")[1]["code"] == -1145
    assert rest.signed("DELETE", "/api/v3/order", **which, cancelRestrictions="ONLY_NEW")[0] == 200


LIMIT = {
    "symbol": "BTCUSDT",
    "side": "BUY",
    "type": "LIMIT",
    "timeInForce": "GTC",
    "quantity": "0.1",
    "price": "59000",
}
MARKET = {"symbol": "BTCUSDT", "side": "BUY", "type": "MARKET", "quantity": "0.1"}


@pytest.mark.parametrize(
    ("order", "code", "text"),
    [
        (LIMIT | {"price": None}, -1102, "Mandatory parameter 'price'"),
        (LIMIT | {"quantity": ""}, -1102, "Mandatory parameter 'quantity' was not sent, was empty/null, or malformed."),
        (LIMIT | {"price": ""}, -1102, "Mandatory parameter 'price' was not sent, was empty/null, or malformed."),
        (LIMIT | {"timeInForce": ""}, -1102, "Mandatory parameter 'timeInForce' was not sent"),
        (LIMIT | {"side": ""}, -1102, "Mandatory parameter 'side' was not sent"),
        (LIMIT | {"icebergQty": ""}, -1105, "Parameter 'icebergQty' was empty."),
        (LIMIT | {"timeInForce": None}, -1102, "'timeInForce'"),
        (LIMIT | {"timeInForce": "GTX"}, -1115, "Invalid timeInForce."),
        (LIMIT | {"side": "HOLD"}, -1117, "Invalid side."),
        (LIMIT | {"type": "GUESS"}, -1116, "Invalid orderType."),
        (LIMIT | {"stopPrice": "1"}, -1106, "Parameter 'stopPrice' sent when not required."),
        (LIMIT | {"quantity": "-1"}, -1100, "Illegal characters found in parameter 'quantity'"),
        (LIMIT | {"quantity": "1e-1"}, -1100, "Illegal characters"),
        (LIMIT | {"newClientOrderId": "no spaces"}, -1100, "'newClientOrderId'"),
        (LIMIT | {"unheard": "of"}, -1104, "read '8' parameter(s) but was sent '9'"),
        (LIMIT | {"symbol": "NOPE"}, -1121, "Invalid symbol."),
        (LIMIT | {"price": "59000.123456789"}, -1111, "Parameter 'price' has too much precision."),
        (LIMIT | {"price": "59000.001"}, -1013, "Filter failure: PRICE_FILTER"),
        (LIMIT | {"price": "1"}, -1013, "Filter failure: PERCENT_PRICE_BY_SIDE"),
        (LIMIT | {"quantity": "0.000001"}, -1013, "Filter failure: LOT_SIZE"),
        (LIMIT | {"quantity": "0.00001"}, -1013, "Filter failure: NOTIONAL"),
        (LIMIT | {"quantity": "100"}, -2010, "Account has insufficient balance for requested action."),
        (LIMIT | {"type": "LIMIT_MAKER"}, -1106, "'timeInForce'"),
        (LIMIT | {"selfTradePreventionMode": "SOMETIMES"}, -1013, "self-trade prevention mode"),
        (LIMIT | {"strategyType": "5"}, -1134, "strategyType"),
        (MARKET | {"price": "1"}, -1106, "Parameter 'price' sent when not required."),
        (MARKET | {"quantity": None}, -1102, "'quantity'"),
        (MARKET | {"quoteOrderQty": "10"}, -1128, "Combination of optional parameters invalid."),
    ],
)
def test_refused_orders(rest: Rest, order: dict[str, str | None], code: int, text: str) -> None:
    sent = {name: value for name, value in order.items() if value is not None}
    status, body = rest.signed("POST", "/api/v3/order", **sent)
    assert (status, body["code"]) == (400, code)
    assert text in body["msg"]
    assert rest.simulator.accounts.orders() == []


def test_refusals_of_the_matching_engine(rest: Rest) -> None:
    rest.limit("BUY", "0.1", "59000", newClientOrderId="mine")
    assert rest.limit("BUY", "0.1", "59000", newClientOrderId="mine") == (
        400,
        {"code": -2010, "msg": "Duplicate order sent."},
    )
    taking = {"symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT_MAKER", "quantity": "0.1", "price": "60010"}
    _, body = rest.signed("POST", "/api/v3/order", **taking)
    assert body == {"code": -2010, "msg": "Order would immediately match and take."}


def test_order_test_has_no_effect(rest: Rest) -> None:
    assert rest.signed("POST", "/api/v3/order/test", **LIMIT) == (200, {})
    assert rest.signed("POST", "/api/v3/order/test", **(LIMIT | {"price": "1"}))[1]["code"] == -1013
    _, rates = rest.signed("POST", "/api/v3/order/test", **LIMIT, computeCommissionRates="true")
    assert rates["standardCommissionForOrder"]["taker"] == "0.00100000"
    assert rest.simulator.accounts.orders() == []


def test_too_many_unfilled_orders(quiet: Simulator, rest: Rest) -> None:
    quiet.faults.rate_limits(orders_per_10s=2)
    while (response := rest.signed_raw("POST", "/api/v3/order", **LIMIT)).status == 200:
        pass
    assert response.status == 429
    assert response.json()["msg"] == "Too many new orders; current limit is 2 orders per 10 SECOND."
    assert 1 <= int(response.headers["Retry-After"]) <= 10
    _, counts = rest.signed("GET", "/api/v3/rateLimit/order")
    assert counts[1]["count"] >= 2


def test_my_trades_has_exclusive_ways_to_ask(rest: Rest) -> None:
    rest.market("BUY", quantity="0.1")
    mine = {"symbol": "BTCUSDT"}
    assert len(rest.signed("GET", "/api/v3/myTrades", **mine, startTime=now_ms() - 60_000)[1]) == 1
    assert rest.signed("GET", "/api/v3/myTrades", **mine, fromId=10**9)[1] == []
    assert rest.signed("GET", "/api/v3/myTrades", **mine, fromId=1, startTime=1)[1]["code"] == -1128
    assert rest.signed("GET", "/api/v3/myTrades", **mine, startTime=1, endTime=86_400_002)[1]["code"] == -1127


def test_every_documented_reason_of_an_end_can_happen() -> None:
    """(Binance: 5.11)"""
    assert set(EXPIRY_REASONS) == set(ExpiryReason)
    assert set(EXPIRY_REASONS.values()) == {
        "REJECTED", "EXCHANGE_CANCELED", "OCO_TRIGGER", "OTO_PHASE_ONE_EXPIRED", "UNFILLED_IOC_QUANTITY_EXPIRED",
        "UNFILLED_FOK_ORDER_EXPIRED", "INSUFFICIENT_LIQUIDITY", "EXECUTION_RULE_PRICE_RANGE_EXCEEDED",
    }  # fmt: skip
