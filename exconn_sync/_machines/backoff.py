"""How long to wait before connecting again (faults F001, F019)."""

from __future__ import annotations

import random

_NS = 1_000_000_000


class Backoff:
    """Full jitter between zero and a ceiling that doubles with each attempt (invariant I19).

    The ceiling starts again only after a connection has both lived ``settle`` seconds and delivered something useful:
    a handshake alone proves nothing, and a flapping connection must not be hammered.

    Attributes:
        attempts: number of delays given since the last success.
    """

    def __init__(self, base: float, cap: float, settle: float, rng: random.Random) -> None:
        self._base = base
        self._cap = cap
        self._settle_ns = int(settle * _NS)
        self._rng = rng
        self._connected_ns: int | None = None
        self.attempts = 0

    def next_delay(self) -> float:
        """Return the seconds to wait before the next attempt, in [0, min(cap, base * 2**attempts)]."""
        ceiling = self.ceiling()
        self.attempts += 1
        self._connected_ns = None
        return self._rng.uniform(0.0, ceiling)

    def ceiling(self) -> float:
        """Return the longest delay that ``next_delay`` may give now."""
        # 2.0**1024 overflows; no sensible cap is beyond 2**64 times the base.
        return min(self._cap, self._base * 2.0 ** min(self.attempts, 64))

    def connected(self, now_ns: int) -> None:
        """Note that a connection was made."""
        self._connected_ns = now_ns

    def proved(self, now_ns: int) -> None:
        """Note that useful data arrived; it counts as success once the connection has lived long enough."""
        if self._connected_ns is not None and now_ns - self._connected_ns >= self._settle_ns:
            self.attempts = 0

    def reset(self) -> None:
        """Start anew, after something has worked that needs no proof over time."""
        self.attempts = 0
