"""A journal that was changed behind our back, or cut off by the death of its process, is never read wrongly (F151)."""

from __future__ import annotations

import os
import random
import sqlite3
from pathlib import Path

import pytest

from exconn_sync.errors import JournalCorrupt, JournalError
from exconn_sync.model.account import Fact
from exconn_sync.persistence import SqliteJournal
from exconn_sync.persistence.sqlite_file import log_of
from exconn_sync.persistence.wal import WalReport, examined
from tests.unit.persistence.make import some_facts
from tests.unit.store.make import fill, intent

SAMPLES = 10**9 if os.environ.get("EXCONN_SOAK") == "1" else 60
"""Bytes of each file that are changed, one after the other."""
FACTS: list[Fact] = [*some_facts(), *(fill(str(number)) for number in range(10, 40))]
FRAME = 24 + 4096


def written(path: Path) -> dict[str, bytes]:
    """Keep the facts; return the files as they are when the process is killed, by their ending."""
    journal = SqliteJournal(path)
    for fact in FACTS:
        journal.append(fact)
    files = {"": path.read_bytes(), "-wal": log_of(path).read_bytes()}
    journal.close()
    return files


@pytest.fixture(scope="module")
def killed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    return written(tmp_path_factory.mktemp("killed") / "j.db")


@pytest.fixture(scope="module")
def closed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    path = tmp_path_factory.mktemp("closed") / "j.db"
    written(path)
    return {"": path.read_bytes()}


def put(folder: Path, files: dict[str, bytes]) -> Path:
    """Lay files down as a journal; return its path."""
    path = folder / "j.db"
    for ending, content in {"": b"", "-wal": b"", **files}.items():
        path.with_name(path.name + ending).write_bytes(content)
    return path


def read(path: Path) -> tuple[list[Fact], int]:
    """Return the facts, and how many writes were cut off."""
    journal = SqliteJournal(path)
    facts = list(journal.replay())
    journal.close()
    return facts, journal.cut


def test_after_a_kill_everything_is_there(tmp_path: Path, killed: dict[str, bytes]) -> None:
    """Nothing of it is in the file itself yet, all in its log (fault F149)."""
    assert len(killed["-wal"]) > 30 * FRAME
    assert read(put(tmp_path, killed)) == (FACTS, 0)


@pytest.mark.timeout(1200)
@pytest.mark.parametrize(("state", "ending"), [("closed", ""), ("killed", ""), ("killed", "-wal")])
def test_any_changed_byte_is_noticed_or_changes_nothing(
    state: str, ending: str, tmp_path: Path, killed: dict[str, bytes], closed: dict[str, bytes]
) -> None:
    """A journal is whole, or refused with a typed error, or an unfinished write at its end is cut and counted."""
    files = killed if state == "killed" else closed
    draw = random.Random(151)
    size = len(files[ending])
    # The beginning is where most of the structure is.
    offsets = sorted({*range(32), *draw.sample(range(size), min(SAMPLES, size))})
    refused = 0
    for offset in offsets:
        changed = bytearray(files[ending])
        changed[offset] ^= 1 << draw.randrange(8)
        path = put(tmp_path, {**files, ending: bytes(changed)})
        try:
            facts, cut = read(path)
        except JournalError:
            refused += 1
            continue
        assert facts == (FACTS[: len(facts)] if cut else FACTS), offset
    # Of the file of a journal that was killed early, all that counts has newer pages in its log.
    assert refused or (state, ending) == ("killed", "")


def test_a_log_that_ends_anywhere_is_cut_at_the_last_whole_write(tmp_path: Path, killed: dict[str, bytes]) -> None:
    """As the death of the process leaves it: a frame in part, a frame without its transaction's end."""
    log = killed["-wal"]
    last = len(log) - FRAME
    whole = examined(log).whole
    assert examined(log) == WalReport(whole)
    for length in (last + 1, last + 23, last + 24, last + 2000, len(log) - 1):
        assert examined(log[:length]) == WalReport(whole - 1, cut=1)
        assert read(put(tmp_path, {**killed, "-wal": log[:length]})) == (FACTS[:-1], 1)
    assert read(put(tmp_path, {**killed, "-wal": log[:last]})) == (FACTS[:-1], 0)
    assert examined(b"") == WalReport()
    assert examined(log[:20]) == WalReport(cut=1)
    assert examined(log[:32]) == WalReport()


