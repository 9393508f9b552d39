"""Orders, queries and topics in Binance's words (Binance: 5.4, 5.6, 8.2)."""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exconn_sync.errors import ValidationError
from exconn_sync.exchanges.binance.driver import DRIVER
from exconn_sync.model.enums import Channel
from exconn_sync.model.ids import ClientOrderId
from exconn_sync.model.orders import OrderRequest
from exconn_sync.model.wire import RestCall, Topic
from tests.data import read_json
from tests.exchanges.binance.support import BTCUSDT, INSTRUMENTS, instrument, order_state

MY_ORDER = ClientOrderId("my-order-1")
COMMON = {"symbol": "BTCUSDT", "newClientOrderId": "my-order-1", "newOrderRespType": "FULL"}


def placed(order: OrderRequest) -> dict[str, str]:
    call = DRIVER.place_order(order, BTCUSDT, MY_ORDER, INSTRUMENTS)
    assert (call.method, call.path, call.is_signed, call.is_command) == ("POST", "/api/v3/order", True, True)
    return dict(call.params)


def test_a_limit_order_carries_time_in_force_and_price() -> None:
    order = OrderRequest.limit("BTC-USDT", "buy", "0.010", "58000.00", time_in_force="IOC")
    assert placed(order) == COMMON | {
        "side": "BUY", "type": "LIMIT", "timeInForce": "IOC", "quantity": "0.01", "price": "58000",
    }  # fmt: skip


def test_a_post_only_order_is_a_limit_maker_without_time_in_force() -> None:
    order = OrderRequest.limit("BTC-USDT", "sell", "1", "58000", post_only=True)
    assert placed(order) == COMMON | {"side": "SELL", "type": "LIMIT_MAKER", "quantity": "1", "price": "58000"}


def test_a_market_order_carries_one_of_both_quantities() -> None:
    by_base = OrderRequest.market("BTC-USDT", "buy", "2")
    assert placed(by_base) == COMMON | {"side": "BUY", "type": "MARKET", "quantity": "2"}
    by_quote = OrderRequest.market("BTC-USDT", "buy", quote_quantity="100.50")
    assert placed(by_quote) == COMMON | {"side": "BUY", "type": "MARKET", "quoteOrderQty": "100.5"}


def test_stop_orders_carry_their_stop_price() -> None:
    stop_limit = OrderRequest.stop_limit("BTC-USDT", "sell", "1", "57000", "57500")
    assert placed(stop_limit) == COMMON | {
        "side": "SELL", "type": "STOP_LOSS_LIMIT", "timeInForce": "GTC", "quantity": "1", "price": "57000",
        "stopPrice": "57500",
    }  # fmt: skip
    stop_market = OrderRequest.stop_market("BTC-USDT", "sell", "1", "57500")
    assert placed(stop_market) == COMMON | {
        "side": "SELL", "type": "STOP_LOSS", "quantity": "1", "stopPrice": "57500",
    }  # fmt: skip


def test_take_profit_and_trailing_orders_say_when_they_fire() -> None:
    goal = OrderRequest.take_profit_limit("BTC-USDT", "sell", "1", "61000", "60500", "IOC")
    assert placed(goal) == COMMON | {
        "side": "SELL", "type": "TAKE_PROFIT_LIMIT", "timeInForce": "IOC", "quantity": "1", "price": "61000",
        "stopPrice": "60500",
    }  # fmt: skip
    at_market = OrderRequest.take_profit_market("BTC-USDT", "buy", "1", "57500")
    assert placed(at_market) == COMMON | {"side": "BUY", "type": "TAKE_PROFIT", "quantity": "1", "stopPrice": "57500"}
    trailing = OrderRequest.stop_market("BTC-USDT", "sell", "1", trailing_delta=150)
    assert placed(trailing) == COMMON | {"side": "SELL", "type": "STOP_LOSS", "quantity": "1", "trailingDelta": "150"}
    both = OrderRequest.take_profit_market("BTC-USDT", "sell", "1", "60500", trailing_delta=20)
    assert (placed(both)["stopPrice"], placed(both)["trailingDelta"]) == ("60500", "20")


def test_a_pegged_order_names_its_peg_and_no_price() -> None:
    order = OrderRequest.pegged("BTC-USDT", "buy", "1", "market", 2, "IOC")
    assert placed(order) == COMMON | {
        "side": "BUY", "type": "LIMIT", "timeInForce": "IOC", "quantity": "1", "pegPriceType": "MARKET_PEG",
        "pegOffsetType": "PRICE_LEVEL", "pegOffsetValue": "2",
    }  # fmt: skip
    maker = OrderRequest.pegged("BTC-USDT", "buy", "1", post_only=True)
    assert placed(maker) == COMMON | {
        "side": "BUY", "type": "LIMIT_MAKER", "quantity": "1", "pegPriceType": "PRIMARY_PEG",
    }  # fmt: skip


