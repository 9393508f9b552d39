"""How often the silence of topics may have a connection replaced: a topic may be dead on every connection."""

from __future__ import annotations

_NS = 1_000_000_000
_PAUSE_NS, _LONGEST_PAUSE_NS = 30 * _NS, 3600 * _NS


class ReplacementPace:
    """Lets a replacement through, then another one after a pause that doubles each time, up to an hour."""

    def __init__(self) -> None:
        self._pause_ns = _PAUSE_NS
        self._next_ns = 0

    def may_replace(self, now_ns: int) -> bool:
        """Return whether it is not too soon; if so, it counts as done."""
        if now_ns < self._next_ns:
            return False
        if now_ns - self._next_ns > _LONGEST_PAUSE_NS:
            # That trouble is long over.
            self._pause_ns = _PAUSE_NS
        self._next_ns = now_ns + self._pause_ns
        self._pause_ns = min(2 * self._pause_ns, _LONGEST_PAUSE_NS)
        return True
