"""Which topics flow over the old one of two connections, and not over the new one (faults F044, F047)."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Generic, TypeVar

T = TypeVar("T", bound=Hashable)

_NS = 1_000_000_000


class FlowComparison(Generic[T]):
    """Compares two connections that run side by side. Not thread-safe.

    An acknowledgement proves nothing: the exchange may have lost the subscription. What the old connection brings, the
    new one owes. A message that comes over the old one later than ``patience`` seconds after the new one's
    acknowledgement happened after it, unless the old one is further behind than that; and the new one gets as long to
    bring something, whatever it be. A topic that has come over the new one once is not looked at any more, and one on
    which nothing happens is owed by nobody.
    """

    def __init__(self, patience: float) -> None:
        self._patience_ns = int(patience * _NS)
        # Topics that the new connection has acknowledged and not brought yet, with the time of that.
        self._acknowledged_ns: dict[T, int] = {}
        # Those of them that it owes, with the time since when.
        self._owed_ns: dict[T, int] = {}

    def acknowledged(self, topic: T, now_ns: int) -> None:
        """Note that the new connection has acknowledged a topic, for the first time or again."""
        self._acknowledged_ns[topic] = now_ns
        self._owed_ns.pop(topic, None)

    def on_old(self, topic: T, now_ns: int) -> None:
        """Note that the old connection brought a topic."""
        since_ns = self._acknowledged_ns.get(topic)
        if since_ns is not None and now_ns - since_ns >= self._patience_ns:
            self._owed_ns.setdefault(topic, now_ns)

    def on_new(self, topic: T) -> None:
        """Note that the new connection brought a topic."""
        self._acknowledged_ns.pop(topic, None)
        self._owed_ns.pop(topic, None)

    def ended(self, topic: T) -> None:
        """Forget a topic that nobody wants any more."""
        self.on_new(topic)

    def missing(self, now_ns: int) -> list[T]:
        """Return the topics that the new connection owes for longer than its patience."""
        return [topic for topic, owed_ns in self._owed_ns.items() if now_ns - owed_ns >= self._patience_ns]
