"""Which ups and downs of a connection are told: once per episode, however it flaps (fault F019, invariant I31)."""

from __future__ import annotations

_NS = 1_000_000_000


class Episodes:
    """Debounces the state of one connection; what it tells alternates between down and up. Not thread-safe.

    ==============================  =================================================================================
    what happens                    what is told
    ==============================  =================================================================================
    the very first up               it, at once: somebody waits for it; it ends an episode that was going on
    down, no episode going on       it, at once, also where it is the first state ever; an episode begins
    down or up within an episode    nothing
    up for ``settle`` seconds       one up, by ``settled``; the episode ends
    ==============================  =================================================================================

    So a flapping connection gives one down and one up, a short blip as well, and a lasting state is always told. An up
    that was lost again before ``settled`` was asked is not told, however long it was: its down would follow at once.
    """

    def __init__(self, settle: float) -> None:
        self._settle_ns = int(settle * _NS)
        self._is_up: bool | None = None
        self._up_since_ns = 0
        self._was_up_told = False
        self._is_episode = False
        self._losses = 0
        self._reason = ""

    def down(self, now_ns: int, reason: str) -> bool:
        """Note a loss or a failed attempt; return whether it is to be told now."""
        del now_ns  # told like every other event; a down is never delayed
        is_new = not self._is_episode
        if is_new:
            self._is_episode = True
            self._losses = 0
            self._reason = reason
        if self._is_up is not False:
            self._losses += 1
        self._is_up = False
        return is_new

    def up(self, now_ns: int) -> bool:
        """Note that the connection stands; return whether it is to be told now."""
        if self._is_up is not True:
            self._is_up = True
            self._up_since_ns = now_ns
        if self._was_up_told:
            return False
        self._was_up_told = True
        self._is_episode = False
        return True

    def settled(self, now_ns: int) -> bool:
        """Return True exactly once for an up that is to be told now, because it has lasted for ``settle``."""
        wait_ns = self._wait_ns(now_ns)
        if wait_ns is None or wait_ns > 0:
            return False
        self._is_episode = False
        return True

    def until_due(self, now_ns: int) -> float | None:
        """Return the seconds until ``settled`` may say True, or None while only another event can change anything."""
        wait_ns = self._wait_ns(now_ns)
        return None if wait_ns is None else wait_ns / _NS

    @property
    def is_settled(self) -> bool:
        """True while the connection is up and that was told."""
        return self._is_up is True and not self._is_episode

    @property
    def losses(self) -> int:
        """How often the connection was lost in the present episode, failed attempts while it is down not counted.

        Until the next episode begins this is the number of the last one; 0 before any.
        """
        return self._losses

    @property
    def reason(self) -> str:
        """Reason of the first loss of the present episode, or of the last one until the next begins."""
        return self._reason

    def _wait_ns(self, now_ns: int) -> int | None:
        if not self._is_episode or not self._is_up:
            return None
        return max(0, self._up_since_ns + self._settle_ns - now_ns)
