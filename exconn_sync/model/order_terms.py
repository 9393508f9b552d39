"""What an order says, and which parts of it go together on every exchange that has them."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import ClassVar

from exconn_sync.errors import ValidationError
from exconn_sync.model.enums import OrderType, PegPrice, SelfTradePrevention, Side, TextEnum, TimeInForce
from exconn_sync.model.ids import ClientOrderId, client_order_id_of
from exconn_sync.model.numbers import positive_decimal_of

TRIGGERED = frozenset(
    {OrderType.STOP_LIMIT, OrderType.STOP_MARKET, OrderType.TAKE_PROFIT_LIMIT, OrderType.TAKE_PROFIT_MARKET}
)
"""Kinds that wait for a price before they trade."""

PRICED = frozenset({OrderType.LIMIT, OrderType.STOP_LIMIT, OrderType.TAKE_PROFIT_LIMIT})
"""Kinds with a limit price and a time in force."""

EXITS = ("take_profit", "take_profit_limit_price", "stop_loss", "stop_loss_limit_price")
"""Prices of the orders that the exchange places by itself once an order is filled (Bybit: 4.7)."""

_MOST_LEVELS = 100
_MOST_INT = 2**63 - 1
_FIELDS_OF_ENUMS: dict[str, type[TextEnum]] = {
    "time_in_force": TimeInForce, "self_trade_prevention": SelfTradePrevention, "peg": PegPrice,
}  # fmt: skip


@dataclass(frozen=True)
class OrderTerms:
    """The parts of an order, checked when it is made; see ``OrderRequest``, which has the constructors."""

    RECEIVED: ClassVar[str] = "received"

    symbol: str
    side: Side
    type: OrderType
    quantity: Decimal | None = None
    price: Decimal | None = None
    stop_price: Decimal | None = None
    quote_quantity: Decimal | None = None
    time_in_force: TimeInForce | None = None
    post_only: bool = False
    client_order_id: ClientOrderId | None = None
    trailing_delta: int | None = None
    iceberg_quantity: Decimal | None = None
    self_trade_prevention: SelfTradePrevention | None = None
    peg: PegPrice | None = None
    peg_offset: int | None = None
    smart_routing: bool = False
    strategy_id: int | None = None
    strategy_type: int | None = None
    sells_received: bool = False
    take_profit: Decimal | None = None
    take_profit_limit_price: Decimal | None = None
    stop_loss: Decimal | None = None
    stop_loss_limit_price: Decimal | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.symbol, str) or not self.symbol:
            raise ValidationError("symbol", self.symbol, "must be a symbol such as BTC-USDT")
        fixed: dict[str, object] = {"side": Side.of("side", self.side), "type": OrderType.of("type", self.type)}
        quantity: object = self.quantity
        if isinstance(quantity, str) and quantity == self.RECEIVED:
            fixed["sells_received"], fixed["quantity"] = True, None
        for name in ("quantity", "price", "stop_price", "quote_quantity", "iceberg_quantity", *EXITS):
            if name not in fixed:
                fixed[name] = _amount(name, getattr(self, name))
        for name, kind in _FIELDS_OF_ENUMS.items():
            if getattr(self, name) is not None:
                fixed[name] = kind.of(name, getattr(self, name))
        if self.client_order_id is not None:
            fixed["client_order_id"] = client_order_id_of(self.client_order_id)
        for name in ("trailing_delta", "peg_offset", "strategy_id", "strategy_type"):
            _check_count(name, getattr(self, name), least=0 if name.startswith("strategy") else 1)
        for name in ("post_only", "smart_routing", "sells_received"):
            if not isinstance(getattr(self, name), bool):
                raise ValidationError(name, getattr(self, name), "must be True or False")
        for name, value in fixed.items():
            object.__setattr__(self, name, value)
        _check_combination(self)


def _check_combination(order: OrderTerms) -> None:
    """Check that the parts of an order fit together (Binance: 5.4, 5.8).

    Raises:
        ValidationError: they do not; it names the field that is missing or too much.
    """
    if order.type is OrderType.OTHER:
        raise ValidationError("type", order.type, "is only seen on orders placed elsewhere")
    _check_quantity(order)
    _check_prices(order)
    _check_stay(order)
    _check_peg(order)
    _check_routing(order)
    _check_exits(order)


def _check_quantity(order: OrderTerms) -> None:
    if order.sells_received:
        if order.quantity is not None or order.quote_quantity is not None:
            raise ValidationError("quantity", order.quantity, "must not be given where what was received is sold")
    elif order.type is OrderType.MARKET:
        if order.quantity is not None and order.quote_quantity is not None:
            text = "does not go with quote_quantity: a market order has one of the two"
            raise ValidationError("quantity", order.quantity, text)
        if order.quantity is None and order.quote_quantity is None:
            raise ValidationError("quantity", order.quantity, "a market order needs quantity or quote_quantity")
    elif order.quantity is None:
        raise ValidationError("quantity", None, f"a {order.type} order needs a quantity")
    if order.quote_quantity is not None and order.type is not OrderType.MARKET:
        raise ValidationError("quote_quantity", order.quote_quantity, "is for market orders only")
    shown = order.iceberg_quantity
    if shown is None:
        return
    if order.type not in PRICED:
        raise ValidationError("iceberg_quantity", shown, "is for orders with a limit price only")
    if order.time_in_force not in (None, TimeInForce.GTC):
        raise ValidationError("time_in_force", order.time_in_force, "an iceberg order stays until cancelled (GTC)")
    if order.quantity is not None and shown > order.quantity:
        raise ValidationError("iceberg_quantity", shown, "must not be more than the quantity")


def _check_prices(order: OrderTerms) -> None:
    if order.type in PRICED and order.price is None and order.peg is None:
        raise ValidationError("price", None, f"a {order.type} order needs a price")
    if order.type not in PRICED and order.price is not None:
        raise ValidationError("price", order.price, f"a {order.type} order has no limit price")
    if order.type in TRIGGERED:
        if order.stop_price is None and order.trailing_delta is None:
            raise ValidationError("stop_price", None, f"a {order.type} order needs a stop_price or a trailing_delta")
    elif order.stop_price is not None:
        raise ValidationError("stop_price", order.stop_price, "is for stop and take-profit orders only")
    elif order.trailing_delta is not None:
        raise ValidationError("trailing_delta", order.trailing_delta, "is for stop and take-profit orders only")


def _check_stay(order: OrderTerms) -> None:
    if order.time_in_force is not None and order.type not in PRICED:
        raise ValidationError("time_in_force", order.time_in_force, "is for orders with a limit price only")
    if order.post_only and order.type is not OrderType.LIMIT:
        raise ValidationError("post_only", order.post_only, "is for limit orders only")
    if order.post_only and order.time_in_force not in (None, TimeInForce.GTC):
        raise ValidationError("time_in_force", order.time_in_force, "a post-only order stays until cancelled (GTC)")


def _check_peg(order: OrderTerms) -> None:
    if order.peg is None:
        if order.peg_offset is not None:
            raise ValidationError("peg_offset", order.peg_offset, "goes with peg only")
        return
    if order.type not in PRICED:
        raise ValidationError("peg", order.peg, "is for orders with a limit price only")
    if order.peg_offset is not None and order.peg_offset > _MOST_LEVELS:
        raise ValidationError("peg_offset", order.peg_offset, f"must be 1 to {_MOST_LEVELS} levels")
    if order.peg is PegPrice.MARKET:
        if order.post_only:
            raise ValidationError("peg", order.peg, "the opposite side is no price for a post-only order")
    elif order.type is OrderType.LIMIT and order.time_in_force not in (None, TimeInForce.GTC):
        text = "an order pegged to its own side stays until cancelled (GTC)"
        raise ValidationError("time_in_force", order.time_in_force, text)


def _check_routing(order: OrderTerms) -> None:
    if not order.smart_routing:
        return
    if order.type not in (OrderType.LIMIT, OrderType.MARKET) or order.post_only or order.peg is not None:
        raise ValidationError("smart_routing", order.smart_routing, "is for plain limit and market orders only")
    if order.quote_quantity is not None:
        raise ValidationError("quote_quantity", order.quote_quantity, "does not go with smart_routing")


def _check_exits(order: OrderTerms) -> None:
    """Check what is to be placed once the order is filled: it goes with plain limit orders (Bybit: 4.7)."""
    goal, stop = order.take_profit, order.stop_loss
    for name, level in (("take_profit", goal), ("stop_loss", stop)):
        limit = f"{name}_limit_price"
        if level is None and getattr(order, limit) is not None:
            raise ValidationError(limit, getattr(order, limit), f"goes with {name} only")
        if level is not None and order.type is not OrderType.LIMIT:
            raise ValidationError(name, level, "is for limit orders only")
    if goal is not None and stop is not None and (goal <= stop if order.side is Side.BUY else goal >= stop):
        where = "above" if order.side is Side.BUY else "below"
        raise ValidationError("take_profit", goal, f"of a {order.side} order must be {where} its stop_loss")


def _amount(field_name: str, value: object) -> Decimal | None:
    return None if value is None else positive_decimal_of(field_name, value)


def _check_count(field_name: str, value: object, *, least: int) -> None:
    if value is None:
        return
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= _MOST_INT:
        raise ValidationError(field_name, value, f"must be a whole number of at least {least}")
