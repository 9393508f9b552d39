"""A feed in a process of its own: it speaks as much of both exchanges as the clients need, and sends at full speed.

``python -m benchmarks.market.server`` prints its port. What is sent to whoever subscribes next is set by
``GET /plan?kind=trade&count=500000&rate=0&exchange=binance&symbols=1``: ``rate`` 0 is as fast as it is read, else
messages a second, each with its time of sending (monotonic ns) in the place of its id.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import socket
import sys
import threading
import time
from collections.abc import Iterator
from itertools import cycle
from urllib.parse import parse_qs, unquote, urlsplit

from benchmarks.market import recorded
from exconn_sync.simulator.binance.symbol_info import exchange_info
from exconn_sync.simulator.bybit.instruments import instrument
from exconn_sync.simulator.core.symbols import SymbolSpec, spec_of

_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_TRADE_ID = re.compile(r'"t":(\d+)')
_SETTLE = 0.3
"""Seconds between the answer to a subscription and the first message: a client may have to note it first."""

_SPIN_NS = 150_000


class Plan:
    """What the next subscriber gets."""

    def __init__(
        self, exchange: str = "binance", kind: str = "trade", count: int = 100_000, rate: int = 0, symbols: int = 1
    ) -> None:
        self.exchange = exchange
        self.kind = kind
        self.count = count
        self.rate = rate
        self.names = [recorded.SYMBOL] if symbols == 1 else [f"S{number:04}USDT" for number in range(symbols)]
        self.pieces: list[bytes] = []
        if not rate:
            texts = recorded.trades(exchange) if kind == "trade" else recorded.book_changes(exchange)
            self.pieces = recorded.framed(texts, count)
        self.mark = {"trade": ("@trade", "publicTrade."), "book": ("@depth", "orderbook.50.")}[kind][
            exchange == "bybit"
        ]

    def specs(self) -> list[SymbolSpec]:
        """Return the symbols it is about."""
        return [
            spec_of(name[:-4], "USDT", tick="0.01", step="0.00000001", min_notional="5", start_price="60000")
            for name in self.names
        ]


class Feed:
    """The server; a thread for each connection."""

    def __init__(self) -> None:
        self.plan = Plan(count=1)
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port = self._listener.getsockname()[1]

    def serve(self) -> None:
        """Accept for ever."""
        while True:
            sock, _ = self._listener.accept()
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=Connection(self, sock).run, daemon=True).start()


class Connection:
    """One connection: requests, and from an upgrade on a WebSocket."""

    def __init__(self, feed: Feed, sock: socket.socket) -> None:
        self._feed = feed
        self._sock = sock
        self._input = sock.makefile("rb")
        self._lock = threading.Lock()
        self._has_begun = False
        self._is_wrapped = True
        self._has_aggregates = False
        self._subscribed: set[str] = set()

    def run(self) -> None:
        """Serve until the client goes."""
        try:
            while self._request():
                pass
        except (OSError, ValueError, EOFError):
            return
        finally:
            self._sock.close()

    # --- HTTP -------------------------------------------------------------------------------------------------------

    def _request(self) -> bool:
        first = self._input.readline().decode()
        if not first:
            return False
        headers = {}
        while line := self._input.readline().strip():
            name, _, value = line.decode().partition(":")
            headers[name.lower()] = value.strip()
        self._input.read(int(headers.get("content-length", 0)))
        url = urlsplit(first.split()[1])
        if headers.get("upgrade", "").lower() == "websocket":
            self._upgrade(headers["sec-websocket-key"])
            self._websocket(url.path, url.query)
            return False
        body = self._answer(url.path, {name: values[0] for name, values in parse_qs(url.query).items()}).encode()
        head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        self._sock.sendall(head.encode() + body)
        return True

    def _answer(self, path: str, query: dict[str, str]) -> str:
        feed, now_ms = self._feed, time.time_ns() // 1_000_000
        if path == "/plan":
            feed.plan = Plan(
                query.get("exchange", "binance"),
                query["kind"],
                int(query["count"]),
                int(query.get("rate", 0)),
                int(query.get("symbols", 1)),
            )
            return "{}"
        if path.endswith("/time") and path.startswith("/api"):
            return json.dumps({"serverTime": now_ms})
        if path.endswith("/exchangeInfo"):
            return json.dumps(exchange_info([], feed.plan.specs(), now_ms))
        if path.endswith("/depth"):
            return recorded.depth_snapshot()
        result: object = {}
        if path.endswith("/market/time"):
            result = {"timeSecond": str(now_ms // 1000), "timeNano": str(now_ms * 1_000_000)}
        elif path.endswith("/instruments-info"):
            rows = [instrument(index, spec) for index, spec in enumerate(feed.plan.specs(), start=1)]
            result = {"category": "spot", "list": rows}
        elif not path.startswith("/v5"):
            return "{}"
        return json.dumps({"retCode": 0, "retMsg": "OK", "result": result, "retExtInfo": {}, "time": now_ms})

    # --- WebSocket --------------------------------------------------------------------------------------------------

    def _upgrade(self, key: str) -> None:
        accept = base64.b64encode(hashlib.sha1(key.encode() + _GUID).digest()).decode()
        head = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        self._sock.sendall(f"{head}Sec-WebSocket-Accept: {accept}\r\n\r\n".encode())

    def _websocket(self, path: str, query: str) -> None:
        named = unquote(parse_qs(query).get("streams", [""])[0] or path.partition("/ws/")[2])
        self._is_wrapped = not path.startswith("/ws")
        if named:
            self._subscribe(named.split("/"))
        while True:
            opcode, payload = self._frame()
            if opcode == 0x8:
                return
            if opcode == 0x9:
                self._send(bytes((0x8A, len(payload))) + payload)
            elif opcode == 0x1:
                self._command(json.loads(payload))

    def _frame(self) -> tuple[int, bytes]:
        first, length = self._exactly(2)
        length &= 0x7F
        if length > 125:
            length = int.from_bytes(self._exactly(2 if length == 126 else 8), "big")
        mask = self._exactly(4)
        data = self._exactly(length)
        pattern = (mask * (length // 4 + 1))[:length]
        plain = int.from_bytes(data, "big") ^ int.from_bytes(pattern, "big")
        return first & 0x0F, plain.to_bytes(length, "big")

    def _exactly(self, size: int) -> bytes:
        data = self._input.read(size)
        if len(data) < size:
            raise EOFError
        return data

    def _command(self, wire: dict[str, object]) -> None:
        names = wire.get("params") or wire.get("args") or []
        if wire.get("method") == "SUBSCRIBE":
            self._tell({"result": None, "id": wire.get("id")})
        elif wire.get("method"):
            self._tell({"result": [], "id": wire.get("id")})
            return
        else:
            operation = wire.get("op")
            text = "pong" if operation == "ping" else operation
            answer = {"success": True, "ret_msg": text, "conn_id": "feed", "op": operation}
            if "req_id" in wire:
                answer["req_id"] = wire["req_id"]
            self._tell(answer)
            if operation != "subscribe":
                return
        self._subscribe(list(map(str, names)))  # type: ignore[call-overload]

    def _tell(self, answer: object) -> None:
        self._send(recorded.frame_of(json.dumps(answer)))

    def _send(self, data: bytes) -> None:
        with self._lock:
            self._sock.sendall(data)

    def _subscribe(self, names: list[str]) -> None:
        plan = self._feed.plan
        self._has_aggregates = any(name.endswith("@aggTrade") for name in names)
        marks = (plan.mark, "@aggTrade") if plan.kind == "trade" else (plan.mark,)
        self._subscribed.update(name for name in names if any(mark in name for mark in marks))
        if len(self._subscribed) >= len(plan.names) and not self._has_begun:
            self._has_begun = True
            threading.Thread(target=self._play, args=(plan,), daemon=True).start()

    def _play(self, plan: Plan) -> None:
        time.sleep(_SETTLE)
        try:
            if plan.rate:
                self._play_paced(plan)
            else:
                for piece in self._in_its_form(plan.pieces):
                    self._send(piece)
        except OSError:
            return

    def _play_paced(self, plan: Plan) -> None:
        templates = cycle([recorded.trade_parts(plan.exchange, name) for name in plan.names])
        step = 1_000_000_000 // plan.rate
        due = time.monotonic_ns()
        for (before, after), _ in zip(templates, range(plan.count), strict=False):
            due += step
            _until(due)
            text = f"{before}{time.monotonic_ns()}{after}"
            self._send(recorded.frame_of(self._formed(text)))

    def _in_its_form(self, pieces: list[bytes]) -> list[bytes]:
        """Return the messages as this connection wants them, made before any of them is sent."""
        if self._is_wrapped and not self._has_aggregates:
            return pieces
        return [b"".join(recorded.frame_of(self._formed(text)) for text in _texts(piece)) for piece in pieces]

    def _formed(self, text: str) -> str:
        if self._has_aggregates:
            text = _TRADE_ID.sub(
                r'"a":\1,"f":\1,"l":\1', text.replace("@trade", "@aggTrade").replace('"trade"', '"aggTrade"')
            )
        return text if self._is_wrapped else text[text.index(',"data":') + 8 : -1]


def _texts(piece: bytes) -> Iterator[str]:
    position = 0
    while position < len(piece):
        length = piece[position + 1]
        position += 2
        if length > 125:
            width = 2 if length == 126 else 8
            length = int.from_bytes(piece[position : position + width], "big")
            position += width
        yield piece[position : position + length].decode()
        position += length


def _until(due: int) -> None:
    """Sleep, and turn for the last moment, which no sleep hits."""
    while (left := due - time.monotonic_ns()) > 0:
        if left > _SPIN_NS:
            time.sleep((left - _SPIN_NS) / 1e9)


def main() -> None:
    """Serve until the process is ended."""
    feed = Feed()
    sys.stdout.write(f"{feed.port}\n")
    sys.stdout.flush()
    feed.serve()


if __name__ == "__main__":
    main()
