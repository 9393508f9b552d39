"""A TCP relay on the loopback device that treats bytes as badly as a test wants.

``with Relay(target_port) as relay:`` listens on ``relay.port`` and passes everything on to the target and back. It
knows no protocol: TLS and WebSocket pass through it unseen. ``relay.upstream`` (client to server) and
``relay.downstream`` (server to client) can each be stalled, slowed, delayed and chopped, for living and for new
connections. Every method may be called on any thread and returns when it has taken effect.
"""

from __future__ import annotations

import contextlib
import select
import socket
import struct
import threading
import time
from collections import deque
from collections.abc import Callable
from types import TracebackType
from typing import Any, Literal

How = Literal["reset", "eof"]
"""How a connection ends: at once and rudely, or with the end of the data as if the peer had closed it."""

_CHUNK = 65_536
_WAITING_LIMIT = 1 << 20
_JOIN_S = 5.0
_LINGER_ZERO = struct.pack("ii", 1, 0)


class Direction:
    """How bytes travel one way. When a method returns, no byte travels in the old way any more."""

    def __init__(self, settle: Callable[[], None]) -> None:
        self._settle = settle
        self.stalled = False
        self.bytes_per_second: float | None = None
        self.piece: int | None = None
        self.gap_s = 0.0
        self.late_s = 0.0

    def stall(self) -> None:
        """Pass nothing on; what comes waits, in the network's buffers when ours are full (fault F010)."""
        self.stalled = True
        self._settle()

    def resume(self) -> None:
        """Pass on what waits and what comes."""
        self.stalled = False
        self._settle()

    def rate(self, bytes_per_second: float | None) -> None:
        """Pass on so much a second at most (fault F011); None for as fast as it goes."""
        self.bytes_per_second = bytes_per_second
        self._settle()

    def chop(self, size: int | None, gap_s: float = 0.0) -> None:
        """Pass everything on in pieces of that size (fault F013); None ends it.

        A receiver that is slower than the relay finds several pieces at once; with a gap of a millisecond between them
        it hardly ever does.
        """
        self.piece, self.gap_s = size, gap_s
        self._settle()

    def delay(self, seconds: float) -> None:
        """Pass on what comes from now on so much later, in order."""
        self.late_s = seconds
        self._settle()


class Wake:
    """Wakes the relay's thread."""

    def __init__(self) -> None:
        self._receiver, self._sender = socket.socketpair()
        self._receiver.setblocking(False)
        self._sender.setblocking(False)

    def up(self) -> None:
        """Wake it; a full pipe means that it is awake already, a closed one that it is gone."""
        with contextlib.suppress(OSError):
            self._sender.send(b"!")

    def fileno(self) -> int:
        """What to wait on."""
        return self._receiver.fileno()

    def clear(self) -> None:
        """Sleep is possible again."""
        with contextlib.suppress(BlockingIOError):
            self._receiver.recv(_CHUNK)

    def close(self) -> None:
        """Release both ends."""
        self._receiver.close()
        self._sender.close()


