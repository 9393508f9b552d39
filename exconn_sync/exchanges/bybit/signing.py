"""What is signed, and how a request or a socket carries the signature (Bybit: 2.3, 2.4, 7.1)."""

from __future__ import annotations

import re
from urllib.parse import quote

from exconn_sync.errors import AuthenticationError, ValidationError
from exconn_sync.exchanges import api_keys
from exconn_sync.exchanges.bybit.endpoints import EXCHANGE
from exconn_sync.model.secret import Secret
from exconn_sync.model.wire import HttpRequest, Params, RestCall
from exconn_sync.ports.driver import Signer

KEY_HEADER = "X-BAPI-API-KEY"
TIME_HEADER = "X-BAPI-TIMESTAMP"
SIGNATURE_HEADER = "X-BAPI-SIGN"
WINDOW_HEADER = "X-BAPI-RECV-WINDOW"

_JSON = {"Content-Type": "application/json"}
_CURSOR = "cursor"
_ENCODED = re.compile(r"(?:[A-Za-z0-9._~-]|%[0-9A-Fa-f]{2})*", re.ASCII)
_UNUSABLE = "ed25519"


def signer_of(api_key: Secret, secret: Secret, passphrase: Secret | None = None) -> Signer:
    """Return a signer for a key of either type: PEM text is an RSA key, everything else an HMAC secret.

    Raises:
        ValidationError: as for any exchange, or an Ed25519 key, which Bybit does not have.
    """
    signer = api_keys.signer_of(EXCHANGE, api_key, secret, passphrase)
    if signer.key_type == _UNUSABLE:
        raise ValidationError("api_secret", "<hidden>", "must be an RSA key or an HMAC secret", exchange=EXCHANGE)
    return signer


def encoded_query(params: Params) -> str:
    """Return the query string as it goes over the wire: names and values percent-encoded, in the given order.

    A cursor comes from the exchange already encoded, and goes back as it came (Bybit: 2.7).
    """
    return "&".join(f"{quote(name, safe='')}={_encoded(name, value)}" for name, value in params)


def _encoded(name: str, value: str) -> str:
    is_ready = name == _CURSOR and _ENCODED.fullmatch(value)
    return value if is_ready else quote(value, safe="")


def rest_payload(timestamp_ms: int, api_key: str, window_ms: int, sent: bytes) -> bytes:
    """Return the bytes that a signature covers; ``sent`` is the query or the body exactly as sent (Bybit: 2.4)."""
    return f"{timestamp_ms}{api_key}{window_ms}".encode("ascii") + sent


def socket_payload(expires_ms: int) -> bytes:
    """Return the bytes that the sign-in of a socket covers (Bybit: 7.1, 8.1)."""
    return f"GET/realtime{expires_ms}".encode("ascii")


def unsigned_request(call: RestCall[object]) -> HttpRequest:
    """Return a request for public data. A GET never has a body: the exchange takes one for an attack (Bybit: 2.2)."""
    return HttpRequest(call.method, _target(call), _JSON if call.body is not None else {}, call.body)


def signed_request(call: RestCall[object], *, signer: Signer | None, timestamp_ms: int, window_ms: int) -> HttpRequest:
    """Return a signed request: its signature covers the very bytes that are sent, the body where there is one.

    Raises:
        AuthenticationError: there is no signer; nothing was sent.
    """
    if signer is None:
        raise AuthenticationError("this call needs an API key and secret", exchange=EXCHANGE, outcome="not_sent")
    target = _target(call)
    sent = target.partition("?")[2].encode("ascii") if call.body is None else call.body
    headers = {
        KEY_HEADER: signer.api_key,
        TIME_HEADER: str(timestamp_ms),
        # Always sent: what would be signed without it is not documented (Bybit: 2.4).
        WINDOW_HEADER: str(window_ms),
        SIGNATURE_HEADER: signer.sign(rest_payload(timestamp_ms, signer.api_key, window_ms, sent)),
    }
    return HttpRequest(call.method, target, headers if call.body is None else headers | _JSON, call.body)


def _target(call: RestCall[object]) -> str:
    return f"{call.path}?{encoded_query(call.params)}" if call.params else call.path
