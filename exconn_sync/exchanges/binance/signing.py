"""What is signed, and how a request carries the signature (Binance: 3.1)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import quote

from exconn_sync.errors import AuthenticationError
from exconn_sync.exchanges.binance.endpoints import EXCHANGE
from exconn_sync.model.wire import HttpRequest, Params
from exconn_sync.ports.driver import Signer

KEY_HEADER = "X-MBX-APIKEY"
_PLAIN = re.compile(r"[A-Za-z0-9_.~-]*", re.ASCII).fullmatch
_PLAIN_QUERY = re.compile(r"[A-Za-z0-9_.~=&-]*", re.ASCII).fullmatch


def encoded_query(params: Params) -> str:
    """Return the query string as it goes over the wire: names and values percent-encoded, in the given order."""
    text = "&".join([f"{name}={value}" for name, value in params])
    if _PLAIN_QUERY(text) and text.count("=") == len(params) and text.count("&") <= len(params) - 1:
        # Nearly all queries are plain throughout, and one look at the whole costs less than one at each part.
        return text
    return "&".join([f"{_quoted(name)}={_quoted(value)}" for name, value in params])


def _quoted(text: str) -> str:
    return text if _PLAIN(text) else quote(text, safe="")


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
