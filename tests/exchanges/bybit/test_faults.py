"""Errors of Bybit become those of the library, and nothing counts as refused without proof (Bybit: 2.2, 5)."""

from __future__ import annotations

import re
from pathlib import Path
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
)
from exconn_sync.exchanges.bybit.driver import DRIVER
from exconn_sync.exchanges.bybit.fault_codes import REFUSALS, UNKNOWN_OUTCOME, refusal_of
from exconn_sync.exchanges.bybit.faults import command_error_of, login_error_of
from tests.data import read_json
from tests.exchanges.bybit.support import RECEIVED_AT, envelope, read_call, refusal, response

COMMAND = read_call("/v5/order/create", is_command=True)
QUESTION = read_call()


def of_code(code: int, *, call: Any = COMMAND, status: int = 200, **headers: str) -> ExconnError:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    error = DRIVER.error_of(response(refusal(code, "as it is\n"), status, named), call)
    assert error is not None
    return error


@pytest.mark.parametrize("text", ["OK", "success", "SUCCESS", "", "anything"])
def test_the_code_alone_tells_a_success(text: str) -> None:
    """(Bybit: 2.1, 10.22)"""
    assert DRIVER.error_of(response(envelope({}, retMsg=text)), COMMAND) is None
    late = b'{"retMsg":"x","result":{},"retCode":0}'
    assert DRIVER.error_of(response(late), COMMAND) is None


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (10003, AuthenticationError), (10004, AuthenticationError), (33004, AuthenticationError),
        (-2015, AuthenticationError), (10005, PermissionDenied), (10009, PermissionDenied), (10002, ClockSkew),
        (10006, RateLimitError), (170222, RateLimitError), (10001, ExchangeError), (170121, ExchangeError),
        (170151, MarketClosed), (170131, InsufficientBalance), (170134, FilterViolation), (170136, FilterViolation),
        (170140, FilterViolation), (170141, DuplicateOrder), (110072, DuplicateOrder), (170213, OrderNotFound),
        (170139, OrderNotFound), (170142, OrderNotFound), (170810, OrderRejected), (170217, MarketClosed),
        (170344, OrderRejected), (176042, OrderRejected), (182999, OrderRejected), (10019, ExchangeError),
    ],
)  # fmt: skip
def test_a_listed_code_is_a_refusal(code: int, kind: type[ExconnError]) -> None:
    error = of_code(code)
    assert type(error) is kind
    assert error.outcome == "refused"
    assert error.details["exchange_code"] == code
    assert error.details["reason"]
    assert "\n" not in error.message


@pytest.mark.parametrize("code", sorted(UNKNOWN_OUTCOME))
def test_a_code_after_which_the_order_may_exist_leaves_the_outcome_unknown(code: int) -> None:
    """(fault F072)"""
    assert isinstance(of_code(code), OutcomeUnknown)
    question = of_code(code, call=QUESTION)
    assert question.retryable
    assert question.outcome is None


@pytest.mark.parametrize("code", [1, -7, 99999, 170999, 110999, 10_000_000])
def test_a_code_on_no_table_never_means_refused(code: int) -> None:
    """(fault model 0.1)"""
    error = of_code(code)
    assert type(error) is ExchangeError
    assert error.outcome == "unknown"
    assert command_error_of(code, "x").outcome == "unknown"


def test_no_code_is_on_both_tables() -> None:
    assert not UNKNOWN_OUTCOME & set(REFUSALS)
    assert all(refusal_of(code) is None for code in UNKNOWN_OUTCOME)


@pytest.mark.parametrize(
    ("status", "kind", "outcome"),
    [
        (400, ExchangeError, "unknown"), (401, AuthenticationError, "refused"), (403, RateLimitError, "refused"),
        (404, ExchangeError, "unknown"), (429, OutcomeUnknown, "unknown"), (500, OutcomeUnknown, "unknown"),
        (503, OutcomeUnknown, "unknown"),
    ],
)  # fmt: skip
def test_a_status_without_a_readable_body(status: int, kind: type[ExconnError], outcome: str) -> None:
    """(Bybit: 2.2)"""
    error = DRIVER.error_of(response(b"<html>no</html>", status), COMMAND)
    assert type(error) is kind
    assert error.outcome == outcome
    assert error.details == {"http_status": status}


