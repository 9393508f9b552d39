"""The limit: batched reads, frames split in Python, msgspec's typed decoding with Decimals, a direct call.

No envelope, no routing, no queue, no thread: what a client adds to this is its price.
"""

import base64
import json
import os
import socket
import sys
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import meter
import msgspec


class Trade(msgspec.Struct, gc=False):
    """A trade of Binance."""

    s: str
    t: int
    p: Decimal
    q: Decimal
    T: int
    m: bool


class Frame(msgspec.Struct, gc=False):
    """With its envelope."""

    stream: str
    data: Trade


class BybitTrade(msgspec.Struct, gc=False):
    """A trade of Bybit."""

    i: str
    p: Decimal
    v: Decimal
    S: str
    T: int


class BybitFrame(msgspec.Struct, gc=False):
    """With its envelope."""

    topic: str
    data: list[BybitTrade]


def messages(sock: socket.socket, rest: bytes) -> Iterator[list[bytes]]:
    """Return the messages of one read after the other."""
    data = rest
    while True:
        found, position, end = [], 0, len(data)
        while end - position >= 2:
            length, body = data[position + 1], position + 2
            if length > 125:
                if end - position < 10:
                    break
                width = 2 if length == 126 else 8
                length, body = int.from_bytes(data[body : body + width], "big"), body + width
            stop = body + length
            if stop > end:
                break
            found.append(data[body:stop])
            position = stop
        yield found
        data = data[position:] + sock.recv(1 << 16)


def connect(port: int, path: str) -> tuple[socket.socket, bytes]:
    """Open a WebSocket; return it with the bytes that came behind the handshake."""
    sock = socket.create_connection(("127.0.0.1", port))
    key = base64.b64encode(os.urandom(16)).decode()
    head = f"GET {path} HTTP/1.1\r\nHost: feed\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    sock.sendall(f"{head}Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n".encode())
    data = b""
    while b"\r\n\r\n" not in data:
        data += sock.recv(4096)
    return sock, data.partition(b"\r\n\r\n")[2]


def send(sock: socket.socket, wire: dict[str, Any]) -> None:
    """Send a text message; a mask of zeros leaves it as it is."""
    data = json.dumps(wire).encode()
    sock.sendall(bytes((0x81, 0x80 | len(data))) + bytes(4) + data)


def handler(is_bybit: bool, tick: Callable[[], None], note: Callable[[int], None] | None) -> Callable[[bytes], None]:
    """Return what decodes a frame and calls back."""
    if is_bybit:
        decode_bybit = msgspec.json.Decoder(BybitFrame).decode

        def on_bybit(frame: bytes) -> None:
            for trade in decode_bybit(frame).data:
                tick() if note is None else note(int(trade.i))

        return on_bybit
    decode = msgspec.json.Decoder(Frame).decode
    if note is not None:
        return lambda frame: note(decode(frame).data.t)

    def on_frame(frame: bytes) -> None:
        decode(frame)
        tick()

    return on_frame


def main() -> None:
    """Read until all has come."""
    options = meter.arguments()
    measured = meter.Meter(options)
    is_bybit = options.exchange == "bybit"
    sock, rest = connect(options.port, "/v5/public/spot" if is_bybit else "/stream?streams=btcusdt@trade")
    if is_bybit:
        send(sock, {"op": "subscribe", "args": ["publicTrade.BTCUSDT"]})
    note = measured.clock() if options.paced else None
    handle = handler(is_bybit, measured.counter(), note)
    for frames in messages(sock, rest):
        for frame in frames:
            if frame.startswith((b'{"stream"', b'{"topic"')):
                handle(frame)
        if measured.count >= options.count:
            break
    measured.finish()


if __name__ == "__main__":
    main()
