"""Threads that wait for their turn at a budget, and how they are woken."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Iterable

from exconn_sync._machines.lanes import Lanes, Ticket
from exconn_sync.model.limits import Lane
from exconn_sync.ports.forking import renew_in_child
from exconn_sync.ports.waiting import Event


class Turns:
    """The waiting requests of all connectors of this process for one budget. Thread-safe; never blocks.

    A request asks ``blocker``; where that is None it may try. Where it did not get what it needs it joins those who
    wait, and sleeps on the event that it is given until its time has come or another one has left.
    """

    def __init__(self) -> None:
        self._numbers = itertools.count()
        self.renew_in_child()
        renew_in_child(self)

    def renew_in_child(self) -> None:
        """Forget in a forked child the threads that wait in the parent."""
        # Guards the places and the table of events.
        self._lock = threading.Lock()
        self._lanes = Lanes()
        self._events: dict[int, Event] = {}

    def ticket(self, lane: Lane, limits: Iterable[str]) -> Ticket:
        """Return a place in the order for a request that arrives now."""
        return Ticket(lane, next(self._numbers), frozenset(limits))

    def blocker(self, ticket: Ticket) -> Ticket | None:
        """Return who has to be waited for; None where this one may try."""
        with self._lock:
            return self._lanes.blocker(ticket) if self._lanes else None

    def join(self, ticket: Ticket) -> Event:
        """Let a request wait in its place from now on; return what wakes it."""
        event = Event()
        with self._lock:
            self._events[ticket.number] = event
            self._lanes.wait(ticket)
        return event

    def has_to_wait(self, ticket: Ticket, lacks: str | None, due_ns: int | None) -> bool:
        """Note that a request waits: for a limit until ``due_ns``, or with None for those before it.

        Returns False where those have left meanwhile. Whoever leaves later wakes it, so its event is cleared before.
        """
        with self._lock:
            ticket.lacks, ticket.due_ns = lacks, due_ns
            return lacks is not None or self._lanes.blocker(ticket) is not None

    def leave(self, ticket: Ticket) -> None:
        """Give up a place; whose turn it is now is woken. Ignored for one that does not wait."""
        with self._lock:
            if self._events.pop(ticket.number, None) is None:
                return
            events = [self._events[other.number] for other in self._lanes.leave(ticket)]
        for event in events:
            event.set()

    def wake(self) -> None:
        """Have all who wait look again: there may be room before their time."""
        with self._lock:
            events = list(self._events.values())
        for event in events:
            event.set()

    @property
    def waiting(self) -> int:
        """How many requests wait."""
        with self._lock:
            return len(self._lanes)
