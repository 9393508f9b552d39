"""The same answers, frames and requests of public data as another library has them.

Numbers are compared as numbers, times in milliseconds; an empty side of a book is a zero of theirs. What only one of
the two tells is not compared: their tickers have no time, and their changes and averages are worked out.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from exconn_sync.exchanges.bybit.driver import DRIVER
from exconn_sync.model.enums import Channel
from exconn_sync.model.instrument import Instruments
from exconn_sync.model.market import BookSnapshot, Trade
from exconn_sync.model.market_statistics import Kline, Ticker
from exconn_sync.model.wire import RestCall, Topic
from tests.data import read_json
from tests.exchanges.bybit.support import BTCUSDT, INSTRUMENTS, RECEIVED_AT, instrument, response

Json = Any
MS = 1_000_000


def plain(value: Any) -> Any:
    """Return a value of ours as theirs: rows of candles and dictionaries by their names."""
    if isinstance(value, list):
        return [plain(each) for each in value]
    if isinstance(value, Kline):
        return [value.open_time // MS, value.open, value.high, value.low, value.close, value.volume]
    if isinstance(value, Trade):
        return {"id": value.trade_id, "timestamp": (value.exchange_time or 0) // MS, "side": value.side.value,
                "price": value.price, "amount": value.quantity}  # fmt: skip
    if isinstance(value, Ticker):
        return {"high": value.high, "low": value.low, "open": value.open, "last": value.last,
                "percentage": value.price_change_percent, "baseVolume": value.volume,
                "quoteVolume": value.quote_volume, "bid": value.bid_price, "bidVolume": value.bid_quantity,
                "ask": value.ask_price, "askVolume": value.ask_quantity}  # fmt: skip
    if isinstance(value, BookSnapshot):
        return {"bids": list(map(list, value.bids)), "asks": list(map(list, value.asks)),
                "nonce": value.update_id}  # fmt: skip
    return value


def same(ours: Any, theirs: Any) -> bool:
    """Return whether everything that both say is the same."""
    if isinstance(ours, dict):
        told = {name: each for name, each in theirs.items() if name in ours and each is not None}
        assert told, "nothing to compare"
        return all(same(ours[name], each) for name, each in told.items())
    if ours is None:
        return bool(Decimal(theirs) == 0)
    if isinstance(ours, (list, tuple)):
        return len(ours) == len(theirs) and all(map(same, ours, theirs))
    if isinstance(ours, (Decimal, int)) or (isinstance(ours, str) and ours.replace(".", "").isdigit()):
        return Decimal(ours) == Decimal(theirs)
    return bool(ours == theirs)


def _tickers(body: str) -> list[Ticker]:
    names = [row["symbol"] for row in json.loads(body)["result"]["list"]]
    known = Instruments("bybit", [instrument(name.removesuffix("USDT")) for name in names])
    return DRIVER.fetch_tickers(None, "24h", known).parse(response(body.encode()))


READ: dict[str, Callable[[str], Any]] = {
    "fetch_time": lambda body: DRIVER.server_time().parse(response(body.encode())) // MS,
    "fetch_order_book": lambda body: DRIVER.fetch_order_book(BTCUSDT, 50).parse(response(body.encode())),
    "fetch_ohlcv": lambda body: DRIVER.fetch_klines(BTCUSDT, "1m", 5, now=0).parse(response(body.encode())),
    "fetch_trades": lambda body: DRIVER.fetch_trades(BTCUSDT, 5).parse(response(body.encode())),
    "fetch_ticker": lambda body: _tickers(body)[0],
    "fetch_tickers": _tickers,
}


def answers() -> list[Json]:
    return [case for case in read_json("parse_cases", "bybit_rest.json")["cases"] if case["method"] in READ]


def test_answers_are_read_alike() -> None:
    found = answers()
    assert len(found) >= 10
    for case in found:
        (body,) = case["http_responses"]
        theirs = case["ccxt_result"]
        if isinstance(theirs, dict) and "/" in next(iter(theirs)):
            theirs = list(theirs.values())
        assert same(plain(READ[case["method"]](body)), theirs), case["name"]


def test_symbols_are_read_alike() -> None:
    compared = 0
    for case in read_json("parse_cases", "bybit_rest.json")["cases"]:
        if case["method"] != "fetch_spot_markets":
            continue
        (body,) = case["http_responses"]
        ours = DRIVER.fetch_instruments().parse(response(body.encode()))
        theirs = {market["id"]: market for market in case["ccxt_result"]}
        assert len(ours) == len(theirs)
        for each in ours:
            market = theirs[each.exchange_symbol]
            assert (each.base, each.quote) == (market["base"], market["quote"])
            assert each.tick_size == Decimal(market["precision"]["price"])
            assert each.lot_step == Decimal(market["precision"]["amount"])
            assert each.min_notional == Decimal(market["limits"]["cost"]["min"])
            compared += 1
    assert compared >= 16


CHANNELS = {"trade": (Channel.TRADE, ""), "ohlcv": (Channel.KLINE, "5m"), "ticker": (Channel.TICKER, "24h")}


def test_frames_are_read_alike() -> None:
    compared = 0
    for case in read_json("parse_cases", "bybit_ws.json")["cases"]:
        for reading in case["ccxt"]:
            if reading["what"] not in CHANNELS:
                continue
            channel, variant = CHANNELS[reading["what"]]
            events: list[Any] = []
            frame = json.dumps(case["frame"]).encode()
            DRIVER.decoder(Topic(channel, "BTC-USDT", variant))(frame, RECEIVED_AT, events.append)
            assert same(plain(events[0]), reading["result"]), case["name"]
            compared += 1
    assert compared >= 8


CALLS: dict[str, RestCall[Any]] = {
    "fetch_time": DRIVER.server_time(),
    "fetch_order_book": DRIVER.fetch_order_book(BTCUSDT, 50),
    "fetch_ticker": DRIVER.fetch_tickers([BTCUSDT], "24h", INSTRUMENTS),
    "fetch_ohlcv": DRIVER.fetch_klines(BTCUSDT, "1m", 200, now=0),
}


@pytest.mark.parametrize("method", CALLS)
def test_requests_are_alike(method: str) -> None:
    """The order of parameters aside."""
    (case,) = [each for each in read_json("request_cases", "bybit.json")["cases"] if each["method"] == method]
    request = DRIVER.to_http(CALLS[method], None, 0, 0)
    target = urlsplit(request.target)
    wanted = case["request"]
    assert (request.method, target.path, request.body) == (wanted["method"], wanted["path"], None)
    assert dict(parse_qsl(target.query)) == wanted["params"]
    assert dict(request.headers) == {}
