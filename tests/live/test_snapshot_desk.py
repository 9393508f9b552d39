"""The line of snapshots: who waits for the budget has not failed, and what nobody wants any more is not asked for."""

from __future__ import annotations

import random
from concurrent.futures import Future

import pytest

from exconn_sync._live.book_shelf import BookEntry, BookShelf
from exconn_sync._live.snapshot_desk import SnapshotDesk
from exconn_sync._machines.backoff import Backoff
from exconn_sync._machines.local_book import LocalBook
from exconn_sync.errors import ConnectionFailed, ConnectorStopped, ExconnError, RateLimitError
from exconn_sync.model.market import BookSnapshot
from exconn_sync.testing import ManualClock
from tests.machines.make import judge, make_snapshot


class Desk:
    def __init__(self, *symbols: str, most: int = 1) -> None:
        self.clock = ManualClock()
        self.shelf = BookShelf("binance", self.clock)
        self.loading: list[tuple[str, Future[BookSnapshot]]] = []
        self.subscribers: dict[str, int] = {}
        self.error: ConnectorStopped | None = None
        for symbol in symbols:
            self.keep(symbol)
        self.desk = SnapshotDesk(
            self.shelf, self._load, lambda symbol: self.subscribers.get(symbol, 1), self.clock, most
        )

    def keep(self, symbol: str) -> BookEntry:
        backoff = Backoff(1, 1, 1, random.Random(1))
        entry = self.shelf.entries[symbol] = BookEntry(LocalBook("binance", symbol, judge), backoff, self, 1)
        entry.is_fetching = True
        return entry

    def _load(self, symbol: str) -> Future[BookSnapshot]:
        if self.error is not None:
            raise self.error
        self.loading.append((symbol, Future()))
        return self.loading[-1][1]

    def asked(self) -> list[str]:
        return [symbol for symbol, _ in self.loading]

    def tick(self) -> float | None:
        return self.desk.on_tick(self.clock.monotonic_ns())


def test_one_after_the_other_and_the_most_wanted_first() -> None:
    desk = Desk("A", "B", "C", "D")
    desk.subscribers = {"C": 3}
    desk.shelf.entries["B"].book.on_snapshot(make_snapshot(1), 0)
    futures = {symbol: desk.desk.fetch(symbol) for symbol in ("A", "B", "C", "D")}
    for number, symbol in enumerate(["A", "C", "D", "B"]):
        assert desk.asked() == ["A", "C", "D", "B"][: number + 1], "one that can be read waits for all others"
        desk.loading[-1][1].set_result(make_snapshot(7))
        assert futures[symbol].result(0).update_id == 7


def test_a_used_up_budget_is_waited_for_and_no_failure() -> None:
    """(fault F054)"""
    desk = Desk("A", "B")
    first, second = desk.desk.fetch("A"), desk.desk.fetch("B")
    desk.loading[0][1].set_exception(RateLimitError("used up", retry_after=20.0, outcome="not_sent"))
    assert not first.done()
    assert (desk.tick(), desk.asked()) == (20.0, ["A"])
    desk.clock.advance(20.0)
    desk.tick()
    assert desk.asked() == ["A", "A"]
    desk.loading[1][1].set_result(make_snapshot(3))
    desk.loading[2][1].set_result(make_snapshot(4))
    assert [first.result(0).update_id, second.result(0).update_id] == [3, 4]
    assert desk.tick() is None


@pytest.mark.parametrize(
    "error", [ConnectionFailed("reset"), RateLimitError("costs more than the whole limit", outcome="not_sent")]
)
def test_a_failure_is_handed_on_and_holds_up_nobody(error: ExconnError) -> None:
    """(fault F054)"""
    desk = Desk("A", "B")
    first, second = desk.desk.fetch("A"), desk.desk.fetch("B")
    desk.loading[0][1].set_exception(error)
    with pytest.raises(type(error)):
        first.result(0)
    desk.loading[1][1].set_result(make_snapshot(4))
    assert second.result(0).update_id == 4


def test_a_pool_that_is_stopped_is_a_failure() -> None:
    desk = Desk("A")
    desk.error = ConnectorStopped("the connector is stopped")
    with pytest.raises(ConnectorStopped):
        desk.desk.fetch("A").result(0)


def test_books_that_are_gone_or_interrupted_are_not_asked_for() -> None:
    desk = Desk("A", "B", "C")
    futures = [desk.desk.fetch(symbol) for symbol in ("A", "B", "C")]
    del desk.shelf.entries["B"]
    desk.shelf.entries["C"].is_fetching = False
    desk.loading[0][1].set_result(make_snapshot(3))
    assert desk.asked() == ["A"]
    assert [future.cancelled() for future in futures] == [False, True, True]


def test_a_book_that_asks_anew_gets_the_newer_answer_only() -> None:
    desk = Desk("A", "B")
    desk.desk.fetch("B")
    older = desk.desk.fetch("A")
    newer = desk.desk.fetch("A")
    assert older.cancelled()
    desk.loading[0][1].set_result(make_snapshot(1))
    under_way = desk.loading[1][1]
    newest = desk.desk.fetch("A")
    under_way.set_exception(RateLimitError("used up", retry_after=1.0, outcome="not_sent"))
    assert newer.cancelled()
    desk.clock.advance(1.0)
    desk.tick()
    desk.loading[2][1].set_result(make_snapshot(5))
    assert newest.result(0).update_id == 5
    assert desk.asked() == ["B", "A", "A"]
