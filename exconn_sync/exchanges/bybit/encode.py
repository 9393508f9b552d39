"""Raw calls and control frames in Bybit's words (Bybit: 4, 6.1)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from exconn_sync.errors import ValidationError
from exconn_sync.exchanges.bybit.endpoints import BATCHES, EXCHANGE
from exconn_sync.model.wire import Params

_METHODS = frozenset({"GET", "POST"})
_PATH = re.compile(r"(?:/[A-Za-z0-9_-]+)+", re.ASCII)

PING = b'{"op":"ping"}'
"""What keeps a connection; it is understood on every one (Bybit: 6.1, 7.1, 8.3)."""


def checked_raw_call(method: str, path: str, *, has_body: bool) -> str:
    """Check a call of the user's own making and return its method in upper case.

    Raises:
        ValidationError: another method, a path with more than plain segments (fault F178), or a GET with a body, by
            which the exchange bans the address (Bybit: 2.2).
    """
    if method.upper() not in _METHODS:
        raise ValidationError("method", method, "must be one of " + ", ".join(sorted(_METHODS)), exchange=EXCHANGE)
    if not _PATH.fullmatch(path):
        raise ValidationError("path", path, "must be a plain path such as /v5/market/time", exchange=EXCHANGE)
    if has_body and method.upper() == "GET":
        raise ValidationError("body", "<given>", "must not go with GET; use params", exchange=EXCHANGE)
    return method.upper()


def raw_body(params: Params, body: Mapping[str, Any] | None) -> bytes:
    """Return the body of a POST: what the caller gave as such, with the parameters in front as texts."""
    return json_body({**dict(params), **(body or {})})


def orders_in(path: str, body: Mapping[str, Any] | None) -> int:
    """Return how many orders a call counts for (Bybit: 3.3)."""
    orders = (body or {}).get("request") if path in BATCHES else None
    return max(1, len(orders)) if isinstance(orders, (list, tuple)) else 1


def json_body(values: Mapping[str, Any]) -> bytes:
    """Return a body as it is signed and sent: compact, written once (Bybit: 2.4)."""
    return msgspec.json.encode(values)


def stream_request(operation: str, names: Sequence[str], request_id: int) -> bytes:
    """Return the control frame that subscribes or ends all the topics at once (Bybit: 6.1)."""
    return msgspec.json.encode({"op": operation, "req_id": str(request_id), "args": list(names)})
