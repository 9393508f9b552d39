"""One side of a book against plain dictionaries of Decimals: exact, whatever the number of digits."""

from __future__ import annotations

from decimal import Decimal, localcontext

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exconn_sync._machines.book_side import BookSide, price_of
from exconn_sync.errors import ProtocolError
from exconn_sync.model.market import Row

# Few prices, so that they meet again in another spelling, and some with far more digits than the others.
_WHOLE = st.sampled_from(["0", "1", "61837", "123456789012345", "1234567890123456", "9" * 30])
_FRACTION = st.sampled_from(
    [
        "",
        "0",
        "00000000",
        "1",
        "10",
        "63",
        "00000001",
        "000000010",
        "1234567890123456",
        "1234567890123457",
        "0" * 29 + "1",
    ]
)
_PRICES = st.tuples(_WHOLE, _FRACTION).map(lambda parts: ".".join(part for part in parts if part))
_QUANTITIES = st.sampled_from(["0", "0.00000000", "1", "0.00000001", "1.50", "9" * 30, "0." + "0" * 29 + "1"])
_ROWS = st.lists(st.tuples(_PRICES, _QUANTITIES), max_size=12)


def levels(side: BookSide) -> list[tuple[Decimal, Decimal]]:
    return [(price, Decimal(quantity)) for price, quantity in side.copy(None)]


@pytest.mark.parametrize("is_bids", [True, False])
@given(snapshot=_ROWS, diffs=st.lists(_ROWS, max_size=6))
def test_it_is_what_a_dictionary_of_decimals_would_be(
    is_bids: bool, snapshot: list[Row], diffs: list[list[Row]]
) -> None:
    """(faults F056, F114, F180)"""
    side = BookSide(is_bids=is_bids)
    expected: dict[Decimal, Decimal] = {}
    for number, rows in enumerate([snapshot, *diffs]):
        side.apply(rows) if number else side.load(rows)
        for price, quantity in rows:
            expected[Decimal(price)] = Decimal(quantity)
        expected = {price: quantity for price, quantity in expected.items() if quantity}
        best_first = sorted(expected.items(), reverse=is_bids)
        assert levels(side) == best_first
        assert side.best_level() == (best_first[0] if best_first else None)
        assert side.best_price == (best_first[0][0] if best_first else None)
        assert len(side) == len(best_first)
        for place, (level, _) in enumerate(best_first, 1):
            assert side.count_to(level) == place
        assert levels(side)[:2] == [(price, Decimal(quantity)) for price, quantity in side.copy(2)]


@pytest.mark.parametrize("is_bids", [True, False])
def test_prices_of_many_digits_are_told_apart_from_when_they_come(is_bids: bool) -> None:
    """Two prices that would be one and the same binary number."""
    near, far = "61837.6300000000001", "61837.6300000000002"
    assert float(near) == float(far)
    side = BookSide(is_bids=is_bids)
    side.load([("61837.63", "1"), ("61837.64", "2")])
    side.apply([(near, "3"), (far, "4")])
    side.apply([("61837.63000000", "0")])
    found = dict(levels(side))
    assert found == {Decimal(near): 3, Decimal(far): 4, Decimal("61837.64"): 2}
    side.load([("61837.63", "1")])
    assert levels(side) == [(Decimal("61837.63"), Decimal(1))]


WRONG = [
    "", ".", "1.", ".5", "1.2.3", "-1", "+1", " 1", "1 ", "1 2", "1_0", "1e5", "1E5", "nan", "inf", "Infinity", "0x1",
    "\uff11", "1,5", "\ud800", "1\n", "9" * 31, "0." + "1" * 31,
]  # fmt: skip


@pytest.mark.parametrize("text", WRONG)
@pytest.mark.parametrize("where", ["price", "quantity"])
@pytest.mark.parametrize("others", [0, 3])
def test_what_is_no_plain_number_is_refused(text: str, where: str, others: int) -> None:
    """(faults F039, F041)"""
    rows = [("1", "1")] * others + [(text, "1") if where == "price" else ("2", text)] + [("3", "1")] * others
    side = BookSide(is_bids=True)
    side.load([("5", "1")])
    with pytest.raises(ProtocolError, match=f"malformed {where}"):
        side.load(rows)
    assert levels(side) == [(Decimal(5), Decimal(1))]
    with pytest.raises(ProtocolError, match=f"malformed {where}"):
        side.apply(rows)


@pytest.mark.parametrize("is_bids", [True, False])
def test_prices_are_read_as_they_were_written(is_bids: bool) -> None:
    side = BookSide(is_bids=is_bids)
    side.load([("61837.63000000", "1.00"), ("0.00000001", "2")])
    assert {str(price) for price, _ in side.copy(None)} == {"61837.63000000", "1E-8"}
    assert {quantity for _, quantity in side.copy(None)} == {"1.00", "2"}


@pytest.mark.parametrize("is_bids", [True, False])
@given(prices=st.lists(_PRICES, min_size=1, max_size=8), limit=_PRICES)
def test_it_counts_to_a_price_that_lies_between_levels(is_bids: bool, prices: list[str], limit: str) -> None:
    side = BookSide(is_bids=is_bids)
    side.load([(price, "1") for price in prices])
    distinct = {Decimal(price) for price in prices}
    bound = Decimal(limit)
    assert side.count_to(bound) == sum(price >= bound if is_bids else price <= bound for price in distinct)


@given(st.integers(0, 10**40), st.integers(0, 30))
def test_a_key_leads_back_to_the_exact_price(digits: int, decimals: int) -> None:
    """Whatever the context of the thread says (fault F182)."""
    price = Decimal((0, tuple(map(int, str(digits))), -decimals))
    price_of.cache_clear()
    with localcontext() as context:
        context.prec = 2
        assert price_of(digits, decimals) == price_of(-digits, decimals) == price
