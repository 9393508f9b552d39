"""The local book by examples: every row of the table at the head of the module."""

from __future__ import annotations

from decimal import Decimal, localcontext

import pytest

from exconn_sync._machines.local_book import LocalBook
from exconn_sync.errors import ProtocolError, StaleBook
from exconn_sync.model.enums import BookState
from tests.machines.make import SECOND, judge, make_diff, make_snapshot


def live_book() -> LocalBook:
    book = LocalBook("binance", "BTC-USDT", judge)
    book.snapshot_requested()
    assert book.on_snapshot(make_snapshot(10, [("99", "1"), ("98", "2")], [("101", "1"), ("102", "2")]), 0)
    return book


def levels(book: LocalBook) -> tuple[dict[str, str], dict[str, str]]:
    view = book.view(0)
    return (
        {str(price): str(quantity) for price, quantity in view.bids},
        {str(price): str(quantity) for price, quantity in view.asks},
    )


def test_a_new_book_needs_a_snapshot_and_cannot_be_read() -> None:
    book = LocalBook("binance", "BTC-USDT", judge)
    assert book.needs_snapshot
    assert book.state is BookState.SYNCING
    assert book.top() == (None, None)
    with pytest.raises(StaleBook, match="no snapshot yet"):
        _ = book.view(0).bids


def test_a_snapshot_alone_makes_it_live() -> None:
    book = live_book()
    assert (book.state, book.reason, book.update_id, book.needs_snapshot) == (BookState.LIVE, "", 10, False)
    assert book.top() == ((Decimal(99), Decimal(1)), (Decimal(101), Decimal(1)))


def test_a_diff_sets_adds_and_removes_levels() -> None:
    book = live_book()
    assert book.on_diff(make_diff(11, 12, [("99", "0.00"), ("97.5", "3")], [("101", "7")]), 0)
    # Prices are told with as many decimals as the finest of their side.
    assert levels(book) == ({"98.0": "2", "97.5": "3"}, {"101": "7", "102": "2"})
    assert book.update_id == 12


def test_removing_an_absent_level_is_normal() -> None:
    """(fault F056)"""
    book = live_book()
    assert book.on_diff(make_diff(11, 11, [("50", "0.00000000")], [("500", "0")]), 0)
    assert levels(book) == ({"99": "1", "98": "2"}, {"101": "1", "102": "2"})


@pytest.mark.parametrize("zero", ["0", "0.0", "0.00000000", "00.00"])
def test_every_spelling_of_zero_removes(zero: str) -> None:
    book = live_book()
    book.on_diff(make_diff(11, 11, [("99", zero)]), 0)
    assert levels(book)[0] == {"98": "2"}


def test_one_price_in_two_spellings_is_one_level() -> None:
    """(fault F114)"""
    book = live_book()
    book.on_diff(make_diff(11, 11, [("99.00000000", "5")], [("101.0", "0.0")]), 0)
    assert book.top() == ((Decimal(99), Decimal(5)), (Decimal(102), Decimal(2)))


def test_a_zero_quantity_in_a_snapshot_is_no_level() -> None:
    book = LocalBook("binance", "BTC-USDT", judge)
    book.on_snapshot(make_snapshot(1, [("99", "0.0"), ("98", "2")]), 0)
    assert levels(book) == ({"98": "2"}, {})


def test_a_repeated_diff_changes_nothing() -> None:
    """(fault F049)"""
    book = live_book()
    diff = make_diff(11, 12, [("99", "4")])
    assert book.on_diff(diff, 0)
    assert not book.on_diff(diff, 0)
    assert book.state is BookState.LIVE


def test_a_gap_makes_it_unreadable_at_once_and_names_both_ids() -> None:
    """(fault F051)"""
    book = live_book()
    assert not book.on_diff(make_diff(12, 13, [("99", "9")]), 0)
    assert book.state is BookState.SYNCING
    assert book.needs_snapshot
    assert "10" in book.reason
    assert "12" in book.reason
    with pytest.raises(StaleBook, match="gap"):
        _ = book.view(0).best_bid