def test_a_stop_order_may_be_pegged_too() -> None:
    order = OrderRequest.stop_limit("BTC-USDT", "sell", "1", "57000", "57500").with_options(peg="market", peg_offset=1)
    sent = placed(order)
    assert (sent["type"], sent["price"], sent["stopPrice"]) == ("STOP_LOSS_LIMIT", "57000", "57500")
    assert (sent["pegPriceType"], sent["pegOffsetType"], sent["pegOffsetValue"]) == ("MARKET_PEG", "PRICE_LEVEL", "1")


def test_a_strategy_type_that_binance_refuses_is_told_before() -> None:
    """(Binance: 5.4, -1134)"""
    with pytest.raises(ValidationError) as caught:
        placed(OrderRequest.limit("BTC-USDT", "buy", "1", "58000").with_options(strategy_type=999_999))
    assert caught.value.field == "strategy_type"


def test_options_go_along() -> None:
    order = OrderRequest.limit("BTC-USDT", "buy", "1", "58000").with_options(
        iceberg_quantity="0.10", self_trade_prevention="expire_taker", strategy_id=7, strategy_type=1_000_000
    )
    assert placed(order) == COMMON | {
        "side": "BUY", "type": "LIMIT", "timeInForce": "GTC", "quantity": "1", "price": "58000", "icebergQty": "0.1",
        "selfTradePreventionMode": "EXPIRE_TAKER", "strategyId": "7", "strategyType": "1000000",
    }  # fmt: skip


@given(st.decimals(min_value=Decimal("1e-18"), max_value=Decimal("1e15"), places=18))
def test_numbers_go_out_exact_and_in_plain_notation(quantity: Decimal) -> None:
    text = placed(OrderRequest.market("BTC-USDT", "buy", quantity))["quantity"]
    assert Decimal(text) == quantity
    assert "e" not in text.lower()


exact_amounts = st.decimals(min_value=Decimal("1e-8"), max_value=Decimal("1e12"), places=8)


@given(exact_amounts, exact_amounts, exact_amounts, exact_amounts)
def test_every_number_of_every_kind_goes_out_exact(
    quantity: Decimal, price: Decimal, stop: Decimal, shown: Decimal
) -> None:
    order = OrderRequest.take_profit_limit("BTC-USDT", "sell", quantity, price, stop)
    order = order.with_options(iceberg_quantity=min(shown, quantity))
    sent = placed(order)
    wanted = {"quantity": quantity, "price": price, "stopPrice": stop, "icebergQty": min(shown, quantity)}
    assert {name: Decimal(sent[name]) for name in wanted} == wanted
    assert not any("e" in sent[name].lower() for name in wanted)


def test_an_order_is_named_by_the_exchanges_id_where_it_is_known() -> None:
    for ask in (DRIVER.fetch_order, DRIVER.cancel_order):
        by_client_id: RestCall[Any] = ask(BTCUSDT, order_state(), INSTRUMENTS)
        assert by_client_id.params == (("symbol", "BTCUSDT"), ("origClientOrderId", "my-order-1"))
        by_exchange_id: RestCall[Any] = ask(BTCUSDT, order_state(exchange_order_id="28"), INSTRUMENTS)
        assert by_exchange_id.params == (("symbol", "BTCUSDT"), ("orderId", "28"))


def test_only_orders_and_cancels_are_commands() -> None:
    assert DRIVER.cancel_order(BTCUSDT, order_state(), INSTRUMENTS).is_command
    reads: list[RestCall[Any]] = [
        DRIVER.server_time(),
        DRIVER.fetch_instruments(),
        DRIVER.fetch_order_book(BTCUSDT, 100),
        DRIVER.fetch_trades(BTCUSDT, 5),
        DRIVER.fetch_balances(),
        DRIVER.fetch_order(BTCUSDT, order_state(), INSTRUMENTS),
        DRIVER.fetch_open_orders(None, INSTRUMENTS),
        DRIVER.fetch_fills(BTCUSDT, None, INSTRUMENTS),
    ]
    assert [call.is_command for call in reads] == [False] * 8
    assert [call.is_signed for call in reads] == [False] * 4 + [True] * 4
    assert {call.method for call in reads} == {"GET"}