class _Flow:
    """One way of one connection: what was read and not yet written, with the time at which it is due."""

    def __init__(self, source: socket.socket, sink: socket.socket, way: Direction, budget: int | None) -> None:
        self.source = source
        self.sink = sink
        self.way = way
        self.budget = budget
        self.has_ended = False
        self.has_told_end = False
        self._waiting: deque[tuple[float, bytes]] = deque()
        self._size = 0
        self._last_write: tuple[float, int, float | None] = (0.0, 0, None)

    @property
    def wants_to_read(self) -> bool:
        return not self.has_ended and not self.way.stalled and self._size < _WAITING_LIMIT

    def wants_to_write(self, now: float) -> bool:
        due = self.due()
        return due is not None and due <= now

    @property
    def is_dry(self) -> bool:
        return self.has_ended and not self._waiting

    def due(self) -> float | None:
        """When something can be written, if anything waits for a time rather than for a resume."""
        if not self._waiting or self.way.stalled:
            return None
        at, size, rate = self._last_write
        # A pause that another rate asked for is over.
        pause_s = size / rate if rate is not None and rate == self.way.bytes_per_second else 0.0
        return max(self._waiting[0][0], at + max(pause_s, self.way.gap_s))

    def read(self, now: float) -> None:
        data = self.source.recv(_CHUNK)
        if not data:
            self.has_ended = True
            return
        self._waiting.append((now + self.way.late_s, data))
        self._size += len(data)

    def write(self, now: float) -> None:
        due, data = self._waiting.popleft()
        # Read once: another thread may change it in the middle.
        rate = self.way.bytes_per_second
        limits = [len(data), self._affordable(rate)]
        size = min(limits + [limit for limit in (self.way.piece, self.budget) if limit is not None])
        try:
            sent = self.sink.send(data[:size])
        except BlockingIOError:
            sent = 0
        if sent < len(data):
            self._waiting.appendleft((due, data[sent:]))
        self._size -= sent
        if sent:
            self._last_write = (now, sent, rate)
        if self.budget is not None:
            self.budget -= sent

    @staticmethod
    def _affordable(rate: float | None) -> int:
        # A twentieth of a second's worth at a time: smooth, and at least one byte.
        return _CHUNK if rate is None else max(1, int(rate / 20))


def _close(end: socket.socket, how: How) -> None:
    end.setblocking(False)
    if how == "reset":
        end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_ZERO)
    else:
        # Closing over unread data would be a reset.
        with contextlib.suppress(OSError):
            end.shutdown(socket.SHUT_WR)
            while end.recv(_CHUNK):
                continue
    end.close()


class _Pair:
    """One connection through the relay."""

    def __init__(self, client: socket.socket, server: socket.socket, relay: Relay, cut: tuple[int, How] | None) -> None:
        self.client = client
        self.server = server
        self.cut = cut
        for end in (client, server):
            end.setblocking(False)
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.up = _Flow(client, server, relay.upstream, None)
        self.down = _Flow(server, client, relay.downstream, None if cut is None else cut[0])

    @property
    def flows(self) -> tuple[_Flow, _Flow]:
        return self.up, self.down

    def end(self, how: How) -> None:
        for end in (self.client, self.server):
            _close(end, how)