def test_the_diff_after_a_gap_is_kept_for_the_next_snapshot() -> None:
    book = live_book()
    book.on_diff(make_diff(13, 13, [("99", "9")]), 0)
    assert book.on_snapshot(make_snapshot(12, [("99", "1")], [("101", "1")]), 0)
    assert levels(book)[0] == {"99": "9"}
    assert book.update_id == 13


def test_a_snapshot_older_than_the_buffer_is_refused_and_the_buffer_kept() -> None:
    """(fault F052)"""
    book = LocalBook("binance", "BTC-USDT", judge)
    book.on_diff(make_diff(20, 21, [("99", "5")]), 0)
    book.snapshot_requested()
    assert not book.on_snapshot(make_snapshot(18, [("99", "1")]), 0)
    assert "snapshot 18 is older than the first buffered change 20" in book.reason
    assert (book.state, book.needs_snapshot) == (BookState.SYNCING, True)
    assert book.on_snapshot(make_snapshot(19, [("99", "1")]), 0)
    assert levels(book)[0] == {"99": "5"}


def test_a_snapshot_newer_than_the_buffer_is_accepted() -> None:
    """(fault F053)"""
    book = LocalBook("binance", "BTC-USDT", judge)
    book.on_diff(make_diff(20, 21, [("99", "5")]), 0)
    assert book.on_snapshot(make_snapshot(30, [("99", "1")]), 0)
    assert (levels(book)[0], book.update_id) == ({"99": "1"}, 30)
    assert not book.on_diff(make_diff(32, 32), 0)
    assert book.state is BookState.SYNCING


def test_a_gap_inside_the_buffer_asks_for_another_snapshot() -> None:
    """(fault F051)"""
    book = LocalBook("binance", "BTC-USDT", judge)
    for first in (20, 21, 25):
        book.on_diff(make_diff(first, first, [("99", str(first))]), 0)
    book.snapshot_requested()
    assert not book.on_snapshot(make_snapshot(20), 0)
    assert (book.state, book.needs_snapshot) == (BookState.SYNCING, True)
    assert not book.on_snapshot(make_snapshot(23), 0), "what lies behind the gap must not be bridged"
    assert book.on_snapshot(make_snapshot(24), 0)
    assert levels(book)[0] == {"99": "25"}


def test_a_snapshot_not_newer_than_a_live_book_changes_nothing() -> None:
    """(fault F058)"""
    book = live_book()
    book.on_diff(make_diff(11, 11, [("99", "4")]), 0)
    assert not book.on_snapshot(make_snapshot(10, [("90", "1")]), 0)
    assert not book.on_snapshot(make_snapshot(11, [("90", "1")]), 0)
    assert levels(book)[0] == {"99": "4", "98": "2"}


def test_a_newer_snapshot_replaces_a_live_book_as_a_whole() -> None:
    book = live_book()
    assert book.on_snapshot(make_snapshot(50, [("90", "1")], [("91", "1")]), 0)
    assert levels(book) == ({"90": "1"}, {"91": "1"})


def test_a_sequence_that_restarts_is_accepted_after_invalidate() -> None:
    """(fault F057)"""
    book = live_book()
    book.invalidate("the exchange restarted", 0)
    assert book.on_snapshot(make_snapshot(1, [("90", "1")]), 0)
    assert book.update_id == 1


@pytest.mark.parametrize("state", [BookState.STALE, BookState.BROKEN])
def test_invalidate_drops_what_was_buffered_and_needs_a_snapshot(state: BookState) -> None:
    book = LocalBook("binance", "BTC-USDT", judge)
    book.on_diff(make_diff(20, 20), 0)
    book.snapshot_requested()
    book.invalidate("disconnected", 0, state)
    assert (book.state, book.reason, book.needs_snapshot) == (state, "disconnected", True)
    assert book.on_snapshot(make_snapshot(5), 0), "the buffered diff 20 must be gone"


