"""What tests of stream connections need."""

from __future__ import annotations

import socket
import threading
from typing import Any

from exconn_sync._transport.frames import Frames
from exconn_sync._transport.waiting import Waiter
from exconn_sync._transport.wakeup import Wakeup
from exconn_sync._transport.websocket import StreamSocket
from tests.unit.support import LIMIT
from tests.unit.transport.peers import (
    Script,
    upgrade,
    wait_for_end,
)


def connect(
    port: int, wakeup: Wakeup, *, scheme: str = "ws", stop: threading.Event | None = None, **more: Any
) -> StreamSocket:
    options: dict[str, Any] = {"connect_timeout": LIMIT, "write_timeout": LIMIT, "max_message_bytes": 1 << 20, **more}
    is_stopped = (stop or threading.Event()).is_set
    return StreamSocket.connect(f"{scheme}://127.0.0.1:{port}/ws", wakeup, is_stopped, **options)


def read(stream: StreamSocket) -> Frames:
    made = Wakeup()
    try:
        with Waiter(made) as waiter:
            waiter.add(stream)
            while True:
                assert waiter.wait(LIMIT) == [stream]
                frames = stream.read()
                if frames is not None:
                    return frames
    finally:
        made.close()


def read_on(stream: StreamSocket) -> None:
    """Read until something ends it."""
    while True:
        read(stream)


def serving(*data: bytes) -> Script:
    """Return a script that sends this after the handshake and then listens."""

    def script(sock: socket.socket) -> None:
        upgrade(sock)
        sock.sendall(b"".join(data))
        wait_for_end(sock)

    return script
