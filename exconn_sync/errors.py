"""Every error the library raises, in one tree.

::

    ExconnError
    ├── ValidationError          the caller's input is wrong; nothing was sent (also a ValueError)
    ├── AuthenticationError      key, signature or session refused
    ├── PermissionDenied         the key is known but may not do this
    ├── RateLimitError           a limit of the exchange is reached; says when to come back
    ├── ConnectionFailed         the exchange could not be reached
    ├── RequestTimeout           no answer in time (also a TimeoutError)
    ├── ProtocolError            an answer that cannot be understood
    ├── ExchangeError            the exchange answered with an error
    │   └── OrderRejected        the exchange certainly did not execute the command
    │       ├── InsufficientBalance
    │       ├── FilterViolation
    │       ├── DuplicateOrder
    │       ├── OrderNotFound
    │       ├── MarketClosed
    │       └── WouldTakeLiquidity
    ├── OutcomeUnknown           a command may or may not have been executed
    ├── CircuitOpen              the exchange's host keeps failing; not even tried
    ├── RiskRejected             a risk rule of the user refused the order
    ├── ClockSkew                the exchange refused the request's timestamp
    ├── StaleBook                the local order book is not whole at the moment
    ├── JournalError             the journal could not keep what it must keep
    ├── NotReady                 the connector is not (yet) able to do this (also a TimeoutError)
    ├── ConnectorStopped         the connector was stopped
    └── ForkedProcess            the object belongs to the parent process

Each error says whether repeating the call may help (``retryable``) and, for commands, what became of it (``outcome``).
The three outcomes are those of the fault model, section 0.1: ``not_sent`` and ``refused`` need proof, everything else
is ``unknown``.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Literal

__all__ = [
    "AuthenticationError",
    "CircuitOpen",
    "ClockSkew",
    "ConnectionFailed",
    "ConnectorStopped",
    "DuplicateOrder",
    "ExchangeError",
    "ExconnError",
    "FilterViolation",
    "ForkedProcess",
    "InsufficientBalance",
    "JournalError",
    "MarketClosed",
    "NotReady",
    "OrderNotFound",
    "OrderRejected",
    "Outcome",
    "OutcomeUnknown",
    "PermissionDenied",
    "ProtocolError",
    "RateLimitError",
    "RequestTimeout",
    "RiskRejected",
    "StaleBook",
    "ValidationError",
    "WouldTakeLiquidity",
]

Outcome = Literal["not_sent", "refused", "unknown"]

_SHOWN_LENGTH = 120


def _shown(value: object) -> str:
    """Return a printable, one-line, shortened text of a foreign value (fault F184)."""
    try:
        text = value if isinstance(value, str) else str(value) if isinstance(value, Decimal) else repr(value)
    except Exception:  # noqa: BLE001
        # A foreign repr, or an int beyond the digits that CPython writes: the error at hand matters more.
        text = f"<{type(value).__name__}>"
    clean = "".join(char if char.isprintable() else "?" for char in text[: _SHOWN_LENGTH + 1])
    return clean if len(clean) <= _SHOWN_LENGTH else clean[:_SHOWN_LENGTH] + "..."


def _rebuild(kind: type[ExconnError], text: str, state: dict[str, Any]) -> ExconnError:
    error = kind.__new__(kind, text)
    Exception.__init__(error, text)
    error.__dict__.update(state)
    return error


class ExconnError(Exception):
    """Root of all errors of the library.

    Attributes:
        code: stable, lower-case name of the kind of error, fit for metrics and comparisons.
        message: what happened, in one sentence; text of the exchange is cleaned and shortened.
        exchange: name of the exchange, or None where none is concerned.
        request_id: id that also stands in the log lines of the same request, or None.
        timestamp: when the error was made, integer nanoseconds since the Unix epoch, UTC.
        details: further facts as plain values (``exchange_code``, ``http_status`` ...); never a secret.
        retryable: True where the same call may succeed later without a change.
        outcome: ``not_sent``, or for commands also ``refused`` or ``unknown``; None for everything else.
    """

    code = "error"
    retryable = False
    outcome: Outcome | None = None

    def __init__(
        self,
        message: str,
        *,
        exchange: str | None = None,
        request_id: str | None = None,
        details: Mapping[str, Any] | None = None,
        retryable: bool | None = None,
        outcome: Outcome | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.exchange = exchange
        self.request_id = request_id
        self.timestamp = time.time_ns()
        self.details: dict[str, Any] = dict(details or {})
        if retryable is not None:
            self.retryable = retryable
        if outcome is not None:
            self.outcome = outcome

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (type(self), self.message, self.__dict__)


class ValidationError(ExconnError, ValueError):
    """The caller's input breaks a rule; nothing was sent.

    Attributes:
        field: name of the argument or setting.
        value: the value as a short text (never a secret).
        constraint: the rule, in words.
    """

    code = "validation"
    outcome: Outcome | None = "not_sent"

    def __init__(self, field: str, value: object, constraint: str, **more: Any) -> None:
        self.field = field
        self.value = _shown(value)
        self.constraint = constraint
        super().__init__(f"{field}={self.value}: {constraint}", **more)


class AuthenticationError(ExconnError):
    """The exchange refused key, signature or session, or there is no key for a private call."""

    code = "authentication"
    outcome: Outcome | None = "refused"


class PermissionDenied(ExconnError):
    """The key is known, but may not do this (permission, address or account restriction)."""

    code = "permission"
    outcome: Outcome | None = "refused"


class RateLimitError(ExconnError):
    """A limit of the exchange is reached.

    Attributes:
        retry_after: seconds until the next attempt may succeed, or None where nobody said.
    """

    code = "rate_limit"
    retryable = True
    outcome: Outcome | None = "refused"

    def __init__(self, message: str, *, retry_after: float | None = None, **more: Any) -> None:
        self.retry_after = retry_after
        super().__init__(message, **more)


class ConnectionFailed(ExconnError):
    """The exchange could not be reached, or a connection broke.

    Attributes:
        temporary: False where only a change of configuration can help (wrong certificate, unknown path).
    """

    code = "connection"
    retryable = True

    def __init__(self, message: str, *, temporary: bool = True, **more: Any) -> None:
        self.temporary = temporary
        super().__init__(message, **more)


class RequestTimeout(ExconnError, TimeoutError):
    """No answer within the deadline of the call."""

    code = "timeout"
    retryable = True


class ProtocolError(ExconnError):
    """An answer or frame that does not have the documented form; ``details['payload']`` holds its beginning."""

    code = "protocol"


class ExchangeError(ExconnError):
    """The exchange answered with an error; ``details['exchange_code']`` is its own code."""

    code = "exchange"


class OrderRejected(ExchangeError):
    """The exchange certainly did not execute the command."""

    code = "order_rejected"
    outcome: Outcome | None = "refused"


class InsufficientBalance(OrderRejected):
    """Not enough free balance for the order."""

    code = "insufficient_balance"


class FilterViolation(OrderRejected):
    """Price, quantity or notional breaks a trading rule of the symbol."""

    code = "filter_violation"


class DuplicateOrder(OrderRejected):
    """An open order already has this client order id: an earlier attempt may have arrived."""

    code = "duplicate_order"


class OrderNotFound(OrderRejected):
    """The exchange does not know the order (any more)."""

    code = "order_not_found"


class MarketClosed(OrderRejected):
    """The symbol does not accept this order at the moment."""

    code = "market_closed"


class WouldTakeLiquidity(OrderRejected):
    """A post-only order would have matched at once."""

    code = "would_take_liquidity"


class OutcomeUnknown(ExconnError):
    """The command may or may not have been executed; looking for it goes on in the background.

    Attributes:
        order: the live order handle, or None for commands without one.
    """

    code = "outcome_unknown"
    outcome: Outcome | None = "unknown"

    def __init__(self, message: str, *, order: Any = None, **more: Any) -> None:
        self.order = order
        super().__init__(message, **more)

    def __reduce__(self) -> tuple[Any, ...]:
        # A handle lives in its process: the pickled error keeps the facts and lets go of the handle.
        return _rebuild, (type(self), self.message, {**self.__dict__, "order": None})


class CircuitOpen(ExconnError):
    """The exchange's host failed repeatedly, so the call was not tried.

    Attributes:
        retry_after: seconds until the next attempt is let through.
    """

    code = "circuit_open"
    retryable = True
    outcome: Outcome | None = "not_sent"

    def __init__(self, message: str, *, retry_after: float, **more: Any) -> None:
        self.retry_after = retry_after
        super().__init__(message, **more)


class RiskRejected(ExconnError):
    """A risk rule of the user refused the order; nothing was sent.

    Attributes:
        rule: name of the rule.
    """

    code = "risk"
    outcome: Outcome | None = "not_sent"

    def __init__(self, message: str, *, rule: str, **more: Any) -> None:
        self.rule = rule
        super().__init__(message, **more)


class ClockSkew(ExconnError):
    """The exchange refused the timestamp of the request; the clock is being synchronized again."""

    code = "clock_skew"
    retryable = True
    outcome: Outcome | None = "refused"


class StaleBook(ExconnError):
    """The local order book is not whole at the moment; ``message`` says since when and why."""

    code = "stale_book"
    retryable = True


class JournalError(ExconnError):
    """The journal could not keep a record it must keep; an order whose intent is not kept is not sent."""

    code = "journal"
    outcome: Outcome | None = "not_sent"


class NotReady(ExconnError, TimeoutError):
    """The connector is not, or not yet, able to do this; ``message`` names what is missing."""

    code = "not_ready"
    retryable = True
    outcome: Outcome | None = "not_sent"


class ConnectorStopped(ExconnError):
    """The connector was stopped, or never started."""

    code = "stopped"


class ForkedProcess(ExconnError):
    """The object was made in the parent process; make a new one after the fork."""

    code = "forked"
    outcome: Outcome | None = "not_sent"
