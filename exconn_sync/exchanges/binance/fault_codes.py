"""What Binance's error codes mean: data only (Binance: 7.1, 7.3).

A code or text that stands nowhere in here proves nothing: its outcome is ``unknown`` (fault model 0.1).
"""

from __future__ import annotations

from typing import NamedTuple

from exconn_sync.errors import (
    AuthenticationError,
    ClockSkew,
    DuplicateOrder,
    ExchangeError,
    ExconnError,
    FilterViolation,
    InsufficientBalance,
    MarketClosed,
    OrderNotFound,
    OrderRejected,
    PermissionDenied,
    RateLimitError,
    WouldTakeLiquidity,
)

UNKNOWN_OUTCOME = frozenset({-1000, -1001, -1006, -1007, -1008, -1016})
"""The request was taken, and nobody says what became of it; the last two also mean that Binance is busy or leaving."""

REFUSALS: dict[int, type[ExconnError]] = {
    -1002: AuthenticationError,
    -1003: RateLimitError,
    -1014: OrderRejected,
    -1015: RateLimitError,
    -1020: OrderRejected,
    -1021: ClockSkew,
    -1022: AuthenticationError,
    -1034: RateLimitError,
    -1111: FilterViolation,
    -1112: OrderRejected,
    -1121: ExchangeError,
    -1125: AuthenticationError,
    -1220: MarketClosed,
    -2013: OrderNotFound,
    -2014: AuthenticationError,
    -2015: AuthenticationError,
    -2016: ExchangeError,
    -2026: OrderNotFound,
    -2035: ExchangeError,
    -2036: ExchangeError,
    -2039: OrderNotFound,
    -2042: ExchangeError,
    -2043: ExchangeError,
}
"""Codes by which the exchange certainly did not do what was asked."""

_BAD_REQUESTS = (
    *(-1100, -1101, -1102, -1103, -1104, -1105, -1106, -1108, -1128, -1130, -1135, -1151),  # request shape
    *(-1114, -1115, -1116, -1117, -1118, -1119, -1120, -1122, -1127, -1134, -1139, -1145, -1194),  # field values
    *(-1210, -1211),  # pegged orders
    *(-1158, -1160, -1165, -1166, -1168, -1196, -1197, -1198, -1199, -1222, -1223, -1224, -1225),  # order lists
    *(-1152, -1153, -1155, -1161, -1221),  # binary encoding
)
REFUSALS.update(dict.fromkeys(_BAD_REQUESTS, ExchangeError))

REFUSALS_BY_TEXT: dict[int, type[ExconnError] | None] = {
    -1010: None,
    -1013: OrderRejected,
    -2010: OrderRejected,
    -2011: OrderRejected,
    -2038: OrderRejected,
}
"""Families of refusals told apart by the text, and what an unlisted text of the family means (None: nothing)."""

BY_PARTS = frozenset({-2021, -2022})
"""Cancel-replace failed in part or as a whole: each part has its own code and text (Binance: 5.7)."""

OTHER_INTERFACES = frozenset({-1033, -1035, *range(-1191, -1168)})
"""Codes of FIX sessions. Neither REST nor the WebSocket API gives them, so that here they prove nothing."""

NO_LONGER_DOCUMENTED = frozenset({-1099, -1131, -1167})
"""Codes of old change notes: nobody says today what they mean, so that they prove nothing."""


class Refusal(NamedTuple):
    """What a text means: the kind of error, and a stable word for what the kind alone does not tell."""

    kind: type[ExconnError]
    reason: str


FILTER_FAILURE = "Filter failure"

