"""From an answer to the error in it (Binance: 2, 7; fault model 0.1)."""

from __future__ import annotations

import re
from typing import Any

import msgspec

from exconn_sync.errors import (
    AuthenticationError,
    ExchangeError,
    ExconnError,
    Outcome,
    OutcomeUnknown,
    PermissionDenied,
    ProtocolError,
    RateLimitError,
)
from exconn_sync.exchanges.binance.endpoints import EXCHANGE
from exconn_sync.exchanges.binance.fault_codes import (
    FILTER_FAILURE,
    KEY_HINTS,
    REFUSALS,
    REFUSALS_BY_TEXT,
    TEXTS,
    UNKNOWN_OUTCOME,
    Refusal,
)
from exconn_sync.exchanges.binance.parse_replace import failed_halves, tells_halves
from exconn_sync.exchanges.binance.retry_after import seconds_of_answer, seconds_of_reply
from exconn_sync.exchanges.decoding import Reader, clean_text
from exconn_sync.model.wire import HttpResponse, RestCall

_TOO_MANY_ORDERS = -1015
"""The one limit that is not of the address: cancels and questions may go on (Binance: 7.4)."""
_BEGINNING = 1024
"""Where an error in the guise of a success says its code, in whichever order it has its fields."""
_FILTER_NAME = re.compile(re.escape(FILTER_FAILURE) + r": ([A-Z_]{1,40})", re.ASCII)


class _Body(msgspec.Struct):
    code: int
    msg: str = ""


_BODY = Reader(EXCHANGE, _Body, refuse_repeated_keys=True)


def error_of(response: HttpResponse, call: RestCall[Any]) -> ExconnError | None:
    """Return the error in an answer, or None for a success.

    The body decides before the status: a success with a negative code is an error too (fault F074).
    """
    if tells_halves(response, call):
        return None
    is_success = 200 <= response.status < 300
    if is_success and b'"code"' not in response.body[:_BEGINNING]:
        return None
    body = _body_of(response)
    if is_success and (body is None or body.code >= 0):
        return None
    error = _error(response, body, call)
    if not call.is_command:
        error.outcome = None
    return error


def login_error_of(code: int, text: str, data: Any = None, received_at: int = 0) -> ExconnError:
    """Return the error for a refused login of the account stream, of the same kind as REST gives for the code.

    ``data`` is what the error carries beside code and text; ``received_at`` is nanoseconds since the Unix epoch.
    """
    body = _Body(code, text)
    refusal = _refusal(body)
    message = f"{EXCHANGE}: {clean_text(text) or 'refused'} (code {code})"
    details = _details_of(body)
    if refusal is RateLimitError:
        wait = seconds_of_reply(data, text, received_at)
        return RateLimitError(message, exchange=EXCHANGE, details=details, retry_after=wait)
    kind = refusal or ExchangeError
    return kind(message, exchange=EXCHANGE, details=details, retryable=kind.retryable)


def _details_of(body: _Body) -> dict[str, Any]:
    """Return the code, what only the text tells, and for a refused key what that may mean (fault F166)."""
    hint = {"hint": KEY_HINTS[body.code]} if body.code in KEY_HINTS else {}
    return {"exchange_code": body.code, **_told_by_text(body), **hint}


def command_error_of(code: int, text: str) -> ExconnError:
    """Return the error of one command of several that were sent as one; its ``outcome`` is what the code proves."""
    kind = None if code in UNKNOWN_OUTCOME else _refusal(_Body(code, text))
    outcome: Outcome = "unknown" if kind is None else "refused"
    message = f"{EXCHANGE}: {clean_text(text) or 'refused'} (code {code})"
    return (kind or ExchangeError)(message, exchange=EXCHANGE, details={"exchange_code": code}, outcome=outcome)


def limit_of_halves(response: HttpResponse) -> RateLimitError | None:
    """Return the limit that a cancelReplace ran into with one of its halves: the other may have been done (5.7).

    Where no half names one, the status may: it counts whatever the body says.
    """
    errors = (half_error_of(response, code, text) for code, text in failed_halves(response))
    named = next((error for error in errors if isinstance(error, RateLimitError)), None)
    if named is not None or response.status not in (418, 429):
        return named
    message = f"{EXCHANGE}: too many requests (HTTP {response.status})"
    return _rate_limit_error(response, None, message, {"http_status": response.status})


