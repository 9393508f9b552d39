"""What a position has brought and would bring if it were closed now, as far as prices are known."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import TypeAlias

from exconn_sync.model.book_view import Level
from exconn_sync.model.numbers import EXACT, ZERO

Top: TypeAlias = "tuple[Level | None, Level | None]"
"""Best bid and best ask; None where there is none, or where it is not known."""

Tops: TypeAlias = Mapping[str, Top]
"""Best prices by canonical symbol; what is not in it is not known."""


@dataclass(frozen=True)
class Profit:
    """Profit and loss of one symbol in its quote asset, negative for a loss.

    Attributes:
        symbol: the canonical symbol.
        realized: what was realized, fees in base or quote included.
        unrealized: what closing the position would bring beyond its cost: at the best bid, or at the best ask where
            more was sold than bought; None where that price is not known.
        other_fees: what fees in other assets are worth; None where the price of one of them is not known.
        missing: the symbols whose prices are not known.
    """

    symbol: str
    realized: Decimal
    unrealized: Decimal | None
    other_fees: Decimal | None
    missing: tuple[str, ...]

    @property
    def total(self) -> Decimal | None:
        """Realized and unrealized less all fees; None where a part of it is not known."""
        if self.unrealized is None or self.other_fees is None:
            return None
        return EXACT.subtract(EXACT.add(self.realized, self.unrealized), self.other_fees)


def profit_of(
    symbol: str,
    quantity: Decimal,
    average_price: Decimal | None,
    realized: Decimal,
    other_fees: Mapping[str, Decimal],
    tops: Tops,
) -> Profit:
    """Return the profit of a position; a fee in another asset costs what buying that asset costs."""
    missing: list[str] = []
    unrealized: Decimal | None = ZERO
    if quantity != ZERO and average_price is not None:
        price = _price(tops, symbol, bid=quantity > ZERO)
        if price is None:
            unrealized = None
            missing.append(symbol)
        else:
            unrealized = EXACT.multiply(EXACT.subtract(price, average_price), quantity)
    fees: Decimal | None = ZERO
    quote = symbol.partition("-")[2]
    for asset, fee in other_fees.items():
        if fee == ZERO:
            continue
        price = _price(tops, f"{asset}-{quote}", bid=fee < ZERO)
        if price is None:
            missing.append(f"{asset}-{quote}")
        elif fees is not None:
            fees = EXACT.add(fees, EXACT.multiply(fee, price))
    if any(pair != symbol for pair in missing):
        fees = None
    return Profit(symbol, realized, unrealized, fees, tuple(missing))


def _price(tops: Tops, symbol: str, *, bid: bool) -> Decimal | None:
    best_bid, best_ask = tops.get(symbol, (None, None))
    level = best_bid if bid else best_ask
    return None if level is None else level[0]
