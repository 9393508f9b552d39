"""How long a connection waits for its next attempt, by what ended it."""

from __future__ import annotations

from exconn_sync.errors import AuthenticationError, ConnectionFailed, ExconnError, PermissionDenied, RateLimitError

REFUSED_KEY_PAUSE = 10
"""How many times the longest pause a refused key waits: an exchange may lock out who keeps trying (fault F062)."""

_POLICY_CLOSES = frozenset({1002, 1008, 1009})
"""Closes that say that we do something wrong: the next attempt waits for the longest pause (fault F026)."""


def is_refused_key(error: BaseException | None) -> bool:
    """Return whether the exchange does not want this key."""
    return isinstance(error, (AuthenticationError, PermissionDenied))


def failure_of(error: ExconnError) -> ConnectionFailed:
    """Return the failure of a connection that any other error ended."""
    details = {"retry_after": error.retry_after} if isinstance(error, RateLimitError) else None
    failure = ConnectionFailed(error.message, temporary=not is_refused_key(error), details=details)
    failure.__cause__ = error
    return failure


def delay_after(error: ConnectionFailed, drawn: float, longest: float) -> float:
    """Return the seconds until the next attempt; ``drawn`` is what the backoff gives where nothing is against it."""
    if is_refused_key(error.__cause__):
        return longest * REFUSED_KEY_PAUSE
    if not error.temporary or error.details.get("close_code") in _POLICY_CLOSES:
        return longest
    asked_for = error.details.get("retry_after")
    return max(drawn, float(asked_for)) if isinstance(asked_for, (int, float)) else drawn
