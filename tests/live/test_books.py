"""The keeper of books asks for snapshots at the right moment and uses none from an earlier connection."""

from __future__ import annotations

import random
from collections.abc import Callable
from concurrent.futures import Future

from exconn_sync import BookView
from exconn_sync._live.book_shelf import BookShelf
from exconn_sync._live.books import BookKeeper
from exconn_sync._live.pipeline import Pipeline
from exconn_sync._runtime.bus import Bus
from exconn_sync._runtime.mailbox import Mailbox
from exconn_sync._runtime.subscription import PullSubscription
from exconn_sync.errors import ConnectionFailed
from exconn_sync.metrics import MemoryMetrics
from exconn_sync.model.enums import BookState
from exconn_sync.model.market import BookDiff, BookSnapshot
from exconn_sync.ports.registry import find_driver
from exconn_sync.testing import ManualClock

SYMBOL = "BTC-USDT"


class Desk:
    """A keeper whose thread is the test's own, and whose snapshots come when the test says so."""

    def __init__(self, levels: int | None = None) -> None:
        self.clock = ManualClock()
        self.asked: list[Future[BookSnapshot]] = []
        self.tasks: list[Callable[[], None]] = []
        self.bus = Bus()
        pipeline = Pipeline("binance", self.bus, self.clock, MemoryMetrics())
        self.pipeline = pipeline
        self.shelf = BookShelf("binance", self.clock)
        self.keeper = self.new_keeper(levels=levels)
        self.views: PullSubscription[BookView] = PullSubscription(
            ("orderbook", "binance", SYMBOL), Mailbox(1000, "drop_oldest"), lambda subscription: None
        )
        self.bus.add(self.views)
        self.keeper.add(SYMBOL)

    def new_keeper(self, connection: int = 1, levels: int | None = None) -> BookKeeper:
        """Return the keeper of another life, or of another connection."""
        return BookKeeper(
            self.shelf, connection, find_driver("binance"), self.pipeline, self.clock, random.Random(1), self.fetch,
            self.tasks.append, snapshot_levels=levels,
        )  # fmt: skip

    def fetch(self, symbol: str) -> Future[BookSnapshot]:
        assert symbol == SYMBOL
        self.asked.append(Future())
        return self.asked[-1]

    def run(self) -> None:
        while self.tasks:
            self.tasks.pop(0)()

    def diffs(self, *ranges: tuple[int, int]) -> None:
        events = [
            BookDiff("binance", SYMBOL, first, last, [("100", str(last))], [("101", "1")], None, 0)
            for first, last in ranges
        ]
        self.keeper.on_diffs(SYMBOL, events)

    def seen(self) -> list[int]:
        ids = []
        while self.views.pending:
            ids.append(self.views.get(0).update_id)
        return ids


def snapshot(update_id: int) -> BookSnapshot:
    return BookSnapshot("binance", SYMBOL, update_id, [("99", "1")], [("102", "1")], 0)


def test_no_snapshot_is_asked_for_before_changes_can_flow() -> None:
    desk = Desk()
    assert desk.asked == []
    desk.keeper.on_subscribed(SYMBOL)
    assert len(desk.asked) == 1
    desk.diffs((11, 12))
    assert len(desk.asked) == 1, "one at a time"


def test_every_version_is_shown_also_of_changes_that_came_before_the_snapshot() -> None:
    """(fault F053)"""
    desk = Desk()
    desk.keeper.on_subscribed(SYMBOL)
    desk.diffs((9, 10), (11, 12), (13, 15))
    desk.asked[0].set_result(snapshot(11))
    desk.run()
    assert desk.shelf.view(SYMBOL).state is BookState.LIVE
    assert desk.seen() == [11, 12, 15]
    desk.diffs((16, 16))
    assert desk.seen() == [16]


def test_a_snapshot_asked_for_on_a_lost_connection_is_not_used() -> None:
    desk = Desk()
    desk.keeper.on_subscribed(SYMBOL)
    desk.keeper.on_lost("reset")
    desk.asked[0].set_result(snapshot(11))
    desk.run()
    assert desk.shelf.view(SYMBOL).state is BookState.STALE
    desk.keeper.on_subscribed(SYMBOL)
    desk.asked[1].set_result(snapshot(20))
    desk.run()
    assert desk.shelf.view(SYMBOL).update_id == 20


def test_a_snapshot_older_than_the_changes_is_asked_for_again_after_a_pause() -> None:
    """(fault F052)"""
    desk = Desk()
    desk.keeper.on_subscribed(SYMBOL)
    desk.diffs((100, 101))
    desk.asked[0].set_result(snapshot(50))
    desk.run()
    assert not desk.shelf.view(SYMBOL).is_valid
    assert len(desk.asked) == 1
    wait = desk.keeper.on_tick(desk.clock.monotonic_ns())
    assert wait is not None
    desk.clock.advance(wait + 0.001)
    desk.keeper.on_tick(desk.clock.monotonic_ns())
    desk.asked[1].set_result(snapshot(100))
    desk.run()
    assert desk.seen() == [100, 101]


