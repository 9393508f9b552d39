"""The file of a journal: one SQLite table of numbered records. Not thread-safe; one object of it writes at a time.

A commit that holds an intent is on the disk when it returns (``synchronous=FULL``: the write-ahead log is flushed).
Any other commit has reached the operating system: it survives the death of the process, and of the machine from the
next flush on.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from exconn_sync.errors import JournalCorrupt, JournalError
from exconn_sync.persistence.records import Record, sealed
from exconn_sync.persistence.wal import WalReport, examined
from exconn_sync.ports.faultpoints import reach

VERSION = 2
"""Written. Version 1 has no records of what was archived; it is read, and becomes 2 when it is written anew."""
_READ = (1, 2)
APPLICATION = 0x45584A4C
"""Marks the file as a journal of this library, in SQLite's own field for that."""
MAGIC = b"SQLite format 3\0"

_TABLE = (
    "CREATE TABLE record ("
    "number INTEGER PRIMARY KEY, kind TEXT NOT NULL, body TEXT NOT NULL, checksum INTEGER NOT NULL)"
)
_ANEW = ("DELETE FROM record", f"PRAGMA user_version={VERSION}")
_INSERT = "INSERT INTO record VALUES (?, ?, ?, ?)"
SELECT = "SELECT number, kind, body, checksum FROM record ORDER BY number"
_MODE = 0o600
_PASSING = ("full", "disk I/O", "locked", "busy", "unable to open", "readonly", "interrupted")
"""Words of SQLite for what is wrong with the disk or the moment; Python 3.10 does not tell SQLite's own codes."""


