"""What the levels of an order book come to: for a quantity, for an amount, and down to a price.

All sums and products are exact. Only what is seldom exact, an average or a share, is rounded, to 28 digits.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import ROUND_DOWN, Context, Decimal
from typing import NamedTuple

from exconn_sync.errors import ValidationError
from exconn_sync.model.enums import Side
from exconn_sync.model.numbers import EXACT, ZERO, decimal_of, positive_decimal_of, quotient

_DOWN = Context(prec=28, rounding=ROUND_DOWN)


class CumulativeLevel(NamedTuple):
    """One level of a book, with everything up to it: ``quantity`` in base and ``amount`` in quote, both summed up."""

    price: Decimal
    quantity: Decimal
    amount: Decimal


@dataclass(frozen=True)
class Depth:
    """What a book holds from its best price to a price or number of levels, that one included.

    Attributes:
        quantity: the sum of all quantities, in base.
        amount: the sum of all quantities times their prices, in quote.
        levels: how many levels that are.
        is_complete: False where the view ends before, and the exchange may have more: it is at least so much then.
    """

    quantity: Decimal
    amount: Decimal
    levels: int
    is_complete: bool


@dataclass(frozen=True)
class DepthFill:
    """What a market order would trade against a book, if the book stayed as it is. Fees are not in it.

    Attributes:
        side: the side of the order: ``buy`` takes asks, ``sell`` takes bids.
        quantity: what it would trade, in base. Of a part of a level that an amount pays for, it is rounded down to 28
            digits.
        amount: what it would pay or get, in quote.
        best_price: the price it begins at, None for an empty side.
        worst_price: the price it ends at.
        levels: how many levels it touches.
        missing: how much of what was asked for the shown levels do not hold, in base or in quote as it was asked; zero
            where they hold it all.
        is_all_there_is: where something is missing, True says that the exchange had no more, False that the view ends
            there and nobody knows.
    """

    side: Side
    quantity: Decimal
    amount: Decimal
    best_price: Decimal | None
    worst_price: Decimal | None
    levels: int
    missing: Decimal
    is_all_there_is: bool

    @property
    def is_complete(self) -> bool:
        """True where the shown levels hold all that was asked for."""
        return self.missing == ZERO

    @property
    def average_price(self) -> Decimal | None:
        """The volume-weighted average price (VWAP) of what it would trade, to 28 digits; None where that is nothing."""
        return quotient(self.amount, self.quantity) if self.quantity else None

    @property
    def slippage(self) -> Decimal | None:
        """How far the average price is beyond the best one, as a share of it: 0.001 is a tenth of a per cent."""
        return _beyond(self.best_price, self.average_price)

    @property
    def impact(self) -> Decimal | None:
        """How far the order moves the price, from the best to the worst one it touches, as a share of the best."""
        return _beyond(self.best_price, self.worst_price)


def fill_of(
    side: Side, levels: Sequence[tuple[Decimal, Decimal]], has_all: bool, quantity: object, amount: object
) -> DepthFill:
    """Return what takes a quantity, or what an amount pays for, out of levels that are best first.

    Raises:
        ValidationError: not exactly one of both, or one that is no positive exact number.
    """
    if (quantity is None) == (amount is None):
        raise ValidationError("quantity", quantity, "must be given, or amount instead of it")
    is_base = quantity is not None
    left = positive_decimal_of("quantity", quantity) if is_base else positive_decimal_of("amount", amount)
    taken = paid = ZERO
    touched = 0
    for price, size in levels:
        if left == ZERO:
            break
        touched += 1
        worth = EXACT.multiply(price, size)
        part, cost = size, worth
        if (size if is_base else worth) > left:
            part, cost = (left, EXACT.multiply(price, left)) if is_base else (_DOWN.divide(left, price), left)
        taken, paid = EXACT.add(taken, part), EXACT.add(paid, cost)
        left = EXACT.subtract(left, part if is_base else cost)
    return DepthFill(
        side, taken, paid, levels[0][0] if levels else None, levels[touched - 1][0] if touched else None, touched,
        left, has_all,
    )  # fmt: skip


def cumulative(levels: Iterable[tuple[Decimal, Decimal]]) -> list[CumulativeLevel]:
    """Return levels that are best first, each with the sums of all up to it."""
    quantity = amount = ZERO
    found = []
    for price, size in levels:
        quantity, amount = EXACT.add(quantity, size), EXACT.add(amount, EXACT.multiply(price, size))
        found.append(CumulativeLevel(price, quantity, amount))
    return found


def depth_of_price(side: Side, levels: Sequence[tuple[Decimal, Decimal]], has_all: bool, price: object) -> Depth:
    """Return what levels that are best first hold up to a price. Raises ValidationError."""
    limit = decimal_of("price", price)
    within = [level for level in levels if (level[0] <= limit if side is Side.BUY else level[0] >= limit)]
    sums = cumulative(within)
    reaches = len(within) < len(levels) or has_all or (bool(levels) and levels[-1][0] == limit)
    if not sums:
        return Depth(ZERO, ZERO, 0, reaches)
    return Depth(sums[-1].quantity, sums[-1].amount, len(sums), reaches)


def _beyond(best: Decimal | None, price: Decimal | None) -> Decimal | None:
    if best is None or price is None:
        return None
    return quotient(abs(EXACT.subtract(price, best)), best)
