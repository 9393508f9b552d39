"""Commands about orders in the exchange's words.

Look up: what each kind of order needs, and every default that you would rather not depend on: say it always.
"""

from __future__ import annotations

from exconn_sync.exchanges._template.not_offered import refusal
from exconn_sync.exchanges._template.words import KINDS, POST_ONLY, RULES, SIDES
from exconn_sync.model.enums import OrderType, TimeInForce
from exconn_sync.model.ids import ClientOrderId
from exconn_sync.model.instrument import Instrument
from exconn_sync.model.numbers import plain_text
from exconn_sync.model.orders import OrderRequest, OrderState
from exconn_sync.model.wire import Params


def placed(order: OrderRequest, instrument: Instrument, client_order_id: ClientOrderId) -> dict[str, str]:
    """Return what a new order says.

    Raises:
        ValidationError: the order has something that the exchange does not offer.
    """
    _check_offered(order)
    words = {
        "symbol": instrument.exchange_symbol,
        "client_id": client_order_id,
        "side": SIDES[order.side],
        "kind": KINDS[order.type],
    }
    if order.quantity is not None:
        # Never by str(): a Decimal may print as 1E-8.
        words["quantity"] = plain_text(order.quantity)
    if order.price is not None:
        words["price"] = plain_text(order.price)
    if order.type is OrderType.LIMIT:
        words["rule"] = POST_ONLY if order.post_only else RULES[order.time_in_force or TimeInForce.GTC]
    return words


def named(instrument: Instrument, order: OrderState) -> Params:
    """Return the parameters that name an order, by the exchange's id where it is known."""
    symbol = ("symbol", instrument.exchange_symbol)
    if order.exchange_order_id is not None:
        return symbol, ("id", order.exchange_order_id)
    return symbol, ("client_id", order.client_order_id)


def _check_offered(order: OrderRequest) -> None:
    if order.type not in KINDS:
        raise refusal("type", order.type, "is not offered; limit and market orders are")
    absent = (
        ("quote_quantity", order.quote_quantity),
        ("iceberg_quantity", order.iceberg_quantity),
        ("trailing_delta", order.trailing_delta),
        ("peg", order.peg),
        ("smart_routing", order.smart_routing or None),
        ("strategy_id", order.strategy_id),
        ("strategy_type", order.strategy_type),
        ("self_trade_prevention", order.self_trade_prevention),
        ("take_profit", order.take_profit),
        ("stop_loss", order.stop_loss),
    )
    for field, value in absent:
        if value is not None:
            raise refusal(field, value, "is not offered")
    if order.sells_received:
        raise refusal("quantity", "received", "goes with order lists, which are not offered")
