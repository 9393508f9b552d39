"""What Bybit's error codes mean: data only (Bybit: 5).

A code that stands nowhere in here proves nothing: its outcome is ``unknown`` (fault model 0.1).
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
)


class Refusal(NamedTuple):
    """What a code means: the kind of error, and a stable word for what the kind alone does not tell."""

    kind: type[ExconnError]
    reason: str
    retryable: bool = False


OVERLOADED = frozenset({429, 10429})
"""The exchange protects itself; nothing of it is our limit (Bybit: 2.2)."""

UNKNOWN_OUTCOME = frozenset(
    {
        *OVERLOADED,
        *(10000, 10016, 170001, 170007, 170032, 170035, 170146, 170147, 170234, 170310),
        # The request itself was refused; the one that used its id before may have been carried out.
        20006,
    }
)
"""The request was taken, or may have been, and nobody says what became of it."""

TOO_MANY_REQUESTS = 10006
"""The budget of one endpoint and account is used up."""

CLOCK = 10002
"""The timestamp lies outside of the window, and the text tells both clocks (Bybit: 2.5)."""


def _codes(kind: type[ExconnError], reason: str, *codes: int, retryable: bool = False) -> dict[int, Refusal]:
    return dict.fromkeys(codes, Refusal(kind, reason, retryable))


REFUSALS: dict[int, Refusal] = {
    **_codes(AuthenticationError, "key", 10003, 10004, 10007, 10010, 33004, -2015, 20001),
    **_codes(
        PermissionDenied, "permission",
        10005, 10008, 10024, 10027, 10028, 10029, 10032, 100028, 110018, 110066, 110088, 110119, 110123, 110124,
        110125, 170219, 170224, 170241, 170355,
    ),
    **_codes(PermissionDenied, "region", 10009, 110132, 170209, 170348, 170358, 170359),
    **_codes(ClockSkew, "clock", CLOCK, -1),
    **_codes(RateLimitError, "rate_limit", TOO_MANY_REQUESTS, 10018, 10403, 20003, 170005, 170222),
    **_codes(ExchangeError, "not_done", 170149, 170150, 170191, 170210, 170311, retryable=True),
    **_codes(ExchangeError, "maintenance", 10019, 170031, retryable=True),
    **_codes(MarketClosed, "settlement", 110063, retryable=True),
    **_codes(
        ExchangeError, "bad_request",
        10001, 10014, 10017, 10404, 110019, 110032, 110108, 110109, 170105, 170115, 170116, 170117, 170130, 170145,
        170201, 170202, 170227, 170312, *range(181000, 181012), *range(181013, 181020),
    ),
    **_codes(ExchangeError, "symbol", 170121, 170157, 170221, 181012),
    **_codes(MarketClosed, "symbol_state", 170151, 110074),
    **_codes(
        InsufficientBalance, "balance",
        30256, 110004, 110006, 110007, 110012, 110044, 110045, 110051, 110052, 110053, 170033, 170131, 170207, 176015,
    ),
    **_codes(
        FilterViolation, "price",
        30208, 30209, 110003, 110118, 110120, 110121, 170132, 170133, 170134, 170192, 170193, 170194, 170195, 170196,
        170203, 170204, 170371, 170372,
    ),
    **_codes(
        FilterViolation, "quantity",
        110017, 170010, 170011, 170019, 170124, 170135, 170136, 170137, 170148, 170197, 170198, 170199, 170200, 170228,
        170229, 170341, 170381, 170382,
    ),
    **_codes(FilterViolation, "notional", 110094, 170140),
    **_codes(DuplicateOrder, "duplicate", 110030, 110072, 170141),
    **_codes(OrderNotFound, "unknown_order", 110001, 170143, 170213),
    **_codes(OrderNotFound, "already_done", 110008, 110010, 170139, 170142, 170190),
    **_codes(OrderRejected, "being_changed", 40004, 110079, 170144, 170212, retryable=True),
    **_codes(OrderRejected, "filled_beyond", 110064, 170313),
    **_codes(OrderRejected, "too_many_open", 110009, 110020, 170810),
    **_codes(MarketClosed, "market_phase", 110103, 170159, 170206, 170217, 170218),
    **_codes(
        OrderRejected, "margin",
        110068, 110069, 110080, 170034, 170036, 170037, 170215, 170216, 170220, 170223, 170226, 170230, 170344, 170346,
        170360, 170709,
    ),
}  # fmt: skip
"""Codes by which the exchange certainly did not do what was asked."""

_MARGIN = Refusal(OrderRejected, "margin")
_MARGIN_FAMILIES = frozenset({176, 182})


def refusal_of(code: int) -> Refusal | None:
    """Return what a code certainly refuses, None where it proves nothing."""
    if code in UNKNOWN_OUTCOME:
        return None
    found = REFUSALS.get(code)
    return _MARGIN if found is None and code // 1000 in _MARGIN_FAMILIES else found


KEY_HINTS = {
    10003: "nobody knows the key: is it of another environment or site, or are there too many sessions?",
    10004: "the secret does not belong to the key, or is of another type of key",
    10005: "the key may not do this: does it have the permission for spot trading, and is it not read-only?",
    10010: "the key is not allowed from this address",
    33004: "the key has expired; one that is bound to no address does after 90 days",
    -2015: "the key has expired; one that is bound to no address does after 90 days",
}
"""What a refused key may mean, in words (fault F166)."""
