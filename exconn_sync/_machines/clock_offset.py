"""Estimates the exchange's clock from a few questions for its time (faults F117 to F121)."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from exconn_sync.errors import NotReady

_EARLIER, _LATER, _LATER_AFTER_DISPUTE = 2, 6, 12
"""How many samples in a row must agree on an earlier or later time before it is believed.

An exchange takes a time that is a little old, and refuses one that lies ahead: so the earlier of two is the safer one.
"""


@dataclass(frozen=True)
class _Sample:
    taken_ns: int
    offset_ns: int
    bound_ns: int

    def agrees(self, other: _Sample, drift_ppm: int) -> bool:
        """Return whether one offset can lie within the bounds of both, with what the clocks may have drifted."""
        drift_ns = _drift_ns(self.taken_ns - other.taken_ns, drift_ppm)
        return abs(self.offset_ns - other.offset_ns) <= self.bound_ns + other.bound_ns + drift_ns

    def bound_at(self, now_ns: int, drift_ppm: int) -> int:
        """Return how wrong the offset can be at a moment."""
        return self.bound_ns + _drift_ns(now_ns - self.taken_ns, drift_ppm)


class ClockOffset:
    """Offset of the exchange's clock to the local monotonic clock, with a bound of its error.

    The exchange read its clock somewhere between sending and receiving, so the middle is wrong by at most half of the
    round trip. Of the newest ``keep`` samples the one with the smallest bound is used; nothing is averaged, since one
    slow answer would spoil it (F119). Bounds grow with age by ``drift_ppm``, so a newer sample wins in time (F118).
    Because the monotonic clock is the reference, a step of the machine's wall clock changes nothing (F117).

    A sample that contradicts the best one means that a clock stepped, or that it comes from a node whose clock is
    wrong (F121). It is believed when several in a row agree with it, and until then counts for nothing: so an exchange
    whose nodes disagree does not make the estimate swing with each answer. After ``doubt`` the next sample is believed
    at once, and where that round of samples disagrees the earliest time is.

    ``resolution_ns`` is the step in which the exchange tells its time.

    Attributes:
        steps: how often another time took the place of the one that was believed before.
    """

    def __init__(self, keep: int = 8, resolution_ns: int = 0, drift_ppm: int = 0) -> None:
        self._resolution_ns = resolution_ns
        self._drift_ppm = drift_ppm
        self._samples: deque[_Sample] = deque(maxlen=max(1, keep))
        self._best: _Sample | None = None
        self._rivals: list[_Sample] = []
        self._is_disputed = False
        self._is_doubtful = False
        self._is_on_trial = False
        self.steps = 0

    def add(self, sent_ns: int, received_ns: int, server_ns: int) -> None:
        """Take a sample: when the question left and the answer came (monotonic), and what the exchange said."""
        # A clock told in whole milliseconds reads low by half of one on average, and is uncertain by as much.
        half_ns = self._resolution_ns // 2
        # Rounded up, so that the bound still holds where the middle is rounded down.
        round_trip = max(0, received_ns - sent_ns)
        offset_ns = server_ns + half_ns - (sent_ns + received_ns) // 2
        sample = _Sample(received_ns, offset_ns, (round_trip + 1) // 2 + half_ns)
        best = self._best
        if best is None or self._is_doubtful:
            if best is not None and not best.agrees(sample, self._drift_ppm):
                self.steps += 1
            self._begin([sample])
            self._is_doubtful = False
        elif best.agrees(sample, self._drift_ppm):
            self._is_disputed = self._is_disputed or bool(self._rivals)
            self._rivals.clear()
            # The newest first: of two equally good samples the newer one has drifted less (F118).
            self._samples.appendleft(sample)
            self._choose(received_ns)
        elif self._is_on_trial:
            self._is_disputed = True
            if sample.offset_ns < best.offset_ns:
                self._begin([sample])
        else:
            self._hear_rival(sample, best)

    def doubt(self) -> None:
        """Believe the next sample at once: the exchange refused a time by this estimate, or this machine slept."""
        self._is_doubtful = self._best is not None
        self._is_on_trial = True

    def settle(self) -> None:
        """A round of samples is complete: contradictions need confirmation from now on."""
        if not self._is_doubtful:
            self._is_on_trial = False

    def reset(self) -> None:
        """Forget everything, as after a suspend of the machine, over which no offset holds (F120)."""
        self._samples.clear()
        self._rivals.clear()
        self._best = None

    @property
    def is_synchronized(self) -> bool:
        """True once there is a sample."""
        return self._best is not None

    @property
    def is_contested(self) -> bool:
        """True while the newest sample contradicts the estimate: another one should be taken."""
        return bool(self._rivals)

    @property
    def offset_ns(self) -> int:
        """The exchange's time minus the monotonic clock. Raises NotReady."""
        return self._require().offset_ns

    @property
    def bound_ns(self) -> int:
        """How wrong ``offset_ns`` was at most, either way, when its sample was taken. Raises NotReady."""
        return self._require().bound_ns

    def bound_at(self, now_ns: int) -> int:
        """Return how wrong ``offset_ns`` can be at a monotonic moment, drift included. Raises NotReady."""
        return self._require().bound_at(now_ns, self._drift_ppm)

    def server_time_ns(self, now_monotonic_ns: int) -> int:
        """Return the exchange's time in nanoseconds since the Unix epoch. Raises NotReady without a sample (F122)."""
        return now_monotonic_ns + self._require().offset_ns

    def _hear_rival(self, sample: _Sample, best: _Sample) -> None:
        if self._rivals and not self._rivals[-1].agrees(sample, self._drift_ppm):
            self._rivals.clear()
        self._rivals.append(sample)
        needed = _LATER_AFTER_DISPUTE if self._is_disputed else _LATER
        if sample.offset_ns < best.offset_ns:
            needed = _EARLIER
        if len(self._rivals) >= needed:
            self.steps += 1
            self._is_disputed = False
            self._begin(self._rivals)

    def _begin(self, samples: list[_Sample]) -> None:
        """Go on with these samples, oldest first, and with none from before."""
        self._samples.clear()
        self._samples.extendleft(samples)
        self._rivals = []
        self._choose(samples[-1].taken_ns)

    def _choose(self, now_ns: int) -> None:
        self._best = min(self._samples, key=lambda each: each.bound_at(now_ns, self._drift_ppm))

    def _require(self) -> _Sample:
        if self._best is None:
            raise NotReady("the exchange's clock is not known yet")
        return self._best


def _drift_ns(elapsed_ns: int, drift_ppm: int) -> int:
    return abs(elapsed_ns) * drift_ppm // 1_000_000
