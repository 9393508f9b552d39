"""Answers about public data (Bybit: 4.1 to 4.6)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import TypeVar

import msgspec

from exconn_sync.exchanges.bybit.candles import end_ms
from exconn_sync.exchanges.bybit.encode_market import DAY_WINDOW
from exconn_sync.exchanges.bybit.endpoints import EXCHANGE
from exconn_sync.exchanges.bybit.envelope import Envelope, EnvelopeReader, Rows
from exconn_sync.exchanges.bybit.words import known_side_of
from exconn_sync.exchanges.wire_numbers import ns_of_ms, number, optional_ns_of_ms, signed_number
from exconn_sync.model.ids import TradeId
from exconn_sync.model.instrument import Instrument, Instruments
from exconn_sync.model.market import BookSnapshot, BookTicker, Row, Trade
from exconn_sync.model.market_statistics import Kline, Ticker
from exconn_sync.model.numbers import EXACT, ZERO
from exconn_sync.model.wire import HttpResponse, Params

Value = TypeVar("Value")

_NANOS = 19
_MILLIS = 13


class _Time(msgspec.Struct, rename="camel"):
    time_nano: str


class _Book(msgspec.Struct, rename={"bids": "b", "asks": "a", "update_id": "u", "matched_at": "cts"}):
    bids: list[Row]
    asks: list[Row]
    update_id: int
    ts: int
    matched_at: int | None = None


class _Trade(msgspec.Struct, rename="camel"):
    exec_id: str
    price: str
    size: str
    side: str
    time: str
    seq: str = "0"


class _Candle(msgspec.Struct, array_like=True):
    start: str
    open: str
    high: str
    low: str
    close: str
    volume: str
    turnover: str


class _Ticker(
    msgspec.Struct,
    rename={
        "bid_price": "bid1Price", "bid_size": "bid1Size", "ask_price": "ask1Price", "ask_size": "ask1Size",
        "last": "lastPrice", "open": "prevPrice24h", "change": "price24hPcnt", "high": "highPrice24h",
        "low": "lowPrice24h", "turnover": "turnover24h", "volume": "volume24h",
    },
):  # fmt: skip
    symbol: str
    bid_price: str
    bid_size: str
    ask_price: str
    ask_size: str
    last: str
    open: str
    change: str
    high: str
    low: str
    turnover: str
    volume: str


_TIME = EnvelopeReader(_Time)
_BOOK = EnvelopeReader(_Book)
_TRADES = EnvelopeReader(Rows[_Trade])
_CANDLES = EnvelopeReader(Rows[_Candle])
_TICKERS = EnvelopeReader(Rows[_Ticker])
_ANY_ROWS = EnvelopeReader(Rows[msgspec.Raw])


def parse_ping(response: HttpResponse) -> None:
    """Read the clock, whose answer proves that the exchange answers. Raises ProtocolError."""
    parse_time(response)


def parse_time(response: HttpResponse) -> int:
    """Read the exchange's clock, in nanoseconds. Raises ProtocolError."""
    return _TIME.read(response.body, lambda wire: _whole(wire.result.time_nano, _NANOS))


def parse_order_book(instrument: Instrument, response: HttpResponse) -> BookSnapshot:
    """Read a snapshot; its numbers are those of the stream with 1,000 levels. Raises ProtocolError."""

    def build(wire: Envelope[_Book]) -> BookSnapshot:
        book = wire.result
        at_ms = book.ts if book.matched_at is None else book.matched_at
        return BookSnapshot(
            EXCHANGE, instrument.symbol, book.update_id, book.bids, book.asks, response.received_at, ns_of_ms(at_ms)
        )

    return _BOOK.read(response.body, build)


def parse_trades(instrument: Instrument, response: HttpResponse) -> list[Trade]:
    """Read public trades, oldest first, whatever order they came in. Raises ProtocolError."""

    def build(wire: Envelope[Rows[_Trade]]) -> list[Trade]:
        # The newest come first; those of one moment and one number keep their order, turned round.
        timed = [(_whole(row.time, _MILLIS), _sequence(row.seq), row) for row in reversed(wire.result.rows)]
        timed.sort(key=lambda item: item[:2])
        return [_trade(instrument.symbol, row, at_ms, response.received_at) for at_ms, _, row in timed]

    return _TRADES.read(response.body, build)


def parse_klines(instrument: Instrument, interval: str, now: int, response: HttpResponse) -> list[Kline]:
    """Read candles, oldest first.

    REST does not say which of them is over. One is, where another follows it, or where the exchange's clock was past
    its end before the question was asked: ``now`` is that time, in nanoseconds. Raises ProtocolError.
    """

    def build(wire: Envelope[Rows[_Candle]]) -> list[Kline]:
        timed = sorted(((_whole(row.start, _MILLIS), row) for row in wire.result.rows), key=lambda item: item[0])
        last = len(timed) - 1
        at = optional_ns_of_ms(wire.time)
        found = []
        for index, (start_ms, row) in enumerate(timed):
            last_ms = end_ms(interval, start_ms)
            is_closed = index < last or ns_of_ms(last_ms + 1) <= now
            times = (ns_of_ms(start_ms), ns_of_ms(last_ms), at, response.received_at)
            found.append(_kline(instrument.symbol, interval, row, times, is_closed=is_closed))
        return found

    return _CANDLES.read(response.body, build)


