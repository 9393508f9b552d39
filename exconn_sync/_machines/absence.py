"""When "not found" proves that the exchange never took an order (fault model 0.1, leaving ``unknown``).

Reads lag behind writes, so not finding an order settles nothing by itself. It does once the exchange would refuse the
request anyway: two looks that both started after that moment, far enough apart, and both succeeded.

No exchange remembers an order for ever that ended without a fill. Of one that is older than that, not finding it proves
nothing at all: it may have been there and be forgotten (fault F090).
"""

from __future__ import annotations

_NS = 1_000_000_000
_NS_PER_MS = 1_000_000


def deadline_of(
    timestamp_ms: int, window_ms: int, processing_limit_ms: int, clock_bound_ns: int, margin_ms: int
) -> int:
    """Return the exchange's time in ns after which it can no longer accept or still be working on the request."""
    return (timestamp_ms + window_ms + processing_limit_ms + margin_ms) * _NS_PER_MS + clock_bound_ns


class AbsenceProof:
    """Collects looks for one command whose outcome is unknown. All times are estimates of the exchange's clock."""

    def __init__(self, valid_until_server_ns: int, read_lag: float) -> None:
        self._valid_until_ns = valid_until_server_ns
        # One look reported twice must not count as two, also where reads are said not to lag.
        self._separation_ns = max(1, int(read_lag * _NS))
        self._first_ns: int | None = None
        self._last_ns: int | None = None
        self._was_found = False

    def look(self, started_server_ns: int, found_nothing: bool, failed: bool = False) -> None:
        """Report a full look, and when it started. A failed one proves nothing and counts as none."""
        if failed:
            return
        if not found_nothing:
            self._was_found = True
        elif started_server_ns > self._valid_until_ns:
            self._first_ns = _least(self._first_ns, started_server_ns)
            self._last_ns = max(self._last_ns or started_server_ns, started_server_ns)

    def may_be_forgotten(self, since_ns: int, memory_ms: int | None) -> bool:
        """Return whether the order may have been there since ``since_ns``, and ended before what is remembered.

        The last look must still have been able to see an order that ended at once.
        """
        if memory_ms is None or self._last_ns is None:
            return False
        return self._last_ns - since_ns > memory_ms * _NS_PER_MS

    @property
    def is_proven(self) -> bool:
        """True once the order certainly is not, and never will be, at the exchange."""
        if self._was_found or self._first_ns is None or self._last_ns is None:
            return False
        return self._last_ns - self._first_ns >= self._separation_ns

    def next_look_at_ns(self) -> int:
        """Return the exchange's time at which the next look that counts may start."""
        if self._first_ns is None:
            return self._valid_until_ns + 1
        return self._first_ns + self._separation_ns


def _least(known: int | None, other: int) -> int:
    return other if known is None else min(known, other)
