"""Subscriptions: what all have in common, and those that the user's loop pulls from."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from fnmatch import fnmatchcase
from time import monotonic_ns
from typing import Any, Generic, Protocol, TypeAlias, TypeVar

from exconn_sync._machines.deadline import Deadline
from exconn_sync._machines.delivery_watch import DeliveryWatch
from exconn_sync._runtime.mailbox import Mailbox
from exconn_sync._runtime.process import ProcessGuard
from exconn_sync._runtime.standard import queue
from exconn_sync._runtime.threads import join, stack_of
from exconn_sync.errors import (
    ConnectorStopped,
    ExconnError,
    RequestTimeout,
    SubscriberLagging,
    SubscriberStuck,
    ValidationError,
)

logger = logging.getLogger("exconn_sync")

T = TypeVar("T")

Key: TypeAlias = tuple[str, ...]
"""Channel, exchange and symbol of an event, and its variant where it has one; ``""`` where there is no symbol."""

STUCK_AFTER = 5.0
"""Seconds after which a callback that is still running is reported as stuck (fault F136)."""
_NS = 1_000_000_000


class Reporter(Protocol):
    """Who hears of trouble with a subscriber; called on the thread that met it, without any lock held."""

    def callback_failed(self, subscription: Subscription, event: object, error: Exception) -> None:
        """Hear that the callback raised on an event (on the number of lost events, where ``on_gap`` did)."""

    def dispatcher_failed(self, subscription: Subscription, error: Exception) -> None:
        """Hear that the delivery itself failed, outside of the callback; it goes on where it was."""

    def subscriber_lagging(self, subscription: Subscription, error: SubscriberLagging) -> None:
        """Hear that too many events wait for the subscriber, or that its callback does not return."""


class _Here(threading.local):
    """Which subscription's callback runs on the present thread."""

    subscription: Subscription | None = None


here = _Here()


class Subscription:
    """A live subscription. Call it, or its ``stop``, to end it; nothing is delivered after that has returned.

    Attributes:
        pattern: channel, exchange and symbol, each possibly with ``*``, and the variant where only that is wanted.
        depth: how much of each event is wanted, so that nobody copies what nobody reads; None for all.
        delivered: number of events that the callback was called with.
        errors: number of times that the callback raised.
    """

    def __init__(
        self,
        pattern: Key,
        mailbox: Mailbox,
        on_end: Callable[[Subscription], None],
        reporter: Reporter | None = None,
        alarm: int | None = None,
    ) -> None:
        self.pattern = pattern
        self.depth: int | None = None
        self.delivered = 0
        self.errors = 0
        # Hears of each event once the callback has returned, or whoever pulls has it. Not for users.
        self.on_handled: Callable[[Subscription, Any], None] | None = None
        self._mailbox = mailbox
        self._on_end = on_end
        self._reporter = reporter
        self._has_alarm = alarm is not None
        self._alarm = alarm
        self._guard = ProcessGuard()
        self._open()

    def _open(self) -> None:
        self._watch = DeliveryWatch(self._alarm, STUCK_AFTER)
        # Guards the start of the thread and the watch: several writers may bring events at the same moment.
        # Reentrant: the garbage collector may end the subscription while we hold it (fault F153).
        self._lock = threading.RLock()
        self._thread: threading.Thread | None = None

    @property
    def name(self) -> str:
        """The pattern as one text, ``channel.exchange.symbol`` or ``channel.exchange.symbol.variant``."""
        return ".".join(self.pattern).rstrip(".")

    @property
    def dropped(self) -> int:
        """Number of events that gave way because the buffer was full, or were replaced by newer ones (conflate)."""
        return self._mailbox.dropped

    @property
    def pending(self) -> int:
        """Number of events that wait to be delivered."""
        return self._mailbox.pending

    @property
    def lag(self) -> float:
        """Seconds that the event now being delivered, or else the oldest that waits, has been waiting; 0 for none.

        Precise to about 10 ms. Of the ``conflate`` policy it is how long the symbol waits, whatever replaced what.
        """
        since = self._behind_since()
        return 0.0 if since is None else max(0, monotonic_ns() - since) / _NS

    @property
    def is_active(self) -> bool:
        """True until the subscription is ended."""
        return not self._mailbox.is_closed

    def renew(self) -> None:
        """Begin anew in a forked child: no events, no thread, new locks. Not for users."""
        self._open()
        self.delivered = self.errors = 0
        self._mailbox.renew()
        self._guard.adopt()

    def matches(self, key: Key) -> bool:
        """Return whether events with this key belong to the subscription; all variants do where it names none."""
        pattern = self.pattern
        return len(pattern) <= len(key) and all(map(fnmatchcase, key, pattern))

    def deliver(self, events: list[Any]) -> int:
        """Hand events over; called by the thread that made them. Returns the time, monotonic ns. Not for users."""
        watch = self._watch
        if watch.is_raised:
            watch.lower_alarm(self.pending)
        now = self._mailbox.put_batch(events)
        if self._has_alarm and self.pending >= watch.alarm_at:
            self.look(now)
        return now

    def look(self, now_ns: int) -> None:
        """Look whether the subscriber keeps up, and report once an episode where not. Not for users."""
        with self._lock:
            waiting = self.pending
            is_lagging = self._watch.raise_alarm(waiting)
            is_stuck = self._is_stuck(now_ns)
        if not self.is_active or self._reporter is None:
            return
        age = self.lag
        if is_lagging:
            text = f"{waiting} events wait for the subscriber of {self.name}, the oldest for {age:.1f} s"
            error = SubscriberLagging(text, name=self.name, waiting=waiting, age=age)
            self._reporter.subscriber_lagging(self, error)
        if is_stuck:
            text = f"the callback of {self.name} has been running for {STUCK_AFTER:g} s or longer"
            details = {"stack": stack_of(self._thread)}
            stuck = SubscriberStuck(text, name=self.name, waiting=waiting, age=age, details=details)
            self._reporter.subscriber_lagging(self, stuck)

    def let_writers_wait(self, allowed: bool) -> None:
        """Say whether the ``block`` policy may hold up the thread that brings events. Not for users."""
        self._mailbox.let_writers_wait(allowed)

    def stop(self) -> None:
        """End the subscription; may be called from any thread, also from its own callback, and twice."""
        self._guard.check("subscription")
        self._mailbox.discard()
        self._on_end(self)

    @property
    def failure(self) -> ExconnError | None:
        """Why no event comes for now, or will come any more; None where nothing is known to be wrong."""
        return self._mailbox.failure

    def set_failure(self, failure: ExconnError | None) -> None:
        """Tell whoever waits for an event why none comes for now. Not for users."""
        self._mailbox.set_failure(failure)

    def seal(self) -> None:
        """Accept nothing more; what is there is still delivered. Not for users."""
        self._mailbox.seal()

    def finish(self, timeout: float | None) -> str:
        """Wait until a sealed subscription has delivered all, and let go of the rest when the time is over.

        Returns the name of the thread that did not end, empty for none. Not for users.
        """
        with self._lock:
            thread = self._thread
        has_ended = self._join(thread, timeout)
        if has_ended:
            self._on_end(self)
        else:
            self.abandon()
        # Called from its own callback it cannot have ended, and will when the callback returns.
        return "" if has_ended or thread is None or thread is threading.current_thread() else thread.name

    def abandon(self) -> None:
        """End the subscription without waiting for a callback that does not return. Not for users."""
        self._mailbox.discard()
        self._on_end(self)

    def _behind_since(self) -> int | None:
        return self._mailbox.waiting_since

    def _is_stuck(self, now_ns: int) -> bool:  # noqa: ARG002 - only a callback can be stuck
        return False

    def _join(self, thread: threading.Thread | None, timeout: float | None) -> bool:
        """Wait for the dispatch thread; return whether it has ended."""
        return join(thread, timeout)

    def __call__(self) -> None:
        """End the subscription."""
        self.stop()

    def __repr__(self) -> str:
        state = "active" if self.is_active else "ended"
        return f"<{type(self).__name__} {'.'.join(self.pattern)} {state}, {self.pending} waiting, {self.dropped} lost>"


