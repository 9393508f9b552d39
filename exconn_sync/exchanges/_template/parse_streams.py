"""Frames of the public topics: the hot path.

Each decoder is made for one topic. All values of a frame are built before the first is emitted: a malformed frame
emits nothing. Levels of books stay text: most are never read.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import msgspec

from exconn_sync.exchanges._template.endpoints import EXCHANGE
from exconn_sync.exchanges._template.parse_market import BestRow, TradeRow, best_of, trade_of
from exconn_sync.exchanges.decoding import MALFORMED, protocol_error
from exconn_sync.exchanges.wire_numbers import ns_of_ms
from exconn_sync.model.enums import Channel
from exconn_sync.model.market import BookDiff, BookSnapshot, MarketEvent, Row
from exconn_sync.model.wire import Topic
from exconn_sync.ports.driver import Decode, Emit


class _Trades(msgspec.Struct):
    data: list[TradeRow]


class _Best(msgspec.Struct):
    data: BestRow


class _BookData(msgspec.Struct):
    whole: bool
    number: int
    time_ms: int
    bids: list[Row]
    asks: list[Row]


class _Book(msgspec.Struct):
    data: _BookData


_TRADES = msgspec.json.Decoder(_Trades).decode
_BEST = msgspec.json.Decoder(_Best).decode
_BOOK = msgspec.json.Decoder(_Book).decode


def _trades(symbol: str, frame: bytes, received_at: int) -> list[MarketEvent]:
    return [trade_of(row, symbol, received_at) for row in _TRADES(frame).data]


def _best(symbol: str, frame: bytes, received_at: int) -> list[MarketEvent]:
    return [best_of(_BEST(frame).data, symbol, received_at)]


def _book(symbol: str, frame: bytes, received_at: int) -> list[MarketEvent]:
    data = _BOOK(frame).data
    if data.number <= 0:  # fault F042
        raise ValueError("a number of a book is not positive")
    at = ns_of_ms(data.time_ms)
    if data.whole:
        return [BookSnapshot(EXCHANGE, symbol, data.number, data.bids, data.asks, received_at, at)]
    return [BookDiff(EXCHANGE, symbol, data.number, data.number, data.bids, data.asks, at, received_at)]


_BUILDERS: Mapping[Channel, Callable[[str, bytes, int], list[MarketEvent]]] = {
    Channel.TRADE: _trades,
    Channel.BOOK_TICKER: _best,
    Channel.ORDER_BOOK: _book,
}


def decoder_of(topic: Topic) -> Decode:
    """Return the decoder of a topic whose channel is offered."""
    symbol, build = topic.symbol, _BUILDERS[topic.channel]

    def decode(frame: bytes, received_at: int, emit: Emit) -> None:
        try:
            events = build(symbol, frame, received_at)
        except MALFORMED as error:
            raise protocol_error(EXCHANGE, frame, error) from error
        for event in events:
            emit(event)

    return decode
