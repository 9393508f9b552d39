"""Moves a topic from an old connection to a new one without a gap or a duplicate (faults F044, F049, F066)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Generic, TypeAlias, TypeVar

E = TypeVar("E")

Span: TypeAlias = Callable[[E], "tuple[int, int]"]
"""Gives the first and the last sequence number of an event; of a single number, that number twice."""


def newer(events: Iterable[E], last: int | None, span: Span[E]) -> list[E]:
    """Return the events that end after ``last``, and after those before them; None lets the first one pass.

    What a server repeats, or tells again because it is behind the one before it, is dropped (faults F049, F066).
    """
    return _newer(events, last, span)[0]


class Takeover(Generic[E]):
    """Merges one topic's events of two connections, each in order, into one sequence. Not thread-safe.

    Until the switch the old connection is delivered, and what the new one brings is kept back. The new one takes over
    as soon as its first kept event joins up with what was delivered, that is, starts at or before ``last + 1``. From
    there on it brings everything that follows, so the old one is not needed any more. Before anything was delivered
    nothing joins up: the old connection may still bring what the new one came too late for.

    Where they never join up, the switch is made by ``finish``, or when more than ``kept`` events are kept back: then
    there may be a gap, which whoever follows the sequence numbers sees, but still nothing twice.

    What is delivered ends at strictly rising numbers. An event may begin before the end of the one before it, where
    the two connections cut their events differently; a book takes such a change, as it carries absolute levels.
    """

    def __init__(self, span: Span[E], last: int | None, kept: int = 10_000) -> None:
        self._span = span
        self._last = last
        self._most_kept = kept
        self._kept: list[E] = []
        self._is_switched = False

    @property
    def is_switched(self) -> bool:
        """True once the new connection feeds the topic; the old one is void then."""
        return self._is_switched

    @property
    def last(self) -> int | None:
        """Last sequence number delivered so far, None for none."""
        return self._last

    def on_old(self, events: Iterable[E]) -> list[E]:
        """Take events of the old connection; return what is to be delivered now, which may include kept ones."""
        if self._is_switched:
            return []
        delivered = self._advance(events)
        if self._joins_up():
            delivered += self.finish()
        return delivered

    def on_new(self, events: Iterable[E]) -> list[E]:
        """Take events of the new connection; return what is to be delivered now, nothing while they are kept back."""
        if self._is_switched:
            return self._advance(events)
        self._kept.extend(events)
        if self._joins_up() or len(self._kept) > self._most_kept:
            return self.finish()
        return []

    def finish(self) -> list[E]:
        """Switch now, because the old connection is gone; return what was kept back and is newer."""
        self._is_switched = True
        kept, self._kept = self._kept, []
        return self._advance(kept)

    def _joins_up(self) -> bool:
        if self._last is None or not self._kept:
            return False
        return self._span(self._kept[0])[0] <= self._last + 1

    def _advance(self, events: Iterable[E]) -> list[E]:
        delivered, self._last = _newer(events, self._last, self._span)
        return delivered


def _newer(events: Iterable[E], last: int | None, span: Span[E]) -> tuple[list[E], int | None]:
    """Return the newer events, and the last number after them."""
    found = []
    for event in events:
        end = span(event)[1]
        if last is None or end > last:
            found.append(event)
            last = end
    return found, last
