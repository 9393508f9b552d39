"""What is signed, and how a request or a socket carries the signature.

Look up: which bytes the signature covers, in which order, and a worked example to test with. Sign what is sent, byte
for byte: the query as it is encoded, the body as it is written.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from exconn_sync.errors import AuthenticationError, ValidationError
from exconn_sync.exchanges import api_keys
from exconn_sync.exchanges._template.endpoints import EXCHANGE
from exconn_sync.model.secret import Secret
from exconn_sync.model.wire import HttpRequest, RestCall
from exconn_sync.ports.driver import Signer

KEY_HEADER, TIME_HEADER, WINDOW_HEADER, SIGNATURE_HEADER = "X-KEY", "X-TIME", "X-WINDOW", "X-SIGN"
_JSON = {"Content-Type": "application/json"}
KEY_TYPES = ("hmac",)


def signer_of(api_key: Secret, secret: Secret, passphrase: Secret | None = None) -> Signer:
    """Return a signer for an HMAC key.

    Raises:
        ValidationError: a malformed key, or a private key, which this exchange does not take.
    """
    signer = api_keys.signer_of(EXCHANGE, api_key, secret, passphrase)
    if signer.key_type not in KEY_TYPES:
        raise ValidationError("api_secret", "<hidden>", "must be an HMAC secret", exchange=EXCHANGE)
    return signer


def http_request(call: RestCall[Any], signer: Signer | None, timestamp_ms: int, window_ms: int) -> HttpRequest:
    """Return the request as it goes over the wire, signed where the call says so.

    Raises:
        AuthenticationError: the call has to be signed and there is no signer; nothing was sent.
    """
    target = _target(call)
    headers = {} if call.body is None else _JSON
    if call.is_signed:
        if signer is None:
            raise AuthenticationError("this call needs an API key and secret", exchange=EXCHANGE, outcome="not_sent")
        head = f"{timestamp_ms}{window_ms}{call.method}{target}".encode("ascii")
        headers = headers | {
            KEY_HEADER: signer.api_key,
            TIME_HEADER: str(timestamp_ms),
            WINDOW_HEADER: str(window_ms),
            SIGNATURE_HEADER: signer.sign(head + (call.body or b"")),
        }
    return HttpRequest(call.method, target, headers, call.body)


def socket_payload(timestamp_ms: int, window_ms: int) -> bytes:
    """Return the bytes that the sign-in of a socket covers."""
    return f"{timestamp_ms}{window_ms}login".encode("ascii")


def _target(call: RestCall[Any]) -> str:
    query = "&".join(f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in call.params)
    return f"{call.path}?{query}" if query else call.path
