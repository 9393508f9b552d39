"""One WebSocket connection seen from the server: an outbox with one writer, and ways to end it."""

import asyncio
import contextlib
import heapq
import itertools
import socket
import struct
import time
from collections import deque
from collections.abc import Iterator

from aiohttp import WSCloseCode, WSMessage, web
from aiohttp.abc import AbstractStreamWriter

MAX_WAITING_FRAMES = 20_000
"""A reader that lags behind by more frames than this is cut off, as an exchange does."""

_CLOSE_TIMEOUT_S = 1.0
_LINGER_ZERO = struct.pack("ii", 1, 0)
_SMALL_BUFFER = 4096


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

    def __init__(
        self, kind: str, request: web.BaseRequest, *, is_pinged: bool = True, domain: str | None = None
    ) -> None:
        self.kind = kind
        self.domain = domain or kind
        """With which others it shares the limit of attempts to connect."""
        self.is_pinged = is_pinged
        """Whether the venue pings this connection, and expects its answers."""
        self.remote = request.remote or ""
        self.opened_at = asyncio.get_running_loop().time()
        self.active_at = self.opened_at
        """When a message last went in either direction."""
        self.idle_limit_s: float | None = None
        """After how long without a message this connection ends, where the client has chosen."""
        self.cut_reason: str | None = None
        """Why the venue ended the connection, if it did."""
        self.lag_s = 0.0
        """By how much market and account events are late."""
        self.latency_s = 0.0
        """How long every message to the client is under way."""
        self._request = request
        # What is done about a close frame of the client is the hub's decision.
        self._socket = web.WebSocketResponse(autoping=False, autoclose=False, compress=False, timeout=_CLOSE_TIMEOUT_S)
        self._network: AbstractStreamWriter | None = None
        self._outbox: deque[str | Iterator[bytes]] = deque()
        self._bulk_waiting = 0
        self._under_way: deque[str] = deque()
        self._late: list[tuple[float, int, str]] = []
        self._late_count = itertools.count()
        self._filled = asyncio.Event()
        self._drained = asyncio.Event()
        self._drained.set()
        self._closing: int | None = None
        # When each ping without an answer was sent, oldest first.
        self._unanswered: dict[bytes, float] = {}

    @property
    def response(self) -> web.WebSocketResponse:
        """What the server answers the request with."""
        return self._socket

    @property
    def is_open(self) -> bool:
        """Whether there still is a TCP connection."""
        transport = self._request.transport
        return transport is not None and not transport.is_closing()

    async def open(self) -> web.WebSocketResponse:
        """Finish the handshake."""
        self._network = await self._socket.prepare(self._request)
        return self._socket

    async def receive(self) -> WSMessage:
        """The next message, control frames included."""
        message = await self._socket.receive()
        self.active_at = asyncio.get_running_loop().time()
        return message

    def send(self, text: str) -> None:
        """Put a text frame into the outbox."""
        if len(self._outbox) >= MAX_WAITING_FRAMES and not self._bulk_waiting:
            self.cut("slow reader")
        elif self.latency_s:
            self._under_way.append(text)
            asyncio.get_running_loop().call_later(self.latency_s, self._arrive)
        else:
            self._put(text)

    def send_bulk(self, chunks: Iterator[bytes]) -> None:
        """Put bytes into the outbox that are written as they are, however slowly they are read."""
        self._bulk_waiting += 1
        self._put(chunks)

    def send_event(self, text: str) -> None:
        """Put the text frame of an event into the outbox, as late as this connection is behind."""
        if self.lag_s:
            self.send_late(text, time.monotonic())
        else:
            self.send(text)

    def send_late(self, text: str, happened_at: float) -> None:
        """Send the text frame of an event when it is due here; ``happened_at`` is monotonic."""
        due = happened_at + self.lag_s
        heapq.heappush(self._late, (due, next(self._late_count), text))
        asyncio.get_running_loop().call_later(max(0.0, due - time.monotonic()), self._send_oldest)

    def close(self, code: int = WSCloseCode.OK) -> None:
        """End the connection with a close frame once the outbox is written."""
        self._closing = code
        self._filled.set()

    def cut(self, reason: str, code: int | None = None) -> None:
        """End the connection as the venue does to those who break a rule: with a close frame, or with a reset."""
        self.cut_reason = self.cut_reason or reason
        if code is None:
            self.abort()
        else:
            self.close(code)

    def abort(self) -> None:
        """Reset the TCP connection."""
        self._outbox.clear()
        abort_transport(self._request.transport)

    async def answer_close(self) -> None:
        """Answer a close frame of the client and end the connection."""
        await self._socket.close(drain=False)

    def stop_reading(self) -> None:
        """Leave what the client sends in the network's buffers, which are small from now on."""
        transport = self._request.transport
        if transport is not None and not transport.is_closing():
            raw = transport.get_extra_info("socket")
            if raw is not None:
                raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _SMALL_BUFFER)
            transport.pause_reading()

    def go_on_reading(self) -> None:
        """End that."""
        transport = self._request.transport
        if transport is not None and not transport.is_closing():
            transport.resume_reading()

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

    def _put(self, item: str | Iterator[bytes]) -> None:
        self._outbox.append(item)
        self.active_at = asyncio.get_running_loop().time()
        self._drained.clear()
        self._filled.set()

    def _arrive(self) -> None:
        # One call for each message, in whichever order: the oldest is always first.
        self._put(self._under_way.popleft())

    def _send_oldest(self) -> None:
        if self._late:
            self.send(heapq.heappop(self._late)[2])

    async def _write_waiting(self) -> bool:
        while self._outbox:
            item = self._outbox.popleft()
            if isinstance(item, str):
                await self._socket.send_str(item)
            else:
                await self._write_bulk(item)
        self._drained.set()
        if self._closing is None:
            return True
        await self._socket.close(code=self._closing, drain=False)
        return False

    async def _write_bulk(self, chunks: Iterator[bytes]) -> None:
        try:
            for chunk in chunks:
                transport = self._request.transport
                if transport is None or transport.is_closing() or self._network is None:
                    raise ConnectionResetError("the connection is gone")
                transport.write(chunk)
                await self._network.drain()
                # A fast reader never makes the network full; others must get their turn all the same.
                await asyncio.sleep(0)
        finally:
            self._bulk_waiting -= 1

    async def send_now(self, text: str) -> None:
        """Send a frame past the outbox, waiting when the reader is slow."""
        await self._socket.send_str(text)

    async def ping(self, payload: bytes) -> None:
        """Send a ping frame."""
        self._unanswered.setdefault(payload, asyncio.get_running_loop().time())
        await self._socket.ping(payload)

    def ponged(self, payload: bytes) -> None:
        """Take a pong; it answers the ping of the same payload and all before it, and nothing where there is none."""
        if payload in self._unanswered:
            while next(iter(self._unanswered)) != payload:
                del self._unanswered[next(iter(self._unanswered))]
            del self._unanswered[payload]

    def forgive_pings(self) -> None:
        """Wait for no pong any more."""
        self._unanswered.clear()

    def waits_for_pong(self, now: float) -> float:
        """For how many seconds the oldest unanswered ping has been waiting, 0 for none."""
        return now - next(iter(self._unanswered.values()), now)

    async def pong(self, payload: bytes) -> None:
        """Answer a ping of the client."""
        await self._socket.pong(payload)
