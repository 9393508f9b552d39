"""Bounded mailboxes between the thread that reads a socket and the thread that runs a callback.

They build on ``queue.Queue`` through the hooks it offers to subclasses, and add what it lacks: many items handed over
with one lock and one wake-up, a choice of what gives way when the buffer is full, and a count of what was lost.
"""

from __future__ import annotations

import queue
import time
from collections.abc import Callable, Hashable, Sequence
from copy import copy
from typing import Any, NamedTuple

from exconn_sync.errors import ExconnError, ValidationError

POLICIES = ("drop_oldest", "drop_newest", "block", "conflate")
BLOCK_LIMIT = 30.0
"""Seconds after which the ``block`` policy lets the oldest events go rather than hold up the reader for ever."""


class Batch(NamedTuple):
    """What a mailbox hands out: events in order, and how many were lost before or after them."""

    events: list[Any]
    missed_before: int
    missed_after: int


class Mailbox(queue.Queue[Any]):
    """A mailbox for one reader thread of events and any number of writers.

    Args:
        capacity: most events kept; 0 for no bound (account events are never dropped).
        policy: ``drop_oldest``, ``drop_newest``, ``block`` (the writer waits, at most 30 s), or ``conflate``.
        key: for ``conflate``, what two events must share for the newer to replace the older one.
    """

    def __init__(self, capacity: int, policy: str, key: Callable[[Any], Hashable] | None = None) -> None:
        if policy not in POLICIES:
            raise ValidationError("overflow", policy, "must be one of " + ", ".join(POLICIES))
        if policy == "conflate" and key is None:
            raise ValidationError("overflow", policy, "needs events that belong to a symbol")
        super().__init__(capacity)
        self._policy = policy
        self._key: Callable[[Any], Hashable] = key or id
        self._newest: dict[Hashable, Any] = {}
        self._missed = 0
        self._closed = False
        self._may_wait = True
        self._failure: ExconnError | None = None
        self.is_discarded = False
        self.dropped = 0

    @property
    def is_closed(self) -> bool:
        """True once nothing is accepted any more."""
        return self._closed

    @property
    def pending(self) -> int:
        """Number of events waiting."""
        return len(self._newest) if self._policy == "conflate" else len(self.queue)

    def put_batch(self, events: Sequence[Any]) -> None:
        """Add events in order with one lock and one wake-up; what does not fit gives way by the policy."""
        with self.mutex:
            if self._closed:
                return
            if self._policy == "conflate":
                self._conflate(events)
            elif self.maxsize and len(self.queue) + len(events) > self.maxsize:
                self._squeeze(events)
            else:
                self.queue.extend(events)
            self.not_empty.notify()

    def drain(self, timeout: float | None) -> Batch | None:
        """Take everything there is, waiting up to ``timeout`` seconds for the first; None when nothing came."""
        with self.mutex:
            if not self._has_events() and not self._closed:
                self.not_empty.wait_for(lambda: self._has_events() or self._closed, timeout)
            if not self._has_events():
                return None
            if self._policy == "conflate":
                events, self._newest = list(self._newest.values()), {}
            else:
                events = list(self.queue)
                self.queue.clear()
            missed, self._missed = self._missed, 0
            self.not_full.notify_all()
        return Batch(events, 0, missed) if self._policy == "drop_newest" else Batch(events, missed, 0)

    def take(self, timeout: float | None) -> Any:
        """Take one event, waiting up to ``timeout`` seconds.

        Raises:
            queue.Empty: none came.
            ExconnError: none will come for now; see ``set_failure``.
        """
        with self.mutex:
            if not self._has_events() and not self._is_over():
                self.not_empty.wait_for(lambda: self._has_events() or self._is_over(), timeout)
            if not self._has_events():
                if self._failure is not None:
                    raise copy(self._failure) from self._failure.__cause__
                raise queue.Empty
            conflating = self._policy == "conflate"
            event = self._newest.pop(next(iter(self._newest))) if conflating else self.queue.popleft()
            self._missed = 0
            self.not_full.notify()
        return event

    def let_writers_wait(self, allowed: bool) -> None:
        """Say whether writers may wait for room; where not, those that do are released, and the oldest give way."""
        with self.mutex:
            self._may_wait = allowed
            self.not_full.notify_all()

    def set_failure(self, failure: ExconnError | None) -> None:
        """Say why nothing comes for now, to whoever waits with ``take``; None once it may come again."""
        with self.mutex:
            self._failure = failure
            self.not_empty.notify_all()

    def seal(self) -> None:
        """Accept nothing more; what is there can still be taken. Wakes everybody who waits."""
        with self.mutex:
            self._closed = True
            self.not_empty.notify_all()
            self.not_full.notify_all()

    def discard(self) -> None:
        """Accept nothing more and let go of what is there. Wakes everybody who waits."""
        with self.mutex:
            self._closed = True
            self.is_discarded = True
            self.queue.clear()
            self._newest.clear()
            self.not_empty.notify_all()
            self.not_full.notify_all()

    def _has_events(self) -> bool:
        return bool(self._newest) if self._policy == "conflate" else bool(self.queue)

    def _is_over(self) -> bool:
        return self._closed or self._failure is not None

    def _conflate(self, events: Sequence[Any]) -> None:
        for event in events:
            key = self._key(event)
            if key in self._newest:
                self._lose(1)
            self._newest[key] = event

    def _squeeze(self, events: Sequence[Any]) -> None:
        if self._policy == "block":
            self._wait_for_room(events)
            return
        room = self.maxsize - len(self.queue)
        if self._policy == "drop_newest":
            self.queue.extend(events[:room])
            self._lose(len(events) - room)
            return
        self.queue.extend(events)
        surplus = len(self.queue) - self.maxsize
        for _ in range(surplus):
            self.queue.popleft()
        self._lose(surplus)

    def _wait_for_room(self, events: Sequence[Any]) -> None:
        limit = time.monotonic() + BLOCK_LIMIT
        for event in events:
            while len(self.queue) >= self.maxsize and not self._closed:
                remaining = limit - time.monotonic()
                if remaining <= 0 or not self._may_wait:
                    self.queue.popleft()
                    self._lose(1)
                    break
                # The reader of events may be asleep: it must hear of what is already there before we wait for it.
                self.not_empty.notify()
                self.not_full.wait(remaining)
            if self._closed:
                return
            self.queue.append(event)

    def _lose(self, count: int) -> None:
        self._missed += count
        self.dropped += count
