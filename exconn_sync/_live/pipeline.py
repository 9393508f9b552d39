"""From workers to subscribers: every event of one connector passes here."""

from __future__ import annotations

import logging
import threading
from collections.abc import Hashable
from typing import Any

from exconn_sync._live.contradictions import Contradictions
from exconn_sync._live.fill_receipts import FillReceipts
from exconn_sync._machines.report_limiter import ReportLimiter
from exconn_sync._runtime.aside import aside
from exconn_sync._runtime.bus import Bus
from exconn_sync._runtime.correlation import current, note
from exconn_sync._runtime.subscription import Key, Subscription
from exconn_sync.errors import ExconnError, SubscriberLagging
from exconn_sync.model.enums import Channel
from exconn_sync.model.events import ConnectionEvent, ErrorEvent, InstrumentEvent
from exconn_sync.model.instrument import Instruments
from exconn_sync.ports.clock import Clock
from exconn_sync.ports.metrics import MetricsSink

logger = logging.getLogger("exconn_sync")


class Pipeline:
    """Gives events their key and hands them to the bus. May be used from any thread; runs no user code."""

    def __init__(self, exchange: str, bus: Bus, clock: Clock, metrics: MetricsSink) -> None:
        self.exchange = exchange
        self.bus = bus
        self.metrics = metrics
        self._clock = clock
        # Who has to know what becomes of fills.
        self.receipts: FillReceipts | None = None
        # Who looks after orders of which the facts exclude each other.
        self.contradictions: Contradictions | None = None
        self.renew()

    def renew(self) -> None:
        """Begin anew, also in a forked child: a new lock, nothing told yet."""
        # Guards the limiter. Reentrant: the garbage collector may run anything while we hold it (fault F153).
        self._lock = threading.RLock()
        self._limiter = ReportLimiter()

    def key(self, channel: Channel, symbol: str = "", variant: str = "") -> Key:
        """Return the key of a channel's events for a symbol, with the variant where the channel has several."""
        key = (channel.value, self.exchange, symbol)
        return (*key, variant) if variant else key

    def account(self, channel: Channel, symbol: str, values: list[Any]) -> None:
        """Publish account events."""
        key = self.key(channel, symbol)
        if channel is Channel.FILL and self.receipts is not None:
            for fill in values:
                self.receipts.expect(fill, self.bus.concerned(key))
        self.bus.publish(key, values)
        if channel is Channel.ORDER and self.contradictions is not None:
            self.contradictions.see(values)

    def connection(self, event: ConnectionEvent) -> None:
        """Publish, and log, that a connection came up or went down: once an episode."""
        if event.is_up:
            aside(lambda: logger.info("%s %s connected", self.exchange, event.connection))
        else:
            aside(lambda: logger.warning("%s %s disconnected: %s", self.exchange, event.connection, event.reason))
        self.bus.publish(self.key(Channel.CONNECTION), [event])

    def instruments(self, older: Instruments, newer: Instruments) -> None:
        """Publish, and log, what differs between two tables of instruments."""
        events = [
            InstrumentEvent(self.exchange, symbol, before, after, self._clock.time_ns())
            for symbol, before, after in older.changes_to(newer)
        ]
        if events:
            aside(lambda: logger.info("%s changed the rules of %d symbols", self.exchange, len(events)))
        for event in events:
            self.bus.publish(self.key(Channel.INSTRUMENT, event.symbol), [event])

    def connection_changed(self, connection: str, *, is_up: bool) -> None:
        """Count each time that a connection came up, and each loss and failed attempt."""
        self.count("connection." + ("up" if is_up else "down"), connection=connection)

    def count(self, name: str, **labels: str) -> None:
        """Count something; the user's sink does not hold up a thread that must not be held up."""
        aside(lambda: self.metrics.count(name, 1, exchange=self.exchange, **labels))

    def error(self, where: str, error: Exception, *, always: bool = False) -> None:
        """Publish an error that no caller waits for; a flood of one kind is told once a second (fault F164).

        ``always`` is for those that cannot flood and that nobody may miss.
        """
        kind = error.code if isinstance(error, ExconnError) else type(error).__name__
        self.count("errors", kind=kind)
        note(error, current())
        suppressed = 0 if always else self._admit((where, kind))
        if suppressed is not None:
            more = _more(suppressed)
            aside(lambda: logger.warning("%s %s: %s%s", self.exchange, where, error, more))
            self._publish_error(where, error, suppressed)

    def callback_failed(self, subscription: Subscription, event: object, error: Exception) -> None:
        """Publish that a user's callback raised, to all but itself (fault F134).

        One that raised while it was told of an error is only logged and counted: two of them would never end.
        """
        self.count("callback.errors")
        suppressed = self._admit((subscription, type(error.__cause__ or error)))
        if suppressed is None:
            return
        where = "callback of " + subscription.name
        aside(lambda: logger.error("%s raised%s", where, _more(suppressed), exc_info=error))
        if not isinstance(event, ErrorEvent):
            self._publish_error(where, error, suppressed, but=subscription)

    def dispatcher_failed(self, subscription: Subscription, error: Exception) -> None:
        """Publish that a subscriber's thread met a defect or a shortage, and goes on (fault F142)."""
        self.count("dispatcher.errors")
        suppressed = self._admit((subscription, "dispatcher"))
        if suppressed is not None:
            where = "delivery to " + subscription.name
            aside(lambda: logger.error("%s failed%s", where, _more(suppressed), exc_info=error))
            self._publish_error(where, error, suppressed, but=subscription)

    def subscriber_lagging(self, subscription: Subscription, error: SubscriberLagging) -> None:
        """Publish that a subscriber does not keep up, to all but itself (faults F136, F156)."""
        aside(lambda: logger.error("%s", error))
        self.count("subscriber.lagging", kind=error.code)
        self._publish_error("subscriber of " + subscription.name, error, 0, but=subscription)

    def _admit(self, kind: Hashable) -> int | None:
        now = self._clock.monotonic_ns()
        with self._lock:
            return self._limiter.admit(kind, now)

    def _publish_error(self, where: str, error: Exception, suppressed: int, but: Subscription | None = None) -> None:
        event = ErrorEvent(self.exchange, where, error, self._clock.time_ns(), suppressed)
        self.bus.publish(self.key(Channel.ERROR), [event], but)


def _more(suppressed: int) -> str:
    return f" ({suppressed} more of this kind since the last line)" if suppressed else ""
