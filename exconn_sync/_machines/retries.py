"""When what was refused is tried again: each at growing pauses, and not all at once (fault F046)."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)

_NS = 1_000_000_000


class Retries(Generic[K]):
    """Pauses from ``base`` seconds on, doubled with each failure, at most ``cap``. Not thread-safe.

    However many there are, one is due each ``between`` seconds at most: those that are refused for good must not cost
    more than that.
    """

    def __init__(self, base: float, cap: float, between: float = 1.0) -> None:
        self._base = base
        self._cap = cap
        self._between_ns = int(between * _NS)
        self._failures: dict[K, int] = {}
        self._again_ns: dict[K, int] = {}
        self._not_before_ns: int | None = None

    def failed(self, key: K, now_ns: int) -> None:
        """Note that something was tried and refused."""
        failures = self._failures.get(key, 0)
        self._failures[key] = failures + 1
        pause = min(self._cap, self._base * 2.0 ** min(failures, 64))
        self._again_ns[key] = now_ns + int(pause * _NS)

    def forget(self, key: K) -> None:
        """Note that something has succeeded, or that nobody wants it any more."""
        self._failures.pop(key, None)
        self._again_ns.pop(key, None)

    def due(self, now_ns: int) -> K | None:
        """Return what is to be tried now, the longest overdue first; not again before it has failed again."""
        if self.until_due(now_ns) != 0:
            return None
        key = min(self._again_ns, key=self._again_ns.__getitem__)
        del self._again_ns[key]
        self._not_before_ns = now_ns + self._between_ns
        return key

    def until_due(self, now_ns: int) -> float | None:
        """Return the seconds until something is due, None for nothing."""
        if not self._again_ns:
            return None
        due_ns = min(self._again_ns.values())
        if self._not_before_ns is not None:
            due_ns = max(due_ns, self._not_before_ns)
        return max(due_ns - now_ns, 0) / _NS
