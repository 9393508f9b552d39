"""Keeps the order book of one symbol from a snapshot and a sequence of diffs (faults F049 to F059).

The rules, whatever the exchange; only ``judge`` knows its sequence numbers:

====================  ===========================================  ==================================================
state                 a diff arrives                               a snapshot arrives
====================  ===========================================  ==================================================
syncing, stale,       buffered; too many: the buffer is dropped    older than the buffer: another one is needed, the
broken                (F055)                                       buffer stays (F052), but not for ever (F042); else
                                                                   loaded, the buffer is applied, and the book is
                                                                   live (F053)
live                  ``apply``, ``ignore`` (F049), or ``gap``:    not newer: nothing (F058, F066); newer: replaces the
                      syncing at once, a new snapshot is needed,   book as a whole (F057)
                      the diff opens the new buffer (F050, F051)
live, asked for       the same, and kept beside                    joins up with what was kept: replaces the book, what
another snapshot                                                   was kept is applied (F056); else nothing
====================  ===========================================  ==================================================

A snapshot that comes in the stream itself is in order with the diffs: whatever the state, it is the book from there on,
and nothing that was buffered before it counts (F057).

A crossed book and a malformed level end ``live`` like a gap does (F059), but the book is called ``broken`` then: what
came cannot be right. An exchange that restarts its sequence has the book told so by ``invalidate`` before the new
snapshot is handed in (F057).

How far levels are known without a hole is told with each view (F056): see ``book_coverage``. Where few are left, the
book ``is_thin``, and another snapshot is worth its price.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal

from exconn_sync._machines.book_coverage import BookCoverage
from exconn_sync._machines.book_side import BookSide
from exconn_sync.errors import ProtocolError
from exconn_sync.model.book_view import BookView, Level
from exconn_sync.model.enums import BookState
from exconn_sync.model.market import BookDiff, BookSnapshot, BookTicker

_NS = 1_000_000_000
_MOST_TOO_OLD = 6
"""So many snapshots in a row may be older than the buffer; asked for at growing pauses, that is many seconds."""


class LocalBook:
    """The order book of one symbol; owned by one thread, which alone may call it.

    ``judge`` is the exchange's sequence rule: given the id of the book and a diff, it says ``apply``, ``ignore`` or
    ``gap``.

    ``snapshot_levels`` is how many levels a side were asked for with each snapshot: one that has fewer holds all that
    there are. None where the exchange keeps the stream whole to the depth of its topic.

    Attributes:
        exchange: name of the exchange.
        symbol: canonical symbol.
        state: only a ``live`` book is whole and may be read (invariant I12).
        reason: why the book is not live; empty for a live one.
        update_id: id of the last change in the book.
        needs_snapshot: True where somebody has to fetch a snapshot; False while one is on its way.
    """

    def __init__(
        self,
        exchange: str,
        symbol: str,
        judge: Callable[[int, BookDiff], str],
        max_buffered: int = 50_000,
        snapshot_levels: int | None = None,
    ) -> None:
        self.exchange = exchange
        self.symbol = symbol
        self.state = BookState.SYNCING
        self.reason = "no snapshot yet"
        self.update_id = 0
        self.needs_snapshot = True
        self._judge = judge
        self._max_buffered = max_buffered
        # A live book has asked for another snapshot: what is applied meanwhile is kept for it as well.
        self._is_widening = False
        self._buffer: list[BookDiff] = []
        # Snapshots in a row that did not reach what was buffered.
        self._too_old = 0
        self._bids = BookSide(is_bids=True)
        self._asks = BookSide(is_bids=False)
        self._coverage = BookCoverage(self._bids, self._asks, snapshot_levels)
        self._exchange_time: int | None = None
        self._received_at = 0
        self._last_word_ns: int | None = None

    # --- what happens -----------------------------------------------------------------------------------------------

    def on_diff(self, diff: BookDiff, now_ns: int) -> bool:
        """Take the next diff of the stream; return True where the readable book changed.

        A book that stops being readable returns False: look at ``state``.

        Raises:
            ProtocolError: a malformed level; the book is not readable any more and needs a snapshot.
        """
        self._last_word_ns = now_ns
        if self.state is not BookState.LIVE:
            self._keep(diff)
            return False
        verdict = self._judge(self.update_id, diff)
        if verdict == "ignore":
            return False
        if verdict != "apply":
            self._lose(self._gap_text(diff), [diff])
            return False
        try:
            self._apply(diff)
        except ProtocolError as error:
            self._lose(error.message, [], BookState.BROKEN)
            raise
        if self._is_crossed():
            self._lose("crossed", [diff], BookState.BROKEN)
            return False
        if self._is_widening:
            self._keep(diff)
        return True

    def on_snapshot(self, snapshot: BookSnapshot, now_ns: int, on_version: Callable[[], None] | None = None) -> bool:
        """Take a snapshot; return True where the readable book changed, which includes becoming readable.

        ``on_version`` is called at each version on the way, the snapshot itself and each buffered diff, while the book
        is readable in that version: a subscriber misses none only because changes arrived before the snapshot.

        Raises:
            ProtocolError: a malformed level, in it or in a buffered diff; the book is not readable and needs another.
        """
        self._last_word_ns = now_ns
        if self.state is BookState.LIVE and (snapshot.update_id <= self.update_id or self._is_widening):
            return self._widen(snapshot, on_version)
        self.needs_snapshot = False
        buffered, self._buffer = self._buffer, []
        if buffered and snapshot.update_id + 1 < buffered[0].first_update_id:
            too_old = f"snapshot {snapshot.update_id} is older than the first buffered change"
            self._too_old += 1
            if self._too_old >= _MOST_TOO_OLD:
                # No snapshot will ever reach a change with an absurd id (fault F042): begin anew without it.
                buffered, self._too_old = [], 0
            self._lose(f"{too_old} {buffered[0].first_update_id}" if buffered else too_old, buffered)
            return False
        self._too_old = 0
        try:
            self._load(snapshot)
        except ProtocolError as error:
            self._lose(error.message, buffered, BookState.BROKEN)
            raise
        return self._catch_up(buffered, on_version)

    def on_stream_snapshot(self, snapshot: BookSnapshot, now_ns: int) -> bool:
        """Take a snapshot that the stream brought; return True where the readable book changed.

        One that is repeated without a change is only a sign of life.

        Raises:
            ProtocolError: a malformed level; the book is not readable and needs another.
        """
        self._last_word_ns = now_ns
        is_news = self.state is not BookState.LIVE or snapshot.update_id != self.update_id
        self.needs_snapshot = False
        self._buffer, self._too_old = [], 0
        try:
            self._load(snapshot)
        except ProtocolError as error:
            self._lose(error.message, [], BookState.BROKEN)
            raise
        return self._catch_up([], None) and is_news

    def invalidate(self, reason: str, now_ns: int, state: BookState = BookState.STALE) -> None:
        """Make the book unreadable until a new snapshot, as after a disconnect; what was buffered is dropped."""
        del now_ns  # told like every other event; being invalidated is no word from the exchange
        self._lose(reason, [], state)

    def snapshot_requested(self) -> None:
        """Note that a snapshot is on its way; a live book goes on, and takes it for more levels than it knows now."""
        self.needs_snapshot = False
        if self.state is BookState.LIVE:
            self._is_widening, self._buffer = True, []

    def snapshot_failed(self) -> None:
        """Note that the snapshot on its way will not come (fault F054)."""
        self.needs_snapshot = self.state is not BookState.LIVE
        if not self.needs_snapshot:
            self._is_widening, self._buffer = False, []

    # --- what can be read -------------------------------------------------------------------------------------------

    def top(self) -> tuple[Level | None, Level | None]:
        """Return best bid and best ask; both None unless the book is live."""
        if self.state is not BookState.LIVE:
            return None, None
        return self._bids.best_level(), self._asks.best_level()

    def best(self) -> BookTicker | None:
        """Return best bid and best ask with the version they belong to; None unless the book is live."""
        if self.state is not BookState.LIVE:
            return None
        bid, ask = self._bids.best_level() or (None, None), self._asks.best_level() or (None, None)
        return BookTicker(
            self.exchange, self.symbol, bid[0], bid[1], ask[0], ask[1], self.update_id, self._exchange_time,
            self._received_at,
        )  # fmt: skip

    def age(self, now_ns: int) -> float:
        """Return the seconds since the exchange's last word about this book; 0 where there was none yet."""
        return 0.0 if self._last_word_ns is None else max(0, now_ns - self._last_word_ns) / _NS

    @property
    def whole_between(self) -> tuple[Decimal | None, Decimal | None]:
        """Lowest bid and highest ask down to which no level is missing (F056); None where none is missing at all."""
        return self._coverage.bid_floor, self._coverage.ask_floor

    @property
    def is_thin(self) -> bool:
        """True where a live book knows so few levels without a hole that another snapshot is worth its price."""
        return self.state is BookState.LIVE and self._coverage.is_thin

    def view(self, now_ns: int, depth: int | None = None) -> BookView:
        """Return an immutable copy, ``depth`` levels a side or all; of a book that is not live, one without levels."""
        bids: Sequence[tuple[Decimal, str]] = ()
        asks: Sequence[tuple[Decimal, str]] = ()
        covered_bids = covered_asks = 0
        has_all_bids = has_all_asks = False
        if self.state is BookState.LIVE:
            bids, covered_bids, has_all_bids = self._coverage.shown(self._bids, depth)
            asks, covered_asks, has_all_asks = self._coverage.shown(self._asks, depth)
        return BookView(
            exchange=self.exchange,
            symbol=self.symbol,
            state=self.state,
            bids=bids,
            asks=asks,
            covered_bids=covered_bids,
            covered_asks=covered_asks,
            has_all_bids=has_all_bids,
            has_all_asks=has_all_asks,
            update_id=self.update_id,
            exchange_time=self._exchange_time,
            received_at=self._received_at,
            age=self.age(now_ns),
            reason=self.reason,
        )

    # --- inside -----------------------------------------------------------------------------------------------------

    def _widen(self, snapshot: BookSnapshot, on_version: Callable[[], None] | None) -> bool:
        """Let a live book have the levels of another snapshot, where it joins up with what was applied meanwhile.

        It may be ahead of the changes that have come so far: that is a version nobody has seen.
        """
        kept, self._buffer = self._buffer, []
        was_widening, self._is_widening = self._is_widening, False
        before = self.update_id
        if not was_widening or (snapshot.update_id < before and not _joins_up(snapshot, kept)):
            return False
        try:
            self._load(snapshot)
        except ProtocolError as error:
            # One of the sides may have been replaced before the other one was found to be malformed.
            self._lose(error.message, [], BookState.BROKEN)
            raise

        def show() -> None:
            if on_version is not None and self.update_id > before:
                on_version()

        return self._catch_up(kept, show) and self.update_id != before

    def _keep(self, diff: BookDiff) -> None:
        if len(self._buffer) >= self._max_buffered:
            if self._is_widening:
                self._is_widening, self._buffer = False, []
                return
            self.reason = f"more than {self._max_buffered} changes arrived before a snapshot; starting again"
            # A snapshot on its way that misses what was dropped is found too old against the new first diff.
            self._buffer = []
        self._buffer.append(diff)

    def _lose(self, reason: str, buffered: list[BookDiff], state: BookState = BookState.SYNCING) -> None:
        self.state = state
        self.reason = reason
        self._is_widening = False
        self.needs_snapshot = True
        self._buffer = buffered

    def _gap_text(self, diff: BookDiff) -> str:
        return f"gap: the book is at {self.update_id}, the next change starts at {diff.first_update_id}"

    def _load(self, snapshot: BookSnapshot) -> None:
        self._bids.load(snapshot.bids)
        self._asks.load(snapshot.asks)
        self._coverage.loaded(snapshot)
        self.update_id = snapshot.update_id
        self._exchange_time = snapshot.exchange_time
        self._received_at = snapshot.received_at

    def _catch_up(self, buffered: list[BookDiff], on_version: Callable[[], None] | None) -> bool:
        """Apply what was buffered to a snapshot just loaded; return whether the book became live.

        No version on the way may be crossed: a later change might hide it, and leave the level that caused it.
        """
        if self._is_crossed():
            self._lose("crossed", buffered, BookState.BROKEN)
            return False
        self._show(on_version)
        for index, diff in enumerate(buffered):
            verdict = self._judge(self.update_id, diff)
            if verdict == "ignore":
                continue
            if verdict != "apply":
                self._lose(self._gap_text(diff), buffered[index:])
                return False
            try:
                self._apply(diff)
            except ProtocolError as error:
                self._lose(error.message, buffered[index + 1 :], BookState.BROKEN)
                raise
            if self._is_crossed():
                self._lose("crossed", buffered[index:], BookState.BROKEN)
                return False
            self._show(on_version)
        self.state = BookState.LIVE
        self.reason = ""
        return True

    def _show(self, on_version: Callable[[], None] | None) -> None:
        """Let a version be read that the next buffered diff will replace; it is not crossed."""
        if on_version is not None:
            self.state = BookState.LIVE
            self.reason = ""
            on_version()

    def _apply(self, diff: BookDiff) -> None:
        self._bids.apply(diff.bids)
        self._asks.apply(diff.asks)
        self.update_id = diff.last_update_id
        self._exchange_time = diff.exchange_time
        self._received_at = diff.received_at

    def _is_crossed(self) -> bool:
        bid, ask = self._bids.best_price, self._asks.best_price
        return bid is not None and ask is not None and bid >= ask


def _joins_up(snapshot: BookSnapshot, diffs: list[BookDiff]) -> bool:
    """Return whether a snapshot that is behind the book reaches the first of the changes since it was asked for."""
    return bool(diffs) and snapshot.update_id + 1 >= diffs[0].first_update_id
