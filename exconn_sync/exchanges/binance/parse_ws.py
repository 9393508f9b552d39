"""Frames of market streams: the hot path, and the control frames beside it (Binance: 8)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, cast

import msgspec

from exconn_sync.exchanges.binance import parse_streams
from exconn_sync.exchanges.binance.endpoints import EXCHANGE
from exconn_sync.exchanges.binance.frame_subject import subject_of
from exconn_sync.exchanges.binance.streams import variant_of
from exconn_sync.exchanges.decoding import MALFORMED, clean_text, protocol_error, read_any
from exconn_sync.exchanges.frame_topics import topic_finder
from exconn_sync.exchanges.wire_numbers import NS_PER_MS, NS_PER_US, number
from exconn_sync.model.enums import Channel, Side
from exconn_sync.model.ids import TradeId
from exconn_sync.model.market import BookDiff, BookTicker, Row, Trade
from exconn_sync.model.wire import ServerNotice, SubscriptionReply, Topic, Unrecognized
from exconn_sync.ports.driver import Control, Decode, Emit

_START = b'{"stream":"'
_SHUTDOWN_STREAM = "!serverShutdown"
SHUTDOWN_EVENT = "serverShutdown"


class _Trade(
    msgspec.Struct,
    gc=False,
    tag_field="e",
    tag="trade",
    rename={"trade_id": "t", "price": "p", "quantity": "q", "trade_time": "T", "buyer_is_maker": "m", "symbol": "s"},
):
    trade_id: int
    price: str
    quantity: str
    trade_time: int
    buyer_is_maker: bool
    symbol: str | None = None


class _BookTicker(
    msgspec.Struct,
    gc=False,
    rename={
        "update_id": "u",
        "bid_price": "b",
        "bid_quantity": "B",
        "ask_price": "a",
        "ask_quantity": "A",
        "symbol": "s",
    },
):
    update_id: int
    bid_price: str
    bid_quantity: str
    ask_price: str
    ask_quantity: str
    symbol: str | None = None


class _Depth(
    msgspec.Struct,
    tag_field="e",
    tag="depthUpdate",
    rename={"event_time": "E", "first_id": "U", "last_id": "u", "bids": "b", "asks": "a", "symbol": "s"},
):
    event_time: int
    first_id: int
    last_id: int
    bids: list[Row]
    asks: list[Row]
    symbol: str | None = None


class _TradeFrame(msgspec.Struct, gc=False):
    data: _Trade


class _BookTickerFrame(msgspec.Struct, gc=False):
    data: _BookTicker


class _DepthFrame(msgspec.Struct):
    data: _Depth


class _StreamName(msgspec.Struct):
    stream: str


# A member of an enum is looked up in several steps before Python 3.12.
_BUY, _SELL = Side.BUY, Side.SELL

# ``TradeId(str(x))`` would call a Python function for each trade only to please the type checker.
_trade_id = cast("Callable[[int], TradeId]", str)

_TRADE = msgspec.json.Decoder(_TradeFrame).decode
_BOOK_TICKER = msgspec.json.Decoder(_BookTickerFrame).decode
_DEPTH = msgspec.json.Decoder(_DepthFrame).decode
_STREAM_NAME = msgspec.json.Decoder(_StreamName).decode


def _decoded_topic(frame: bytes) -> str | None:
    try:
        text = _STREAM_NAME(frame).stream
    except MALFORMED:
        return None  # not a data frame: whoever reads it as a control frame says what is wrong with it
    return None if text == _SHUTDOWN_STREAM else text


topic_of_frame = topic_finder(_START, _decoded_topic)
"""Return the topic that a frame belongs to, by its first bytes."""


def trade_decoder(topic: Topic, unit_ns: int) -> Decode:
    """Return the decoder of ``<symbol>@trade``; old frames with the order ids ``a`` and ``b`` are understood too."""
    symbol = topic.symbol
    subject: str | None = None

    def decode(frame: bytes, received_at: int, emit: Emit) -> None:
        nonlocal subject
        try:
            data = _TRADE(frame).data
            if data.symbol != subject:
                subject = subject_of(frame, data.symbol)
            event = Trade(
                EXCHANGE,
                symbol,
                _trade_id(data.trade_id),
                number(data.price),
                number(data.quantity),
                _SELL if data.buyer_is_maker else _BUY,
                data.trade_time * unit_ns,
                received_at,
            )
        except MALFORMED as error:
            raise protocol_error(EXCHANGE, frame, error) from error
        emit(event)

    return decode


def book_ticker_decoder(topic: Topic, unit_ns: int) -> Decode:  # noqa: ARG001 - it carries no time
    """Return the decoder of ``<symbol>@bookTicker``, which carries no time."""
    symbol = topic.symbol
    subject: str | None = None

    def decode(frame: bytes, received_at: int, emit: Emit) -> None:
        nonlocal subject
        try:
            data = _BOOK_TICKER(frame).data
            if data.symbol != subject:
                subject = subject_of(frame, data.symbol)
            event = BookTicker(
                EXCHANGE,
                symbol,
                # Zeros stand for an empty side of the book.
                number(data.bid_price) or None,
                number(data.bid_quantity) or None,
                number(data.ask_price) or None,
                number(data.ask_quantity) or None,
                data.update_id,
                None,
                received_at,
            )
        except MALFORMED as error:
            raise protocol_error(EXCHANGE, frame, error) from error
        emit(event)

    return decode


def depth_decoder(topic: Topic, unit_ns: int) -> Decode:
    """Return the decoder of ``<symbol>@depth`` at either speed; its levels stay text."""
    symbol = topic.symbol
    subject: str | None = None

    def decode(frame: bytes, received_at: int, emit: Emit) -> None:
        nonlocal subject
        try:
            data = _DEPTH(frame).data
            if data.symbol != subject:
                subject = subject_of(frame, data.symbol)
        except MALFORMED as error:
            raise protocol_error(EXCHANGE, frame, error) from error
        if not 0 < data.first_id <= data.last_id:  # fault F042
            raise protocol_error(EXCHANGE, frame, "the first update id is not before the last one")
        emit(
            BookDiff(
                EXCHANGE,
                symbol,
                data.first_id,
                data.last_id,
                data.bids,
                data.asks,
                data.event_time * unit_ns,
                received_at,
            )
        )

    return decode


_DECODERS: Mapping[Channel, Callable[[Topic, int], Decode]] = {
    Channel.TRADE: trade_decoder,
    Channel.BOOK_TICKER: book_ticker_decoder,
    Channel.ORDER_BOOK: depth_decoder,
    **parse_streams.DECODERS,
}


def decoder(topic: Topic, *, microseconds: bool) -> Decode:
    """Return the decoder of a topic.

    Raises:
        ValidationError: Binance has no such public stream.
    """
    variant = variant_of(topic.channel, topic.variant)
    unit_ns = NS_PER_US if microseconds else NS_PER_MS
    return _DECODERS[topic.channel](replace(topic, variant=variant), unit_ns)


def parse_control(frame: bytes) -> Control:
    """Read a frame that belongs to no stream: answers are not wrapped, announcements may be (Binance: 8.1, 8.2).

    Raises:
        ProtocolError: not JSON, or not an object (fault F033).
    """
    wire = read_any(EXCHANGE, frame)
    if not isinstance(wire, dict):
        raise protocol_error(EXCHANGE, frame, f"a {type(wire).__name__} stands where an object is due")
    event = wire.get("data") if "stream" in wire else wire
    if isinstance(event, dict) and event.get("e") == SHUTDOWN_EVENT:
        return ServerNotice("shutdown")
    return _reply(wire) or Unrecognized(_kind(wire))


def _reply(wire: dict[str, Any]) -> SubscriptionReply | None:
    stated = wire.get("id")
    request_id = stated if isinstance(stated, int) and not isinstance(stated, bool) else None
    error = wire.get("error", wire)
    if isinstance(error, dict) and "code" in error and "msg" in error:
        return SubscriptionReply(request_id or 0, clean_text(f"{error['code']}: {error['msg']}"))
    if request_id is None or "result" not in wire:
        return None
    result = wire["result"]
    if result is None:
        return SubscriptionReply(request_id)
    if isinstance(result, list) and all(isinstance(name, str) for name in result):
        return SubscriptionReply(request_id, names=tuple(result))
    return None


def _kind(wire: dict[str, Any]) -> str:
    named = wire.get("e") or wire.get("stream") or ",".join(sorted(wire))
    return clean_text(str(named))
