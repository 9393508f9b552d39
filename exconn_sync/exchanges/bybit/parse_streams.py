"""Frames of the public topics: the hot path (Bybit: 6.3, 6.5 to 6.7).

Each decoder is made for one topic. All values of a frame are built before the first is emitted: a malformed frame
emits nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal

import msgspec

from exconn_sync.exchanges.bybit.encode_market import DAY_WINDOW
from exconn_sync.exchanges.bybit.endpoints import EXCHANGE
from exconn_sync.exchanges.bybit.parse_market import percent
from exconn_sync.exchanges.decoding import MALFORMED, protocol_error
from exconn_sync.exchanges.wire_numbers import NS_PER_MS, fresh_number, number
from exconn_sync.model.enums import Channel, Side
from exconn_sync.model.ids import TradeId
from exconn_sync.model.market import BookDiff, BookSnapshot, BookTicker, Row, Trade
from exconn_sync.model.market_statistics import Kline, Ticker
from exconn_sync.model.wire import Topic
from exconn_sync.ports.driver import Decode, Emit

RESTARTED = 1
"""The number with which a book begins anew after a restart; whatever the frame says, it is whole (Bybit: 6.3)."""


class _Trade(
    msgspec.Struct,
    gc=False,
    rename={"trade_id": "i", "price": "p", "quantity": "v", "side": "S", "trade_time": "T"},
):
    trade_id: TradeId
    price: str
    quantity: str
    side: Literal["Buy", "Sell"]
    trade_time: int


class _Trades(msgspec.Struct):
    data: list[_Trade]


class _Levels(msgspec.Struct, rename={"bids": "b", "asks": "a", "update_id": "u"}):
    bids: list[Row]
    asks: list[Row]
    update_id: int


class _Book(msgspec.Struct, rename={"kind": "type"}):
    kind: Literal["snapshot", "delta"]
    data: _Levels
    ts: int
    cts: int = 0


class _TickerData(
    msgspec.Struct,
    gc=False,
    rename={
        "last": "lastPrice", "high": "highPrice24h", "low": "lowPrice24h", "open": "prevPrice24h",
        "volume": "volume24h", "turnover": "turnover24h", "change": "price24hPcnt",
    },
):  # fmt: skip
    last: str
    high: str
    low: str
    open: str
    volume: str
    turnover: str
    change: str


class _TickerFrame(msgspec.Struct, gc=False):
    data: _TickerData
    ts: int


class _Candle(msgspec.Struct, gc=False):
    start: int
    end: int
    open: str
    close: str
    high: str
    low: str
    volume: str
    turnover: str
    confirm: bool


class _Candles(msgspec.Struct):
    data: list[_Candle]
    ts: int


# A member of an enum is looked up in several steps before Python 3.12.
_BUY, _SELL = Side.BUY, Side.SELL

_TRADES = msgspec.json.Decoder(_Trades).decode
_BOOK = msgspec.json.Decoder(_Book).decode
_TICKER = msgspec.json.Decoder(_TickerFrame).decode
_CANDLES = msgspec.json.Decoder(_Candles).decode


def trade_decoder(topic: Topic) -> Decode:
    """Return the decoder of ``publicTrade.<symbol>``, of which a frame holds up to 1,024 trades, oldest first."""
    symbol = topic.symbol

    def decode(frame: bytes, received_at: int, emit: Emit) -> None:
        try:
            trades = [
                Trade(
                    EXCHANGE,
                    symbol,
                    data.trade_id,
                    number(data.price),
                    number(data.quantity),
                    _BUY if data.side == "Buy" else _SELL,
                    data.trade_time * NS_PER_MS,
                    received_at,
                )
                for data in _TRADES(frame).data
            ]
        except MALFORMED as error:
            raise protocol_error(EXCHANGE, frame, error) from error
        for trade in trades:
            emit(trade)

    return decode


def best_decoder(topic: Topic) -> Decode:
    """Return the decoder of ``orderbook.1.<symbol>``: the best levels, told again after three quiet seconds."""
    symbol = topic.symbol

    def decode(frame: bytes, received_at: int, emit: Emit) -> None:
        try:
            wire = _BOOK(frame)
            data = wire.data
            bid, ask = data.bids[0] if data.bids else _NO_LEVEL, data.asks[0] if data.asks else _NO_LEVEL
            # After a restart of the exchange a book is whole, whatever it is called (Bybit: 6.3, rule 3).
            is_whole = wire.kind == "snapshot" or data.update_id == RESTARTED
            if not is_whole or data.update_id <= 0:  # fault F042
                raise ValueError("a book of one level is neither whole nor numbered")
            event = BookTicker(
                EXCHANGE,
                symbol,
                number(bid[0]) or None,
                number(bid[1]) or None,
                number(ask[0]) or None,
                number(ask[1]) or None,
                data.update_id,
                (wire.cts or wire.ts) * NS_PER_MS,
                received_at,
            )
        except MALFORMED as error:
            raise protocol_error(EXCHANGE, frame, error) from error
        emit(event)

    return decode


def book_decoder(topic: Topic) -> Decode:
    """Return the decoder of ``orderbook.<levels>.<symbol>``: a snapshot or a change of it; its levels stay text."""
    symbol = topic.symbol

    def decode(frame: bytes, received_at: int, emit: Emit) -> None:
        try:
            wire = _BOOK(frame)
        except MALFORMED as error:
            raise protocol_error(EXCHANGE, frame, error) from error
        data = wire.data
        update_id = data.update_id
        if update_id <= 0:  # fault F042
            raise protocol_error(EXCHANGE, frame, "an update id is not positive")
        at = (wire.cts or wire.ts) * NS_PER_MS
        if wire.kind == "snapshot" or update_id == RESTARTED:
            emit(BookSnapshot(EXCHANGE, symbol, update_id, data.bids, data.asks, received_at, at))
        else:
            emit(BookDiff(EXCHANGE, symbol, update_id, update_id, data.bids, data.asks, at, received_at))

    return decode


def ticker_decoder(topic: Topic) -> Decode:
    """Return the decoder of ``tickers.<symbol>``, which for spot is whole each time and has no best prices."""
    symbol = topic.symbol

    def decode(frame: bytes, received_at: int, emit: Emit) -> None:
        try:
            wire = _TICKER(frame)
            data = wire.data
            event = Ticker(
                EXCHANGE,
                symbol,
                DAY_WINDOW,
                number(data.open),
                number(data.high),
                number(data.low),
                number(data.last),
                fresh_number(data.volume),
                fresh_number(data.turnover),
                wire.ts * NS_PER_MS,
                received_at,
                price_change_percent=percent(data.change),
            )
        except MALFORMED as error:
            raise protocol_error(EXCHANGE, frame, error) from error
        emit(event)

    return decode


def kline_decoder(topic: Topic) -> Decode:
    """Return the decoder of ``kline.<interval>.<symbol>``; a frame may hold the end of a candle and its successor."""
    symbol, interval = topic.symbol, topic.variant

    def candle(data: _Candle, ts: int, received_at: int) -> Kline:
        if data.end < data.start:
            raise ValueError("a candle ends before it begins")
        return Kline(
            EXCHANGE,
            symbol,
            interval,
            data.start * NS_PER_MS,
            data.end * NS_PER_MS,
            number(data.open),
            number(data.high),
            number(data.low),
            number(data.close),
            fresh_number(data.volume),
            fresh_number(data.turnover),
            None,
            None,
            None,
            data.confirm,
            ts * NS_PER_MS,
            received_at,
        )

    def decode(frame: bytes, received_at: int, emit: Emit) -> None:
        try:
            wire = _CANDLES(frame)
            candles = [candle(data, wire.ts, received_at) for data in wire.data]
        except MALFORMED as error:
            raise protocol_error(EXCHANGE, frame, error) from error
        for each in candles:
            emit(each)

    return decode


_NO_LEVEL: Row = ("0", "0")

DECODERS: Mapping[Channel, Callable[[Topic], Decode]] = {
    Channel.TRADE: trade_decoder,
    Channel.BOOK_TICKER: best_decoder,
    Channel.ORDER_BOOK: book_decoder,
    Channel.TICKER: ticker_decoder,
    Channel.KLINE: kline_decoder,
}