def test_a_frame_that_others_follow_is_no_unfinished_write(tmp_path: Path, killed: dict[str, bytes]) -> None:
    """SQLite itself would read what is before it and say nothing of what is lost."""
    damaged = bytearray(killed["-wal"])
    damaged[32 + 9 * FRAME + 100] ^= 1
    path = put(tmp_path, {**killed, "-wal": bytes(damaged)})
    with sqlite3.connect(path) as silent:
        assert silent.execute("SELECT count(*) FROM record").fetchone()[0] < len(FACTS)
    silent.close()
    path = put(tmp_path, {**killed, "-wal": bytes(damaged)})
    with pytest.raises(JournalCorrupt, match="frame 10 of its write-ahead log is damaged") as caught:
        SqliteJournal(path)
    assert caught.value.details["at"] == 10
    damaged = bytearray(killed["-wal"])
    damaged[3] ^= 0x40
    with pytest.raises(JournalCorrupt, match="frame 0 "):
        SqliteJournal(put(tmp_path, {**killed, "-wal": bytes(damaged)}))


def test_frames_of_an_older_generation_are_no_damage(tmp_path: Path) -> None:
    """A log is used again from its beginning; what it held before stands behind the new frames."""
    path = tmp_path / "j.db"
    journal = SqliteJournal(path)
    for number in range(20):
        journal.append(fill(str(number + 1)))
    reader = sqlite3.connect(path)
    reader.execute("PRAGMA wal_checkpoint(RESTART)")
    reader.close()
    journal.append(intent())
    files = {"": path.read_bytes(), "-wal": log_of(path).read_bytes()}
    journal.close()
    assert len(files["-wal"]) >= 20 * FRAME
    assert examined(files["-wal"]) == WalReport(whole=1)
    other = tmp_path / "other"
    other.mkdir()
    assert read(put(other, files)) == ([*(fill(str(number + 1)) for number in range(20)), intent()], 0)


def test_a_changed_record_is_named(tmp_path: Path, closed: dict[str, bytes]) -> None:
    path = put(tmp_path, closed)
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE record SET body = replace(body, '0.50', '0.51') WHERE number = 3")
    connection.close()
    with pytest.raises(JournalCorrupt, match="record 3: the checksum does not fit") as caught:
        SqliteJournal(path)
    assert caught.value.details == {"path": str(path), "at": 3}


def test_a_missing_record_is_named(tmp_path: Path, closed: dict[str, bytes]) -> None:
    path = put(tmp_path, closed)
    with sqlite3.connect(path) as connection:
        connection.execute("DELETE FROM record WHERE number = 5")
    connection.close()
    with pytest.raises(JournalCorrupt, match="record 5: it is missing"):
        SqliteJournal(path)


@pytest.mark.parametrize(
    ("content", "error", "words"),
    [
        (b"", None, ""),
        (b"just a text, long enough to be taken for a file", JournalCorrupt, "does not begin as an SQLite file"),
        (b"SQLite format 3\0", JournalError, "not a database"),
        (b"SQLite format 3\0" + b"\xff" * 5000, JournalError, "not a database"),
        (b"SQLite", JournalCorrupt, "does not begin"),
    ],
)
def test_a_file_that_is_something_else(
    tmp_path: Path, content: bytes, error: type[JournalError] | None, words: str
) -> None:
    """An empty one is a journal without records: the process died while it was made."""
    path = put(tmp_path, {"": content})
    if error is None:
        assert read(path) == ([], 0)
        return
    with pytest.raises(error, match=words):
        SqliteJournal(path)
    assert path.read_bytes() == content


def test_a_database_of_somebody_else_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "theirs.db"
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE record (number)")
    connection.close()
    before = path.read_bytes()
    with pytest.raises(JournalError, match="no journal of this library"):
        SqliteJournal(path)
    assert path.read_bytes() == before


def test_a_journal_of_a_newer_version_is_left_alone(tmp_path: Path, closed: dict[str, bytes]) -> None:
    path = put(tmp_path, closed)
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA user_version=3")
    connection.close()
    with pytest.raises(JournalError, match="has version 3; this library reads 1 to 2 and writes 2"):
        SqliteJournal(path)


def test_a_foreign_trigger_is_not_run(tmp_path: Path, closed: dict[str, bytes]) -> None:
    path = put(tmp_path, closed)
    connection = sqlite3.connect(path)
    connection.execute("CREATE TRIGGER evil AFTER INSERT ON record BEGIN DELETE FROM record; END")
    connection.close()
    with pytest.raises(JournalCorrupt, match="its table is not what was made"):
        SqliteJournal(path)
