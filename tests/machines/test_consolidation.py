"""One picture over several exchanges."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exconn_sync._machines.consolidation import BestPrice, best_price, merged_levels
from exconn_sync.errors import ValidationError
from exconn_sync.model.book_view import BookView
from exconn_sync.model.enums import BookState, Side
from tests.machines.make import fixed

Rows = list[tuple[str, str]]


def view_of(
    exchange: str,
    bids: Rows | None = None,
    asks: Rows | None = None,
    state: BookState = BookState.LIVE,
    age: float = 0.0,
    symbol: str = "BTC-USDT",
) -> BookView:
    return BookView(
        exchange=exchange,
        symbol=symbol,
        state=state,
        bids=[(Decimal(price), quantity) for price, quantity in bids or []],
        asks=[(Decimal(price), quantity) for price, quantity in asks or []],
        age=age,
    )


def test_the_best_of_each_side_may_come_from_different_exchanges() -> None:
    views = [
        view_of("binance", [("99", "1")], [("102", "2")], age=0.5),
        view_of("bybit", [("98", "3")], [("101", "4")], age=0.25),
    ]
    best = best_price(views, 1.0)
    assert best.symbol == "BTC-USDT"
    assert (best.bid_price, best.bid_quantity, best.bid_exchange) == (Decimal(99), Decimal(1), "binance")
    assert (best.ask_price, best.ask_quantity, best.ask_exchange) == (Decimal(101), Decimal(4), "bybit")
    assert (best.spread, best.is_crossed) == (Decimal(2), False)
    assert (dict(best.ages), dict(best.left_out)) == ({"binance": 0.5, "bybit": 0.25}, {})


@pytest.mark.parametrize(("ask", "spread"), [("100", "0"), ("99", "-1")])
def test_exchanges_may_be_crossed_with_each_other(ask: str, spread: str) -> None:
    best = best_price([view_of("a", [("100", "1")], [("105", "1")]), view_of("b", [("90", "1")], [(ask, "1")])], 1.0)
    assert (best.is_crossed, best.spread) == (True, Decimal(spread))


def test_old_and_unreadable_books_are_left_out_and_named() -> None:
    views = [
        view_of("a", [("100", "1")], age=1.5),
        view_of("b", [("99", "1")], age=1.0),
        view_of("c", state=BookState.SYNCING),
    ]
    best = best_price(views, 1.0)
    assert best.bid_exchange == "b"
    assert dict(best.left_out) == {"a": "no word for 1.5 s", "c": "syncing"}
    assert set(best.ages) == {"b"}


def test_a_side_nobody_has_stays_empty() -> None:
    best = best_price([view_of("a", [("100", "1")])], 1.0)
    assert (best.ask_price, best.ask_quantity, best.ask_exchange) == (None, None, None)
    assert (best.spread, best.is_crossed) == (None, False)
    assert best_price([], 1.0) == BestPrice("")


def test_at_equal_prices_the_larger_quantity_wins_then_the_name() -> None:
    views = [view_of(name, [("100", q)], [("101", q)]) for name, q in [("c", "1"), ("b", "2"), ("a", "2.0")]]
    best = best_price(views, 1.0)
    assert (best.bid_exchange, best.ask_exchange) == ("a", "a")


def test_views_of_different_symbols_are_refused() -> None:
    with pytest.raises(ValidationError):
        best_price([view_of("a"), view_of("b", symbol="ETH-USDT")], 1.0)


def test_merged_levels_are_best_first_and_cut() -> None:
    views = [
        view_of("b", [("100", "1"), ("98", "2")], [("101", "1"), ("103", "2")]),
        view_of("a", [("100", "3"), ("99", "4")], [("102", "3")]),
        view_of("c", [("999", "1")], state=BookState.STALE),
    ]
    assert merged_levels(views, Side.BUY, 3) == [
        (Decimal(100), Decimal(3), "a"),
        (Decimal(100), Decimal(1), "b"),
        (Decimal(99), Decimal(4), "a"),
    ]
    assert [(str(price), exchange) for price, _, exchange in merged_levels(views, Side.SELL, None)] == [
        ("101", "b"),
        ("102", "a"),
        ("103", "b"),
    ]


prices = st.lists(st.integers(1, 9), unique=True, max_size=5)


@fixed
@given(st.lists(st.tuples(prices, prices), max_size=4), st.integers(0, 6))
def test_merged_levels_hold_every_level_once(books: list[tuple[list[int], list[int]]], depth: int) -> None:
    views = [
        view_of(
            f"x{n}",
            [(str(price), "1") for price in sorted(bids, reverse=True)],
            [(str(price), "1") for price in sorted(asks)],
        )
        for n, (bids, asks) in enumerate(books)
    ]
    for side, sign in ((Side.BUY, -1), (Side.SELL, 1)):
        column = 0 if side is Side.BUY else 1
        expected = sorted((sign * price, f"x{n}") for n, book in enumerate(books) for price in book[column])
        found = [(sign * int(price), exchange) for price, _, exchange in merged_levels(views, side, None)]
        assert found == expected
        assert merged_levels(views, side, depth) == merged_levels(views, side, None)[:depth]
