"""The settings of a connector, by subject, each checked when it is made."""

from __future__ import annotations

import re
from dataclasses import dataclass, fields
from urllib.parse import urlsplit

from exconn_sync.config.rate_limits import RateLimits
from exconn_sync.config.risk_limits import RiskLimits
from exconn_sync.errors import ValidationError
from exconn_sync.ports.local_exchange import SCHEME

__all__ = ["Delivery", "Intervals", "RateLimits", "Reconnect", "RiskLimits", "Timeouts", "UnknownOrders", "check_url"]

_TIME_OF_DAY = re.compile(r"(?:[01][0-9]|2[0-3]):[0-5][0-9]", re.ASCII)
_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


def _check_seconds(settings: object) -> None:
    """Check that every float field of a settings object is a positive number of seconds."""
    for item in fields(settings):  # type: ignore[arg-type]
        if item.type != "float":
            continue
        value = getattr(settings, item.name)
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 < value < 1e7:
            raise ValidationError(item.name, value, "must be a positive number of seconds")


@dataclass(frozen=True)
class Timeouts:
    """Limits in seconds.

    ``request`` bounds a whole call: waiting for a budget, sending, the answer. ``connect``, ``read`` and ``write`` are
    for one step on a socket. ``snapshot`` is for one attempt to load an order book. ``stop`` is what ``stop()`` may
    take where its caller does not say, and what the exit of the program may wait for. A worker that gives no sign of
    life for ``hang`` is abandoned and replaced (fault F144).
    """

    connect: float = 5.0
    read: float = 10.0
    write: float = 5.0
    request: float = 15.0
    snapshot: float = 10.0
    stop: float = 5.0
    hang: float = 15.0

    def __post_init__(self) -> None:
        _check_seconds(self)


@dataclass(frozen=True)
class Reconnect:
    """How lost connections come back, in seconds.

    The n-th attempt waits a random time up to ``base * 2**n``, at most ``cap``; the count starts anew once a connection
    brought data and has lived for ``settle``. A stream without a byte for ``idle_timeout`` is dead (fault F008), and so
    is one that does not answer a ping within half of it (fault F010). A topic without a message for ``topic_timeout``
    is looked into, and asked for again where the exchange has news that did not come (fault F060).

    A connection is replaced, without a gap, when it is ``rotate_after`` old: exchanges end connections after 24 hours
    (fault F044). With a ``rotation_window``, two times of day in UTC such as ``("02:00", "04:00")``, it is replaced
    within that part of each day, and outside of it only where it would get too old otherwise.
    """

    base: float = 1.0
    cap: float = 60.0
    settle: float = 1.0
    idle_timeout: float = 45.0
    topic_timeout: float = 60.0
    rotate_after: float = 23 * 3600.0
    rotation_window: tuple[str, str] | None = None

    def __post_init__(self) -> None:
        _check_seconds(self)
        if self.cap < self.base:
            raise ValidationError("cap", self.cap, f"must not be below base={self.base}")
        if self.rotation_window is not None:
            object.__setattr__(self, "rotation_window", _window_of(self.rotation_window))


def _window_of(value: object) -> tuple[str, str]:
    """Return a checked pair of times of day."""
    constraint = 'must be two different times of day in UTC, such as ("02:00", "04:00")'
    if not isinstance(value, (tuple, list)) or len(value) != 2:
        raise ValidationError("rotation_window", value, constraint)
    begin, end = value
    if not all(isinstance(each, str) and _TIME_OF_DAY.fullmatch(each) for each in (begin, end)) or begin == end:
        raise ValidationError("rotation_window", value, constraint)
    return begin, end


@dataclass(frozen=True)
class Intervals:
    """How often background work is done, in seconds.

    ``clock`` is synchronized, ``reconcile`` compares the account, and ``ping`` looks whether REST works, for which one
    cheap request is sent.
    """

    clock: float = 60.0
    reconcile: float = 60.0
    ping: float = 15.0

    def __post_init__(self) -> None:
        _check_seconds(self)


@dataclass(frozen=True)
class UnknownOrders:
    """What has to pass before not finding an order proves that it is not there, in seconds (fault model 0.1).

    Reads may lag behind writes by ``read_lag``: looks that prove something are that far apart. The exchange may work
    for ``processing_limit`` on a request that it has accepted, None for what is known of it (Binance: 10, as
    documented; Bybit documents none: 10).
    """

    read_lag: float = 1.0
    processing_limit: float | None = None

    def __post_init__(self) -> None:
        _check_seconds(self)
        limit = self.processing_limit
        if limit is None:
            return
        if isinstance(limit, bool) or not isinstance(limit, (int, float)) or not 0 < limit < 1e7:
            raise ValidationError("processing_limit", limit, "must be a positive number of seconds, or None")

    def limit_ms(self, known_ms: int) -> int:
        """Return the processing limit in ms, where ``known_ms`` is what is known of the exchange."""
        return known_ms if self.processing_limit is None else int(self.processing_limit * 1000)


