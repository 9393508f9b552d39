"""What can be read of a journal in whatever state, and how to go on with it after damage (fault F151).

The file itself is never touched by looking: it is copied, with its log, and the copy is read. Where a running process
has it open, it is read in place, which SQLite allows at any time.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from exconn_sync.errors import JournalError, JournalInUse
from exconn_sync.model.account import Fact
from exconn_sync.persistence.codec import Unreadable, kind_of, to_text
from exconn_sync.persistence.records import Record, fact_in
from exconn_sync.persistence.sqlite_file import SELECT, JournalFile, check, connected, examined_log, lock_of, log_of
from exconn_sync.persistence.wal import WalReport
from exconn_sync.persistence.writer_lock import WriterLock

SET_ASIDE = b"was set aside\0\0\0"
"""Stands instead of SQLite's own first bytes in a file that is being repaired."""


@dataclass
class Salvage:
    """What was read.

    Attributes:
        facts: by the number of their record, in order.
        damage: what is wrong, in words, each beginning with where; empty for a whole journal.
        log: what the write-ahead log holds.
        is_in_use: whether a process had the journal open.
    """

    facts: dict[int, Fact] = field(default_factory=dict)
    damage: list[str] = field(default_factory=list)
    log: WalReport = field(default_factory=WalReport)
    is_in_use: bool = False


def salvaged(path: Path) -> Salvage:
    """Read what can be read of a journal. Raises JournalError where there is no such file, or it cannot be copied."""
    if not path.is_file():
        raise JournalError(f"{path}: there is no such file", details={"path": str(path)})
    found = Salvage()
    try:
        lock = WriterLock(lock_of(path))
    except JournalInUse:
        found.is_in_use = True
        _read(path, found)
        return found
    except JournalError:
        # A folder that cannot be written: nobody writes to a journal there.
        _read_copy(path, found)
        return found
    with contextlib.closing(lock):
        _read_copy(path, found)
    return found


def _read_copy(path: Path, found: Salvage) -> None:
    with TemporaryDirectory() as folder:
        copy = Path(folder) / "copy.db"
        try:
            shutil.copyfile(path, copy)
            if log_of(path).exists():
                shutil.copyfile(log_of(path), log_of(copy))
            found.log = examined_log(copy)
        except OSError as error:
            raise JournalError(f"{path} cannot be read: {error}", details={"path": str(path)}) from error
        if found.log.damaged_at is not None:
            found.damage.append(f"frame {found.log.damaged_at} of the write-ahead log is damaged: what follows is lost")
        _read(copy, found)


def repair(path: Path) -> tuple[Salvage, Path | None]:
    """Go on with what can be read: the damaged file is set aside, and a whole one takes its place.

    Records after the damage are kept as well: each is true by itself, and their order decides nothing. What is missing
    is learnt again from the exchange at the next start. Returns what was read, and where the damaged file is now; None
    where nothing is damaged, and nothing was done.

    Raises:
        JournalInUse: a process has it open.
        JournalError: nothing of it can be read, or a file cannot be written.
    """
    found = salvaged(path)
    if found.is_in_use:
        raise JournalInUse(f"{path} is in use; stop its process first", details={"path": str(path)})
    if not found.damage:
        return found, None
    if not found.facts:
        text = f"{path}: no record can be read; move it away to begin a new journal ({found.damage[0]})"
        raise JournalError(text, details={"path": str(path)})
    with contextlib.closing(WriterLock(lock_of(path))):
        try:
            return found, _replace(path, found)
        except OSError as error:
            raise JournalError(f"{path} cannot be repaired: {error}", details={"path": str(path)}) from error


def _replace(path: Path, found: Salvage) -> Path:
    fresh = path.with_name(path.name + "-new")
    for each in (fresh, log_of(fresh)):
        each.unlink(missing_ok=True)
    file = JournalFile(fresh)
    try:
        file.rewrite((kind_of(fact), to_text(fact)) for fact in found.facts.values())
    finally:
        file.close()
    aside = _free_name(path)
    for name, copy in ((path, aside), (log_of(path), log_of(aside))):
        if name.exists():
            shutil.copyfile(name, copy)
            copy.chmod(0o600)
    # Whoever dies between these steps leaves a file that is refused, and never one that lacks its log unnoticed.
    with path.open("r+b") as old:
        old.write(SET_ASIDE)
        old.flush()
        os.fsync(old.fileno())
    log_of(path).unlink(missing_ok=True)
    fresh.replace(path)
    descriptor = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    return aside


def _free_name(path: Path) -> Path:
    number = 1
    while (name := path.with_name(f"{path.name}.damaged-{number}")).exists():
        number += 1
    return name


def _read(path: Path, found: Salvage) -> None:
    try:
        with contextlib.closing(connected(path)) as connection:
            _look(connection, path, found)
            records = list(_rows(connection, found))
    except (JournalError, sqlite3.Error) as error:
        found.damage.append(f"the file: {error}")
        return
    expected = 1
    for record in sorted(records, key=lambda item: item.number):
        if record.number > expected:
            found.damage.append(f"record {expected}: missing, as is all up to {record.number - 1}")
        expected = record.number + 1
        try:
            found.facts[record.number] = fact_in(record)
        except Unreadable as error:
            found.damage.append(f"record {record.number}: {error}")


def _look(connection: sqlite3.Connection, path: Path, found: Salvage) -> None:
    try:
        check(connection, path)
    except (JournalError, sqlite3.Error, UnicodeDecodeError) as error:
        found.damage.append(f"the file: {error}")


def _rows(connection: sqlite3.Connection, found: Salvage) -> Iterator[Record]:
    """Yield what SQLite can read: from the beginning, and where that fails, from the end."""
    seen: set[object] = set()
    for order in ("", " DESC"):
        try:
            for row in connection.execute(SELECT + order):
                record = Record._make(row)
                if type(record.number) is int and record.number not in seen:
                    seen.add(record.number)
                    yield record
        except sqlite3.Error as error:
            found.damage.append(f"the file: read from the {'end' if order else 'beginning'}: {error}")
        else:
            return
