"""The journal in a file: one writer, its rights, full and stuck disks, forks, and what it leaves out in time."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import textwrap
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from exconn_sync.errors import ForkedProcess, JournalError, JournalInUse
from exconn_sync.model.account import BalanceChange, Fact
from exconn_sync.persistence import SqliteJournal, sqlite
from exconn_sync.persistence.compaction import is_worthwhile, needed
from exconn_sync.ports.forking import _in_child
from tests.unit.persistence.make import some_facts
from tests.unit.store.make import balance, fill, intent
from tests.unit.support import LIMIT, until

ROOT = Path(__file__).parents[3]


class Stop:
    """The stop of a worker, without one."""

    def __init__(self) -> None:
        self._event = threading.Event()
        self._wake: Callable[[], None] = lambda: None

    @property
    def is_set(self) -> bool:
        return self._event.is_set()

    def wait(self, seconds: float | None) -> bool:
        return self._event.wait(seconds)

    def idle(self, event: threading.Event) -> None:
        event.wait()

    def on_set(self, wake: Callable[[], None]) -> None:
        self._wake = wake

    def set(self) -> None:
        self._event.set()
        self._wake()


class Disk:
    """Stands before the file of a journal: it can be slow, and notes what is flushed."""

    def __init__(self, journal: SqliteJournal) -> None:
        self.go_on, self.is_there = threading.Event(), threading.Event()
        self.go_on.set()
        self.commits: list[tuple[int, bool]] = []
        self._write = journal._file.write
        journal._file.write = self._slow  # type: ignore[method-assign]

    def _slow(self, facts: Any, *, is_flushed: bool) -> None:
        self.is_there.set()
        assert self.go_on.wait(LIMIT)
        self.commits.append((len(facts), is_flushed))
        self._write(facts, is_flushed=is_flushed)


def run(code: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code), *arguments],
        capture_output=True, text=True, timeout=60, check=False, env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip


# --- one writer -----------------------------------------------------------------------------------------------------


def test_a_second_writer_of_this_process_is_refused(tmp_path: Path) -> None:
    """(fault F152)"""
    path = tmp_path / "j.db"
    first = SqliteJournal(path)
    for _ in range(2):
        with pytest.raises(JournalInUse, match="is in use by another writer") as caught:
            SqliteJournal(path)
        assert caught.value.details == {"path": str(path)}
    first.append(intent())
    first.close()
    second = SqliteJournal(path)
    assert list(second.replay()) == [intent()]
    second.close()


def test_a_second_process_is_refused_until_the_first_dies(tmp_path: Path) -> None:
    """Killed without a word, its lock is gone at once (fault F152)."""
    path = str(tmp_path / "j.db")
    holder = subprocess.Popen(
        [sys.executable, "-c", "import sys; from exconn_sync.persistence import SqliteJournal; "
         "j = SqliteJournal(sys.argv[1]); print('open', flush=True); sys.stdin.read()", path],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    with holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "open\n"
        with pytest.raises(JournalInUse):
            SqliteJournal(path)
        holder.kill()
        holder.wait(LIMIT)
        SqliteJournal(path).close()


def test_a_forked_child_cannot_write_and_holds_no_lock(tmp_path: Path) -> None:
    """The parent goes on; once it has let go, the child may open it (faults F124, F152)."""
    ended = run(
        """
        import os, sys
        from exconn_sync.errors import ForkedProcess, JournalInUse
        from exconn_sync.persistence import SqliteJournal
        from tests.unit.store.make import fill, intent
        journal = SqliteJournal(sys.argv[1])
        journal.append(intent())
        told, tell = os.pipe()
        child = os.fork()
        if child == 0:
            for use in (lambda: journal.append(fill("1")), journal.replay):
                try:
                    use()
                except ForkedProcess:
                    print("forked", flush=True)
            journal.close()
            try:
                SqliteJournal(sys.argv[1])
            except JournalInUse:
                print("in use", flush=True)
            os.close(tell)
            os.read(told, 1)
            mine = SqliteJournal(sys.argv[1])
            print(list(mine.replay()) == [intent(), fill("2")], flush=True)
            mine.close()
            os._exit(0)
        ending = os.fork()
        if ending == 0:
            # It ends as programs end, with all the clearing up that this brings.
            sys.exit(0)
        assert os.waitpid(ending, 0)[1] == 0
        journal.append(fill("2"))
        journal.close()
        os.close(tell)
        print(os.waitpid(child, 0)[1])
        """,
        str(tmp_path / "j.db"),
    )
    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout.split("\n")[:2] == ["forked", "forked"]
    assert ended.stdout.endswith("True\n0\n")


def test_renewing_in_a_child_lets_go_of_the_lock_only_there(tmp_path: Path) -> None:
    """The hook runs in the child; here it is called by hand, so the parent's own copy is the one that goes (F124)."""
    journal = SqliteJournal(tmp_path / "j.db")
    assert journal._writer_lock._descriptor >= 0
    pid = os.fork()
    if pid == 0:
        os._exit(0 if journal._writer_lock._descriptor == -1 else 1)
    assert os.waitpid(pid, 0)[1] == 0
    assert journal._writer_lock._descriptor >= 0
    assert callable(_in_child)
    journal._pid -= 1
    with pytest.raises(ForkedProcess, match="belongs to the parent process"):
        journal.append(intent())
    journal._pid += 1
    journal.close()


