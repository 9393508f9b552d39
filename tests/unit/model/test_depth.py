"""Questions about the depth of a book, against plain counting with fractions."""

from __future__ import annotations

import doctest
from decimal import Decimal, localcontext
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exconn_sync.errors import StaleBook, ValidationError
from exconn_sync.model import book_view
from exconn_sync.model.book_view import BookView
from exconn_sync.model.enums import BookState, Side
from tests.machines.make import fixed

Rows = list[tuple[str, str]]


def view(bids: Rows, asks: Rows, state: BookState = BookState.LIVE, *, has_all: bool = True) -> BookView:
    made: dict[str, Any] = {
        "bids": [(Decimal(price), quantity) for price, quantity in bids],
        "asks": [(Decimal(price), quantity) for price, quantity in asks],
    }
    return BookView(
        exchange="binance", symbol="BTC-USDT", state=state, has_all_bids=has_all, has_all_asks=has_all, **made
    )


BOOK = view([("99", "1"), ("98", "2")], [("100", "2"), ("101", "3")])

sizes = st.integers(1, 10**12).map(lambda number: Decimal(number).scaleb(-8))
sides = st.lists(st.tuples(st.integers(1, 10**6), sizes), min_size=1, max_size=12, unique_by=lambda level: level[0])


def asks_of(levels: list[tuple[int, Decimal]]) -> Rows:
    return [(str(Decimal(price).scaleb(-2)), str(size)) for price, size in sorted(levels)]


def unit_by_unit(rows: Rows, wanted: Fraction, *, is_base: bool) -> tuple[Fraction, Fraction, int]:
    """Return quantity, amount and touched levels, worked out with fractions."""
    quantity = amount = Fraction(0)
    for touched, (price_text, size_text) in enumerate(rows, 1):
        price, size = Fraction(price_text), Fraction(size_text)
        left = wanted - quantity if is_base else (wanted - amount) / price
        part = min(size, left)
        quantity, amount = quantity + part, amount + part * price
        if (quantity if is_base else amount) == wanted:
            return quantity, amount, touched
    return quantity, amount, len(rows)


@fixed
@given(sides, sizes)
def test_a_fill_by_quantity_is_exact(levels: list[tuple[int, Decimal]], wanted: Decimal) -> None:
    rows = asks_of(levels)
    with localcontext() as context:
        context.prec = 3
        fill = view([], rows).fill("buy", quantity=wanted)
    quantity, amount, touched = unit_by_unit(rows, Fraction(wanted), is_base=True)
    assert (Fraction(fill.quantity), Fraction(fill.amount), fill.levels) == (quantity, amount, touched)
    assert Fraction(fill.missing) == Fraction(wanted) - quantity
    assert fill.is_complete == (quantity == Fraction(wanted))
    assert fill.worst_price == Decimal(rows[touched - 1][0])
    average = fill.average_price
    assert average is not None
    assert abs(Fraction(average) - amount / quantity) <= Fraction(average) / 10**27
    assert fill.best_price is not None
    assert fill.worst_price is not None
    assert fill.best_price <= average <= fill.worst_price


@fixed
@given(sides, st.integers(1, 10**14).map(lambda number: Decimal(number).scaleb(-6)))
def test_a_fill_by_amount_pays_exactly_that(levels: list[tuple[int, Decimal]], wanted: Decimal) -> None:
    rows = asks_of(levels)
    fill = view([], rows).fill(Side.BUY, amount=wanted)
    quantity, amount, touched = unit_by_unit(rows, Fraction(wanted), is_base=False)
    assert (Fraction(fill.amount), fill.levels) == (amount, touched)
    assert Fraction(fill.missing) == Fraction(wanted) - amount
    assert 0 <= quantity - Fraction(fill.quantity) <= quantity / 10**26, "never more than it pays for"