class PullSubscription(Subscription, Generic[T]):
    """A blocking iterator over events. One thread at a time may read it.

    ``for event in subscription`` ends when the subscription or the connector is stopped, and raises ConnectorStopped
    when the connector gave up; ``get`` waits for one event. Before ``start`` it waits for the start.
    """

    @property
    def missed(self) -> int:
        """Number of events that were lost just before the event last returned; 0 where none were.

        Of ``conflate`` it is how many older events of the symbol that event has replaced.
        """
        return self._mailbox.missed

    def __iter__(self) -> Iterator[T]:
        return self

    def __next__(self) -> T:
        self._guard.check("subscription")
        _refuse_in_blocking_callback()
        try:
            event: T = self._mailbox.take(None)
        except queue.Empty:
            raise StopIteration from None
        if self.on_handled is not None:
            self.on_handled(self, event)
        return event

    def get(self, timeout: float | None = None) -> T:
        """Return the next event.

        Raises:
            RequestTimeout: none came within ``timeout`` seconds.
            ConnectorStopped: the subscription or its connector was stopped.
            ValidationError: called in a callback with ``overflow="block"``, for which the connection's reader may be
                waiting, so that no event might ever come; or ``timeout`` is no number of seconds.
            ForkedProcess: made before a fork, and its connector was not started in this process yet.
        """
        self._guard.check("subscription")
        _refuse_in_blocking_callback()
        try:
            event: T = self._mailbox.take(Deadline.after(0, timeout).remaining(0))
        except queue.Empty:
            if self._mailbox.is_closed:
                raise ConnectorStopped("the subscription has ended") from None
            raise RequestTimeout(f"no {self.pattern[0]} event within {timeout} s") from None
        if self.on_handled is not None:
            self.on_handled(self, event)
        return event


def _refuse_in_blocking_callback() -> None:
    subscription = here.subscription
    if subscription is not None and subscription._mailbox.policy == "block":
        raise ValidationError("overflow", "block", "its callback must not wait for events of another subscription")
