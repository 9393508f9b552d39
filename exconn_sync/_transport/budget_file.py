"""A request budget for all processes of this machine, in an SQLite file.

pyrate-limiter's SQLite bucket was looked at and does not fit. It keeps a row for each unit of weight (250 for one deep
order book), commits each limit by itself, so that several cannot be taken in one step, and has no way to correct a
count by what the exchange says. Here one row holds the state of one budget, and the rules are those of the process's
own.
"""

from __future__ import annotations

import contextlib
import sqlite3
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from exconn_sync._machines.request_budget import RequestBudget
from exconn_sync._transport.budget_store import StoreUnreachable, from_bytes, to_bytes
from exconn_sync.ports.forking import renew_in_child

T = TypeVar("T")

_LONGEST_WAIT_S = 0.5
_STEP_S = 0.0005
_TABLE = "CREATE TABLE IF NOT EXISTS budget (name TEXT PRIMARY KEY, state BLOB NOT NULL) WITHOUT ROWID"
_READ = "SELECT state FROM budget WHERE name = ?"
_WRITE = "INSERT INTO budget VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET state = excluded.state"

_of_the_parent: list[sqlite3.Connection] = []
"""Connections that a forked child inherited. They must not be used there, and closing them is a use."""


class FileStore:
    """Keeps a budget in a file. Thread-safe; waits at most half a second for other processes.

    The file lock is SQLite's own: it ends with a process that dies, wherever that was. See ``SharedStore``.
    """

    last: bytes | None = None

    def __init__(self, path: Path, name: str, default: Callable[[], RequestBudget]) -> None:
        self._path = path
        self._name = name
        self._default = default
        self._connection: sqlite3.Connection | None = None
        self._file: tuple[int, int] | None = None
        # Guards the connection to the file, and so it is held while the file is read and written.
        self._lock = threading.Lock()
        renew_in_child(self)

    def renew_in_child(self) -> None:
        """Begin anew in a forked child, with an own connection to the file."""
        self._lock = threading.Lock()
        if self._connection is not None:
            _of_the_parent.append(self._connection)
            self._connection = None

    def update(self, change: Callable[[RequestBudget], T]) -> T:
        """Change the budget. Raises StoreUnreachable."""
        limit = time.monotonic() + _LONGEST_WAIT_S
        if not self._lock.acquire(timeout=_LONGEST_WAIT_S):
            raise StoreUnreachable(f"{self._path}: another thread does not let go of it")
        try:
            return self._changed(change, limit)
        except (sqlite3.Error, OSError) as error:
            self._drop()
            raise StoreUnreachable(f"{self._path}: {error}") from error
        finally:
            self._lock.release()

    def close(self) -> None:
        """Close the file; the next use opens it again."""
        with self._lock:
            self._drop()

    def _changed(self, change: Callable[[RequestBudget], T], limit: float) -> T:
        if self._connection is not None and _identity(self._path) != self._file:
            # Somebody removed it, as what clears /tmp does: whoever comes now would count in another file than we.
            self._drop()
        connection = self._connection or self._open(limit)
        _begin(connection, limit)
        try:
            row = connection.execute(_READ, (self._name,)).fetchone()
            budget = from_bytes(self.last if row is None else row[0], self._default)
            result = change(budget)
            state = to_bytes(budget)
            connection.execute(_WRITE, (self._name, state))
            connection.execute("COMMIT")
            self.last = state
        except BaseException:
            # Ctrl-C too: nobody may be left with a lock on the file.
            with contextlib.suppress(sqlite3.Error):
                connection.execute("ROLLBACK")
            raise
        return result

    def _open(self, limit: float) -> sqlite3.Connection:
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        # Only this user's processes may share it by default: whoever writes it can silence us.
        self._path.touch(mode=0o600)
        connection = sqlite3.connect(self._path, timeout=0, isolation_level=None, check_same_thread=False)
        try:
            _patiently(limit, lambda: connection.execute("PRAGMA journal_mode=WAL"))
            connection.execute("PRAGMA synchronous=NORMAL")
            _patiently(limit, lambda: connection.execute(_TABLE))
        except BaseException:
            connection.close()
            raise
        self._connection, self._file = connection, _identity(self._path)
        return connection

    def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()


def _identity(path: Path) -> tuple[int, int] | None:
    """Return what tells a file from another one of its name, None where there is none."""
    try:
        status = path.stat()
    except FileNotFoundError:
        return None
    return status.st_dev, status.st_ino


def _begin(connection: sqlite3.Connection, limit: float) -> None:
    """Take the file's lock. SQLite's own waiting sleeps up to 0.1 s at a time, in which windows pass."""
    _patiently(limit, lambda: connection.execute("BEGIN IMMEDIATE"))


def _patiently(limit: float, step: Callable[[], object]) -> None:
    while True:
        try:
            step()
        except sqlite3.OperationalError as error:
            if not _is_busy(error) or time.monotonic() >= limit:
                raise
            time.sleep(_STEP_S)
        else:
            return


def _is_busy(error: sqlite3.OperationalError) -> bool:
    """Return whether another process has the file; Python 3.10 does not tell SQLite's own codes."""
    return "locked" in str(error) or "busy" in str(error)
