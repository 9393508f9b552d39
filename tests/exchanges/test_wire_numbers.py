"""Numbers of the wire become exact Decimals, or are refused."""

from decimal import Context, Decimal, localcontext

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exconn_sync.exchanges.wire_numbers import (
    ns_of_ms,
    number,
    number_unless_negative,
    number_unless_zero,
    optional_ns_of_ms,
    optional_number,
    signed_number,
)

PLAIN = st.from_regex(r"[0-9]{1,20}(\.[0-9]{1,18})?", fullmatch=True).filter(str.isascii)

MALFORMED = [
    "", " ", "NaN", "sNaN", "Infinity", "-Infinity", "1e5", "1E-8", "1_000", " 1", "1 ", "+1", "1.", ".1", "0x10",
    "\uff11", "\u0663", "1,5", "1" * 21, "0." + "1" * 19, "1" * 100_000, "--1", "1.1.1", "\x001",
]  # fmt: skip


@given(PLAIN)
def test_a_plain_number_keeps_its_exact_text(text: str) -> None:
    # Only zero loses its zeros: as a Decimal "0.00000000" would print as 0E-8.
    assert format(number(text), "f") == (format(Decimal(text), "f") if Decimal(text) else "0")
    assert number(text) == Decimal(text)


@given(PLAIN)
def test_the_hosts_decimal_context_changes_nothing(text: str) -> None:
    """(fault F182)"""
    with localcontext(Context(prec=3)):
        found = signed_number(text)
    assert found == Decimal(text)


@pytest.mark.parametrize("text", MALFORMED)
def test_what_is_not_plain_decimal_text_is_refused(text: str) -> None:
    """(fault F041)"""
    with pytest.raises(ValueError, match="plain decimal"):
        signed_number(text)
    with pytest.raises(ValueError, match=r"plain decimal|negative"):
        number(text)


def test_a_negative_price_is_refused_and_a_negative_fee_is_not() -> None:
    with pytest.raises(ValueError, match="negative"):
        number("-1.5")
    assert signed_number("-1.5") == Decimal("-1.5")


def test_the_error_does_not_repeat_a_hostile_text() -> None:
    with pytest.raises(ValueError, match="plain decimal") as caught:
        number("\x1b[31mred")
    assert "red" not in str(caught.value)


def test_saturated_levels_of_binance_are_exact() -> None:
    assert str(number("92233720368.54775807")) == "92233720368.54775807"


def test_absent_is_not_zero() -> None:
    """(fault F037)"""
    assert optional_number(None) is None
    assert optional_number("0.0") == 0
    assert number_unless_zero(None) is None
    assert number_unless_zero("0.00000000") is None
    assert number_unless_zero("0.1") == Decimal("0.1")
    assert number_unless_negative(None) is None
    assert number_unless_negative("-1") is None
    assert number_unless_negative("0") == 0


def test_milliseconds_become_nanoseconds() -> None:
    assert ns_of_ms(1_499_827_319_559) == 1_499_827_319_559_000_000
    assert optional_ns_of_ms(None) is None
    assert optional_ns_of_ms(1) == 1_000_000
