"""How Binance's example payloads of public data are read; see ``documented``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from exconn_sync._machines.book_side import BookSide
from exconn_sync.exchanges.binance.driver import DRIVER
from exconn_sync.model.enums import Channel
from exconn_sync.model.market import MarketEvent
from exconn_sync.model.wire import Topic
from tests.exchanges.binance.documented import (
    NAMED_BEFORE,
    NOT_TOLD,
    UNUSED,
    WIRE_TIME,
    WORKED_OUT,
    Read,
    Reading,
    named,
    of_call,
    symbol_in,
    with_symbol,
)
from tests.exchanges.binance.mutations import Json
from tests.exchanges.binance.support import INSTRUMENTS, RECEIVED_AT, instrument

_STREAM = {"E": WIRE_TIME, "M": UNUSED, "s": NAMED_BEFORE}


def _stream(channel: Channel, variant: str = "") -> Callable[[Json], Read]:
    """Return what makes the decoder of a stream; documented payloads are those of raw streams, without a wrapper."""
    decode = DRIVER.decoder(Topic(channel, "BTC-USDT", DRIVER.variant(channel, variant)))

    def read(data: bytes) -> list[MarketEvent]:
        events: list[MarketEvent] = []
        decode(b'{"stream":"x","data":' + data + b"}", RECEIVED_AT, events.append)
        return events

    return lambda payload: read


def _checked_levels(read: Read) -> Read:
    """Read a book as the library does: its levels stay text until the local book takes them."""

    def read_levels(body: bytes) -> Any:
        found = read(body)
        for event in found if isinstance(found, list) else [found]:
            BookSide(is_bids=True).load(event.bids)
            BookSide(is_bids=False).load(event.asks)
        return found

    return read_levels


def _tickers(window: str) -> Callable[[Json], Read]:
    def reader(payload: Json) -> Read:
        rows = payload if isinstance(payload, list) else [payload]
        chosen = [instrument(row["symbol"][:3], row["symbol"][3:]) for row in rows]
        return of_call(DRIVER.fetch_tickers(chosen, window, INSTRUMENTS))

    return reader


def _book_tickers(payload: Json) -> Read:
    chosen = None if isinstance(payload, list) else [symbol_in(payload)]
    return of_call(DRIVER.fetch_book_tickers(chosen, INSTRUMENTS))


PING = Reading(lambda payload: of_call(DRIVER.ping()))
TIME = Reading(lambda payload: of_call(DRIVER.server_time()), named("serverTime"))
DEPTH = Reading(
    lambda payload: _checked_levels(of_call(DRIVER.fetch_order_book(symbol_in(payload), 5))),
    named("lastUpdateId", "bids", "asks"),
)
TRADES = Reading(
    with_symbol(lambda of: DRIVER.fetch_trades(of, 5)),
    named("[].id", "[].price", "[].qty", "[].time", "[].isBuyerMaker"),
    {"[].quoteQty": WORKED_OUT, "[].isBestMatch": UNUSED},
)
AGGREGATES = Reading(
    with_symbol(lambda of: DRIVER.fetch_aggregate_trades(of, 5)),
    named(*(f"[].{letter}" for letter in "apqflTm")),
    {"[].M": UNUSED},
)
KLINES = Reading(with_symbol(lambda of: DRIVER.fetch_klines(of, "1m", 5, now=RECEIVED_AT)), ignored={"[][11]": UNUSED})
AVERAGE = Reading(with_symbol(DRIVER.fetch_average_price), named("mins", "price"))
_TICKER = (
    "symbol", "openPrice", "highPrice", "lowPrice", "lastPrice", "volume", "quoteVolume", "openTime", "closeTime",
    "firstId", "lastId", "count",
)  # fmt: skip
DAY_TICKER = Reading(_tickers("24h"), named(*_TICKER))
DAY_TICKERS = Reading(_tickers("24h"), named(*(f"[].{name}" for name in _TICKER)))
TRADING_DAY_TICKERS = Reading(_tickers("day"))
WINDOW_TICKERS = Reading(_tickers("1d"))
_BOOK_TICKER = ("symbol", "bidPrice", "bidQty", "askPrice", "askQty")
BOOK_TICKER = Reading(_book_tickers, named(*_BOOK_TICKER))
BOOK_TICKERS = Reading(_book_tickers, named(*(f"[].{name}" for name in _BOOK_TICKER)))
INSTRUMENT_LIST = Reading(
    lambda payload: of_call(DRIVER.fetch_instruments()),
    named("symbols", *(f"symbols[].{name}" for name in (
        "symbol", "status", "baseAsset", "quoteAsset", "orderTypes", "filters",
    ))),
    {"timezone": "always UTC", "serverTime": WIRE_TIME, **dict.fromkeys((
        *(f"rateLimits[].{name}" for name in ("rateLimitType", "interval", "intervalNum", "limit")),
        "sors[].baseAsset", "sors[].symbols[*]", "symbols[].orderTypes[*]", "symbols[].quotePrecision",
        "symbols[].permissions[*]",
    ), NOT_TOLD)},
)  # fmt: skip

TRADE_STREAM = Reading(_stream(Channel.TRADE), named("t", "p", "q", "T", "m"), _STREAM)
AGGREGATE_STREAM = Reading(_stream(Channel.AGGREGATE_TRADE), named(*"apqflTm"), _STREAM)
BOOK_TICKER_STREAM = Reading(_stream(Channel.BOOK_TICKER), named("u", "b", "B", "a", "A"), _STREAM)
DEPTH_STREAM = Reading(
    lambda payload: _checked_levels(_stream(Channel.ORDER_BOOK)(payload)), named("E", "U", "u", "b", "a"), _STREAM
)
PARTIAL_BOOK_STREAM = Reading(_stream(Channel.PARTIAL_BOOK), named("lastUpdateId", "bids", "asks"))
_KLINE = named("E", "k", *(f"k.{letter}" for letter in "tTfLochlvnxqVQ"))
_KLINE_IGNORED = {**_STREAM, "k.s": NAMED_BEFORE, "k.i": NAMED_BEFORE, "k.B": UNUSED}
KLINE_STREAM = Reading(_stream(Channel.KLINE, "1m"), _KLINE, _KLINE_IGNORED)
SHIFTED_KLINE_STREAM = Reading(_stream(Channel.KLINE, "1m@+08:00"), _KLINE, _KLINE_IGNORED)
_OF_SYMBOL = {"s": NAMED_BEFORE}
MINI_TICKER_STREAM = Reading(_stream(Channel.MINI_TICKER), named(*"Ecohlvq"), _OF_SYMBOL)
TICKER_STREAM = Reading(_stream(Channel.TICKER, "24h"), named(*"EpPwxcQbBaAohlvqOCFLn"), _OF_SYMBOL)
WINDOW_TICKER_STREAM = Reading(_stream(Channel.TICKER, "1h"), named(*"EpPohlcwvqOCFLn"), _OF_SYMBOL)
AVERAGE_STREAM = Reading(_stream(Channel.AVERAGE_PRICE), named(*"EiwT"), _OF_SYMBOL)
