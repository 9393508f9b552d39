"""Make before break: a connection is replaced while it is read, and a failure harms nothing (faults F044, F045)."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable

import pytest

from exconn_sync._runtime.faultpoints import installed
from exconn_sync.errors import AuthenticationError, ConnectionFailed
from tests.live.support import READY, Conn, Desk, Server, connected, counted, refuse, working
from tests.unit.support import LIMIT, until
from tests.unit.transport.peers import frame, wait_for_end


def begin(server: Server, desk: Desk) -> Conn:
    """Have the connection replaced; return the successor, which is not established yet."""
    desk.replace()
    conn = server.accept()
    desk.expect("open 2")
    return conn


def test_the_primary_is_read_until_its_successor_has_taken_over() -> None:
    """Nothing is told to anybody but a counter (fault F044)."""
    with connected() as (server, desk, first):
        assert desk.events.get(LIMIT).is_up
        second = begin(server, desk)
        first.text(b"old")
        assert desk.feed.messages.get(timeout=LIMIT) == (1, b"old")
        second.text(b"early", READY)
        assert desk.feed.messages.get(timeout=LIMIT) == (2, b"early")
        first.text(b"still")
        assert desk.feed.messages.get(timeout=LIMIT) == (1, b"still")
        assert not first.ended.is_set()
        desk.feed.is_switched = True
        desk.expect("replace")
        assert first.ended.wait(LIMIT)
        second.text(b"new")
        assert desk.feed.messages.get(timeout=LIMIT) == (2, b"new")
        assert desk.session.is_open
        assert desk.events.pending == 0
        assert counted(desk.metrics, "connection.replaced") == 1
    assert second.ended.wait(LIMIT)


def test_a_connection_is_replaced_by_its_age() -> None:
    """Again and again, each time without a loss (fault F044)."""
    with connected(rotate_after=0.1) as (server, desk, first):
        desk.feed.is_switched = True
        for number in range(2, 5):
            conn = server.accept()
            conn.text(READY)
            desk.expect(f"open {number}", "replace")
        assert desk.feed.lost.empty()
        assert first.ended.wait(LIMIT)


@pytest.mark.parametrize("answer", [refuse, wait_for_end])
def test_a_successor_that_cannot_be_had_leaves_the_primary_alone(answer: Callable[[socket.socket], None]) -> None:
    """It is tried again later; subscribers are not bothered (fault F044)."""
    with connected() as (server, desk, first):
        assert desk.events.get(LIMIT).is_up
        server.answer = answer
        desk.replace()
        assert server.asked.acquire(timeout=LIMIT)
        first.text(b"meanwhile")
        assert desk.feed.messages.get(timeout=LIMIT) == (1, b"meanwhile")
        if answer is refuse:
            until(lambda: counted(desk.metrics, "connection.replacement_failed"))
            # Another demand does not undo the pause.
            desk.replace()
            first.text(b"after")
            assert desk.feed.messages.get(timeout=LIMIT) == (1, b"after")
        assert desk.feed.said.empty()
        assert desk.events.pending == 0
        assert server.conns.empty()


@pytest.mark.parametrize("is_ready", [True, False])
def test_a_successor_that_is_lost_leaves_the_primary_alone(is_ready: bool) -> None:
    """Whether it was established or not (fault F044)."""
    with connected() as (server, desk, first):
        assert desk.events.get(LIMIT).is_up
        second = begin(server, desk)
        if is_ready:
            second.text(READY)
            until(lambda: desk.feed.handlers[1].is_established)
        second.leave()
        desk.expect("forget")
        first.text(b"on and on")
        assert desk.feed.messages.get(timeout=LIMIT) == (1, b"on and on")
        assert desk.events.pending == 0
        assert desk.feed.lost.empty()


def test_a_successor_that_violates_the_protocol_leaves_the_primary_alone() -> None:
    """An error of the one is no error of the other (fault F031)."""
    with connected() as (server, desk, first):
        begin(server, desk).send(b"\x83\x00")
        desk.expect("forget")
        first.text(b"unharmed")
        assert desk.feed.messages.get(timeout=LIMIT) == (1, b"unharmed")


def test_a_send_that_fails_on_the_successor_does_not_cost_the_primary() -> None:
    """Work of the session may write on both connections: the one that failed is let go."""
    held, go_on = threading.Event(), threading.Event()

    def hold() -> None:
        if held.is_set() and not go_on.is_set():
            go_on.wait(LIMIT)

    with connected() as (server, desk, first):
        begin(server, desk)
        link = desk.feed.handlers[1].link

        def task() -> None:
            link.socket.cut()
            link.send(b"into nothing")

        with installed("stream.after_read", hold):
            held.set()
            desk.session.post(task)
            go_on.set()
            desk.expect("forget")
        first.text(b"unharmed")
        assert desk.feed.messages.get(timeout=LIMIT) == (1, b"unharmed")
        assert desk.feed.lost.empty()


def test_a_lost_primary_is_survived_by_an_established_successor() -> None:
    """What would have been a loss is none: the new connection brings everything (fault F045)."""
    with connected() as (server, desk, first):
        assert desk.events.get(LIMIT).is_up
        second = begin(server, desk)
        second.text(READY)
        until(lambda: desk.feed.handlers[1].is_established)
        first.leave()
        desk.expect("replace")
        second.text(b"here")
        assert desk.feed.messages.get(timeout=LIMIT) == (2, b"here")
        assert desk.feed.lost.empty()
        assert desk.events.pending == 0


def test_a_primary_lost_before_its_successor_is_ready_is_a_loss_without_a_pause() -> None:
    """Something was missed, so it is told once; but the connection that stands is used (fault F045)."""
    with connected(base=100, cap=100) as (server, desk, first):
        assert desk.events.get(LIMIT).is_up
        second = begin(server, desk)
        first.leave()
        desk.expect("lost", "replace")
        down = desk.events.get(LIMIT)
        assert (down.is_up, down.retry_in) == (False, 0.0)
        second.text(READY, b"here")
        assert desk.feed.messages.get(timeout=LIMIT) == (2, b"here")
        assert desk.events.get(LIMIT).is_up, "told when it has settled"
        assert len(desk.feed.handlers) == 2


def test_a_primary_lost_while_its_successor_is_dialled_is_an_ordinary_loss() -> None:
    with connected() as (server, desk, first):
        server.answer = wait_for_end
        desk.replace()
        assert server.asked.acquire(timeout=LIMIT)
        server.answer = None
        first.leave()
        desk.expect("lost")
        server.accept().text(b"again")
        desk.expect("open 2")
        assert desk.feed.messages.get(timeout=LIMIT) == (2, b"again")


def test_a_refused_key_is_not_tried_again_soon_while_the_primary_works(monkeypatch: pytest.MonkeyPatch) -> None:
    """An exchange may lock out who keeps trying (fault F062)."""
    with connected() as (_, desk, _):
        session = desk.session
        pauses: list[float] = []
        monkeypatch.setattr(session._rotation, "postponed", lambda now_ns, seconds: pauses.append(seconds))
        session.post(lambda: session._postpone(AuthenticationError("refused key")))
        session.post(lambda: session._postpone(ConnectionFailed("refused connection")))
        until(lambda: len(pauses) == 2)
        assert pauses == [0.5, 30.0]


@pytest.mark.parametrize("phase", ["dialling", "opened", "established"])
def test_a_stop_in_each_phase_leaves_nothing(phase: str) -> None:
    """Neither a thread nor a connection is left, and nobody is told of a loss."""
    with Server() as server:
        desk = Desk(server.url)
        with working(desk):
            conns = [server.accept()]
            desk.expect("open 1")
            if phase == "dialling":
                server.answer = wait_for_end
                desk.replace()
                assert server.asked.acquire(timeout=LIMIT)
            else:
                conns.append(begin(server, desk))
            if phase == "established":
                conns[1].text(READY)
                until(lambda: desk.feed.handlers[1].is_established)
        assert all(conn.ended.wait(LIMIT) for conn in conns)
        assert not [event for event in iter_events(desk) if not event]
        assert desk.feed.lost.empty()
        assert not desk.session.is_open


def iter_events(desk: Desk) -> list[bool]:
    return [desk.events.get(LIMIT).is_up for _ in range(desk.events.pending)]


def test_a_successor_that_never_gets_ready_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("exconn_sync._live.socket_session._ESTABLISH_LIMIT", 0.15)
    with connected() as (server, desk, first):
        second = begin(server, desk)
        desk.expect("forget")
        assert second.ended.wait(LIMIT)
        assert not first.ended.is_set()
        assert any("was not ready after 0.15 s" in entry.what for entry in desk.reporter.recorder.trail())


def test_topics_that_never_switch_do_not_hold_up_the_replacement_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    """A topic on which nothing happens cannot be joined; the time counts from when the successor was ready (F044)."""
    monkeypatch.setattr("exconn_sync._live.socket_session._OVERLAP_LIMIT", 0.25)
    with connected() as (server, desk, first):
        second = begin(server, desk)
        first.text(b"1")
        threading.Event().wait(0.3)
        second.text(READY)
        until(lambda: desk.feed.handlers[1].is_established)
        ready_ns = desk.parts.clock.monotonic_ns()
        desk.expect("replace")
        assert desk.parts.clock.monotonic_ns() - ready_ns > 200_000_000
        assert first.ended.wait(LIMIT)


def test_a_life_abandoned_while_it_handles_messages_does_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither what was left for it nor what would be due is done by it any more (fault F144)."""
    begun, go_on = threading.Event(), threading.Event()

    def slow(messages: list[bytes], received_at: int) -> bool:
        begun.set()
        return go_on.wait(LIMIT)

    with connected() as (_, desk, first):
        monkeypatch.setattr(desk.feed.handlers[0], "on_messages", slow)
        first.text(b"data")
        assert begun.wait(LIMIT)
        done: list[str] = []
        desk.session.post(lambda: done.append("posted"))
        monkeypatch.setattr(desk.feed.handlers[0], "on_tick", lambda now_ns: done.append("tick"))
        desk.worker.retire()
        go_on.set()
        assert desk.exits.get(timeout=LIMIT).error is None
        assert done == []
        assert first.ended.wait(LIMIT)


def test_an_abandoned_life_closes_both_connections_and_says_nothing() -> None:
    """What an abandoned life still has is closed; nobody hears of it (fault F144)."""
    with connected() as (server, desk, first):
        assert desk.events.get(LIMIT).is_up
        second = begin(server, desk)
        desk.worker.retire()
        first.send(frame(b"too late"))
        assert desk.exits.get(timeout=LIMIT).error is None
        assert first.ended.wait(LIMIT)
        assert second.ended.wait(LIMIT)
        assert desk.feed.messages.empty()
        assert desk.feed.lost.empty()
        assert desk.events.pending == 0
