"""Payloads from other projects' tests, many of them recorded: those of our surface are read without loss too."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from exconn_sync.errors import ExconnError, ProtocolError
from exconn_sync.model.wire import Unrecognized
from tests.data import read_json
from tests.exchanges.binance import documented as account
from tests.exchanges.binance import documented_market as market
from tests.exchanges.binance.documented import CONTROL, ERROR, RAW, Reading
from tests.exchanges.binance.mutations import another, changed, fields, path_of, plain

Json = Any

PATHS: Mapping[str, Reading] = {
    "DELETE /api/v3/order": account.CANCELLED,
    "GET /api/v3/account": account.BALANCES,
    "GET /api/v3/aggTrades": market.AGGREGATES,
    "GET /api/v3/allOrders": account.OPEN_ORDERS,
    "GET /api/v3/avgPrice": market.AVERAGE,
    "GET /api/v3/exchangeInfo": market.INSTRUMENT_LIST,
    "GET /api/v3/historicalTrades": market.TRADES,
    "GET /api/v3/klines": market.KLINES,
    "GET /api/v3/myTrades": account.FILLS,
    "GET /api/v3/openOrders": account.OPEN_ORDERS,
    "GET /api/v3/order": account.QUERIED,
    "GET /api/v3/ticker/24hr": market.DAY_TICKERS,
    "GET /api/v3/ticker/bookTicker": market.BOOK_TICKERS,
    "GET /api/v3/time": market.TIME,
    "GET /api/v3/trades": market.TRADES,
    "GET /api/v3/uiKlines": market.KLINES,
    "POST /api/v3/order": account.EXECUTED,
    **dict.fromkeys(
        (
            "DELETE /api/v3/openOrders",
            "GET /api/v3/allOrderList",
            "GET /api/v3/rateLimit/order",
            "GET /api/v3/referencePrice/calculation",
            "POST /api/v3/order/cancelReplace",
            "POST /api/v3/order/test",
            "POST /api/v3/orderList/otoco",
        ),
        RAW,
    ),
}
NAMES: Mapping[str, Reading] = {
    "exchange_info:TestExchangeInfo#00": market.INSTRUMENT_LIST,
    "kline:TestKlines#00": market.KLINES,
    "order:TestCancelOpenOrders#10": RAW,
    "order:TestCreateOCO#03": RAW,
    "order:TestCreateOrderFull#02": account.EXECUTED,
    "order:TestGetOrder#06": account.QUERIED,
    "order:TestListOpenOrders#05": account.OPEN_ORDERS,
    "rate_limit:TestListRateLimit#00": RAW,
    "server:TestServerTime#01": market.TIME,
    "ticker:TestAveragePrice#10": market.AVERAGE,
    "ticker:TestListPriceChangeStats#09": market.DAY_TICKERS,
    "ticker:TestListPricesForMultipleSymbols#03": RAW,
    "ticker:TestListSinglePrice#05": RAW,
    "ticker:TestMultiplePriceChangeStats#07": market.DAY_TICKERS,
    "ticker:TestPriceChangeStats#06": market.DAY_TICKERS,
    "trade:TestAggregateTrades#01": market.AGGREGATES,
    "trade:TestListTrades#00": account.FILLS,
    "uiKlines:TestUiKlines#00": market.KLINES,
    "__files/depth.json": market.DEPTH,
    "__files/open-orders.json": account.OPEN_ORDERS,
    "__files/single-24hr-ticker.json": market.DAY_TICKERS,
    "__files/withdraw-400.json": ERROR,
    "org/knowm/xchange/binance/filled-market-order.json": account.QUERIED,
    "info/bitrich/xchangestream/binance/dto/testBookTickerEvent.json": market.BOOK_TICKER_STREAM,
    "info/bitrich/xchangestream/binance/dto/testDepthEvent.json": market.DEPTH_STREAM,
    "info/bitrich/xchangestream/binance/dto/testKlineEvent.json": market.KLINE_STREAM,
    "info/bitrich/xchangestream/binance/dto/testTickerEvent.json": market.TICKER_STREAM,
    "info/bitrich/xchangestream/binance/dto/testTradeEvent.json": market.TRADE_STREAM,
}
EVENTS: Mapping[str, Reading] = {
    "24hrTicker": market.TICKER_STREAM,
    "24hrMiniTicker": market.MINI_TICKER_STREAM,
    "1hTicker": market.WINDOW_TICKER_STREAM,
    "aggTrade": market.AGGREGATE_STREAM,
    "trade": market.TRADE_STREAM,
    "kline": market.KLINE_STREAM,
    "depthUpdate": market.DEPTH_STREAM,
    "outboundAccountPosition": account.POSITION,
    "executionReport": account.REPORT,
    "balanceUpdate": account.BALANCE_CHANGE,
    "listStatus": account.LIST,
}
ACCOUNT_EVENTS = {"outboundAccountPosition", "executionReport", "balanceUpdate", "listStatus"}

OUTSIDE: Mapping[str, str] = {
    "POST /api/v3/userDataStream #00": "listen keys are gone (10.1)",
    "user_stream:TestStartUserStream#00": "listen keys are gone (10.1)",
    "GET /api/v3/aggTrades #01": "the recording has lost the mandatory key m (5.2): refused",
    "GET /api/v3/aggTrades #03": "the recording has lost the mandatory key m (5.2): refused",
    "ticker:TestPriceChangeStats#06": "without the documented quoteVolume (5.2): refused",
    "info/bitrich/xchangestream/binance/dto/testDepthEvent.json": "levels of three parts, as long ago (8.3): refused",
    "account:TestGetAPIKeyPermission#02": "wallet, not /api/v3",
    "account:TestGetAccountSnapshot#01": "wallet, not /api/v3",
    "exchange_info:TestExchangeInfo#02": "a part of an answer",
    "trade_fee:TestSingleSymbolTradeFee#01": "wallet, not /api/v3",
    "Spot/Account/GetAPIKeyPermissions": "wallet, not /api/v3",
    "Spot/Account/GetBalances": "wallet, not /api/v3",
    "Spot/Account/GetUserAssets": "wallet, not /api/v3",
    "__files/dustlog.json": "wallet, not /api/v3",
    "__files/withdraw-200.json": "wallet, not /api/v3",
    "org/knowm/xchange/binance/asset-dividend-list.json": "wallet, not /api/v3",
    "linear_future#23": "a future",
    "linear_future#31": "a future",
    "spot#21": "!bookTicker is gone (8.3)",
    "spot#27": "!ticker@arr is gone (8.3)",
    "Spot/Account/Liability": "margin, not spot",
    "Spot/Account/MarginCall": "margin, not spot",
}


def items() -> Iterator[tuple[str, Json, Reading | None]]:
    """Yield name, payload and reading of each REST answer."""
    for file in ("http_recorded_gct", "rest_gobinance", "rest_jkorf", "xchange"):
        for item in read_json("third_party", f"binance_spot_{file}.json")["items"]:
            payload = json.loads(item["payload_text"]) if "payload_text" in item else item["payload"]
            reading = PATHS.get(f"{item['method']} {item['path']}") if "path" in item else NAMES.get(item["name"])
            is_wrapped = isinstance(payload, dict) and "stream" in payload
            yield item["name"], payload["data"] if is_wrapped else payload, reading


def frames() -> Iterator[tuple[str, Json]]:
    """Yield name and payload of each frame of a server."""
    for file in ("binance_spot_ws_gct", "binance_ws_crypto_msg_parser"):
        for item in read_json("third_party", f"{file}.json")["items"]:
            yield item["name"], item["payload"]
    for item in read_json("third_party", "binance_spot_ws_jkorf.json")["items"]:
        for frame in item["frames"]:
            if frame["from"] == "server":
                yield item["name"], frame["payload"]


def frame_reading(frame: Json) -> tuple[Json, Reading]:
    """Return a frame as today's parsers take it, and its reading."""
    data = frame.get("data") or frame.get("event") or frame
    if "result" in frame or "id" in frame:
        return frame, CONTROL
    if "e" in data:
        reading = EVENTS[data["e"]]
        return ({"subscriptionId": 0, "event": data} if data["e"] in ACCOUNT_EVENTS else data), reading
    return data, market.PARTIAL_BOOK_STREAM if "lastUpdateId" in data else market.BOOK_TICKER_STREAM


