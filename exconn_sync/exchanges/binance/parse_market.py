"""Answers with candles, tickers, best prices and aggregate trades (Binance: 5.2)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import msgspec

from exconn_sync.exchanges.binance.encode_market import TRADING_DAY
from exconn_sync.exchanges.binance.endpoints import EXCHANGE
from exconn_sync.exchanges.binance.words import taker_side
from exconn_sync.exchanges.decoding import Reader
from exconn_sync.exchanges.wire_numbers import ns_of_ms, number, number_unless_zero, signed_number
from exconn_sync.model.ids import TradeId
from exconn_sync.model.instrument import Instrument, Instruments
from exconn_sync.model.market import AggregateTrade, BookTicker
from exconn_sync.model.market_statistics import AveragePrice, Kline, Ticker
from exconn_sync.model.wire import HttpResponse

_NO_TRADE = -1
_NS_PER_MS = ns_of_ms(1)


class _Empty(msgspec.Struct):
    pass


class _Kline(msgspec.Struct, array_like=True):
    open_time: int
    open: str
    high: str
    low: str
    close: str
    volume: str
    close_time: int
    quote_volume: str
    trades: int
    taker_volume: str
    taker_quote_volume: str


class _Aggregate(msgspec.Struct):
    a: int
    p: str
    q: str
    f: int
    l: int  # noqa: E741 - the exchange's name
    T: int
    m: bool


class _Average(msgspec.Struct, rename="camel"):
    mins: int
    price: str
    close_time: int | None = None


class _BookTicker(msgspec.Struct, rename="camel"):
    symbol: str
    bid_price: str
    bid_qty: str
    ask_price: str
    ask_qty: str


class _Ticker(msgspec.Struct, rename="camel"):
    symbol: str
    open_price: str
    high_price: str
    low_price: str
    last_price: str
    volume: str
    quote_volume: str
    open_time: int
    close_time: int
    first_id: int
    last_id: int
    count: int
    price_change: str | None = None
    price_change_percent: str | None = None
    weighted_avg_price: str | None = None
    prev_close_price: str | None = None
    last_qty: str | None = None
    bid_price: str | None = None
    bid_qty: str | None = None
    ask_price: str | None = None
    ask_qty: str | None = None


Row = TypeVar("Row", _Ticker, _BookTicker)
Value = TypeVar("Value")

_EMPTY = Reader(EXCHANGE, _Empty)
_KLINES = Reader(EXCHANGE, list[_Kline])
_AGGREGATES = Reader(EXCHANGE, list[_Aggregate])
_AVERAGE = Reader(EXCHANGE, _Average)
# An object for one symbol, an array for several (Binance: 5.2).
_TICKERS: Reader[Any] = Reader(EXCHANGE, _Ticker | list[_Ticker])  # type: ignore[arg-type]
_BOOK_TICKERS: Reader[Any] = Reader(EXCHANGE, _BookTicker | list[_BookTicker])  # type: ignore[arg-type]


def parse_ping(response: HttpResponse) -> None:
    """Read the empty object that a ping is answered with. Raises ProtocolError."""
    _EMPTY.read(response.body, lambda _: None)


def parse_klines(instrument: Instrument, interval: str, now: int, response: HttpResponse) -> list[Kline]:
    """Read candles, oldest first.

    REST does not say which of them is over. One is, where another follows it, or where the exchange's clock was past
    its end before the question was asked: ``now`` is that time, in nanoseconds. Raises ProtocolError.
    """

    def build(rows: list[_Kline]) -> list[Kline]:
        last = len(rows) - 1
        return [
            _kline(instrument.symbol, interval, row, index < last or _end_of(row) < now, response.received_at)
            for index, row in enumerate(rows)
        ]

    return _KLINES.read(response.body, build)


def parse_aggregate_trades(instrument: Instrument, response: HttpResponse) -> list[AggregateTrade]:
    """Read aggregate trades, oldest first, without those that the exchange has voided. Raises ProtocolError."""
    return _AGGREGATES.read(
        response.body,
        lambda rows: [_aggregate(instrument.symbol, row, response.received_at) for row in rows if row.f != _NO_TRADE],
    )


def parse_average_price(instrument: Instrument, response: HttpResponse) -> AveragePrice:
    """Read the present average price. Raises ProtocolError."""
    return _AVERAGE.read(
        response.body,
        lambda wire: AveragePrice(
            EXCHANGE,
            instrument.symbol,
            number(wire.price),
            wire.mins,
            None if wire.close_time is None else ns_of_ms(wire.close_time),
            response.received_at,
        ),
    )


def parse_tickers(
    window: str, chosen: Sequence[Instrument] | None, instruments: Instruments, response: HttpResponse
) -> list[Ticker]:
    """Read the tickers of the chosen symbols or of all, long and short forms. Raises ProtocolError."""

    def value(symbol: str, row: _Ticker) -> Ticker:
        return _ticker(symbol, window, row, response.received_at)

    return _TICKERS.read(response.body, _of_symbols(chosen, instruments, value))


def parse_book_tickers(
    chosen: Sequence[Instrument] | None, instruments: Instruments, response: HttpResponse
) -> list[BookTicker]:
    """Read best bids and asks; they have neither time nor update id. Raises ProtocolError."""

    def value(symbol: str, row: _BookTicker) -> BookTicker:
        return _book_ticker(symbol, row, response.received_at)

    return _BOOK_TICKERS.read(response.body, _of_symbols(chosen, instruments, value))


def _of_symbols(
    chosen: Sequence[Instrument] | None, instruments: Instruments, value_of: Callable[[str, Row], Value]
) -> Callable[[Row | list[Row]], list[Value]]:
    """Return what makes values of one row or of many; a row about a symbol not asked for is malformed (fault F084)."""
    asked = None if chosen is None else {instrument.exchange_symbol: instrument.symbol for instrument in chosen}

    def name_of(exchange_symbol: str) -> str:
        if asked is None:
            return instruments.canonical(exchange_symbol)
        if exchange_symbol not in asked:
            raise ValueError("the answer is about another symbol")
        return asked[exchange_symbol]

    def build(wire: Row | list[Row]) -> list[Value]:
        rows = wire if isinstance(wire, list) else [wire]
        return [value_of(name_of(row.symbol), row) for row in rows]

    return build


def _end_of(row: _Kline) -> int:
    """Return the last nanosecond of a candle; the wire tells its last millisecond."""
    return ns_of_ms(row.close_time + 1) - 1


def _kline(symbol: str, interval: str, row: _Kline, is_closed: bool, received_at: int) -> Kline:
    return Kline(
        exchange=EXCHANGE,
        symbol=symbol,
        interval=interval,
        open_time=ns_of_ms(row.open_time),
        close_time=ns_of_ms(row.close_time),
        open=number(row.open),
        high=number(row.high),
        low=number(row.low),
        close=number(row.close),
        volume=number(row.volume),
        quote_volume=number(row.quote_volume),
        trade_count=row.trades,
        taker_buy_volume=number(row.taker_volume),
        taker_buy_quote_volume=number(row.taker_quote_volume),
        is_closed=is_closed,
        exchange_time=None,
        received_at=received_at,
    )


def _aggregate(symbol: str, row: _Aggregate, received_at: int) -> AggregateTrade:
    return AggregateTrade(
        EXCHANGE,
        symbol,
        TradeId(str(row.a)),
        TradeId(str(row.f)),
        TradeId(str(row.l)),
        number(row.p),
        number(row.q),
        taker_side(buyer_is_maker=row.m),
        ns_of_ms(row.T),
        received_at,
    )


def _ticker(symbol: str, window: str, row: _Ticker, received_at: int) -> Ticker:
    has_traded = row.first_id != _NO_TRADE
    return Ticker(
        exchange=EXCHANGE,
        symbol=symbol,
        window=window,
        open=number(row.open_price),
        high=number(row.high_price),
        low=number(row.low_price),
        last=number(row.last_price),
        volume=number(row.volume),
        quote_volume=number(row.quote_volume),
        # A trading day ends in the future; only a rolling window ends now.
        exchange_time=None if window == TRADING_DAY else ns_of_ms(row.close_time),
        received_at=received_at,
        last_quantity=_optional(number, row.last_qty),
        price_change=_optional(signed_number, row.price_change),
        price_change_percent=_optional(signed_number, row.price_change_percent),
        average_price=_optional(number, row.weighted_avg_price),
        previous_close=_optional(number, row.prev_close_price),
        # Zeros stand for an empty side of the book.
        bid_price=number_unless_zero(row.bid_price),
        bid_quantity=number_unless_zero(row.bid_qty),
        ask_price=number_unless_zero(row.ask_price),
        ask_quantity=number_unless_zero(row.ask_qty),
        open_time=ns_of_ms(row.open_time),
        close_time=ns_of_ms(row.close_time),
        first_trade_id=TradeId(str(row.first_id)) if has_traded else None,
        last_trade_id=TradeId(str(row.last_id)) if has_traded else None,
        trade_count=row.count,
    )


def _book_ticker(symbol: str, row: _BookTicker, received_at: int) -> BookTicker:
    return BookTicker(
        EXCHANGE,
        symbol,
        number_unless_zero(row.bid_price),
        number_unless_zero(row.bid_qty),
        number_unless_zero(row.ask_price),
        number_unless_zero(row.ask_qty),
        0,
        None,
        received_at,
    )


def _optional(read: Callable[[str], Value], text: str | None) -> Value | None:
    return None if text is None else read(text)
