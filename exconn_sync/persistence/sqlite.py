"""A journal in a file: what it has taken is there again for the next process, however this one ends.

Threads that append at the same moment share one commit, and so one flush of the disk. With a connector a thread of the
journal's own writes, so that a disk that hangs holds up nobody for longer than ``PATIENCE``; without, whoever appends
first writes for all who wait.
"""

from __future__ import annotations

import os
import threading
import time
from collections import deque
from collections.abc import Iterable
from pathlib import Path

from exconn_sync.errors import ForkedProcess, JournalError
from exconn_sync.model.account import Fact
from exconn_sync.persistence.archive import archive, texts
from exconn_sync.persistence.codec import is_intent, kind_of, to_text
from exconn_sync.persistence.compaction import is_enough, is_worthwhile, needed
from exconn_sync.persistence.records import Damage, facts_in
from exconn_sync.persistence.rotation import rotated
from exconn_sync.persistence.sqlite_file import JournalFile, corrupt, lock_of
from exconn_sync.persistence.writer_lock import WriterLock
from exconn_sync.ports.forking import renew_in_child
from exconn_sync.ports.journal import StopSign
from exconn_sync.ports.waiting import Event

PATIENCE = 5.0
"""Seconds that somebody who appends waits for another thread that writes."""
_TURN = 0.05
_BATCH = 500

_of_the_parent: list[JournalFile] = []
"""Files that a forked child inherited. They must not be used there, and closing them is a use."""


class _Item:
    """A fact that waits to be written."""

    __slots__ = ("ended", "error", "is_flushed", "text")

    def __init__(self, fact: Fact) -> None:
        self.text = (kind_of(fact), to_text(fact))
        self.is_flushed = is_intent(fact)
        self.error: JournalError | None = None
        self.ended = Event()

    def end(self, error: JournalError | None) -> None:
        """Tell whoever waits for it."""
        self.error = error
        self.ended.set()


