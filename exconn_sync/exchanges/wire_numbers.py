"""Numbers as exchanges write them: plain decimal text and milliseconds since the Unix epoch."""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal
from functools import lru_cache

from exconn_sync.model.numbers import ZERO

NS_PER_MS = 1_000_000
NS_PER_US = 1_000
_MICROSECONDS_FROM = 10**14
"""A time since the epoch from here on is in microseconds: in milliseconds it would be in the year 5138."""

# The same 38 digits that the user's numbers may have. ``Decimal`` alone would also take NaN, blanks, underscores,
# full-width digits and exponents that print as megabytes (faults F039, F041).
_NUMBER = r"[0-9]{1,20}(?:\.[0-9]{1,18})?"
_is_number = re.compile("-?" + _NUMBER, re.ASCII).fullmatch
_is_never_negative = re.compile(_NUMBER, re.ASCII).fullmatch
_MALFORMED, _NEGATIVE = "a number is not plain decimal text", "a price or quantity is negative"


@lru_cache(maxsize=4096)
def number(text: str) -> Decimal:
    """Return the exact Decimal of a number that is never negative: a price, quantity or limit.

    The cache is for the market streams, where most texts come again at once: a hit costs less than a conversion.

    Raises:
        ValueError: not plain decimal text, too many digits, or negative.
    """
    if _is_never_negative(text) is None:
        raise ValueError(_NEGATIVE if text.startswith("-") else _MALFORMED)
    return Decimal(text) or ZERO


# For numbers that hardly ever come twice, such as volumes: they would only push those out that do.
fresh_number: Callable[[str], Decimal] = number.__wrapped__


def signed_number(text: str) -> Decimal:
    """Return the exact Decimal of a number that may be negative: a fee (a rebate, fault F113) or a balance.

    Raises:
        ValueError: not plain decimal text, or too many digits.
    """
    if _is_number(text) is None:
        raise ValueError(_MALFORMED)
    # A plain zero: "0.00000000" would print as 0E-8.
    return Decimal(text) or ZERO


def optional_number(text: str | None) -> Decimal | None:
    """Return the number, or None for an absent one (fault F037: absent is not zero).

    Raises:
        ValueError: present, but not plain decimal text.
    """
    return None if text is None else number(text)


def number_unless_zero(text: str | None) -> Decimal | None:
    """Return the number, or None for an absent one and for the zero by which exchanges say "not used".

    Raises:
        ValueError: present, but not plain decimal text.
    """
    return optional_number(text) or None


def number_unless_negative(text: str | None) -> Decimal | None:
    """Return the number, or None for an absent one and for a negative one, by which exchanges say "not known".

    Raises:
        ValueError: present, but not plain decimal text.
    """
    value = None if text is None else signed_number(text)
    return None if value is None or value < 0 else value


def ns_of_ms(milliseconds: int) -> int:
    """Return nanoseconds of the milliseconds of the wire."""
    return milliseconds * NS_PER_MS


def ns_of_time(value: int) -> int:
    """Return nanoseconds of a time since the epoch in milliseconds or microseconds; its size tells which."""
    return value * (NS_PER_US if value >= _MICROSECONDS_FROM else NS_PER_MS)


def ns_of_ms_unless_negative(milliseconds: int | None) -> int | None:
    """Return nanoseconds, or None for an absent time and for a negative one, by which exchanges say "not yet"."""
    return None if milliseconds is None or milliseconds < 0 else milliseconds * NS_PER_MS


def optional_ns_of_ms(milliseconds: int | None) -> int | None:
    """Return nanoseconds of the milliseconds of the wire, or None for an absent time."""
    return None if milliseconds is None else milliseconds * NS_PER_MS
