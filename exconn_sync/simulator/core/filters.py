"""The rules a new order must pass before it is matched; each failure has a name."""

from decimal import Decimal

from exconn_sync.simulator.core.orders import NewOrder, OrderType
from exconn_sync.simulator.core.symbols import ZERO, SymbolSpec


def excess_precision(spec: SymbolSpec, order: NewOrder) -> str | None:
    """The field of the order which has more decimals than its asset, if there is one."""
    checks = (
        ("quantity", order.quantity, spec.base_decimals),
        ("price", order.price, spec.quote_decimals),
        ("quote_quantity", order.quote_quantity, spec.quote_decimals),
    )
    for name, value, decimals in checks:
        if value is not None and _decimals(value) > decimals:
            return name
    return None


def failed_filter(spec: SymbolSpec, order: NewOrder, last_price: Decimal, open_orders: int) -> str | None:
    """The name of the first filter that the order does not pass, if there is one."""
    price = order.price
    if price is not None:
        if not _on_grid(price, spec.min_price, spec.max_price, spec.tick):
            return "PRICE_FILTER"
        if not last_price * spec.price_multiplier_down <= price <= last_price * spec.price_multiplier_up:
            return "PERCENT_PRICE_BY_SIDE"
    if order.quantity is not None:
        if not _on_grid(order.quantity, spec.min_quantity, spec.max_quantity, spec.step):
            return "LOT_SIZE"
        if order.type is OrderType.MARKET and order.quantity > spec.max_market_quantity:
            return "MARKET_LOT_SIZE"
    if not spec.min_notional <= _notional(order, last_price) <= spec.max_notional:
        return "NOTIONAL"
    # The limit counts orders that rest on the book, which a market order never does.
    if order.type is not OrderType.MARKET and open_orders >= spec.max_open_orders:
        return "MAX_NUM_ORDERS"
    return None


def _decimals(value: Decimal) -> int:
    exponent = value.as_tuple().exponent
    return -exponent if isinstance(exponent, int) and exponent < 0 else 0


def _on_grid(value: Decimal, low: Decimal, high: Decimal, grid: Decimal) -> bool:
    # The remainder is absolute, not counted from the minimum.
    return low <= value <= high and value % grid == ZERO


def _notional(order: NewOrder, last_price: Decimal) -> Decimal:
    if order.quote_quantity is not None:
        return order.quote_quantity
    price = last_price if order.price is None else order.price
    return price * (order.quantity or ZERO)
