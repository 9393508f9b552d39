"""Events of a raw stream connection, which has no envelope that names their stream (Binance: 8.1, 8.3).

What an event is about is told by its kind and its symbol alone. A partial book names neither, and a slow book and
candles of another offset look like the usual ones, so those do not come this way.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

import msgspec

from exconn_sync.errors import ValidationError
from exconn_sync.exchanges.binance import parse_ws, streams
from exconn_sync.exchanges.binance.endpoints import EXCHANGE
from exconn_sync.exchanges.decoding import MALFORMED, protocol_error
from exconn_sync.model.enums import Channel
from exconn_sync.model.wire import Topic, Unrecognized
from exconn_sync.ports.driver import Control, Decode, Emit

CHANNELS = streams.CHANNELS - {Channel.PARTIAL_BOOK}

_SUFFIXES: Mapping[str | None, str] = {
    "trade": "@trade",
    "aggTrade": "@aggTrade",
    "depthUpdate": "@depth@100ms",
    "24hrMiniTicker": "@miniTicker",
    "24hrTicker": "@ticker",
    "1hTicker": "@ticker_1h",
    "4hTicker": "@ticker_4h",
    "1dTicker": "@ticker_1d",
    "avgPrice": "@avgPrice",
    "kline": "@kline_",
    # It does not say what it is, and is known by its update id.
    None: "@bookTicker",
}
_BEFORE, _AFTER = b'{"stream":"","data":', b"}"
_ADVICE = "the stream URL without /ws has it"


class _Interval(msgspec.Struct, gc=False):
    i: str


class _Event(msgspec.Struct, gc=False):
    e: str | None = None
    s: str | None = None
    u: int | None = None
    k: _Interval | None = None


_EVENT = msgspec.json.Decoder(_Event).decode


def topic_of_event(frame: bytes) -> str | None:
    """Return the stream that an event can only be of; None for any other frame."""
    try:
        event = _EVENT(frame)
    except MALFORMED:
        return None  # whoever reads it as a control frame says what is wrong with it
    if event.s is None or (event.e is None and event.u is None):
        return None
    return _stream_of(event.e, event.s, None if event.k is None else event.k.i)


@lru_cache(maxsize=16_384)
def _stream_of(kind: str | None, symbol: str, interval: str | None) -> str | None:
    suffix = _SUFFIXES.get(kind)
    if suffix is None or (kind == "kline") is not (interval is not None):
        return None
    return symbol.lower() + suffix + (interval or "")


def parse_control(frame: bytes) -> Control:
    """Read a frame that belongs to no stream.

    Raises:
        ProtocolError: as on other connections; also for an event of a known kind that does not say what it is about.
    """
    control = parse_ws.parse_control(frame)
    if isinstance(control, Unrecognized) and control.kind in _SUFFIXES:
        raise protocol_error(EXCHANGE, frame, f"a {control.kind} that does not say what it is about")
    return control


def variants_of(channel: Channel) -> tuple[str, ...]:
    """Return the variants of a channel that can be told apart, the usual one first."""
    return tuple(variant for variant in streams.variants_of(channel) if not _is_ambiguous(channel, variant))


def variant_of(channel: Channel, wanted: str) -> str:
    """Return a variant as topics have it; an empty one stands for the usual one.

    Raises:
        ValidationError: Binance has no such stream, or its events cannot be told from those of another one.
    """
    if channel is Channel.PARTIAL_BOOK:
        text = f"does not come over a raw stream connection, where it names no symbol; {_ADVICE}"
        raise ValidationError("channel", channel, text, exchange=EXCHANGE)
    variant = streams.variant_of(channel, wanted)
    if _is_ambiguous(channel, variant):
        text = f"cannot be told from the usual one on a raw stream connection; {_ADVICE}"
        raise ValidationError("variant", wanted, text, exchange=EXCHANGE)
    return variant


def _is_ambiguous(channel: Channel, variant: str) -> bool:
    return (channel is Channel.ORDER_BOOK and variant != "") or (channel is Channel.KLINE and "@" in variant)


def decoder(topic: Topic, *, microseconds: bool) -> Decode:
    """Return the decoder of a topic. Raises ValidationError."""
    variant_of(topic.channel, topic.variant)
    decode_enveloped = parse_ws.decoder(topic, microseconds=microseconds)

    def decode(frame: bytes, received_at: int, emit: Emit) -> None:
        # A frame gets its route by the symbol that it names, so that the envelope has nothing to add.
        decode_enveloped(_BEFORE + frame + _AFTER, received_at, emit)

    return decode
