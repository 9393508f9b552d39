"""Commands about orders in Bybit's words (Bybit: 4.7, 4.8)."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from exconn_sync.errors import ValidationError
from exconn_sync.exchanges.bybit.endpoints import CATEGORY, EXCHANGE
from exconn_sync.exchanges.bybit.order_rows import FILTERS, TPSL
from exconn_sync.exchanges.bybit.words import POST_ONLY, PREVENTIONS, SIDES, TIMES_IN_FORCE
from exconn_sync.model.enums import OrderType, TimeInForce
from exconn_sync.model.ids import ClientOrderId
from exconn_sync.model.instrument import Instrument
from exconn_sync.model.numbers import plain_text
from exconn_sync.model.order_terms import PRICED, TRIGGERED
from exconn_sync.model.orders import OrderRequest, OrderState
from exconn_sync.model.wire import Params

Words = dict[str, str]
"""What a command says, in the order in which it is sent."""

EXIT_WORDS = {
    "take_profit": "takeProfit", "take_profit_limit_price": "tpLimitPrice",
    "stop_loss": "stopLoss", "stop_loss_limit_price": "slLimitPrice",
}  # fmt: skip
"""Prices of what is placed once an order is filled (Bybit: 4.7)."""
_KINDS_OF_EXITS = (("take_profit", "tpOrderType"), ("stop_loss", "slOrderType"))

SPOT: Words = {"category": CATEGORY}
_PLAIN = FILTERS[0]


def lacking(field: str, value: object, what: str) -> ValidationError:
    """Return the error for what Bybit spot does not have; it is raised before anything is sent."""
    return ValidationError(field, value, f"{what} {EXCHANGE} spot", exchange=EXCHANGE)


def placed(order: OrderRequest, instrument: Instrument, client_order_id: ClientOrderId) -> Words:
    """Return what a new order says, without the category; amounts never depend on a default (Bybit: 10).

    Orders that wait for a price hold their funds from the beginning, as they do elsewhere (``tpslOrder``).

    Raises:
        ValidationError: the order has something that Bybit does not offer.
    """
    _check_offered(order)
    is_priced = order.type in PRICED
    words = {
        "symbol": instrument.exchange_symbol,
        "side": SIDES[order.side],
        "orderType": "Limit" if is_priced else "Market",
    }
    if order.quote_quantity is not None:
        words |= {"qty": plain_text(order.quote_quantity), "marketUnit": "quoteCoin"}
    elif order.quantity is not None:
        words["qty"] = plain_text(order.quantity)
        if not is_priced:
            words["marketUnit"] = "baseCoin"
    if order.price is not None:
        words["price"] = plain_text(order.price)
    if is_priced:
        words["timeInForce"] = POST_ONLY if order.post_only else TIMES_IN_FORCE[order.time_in_force or TimeInForce.GTC]
    if order.stop_price is not None:
        words |= {"triggerPrice": plain_text(order.stop_price), "orderFilter": TPSL}
    if order.self_trade_prevention is not None:
        words["smpType"] = PREVENTIONS[order.self_trade_prevention]
    words |= _exits(order)
    return words | {"orderLinkId": client_order_id}


def cancelled(instrument: Instrument, order: OrderState) -> Words:
    """Return what a cancel says, without the category: only the named class of orders is looked through."""
    return {"symbol": instrument.exchange_symbol, **named(order), "orderFilter": class_of(order)}


def _exits(order: OrderRequest) -> Words:
    """Return what is placed once the order is filled; which kind of order that is, is always said (Bybit: 4.7)."""
    words: Words = {}
    for name, kind in _KINDS_OF_EXITS:
        level, limit = getattr(order, name), getattr(order, f"{name}_limit_price")
        if level is not None:
            words |= {EXIT_WORDS[name]: plain_text(level), kind: "Market" if limit is None else "Limit"}
        if limit is not None:
            words[EXIT_WORDS[f"{name}_limit_price"]] = plain_text(limit)
    return words


def amended(
    instrument: Instrument,
    order: OrderState,
    quantity: Decimal | None,
    price: Decimal | None = None,
    exits: Mapping[str, Decimal] | None = None,
) -> Words:
    """Return what an amend says, without the category; what stays is left out, a quantity is whole (Bybit: 4.8)."""
    changes = (
        ("qty", quantity), ("price", price), *((EXIT_WORDS[name], value) for name, value in (exits or {}).items())
    )  # fmt: skip
    said = {name: plain_text(value) for name, value in changes if value is not None}
    return {"symbol": instrument.exchange_symbol, **named(order), **said}


def asked(instrument: Instrument, order: OrderState) -> Params:
    """Return the parameters of a question about one order."""
    return (("category", CATEGORY), ("symbol", instrument.exchange_symbol), *named(order).items())


def named(order: OrderState) -> Words:
    """Return the one id that names an order: of two the exchange would take its own without a word (Bybit: 10)."""
    if order.exchange_order_id is not None:
        return {"orderId": order.exchange_order_id}
    return {"orderLinkId": order.client_order_id}


def class_of(order: OrderState) -> str:
    """Return the class by which an order has to be addressed; a triggered one is an ordinary order."""
    if order.is_working:
        return _PLAIN
    if order.order_class is not None:
        return order.order_class
    return TPSL if order.type in TRIGGERED else _PLAIN


def _check_offered(order: OrderRequest) -> None:
    absent = (
        ("iceberg_quantity", order.iceberg_quantity),
        ("trailing_delta", order.trailing_delta),
        ("peg", order.peg),
        ("smart_routing", order.smart_routing or None),
        ("strategy_id", order.strategy_id),
        ("strategy_type", order.strategy_type),
    )
    for field, value in absent:
        if value is not None:
            raise lacking(field, value, "is not offered by")
    mode = order.self_trade_prevention
    if mode is not None and mode not in PREVENTIONS:
        raise lacking("self_trade_prevention", mode, "is not offered by")
    if order.sells_received or order.type is OrderType.OTHER:
        raise lacking("quantity", "received", "goes with order lists, which are not offered by")
