"""The order in which threads get what there is of a budget (fault F160)."""

from __future__ import annotations

import bisect
from collections.abc import Iterator
from dataclasses import dataclass, field

from exconn_sync.model.limits import Lane


@dataclass(order=True)
class Ticket:
    """The place of one request: by lane, then first come first served.

    Attributes:
        number: grows with each request.
        limits: what it needs.
        lacks: the limit of which there was too little when it tried, empty for silence; None while it has not tried.
        due_ns: when it will try again, on the monotonic clock; None where that is not known.
    """

    lane: Lane
    number: int
    limits: frozenset[str] = field(compare=False)
    lacks: str | None = field(default=None, compare=False)
    due_ns: int | None = field(default=None, compare=False)


class Lanes:
    """Keeps the requests that wait. Not thread-safe.

    Nobody overtakes a request that waits for a limit which he needs too; what waits for another limit holds up nobody.
    """

    def __init__(self) -> None:
        self._waiting: list[Ticket] = []

    def wait(self, ticket: Ticket) -> None:
        """Let a request wait in its place."""
        bisect.insort(self._waiting, ticket)

    def blocker(self, ticket: Ticket) -> Ticket | None:
        """Return who has to be waited for, None where it is this one's turn."""
        for other in self._waiting:
            if other is ticket or other > ticket:
                return None
            if _is_in_the_way(other, ticket):
                return other
        return None

    def leave(self, ticket: Ticket) -> list[Ticket]:
        """Give up a place, with or without success; return those whose turn it is now to try."""
        place = bisect.bisect_left(self._waiting, ticket)
        if place < len(self._waiting) and self._waiting[place] is ticket:
            del self._waiting[place]
        # Those that have tried know themselves when to try again.
        return [each for each in self._ready() if each.lacks is None]

    def __len__(self) -> int:
        return len(self._waiting)

    def _ready(self) -> Iterator[Ticket]:
        taken: set[str] = set()
        for ticket in self._waiting:
            if taken.isdisjoint(ticket.limits):
                yield ticket
            if ticket.lacks == "":
                return
            taken |= ticket.limits if ticket.lacks is None else {ticket.lacks}


def _is_in_the_way(earlier: Ticket, later: Ticket) -> bool:
    if earlier.lacks is None:
        return not earlier.limits.isdisjoint(later.limits)
    # While the exchange wants silence, everything waits in its place.
    return not earlier.lacks or earlier.lacks in later.limits
