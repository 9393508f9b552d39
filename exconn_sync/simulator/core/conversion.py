"""What one asset is worth in another, by the last prices of the markets."""

from collections.abc import Iterable
from decimal import Decimal

from exconn_sync.simulator.core.markets import Market


def worth(markets: Iterable[Market], source: str, target: str) -> Decimal | None:
    """How much of ``target`` one of ``source`` is worth, by one market or over one asset between; None without them."""
    if source == target:
        return Decimal(1)
    rates = _rates(markets)
    direct = rates.get((source, target))
    if direct is not None:
        return direct
    for (first, between), rate in rates.items():
        onward = rates.get((between, target))
        if first == source and onward is not None:
            return rate * onward
    return None


def _rates(markets: Iterable[Market]) -> dict[tuple[str, str], Decimal]:
    rates: dict[tuple[str, str], Decimal] = {}
    for market in markets:
        rates[market.spec.base, market.spec.quote] = market.last_price
        rates[market.spec.quote, market.spec.base] = 1 / market.last_price
    return rates
