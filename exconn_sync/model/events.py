"""Events about the library itself: connections and errors."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class ConnectionEvent:
    """A connection of the connector came up or went down.

    ``connection`` is its name (``market``, ``account`` ...), ``reason`` why it went down, ``attempt`` the number of
    failed attempts so far, ``retry_in`` the seconds until the next one (0 when up).
    """

    exchange: str
    connection: str
    is_up: bool
    reason: str
    attempt: int
    retry_in: float
    received_at: int


@dataclass(frozen=True)
class ErrorEvent:
    """Something went wrong that no caller is waiting for; ``where`` names the worker, topic or callback."""

    exchange: str
    where: str
    error: Exception
    received_at: int
