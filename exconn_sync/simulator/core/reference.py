"""Reference prices: what an exchange takes for the fair price of a symbol, apart from its own trades."""

from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class Reference:
    """The reference price as it was last set; None says that there is none at the moment."""

    price: Decimal | None
    time: int
    calculation: "MeanOfBuckets | External"


@dataclass(frozen=True, slots=True)
class MeanOfBuckets:
    """The exchange counts the price itself: the mean of so many short spans."""

    count: int = 10
    width_ms: int = 1000


@dataclass(frozen=True, slots=True)
class External:
    """The price comes from outside, by a method with this number."""

    calculation_id: int


class ReferencePrices:
    """The reference prices of all symbols. A symbol has none before the first is set."""

    def __init__(self) -> None:
        self._references: dict[str, Reference] = {}

    def get(self, symbol: str) -> Reference | None:
        """What was last set, or None where nothing ever was."""
        return self._references.get(symbol)

    def set(self, symbol: str, price: Decimal | None, now: int, calculation: MeanOfBuckets | External) -> None:
        """Set another price, or that there is none."""
        self._references[symbol] = Reference(price, now, calculation)

    def price(self, symbol: str) -> Decimal | None:
        """The price that rules may count with."""
        found = self._references.get(symbol)
        return None if found is None else found.price