def test_diffs_do_not_revive_a_stale_book() -> None:
    book = live_book()
    book.invalidate("disconnected", 0)
    assert not book.on_diff(make_diff(11, 11), 0)
    assert book.state is BookState.STALE


def test_too_many_buffered_diffs_start_the_procedure_again() -> None:
    """(fault F055)"""
    book = LocalBook("binance", "BTC-USDT", judge, max_buffered=3)
    for update_id in range(1, 6):
        book.on_diff(make_diff(update_id, update_id, [("99", str(update_id))]), 0)
    assert "more than 3" in book.reason
    assert not book.on_snapshot(make_snapshot(2), 0), "1 to 3 were dropped, so 2 cannot be continued"
    assert book.on_snapshot(make_snapshot(3), 0)
    assert levels(book)[0] == {"99": "5"}


@pytest.mark.parametrize("price", ["101", "103"])
def test_a_crossed_or_locked_book_is_never_readable(price: str) -> None:
    """(fault F059)"""
    book = live_book()
    assert not book.on_diff(make_diff(11, 11, [(price, "1")]), 0)
    assert (book.state, book.reason, book.needs_snapshot) == (BookState.BROKEN, "crossed", True)


def test_a_crossed_snapshot_is_refused() -> None:
    """(fault F059)"""
    book = LocalBook("binance", "BTC-USDT", judge)
    assert not book.on_snapshot(make_snapshot(1, [("101", "1")], [("100", "1")]), 0)
    assert (book.state, book.reason, book.needs_snapshot) == (BookState.BROKEN, "crossed", True)


def test_after_a_crossed_book_no_older_snapshot_is_taken() -> None:
    """(fault F059)"""
    book = live_book()
    book.on_diff(make_diff(11, 11, [("101", "1")]), 0)
    assert not book.on_snapshot(make_snapshot(9, [("90", "1")]), 0)
    assert not book.on_snapshot(make_snapshot(10, [("99", "1")], [("101", "1")]), 0), "crossed again by the same change"
    assert not book.on_snapshot(make_snapshot(9, [("90", "1")]), 0)
    assert book.on_snapshot(make_snapshot(11, [("99", "1")], [("101", "1")]), 0)


MALFORMED = ["", " ", "NaN", "Infinity", "-1", "+1", "1e5", "1_0", "1.", ".5", "1.2.3", "0x1", "1 2", " 1", "1\n", "１２", "1,5"]  # fmt: skip # noqa: RUF001,E501


@pytest.mark.parametrize("text", MALFORMED)
@pytest.mark.parametrize("where", ["price", "quantity"])
@pytest.mark.parametrize("how", ["diff", "snapshot", "buffered"])
def test_a_malformed_level_is_an_error_and_leaves_nothing_readable(text: str, where: str, how: str) -> None:
    good = ("98", "9")
    rows = [good, (text, "1") if where == "price" else ("97", text), ("96", "1")]
    book = live_book()
    if how == "buffered":
        book.invalidate("disconnected", 0)
        book.on_diff(make_diff(11, 11, [], rows), 0)
    snapshot = make_snapshot(20, [], rows) if how == "snapshot" else make_snapshot(10)
    with pytest.raises(ProtocolError, match=where):
        _ = book.on_diff(make_diff(11, 11, [], rows), 0) if how == "diff" else book.on_snapshot(snapshot, 0)
    assert book.state is BookState.BROKEN
    assert "malformed" in book.reason
    assert book.needs_snapshot
    assert book.on_snapshot(make_snapshot(20, [("99", "1")]), 0), "a good snapshot heals it"


def test_only_the_malformed_one_of_the_buffered_diffs_is_dropped() -> None:
    book = LocalBook("binance", "BTC-USDT", judge)
    book.on_diff(make_diff(11, 11, [("NaN", "1")]), 0)
    book.on_diff(make_diff(12, 12, [("99", "12")]), 0)
    with pytest.raises(ProtocolError):
        book.on_snapshot(make_snapshot(10), 0)
    assert not book.on_snapshot(make_snapshot(10), 0), "11 is not known any more, so 10 cannot be continued"
    assert book.on_snapshot(make_snapshot(11), 0)
    assert (levels(book)[0], book.update_id) == ({"99": "12"}, 12)


