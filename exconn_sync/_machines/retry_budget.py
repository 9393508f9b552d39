"""How often questions may be asked again in all, so that an outage is not answered by more requests (fault F161)."""

from __future__ import annotations

_SHARE = 1 / 16
_MOST = 4.0
_TRICKLE_NS = 60_000_000_000


class RetryBudget:
    """Allows one retry for sixteen fresh requests and one in 60 s, and never more than four at once. Not thread-safe.

    At any rate of requests an exchange that fails all of them gets at most a sixteenth more, apart from the trickle.
    """

    def __init__(self, now_ns: int) -> None:
        self._left = _MOST
        self._seen_ns = now_ns

    def asked(self) -> None:
        """Note a fresh request."""
        self._left = min(_MOST, self._left + _SHARE)

    def may_retry(self, now_ns: int) -> bool:
        """Return whether a request may be sent again, and take note that it is."""
        self._left = min(_MOST, self._left + max(0, now_ns - self._seen_ns) / _TRICKLE_NS)
        self._seen_ns = max(self._seen_ns, now_ns)
        if self._left < 1:
            return False
        self._left -= 1
        return True
