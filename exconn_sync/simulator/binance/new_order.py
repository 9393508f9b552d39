"""From the parameters of a new order to what the core understands."""

from dataclasses import dataclass, replace
from enum import Enum
from typing import TypeVar

from exconn_sync.simulator.binance import errors
from exconn_sync.simulator.binance.market_data import known_market
from exconn_sync.simulator.binance.order_shapes import check_mandatory, check_peg, check_shape, read_peg, unsupported
from exconn_sync.simulator.binance.params import Params
from exconn_sync.simulator.binance.venue import Call
from exconn_sync.simulator.core.filters import excess_precision
from exconn_sync.simulator.core.orders import NewOrder, OrderType, PreventionMode, Side, TimeInForce
from exconn_sync.simulator.core.symbols import SymbolSpec

CLIENT_ID_FORM = "^[a-zA-Z0-9-_]{1,36}$"
_RESPONSE_TYPES = ("ACK", "RESULT", "FULL")
_WIRE_FIELD = {
    "quantity": "quantity",
    "price": "price",
    "quote_quantity": "quoteOrderQty",
    "stop_price": "stopPrice",
    "iceberg_quantity": "icebergQty",
}
_E = TypeVar("_E", bound=Enum)


@dataclass(frozen=True, slots=True)
class OrderCommand:
    """A new order and the kind of answer wanted."""

    order: NewOrder
    response_type: str


def read_new_order(call: Call, *extra: str) -> OrderCommand:
    """Read, then check: parameters, symbol, precision. ``extra`` names further parameters of the endpoint."""
    params = call.params
    symbol = params.required("symbol")
    side, order_type = read_side(params), read_type(params)
    client_id = params.matching("newClientOrderId", CLIENT_ID_FORM) or call.venue.new_client_id()
    response_type = read_response_type(params, "FULL" if order_type in (OrderType.LIMIT, OrderType.MARKET) else "ACK")
    for name in extra:
        params.optional(name)
    order = read_order(params, symbol, side, order_type, client_id)
    mode = params.optional("selfTradePreventionMode")
    params.finish()
    order = checked_order(params, known_market(call, symbol).spec, order, mode)
    return OrderCommand(order, response_type)


def checked_order(params: Params, spec: SymbolSpec, order: NewOrder, mode: str | None) -> NewOrder:
    """The order with its mode of self-trade prevention, if the symbol offers all that it asks for."""
    order = replace(order, prevention=_prevention(spec, mode))
    refusal = unsupported(spec, order)
    if refusal is not None:
        raise errors.rejected(refusal)
    check_peg(order)
    excess = excess_precision(spec, order)
    if excess is not None:
        raise errors.too_precise(params.named(_WIRE_FIELD[excess]))
    return order


def read_side(params: Params) -> Side:
    """The side of an order."""
    return _member(Side, params.required("side"), errors.ApiError(-1117, "Invalid side."))


def read_type(params: Params) -> OrderType:
    """The type of an order."""
    return _member(OrderType, params.required("type"), errors.ApiError(-1116, "Invalid orderType."))


def read_order(params: Params, symbol: str, side: Side, order_type: OrderType, client_id: str) -> NewOrder:
    """Read what belongs to one order; complain about what does not go with its type."""
    check_mandatory(params, order_type)
    tif = params.optional("timeInForce")
    strategy_id, strategy_type = params.integer("strategyId"), params.integer("strategyType")
    order = NewOrder(
        symbol=symbol,
        side=side,
        type=order_type,
        client_order_id=client_id,
        time_in_force=TimeInForce.GTC
        if tif is None
        else _member(TimeInForce, tif, errors.ApiError(-1115, "Invalid timeInForce.")),
        quantity=params.decimal("quantity"),
        price=params.decimal("price"),
        quote_quantity=params.decimal("quoteOrderQty"),
        stop_price=params.decimal("stopPrice"),
        trailing_delta=params.integer("trailingDelta"),
        strategy_id=strategy_id,
        strategy_type=strategy_type,
        iceberg_quantity=params.decimal("icebergQty") or None,
        peg=read_peg(params),
    )
    check_shape(params, order)
    if strategy_type is not None and strategy_type < 1_000_000:
        raise errors.ApiError(-1134, "strategyType was less than 1000000.")
    return order


def _prevention(spec: SymbolSpec, name: str | None) -> PreventionMode:
    if name is None:
        return spec.default_prevention
    for mode in spec.prevention_modes:
        if mode.name == name:
            return mode
    raise errors.ApiError(-1013, "This symbol does not allow the specified self-trade prevention mode.")


def read_response_type(params: Params, default: str) -> str:
    """The kind of answer wanted."""
    wanted = params.optional("newOrderRespType") or default
    if wanted not in _RESPONSE_TYPES:
        raise errors.ApiError(-1100, "Invalid newOrderRespType.")
    return wanted


def _member(kind: type[_E], name: str, error: errors.ApiError) -> _E:
    try:
        return kind[name]
    except KeyError:
        raise error from None
