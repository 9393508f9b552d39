"""What Binance's error codes mean: data only (Binance: 7.1, 7.3).

A code or text that stands nowhere in here proves nothing: its outcome is ``unknown`` (fault model 0.1).
"""

from __future__ import annotations

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

TEXTS: tuple[tuple[str, type[ExconnError]], ...] = (
    ("Account has insufficient balance", InsufficientBalance),
    ("Duplicate order sent", DuplicateOrder),
    ("Unknown order sent", OrderNotFound),
    ("Order would immediately match and take", WouldTakeLiquidity),
    ("Order would trigger immediately", OrderRejected),
    ("Market is closed", MarketClosed),
    ("This order type is not possible in this trading phase", MarketClosed),
    ("Limit orders require GTC for this phase", MarketClosed),
    ("Filter failure", FilterViolation),
    ("Price * QTY is zero or less", FilterViolation),
    ("IcebergQty exceeds QTY", FilterViolation),
    ("Order was not canceled due to cancel restrictions", OrderRejected),
    ("Cancel order is invalid", OrderRejected),
    ("The relationship of the prices for the orders is not correct", OrderRejected),
    ("Unsupported order combination", OrderRejected),
    ("Order book liquidity is", OrderRejected),
    ("This action is disabled on this account", PermissionDenied),
    ("This account may not place or cancel orders", PermissionDenied),
    ("This symbol is not permitted for this account", PermissionDenied),
    ("This symbol is restricted for this account", PermissionDenied),
    ("Rest API trading is not enabled", PermissionDenied),
    ("WebSocket API trading is not enabled", PermissionDenied),
)
"""Beginnings of the matching engine's texts; the first that fits counts."""

KEY_HINTS = {
    -1002: "the key may not do this",
    -1022: "the secret does not belong to the key, or is of another type of key",
    -2014: "the API key does not have the form of one: was it copied whole?",
    -2015: "nobody knows the key (is it of another environment?), it is not allowed from this address, or it lacks a "
    "permission; Binance does not say which",
}
"""What a refused key may mean, in words (fault F166)."""
