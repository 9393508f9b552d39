"""From an answer to the error in it (Bybit: 2.1, 2.2, 5; fault model 0.1)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import msgspec

from exconn_sync.errors import (
    AuthenticationError,
    ExchangeError,
    ExconnError,
    Outcome,
    OutcomeUnknown,
    ProtocolError,
    RateLimitError,
)
from exconn_sync.exchanges.bybit.budgets import RESET_HEADER
from exconn_sync.exchanges.bybit.endpoints import EXCHANGE
from exconn_sync.exchanges.bybit.fault_codes import KEY_HINTS, TOO_MANY_REQUESTS, UNKNOWN_OUTCOME, Refusal, refusal_of
from exconn_sync.exchanges.bybit.limits import BAN
from exconn_sync.exchanges.decoding import Reader, clean_text
from exconn_sync.exchanges.wire_numbers import NS_PER_MS
from exconn_sync.model.limits import LONGEST_SILENCE
from exconn_sync.model.wire import HttpResponse, RestCall

_WINDOW = 1.0
"""Seconds after which the budget of an endpoint is whole again, where the exchange does not say (Bybit: 3.1)."""

_SUCCESS = re.compile(rb'\s*\{\s*"retCode"\s*:\s*0\s*[,}]')
_EPOCH = re.compile(r"[0-9]{13}", re.ASCII)
_FORBIDDEN = 403
_MEANINGS = {
    400: "the request is not formed as it has to be",
    401: "the request is not signed, or its key is of another environment or site",
    404: "there is no such path, or not for this kind of account",
}
"""What a status means whose body says nothing (Bybit: 2.2)."""
_BANNED = (
    "the exchange refuses this address: too many requests (it lifts such a ban after ten minutes), or a country that "
    "it does not serve"
)


class _Body(msgspec.Struct, rename="camel"):
    ret_code: int
    ret_msg: str = ""
    time: int | None = None


_BODY = Reader(EXCHANGE, _Body, refuse_repeated_keys=True)


def error_of(response: HttpResponse, call: RestCall[Any]) -> ExconnError | None:
    """Return the error in an answer, or None for a success: the code alone says so, whatever the text (Bybit: 2.1)."""
    is_success = 200 <= response.status < 300
    if is_success and _SUCCESS.match(response.body):
        return None
    body = _body_of(response)
    if is_success and (body is None or body.ret_code == 0):
        # What is no answer at all is told by whoever reads it.
        return None
    error = _error(response, body, call)
    if not call.is_command:
        error.outcome = None
    return error


def login_error_of(code: int, text: str) -> ExconnError:
    """Return the error for a refused sign-in of a socket, of the same kind as REST gives for the code."""
    refusal = refusal_of(code)
    kind = ExchangeError if refusal is None else refusal.kind
    return _made(kind, _message(text, f"code {code}"), _details(code, refusal), retryable=kind.retryable)


def command_error_of(code: int, text: str) -> ExconnError:
    """Return the error of one command, of a batch or on a socket; its ``outcome`` is what the code proves."""
    refusal = refusal_of(code)
    message, details = _message(text, f"code {code}"), _details(code, refusal)
    if refusal is None:
        kind = OutcomeUnknown if code in UNKNOWN_OUTCOME else ExchangeError
        return _made(kind, message, details, "unknown")
    return _made(refusal.kind, message, details, "refused", retryable=refusal.retryable or None)


def _error(response: HttpResponse, body: _Body | None, call: RestCall[Any]) -> ExconnError:
    status = response.status
    if body is None:
        return _of_status(response, call)
    code, refusal = body.ret_code, refusal_of(body.ret_code)
    message = _message(body.ret_msg, f"HTTP {status}, code {code}")
    details = {"http_status": status, **_details(code, refusal)}
    if status >= 500 or code in UNKNOWN_OUTCOME:
        return _unknown(message, details, call)
    if refusal is None:
        return _of_status(response, call, code, body.ret_msg)
    if refusal.kind is RateLimitError:
        # With this status it is the ban of the address, whichever code comes along (Bybit: 2.2, 3.1).
        is_ban = status == _FORBIDDEN
        return RateLimitError(
            message, exchange=EXCHANGE, details=details, outcome="refused",
            retry_after=BAN if is_ban else _wait(response, body),
            is_per_account=code == TOO_MANY_REQUESTS and not is_ban,
        )  # fmt: skip
    return _made(refusal.kind, message, details, "refused", retryable=refusal.retryable or None)


def _of_status(response: HttpResponse, call: RestCall[Any], code: int | None = None, text: str = "") -> ExconnError:
    """Return the error for a status whose body says nothing that is known."""
    status = response.status
    where = f"HTTP {status}" if code is None else f"HTTP {status}, code {code}"
    details: dict[str, Any] = (
        {"http_status": status} if code is None else {"http_status": status, "exchange_code": code}
    )
    message = _message(text or _MEANINGS.get(status, "an answer without an error code"), where)
    if status == 401:
        return AuthenticationError(message, exchange=EXCHANGE, details=details, outcome="refused")
    if status == _FORBIDDEN:
        message = _message(_BANNED, where)
        return RateLimitError(message, exchange=EXCHANGE, details=details, outcome="refused", retry_after=BAN)
    if status == 429 or status >= 500:
        return _unknown(message, details, call)
    return ExchangeError(message, exchange=EXCHANGE, details=details, outcome="unknown")


def _unknown(message: str, details: Mapping[str, Any], call: RestCall[Any]) -> ExconnError:
    if call.is_command:
        return OutcomeUnknown(message, exchange=EXCHANGE, details=details)
    return ExchangeError(message, exchange=EXCHANGE, details=details, retryable=True)


def _made(
    kind: type[ExconnError],
    message: str,
    details: Mapping[str, Any],
    outcome: Outcome | None = None,
    *,
    retryable: bool | None = None,
) -> ExconnError:
    return kind(message, exchange=EXCHANGE, details=details, outcome=outcome, retryable=retryable)


def _message(text: str, where: str) -> str:
    return f"{EXCHANGE}: {clean_text(text) or 'refused'} ({where})"


def _details(code: int, refusal: Refusal | None) -> dict[str, Any]:
    """Return the code, a stable word for what it means, and for a refused key what that may be (fault F166)."""
    reason = {} if refusal is None else {"reason": refusal.reason}
    hint = {"hint": KEY_HINTS[code]} if code in KEY_HINTS else {}
    return {"exchange_code": code, **reason, **hint}


def _wait(response: HttpResponse, body: _Body) -> float:
    """Return the seconds until a budget is whole again; both times are the exchange's where it tells them."""
    text = response.headers.get(RESET_HEADER, "")
    if not _EPOCH.fullmatch(text):
        return _WINDOW
    now_ms = response.received_at // NS_PER_MS if body.time is None else body.time
    return min(max(int(text) - now_ms, 0) / 1000, LONGEST_SILENCE)


def _body_of(response: HttpResponse) -> _Body | None:
    try:
        return _BODY.read(response.body, lambda body: body)
    except ProtocolError:
        return None  # a page of a proxy or firewall: the status has to say it all
