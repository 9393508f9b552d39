"""What all errors have in common, and the error for bad input."""

from __future__ import annotations

import time
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Literal

Outcome = Literal["not_sent", "refused", "unknown"]

_SHOWN_LENGTH = 120
_HANDLES = ("order", "result")


def _shown(value: object) -> str:
    """Return a printable, one-line, shortened text of a foreign value (fault F184)."""
    try:
        text = value if isinstance(value, str) else str(value) if isinstance(value, Decimal) else repr(value)
    except Exception:  # noqa: BLE001
        # A foreign repr, or an int beyond the digits that CPython writes: the error at hand matters more.
        text = f"<{type(value).__name__}>"
    clean = "".join(char if char.isprintable() else "?" for char in text[: _SHOWN_LENGTH + 1])
    return clean if len(clean) <= _SHOWN_LENGTH else clean[:_SHOWN_LENGTH] + "..."


def rebuilt(kind: type[ExconnError], text: str, state: dict[str, Any]) -> ExconnError:
    """Return an error from what was pickled of it."""
    error = kind.__new__(kind, text)
    Exception.__init__(error, text)
    error.__dict__.update(state)
    return error


def retold(error: ExconnError, text: str, result: Any) -> ExconnError:
    """Return an error of the same kind and facts with another text, and with the ``result`` of the whole command."""
    made = rebuilt(type(error), text, {**error.__dict__, "message": text, "result": result})
    made.__cause__ = error.__cause__
    return made


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
        # A handle lives in its process: the pickled error keeps the facts and lets go of the handles.
        facts = {name: None if name in _HANDLES else value for name, value in self.__dict__.items()}
        return rebuilt, (type(self), self.message, facts)


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
