"""Subscriptions that push events to a callback, on a thread of their own."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from time import monotonic_ns
from typing import Any

from exconn_sync._runtime.mailbox import Batch, Mailbox
from exconn_sync._runtime.subscription import Key, Reporter, Subscription, here
from exconn_sync._runtime.threads import join, spawn
from exconn_sync.errors import SubscriberLagging
from exconn_sync.ports.waiting import Event

logger = logging.getLogger("exconn_sync")

_END_WAIT = 5.0
"""Seconds that ending a subscription waits for the callback that is running at that moment."""


_FIRST_PAUSE, _LONGEST_PAUSE = 0.05, 1.0
"""Seconds after which a dispatcher goes on that failed by a defect, or for lack of memory."""


@dataclass
class _Work:
    """The batch that a callback is being called with, taken at a time and after so many delivered events."""

    batch: Batch
    since: int
    delivered_before: int
    gaps_told: int = 0


class PushSubscription(Subscription):
    """Calls a callback for each event, in order, on its own thread; the thread starts with the first event.

    An exception in the callback is counted (``errors``), told to the reporter and harms nobody else; the next event is
    delivered all the same, however often that happens (fault F134). Where no thread can be had, events wait in the
    buffer and it is tried again with the next ones (fault F143).
    """

    def __init__(
        self,
        pattern: Key,
        mailbox: Mailbox,
        on_end: Callable[[Subscription], None],
        callback: Callable[[Any], object],
        on_gap: Callable[[int], object] | None,
        reporter: Reporter,
        alarm: int | None = None,
    ) -> None:
        super().__init__(pattern, mailbox, on_end, reporter, alarm)
        self._callback = callback
        self._on_gap = on_gap
        self._told = reporter
        self._work: _Work | None = None
        # Set at the end, for a dispatcher that rests after a failure.
        self._ended = Event()
        # True from a thread that could not be started to one that could.
        self._lacks_thread = False
        # The subscription whose callback ours waits for, because it has ended it.
        self._waits_for: PushSubscription | None = None

    def renew(self) -> None:
        """Begin anew in a forked child: no events, no thread, new locks. Not for users."""
        super().renew()
        self._work = self._waits_for = None
        self._ended = Event()
        self._lacks_thread = False

    @property
    def pending(self) -> int:
        """Number of events that wait to be delivered, the one included that is being delivered."""
        return 0 if self._mailbox.is_discarded else self._mailbox.kept - self.delivered

    def deliver(self, events: list[Any]) -> int:
        """Hand events over; called by the thread that made them. Returns the time, monotonic ns. Not for users."""
        if self._thread is None:
            # Before the events are in: with ``block`` somebody has to make room for them.
            self._ensure_thread()
        return super().deliver(events)

    def look(self, now_ns: int) -> None:
        """Look whether the subscriber keeps up, and report once an episode where not. Not for users."""
        if self._lacks_thread:
            self._ensure_thread()
        super().look(now_ns)

    def stop(self) -> None:
        """End the subscription; waits up to 5 s for a callback that is running on its thread."""
        super().stop()
        self._ended.set()
        with self._lock:
            thread = self._thread
        self._join(thread, _END_WAIT)

    def _join(self, thread: threading.Thread | None, timeout: float | None) -> bool:
        if self._mailbox.is_held_here:
            # The thread needs the lock that we hold.
            return join(thread, 0)
        caller = here.subscription
        if not isinstance(caller, PushSubscription):
            return join(thread, timeout)
        caller._waits_for = self
        try:
            # Two callbacks that end each other's subscription would wait for each other (fault F139).
            return join(thread, 0 if self._waits_in_turn_for(caller) else timeout)
        finally:
            caller._waits_for = None

    def _waits_in_turn_for(self, caller: PushSubscription) -> bool:
        seen: list[PushSubscription] = []
        other: PushSubscription | None = self
        while other is not None and other not in seen:
            if other is caller:
                return True
            seen.append(other)
            other = other._waits_for
        return False

    def _behind_since(self) -> int | None:
        work = self._work
        if work is None:
            return self._mailbox.waiting_since
        number = work.batch.first + self.delivered - work.delivered_before
        arrived = [since for begin, since in work.batch.marks if begin <= number]
        return arrived[-1] if arrived else None

    def _is_stuck(self, now_ns: int) -> bool:
        work, done = self._work, self.delivered
        if work is None:
            return self._watch.is_stuck(now_ns, None, done, 0)
        return self._watch.is_stuck(now_ns, work.since, done, done - work.delivered_before)

    def _ensure_thread(self) -> None:
        """Start the thread. Where there is none to be had, events wait until the next one comes (fault F143)."""
        with self._lock:
            if self._thread is not None or not self.is_active:
                return
            try:
                self._thread = spawn("dispatch-" + self.name, self._run)
            except (RuntimeError, MemoryError) as error:
                is_new, self._lacks_thread = not self._lacks_thread, True
                why = str(error)
            else:
                self._lacks_thread = False
                return
        self._mailbox.give_way()
        if is_new:
            text = f"no thread can be started for the subscriber of {self.name}, whose events wait: {why}"
            lagging = SubscriberLagging(text, name=self.name, waiting=self.pending, age=self.lag)
            self._told.subscriber_lagging(self, lagging)

    def _run(self) -> None:
        here.subscription = self
        pause = 0.0
        while True:
            try:
                while self._take_and_hand_out():
                    pause = 0.0
                return
            except Exception as error:  # noqa: BLE001 - told, and the thread goes on: nobody would replace it (F142)
                self._told.dispatcher_failed(self, error)
                if not self.is_active:
                    return
                pause = min(max(2 * pause, _FIRST_PAUSE), _LONGEST_PAUSE)
            self._ended.wait(pause)

    def _take_and_hand_out(self) -> bool:
        """Deliver what is there, what an error interrupted first; return False where nothing comes any more."""
        if self._work is None:
            batch = self._mailbox.drain(None)
            if batch is None:
                return False
            self._work = _Work(batch, monotonic_ns(), self.delivered)
        self._hand_out(self._work)
        self._work = None
        # A callback may have forked and come back in the child, where nobody brings events to this thread.
        return not self._guard.is_foreign

    def _hand_out(self, work: _Work) -> None:
        """Call back for all events of a batch that were not delivered yet, and for the gaps between them."""
        batch, begin = work.batch, self.delivered - work.delivered_before
        for number, missed in batch.gaps[work.gaps_told :]:
            end = number - batch.first
            self._call_with(batch.events[begin:end])
            work.gaps_told += 1
            self._call_on_gap(missed)
            begin = end
        self._call_with(batch.events[begin:] if begin else batch.events)

    def _call_with(self, events: list[Any]) -> None:
        mailbox, callback = self._mailbox, self._callback
        for event in events:
            if mailbox.is_discarded:
                return
            try:
                callback(event)
            except BaseException as error:  # noqa: BLE001 - the user's code: it is reported, and the next one delivered
                self._raised(event, error)
            finally:
                self.delivered += 1
            if self.on_handled is not None:
                self.on_handled(self, event)

    def _call_on_gap(self, missed: int) -> None:
        if self._on_gap is None or self._mailbox.is_discarded:
            return
        try:
            self._on_gap(missed)
        except BaseException as error:  # noqa: BLE001 - as for events
            self._raised(missed, error)

    def _raised(self, value: object, error: BaseException) -> None:
        if isinstance(error, Exception):
            self._failed(value, error)
            return
        # Nobody above this thread would hear of it (fault F135).
        wrapped = RuntimeError(f"the callback raised {type(error).__name__}")
        wrapped.__cause__ = error
        self._failed(value, wrapped)
        if isinstance(error, SystemExit):
            # The callback wants no more; ending the whole program is not in its thread's power.
            self._mailbox.discard()
            self._on_end(self)

    def _failed(self, value: object, error: Exception) -> None:
        self.errors += 1
        self._told.callback_failed(self, value, error)
