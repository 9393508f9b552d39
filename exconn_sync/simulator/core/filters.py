"""The rules a new order must pass before it is matched; each failure has a name (Binance: 6)."""

from decimal import ROUND_CEILING, Decimal

from exconn_sync.simulator.core.order_words import OrderType, Side, triggers_above
from exconn_sync.simulator.core.orders import NewOrder, SimOrder
from exconn_sync.simulator.core.symbols import ZERO, SymbolSpec


def excess_precision(spec: SymbolSpec, order: NewOrder) -> str | None:
    """The field of the order which has more decimals than its asset, if there is one."""
    checks = (
        ("quantity", order.quantity, spec.base_decimals),
        ("price", order.price, spec.quote_decimals),
        ("quote_quantity", order.quote_quantity, spec.quote_decimals),
        ("stop_price", order.stop_price, spec.quote_decimals),
        ("iceberg_quantity", order.iceberg_quantity, spec.base_decimals),
    )
    for name, value, most in checks:
        if value is not None and decimals(value) > most:
            return name
    return None


def failed_filter(spec: SymbolSpec, order: NewOrder, average: Decimal, pegged: Decimal | None = None) -> str | None:
    """The name of the first filter that the order itself does not pass, if there is one.

    ``average`` is the price to which others are compared, ``pegged`` what the order's peg gives at the moment: with a
    price beside it, both must pass.
    """
    prices = [price for price in (order.price, pegged) if price is not None]
    compared = order.stop_price if spec.percent_price_of_stops and order.stop_price else average
    for price in prices:
        failed = failed_price_filter(spec, order.side, price, compared)
        if failed is not None:
            return failed
    if order.stop_price is not None and not _is_price(spec, order.stop_price):
        return "PRICE_FILTER"
    for price in prices or [average]:
        failed = _failed_size(spec, order, price)
        if failed is not None:
            return failed
    return failed_parts(spec, order.iceberg_quantity, order.quantity) or _failed_delta(spec, order)


def failed_price_filter(spec: SymbolSpec, side: Side, price: Decimal, average: Decimal) -> str | None:
    """The name of the first filter that a price does not pass."""
    if not _is_price(spec, price):
        return "PRICE_FILTER"
    up, down = spec.price_multiplier_up, spec.price_multiplier_down
    if spec.percent_price_by_side and side is Side.SELL:
        up, down = spec.ask_multiplier_up, spec.ask_multiplier_down
    if not average * down <= price <= average * up:
        return "PERCENT_PRICE_BY_SIDE" if spec.percent_price_by_side else "PERCENT_PRICE"
    return None


def failed_quantity_filter(spec: SymbolSpec, kind: OrderType, quantity: Decimal, price: Decimal) -> str | None:
    """The name of the first filter that a quantity does not pass; also asked when an order is amended."""
    if not _on_grid(quantity, spec.min_quantity, spec.max_quantity, spec.step):
        return "LOT_SIZE"
    is_market = not kind.has_limit
    if is_market and not _on_grid(quantity, spec.min_market_quantity, spec.max_market_quantity, spec.market_step):
        return "MARKET_LOT_SIZE"
    return _failed_notional(spec, price * quantity, is_market=is_market)


def failed_when_triggered(spec: SymbolSpec, order: SimOrder, average: Decimal) -> str | None:
    """The name of the first filter that a stop order does not pass any more when its price has come."""
    if order.limit is not None:
        failed = failed_price_filter(spec, order.side, order.limit, average)
        if failed is not None:
            return failed
    price = average if order.limit is None else order.limit
    return failed_quantity_filter(spec, order.type, order.quantity, price)


def decimals(value: Decimal) -> int:
    """How many decimals a number was written with."""
    exponent = value.as_tuple().exponent
    return -exponent if isinstance(exponent, int) and exponent < 0 else 0


def _failed_size(spec: SymbolSpec, order: NewOrder, price: Decimal) -> str | None:
    if order.quantity is None and order.quote_quantity is None:
        # It sells what another order will have bought; how much that is, is judged then.
        return None
    if order.quantity is None:
        return _failed_notional(spec, order.quote_quantity or ZERO, is_market=True)
    return failed_quantity_filter(spec, order.type, order.quantity, price)


def _failed_notional(spec: SymbolSpec, notional: Decimal, *, is_market: bool) -> str | None:
    is_small = notional < spec.min_notional and (spec.min_notional_to_market or not is_market)
    if not spec.has_max_notional:
        return "MIN_NOTIONAL" if is_small else None
    is_large = notional > spec.max_notional and (spec.max_notional_to_market or not is_market)
    return "NOTIONAL" if is_small or is_large else None


def failed_parts(spec: SymbolSpec, part: Decimal | None, quantity: Decimal | None) -> str | None:
    """The name of the first filter that the parts of an iceberg order do not pass; without a part it is none."""
    if not part:
        return None
    if not _on_grid(part, spec.min_quantity, spec.max_quantity, spec.step):
        return "LOT_SIZE"
    parts = ((quantity or ZERO) / part).to_integral_value(ROUND_CEILING)
    return "ICEBERG_PARTS" if parts > spec.max_iceberg_parts else None


def _failed_delta(spec: SymbolSpec, order: NewOrder) -> str | None:
    delta = order.trailing_delta
    if delta is None:
        return None
    bounds = (spec.min_trailing_below, spec.max_trailing_below)
    if triggers_above(order.type, order.side):
        bounds = (spec.min_trailing_above, spec.max_trailing_above)
    return None if bounds[0] <= delta <= bounds[1] else "TRAILING_DELTA"


def _is_price(spec: SymbolSpec, price: Decimal) -> bool:
    return price > ZERO and _on_grid(price, spec.min_price, spec.max_price or price, spec.tick)


def _on_grid(value: Decimal, low: Decimal, high: Decimal, grid: Decimal) -> bool:
    # The remainder is absolute, not counted from the minimum; a grid of zero is none.
    return low <= value <= high and (grid == ZERO or value % grid == ZERO)
