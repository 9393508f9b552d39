"""Events about the library itself: connections, errors, and what else happens to a delivery."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from decimal import Decimal
from typing import NamedTuple

from exconn_sync.model.instrument import Instrument


class TrailEntry(NamedTuple):
    """One thing that happened on a connection: ``at`` in nanoseconds since the Unix epoch, ``what`` in words."""

    at: int
    what: str


@dataclass(frozen=True)
class ConnectionEvent:
    """A connection of the connector came up or went down.

    ``connection`` is its name (``market``, ``account`` ...), ``reason`` why it went down, ``attempt`` the number of
    failed attempts so far, ``retry_in`` the seconds until the next one (0 when up). Where it went down, ``trail`` holds
    the last frames and changes of state before that, oldest first: why a connection was lost has an answer. A link that
    flaps is told once as down, and as up when it has been up for ``Reconnect.settle``.
    """

    exchange: str
    connection: str
    is_up: bool
    reason: str
    attempt: int
    retry_in: float
    received_at: int
    trail: tuple[TrailEntry, ...] = field(default=(), repr=False)


@dataclass(frozen=True)
class ErrorEvent:
    """Something went wrong that no caller is waiting for; ``where`` names the worker, topic or callback.

    The first error of a kind is told at once, then at most one a second; ``suppressed`` is how many of the same kind
    were not told since the last one.
    """

    exchange: str
    where: str
    error: Exception
    received_at: int
    suppressed: int = 0


@dataclass(frozen=True)
class InstrumentEvent:
    """The rules of a symbol are others than when they were loaded before: a tick, a limit, its status (fault F065).

    ``before`` is None for a symbol that is new, ``after`` for one that is gone; both in the exchange's newest words.
    ``received_at`` is nanoseconds since the Unix epoch. It says when the change was noticed, not when it was made.
    """

    exchange: str
    symbol: str
    before: Instrument | None
    after: Instrument | None
    received_at: int

    @property
    def changed(self) -> tuple[str, ...]:
        """Names of the attributes of ``Instrument`` that differ; empty for a symbol that is new or gone."""
        if self.before is None or self.after is None:
            return ()
        names = (field.name for field in fields(self.after))
        return tuple(name for name in names if getattr(self.before, name) != getattr(self.after, name))


@dataclass(frozen=True)
class DataGap:
    """Trades or candles that a cut made us miss, and that could not be had afterwards.

    What lies between ``after`` and ``before`` may be missing, both of them excluded: ids of trades, or the times at
    which candles begin, in nanoseconds since the Unix epoch. It is told before what ``before`` names is delivered.
    ``channel`` is ``trade``, ``aggregatetrade`` or ``kline``, ``variant`` the length of the candles. ``reason`` says
    why nothing could be had.
    """

    exchange: str
    symbol: str
    channel: str
    variant: str
    after: str | None
    before: str | None
    reason: str
    received_at: int


@dataclass(frozen=True)
class RiskAlert:
    """A risk limit is near or reached, or the kill switch was thrown or armed again; once an episode.

    ``level`` is ``near`` (from ``RiskLimits.alert_share`` of the limit on), ``reached`` (at the limit, or an order was
    refused because of it), ``killed`` or ``armed``. An episode of a limit ends when less than that share of it is used
    again. ``rule`` is the name of the limit, ``scope`` the symbol, the quote asset, or empty where it is about all
    orders. ``value`` is what was used or asked for, None where it cannot be told, or where the limit is no number.
    """

    exchange: str
    rule: str
    scope: str
    level: str
    value: Decimal | None
    limit: Decimal | None
    message: str
    received_at: int


@dataclass(frozen=True)
class Gap:
    """Stands in a queue of the user's own where ``count`` events were lost."""

    count: int


@dataclass(frozen=True)
class End:
    """Stands in a queue of the user's own when nothing more comes.

    ``reason`` is None where the subscription or the connector was stopped. It is the error where the connector gave
    up; after another ``start`` events come again.
    """

    reason: Exception | None = None
