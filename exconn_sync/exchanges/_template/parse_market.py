"""Answers about public data.

Look up: in which order rows come (ours are oldest first), the unit of times, what an empty side of a book looks like.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

import msgspec

from exconn_sync.exchanges._template.endpoints import EXCHANGE
from exconn_sync.exchanges._template.words import known_side_of
from exconn_sync.exchanges.decoding import Reader
from exconn_sync.exchanges.wire_numbers import ns_of_ms, number
from exconn_sync.model.ids import TradeId
from exconn_sync.model.instrument import Instrument, Instruments
from exconn_sync.model.market import BookSnapshot, BookTicker, Row, Trade
from exconn_sync.model.wire import HttpResponse


class _Time(msgspec.Struct):
    time_ms: int


class _Book(msgspec.Struct):
    number: int
    time_ms: int
    bids: list[Row]
    asks: list[Row]


class TradeRow(msgspec.Struct):
    """A public trade, in answers and in the stream; ``taker`` is the side that came last."""

    id: str
    price: str
    quantity: str
    taker: str
    time_ms: int


class BestRow(msgspec.Struct):
    """Best prices, in answers and in the stream; a side of which there is nothing is null."""

    symbol: str
    number: int
    time_ms: int
    bid: Row | None
    ask: Row | None


class _Trades(msgspec.Struct):
    trades: list[TradeRow]


class _Bests(msgspec.Struct):
    best: list[BestRow]


_TIME = Reader(EXCHANGE, _Time)
_BOOK = Reader(EXCHANGE, _Book)
_TRADES = Reader(EXCHANGE, _Trades)
_BESTS = Reader(EXCHANGE, _Bests)


def parse_ping(response: HttpResponse) -> None:
    """Read the clock, whose answer proves that the exchange answers. Raises ProtocolError."""
    parse_time(response)


def parse_time(response: HttpResponse) -> int:
    """Read the exchange's clock, in nanoseconds. Raises ProtocolError."""
    return _TIME.read(response.body, lambda wire: ns_of_ms(wire.time_ms))


def parse_order_book(instrument: Instrument, response: HttpResponse) -> BookSnapshot:
    """Read a snapshot; its levels stay text. Raises ProtocolError."""

    def build(wire: _Book) -> BookSnapshot:
        at = ns_of_ms(wire.time_ms)
        return BookSnapshot(
            EXCHANGE, instrument.symbol, wire.number, wire.bids, wire.asks, response.received_at, at
        )  # fmt: skip

    return _BOOK.read(response.body, build)


def parse_trades(instrument: Instrument, response: HttpResponse) -> list[Trade]:
    """Read public trades, which come oldest first. Raises ProtocolError."""
    return _TRADES.read(
        response.body, lambda wire: [trade_of(row, instrument.symbol, response.received_at) for row in wire.trades]
    )


def parse_book_tickers(
    chosen: Sequence[Instrument] | None, instruments: Instruments, response: HttpResponse
) -> list[BookTicker]:
    """Read best prices of the chosen symbols, or of all. Raises ProtocolError."""

    def build(wire: _Bests) -> list[BookTicker]:
        rows = {row.symbol: row for row in wire.best}
        if chosen is None:
            named = [(instruments.canonical(symbol), row) for symbol, row in rows.items()]
        elif any(each.exchange_symbol not in rows for each in chosen):
            raise ValueError("the answer is not about the symbol that was asked for")  # fault F084
        else:
            named = [(each.symbol, rows[each.exchange_symbol]) for each in chosen]
        return [best_of(row, symbol, response.received_at) for symbol, row in named]

    return _BESTS.read(response.body, build)


def trade_of(row: TradeRow, symbol: str, received_at: int) -> Trade:
    """Return the trade that a row is.

    Raises:
        ValueError: a number is malformed or the side unknown.
    """
    return Trade(
        EXCHANGE,
        symbol,
        TradeId(row.id),
        number(row.price),
        number(row.quantity),
        known_side_of(row.taker),
        ns_of_ms(row.time_ms),
        received_at,
    )


def best_of(row: BestRow, symbol: str, received_at: int) -> BookTicker:
    """Return the best prices that a row states.

    Raises:
        ValueError: a number is malformed.
    """
    bid, bid_quantity = _level(row.bid)
    ask, ask_quantity = _level(row.ask)
    at = ns_of_ms(row.time_ms)
    return BookTicker(EXCHANGE, symbol, bid, bid_quantity, ask, ask_quantity, row.number, at, received_at)


def _level(row: Row | None) -> tuple[Decimal | None, Decimal | None]:
    return (None, None) if row is None else (number(row[0]), number(row[1]))
