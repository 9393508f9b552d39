"""The rules a new order must pass before it is matched; each failure has a name."""

from collections.abc import Collection
from dataclasses import dataclass
from decimal import Decimal

from exconn_sync.simulator.core.orders import NewOrder, OrderType, SimOrder
from exconn_sync.simulator.core.symbols import ZERO, SymbolSpec


@dataclass(frozen=True, slots=True)
class Census:
    """How many open orders an account has on a symbol already."""

    orders: int = 0
    stops: int = 0

    @classmethod
    def of(cls, open_orders: Collection[SimOrder]) -> "Census":
        """Count them."""
        return cls(len(open_orders), sum(order.type.is_stop for order in open_orders))


def excess_precision(spec: SymbolSpec, order: NewOrder) -> str | None:
    """The field of the order which has more decimals than its asset, if there is one."""
    checks = (
        ("quantity", order.quantity, spec.base_decimals),
        ("price", order.price, spec.quote_decimals),
        ("quote_quantity", order.quote_quantity, spec.quote_decimals),
        ("stop_price", order.stop_price, spec.quote_decimals),
    )
    for name, value, most in checks:
        if value is not None and decimals(value) > most:
            return name
    return None


def failed_filter(spec: SymbolSpec, order: NewOrder, last_price: Decimal, census: Census) -> str | None:
    """The name of the first filter that the order does not pass, if there is one."""
    return (
        failed_price_filter(spec, order.price, last_price)
        or _failed_stop_filter(spec, order)
        or _failed_amount_filter(spec, order, last_price)
        or _failed_count_filter(spec, order, census)
    )


def failed_price_filter(spec: SymbolSpec, price: Decimal | None, last_price: Decimal) -> str | None:
    """The name of the first filter that a price does not pass; also asked when a stop order fires."""
    if price is None:
        return None
    if not _on_grid(price, spec.min_price, spec.max_price, spec.tick):
        return "PRICE_FILTER"
    if not last_price * spec.price_multiplier_down <= price <= last_price * spec.price_multiplier_up:
        return "PERCENT_PRICE_BY_SIDE"
    return None


def _failed_stop_filter(spec: SymbolSpec, order: NewOrder) -> str | None:
    if order.stop_price is not None and not _on_grid(order.stop_price, spec.min_price, spec.max_price, spec.tick):
        return "PRICE_FILTER"
    delta = order.trailing_delta
    if delta is not None and not spec.min_trailing_delta <= delta <= spec.max_trailing_delta:
        return "TRAILING_DELTA"
    return None


def failed_quantity_filter(spec: SymbolSpec, kind: OrderType, quantity: Decimal, price: Decimal) -> str | None:
    """The name of the first filter that a quantity does not pass; also asked when an order is amended."""
    if not _on_grid(quantity, spec.min_quantity, spec.max_quantity, spec.step):
        return "LOT_SIZE"
    if not kind.has_limit and quantity > spec.max_market_quantity:
        return "MARKET_LOT_SIZE"
    return _failed_notional(spec, price * quantity)


def _failed_amount_filter(spec: SymbolSpec, order: NewOrder, last_price: Decimal) -> str | None:
    if order.quantity is None:
        return _failed_notional(spec, order.quote_quantity or ZERO)
    return failed_quantity_filter(spec, order.type, order.quantity, last_price if order.price is None else order.price)


def _failed_notional(spec: SymbolSpec, notional: Decimal) -> str | None:
    return None if spec.min_notional <= notional <= spec.max_notional else "NOTIONAL"


def _failed_count_filter(spec: SymbolSpec, order: NewOrder, census: Census) -> str | None:
    # The limit counts orders that stay, which a market order never does.
    if order.type is not OrderType.MARKET and census.orders >= spec.max_open_orders:
        return "MAX_NUM_ORDERS"
    if order.type.is_stop and census.stops >= spec.max_algo_orders:
        return "MAX_NUM_ALGO_ORDERS"
    return None


def decimals(value: Decimal) -> int:
    """How many decimals a number was written with."""
    exponent = value.as_tuple().exponent
    return -exponent if isinstance(exponent, int) and exponent < 0 else 0


def _on_grid(value: Decimal, low: Decimal, high: Decimal, grid: Decimal) -> bool:
    # The remainder is absolute, not counted from the minimum.
    return low <= value <= high and value % grid == ZERO
