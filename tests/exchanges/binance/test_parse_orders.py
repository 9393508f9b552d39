"""Answers about single orders (Binance: 5.5, 5.6)."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import pytest

from exconn_sync.errors import ProtocolError
from exconn_sync.exchanges.binance.driver import DRIVER
from exconn_sync.model.account import Fact
from exconn_sync.model.enums import (
    FactSource,
    OrderListStatus,
    OrderStatus,
    OrderType,
    SelfTradePrevention,
    Side,
    TimeInForce,
)
from exconn_sync.model.ids import ClientOrderId
from exconn_sync.model.instrument import Instrument
from exconn_sync.model.order_lists import OrderListFact
from exconn_sync.model.orders import Fill, OrderFact, OrderRequest
from tests.data import read_json
from tests.exchanges.binance.support import BTCUSDT, INSTRUMENTS, RECEIVED_AT, exact, order_state, response

ACK = {
    "symbol": "BTCUSDT", "orderId": 28, "orderListId": -1, "clientOrderId": "my-order-1", "transactTime": 1507725176595,
}  # fmt: skip
RESULT = ACK | {
    "price": "0.00000000", "origQty": "10.00000000", "executedQty": "10.00000000", "origQuoteOrderQty": "0.000000",
    "cummulativeQuoteQty": "39990.00000000", "status": "FILLED", "timeInForce": "GTC", "type": "MARKET",
    "side": "SELL", "workingTime": 1507725176595, "selfTradePreventionMode": "NONE",
}  # fmt: skip
FULL = RESULT | {
    "fills": [
        {"price": "4000.0", "qty": "1.0", "commission": "4.0", "commissionAsset": "USDT", "tradeId": 56},
        {"price": "3999.0", "qty": "9.0", "commission": "0.01", "commissionAsset": "BNB", "tradeId": 57},
    ]
}
CANCELLED = {
    "symbol": "BTCUSDT", "origClientOrderId": "my-order-1", "orderId": 28, "orderListId": -1,
    "clientOrderId": "cancelMyOrder1", "transactTime": 1684804350068, "price": "2.00000000", "origQty": "1.00000000",
    "executedQty": "0.25000000", "origQuoteOrderQty": "0.000000", "cummulativeQuoteQty": "0.50000000",
    "status": "CANCELED", "timeInForce": "GTC", "type": "LIMIT", "side": "BUY",
}  # fmt: skip
QUERIED = {
    "symbol": "BTCUSDT", "orderId": 28, "orderListId": -1, "clientOrderId": "my-order-1", "price": "0.1",
    "origQty": "1.0", "executedQty": "0.0", "cummulativeQuoteQty": "0.0", "status": "NEW", "timeInForce": "GTC",
    "type": "LIMIT", "side": "BUY", "stopPrice": "0.0", "icebergQty": "0.0", "time": 1499827319559,
    "updateTime": 1499827319560, "isWorking": True, "workingTime": 1499827319559, "origQuoteOrderQty": "0.000000",
}  # fmt: skip

ORDER = OrderRequest.market("BTC-USDT", "sell", 10)


def placed(wire: Any) -> Sequence[Fact]:
    call = DRIVER.place_order(ORDER, BTCUSDT, ClientOrderId("my-order-1"), INSTRUMENTS)
    return call.parse(response(wire))


def cancelled(wire: Any, exchange_order_id: str | None = None) -> Sequence[Fact]:
    order = order_state(exchange_order_id=exchange_order_id)
    return DRIVER.cancel_order(BTCUSDT, order, INSTRUMENTS).parse(response(wire))


def queried(wire: Any, exchange_order_id: str | None = None) -> OrderFact:
    order = order_state(exchange_order_id=exchange_order_id)
    return DRIVER.fetch_order(BTCUSDT, order, INSTRUMENTS).parse(response(wire))


def test_a_full_answer_is_the_order_and_its_fills() -> None:
    order, first, second = placed(FULL)
    assert isinstance(order, OrderFact)
    assert order == OrderFact(
        exchange="binance", symbol="BTC-USDT", client_order_id=ClientOrderId("my-order-1"), source=FactSource.ANSWER,
        received_at=RECEIVED_AT, status=OrderStatus.FILLED, exchange_order_id=order.exchange_order_id, side=Side.SELL,
        type=OrderType.MARKET, time_in_force=TimeInForce.GTC, quantity=Decimal(10), filled_quantity=Decimal(10),
        cumulative_quote=Decimal(39_990), exchange_time=1_507_725_176_595_000_000,
        placed_at=1_507_725_176_595_000_000, is_working=True,
        self_trade_prevention=SelfTradePrevention.NONE, working_at=1_507_725_176_595_000_000,
    )  # fmt: skip
    assert order.exchange_order_id == "28"
    assert isinstance(first, Fill)
    assert isinstance(second, Fill)
    assert (first.trade_id, first.price, first.quantity, first.fee, first.fee_asset) == (
        "56", Decimal(4000), Decimal(1), Decimal(4), "USDT",
    )  # fmt: skip
    assert (second.trade_id, second.fee, second.fee_asset) == ("57", exact("0.01"), "BNB")
    for fill in (first, second):
        assert (fill.side, fill.is_maker, fill.source) == (Side.SELL, False, FactSource.ANSWER)
        assert (fill.exchange_order_id, fill.client_order_id) == ("28", "my-order-1")
        assert fill.exchange_time == order.exchange_time


def test_an_acknowledgement_says_new_and_nothing_else() -> None:
    (order,) = placed(ACK)
    assert isinstance(order, OrderFact)
    assert order.status is OrderStatus.NEW
    assert (order.quantity, order.price, order.filled_quantity, order.side) == (None, None, None, None)


def test_zeros_that_mean_not_used_are_absent() -> None:
    """(fault F037)"""
    (order,) = placed(RESULT)
    assert isinstance(order, OrderFact)
    assert (order.price, order.stop_price, order.quote_quantity) == (None, None, None)


def test_an_order_that_expired_at_once_is_not_alive() -> None:
    """(fault F110)"""
    wire = RESULT | {"status": "EXPIRED", "executedQty": "0.0", "expiryReason": "INSUFFICIENT_LIQUIDITY"}
    (order,) = placed(wire)
    assert isinstance(order, OrderFact)
    assert (order.status, order.reason) == (OrderStatus.EXPIRED, "INSUFFICIENT_LIQUIDITY")


@pytest.mark.parametrize(
    ("word", "status", "reason"),
    [
        ("NEW", OrderStatus.NEW, ""),
        ("PENDING_NEW", OrderStatus.NEW, ""),
        ("PARTIALLY_FILLED", OrderStatus.PARTIALLY_FILLED, ""),
        ("FILLED", OrderStatus.FILLED, ""),
        ("CANCELED", OrderStatus.CANCELED, ""),
        ("REJECTED", OrderStatus.REJECTED, ""),
        ("EXPIRED", OrderStatus.EXPIRED, ""),
        ("EXPIRED_IN_MATCH", OrderStatus.EXPIRED, "EXPIRED_IN_MATCH"),
        ("PENDING_CANCEL", None, "PENDING_CANCEL"),
        ("FROM_THE_FUTURE", None, "FROM_THE_FUTURE"),
    ],
)
def test_every_status_has_a_meaning_or_none(word: str, status: OrderStatus | None, reason: str) -> None:
    """(fault F040)"""
    fact = queried(QUERIED | {"status": word})
    assert (fact.status, fact.reason) == (status, reason)


def test_unknown_words_are_no_error() -> None:
    """(fault F040)"""
    fact = queried(QUERIED | {"type": "TRAILING_MOON", "timeInForce": "GTD", "side": "HOLD", "newField": [{}]})
    assert (fact.type, fact.time_in_force, fact.side) == (OrderType.OTHER, None, None)
    assert queried(QUERIED | {"type": "LIMIT_MAKER"}).type is OrderType.LIMIT


def test_a_cancel_is_known_under_the_orders_own_id() -> None:
    """(fault F103)"""
    for known in (None, "28"):
        (order,) = cancelled(CANCELLED, known)
        assert isinstance(order, OrderFact)
        assert (order.client_order_id, order.exchange_order_id) == ("my-order-1", "28")
        assert (order.status, order.source) == (OrderStatus.CANCELED, FactSource.ANSWER)
        assert (order.filled_quantity, order.cumulative_quote) == (exact("0.25"), exact("0.5"))


def test_cancelling_a_leg_reports_the_whole_list() -> None:
    other = CANCELLED | {"orderId": 29, "origClientOrderId": "other-leg", "clientOrderId": "cancel2"}
    wire = {
        "orderListId": 1, "contingencyType": "OCO", "listOrderStatus": "ALL_DONE", "listClientOrderId": "list",
        "symbol": "BTCUSDT", "orders": [], "orderReports": [CANCELLED, other],
    }  # fmt: skip
    facts = cancelled(wire, "28")
    assert [fact.status for fact in facts if isinstance(fact, OrderListFact)] == [OrderListStatus.ALL_DONE]
    assert [fact.client_order_id for fact in facts if isinstance(fact, OrderFact)] == ["my-order-1", "other-leg"]


def test_a_queried_order_keeps_our_id_after_its_cancel_was_given_another() -> None:
    """(fault F103)"""
    for known in (None, "28"):
        fact = queried(QUERIED | {"clientOrderId": "cancelMyOrder1", "status": "CANCELED"}, known)
        assert fact.client_order_id == "my-order-1"
        assert fact.source is FactSource.QUERY
        assert fact.exchange_time == 1_499_827_319_560_000_000


def test_an_unknown_quote_amount_of_an_old_order_is_absent() -> None:
    """(fault F037)"""
    assert queried(QUERIED | {"cummulativeQuoteQty": "-1.00000000"}).cumulative_quote is None


def test_open_orders_of_all_symbols_get_their_canonical_names() -> None:
    rows = [QUERIED, QUERIED | {"symbol": "LTCBTC", "orderId": 3}, QUERIED | {"symbol": "NEWCOIN", "orderId": 4}]
    facts = DRIVER.fetch_open_orders(None, INSTRUMENTS).parse(response(rows))
    assert [fact.symbol for fact in facts] == ["BTC-USDT", "LTC-BTC", "NEWCOIN"]
    assert {fact.source for fact in facts} == {FactSource.RECONCILIATION}


def test_an_answer_about_another_order_is_refused() -> None:
    """(fault F084)"""
    foreign = {"clientOrderId": "somebody-elses"}
    wrong: list[Any] = [
        lambda: placed(FULL | foreign),
        lambda: placed(FULL | {"symbol": "LTCBTC"}),
        lambda: cancelled(CANCELLED, "29"),
        lambda: cancelled(CANCELLED | {"origClientOrderId": "other"}),
        lambda: queried(QUERIED | foreign),
        lambda: queried(QUERIED | {"orderId": 29}, "28"),
        lambda: queried(QUERIED | {"symbol": "LTCBTC"}),
        lambda: DRIVER.fetch_open_orders(BTCUSDT, INSTRUMENTS).parse(response([QUERIED | {"symbol": "LTCBTC"}])),
    ]
    for ask in wrong:
        with pytest.raises(ProtocolError, match="another order"):
            ask()


@pytest.mark.parametrize("field", ["symbol", "orderId", "clientOrderId", "status", "executedQty"])
def test_a_query_without_a_needed_field_is_refused(field: str) -> None:
    """(fault F038)"""
    wire = dict(QUERIED)
    del wire[field]
    with pytest.raises(ProtocolError):
        queried(wire)


def test_a_status_stated_twice_is_refused() -> None:
    """(fault F034)"""
    for parse in (placed, cancelled, queried):
        with pytest.raises(ProtocolError):
            parse(b'{"symbol":"BTCUSDT","orderId":28,"clientOrderId":"my-order-1","status":"NEW","status":"FILLED"}')


@pytest.mark.parametrize("kind", ["ack", "result", "full"])
def test_documented_answers_to_a_new_order_are_understood(kind: str) -> None:
    wire = read_json("docs_examples", "binance_spot", "rest", f"POST_api_v3_order__response_{kind}.json")
    call = DRIVER.place_order(ORDER, BTCUSDT, ClientOrderId(wire["clientOrderId"]), INSTRUMENTS)
    facts = call.parse(response(wire))
    assert len(facts) == (6 if kind == "full" else 1)


def test_documented_cancels_and_queries_are_understood() -> None:
    folder = ("docs_examples", "binance_spot", "rest")
    ltcbtc = INSTRUMENTS.get("LTC-BTC")
    order = order_state("myOrder1", symbol="LTC-BTC")
    cancel = read_json(*folder, "DELETE_api_v3_order__response.json")
    assert len(DRIVER.cancel_order(ltcbtc, order, INSTRUMENTS).parse(response(cancel))) == 1
    query = read_json(*folder, "GET_api_v3_order__response.json")
    assert DRIVER.fetch_order(ltcbtc, order, INSTRUMENTS).parse(response(query)).status is OrderStatus.NEW
    rows = read_json(*folder, "GET_api_v3_openOrders__response.json")
    assert len(DRIVER.fetch_open_orders(None, INSTRUMENTS).parse(response(rows))) == len(rows)
    leg = read_json(*folder, "DELETE_api_v3_orderList__response.json")
    first = leg["orderReports"][0]
    symbol = Instrument("binance", "LIST", first["symbol"], "", "")
    listed = order_state(first["origClientOrderId"], symbol="LIST")
    facts = DRIVER.cancel_order(symbol, listed, INSTRUMENTS).parse(response(leg))
    assert [type(fact) for fact in facts] == [OrderListFact, OrderFact, OrderFact]


def test_other_peoples_orders_are_understood() -> None:
    understood = 0
    for file in ("binance_spot_rest_jkorf", "binance_spot_rest_gobinance", "binance_spot_http_recorded_gct"):
        for item in read_json("third_party", f"{file}.json")["items"]:
            method, path, wire = item.get("method"), item.get("path"), item.get("payload")
            if (path == "/api/v3/openOrders" and method == "GET") or "ListOpenOrders" in item["name"]:
                understood += len(DRIVER.fetch_open_orders(None, INSTRUMENTS).parse(response(wire)))
            elif path == "/api/v3/order" or "TestCreateOrderFull" in item["name"] or "TestGetOrder#" in item["name"]:
                understood += read_one(method or "GET", wire)
    assert understood >= 8


def read_one(method: str, wire: dict[str, Any]) -> int:
    symbol = Instrument("binance", "ANY", wire["symbol"], "", "")
    client_id = wire.get("origClientOrderId") or wire["clientOrderId"]
    order = order_state(client_id, symbol="ANY")
    if method == "POST":
        return len(DRIVER.place_order(ORDER, symbol, ClientOrderId(client_id), INSTRUMENTS).parse(response(wire)))
    if method == "DELETE":
        return len(DRIVER.cancel_order(symbol, order, INSTRUMENTS).parse(response(wire)))
    return int(DRIVER.fetch_order(symbol, order, INSTRUMENTS).parse(response(wire)).exchange_order_id is not None)
