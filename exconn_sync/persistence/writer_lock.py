"""One writer a journal: a lock on a file beside it, which ends with its process wherever that dies (fault F152)."""

from __future__ import annotations

import os
from pathlib import Path

from exconn_sync.errors import JournalError, JournalInUse
from exconn_sync.ports.forking import close_in_child


class WriterLock:
    """Held from its making until ``close``. Not on the journal's own file, because SQLite keeps its locks there.

    Raises:
        JournalInUse: another process holds it, or another object of this one.
        JournalError: the file cannot be made, or the system has no such locks.
    """

    def __init__(self, path: Path) -> None:
        try:
            self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise JournalError(f"{path} cannot be written: {error}", details={"path": str(path)}) from error
        try:
            _lock(self._descriptor, path)
        except BaseException:
            os.close(self._descriptor)
            raise
        # A child's copy would hold the lock on behalf of a parent that has died.
        close_in_child(self)

    def close(self) -> None:
        """Let go; may be called twice."""
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)


def _lock(descriptor: int, path: Path) -> None:
    try:
        import fcntl
    except ImportError as error:  # pragma: no cover - no such system is supported yet
        raise JournalError("this system has no file locks; use a journal in memory") from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        journal = str(path).removesuffix("-lock")
        raise JournalInUse(f"{journal} is in use by another writer", details={"path": journal}) from None
    except OSError as error:
        raise JournalError(f"{path} cannot be locked: {error}", details={"path": str(path)}) from error