def half_error_of(response: HttpResponse, code: int, text: str) -> ExconnError:
    """Return the error of one half of a command; of a limit the answer as a whole says how long to wait."""
    error = command_error_of(code, text)
    if isinstance(error, RateLimitError):
        return _rate_limit_error(response, _Body(code, text), error.message, error.details)
    return error


def _error(response: HttpResponse, body: _Body | None, call: RestCall[Any]) -> ExconnError:
    code = None if body is None else body.code
    text = "an answer without an error code" if body is None else clean_text(body.msg)
    message = f"{EXCHANGE}: {text} (HTTP {response.status}{'' if code is None else f', code {code}'})"
    details: dict[str, Any] = {"http_status": response.status}
    if body is not None:
        details |= _details_of(body)
    if response.status >= 500 or code in UNKNOWN_OUTCOME:
        if call.is_command:
            return OutcomeUnknown(message, exchange=EXCHANGE, details=details)
        return ExchangeError(message, exchange=EXCHANGE, details=details, retryable=True)
    kind = None if body is None else _refusal(body)
    if kind is RateLimitError or (kind is None and code is None and response.status in (418, 429)):
        return _rate_limit_error(response, body, message, details)
    if kind is AuthenticationError and not call.is_signed:
        message += "; the call went without a key: pass signed=True"
    if kind is not None:
        return kind(message, exchange=EXCHANGE, details=details, outcome="refused")
    return _unlisted(response, body, message, details)


def _by_text(body: _Body) -> Refusal | None:
    """Return what the text says where the code is only that of a family."""
    if body.code not in REFUSALS_BY_TEXT:
        return None
    return next((refusal for start, refusal in TEXTS if body.msg.startswith(start)), None)


def _refusal(body: _Body) -> type[ExconnError] | None:
    """Return the kind of error for a definite refusal, None where the answer proves nothing."""
    by_text = _by_text(body)
    if by_text is not None:
        return by_text.kind
    return REFUSALS_BY_TEXT.get(body.code) or REFUSALS.get(body.code)


def _told_by_text(body: _Body) -> dict[str, str]:
    """Return what only the text tells: ``reason``, a stable word, and the name of a ``filter``."""
    by_text = _by_text(body)
    found = {} if by_text is None else {"reason": by_text.reason}
    named = _FILTER_NAME.match(body.msg)
    return found | ({} if named is None else {"filter": named[1]})


def _unlisted(response: HttpResponse, body: _Body | None, message: str, details: dict[str, Any]) -> ExconnError:
    """Return the error for a status whose body says nothing known; nothing is proven by it."""
    unproven: Outcome = "unknown"
    if response.status == 401:
        return AuthenticationError(message, exchange=EXCHANGE, details=details, outcome=unproven)
    if response.status == 403:
        # The firewall in front of the exchange (Binance: 2; fault F079): going on at once makes it worse.
        return PermissionDenied(message, exchange=EXCHANGE, details=details, outcome=unproven, retryable=True)
    if response.status in (418, 429):
        return _rate_limit_error(response, body, message, details, unproven)
    return ExchangeError(message, exchange=EXCHANGE, details=details, outcome=unproven)


def _rate_limit_error(
    response: HttpResponse, body: _Body | None, message: str, details: dict[str, Any], outcome: Outcome = "refused"
) -> RateLimitError:
    text = "" if body is None else body.msg
    return RateLimitError(
        message,
        exchange=EXCHANGE,
        details=details,
        outcome=outcome,
        retry_after=seconds_of_answer(response.headers, text, response.received_at),
        is_per_account=details.get("exchange_code") == _TOO_MANY_ORDERS,
    )


def _body_of(response: HttpResponse) -> _Body | None:
    try:
        return _BODY.read(response.body, lambda body: body)
    except ProtocolError:
        return None  # a page of a proxy or firewall, or ambiguous: the status has to say it all