_INSUFFICIENT_BALANCE = Refusal(InsufficientBalance, "insufficient_balance")
_DUPLICATE = Refusal(DuplicateOrder, "duplicate")
_UNKNOWN_ORDER = Refusal(OrderNotFound, "unknown_order")
_WOULD_MATCH = Refusal(WouldTakeLiquidity, "would_match")
_WOULD_TRIGGER = Refusal(OrderRejected, "would_trigger")
_SYMBOL_STATE = Refusal(MarketClosed, "symbol_state")
_FILTER = Refusal(FilterViolation, "filter")
_CANCEL_RESTRICTED = Refusal(OrderRejected, "cancel_restricted")
_BAD_REQUEST = Refusal(OrderRejected, "bad_request")
_OCO_PRICES = Refusal(OrderRejected, "oco_prices")
_NO_LIQUIDITY = Refusal(OrderRejected, "no_liquidity")
_NOT_SUPPORTED = Refusal(OrderRejected, "not_supported")
_AMEND_INVALID = Refusal(OrderRejected, "amend_invalid")
_ACCOUNT_RESTRICTED = Refusal(PermissionDenied, "account_restricted")
_INTERFACE_DISABLED = Refusal(PermissionDenied, "not_supported")

_KINDS_OF_ORDERS = (
    *("Market", "Iceberg", "Stop loss", "Stop loss limit", "Take profit", "Take profit limit", "Trailing stop"),
    *("Pegged", "OCO", "OTO", "OPO", "Quote order qty market"),
)
TEXTS: tuple[tuple[str, Refusal], ...] = (
    ("Account has insufficient balance", _INSUFFICIENT_BALANCE),
    ("Duplicate order sent", _DUPLICATE),
    ("Unknown order sent", _UNKNOWN_ORDER),
    ("Order would immediately match and take", _WOULD_MATCH),
    ("Order would trigger immediately", _WOULD_TRIGGER),
    ("Market is closed", _SYMBOL_STATE),
    ("This order type is not possible in this trading phase", _SYMBOL_STATE),
    ("Limit orders require GTC for this phase", _SYMBOL_STATE),
    (FILTER_FAILURE, _FILTER),
    ("Price * QTY is zero or less", _BAD_REQUEST),
    ("IcebergQty exceeds QTY", _BAD_REQUEST),
    ("Unsupported order combination", _BAD_REQUEST),
    ("Cancel order is invalid", _BAD_REQUEST),
    ("This order type may not use pegged price", _BAD_REQUEST),
    ("This price peg cannot be used with this order type", _BAD_REQUEST),
    ("Order was not canceled due to cancel restrictions", _CANCEL_RESTRICTED),
    ("The relationship of the prices for the orders is not correct", _OCO_PRICES),
    ("Order book liquidity is", _NO_LIQUIDITY),
    ("This action is disabled on this account", _ACCOUNT_RESTRICTED),
    ("This account may not place or cancel orders", _ACCOUNT_RESTRICTED),
    ("This symbol is not permitted for this account", _ACCOUNT_RESTRICTED),
    ("This symbol is restricted for this account", _ACCOUNT_RESTRICTED),
    ("Rest API trading is not enabled", _INTERFACE_DISABLED),
    ("WebSocket API trading is not enabled", _INTERFACE_DISABLED),
    # ``support`` without an end: the exchange writes "are not support for" as well.
    *((f"{kind} orders are not support", _NOT_SUPPORTED) for kind in _KINDS_OF_ORDERS),
    ("Order cancel-replace is not supported for this symbol", _NOT_SUPPORTED),
    ("Order amend is not supported for this symbol", _NOT_SUPPORTED),
    ("This symbol does not allow the specified self-trade prevention mode", _NOT_SUPPORTED),
    ("Order amend (quantity increase) is not supported", _AMEND_INVALID),
    ("Order amend (pending OPO order) is not supported", _AMEND_INVALID),
    ("The requested action would change no state", _AMEND_INVALID),
)
"""Beginnings of the matching engine's texts, and the one of section 5.4; no text begins with another one."""

KEY_HINTS = {
    -1002: "the key may not do this",
    -1022: "the secret does not belong to the key, or is of another type of key",
    -2014: "the API key does not have the form of one: was it copied whole?",
    -2015: "nobody knows the key (is it of another environment?), it is not allowed from this address, or it lacks a "
    "permission; Binance does not say which",
}
"""What a refused key may mean, in words (fault F166)."""
