"""Doubles for tests that move the clock by hand: a socket, and a link over it."""

from __future__ import annotations

from collections import deque
from typing import Any, cast

from exconn_sync import Config
from exconn_sync._live.flight_recorder import FlightRecorder
from exconn_sync._live.link import Link
from exconn_sync._transport.frames import CloseFrame, Frames
from exconn_sync._transport.websocket import StreamSocket
from exconn_sync.errors import ExconnError
from exconn_sync.ports.clock import Clock


class FakeSocket:
    """Gives what the test put there, a read at a time, and notes what was sent."""

    def __init__(self) -> None:
        self.reads: deque[Frames | ExconnError] = deque()
        self.texts: list[bytes] = []
        self.pings = 0
        self.pongs: list[bytes] = []
        self.is_partial = False
        self.error: ExconnError | None = None

    def brings(
        self, *messages: bytes, pings: tuple[bytes, ...] = (), pong: bool = False, close: CloseFrame | None = None
    ) -> None:
        """Have the next read bring something."""
        self.reads.append(Frames(list(messages), list(pings), [b""] if pong else [], close))

    def read(self) -> Frames | None:
        if not self.reads:
            return None
        found = self.reads.popleft()
        if isinstance(found, ExconnError):
            raise found
        return found

    def send_text(self, message: bytes) -> None:
        if self.error is not None:
            raise self.error
        self.texts.append(message)

    def send_ping(self, payload: bytes) -> None:
        self.pings += 1

    def send_pong(self, payload: bytes) -> None:
        self.pongs.append(payload)


class QuietHandler:
    """Has nothing to do, and notes what came."""

    is_established = True

    def __init__(self) -> None:
        self.messages: list[bytes] = []

    def on_open(self) -> None:
        pass

    def on_messages(self, messages: list[bytes], received_at: int) -> bool:
        self.messages += messages
        return True

    def on_tick(self, now_ns: int) -> float | None:
        return None


def link_over(
    socket: FakeSocket,
    clock: Clock,
    config: Config | None = None,
    handler: Any = None,
    ping_frame: bytes | None = None,
) -> Link:
    """Return a real link over a fake socket."""
    link = Link(cast(StreamSocket, socket), config or Config("binance"), 4, clock, FlightRecorder(clock), ping_frame)
    link.handler = handler or QuietHandler()
    return link
