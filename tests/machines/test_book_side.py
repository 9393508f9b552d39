"""One side of a book against plain dictionaries of Decimals: exact, whatever the number of digits."""

from __future__ import annotations

from decimal import Decimal, localcontext

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exconn_sync._machines.book_side import BookSide, price_of
from exconn_sync.errors import ProtocolError
from exconn_sync.model.market import Row

# Few prices, so that they meet again in another spelling, and some that differ beyond what a binary number tells apart.
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
    """Two prices that are one and the same binary number."""
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


@given(st.integers(1, 10**15 - 1), st.integers(0, 30))
def test_a_key_leads_back_to_the_exact_price(digits: int, decimals: int) -> None:
    """In plain notation, and whatever the context of the thread says (fault F182)."""
    price = Decimal(digits).scaleb(-decimals)
    text = format(price, "f")
    price_of.cache_clear()
    with localcontext() as context:
        context.prec = 2
        assert price_of(float(text)) == price_of(float("-" + text)) == price
    assert "E" not in format(price_of(float(text)), "f")