def test_a_failed_snapshot_is_retried_and_reported_once() -> None:
    """(fault F054)"""
    desk = Desk()
    errors: PullSubscription[object] = PullSubscription(
        ("error", "binance", "*"), Mailbox(0, "drop_oldest"), lambda subscription: None
    )
    desk.bus.add(errors)
    desk.keeper.on_subscribed(SYMBOL)
    for attempt in range(3):
        desk.asked[attempt].set_exception(ConnectionFailed("no way"))
        desk.run()
        wait = desk.keeper.on_tick(desk.clock.monotonic_ns())
        assert wait is not None
        desk.clock.advance(wait + 0.001)
        assert desk.keeper.on_tick(desk.clock.monotonic_ns()) is None
        assert len(desk.asked) == attempt + 2
    assert errors.pending == 1


def test_a_gap_ends_validity_at_once_and_asks_for_a_snapshot() -> None:
    """(fault F051)"""
    desk = Desk()
    desk.keeper.on_subscribed(SYMBOL)
    desk.asked[0].set_result(snapshot(10))
    desk.run()
    desk.diffs((11, 12), (14, 15))
    view = desk.shelf.view(SYMBOL)
    assert view.state is BookState.SYNCING
    assert desk.shelf.top(SYMBOL) == (None, None)
    assert len(desk.asked) == 2
    desk.asked[1].set_result(snapshot(14))
    desk.run()
    assert desk.seen() == [10, 12, 14, 15]


def test_a_malformed_level_makes_the_book_unreadable_and_is_reported() -> None:
    desk = Desk()
    desk.keeper.on_subscribed(SYMBOL)
    desk.asked[0].set_result(snapshot(10))
    desk.run()
    broken = BookDiff("binance", SYMBOL, 11, 11, [("1e5", "1")], [], None, 0)
    desk.keeper.on_diffs(SYMBOL, [broken])
    assert not desk.shelf.view(SYMBOL).is_valid
    assert len(desk.asked) == 2


def test_what_the_keeper_of_an_abandoned_life_still_says_has_no_effect() -> None:
    """The next life has taken the book over; a late answer, late changes and a late loss are void (fault F144)."""
    desk = Desk()
    desk.keeper.on_subscribed(SYMBOL)
    desk.diffs((11, 12))
    old = desk.keeper
    desk.keeper = desk.new_keeper()
    desk.keeper.keep_only({SYMBOL})
    desk.keeper.add(SYMBOL)
    old.on_subscribed(SYMBOL)
    assert len(desk.asked) == 1, "the old one asks for nothing"
    desk.keeper.on_subscribed(SYMBOL)
    desk.asked[0].set_result(snapshot(10))
    desk.run()
    assert desk.shelf.view(SYMBOL).state is BookState.STALE
    desk.asked[1].set_result(snapshot(20))
    desk.run()
    old.on_diffs(SYMBOL, [BookDiff("binance", SYMBOL, 21, 30, [("100", "7")], [], None, 0)])
    old.on_lost("too late")
    old.on_silent(SYMBOL, "too late")
    old.remove(SYMBOL)
    view = desk.shelf.view(SYMBOL)
    assert (view.state, view.update_id) == (BookState.LIVE, 20)
    desk.diffs((21, 22))
    assert desk.shelf.view(SYMBOL).update_id == 22


def test_a_retry_of_an_abandoned_life_is_not_made() -> None:
    """A snapshot that failed is asked for again by whoever feeds the book now (fault F144)."""
    desk = Desk()
    desk.keeper.on_subscribed(SYMBOL)
    old = desk.keeper
    desk.keeper = desk.new_keeper()
    desk.keeper.add(SYMBOL)
    desk.keeper.on_subscribed(SYMBOL)
    desk.asked[1].set_exception(ConnectionFailed("no way"))
    desk.run()
    desk.clock.advance(60)
    assert old.on_tick(desk.clock.monotonic_ns()) is None
    assert len(desk.asked) == 2
    desk.keeper.on_tick(desk.clock.monotonic_ns())
    assert len(desk.asked) == 3


def test_a_new_life_keeps_no_book_that_nobody_wants_any_more() -> None:
    """Those that the life before it kept are gone; those of other connections stay."""
    desk = Desk()
    other = desk.new_keeper(2)
    other.add("ETH-USDT")
    desk.new_keeper().keep_only(set())
    assert list(desk.shelf.states()) == ["ETH-USDT"]


