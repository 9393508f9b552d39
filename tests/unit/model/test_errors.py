"""The tree of errors: what a program can decide by them, and what they must not show."""

from __future__ import annotations

import copy
import pickle
import time
from collections.abc import Callable
from typing import Any

import pytest

from exconn_sync import errors
from exconn_sync.errors import (
    ConnectionFailed,
    DuplicateOrder,
    ExchangeError,
    ExconnError,
    NotReady,
    OrderRejected,
    OutcomeUnknown,
    RequestTimeout,
    ValidationError,
)

CLASSES: list[type[ExconnError]] = [
    kind for name in errors.__all__ if isinstance(kind := getattr(errors, name), type) and issubclass(kind, ExconnError)
]
OWN_ARGUMENTS: dict[str, dict[str, Any]] = {
    "RateLimitError": {"retry_after": 2.5},
    "CircuitOpen": {"retry_after": 1.5},
    "ConnectionFailed": {"temporary": False},
    "RiskRejected": {"rule": "mine"},
    "SubscriberLagging": {"name": "order.binance.*", "waiting": 7, "age": 0.5},
    "SubscriberStuck": {"name": "order.binance.*", "waiting": 7, "age": 0.5},
}
OUTCOMES = {
    "ValidationError": "not_sent", "CircuitOpen": "not_sent", "RiskRejected": "not_sent", "JournalError": "not_sent",
    "JournalInUse": "not_sent", "JournalCorrupt": "not_sent",
    "NotReady": "not_sent", "ForkedProcess": "not_sent", "ThreadsUnavailable": "not_sent",
    "AuthenticationError": "refused",
    "PermissionDenied": "refused", "RateLimitError": "refused", "ClockSkew": "refused", "OrderRejected": "refused",
    "InsufficientBalance": "refused", "FilterViolation": "refused", "DuplicateOrder": "refused",
    "OrderNotFound": "refused", "MarketClosed": "refused", "WouldTakeLiquidity": "refused",
    "OutcomeUnknown": "unknown",
}  # fmt: skip
RETRYABLE = {
    "RateLimitError", "ConnectionFailed", "RequestTimeout", "CircuitOpen", "ClockSkew", "SilentTopic", "StaleBook",
    "NotReady",
}  # fmt: skip


def make(kind: type[ExconnError], **more: Any) -> ExconnError:
    arguments = ("quantity", "7", "is odd") if kind is ValidationError else ("it happened",)
    build: Callable[..., ExconnError] = kind
    return build(*arguments, **OWN_ARGUMENTS.get(kind.__name__, {}), **more)


@pytest.mark.parametrize("kind", CLASSES)
def test_each_kind_says_what_became_of_the_command_and_whether_to_try_again(kind: type[ExconnError]) -> None:
    error = make(kind)
    assert error.outcome == OUTCOMES.get(kind.__name__)
    assert error.retryable is (kind.__name__ in RETRYABLE)
    assert error.code.islower()


@pytest.mark.parametrize("kind", CLASSES)
def test_each_kind_survives_pickling_with_all_it_says(kind: type[ExconnError]) -> None:
    error = make(kind, exchange="binance", request_id="r-1", details={"exchange_code": -1}, retryable=True,
                 outcome="unknown")  # fmt: skip
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        again = pickle.loads(pickle.dumps(error, protocol))
        assert type(again) is kind
        assert str(again) == str(error)
        assert vars(again) == vars(error)
    assert vars(copy.copy(error)) == vars(error)


def test_codes_are_unique() -> None:
    codes = [kind.code for kind in CLASSES]
    assert len(set(codes)) == len(codes)


def test_every_class_of_the_module_is_published() -> None:
    found = {name for name, kind in vars(errors).items() if isinstance(kind, type) and issubclass(kind, ExconnError)}
    assert found == {kind.__name__ for kind in CLASSES}


def test_the_tree_can_be_caught_by_the_builtin_names() -> None:
    assert issubclass(ValidationError, ValueError)
    assert issubclass(RequestTimeout, TimeoutError)
    assert issubclass(NotReady, TimeoutError)
    assert issubclass(DuplicateOrder, OrderRejected)
    assert issubclass(OrderRejected, ExchangeError)


def test_the_attributes_are_those_given() -> None:
    before = time.time_ns()
    error = ConnectionFailed("gone", temporary=False, exchange="binance", request_id="r", details={"a": 1},
                             retryable=False, outcome="not_sent")  # fmt: skip
    assert (error.message, str(error), error.exchange, error.request_id) == ("gone", "gone", "binance", "r")
    assert (error.details, error.retryable, error.outcome, error.temporary) == ({"a": 1}, False, "not_sent", False)
    assert before <= error.timestamp <= time.time_ns()
    assert ConnectionFailed.retryable is True


def test_details_belong_to_the_error_alone() -> None:
    given = {"a": 1}
    error = ExconnError("x", details=given)
    given["a"] = 2
    assert error.details == {"a": 1}


def test_a_pickled_unknown_outcome_lets_go_of_the_handle() -> None:
    error = OutcomeUnknown("who knows", order=lambda: None, exchange="binance")
    again = pickle.loads(pickle.dumps(error))
    assert again.order is None
    assert again.exchange == "binance"


@pytest.mark.parametrize("value", ["a\x1b[31mb\r\nc\x00", "line\nline", "\u202eright to left", "\ud800"])
def test_a_shown_value_is_printable(value: str) -> None:
    """(fault F184)"""
    error = ValidationError("symbol", value, "is unknown")
    assert str(error).isprintable()
    assert error.value.isprintable()


def test_a_shown_value_is_short() -> None:
    assert ValidationError("symbol", "x" * 120, "is unknown").value == "x" * 120
    assert ValidationError("symbol", "x" * 100_000, "is unknown").value == "x" * 120 + "..."


class Hostile:
    def __repr__(self) -> str:
        raise RuntimeError("no")


@pytest.mark.parametrize(("value", "shown"), [(Hostile(), "<Hostile>"), (10**5000, "<int>")], ids=["repr", "int"])
def test_a_value_that_cannot_be_shown_does_not_hide_the_error(value: object, shown: str) -> None:
    assert ValidationError("symbol", value, "is unknown").value == shown
