"""Exact numbers: from the user's input and the wire's text to Decimal and back.

Prices and quantities never pass through a binary float. All arithmetic uses ``EXACT``, a context of our own, because
the host program may have changed the thread's context (fault F182).
"""

from __future__ import annotations

import re
from decimal import Context, Decimal, DivisionByZero, InvalidOperation, Overflow

from exconn_sync.errors import ValidationError

EXACT = Context(prec=100, traps=[InvalidOperation, DivisionByZero, Overflow])
"""Decimal context for every calculation with money: 100 digits hold any product of two numbers that ``decimal_of``
lets through (76) and any whole number of steps in one (98)."""

_QUOTIENTS = Context(prec=28, traps=[InvalidOperation, DivisionByZero, Overflow])

ZERO = Decimal(0)
_ONE = Decimal(1)
ROUNDINGS = ("down", "up", "nearest")

_GRAMMAR = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,3})?", re.ASCII)
_MAX_DIGITS = 38
_MAX_EXPONENT = 30
_MAX_UNROUNDED = 60


def decimal_of(field: str, value: object) -> Decimal:
    """Return an exact, finite Decimal of a Decimal, int or text.

    Raises:
        ValidationError: a float (binary fractions are not exact), a bool, NaN, infinity, a malformed text, or more
            than 38 digits or an exponent beyond 30 (faults F180, F181), zeros at the end not counted.
    """
    number = _finite_decimal(field, value)
    if _is_within(number, _MAX_DIGITS, _MAX_EXPONENT):
        return number
    # Zeros at the end come of calculations and say nothing: 0.1640000000000000000000000000000 is 0.164.
    shorter = _without_final_zeros(number)
    if _is_within(shorter, _MAX_DIGITS, _MAX_EXPONENT):
        return shorter
    raise ValidationError(field, value, f"has more than {_MAX_DIGITS} digits or an exponent beyond {_MAX_EXPONENT}")


def unrounded_of(field: str, value: object) -> Decimal:
    """Return a Decimal that is going to be rounded; a quotient may have more decimals than ``decimal_of`` lets through.

    Raises:
        ValidationError: as ``decimal_of``, with limits of 60 digits and 60 decimals, or the number is negative.
    """
    number = _finite_decimal(field, value)
    if number < ZERO:
        raise ValidationError(field, value, "must not be negative")
    # As large as the largest of ``decimal_of``, so that EXACT holds the whole steps in it.
    if not _is_within(number, _MAX_UNROUNDED, _MAX_UNROUNDED) or number.adjusted() >= _MAX_DIGITS + _MAX_EXPONENT:
        raise ValidationError(field, value, f"has more than {_MAX_UNROUNDED} digits or decimals")
    return number


def _finite_decimal(field: str, value: object) -> Decimal:
    if isinstance(value, float):
        raise ValidationError(
            field, value, f"a float is not exact; pass text or Decimal, for example Decimal('{value!r}')"
        )
    if isinstance(value, bool) or not isinstance(value, (Decimal, int, str)):
        raise ValidationError(field, value, "must be a Decimal, an int or a text")
    if isinstance(value, int) and value.bit_length() > 4 * _MAX_DIGITS:
        # Checked on bits: making text of a huge int is itself refused by CPython, or slow.
        raise ValidationError(field, "<huge int>", f"has more than {_MAX_DIGITS} digits")
    if isinstance(value, str) and (len(value) > 4 * _MAX_DIGITS or not _GRAMMAR.fullmatch(value)):
        raise ValidationError(field, value, "must be a plain decimal number such as 0.001")
    number = Decimal(value)
    if not number.is_finite():
        raise ValidationError(field, value, "must be a finite number")
    return number


def _is_within(number: Decimal, most_digits: int, most_exponent: int) -> bool:
    _, digits, exponent = number.as_tuple()
    return len(digits) <= most_digits and abs(int(exponent)) <= most_exponent


def _without_final_zeros(number: Decimal) -> Decimal:
    sign, digits, exponent = number.as_tuple()
    kept = len(digits)
    while kept > 1 and digits[kept - 1] == 0:
        kept -= 1
    if digits[:kept] == (0,):
        return ZERO
    return Decimal((sign, digits[:kept], int(exponent) + len(digits) - kept))


def positive_decimal_of(field: str, value: object) -> Decimal:
    """Return ``decimal_of(field, value)``, which must be greater than zero.

    Raises:
        ValidationError: as ``decimal_of``, or the number is zero or negative.
    """
    number = decimal_of(field, value)
    if number <= ZERO:
        raise ValidationError(field, value, "must be greater than zero")
    return number


def plain_text(number: Decimal) -> str:
    """Return the number in plain notation without superfluous zeros: ``0.00000001``, never ``1E-8``."""
    text = format(number, "f")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text in ("-0", "") else text


def is_multiple(number: Decimal, step: Decimal) -> bool:
    """Return whether the number is a whole multiple of the step; a step of zero allows everything."""
    return step == ZERO or EXACT.remainder(number, step) == ZERO


def quotient(dividend: Decimal, divisor: Decimal) -> Decimal:
    """Return a quotient to 28 significant digits: an average is seldom exact, and more digits only fill the screen."""
    return _QUOTIENTS.divide(dividend, divisor)


def floor_to(number: Decimal, step: Decimal) -> Decimal:
    """Return the nearest multiple of the step towards zero; a step of zero returns the number."""
    if step == ZERO:
        return number
    return EXACT.subtract(number, EXACT.remainder(number, step))


def ceil_to(number: Decimal, step: Decimal) -> Decimal:
    """Return the nearest multiple of the step at or above a positive number; a step of zero returns the number."""
    below = floor_to(number, step)
    return below if below == number else EXACT.add(below, step)


def rounded_to(number: Decimal, step: Decimal, rounding: str) -> Decimal:
    """Return a multiple of the step near a number that is not negative, with no more decimals than the step.

    ``rounding`` is one of ``ROUNDINGS``; a number half way between two goes ``down`` for ``nearest``. A step of zero
    returns the number.

    Raises:
        ValidationError: another word.
    """
    if rounding not in ROUNDINGS:
        raise ValidationError("rounding", rounding, "must be one of " + ", ".join(ROUNDINGS))
    if step == ZERO:
        return number
    below = found = floor_to(number, step)
    if rounding != "down" and below != number:
        above = EXACT.add(below, step)
        if rounding == "up" or EXACT.subtract(above, number) < EXACT.subtract(number, below):
            found = above
    # The number's own decimals would stay as zeros, and be too many for an order.
    places = min(0, int(_without_final_zeros(step).as_tuple().exponent))
    return EXACT.quantize(found, EXACT.scaleb(_ONE, places)) or ZERO


def needs_more_decimals(number: Decimal, places: int) -> bool:
    """Return whether the number cannot be written with so many decimals; zeros at its end do not count."""
    exponent = number.as_tuple().exponent
    if not isinstance(exponent, int) or -exponent <= places:
        return False
    return len(plain_text(number).partition(".")[2]) > places
