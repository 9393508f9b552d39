"""A journal in a file moves what ended long ago into an archive beside it; whatever fails on the way loses nothing."""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from pathlib import Path

import pytest

from exconn_sync._runtime import faultpoints
from exconn_sync.errors import JournalCorrupt, JournalError
from exconn_sync.model.account import Fact
from exconn_sync.model.carried import Archived, Carried
from exconn_sync.model.enums import OrderStatus
from exconn_sync.model.orders import Fill
from exconn_sync.persistence import SqliteJournal
from exconn_sync.persistence.__main__ import main
from exconn_sync.persistence.archive import texts
from exconn_sync.persistence.sqlite_file import JournalFile
from tests.unit.persistence.test_rotation import history, loaded
from tests.unit.store.make import fill

AGE = 100_000.0
ORDERS = 220
"""Each with five records: enough for an archive."""


def old(first: int = 0, count: int = ORDERS) -> list[Fact]:
    return [fact for number in range(first, first + count) for fact in history(f"c{number}", [fill(str(1 + number))])]


OPEN = history("open", [fill("100000", "3")], OrderStatus.PARTIALLY_FILLED)


def written(path: Path, facts: list[Fact]) -> None:
    """Add facts to a file, in one flush of the disk."""
    file = JournalFile(path)
    file.write(list(texts(facts)), is_flushed=True)
    file.close()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    place = tmp_path / "j.db"
    written(place, [*OPEN, *old()])
    return place


def read(path: Path, archive_after: float | None = None) -> list[Fact]:
    journal = SqliteJournal(path, archive_after=archive_after)
    facts = list(journal.replay())
    journal.close()
    return facts


def archives(path: Path) -> list[str]:
    return sorted(each.name for each in path.parent.iterdir() if ".archive-" in each.name)


def whole(path: Path) -> Counter[Fact]:
    """Return all facts that are in the journal and its archives, but those about the archives."""
    files = [path, *(path.parent / name for name in archives(path) if not name.endswith(("-new", "-lock")))]
    facts = [fact for each in files for fact in read(each)]
    return Counter(fact for fact in facts if not isinstance(fact, (Carried, Archived)))


def test_old_orders_leave_and_the_rest_stays(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = loaded(read(path)).positions()
    size = path.stat().st_size
    journal = SqliteJournal(path, archive_after=AGE)
    assert journal.archive == path.with_name("j.db.archive-1")
    kept = list(journal.replay())
    journal.close()
    assert [fact for fact in kept if not isinstance(fact, (Carried, Archived))] == OPEN
    assert kept == read(path), "another opening finds the same"
    assert loaded(kept).positions() == before
    assert path.stat().st_size < size / 3
    assert read(journal.archive) == old()
    assert archives(path) == ["j.db.archive-1", "j.db.archive-1-lock"]
    assert journal.archive.stat().st_mode & 0o777 == 0o600
    assert main([str(journal.archive), "--summary"]) == 0
    summary = json.loads(capsys.readouterr().out)["summary"]
    assert (summary["orders"], summary["fills"]) == ({"filled": ORDERS}, ORDERS)
    assert main([str(path)]) == 0
    kinds = [json.loads(line).get("what") for line in capsys.readouterr().out.splitlines()]
    assert kinds[:3] == ["carried", "carried", "archived"]


def test_without_a_time_nothing_leaves(path: Path) -> None:
    assert len(read(path)) == len(OPEN) + len(old())
    assert archives(path) == []


def test_a_few_records_are_not_worth_an_archive(tmp_path: Path) -> None:
    written(tmp_path / "j.db", old(count=100))
    assert read(tmp_path / "j.db", AGE) == old(count=100)
    assert archives(tmp_path / "j.db") == []


def test_each_archive_is_a_file_of_its_own(path: Path) -> None:
    everything = Counter([*OPEN, *old(count=2 * ORDERS)])
    read(path, AGE)
    written(path, old(ORDERS))
    after = read(path, AGE)
    assert {"j.db.archive-1", "j.db.archive-2"} <= set(archives(path))
    assert whole(path) == everything
    (archived,) = (fact for fact in after if isinstance(fact, Archived))
    assert archived.archives == 2
    quantity = sum(fact.quantity for fact in everything if isinstance(fact, Fill))
    assert loaded(after).positions()["BTC-USDT"].quantity == quantity


POINTS = ("archive.before_name", "archive.after_name", "journal.before_commit", "journal.after_commit",
          "journal.rewritten")  # fmt: skip


@pytest.mark.parametrize("count", [1, 2])
@pytest.mark.parametrize("point", POINTS)
def test_an_archive_that_was_not_finished_is_made_again(
    path: Path, point: str, count: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is lost, nothing is there twice (faults F149, F150)."""
    everything, before = whole(path), loaded(read(path)).positions()
    reached = []

    def fail() -> None:
        reached.append(point)
        if len(reached) == count:
            raise sqlite3.OperationalError("disk I/O error")

    monkeypatch.setitem(faultpoints._hooks, point, fail)
    if count == 1 or not point.startswith("archive."):
        with pytest.raises((JournalError, sqlite3.OperationalError)):
            SqliteJournal(path, archive_after=AGE)
    monkeypatch.delitem(faultpoints._hooks, point)
    facts = read(path, AGE)
    assert whole(path) == everything
    assert loaded(facts).positions() == before
    assert [name for name in archives(path) if not name.endswith("-lock")] == ["j.db.archive-1"]


def test_a_foreign_archive_is_not_overwritten(path: Path) -> None:
    """A journal that was put back from a copy meets the archives of the one that it replaces."""
    foreign = path.with_name("j.db.archive-1")
    written(foreign, history("somebody", [fill("5")]))
    junk = path.with_name("j.db.archive-2")
    junk.write_bytes(b"no journal at all" * 100)
    read(path, AGE)
    assert read(foreign) == history("somebody", [fill("5")])
    assert junk.read_bytes() == b"no journal at all" * 100
    assert read(path.with_name("j.db.archive-3")) == old()


def test_an_archive_that_cannot_be_written_leaves_the_journal_as_it_was(path: Path) -> None:
    path.with_name("j.db.archive-1-new").mkdir()
    before = read(path)
    with pytest.raises(JournalError, match=r"archive-1.* cannot be"):
        SqliteJournal(path, archive_after=AGE)
    assert read(path) == before
    assert archives(path) == ["j.db.archive-1-new"]


def test_damage_of_an_archive_is_found(path: Path) -> None:
    """(fault F151)"""
    read(path, AGE)
    archive = path.with_name("j.db.archive-1")
    connection = sqlite3.connect(archive)
    connection.execute("UPDATE record SET body = replace(body, '100', '101') WHERE number = 3")
    connection.commit()
    connection.close()
    with pytest.raises(JournalCorrupt):
        SqliteJournal(archive)
    assert main([str(archive), "--summary"]) == 1


def test_a_journal_of_the_first_version_is_read_and_becomes_one_of_the_second(path: Path) -> None:
    def version(new: int | None = None) -> int:
        connection = sqlite3.connect(path)
        if new is not None:
            connection.execute(f"PRAGMA user_version={new}")
        (found,) = connection.execute("PRAGMA user_version").fetchone()
        connection.close()
        return int(found)

    version(1)
    assert len(read(path)) == len(OPEN) + len(old())
    assert version() == 1, "not before there is anything that the first one does not have"
    read(path, AGE)
    assert version() == 2
