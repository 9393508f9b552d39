"""Names of the public streams, and the variants in which they come (Binance: 8.3)."""

from __future__ import annotations

from collections.abc import Mapping

from exconn_sync.errors import ValidationError
from exconn_sync.exchanges.binance.endpoints import EXCHANGE
from exconn_sync.model.enums import Channel
from exconn_sync.model.instrument import Instrument
from exconn_sync.model.wire import Topic

INTERVALS = ("1s", "1m", "3m", "5m", "15m", "30m", "1h", "2h", "4h", "6h", "8h", "12h", "1d", "3d", "1w", "1M")
"""Lengths of candles (Binance: 5.11)."""

OFFSET = "+08:00"
"""The one offset from UTC, other than none, to which candles are aligned."""

LEVELS = (5, 10, 20)
_FAST, _SLOW = "100ms", "1000ms"


def _kline_streams() -> dict[str, str]:
    plain = {interval: f"@kline_{interval}" for interval in INTERVALS}
    return plain | {f"{interval}@{OFFSET}": f"{name}@{OFFSET}" for interval, name in plain.items()}


def _partial_book_streams() -> dict[str, str]:
    fast = {str(levels): f"@depth{levels}@{_FAST}" for levels in LEVELS}
    return fast | {f"{levels}@{_SLOW}": f"@depth{levels}" for levels in LEVELS}


_STREAMS: Mapping[Channel, Mapping[str, str]] = {
    Channel.TRADE: {"": "@trade"},
    Channel.AGGREGATE_TRADE: {"": "@aggTrade"},
    Channel.BOOK_TICKER: {"": "@bookTicker"},
    Channel.ORDER_BOOK: {"": f"@depth@{_FAST}", _SLOW: "@depth"},
    Channel.PARTIAL_BOOK: _partial_book_streams(),
    Channel.KLINE: _kline_streams(),
    Channel.TICKER: {"24h": "@ticker", "1h": "@ticker_1h", "4h": "@ticker_4h", "1d": "@ticker_1d"},
    Channel.MINI_TICKER: {"": "@miniTicker"},
    Channel.AVERAGE_PRICE: {"": "@avgPrice"},
}
# A topic has one spelling only: what is said although it is usual is left out.
_ALIASES: Mapping[Channel, Mapping[str, str]] = {
    Channel.ORDER_BOOK: {_FAST: ""},
    Channel.PARTIAL_BOOK: {f"{levels}@{_FAST}": str(levels) for levels in LEVELS},
}
_DEFAULTS = {Channel.KLINE: "1m", Channel.TICKER: "24h", Channel.PARTIAL_BOOK: "20"}
_WORDS = {
    Channel.KLINE: "interval",
    Channel.TICKER: "window",
    Channel.PARTIAL_BOOK: "levels",
    Channel.ORDER_BOOK: "book_interval_ms",
}

CHANNELS = frozenset(_STREAMS)


def variants_of(channel: Channel) -> tuple[str, ...]:
    """Return the variants of a channel as topics have them, the usual one first."""
    usual = _DEFAULTS.get(channel, "")
    return (usual, *(variant for variant in _STREAMS[channel] if variant != usual))


def variant_of(channel: Channel, wanted: str) -> str:
    """Return a variant as topics have it; an empty one stands for the usual one.

    Raises:
        ValidationError: Binance has no public stream for the channel, or not in this variant.
    """
    offered = _offered(channel)
    if not wanted:
        return _DEFAULTS.get(channel, "")
    spelling = _ALIASES.get(channel, {}).get(wanted, wanted)
    if spelling not in offered:
        known = ", ".join(_spellings(channel)) or "none"
        raise ValidationError(_WORDS.get(channel, "variant"), wanted, f"must be one of {known}", exchange=EXCHANGE)
    return spelling


def stream_name(topic: Topic, instrument: Instrument) -> str:
    """Return the name of a market stream; symbols are in lower case there (Binance: 8.1).

    Raises:
        ValidationError: Binance has no such public stream.
    """
    variant = variant_of(topic.channel, topic.variant)
    return instrument.exchange_symbol.lower() + _STREAMS[topic.channel][variant]


def _spellings(channel: Channel) -> list[str]:
    """Return the variants as a user can name them: the usual one may have no name of its own but an alias."""
    usual = [alias for alias, spelling in _ALIASES.get(channel, {}).items() if not spelling]
    return usual + [variant for variant in _offered(channel) if variant]


def _offered(channel: Channel) -> Mapping[str, str]:
    offered = _STREAMS.get(channel)
    if offered is None:
        raise ValidationError("channel", channel, "is not a public stream of binance", exchange=EXCHANGE)
    return offered