def parse_tickers(
    chosen: Sequence[Instrument] | None, instruments: Instruments, response: HttpResponse
) -> list[Ticker]:
    """Read the tickers of the chosen symbols or of all that were ever traded. Raises ProtocolError."""

    def value(symbol: str, row: _Ticker, at: int | None) -> Ticker:
        return _ticker(symbol, row, at, response.received_at)

    return _TICKERS.read(response.body, _of_symbols(chosen, instruments, value))


def parse_book_tickers(
    chosen: Sequence[Instrument] | None, instruments: Instruments, response: HttpResponse
) -> list[BookTicker]:
    """Read best bids and asks of the chosen symbols or of all. Raises ProtocolError."""

    def value(symbol: str, row: _Ticker, at: int | None) -> BookTicker:
        prices = (row.bid_price, row.bid_size, row.ask_price, row.ask_size)
        bid, bid_size, ask, ask_size = (_side(text) for text in prices)
        return BookTicker(EXCHANGE, symbol, bid, bid_size, ask, ask_size, 0, at, response.received_at)

    return _TICKERS.read(response.body, _of_symbols(chosen, instruments, value))


def next_page(params: Params) -> Callable[[HttpResponse], Params | None]:
    """Return what tells from an answer to a question with these parameters how to ask for the page after it.

    The last page has an empty cursor; an empty page is the last one too (Bybit: 2.7).
    """

    def following(response: HttpResponse) -> Params | None:
        result = _ANY_ROWS.read(response.body, lambda wire: wire.result)
        if not result.next_page_cursor or not result.rows:
            return None
        return (*(pair for pair in params if pair[0] != "cursor"), ("cursor", result.next_page_cursor))

    return following


def percent(fraction: str) -> Decimal:
    """Return a fraction in per cent, exactly.

    Raises:
        ValueError: not plain decimal text.
    """
    return EXACT.scaleb(signed_number(fraction), 2) or ZERO


def _of_symbols(
    chosen: Sequence[Instrument] | None,
    instruments: Instruments,
    value_of: Callable[[str, _Ticker, int | None], Value],
) -> Callable[[Envelope[Rows[_Ticker]]], list[Value]]:
    """Return what makes values of the rows: one for each chosen symbol, or one a row.

    Where all were asked for, those that were never traded are left out: they have no prices.
    """

    def build(wire: Envelope[Rows[_Ticker]]) -> list[Value]:
        at = optional_ns_of_ms(wire.time)
        if chosen is None:
            traded = (row for row in wire.result.rows if row.last and row.open)
            return [value_of(instruments.canonical(row.symbol), row, at) for row in traded]
        rows = {row.symbol: row for row in wire.result.rows}
        if any(each.exchange_symbol not in rows for each in chosen):
            raise ValueError("the answer is not about the symbol that was asked for")
        return [value_of(each.symbol, rows[each.exchange_symbol], at) for each in chosen]

    return build


def _trade(symbol: str, row: _Trade, at_ms: int, received_at: int) -> Trade:
    return Trade(
        EXCHANGE,
        symbol,
        TradeId(row.exec_id),
        number(row.price),
        number(row.size),
        known_side_of(row.side),
        ns_of_ms(at_ms),
        received_at,
    )


def _kline(
    symbol: str, interval: str, row: _Candle, times: tuple[int, int, int | None, int], *, is_closed: bool
) -> Kline:
    start, end, at, received_at = times
    return Kline(
        exchange=EXCHANGE,
        symbol=symbol,
        interval=interval,
        open_time=start,
        close_time=end,
        open=number(row.open),
        high=number(row.high),
        low=number(row.low),
        close=number(row.close),
        volume=number(row.volume),
        quote_volume=number(row.turnover),
        trade_count=None,
        taker_buy_volume=None,
        taker_buy_quote_volume=None,
        is_closed=is_closed,
        exchange_time=at,
        received_at=received_at,
    )


def _ticker(symbol: str, row: _Ticker, at: int | None, received_at: int) -> Ticker:
    return Ticker(
        exchange=EXCHANGE,
        symbol=symbol,
        window=DAY_WINDOW,
        open=number(row.open),
        high=number(row.high),
        low=number(row.low),
        last=number(row.last),
        volume=number(row.volume),
        quote_volume=number(row.turnover),
        exchange_time=at,
        received_at=received_at,
        price_change_percent=percent(row.change),
        bid_price=_side(row.bid_price) or None,
        bid_quantity=_side(row.bid_size) or None,
        ask_price=_side(row.ask_price) or None,
        ask_quantity=_side(row.ask_size) or None,
    )


def _side(text: str) -> Decimal | None:
    """Return a best price or its quantity; None for the empty text or zero that stands for an empty side."""
    return (number(text) or None) if text else None


def _whole(text: str, digits: int) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) == digits):
        raise ValueError(f"a time is not a number of {digits} digits")
    return int(text)


def _sequence(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) <= _NANOS):
        raise ValueError("a sequence number is no number")
    return int(text)
