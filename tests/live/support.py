"""A session between a server that the test plays itself and a feed that notes what it is told."""

from __future__ import annotations

import contextlib
import queue
import random
import socket
import threading
from collections.abc import Callable, Iterator
from functools import partial
from types import TracebackType
from typing import Any

from exconn_sync import Config, ConnectionEvent
from exconn_sync._live.connection_reporter import ConnectionReporter
from exconn_sync._live.dialler import Dialler
from exconn_sync._live.link import Link
from exconn_sync._live.pipeline import Pipeline
from exconn_sync._live.session_parts import SessionParts
from exconn_sync._live.socket_session import SocketSession
from exconn_sync._machines.deadline import Deadline
from exconn_sync._runtime.bus import Bus
from exconn_sync._runtime.executor import Executor, Priority
from exconn_sync._runtime.mailbox import Mailbox
from exconn_sync._runtime.stop_signal import StopSignal
from exconn_sync._runtime.subscription import PullSubscription
from exconn_sync._runtime.worker import Worker, WorkerExit, WorkerRun
from exconn_sync._transport.network import NetworkParts
from exconn_sync.config.settings import Reconnect, Timeouts
from exconn_sync.errors import ExconnError
from exconn_sync.metrics import MemoryMetrics
from exconn_sync.model.events import ErrorEvent
from exconn_sync.ports.clock import SystemClock
from exconn_sync.ports.driver import StreamLimits
from tests.unit.support import LIMIT, until
from tests.unit.transport.peers import Peer, frame, read_frame, read_head, reset, upgrade

CLOSE, PING, PONG = 0x8, 0x9, 0xA

READY = b"ready"
"""A message with which a server makes the double of a handler established."""


class Conn:
    """The server's end of one connection; the test writes, a thread reads."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self.inbox: queue.Queue[tuple[int, bytes]] = queue.Queue()
        self.ended = threading.Event()

    def send(self, *frames: bytes) -> None:
        self.sock.sendall(b"".join(frames))

    def text(self, *payloads: bytes) -> None:
        self.send(*map(frame, payloads))

    def frame(self) -> tuple[int, bytes]:
        """Return the next frame of the client."""
        return self.inbox.get(timeout=LIMIT)

    def leave(self) -> None:
        """End the connection without a goodbye."""
        with contextlib.suppress(OSError):
            self.sock.shutdown(socket.SHUT_RDWR)

    def reset(self) -> None:
        """End the connection with a reset."""
        reset(self.sock)

    def read(self) -> None:
        try:
            while True:
                self.inbox.put(read_frame(self.sock))
        finally:
            self.ended.set()


class Server:
    """Upgrades connections and hands them to the test; ``answer`` is given instead of an upgrade where it is set."""

    def __init__(self) -> None:
        self.conns: queue.Queue[Conn] = queue.Queue()
        self.answer: Callable[[socket.socket], None] | None = None
        self.asked = threading.Semaphore(0)
        self.peer = Peer(self._serve)

    @property
    def url(self) -> str:
        return f"ws://127.0.0.1:{self.peer.port}/"

    def accept(self) -> Conn:
        return self.conns.get(timeout=LIMIT)

    def _serve(self, sock: socket.socket) -> None:
        if self.answer is not None:
            self.asked.release()
            self.answer(sock)
            return
        upgrade(sock)
        conn = Conn(sock)
        self.conns.put(conn)
        conn.read()

    def __enter__(self) -> Server:
        self.peer.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.peer.__exit__(kind, error, trace)


def refuse(sock: socket.socket) -> None:
    """Answer an upgrade with an error that may be over soon."""
    read_head(sock)
    sock.sendall(b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n")


class Handler:
    """Handler of one connection, by its number; established by the message READY."""

    def __init__(self, feed: FakeFeed, link: Link, number: int) -> None:
        self.feed = feed
        self.link = link
        self.number = number
        self.is_established = False

    def on_open(self) -> None:
        self.feed.said.put(f"open {self.number}")

    def on_messages(self, messages: list[bytes], received_at: int) -> bool:
        for message in messages:
            if message == READY:
                self.is_established = True
            else:
                self.feed.messages.put((self.number, message))
        return True

    def on_tick(self, now_ns: int) -> float | None:
        return None


class FakeFeed:
    """Notes what it is told, in words; the session's thread writes, the test reads."""

    def __init__(self, url: str) -> None:
        self._url = url
        self.said: queue.Queue[str] = queue.Queue()
        self.messages: queue.Queue[tuple[int, bytes]] = queue.Queue()
        self.lost: queue.Queue[ExconnError] = queue.Queue()
        self.handlers: list[Handler] = []
        self.is_switched = False
        self.lacks = ""

    def url(self) -> str:
        return self._url

    def handler(self, link: Link) -> Handler:
        made = Handler(self, link, len(self.handlers) + 1)
        self.handlers.append(made)
        return made

    def on_lost(self, error: ExconnError) -> None:
        self.lost.put(error)
        self.said.put("lost")

    def has_switched(self) -> bool:
        return self.is_switched

    def lacking(self) -> str:
        return self.lacks

    def replace(self) -> None:
        self.said.put("replace")

    def forget_successor(self) -> None:
        self.said.put("forget")


