"""What is signed, and how a request carries the signature (Binance: 3.1)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import quote

from exconn_sync.errors import AuthenticationError, ValidationError
from exconn_sync.exchanges.binance.endpoints import EXCHANGE
from exconn_sync.exchanges.private_keys import is_pem, pem_signer
from exconn_sync.exchanges.signers import HmacSha256Signer
from exconn_sync.model.secret import Secret
from exconn_sync.model.wire import HttpRequest, Params
from exconn_sync.ports.driver import Signer

KEY_HEADER = "X-MBX-APIKEY"

_KEY = re.compile(r"[!-~]+", re.ASCII)


def signer_of(api_key: Secret, secret: Secret, passphrase: Secret | None = None) -> Signer:
    """Return a signer for a key of any type: PEM text is an RSA or Ed25519 key, everything else an HMAC secret.

    Raises:
        ValidationError: a key with blanks, line ends or other foreign characters (faults F165, F179), a private key
            that cannot be used, or a passphrase where none is needed; the message shows nothing of either.
    """
    if not _KEY.fullmatch(api_key.reveal()):
        raise _malformed("api_key")
    if is_pem(secret):
        return pem_signer(api_key, secret, passphrase)
    if passphrase is not None:
        raise ValidationError("passphrase", "<hidden>", "is for encrypted private keys", exchange=EXCHANGE)
    if not _KEY.fullmatch(secret.reveal()):
        raise _malformed("api_secret")
    return HmacSha256Signer(api_key.reveal(), secret.reveal().encode("ascii"))


def _malformed(field: str) -> ValidationError:
    return ValidationError(field, "<hidden>", "must be text without blanks and line ends", exchange=EXCHANGE)


def encoded_query(params: Params) -> str:
    """Return the query string as it goes over the wire: names and values percent-encoded, in the given order."""
    return "&".join(f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in params)


def rest_payload(query: str, body: str = "") -> bytes:
    """Return the bytes that a REST signature covers: the encoded query and the body, with nothing in between."""
    return (query + body).encode("ascii")


def ws_payload(params: Mapping[str, str | int]) -> bytes:
    """Return the bytes that a signature of the WebSocket API covers: raw UTF-8, sorted by name, not encoded."""
    return "&".join(f"{name}={params[name]}" for name in sorted(params)).encode()


def unsigned_request(method: str, path: str, params: Params) -> HttpRequest:
    """Return a request for public data; everything goes into the query string (Binance: 2)."""
    return HttpRequest(method, f"{path}?{encoded_query(params)}" if params else path, {})


def signed_request(
    method: str, path: str, params: Params, *, signer: Signer | None, timestamp_ms: int, window_ms: int
) -> HttpRequest:
    """Return a signed request; the signature covers exactly the bytes sent and stands last.

    Raises:
        AuthenticationError: there is no signer; nothing was sent.
    """
    if signer is None:
        raise AuthenticationError("this call needs an API key and secret", exchange=EXCHANGE, outcome="not_sent")
    query = encoded_query((*params, ("recvWindow", str(window_ms)), ("timestamp", str(timestamp_ms))))
    # The base64 of other key types holds characters that must be encoded (Binance: 3.1).
    signature = quote(signer.sign(rest_payload(query)), safe="")
    return HttpRequest(method, f"{path}?{query}&signature={signature}", {KEY_HEADER: signer.api_key})
