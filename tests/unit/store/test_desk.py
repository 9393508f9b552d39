"""What the store has to tell, whatever hangs, ends or is interrupted."""

from __future__ import annotations

import _thread
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest

from exconn_sync._runtime.threads import join, spawn
from exconn_sync._runtime.worker import WorkerRun
from exconn_sync._store.account_store import AccountStore
from exconn_sync._store.desk import Desk, _Change
from exconn_sync._store.entry import Entry
from exconn_sync.errors import JournalError
from exconn_sync.model.account import Fact
from exconn_sync.model.enums import OrderStatus
from exconn_sync.model.orders import OrderFact
from exconn_sync.persistence import MemoryJournal
from exconn_sync.ports.clock import SystemClock
from tests.unit.store.make import Kept, fill, intent, order
from tests.unit.support import LIMIT, Background, until


class HangingJournal(MemoryJournal):
    """Hangs once, when ``armed``; notes on which threads it is called."""

    def __init__(self) -> None:
        super().__init__()
        self.armed, self.hangs, self.go_on = threading.Event(), threading.Event(), threading.Event()
        self.callers: list[str] = []

    def append(self, fact: Fact) -> None:
        self.callers.append(threading.current_thread().name)
        if self.armed.is_set():
            self.armed.clear()
            self.hangs.set()
            assert self.go_on.wait(LIMIT)
        super().append(fact)


class Serving:
    """Lives of a worker that serve the desk of a store."""

    def __init__(self, desk: Desk[Any]) -> None:
        self._desk = desk
        self._threads: list[threading.Thread] = []
        self.run = self.begin()

    def begin(self) -> WorkerRun:
        self.run = run = WorkerRun("store", len(self._threads) + 1, SystemClock())
        self._threads.append(spawn(f"store-{len(self._threads) + 1}", lambda: self._desk.serve(run)))
        until(lambda: self._desk._life is run)
        return run

    def end(self) -> None:
        self.run.stop.set()
        assert [thread.name for thread in self._threads if not join(thread, LIMIT)] == []


@contextmanager
def served(store: AccountStore) -> Iterator[Serving]:
    serving = Serving(store.desk)
    try:
        yield serving
    finally:
        serving.end()


def statuses(kept: Kept) -> list[str]:
    return [value.status.value for channel, _, value in kept.events if channel == "order"]


def test_a_journal_that_hangs_holds_up_nothing_once_its_thread_is_abandoned() -> None:
    """Each event is told once; a fact may be kept twice, which says the same (fault F144)."""
    journal = HangingJournal()
    kept = Kept(journal)
    with served(kept.store) as serving:
        journal.armed.set()
        kept.store.apply([order("c1", OrderStatus.NEW, exchange_id="x1")])
        assert journal.hangs.wait(LIMIT)
        # As a reader would, which is not held up.
        Background(lambda: kept.store.apply([fill("1", exchange_id="x1"), order("c1", OrderStatus.CANCELED)])).result()
        assert kept.events == []
        serving.run.abandon()
        serving.begin()
        until(lambda: kept.store.desk.waiting == 0)
        told = list(kept.events)
        assert statuses(kept) == ["new", "canceled"]
        assert [value.trade_id for channel, _, value in told if channel == "fill"] == ["1"]
        journal.go_on.set()
    assert kept.events == told, "what the old life still does has no effect"
    again = Kept()
    again.store.restore(journal.replay())
    # The sequence counts what was told, and a journal is told nothing.
    assert [replace(each, sequence=2) for each in again.store.orders()] == kept.store.orders()
    assert again.store.fills() == kept.store.fills()


def test_who_waits_for_an_entry_that_hangs_is_told_and_the_order_is_ended() -> None:
    """(fault F144)"""
    journal = HangingJournal()
    kept = Kept(journal)
    entry = Entry(intent())
    with served(kept.store) as serving:
        journal.armed.set()

        def replace() -> None:
            assert journal.hangs.wait(LIMIT)
            serving.run.abandon()
            serving.begin()

        replacing = Background(replace)
        # On the main thread, whose changes the worker makes.
        with pytest.raises(JournalError, match="hangs"):
            kept.store.begin(entry)
        replacing.result()
        kept.store.withdraw(entry, "the journal hangs")
        assert [state.status for state in kept.store.orders()] == ["rejected"]
        journal.go_on.set()