class SqliteJournal:
    """Keeps facts in an SQLite file. Thread-safe; one object of one process writes to a file at a time.

    An intent is on the disk when ``append`` returns. Any other fact has reached the operating system then: it survives
    the death of the process, and a loss of power from the next intent on; until then it can be learnt again from the
    exchange. The file, and two beside it (``-wal``, ``-lock``), can be read by their owner only; no secret is in them.

    Attributes:
        path: the file.
        cut: number of unfinished writes at its end that were cut off when it was opened; nothing of them was promised.
        archive: where the records are that were moved out of it when it was opened; None where none were.

    Args:
        path: the file; it is made where there is none.
        archive_after: orders that ended so many seconds ago leave the file for an archive when it is opened; None keeps
            all.

    Raises:
        JournalInUse: another process or object writes to it.
        JournalCorrupt: it holds what was not written so; see ``python -m exconn_sync.persistence``.
        JournalError: it cannot be opened, or is no journal of this version.
    """

    def __init__(self, path: str | os.PathLike[str], *, archive_after: float | None = None) -> None:
        # Absolute, so that nothing happens to it where the program changes its folder.
        self.path = Path(path).absolute()
        # Guards what follows; nothing is written or read under it.
        self._lock = threading.Lock()
        self._waiting: deque[_Item] = deque()
        # Who writes at the moment: the thread of its own, or somebody who appends. None while nobody does.
        self._writer: object | None = None
        # True from the moment when somebody has waited in vain until the disk lets go of the writer.
        self._is_stuck = False
        self._news = Event()
        self._pid = os.getpid()
        self._is_closed = False
        _make_folder(self.path)
        self._writer_lock = WriterLock(lock_of(self.path))
        try:
            self._file = JournalFile(self.path)
            try:
                self._load(archive_after)
            except BaseException:
                self._file.close()
                raise
        except BaseException:
            self._writer_lock.close()
            raise
        self.cut = self._file.log.cut
        renew_in_child(self)

    def _load(self, archive_after: float | None) -> None:
        """Read all there is, so that damage is found now, and put it in short where that is worthwhile."""
        facts = self._facts()
        kept = needed(facts)
        self.archive: Path | None = None
        now_ns = time.time_ns()
        rotation = None if archive_after is None else rotated(kept, now_ns - int(archive_after * 1e9), now_ns)
        if rotation is not None and is_enough(len(rotation.moved)):
            self.archive = archive(self.path, rotation)
            kept = rotation.kept
        if self.archive is not None or is_worthwhile(len(facts), len(kept)):
            self._file.rewrite(texts(kept))
            facts = kept
        # For the first replay, which follows.
        self._loaded: list[Fact] | None = facts

    def _facts(self) -> list[Fact]:
        try:
            return list(facts_in(self._file.records()))
        except Damage as error:
            raise corrupt(self.path, error.at, str(error)) from None

    def renew_in_child(self) -> None:
        """Let go of everything in a forked child, without a byte written: the file stays the parent's (fault F124)."""
        self._lock = threading.Lock()
        _of_the_parent.append(self._file)

    def append(self, fact: Fact) -> None:
        """Keep a fact; when it returns, the fact is kept as the class says.

        Raises:
            JournalError: it is not kept; ``retryable`` where it may be the next time, because the disk was full or
                somebody else had to wait for too long. Closed.
            ForkedProcess: the journal was opened by the parent process.
        """
        try:
            item, token = _Item(fact), object()
        except (TypeError, KeyError) as error:
            raise JournalError(f"a fact cannot be written: {error}") from error
        with self._lock:
            self._check()
            if self._is_stuck:
                raise self._late()
            self._waiting.append(item)
            self._loaded = None
            is_writer = self._writer is None
            if is_writer:
                self._writer = token
            else:
                self._news.set()
        if is_writer:
            self._write_as(token)
        elif not item.ended.wait(PATIENCE):
            self._is_stuck = True
            raise self._late()
        if item.error is not None:
            raise item.error

    def _late(self) -> JournalError:
        text = f"{self.path} was not written within {PATIENCE:g} s: the disk is stuck, or far too slow"
        return JournalError(text, details={"path": str(self.path)}, retryable=True)

    def replay(self) -> Iterable[Fact]:
        """Return all facts in the order in which they were kept. Raises JournalCorrupt, JournalError."""
        with self._lock:
            self._check()
            loaded, self._loaded = self._loaded, None
        return loaded if loaded is not None else self._facts()

    def serve(self, stop: StopSign) -> None:
        """Write what is appended until the stop, on a thread of its own; see ``JournalWorker``."""
        stop.on_set(self._news.set)
        token = object()
        # Whoever writes at the moment, a hung thread too, is the only one who may.
        while not self._take_over(token):
            if stop.wait(_TURN):
                return
        try:
            while not stop.is_set:
                self._news.clear()
                if not self._write_batch():
                    stop.idle(self._news)
        finally:
            self._write_as(token)

    def close(self) -> None:
        """Close the file; may be called twice. A thread that is writing closes it when it has done.

        Raises:
            JournalError: the file is closed, but what is in its log could not be put into it: the next one who opens
                it does that.
        """
        with self._lock:
            if self._is_closed or os.getpid() != self._pid:
                return
            self._is_closed = True
            is_free = self._writer is None
        # Otherwise whoever writes closes it, once the disk lets go of him.
        if is_free:
            self._let_go()

    def _let_go(self) -> None:
        try:
            self._file.close()
        finally:
            self._writer_lock.close()

    def _check(self) -> None:
        if os.getpid() != self._pid:
            raise ForkedProcess("this journal belongs to the parent process; open one of the child's own")
        if self._is_closed:
            raise JournalError(f"{self.path} is closed", details={"path": str(self.path)})

    # --- writing ----------------------------------------------------------------------------------------------------

    def _take_over(self, token: object) -> bool:
        with self._lock:
            if self._writer is None and not self._is_closed:
                self._writer = token
            return self._writer is token

    def _write_as(self, token: object) -> None:
        """Write all that waits, then be the writer no more."""
        try:
            while not self._resign(token, only_when_done=True):
                self._write_batch()
        finally:
            # After Ctrl-C: what still waits is written by the next one who appends.
            self._resign(token, only_when_done=False)

    def _resign(self, token: object, *, only_when_done: bool) -> bool:
        """Be the writer no more, in one step with looking whether anything waits; return whether that is so."""
        with self._lock:
            if self._writer is not token:
                return True
            if self._waiting and only_when_done:
                return False
            self._writer = None
            closes = self._is_closed
        if closes:
            self._let_go()
        return True

    def _write_batch(self) -> bool:
        """Write some of what waits in one commit; return whether there was anything. Only for the writer."""
        with self._lock:
            batch = [self._waiting.popleft() for _ in range(min(len(self._waiting), _BATCH))]
        if not batch:
            return False
        details = {"path": str(self.path)}
        error: JournalError | None = JournalError("the write was interrupted", details=details, retryable=True)
        try:
            self._file.write([item.text for item in batch], is_flushed=any(item.is_flushed for item in batch))
            error = None
        except JournalError as failed:
            error = failed
        finally:
            self._is_stuck = False
            for item in batch:
                item.end(error)
        return True


def _make_folder(path: Path) -> None:
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise JournalError(f"{path} cannot be opened: {error}", details={"path": str(path)}) from error
