"""How a session of a stream ends: on a stop, on being abandoned, and what it then still touches (fault F144)."""

from __future__ import annotations

import contextlib
import queue
import socket
import threading
from types import SimpleNamespace

import pytest

from exconn_sync import Config
from exconn_sync._live.dialler import Dialler
from exconn_sync._live.pipeline import Pipeline
from exconn_sync._live.retry_delay import delay_after
from exconn_sync._runtime.bus import Bus
from exconn_sync._runtime.faultpoints import installed
from exconn_sync._runtime.worker import Worker, WorkerExit, WorkerRun
from exconn_sync._transport.network import NetworkParts
from exconn_sync.config.settings import Timeouts
from exconn_sync.errors import AuthenticationError, ConnectionFailed, ConnectorStopped
from exconn_sync.metrics import MemoryMetrics
from exconn_sync.ports.clock import SystemClock
from exconn_sync.ports.driver import StreamLimits
from tests.live.support import Desk, Server, connected, refuse, working
from tests.unit.support import LIMIT, until
from tests.unit.transport.peers import wait_for_end


def test_what_a_hung_life_may_hang_on_is_cut_when_it_is_abandoned() -> None:
    """Both connections: its thread may be writing on either (fault F144)."""
    armed, held, go_on = threading.Event(), threading.Event(), threading.Event()

    def hang() -> None:
        if armed.is_set() and not held.is_set():
            held.set()
            go_on.wait(2 * LIMIT)

    with installed("stream.after_read", hang), connected() as (server, desk, first):
        try:
            desk.replace()
            second = server.accept()
            desk.expect("open 2")
            armed.set()
            desk.session.look_soon()
            assert held.wait(LIMIT)
            thread = desk.worker.abandon()
            assert thread is not None
            assert first.ended.wait(LIMIT)
            assert second.ended.wait(LIMIT)
        finally:
            go_on.set()
        thread.join(LIMIT)
        assert desk.feed.lost.empty()


def test_a_stop_ends_a_session_that_waits_for_a_distant_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    """A stop wakes it: it does not sit out its wait."""
    monkeypatch.setattr("exconn_sync._live.socket_session._LONGEST_WAIT", 1000.0)
    monkeypatch.setattr("exconn_sync._live.link._LONGEST_LOOK", 1000.0)
    with connected(idle_timeout=1000.0) as (_, desk, _):
        session = desk.session
        # Nothing is due any more once the connection has settled.
        until(lambda: session._look_ns - desk.parts.clock.monotonic_ns() > 100_000_000_000)
        desk.worker.signal()
        assert desk.exits.get(timeout=LIMIT).error is None


def test_a_demand_is_met_at_once_by_a_session_that_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """The next look is not waited for (fault F045)."""
    monkeypatch.setattr("exconn_sync._live.socket_session._LONGEST_WAIT", 1000.0)
    monkeypatch.setattr("exconn_sync._live.link._LONGEST_LOOK", 1000.0)
    with connected(idle_timeout=1000.0) as (server, desk, first):
        session, handler = desk.session, desk.feed.handlers[0]
        until(lambda: session._look_ns - desk.parts.clock.monotonic_ns() > 100_000_000_000)

        def on_messages(messages: list[bytes], received_at: int) -> bool:
            session.demand_replacement("the exchange announced its end")
            return True

        monkeypatch.setattr(handler, "on_messages", on_messages)
        first.text(b"the end is near")
        server.accept()


def test_the_loss_of_a_connection_ends_the_dialling_of_its_successor() -> None:
    """It would stand beside a connection that is just as new, and hold up whoever stops meanwhile."""
    given_up = threading.Event()

    def hang(sock: socket.socket) -> None:
        wait_for_end(sock)
        given_up.set()

    with Server() as server, working(Desk(server.url, Timeouts(connect=100.0))) as desk:
        first = server.accept()
        desk.expect("open 1")
        server.answer = hang
        desk.replace()
        assert server.asked.acquire(timeout=LIMIT)
        server.answer = None
        first.leave()
        desk.expect("lost")
        assert given_up.wait(LIMIT)


def test_a_dial_that_fails_after_its_life_was_given_up_is_nobodys_loss() -> None:
    """Another life may have a connection by then (fault F144)."""
    go_on = threading.Event()

    def answer(sock: socket.socket) -> None:
        go_on.wait(LIMIT)
        refuse(sock)

    with Server() as server:
        server.answer = answer
        with working(Desk(server.url)) as desk:
            assert server.asked.acquire(timeout=LIMIT)
            desk.worker.retire()
            go_on.set()
            assert desk.exits.get(timeout=LIMIT).error is None
            assert desk.feed.lost.empty()
            assert desk.events.pending == 0
            assert not [each for each in desk.reporter.recorder.trail() if each.what.startswith("lost")]


