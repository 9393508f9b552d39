"""Notices that this machine's wall clock was set, or that the machine slept (faults F117, F120)."""

from __future__ import annotations

_SMALLEST_STEP_NS = 250_000_000
"""Time services correct less than this by letting the clock run a little faster or slower."""


class WallClockWatch:
    """Compares the wall clock with the monotonic one, which never steps and on Linux stands still during a suspend."""

    def __init__(self) -> None:
        self._difference_ns: int | None = None

    def look(self, wall_ns: int, monotonic_ns: int) -> int:
        """Return by how many nanoseconds the wall clock stepped since the last look, 0 where it did not."""
        before_ns, now_ns = self._difference_ns, wall_ns - monotonic_ns
        self._difference_ns = now_ns
        step_ns = 0 if before_ns is None else now_ns - before_ns
        return step_ns if abs(step_ns) >= _SMALLEST_STEP_NS else 0