class Desk:
    """A session on a worker of its own, with what it tells."""

    def __init__(
        self,
        url: str,
        timeouts: Timeouts | None = None,
        make_feed: Callable[[SocketSession], Any] | None = None,
        **reconnect: float,
    ) -> None:
        clock, bus = SystemClock(), Bus()
        self.events: PullSubscription[ConnectionEvent] = listen(bus, "connection")
        self.errors: PullSubscription[ErrorEvent] = listen(bus, "error")
        self.metrics = MemoryMetrics()
        pipeline = Pipeline("binance", bus, clock, self.metrics)
        settings = Reconnect(**{"base": 0.02, "cap": 0.05, "settle": 0.02, **reconnect})  # type: ignore[arg-type]
        config = Config("binance", reconnect=settings, timeouts=timeouts or Timeouts())
        self.executor = Executor("test", 2, clock)
        limits = StreamLimits(topics_per_connection=1024, topics_per_request=200, requests_per_second=4)
        self.parts = SessionParts(
            config, clock, pipeline, random.Random(1), Dialler(config, limits, pipeline, NetworkParts()), 4,
            lambda stop: None, partial(self.executor.submit, priority=Priority.DIAL),
        )  # fmt: skip
        self.reporter = ConnectionReporter("market", settings.settle, pipeline, clock)
        self.feed = FakeFeed(url)
        self._make_feed = make_feed or (lambda session: self.feed)
        self.sessions: list[SocketSession] = []
        self.exits: queue.Queue[WorkerExit] = queue.Queue()
        self.worker = Worker("test-session", self._body, clock)

    def _body(self, run: WorkerRun) -> None:
        session = SocketSession(self.parts, self.reporter, run, self._make_feed)
        self.sessions.append(session)
        session.work()

    @property
    def session(self) -> SocketSession:
        until(lambda: self.sessions)
        return self.sessions[-1]

    def replace(self) -> None:
        """Have the connection replaced."""
        session = self.session
        session.post(lambda: session.demand_replacement("the test wants it"))

    def expect(self, *said: str) -> None:
        """Wait until the feed was told these things and nothing else."""
        assert [self.feed.said.get(timeout=LIMIT) for _ in said] == list(said)

    def down(self) -> ConnectionEvent:
        """Return the next loss that is told."""
        while True:
            event = self.events.get(LIMIT)
            if not event.is_up:
                return event

    def stop(self) -> None:
        self.worker.signal()
        assert self.worker.join(LIMIT)
        assert self.executor.stop(Deadline.after(self.parts.clock.monotonic_ns(), LIMIT))


def listen(bus: Bus, channel: str, exchange: str = "binance") -> PullSubscription[Any]:
    """Return a subscription of everything on a channel."""
    made: PullSubscription[Any] = PullSubscription(
        (channel, exchange, "*"), Mailbox(0, "drop_oldest"), lambda subscription: None
    )
    bus.add(made)
    return made


@contextlib.contextmanager
def working(desk: Desk) -> Iterator[Desk]:
    """Run the session of a desk for the length of a ``with`` block."""
    desk.worker.start(desk.exits.put)
    try:
        yield desk
    finally:
        desk.stop()


@contextlib.contextmanager
def connected(**reconnect: float) -> Iterator[tuple[Server, Desk, Conn]]:
    """Give a server, a desk whose session is connected to it, and that connection."""
    with Server() as server, working(Desk(server.url, None, None, **reconnect)) as desk:
        conn = server.accept()
        desk.expect("open 1")
        yield server, desk, conn


def counted(metrics: MemoryMetrics, name: str) -> int:
    """Return a counter, whatever its labels."""
    return sum(value for key, value in metrics.counts().items() if key.partition("{")[0] == name)


def stopped() -> StopSignal:
    """Return a stop that was asked for."""
    made = StopSignal()
    made.set()
    return made
