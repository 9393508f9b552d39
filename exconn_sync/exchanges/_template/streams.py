"""Names of the public topics, and the variants in which they come.

Look up: the name of each topic. A channel with variants (intervals of candles, depths of books) has one entry a
variant; the first one is the usual one, and an empty text stands for the only one.
"""

from __future__ import annotations

from collections.abc import Mapping

from exconn_sync.exchanges._template.not_offered import refusal
from exconn_sync.model.enums import Channel
from exconn_sync.model.instrument import Instrument
from exconn_sync.model.wire import Topic

_TOPICS: Mapping[Channel, Mapping[str, str]] = {
    Channel.TRADE: {"": "trades"},
    Channel.BOOK_TICKER: {"": "best"},
    Channel.ORDER_BOOK: {"": "book"},
}

CHANNELS = frozenset(_TOPICS)


def variants_of(channel: Channel) -> tuple[str, ...]:
    """Return the variants of a channel, the usual one first."""
    return tuple(_TOPICS[channel])


def variant_of(channel: Channel, wanted: str) -> str:
    """Return a variant as topics have it; an empty one stands for the usual one.

    Raises:
        ValidationError: there is no public topic for the channel, or not in this variant.
    """
    offered = _TOPICS.get(channel)
    if offered is None:
        raise refusal("channel", channel, "is not a public stream of this exchange")
    variant = wanted or next(iter(offered))
    if variant not in offered:
        known = ", ".join(name for name in offered if name) or "none"
        raise refusal("variant", wanted, f"must be one of {known}")
    return variant


def topic_name(topic: Topic, instrument: Instrument) -> str:
    """Return the exchange's name of a topic. Raises ValidationError."""
    return f"{_TOPICS[topic.channel][variant_of(topic.channel, topic.variant)]}.{instrument.exchange_symbol}"
