"""One time budget for several steps."""

from __future__ import annotations

import math
from dataclasses import dataclass

from exconn_sync.errors import ValidationError

_NS = 1_000_000_000


@dataclass(frozen=True)
class Deadline:
    """A moment on the monotonic clock by which something must have ended, or never.

    A call makes one at its beginning and hands it to each of its steps, so that the steps share one budget and a slow
    one leaves less to the next (fault model 0.3, ``request_deadline``).
    """

    at_ns: int | None

    @classmethod
    def after(cls, now_ns: int, seconds: float | None) -> Deadline:
        """Return the deadline ``seconds`` from now; None means never, as does infinity.

        Raises:
            ValidationError: no number of seconds, or not a number at all.
        """
        if seconds is not None and (
            isinstance(seconds, bool) or not isinstance(seconds, (int, float)) or math.isnan(seconds)
        ):
            raise ValidationError("timeout", seconds, "must be a number of seconds, or None for no limit")
        if seconds is None or seconds == float("inf"):
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
