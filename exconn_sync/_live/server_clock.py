"""The exchange's time, for every thread that needs it."""

from __future__ import annotations

from exconn_sync._machines.clock_drift import ClockDrift
from exconn_sync._machines.clock_offset import ClockOffset
from exconn_sync._machines.request_budget import When
from exconn_sync._machines.wall_clock import WallClockWatch
from exconn_sync._runtime.stop_signal import StopSignal
from exconn_sync.ports.clock import Clock
from exconn_sync.ports.waiting import Condition

_TOLD_IN_NS = 1_000_000
"""Exchanges tell their time in whole milliseconds."""
_DRIFT_PPM = 1000
"""More than any usable clock drifts: 86 s a day."""
_DOUBT_NS = 10_000_000_000
_AHEAD_NS = 500_000_000
"""How far ahead of the exchange's clock a timestamp may lie at worst: half of the second that exchanges accept."""
_ACCEPTED_AHEAD_NS = 1_000_000_000
_MARGIN_MS = 5
"""What is added to the bound of the error, for the time between reading the clock and counting."""
_MARGIN_UNKNOWN_MS = 2_000


class ServerClock:
    """Thread-safe view of the estimated exchange clock. Instant; the samples come from the REST session.

    ``longest_ns`` is the longest round trip of a sample that says anything useful; a slower one is left out (F119).
    """

    def __init__(self, clock: Clock, longest_ns: int | None = None) -> None:
        self._clock = clock
        self._longest_ns = longest_ns
        self._offset = ClockOffset(resolution_ns=_TOLD_IN_NS, drift_ppm=_DRIFT_PPM)
        self._drift = ClockDrift()
        self._wall = WallClockWatch()
        self._round_ns: int | None = None
        self._begun_ns: int | None = None
        self._doubted_ns: int | None = None
        self._steps = 0
        # Guards all of the above; those who wait for a new round of samples are woken through it.
        self._changed = Condition()

    @property
    def is_synchronized(self) -> bool:
        """True once the exchange's time is known."""
        with self._changed:
            return self._offset.is_synchronized

    @property
    def is_contested(self) -> bool:
        """True while the newest sample contradicts the estimate."""
        with self._changed:
            return self._offset.is_contested

    @property
    def bound_ns(self) -> int:
        """How wrong the estimate can be, either way. Raises NotReady."""
        with self._changed:
            return self._offset.bound_at(self._clock.monotonic_ns())

    @property
    def steps(self) -> int:
        """How often this machine's wall clock stepped, or the machine slept, as far as was noticed."""
        return self._steps

    @property
    def server_steps(self) -> int:
        """How often the exchange's clock stepped, as seen from here."""
        with self._changed:
            return self._offset.steps

    @property
    def drift_ppm(self) -> float | None:
        """How fast the exchange's clock runs away from this machine's, in millionths; None while unknown."""
        with self._changed:
            return self._drift.ppm

    def add(self, sent_ns: int, received_ns: int, server_ns: int) -> bool:
        """Take a sample, the first two on the local monotonic clock; return whether it was fast enough to be used."""
        if self._longest_ns is not None and received_ns - sent_ns > self._longest_ns:
            return False
        with self._changed:
            steps = self._offset.steps
            self._offset.add(sent_ns, received_ns, server_ns)
            if self._offset.steps != steps:
                self._drift.forget()
            self._drift.note(received_ns, self._offset.offset_ns, self._offset.bound_at(received_ns))
        return True

    def round_begins(self, now_ns: int) -> None:
        """A whole round of samples begins."""
        with self._changed:
            self._begun_ns = now_ns

    def round_ended(self, began_ns: int) -> None:
        """A whole round of samples is complete, which began at a monotonic moment; whoever waits for one goes on."""
        with self._changed:
            self._offset.settle()
            self._round_ns = began_ns
            if self._doubted_ns is not None and began_ns > self._doubted_ns:
                self._doubted_ns = None
            self._changed.notify_all()

    def doubt(self, stamped_ns: int) -> None:
        """Distrust the estimate by which something was stamped at a monotonic moment, unless it is newer than that."""
        with self._changed:
            if self._round_ns is None or self._round_ns <= stamped_ns:
                self._doubt()

    def doubted_ns(self) -> int | None:
        """Return since when the estimate is in doubt; None where it is not, or has been for so long that it has to do.

        Whoever stamps something waits for a round of samples that began after that.
        """
        with self._changed:
            since_ns = self._doubted_ns
            if since_ns is None or self._clock.monotonic_ns() - since_ns > _DOUBT_NS:
                return None
            return since_ns

    def is_being_renewed(self, stamped_ns: int) -> bool:
        """Return whether a round of samples that began after a monotonic moment is under way, or complete."""
        with self._changed:
            return self._begun_ns is not None and self._begun_ns > stamped_ns

    def is_newer_than(self, stamped_ns: int) -> bool:
        """Return whether a whole round of samples began after a monotonic moment."""
        with self._changed:
            return self._round_ns is not None and self._round_ns > stamped_ns

    def wait_newer(self, stamped_ns: int, seconds: float, stop: StopSignal) -> bool:
        """Wait for a round of samples that began after a moment; return whether there is one. Ends with the stop."""
        stop.on_set(self._poke)
        try:
            with self._changed:
                return (
                    self._changed.wait_for(
                        lambda: stop.is_set or (self._round_ns is not None and self._round_ns > stamped_ns), seconds
                    )
                    and not stop.is_set
                )
        finally:
            stop.forget(self._poke)

    def notice_step(self) -> int:
        """Return by how many nanoseconds the wall clock stepped since the last look, mostly 0.

        After a step the estimate is in doubt: the machine may have slept, and then its monotonic clock stood still.
        """
        with self._changed:
            step_ns = self._wall.look(self._clock.time_ns(), self._clock.monotonic_ns())
            if step_ns:
                self._steps += 1
                self._doubt()
                self._drift.forget()
            return step_ns

    def now_ns(self) -> int:
        """Return the exchange's time in nanoseconds since the Unix epoch. Raises NotReady before the first sample."""
        with self._changed:
            return self._offset.server_time_ns(self._clock.monotonic_ns())

    def earliest_ns(self) -> int | None:
        """Return a moment before which the exchange can have taken nothing that is signed from now on.

        Both exchanges refuse a timestamp that lies a second ahead of their clock (Binance: 3; Bybit: 2.2). None before
        the first sample.
        """
        with self._changed:
            if not self._offset.is_synchronized:
                return None
            now_ns = self._clock.monotonic_ns()
            return self._offset.server_time_ns(now_ns) - self._offset.bound_at(now_ns) - _ACCEPTED_AHEAD_NS

    def stamp_ms(self) -> int:
        """Return the time to sign with, in milliseconds: the estimate, put back where it is not certain enough.

        So it never lies further ahead of the exchange's clock than that accepts, whatever the ways to and fro were
        like (F119). Raises NotReady before the first sample.
        """
        with self._changed:
            now_ns = self._clock.monotonic_ns()
            back_ns = max(0, self._offset.bound_at(now_ns) - _AHEAD_NS)
            return (self._offset.server_time_ns(now_ns) - back_ns) // 1_000_000

    def moment(self) -> When:
        """Return the time by which budgets are counted, with how wrong it can be."""
        with self._changed:
            if self._offset.is_synchronized:
                now_ns = self._clock.monotonic_ns()
                bound_ms = self._offset.bound_at(now_ns) // 1_000_000
                return When(self._offset.server_time_ns(now_ns) // 1_000_000, bound_ms + _MARGIN_MS)
        return When(self._clock.time_ns() // 1_000_000, _MARGIN_UNKNOWN_MS)

    def offset_to_local_ms(self) -> float | None:
        """Return how far the exchange's clock is ahead of this machine's wall clock, None while unknown."""
        with self._changed:
            if not self._offset.is_synchronized:
                return None
            server = self._offset.server_time_ns(self._clock.monotonic_ns())
        return (server - self._clock.time_ns()) / 1e6

    def bound_ms(self) -> float | None:
        """Return how wrong the estimate can be, either way, None while there is none."""
        with self._changed:
            if not self._offset.is_synchronized:
                return None
            return self._offset.bound_at(self._clock.monotonic_ns()) / 1e6

    def _doubt(self) -> None:
        """Believe the next sample. Needs the lock."""
        self._offset.doubt()
        self._doubted_ns = self._clock.monotonic_ns()

    def _poke(self) -> None:
        with self._changed:
            self._changed.notify_all()
