"""What fills add up to, in whatever order they arrive."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exconn_sync._machines.position import PositionBook, fold_position
from exconn_sync.model.account import Position
from exconn_sync.model.enums import FactSource, Side
from exconn_sync.model.numbers import EXACT
from exconn_sync.model.orders import Fill
from tests.machines.make import fixed, make_fill

B, S = Side.BUY, Side.SELL

hundredths = st.integers(1, 500).map(lambda n: str(Decimal(n) / 100))
many = st.lists(
    st.builds(
        make_fill,
        trade_id=st.integers(1, 12).map(str),
        quantity=hundredths,
        price=hundredths,
        side=st.sampled_from(Side),
        fee=st.sampled_from(["0", "0.01", "-0.02"]),
        fee_asset=st.sampled_from([None, "BTC", "USDT", "BNB"]),
        exchange_time=st.sampled_from([None, 1, 2, 3]),
        received_at=st.integers(1, 5),
    ),
    max_size=8,
)


def position_of(*fills: Fill) -> Position:
    return fold_position("binance", "BTC-USDT", "BTC", "USDT", fills)


def trades(*rows: tuple[Side, str, str]) -> list[Fill]:
    return [make_fill(str(n), quantity, price, side) for n, (side, quantity, price) in enumerate(rows)]


@pytest.mark.parametrize(
    ("rows", "quantity", "average", "realized"),
    [
        ([], "0", None, "0"),
        ([(B, "1", "100")], "1", "100", "0"),
        ([(B, "1", "100"), (B, "3", "104")], "4", "103", "0"),
        ([(B, "4", "103"), (S, "1", "113")], "3", "103", "10"),
        ([(B, "4", "103"), (S, "4", "100")], "0", None, "-12"),
        ([(B, "1", "100"), (S, "3", "110")], "-2", "110", "10"),
        ([(S, "2", "110"), (B, "1", "100")], "-1", "110", "10"),
        ([(S, "2", "110"), (B, "5", "120")], "3", "120", "-20"),
        ([(S, "1", "100"), (S, "1", "200")], "-2", "150", "0"),
        ([(B, "1", "100"), (S, "1", "110"), (B, "1", "90")], "1", "90", "10"),
        # 113 / 15 does not end: what the parts leave by rounding must be gone when the position is closed.
        ([(B, "14", "8"), (B, "1", "1"), (S, "2", "2"), (S, "9", "2"), (S, "4", "2")], "0", None, "-83"),
    ],
)
def test_quantity_entry_price_and_profit(
    rows: list[tuple[Side, str, str]], quantity: str, average: str | None, realized: str
) -> None:
    position = position_of(*trades(*rows))
    assert position.quantity == Decimal(quantity)
    assert position.average_price == (None if average is None else Decimal(average))
    assert position.realized == Decimal(realized)


def test_a_division_leaves_no_trail_of_zeros() -> None:
    position = position_of(*trades((B, "2", "8"), (B, "1", "1"), (S, "1", "2"), (S, "2", "2"), (B, "1", "3")))
    assert (str(position.realized), str(position.average_price)) == ("-11", "3")


def test_a_fee_in_base_reduces_what_was_bought_and_costs_its_value() -> None:
    position = position_of(make_fill("1", "1", "100", B, fee="0.001", fee_asset="BTC"))
    assert (position.quantity, position.average_price) == (Decimal("0.999"), Decimal(100))
    assert position.realized == Decimal("-0.1")


def test_a_fee_in_quote_reduces_the_profit() -> None:
    position = position_of(make_fill("1", "1", "100", B, fee="0.1", fee_asset="USDT"))
    assert (position.quantity, position.realized) == (Decimal(1), Decimal("-0.1"))


def test_a_rebate_in_base_adds_to_the_quantity() -> None:
    position = position_of(make_fill("1", "1", "100", B, fee="-0.001", fee_asset="BTC"))
    assert (position.quantity, position.realized) == (Decimal("1.001"), Decimal("0.1"))


def test_other_fees_are_collected_by_asset() -> None:
    fills = [make_fill(str(n), fee=fee, fee_asset=asset) for n, (fee, asset) in enumerate([("1", "XRP"), ("2", "BNB"), ("0.5", "BNB"), ("9", None)])]  # fmt: skip # noqa: E501
    assert position_of(*fills).other_fees == (("BNB", Decimal("2.5")), ("XRP", Decimal(1)))
    assert position_of(*fills).realized == 0


def test_received_at_is_that_of_the_newest_fill() -> None:
    assert position_of(make_fill("1", received_at=9), make_fill("2", received_at=4)).received_at == 9


@fixed
@given(st.data(), many)
def test_any_order_with_duplicates_gives_the_same(data: st.DataObject, fills: list[Fill]) -> None:
    """(fault F096)"""
    repeats = data.draw(st.lists(st.sampled_from(fills), max_size=3)) if fills else []
    shuffled = data.draw(st.permutations([*fills, *repeats]))
    assert position_of(*shuffled) == position_of(*fills)


@fixed
@given(st.data(), many)
def test_reading_between_the_fills_changes_nothing(data: st.DataObject, fills: list[Fill]) -> None:
    book = PositionBook("binance", "BTC-USDT", "BTC", "USDT")
    for count, fill in enumerate(data.draw(st.permutations(fills)) if fills else [], 1):
        before = book.position
        assert book.add(fill) or book.position == before
        assert len(book._in_order) <= count
    assert book.position == position_of(*fills)


@fixed
@given(many)
def test_no_money_and_no_quantity_is_made_or_lost(fills: list[Fill]) -> None:
    distinct = list({fill.trade_id: fill for fill in fills}.values())
    quantity = cash = Decimal(0)
    for fill in distinct:
        signed = fill.quantity if fill.side is B else -fill.quantity
        quantity += signed - (fill.fee if fill.fee_asset == "BTC" else 0)
        cash -= signed * fill.price + (fill.fee if fill.fee_asset == "USDT" else 0)
    position = position_of(*distinct)
    held = EXACT.multiply(position.quantity, position.average_price or Decimal(0))
    assert position.quantity == quantity
    # The average price is shown to 28 digits.
    assert abs(EXACT.subtract(EXACT.subtract(position.realized, held), cash)) < Decimal("1e-24")


def test_fills_in_order_are_added_without_starting_again() -> None:
    book = PositionBook("binance", "BTC-USDT", "BTC", "USDT")
    book.add(make_fill("1", exchange_time=1))
    first = book._sum
    book.add(make_fill("2", exchange_time=2))
    assert (book.position.quantity, book._sum is first) == (Decimal(2), True)
    book.add(make_fill("0", exchange_time=0, side=S))
    assert (book.position.quantity, book._sum is first) == (Decimal(1), False)


def test_a_fill_known_already_is_not_new() -> None:
    book = PositionBook("binance", "BTC-USDT", "BTC", "USDT")
    assert book.add(make_fill("1", "2"))
    assert not book.add(make_fill("1", "2", source=FactSource.STREAM, received_at=99))
    assert book.position.quantity == 2


def test_a_fee_that_comes_later_is_taken_in() -> None:
    """(fault F113)"""
    book = PositionBook("binance", "BTC-USDT", "BTC", "USDT")
    book.add(make_fill("1", fee_asset=None))
    assert book.add(make_fill("1", fee="0.25", fee_asset="USDT"))
    assert (book.position.quantity, book.position.realized) == (Decimal(1), Decimal("-0.25"))


def test_what_was_realized_since_a_moment() -> None:
    book = PositionBook("binance", "BTC-USDT", "BTC", "USDT")
    book.add(make_fill("1", "4", "100", B, exchange_time=10))
    book.add(make_fill("2", "1", "110", S, exchange_time=20, fee="1", fee_asset="BNB"))
    book.add(make_fill("3", "1", "90", S, exchange_time=30, fee="2", fee_asset="BNB"))
    assert book.since(0) == (Decimal(0), {"BNB": Decimal(3)})
    assert book.since(25) == (Decimal(-10), {"BNB": Decimal(2)})
    # One from before, told late, changes what the position had cost by then.
    book.add(make_fill("0", "4", "80", B, exchange_time=5))
    assert book.since(25) == (Decimal(0), {"BNB": Decimal(2)})
    book.add(make_fill("4", "1", "95", S, exchange_time=40))
    assert book.since(25).realized == 5
    assert book.since(41) == (Decimal(0), {})


@fixed
@given(st.data(), many, st.integers(0, 6))
def test_what_was_realized_is_the_difference_of_two_positions(data: st.DataObject, fills: list[Fill], at: int) -> None:
    book = PositionBook("binance", "BTC-USDT", "BTC", "USDT")
    for fill in data.draw(st.permutations(fills)) if fills else []:
        book.add(fill)
        book.since(at)
    earlier = [fill for fill in book._in_order if (fill.exchange_time or fill.received_at) < at]
    assert book.since(at).realized == EXACT.subtract(book.position.realized, position_of(*earlier).realized)
