"""Who asks, when, and with which signature."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum

from exconn_sync.simulator.binance import errors
from exconn_sync.simulator.binance.params import Params
from exconn_sync.simulator.keys import ApiKey

DEFAULT_WINDOW_MS = 5000
MAX_WINDOW_MS = 60000
_KEY_FORM = re.compile(r"[A-Za-z0-9]{20,80}")
_TIMESTAMP_FORM = re.compile(r"[0-9]{1,19}")
_WINDOW_FORM = re.compile(r"[0-9]{1,6}(\.[0-9]{1,3})?")
_MICROSECONDS_FROM = 10**14
# Characters which every percent-encoder escapes; seen raw, the text was signed before it was encoded.
_NEVER_RAW = re.compile(r"[^\x21-\x7e]|[\"<>\\^`{|}\[\]]|%(?![0-9A-Fa-f]{2})")


class Security(Enum):
    """What a call needs."""

    NONE = "none"
    SIGNED = "signed"
    TRADE = "trade"
    """Signed with a key that may trade."""
    SESSION = "session"
    """The key that the session is signed in with; nothing is signed."""


@dataclass(frozen=True, slots=True)
class TimeWindow:
    """How long a signed call may be executed; both in microseconds."""

    timestamp: int
    length: int

    @classmethod
    def of(cls, params: Params) -> "TimeWindow":
        """Read ``timestamp`` (ms or µs, told apart by size) and ``recvWindow`` (ms with up to three decimals)."""
        text = params.required("timestamp")
        if not _TIMESTAMP_FORM.fullmatch(text):
            raise errors.missing_parameter("timestamp")
        timestamp = int(text) if int(text) >= _MICROSECONDS_FROM else int(text) * 1000
        window = params.optional("recvWindow") or str(DEFAULT_WINDOW_MS)
        if not _WINDOW_FORM.fullmatch(window):
            raise errors.missing_parameter("recvWindow")
        if Decimal(window) > MAX_WINDOW_MS:
            raise errors.ApiError(-1102, f"Parameter 'recvWindow' cannot be greater than {MAX_WINDOW_MS}.")
        return cls(timestamp, int(Decimal(window) * 1000))

    def check_on_receipt(self, now_us: int) -> None:
        """Refuse a call from the future or from too long ago."""
        if self.timestamp >= now_us + 1_000_000:
            raise errors.ahead_of_time()
        self.check_before_matching(now_us)

    def check_before_matching(self, now_us: int) -> None:
        """Refuse a call that waited too long on its way through the exchange."""
        if now_us - self.timestamp > self.length:
            raise errors.outside_window()


def find_key(keys: Mapping[str, ApiKey], text: str | None) -> ApiKey:
    """The key that was sent, if it is one of ours."""
    if text is None or not _KEY_FORM.fullmatch(text):
        raise errors.bad_key_format()
    known = keys.get(text)
    if known is None:
        raise errors.bad_key()
    return known


def check_permission(security: Security, key: ApiKey) -> None:
    """Refuse what a key may not do, in the same words as a key that nobody knows."""
    if security is Security.TRADE and not key.can_trade:
        raise errors.bad_key()


def check_http_signature(key: ApiKey, query: str, body: str, signature: str) -> None:
    """The signature covers query and body as sent, without anything between them."""
    payload = _without_signature(query) + _without_signature(body)
    if _NEVER_RAW.search(payload):
        raise errors.bad_signature()
    _compare(key, payload, signature)


def check_ws_signature(key: ApiKey, params: Params, signature: str) -> None:
    """The signature covers all parameters, sorted by name, not percent-encoded."""
    signed = sorted((name, value) for name, value in params.items() if name != "signature")
    _compare(key, "&".join(f"{name}={value}" for name, value in signed), signature)


def _compare(key: ApiKey, payload: str, signature: str) -> None:
    if not key.is_signed(payload.encode("utf-8", "surrogateescape"), signature):
        raise errors.bad_signature()


def _without_signature(text: str) -> str:
    return "&".join(pair for pair in text.split("&") if not pair.startswith("signature="))