@pytest.mark.parametrize("body", [b"", b"<html>", refusal(10018), refusal(10006), refusal(403)])
def test_a_banned_address_is_told_for_how_long(body: object) -> None:
    """(Bybit: 2.2: ten minutes, whatever code comes with the status)"""
    error = DRIVER.error_of(response(body, 403), QUESTION)
    assert isinstance(error, RateLimitError)
    assert error.retry_after == 600.0
    assert not error.is_per_account


def test_a_country_that_is_not_served_is_no_ban() -> None:
    """(Bybit: 5)"""
    assert type(DRIVER.error_of(response(refusal(10009), 403), QUESTION)) is PermissionDenied


@pytest.mark.parametrize(
    ("status", "said"), [(400, "not formed"), (401, "not signed, or its key"), (404, "no such path")]
)
def test_a_status_without_a_body_is_put_into_words(status: int, said: str) -> None:
    """(Bybit: 2.2)"""
    error = DRIVER.error_of(response(b"", status), QUESTION)
    assert error is not None
    assert said in error.message
    assert f"HTTP {status}" in error.message


def test_a_system_that_protects_itself_is_no_limit_of_ours() -> None:
    """(Bybit: 2.2)"""
    for error in (of_code(429, call=QUESTION), DRIVER.error_of(response(b"", 429), QUESTION)):
        assert type(error) is ExchangeError
        assert error.retryable


def test_a_used_up_budget_tells_when_it_is_whole_again() -> None:
    """(Bybit: 3.1; fault F080)"""
    error = of_code(10006, x_bapi_limit_reset_timestamp="1700000000250")
    assert isinstance(error, RateLimitError)
    assert error.is_per_account
    assert error.retry_after == 0.25
    for told in ("", "soon", "1", "1699999999000"):
        again = of_code(10006, x_bapi_limit_reset_timestamp=told)
        assert isinstance(again, RateLimitError)
        assert again.retry_after in (0.0, 1.0)


def test_without_the_exchanges_time_ours_is_compared() -> None:
    body = refusal(10006)
    del body["time"]
    headers = {"x-bapi-limit-reset-timestamp": str(RECEIVED_AT // 1_000_000 + 500)}
    error = DRIVER.error_of(response(body, 200, headers), QUESTION)
    assert isinstance(error, RateLimitError)
    assert error.retry_after == 0.5


def test_an_error_that_can_be_tried_again_says_so() -> None:
    assert of_code(170149).retryable
    assert not of_code(170131).retryable
    assert of_code(10002).retryable


def test_a_refused_key_has_a_hint() -> None:
    """(fault F166)"""
    error = login_error_of(10003, "invalid key")
    assert isinstance(error, AuthenticationError)
    assert "environment" in error.details["hint"]


def test_a_success_without_json_is_left_to_its_reader() -> None:
    assert DRIVER.error_of(response(b"<html>"), COMMAND) is None


def test_every_spot_code_of_the_documentation_is_decided() -> None:
    """Each documented code is on a table, or is one of another market, which then proves nothing."""
    undecided = set()
    for entry in read_json("docs_examples", "bybit_v5", "errors", "error_codes.json"):
        code = entry["code"]
        is_spot = entry["section"] != "HTTP Code" and isinstance(code, int) and str(code).startswith(("170", "10"))
        if is_spot and not entry["withdrawn"] and code not in REFUSALS and code not in UNKNOWN_OUTCOME and code:
            undecided.add(code)
    assert undecided == set()


PAGE = Path(__file__).parents[3] / "docs" / "exchanges" / "bybit.md"


def codes_in(text: str) -> set[int]:
    """Return the codes in a cell of the page; ``170132 to 170134`` are three."""
    found: set[int] = set()
    for first, last in re.findall(r"(?<![\w.])(-?\d{1,6})(?: to (\d{1,6}))?(?!\w)", re.sub(r"HTTP.*", "", text)):
        found |= set(range(int(first), int(last or first) + 1))
    return found - {176, 182}


def test_the_page_names_every_code_with_its_error() -> None:
    told: dict[str, set[int]] = {}
    for error, codes in re.findall(r"^\| `(\w+)`[^|]*\|[^|]*\| ([^|]*) \|$", PAGE.read_text(encoding="utf-8"), re.M):
        told.setdefault(error, set()).update(codes_in(codes))
    wanted: dict[str, set[int]] = {"OutcomeUnknown": set(UNKNOWN_OUTCOME)}
    for code, refusal_ in REFUSALS.items():
        wanted.setdefault(refusal_.kind.__name__, set()).add(code)
    assert {name: codes for name, codes in told.items() if codes} == wanted
