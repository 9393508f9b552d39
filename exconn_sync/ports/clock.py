"""Time as the library reads it; injected, so that tests can be told the time."""

from __future__ import annotations

import time
from typing import Protocol


class Clock(Protocol):
    """Two clocks: one for intervals, one for dates. May be called from any thread."""

    def monotonic_ns(self) -> int:
        """Return nanoseconds of a clock that never steps; only differences mean something."""
        ...

    def time_ns(self) -> int:
        """Return nanoseconds since the Unix epoch, UTC; may step when the machine's clock is set."""
        ...


class SystemClock:
    """The machine's clocks."""

    def monotonic_ns(self) -> int:
        """Return the machine's monotonic clock in nanoseconds."""
        return time.monotonic_ns()

    def time_ns(self) -> int:
        """Return the machine's wall clock in nanoseconds since the Unix epoch."""
        return time.time_ns()
