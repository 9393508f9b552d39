"""Raw calls and control frames in the exchange's words.

Look up: how topics are subscribed, and whether an answer repeats the id of its request.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from exconn_sync.exchanges._template.not_offered import refusal
from exconn_sync.exchanges._template.signing import socket_payload
from exconn_sync.model.wire import Params
from exconn_sync.ports.driver import Signer

_METHODS = frozenset({"GET", "POST", "DELETE"})
_PATH = re.compile(r"(?:/[A-Za-z0-9_-]+)+", re.ASCII)


def checked_raw_call(method: str, path: str, *, has_body: bool) -> str:
    """Check a call of the user's own making and return its method.

    Raises:
        ValidationError: another method, a path with more than plain segments (fault F178), or a body without POST.
    """
    if method not in _METHODS:
        raise refusal("method", method, "must be one of " + ", ".join(sorted(_METHODS)))
    if not _PATH.fullmatch(path):
        raise refusal("path", path, "must be a plain path such as /v1/time")
    if has_body and method != "POST":
        raise refusal("body", "<given>", "goes with POST only; use params")
    return method


def raw_body(params: Params, body: Mapping[str, Any] | None) -> bytes:
    """Return the body of a POST: what the caller gave as such, with the parameters in front as texts."""
    return json_body({**dict(params), **(body or {})})


def json_body(values: Mapping[str, Any]) -> bytes:
    """Return a body as it is signed and sent, written once."""
    return msgspec.json.encode(values)


def stream_request(what: str, names: Sequence[str], request_id: int) -> bytes:
    """Return the control frame that subscribes or ends topics."""
    return msgspec.json.encode({"do": what, "id": request_id, "names": list(names)})


def login_request(signer: Signer, timestamp_ms: int, window_ms: int, request_id: int) -> bytes:
    """Return the frame that signs the private stream in."""
    signature = signer.sign(socket_payload(timestamp_ms, window_ms))
    return msgspec.json.encode(
        {"do": "login", "id": request_id, "key": signer.api_key, "time_ms": timestamp_ms, "window_ms": window_ms,
         "sign": signature}
    )  # fmt: skip
