"""After a fork only the calling thread exists in the child; objects of the parent must say so instead of hanging."""

from __future__ import annotations

import os

from exconn_sync.errors import ForkedProcess


class ProcessGuard:
    """Remembers the process to which an object belongs."""

    def __init__(self) -> None:
        self._pid = os.getpid()

    @property
    def is_foreign(self) -> bool:
        """True in a child process that was forked after the object was made."""
        return os.getpid() != self._pid

    def check(self, what: str, advice: str = "call start() of its connector in this process") -> None:
        """Raise ForkedProcess in a forked child (faults F124 and F126)."""
        if os.getpid() != self._pid:
            raise ForkedProcess(f"this {what} belongs to the parent process; {advice}")

    def adopt(self) -> None:
        """Let the object belong to the present process: all that it needs has been made anew."""
        self._pid = os.getpid()