def test_views_are_as_deep_as_the_one_who_wants_most_of_them() -> None:
    desk = Desk()
    other: PullSubscription[BookView] = PullSubscription(
        ("orderbook", "binance", SYMBOL), Mailbox(1000, "drop_oldest"), lambda subscription: None
    )
    desk.views.depth, other.depth = 1, 2
    desk.bus.add(other)
    desk.keeper.on_subscribed(SYMBOL)
    levels = [("99", "1"), ("98", "1"), ("97", "1")]
    desk.asked[0].set_result(BookSnapshot("binance", SYMBOL, 10, levels, [("102", "1")], 0))
    desk.run()
    assert len(other.get(0).bids) == 2


def test_a_retry_of_a_lost_connection_holds_up_no_snapshot() -> None:
    """Its pause was for a trouble that is over."""
    desk = Desk()
    desk.keeper.on_subscribed(SYMBOL)
    desk.asked[0].set_exception(ConnectionFailed("REST is down"))
    desk.run()
    desk.keeper.on_lost("reset")
    desk.keeper.on_subscribed(SYMBOL)
    assert len(desk.asked) == 2


def rows(best: int, step: int, count: int) -> list[tuple[str, str]]:
    return [(str(best + step * number), "1") for number in range(count)]


def test_a_book_whose_levels_run_out_gets_more_of_them_while_it_goes_on() -> None:
    """(fault F056)"""
    desk = Desk(levels=8)
    desk.keeper.on_subscribed(SYMBOL)
    desk.asked[0].set_result(BookSnapshot("binance", SYMBOL, 10, rows(100, -1, 8), rows(101, 1, 8), 0))
    desk.run()
    gone = [(str(price), "0") for price in range(94, 101)]
    desk.keeper.on_diffs(SYMBOL, [BookDiff("binance", SYMBOL, 11, 11, gone, [], None, 0)])
    assert len(desk.asked) == 2
    assert [len(desk.shelf.view(SYMBOL).bids), len(desk.shelf.view(SYMBOL).asks)] == [1, 8]
    desk.keeper.on_diffs(SYMBOL, [BookDiff("binance", SYMBOL, 12, 12, [("93", "7")], [], None, 0)])
    assert len(desk.asked) == 2, "one at a time"
    desk.asked[1].set_result(BookSnapshot("binance", SYMBOL, 11, rows(93, -1, 8), rows(101, 1, 8), 0))
    desk.run()
    view = desk.shelf.view(SYMBOL)
    assert (view.update_id, len(view.bids), str(view.bids[0][1])) == (12, 8, "7")
    assert desk.seen() == [10, 11, 12], "the version it has already is not shown again"


def test_a_snapshot_that_helps_a_thin_book_no_further_is_asked_for_again_after_a_pause() -> None:
    """(fault F056)"""
    desk = Desk(levels=8)
    desk.keeper.on_subscribed(SYMBOL)
    desk.asked[0].set_result(BookSnapshot("binance", SYMBOL, 10, rows(100, -1, 8), rows(101, 1, 8), 0))
    desk.run()
    gone = [(str(price), "0") for price in range(94, 101)]
    desk.keeper.on_diffs(SYMBOL, [BookDiff("binance", SYMBOL, 11, 11, gone, [], None, 0)])
    desk.asked[1].set_result(snapshot(5))
    desk.run()
    desk.keeper.on_diffs(SYMBOL, [BookDiff("binance", SYMBOL, 12, 12, [("93", "7")], [], None, 0)])
    assert len(desk.asked) == 2
    wait = desk.keeper.on_tick(desk.clock.monotonic_ns())
    assert wait is not None
    desk.clock.advance(wait + 0.001)
    desk.keeper.on_tick(desk.clock.monotonic_ns())
    assert len(desk.asked) == 3
    assert desk.shelf.view(SYMBOL).is_valid


def test_a_book_that_is_lost_at_once_each_time_is_asked_for_after_growing_pauses() -> None:
    """An exchange that is itself crossed would else be asked for one snapshot after the other (fault F059)."""
    desk = Desk()
    desk.keeper.on_subscribed(SYMBOL)
    for number in range(6):
        if len(desk.asked) == number:
            wait = desk.keeper.on_tick(desk.clock.monotonic_ns())
            assert wait is not None
            desk.clock.advance(wait + 0.001)
            desk.keeper.on_tick(desk.clock.monotonic_ns())
        desk.asked[number].set_result(snapshot(10 * number + 10))
        desk.run()
        assert desk.shelf.view(SYMBOL).is_valid
        crossed = BookDiff("binance", SYMBOL, 10 * number + 11, 10 * number + 11, [("102", "1")], [], None, 0)
        desk.keeper.on_diffs(SYMBOL, [crossed])
        assert desk.shelf.view(SYMBOL).state is BookState.BROKEN
        assert len(desk.asked) == (2 if number == 0 else number + 1)
