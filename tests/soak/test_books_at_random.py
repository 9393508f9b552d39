"""Random changes of a book, some lost, repeated, swapped, late or wrong: a live book is the exchange's (I12)."""

from __future__ import annotations

import random
import time
from collections import Counter
from decimal import Decimal

import pytest

from exconn_sync._machines.local_book import LocalBook
from exconn_sync.model.enums import BookState
from exconn_sync.model.market import BookDiff, BookSnapshot, Row
from exconn_sync.ports.registry import find_driver
from tests.soak.scale import scaled, show

EVENTS = scaled(15_000, 1_000_000)
REMEMBERED = 400
"""So many versions of the true book are kept; what is on its way is never older."""

LEVELS = 12
"""A side of a snapshot: fewer than the true book mostly has."""

Side = list[tuple[int, int]]


class Exchange:
    """The true book, and the changes it tells: absolute quantities of levels near a wandering price."""

    def __init__(self, rng: random.Random, *, counts_changes: bool) -> None:
        self._rng = rng
        self._counts_changes = counts_changes
        self.update_id = 1
        self.bids: dict[int, int] = {}
        self.asks: dict[int, int] = {}
        self._middle = 5000
        self._versions: dict[int, tuple[Side, Side]] = {}
        self._remember()

    def _remember(self) -> None:
        version = sorted(self.bids.items(), reverse=True), sorted(self.asks.items())
        self._versions[self.update_id] = version
        if len(self._versions) > REMEMBERED:
            del self._versions[next(iter(self._versions))]

    def at(self, update_id: int) -> tuple[Side, Side]:
        return self._versions[update_id]

    def earlier(self, versions: int) -> int:
        """Return the id of an earlier version."""
        known = list(self._versions)
        return known[max(0, len(known) - 1 - versions)]

    def change(self) -> BookDiff:
        rng, bids, asks = self._rng, self.bids, self.asks
        changed_bids: dict[int, int] = {}
        changed_asks: dict[int, int] = {}
        if rng.random() < 0.2:
            self._middle += rng.choice((-3, -2, -1, 1, 2, 3))
            changed_bids.update((price, 0) for price in bids if price >= self._middle)
            changed_asks.update((price, 0) for price in asks if price < self._middle)
        for _ in range(rng.randint(1, 4)):
            away, quantity = rng.randint(0, 17), rng.choice((0, 1, 2, 3, 4))
            if rng.random() < 0.5:
                changed_bids[self._middle - 1 - away] = quantity
            else:
                changed_asks[self._middle + away] = quantity
        for side, changed in ((bids, changed_bids), (asks, changed_asks)):
            for price, quantity in changed.items():
                side.pop(price, None)
                if quantity:
                    side[price] = quantity
        first = self.update_id + 1
        self.update_id += len(changed_bids) + len(changed_asks) if self._counts_changes else 1
        self._remember()
        return BookDiff("x", "A-B", first, self.update_id, _rows(changed_bids), _rows(changed_asks), None, 0)

    def restart(self) -> None:
        """Begin the numbers anew (Bybit: 6.3, rule 3)."""
        self.update_id = 1
        self._versions.clear()
        self._remember()

    def snapshot(self, update_id: int, levels: int | None) -> BookSnapshot:
        bids, asks = self.at(update_id)
        return BookSnapshot("x", "A-B", update_id, _rows(dict(bids[:levels])), _rows(dict(asks[:levels])), 0)


def _rows(levels: dict[int, int]) -> list[Row]:
    return [(f"{price}.00", f"{quantity}.000") for price, quantity in levels.items()]


class Watched:
    """A book under test, compared with the true one after everything that happens to it."""

    def __init__(self, name: str, exchange: Exchange, snapshot_levels: int | None) -> None:
        self.exchange = exchange
        self.seen: Counter[str] = Counter()
        judge = find_driver(name).judge_diff
        self.book = LocalBook(name, "A-B", judge, max_buffered=200, snapshot_levels=snapshot_levels)
        self._was_live = False

    def check(self) -> None:
        book = self.book
        self.seen[book.state.value] += 1
        is_live = book.state is BookState.LIVE
        if self._was_live and not is_live:
            self.seen["lost"] += 1
        self._was_live = is_live
        if not is_live:
            assert book.top() == (None, None)
            assert book.reason
            return
        view, (bids, asks) = book.view(0), self.exchange.at(book.update_id)
        for shown, true, covered, has_all in (
            (view.bids, bids, view.covered_bids, view.has_all_bids),
            (view.asks, asks, view.covered_asks, view.has_all_asks),
        ):
            expected = [(Decimal(price), Decimal(quantity)) for price, quantity in true]
            assert list(shown[:covered]) == expected[:covered], book.update_id
            # Beyond that some may be missing, and none is wrong.
            assert covered == len(shown) or set(shown) <= set(expected)
            assert len(shown) == len(true) or not has_all
            self.seen["uncovered"] += not covered
        bid, ask = book.top()
        assert bid is None or ask is None or bid[0] < ask[0]
        assert (bid, ask) == (view.best_bid, view.best_ask)


