"""Looking into a journal in whatever state, and going on after damage (fault F151)."""

from __future__ import annotations

import json
import os
import random
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from exconn_sync.errors import JournalCorrupt, JournalError, JournalInUse
from exconn_sync.persistence import SqliteJournal
from exconn_sync.persistence.__main__ import main
from exconn_sync.persistence.codec import to_text
from exconn_sync.persistence.salvage import repair, salvaged
from exconn_sync.persistence.sqlite_file import log_of
from tests.unit.persistence.make import some_facts
from tests.unit.persistence.test_damage import FACTS, FRAME, put, written
from tests.unit.store.make import fill, intent

ROOT = Path(__file__).parents[3]
SAMPLES = 10**9 if os.environ.get("EXCONN_SOAK") == "1" else 60


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A whole journal."""
    written(tmp_path / "j.db")
    return tmp_path / "j.db"


def change(path: Path, statement: str) -> None:
    connection = sqlite3.connect(path)
    connection.execute(statement)
    connection.commit()
    connection.close()


def printed(capsys: pytest.CaptureFixture[str]) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    *lines, last = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    return lines, last["summary"]


def test_a_whole_journal_is_printed_record_by_record(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(path)]) == 0
    lines, summary = printed(capsys)
    assert [line.pop("record") for line in lines] == list(range(1, len(FACTS) + 1))
    assert [line.pop("what") for line in lines][:8] == [
        "order", "order", "fill", "balance", "list", "change", "told", "order",
    ]  # fmt: skip
    assert lines == [json.loads(to_text(fact)) for fact in FACTS]
    state = summary.pop("state")
    assert len(state) == 16
    assert summary == {
        "records": len(FACTS), "orders": {"filled": 1}, "fills": 31, "first": 1, "last": 9, "damage": [], "cut": 0,
        "kinds": {"archived": 1, "balance": 1, "carried": 1, "change": 1, "fill": 31, "list": 1, "order": 3, "told": 1},
        "in_use": False,
    }  # fmt: skip
    assert main([str(path), "--summary", "--repair"]) == 0
    lines, summary = printed(capsys)
    assert (lines, summary["state"]) == ([], state)
    assert sorted(each.name for each in path.parent.iterdir()) == ["j.db", "j.db-lock"], "nothing was done"


def test_it_is_run_as_a_module(path: Path) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "exconn_sync.persistence", str(path), "--summary"],
        capture_output=True, text=True, timeout=60, check=False, env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert (ended.returncode, ended.stderr) == (0, "")
    assert json.loads(ended.stdout)["summary"]["records"] == len(FACTS)


def test_one_in_use_can_be_looked_at(tmp_path: Path) -> None:
    path = tmp_path / "j.db"
    journal = SqliteJournal(path)
    journal.append(intent())
    found = salvaged(path)
    assert (found.facts, found.damage, found.is_in_use) == ({1: intent()}, [], True)
    with pytest.raises(JournalInUse, match="stop its process first"):
        repair(path)
    journal.append(fill("1"))
    journal.close()


def test_looking_changes_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Also not a log that a killed process has left: it is evidence."""
    (tmp_path / "old").mkdir()
    files = written(tmp_path / "old" / "j.db")
    damaged = {**files, "-wal": files["-wal"][:-5]}
    path = put(tmp_path, damaged)
    assert main([str(path), "--summary"]) == 0
    _, summary = printed(capsys)
    assert (summary["records"], summary["cut"]) == (len(FACTS) - 1, 1)
    assert {"": path.read_bytes(), "-wal": log_of(path).read_bytes()} == damaged