# --- the file -------------------------------------------------------------------------------------------------------


def test_its_files_are_for_their_owner_only(tmp_path: Path) -> None:
    """Whatever the umask, and also where the file was there before (fault F173)."""
    before = os.umask(0)
    try:
        path = tmp_path / "new" / "j.db"
        journal = SqliteJournal(path)
        journal.append(intent())
        modes = {each.name: stat.S_IMODE(each.stat().st_mode) for each in path.parent.iterdir()}
        journal.close()
        assert set(modes) == {"j.db", "j.db-wal", "j.db-shm", "j.db-lock"}
        assert set(modes.values()) == {0o600}
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
        path.chmod(0o644)
        SqliteJournal(path).close()
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    finally:
        os.umask(before)


def test_a_path_that_cannot_be_is_a_typed_error(tmp_path: Path) -> None:
    """(fault F150)"""
    (tmp_path / "file").write_text("")
    for path in (tmp_path, tmp_path / "file" / "j.db"):
        with pytest.raises(JournalError, match="cannot be"):
            SqliteJournal(path)


def test_after_closing_nothing_is_kept(tmp_path: Path) -> None:
    journal = SqliteJournal(tmp_path / "j.db")
    journal.close()
    with pytest.raises(JournalError, match="is closed"):
        journal.append(intent())
    with pytest.raises(JournalError, match="is closed"):
        journal.replay()


def test_a_relative_path_stays_where_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    journal = SqliteJournal("j.db")
    journal.append(intent())
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert list(journal.replay()) == [intent()]
    assert list(journal.replay()) == [intent()]
    journal.close()


# --- writing --------------------------------------------------------------------------------------------------------


def test_intents_are_flushed_and_other_facts_are_not(tmp_path: Path) -> None:
    """An intent is on the disk before its request may leave (invariant I10, fault F149)."""
    journal = SqliteJournal(tmp_path / "j.db")
    disk = Disk(journal)
    modes = []
    for fact in (intent(), fill("1"), intent("c2")):
        journal.append(fact)
        modes.append(journal._file._execute("PRAGMA synchronous").fetchone()[0])
    assert disk.commits == [(1, True), (1, False), (1, True)]
    assert modes == [2, 1, 2], "FULL, NORMAL, FULL"
    journal.close()


def test_those_who_wait_share_one_commit(tmp_path: Path) -> None:
    journal = SqliteJournal(tmp_path / "j.db")
    disk = Disk(journal)
    disk.go_on.clear()
    threads = [threading.Thread(target=journal.append, args=(intent(str(number)),)) for number in range(20)]
    threads[0].start()
    assert disk.is_there.wait(LIMIT)
    for thread in threads[1:]:
        thread.start()
    until(lambda: len(journal._waiting) == 19)
    disk.go_on.set()
    for thread in threads:
        thread.join(LIMIT)
    assert disk.commits == [(1, True), (19, True)]
    assert len(list(journal.replay())) == 20
    journal.close()


def test_with_a_thread_of_its_own_that_one_writes(tmp_path: Path) -> None:
    journal = SqliteJournal(tmp_path / "j.db")
    stop = Stop()
    writers: list[str] = []
    write = journal._file.write

    def noted(facts: Any, *, is_flushed: bool) -> None:
        writers.append(threading.current_thread().name)
        write(facts, is_flushed=is_flushed)

    journal._file.write = noted  # type: ignore[method-assign]
    thread = threading.Thread(target=journal.serve, args=(stop,), name="its own")
    thread.start()
    until(lambda: journal._writer is not None)
    journal.append(intent())
    stop.set()
    thread.join(LIMIT)
    journal.append(fill("1"))
    assert writers == ["its own", "MainThread"]
    assert list(journal.replay()) == [intent(), fill("1")]
    journal.close()


def test_a_full_disk_refuses_and_takes_on_when_there_is_room(tmp_path: Path) -> None:
    """What was refused is nowhere, what was promised is there (fault F150)."""
    journal = SqliteJournal(tmp_path / "j.db")
    kept: list[Fact] = []
    journal._file._execute("PRAGMA max_page_count=4")
    error: JournalError | None = None
    while error is None:
        fact = intent(f"c{len(kept)}")
        try:
            journal.append(fact)
            kept.append(fact)
        except JournalError as caught:
            error = caught
    assert "disk is full" in error.message
    assert (error.outcome, error.retryable) == ("not_sent", True)
    assert list(journal.replay()) == kept
    journal._file._execute("PRAGMA max_page_count=1000000")
    journal.append(intent("room again"))
    journal.close()
    again = SqliteJournal(tmp_path / "j.db")
    assert list(again.replay()) == [*kept, intent("room again")]
    again.close()


