"""How often the same kind of trouble is told (faults F134, F164)."""

from __future__ import annotations

from collections.abc import Hashable

_NS = 1_000_000_000


class ReportLimiter:
    """Lets the first report of each kind pass at once, then at most one an interval with the number left out since.

    Told the time; not thread-safe. Remembers at most ``kinds`` kinds: beyond that the one told least recently is
    forgotten, and its next report passes as a first one.
    """

    def __init__(self, interval: float = 1.0, kinds: int = 1000) -> None:
        self._interval_ns = int(interval * _NS)
        self._kinds = kinds
        self._told: dict[Hashable, tuple[int, int]] = {}

    def admit(self, kind: Hashable, now_ns: int) -> int | None:
        """Return how many of the kind were left out since the last that passed, or None to leave this one out."""
        told = self._told.get(kind)
        if told is not None:
            at_ns, left_out = told
            if now_ns - at_ns < self._interval_ns:
                self._told[kind] = (at_ns, left_out + 1)
                return None
            del self._told[kind]
        elif len(self._told) >= self._kinds:
            del self._told[next(iter(self._told))]
        self._told[kind] = (now_ns, 0)
        return 0 if told is None else told[1]
