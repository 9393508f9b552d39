"""Names of the public topics, and the variants in which they come (Bybit: 6.3, 6.5 to 6.7)."""

from __future__ import annotations

from collections.abc import Mapping

from exconn_sync.errors import ValidationError
from exconn_sync.exchanges.bybit.endpoints import EXCHANGE
from exconn_sync.exchanges.bybit.words import INTERVALS
from exconn_sync.model.enums import Channel
from exconn_sync.model.instrument import Instrument
from exconn_sync.model.wire import Topic

_TOPICS: Mapping[Channel, Mapping[str, str]] = {
    Channel.TRADE: {"": "publicTrade"},
    # A book of one level, whole each time: best bid and ask, which the ticker of spot lacks (Bybit: 10.12).
    Channel.BOOK_TICKER: {"": "orderbook.1"},
    Channel.ORDER_BOOK: {"": "orderbook.200", "50": "orderbook.50", "1000": "orderbook.1000"},
    Channel.KLINE: {interval: f"kline.{word}" for interval, word in INTERVALS.items()},
    Channel.TICKER: {"24h": "tickers"},
}
# A topic has one spelling only. Each number of levels has a pace of its own, so that either tells the other.
_ALIASES: Mapping[Channel, Mapping[str, str]] = {
    Channel.ORDER_BOOK: {
        "200": "", "100ms": "", "200@100ms": "", "20ms": "50", "50@20ms": "50", "200ms": "1000", "1000@200ms": "1000",
    },
}  # fmt: skip
_DEFAULTS = {Channel.KLINE: "1m", Channel.TICKER: "24h"}
_WORDS = {Channel.KLINE: "interval", Channel.TICKER: "window"}
_BOOKS = "50 levels every 20 ms, 200 every 100 ms, 1000 every 200 ms"

CHANNELS = frozenset(_TOPICS)


def variants_of(channel: Channel) -> tuple[str, ...]:
    """Return the variants of a channel as topics have them, the usual one first."""
    offered = _TOPICS[channel]
    usual = _DEFAULTS.get(channel, "")
    return (usual, *(variant for variant in offered if variant != usual))


def variant_of(channel: Channel, wanted: str) -> str:
    """Return a variant as topics have it; an empty one stands for the usual one.

    Raises:
        ValidationError: Bybit has no public topic for the channel, or not in this variant.
    """
    offered = _TOPICS.get(channel)
    if offered is None:
        raise ValidationError("channel", channel, "is not a public stream of bybit", exchange=EXCHANGE)
    if not wanted:
        return _DEFAULTS.get(channel, "")
    spelling = _ALIASES.get(channel, {}).get(wanted, wanted)
    if spelling not in offered:
        raise _not_offered(channel, wanted, offered)
    return spelling


def _not_offered(channel: Channel, wanted: str, offered: Mapping[str, str]) -> ValidationError:
    field, known = _WORDS.get(channel, "variant"), ", ".join(offered) if any(offered) else "none"
    if channel is Channel.ORDER_BOOK:
        field, known = "book_interval_ms" if wanted.endswith("ms") else "book_levels", _BOOKS
    return ValidationError(field, wanted, f"must be one of {known}", exchange=EXCHANGE)


def topic_name(topic: Topic, instrument: Instrument) -> str:
    """Return the name of a topic.

    Raises:
        ValidationError: Bybit has no such public topic.
    """
    variant = variant_of(topic.channel, topic.variant)
    return f"{_TOPICS[topic.channel][variant]}.{instrument.exchange_symbol}"


def has_numbers_of_rest(topic: Topic) -> bool:
    """Return whether a book is numbered as the snapshots of REST are: only the deepest is (Bybit: 4.3)."""
    return topic.channel is Channel.ORDER_BOOK and topic.variant == "1000"
