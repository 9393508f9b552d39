"""Small clients, independent of the library, through which the tests speak to the simulator."""

import hashlib
import hmac
import json
import socket
import time
from base64 import b64encode
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import urllib3
import websocket
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from exconn_sync.simulator import ClientKey, Simulator

Json = Any
PATIENCE_S = 5.0


def sign(secret: str, payload: str) -> str:
    """Sign with an HMAC secret, or with a private key as PEM text."""
    if secret.startswith("-----BEGIN "):
        private = load_pem_private_key(secret.encode(), None)
        if isinstance(private, RSAPrivateKey):
            return b64encode(private.sign(payload.encode(), PKCS1v15(), SHA256())).decode()
        assert isinstance(private, Ed25519PrivateKey)
        return b64encode(private.sign(payload.encode())).decode()
    return hmac.new(secret.encode(), payload.encode(), hashlib.sha256).hexdigest()


def now_ms() -> int:
    return time.time_ns() // 1_000_000


def eventually(condition: Callable[[], bool]) -> None:
    """Wait for something the simulator does by itself."""
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.005)


class Rest:
    """Signed and unsigned requests over one pool of connections."""

    def __init__(self, simulator: Simulator, key: ClientKey | None = None) -> None:
        self.simulator = simulator
        self.key = key or ClientKey(simulator.api_key, simulator.api_secret, "hmac", "demo")
        self.pool = urllib3.PoolManager(
            retries=False, timeout=PATIENCE_S, ca_certs=str(simulator.ca_file) if simulator.ca_file else None
        )

    def raw(
        self, method: str, path: str, query: str = "", body: str | None = None, **headers: str
    ) -> urllib3.BaseHTTPResponse:
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if body is not None:
            sent["Content-Type"] = "application/x-www-form-urlencoded"
        target = f"{path}?{query}" if query else path
        return self.pool.request(method, self.simulator.rest + target, body=body, headers=sent)

    def get(self, path: str, **params: object) -> tuple[int, Json]:
        response = self.raw("GET", path, urlencode(params))
        return response.status, json.loads(response.data)

    def signed_raw(self, method: str, path: str, **params: object) -> urllib3.BaseHTTPResponse:
        params.setdefault("timestamp", now_ms())
        query = urlencode(params)
        query += f"&signature={quote(sign(self.key.api_secret, query), safe='')}"
        return self.raw(method, path, query, X_MBX_APIKEY=self.key.api_key)

    def signed(self, method: str, path: str, **params: object) -> tuple[int, Json]:
        response = self.signed_raw(method, path, **params)
        return response.status, json.loads(response.data)

    def limit(self, side: str, quantity: object, price: object, **extra: object) -> tuple[int, Json]:
        order = {"symbol": "BTCUSDT", "side": side, "type": "LIMIT", "timeInForce": "GTC"}
        return self.signed("POST", "/api/v3/order", **{**order, "quantity": quantity, "price": price, **extra})

    def market(self, side: str, **amount: object) -> tuple[int, Json]:
        return self.signed("POST", "/api/v3/order", symbol="BTCUSDT", side=side, type="MARKET", **amount)

    def close(self) -> None:
        self.pool.clear()


class Socket:
    """A WebSocket that speaks JSON."""

    def __init__(self, url: str, ca_file: Path | None = None, receive_buffer: int | None = None) -> None:
        options = [] if receive_buffer is None else [(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)]
        trust = {"ca_certs": str(ca_file)} if ca_file else {}
        self.socket = websocket.create_connection(url, timeout=PATIENCE_S, sslopt=trust, sockopt=options)

    def send(self, message: Json) -> None:
        self.socket.send(json.dumps(message))

    def receive(self) -> Json:
        """The next message; a connection that ends, in whichever way, is a ConnectionError."""
        try:
            text = self.socket.recv()
        except websocket.WebSocketConnectionClosedException as error:
            raise ConnectionError("lost") from error
        if not text:
            raise ConnectionError("closed")
        return json.loads(text)

    def ask(self, message: Json) -> Json:
        self.send(message)
        return self.receive()

    def until(self, wanted: Callable[[Json], bool]) -> Json:
        """The first message that is wanted; the others are dropped."""
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline:
            message = self.receive()
            if wanted(message):
                return message
        raise AssertionError("the wanted message did not come")

    def close(self) -> None:
        self.socket.close()
        # close() leaves the socket alone when the connection was lost before.
        self.socket.shutdown()  # type: ignore[no-untyped-call]


class WsApi(Socket):
    """A connection to the WebSocket API."""

    def __init__(self, simulator: Simulator, options: str = "", key: ClientKey | None = None) -> None:
        super().__init__(simulator.ws_api + options, simulator.ca_file)
        self.key = key or ClientKey(simulator.api_key, simulator.api_secret, "hmac", "demo")

    def call(self, method: str, *, signed: bool = False, **params: Json) -> Json:
        if signed:
            params = {"apiKey": self.key.api_key, "timestamp": now_ms(), **params}
            texts = {name: json.dumps(value) if isinstance(value, bool) else value for name, value in params.items()}
            payload = "&".join(f"{name}={text}" for name, text in sorted(texts.items()))
            params["signature"] = sign(self.key.api_secret, payload)
        self.send({"id": method, "method": method, "params": params})
        return self.until(lambda message: message.get("id") == method)

    def subscribe(self) -> int:
        reply = self.call("userDataStream.subscribe.signature", signed=True)
        assert reply["status"] == 200, reply
        subscription_id = reply["result"]["subscriptionId"]
        assert isinstance(subscription_id, int)
        return subscription_id

    def event(self, kind: str) -> Json:
        return self.until(lambda message: message.get("event", {}).get("e") == kind)["event"]
