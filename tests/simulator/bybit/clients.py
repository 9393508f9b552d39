"""Small clients of the Bybit face, independent of the library."""

import json
from typing import Any
from urllib.parse import urlencode

import urllib3

from exconn_sync.simulator import ClientKey, Simulator
from tests.simulator.clients import PATIENCE_S, Socket, now_ms, sign

Json = Any
WINDOW = "5000"


def key_of(simulator: Simulator) -> ClientKey:
    return ClientKey(simulator.api_key, simulator.api_secret, "hmac", "demo")


class Rest:
    """Signed and unsigned requests over one pool of connections."""

    def __init__(self, simulator: Simulator, key: ClientKey | None = None) -> None:
        self.simulator = simulator
        self.key = key or key_of(simulator)
        self.pool = urllib3.PoolManager(retries=False, timeout=PATIENCE_S)

    def raw(
        self, method: str, path: str, query: str = "", body: str | None = None, headers: dict[str, str] | None = None
    ) -> urllib3.BaseHTTPResponse:
        target = f"{path}?{query}" if query else path
        return self.pool.request(method, self.simulator.rest + target, body=body, headers=headers or {})

    def headers(self, payload: str, at: int | None = None, window: str = WINDOW) -> dict[str, str]:
        timestamp = str(now_ms() if at is None else at)
        return {
            "X-BAPI-API-KEY": self.key.api_key,
            "X-BAPI-TIMESTAMP": timestamp,
            "X-BAPI-RECV-WINDOW": window,
            "X-BAPI-SIGN": sign(self.key.api_secret, f"{timestamp}{self.key.api_key}{window}{payload}"),
        }

    def public(self, path: str, **params: object) -> Json:
        return json.loads(self.raw("GET", path, urlencode({"category": "spot", **params})).data)

    def get_raw(self, path: str, query: str) -> urllib3.BaseHTTPResponse:
        return self.raw("GET", path, query, headers=self.headers(query))

    def get(self, path: str, **params: object) -> Json:
        return json.loads(self.get_raw(path, urlencode(params)).data)

    def post_raw(self, path: str, **params: object) -> urllib3.BaseHTTPResponse:
        body = json.dumps(params)
        headers = self.headers(body) | {"Content-Type": "application/json"}
        return self.raw("POST", path, body=body, headers=headers)

    def post(self, path: str, **params: object) -> Json:
        return json.loads(self.post_raw(path, **params).data)

    def create(self, side: str, qty: str, price: str | None = None, **extra: object) -> Json:
        order: dict[str, object] = {"category": "spot", "symbol": "BTCUSDT", "side": side, "qty": qty}
        order |= {"orderType": "Market"} if price is None else {"orderType": "Limit", "price": price}
        return self.post("/v5/order/create", **{**order, **extra})

    def placed(self, side: str, qty: str, price: str | None = None, **extra: object) -> str:
        """Create an order that must be acknowledged; its id."""
        answer = self.create(side, qty, price, **extra)
        assert answer["retCode"] == 0, answer
        order_id = answer["result"]["orderId"]
        assert isinstance(order_id, str)
        return order_id

    def order(self, order_id: str) -> Json:
        rows = self.get("/v5/order/realtime", category="spot", orderId=order_id)["result"]["list"]
        assert len(rows) == 1
        return rows[0]

    def close(self) -> None:
        self.pool.clear()


class Public(Socket):
    """A connection to the public socket."""

    def __init__(self, simulator: Simulator) -> None:
        super().__init__(simulator.public)

    def subscribe(self, *topics: str) -> None:
        reply = self.ask({"op": "subscribe", "req_id": "s", "args": list(topics)})
        assert reply["success"] is True, reply

    def topic(self, name: str) -> Json:
        return self.until(lambda message: message.get("topic") == name)


class Private(Socket):
    """A connection to the private socket, signed in."""

    def __init__(self, simulator: Simulator, key: ClientKey | None = None, options: str = "") -> None:
        super().__init__(simulator.private + options)
        self.key = key or key_of(simulator)

    def sign_in(self, expires_in_ms: int = 10_000) -> Json:
        expires = now_ms() + expires_in_ms
        signature = sign(self.key.api_secret, f"GET/realtime{expires}")
        return self.ask({"op": "auth", "args": [self.key.api_key, expires, signature]})

    def subscribed(self, *topics: str) -> "Private":
        assert self.sign_in()["success"] is True
        reply = self.ask({"op": "subscribe", "args": list(topics)})
        assert reply["success"] is True, reply
        return self

    def rows(self, topic: str) -> list[Json]:
        rows = self.until(lambda message: message.get("topic") == topic)["data"]
        assert isinstance(rows, list)
        return rows


class Trade(Socket):
    """A connection to the trade socket."""

    def __init__(self, simulator: Simulator, key: ClientKey | None = None) -> None:
        super().__init__(simulator.trade)
        self.key = key or key_of(simulator)
        self._count = 0

    def sign_in(self) -> Json:
        expires = now_ms() + 10_000
        signature = sign(self.key.api_secret, f"GET/realtime{expires}")
        return self.ask({"op": "auth", "reqId": "a", "args": [self.key.api_key, expires, signature]})

    def send_op(self, op: str, **params: object) -> str:
        self._count += 1
        name = f"r{self._count}"
        header = {"X-BAPI-TIMESTAMP": str(now_ms())}
        self.send({"reqId": name, "header": header, "op": op, "args": [{"category": "spot", **params}]})
        return name

    def call(self, op: str, **params: object) -> Json:
        name = self.send_op(op, **params)
        return self.until(lambda message: message.get("reqId") == name)
