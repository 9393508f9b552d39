"""Feeds local order books on the thread of one connection.

Snapshots are fetched on a pool thread and handed back to that thread, so that each book has one writer. Where the
exchange sends them in the stream, a topic is subscribed anew for each that is needed.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import Future

from exconn_sync._live.book_shelf import BookEntry, BookShelf
from exconn_sync._live.pipeline import Pipeline
from exconn_sync._machines.backoff import Backoff
from exconn_sync._machines.local_book import LocalBook
from exconn_sync.errors import ExconnError, ProtocolError, RequestTimeout
from exconn_sync.model.book_view import BookView, Level
from exconn_sync.model.enums import BookState, Channel
from exconn_sync.model.market import BookDiff, BookSnapshot
from exconn_sync.ports.clock import Clock
from exconn_sync.ports.driver import ExchangeDriver

_NS = 1_000_000_000
_RETRY_BASE, _RETRY_CAP = 0.25, 10.0
_SNAPSHOT_LIMIT_NS = 10 * _NS
"""How long a snapshot may take to come in the stream, once its topic is asked for."""

_STEADY = 10.0
"""Seconds that a book has to live until losing it is a new case."""

_LOOK_EACH = 4
"""It is looked whether a book runs out of levels each time that so many reads have brought changes of it."""

FetchSnapshot = Callable[[str], "Future[BookSnapshot]"]
Post = Callable[[Callable[[], None]], None]


class BookKeeper:
    """Feeds the books of the symbols on one connection, for one life of its worker; on the stream's thread only.

    ``connection`` is the connection's number.
    ``fetch`` starts loading a snapshot and returns a future; ``post`` runs a function on the stream's thread. ``renew``
    has the topic of a book subscribed anew, which brings a snapshot where the stream brings any. ``snapshot_levels`` is
    how many levels a side ``fetch`` asks for, None where it asks for all. ``tend`` looks after snapshots that wait for
    the budget, and returns the seconds until it wants to do so again.
    """

    def __init__(
        self,
        shelf: BookShelf,
        connection: int,
        driver: ExchangeDriver,
        pipeline: Pipeline,
        clock: Clock,
        rng: random.Random,
        fetch: FetchSnapshot,
        post: Post,
        renew: Callable[[str], None] = lambda _: None,
        snapshot_levels: int | None = None,
        tend: Callable[[int], float | None] = lambda _: None,
    ) -> None:
        self._shelf = shelf
        self._connection = connection
        self._driver = driver
        self._pipeline = pipeline
        self._clock = clock
        self._rng = rng
        self._fetch = fetch
        self._post = post
        self._renew = renew
        self._is_on_stream = driver.has_books_on_stream
        self._tend = tend
        self._snapshot_levels = None if self._is_on_stream else snapshot_levels
        self._entries: dict[str, BookEntry] = {}

    def add(self, symbol: str) -> None:
        """Feed the book of a symbol, from the diffs that come from now on; one that is there is taken over."""
        if symbol in self._entries:
            return
        entry = self._shelf.entries.get(symbol)
        if entry is None:
            driver, levels = self._driver, self._snapshot_levels
            book = LocalBook(driver.name, symbol, driver.judge_diff, snapshot_levels=levels)
            retries = Backoff(_RETRY_BASE, _RETRY_CAP, 0.0, self._rng)
            renewals = Backoff(_RETRY_BASE, _RETRY_CAP, _STEADY, self._rng)
            entry = BookEntry(book, retries, self, self._connection, renewals)
            self._shelf.entries[symbol] = entry
        else:
            entry.keeper, entry.connection = self, self._connection
            self._interrupt(symbol, entry, "its connection was made anew")
        self._entries[symbol] = entry

    def remove(self, symbol: str) -> None:
        """Keep the book no longer."""
        entry = self._entries.pop(symbol, None)
        if entry is not None and self._shelf.entries.get(symbol) is entry and entry.keeper is self:
            del self._shelf.entries[symbol]

    def keep_only(self, symbols: Collection[str]) -> None:
        """Keep no other books of this connection than these, those of an earlier life of its worker included."""
        for symbol, entry in self._shelf.entries.copy().items():
            if entry.connection == self._connection and symbol not in symbols:
                self._entries.pop(symbol, None)
                self._shelf.entries.pop(symbol, None)

    def update_id(self, symbol: str) -> int | None:
        """Return the id of the last change that is known, None before the first."""
        entry = self._entries.get(symbol)
        return entry.book.update_id or None if entry is not None else None

    def top(self, symbol: str) -> tuple[Level | None, Level | None]:
        """Return best bid and best ask, both None unless the book is live."""
        entry = self._entries.get(symbol)
        return (None, None) if entry is None or entry.keeper is not self else entry.book.top()

    def levels(self, symbol: str, depth: int) -> tuple[tuple[Level, ...], tuple[Level, ...]] | None:
        """Return the best levels of both sides, None unless the book is live."""
        entry = self._entries.get(symbol)
        if entry is None or entry.keeper is not self or entry.book.state is not BookState.LIVE:
            return None
        view = entry.book.view(self._clock.monotonic_ns(), depth)
        return tuple(view.bids), tuple(view.asks)

    def on_diffs(self, symbol: str, diffs: Sequence[BookDiff | BookSnapshot]) -> None:
        """Apply what the stream brought, oldest first, and publish the views that somebody wants."""
        entry = self._entries.get(symbol)
        if entry is None or entry.keeper is not self:
            return
        entry.awaits_diff = False
        now_ns = self._clock.monotonic_ns()
        is_wanted, depth = self._wanted_depth(symbol)
        views: list[BookView] = []
        for diff in diffs:
            try:
                with entry.lock:
                    if isinstance(diff, BookSnapshot):
                        is_changed = entry.book.on_stream_snapshot(diff, now_ns)
                    else:
                        is_changed = entry.book.on_diff(diff, now_ns)
                    if is_changed and is_wanted:
                        views.append(entry.book.view(now_ns, depth))
            except ProtocolError as error:
                self._pipeline.error(f"book {symbol}", error)
        self._publish(symbol, views)
        if self._is_on_stream:
            self._look_for_snapshot(symbol, entry, diffs[-1])
        self._look_after(symbol, entry)

    def _look_for_snapshot(self, symbol: str, entry: BookEntry, newest: BookDiff | BookSnapshot) -> None:
        if entry.book.state is BookState.LIVE:
            # What was asked for has come, or is not needed any more.
            entry.is_fetching, entry.is_owed, entry.retry_ns = False, False, 0
            entry.backoff.reset()
            if not entry.was_live:
                entry.renewals.connected(self._clock.monotonic_ns())
        elif entry.is_owed and isinstance(newest, BookDiff):
            # A topic begins with it: it was lost.
            self._failed(symbol, entry, ProtocolError("changes of the book came without a snapshot before them"))

    def on_subscribed(self, symbol: str) -> None:
        """Load the snapshot now that diffs are flowing, or wait for that of the stream.

        One that was loaded earlier might not join up with the diffs.
        """
        entry = self._entries.get(symbol)
        if entry is None or entry.keeper is not self:
            return
        if self._is_on_stream and entry.book.state is not BookState.LIVE:
            self._await(entry)
            entry.is_owed = True
        self._look_after(symbol, entry)

    def on_tick(self, now_ns: int) -> float | None:
        """Retry snapshots that are due; return the seconds until the next one is."""
        tended = self._tend(now_ns)
        due: list[int] = []
        for symbol, entry in self._entries.items():
            if entry.keeper is self and entry.retry_ns:
                if entry.retry_ns <= now_ns:
                    self._on_due(symbol, entry)
                if entry.retry_ns:
                    due.append(entry.retry_ns)
        waits = [(min(due) - now_ns) / _NS if due else None, tended]
        return min((wait for wait in waits if wait is not None), default=None)

    def _on_due(self, symbol: str, entry: BookEntry) -> None:
        if entry.is_fetching:
            self._failed(symbol, entry, RequestTimeout("the topic was subscribed and brought no snapshot"))
        elif entry.book.needs_snapshot or entry.book.is_thin:
            self._request(symbol, entry)
        else:
            entry.retry_ns = 0

    def on_lost(self, reason: str) -> None:
        """Make every book unreadable: changes are being missed."""
        for symbol, entry in self._entries.items():
            if entry.keeper is self:
                self._interrupt(symbol, entry, reason)

    def on_silent(self, symbol: str, reason: str) -> None:
        """Make one book unreadable until a change of it comes (fault F060)."""
        entry = self._entries.get(symbol)
        if entry is not None and entry.keeper is self:
            self._interrupt(symbol, entry, reason)
            entry.awaits_diff = True

    def on_refused(self, symbol: str, reason: str) -> None:
        """Make one book unreadable until its changes are subscribed (fault F046)."""
        entry = self._entries.get(symbol)
        if entry is not None and entry.keeper is self:
            self._interrupt(symbol, entry, reason)

    def _interrupt(self, symbol: str, entry: BookEntry, reason: str) -> None:
        with entry.lock:
            entry.book.invalidate(reason, self._clock.monotonic_ns())
        entry.retry_ns = 0
        entry.epoch += 1
        entry.is_fetching = entry.awaits_diff = entry.is_owed = False
        self._note_state(symbol, entry)

    def _look_after(self, symbol: str, entry: BookEntry) -> None:
        is_lost_now = self._note_state(symbol, entry)
        if entry.awaits_diff or entry.is_fetching or entry.retry_ns:
            return
        if not entry.book.needs_snapshot:
            entry.until_look -= 1
            if entry.until_look <= 0:
                entry.until_look = _LOOK_EACH
                if entry.book.is_thin:
                    # It goes on meanwhile.
                    self._request(symbol, entry)
            return
        if (self._is_on_stream or is_lost_now) and self._is_lost_again(entry):
            return
        self._request(symbol, entry)

    def _is_lost_again(self, entry: BookEntry) -> bool:
        """Return whether a book lived for a moment only; then the next snapshot is asked for after a pause.

        An exchange must not be asked for one after the other where something is wrong for good.
        """
        now_ns = self._clock.monotonic_ns()
        entry.renewals.proved(now_ns)
        is_again = entry.renewals.attempts > 0
        pause = entry.renewals.next_delay()
        if is_again:
            entry.retry_ns = now_ns + int(pause * _NS)
        return is_again

    def _wanted_depth(self, symbol: str) -> tuple[bool, int | None]:
        """Return whether anybody wants views of a book, and to which depth; None for all levels."""
        subscriptions = self._pipeline.bus.concerned(self._pipeline.key(Channel.ORDER_BOOK, symbol))
        depths = [subscription.depth for subscription in subscriptions]
        return bool(depths), None if None in depths else max(filter(None, depths), default=None)

    def _note_state(self, symbol: str, entry: BookEntry) -> bool:
        """Count the loss of a book; return whether it was lost since the last look."""
        is_live = entry.book.state is BookState.LIVE
        is_lost_now = entry.was_live and not is_live
        if is_lost_now:
            self._pipeline.metrics.count("book.lost", exchange=self._driver.name, symbol=symbol)
        entry.was_live = is_live
        return is_lost_now

    def _await(self, entry: BookEntry) -> None:
        """Wait for a snapshot that the stream is to bring."""
        entry.is_fetching, entry.is_owed = True, False
        entry.retry_ns = self._clock.monotonic_ns() + _SNAPSHOT_LIMIT_NS
        with entry.lock:
            entry.book.snapshot_requested()

    def _request(self, symbol: str, entry: BookEntry) -> None:
        if self._is_on_stream:
            self._await(entry)
            # Later, because a look at what was read may be under way.
            self._post(lambda: self._renew(symbol))
            return
        entry.is_fetching = True
        entry.retry_ns = 0
        with entry.lock:
            entry.book.snapshot_requested()
        try:
            future = self._fetch(symbol)
        except ExconnError as error:
            self._failed(symbol, entry, error)
            return
        epoch = entry.epoch
        future.add_done_callback(lambda done: self._post(lambda: self._arrived(symbol, entry, epoch, done)))

    def _arrived(self, symbol: str, entry: BookEntry, epoch: int, done: Future[BookSnapshot]) -> None:
        if entry.keeper is not self or self._entries.get(symbol) is not entry or entry.epoch != epoch:
            return
        error = done.exception()
        if error is not None:
            self._failed(symbol, entry, error)
            return
        entry.is_fetching = False
        now_ns = self._clock.monotonic_ns()
        is_wanted, depth = self._wanted_depth(symbol)
        views: list[BookView] = []

        def keep_version() -> None:
            views.append(entry.book.view(now_ns, depth))

        try:
            with entry.lock:
                entry.book.on_snapshot(done.result(), now_ns, keep_version if is_wanted else None)
        except ProtocolError as problem:
            self._failed(symbol, entry, problem)
            return
        finally:
            self._publish(symbol, views)
        if entry.book.needs_snapshot or entry.book.is_thin:
            entry.retry_ns = now_ns + int(entry.backoff.next_delay() * _NS)
        elif entry.book.state is BookState.LIVE:
            entry.backoff.reset()
            if not entry.was_live:
                entry.renewals.connected(now_ns)
        self._note_state(symbol, entry)

    def _failed(self, symbol: str, entry: BookEntry, error: BaseException) -> None:
        entry.is_fetching = entry.is_owed = False
        entry.retry_ns = self._clock.monotonic_ns() + int(entry.backoff.next_delay() * _NS)
        with entry.lock:
            entry.book.snapshot_failed()
        if isinstance(error, Exception) and entry.backoff.attempts == 1:
            self._pipeline.error(f"snapshot of {symbol}", error)

    def _publish(self, symbol: str, views: list[BookView]) -> None:
        if views:
            self._pipeline.bus.publish(self._pipeline.key(Channel.ORDER_BOOK, symbol), views)
