"""The exchange's error codes and their words (Bybit: 5)."""

from exconn_sync.simulator.core.order_words import Side
from exconn_sync.simulator.core.refusals import Reason, Refusal


class ApiError(Exception):
    """A call that is answered with another ``retCode`` than 0, over HTTP with status 200."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message


class HttpError(Exception):
    """A call that is answered with an HTTP status instead (Bybit: 2.2)."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(f"{status}: {text}")
        self.status = status
        self.text = text


def bad_parameter(text: str) -> ApiError:
    """A parameter is missing or cannot be understood."""
    return ApiError(10001, f"params error: {text}")


def missing(name: str) -> ApiError:
    """A mandatory parameter is not there."""
    return ApiError(170105, f"Parameter '{name}' was empty.")


def bad_value(name: str) -> ApiError:
    """A parameter of an order has no value that it may have."""
    return ApiError(170130, f"Data sent for parameter '{name}' is not valid.")


def outside_window(sent: int, now: int, window: int) -> ApiError:
    """The timestamp is too old, or too far ahead."""
    return ApiError(
        10002,
        "invalid request, please check your server timestamp or recv_window param. "
        f"req_timestamp[{sent}],server_timestamp[{now}],recv_window[{window}]",
    )


def bad_key() -> ApiError:
    """The key is not known here."""
    return ApiError(10003, "API key is invalid.")


def bad_signature(signed: str) -> ApiError:
    """Something else was signed, or with another secret."""
    return ApiError(10004, f"error sign! origin_string[{signed}]")


def no_permission() -> ApiError:
    """The key may look, and do nothing."""
    return ApiError(10005, "Permission denied, please check your API key permissions.")


def too_many_visits() -> ApiError:
    """The quota of the endpoint is used up."""
    return ApiError(10006, "Too many visits. Exceeded the API Rate Limit.")


def not_in_demo() -> ApiError:
    """What the demo environment lacks."""
    return ApiError(10032, "Demo trading are not supported.")


def unknown_symbol() -> ApiError:
    """There is no such pair."""
    return ApiError(170121, "Invalid symbol.")


def unknown_order() -> ApiError:
    """There is no such order, or it is over."""
    return ApiError(170213, "Order does not exist.")


def duplicate_link_id() -> ApiError:
    """An ``orderLinkId`` is used once."""
    return ApiError(170141, "Duplicate clientOrderId.")


_FILTERS = {
    "PRICE_FILTER": (170134, "Order price has too many decimals."),
    "LOT_SIZE": (170137, "Order volume decimal too long."),
    "MARKET_LOT_SIZE": (170382, "Market order quantity too large."),
    "MIN_NOTIONAL": (170140, "Order value exceeded lower limit."),
    "NOTIONAL": (170140, "Order value exceeded lower limit."),
    "MAX_NUM_ORDERS": (170810, "Cannot exceed maximum of 500 conditional, TP/SL and active orders."),
    "EXCHANGE_MAX_NUM_ORDERS": (170810, "Cannot exceed maximum of 500 conditional, TP/SL and active orders."),
    "MAX_NUM_ALGO_ORDERS": (170810, "Cannot exceed maximum of 30 conditional orders."),
}
_BANDS = ("PERCENT_PRICE", "PERCENT_PRICE_BY_SIDE")
_BEYOND = {
    Side.BUY: (170193, "Buy order price cannot be higher than the limit."),
    Side.SELL: (170194, "Sell order price cannot be lower than the limit."),
}
_REASONS = {
    Reason.UNKNOWN_SYMBOL: (170121, "Invalid symbol."),
    Reason.INSUFFICIENT_BALANCE: (170131, "Insufficient balance."),
    Reason.DUPLICATE_CLIENT_ID: (170141, "Duplicate clientOrderId."),
    Reason.WOULD_TRIGGER: (170130, "Data sent for parameter 'triggerPrice' is not valid."),
    Reason.UNKNOWN_ORDER: (170213, "Order does not exist."),
    Reason.NO_CHANGE: (10001, "order not modified"),
    Reason.NOTHING_LEFT: (170313, "Order quantity cannot be lower than the filled quantity."),
    Reason.MARKET_CLOSED: (170151, "Trading of this pair is not open."),
}


def of_refusal(refusal: Refusal, side: Side) -> ApiError:
    """What the exchange says to the refusal of an order of a side by its core."""
    if refusal.reason is Reason.FILTER and refusal.detail in _BANDS:
        return ApiError(*_BEYOND[side])
    if refusal.reason is Reason.FILTER:
        return ApiError(*_FILTERS.get(refusal.detail, (170130, f"Order rejected by {refusal.detail}.")))
    return ApiError(*_REASONS.get(refusal.reason, (170210, "New order rejected.")))


_REJECTIONS = {
    Reason.DUPLICATE_CLIENT_ID: "EC_DuplicatedClOrdID",
    Reason.MARKET_CLOSED: "EC_InvalidSymbolStatus",
    Reason.WOULD_TAKE: "EC_PostOnlyWillTakeLiquidity",
    Reason.NO_LIQUIDITY: "EC_NoImmediateQtyToFill",
}
_FILTER_REJECTIONS = {
    "PRICE_FILTER": "EC_LimitOrderInvalidPrice",
    "LOT_SIZE": "EC_EcInvalidQty",
    "MARKET_LOT_SIZE": "EC_EcInvalidQty",
    "MIN_NOTIONAL": "EC_InvalidAmount",
    "NOTIONAL": "EC_InvalidAmount",
    "PERCENT_PRICE": "EC_ReachMarketPriceLimit",
    "PERCENT_PRICE_BY_SIDE": "EC_ReachMarketPriceLimit",
}


def reject_reason(refusal: Refusal) -> str:
    """The word in an order that was taken in and refused later (Bybit: 4.15)."""
    if refusal.reason is Reason.FILTER:
        return _FILTER_REJECTIONS.get(refusal.detail, "EC_Others")
    return _REJECTIONS.get(refusal.reason, "EC_Others")