def test_a_successor_that_cannot_begin_leaves_the_primary_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever it raises, also what no connection failed of (fault F044)."""
    with connected() as (server, desk, first):
        assert desk.events.get(LIMIT).is_up
        make = desk.feed.handler

        def refuse_to_open() -> None:
            raise AuthenticationError("cannot sign in")

        def handler(link: object) -> object:
            made = make(link)  # type: ignore[arg-type]
            monkeypatch.setattr(made, "on_open", refuse_to_open)
            return made

        monkeypatch.setattr(desk.feed, "handler", handler)
        desk.replace()
        second = server.accept()
        desk.expect("forget")
        assert second.ended.wait(LIMIT)
        first.text(b"on and on")
        assert desk.feed.messages.get(timeout=LIMIT) == (1, b"on and on")
        assert desk.feed.lost.empty()
        assert desk.events.pending == 0


def test_data_and_pauses_are_seen_by_the_supervisor(monkeypatch: pytest.MonkeyPatch) -> None:
    """What came is noted, and a long pause is announced, so that nobody takes it for a hang (fault F144)."""
    with connected(base=100, cap=100) as (_, desk, first):
        run = desk.worker.run
        assert run is not None
        assert run.last_data_ns is None
        first.text(b"data")
        desk.feed.messages.get(timeout=LIMIT)
        until(lambda: run.last_data_ns is not None)
        monkeypatch.setattr("exconn_sync._live.socket_session.delay_after", lambda *_: 100.0)
        first.leave()
        assert desk.down().retry_in == 100.0
        until(lambda: run.promise_ns - desk.parts.clock.monotonic_ns() > 90_000_000_000)


def test_a_pause_that_the_exchange_asks_for_shortens_none() -> None:
    """Whoever has failed often waits for longer than was asked for (fault F020)."""
    asked = ConnectionFailed("refused", details={"retry_after": 2})
    assert (delay_after(asked, 5.0, 60.0), delay_after(asked, 1.0, 60.0)) == (5.0, 2.0)


def test_a_wait_for_the_budget_of_attempts_is_announced(monkeypatch: pytest.MonkeyPatch) -> None:
    """It may last for minutes, and nobody takes it for a hang (faults F019, F144)."""
    clock = SystemClock()
    config, bus = Config("binance"), Bus()
    pipeline = Pipeline("binance", bus, clock, MemoryMetrics())
    limits = StreamLimits(topics_per_connection=1024, topics_per_request=200, requests_per_second=4)
    dialler = Dialler(config, limits, pipeline, NetworkParts())
    taken = SimpleNamespace(take=lambda now_ms: 1000.0, is_held=lambda now_ms: False)
    monkeypatch.setattr("exconn_sync._live.dialler.connect_budget", lambda *_: taken)

    def body(run: WorkerRun) -> None:
        with contextlib.suppress(ConnectorStopped):
            dialler.dial("ws://127.0.0.1:1/", run.stop)

    worker, exits = Worker("test-dial", body, clock), queue.SimpleQueue[WorkerExit]()
    worker.start(exits.put)
    run = worker.run
    assert run is not None
    try:
        until(lambda: run.promise_ns - clock.monotonic_ns() > 900_000_000_000)
    finally:
        worker.signal()
        assert worker.join(LIMIT)
    assert exits.get(timeout=LIMIT).error is None


def test_the_time_that_dialling_may_take_is_announced() -> None:
    """A server that takes the connection and says nothing makes no hang of it (faults F002, F144)."""
    with Server() as server:
        server.answer = wait_for_end
        desk = Desk(server.url, Timeouts(connect=100.0))
        with working(desk):
            assert server.asked.acquire(timeout=LIMIT)
            run = desk.worker.run
            assert run is not None
            assert run.promise_ns - desk.parts.clock.monotonic_ns() > 100_000_000_000


@pytest.mark.parametrize("end", ["loss", "crash", "unready successor"])
def test_whoever_hears_of_a_loss_finds_the_connection_closed(end: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """``is_connected`` agrees with each event in the moment when it is told, whatever the reason (fault F001)."""
    with connected() as (server, desk, first):
        assert desk.events.get(LIMIT).is_up
        told: list[tuple[bool, bool]] = []
        session, feed, changed = desk.session, desk.feed, desk.parts.pipeline.connection_changed

        def tell(name: str, *, is_up: bool) -> None:
            told.append((is_up, session.is_open))
            changed(name, is_up=is_up)

        def hear(error: object) -> None:
            told.append((False, session.is_open))
            feed.said.put("lost")

        def crash(messages: list[bytes], received_at: int) -> bool:
            raise RuntimeError("a defect")

        monkeypatch.setattr(desk.parts.pipeline, "connection_changed", tell)
        monkeypatch.setattr(feed, "on_lost", hear)
        if end == "crash":
            monkeypatch.setattr(feed.handlers[0], "on_messages", crash)
            first.text(b"data")
            assert desk.exits.get(timeout=LIMIT).error is not None
        else:
            if end == "unready successor":
                desk.replace()
                server.accept()
                desk.expect("open 2")
            first.leave()
            desk.expect("lost", "open 2" if end == "loss" else "replace")
        until(lambda: len(told) == (2 if end == "crash" else 3))
        assert told == [(False, False), (False, False), (True, True)][: len(told)]
