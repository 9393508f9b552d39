"""What is done about a timestamp that the exchange refused (faults F081, F123)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from exconn_sync._live.server_clock import ServerClock
from exconn_sync._machines.deadline import Deadline
from exconn_sync._runtime.heartbeat import beat
from exconn_sync._runtime.stop_signal import StopSignal
from exconn_sync.errors import ClockSkew
from exconn_sync.ports.clock import Clock

_LONGEST_WAIT = 10.0
"""Seconds that a call waits for the clock to be synchronized: three questions of three seconds each, and no more."""


@dataclass
class Stamp:
    """When the newest attempt of a call was stamped, on the monotonic clock, and with which time in milliseconds."""

    at_ns: int = 0
    time_ms: int = 0


class SkewCure:
    """Has the clock synchronized for a call that was refused for its timestamp. Thread-safe.

    Calls that are refused at the same time share one synchronization.
    """

    def __init__(
        self, clock: Clock, server_clock: ServerClock, window_ms: int, synchronize: Callable[[], None], stop: StopSignal
    ) -> None:
        self._clock = clock
        self._server_clock = server_clock
        self._window_ms = window_ms
        self._synchronize = synchronize
        self._stop = stop

    def stamp(self, stamp: Stamp, deadline: Deadline) -> None:
        """Fill in the timestamp for a request that leaves now; where the estimate is in doubt, wait for another one.

        Raises:
            NotReady: the exchange's time is not known yet; nothing was sent.
        """
        self._server_clock.notice_step()
        doubted_ns = self._server_clock.doubted_ns()
        if doubted_ns is not None:
            self._renew(doubted_ns, deadline)
        stamp.at_ns, stamp.time_ms = self._clock.monotonic_ns(), self._server_clock.stamp_ms()

    def cure(self, stamp: Stamp, deadline: Deadline) -> bool:
        """Wait for a new estimate of the exchange's clock; return whether there is one, so that it can be tried again.

        The refusal is definite: the exchange looks at the time before it does anything (Binance: 3.2).
        """
        self._server_clock.doubt(stamp.at_ns)
        return self._renew(stamp.at_ns, deadline)

    def explain(self, error: ClockSkew, stamp: Stamp) -> None:
        """Say in an error what is known of the clocks, above all where they are not what is wrong."""
        took_ms = (self._clock.monotonic_ns() - stamp.at_ns) // 1_000_000
        meant_ms = self._server_clock.now_ns() // 1_000_000 - took_ms
        bound_ms = self._server_clock.bound_ns // 1_000_000 + 1
        off_ms = stamp.time_ms - meant_ms
        error.details |= {"off_ms": off_ms, "bound_ms": bound_ms, "took_ms": took_ms, "window_ms": self._window_ms}
        if abs(off_ms) <= 2 * bound_ms and took_ms >= self._window_ms // 2:
            # Otherwise it would be refused again and again, however well the clock is synchronized (F123).
            error.message += (
                f"; the clocks agree, but the request was under way for up to {took_ms} ms and is valid for "
                f"{self._window_ms} ms only: see rate_limits(window_ms=...)"
            )
            error.args = (error.message,)

    def _renew(self, stamped_ns: int, deadline: Deadline) -> bool:
        if not self._server_clock.is_being_renewed(stamped_ns):
            self._synchronize()
        remaining = deadline.remaining(self._clock.monotonic_ns())
        seconds = _LONGEST_WAIT if remaining is None else min(_LONGEST_WAIT, max(remaining, 0.0))
        beat(seconds)
        is_renewed = self._server_clock.wait_newer(stamped_ns, seconds, self._stop)
        beat()
        return is_renewed
