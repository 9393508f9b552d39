"""New orders, replacements and amendments in Binance's words (Binance: 5.4, 5.7, 5.8)."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from exconn_sync.errors import ValidationError
from exconn_sync.exchanges.binance.endpoints import EXCHANGE
from exconn_sync.model.enums import OrderType, PegPrice, TimeInForce
from exconn_sync.model.ids import ClientOrderId, is_client_order_id
from exconn_sync.model.instrument import Instrument
from exconn_sync.model.numbers import plain_text
from exconn_sync.model.order_terms import EXITS, PRICED
from exconn_sync.model.orders import OrderRequest, OrderState
from exconn_sync.model.wire import Params

_TYPES = {
    OrderType.LIMIT: "LIMIT",
    OrderType.MARKET: "MARKET",
    OrderType.STOP_LIMIT: "STOP_LOSS_LIMIT",
    OrderType.STOP_MARKET: "STOP_LOSS",
    OrderType.TAKE_PROFIT_LIMIT: "TAKE_PROFIT_LIMIT",
    OrderType.TAKE_PROFIT_MARKET: "TAKE_PROFIT",
}
_POST_ONLY = "LIMIT_MAKER"
_PEGS = {PegPrice.PRIMARY: "PRIMARY_PEG", PegPrice.MARKET: "MARKET_PEG"}
_LEAST_STRATEGY_TYPE = 1_000_000
_IN_FULL = ("newOrderRespType", "FULL")


def order_terms(order: OrderRequest) -> Params:
    """Return what an order says beyond symbol, side, quantity and id, under the names of a single order.

    Raises:
        ValidationError: a strategy type that Binance keeps for itself (Binance: 5.4), or something attached.
    """
    refuse_exits({name: getattr(order, name) for name in EXITS})
    if order.strategy_type is not None and order.strategy_type < _LEAST_STRATEGY_TYPE:
        rule = f"must be at least {_LEAST_STRATEGY_TYPE}"
        raise ValidationError("strategy_type", order.strategy_type, rule, exchange=EXCHANGE)
    terms: list[tuple[str, str]] = [("type", _POST_ONLY if order.post_only else _TYPES[order.type])]
    if order.type in PRICED and not order.post_only:
        terms.append(("timeInForce", (order.time_in_force or TimeInForce.GTC).value))
    numbers: tuple[tuple[str, Decimal | None], ...] = (
        ("price", order.price),
        ("stopPrice", order.stop_price),
        ("icebergQty", order.iceberg_quantity),
    )
    terms += [(name, plain_text(value)) for name, value in numbers if value is not None]
    counts = (
        ("trailingDelta", order.trailing_delta),
        ("strategyId", order.strategy_id),
        ("strategyType", order.strategy_type),
    )
    terms += [(name, str(value)) for name, value in counts if value is not None]
    if order.peg is not None:
        terms.append(("pegPriceType", _PEGS[order.peg]))
        if order.peg_offset is not None:
            terms += [("pegOffsetType", "PRICE_LEVEL"), ("pegOffsetValue", str(order.peg_offset))]
    return tuple(terms)


def refuse_exits(exits: Mapping[str, Decimal | None]) -> None:
    """Refuse prices of what would be placed once an order is filled. Raises ValidationError."""
    for name, price in exits.items():
        if price is not None:
            text = f"is not offered by {EXCHANGE}; place an order list"
            raise ValidationError(name, price, text, exchange=EXCHANGE)


def place_params(order: OrderRequest, instrument: Instrument, client_order_id: ClientOrderId) -> Params:
    """Return the parameters of a new order; the answer is asked for in full for every kind (Binance: 5.4)."""
    params = [("symbol", instrument.exchange_symbol), ("side", order.side.value.upper()), *order_terms(order)]
    if order.quantity is not None:
        params.append(("quantity", plain_text(order.quantity)))
    if order.quote_quantity is not None:
        params.append(("quoteOrderQty", plain_text(order.quote_quantity)))
    params.append(("newClientOrderId", client_order_id))
    return (*params, *prevention_params(order), _IN_FULL)


def prevention_params(order: OrderRequest) -> Params:
    """Return the mode of self-trade prevention; without one the symbol's default holds."""
    mode = order.self_trade_prevention
    return () if mode is None else (("selfTradePreventionMode", mode.value.upper()),)


def replace_params(
    old: OrderState,
    order: OrderRequest,
    instrument: Instrument,
    client_order_id: ClientOrderId,
    *,
    place_anyway: bool,
    cancel_anyway: bool,
) -> Params:
    """Return the parameters that cancel one order and place another (Binance: 5.7)."""
    named = ("cancelOrderId", old.exchange_order_id or "")
    if old.exchange_order_id is None:
        named = ("cancelOrigClientOrderId", old.client_order_id)
    mode = ("cancelReplaceMode", "ALLOW_FAILURE" if place_anyway else "STOP_ON_FAILURE")
    at_limit = ("orderRateLimitExceededMode", "CANCEL_ONLY")
    extra = (mode, named, at_limit) if cancel_anyway else (mode, named)
    return (*place_params(order, instrument, client_order_id), *extra)


def amend_params(instrument: Instrument, order: OrderState, quantity: Decimal) -> Params:
    """Return the parameters that make an order smaller.

    It keeps its client id, which else becomes a random one (fault F103), unless that is none that could be sent.

    Raises:
        ValidationError: the quantity is not smaller; Binance makes no order larger (Binance: 5.7).
    """
    if order.quantity is not None and quantity >= order.quantity:
        rule = f"must be less than the present {plain_text(order.quantity)}"
        raise ValidationError("quantity", quantity, rule, exchange=EXCHANGE)
    named = ("orderId", order.exchange_order_id or "")
    if order.exchange_order_id is None:
        named = ("origClientOrderId", order.client_order_id)
    own_id = order.client_order_id
    kept: Params = (("newClientOrderId", own_id),) if is_client_order_id(own_id) else ()
    return (("symbol", instrument.exchange_symbol), named, *kept, ("newQty", plain_text(quantity)))
