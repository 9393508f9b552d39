"""Which book gets its snapshot next, where the budget does not allow all at once (faults F054, F158)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

_NS = 1_000_000_000

Rank: TypeAlias = tuple[int, ...]
"""What is lower goes first."""


@dataclass(frozen=True)
class Ticket:
    """One snapshot that is wanted; ``number`` grows with each."""

    symbol: str
    number: int


class SnapshotQueue:
    """Snapshots that wait, and those under way. Not thread-safe; told the time.

    Only as many are under way as can be loaded at a time. The others wait here and not for the budget, so that the most
    wanted one is chosen in the moment in which there is something to ask with. Among equals the first one goes first:
    every book gets its turn.
    """

    def __init__(self, most_at_once: int) -> None:
        self._most_at_once = most_at_once
        self._waiting: dict[str, Ticket] = {}
        self._under_way: set[Ticket] = set()
        self._not_before_ns = 0
        self._number = 0

    @property
    def waiting(self) -> list[str]:
        """Symbols of the snapshots that wait, in the order of their arrival."""
        return list(self._waiting)

    def add(self, symbol: str) -> tuple[Ticket, Ticket | None]:
        """Let a snapshot wait; return its ticket, and that of an earlier wish for the same book, which is void."""
        self._number += 1
        ticket = Ticket(symbol, self._number)
        # A dictionary keeps the place of what is replaced: whoever asks again waits no longer for that.
        former, self._waiting[symbol] = self._waiting.get(symbol), ticket
        return ticket, former

    def next(self, ranks: Mapping[str, Rank], now_ns: int) -> Ticket | None:
        """Return the snapshot to load now, None for none; it is under way from then on.

        ``ranks`` has each book that waits; those that it lacks wait for another time.
        """
        if now_ns < self._not_before_ns or len(self._under_way) >= self._most_at_once:
            return None
        found = min(
            (ticket for symbol, ticket in self._waiting.items() if symbol in ranks),
            key=lambda ticket: ranks[ticket.symbol],
            default=None,
        )
        if found is not None:
            del self._waiting[found.symbol]
            self._under_way.add(found)
        return found

    def forget(self, symbols: list[str]) -> list[Ticket]:
        """Let nobody wait for books that are not wanted any more; return their tickets."""
        return [self._waiting.pop(symbol) for symbol in symbols if symbol in self._waiting]

    def ended(self, ticket: Ticket) -> None:
        """Note that a snapshot came, or will not."""
        self._under_way.discard(ticket)

    def held_up(self, ticket: Ticket, seconds: float, now_ns: int) -> bool:
        """Note that the budget did not allow it, nor will any other snapshot for so long; its turn comes again, first.

        Returns False where the book has asked anew meanwhile, so that this one is void.
        """
        self._under_way.discard(ticket)
        self._not_before_ns = max(self._not_before_ns, now_ns + int(seconds * _NS))
        if ticket.symbol in self._waiting:
            return False
        self._waiting = {ticket.symbol: ticket, **self._waiting}
        return True

    def until_due(self, now_ns: int) -> float | None:
        """Return the seconds until the next one may be loaded, None where that depends on something else."""
        if not self._waiting or len(self._under_way) >= self._most_at_once:
            return None
        return max(0, self._not_before_ns - now_ns) / _NS
