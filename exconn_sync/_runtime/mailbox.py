"""Bounded mailboxes between the thread that reads a socket and the thread that runs a callback.

They build on ``queue.Queue`` through the hooks it offers to subclasses, and add what it lacks: many items handed over
with one lock and one wake-up, a choice of what gives way when the buffer is full, a count of what was lost and where,
and how long the oldest has been waiting.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Hashable, Sequence
from copy import copy
from time import monotonic_ns
from typing import Any, NamedTuple

from exconn_sync._runtime.heartbeat import beat
from exconn_sync._runtime.standard import queue
from exconn_sync.errors import ExconnError, ValidationError
from exconn_sync.ports.waiting import Condition

POLICIES = ("drop_oldest", "drop_newest", "block", "conflate")
BLOCK_LIMIT = 30.0
"""Seconds after which the ``block`` policy lets the oldest events go rather than hold up the reader for ever."""

_NS = 1_000_000_000
_SLICE = 1.0
"""Seconds that a blocked writer waits at most between two signs of life."""
_MARK_EVERY = 10_000_000
"""Precision of the waiting times, ns: one note of the time serves all events that arrive within this."""


class Batch(NamedTuple):
    """What a mailbox hands out.

    Events are numbered as they come in, ``first`` is the number of the first one here. ``gaps`` are pairs of a number
    and how many events were lost just before the event that has it; the last pair may stand behind all events.
    ``marks`` are pairs of a number and a time, monotonic ns: events from that number on arrived at about that time.
    """

    events: list[Any]
    first: int = 0
    gaps: Sequence[tuple[int, int]] = ()
    marks: Sequence[tuple[int, int]] = ()


class Mailbox(queue.Queue[Any]):
    """A mailbox for one reader thread of events and any number of writers.

    Args:
        capacity: most events kept; 0 for no bound (account events are never dropped).
        policy: ``drop_oldest``, ``drop_newest``, ``block`` (the writer waits), or ``conflate``.
        key: for ``conflate``, what two events must share for the newer to replace the older one.
        block_limit: seconds that ``block`` lets a writer wait at most; then the oldest give way, and no writer waits
            again before something was taken out.
    """

    def __init__(
        self,
        capacity: int,
        policy: str,
        key: Callable[[Any], Hashable] | None = None,
        *,
        block_limit: float = BLOCK_LIMIT,
    ) -> None:
        if policy not in POLICIES:
            raise ValidationError("overflow", policy, "must be one of " + ", ".join(POLICIES))
        if policy == "conflate" and key is None:
            raise ValidationError("overflow", policy, "needs events that belong to a symbol")
        super().__init__(capacity)
        self.policy = policy
        self._conflates = policy == "conflate"
        self._key: Callable[[Any], Hashable] = key or id
        self._block_limit = block_limit
        self._open()

    def _open(self) -> None:
        # Reentrant: the garbage collector may run a finaliser that ends this very subscription while we hold it (F153).
        self.mutex = threading.RLock()  # type: ignore[assignment]
        self.not_empty = Condition(self.mutex)
        self.not_full = Condition(self.mutex)
        self.all_tasks_done = Condition(self.mutex)
        self._newest: dict[Hashable, Any] = {}
        self._replaced: dict[Hashable, int] = {}
        # Events are numbered from 0 as they come in; this is the number of the first one that waits.
        self._head = 0
        self._taken = 0
        self._gaps: deque[tuple[int, int]] = deque()
        self._marks: deque[tuple[int, int]] = deque()
        self._closed = False
        self._may_wait = True
        self._is_hopeless = False
        self._failure: ExconnError | None = None
        self.is_discarded = False
        self.dropped = 0
        self.missed = 0

    def renew(self) -> None:
        """Begin anew in a forked child: empty, open, with locks that no thread of the parent can hold (fault F125)."""
        self.queue.clear()
        self._open()

    @property
    def is_closed(self) -> bool:
        """True once nothing is accepted any more."""
        return self._closed

    @property
    def is_held_here(self) -> bool:
        """True where the calling thread holds the lock: in a finaliser that interrupted us (fault F153)."""
        return bool(self.mutex._is_owned())  # type: ignore[attr-defined]

    @property
    def pending(self) -> int:
        """Number of events waiting."""
        return len(self._newest) if self._conflates else len(self.queue)

    @property
    def kept(self) -> int:
        """Number of events that were taken in and not lost, since the beginning: those handed out and those waiting."""
        with self.mutex:
            return self._taken + self.pending

    @property
    def waiting_since(self) -> int | None:
        """When the oldest event that waits arrived, monotonic ns; None where none waits."""
        with self.mutex:
            return self._marks[0][1] if self._marks and self._has_events() else None

    def put_batch(self, events: Sequence[Any]) -> int:
        """Add events in order with one lock and one wake-up; what does not fit gives way by the policy.

        Returns the time, monotonic ns, because that was looked at anyway.
        """
        now = monotonic_ns()
        marks, waiting = self._marks, self.queue
        with self.mutex:
            if self._closed:
                return now
            if not marks:
                marks.append((self._head, now))
            elif now - marks[-1][1] >= _MARK_EVERY:
                self._mark(now)
            if self._conflates:
                self._conflate(events)
            elif self.maxsize and len(waiting) + len(events) > self.maxsize:
                self._squeeze(events)
            else:
                waiting.extend(events)
            self.not_empty.notify()
        return now

    def drain(self, timeout: float | None) -> Batch | None:
        """Take everything there is, waiting up to ``timeout`` seconds for the first; None when nothing came."""
        with self.mutex:
            if not self._has_events() and not self._closed:
                self.not_empty.wait_for(lambda: self._has_events() or self._closed, timeout)
            if not self._has_events():
                return None
            batch = self._take_all()
            self._is_hopeless = False
            self.not_full.notify_all()
        return batch

    def take(self, timeout: float | None) -> Any:
        """Take one event, waiting up to ``timeout`` seconds; ``missed`` then says how many were lost just before it.

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
            event = self._take_one()
            self._is_hopeless = False
            self.not_full.notify()
        return event

    def let_writers_wait(self, allowed: bool) -> None:
        """Say whether writers may wait for room; where not, those that do are released, and the oldest give way."""
        with self.mutex:
            self._may_wait = allowed
            self.not_full.notify_all()

    def give_way(self) -> None:
        """Let no writer wait for room until something was taken out: nobody is there to take it."""
        with self.mutex:
            self._is_hopeless = True

    @property
    def failure(self) -> ExconnError | None:
        """What was set last."""
        return self._failure

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
            self._replaced.clear()
            self._gaps.clear()
            self._marks.clear()
            self.not_empty.notify_all()
            self.not_full.notify_all()

    def _has_events(self) -> bool:
        return bool(self._newest) if self._conflates else bool(self.queue)

    def _is_over(self) -> bool:
        return self._closed or self._failure is not None

    # --- taking, under the mutex ------------------------------------------------------------------------------------

    def _take_all(self) -> Batch:
        first = self._head
        marks = list(self._marks)
        self._marks.clear()
        gaps: list[tuple[int, int]] = []
        if self._conflates:
            events = list(self._newest.values())
            if self._replaced:
                keys = enumerate(self._newest, first)
                gaps = [(number, self._replaced[key]) for number, key in keys if key in self._replaced]
                self._replaced.clear()
            self._newest.clear()
        else:
            events = list(self.queue)
            self.queue.clear()
            if self._gaps:
                gaps = list(self._gaps)
                self._gaps.clear()
        self._head = first + len(events)
        self._taken += len(events)
        return Batch(events, first, gaps, marks)

    def _take_one(self) -> Any:
        if self._conflates:
            key = next(iter(self._newest))
            event, self.missed = self._newest.pop(key), self._replaced.pop(key, 0)
        else:
            event = self.queue.popleft()
            is_after_gap = bool(self._gaps) and self._gaps[0][0] == self._head
            self.missed = self._gaps.popleft()[1] if is_after_gap else 0
        self._advance(1)
        self._taken += 1
        if not self._has_events():
            self._marks.clear()
        return event

    def _advance(self, count: int) -> None:
        """Count events that left at the front."""
        self._head += count
        marks = self._marks
        while len(marks) > 1 and marks[1][0] <= self._head:
            marks.popleft()

    # --- putting, under the mutex -----------------------------------------------------------------------------------

    def _mark(self, now: int) -> None:
        position = self._head + self.pending
        if self._marks and self._marks[-1][0] == position:
            # Nothing has come in under the last mark: its events were turned away.
            self._marks.pop()
        self._marks.append((position, now))

    def _conflate(self, events: Sequence[Any]) -> None:
        for event in events:
            key = self._key(event)
            if key in self._newest:
                self._replaced[key] = self._replaced.get(key, 0) + 1
                self.dropped += 1
            self._newest[key] = event

    def _squeeze(self, events: Sequence[Any]) -> None:
        if self.policy == "block":
            self._wait_for_room(events)
        elif self.policy == "drop_newest":
            room = self.maxsize - len(self.queue)
            self.queue.extend(events[:room])
            self._lose_behind(len(events) - room)
        else:
            # Made room for first, so that nobody ever sees more than there may be.
            surplus = len(self.queue) + len(events) - self.maxsize
            never_in = surplus - len(self.queue)
            self._lose_oldest(surplus)
            self.queue.extend(events[never_in:] if never_in > 0 else events)

    def _wait_for_room(self, events: Sequence[Any]) -> None:
        limit = monotonic_ns() + int(self._block_limit * _NS)
        for event in events:
            while len(self.queue) >= self.maxsize and not self._closed:
                remaining = (limit - monotonic_ns()) / _NS
                self._is_hopeless = self._is_hopeless or remaining <= 0
                if self._is_hopeless or not self._may_wait:
                    self._lose_oldest(1)
                    break
                # The reader of events may be asleep: it must hear of what is already there before we wait for it.
                self.not_empty.notify()
                beat()
                self.not_full.wait(min(remaining, _SLICE))
            if self._closed:
                return
            self.queue.append(event)

    def _lose_oldest(self, count: int) -> None:
        waiting, gaps = self.queue, self._gaps
        if count < len(waiting):
            for _ in range(count):
                waiting.popleft()
        else:
            waiting.clear()
        self.dropped += count
        self._advance(count)
        gaps.append((self._head, gaps.pop()[1] + count if gaps else count))

    def _lose_behind(self, count: int) -> None:
        self.dropped += count
        end = self._head + len(self.queue)
        before = self._gaps.pop()[1] if self._gaps and self._gaps[-1][0] == end else 0
        self._gaps.append((end, before + count))
