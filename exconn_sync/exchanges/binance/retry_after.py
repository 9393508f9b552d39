"""When Binance says to come back: seconds in a header, an epoch in a text or in an answer (Binance: 2, 7.2, 11)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from exconn_sync.exchanges.wire_numbers import NS_PER_MS, ns_of_time

_LONGEST_BAN_MS = 3 * 24 * 60 * 60 * 1_000  # Binance: 2
_MS = 1_000

# Only the text of a ban names a time; that of a limit says no more than that it is reached.
_BANNED_UNTIL = re.compile(r"IP banned until ([0-9]{13})\b", re.ASCII)


def seconds_of_answer(headers: Mapping[str, str], text: str, received_at: int) -> float | None:
    """Return the seconds to wait after a REST answer, or None where it says nothing usable (fault F077).

    The header comes first: it needs no clock. The end of a ban in the text is compared with our own one.
    """
    stated = _seconds_of_header(headers.get("retry-after", ""))
    return _seconds_of_ban(text, received_at) if stated is None else stated


def seconds_of_reply(data: Any, text: str, received_at: int) -> float | None:
    """Return the seconds to wait after an error on the WebSocket API, or None where it says nothing usable.

    ``data`` is the error's ``data``: an epoch in the connection's unit of time, unlike the seconds of REST, beside the
    exchange's own time, so that no clock of ours matters.
    """
    if isinstance(data, dict):
        until = data.get("retryAfter")
        now = data.get("serverTime", received_at // NS_PER_MS)
        if type(until) is int and type(now) is int:
            return _bounded((ns_of_time(until) - ns_of_time(now)) // NS_PER_MS)
    return _seconds_of_ban(text, received_at)


def _seconds_of_header(text: str) -> float | None:
    if not (text.isascii() and text.isdigit()) or len(text) > 9:
        return None
    return _bounded(int(text) * _MS)


def _seconds_of_ban(text: str, received_at: int) -> float | None:
    found = _BANNED_UNTIL.search(text)
    return None if found is None else _bounded(int(found[1]) - received_at // NS_PER_MS)


def _bounded(milliseconds: int) -> float:
    return min(max(milliseconds, 0), _LONGEST_BAN_MS) / _MS
