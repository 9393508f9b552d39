"""Answers about market data, balances and own trades (Binance: 5.2, 5.6, 5.10)."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from exconn_sync.errors import ProtocolError
from exconn_sync.exchanges.binance.driver import DRIVER
from exconn_sync.model.enums import FactSource, Side
from exconn_sync.model.instrument import Instrument
from exconn_sync.model.market import BookSnapshot, Trade
from tests.data import read_json
from tests.exchanges.binance.support import BTCUSDT, INSTRUMENTS, RECEIVED_AT, exact, instrument, response

PUBLIC_TRADE = {
    "id": 28457, "price": "4.00000100", "qty": "12.00000000", "quoteQty": "48.000012", "time": 1499865549590,
    "isBuyerMaker": True, "isBestMatch": True,
}  # fmt: skip
OWN_TRADE = {
    "symbol": "BNBBTC", "id": 28457, "orderId": 100234, "orderListId": -1, "price": "4.00000100",
    "qty": "12.00000000", "quoteQty": "48.000012", "commission": "10.10000000", "commissionAsset": "BNB",
    "time": 1499865549590, "isBuyer": True, "isMaker": False, "isBestMatch": True,
}  # fmt: skip
ACCOUNT = {
    "makerCommission": 15, "updateTime": 123456789, "accountType": "SPOT",
    "balances": [
        {"asset": "BTC", "free": "4723846.89208129", "locked": "0.00000000"},
        {"asset": "LTC", "free": "0.00000000", "locked": "0.00000000"},
    ],
}  # fmt: skip
BNBBTC = instrument("BNB", "BTC")


def documented(name: str) -> Any:
    return read_json("docs_examples", "binance_spot", "rest", f"GET_api_v3_{name}__response.json")


def test_server_time_is_in_nanoseconds() -> None:
    assert DRIVER.server_time().parse(response({"serverTime": 1499827319559})) == 1_499_827_319_559_000_000


def test_a_book_keeps_the_text_of_its_levels() -> None:
    wire = {"lastUpdateId": 1027024, "bids": [["4.00000000", "431.00000000"]], "asks": [["4.00000200", "12.0"]]}
    book = DRIVER.fetch_order_book(BTCUSDT, 100).parse(response(wire))
    assert book == BookSnapshot(
        "binance", "BTC-USDT", 1027024, [("4.00000000", "431.00000000")], [("4.00000200", "12.0")], RECEIVED_AT
    )


@pytest.mark.parametrize("level", [["1"], ["1", "2", "3"], ["1", 2], [1.5, "2"], "12", None])
def test_a_level_of_another_shape_is_refused(level: Any) -> None:
    """(fault F039)"""
    with pytest.raises(ProtocolError):
        DRIVER.fetch_order_book(BTCUSDT, 5).parse(response({"lastUpdateId": 1, "bids": [level], "asks": []}))


def test_a_public_trade_has_the_side_of_its_taker() -> None:
    rows = [PUBLIC_TRADE, {**PUBLIC_TRADE, "isBuyerMaker": False}]
    sold, bought = DRIVER.fetch_trades(BTCUSDT, 2).parse(response(rows))
    assert (sold.side, bought.side) == (Side.SELL, Side.BUY)
    assert isinstance(sold, Trade)
    assert (sold.trade_id, sold.price, sold.quantity) == ("28457", exact("4.000001"), Decimal(12))
    assert (sold.exchange_time, sold.received_at) == (1_499_865_549_590_000_000, RECEIVED_AT)


def test_balances_keep_zeros() -> None:
    btc, ltc = DRIVER.fetch_balances().parse(response(ACCOUNT))
    assert (btc.asset, btc.free, btc.locked) == ("BTC", exact("4723846.89208129"), Decimal(0))
    assert (btc.exchange_time, btc.source, btc.exchange) == (123_456_789_000_000, FactSource.QUERY, "binance")
    assert (ltc.asset, ltc.total) == ("LTC", Decimal(0))


def test_own_trades_become_fills() -> None:
    (fill,) = DRIVER.fetch_fills(BNBBTC, None, INSTRUMENTS).parse(response([OWN_TRADE]))
    assert (fill.exchange, fill.symbol, fill.trade_id, fill.exchange_order_id) == (
        "binance", "BNB-BTC", "28457", "100234",
    )  # fmt: skip
    assert (fill.price, fill.quantity, fill.side) == (exact("4.000001"), Decimal(12), Side.BUY)
    assert (fill.fee, fill.fee_asset, fill.is_maker) == (exact("10.1"), "BNB", False)
    assert fill.client_order_id is None
    assert fill.source is FactSource.RECONCILIATION


def test_a_rebate_is_a_negative_fee() -> None:
    """(fault F113)"""
    rows = [{**OWN_TRADE, "commission": "-0.00010000", "isMaker": True, "isBuyer": False}]
    (fill,) = DRIVER.fetch_fills(BNBBTC, None, INSTRUMENTS).parse(response(rows))
    assert (fill.fee, fill.is_maker, fill.side) == (exact("-0.0001"), True, Side.SELL)


def test_fills_of_another_symbol_are_refused() -> None:
    with pytest.raises(ProtocolError, match="another symbol"):
        DRIVER.fetch_fills(BTCUSDT, None, INSTRUMENTS).parse(response([OWN_TRADE]))


def test_no_rows_are_no_error() -> None:
    assert DRIVER.fetch_fills(BTCUSDT, None, INSTRUMENTS).parse(response([])) == []
    assert DRIVER.fetch_trades(BTCUSDT, 1).parse(response([])) == []


@pytest.mark.parametrize("body", [b"", b"<html></html>", b"[", b"{}", b"[{}]", b"null", b'{"code":-1000,"msg":""}'])
def test_an_answer_of_another_form_is_a_protocol_error(body: bytes) -> None:
    calls = [
        DRIVER.server_time().parse,
        DRIVER.fetch_order_book(BTCUSDT, 5).parse,
        DRIVER.fetch_trades(BTCUSDT, 5).parse,
        DRIVER.fetch_balances().parse,
        DRIVER.fetch_fills(BTCUSDT, None, INSTRUMENTS).parse,
    ]
    for parse in calls:
        with pytest.raises(ProtocolError):
            parse(response(body))


def test_a_balance_that_stands_twice_in_one_row_is_refused() -> None:
    """(fault F034)"""
    body = b'{"updateTime": 1, "balances": [{"asset": "BTC", "free": "1", "free": "2", "locked": "0"}]}'
    with pytest.raises(ProtocolError, match="twice"):
        DRIVER.fetch_balances().parse(response(body))


def test_a_raw_answer_has_no_floats() -> None:
    call = DRIVER.raw_call("GET", "/api/v3/avgPrice", (("symbol", "BTCUSDT"),), is_signed=False)
    wire = call.parse(response(b'{"mins": 5, "price": "9.35751834", "weight": 0.1}'))
    assert wire == {"mins": 5, "price": "9.35751834", "weight": exact("0.1")}
    assert isinstance(wire["weight"], Decimal)


def test_documented_answers_are_understood() -> None:
    assert DRIVER.server_time().parse(response(documented("time"))) > 0
    assert DRIVER.fetch_order_book(BTCUSDT, 5).parse(response(documented("depth"))).bids
    assert DRIVER.fetch_trades(BTCUSDT, 5).parse(response(documented("trades")))
    assert len(DRIVER.fetch_balances().parse(response(documented("account")))) == 2
    assert DRIVER.fetch_fills(BNBBTC, None, INSTRUMENTS).parse(response(documented("myTrades")))


@pytest.mark.parametrize(
    "file",
    [
        "binance_spot_http_recorded_gct.json",
        "binance_spot_rest_jkorf.json",
        "binance_spot_rest_gobinance.json",
        "binance_spot_xchange.json",
    ],
)
def test_other_peoples_payloads_are_understood(file: str) -> None:
    readers = {
        "/api/v3/trades": DRIVER.fetch_trades(BTCUSDT, 5).parse,
        "/api/v3/account": DRIVER.fetch_balances().parse,
        "/api/v3/time": DRIVER.server_time().parse,
        "server:TestServerTime#01": DRIVER.server_time().parse,
        "trade:TestListTrades#00": DRIVER.fetch_fills(
            Instrument("binance", "", "BNBBTC", "", ""), None, INSTRUMENTS
        ).parse,
        "__files/depth.json": DRIVER.fetch_order_book(BTCUSDT, 5).parse,
    }
    understood = 0
    for item in read_json("third_party", file)["items"]:
        parse = readers.get(item.get("path", item["name"]))
        if parse is not None:
            body = item["payload_text"].encode() if "payload_text" in item else item["payload"]
            assert parse(response(body))
            understood += 1
    assert understood
