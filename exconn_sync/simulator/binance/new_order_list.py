"""From the parameters of a new order list to what the core understands (Binance: 5.9)."""

from collections.abc import Mapping
from dataclasses import dataclass

from exconn_sync.simulator.binance import errors
from exconn_sync.simulator.binance.errors import ApiError
from exconn_sync.simulator.binance.market_data import known_market
from exconn_sync.simulator.binance.new_order import (
    CLIENT_ID_FORM,
    checked_order,
    read_order,
    read_response_type,
    read_side,
    read_type,
)
from exconn_sync.simulator.binance.params import LegParams, Params
from exconn_sync.simulator.binance.venue import Call
from exconn_sync.simulator.core.order_lists import STOP_LOSSES, TAKE_PROFITS, ListKind, NewOrderList
from exconn_sync.simulator.core.orders import NewOrder, OrderType, Side
from exconn_sync.simulator.core.symbols import SymbolSpec

_Names = Mapping[str, str | None]
_NEVER: _Names = {"quoteOrderQty": None}
_WORKING: _Names = {**_NEVER, "stopPrice": None, "trailingDelta": None}
_PENDING: _Names = {**_NEVER, "side": "pendingSide", "quantity": "pendingQuantity"}
_OF_PROCEEDS: _Names = {**_NEVER, "side": "pendingSide", "quantity": None}
_SHARED: _Names = {**_NEVER, "side": "side", "quantity": "quantity"}
_NO_PEG: _Names = {"pegPriceType": None, "pegOffsetType": None, "pegOffsetValue": None}
_OLD_LIMIT: _Names = {**_SHARED, **_NO_PEG, "price": "price", "timeInForce": None, "stopPrice": None,
                      "trailingDelta": None}  # fmt: skip
_OLD_STOP: _Names = {**_SHARED, **_NO_PEG, "price": "stopLimitPrice", "timeInForce": "stopLimitTimeInForce",
                     "stopPrice": "stopPrice", "trailingDelta": "trailingDelta"}  # fmt: skip
_WORKING_TYPES = (OrderType.LIMIT, OrderType.LIMIT_MAKER)


@dataclass(frozen=True, slots=True)
class ListCommand:
    """A new order list and the kind of answer wanted."""

    request: NewOrderList
    response_type: str


@dataclass(frozen=True, slots=True)
class _Leg:
    """One order as it was read, and the names under which it was."""

    params: Params
    order: NewOrder


def read_list(call: Call, kind: ListKind) -> ListCommand:
    """Read one of the lists that have a path of their own."""
    params = call.params
    symbol = params.required("symbol")
    if kind.sells_received and params.peek("pendingQuantity") is not None:
        raise ApiError(-1225, "Parameter 'pendingQuantity' is not required: the received quantity is sold.")
    legs: list[_Leg] = []
    if kind.has_working:
        legs.append(_working(call, symbol))
    if not kind.has_pair:
        legs.append(_leg(call, symbol, "pending", _OF_PROCEEDS if kind.sells_received else _PENDING))
    elif kind is ListKind.OCO:
        legs += _pair(_above_below(call, symbol, "", _SHARED))
    else:
        legs += _pair(_above_below(call, symbol, "pending", _OF_PROCEEDS if kind.sells_received else _PENDING))
    if kind.sells_received:
        _check_sides(legs)
    return _command(call, kind, symbol, legs)


def read_old_pair(call: Call) -> ListCommand:
    """Read the pair of the deprecated order/oco: a post-only limit order and a stop-loss."""
    params = call.params
    symbol = params.required("symbol")
    for name in ("price", "quantity"):
        params.required(name)
    has_limit = params.peek("stopLimitPrice") is not None
    stop_type = OrderType.STOP_LOSS_LIMIT if has_limit else OrderType.STOP_LOSS
    stop = _leg(call, symbol, "stop", _OLD_STOP, stop_type)
    goal = _leg(call, symbol, "limit", _OLD_LIMIT, OrderType.LIMIT_MAKER)
    return _command(call, ListKind.OCO, symbol, [stop, goal])


