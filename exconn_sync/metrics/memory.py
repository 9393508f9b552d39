"""Metrics kept in memory, to be looked at by the program itself."""

from __future__ import annotations

import threading
from dataclasses import dataclass

from exconn_sync.ports.forking import renew_in_child


@dataclass(frozen=True)
class Summary:
    """How often something was observed, the sum of its values and the largest one."""

    count: int
    total: float
    largest: float


class MemoryMetrics:
    """Counts and summaries by name and labels, written ``name{label=value}``. Thread-safe."""

    def __init__(self) -> None:
        # Guards both tables.
        self._lock = threading.Lock()
        self._counts: dict[str, int] = {}
        self._summaries: dict[str, Summary] = {}
        renew_in_child(self)

    def renew_in_child(self) -> None:
        """Replace the lock in a forked child: a thread of the parent may have held it (fault F125)."""
        self._lock = threading.Lock()

    def count(self, name: str, amount: int = 1, **labels: str) -> None:
        """Add to a counter."""
        key = _key(name, labels)
        with self._lock:
            self._counts[key] = self._counts.get(key, 0) + amount

    def observe(self, name: str, value: float, **labels: str) -> None:
        """Record one measured value."""
        key = _key(name, labels)
        with self._lock:
            known = self._summaries.get(key, Summary(0, 0.0, value))
            self._summaries[key] = Summary(known.count + 1, known.total + value, max(known.largest, value))

    def counts(self) -> dict[str, int]:
        """Return all counters."""
        with self._lock:
            return dict(self._counts)

    def summaries(self) -> dict[str, Summary]:
        """Return all summaries."""
        with self._lock:
            return dict(self._summaries)


def _key(name: str, labels: dict[str, str]) -> str:
    if not labels:
        return name
    return name + "{" + ",".join(f"{key}={labels[key]}" for key in sorted(labels)) + "}"
