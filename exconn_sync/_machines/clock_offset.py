"""Estimates the exchange's clock from a few questions for its time (faults F117 to F121)."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from exconn_sync.errors import NotReady


@dataclass(frozen=True)
class _Sample:
    offset_ns: int
    bound_ns: int

    def excludes(self, other: _Sample) -> bool:
        """Return whether no single offset lies within the bounds of both."""
        return abs(self.offset_ns - other.offset_ns) > self.bound_ns + other.bound_ns


class ClockOffset:
    """Offset of the exchange's clock to the local monotonic clock, with a bound of its error.

    The exchange read its clock somewhere between sending and receiving, so the middle is wrong by at most half of the
    round trip. Of the newest ``keep`` samples the one with the shortest round trip is used; nothing is averaged, since
    one slow answer would spoil it (F119). Because the monotonic clock is the reference, a step of the machine's wall
    clock changes nothing (F117); a sample that the best one excludes means that a clock stepped, and replaces all.
    ``resolution_ns`` is the step in which the exchange tells its time.
    """

    def __init__(self, keep: int = 8, resolution_ns: int = 0) -> None:
        self._resolution_ns = resolution_ns
        self._samples: deque[_Sample] = deque(maxlen=max(1, keep))
        self._best: _Sample | None = None

    def add(self, sent_ns: int, received_ns: int, server_ns: int) -> None:
        """Take a sample: when the question left and the answer came (monotonic), and what the exchange said."""
        # A clock told in whole milliseconds reads low by half of one on average, and is uncertain by as much.
        half_ns = self._resolution_ns // 2
        # Rounded up, so that the bound still holds where the middle is rounded down.
        round_trip = max(0, received_ns - sent_ns)
        sample = _Sample(server_ns + half_ns - (sent_ns + received_ns) // 2, (round_trip + 1) // 2 + half_ns)
        if self._best is not None and self._best.excludes(sample):
            self._samples.clear()
        # The newest first: of two equally good samples the newer one has drifted less (F118).
        self._samples.appendleft(sample)
        self._best = min(self._samples, key=lambda each: each.bound_ns)

    def reset(self) -> None:
        """Forget everything, as after a suspend of the machine, over which no offset holds (F120)."""
        self._samples.clear()
        self._best = None

    @property
    def is_synchronized(self) -> bool:
        """True once there is a sample."""
        return self._best is not None

    @property
    def offset_ns(self) -> int:
        """The exchange's time minus the monotonic clock. Raises NotReady."""
        return self._require().offset_ns

    @property
    def bound_ns(self) -> int:
        """How wrong ``offset_ns`` can be, either way. Raises NotReady."""
        return self._require().bound_ns

    def server_time_ns(self, now_monotonic_ns: int) -> int:
        """Return the exchange's time in nanoseconds since the Unix epoch. Raises NotReady without a sample (F122)."""
        return now_monotonic_ns + self._require().offset_ns

    def _require(self) -> _Sample:
        if self._best is None:
            raise NotReady("the exchange's clock is not known yet")
        return self._best
