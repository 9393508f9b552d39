"""Which parameters go with which type of order, and what a symbol offers (Binance: 5.4, 7.3)."""

from exconn_sync.simulator.binance import errors
from exconn_sync.simulator.binance.params import Params
from exconn_sync.simulator.core.orders import NewOrder, OrderType
from exconn_sync.simulator.core.symbols import SymbolSpec

_STOP = ("stopPrice", "trailingDelta")
_MANDATORY: dict[OrderType, tuple[str, ...]] = {
    OrderType.LIMIT: ("timeInForce", "quantity", "price"),
    OrderType.LIMIT_MAKER: ("quantity", "price"),
    OrderType.MARKET: (),
    OrderType.STOP_LOSS: ("quantity",),
    OrderType.STOP_LOSS_LIMIT: ("timeInForce", "quantity", "price"),
    OrderType.TAKE_PROFIT: ("quantity",),
    OrderType.TAKE_PROFIT_LIMIT: ("timeInForce", "quantity", "price"),
}
_OPTIONAL: dict[OrderType, tuple[str, ...]] = {
    OrderType.MARKET: ("quantity", "quoteOrderQty"),
    OrderType.STOP_LOSS: _STOP,
    OrderType.STOP_LOSS_LIMIT: _STOP,
    OrderType.TAKE_PROFIT: _STOP,
    OrderType.TAKE_PROFIT_LIMIT: _STOP,
}
_SOMETIMES_UNWANTED = ("timeInForce", "quantity", "price", "quoteOrderQty", *_STOP)
_TYPE_WORDS = {
    OrderType.LIMIT: "Limit",
    OrderType.LIMIT_MAKER: "Limit maker",
    OrderType.MARKET: "Market",
    OrderType.STOP_LOSS: "Stop loss",
    OrderType.STOP_LOSS_LIMIT: "Stop loss limit",
    OrderType.TAKE_PROFIT: "Take profit",
    OrderType.TAKE_PROFIT_LIMIT: "Take profit limit",
}


def check_shape(params: Params, order: NewOrder) -> None:
    """Complain about a parameter that the type of order lacks, or does not take."""
    mandatory = _MANDATORY[order.type]
    for name in mandatory:
        params.required(name)
    if order.type is OrderType.MARKET:
        if order.quantity is not None and order.quote_quantity is not None:
            raise errors.ApiError(-1128, "Combination of optional parameters invalid.")
        if order.quote_quantity is None:
            params.required("quantity")
    if order.type.is_stop and order.stop_price is None and order.trailing_delta is None:
        text = "Param 'stopPrice' or 'trailingDelta' must be sent, but both were empty/null!"
        raise errors.ApiError(-1102, text)
    taken = (*mandatory, *_OPTIONAL.get(order.type, ()))
    for name in _SOMETIMES_UNWANTED:
        if name not in taken and params.peek(name) is not None:
            raise errors.unwanted_parameter(name)


def unsupported(spec: SymbolSpec, order: NewOrder) -> str | None:
    """The exchange's words for what the symbol does not offer, if there is something."""
    if order.type not in spec.order_types:
        return f"{_TYPE_WORDS[order.type]} orders are not supported for this symbol."
    if order.trailing_delta is not None and not spec.trailing_allowed:
        return "Trailing stop orders are not supported for this symbol."
    return None
