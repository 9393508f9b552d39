"""The levels of one side of an order book, kept so that a diff is applied in a few microseconds.

How it is fast, and small: a level is found by an integer, its price counted in the smallest part of a price that the
side has seen, and its quantity stays the text that the exchange sent until somebody reads it. Integers are exact
whatever the number of digits, hash and compare faster than Decimals, and take a third of their memory. Both sides are
sorted with the best level at the end, where most changes happen and where inserting into a list moves the least: the
key of an ask is its negated price.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Sequence
from decimal import Decimal
from functools import lru_cache
from itertools import repeat

import msgspec

from exconn_sync.errors import ProtocolError
from exconn_sync.model.book_view import Level
from exconn_sync.model.market import Row

_is_number = re.compile(r"[0-9]{1,30}(?:\.[0-9]{1,30})?").fullmatch
_SHOWN = 60
_DIGITS = b"0123456789"
_TENS: tuple[int, ...] = tuple([10**decimals for decimals in range(31)])
_joined = msgspec.json.Encoder().encode
_USUAL_LENGTH = 30
"""A text of so many characters has no more digits than a number may have."""


class BookSide:
    """Bids or asks of one book; not thread-safe.

    Numbers must be plain non-negative ASCII decimals such as ``0.00100000``: Python's Decimal would also accept NaN,
    Infinity, underscores, exponents and foreign digits (fault model 0.6).

    Attributes:
        deepest: the worst price of the snapshot that was loaded, None for an empty one.
    """

    __slots__ = ("_decimals", "_floor", "_keys", "_quantities", "_sign", "deepest")

    def __init__(self, *, is_bids: bool) -> None:
        self._sign = 1 if is_bids else -1
        # Keys count prices in units of the last one of so many decimals.
        self._decimals = 0
        self._keys: list[int] = []
        # Beside the keys, each at the place of its level: a dictionary would take more and be no faster.
        self._quantities: list[str] = []
        # A price that was counted to, and its key: it is asked for again and again.
        self._floor: tuple[Decimal, int] | None = None
        self.deepest: Decimal | None = None

    def __len__(self) -> int:
        return len(self._keys)

    def load(self, rows: Sequence[Row]) -> None:
        """Replace everything by the levels of a snapshot.

        Raises:
            ProtocolError: a malformed price or quantity; nothing is replaced then.
        """
        self._decimals, self._floor = _check(rows), None
        # One sort instead of keeping order row by row: a snapshot may bring thousands of levels.
        quantities = {self._key_of(price): quantity for price, quantity in rows}
        self._keys = sorted([key for key, quantity in quantities.items() if quantity.strip("0.")])
        self._quantities = [quantities[key] for key in self._keys]
        self.deepest = self._price_at(0)

    def apply(self, rows: Sequence[Row]) -> None:
        """Set the quantities of some levels; zero removes the level, also one that is not there (fault F056).

        Raises:
            ProtocolError: a malformed price or quantity; some of the rows may have been applied.
        """
        if not (_are_plain([quantity for _, quantity in rows]) and self._has_applied(rows)):
            self._count_in(_check(rows))
            # What was applied is applied again, to the same end.
            for price, quantity in rows:
                self._set(self._key_of(price), quantity)

    def _has_applied(self, rows: Sequence[Row]) -> bool:
        """Apply rows whose quantities are in order; return False at one that has to be looked at by itself."""
        sign, decimals, keys, quantities = self._sign, self._decimals, self._keys, self._quantities
        for price, quantity in rows:
            has, number = counted(price)
            if has != decimals:
                if not 0 <= has < decimals:
                    return False
                number *= _TENS[decimals - has]
            if len(quantity) > _USUAL_LENGTH:
                return False
            key = sign * number
            place = bisect_left(keys, key)
            is_there = place < len(keys) and keys[place] == key
            if quantity.strip("0."):
                if is_there:
                    quantities[place] = quantity
                else:
                    keys.insert(place, key)
                    quantities.insert(place, quantity)
            elif is_there:
                del keys[place]
                del quantities[place]
        return True

    def _set(self, key: int, quantity: str) -> None:
        place = bisect_left(self._keys, key)
        if place < len(self._keys) and self._keys[place] == key:
            del self._keys[place]
            del self._quantities[place]
        if quantity.strip("0."):
            self._keys.insert(place, key)
            self._quantities.insert(place, quantity)

    def _count_in(self, decimals: int) -> None:
        """Count in smaller units from now on, where a price needs them; the order of the levels stays."""
        if decimals > self._decimals:
            factor = _TENS[decimals - self._decimals]
            self._keys = [key * factor for key in self._keys]
            self._decimals, self._floor = decimals, None

    def _key_of(self, price: str) -> int:
        has, number = counted(price)
        return self._sign * number * _TENS[self._decimals - has]

    @property
    def best_price(self) -> Decimal | None:
        """The price that trades first, or None."""
        return self._price_at(-1)

    def best_level(self) -> Level | None:
        """Return price and quantity of the best level, or None."""
        if not self._keys:
            return None
        return price_of(self._keys[-1], self._decimals), Decimal(self._quantities[-1])

    def copy(self, depth: int | None) -> tuple[tuple[Decimal, str], ...]:
        """Return an immutable copy of the best ``depth`` levels, or of all, best first."""
        first = 0 if depth is None else max(0, len(self._keys) - depth)
        prices = map(price_of, reversed(self._keys[first:]), repeat(self._decimals))
        return tuple(zip(prices, reversed(self._quantities[first:]), strict=True))

    def count_to(self, price: Decimal) -> int:
        """Return how many levels are as good as a price or better."""
        if self._floor is None or self._floor[0] is not price:
            over, under = price.as_integer_ratio()
            # Rounded up, which is towards better prices on both sides.
            self._floor = price, -(-self._sign * over * _TENS[self._decimals] // under)
        return len(self._keys) - bisect_left(self._keys, self._floor[1])

    def _price_at(self, index: int) -> Decimal | None:
        return price_of(self._keys[index], self._decimals) if self._keys else None


@lru_cache(maxsize=8192)
def price_of(key: int, decimals: int) -> Decimal:
    """Return the price for which a key stands; the same ones, near the best, are read again and again.

    Made from text, because calculating would round to the precision of the thread's context (fault F182).
    """
    digits = str(abs(key)).rjust(decimals + 1, "0")
    return Decimal(f"{digits[:-decimals]}.{digits[-decimals:]}" if decimals else digits)


@lru_cache(maxsize=1 << 15)
def counted(price: str) -> tuple[int, int]:
    """Return how many decimals a price has, and how many units of the last one it is; -1 decimals for no number.

    The same prices change again and again, so that most of them were looked at before.
    """
    if _is_number(price) is None:
        return -1, 0
    whole, _, fraction = price.partition(".")
    return len(fraction), int(whole + fraction)


def _are_plain(quantities: list[str]) -> bool:
    """Return whether all texts are digits, with one point at most, which is not at an end.

    They are looked at in one piece, which the encoder joins quicker than anything else does: what is left of it without
    digits has one form.
    """
    try:
        joined = _joined(quantities)
    except ValueError:
        # A lone surrogate cannot be encoded.
        return False
    form = joined.translate(None, _DIGITS).replace(b'"."', b'""')
    if form[1:-1] + b"," != b'"",' * len(quantities):
        return not quantities
    return b'".' not in joined and b'."' not in joined and b'""' not in joined


def _check(rows: Sequence[Row]) -> int:
    """Return the largest number of decimals of a price.

    Raises:
        ProtocolError: a malformed number.
    """
    for price, quantity in rows:
        if _is_number(price) is None:
            raise _malformed("price", price)
        if _is_number(quantity) is None:
            raise _malformed("quantity", quantity)
    return max((counted(price)[0] for price, _ in rows), default=0)


def _malformed(what: str, text: str) -> ProtocolError:
    return ProtocolError(f"malformed {what} in an order book", details={"payload": text[:_SHOWN]})
