"""Joins what was delivered last, what REST still has, and what the stream brings meanwhile, into one sequence.

After a cut the stream goes on somewhere later. What lies between is asked for, delivered first, in order and once, and
flagged; what the stream brings meanwhile is held back for so long. What the exchange does not have any more is named by
the events around it, and the stream goes on.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Generic, NamedTuple, Protocol, TypeVar

import msgspec

from exconn_sync.model.market import AggregateTrade, Trade
from exconn_sync.model.market_statistics import Kline

MOST_HELD = 10_000
"""Events of the stream that wait for what is missing before them; then they go on without it."""

_MOST_TRIES = 3
_NEXT_MS = 1_000_000
"""A candle begins at most a millisecond after the end of the one before it: some exchanges state the last moment."""

E = TypeVar("E")


class Missing(NamedTuple):
    """Events that lie between two others are lost: both are excluded, ``before`` is None where it is not known."""

    after: object
    before: object | None


class FillRule(Protocol[E]):
    """What is known of the order of one kind of event."""

    @property
    def is_dense(self) -> bool:
        """Whether two events show that nothing was between them, and any of them can be asked for by its number."""
        ...

    def number(self, event: E) -> int:
        """Return what events are ordered by."""
        ...

    def is_next(self, before: E, after: E) -> bool:
        """Return whether certainly nothing is missing between two events."""
        ...

    def is_newer(self, last: E, row: E) -> bool:
        """Return whether a row of REST says more than what was delivered last."""
        ...

    def filled(self, row: E, *, is_followed: bool) -> E | None:
        """Return a row of REST as it is delivered; None for one that the stream will bring in a better state."""
        ...


class TradeRule:
    """Trades and aggregates: numbered without holes, or by numbers that only grow (``is_dense`` False)."""

    def __init__(self, number: Callable[[Trade | AggregateTrade], int], *, is_dense: bool) -> None:
        self.is_dense = is_dense
        self._number = number

    def number(self, event: Trade | AggregateTrade) -> int:
        """Return what the exchange orders it by."""
        return self._number(event)

    def is_next(self, before: Trade | AggregateTrade, after: Trade | AggregateTrade) -> bool:
        """Return whether the ids follow each other."""
        return self.is_dense and self._number(after) == self._number(before) + 1

    def is_newer(self, last: Trade | AggregateTrade, row: Trade | AggregateTrade) -> bool:
        """Return whether the id is higher."""
        return self._number(row) > self._number(last)

    def filled(self, row: Trade | AggregateTrade, *, is_followed: bool) -> Trade | AggregateTrade:  # noqa: ARG002
        """Return the flagged trade."""
        return msgspec.structs.replace(row, is_backfilled=True)


class CandleRule:
    """Candles: the last word on each is told, and none is left out."""

    is_dense = True

    def number(self, event: Kline) -> int:
        """Return when it begins."""
        return event.open_time

    def is_next(self, before: Kline, after: Kline) -> bool:
        """Return whether it is a later word on the same candle, or the next one after the last word on it."""
        if after.open_time == before.open_time:
            return not before.is_closed
        return before.is_closed and 0 <= after.open_time - before.close_time <= _NEXT_MS

    def is_newer(self, last: Kline, row: Kline) -> bool:
        """Return whether it is a later candle, or the last word on the same one."""
        if row.open_time == last.open_time:
            return not last.is_closed
        return row.open_time > last.open_time

    def filled(self, row: Kline, *, is_followed: bool) -> Kline | None:
        """Return the flagged candle, closed where a later one is there; the present one is the stream's."""
        if not row.is_closed and not is_followed:
            return None
        return msgspec.structs.replace(row, is_backfilled=True, is_closed=True)


class GapFill(Generic[E]):
    """One gap: from the event delivered last to the first one that the stream brings. Not thread-safe.

    Attributes:
        last: what was delivered last, rows of REST included.
        held: what the stream has brought since.
        is_done: nothing is held back any more.
        ends_live: done, and the last event delivered is one of the stream.
    """

    def __init__(self, rule: FillRule[E], last: E) -> None:
        self.last = last
        self.held: list[E] = []
        self.is_done = self.ends_live = False
        self._rule = rule
        self._tries = 0

    def on_live(self, events: Sequence[E]) -> list[E | Missing]:
        """Take events of the stream, all newer than ``last``; return what is to be delivered now."""
        rule = self._rule
        for event in events:
            before = self.held[-1] if self.held else self.last
            # A later word on the same candle counts, a repeated trade does not.
            if rule.number(event) > rule.number(before) or rule.is_next(before, event):
                self.held.append(event)
        if self.held and rule.is_next(self.last, self.held[0]):
            return self._finish()
        return self.give_up() if len(self.held) > MOST_HELD else []

    def on_rows(self, rows: Sequence[E], *, is_full: bool) -> tuple[list[E | Missing], bool]:
        """Take an answer of REST, oldest first; return what is to be delivered now, and whether to ask on at once.

        ``is_full`` says that the answer may have been cut, so that there may be more.
        """
        rule, first = self._rule, self.held[0] if self.held else None
        found: list[E | Missing] = []
        has_progress = False
        reaches_back = any(rule.number(row) <= rule.number(self.last) for row in rows)
        for index, row in enumerate(rows):
            if not rule.is_newer(self.last, row) or (first is not None and rule.number(row) >= rule.number(first)):
                continue
            filled = rule.filled(row, is_followed=first is not None or index + 1 < len(rows))
            if filled is None:
                continue
            if not (rule.is_next(self.last, filled) if rule.is_dense else reaches_back):
                found.append(Missing(self.last, filled))
            found.append(filled)
            self.last, has_progress, reaches_back = filled, True, True
        if self._is_joined(rows, is_full=is_full):
            if first is not None and not rule.is_dense and not reaches_back:
                # Not one row between: everything that is left is the stream's.
                found.append(Missing(self.last, first))
            return found + self._finish(), False
        self._tries = 0 if has_progress else self._tries + 1
        if self._tries >= _MOST_TRIES:
            return found + self.give_up(), False
        return found, has_progress and is_full and rule.is_dense

    def on_failure(self) -> list[E | Missing]:
        """Take that an answer could not be had; return what is to be delivered now."""
        self._tries += 1
        return self.give_up() if self._tries >= _MOST_TRIES else []

    def give_up(self) -> list[E | Missing]:
        """Go on with the stream; return what is missing, and what was held back."""
        missing: list[E | Missing] = [Missing(self.last, self.held[0])] if self.held else []
        return missing + self._finish()

    def _is_joined(self, rows: Sequence[E], *, is_full: bool) -> bool:
        """Return whether nothing can be missing any more between what was delivered and what is held."""
        if not self.held:
            return not (is_full and self._rule.is_dense)
        first = self.held[0]
        if self._rule.is_dense:
            return self._rule.is_next(self.last, first)
        # Numbers with holes prove nothing: REST has to have reached what the stream brought.
        return any(self._rule.number(row) >= self._rule.number(first) for row in rows)

    def _finish(self) -> list[E | Missing]:
        held, self.held, self.is_done = self.held, [], True
        if held:
            self.last, self.ends_live = held[-1], True
        return list(held)
