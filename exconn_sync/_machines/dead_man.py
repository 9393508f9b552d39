"""Whether a connection has been down for too long: once for each time that it was lost."""

from __future__ import annotations


class DeadMan:
    """Is told the state of a connection and the time. Not thread-safe.

    A connection that never stood is not waited for: nothing was entrusted to it yet.
    """

    def __init__(self) -> None:
        self._down_since_ns: int | None = None
        self._is_told = False

    def look(self, is_whole: bool | None, limit: float | None, now_ns: int) -> bool:
        """Return whether the connection has been down for ``limit`` seconds by now, for the first time."""
        if is_whole is not False:
            self._down_since_ns = None
            self._is_told = False
            return False
        if self._down_since_ns is None:
            self._down_since_ns = now_ns
        if self._is_told or limit is None or now_ns - self._down_since_ns < int(limit * 1e9):
            return False
        self._is_told = True
        return True