def test_a_malformed_snapshot_costs_no_buffered_diff() -> None:
    book = LocalBook("binance", "BTC-USDT", judge)
    book.on_diff(make_diff(11, 11, [("99", "12")]), 0)
    with pytest.raises(ProtocolError):
        book.on_snapshot(make_snapshot(10, [("1", "NaN")]), 0)
    assert book.on_snapshot(make_snapshot(10), 0)
    assert book.update_id == 11


def test_a_lone_empty_quantity_is_malformed() -> None:
    with pytest.raises(ProtocolError):
        live_book().on_diff(make_diff(11, 11, [("98", "")]), 0)


@pytest.mark.parametrize("level", [("9" * 5000, "1"), ("98", "9" * 5000), ("98", "0." + "0" * 5000)])
def test_an_endless_number_is_malformed(level: tuple[str, str]) -> None:
    """(fault F041)"""
    with pytest.raises(ProtocolError):
        live_book().on_diff(make_diff(11, 11, [level]), 0)


def test_numbers_stay_exact_whatever_the_context_of_the_thread() -> None:
    """(fault F182)"""
    with localcontext() as context:
        context.prec = 2
        book = LocalBook("binance", "BTC-USDT", judge)
        book.on_snapshot(make_snapshot(1, [("12345.678", "92233720368.54775807")], [("12345.679", "1")]), 0)
        bid, ask = book.top()
    assert bid == (Decimal("12345.678"), Decimal("92233720368.54775807"))
    assert ask == (Decimal("12345.679"), Decimal(1))


def test_a_view_is_best_first_cut_to_the_depth_and_never_changes() -> None:
    book = live_book()
    view = book.view(0, depth=1)
    book.on_diff(make_diff(11, 11, [("99", "0")], [("101", "0")]), 0)
    assert view.bids == ((Decimal(99), Decimal(1)),)
    assert view.asks == ((Decimal(101), Decimal(1)),)
    assert [price for price, _ in book.view(0).asks] == [Decimal(102)]
    assert book.view(0, depth=0).bids == ()
    assert len(book.view(0, depth=99).asks) == 1


def test_a_view_carries_the_times_and_id_of_the_last_change() -> None:
    book = live_book()
    assert (book.view(0).exchange_time, book.view(0).received_at) == (None, 10)
    book.on_diff(make_diff(11, 15, [("99", "2")]), 0)
    view = book.view(0)
    assert (view.update_id, view.exchange_time, view.received_at) == (15, 150, 15)
    book.on_snapshot(make_snapshot(20), 0)
    assert (book.view(0).exchange_time, book.view(0).received_at) == (None, 20)


def test_age_counts_from_the_last_word_even_one_without_a_change() -> None:
    """(fault F058)"""
    book = LocalBook("binance", "BTC-USDT", judge)
    assert book.age(50 * SECOND) == 0.0
    book.on_snapshot(make_snapshot(10), 2 * SECOND)
    assert book.view(5 * SECOND).age == 3.0
    book.on_diff(make_diff(9, 10), 4 * SECOND)
    assert book.view(5 * SECOND).age == 1.0
    book.invalidate("disconnected", 5 * SECOND)
    assert book.view(5 * SECOND).age == 1.0


def test_a_failed_snapshot_is_needed_again() -> None:
    """(fault F054)"""
    book = LocalBook("binance", "BTC-USDT", judge)
    book.snapshot_requested()
    assert not book.needs_snapshot
    book.snapshot_failed()
    assert book.needs_snapshot


def test_a_failed_snapshot_is_not_needed_once_another_one_came() -> None:
    book = live_book()
    book.snapshot_failed()
    assert not book.needs_snapshot


