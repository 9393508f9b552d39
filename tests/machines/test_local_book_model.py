"""The local book against an exchange that loses, repeats and swaps changes and hands out late snapshots (I12)."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from exconn_sync._machines.local_book import LocalBook
from exconn_sync.model.enums import BookState
from exconn_sync.model.market import BookDiff, BookSnapshot, Row
from tests.machines.make import fixed, judge, make_diff, make_snapshot

Levels = dict[Decimal, Decimal]

# One change of one level: bids at 1 to 6, asks at 7 to 12, so that the true book is never crossed.
changes = st.tuples(st.integers(1, 12), st.integers(0, 3))
batches = st.lists(st.lists(changes, min_size=1, max_size=4), min_size=1, max_size=14)
actions = st.lists(
    st.one_of(
        st.just(("deliver", 0)),
        st.tuples(st.sampled_from(["deliver", "lose", "repeat", "swap", "snapshot", "disconnect"]), st.integers(0, 12)),
    ),
    max_size=40,
)


class TrueBook:
    """The book after every single change, as plain dictionaries."""

    def __init__(self, batches: list[list[tuple[int, int]]]) -> None:
        self.at: list[tuple[Levels, Levels]] = [({}, {})]
        self.diffs: list[BookDiff] = []
        for batch in batches:
            first = len(self.at)
            for price, quantity in batch:
                bids, asks = dict(self.at[-1][0]), dict(self.at[-1][1])
                side = bids if price <= 6 else asks
                side[Decimal(price)] = Decimal(quantity)
                if quantity == 0:
                    del side[Decimal(price)]
                self.at.append((bids, asks))
            last = dict(batch)
            bids_rows = [(str(price), f"{last[price]}.00") for price in last if price <= 6]
            asks_rows = [(f"{price}.0", str(last[price])) for price in last if price > 6]
            self.diffs.append(make_diff(first, len(self.at) - 1, bids_rows, asks_rows))

    def snapshot(self, update_id: int) -> BookSnapshot:
        bids, asks = self.at[update_id]
        return make_snapshot(update_id, _rows(bids, reverse=True), _rows(asks, reverse=False))


def _rows(levels: Levels, *, reverse: bool) -> list[Row]:
    return [(str(price), str(levels[price])) for price in sorted(levels, reverse=reverse)]


def check(book: LocalBook, true_book: TrueBook) -> None:
    if book.state is not BookState.LIVE:
        assert book.top() == (None, None)
        assert book.reason
        return
    view = book.view(0)
    bids, asks = true_book.at[book.update_id]
    assert dict(view.bids) == bids
    assert dict(view.asks) == asks
    assert [price for price, _ in view.bids] == sorted(bids, reverse=True)
    assert [price for price, _ in view.asks] == sorted(asks)
    assert book.top() == (view.best_bid, view.best_ask)


@fixed
@given(batches, actions)
def test_a_live_book_is_the_true_book_at_its_id(
    batches: list[list[tuple[int, int]]], actions: list[tuple[str, int]]
) -> None:
    """(faults F049, F050, F051)"""
    true_book = TrueBook(batches)
    book = LocalBook("binance", "BTC-USDT", judge)
    following = 0
    for action, number in actions:
        pending = true_book.diffs[following : following + 2]
        before = (book.state, book.update_id)
        changed = False
        if action == "deliver" and pending:
            changed = book.on_diff(pending[0], 0)
            following += 1
        elif action == "lose" and pending:
            following += 1
        elif action == "swap" and len(pending) == 2:
            book.on_diff(pending[1], 0)
            check(book, true_book)
            before = (book.state, book.update_id)
            changed = book.on_diff(pending[0], 0)
            following += 2
        elif action == "repeat" and following:
            changed = book.on_diff(true_book.diffs[max(0, following - 1 - number)], 0)
        elif action == "snapshot":
            sent = true_book.diffs[following - 1].last_update_id if following else 0
            # Taken a while ago, or a little ahead of what the stream has delivered.
            changed = book.on_snapshot(true_book.snapshot(max(0, min(len(true_book.at) - 1, sent + 3 - number))), 0)
        elif action == "disconnect":
            book.invalidate("disconnected", 0)
        check(book, true_book)
        assert changed == (book.state is BookState.LIVE and before != (book.state, book.update_id))
        assert not (book.needs_snapshot and book.state is BookState.LIVE)


@fixed
@given(batches, actions)
def test_a_fresh_snapshot_always_heals(batches: list[list[tuple[int, int]]], actions: list[tuple[str, int]]) -> None:
    true_book = TrueBook(batches)
    book = LocalBook("binance", "BTC-USDT", judge)
    for action, number in actions:
        diff = true_book.diffs[number % len(true_book.diffs)]
        if action == "disconnect":
            book.invalidate("disconnected", 0)
        elif action == "snapshot":
            book.on_snapshot(true_book.snapshot(diff.last_update_id), 0)
        else:
            book.on_diff(diff, 0)
        check(book, true_book)
    newest = len(true_book.at) - 1
    book.on_snapshot(true_book.snapshot(newest), 0)
    check(book, true_book)
    assert (book.state, book.update_id) == (BookState.LIVE, newest)
