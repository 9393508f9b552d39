"""Frames of the market streams that count or sum up: candles, tickers, aggregates, partial books (Binance: 8.3).

Each decoder is made for one topic. ``unit_ns`` is how many nanoseconds the times of the connection count in.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, Generic, Protocol, TypeVar, cast

import msgspec

from exconn_sync.exchanges.binance.endpoints import EXCHANGE
from exconn_sync.exchanges.binance.frame_subject import subject_of
from exconn_sync.exchanges.decoding import MALFORMED, protocol_error
from exconn_sync.exchanges.wire_numbers import fresh_number, number, signed_number
from exconn_sync.model.enums import Channel, Side
from exconn_sync.model.ids import TradeId
from exconn_sync.model.market import AggregateTrade, MarketEvent, PartialBook, Row
from exconn_sync.model.market_statistics import AveragePrice, Kline, Ticker
from exconn_sync.model.wire import Topic
from exconn_sync.ports.driver import Decode, Emit


class _Subject(Protocol):
    symbol: str | None


Wire = TypeVar("Wire", bound=_Subject)

_MINUTES = {"m": 1, "h": 60}
_MOST_DIGITS = 6

# ``TradeId(str(x))`` would call a Python function for each only to please the type checker.
_trade_id = cast("Callable[[int], TradeId]", str)


class _Aggregate(
    msgspec.Struct,
    gc=False,
    tag_field="e",
    tag="aggTrade",
    rename={
        "number": "a", "price": "p", "quantity": "q", "first": "f", "last": "l", "trade_time": "T",
        "buyer_is_maker": "m", "symbol": "s",
    },
):  # fmt: skip
    number: int
    price: str
    quantity: str
    first: int
    last: int
    trade_time: int
    buyer_is_maker: bool
    symbol: str | None = None


class _Candle(
    msgspec.Struct,
    gc=False,
    rename={
        "start": "t", "end": "T", "first": "f", "last": "L", "open": "o", "close": "c", "high": "h", "low": "l",
        "volume": "v", "trades": "n", "is_closed": "x", "quote_volume": "q", "taker_buy": "V", "taker_buy_quote": "Q",
        "interval": "i",
    },
):  # fmt: skip
    start: int
    end: int
    first: int
    last: int
    open: str
    close: str
    high: str
    low: str
    volume: str
    trades: int
    is_closed: bool
    quote_volume: str
    taker_buy: str
    taker_buy_quote: str
    interval: str | None = None


class _Kline(
    msgspec.Struct, gc=False, tag_field="e", tag="kline", rename={"event_time": "E", "candle": "k", "symbol": "s"}
):
    event_time: int
    candle: _Candle
    symbol: str | None = None


class _Mini(
    msgspec.Struct,
    gc=False,
    tag_field="e",
    tag="24hrMiniTicker",
    rename={
        "event_time": "E", "close": "c", "open": "o", "high": "h", "low": "l", "volume": "v", "quote_volume": "q",
        "symbol": "s",
    },
):  # fmt: skip
    event_time: int
    close: str
    open: str
    high: str
    low: str
    volume: str
    quote_volume: str
    symbol: str | None = None


class _Window(
    msgspec.Struct,
    gc=False,
    kw_only=True,
    tag_field="e",
    tag="1hTicker",
    rename={
        "event_time": "E", "change": "p", "percent": "P", "open": "o", "high": "h", "low": "l", "close": "c",
        "average": "w", "volume": "v", "quote_volume": "q", "start": "O", "end": "C", "first": "F", "last": "L",
        "trades": "n", "previous_close": "x", "last_quantity": "Q", "bid_price": "b", "bid_quantity": "B",
        "ask_price": "a", "ask_quantity": "A", "symbol": "s",
    },
):  # fmt: skip
    event_time: int
    change: str
    percent: str
    open: str
    high: str
    low: str
    close: str
    average: str
    volume: str
    quote_volume: str
    start: int
    end: int
    first: int
    last: int
    trades: int
    symbol: str | None = None


class _Window4h(_Window, gc=False, tag="4hTicker"):
    pass


class _Window1d(_Window, gc=False, tag="1dTicker"):
    pass


class _Day(_Window, gc=False, tag="24hrTicker"):
    previous_close: str
    last_quantity: str
    bid_price: str
    bid_quantity: str
    ask_price: str
    ask_quantity: str


class _Average(
    msgspec.Struct,
    gc=False,
    tag_field="e",
    tag="avgPrice",
    rename={"event_time": "E", "span": "i", "price": "w", "last_trade_time": "T", "symbol": "s"},
):
    event_time: int
    span: str
    price: str
    last_trade_time: int
    symbol: str | None = None


class _Partial(msgspec.Struct, rename={"update_id": "lastUpdateId", "symbol": "s"}):
    update_id: int
    bids: list[Row]
    asks: list[Row]
    symbol: str | None = None


class _Frame(msgspec.Struct, Generic[Wire], gc=False):
    data: Wire


_AGGREGATE = msgspec.json.Decoder(_Frame[_Aggregate]).decode
_KLINE = msgspec.json.Decoder(_Frame[_Kline]).decode
_MINI = msgspec.json.Decoder(_Frame[_Mini]).decode
_DAY = msgspec.json.Decoder(_Frame[_Day]).decode
_AVERAGE = msgspec.json.Decoder(_Frame[_Average]).decode
_PARTIAL = msgspec.json.Decoder(_Frame[_Partial]).decode
_WINDOWS: Mapping[str, Callable[[bytes], _Frame[Any]]] = {
    "1h": msgspec.json.Decoder(_Frame[_Window]).decode,
    "4h": msgspec.json.Decoder(_Frame[_Window4h]).decode,
    "1d": msgspec.json.Decoder(_Frame[_Window1d]).decode,
}


def aggregate_decoder(topic: Topic, unit_ns: int) -> Decode:
    """Return the decoder of ``<symbol>@aggTrade``."""
    symbol = topic.symbol
    subject: str | None = None

    def decode(frame: bytes, received_at: int, emit: Emit) -> None:
        nonlocal subject
        try:
            data = _AGGREGATE(frame).data
            if data.symbol != subject:
                subject = subject_of(frame, data.symbol)
            event = AggregateTrade(
                EXCHANGE,
                symbol,
                _trade_id(data.number),
                _trade_id(data.first),
                _trade_id(data.last),
                number(data.price),
                number(data.quantity),
                Side.SELL if data.buyer_is_maker else Side.BUY,
                data.trade_time * unit_ns,
                received_at,
            )
        except MALFORMED as error:
            raise protocol_error(EXCHANGE, frame, error) from error
        emit(event)

    return decode


def kline_decoder(topic: Topic, unit_ns: int) -> Decode:
    """Return the decoder of ``<symbol>@kline_<interval>``, also of the one with an offset, whose times are UTC too."""
    symbol, interval = topic.symbol, topic.variant.partition("@")[0]

    def build(data: _Kline, received_at: int) -> Kline:
        candle = data.candle
        if candle.interval is not None and candle.interval != interval:
            raise ValueError("a candle has another length than its stream")  # fault F084
        if candle.end < candle.start:
            raise ValueError("a candle ends before it begins")
        return Kline(
            EXCHANGE,
            symbol,
            interval,
            candle.start * unit_ns,
            candle.end * unit_ns,
            number(candle.open),
            number(candle.high),
            number(candle.low),
            number(candle.close),
            fresh_number(candle.volume),
            fresh_number(candle.quote_volume),
            candle.trades,
            fresh_number(candle.taker_buy),
            fresh_number(candle.taker_buy_quote),
            candle.is_closed,
            data.event_time * unit_ns,
            received_at,
            _id_or_none(candle.first),
            _id_or_none(candle.last),
        )

    return _decoder(_KLINE, build)


def mini_ticker_decoder(topic: Topic, unit_ns: int) -> Decode:
    """Return the decoder of ``<symbol>@miniTicker``."""
    symbol = topic.symbol

    def build(data: _Mini, received_at: int) -> Ticker:
        return Ticker(
            EXCHANGE,
            symbol,
            "24h",
            number(data.open),
            number(data.high),
            number(data.low),
            number(data.close),
            fresh_number(data.volume),
            fresh_number(data.quote_volume),
            data.event_time * unit_ns,
            received_at,
        )

    return _decoder(_MINI, build)


def ticker_decoder(topic: Topic, unit_ns: int) -> Decode:
    """Return the decoder of ``<symbol>@ticker``, or of ``<symbol>@ticker_<window>``, which tells less."""
    symbol, window = topic.symbol, topic.variant

    def build(data: _Window, received_at: int) -> Ticker:
        day = data if isinstance(data, _Day) else None
        return Ticker(
            EXCHANGE,
            symbol,
            window,
            number(data.open),
            number(data.high),
            number(data.low),
            number(data.close),
            fresh_number(data.volume),
            fresh_number(data.quote_volume),
            data.event_time * unit_ns,
            received_at,
            None if day is None else fresh_number(day.last_quantity),
            signed_number(data.change),
            signed_number(data.percent),
            fresh_number(data.average),
            None if day is None else number(day.previous_close),
            # Zeros stand for an empty side of the book.
            None if day is None else number(day.bid_price) or None,
            None if day is None else fresh_number(day.bid_quantity) or None,
            None if day is None else number(day.ask_price) or None,
            None if day is None else fresh_number(day.ask_quantity) or None,
            data.start * unit_ns,
            data.end * unit_ns,
            _id_or_none(data.first),
            _id_or_none(data.last),
            data.trades,
        )

    return _decoder(_WINDOWS.get(window, _DAY), build)


def average_price_decoder(topic: Topic, unit_ns: int) -> Decode:
    """Return the decoder of ``<symbol>@avgPrice``."""
    symbol = topic.symbol

    def build(data: _Average, received_at: int) -> AveragePrice:
        count, unit = data.span[:-1], data.span[-1:]
        if not (count.isascii() and count.isdecimal() and unit in _MINUTES and len(count) < _MOST_DIGITS):
            raise ValueError("the span of an average is not a number of minutes or hours")
        minutes = int(count) * _MINUTES[unit]
        at, last = data.event_time * unit_ns, data.last_trade_time * unit_ns
        return AveragePrice(EXCHANGE, symbol, number(data.price), minutes, at, received_at, last)

    return _decoder(_AVERAGE, build)


def partial_book_decoder(topic: Topic, unit_ns: int) -> Decode:  # noqa: ARG001 - it carries no time
    """Return the decoder of ``<symbol>@depth<levels>``, which carries neither symbol nor time."""
    symbol = topic.symbol

    def build(data: _Partial, received_at: int) -> PartialBook:
        if data.update_id <= 0:  # fault F042
            raise ValueError("an update id is not positive")
        bids, asks = _levels(data.bids), _levels(data.asks)
        return PartialBook(EXCHANGE, symbol, data.update_id, bids, asks, None, received_at)

    return _decoder(_PARTIAL, build)


DECODERS: Mapping[Channel, Callable[[Topic, int], Decode]] = {
    Channel.AGGREGATE_TRADE: aggregate_decoder,
    Channel.KLINE: kline_decoder,
    Channel.MINI_TICKER: mini_ticker_decoder,
    Channel.TICKER: ticker_decoder,
    Channel.AVERAGE_PRICE: average_price_decoder,
    Channel.PARTIAL_BOOK: partial_book_decoder,
}


def _decoder(read: Callable[[bytes], _Frame[Wire]], build: Callable[[Wire, int], MarketEvent]) -> Decode:
    subject: str | None = None

    def decode(frame: bytes, received_at: int, emit: Emit) -> None:
        nonlocal subject
        try:
            data = read(frame).data
            if data.symbol != subject:
                subject = subject_of(frame, data.symbol)
            event = build(data, received_at)
        except MALFORMED as error:
            raise protocol_error(EXCHANGE, frame, error) from error
        emit(event)

    return decode


def _levels(rows: list[Row]) -> tuple[tuple[Decimal, Decimal], ...]:
    return tuple([(number(price), number(quantity)) for price, quantity in rows])


def _id_or_none(trade_id: int) -> TradeId | None:
    """Return the id; a span without a trade has -1 instead."""
    return _trade_id(trade_id) if trade_id >= 0 else None