def test_own_trades_are_asked_for_by_symbol_or_by_order() -> None:
    of_symbol = DRIVER.fetch_fills(BTCUSDT, None, INSTRUMENTS)
    assert dict(of_symbol.params) == {"symbol": "BTCUSDT", "limit": "1000"}
    of_order = DRIVER.fetch_fills(BTCUSDT, "28", INSTRUMENTS)
    assert dict(of_order.params) == {"symbol": "BTCUSDT", "limit": "1000", "orderId": "28", "fromId": "0"}


def test_a_raw_call_is_a_command_unless_it_reads() -> None:
    assert not DRIVER.raw_call("get", "/api/v3/avgPrice", (("symbol", "BTCUSDT"),), is_signed=False).is_command
    for method in ("POST", "PUT", "DELETE"):
        call = DRIVER.raw_call(method, "/api/v3/order", (), is_signed=True)
        assert call.is_command
        assert call.method == method


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("TRACE", "/api/v3/ping"), ("GET", "api/v3/ping"), ("GET", "/api/../order"), ("GET", "/api?x=1"), ("GET", ""),
        ("GET", "//evil"), ("GET", "/api/v3/order\r\nX: y"), ("GET", "/api/%2e%2e"), ("GET", "http://evil/api"),
    ],
)  # fmt: skip
def test_a_raw_call_takes_plain_methods_and_paths_only(method: str, path: str) -> None:
    with pytest.raises(ValidationError):
        DRIVER.raw_call(method, path, (), is_signed=False)


@pytest.mark.parametrize("name", ["timestamp", "recvWindow", "signature"])
def test_a_signed_raw_call_leaves_signing_to_the_library(name: str) -> None:
    with pytest.raises(ValidationError):
        DRIVER.raw_call("GET", "/api/v3/account", ((name, "1"),), is_signed=True)


@pytest.mark.parametrize(
    ("channel", "name"),
    [
        (Channel.TRADE, "btcusdt@trade"),
        (Channel.BOOK_TICKER, "btcusdt@bookTicker"),
        (Channel.ORDER_BOOK, "btcusdt@depth@100ms"),
    ],
)
def test_topics_have_lower_case_names(channel: Channel, name: str) -> None:
    assert channel in DRIVER.channels
    assert DRIVER.topic_name(Topic(channel, "BTC-USDT"), BTCUSDT) == name


def test_a_non_ascii_symbol_has_a_topic_too() -> None:
    topic = Topic(Channel.TRADE, "\u6d4b\u8bd5-USDT")
    assert DRIVER.topic_name(topic, instrument("\u6d4b\u8bd5")) == "\u6d4b\u8bd5usdt@trade"


def test_a_channel_without_a_stream_is_refused() -> None:
    with pytest.raises(ValidationError):
        DRIVER.topic_name(Topic(Channel.POSITION, "BTC-USDT"), BTCUSDT)
    with pytest.raises(ValidationError):
        DRIVER.decoder(Topic(Channel.POSITION, "BTC-USDT"))


@pytest.mark.parametrize(
    ("encode", "method"), [(DRIVER.encode_subscribe, "SUBSCRIBE"), (DRIVER.encode_unsubscribe, "UNSUBSCRIBE")]
)
def test_one_frame_holds_all_topics(encode: Callable[[list[str], int], bytes], method: str) -> None:
    frame = encode(["btcusdt@trade", "\u6d4busdt@trade"], 312)
    assert json.loads(frame) == {"method": method, "params": ["btcusdt@trade", "\u6d4busdt@trade"], "id": 312}


def test_another_librarys_requests_say_the_same() -> None:
    """Orders and cancels of the shared request cases; optional parameters of either side aside."""
    calls: dict[str, RestCall[Any]] = {
        "limit": DRIVER.place_order(
            OrderRequest.limit("BTC-USDT", "buy", "0.001", 30000), BTCUSDT, MY_ORDER, INSTRUMENTS
        ),
        "market": DRIVER.place_order(OrderRequest.market("BTC-USDT", "buy", "0.002"), BTCUSDT, MY_ORDER, INSTRUMENTS),
        "fetch_time": DRIVER.server_time(),
        "fetch_balance": DRIVER.fetch_balances(),
        "cancel_order": DRIVER.cancel_order(BTCUSDT, order_state(exchange_order_id="123456"), INSTRUMENTS),
        "fetch_open_orders": DRIVER.fetch_open_orders(BTCUSDT, INSTRUMENTS),
    }
    compared = set()
    for case in read_json("request_cases", "binance.json")["cases"]:
        key = case["args"][1] if case["method"] == "create_order" else case["method"]
        if key not in calls:
            continue
        call, request = calls[key], case["request"]
        assert (call.method, call.path) == (request["method"], request["path"])
        assert call.is_signed == (request["security"] == "SIGNED")
        assert dict(call.params) == request["params"]
        compared.add(key)
    assert compared == set(calls)
