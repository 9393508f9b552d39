"""What an error answer proves, and what it does not (Binance: 2, 7; fault model 0.1)."""

from __future__ import annotations

import json
from typing import Any

import pytest

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
from exconn_sync.exchanges.binance.fault_codes import REFUSALS, REFUSALS_BY_TEXT, UNKNOWN_OUTCOME
from exconn_sync.model.wire import HttpResponse
from tests.data import data_path, read_json
from tests.exchanges.binance.support import read_call, response

COMMAND = read_call(is_command=True)
READ = read_call()


def error(
    code: int | None, msg: str = "text", status: int = 400, *, is_command: bool = True, retry_after: str | None = None
) -> ExconnError:
    headers = {} if retry_after is None else {"retry-after": retry_after}
    body: Any = b"<html>blocked</html>" if code is None else {"code": code, "msg": msg}
    found = DRIVER.error_of(response(body, status, headers), COMMAND if is_command else READ)
    assert found is not None
    assert found.exchange == "binance"
    assert found.details["http_status"] == status
    assert found.details.get("exchange_code") == code
    return found


@pytest.mark.parametrize("body", [{}, [], {"orderId": 1, "code": "x"}, {"code": 200, "data": []}, {"code": "000000"}])
def test_a_success_is_no_error(body: Any) -> None:
    assert DRIVER.error_of(response(body), COMMAND) is None


def test_an_error_inside_a_success_is_an_error() -> None:
    """(fault F074)"""
    assert isinstance(error(-2013, status=200), OrderNotFound)
    swapped = b'{"msg": "Order does not exist.", "code": -2013}'
    assert isinstance(DRIVER.error_of(HttpResponse(200, {}, swapped, 0), COMMAND), OrderNotFound)


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (-1002, AuthenticationError), (-1022, AuthenticationError), (-2014, AuthenticationError),
        (-2015, AuthenticationError), (-1021, ClockSkew), (-1111, FilterViolation), (-2013, OrderNotFound),
        (-2026, OrderNotFound), (-1121, ExchangeError), (-1102, ExchangeError), (-1015, RateLimitError),
        (-1003, RateLimitError), (-1220, MarketClosed),
    ],
)  # fmt: skip
def test_listed_codes_are_refusals(code: int, kind: type[ExconnError]) -> None:
    """(fault F075)"""
    found = error(code)
    assert type(found) is kind
    assert found.outcome == "refused"


@pytest.mark.parametrize(
    ("code", "text", "kind"),
    [
        (-2010, "Account has insufficient balance for requested action.", InsufficientBalance),
        (-2010, "Duplicate order sent.", DuplicateOrder),
        (-2010, "Order would immediately match and take.", WouldTakeLiquidity),
        (-2010, "Order would trigger immediately.", OrderRejected),
        (-2010, "Market is closed.", MarketClosed),
        (-2010, "Filter failure: MAX_NUM_ORDERS", FilterViolation),
        (-2010, "This action is disabled on this account.", PermissionDenied),
        (-2010, "A text from the future.", OrderRejected),
        (-2011, "Unknown order sent.", OrderNotFound),
        (-2011, "Order was not canceled due to cancel restrictions.", OrderRejected),
        (-1013, "Filter failure: LOT_SIZE", FilterViolation),
        (-1013, "This symbol does not allow the specified self-trade prevention mode.", OrderRejected),
        (-1010, "Duplicate order sent.", DuplicateOrder),
    ],
)
def test_a_family_of_refusals_is_told_apart_by_its_text(code: int, text: str, kind: type[ExconnError]) -> None:
    """(fault F075)"""
    found = error(code, text)
    assert type(found) is kind
    assert found.outcome == "refused"
    assert text.rstrip(".") in found.message


@pytest.mark.parametrize("code", sorted(UNKNOWN_OUTCOME))
@pytest.mark.parametrize("status", [400, 429, 500, 503])
def test_a_code_that_leaves_the_outcome_open_never_refuses_a_command(code: int, status: int) -> None:
    """(fault F072)"""
    found = error(code, status=status)
    assert isinstance(found, OutcomeUnknown)
    assert found.outcome == "unknown"
    read = error(code, status=status, is_command=False)
    assert type(read) is ExchangeError
    assert read.retryable
    assert read.outcome is None


