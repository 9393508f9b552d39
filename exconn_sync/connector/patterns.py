"""Topic patterns: ``channel.exchange.symbol`` or ``channel.exchange.symbol.variant``, each part possibly with ``*``."""

from __future__ import annotations

from typing import NamedTuple

from exconn_sync.errors import ValidationError
from exconn_sync.model.enums import Channel

ANY = "*"


class Pattern(NamedTuple):
    """The parts of a checked pattern."""

    channel: str
    exchange: str
    symbol: str
    variant: str = ""

    @property
    def key(self) -> tuple[str, ...]:
        """The parts that were given: without a variant, all variants are meant."""
        return tuple(self) if self.variant else tuple(self[:3])

    @property
    def known_channel(self) -> Channel | None:
        """The one channel it names, None where it is meant for several."""
        return None if ANY in self.channel else Channel(self.channel)


def parse_pattern(text: object) -> Pattern:
    """Return the parts of a pattern; a missing symbol stands for all.

    Raises:
        ValidationError: not two to four parts, or an unknown channel.
    """
    parts = text.split(".") if isinstance(text, str) else []
    if len(parts) == 2:
        parts.append(ANY)
    if len(parts) not in (3, 4) or not all(parts):
        raise ValidationError("pattern", text, "must look like trade.binance.BTC-USDT or order.*.*")
    known = [channel.value for channel in Channel]
    if ANY not in parts[0] and parts[0] not in known:
        raise ValidationError("pattern", text, "has an unknown channel; known are " + ", ".join(known))
    return Pattern(*parts)
