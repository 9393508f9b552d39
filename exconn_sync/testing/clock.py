"""A clock that stands still until it is told to move."""

from __future__ import annotations

_START_NS = 1_700_000_000_000_000_000


class ManualClock:
    """Both clocks of ``ports.clock.Clock``, moved by hand; ``step`` moves the wall clock alone."""

    def __init__(self, time_ns: int = _START_NS) -> None:
        self._monotonic_ns = 1_000_000_000
        self._time_ns = time_ns

    def monotonic_ns(self) -> int:
        """Return the monotonic clock."""
        return self._monotonic_ns

    def time_ns(self) -> int:
        """Return the wall clock, in nanoseconds since the Unix epoch."""
        return self._time_ns

    def advance(self, seconds: float) -> None:
        """Let time pass on both clocks."""
        passed = int(seconds * 1e9)
        self._monotonic_ns += passed
        self._time_ns += passed

    def step(self, seconds: float) -> None:
        """Set the wall clock forward or, with a negative number, back."""
        self._time_ns += int(seconds * 1e9)
