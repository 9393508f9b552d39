"""Subscriptions: events pushed to a callback on a thread of its own, or pulled by the user's loop."""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable, Iterator
from fnmatch import fnmatchcase
from typing import Any, Generic, TypeAlias, TypeVar

from exconn_sync._runtime.mailbox import Batch, Mailbox
from exconn_sync._runtime.threads import join, spawn
from exconn_sync.errors import ConnectorStopped, ExconnError, RequestTimeout

logger = logging.getLogger("exconn_sync")

T = TypeVar("T")

Key: TypeAlias = tuple[str, str, str]
"""Channel, exchange and symbol of an event; ``""`` where there is no symbol."""

_END_WAIT = 5.0
"""Seconds that ending a subscription waits for the callback that is running at that moment."""


class Subscription:
    """A live subscription. Call it, or its ``stop``, to end it; nothing is delivered after that has returned.

    Attributes:
        pattern: channel, exchange and symbol, each possibly with ``*``.
        depth: how much of each event is wanted, so that nobody copies what nobody reads; None for all.
        delivered: number of events that the callback was called with.
        errors: number of times that the callback raised.
    """

    def __init__(self, pattern: Key, mailbox: Mailbox, on_end: Callable[[Subscription], None]) -> None:
        self.pattern = pattern
        self.depth: int | None = None
        self.delivered = 0
        self.errors = 0
        self._mailbox = mailbox
        self._on_end = on_end
        # Guards the start of the thread: two writers may bring the first events at the same moment.
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    @property
    def dropped(self) -> int:
        """Number of events that gave way because the buffer was full, or were replaced by newer ones (conflate)."""
        return self._mailbox.dropped

    @property
    def pending(self) -> int:
        """Number of events that wait to be delivered."""
        return self._mailbox.pending

    @property
    def is_active(self) -> bool:
        """True until the subscription is ended."""
        return not self._mailbox.is_closed

    def matches(self, key: Key) -> bool:
        """Return whether events with this key belong to the subscription."""
        return all(fnmatchcase(part, wanted) for part, wanted in zip(key, self.pattern, strict=True))

    def deliver(self, events: list[Any]) -> None:
        """Hand events over; called by the thread that made them. Not for users."""
        self._mailbox.put_batch(events)

    def let_writers_wait(self, allowed: bool) -> None:
        """Say whether the ``block`` policy may hold up the thread that brings events. Not for users."""
        self._mailbox.let_writers_wait(allowed)

    def stop(self) -> None:
        """End the subscription; may be called from any thread, also from its own callback, and twice."""
        self._mailbox.discard()
        self._on_end(self)

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
        has_ended = join(thread, timeout)
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

    def __call__(self) -> None:
        """End the subscription."""
        self.stop()

    def __repr__(self) -> str:
        state = "active" if self.is_active else "ended"
        return f"<{type(self).__name__} {'.'.join(self.pattern)} {state}, {self.pending} waiting, {self.dropped} lost>"


class PushSubscription(Subscription):
    """Calls a callback for each event, in order, on its own thread; the thread starts with the first event.

    An exception in the callback is counted (``errors``), reported through ``on_failure`` and harms nobody else.
    """

    def __init__(
        self,
        pattern: Key,
        mailbox: Mailbox,
        on_end: Callable[[Subscription], None],
        callback: Callable[[Any], object],
        on_gap: Callable[[int], object] | None,
        on_failure: Callable[[str, Exception], None],
    ) -> None:
        super().__init__(pattern, mailbox, on_end)
        self._callback = callback
        self._on_gap = on_gap
        self._on_failure = on_failure

    def deliver(self, events: list[Any]) -> None:
        """Hand events over; called by the thread that made them. Not for users."""
        self._mailbox.put_batch(events)
        if self._thread is None:
            self._ensure_thread()

    def stop(self) -> None:
        """End the subscription; waits up to 5 s for a callback that is running on its thread."""
        super().stop()
        with self._lock:
            thread = self._thread
        join(thread, _END_WAIT)

    def _ensure_thread(self) -> None:
        with self._lock:
            if self._thread is None and self.is_active:
                self._thread = spawn("dispatch-" + ".".join(self.pattern).rstrip("."), self._run)

    def _run(self) -> None:
        while True:
            batch = self._mailbox.drain(None)
            if batch is None:
                return
            self._hand_out(batch)

    def _hand_out(self, batch: Batch) -> None:
        if batch.missed_before:
            self._call(self._on_gap, batch.missed_before)
        for event in batch.events:
            if self._mailbox.is_discarded:
                return
            self._call(self._callback, event)
            self.delivered += 1
        if batch.missed_after:
            self._call(self._on_gap, batch.missed_after)

    def _call(self, function: Callable[[Any], object] | None, value: Any) -> None:
        if function is None or self._mailbox.is_discarded:
            return
        try:
            function(value)
        except Exception as error:  # noqa: BLE001 - the user's code: it is reported, and the next event delivered
            self._failed(error)
        except BaseException as error:  # noqa: BLE001 - nobody above this thread would hear of it (fault F135)
            wrapped = RuntimeError(f"the callback raised {type(error).__name__}")
            wrapped.__cause__ = error
            self._failed(wrapped)
            if isinstance(error, SystemExit):
                # The callback wants no more; ending the whole program is not in its thread's power.
                self._mailbox.discard()
                self._on_end(self)

    def _failed(self, error: Exception) -> None:
        self.errors += 1
        where = "callback of " + ".".join(self.pattern).rstrip(".")
        logger.error("%s raised", where, exc_info=error)
        self._on_failure(where, error)


class PullSubscription(Subscription, Generic[T]):
    """A blocking iterator over events. One thread at a time may read it.

    ``for event in subscription`` ends when the subscription or the connector is stopped, and raises ConnectorStopped
    when the connector gave up; ``get`` waits for one event. Before ``start`` it waits for the start.
    """

    def __iter__(self) -> Iterator[T]:
        return self

    def __next__(self) -> T:
        try:
            event: T = self._mailbox.take(None)
        except queue.Empty:
            raise StopIteration from None
        return event

    def get(self, timeout: float | None = None) -> T:
        """Return the next event.

        Raises:
            RequestTimeout: none came within ``timeout`` seconds.
            ConnectorStopped: the subscription or its connector was stopped.
        """
        try:
            event: T = self._mailbox.take(timeout)
        except queue.Empty:
            if self._mailbox.is_closed:
                raise ConnectorStopped("the subscription has ended") from None
            raise RequestTimeout(f"no {self.pattern[0]} event within {timeout} s") from None
        return event
