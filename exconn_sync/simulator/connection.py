"""One WebSocket connection seen from the server: an outbox with one writer, and ways to end it."""

import asyncio
import contextlib
import socket
import struct
from collections import deque

from aiohttp import WSCloseCode, WSMessage, web

MAX_WAITING_FRAMES = 20_000
"""A reader that lags behind by more frames than this is cut off, as an exchange does."""

_CLOSE_TIMEOUT_S = 1.0
_LINGER_ZERO = struct.pack("ii", 1, 0)


def abort_transport(transport: asyncio.BaseTransport | None) -> None:
    """Break a TCP connection with a reset instead of a goodbye."""
    if not isinstance(transport, asyncio.Transport) or transport.is_closing():
        return
    raw = transport.get_extra_info("socket")
    if raw is not None:
        with contextlib.suppress(OSError):
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_ZERO)
    transport.abort()


class Connection:
    """A WebSocket with an outbox. ``send`` never waits; one task writes in order."""

    def __init__(self, kind: str, request: web.BaseRequest) -> None:
        self.kind = kind
        self.remote = request.remote or ""
        self.last_pong = asyncio.get_running_loop().time()
        self._request = request
        self._socket = web.WebSocketResponse(autoping=False, compress=False, timeout=_CLOSE_TIMEOUT_S)
        self._outbox: deque[str] = deque()
        self._filled = asyncio.Event()
        self._drained = asyncio.Event()
        self._drained.set()
        self._closing: int | None = None

    @property
    def response(self) -> web.WebSocketResponse:
        """What the server answers the request with."""
        return self._socket

    async def open(self) -> web.WebSocketResponse:
        """Finish the handshake."""
        await self._socket.prepare(self._request)
        return self._socket

    async def receive(self) -> WSMessage:
        """The next message, control frames included."""
        return await self._socket.receive()

    def send(self, text: str) -> None:
        """Put a text frame into the outbox."""
        if len(self._outbox) >= MAX_WAITING_FRAMES:
            self.abort()
            return
        self._outbox.append(text)
        self._drained.clear()
        self._filled.set()

    def close(self, code: int = WSCloseCode.OK) -> None:
        """End the connection with a close frame once the outbox is written."""
        self._closing = code
        self._filled.set()

    def abort(self) -> None:
        """Reset the TCP connection."""
        self._outbox.clear()
        abort_transport(self._request.transport)

    async def drained(self) -> None:
        """Wait until everything put into the outbox so far was handed to the network."""
        await self._drained.wait()

    async def write(self) -> None:
        """Write the outbox until the connection ends."""
        try:
            while not self._socket.closed and await self._write_waiting():
                self._filled.clear()
                await self._filled.wait()
        finally:
            # Whoever waits for the outbox must not wait for ever.
            self._drained.set()

    async def _write_waiting(self) -> bool:
        while self._outbox:
            await self._socket.send_str(self._outbox.popleft())
        self._drained.set()
        if self._closing is None:
            return True
        await self._socket.close(code=self._closing, drain=False)
        return False

    async def send_now(self, text: str) -> None:
        """Send a frame past the outbox, waiting when the reader is slow."""
        await self._socket.send_str(text)

    async def ping(self, payload: bytes) -> None:
        """Send a ping frame."""
        await self._socket.ping(payload)

    async def pong(self, payload: bytes) -> None:
        """Answer a ping of the client."""
        await self._socket.pong(payload)
