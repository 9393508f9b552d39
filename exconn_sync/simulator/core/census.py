"""The rules about what an account has open already, on a symbol and everywhere (Binance: 6)."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from exconn_sync.simulator.core.orders import NewOrder, OrderType, Side, SimOrder
from exconn_sync.simulator.core.symbols import ZERO, ExchangeRules, SymbolSpec


@dataclass(frozen=True, slots=True)
class Census:
    """How many orders an account has open, and how many of them are of a special kind."""

    orders: int = 0
    stops: int = 0
    icebergs: int = 0

    @classmethod
    def of(cls, open_orders: Iterable[SimOrder]) -> "Census":
        """Count them."""
        orders = list(open_orders)
        return cls(
            len(orders),
            sum(order.type.is_stop for order in orders),
            sum(order.iceberg_quantity > ZERO for order in orders),
        )


def failed_count(spec: SymbolSpec, order: NewOrder, census: Census) -> str | None:
    """The name of the first filter of a symbol that one more order does not pass."""
    # The limit counts orders that stay, which a market order never does.
    if order.type is not OrderType.MARKET and census.orders >= spec.max_open_orders:
        return "MAX_NUM_ORDERS"
    if order.type.is_stop and census.stops >= spec.max_algo_orders:
        return "MAX_NUM_ALGO_ORDERS"
    if order.iceberg_quantity and spec.max_iceberg_orders is not None and census.icebergs >= spec.max_iceberg_orders:
        return "MAX_NUM_ICEBERG_ORDERS"
    return None


def failed_exchange_count(rules: ExchangeRules, order: NewOrder, census: Census) -> str | None:
    """The name of the first filter of the exchange that one more order does not pass; all symbols are counted."""
    checks = (
        (order.type is not OrderType.MARKET, census.orders, rules.max_open_orders, "EXCHANGE_MAX_NUM_ORDERS"),
        (order.type.is_stop, census.stops, rules.max_algo_orders, "EXCHANGE_MAX_NUM_ALGO_ORDERS"),
        (bool(order.iceberg_quantity), census.icebergs, rules.max_iceberg_orders, "EXCHANGE_MAX_NUM_ICEBERG_ORDERS"),
    )
    for counts, number, most, name in checks:
        if counts and most is not None and number >= most:
            return name
    return None


def exceeds_position(
    spec: SymbolSpec, order: NewOrder, price: Decimal, held: Decimal, open_orders: Iterable[SimOrder]
) -> bool:
    """Whether a buyer could come to hold more of the base asset than the symbol allows."""
    if spec.max_position is None or order.side is not Side.BUY:
        return False
    bought = sum((other.remaining for other in open_orders if other.side is Side.BUY), ZERO)
    return held + bought + _amounts(order, price)[0] > spec.max_position


def exceeds_asset_limit(rules: ExchangeRules, spec: SymbolSpec, order: NewOrder, price: Decimal) -> bool:
    """Whether an order is about more of one of its assets than is allowed."""
    amounts = zip((spec.base, spec.quote), _amounts(order, price), strict=True)
    return any(amount > rules.asset_limits[asset] for asset, amount in amounts if asset in rules.asset_limits)


def _amounts(order: NewOrder, price: Decimal) -> tuple[Decimal, Decimal]:
    """About how much of base and quote asset an order is."""
    if order.quote_quantity is not None:
        return order.quote_quantity / price, order.quote_quantity
    quantity = order.quantity or ZERO
    return quantity, price * quantity
