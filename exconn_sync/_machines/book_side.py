"""The levels of one side of an order book, kept so that a diff is applied in a few microseconds.

How it is fast, and small: a level is found by a binary number that stands for its price, and its quantity stays the
text that the exchange sent until somebody reads it. A binary number tells any two prices of up to 15 digits apart,
orders them rightly and leads back to the exact price; it is never shown and never calculated with. Where a price has
more digits, the side goes over to Decimals. Both sides are sorted with the best level at the end, where most changes
happen and where inserting into a list moves the least: the key of an ask is its negated price.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Callable, Sequence
from decimal import Decimal
from functools import lru_cache
from typing import TypeAlias

import msgspec

from exconn_sync.errors import ProtocolError
from exconn_sync.model.book_view import Level
from exconn_sync.model.market import Row

_is_number = re.compile(r"[0-9]{1,30}(?:\.[0-9]{1,30})?").fullmatch
_SHOWN = 60
_USUAL = b'0123456789.",[]'
_joined = msgspec.json.Encoder().encode
_DIGITS_TOLD_APART = 15
"""Any two numbers of so many decimal digits are different binary numbers of 64 bits, in the same order."""

_SHORT_PRICE, _SHORT_QUANTITY = _DIGITS_TOLD_APART + 1, 30
"""Lengths up to which a text has no more digits than that, or than a number may have."""

Key: TypeAlias = "float | Decimal"


class BookSide:
    """Bids or asks of one book; not thread-safe.

    Numbers must be plain non-negative ASCII decimals such as ``0.00100000``: Python's Decimal would also accept NaN,
    Infinity, underscores, exponents and foreign digits (fault model 0.6).

    Attributes:
        deepest: the worst price of the snapshot that was loaded, None for an empty one.
    """

    __slots__ = ("_floor", "_keys", "_make_key", "_quantities", "_sign", "deepest")

    def __init__(self, *, is_bids: bool) -> None:
        self._sign = "" if is_bids else "-"
        self._make_key: Callable[[str], Key] = float
        self._keys: list[Key] = []
        # Beside the keys, each at the place of its level: a dictionary would take more and be no faster.
        self._quantities: list[str] = []
        # A price that was counted to, and its key: it is asked for again and again.
        self._floor: tuple[Decimal, Key] | None = None
        self.deepest: Decimal | None = None

    def __len__(self) -> int:
        return len(self._keys)

    def load(self, rows: Sequence[Row]) -> None:
        """Replace everything by the levels of a snapshot.

        Raises:
            ProtocolError: a malformed price or quantity; nothing is replaced then.
        """
        make_key, sign = Decimal if _check(rows) else float, self._sign
        # One sort instead of keeping order row by row: a snapshot may bring thousands of levels.
        quantities: dict[Key, str] = {make_key(sign + price): quantity for price, quantity in rows}
        self._make_key, self._floor = make_key, None
        self._keys = sorted([key for key, quantity in quantities.items() if quantity.strip("0.")])
        self._quantities = [quantities[key] for key in self._keys]
        self.deepest = self._price_at(0)

    def apply(self, rows: Sequence[Row]) -> None:
        """Set the quantities of some levels; zero removes the level, also one that is not there (fault F056).

        Raises:
            ProtocolError: a malformed price or quantity; some of the rows may have been applied.
        """
        if rows and not self._has_applied_usual(rows):
            self._apply_any(rows)

    def _has_applied_usual(self, rows: Sequence[Row]) -> bool:
        """Apply rows in the quick way; return False where they have to be looked at one by one, and applied again."""
        if self._make_key is not float:
            return False
        try:
            if not _are_usual(rows):
                return False
            self._apply_usual(rows)
        except ValueError:
            # Too long, empty, two points, or no text at all.
            return False
        return True

    def _apply_usual(self, rows: Sequence[Row]) -> None:
        sign, keys, quantities = self._sign, self._keys, self._quantities
        for price, quantity in rows:
            if len(price) > _SHORT_PRICE or len(quantity) > _SHORT_QUANTITY:
                raise ValueError("a number is longer than usual")
            key = float(sign + price)
            place = bisect_left(keys, key)
            is_there = place < len(keys) and keys[place] == key
            if float(quantity):
                if is_there:
                    quantities[place] = quantity
                else:
                    keys.insert(place, key)
                    quantities.insert(place, quantity)
            elif is_there:
                del keys[place]
                del quantities[place]

    def _apply_any(self, rows: Sequence[Row]) -> None:
        if _check(rows):
            self._go_over_to_decimals()
        keys, quantities = self._keys, self._quantities
        for price, quantity in rows:
            key = self._make_key(self._sign + price)
            place = bisect_left(keys, key)
            if place < len(keys) and keys[place] == key:
                del keys[place]
                del quantities[place]
            if quantity.strip("0."):
                keys.insert(place, key)
                quantities.insert(place, quantity)

    def _go_over_to_decimals(self) -> None:
        if self._make_key is float:
            self._make_key, self._floor = Decimal, None
            # In the same order, so that the quantities stay where they are.
            self._keys = [Decimal(f"{self._sign}{price_of(key):f}") for key in self._keys]

    @property
    def best_price(self) -> Decimal | None:
        """The price that trades first, or None."""
        return self._price_at(-1)

    def best_level(self) -> Level | None:
        """Return price and quantity of the best level, or None."""
        if not self._keys:
            return None
        return price_of(self._keys[-1]), Decimal(self._quantities[-1])

    def copy(self, depth: int | None) -> tuple[tuple[Decimal, str], ...]:
        """Return an immutable copy of the best ``depth`` levels, or of all, best first."""
        first = 0 if depth is None else max(0, len(self._keys) - depth)
        prices = map(price_of, reversed(self._keys[first:]))
        return tuple(zip(prices, reversed(self._quantities[first:]), strict=True))

    def count_to(self, price: Decimal) -> int:
        """Return how many levels are as good as a price or better."""
        if self._floor is None or self._floor[0] is not price:
            self._floor = price, self._make_key(f"{self._sign}{price:f}")
        return len(self._keys) - bisect_left(self._keys, self._floor[1])

    def _price_at(self, index: int) -> Decimal | None:
        return price_of(self._keys[index]) if self._keys else None


@lru_cache(maxsize=8192)
def price_of(key: Key) -> Decimal:
    """Return the exact price for which a key stands; the same ones, near the best, are read again and again.

    The shortest text that leads to a binary number is the price itself, where that has no more than 15 digits. Nothing
    here rounds, whatever the thread's context says (fault F182).
    """
    if isinstance(key, Decimal):
        return key.copy_abs()
    # In plain notation: a text of Decimal with an exponent would print with one.
    return Decimal(format(Decimal(repr(abs(key)).removesuffix(".0")), "f"))


def _are_usual(rows: Sequence[Row]) -> bool:
    """Return whether all texts consist of digits and points, with a digit at both ends.

    They are looked at in one piece, which the encoder joins many times as fast as ``str.join`` would. What else may be
    wrong with them is refused by ``float``.
    """
    joined = _joined(rows)
    if joined.translate(None, _USUAL):
        return False
    return b'".' not in joined and b'."' not in joined


def _check(rows: Sequence[Row]) -> bool:
    """Return whether a price has more digits than a binary number tells apart.

    Raises:
        ProtocolError: a malformed number.
    """
    for price, quantity in rows:
        if _is_number(price) is None:
            raise _malformed("price", price)
        if _is_number(quantity) is None:
            raise _malformed("quantity", quantity)
    return any(
        len(price) > _SHORT_PRICE and len(price.replace(".", "").strip("0")) > _DIGITS_TOLD_APART for price, _ in rows
    )


def _malformed(what: str, text: str) -> ProtocolError:
    return ProtocolError(f"malformed {what} in an order book", details={"payload": text[:_SHOWN]})