def test_the_main_thread_has_its_changes_made_by_the_worker() -> None:
    journal = HangingJournal()
    kept = Kept(journal)
    with served(kept.store):
        kept.store.begin(Entry(intent()))
        assert journal.callers == ["exconn-store-1"]
        kept.store.apply([order("c1", OrderStatus.NEW)])
        assert [state.status for state in kept.store.orders()] == ["new"], "it is made when the call returns"
        Background(lambda: kept.store.apply([order("c1", OrderStatus.CANCELED)])).result()
        until(lambda: statuses(kept) == ["pending_new", "new", "canceled"])
    assert set(journal.callers) == {"exconn-store-1"}


def test_an_interrupt_loses_no_change() -> None:
    """Ctrl-C comes while the main thread waits; what it wanted is made and told all the same (fault F129)."""
    journal = HangingJournal()
    kept = Kept(journal)
    with served(kept.store):
        journal.armed.set()

        def interrupt() -> None:
            assert journal.hangs.wait(LIMIT)
            _thread.interrupt_main()

        # A shell that starts programs in the background has them ignore Ctrl-C.
        former = signal.signal(signal.SIGINT, signal.default_int_handler)
        try:
            interrupting = Background(interrupt)
            entry = Entry(intent())
            with pytest.raises(KeyboardInterrupt):
                kept.store.begin(entry)
            interrupting.result()
        finally:
            signal.signal(signal.SIGINT, former)
            journal.go_on.set()
        kept.store.withdraw(entry, "interrupted before it was sent")
        until(lambda: statuses(kept) == ["pending_new", "rejected"])
    assert [fact.status for fact in journal.replay() if isinstance(fact, OrderFact)] == ["pending_new", "rejected"]


def test_an_entry_that_was_refused_ends_no_order_of_that_name() -> None:
    kept = Kept()
    with served(kept.store):
        kept.store.begin(Entry(intent()))
        second = Entry(intent())
        with pytest.raises(ValueError, match="used before"):
            kept.store.begin(second)
        kept.store.withdraw(second, "used before")
        assert [state.status for state in kept.store.orders()] == ["pending_new"]


def test_what_was_left_can_be_waited_for() -> None:
    journal = HangingJournal()
    kept = Kept(journal)
    with served(kept.store):
        journal.armed.set()
        Background(lambda: kept.store.apply([order("c1", OrderStatus.NEW)])).result()
        assert journal.hangs.wait(LIMIT)
        assert not kept.store.desk.settle(0.01)
        journal.go_on.set()
        assert kept.store.desk.settle(LIMIT)
        assert statuses(kept) == ["new"]
    assert kept.store.desk.settle(0.0), "nobody is there to wait for"


def test_what_comes_after_the_end_of_the_worker_is_told_by_whoever_brings_it() -> None:
    kept = Kept()
    with served(kept.store):
        kept.store.apply([order("c1", OrderStatus.NEW)])
    kept.store.apply([order("c1", OrderStatus.CANCELED)])
    assert statuses(kept) == ["new", "canceled"]


def test_a_change_whose_worker_ends_without_it_is_made_by_who_wants_it() -> None:
    kept = Kept()
    serving = Serving(kept.store.desk)
    at, go_on = threading.Event(), threading.Event()
    made: list[str] = []

    def slow() -> None:
        at.set()
        assert go_on.wait(LIMIT)
        raise SystemExit

    # The worker dies of the first change, with the second one waiting.
    def end_it() -> None:
        assert at.wait(LIMIT)
        serving.run.is_current = False
        go_on.set()

    kept.store.desk._changes.put(_Change(slow))
    ending = Background(end_it)
    kept.store.desk.change(lambda: made.append(threading.current_thread().name))
    ending.result()
    assert made == ["MainThread"]
    serving.end()
