"""How fast the local clock drifts away from the exchange's (fault F118)."""

from __future__ import annotations

from dataclasses import dataclass

_WORTH_TELLING_PPM = 100
_ANCHOR_AGE_NS = 3600 * 1_000_000_000


@dataclass(frozen=True)
class _Anchor:
    at_ns: int
    offset_ns: int
    bound_ns: int


class ClockDrift:
    """Compares the offset of now with one of at most two hours ago. Told the time and the offset, never asks."""

    def __init__(self) -> None:
        self._anchor: _Anchor | None = None
        self._next: _Anchor | None = None
        self.ppm: float | None = None

    def note(self, now_ns: int, offset_ns: int, bound_ns: int) -> None:
        """Take the present offset of the exchange's clock to the monotonic one, and how wrong it can be."""
        present = _Anchor(now_ns, offset_ns, bound_ns)
        anchor = self._anchor
        if anchor is None:
            self._anchor = self._next = present
            return
        elapsed_ns = now_ns - anchor.at_ns
        if elapsed_ns <= 0:
            return
        # Told only once it is known well enough: before, the bounds of both offsets are larger than any drift.
        if (bound_ns + anchor.bound_ns) * 1_000_000 <= elapsed_ns * _WORTH_TELLING_PPM:
            self.ppm = (offset_ns - anchor.offset_ns) * 1_000_000 / elapsed_ns
        if self._next is None or now_ns - self._next.at_ns >= _ANCHOR_AGE_NS:
            self._anchor, self._next = self._next or present, present

    def forget(self) -> None:
        """Begin anew: a clock stepped."""
        self._anchor = self._next = self.ppm = None
