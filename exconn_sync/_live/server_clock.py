"""The exchange's time, for every thread that needs it."""

from __future__ import annotations

import threading

from exconn_sync._machines.clock_offset import ClockOffset
from exconn_sync.ports.clock import Clock

_TOLD_IN_NS = 1_000_000
"""Exchanges tell their time in whole milliseconds."""


class ServerClock:
    """Thread-safe view of the estimated exchange clock. Instant; the samples come from the REST session."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._offset = ClockOffset(resolution_ns=_TOLD_IN_NS)
        # Guards the estimate.
        self._lock = threading.Lock()

    @property
    def is_synchronized(self) -> bool:
        """True once the exchange's time is known."""
        with self._lock:
            return self._offset.is_synchronized

    @property
    def bound_ns(self) -> int:
        """How wrong the estimate can be, either way. Raises NotReady."""
        with self._lock:
            return self._offset.bound_ns

    def add(self, sent_ns: int, received_ns: int, server_ns: int) -> None:
        """Take a sample; the first two on the local monotonic clock."""
        with self._lock:
            self._offset.add(sent_ns, received_ns, server_ns)

    def now_ns(self) -> int:
        """Return the exchange's time in nanoseconds since the Unix epoch. Raises NotReady before the first sample."""
        with self._lock:
            return self._offset.server_time_ns(self._clock.monotonic_ns())

    def window_ms(self) -> int:
        """Return the time by which budgets are counted: the exchange's, or ours while that is unknown."""
        with self._lock:
            if self._offset.is_synchronized:
                return self._offset.server_time_ns(self._clock.monotonic_ns()) // 1_000_000
        return self._clock.time_ns() // 1_000_000

    def offset_to_local_ms(self) -> float | None:
        """Return how far the exchange's clock is ahead of this machine's wall clock, None while unknown."""
        with self._lock:
            if not self._offset.is_synchronized:
                return None
            server = self._offset.server_time_ns(self._clock.monotonic_ns())
        return (server - self._clock.time_ns()) / 1e6