@pytest.mark.parametrize("status", [500, 502, 503, 504, 599])
@pytest.mark.parametrize("code", [None, -2010, -1003, -9999])
def test_a_server_fault_never_refuses_a_command(status: int, code: int | None) -> None:
    """(fault F071)"""
    assert isinstance(error(code, status=status), OutcomeUnknown)
    assert error(code, status=status, is_command=False).retryable


@pytest.mark.parametrize("code", [-9999, -1010, -2021, -2022, 0, 7, -1099])
@pytest.mark.parametrize("status", [300, 400, 401, 403, 404, 409, 418, 429])
def test_a_code_on_no_table_proves_nothing(code: int, status: int) -> None:
    """(fault F072)"""
    assert error(code, "A text from the future.", status).outcome == "unknown"


@pytest.mark.parametrize("status", [301, 400, 401, 403, 404, 413])
def test_an_answer_without_a_code_proves_nothing(status: int) -> None:
    """(fault F074)"""
    assert error(None, status=status).outcome == "unknown"


def test_the_firewall_is_named_and_asks_for_patience() -> None:
    """(fault F079)"""
    found = error(None, status=403)
    assert isinstance(found, PermissionDenied)
    assert found.retryable
    assert "html" not in found.message


@pytest.mark.parametrize("status", [418, 429])
@pytest.mark.parametrize("code", [None, -1003, -1015])
def test_a_reached_limit_was_refused_and_says_when_to_come_back(status: int, code: int | None) -> None:
    """(faults F076, F078)"""
    found = error(code, status=status, retry_after="17")
    assert isinstance(found, RateLimitError)
    assert (found.retry_after, found.outcome, found.retryable) == (17.0, "refused", True)


@pytest.mark.parametrize("stated", ["", "soon", "-5", "1.5", "Wed, 21 Oct 2026 07:28:00 GMT", "9" * 30, "\uff11"])
def test_an_unusable_retry_after_is_none(stated: str) -> None:
    """(fault F077)"""
    found = error(-1003, status=429, retry_after=stated)
    assert isinstance(found, RateLimitError)
    assert found.retry_after is None


def test_an_absurd_retry_after_ends_with_the_longest_documented_ban() -> None:
    """(fault F077)"""
    found = error(-1003, status=418, retry_after="999999999")
    assert isinstance(found, RateLimitError)
    assert found.retry_after == 259_200


def test_reads_have_no_outcome() -> None:
    for code in (*REFUSALS, *REFUSALS_BY_TEXT, -9999):
        assert error(code, is_command=False).outcome is None


def test_hostile_text_is_cleaned() -> None:
    """(fault F184)"""
    found = error(-9999, "one\r\n\x1b[31mtwo" + "x" * 10_000)
    assert found.message.isprintable()
    assert len(found.message) < 250


@pytest.mark.parametrize(
    "body",
    [
        b'{"code": -2010, "code": -2013, "msg": ""}',
        b"",
        b"\xff",
        b"[" * 100_000,
        b'{"code": "x"}',
        b'{"code": NaN}',
        b"null",
        b"[]",
    ],
)
def test_any_body_of_an_error_is_survived(body: bytes) -> None:
    """(fault F082)"""
    found = DRIVER.error_of(response(body, 400), COMMAND)
    assert type(found) is ExchangeError
    assert found.outcome == "unknown"


def test_every_documented_code_of_the_rest_api_has_a_meaning() -> None:
    """Codes of FIX sessions and of cancel-replace, which needs its parts read, are on no table on purpose."""
    known = set(REFUSALS) | set(REFUSALS_BY_TEXT) | UNKNOWN_OUTCOME
    names = read_json("docs_examples", "binance_spot", "errors", "error_code_names.json")
    without = {row["code"] for row in names} - known
    fix_only = {-1033, -1035, *range(-1191, -1168)}
    assert without <= fix_only | {-2021, -2022}, without


def test_documented_errors_are_understood() -> None:
    for path in sorted(data_path("docs_examples", "binance_spot", "errors").glob("error_[0-9]*.json")):
        body = path.read_bytes()
        found = DRIVER.error_of(response(body, 400), COMMAND)
        assert found is not None, path.name
        assert found.details["exchange_code"] == json.loads(body)["code"]