def test_of_a_damaged_one_all_that_is_whole_is_read(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    change(path, "UPDATE record SET body = replace(body, '0.50', '5.00') WHERE number = 3")
    change(path, "DELETE FROM record WHERE number IN (6, 7)")
    assert main([str(path)]) == 1
    lines, summary = printed(capsys)
    assert [line["record"] for line in lines] == [1, 2, 4, 5, *range(8, len(FACTS) + 1)]
    assert summary["damage"] == ["record 3: the checksum does not fit", "record 6: missing, as is all up to 7"]


def test_after_a_repair_the_rest_is_there_and_the_evidence_too(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    change(path, "DELETE FROM record WHERE number = 3")
    before = path.read_bytes()
    with pytest.raises(JournalCorrupt):
        SqliteJournal(path)
    assert main([str(path), "--summary", "--repair"]) == 0
    _, summary = printed(capsys)
    assert summary["set_aside"] == f"{path}.damaged-1"
    assert Path(summary["set_aside"]).read_bytes() == before
    journal = SqliteJournal(path)
    assert list(journal.replay()) == [*FACTS[:2], *FACTS[3:]]
    journal.append(intent("next"))
    journal.close()
    change(path, "DELETE FROM record WHERE number = 3")
    assert repair(path)[1] == Path(f"{path}.damaged-2")
    assert {each.stat().st_mode & 0o777 for each in path.parent.iterdir()} == {0o600}


def test_a_hole_in_the_log_is_repaired_with_what_is_before_it(tmp_path: Path) -> None:
    (tmp_path / "old").mkdir()
    files = written(tmp_path / "old" / "j.db")
    log = bytearray(files["-wal"])
    log[32 + 9 * FRAME + 500] ^= 1
    path = put(tmp_path, {**files, "-wal": bytes(log)})
    found, aside = repair(path)
    assert found.damage == ["frame 10 of the write-ahead log is damaged: what follows is lost"]
    assert aside is not None
    assert log_of(aside).read_bytes() == bytes(log)
    journal = SqliteJournal(path)
    kept = list(journal.replay())
    journal.close()
    assert 0 < len(kept) < len(FACTS)
    assert kept == FACTS[: len(kept)]


def test_a_repair_that_is_broken_off_leaves_nothing_that_looks_whole(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    change(path, "DELETE FROM record WHERE number = 3")

    def fail(*given: Any) -> None:
        raise OSError("the machine stops here")

    with monkeypatch.context() as broken:
        broken.setattr(Path, "replace", fail)
        with pytest.raises(JournalError, match="cannot be repaired"):
            repair(path)
    with pytest.raises(JournalCorrupt, match="does not begin as an SQLite file"):
        SqliteJournal(path)
    Path(f"{path}.damaged-1").replace(path)
    assert len(repair(path)[0].facts) == len(FACTS) - 1


@pytest.mark.parametrize("content", [b"", b"no journal", b"SQLite format 3\0" + b"\xff" * 5000])
def test_what_holds_no_record_is_not_replaced(tmp_path: Path, content: bytes) -> None:
    path = put(tmp_path, {"": content})
    if content:
        with pytest.raises(JournalError, match="no record can be read"):
            repair(path)
    else:
        assert repair(path)[1] is None
    assert path.read_bytes() == content
    assert main([str(tmp_path / "nowhere.db")]) == 2


@pytest.mark.timeout(1200)
def test_whatever_is_damaged_nothing_wrong_is_read(tmp_path: Path) -> None:
    """Every record that is printed was written so; no byte that is changed makes it crash."""
    (tmp_path / "old").mkdir()
    written(tmp_path / "old" / "j.db")
    whole = (tmp_path / "old" / "j.db").read_bytes()
    draw = random.Random(151)
    truth = dict(enumerate(FACTS, 1))
    least = len(truth)
    for offset in sorted({*range(16, 32), *draw.sample(range(len(whole)), min(SAMPLES, len(whole)))}):
        changed = bytearray(whole)
        changed[offset] ^= 1 << draw.randrange(8)
        found = salvaged(put(tmp_path, {"": bytes(changed)}))
        assert found.facts.items() <= truth.items(), offset
        assert len(found.facts) == len(truth) or found.damage, offset
        least = min(least, len(found.facts))
    assert least < len(truth)
    assert some_facts()
