"""From the parameters of a new order to what the core understands."""

from dataclasses import dataclass
from enum import Enum
from typing import TypeVar

from exconn_sync.simulator.binance import errors
from exconn_sync.simulator.binance.market_data import known_market
from exconn_sync.simulator.binance.params import Params
from exconn_sync.simulator.binance.venue import Call
from exconn_sync.simulator.core.filters import excess_precision
from exconn_sync.simulator.core.orders import NewOrder, OrderType, Side, TimeInForce

CLIENT_ID_FORM = "^[a-zA-Z0-9-_]{1,36}$"
_RESPONSE_TYPES = ("ACK", "RESULT", "FULL")
_WIRE_FIELD = {"quantity": "quantity", "price": "price", "quote_quantity": "quoteOrderQty"}
_NOT_OFFERED = {
    "STOP_LOSS": "Stop loss orders are not supported for this symbol.",
    "STOP_LOSS_LIMIT": "Stop loss limit orders are not supported for this symbol.",
    "TAKE_PROFIT": "Take profit orders are not supported for this symbol.",
    "TAKE_PROFIT_LIMIT": "Take profit limit orders are not supported for this symbol.",
}
_OPTIONS_NOT_OFFERED = {
    "icebergQty": "Iceberg orders are not supported for this symbol.",
    "trailingDelta": "Trailing stop orders are not supported for this symbol.",
    "pegPriceType": "Pegged orders are not supported for this symbol.",
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
    side = _member(Side, params.required("side"), errors.ApiError(-1117, "Invalid side."))
    type_name = params.required("type")
    client_id = params.matching("newClientOrderId", CLIENT_ID_FORM) or call.venue.new_client_id()
    response_type = _response_type(params, type_name)
    _read_strategy(params)
    unsupported = _unsupported(params, type_name)
    for name in extra:
        params.optional(name)
    if unsupported is not None:
        known_market(call, symbol)
        raise errors.rejected(unsupported)
    order_type = _member(OrderType, type_name, errors.ApiError(-1116, "Invalid orderType."))
    order = _read_order(params, symbol, side, order_type, client_id)
    params.finish()
    market = known_market(call, symbol)
    excess = excess_precision(market.spec, order)
    if excess is not None:
        raise errors.too_precise(_WIRE_FIELD[excess])
    return OrderCommand(order, response_type)


def _read_order(params: Params, symbol: str, side: Side, order_type: OrderType, client_id: str) -> NewOrder:
    quantity, price = params.decimal("quantity"), params.decimal("price")
    quote_quantity, tif = params.decimal("quoteOrderQty"), params.optional("timeInForce")
    required: tuple[str, ...] = ()
    unwanted: tuple[str, ...] = ("quoteOrderQty",)
    if order_type is OrderType.LIMIT:
        required = ("timeInForce", "quantity", "price")
    elif order_type is OrderType.LIMIT_MAKER:
        required, unwanted = ("quantity", "price"), ("quoteOrderQty", "timeInForce")
    else:
        unwanted = ("price", "timeInForce")
        if quantity is not None and quote_quantity is not None:
            raise errors.ApiError(-1128, "Combination of optional parameters invalid.")
        if quote_quantity is None:
            required = ("quantity",)
    for name in required:
        params.required(name)
    for name in unwanted:
        if params.peek(name) is not None:
            raise errors.unwanted_parameter(name)
    time_in_force = TimeInForce.GTC
    if tif is not None:
        time_in_force = _member(TimeInForce, tif, errors.ApiError(-1115, "Invalid timeInForce."))
    return NewOrder(symbol, side, order_type, client_id, time_in_force, quantity, price, quote_quantity)


def _response_type(params: Params, type_name: str) -> str:
    default = "FULL" if type_name in ("LIMIT", "MARKET") else "ACK"
    wanted = params.optional("newOrderRespType") or default
    if wanted not in _RESPONSE_TYPES:
        raise errors.ApiError(-1100, "Invalid newOrderRespType.")
    return wanted


def _read_strategy(params: Params) -> None:
    params.integer("strategyId")
    kind = params.integer("strategyType")
    if kind is not None and kind < 1_000_000:
        raise errors.ApiError(-1134, "strategyType was less than 1000000.")
    mode = params.optional("selfTradePreventionMode")
    if mode not in (None, "NONE"):
        raise errors.ApiError(-1013, "This symbol does not allow the specified self-trade prevention mode.")


def _unsupported(params: Params, type_name: str) -> str | None:
    params.decimal("stopPrice")
    found = _NOT_OFFERED.get(type_name)
    for name, text in _OPTIONS_NOT_OFFERED.items():
        if params.optional(name) is not None:
            found = found or text
    if found is None and params.peek("stopPrice") is not None:
        raise errors.unwanted_parameter("stopPrice")
    return found


def _member(kind: type[_E], name: str, error: errors.ApiError) -> _E:
    try:
        return kind[name]
    except KeyError:
        raise error from None
