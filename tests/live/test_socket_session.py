"""One connection after another: probing, giving up, backing off, and answering pings, against real sockets."""

from __future__ import annotations

import queue
import random
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from exconn_sync import Config, ConnectionEvent
from exconn_sync._live.pipeline import Pipeline
from exconn_sync._live.socket_session import SocketSession
from exconn_sync._runtime.bus import Bus
from exconn_sync._runtime.mailbox import Mailbox
from exconn_sync._runtime.subscription import PullSubscription
from exconn_sync._runtime.worker import Worker
from exconn_sync.config.settings import Reconnect
from exconn_sync.errors import ExconnError
from exconn_sync.metrics import MemoryMetrics
from exconn_sync.ports.clock import SystemClock
from tests.unit.support import LIMIT
from tests.unit.transport.peers import Peer, frame, read_frame, upgrade, wait_for_end

PING, PONG, CLOSE = 0x9, 0xA, 0x8


class Handler:
    """Notes what it is told."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.messages: queue.Queue[bytes] = queue.Queue()
        self.lost: queue.Queue[ExconnError] = queue.Queue()
        self.opened = 0

    def url(self) -> str:
        return f"ws://127.0.0.1:{self.port}/"

    def on_open(self) -> None:
        self.opened += 1

    def on_messages(self, messages: list[bytes], received_at: int) -> bool:
        for message in messages:
            self.messages.put(message)
        return True

    def on_tick(self, now_ns: int) -> float | None:
        return None

    def on_lost(self, error: ExconnError) -> None:
        self.lost.put(error)


class Desk:
    """A session on a worker of its own, with what it tells."""

    def __init__(self, peer: Peer, **reconnect: float) -> None:
        settings = Reconnect(**{"base": 0.02, "cap": 0.05, "settle": 0.02, **reconnect})
        clock, bus = SystemClock(), Bus()
        self.events: PullSubscription[ConnectionEvent] = PullSubscription(
            ("connection", "binance", "*"), Mailbox(0, "drop_oldest"), lambda subscription: None
        )
        bus.add(self.events)
        self.handler = Handler(peer.port)
        pipeline = Pipeline("binance", bus, clock, MemoryMetrics())
        config = Config("binance", reconnect=settings)
        self.session = SocketSession(
            "market", config, self.handler, clock, pipeline, random.Random(1), lambda stop: None
        )
        self.worker = Worker("test-session", self.session.body, clock)


@contextmanager
def connected(script: Callable[[socket.socket], None], **reconnect: float) -> Iterator[Desk]:
    with Peer(script) as peer:
        desk = Desk(peer, **reconnect)
        desk.worker.start(lambda ended: None)
        try:
            yield desk
        finally:
            desk.worker.signal()
            assert desk.worker.join(LIMIT)


def test_of_many_pings_only_the_newest_is_answered() -> None:
    answers: queue.Queue[tuple[int, bytes]] = queue.Queue()

    def script(sock: socket.socket) -> None:
        upgrade(sock)
        sock.sendall(frame(b"1", PING) + frame(b"2", PING) + frame(b"3", PING) + frame(b"data"))
        answers.put(read_frame(sock))
        sock.sendall(frame(b"4", PING))
        answers.put(read_frame(sock))
        wait_for_end(sock)

    with connected(script) as desk:
        assert desk.handler.messages.get(timeout=LIMIT) == b"data"
        assert [answers.get(timeout=LIMIT) for _ in range(2)] == [(PONG, b"3"), (PONG, b"4")]


def test_a_silent_connection_is_probed_once_and_then_given_up() -> None:
    seen: queue.Queue[int] = queue.Queue()

    def script(sock: socket.socket) -> None:
        upgrade(sock)
        while True:
            seen.put(read_frame(sock)[0])

    with connected(script, idle_timeout=0.4) as desk:
        assert desk.events.get(LIMIT).is_up
        down = desk.events.get(LIMIT)
        assert (down.is_up, down.reason) == (False, "no byte for 0.4 s")
        assert [seen.get(timeout=LIMIT) for _ in range(2)] == [PING, CLOSE]
        assert desk.events.get(LIMIT).is_up, "a new connection is made"


def test_an_answered_probe_keeps_a_quiet_connection() -> None:
    probes: queue.Queue[int] = queue.Queue()

    def script(sock: socket.socket) -> None:
        upgrade(sock)
        while True:
            opcode, payload = read_frame(sock)
            probes.put(opcode)
            if opcode == PING:
                sock.sendall(frame(payload, PONG))

    with connected(script, idle_timeout=0.4) as desk:
        assert desk.events.get(LIMIT).is_up
        assert [probes.get(timeout=LIMIT) for _ in range(4)] == [PING] * 4
        assert desk.events.pending == 0
        assert desk.handler.opened == 1


def test_connections_that_prove_nothing_let_the_pauses_grow() -> None:
    def script(sock: socket.socket) -> None:
        upgrade(sock)

    with connected(script) as desk:
        attempts: list[int] = []
        while len(attempts) < 5:
            event = desk.events.get(LIMIT)
            if not event.is_up:
                attempts.append(event.attempt)
                assert 0 <= event.retry_in <= 0.05
        assert attempts == [1, 2, 3, 4, 5]


def test_a_connection_that_proved_itself_starts_the_count_anew() -> None:
    def script(sock: socket.socket) -> None:
        upgrade(sock)
        sock.sendall(frame(b"first"))
        read_frame(sock)
        sock.sendall(frame(b"second"))

    with connected(script, idle_timeout=0.2) as desk:
        downs: list[int] = []
        while len(downs) < 3:
            event = desk.events.get(LIMIT)
            if not event.is_up:
                downs.append(event.attempt)
        # The probe comes after 0.1 s: by then the connection has settled, and the second message proves it.
        assert downs == [1, 1, 1]


@pytest.mark.parametrize("bad", [b"\x81\x80\x00\x00\x00\x00", b"\xf1\x00", b"\x83\x00"])
def test_a_violation_of_the_protocol_ends_the_connection_and_a_new_one_is_made(bad: bytes) -> None:
    def script(sock: socket.socket) -> None:
        upgrade(sock)
        sock.sendall(frame(b"good"))
        read_frame(sock)
        sock.sendall(bad)
        wait_for_end(sock)

    with connected(script, idle_timeout=0.2) as desk:
        for _ in range(2):
            assert desk.handler.messages.get(timeout=LIMIT) == b"good"
            assert desk.handler.lost.get(timeout=LIMIT).code == "protocol"


def test_work_left_by_other_threads_runs_on_the_sessions_thread() -> None:
    def script(sock: socket.socket) -> None:
        upgrade(sock)
        sock.sendall(frame(read_frame(sock)[1]))
        wait_for_end(sock)

    with connected(script) as desk:
        assert desk.events.get(LIMIT).is_up
        desk.session.post(lambda: desk.session.send(b"posted"))
        assert desk.handler.messages.get(timeout=LIMIT) == b"posted"
