"""After a fork only the calling thread exists in the child; objects of the parent must say so instead of hanging."""

from __future__ import annotations

import os

from exconn_sync.errors import ForkedProcess


class ProcessGuard:
    """Remembers the process in which an object was made."""

    def __init__(self) -> None:
        self._pid = os.getpid()

    @property
    def is_foreign(self) -> bool:
        """True in a child process that was forked after the object was made."""
        return os.getpid() != self._pid

    def check(self, what: str) -> None:
        """Raise ForkedProcess in a forked child."""
        if self.is_foreign:
            raise ForkedProcess(f"this {what} belongs to the parent process; make a new one after the fork")
