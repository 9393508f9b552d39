"""The local order books of one connector, for readers in any thread.

Each book is fed by one keeper at a time, on the thread of its connection.
"""

from __future__ import annotations

import threading

from exconn_sync._machines.backoff import Backoff
from exconn_sync._machines.local_book import LocalBook
from exconn_sync.model.book_view import BookView, Level
from exconn_sync.model.enums import BookState
from exconn_sync.model.market import BookTicker
from exconn_sync.ports.clock import Clock


class BookEntry:
    """One book with what surrounds it; everything but the book under its lock belongs to the keeper's thread."""

    __slots__ = (
        "awaits_diff", "backoff", "book", "connection", "epoch", "is_fetching", "is_owed", "keeper", "lock",
        "renewals", "retry_ns", "until_look", "was_live",
    )  # fmt: skip

    def __init__(
        self, book: LocalBook, backoff: Backoff, keeper: object, connection: int, renewals: Backoff | None = None
    ) -> None:
        self.book = book
        self.connection = connection
        # Guards the book between its writer and its readers.
        self.lock = threading.Lock()
        self.backoff = backoff
        # Pauses between subscriptions for the sake of a snapshot: a book that is lost again and again waits longer.
        self.renewals = renewals or backoff
        # Who feeds the book: what an earlier one still says has no effect.
        self.keeper = keeper
        # Counts the connections the book has lived through; a snapshot asked for on an earlier one is not used.
        self.epoch = 0
        # A snapshot is on its way.
        self.is_fetching = False
        # Its topic is acknowledged, and owes a snapshot before any change, where the stream brings snapshots.
        self.is_owed = False
        # True where the changes are known not to come: a snapshot alone would look alive, and grow old unseen.
        self.awaits_diff = False
        # When the next one is asked for, or the one on its way is overdue; 0 for never.
        self.retry_ns = 0
        self.was_live = False
        # Reads with changes until it is looked whether few levels are left.
        self.until_look = 0


class BookShelf:
    """All books by symbol. Thread-safe: entries come and go in single steps of a dictionary."""

    def __init__(self, exchange: str, clock: Clock) -> None:
        self._exchange = exchange
        self._clock = clock
        self.entries: dict[str, BookEntry] = {}

    def view(self, symbol: str, depth: int | None = None) -> BookView:
        """Return the book as it is now, to ``depth`` levels a side or whole; an unreadable one says why."""
        entry = self.entries.get(symbol)
        if entry is None:
            reason = "not subscribed yet"
            return BookView(exchange=self._exchange, symbol=symbol, state=BookState.SYNCING, reason=reason)
        with entry.lock:
            return entry.book.view(self._clock.monotonic_ns(), depth)

    def top(self, symbol: str) -> tuple[Level | None, Level | None]:
        """Return best bid and best ask; None where there is none or the book is not readable."""
        entry = self.entries.get(symbol)
        if entry is None:
            return None, None
        with entry.lock:
            return entry.book.top()

    def best(self, symbol: str) -> BookTicker:
        """Return best bid and best ask with their version, without a copy of anything else. Raises StaleBook."""
        entry = self.entries.get(symbol)
        if entry is not None:
            with entry.lock:
                best = entry.book.best()
            if best is not None:
                return best
        raise self.view(symbol, 0).unreadable()

    def lose(self, connection: int, reason: str) -> None:
        """Make the books of a connection unreadable, and let nobody feed them before somebody takes them over."""
        for entry in self.entries.copy().values():
            if entry.connection == connection:
                entry.keeper = None
                with entry.lock:
                    entry.book.invalidate(reason, self._clock.monotonic_ns())

    def states(self) -> dict[str, BookState]:
        """Return the state of each book."""
        return {symbol: entry.book.state for symbol, entry in self.entries.copy().items()}
