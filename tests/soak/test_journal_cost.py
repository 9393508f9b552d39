"""What a record of a journal costs: in memory and in a file, by one thread and by several that share a commit."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any

import pytest

from exconn_sync.model.account import Fact
from exconn_sync.persistence import MemoryJournal, SqliteJournal
from tests.soak.scale import scaled, show
from tests.unit.persistence.test_sqlite import Stop
from tests.unit.store.make import fill, intent
from tests.unit.support import LIMIT, until

COUNT = scaled(32, 1600)
ROUNDS = 5
THREADS = 16


@contextmanager
def served(journal: Any) -> Iterator[None]:
    """Run the thread of a journal, as a connector does."""
    if not isinstance(journal, SqliteJournal):
        yield
        return
    stop = Stop()
    thread = threading.Thread(target=journal.serve, args=(stop,))
    thread.start()
    until(lambda: journal._writer is not None)
    yield
    stop.set()
    thread.join(LIMIT)


def seconds(journal: Any, threads: int, make: Callable[[str], Fact]) -> float:
    """Return the median time of a record, in µs, over some rounds."""
    times = []
    for number in range(ROUNDS):

        def write(index: int, number: int = number) -> None:
            for each in range(COUNT // threads):
                journal.append(make(str(1 + each + COUNT * (index + threads * number))))

        workers = [threading.Thread(target=write, args=(index,)) for index in range(threads)]
        begun = time.perf_counter()
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join(60 * LIMIT)
        times.append((time.perf_counter() - begun) / (COUNT // threads * threads))
    return median(times) * 1e6


@pytest.mark.timeout(600)
def test_the_cost_of_a_record(tmp_path: Path) -> None:
    """No limit: a machine is as fast as it is. All records are there afterwards ."""
    rows: list[str] = []
    for name, is_served in (("memory", False), ("file", False), ("file, own thread", True)):
        for threads in (1, THREADS):
            for what, make in (("intent", intent), ("fill", fill)):
                path = tmp_path / f"{len(rows)}.db"
                journal: Any = MemoryJournal() if name == "memory" else SqliteJournal(path)
                if is_served:
                    with served(journal):
                        cost = seconds(journal, threads, make)
                else:
                    cost = seconds(journal, threads, make)
                kept = list(journal.replay())
                journal.close()
                assert len(kept) == len(set(kept)) == ROUNDS * (COUNT // threads * threads)
                rows.append(f"{name:17} {threads:3} threads {what:7} {cost:8.1f} us a record")
    begun = time.perf_counter()
    again = SqliteJournal(path)
    count = len(list(again.replay()))
    again.close()
    rows.append(f"opening and replaying {count} records: {time.perf_counter() - begun:.2f} s")
    show("journal", records="\n" + "\n".join(rows))