@fixed
@given(sides, st.integers(0, 10**6))
def test_the_depth_to_a_price_is_the_sum_of_all_levels_within(levels: list[tuple[int, Decimal]], limit: int) -> None:
    rows = asks_of(levels)
    price = Decimal(limit).scaleb(-2)
    book = view(list(reversed(rows)), rows)
    for side, within in (
        ("buy", [row for row in rows if Decimal(row[0]) <= price]),
        ("sell", [row for row in rows if Decimal(row[0]) >= price]),
    ):
        found = book.depth_to(side, price)
        assert found.levels == len(within)
        assert Fraction(found.quantity) == sum((Fraction(size) for _, size in within), Fraction(0))
        assert Fraction(found.amount) == sum((Fraction(p) * Fraction(size) for p, size in within), Fraction(0))
        assert found.is_complete
        sums = book.cumulative(side)
        if within:
            assert sums[len(within) - 1][1:] == (found.quantity, found.amount)
        assert [level.price for level in sums] == [Decimal(p) for p, _ in (rows if side == "buy" else reversed(rows))]


def test_slippage_and_impact_are_shares_of_the_best_price_whichever_side() -> None:
    bought, sold = BOOK.fill("buy", quantity=4), BOOK.fill("sell", quantity="2")
    assert (bought.average_price, bought.slippage, bought.impact) == (
        Decimal("100.5"),
        Decimal("0.005"),
        Decimal("0.01"),
    )
    assert (sold.average_price, sold.best_price, sold.worst_price) == (Decimal("98.5"), Decimal(99), Decimal(98))
    assert sold.slippage == Decimal("0.5") / 99
    assert BOOK.fill("sell", quantity=1).impact == 0


def test_a_book_that_does_not_hold_it_says_how_much_it_lacks_and_whether_there_may_be_more() -> None:
    fill = BOOK.fill("buy", quantity="6")
    assert (fill.quantity, fill.missing) == (Decimal(5), Decimal(1))
    assert (fill.is_complete, fill.is_all_there_is) == (False, True)
    cut = BOOK.limited(1).fill("buy", amount="500")
    assert (cut.amount, cut.missing, cut.is_complete, cut.is_all_there_is) == (Decimal(200), Decimal(300), False, False)
    empty = view([], []).fill("sell", quantity=1)
    assert (empty.quantity, empty.missing) == (Decimal(0), Decimal(1))
    assert (empty.average_price, empty.slippage, empty.impact) == (None, None, None)


def test_a_depth_that_ends_before_the_price_is_a_lower_bound_where_there_may_be_more() -> None:
    cut = view([("99", "1")], [("100", "2"), ("101", "3")], has_all=False)
    assert [cut.depth_to("buy", price).is_complete for price in ("100.5", "101", "102")] == [True, True, False]
    assert [cut.depth_to("sell", price).is_complete for price in ("100", "99", "98")] == [True, True, False]
    assert BOOK.depth_to("buy", "1000").is_complete
    assert view([], [], has_all=False).depth_to("buy", 1).is_complete is False


def test_mid_and_spread() -> None:
    assert (BOOK.mid_price, BOOK.spread) == (Decimal("99.5"), Decimal(1))
    assert (view([], [("1", "1")]).mid_price, view([("1", "1")], []).spread) == (None, None)


@pytest.mark.parametrize(
    "terms",
    [{}, {"quantity": 1, "amount": 1}, {"quantity": 1.5}, {"quantity": 0}, {"amount": "-1"}, {"quantity": "x"}],
)
def test_a_question_without_one_exact_number_is_refused(terms: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        BOOK.fill("buy", **terms)


def test_other_bad_questions_are_refused() -> None:
    for ask in (
        lambda: BOOK.fill("both", quantity=1),
        lambda: BOOK.depth_to("buy", 1.5),  # type: ignore[arg-type]
        lambda: BOOK.cumulative("buy", 0),
        lambda: BOOK.cumulative("buy", True),
    ):
        with pytest.raises(ValidationError):
            ask()


@pytest.mark.parametrize("state", [item for item in BookState if item is not BookState.LIVE])
def test_a_book_that_is_not_whole_answers_nothing(state: BookState) -> None:
    book = view([("99", "1")], [("100", "1")], state)
    for ask in (
        lambda: book.fill("buy", quantity=1),
        lambda: book.depth_to("sell", 1),
        lambda: book.cumulative("buy"),
        lambda: book.mid_price,
        lambda: book.spread,
    ):
        with pytest.raises(StaleBook):
            ask()


def test_the_examples_are_true() -> None:
    names = {"example_view": view}
    found = doctest.DocTestFinder().find(BookView, "BookView", module=book_view, extraglobs=names)
    runner = doctest.DocTestRunner()
    for example in found:
        runner.run(example)
    assert runner.summarize(verbose=False) == (0, 9)
