"""Moves records of a journal into an archive beside it, so that a kill at any step loses and doubles nothing.

An archive is a whole journal file of its own, written once: ``orders.db.archive-1`` and so on. First it is made under
another name and put on the disk; then it gets its name; then the journal is written anew in one transaction. Until that
is done the journal has everything, and an archive of the same number is one that was not finished: it is made again.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path

from exconn_sync.errors import JournalError
from exconn_sync.model.account import Fact
from exconn_sync.model.carried import Archived
from exconn_sync.persistence.codec import kind_of, to_text
from exconn_sync.persistence.records import Damage, facts_in
from exconn_sync.persistence.rotation import Rotation
from exconn_sync.persistence.sqlite_file import JournalFile, log_of
from exconn_sync.ports.faultpoints import reach


def archive(path: Path, rotation: Rotation) -> Path:
    """Write the records that leave the journal at ``path`` into an archive; return where it is.

    Raises:
        JournalError: it cannot be written; the journal is as it was.
    """
    number = next(fact.archives for fact in rotation.kept if isinstance(fact, Archived))
    name = _name(path, number, rotation)
    fresh = name.with_name(name.name + "-new")
    try:
        _remove(fresh)
        _write(fresh, rotation.moved)
        reach("archive.before_name")
        fresh.replace(name)
        _settle(name.parent)
    except OSError as error:
        raise JournalError(f"{name} cannot be written: {error}", details={"path": str(name)}) from error
    reach("archive.after_name")
    return name


def archive_of(path: Path, number: int) -> Path:
    """Return where the archive of this number is."""
    return path.with_name(f"{path.name}.archive-{number}")


def _name(path: Path, number: int, rotation: Rotation) -> Path:
    """Return a name that is free, or that of an archive which was not finished: all of it is still in the journal."""
    whole = {*rotation.kept, *rotation.moved}
    while (name := archive_of(path, number)).exists():
        if _is_within(name, whole):
            return name
        # Of a journal that was put back from a copy, or of another one: it is not ours to overwrite.
        number += 1
    return name


def _is_within(name: Path, whole: set[Fact]) -> bool:
    try:
        file = JournalFile(name)
    except JournalError:
        return False
    try:
        return all(fact in whole for fact in facts_in(file.records()))
    except (Damage, JournalError):
        return False
    finally:
        file.close()


def _write(fresh: Path, facts: Sequence[Fact]) -> None:
    file = JournalFile(fresh)
    try:
        file.rewrite(texts(facts))
    finally:
        file.close()
    descriptor = os.open(fresh, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def texts(facts: Iterable[Fact]) -> Iterable[tuple[str, str]]:
    """Return facts as they are written."""
    return [(kind_of(fact), to_text(fact)) for fact in facts]


def _remove(fresh: Path) -> None:
    for each in (fresh, log_of(fresh)):
        each.unlink(missing_ok=True)


def _settle(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
