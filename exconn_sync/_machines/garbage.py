"""How many malformed messages a connection may bring (faults F032, F033)."""

from __future__ import annotations

LIMIT, PERIOD = 1000, 10.0
"""More malformed messages than ``LIMIT`` within ``PERIOD`` seconds are too many."""

_NS = 1_000_000_000


class GarbageCount:
    """Counts the malformed messages of one connection. Not thread-safe.

    Single ones harm nobody: each is reported and skipped. A connection that brings little else is of no use, and each
    report of it costs more than a good message.
    """

    def __init__(self) -> None:
        self._count = 0
        self._since_ns = 0

    def count(self, now_ns: int) -> str:
        """Count one message; return why it is one too many, empty where it is not."""
        if now_ns - self._since_ns > PERIOD * _NS:
            self._count, self._since_ns = 0, now_ns
        self._count += 1
        return f"more than {LIMIT} malformed messages" if self._count > LIMIT else ""
