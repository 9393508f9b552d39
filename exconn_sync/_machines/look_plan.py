"""Which messages get a second look, that costs more than reading them: as many as cost next to nothing."""

from __future__ import annotations

_SECOND_NS = 1_000_000_000


class LookPlan:
    """Allows looks at so many bytes in each second; the first one of a second whatever its size. Told the time.

    May be asked from several threads: at worst they get a few looks more.
    """

    def __init__(self, bytes_per_second: int = 65_536) -> None:
        self._bytes_per_second = bytes_per_second
        self._second_ends_ns: int | None = None
        self._left = 0

    def may_look(self, length: int, now_ns: int) -> bool:
        """Return whether a message of so many bytes may be looked at now."""
        if self._second_ends_ns is None or now_ns >= self._second_ends_ns:
            self._second_ends_ns = now_ns + _SECOND_NS
            self._left = max(self._bytes_per_second, length)
        if length > self._left:
            return False
        self._left -= length
        return True