@dataclass(frozen=True)
class MarketStreams:
    """How the exchange is asked for public data.

    The changes of order books come every ``book_interval_ms`` milliseconds, None for what is usual on the exchange
    (Binance: 100). With ``microseconds`` times are asked for to the microsecond, where the exchange can tell them.
    ``book_levels`` a side are kept where the exchange offers several depths (Bybit: 50, 200 or 1000), None for the
    usual one.

    Trades and candles that were missed while a connection was down are asked for and delivered before the live ones go
    on, unless ``backfill`` is False. The live ones wait for that at most ``backfill_limit`` seconds.
    """

    book_interval_ms: int | None = None
    microseconds: bool = False
    book_levels: int | None = None
    backfill: bool = True
    backfill_limit: float = 10.0

    def __post_init__(self) -> None:
        _check_whole("book_interval_ms", self.book_interval_ms, "milliseconds")
        _check_whole("book_levels", self.book_levels, "levels")
        _check_seconds(self)
        for field in ("microseconds", "backfill"):
            if not isinstance(getattr(self, field), bool):
                raise ValidationError(field, getattr(self, field), "must be True or False")

    @property
    def book(self) -> str:
        """The variant of order books that is asked for, as drivers understand it; empty for the usual one."""
        levels = "" if self.book_levels is None else str(self.book_levels)
        interval = "" if self.book_interval_ms is None else f"{self.book_interval_ms}ms"
        return f"{levels}@{interval}" if levels and interval else levels + interval


def _check_whole(field: str, value: object, unit: str) -> None:
    if value is not None and (isinstance(value, bool) or not isinstance(value, int) or value < 1):
        raise ValidationError(field, value, f"must be a whole number of {unit}, or None")


@dataclass(frozen=True)
class AccountStream:
    """How the exchange is asked for the account's events.

    With ``microseconds`` their times are asked for to the microsecond, where the exchange can tell them.
    """

    microseconds: bool = False

    def __post_init__(self) -> None:
        if not isinstance(self.microseconds, bool):
            raise ValidationError("microseconds", self.microseconds, "must be True or False")


@dataclass(frozen=True)
class Delivery:
    """Default buffer of a market-data subscription (events) and what gives way when it is full.

    ``block_limit`` is how many seconds the ``block`` policy holds up the reader at most. Account events are never
    dropped; an alarm is raised where ``alarm`` of them wait for one subscriber.
    """

    buffer: int = 1000
    overflow: str = "drop_oldest"
    block_limit: float = 30.0
    alarm: int = 10_000

    def __post_init__(self) -> None:
        if isinstance(self.buffer, bool) or not isinstance(self.buffer, int) or self.buffer < 1:
            raise ValidationError("buffer", self.buffer, "must be a whole number of at least 1")
        allowed = ("drop_oldest", "drop_newest", "block", "conflate")
        if self.overflow not in allowed:
            raise ValidationError("overflow", self.overflow, "must be one of " + ", ".join(allowed))
        _check_seconds(self)
        if isinstance(self.alarm, bool) or not isinstance(self.alarm, int) or self.alarm < 1:
            raise ValidationError("alarm", self.alarm, "must be a whole number of at least 1")


def check_url(name: str, url: object, *, secure: str, plain: str) -> str:
    """Return a checked base URL without a slash at its end.

    Plain text is refused except to this machine: a signed request never travels unencrypted (fault F175).

    Raises:
        ValidationError: not a URL of these schemes, no host, or unencrypted to another machine.
    """
    if not isinstance(url, str):
        raise ValidationError(name, url, f"must be a URL that begins with {secure}://")
    # Looked at first: such a URL may hold a password, and must not be shown by any of the other errors.
    if any(mark in url for mark in "@?#"):
        raise ValidationError(name, "<url>", "must not hold a user name, query or fragment")
    # urlsplit drops line breaks and tabs without a word, and others read a backslash as a slash.
    if not url.isascii() or not url.isprintable() or " " in url or "\\" in url:
        raise ValidationError(name, url, "must be a URL in printable ASCII without blanks")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise ValidationError(name, url, f"must be a URL that begins with {secure}:// ({error})") from None
    if parts.scheme == SCHEME and parts.hostname:
        # It leads to an object of this process, and to no network.
        return url.rstrip("/")
    if parts.scheme not in (secure, plain) or not parts.hostname or port == 0:
        raise ValidationError(name, url, f"must be a URL that begins with {secure}://")
    if parts.scheme == plain and parts.hostname not in _LOOPBACK:
        raise ValidationError(name, url, f"must begin with {secure}:// (plain {plain}:// is for this machine only)")
    return url.rstrip("/")
