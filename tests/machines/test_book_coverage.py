"""What a local book knows without a hole, and what it shows of what it knows (fault F056)."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from exconn_sync._machines.local_book import LocalBook
from exconn_sync.model.enums import BookState
from exconn_sync.model.market import BookSnapshot, Row
from tests.machines.make import fixed, judge, make_diff, make_snapshot

LEVELS = 8


def cut_snapshot(update_id: int, best_bid: int = 100, levels: int = LEVELS) -> BookSnapshot:
    """Return a snapshot of so many levels a side around a price."""
    bids: list[Row] = [(str(best_bid - step), "1") for step in range(levels)]
    asks: list[Row] = [(str(best_bid + 1 + step), "1") for step in range(levels)]
    return make_snapshot(update_id, bids, asks)


def live_book() -> LocalBook:
    book = LocalBook("binance", "BTC-USDT", judge, snapshot_levels=LEVELS)
    assert book.on_snapshot(cut_snapshot(10), 0)
    return book


def prices(book: LocalBook) -> tuple[list[int], list[int]]:
    view = book.view(0, depth=100)
    return [int(price) for price, _ in view.bids], [int(price) for price, _ in view.asks]


def remove_bids(book: LocalBook, first: int, *gone: int) -> bool:
    return book.on_diff(make_diff(first, first, [(str(price), "0") for price in gone]), 0)


def test_no_level_beyond_the_snapshot_is_shown() -> None:
    """(fault F056)"""
    book = live_book()
    assert book.on_diff(make_diff(11, 11, [("90", "1"), ("94", "3")], [("109", "1"), ("107", "4")]), 0)
    assert book.whole_between == (Decimal(93), Decimal(108))
    assert prices(book) == (list(range(100, 92, -1)), list(range(101, 109)))
    assert not book.view(0).has_all_bids
    whole = book.view(0)
    assert ([len(whole.bids), len(whole.asks)], [whole.covered_bids, whole.covered_asks]) == ([9, 9], [8, 8])
    assert len(book.view(0, depth=100).asks) == LEVELS


def test_a_snapshot_with_fewer_levels_than_asked_for_is_all_there_is() -> None:
    """(fault F056)"""
    book = LocalBook("binance", "BTC-USDT", judge, snapshot_levels=LEVELS)
    book.on_snapshot(cut_snapshot(10, levels=LEVELS - 1), 0)
    book.on_diff(make_diff(11, 11, [("50", "1")], [("500", "1")]), 0)
    assert book.whole_between == (None, None)
    view = book.view(0)
    assert (view.bids[-1][0], view.asks[-1][0]) == (Decimal(50), Decimal(500))
    assert view.has_all_bids
    assert view.has_all_asks
    assert not book.view(0, depth=LEVELS - 1).has_all_bids
    assert not view.limited(3).has_all_asks
    assert view.renamed("other").has_all_asks
    assert not book.is_thin


def test_a_book_that_has_left_its_snapshot_says_that_nothing_is_covered() -> None:
    """(fault F056)"""
    book = live_book()
    book.on_diff(make_diff(11, 11, [("90", "1")]), 0)
    assert remove_bids(book, 12, 100, 99, 98, 97, 96, 95, 94)
    assert prices(book)[0] == [93]
    assert remove_bids(book, 13, 93)
    view = book.view(0, depth=5)
    assert (view.bids[0][0], view.covered_bids) == (Decimal(90), 0), "whether 92 or 91 are there nobody has told"
    assert view.fill("sell", quantity=1).missing == Decimal(1)
    assert not view.depth_to("sell", 90).is_complete
    assert book.is_thin
    assert book.on_diff(make_diff(14, 14, [], [(str(price), "0") for price in range(101, 109)]), 0)
    assert (book.view(0).asks, book.view(0).covered_asks) == ((), 0)


def test_a_thin_book_goes_on_while_another_snapshot_is_on_its_way() -> None:
    """(fault F056)"""
    book = live_book()
    remove_bids(book, 11, 100, 99, 98, 97, 96, 95)
    was_thin = book.is_thin
    remove_bids(book, 12, 94)
    assert (was_thin, book.is_thin) == (False, True)
    book.snapshot_requested()
    assert book.on_diff(make_diff(13, 13, [("94", "5")]), 0)
    assert book.on_diff(make_diff(14, 14, [("93", "2")]), 0)
    assert book.state is BookState.LIVE
    # Older than the book, and it joins up with what was applied since.
    assert not book.on_snapshot(make_snapshot(13, [(str(94 - n), "5") for n in range(LEVELS)]), 0), "the same version"
    assert (book.state, book.update_id, book.is_thin) == (BookState.LIVE, 14, False)
    assert book.view(0).bids[:3] == ((Decimal(94), Decimal(5)), (Decimal(93), Decimal(2)), (Decimal(92), Decimal(5)))
    assert len(book.view(0).bids) == LEVELS


def test_a_further_snapshot_that_does_not_join_up_changes_nothing() -> None:
    """(fault F056)"""
    book = live_book()
    book.snapshot_requested()
    book.on_diff(make_diff(11, 11), 0)
    book.on_diff(make_diff(12, 12, [("100", "9")]), 0)
    assert not book.on_snapshot(cut_snapshot(9), 0)
    assert book.top()[0] == (Decimal(100), Decimal(9))
    assert not book.on_snapshot(cut_snapshot(11), 0), "nothing was kept for this one, which nobody asked for"
    assert book.top()[0] == (Decimal(100), Decimal(9))


def test_a_further_snapshot_that_fails_or_takes_too_long_costs_nothing() -> None:
    """(faults F054, F055)"""
    book = LocalBook("binance", "BTC-USDT", judge, max_buffered=3, snapshot_levels=LEVELS)
    book.on_snapshot(cut_snapshot(10), 0)
    book.snapshot_requested()
    for update_id in range(11, 16):
        assert book.on_diff(make_diff(update_id, update_id), 0)
    assert not book.on_snapshot(cut_snapshot(12), 0)
    book.snapshot_requested()
    book.snapshot_failed()
    assert (book.state, book.update_id, book.needs_snapshot) == (BookState.LIVE, 15, False)


def test_a_gap_while_a_further_snapshot_is_on_its_way_is_healed_by_it() -> None:
    """(faults F051, F056)"""
    book = live_book()
    book.snapshot_requested()
    assert not book.on_diff(make_diff(13, 13, [("100", "7")]), 0)
    assert book.state is BookState.SYNCING
    assert book.on_snapshot(cut_snapshot(12), 0)
    assert (book.update_id, book.top()[0]) == (13, (Decimal(100), Decimal(7)))


@fixed
@given(
    st.dictionaries(st.integers(1, 60), st.integers(1, 9), min_size=12),
    st.lists(st.tuples(st.integers(1, 60), st.integers(0, 9), st.booleans()), max_size=60),
)
def test_what_is_shown_is_the_true_book_without_a_hole(
    levels: dict[int, int], changes: list[tuple[int, int, bool]]
) -> None:
    """Bids at 1 to 60, of which snapshots show the best eight, new ones coming at any time (fault F056)."""
    true = {Decimal(price): Decimal(quantity) for price, quantity in levels.items()}
    book = LocalBook("binance", "BTC-USDT", judge, snapshot_levels=LEVELS)

    def snapshot(update_id: int) -> BookSnapshot:
        best = sorted(true, reverse=True)[:LEVELS]
        return make_snapshot(update_id, [(str(price), str(true[price])) for price in best])

    book.on_snapshot(snapshot(1), 0)
    for update_id, (price, quantity, is_asked) in enumerate(changes, 2):
        if is_asked:
            book.snapshot_requested()
        true.pop(Decimal(price), None)
        if quantity:
            true[Decimal(price)] = Decimal(quantity)
        book.on_diff(make_diff(update_id, update_id, [(str(price), str(quantity))]), 0)
        if is_asked or book.needs_snapshot:
            book.on_snapshot(snapshot(update_id), 0)
        in_order = sorted(true.items(), reverse=True)
        assert book.state is BookState.LIVE
        view = book.view(0)
        assert list(view.bids[: view.covered_bids]) == in_order[: view.covered_bids]
        assert set(view.bids) <= set(in_order), "what is beyond is true, but may not be all"
        assert not view.has_all_bids or len(view.bids) == len(true)
        cut = book.view(0, depth=100)
        assert cut.bids == (view.bids[: view.covered_bids] if view.covered_bids else view.bids)


def test_a_further_snapshot_that_is_ahead_of_the_changes_is_a_new_version() -> None:
    """(faults F053, F056)"""
    book = live_book()
    book.snapshot_requested()
    book.on_diff(make_diff(11, 11), 0)
    versions: list[int] = []
    assert book.on_snapshot(cut_snapshot(14), 0, lambda: versions.append(book.update_id))
    assert versions == [14]
    assert not book.on_diff(make_diff(12, 14), 0)
    assert book.on_diff(make_diff(15, 15), 0)
