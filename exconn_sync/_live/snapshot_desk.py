"""Loads the snapshots of all books of a connector, the most wanted first, as fast as the budget allows."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future

from exconn_sync._live.book_shelf import BookShelf
from exconn_sync._machines.snapshot_queue import Rank, SnapshotQueue, Ticket
from exconn_sync.errors import ExconnError, RateLimitError
from exconn_sync.model.enums import BookState
from exconn_sync.model.market import BookSnapshot
from exconn_sync.ports.clock import Clock


class SnapshotDesk:
    """One line for the books of all connections. Thread-safe.

    ``load`` begins to load a snapshot on a thread of the pool. ``wanted`` says how many want a book. Books that cannot
    be read go before those that only lack levels, then the more wanted before the less wanted.

    A snapshot that the budget does not allow is not a failed one: it waits, and so do all others, until there is room.
    """

    def __init__(
        self,
        shelf: BookShelf,
        load: Callable[[str], Future[BookSnapshot]],
        wanted: Callable[[str], int],
        clock: Clock,
        most_at_once: int,
    ) -> None:
        self._shelf = shelf
        self._load = load
        self._wanted = wanted
        self._clock = clock
        # Guards the queue and the futures. Reentrant: the garbage collector may run anything while we hold it (F153).
        self._lock = threading.RLock()
        self._queue = SnapshotQueue(most_at_once)
        self._futures: dict[Ticket, Future[BookSnapshot]] = {}

    def fetch(self, symbol: str) -> Future[BookSnapshot]:
        """Have a snapshot loaded when its turn comes; a wish for the same book that still waits is void."""
        future: Future[BookSnapshot] = Future()
        with self._lock:
            ticket, former = self._queue.add(symbol)
            void = self._futures.pop(former, None) if former is not None else None
            self._futures[ticket] = future
        if void is not None:
            void.cancel()
        self.on_tick(self._clock.monotonic_ns())
        return future

    def on_tick(self, now_ns: int) -> float | None:
        """Begin to load what may be loaded now; return the seconds until the next may be, None where nothing waits."""
        while True:
            with self._lock:
                waiting = self._queue.waiting
            ranks, gone = {}, []
            for symbol in waiting:
                rank = self._rank(symbol)
                if rank is None:
                    gone.append(symbol)
                else:
                    ranks[symbol] = rank
            with self._lock:
                void = [self._futures.pop(ticket, None) for ticket in self._queue.forget(gone)]
                ticket = self._queue.next(ranks, now_ns)
                due = self._queue.until_due(now_ns)
            for future in void:
                if future is not None:
                    future.cancel()
            if ticket is None:
                return due
            self._begin(ticket)

    def _rank(self, symbol: str) -> Rank | None:
        """Return a book's place in the line, None where it wants no snapshot any more."""
        entry = self._shelf.entries.get(symbol)
        if entry is None or not entry.is_fetching:
            return None
        return int(entry.book.state is BookState.LIVE), -self._wanted(symbol)

    def _begin(self, ticket: Ticket) -> None:
        try:
            loading = self._load(ticket.symbol)
        except ExconnError as error:
            self._settle(ticket, None, error)
            return
        loading.add_done_callback(lambda done: self._loaded(ticket, done))

    def _loaded(self, ticket: Ticket, done: Future[BookSnapshot]) -> None:
        """Hand a snapshot on, or wait for the budget; on the pool's thread."""
        error = done.exception()
        if error is None:
            self._settle(ticket, done.result(), None)
        elif isinstance(error, RateLimitError) and error.retry_after is not None:
            # Without a time it costs more than there ever is, which is a failure like any other.
            with self._lock:
                is_waiting = self._queue.held_up(ticket, error.retry_after, self._clock.monotonic_ns())
                void = None if is_waiting else self._futures.pop(ticket, None)
            if void is not None:
                void.cancel()
            # The next one is begun by whoever looks when the pause is over.
            return
        else:
            self._settle(ticket, None, error)
        self.on_tick(self._clock.monotonic_ns())

    def _settle(self, ticket: Ticket, snapshot: BookSnapshot | None, error: BaseException | None) -> None:
        with self._lock:
            self._queue.ended(ticket)
            future = self._futures.pop(ticket, None)
        if future is None or not future.set_running_or_notify_cancel():
            return
        if snapshot is not None:
            future.set_result(snapshot)
        else:
            future.set_exception(error)
