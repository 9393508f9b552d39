"""How far a local book knows every level (fault F056).

A snapshot that was cut at a number of levels says nothing of what lies deeper, and a diff shows single levels of it.
Those are true, but between them may be others that nobody told us of: a view that is asked for so many levels never
shows them, and one that is asked for all says how many of them are covered. As the market moves, fewer levels are left
that are known without a hole; where none is, even the best price may not be the best one.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from exconn_sync._machines.book_side import BookSide
from exconn_sync.model.market import BookSnapshot

_THIN = 4
"""A book is thin where less than this part of the levels that were asked for is left of them."""


class BookCoverage:
    """Down to which price nothing is missing on each side of one book. Not thread-safe.

    ``levels`` is how many levels a side each snapshot was asked for: one that has fewer holds all that there are. None
    where the exchange keeps the stream whole to the depth of its topic.

    Attributes:
        bid_floor: the lowest bid down to which none is missing, None where none is at all.
        ask_floor: the highest ask, likewise.
    """

    __slots__ = ("_asks", "_bids", "_levels", "ask_floor", "bid_floor")

    def __init__(self, bids: BookSide, asks: BookSide, levels: int | None) -> None:
        self._bids = bids
        self._asks = asks
        self._levels = levels
        self.bid_floor: Decimal | None = None
        self.ask_floor: Decimal | None = None

    def loaded(self, snapshot: BookSnapshot) -> None:
        """Note that both sides have just been loaded from a snapshot."""
        levels = self._levels
        self.bid_floor = None if levels is None or len(snapshot.bids) < levels else self._bids.deepest
        self.ask_floor = None if levels is None or len(snapshot.asks) < levels else self._asks.deepest

    @property
    def is_thin(self) -> bool:
        """True where so few levels are known without a hole that another snapshot is worth its price."""
        if self._levels is None:
            return False
        least = self._levels // _THIN
        sides = (self._bids, self.bid_floor), (self._asks, self.ask_floor)
        return any(floor is not None and side.count_to(floor) < least for side, floor in sides)

    def shown(self, side: BookSide, depth: int | None) -> tuple[Sequence[tuple[Decimal, str]], int, bool]:
        """Return what is shown of a side, best first, how much of it is covered, and whether that is all there is."""
        floor = self.bid_floor if side is self._bids else self.ask_floor
        if floor is None:
            rows = side.copy(depth)
            return rows, len(rows), self._levels is not None and len(rows) == len(side)
        covered = side.count_to(floor)
        if depth is not None and covered:
            depth = min(depth, covered)
        rows = side.copy(depth)
        return rows, min(covered, len(rows)), False
