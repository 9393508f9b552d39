"""How long to ask nothing, after the exchange said that it was too much (faults F076 to F078)."""

from __future__ import annotations

from dataclasses import dataclass

from exconn_sync.model.limits import LONGEST_SILENCE

_SHORTEST_S = 1.0
_FORGOTTEN_MS = 3_600_000
"""So long after its end a silence is no warning any more."""


@dataclass
class Silence:
    """One silence, and how often it came again. Times are ms of the exchange's clock.

    Attributes:
        until_ms: its end; 0 where there was none.
        repeats: how often another one followed soon.
    """

    until_ms: int = 0
    repeats: int = 0

    def left_ms(self, now_ms: int) -> int:
        """Return how long it still lasts."""
        return max(0, self.until_ms - now_ms)

    def begin(self, seconds: float | None, fallback: float, taken_ms: int, now_ms: int) -> bool:
        """Begin or prolong it; return whether it is another one.

        ``seconds`` is what the exchange said; None where it said nothing usable, and then it is ``fallback`` seconds,
        twice as long each time that it happens again. Answers to requests that left (``taken_ms``) before the present
        silence ended belong to it: twenty threads that were refused together are one case.
        """
        is_new = taken_ms >= self.until_ms
        if is_new:
            is_again = self.until_ms > 0 and now_ms - self.until_ms < _FORGOTTEN_MS
            self.repeats = self.repeats + 1 if is_again else 0
        if seconds is None:
            # 2.0**1024 overflows; the longest silence is reached much earlier.
            seconds = fallback * 2.0 ** min(self.repeats, 32)
        seconds = min(max(seconds, _SHORTEST_S), LONGEST_SILENCE)
        # Never shortened: of two answers the one with the later end counts.
        self.until_ms = max(self.until_ms, now_ms + int(seconds * 1000))
        return is_new
