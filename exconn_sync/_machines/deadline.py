"""One time budget for several steps."""

from __future__ import annotations

from dataclasses import dataclass

from exconn_sync.errors import ValidationError

_NS = 1_000_000_000
_LONGEST = 1_000_000_000
"""Seconds that are as good as never, some 30 years: the system's waits take no more than about 290."""


@dataclass(frozen=True)
class Deadline:
    """A moment on the monotonic clock by which something must have ended, or never.

    A call makes one at its beginning and hands it to each of its steps, so that the steps share one budget and a slow
    one leaves less to the next (fault model 0.3, ``request_deadline``).
    """

    at_ns: int | None

    @classmethod
    def after(cls, now_ns: int, seconds: float | None) -> Deadline:
        """Return the deadline ``seconds`` from now; None means never, as do infinity and decades.

        Raises:
            ValidationError: no number of seconds, or not a number at all.
        """
        # NaN is the one number that differs from itself; ``isnan`` fails for an int beyond all floats.
        if seconds is not None and (
            isinstance(seconds, bool) or not isinstance(seconds, (int, float)) or seconds != seconds
        ):
            raise ValidationError("timeout", seconds, "must be a number of seconds, or None for no limit")
        if seconds is None or seconds >= _LONGEST:
            return cls(None)
        return cls(now_ns + int(max(seconds, 0) * _NS))

    def remaining(self, now_ns: int) -> float | None:
        """Return the seconds left, never negative, or None where there is no limit."""
        if self.at_ns is None:
            return None
        return max(0, self.at_ns - now_ns) / _NS

    def is_over(self, now_ns: int) -> bool:
        """Return whether nothing of the budget is left."""
        return self.at_ns is not None and now_ns >= self.at_ns
