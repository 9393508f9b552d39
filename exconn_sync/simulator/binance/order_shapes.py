"""Which parameters go with which type of order, and what a symbol offers (Binance: 5.4, 7.3)."""

from exconn_sync.simulator.binance import errors
from exconn_sync.simulator.binance.params import Params
from exconn_sync.simulator.core.orders import NewOrder, OrderType, Peg, PegPrice, TimeInForce
from exconn_sync.simulator.core.symbols import SymbolSpec

_STOP = ("stopPrice", "trailingDelta")
_PEG = ("pegPriceType", "pegOffsetType", "pegOffsetValue")
_MAX_PEG_OFFSET = 100
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
    OrderType.LIMIT: ("icebergQty",),
    OrderType.LIMIT_MAKER: ("icebergQty",),
    OrderType.MARKET: ("quantity", "quoteOrderQty"),
    OrderType.STOP_LOSS: _STOP,
    OrderType.STOP_LOSS_LIMIT: (*_STOP, "icebergQty"),
    OrderType.TAKE_PROFIT: _STOP,
    OrderType.TAKE_PROFIT_LIMIT: (*_STOP, "icebergQty"),
}
_SOMETIMES_UNWANTED = ("timeInForce", "quantity", "price", "quoteOrderQty", "icebergQty", *_STOP)
_TYPE_WORDS = {
    OrderType.LIMIT: "Limit",
    OrderType.LIMIT_MAKER: "Limit maker",
    OrderType.MARKET: "Market",
    OrderType.STOP_LOSS: "Stop loss",
    OrderType.STOP_LOSS_LIMIT: "Stop loss limit",
    OrderType.TAKE_PROFIT: "Take profit",
    OrderType.TAKE_PROFIT_LIMIT: "Take profit limit",
}


def check_mandatory(params: Params, order_type: OrderType) -> None:
    """Complain about an empty text where the type of order needs a value: that is not the code of an empty option."""
    for name in _MANDATORY[order_type]:
        if params.peek(name) == "":
            params.required(name)


def check_shape(params: Params, order: NewOrder) -> None:
    """Complain about a parameter that the type of order lacks, or does not take."""
    mandatory = _MANDATORY[order.type]
    for name in mandatory:
        if params.takes(name) and (name != "price" or order.peg is None):
            params.required(name)
    if order.type is OrderType.MARKET:
        if order.quantity is not None and order.quote_quantity is not None:
            raise errors.ApiError(-1128, "Combination of optional parameters invalid.")
        if order.quote_quantity is None and params.takes("quantity"):
            params.required("quantity")
    if order.type.is_stop and order.stop_price is None and order.trailing_delta is None:
        names = [params.named(name) for name in _STOP]
        text = f"Param '{names[0]}' or '{names[1]}' must be sent, but both were empty/null!"
        raise errors.ApiError(-1102, text)
    taken = (*mandatory, *_OPTIONAL.get(order.type, ()))
    for name in _SOMETIMES_UNWANTED:
        if name not in taken and params.peek(name) is not None:
            raise errors.unwanted_parameter(params.named(name))
    if order.iceberg_quantity is not None and order.time_in_force is not TimeInForce.GTC:
        raise errors.ApiError(-1014, "Unsupported order combination.")


def read_peg(params: Params) -> Peg | None:
    """The peg instructions, if there are any: a side of the book, and how many levels deeper."""
    price, kind, value = params.optional(_PEG[0]), params.optional(_PEG[1]), params.integer(_PEG[2])
    if price is None:
        if kind is not None or value is not None:
            raise errors.missing_parameter(params.named("pegPriceType"))
        return None
    if price not in PegPrice.__members__:
        raise errors.ApiError(-1210, "Invalid pegPriceType.")
    if kind not in (None, "PRICE_LEVEL"):
        raise errors.ApiError(-1211, "Invalid pegOffsetType.")
    if (kind is None) != (value is None):
        raise errors.ApiError(-1128, "Combination of optional parameters invalid.")
    if value is not None and not 1 <= value <= _MAX_PEG_OFFSET:
        raise errors.ApiError(-1130, f"Data sent for parameter '{params.named('pegOffsetValue')}' is not valid.")
    return Peg(PegPrice[price], value)


def check_peg(order: NewOrder) -> None:
    """Complain about a peg that the type of order cannot have (Binance: 5.8)."""
    if order.peg is None:
        return
    if not order.type.has_limit:
        raise errors.rejected("This order type may not use pegged price.")
    is_primary = order.peg.price is PegPrice.PRIMARY_PEG
    is_maker = order.type is OrderType.LIMIT_MAKER
    takes = order.type is OrderType.LIMIT and order.time_in_force is not TimeInForce.GTC
    if (is_maker and not is_primary) or (takes and is_primary):
        raise errors.rejected("This price peg cannot be used with this order type.")


def unsupported(spec: SymbolSpec, order: NewOrder) -> str | None:
    """The exchange's words for what the symbol does not offer, if there is something."""
    if order.type not in spec.order_types:
        return f"{_TYPE_WORDS[order.type]} orders are not supported for this symbol."
    if order.quote_quantity is not None and not spec.quote_market_allowed:
        return "Quote order qty market orders are not support for this symbol."
    options = (
        ("Iceberg", order.iceberg_quantity, spec.iceberg_allowed),
        ("Trailing stop", order.trailing_delta, spec.trailing_allowed),
        ("Pegged", order.peg, spec.pegs_allowed),
    )
    for word, value, is_offered in options:
        if value is not None and not is_offered:
            return f"{word} orders are not supported for this symbol."
    return None
