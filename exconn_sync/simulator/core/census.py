"""The rules about what an account has open already, on a symbol and everywhere (Binance: 6)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from exconn_sync.simulator.core.orders import NewOrder, OrderType, Side, SimOrder
from exconn_sync.simulator.core.symbols import ZERO, ExchangeRules, SymbolSpec


@dataclass(frozen=True, slots=True)
class Census:
    """How many orders there are, how many of them are of a special kind, and how many lists they make."""

    orders: int = 0
    stops: int = 0
    icebergs: int = 0
    lists: int = 0

    @classmethod
    def of(cls, open_orders: Iterable[SimOrder]) -> "Census":
        """Count what an account has open."""
        orders = list(open_orders)
        return cls(
            len(orders),
            sum(order.type.is_stop for order in orders),
            sum(order.iceberg_quantity > ZERO for order in orders),
            len({order.list_id for order in orders} - {None}),
        )

    @classmethod
    def of_new(cls, order: NewOrder) -> "Census":
        """Count one order that is to come."""
        # The limit counts orders that stay, which a market order never does.
        return cls(int(order.type is not OrderType.MARKET), int(order.type.is_stop), int(bool(order.iceberg_quantity)))

    @classmethod
    def of_list(cls, legs: Sequence[NewOrder]) -> "Census":
        """Count an order list that is to come: each of its orders counts, whether it may stay or not (Binance: 5.9)."""
        stops = sum(leg.type.is_stop for leg in legs)
        return cls(len(legs), stops, sum(bool(leg.iceberg_quantity) for leg in legs), 1)


def failed_count(spec: SymbolSpec, new: Census, there: Census) -> str | None:
    """The name of the first filter of a symbol that what is to come does not pass beside what is there."""
    return _first_exceeded(
        (
            (new.orders, there.orders, spec.max_open_orders, "MAX_NUM_ORDERS"),
            (new.stops, there.stops, spec.max_algo_orders, "MAX_NUM_ALGO_ORDERS"),
            (new.icebergs, there.icebergs, spec.max_iceberg_orders, "MAX_NUM_ICEBERG_ORDERS"),
            (new.lists, there.lists, spec.max_order_lists, "MAX_NUM_ORDER_LISTS"),
        )
    )


def failed_exchange_count(rules: ExchangeRules, new: Census, there: Census) -> str | None:
    """The name of the first filter of the exchange that what is to come does not pass; all symbols are counted."""
    return _first_exceeded(
        (
            (new.orders, there.orders, rules.max_open_orders, "EXCHANGE_MAX_NUM_ORDERS"),
            (new.stops, there.stops, rules.max_algo_orders, "EXCHANGE_MAX_NUM_ALGO_ORDERS"),
            (new.icebergs, there.icebergs, rules.max_iceberg_orders, "EXCHANGE_MAX_NUM_ICEBERG_ORDERS"),
            (new.lists, there.lists, rules.max_order_lists, "EXCHANGE_MAX_NUM_ORDER_LISTS"),
        )
    )


def _first_exceeded(rows: Iterable[tuple[int, int, int | None, str]]) -> str | None:
    for new, there, most, name in rows:
        if new and most is not None and there + new > most:
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