def check(name: str, payload: Json, reading: Reading) -> None:
    read = reading.reader(payload)
    found = read(json.dumps(payload).encode())
    if isinstance(found, ExconnError):
        assert found.details["exchange_code"] == payload["code"]
        return
    if isinstance(found, Unrecognized):
        return  # known by its kind; it carries nothing
    before = plain(found)
    kept = set()
    for place, value in fields(payload):
        other = another(value)
        try:
            is_kept = other is not None and plain(read(json.dumps(changed(payload, place, other)).encode())) == before
        except ProtocolError:
            continue
        if is_kept:
            kept.add(path_of(payload, place))
    assert sorted({path for path in kept if not reading.leaves_out(path)} - FORMERLY) == [], name


FORMERLY = {"b", "a", "[].origClientOrderId"}
"""Fields that are not sent any more: order ids of trades (8.3)."""


def test_rest_answers() -> None:
    without = []
    for name, payload, reading in items():
        if reading is None:
            without.append(name)
        elif name not in OUTSIDE and payload is not None:
            check(name, payload, reading)
    assert [name for name in without if name not in OUTSIDE] == []


def test_frames() -> None:
    count = 0
    for name, frame in frames():
        if name not in OUTSIDE:
            data, reading = frame_reading(frame)
            if reading is not CONTROL:
                check(name, data, reading)
            count += 1
    assert count > 20


def test_what_is_left_out_is_there() -> None:
    names = {name for name, *_ in items()} | {name for name, _ in frames()}
    assert set(OUTSIDE) <= names


@pytest.mark.parametrize("name", [name for name, why in OUTSIDE.items() if why.endswith("refused")])
def test_a_payload_without_its_form_is_refused(name: str) -> None:
    payload, reading = next((payload, reading) for found, payload, reading in items() if found == name)
    assert reading is not None
    with pytest.raises(ProtocolError):
        reading.reader(payload)(json.dumps(payload).encode())
