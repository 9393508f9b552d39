"""What an error answer proves, and which of our errors it becomes.

Look up: every code and its meaning. The rule that money hangs on: ``refused`` only where the exchange says that nothing
was done. A code that stands on no table, a gateway's page, any 5xx: unknown.
"""

from __future__ import annotations

from typing import Any

import msgspec

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
    ProtocolError,
    RateLimitError,
    WouldTakeLiquidity,
)
from exconn_sync.exchanges._template.endpoints import EXCHANGE
from exconn_sync.exchanges.decoding import Reader, clean_text
from exconn_sync.model.wire import HttpResponse, RestCall

REFUSALS: dict[str, type[ExconnError]] = {
    "BAD_REQUEST": ExchangeError,
    "BAD_KEY": AuthenticationError,
    "BAD_SIGNATURE": AuthenticationError,
    "NOT_ALLOWED": PermissionDenied,
    "STALE_TIME": ClockSkew,
    "TOO_MANY": RateLimitError,
    "NO_FUNDS": InsufficientBalance,
    "BAD_STEP": FilterViolation,
    "TOO_SMALL": FilterViolation,
    "DUPLICATE_ID": DuplicateOrder,
    "NO_SUCH_ORDER": OrderNotFound,
    "MARKET_CLOSED": MarketClosed,
    "WOULD_TAKE": WouldTakeLiquidity,
    "REFUSED": OrderRejected,
}
"""Codes with which the exchange says that nothing was done."""

_RETRY_AFTER = "retry-after"
_LONGEST_WAIT = 3600.0


class Error(msgspec.Struct):
    """What went wrong, in answers of REST and of sockets."""

    code: str
    text: str = ""


class _Body(msgspec.Struct):
    error: Error


_BODY = Reader(EXCHANGE, _Body)


def error_of(response: HttpResponse, call: RestCall[Any]) -> ExconnError | None:
    """Return the error in an answer, or None for a success."""
    if 200 <= response.status < 300:
        return None
    error = _error(response, is_command=call.is_command)
    if not call.is_command:
        # Questions have no outcome: asked again they are as good as before.
        error.outcome = None
    return error


def login_error_of(error: Error) -> ExconnError:
    """Return the error for a refused sign-in, of the same kind as REST gives for the code."""
    kind = REFUSALS.get(error.code, ExchangeError)
    return kind(_message(error.text, error.code), exchange=EXCHANGE, details={"exchange_code": error.code})


def _error(response: HttpResponse, *, is_command: bool) -> ExconnError:
    status, said = response.status, _said(response)
    code = None if said is None else said.code
    where = f"HTTP {status}" if code is None else f"HTTP {status}, code {clean_text(code)}"
    message = _message("" if said is None else said.text, where)
    details = {"http_status": status} if code is None else {"http_status": status, "exchange_code": code}
    kind = None if code is None else REFUSALS.get(code)
    if kind is RateLimitError or status == 429:
        return RateLimitError(message, exchange=EXCHANGE, details=details, retry_after=_wait(response))
    if kind is not None and status < 500:
        return kind(message, exchange=EXCHANGE, details=details, outcome="refused")
    if is_command:
        return OutcomeUnknown(message, exchange=EXCHANGE, details=details)
    return ExchangeError(message, exchange=EXCHANGE, details=details, retryable=status >= 500)


def _said(response: HttpResponse) -> Error | None:
    try:
        return _BODY.read(response.body, lambda body: body.error)
    except ProtocolError:
        return None  # a page of a proxy or firewall: the status has to say it all


def _message(text: str, where: str) -> str:
    return f"{EXCHANGE}: {clean_text(text) or 'refused'} ({where})"


def _wait(response: HttpResponse) -> float | None:
    """Return the seconds until the next attempt may succeed, None where the exchange does not say."""
    text = response.headers.get(_RETRY_AFTER, "")
    is_number = text.isascii() and text.isdecimal() and len(text) <= len("604800")
    return min(float(text), _LONGEST_WAIT) if is_number else None
