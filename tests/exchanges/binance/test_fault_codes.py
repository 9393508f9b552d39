"""Every documented code and text has one meaning, and nothing else counts as a refusal (Binance: 7; fault F075)."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

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
    OutcomeUnknown,
    PermissionDenied,
    RateLimitError,
    WouldTakeLiquidity,
)
from exconn_sync.exchanges.binance.driver import DRIVER
from exconn_sync.exchanges.binance.fault_codes import (
    BY_PARTS,
    NO_LONGER_DOCUMENTED,
    OTHER_INTERFACES,
    REFUSALS,
    REFUSALS_BY_TEXT,
    TEXTS,
    UNKNOWN_OUTCOME,
)
from exconn_sync.exchanges.binance.faults import login_error_of
from exconn_sync.model.wire import LoginReply
from tests.data import read_json
from tests.exchanges.binance.support import INSTRUMENTS, RECEIVED_AT, read_call, response

unhurried = settings(deadline=None)
COMMAND = read_call(is_command=True)
NOW_MS = RECEIVED_AT // 1_000_000

BAD_REQUESTS = (
    -1100, -1101, -1102, -1103, -1104, -1105, -1106, -1108, -1114, -1115, -1116, -1117, -1118, -1119, -1120, -1122,
    -1127, -1128, -1130, -1134, -1135, -1139, -1145, -1151, -1152, -1153, -1155, -1158, -1160, -1161, -1165, -1166,
    -1168, -1194, -1196, -1197, -1198, -1199, -1210, -1211, -1221, -1222, -1223, -1224, -1225,
)  # fmt: skip
KINDS: dict[int, type[ExconnError]] = {
    **dict.fromkeys((-1000, -1001, -1006, -1007, -1008, -1016), OutcomeUnknown),
    **dict.fromkeys((-1002, -1022, -1125, -2014, -2015), AuthenticationError),
    **dict.fromkeys((-1003, -1015, -1034), RateLimitError),
    **dict.fromkeys((-1013, -1014, -1020, -1112, -2010, -2011, -2038), OrderRejected),
    **dict.fromkeys((-2013, -2026, -2039), OrderNotFound),
    **dict.fromkeys((-1121, -2016, -2035, -2036, -2042, -2043, *BAD_REQUESTS), ExchangeError),
    -1021: ClockSkew,
    -1111: FilterViolation,
    -1220: MarketClosed,
}
"""What each code of section 7.1 means with a text that is on no table."""

# An engine error without a text that is known, and cancel-replace, of which half may have been done.
OPEN = {-1010, -2021, -2022}
NOT_OURS = {-1033, -1035, *range(-1191, -1168)}

TEXTS_OF_7_3: list[tuple[str, type[ExconnError], str]] = [
    ("Account has insufficient balance for requested action.", InsufficientBalance, "insufficient_balance"),
    ("Duplicate order sent.", DuplicateOrder, "duplicate"),
    ("Unknown order sent.", OrderNotFound, "unknown_order"),
    ("Order would immediately match and take.", WouldTakeLiquidity, "would_match"),
    ("Order would trigger immediately.", OrderRejected, "would_trigger"),
    ("Market is closed.", MarketClosed, "symbol_state"),
    ("This order type is not possible in this trading phase.", MarketClosed, "symbol_state"),
    ("Limit orders require GTC for this phase.", MarketClosed, "symbol_state"),
    ("Order was not canceled due to cancel restrictions.", OrderRejected, "cancel_restricted"),
    ("Cancel order is invalid. Check origClOrdId and orderId.", OrderRejected, "bad_request"),
    ("The relationship of the prices for the orders is not correct.", OrderRejected, "oco_prices"),
    ("Price * QTY is zero or less.", OrderRejected, "bad_request"),
    ("IcebergQty exceeds QTY.", OrderRejected, "bad_request"),
    ("Unsupported order combination", OrderRejected, "bad_request"),
    ("Order book liquidity is less than LOT_SIZE filter minimum quantity.", OrderRejected, "no_liquidity"),
    ("Order book liquidity is less than MARKET_LOT_SIZE filter minimum quantity.", OrderRejected, "no_liquidity"),
    ("Order book liquidity is less than symbol minimum quantity.", OrderRejected, "no_liquidity"),
    ("Order book liquidity is too low for this pegged order.", OrderRejected, "no_liquidity"),
    ("This action is disabled on this account.", PermissionDenied, "account_restricted"),
    ("This account may not place or cancel orders.", PermissionDenied, "account_restricted"),
    ("This symbol is not permitted for this account.", PermissionDenied, "account_restricted"),
    ("This symbol is restricted for this account.", PermissionDenied, "account_restricted"),
    ("Rest API trading is not enabled.", PermissionDenied, "not_supported"),
    ("WebSocket API trading is not enabled.", PermissionDenied, "not_supported"),
    ("Market orders are not supported for this symbol.", OrderRejected, "not_supported"),
    ("Iceberg orders are not supported for this symbol.", OrderRejected, "not_supported"),
    ("Stop loss orders are not supported for this symbol.", OrderRejected, "not_supported"),
    ("Stop loss limit orders are not supported for this symbol.", OrderRejected, "not_supported"),
    ("Take profit orders are not supported for this symbol.", OrderRejected, "not_supported"),
    ("Take profit limit orders are not supported for this symbol.", OrderRejected, "not_supported"),
    ("Trailing stop orders are not supported for this symbol.", OrderRejected, "not_supported"),
    ("Pegged orders are not supported for this symbol.", OrderRejected, "not_supported"),
    ("OCO orders are not supported for this symbol", OrderRejected, "not_supported"),
    ("OPO orders are not supported for this symbol", OrderRejected, "not_supported"),
    ("Quote order qty market orders are not support for this symbol.", OrderRejected, "not_supported"),
    ("Order cancel-replace is not supported for this symbol.", OrderRejected, "not_supported"),
    ("Order amend is not supported for this symbol.", OrderRejected, "not_supported"),
    ("This order type may not use pegged price.", OrderRejected, "bad_request"),
    ("This price peg cannot be used with this order type.", OrderRejected, "bad_request"),
    ("Order amend (quantity increase) is not supported.", OrderRejected, "amend_invalid"),
    ("The requested action would change no state; rejecting", OrderRejected, "amend_invalid"),
    ("Order amend (pending OPO order) is not supported.", OrderRejected, "amend_invalid"),
    ("Filter failure: PERCENT_PRICE_BY_SIDE", FilterViolation, "filter"),
    # Section 5.4, with -1013.
    ("This symbol does not allow the specified self-trade prevention mode.", OrderRejected, "not_supported"),
]


def error(body: Any, status: int = 400, headers: dict[str, str] | None = None) -> ExconnError:
    found = DRIVER.error_of(response(body, status, headers), COMMAND)
    assert found is not None
    return found


@pytest.mark.parametrize("code", sorted(KINDS, reverse=True))
def test_every_code_has_its_kind(code: int) -> None:
    """(faults F072, F075)"""
    found = error({"code": code, "msg": "A text from the future."})
    assert type(found) is KINDS[code]
    assert found.outcome == ("unknown" if code in UNKNOWN_OUTCOME else "refused")
    assert found.details | {"hint": ""} == {"http_status": 400, "exchange_code": code, "hint": ""}
    refused_login = login_error_of(code, "A text from the future.")
    assert type(refused_login) is (ExchangeError if code in UNKNOWN_OUTCOME else KINDS[code])


@pytest.mark.parametrize("code", sorted({*OPEN, *NOT_OURS, *NO_LONGER_DOCUMENTED}, reverse=True))
def test_codes_that_say_nothing_here_prove_nothing(code: int) -> None:
    """(fault F072)"""
    found = error({"code": code, "msg": "A text from the future."})
    assert (type(found), found.outcome) == (ExchangeError, "unknown")


def test_the_tables_hold_each_documented_code_once() -> None:
    tables = [set(REFUSALS), set(REFUSALS_BY_TEXT), UNKNOWN_OUTCOME, BY_PARTS, OTHER_INTERFACES, NO_LONGER_DOCUMENTED]
    known = set().union(*tables)
    assert sum(map(len, tables)) == len(known)
    assert known == set(KINDS) | OPEN | NOT_OURS | NO_LONGER_DOCUMENTED
    documented = {row["code"] for row in read_json("docs_examples", "binance_spot", "errors", "error_code_names.json")}
    assert documented <= known, documented - known
    # Two carriers of engine texts are missing on the page of names (Binance: 7.1, 7.3).
    assert known - documented == {-1010, -2038, *NO_LONGER_DOCUMENTED}


@pytest.mark.parametrize(("text", "kind", "reason"), TEXTS_OF_7_3)
@pytest.mark.parametrize("code", sorted(REFUSALS_BY_TEXT))
def test_every_text_of_the_engine_has_its_kind(code: int, text: str, kind: type[ExconnError], reason: str) -> None:
    """(fault F075)"""
    found = error({"code": code, "msg": text})
    assert (type(found), found.outcome, found.details["reason"]) == (kind, "refused", reason)


def test_no_text_hides_another() -> None:
    starts = [start for start, _ in TEXTS]
    assert not [(one, other) for one in starts for other in starts if one is not other and other.startswith(one)]
    unused = [start for start in starts if not any(text.startswith(start) for text, _, _ in TEXTS_OF_7_3)]
    assert unused == ["OTO orders are not support"]


def test_a_refusal_by_a_filter_names_the_filter() -> None:
    found = error({"code": -1013, "msg": "Filter failure: MAX_NUM_ORDER_LISTS"})
    assert found.details["filter"] == "MAX_NUM_ORDER_LISTS"
    for odd in ("Filter failure", "Filter failure: ", "Filter failure: lot size"):
        assert "filter" not in error({"code": -1013, "msg": odd}).details


BODIES = st.one_of(
    st.builds(lambda code, msg: json.dumps({"code": code, "msg": msg}).encode(), st.integers(-3000, 100), st.text()),
    st.builds(
        lambda code, text: json.dumps({"code": code, "msg": text[0]}).encode(),
        st.sampled_from(sorted({*REFUSALS, *REFUSALS_BY_TEXT, *UNKNOWN_OUTCOME})),
        st.sampled_from(TEXTS_OF_7_3),
    ),
    st.binary(max_size=60),
    st.recursive(st.none() | st.integers() | st.text(max_size=5), lambda inner: st.lists(inner, max_size=3)).map(
        lambda value: json.dumps({"code": value, "msg": value}).encode()
    ),
)


@unhurried
@given(st.integers(300, 599), BODIES)
def test_nothing_but_a_listed_refusal_refuses(status: int, body: bytes) -> None:
    """(faults F071, F072, F074)"""
    found = DRIVER.error_of(response(body, status), COMMAND)
    assert found is not None
    code = found.details.get("exchange_code")
    listed = REFUSALS | {family: kind for family, kind in REFUSALS_BY_TEXT.items() if kind}
    if found.outcome == "refused":
        is_limit_without_a_word = code is None and status in (418, 429)
        assert status < 500
        assert code in listed or (code == -1010 and "reason" in found.details) or is_limit_without_a_word
    else:
        assert found.outcome == "unknown"
        assert status >= 500 or code not in listed


@unhurried
@given(st.integers(-1_000_000, 1_000_000).filter(lambda code: code not in {*REFUSALS, *REFUSALS_BY_TEXT}), st.text())
def test_a_code_on_no_table_never_refuses(code: int, text: str) -> None:
    """(fault F072)"""
    for status in (200, 300, 400, 401, 403, 404, 409, 418, 429, 500, 503):
        found = DRIVER.error_of(response({"code": code, "msg": text}, status), COMMAND)
        assert found is None or found.outcome == "unknown"
    assert login_error_of(code, text).outcome is None


BAN = (
    "Way too much request weight used; IP banned until {}. Please use WebSocket Streams for live updates to avoid bans."
)


@pytest.mark.parametrize(
    ("headers", "until_ms", "seconds"),
    [
        ({}, NOW_MS + 90_500, 90.5),
        ({"retry-after": "17"}, NOW_MS + 90_500, 17.0),
        ({"retry-after": "soon"}, NOW_MS + 90_500, 90.5),
        ({}, NOW_MS - 5, 0.0),
        ({}, NOW_MS + 400 * 86_400_000, 259_200.0),
        ({}, 12, None),
        ({}, 10**20, None),
    ],
)
def test_the_text_of_a_ban_says_when_it_ends(headers: dict[str, str], until_ms: int, seconds: float | None) -> None:
    """(faults F077, F078)"""
    found = error({"code": -1003, "msg": BAN.format(until_ms)}, 418, headers)
    assert isinstance(found, RateLimitError)
    assert (found.retry_after, found.outcome) == (seconds, "refused")


def login_error(code: int, text: str, data: Any) -> ExconnError:
    error = {"code": code, "msg": text} | ({} if data is None else {"data": data})
    frame = json.dumps({"id": 1, "status": 418, "error": error}).encode()
    reply = DRIVER.parse_account(frame, RECEIVED_AT, INSTRUMENTS)
    assert isinstance(reply, LoginReply)
    assert reply.error is not None
    return reply.error


@pytest.mark.parametrize(
    ("data", "seconds"),
    [
        ({"serverTime": 1_000_000_000_000, "retryAfter": 1_000_000_061_500}, 61.5),
        ({"retryAfter": NOW_MS + 3_000}, 3.0),
        ({"serverTime": 1_600_000_000_000_000, "retryAfter": 1_600_000_061_500_000}, 61.5),
        ({"serverTime": "x", "retryAfter": 1}, None),
        ({"serverTime": 1, "retryAfter": True}, None),
        ({"serverTime": 1_000_000_000_000, "retryAfter": 999_999_999_999}, 0.0),
        ({"serverTime": 1, "retryAfter": 10**30}, 259_200.0),
        ({}, None),
        ([], None),
        (None, None),
    ],
)
def test_a_limit_on_the_websocket_api_says_when_to_come_back(data: Any, seconds: float | None) -> None:
    """An epoch in milliseconds there, beside the exchange's own time (Binance: 11; faults F076, F077)."""
    found = login_error(-1003, "Too much request weight used", data)
    assert isinstance(found, RateLimitError)
    assert found.retry_after == seconds


def test_a_ban_on_the_websocket_api_without_data_is_read_from_its_text() -> None:
    """(fault F078)"""
    found = login_error(-1003, BAN.format(NOW_MS + 2_000), None)
    assert isinstance(found, RateLimitError)
    assert found.retry_after == 2.0


def test_the_documented_ban_is_understood() -> None:
    frame = read_json(
        "docs_examples", "binance_spot", "ws_api", "IP_limits__failed_response_indicating_that_you_are.json"
    )
    data = frame["error"]["data"]
    reply = DRIVER.parse_account(json.dumps({**frame, "id": 1}).encode(), RECEIVED_AT, INSTRUMENTS)
    assert isinstance(reply, LoginReply)
    assert isinstance(reply.error, RateLimitError)
    assert reply.error.retry_after == (data["retryAfter"] - data["serverTime"]) / 1_000