def test_a_disk_that_takes_only_a_part_of_a_write(tmp_path: Path) -> None:
    """The system lets files grow to 40 KiB only, in the middle of a frame (fault F150)."""
    ended = run(
        """
        import resource, signal, sys
        from exconn_sync.errors import JournalError
        from exconn_sync.persistence import SqliteJournal
        from tests.unit.store.make import intent
        journal = SqliteJournal(sys.argv[1])
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (40_000, resource.RLIM_INFINITY))
        kept = []
        for number in range(100):
            try:
                journal.append(intent(f"c{number}"))
                kept.append(intent(f"c{number}"))
            except JournalError as error:
                assert error.retryable, error
        assert 0 < len(kept) < 100
        assert list(journal.replay()) == kept
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        journal.append(intent("room again"))
        kept.append(intent("room again"))
        journal.close()
        again = SqliteJournal(sys.argv[1])
        assert list(again.replay()) == kept
        again.close()
        print("kept")
        """,
        str(tmp_path / "j.db"),
    )
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "kept\n", "")


def test_a_disk_that_hangs_holds_up_nobody_for_long(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who waits in vain is told; from then on everybody is told at once, until the disk answers (fault F150)."""
    monkeypatch.setattr(sqlite, "PATIENCE", 0.2)
    journal = SqliteJournal(tmp_path / "j.db")
    disk = Disk(journal)
    stop = Stop()
    thread = threading.Thread(target=journal.serve, args=(stop,))
    thread.start()
    until(lambda: journal._writer is not None)
    disk.go_on.clear()
    with pytest.raises(JournalError, match="the disk is stuck") as caught:
        journal.append(intent())
    assert (caught.value.outcome, caught.value.retryable) == ("not_sent", True)
    monkeypatch.setattr(sqlite, "PATIENCE", LIMIT)
    for _ in range(100):
        with pytest.raises(JournalError):
            journal.append(intent("c2"))
    journal.close()
    assert journal._file is not None, "closed by the thread that writes, once it can"
    with pytest.raises(JournalInUse):
        SqliteJournal(tmp_path / "j.db")
    disk.go_on.set()
    stop.set()
    thread.join(LIMIT)
    again = SqliteJournal(tmp_path / "j.db")
    assert list(again.replay()) == [intent()], "written late, which says no more than that nobody knows"
    again.close()


def test_a_write_that_is_interrupted_leaves_a_journal_that_works(tmp_path: Path) -> None:
    """Ctrl-C in the middle of a commit (fault F129), whether it was made or not."""
    journal = SqliteJournal(tmp_path / "j.db")
    journal.append(intent())
    transaction = journal._file._in_transaction
    for number, is_made in enumerate((False, True)):

        def interrupted(*given: Any, is_made: bool = is_made) -> None:
            if is_made:
                transaction(*given)
            raise KeyboardInterrupt

        journal._file._in_transaction = interrupted  # type: ignore[assignment,method-assign]
        with pytest.raises(KeyboardInterrupt):
            journal.append(fill(str(number + 1)))
        journal._file._in_transaction = transaction  # type: ignore[method-assign]
        journal.append(intent(f"after {number}"))
    assert list(journal.replay()) == [intent(), intent("after 0"), fill("2"), intent("after 1")]
    journal.close()


def test_a_fact_that_cannot_be_written_harms_no_other(tmp_path: Path) -> None:
    journal = SqliteJournal(tmp_path / "j.db")
    wrong: Any = 0.5
    for bad in (fill("1", fee=wrong), "no fact at all"):
        with pytest.raises(JournalError, match="cannot be written") as caught:
            journal.append(bad)  # type: ignore[arg-type]
        assert not caught.value.retryable
    journal.append(intent())
    assert list(journal.replay()) == [intent()]
    journal.close()


# --- what still says something --------------------------------------------------------------------------------------


def test_what_says_nothing_any_more_is_left_out() -> None:
    change = BalanceChange("binance", "BTC", fill("1").price, 5, 6)
    known: list[Fact] = [balance("USDT", "1", 1), intent(), fill("1"), balance("BTC", "1", 1), change,
                         balance("USDT", "2", 2), fill("1"), fill("2")]  # fmt: skip
    assert needed(known) == [intent(), fill("1"), balance("BTC", "1", 1), balance("USDT", "2", 2), fill("2")]
    assert [is_worthwhile(*counts) for counts in ((999, 1), (1000, 501), (1000, 500))] == [False, False, True]


def test_a_journal_is_put_in_short_when_it_is_opened(tmp_path: Path) -> None:
    path = tmp_path / "j.db"
    journal = SqliteJournal(path)
    for fact in some_facts():
        journal.append(fact)
    for number in range(1200):
        journal.append(balance("USDT", str(number), number))
    journal.close()
    before = path.stat().st_size
    again = SqliteJournal(path)
    expected = needed([*some_facts(), balance("USDT", "1199", 1199)])
    assert list(again.replay()) == expected
    again.append(intent("c9"))
    again.close()
    assert path.stat().st_size < before / 4
    third = SqliteJournal(path)
    assert list(third.replay()) == [*expected, intent("c9")]
    third.close()
