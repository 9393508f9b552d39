"""Exact numbers: what is refused, and what stays exactly as it was."""

from __future__ import annotations

import decimal
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exconn_sync.errors import ValidationError
from exconn_sync.model.numbers import (
    EXACT,
    ceil_to,
    decimal_of,
    floor_to,
    is_multiple,
    needs_more_decimals,
    plain_text,
    positive_decimal_of,
    quotient,
)
from tests.unit.support import fixed

valid = st.decimals(allow_nan=False, allow_infinity=False).filter(
    lambda number: len(number.as_tuple().digits) <= 38 and abs(int(number.as_tuple().exponent)) <= 30
)
steps = st.builds(lambda digits, exponent: Decimal(digits).scaleb(exponent), st.integers(1, 999), st.integers(-30, 2))

REFUSED: list[object] = [
    1.5, 0.0, float("nan"), True, False, None, [], b"1", Decimal("NaN"), Decimal("sNaN"), Decimal("Infinity"),
    Decimal("-Infinity"), "", " ", "1 ", " 1", "1_000", "\uff11\uff12", "٣", "0x10", "NaN", "Infinity", "-inf", "1e",
    "e5", ".",
    "+", "--1", "1,5", "1e9999", "1e31", "1E-31", "1" * 39, "0." + "1" * 39, "9" * 100_000, 10**40, 10**5000,
    Decimal("1e1000000"), Decimal("1e-31"), "1\n", "1\x00",
]  # fmt: skip


@pytest.mark.parametrize("value", REFUSED, ids=lambda value: type(value).__name__)
def test_what_is_no_exact_number_is_refused_by_the_name_of_its_field(value: object) -> None:
    """(fault F180)"""
    with pytest.raises(ValidationError) as caught:
        decimal_of("stop_price", value)
    assert caught.value.field == "stop_price"
    assert caught.value.outcome == "not_sent"
    assert len(str(caught.value)) < 400


@pytest.mark.parametrize(
    ("value", "number"),
    [
        ("0.001", Decimal("0.001")), ("1e-8", Decimal("1E-8")), (".5", Decimal("0.5")), ("5.", Decimal(5)),
        ("+7", Decimal(7)), ("-7", Decimal(-7)), (12, Decimal(12)), (Decimal("1.50"), Decimal("1.50")),
        (Decimal("0.1640000000000000000000000000000"), Decimal("0.164")), ("1." + "0" * 60, Decimal(1)),
        (Decimal("0E-40"), Decimal(0)), (Decimal("12" + "0" * 40 + "E-40"), Decimal(12)),
        ("9" * 38, Decimal("9" * 38)), (10**37, Decimal(10**37)), ("1e30", Decimal("1e30")),
    ],
)  # fmt: skip
def test_what_is_exact_stays_exact(value: object, number: Decimal) -> None:
    assert decimal_of("price", value) == number
    assert str(decimal_of("price", value)) == str(number)


def test_a_refused_float_is_told_what_to_pass_instead() -> None:
    """(fault F181)"""
    with pytest.raises(ValidationError, match=r"Decimal\('0.1'\)"):
        decimal_of("price", 0.1)


@pytest.mark.parametrize("value", [0, "0", "-1", "0.000", Decimal("-0")])
def test_zero_and_less_is_not_positive(value: object) -> None:
    with pytest.raises(ValidationError, match="greater than zero"):
        positive_decimal_of("quantity", value)


@fixed
@given(valid)
def test_plain_text_is_plain_exact_and_short(number: Decimal) -> None:
    text = plain_text(number)
    assert Decimal(text) == number
    assert "E" not in text
    assert "e" not in text
    assert text != "-0"
    if "." in text:
        assert not text.endswith(("0", "."))


@fixed
@given(valid)
def test_plain_text_can_be_read_back(number: Decimal) -> None:
    text = plain_text(number)
    if len(text.replace(".", "").strip("-0")) <= 38 and len(text) < 38:
        assert decimal_of("price", text) == number


@pytest.mark.parametrize(
    ("number", "text"),
    [("1E-8", "0.00000001"), ("-0.0", "0"), ("100", "100"), ("1E+3", "1000"), ("1.2300", "1.23"), ("0E-9", "0")],
)
def test_plain_text_of_the_awkward(number: str, text: str) -> None:
    assert plain_text(Decimal(number)) == text


@fixed
@given(valid, steps)
def test_rounding_gives_a_multiple_that_is_never_larger_and_less_than_a_step_away(
    number: Decimal, step: Decimal
) -> None:
    floored = floor_to(number, step)
    assert is_multiple(floored, step)
    assert abs(floored) <= abs(number)
    assert EXACT.subtract(abs(number), abs(floored)) < step


@fixed
@given(valid, valid)
def test_the_product_of_two_numbers_is_exact(one: Decimal, other: Decimal) -> None:
    with decimal.localcontext(decimal.Context(prec=400)):
        assert EXACT.multiply(one, other) == one * other


def test_a_step_of_zero_allows_everything() -> None:
    assert is_multiple(Decimal("1.23456"), Decimal(0))
    assert floor_to(Decimal("1.23456"), Decimal(0)) == Decimal("1.23456")


def test_the_context_of_the_host_program_has_no_influence() -> None:
    """(fault F182)"""
    hostile = decimal.Context(prec=2, rounding=decimal.ROUND_UP, traps=[decimal.Inexact, decimal.Rounded])
    with decimal.localcontext(hostile):
        number = decimal_of("price", "12345.6789")
        assert str(number) == "12345.6789"
        assert plain_text(number) == "12345.6789"
        assert plain_text(floor_to(number, Decimal("0.01"))) == "12345.67"
        assert str(quotient(Decimal(1), Decimal(3))) == "0." + "3" * 28


@fixed
@given(valid.filter(lambda number: number > 0), steps)
def test_the_multiple_above_is_the_next_one(number: Decimal, step: Decimal) -> None:
    above = ceil_to(number, step)
    assert is_multiple(above, step)
    assert EXACT.subtract(above, step) < number <= above
    assert ceil_to(number, Decimal(0)) == number


@pytest.mark.parametrize(
    ("text", "places"), [("1", 0), ("1.5", 1), ("1.500", 1), ("0.00000001", 8), ("1e-8", 8), ("1e5", 0), ("10.0", 0)]
)
def test_how_many_decimals_a_number_needs(text: str, places: int) -> None:
    assert not needs_more_decimals(Decimal(text), places)
    assert places == 0 or needs_more_decimals(Decimal(text), places - 1)