class JournalFile:
    """An open journal file, checked when it is opened.

    Raises:
        JournalCorrupt: it holds what was not written so.
        JournalError: it cannot be opened, belongs to something else, or to a newer version of the library.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.log = WalReport()
        self._is_flushed = True
        # The number of the last record; None where it has to be looked up.
        self._last: int | None = None
        try:
            _prepare(path)
            self.log = examined_log(path)
        except OSError as error:
            raise _unusable(path, error) from error
        if self.log.damaged_at is not None:
            at = self.log.damaged_at
            raise corrupt(path, at, f"frame {at} of its write-ahead log is damaged, and others follow it")
        # An exclusive lock would keep out everybody who only wants to look; a lock beside the file keeps out writers.
        self._connection = connected(path)
        try:
            self._set_up()
        except BaseException:
            self._connection.close()
            raise

    def _set_up(self) -> None:
        try:
            check(self._connection, self.path)
            self._execute("PRAGMA journal_mode=WAL")
            self._execute("PRAGMA synchronous=FULL")
        except (sqlite3.DatabaseError, UnicodeDecodeError) as error:
            raise translated(self.path, error) from error

    def records(self) -> Iterator[Record]:
        """Yield all records in order; another thread may write meanwhile. Raises JournalCorrupt, JournalError."""
        # A connection of its own sees what was there when it began, whatever is written or rolled back since.
        with contextlib.closing(connected(self.path)) as connection:
            try:
                yield from map(Record._make, connection.execute(SELECT))
            except sqlite3.DatabaseError as error:
                raise translated(self.path, error) from error

    def write(self, facts: Sequence[tuple[str, str]], *, is_flushed: bool) -> None:
        """Add facts, each its kind and its text, in one transaction; ``is_flushed`` puts them on the disk.

        Raises:
            JournalError: none of them was added.
        """
        last, self._last = self._last, None
        try:
            if is_flushed is not self._is_flushed:
                self._execute("PRAGMA synchronous=" + ("FULL" if is_flushed else "NORMAL"))
                self._is_flushed = is_flushed
            if last is None:
                last = self._execute("SELECT coalesce(max(number), 0) FROM record").fetchone()[0]
            self._in_transaction([sealed(last + index, *fact) for index, fact in enumerate(facts, 1)])
        except sqlite3.Error as error:
            raise translated(self.path, error) from error
        # Not before: of a commit that was interrupted nobody knows here whether it was made.
        self._last = last + len(facts)

    def rewrite(self, facts: Iterable[tuple[str, str]]) -> None:
        """Replace all records in one transaction, and give the room back that is free then. Raises JournalError."""
        self._last = None
        try:
            self._execute("PRAGMA synchronous=FULL")
            self._is_flushed = True
            self._in_transaction([sealed(index, *fact) for index, fact in enumerate(facts, 1)], *_ANEW)
            reach("journal.rewritten")
            self._execute("VACUUM")
            self._execute("PRAGMA wal_checkpoint(TRUNCATE)")
        except sqlite3.Error as error:
            raise translated(self.path, error) from error

    def _in_transaction(self, records: Sequence[Record], *before: str) -> None:
        connection = self._connection
        connection.execute("BEGIN IMMEDIATE")
        try:
            for statement in before:
                connection.execute(statement)
            connection.executemany(_INSERT, records)
            reach("journal.before_commit")
            connection.execute("COMMIT")
        except BaseException:
            # Ctrl-C too: a half written transaction must not become part of the next one.
            if connection.in_transaction:
                with contextlib.suppress(sqlite3.Error):
                    connection.execute("ROLLBACK")
            raise
        reach("journal.after_commit")

    @property
    def size(self) -> int:
        """Bytes of the file and its log."""
        return sum(each.stat().st_size for each in (self.path, log_of(self.path)) if each.exists())

    def close(self) -> None:
        """Put all into the one file, and let go of it. Raises JournalError where the former cannot be done."""
        try:
            self._execute("PRAGMA wal_checkpoint(TRUNCATE)")
        except sqlite3.Error as error:
            raise translated(self.path, error) from error
        finally:
            self._connection.close()

    def _execute(self, statement: str) -> sqlite3.Cursor:
        return self._connection.execute(statement)


def log_of(path: Path) -> Path:
    """Return where SQLite keeps the write-ahead log of a file."""
    return path.with_name(path.name + "-wal")


def lock_of(path: Path) -> Path:
    """Return the file whose lock says that a journal is being written."""
    return path.with_name(path.name + "-lock")


def connected(path: Path) -> sqlite3.Connection:
    """Return a connection in which transactions begin and end where it is said. Raises JournalError."""
    try:
        connection = sqlite3.connect(path, timeout=1.0, isolation_level=None, check_same_thread=False)
    except sqlite3.Error as error:
        raise _unusable(path, error) from error
    # What is no text any more is found out by the sum of its record.
    connection.text_factory = lambda raw: raw.decode("utf-8", "replace")
    return connection


def examined_log(path: Path) -> WalReport:
    """Return what the write-ahead log of a file holds. Raises OSError."""
    log = log_of(path)
    return examined(log.read_bytes()) if log.exists() else WalReport()


def check(connection: sqlite3.Connection, path: Path) -> None:
    """Check that a file is a journal, whole as far as SQLite can tell, and make the table in an empty one.

    Raises:
        JournalCorrupt, JournalError: it is not.
        sqlite3.DatabaseError: it cannot be read.
    """
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    # Compared whole, before any statement uses them: a foreign file may hold triggers and views.
    schema = [row[0] for row in connection.execute("SELECT sql FROM sqlite_master")]
    if (application, version, schema) == (0, 0, []):
        _make(connection)
        return
    if application != APPLICATION:
        raise JournalError(f"{path} is no journal of this library", details={"path": str(path)})
    if version not in _READ:
        text = f"{path} has version {version}; this library reads {_READ[0]} to {_READ[-1]} and writes {VERSION}"
        raise JournalError(text, details={"path": str(path), "version": version})
    if schema != [_TABLE]:
        raise corrupt(path, 0, "its table is not what was made")
    found = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
    if found != "ok":
        raise corrupt(path, 0, str(found))


def corrupt(path: Path, at: int, why: str) -> JournalCorrupt:
    """Return the error for a file that is not what was written."""
    text = f"{path}: {why}; see python -m exconn_sync.persistence"
    return JournalCorrupt(text, details={"path": str(path), "at": at})


def translated(path: Path, error: Exception) -> JournalError:
    """Return our error for SQLite's. The room on the disk and the disk itself may come back, damage does not heal."""
    if isinstance(error, sqlite3.OperationalError) and any(words in str(error) for words in _PASSING):
        text = f"{path} cannot be written or read: {error}"
        return JournalError(text, details={"path": str(path)}, retryable=True)
    return corrupt(path, 0, str(error))


def _make(connection: sqlite3.Connection) -> None:
    # In one transaction: a file is a journal, or empty.
    connection.execute("BEGIN IMMEDIATE")
    connection.execute(_TABLE)
    connection.execute(f"PRAGMA application_id={APPLICATION}")
    connection.execute(f"PRAGMA user_version={VERSION}")
    connection.execute("COMMIT")


def _prepare(path: Path) -> None:
    """Make the file where there is none, for its owner's eyes only, and look whether it can be one of SQLite's."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, _MODE)
    try:
        # Also where it was there before, or the umask left more: SQLite gives its log the same mode.
        os.fchmod(descriptor, _MODE)
        begin = os.read(descriptor, len(MAGIC))
    finally:
        os.close(descriptor)
    if begin not in (b"", MAGIC):
        raise corrupt(path, 0, "it does not begin as an SQLite file does")


def _unusable(path: Path, error: Exception) -> JournalError:
    return JournalError(f"{path} cannot be opened: {error}", details={"path": str(path)})
