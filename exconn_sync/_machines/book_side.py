"""The levels of one side of an order book, kept so that a diff is applied in a few microseconds.

How it is fast: the exchange's text of a price leads to a sort key that was made once, when the text was first seen;
quantities stay text until somebody reads them, and their form is checked for a whole diff at once. Both sides are
sorted with the best level at the end, where most changes happen and where inserting into a list moves the least: the
sort key of an ask is its negated price.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Sequence
from decimal import Decimal

from exconn_sync.errors import ProtocolError
from exconn_sync.model.book_view import Level
from exconn_sync.model.market import Row

_NUMBER = r"[0-9]{1,30}(?:\.[0-9]{1,30})?"
_is_number = re.compile(_NUMBER).fullmatch
_are_numbers = re.compile(rf"{_NUMBER}(?: {_NUMBER})*").fullmatch
_MAX_TEXT = 60
_SPARE_TEXTS = 10_000


class BookSide:
    """Bids or asks of one book; not thread-safe.

    Numbers must be plain non-negative ASCII decimals such as ``0.00100000``: Python's Decimal would also accept NaN,
    Infinity, underscores, exponents and foreign digits (fault model 0.6).

    Attributes:
        deepest: the worst price of the snapshot that was loaded, None for an empty one.
    """

    __slots__ = ("_is_bids", "_key_of_text", "_keys", "_quantities", "deepest")

    def __init__(self, *, is_bids: bool) -> None:
        self._is_bids = is_bids
        self._keys: list[Decimal] = []
        self._quantities: dict[Decimal, str] = {}
        self._key_of_text: dict[str, Decimal] = {}
        self.deepest: Decimal | None = None

    def __len__(self) -> int:
        return len(self._keys)

    def load(self, rows: Sequence[Row]) -> None:
        """Replace everything by the levels of a snapshot.

        Raises:
            ProtocolError: a malformed price or quantity; nothing is replaced then.
        """
        _check_quantities(rows)
        self._key_of_text.clear()
        # One sort instead of keeping order row by row: a snapshot may bring thousands of levels.
        quantities = {self._key_of(price): quantity for price, quantity in rows}
        self._quantities = {key: quantity for key, quantity in quantities.items() if quantity.strip("0.")}
        self._keys = sorted(self._quantities)
        self.deepest = self._price_of(self._keys[0]) if self._keys else None

    def apply(self, rows: Sequence[Row]) -> None:
        """Set the quantities of some levels; zero removes the level, also one that is not there (fault F056).

        Raises:
            ProtocolError: a malformed price or quantity; some of the rows may have been applied.
        """
        if not rows:
            return
        _check_quantities(rows)
        key_of_text, keys, quantities = self._key_of_text, self._keys, self._quantities
        for price, quantity in rows:
            key = key_of_text.get(price)
            if key is None:
                key = self._key_of(price)
            if quantity.strip("0."):
                if key not in quantities:
                    keys.insert(bisect_left(keys, key), key)
                quantities[key] = quantity
            elif key in quantities:
                del quantities[key]
                del keys[bisect_left(keys, key)]
        if len(key_of_text) > 4 * len(keys) + _SPARE_TEXTS:
            # A wandering market must not fill the memory with prices nobody offers any more.
            key_of_text.clear()

    @property
    def best_price(self) -> Decimal | None:
        """The price that trades first, or None."""
        return self._price_of(self._keys[-1]) if self._keys else None

    def best_level(self) -> Level | None:
        """Return price and quantity of the best level, or None."""
        if not self._keys:
            return None
        key = self._keys[-1]
        return self._price_of(key), Decimal(self._quantities[key])

    def copy(self, depth: int | None) -> tuple[tuple[Decimal, str], ...]:
        """Return an immutable copy of the best ``depth`` levels, or of all, best first."""
        keys = self._keys if depth is None else self._keys[max(0, len(self._keys) - depth) :]
        quantities = self._quantities
        if self._is_bids:
            return tuple([(key, quantities[key]) for key in reversed(keys)])
        return tuple([(key.copy_negate(), quantities[key]) for key in reversed(keys)])

    def count_to(self, price: Decimal) -> int:
        """Return how many levels are as good as a price or better."""
        return len(self._keys) - bisect_left(self._keys, price if self._is_bids else price.copy_negate())

    def _price_of(self, key: Decimal) -> Decimal:
        return key if self._is_bids else key.copy_negate()

    def _key_of(self, price: str) -> Decimal:
        """Return the sort key of a price; texts of one value, as ``1.0`` and ``1.00``, have equal keys (F114)."""
        if len(price) > _MAX_TEXT or _is_number(price) is None:
            raise _malformed("price", price)
        # Neither the constructor nor the negation rounds, whatever the thread's context says.
        key = Decimal(price) if self._is_bids else Decimal(price).copy_negate()
        self._key_of_text[price] = key
        return key


def _check_quantities(rows: Sequence[Row]) -> None:
    """Check all quantities in one match, which costs half of matching each; only a failure looks at them one by one."""
    quantities = [quantity for _, quantity in rows]
    joined = " ".join(quantities)
    if quantities and (_are_numbers(joined) is None or joined.count(" ") != len(quantities) - 1):
        wrong = next(text for text in quantities if _is_number(text) is None)
        raise _malformed("quantity", wrong)


def _malformed(what: str, text: str) -> ProtocolError:
    return ProtocolError(f"malformed {what} in an order book", details={"payload": text[:_MAX_TEXT]})
