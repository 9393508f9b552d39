"""How the account stream is signed in, a connection of the WebSocket API (Binance: 10.2, 11)."""

from __future__ import annotations

import msgspec

from exconn_sync.errors import ValidationError
from exconn_sync.exchanges.binance.endpoints import EXCHANGE
from exconn_sync.exchanges.binance.signing import ws_payload
from exconn_sync.ports.driver import Signer

_METHODS = {"subscription": "userDataStream.subscribe.signature", "session": "session.logon"}
_OF_SESSION = "userDataStream.subscribe"
_KEY_OF_SESSION = "ed25519"


def login_request(signer: Signer, timestamp_ms: int, window_ms: int, request_id: int, sign_in: str) -> bytes:
    """Return the frame that subscribes the account's events by signature, or that signs the connection in.

    Raises:
        ValidationError: the connection can be signed in with an Ed25519 key only (Binance: 10.2).
    """
    if sign_in == "session" and signer.key_type != _KEY_OF_SESSION:
        text = f"needs an Ed25519 key on {EXCHANGE}; with any other key use 'subscription'"
        raise ValidationError("account_sign_in", sign_in, text, exchange=EXCHANGE)
    params: dict[str, str | int] = {
        "apiKey": signer.api_key,
        "recvWindow": window_ms,
        "timestamp": timestamp_ms,
    }
    # Plain base64 here, other than in a query string (Binance: 3.1).
    params["signature"] = signer.sign(ws_payload(params))
    return msgspec.json.encode({"id": request_id, "method": _METHODS[sign_in], "params": params})


def subscribe_request(request_id: int) -> bytes:
    """Return the frame that subscribes the account's events on a connection that is signed in."""
    return msgspec.json.encode({"id": request_id, "method": _OF_SESSION})