class Relay:
    """Listens on ``port`` from its creation on; the thread runs inside the ``with`` block."""

    def __init__(self, target_port: int, target_host: str = "127.0.0.1") -> None:
        self._target = (target_host, target_port)
        self._wake = Wake()
        self.upstream = Direction(self._settle)
        self.downstream = Direction(self._settle)
        self.connections = 0
        """How many connections were accepted so far, swallowed ones included."""
        self._listener: socket.socket | None = self._bind(0)
        self._listener.listen()
        self.port: int = self._listener.getsockname()[1]
        self._parked: socket.socket | None = None
        self._swallowing = False
        self._swallowed: list[socket.socket] = []
        self._pairs: list[_Pair] = []
        self._cuts: deque[tuple[int, How]] = deque()
        self._orders: deque[tuple[threading.Event, str, How]] = deque()
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name=f"relay-{self.port}", daemon=True)

    def __enter__(self) -> Relay:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopping = True
        self._wake.up()
        self._thread.join(_JOIN_S)
        if self._thread.is_alive():
            raise TimeoutError("the relay did not stop")
        self._wake.close()

    @property
    def living(self) -> int:
        """How many connections pass through it now."""
        return len(self._pairs)

    def cut_after(self, count: int, how: How = "reset") -> None:
        """End the next connection when the client was sent that many bytes; called twice, the one after it too.

        With 0 it ends as soon as it is accepted.
        """
        self._cuts.append((count, how))

    def cut_all(self, how: How = "reset") -> None:
        """End every connection, swallowed ones too; returns when that has happened."""
        self._order("cut", how)

    def refuse(self) -> None:
        """Close the port: new connections are refused. The living ones stay."""
        self._order("refuse")

    def swallow(self) -> None:
        """Accept new connections from now on and never say a word; they stay so until they are cut."""
        self._swallowing = True
        self._settle()

    def accept(self) -> None:
        """End ``refuse`` and ``swallow``: serve new connections on the same port."""
        self._swallowing = False
        self._order("accept")

    def _settle(self) -> None:
        self._order("notice")

    def _order(self, what: str, how: How = "reset") -> None:
        done = threading.Event()
        self._orders.append((done, what, how))
        if not self._thread.is_alive():
            self._obey()
            return
        self._wake.up()
        if not done.wait(_JOIN_S):
            raise TimeoutError(f"the relay did not {what}")

    def _bind(self, port: int) -> socket.socket:
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", port))
        listener.setblocking(False)
        return listener

    def _run(self) -> None:
        try:
            while not self._stopping:
                self._obey()
                self._turn()
        finally:
            self._cut_all("reset")
            for left in (self._listener, self._parked):
                if left is not None:
                    left.close()

    def _obey(self) -> None:
        while self._orders:
            done, what, how = self._orders.popleft()
            if what == "cut":
                self._cut_all(how)
            elif what == "refuse" and self._listener is not None:
                self._listener.close()
                # Bound but not listening: refused, and nobody else gets the number.
                self._listener, self._parked = None, self._bind(self.port)
            elif what == "accept" and self._parked is not None:
                self._listener, self._parked = self._parked, None
                self._listener.listen()
            done.set()

    def _cut_all(self, how: How) -> None:
        pairs, self._pairs = self._pairs, []
        for pair in pairs:
            pair.end(how)
        swallowed, self._swallowed = self._swallowed, []
        for one in swallowed:
            _close(one, how)

    def _turn(self) -> None:
        """Wait until something can be done, and do it."""
        now = time.monotonic()
        flows = [flow for pair in self._pairs for flow in pair.flows]
        readers = [flow.source for flow in flows if flow.wants_to_read]
        writers = [flow.sink for flow in flows if flow.wants_to_write(now)]
        listeners = [] if self._listener is None else [self._listener]
        dues = [due - now for flow in flows if (due := flow.due()) is not None and due > now]
        wait_s = min(dues, default=None)
        waiting: list[Any] = [self._wake, *listeners, *readers]
        readable, writable, _ = select.select(waiting, writers, [], wait_s)
        if self._wake in readable:
            self._wake.clear()
        if self._listener is not None and self._listener in readable:
            self._connect(self._listener)
        for pair in list(self._pairs):
            self._move(pair, readable, writable)

    def _connect(self, listener: socket.socket) -> None:
        try:
            client, _ = listener.accept()
        except BlockingIOError:
            # It left before it was accepted.
            return
        self.connections += 1
        if self._swallowing:
            self._swallowed.append(client)
            return
        try:
            server = socket.create_connection(self._target, _JOIN_S)
        except OSError:
            client.close()
            return
        pair = _Pair(client, server, self, self._cuts.popleft() if self._cuts else None)
        self._pairs.append(pair)

    def _move(self, pair: _Pair, readable: list[Any], writable: list[socket.socket]) -> None:
        now = time.monotonic()
        try:
            for flow in pair.flows:
                if flow.source in readable and flow.wants_to_read:
                    flow.read(now)
                if flow.sink in writable and flow.wants_to_write(now) and flow.budget != 0:
                    flow.write(now)
                if flow.is_dry and not flow.has_told_end:
                    flow.has_told_end = True
                    flow.sink.shutdown(socket.SHUT_WR)
        except OSError:
            # One side is gone; the other learns it in the same way.
            self._end(pair, "reset")
            return
        if pair.cut is not None and pair.down.budget == 0:
            self._end(pair, pair.cut[1])
        elif pair.up.has_told_end and pair.down.has_told_end:
            self._end(pair, "eof")

    def _end(self, pair: _Pair, how: How) -> None:
        self._pairs.remove(pair)
        pair.end(how)