def disturbed(rng: random.Random, exchange: Exchange, held: list[BookDiff]) -> list[BookDiff]:
    """Return what arrives in place of the next change: mostly it, sometimes too little, too much, or nonsense."""
    diff, fate = exchange.change(), rng.random()
    before, held[:] = list(held), []
    if fate < 0.01:
        return before
    if fate < 0.03:
        return [*before, diff, diff]
    if fate < 0.04:
        # Behind the one after it.
        held.append(diff)
        return before
    if fate < 0.042 and exchange.asks:
        # A bid above the best ask, which nobody ever made.
        wrong = [*diff.bids, (f"{min(exchange.asks) + 1}.00", "1.000")]
        return [*before, BookDiff("x", "A-B", diff.first_update_id, diff.last_update_id, wrong, diff.asks, None, 0)]
    return [diff, *before] if before else [diff]


def by_rest(seed: int) -> Counter[str]:
    """Run a book whose snapshots come over REST: late, old, or not at all (Binance: 9)."""
    rng = random.Random(seed)
    exchange = Exchange(rng, counts_changes=True)
    watched = Watched("binance", exchange, LEVELS)
    book, held = watched.book, list[BookDiff]()
    due: tuple[int, int] | None = None
    for event in range(EVENTS):
        for diff in disturbed(rng, exchange, held):
            book.on_diff(diff, 0)
            watched.check()
        if due is None and (book.needs_snapshot or book.is_thin):
            book.snapshot_requested()
            # Some front ends are behind, and the answer takes its time.
            taken = exchange.earlier(rng.choice((0, 0, 0, 3, 30)))
            due = event + rng.randint(0, 40), taken
        if due is not None and event >= due[0]:
            if rng.random() < 0.05:
                book.snapshot_failed()
            else:
                is_behind = rng.random() < 0.5
                book.on_snapshot(exchange.snapshot(due[1] if is_behind else exchange.update_id, LEVELS), 0)
                watched.seen["snapshots"] += 1
            due = None
            watched.check()
        if rng.random() < 0.0005:
            book.invalidate("disconnected", 0)
            due = None
            watched.check()
    return watched.seen


def in_stream(seed: int) -> Counter[str]:
    """Run a book whose snapshots come in the stream, and whose numbers begin anew at times (Bybit: 6.3)."""
    rng = random.Random(seed)
    exchange = Exchange(rng, counts_changes=False)
    watched = Watched("bybit", exchange, None)
    book, held = watched.book, list[BookDiff]()
    due: int | None = 0
    for event in range(EVENTS):
        if rng.random() < 0.0005:
            exchange.restart()
            held.clear()
            due = event
            watched.seen["restarts"] += 1
        if due is not None and event >= due:
            # What was held back belongs to the subscription before.
            held.clear()
            book.on_stream_snapshot(exchange.snapshot(exchange.update_id, None), 0)
            watched.seen["snapshots"] += 1
            due = None
            watched.check()
            if rng.random() < 0.1:
                book.on_stream_snapshot(exchange.snapshot(exchange.update_id, None), 0)
                watched.check()
        for diff in disturbed(rng, exchange, held):
            book.on_diff(diff, 0)
            watched.check()
        if due is None and book.needs_snapshot:
            book.snapshot_requested()
            due = event + rng.randint(0, 40)
        if rng.random() < 0.0005:
            book.invalidate("disconnected", 0)
            due = event + rng.randint(0, 10)
            watched.check()
    return watched.seen


@pytest.mark.timeout(3600)
@pytest.mark.parametrize("run", [by_rest, in_stream])
def test_a_live_book_is_the_true_one_whatever_happens_to_its_changes(run: object) -> None:
    """(faults F049 to F053, F056 to F059)"""
    assert callable(run)
    began = time.process_time()
    seen = run(7)
    show(f"{EVENTS} changes, {getattr(run, '__name__', '')}", cpu_seconds=time.process_time() - began, **seen)
    assert seen["live"] > EVENTS // 3
    assert seen["lost"] > EVENTS // 200
    assert min(seen["syncing"], seen["broken"], seen["stale"], seen["snapshots"]) > 0
