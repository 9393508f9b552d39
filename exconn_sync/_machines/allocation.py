"""Which of several connections carries a topic (faults F048, F158)."""

from __future__ import annotations

from bisect import insort
from collections.abc import Hashable
from heapq import heappop, heappush
from typing import Generic, TypeVar

T = TypeVar("T", bound=Hashable)


class Allocation(Generic[T]):
    """Spreads topics over as few connections as an exchange's limit per connection allows. Not thread-safe.

    Connections are numbered from 1. Number 1 is always there, also without a topic: somebody may want to know whether
    the exchange can be reached before anything is subscribed. A topic never moves once it has its number, since moving
    means subscribing anew. No call looks at all topics.
    """

    def __init__(self, capacity: int) -> None:
        if capacity < 1:
            raise ValueError(f"capacity must be at least 1, not {capacity}")
        self._capacity = capacity
        self._number_of: dict[T, int] = {}
        self._topics: dict[int, set[T]] = {1: set()}
        self._with_room = [1]
        self._given_up: list[int] = []
        self._highest = 1

    def add(self, topic: T) -> int:
        """Return the connection of a topic; a new one goes to the lowest that has room.

        Only where none has room, another connection is begun, with the lowest number that is not in use.
        """
        known = self._number_of.get(topic)
        if known is not None:
            return known
        number = self._with_room[0] if self._with_room else self._begin()
        topics = self._topics[number]
        topics.add(topic)
        self._number_of[topic] = number
        if len(topics) == self._capacity:
            del self._with_room[0]
        return number

    def remove(self, topic: T) -> int | None:
        """Forget a topic, also one that is not there; return the connection that carries nothing any more.

        Its number is out of use with that, and may be used again. Connection 1 is never returned.
        """
        number = self._number_of.pop(topic, None)
        if number is None:
            return None
        topics = self._topics[number]
        was_full = len(topics) == self._capacity
        topics.remove(topic)
        if not topics and number != 1:
            del self._topics[number]
            heappush(self._given_up, number)
            if not was_full:
                self._with_room.remove(number)
            return number
        if was_full:
            insort(self._with_room, number)
        return None

    def number_of(self, topic: T) -> int | None:
        """Return the connection of a topic, or None."""
        return self._number_of.get(topic)

    def topics_of(self, number: int) -> frozenset[T]:
        """Return a copy of the topics of a connection; empty for a number that is not in use."""
        return frozenset(self._topics.get(number, ()))

    @property
    def numbers(self) -> tuple[int, ...]:
        """The connections in use, in rising order; 1 is always among them."""
        return tuple(sorted(self._topics))

    def _begin(self) -> int:
        if self._given_up:
            number = heappop(self._given_up)
        else:
            number = self._highest = self._highest + 1
        self._topics[number] = set()
        self._with_room.append(number)
        return number
