"""Who asks, when, and with which signature (Bybit: 2.3, 2.4, 2.5)."""

import re
from collections.abc import Mapping
from enum import Enum

from exconn_sync.simulator.bybit import errors
from exconn_sync.simulator.keys import ApiKey, KeyTable

DEFAULT_WINDOW_MS = 5000
_MOST_AHEAD_MS = 1000
_MS = re.compile(r"[0-9]{13}")
_WINDOW = re.compile(r"[0-9]{1,9}")
_MANDATORY = ("X-BAPI-API-KEY", "X-BAPI-TIMESTAMP", "X-BAPI-SIGN")


class Access(Enum):
    """What a call needs."""

    PUBLIC = "public"
    READ = "read"
    TRADE = "trade"


def authorise(keys: KeyTable, headers: Mapping[str, str], payload: str, now: int) -> ApiKey:
    """The key that signed a request over these headers; ``payload`` is the query or the body as it was sent."""
    if not all(headers.get(name) for name in _MANDATORY):
        raise errors.HttpError(401, "Unauthorized")
    key = find_key(keys, headers["X-BAPI-API-KEY"])
    timestamp, window = headers["X-BAPI-TIMESTAMP"], headers.get("X-BAPI-RECV-WINDOW", "")
    check_window(timestamp, window, now)
    check_signature(key, f"{timestamp}{key.key}{window}{payload}", headers["X-BAPI-SIGN"])
    return key


def find_key(keys: KeyTable, name: object) -> ApiKey:
    """The key of a name; those of Ed25519 exist on other exchanges only."""
    key = keys.keys.get(name) if isinstance(name, str) else None
    if key is None or key.kind == "ed25519":
        raise errors.bad_key()
    return key


def check_window(timestamp: str, window: str, now: int) -> None:
    """Whether a request comes in time: never a second ahead, and no later than its window says."""
    if not _MS.fullmatch(timestamp) or (window and not _WINDOW.fullmatch(window)):
        raise errors.bad_parameter("timestamp or recv_window is invalid")
    length, sent = int(window or DEFAULT_WINDOW_MS), int(timestamp)
    if not now - length <= sent < now + _MOST_AHEAD_MS:
        raise errors.outside_window(sent, now, length)


def check_signature(key: ApiKey, signed: str, signature: str) -> None:
    """Whether a text was signed by a key; HMAC is told in lower case."""
    is_lower = key.kind != "hmac" or signature == signature.lower()
    if not is_lower or not key.is_signed(signed.encode("utf-8", "surrogateescape"), signature):
        raise errors.bad_signature(signed)


def check_access(access: Access, key: ApiKey) -> None:
    """Whether the key may do what is asked."""
    if access is Access.TRADE and not key.can_trade:
        raise errors.no_permission()