def _command(call: Call, kind: ListKind, symbol: str, legs: list[_Leg]) -> ListCommand:
    params = call.params
    client_list_id = params.matching("listClientOrderId", CLIENT_ID_FORM) or call.venue.new_client_id()
    response_type = read_response_type(params, "RESULT")
    mode = params.optional("selfTradePreventionMode")
    params.finish()
    spec = known_market(call, symbol).spec
    for word, is_needed, is_offered in (
        ("OCO", kind.has_pair, spec.oco_allowed),
        ("OTO", kind.has_working, spec.oto_allowed),
        ("OPO", kind.sells_received, spec.opo_allowed),
    ):
        if is_needed and not is_offered:
            raise errors.rejected(f"{word} orders are not supported for this symbol")
    orders = tuple(_checked(leg, spec, mode) for leg in legs)
    return ListCommand(NewOrderList(kind, client_list_id, orders), response_type)


def _checked(leg: _Leg, spec: SymbolSpec, mode: str | None) -> NewOrder:
    return checked_order(leg.params, spec, leg.order, mode)


def _working(call: Call, symbol: str) -> _Leg:
    if read_type(LegParams(call.params, "working", _WORKING)) not in _WORKING_TYPES:
        raise ApiError(-1014, "Unsupported order combination.")
    return _leg(call, symbol, "working", _WORKING)


def _leg(call: Call, symbol: str, prefix: str, names: _Names, kind: OrderType | None = None) -> _Leg:
    params = LegParams(call.params, prefix, names)
    side = read_side(params)
    kind = read_type(params) if kind is None else kind
    client_id = params.matching("clientOrderId", CLIENT_ID_FORM) or call.venue.new_client_id()
    return _Leg(params, read_order(params, symbol, side, kind, client_id))


def _above_below(call: Call, symbol: str, prefix: str, names: _Names) -> tuple[_Leg, _Leg]:
    upper, lower = (f"{prefix}Above", f"{prefix}Below") if prefix else ("above", "below")
    kinds = [read_type(LegParams(call.params, name, names)) for name in (upper, lower)]
    _check_types(read_side(LegParams(call.params, upper, names)), kinds[0], kinds[1])
    for name in (upper, lower):
        params = LegParams(call.params, name, names)
        if params.peek("icebergQty") is not None and params.peek("timeInForce") not in (None, "GTC"):
            raise ApiError(-1160, "Iceberg orders of an order list must be good till canceled.")
    return _leg(call, symbol, upper, names), _leg(call, symbol, lower, names)


def _pair(legs: tuple[_Leg, _Leg]) -> tuple[_Leg, _Leg]:
    """The stop-loss first, as the exchange numbers them."""
    above, below = legs
    return (above, below) if above.order.type in STOP_LOSSES else (below, above)


def _check_types(side: Side, above: OrderType, below: OrderType) -> None:
    limits = [kind is OrderType.LIMIT_MAKER for kind in (above, below)]
    if all(limits):
        raise ApiError(-1168, "Both orders of an OCO cannot be limit orders.")
    for kind in (above, below):
        if kind not in STOP_LOSSES | TAKE_PROFITS | {OrderType.LIMIT_MAKER}:
            raise ApiError(-1158, "This order type is not possible in an OCO.")
    if side is Side.BUY:
        complaints = (
            (limits[0], -1165, "A limit order of a buying OCO must be below."),
            (below in STOP_LOSSES, -1196, "A stop-loss of a buying OCO must be above."),
            (above in TAKE_PROFITS, -1198, "A take-profit of a buying OCO must be below."),
        )
    else:
        complaints = (
            (limits[1], -1166, "A limit order of a selling OCO must be above."),
            (above in STOP_LOSSES, -1197, "A stop-loss of a selling OCO must be below."),
            (below in TAKE_PROFITS, -1199, "A take-profit of a selling OCO must be above."),
        )
    for is_wrong, code, text in complaints:
        if is_wrong:
            raise ApiError(code, text)


def _check_sides(legs: list[_Leg]) -> None:
    if legs[0].order.side is not Side.BUY:
        raise ApiError(-1222, "The working order of an OPO must buy.")
    if any(leg.order.side is not Side.SELL for leg in legs[1:]):
        raise ApiError(-1223, "The pending orders of an OPO must sell.")