def test_a_wandering_market_does_not_fill_the_memory() -> None:
    book = live_book()
    for update_id in range(11, 12_011):
        price = f"{200 + update_id}"
        book.on_diff(make_diff(update_id, update_id, [], [(price, "1")]), 0)
        book.on_diff(make_diff(update_id, update_id + 1, [], [(price, "0")]), 0)
    assert len(book._asks._keys) == len(book._asks._quantities) == 2
    assert book.on_diff(make_diff(update_id + 1, update_id + 2, [], [("101", "5")]), 0)
    assert book.top()[1] == (Decimal(101), Decimal(5))


def test_many_snapshots_do_not_fill_the_memory() -> None:
    book = live_book()
    for update_id in range(11, 111):
        book.on_snapshot(make_snapshot(update_id, [(f"{update_id}", "1")]), 0)
    assert len(book._bids._keys) == len(book._bids._quantities) == 1


def test_a_change_that_no_snapshot_reaches_does_not_end_the_book_for_ever() -> None:
    """One absurd id, and no end of snapshots that are older (faults F042, F052)."""
    book = LocalBook("test", "BTC-USDT", judge)
    book.on_snapshot(make_snapshot(10), 1)
    book.on_diff(make_diff(2**60, 2**60), 2)
    book.on_diff(make_diff(11, 12), 3)
    for update_id in range(12, 17):
        assert not book.on_snapshot(make_snapshot(update_id), 4)
        assert str(2**60) in book.reason
    assert not book.on_snapshot(make_snapshot(17), 5)
    assert book.needs_snapshot
    book.on_diff(make_diff(18, 19), 6)
    assert book.on_snapshot(make_snapshot(18), 7)
    assert (book.state, book.update_id) == ("live", 19)


def test_a_snapshot_in_the_stream_is_the_book_whatever_it_was() -> None:
    """It is in order with the diffs: also an older number, and nothing that was buffered before it counts (F057)."""
    book = LocalBook("test", "BTC-USDT", judge)
    book.on_diff(make_diff(3, 4), 1)
    assert book.on_stream_snapshot(make_snapshot(10), 2)
    assert (book.state, book.update_id, book.needs_snapshot) == (BookState.LIVE, 10, False)
    assert book.on_diff(make_diff(11, 11), 3)
    assert book.on_stream_snapshot(make_snapshot(1), 4)
    assert (book.update_id, book.on_diff(make_diff(2, 2), 5)) == (1, True)
    assert not book.on_stream_snapshot(make_snapshot(2), 6), "the same number is no news"
    assert book.age(6) == 0


def test_a_malformed_or_crossed_snapshot_in_the_stream_leaves_no_book() -> None:
    """(fault F059)"""
    book = LocalBook("test", "BTC-USDT", judge)
    book.on_stream_snapshot(make_snapshot(10), 1)
    with pytest.raises(ProtocolError):
        book.on_stream_snapshot(make_snapshot(11, [("1", "x")], []), 2)
    assert (book.state, book.needs_snapshot) == (BookState.BROKEN, True)
    assert not book.on_stream_snapshot(make_snapshot(12, [("2", "1")], [("1", "1")]), 3)
    assert (book.reason, book.needs_snapshot) == ("crossed", True)


def test_a_crossed_version_among_buffered_changes_is_not_forgotten_when_a_later_one_hides_it() -> None:
    """The level that caused it would stay (fault F059)."""
    book = LocalBook("binance", "BTC-USDT", judge)
    book.on_diff(make_diff(11, 11, [("102", "1")]), 0)
    book.on_diff(make_diff(12, 12, [], [("101", "0")]), 0)
    assert not book.on_snapshot(make_snapshot(10, [("99", "1")], [("101", "1"), ("103", "1")]), 0)
    assert (book.state, book.reason) == (BookState.BROKEN, "crossed")
    assert book.on_snapshot(make_snapshot(11, [("99", "1")], [("101", "1"), ("103", "1")]), 0)
    assert levels(book) == ({"99": "1"}, {"103": "1"})
