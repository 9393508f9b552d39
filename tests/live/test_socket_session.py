"""One connection after another: probing, giving up, backing off, answering pings, against real sockets."""

from __future__ import annotations

import contextlib
import socket
import threading

import pytest

from exconn_sync._runtime.faultpoints import installed
from exconn_sync.config.settings import Timeouts
from exconn_sync.errors import AuthenticationError, ClockSkew, PermissionDenied, RateLimitError
from tests.live.support import CLOSE, PING, PONG, Desk, Handler, Server, connected, refuse, working
from tests.unit.support import LIMIT, until
from tests.unit.transport.peers import frame, read_head, wait_for_end


def test_of_many_pings_only_the_newest_is_answered() -> None:
    """A flood of pings in one read costs one pong (fault F023)."""
    with connected() as (_, desk, conn):
        conn.send(*(frame(str(number).encode(), PING) for number in range(300)), frame(b"data"))
        assert conn.frame() == (PONG, b"299")
        assert desk.feed.messages.get(timeout=LIMIT) == (1, b"data")


def test_a_ping_in_the_middle_of_a_message_is_answered_before_the_message_ends() -> None:
    """Control frames between fragments are answered, and the message is put together (fault F022)."""
    with connected() as (_, desk, conn):
        conn.send(frame(b"be", final=0), frame(b"now", PING))
        assert conn.frame() == (PONG, b"now")
        assert desk.feed.messages.empty()
        conn.send(frame(b"gin", 0x0, final=0), frame(b"ning", 0x0))
        assert desk.feed.messages.get(timeout=LIMIT) == (1, b"beginning")


def test_a_silent_connection_is_probed_once_and_then_given_up() -> None:
    """Half-open and silent: found by our own probe and the age of the last byte (faults F008, F024)."""
    with connected(idle_timeout=0.3) as (server, desk, conn):
        assert desk.events.get(LIMIT).is_up
        down = desk.events.get(LIMIT)
        assert (down.is_up, down.reason) == (False, "no byte for 0.3 s")
        assert [conn.frame()[0] for _ in range(2)] == [PING, CLOSE]
        assert server.accept(), "a new connection is made"


def test_data_alone_do_not_prove_that_ours_arrives() -> None:
    """An unanswered probe ends a connection on which data flow (fault F010)."""
    with connected(idle_timeout=0.3) as (_, desk, conn):
        assert conn.frame()[0] == PING
        while desk.feed.lost.empty() and not conn.ended.wait(0.02):
            conn.text(b"data")
        assert desk.feed.lost.get(timeout=LIMIT).message == "no answer to a ping for 0.15 s"


def test_a_message_that_does_not_end_is_given_up() -> None:
    """Bytes that drip keep no connection alive when the message they belong to does not end (fault F011)."""
    with Server() as server, working(Desk(server.url, Timeouts(read=0.3))) as desk:
        conn = server.accept()
        conn.send(frame(b"x" * 100)[:3])
        while not conn.ended.wait(0.03):
            # It may be closed in this very moment.
            with contextlib.suppress(OSError):
                conn.send(b"x")
        assert desk.feed.lost.get(timeout=LIMIT).message == "a message did not end within 0.3 s"


def test_many_messages_that_end_in_the_middle_of_the_next_are_no_drip() -> None:
    """A busy connection whose reads all end inside some message is alive (fault F011)."""
    with Server() as server, working(Desk(server.url, Timeouts(read=0.2))) as desk:
        conn = server.accept()
        whole = frame(b"0123456789")
        conn.send(whole[:5])
        begin_ns = desk.parts.clock.monotonic_ns()
        while desk.parts.clock.monotonic_ns() - begin_ns < 300_000_000:
            conn.send(whole[5:] + whole[:5])
            assert desk.feed.messages.get(timeout=LIMIT) == (1, b"0123456789")
        assert desk.feed.lost.empty()


def test_a_pong_behind_a_backlog_is_read_before_the_connection_is_called_dead() -> None:
    """A reader that was held up finds the answer in its socket, however much stands before it (fault F163)."""
    held, go_on = threading.Event(), threading.Event()

    def hold() -> None:
        if held.is_set() and not go_on.is_set():
            go_on.wait(LIMIT)

    with installed("stream.after_read", hold), connected(idle_timeout=0.3) as (_, desk, conn):
        assert conn.frame()[0] == PING
        held.set()
        # One small frame, so that the reader is at the point where it is held.
        conn.text(b"wake up")
        backlog = frame(b"x" * 60_000)
        writer = threading.Thread(target=lambda: conn.send(*[backlog] * 16, frame(b"", PONG), frame(b"end")))
        writer.start()
        threading.Event().wait(0.35)
        go_on.set()
        writer.join(LIMIT)
        while desk.feed.messages.get(timeout=LIMIT)[1] != b"end":
            assert desk.feed.lost.empty()
        assert desk.feed.lost.empty()


def test_connections_that_prove_nothing_let_the_pauses_grow() -> None:
    """A handshake is no success: the pauses grow over connections that bring nothing (fault F019)."""
    with connected(base=0.0001, cap=0.01, settle=5) as (server, desk, conn):
        conn.leave()
        for _ in range(9):
            server.accept().leave()
        trail = desk.reporter.recorder.trail
        until(lambda: any("attempt 10, " in entry.what for entry in trail()))
        ceilings = [0.0001 * 2**number for number in range(10)]
        told = [entry.what for entry in trail() if entry.what.startswith("lost")]
        assert [entry.split("attempt ")[1].split(",")[0] for entry in told] == [str(each) for each in range(1, 11)]
        pauses = [float(entry.split("next in ")[1].split(" ")[0]) for entry in told]
        assert all(pause <= min(ceiling, 0.01) + 0.005 for pause, ceiling in zip(pauses, ceilings, strict=True))


def test_a_connection_that_proved_itself_starts_the_count_anew() -> None:
    with connected(settle=0.02) as (server, desk, conn):
        for number in range(1, 4):
            conn.text(b"first")
            assert desk.feed.messages.get(timeout=LIMIT) == (number, b"first")
            threading.Event().wait(0.03)
            conn.text(b"second")
            assert desk.feed.messages.get(timeout=LIMIT) == (number, b"second")
            conn.leave()
            conn = server.accept()
        entries = [entry.what for entry in desk.reporter.recorder.trail() if entry.what.startswith("lost")]
        assert len(entries) == 3
        assert all("attempt 1, " in entry for entry in entries)


CLOSES = [1000, 1001, 1002, 1003, 1006, 1007, 1008, 1009, 1011, 1012, 1013, 4000, 4999, 0, 65535]


@pytest.mark.parametrize("code", CLOSES)
def test_every_close_leads_to_a_new_connection_and_is_told(code: int) -> None:
    """No code ends a stream for ever; what says that we do wrong waits for the longest pause (fault F026)."""
    with connected(base=0.001, cap=0.04) as (server, desk, conn):
        conn.send(frame(code.to_bytes(2, "big") + b"because", CLOSE))
        down = desk.down()
        assert down.reason == f"closed by the exchange: {code} because"
        assert (down.retry_in == 0.04) is (code in (1002, 1008, 1009))
        assert server.accept()


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "closed by the exchange: 1005"),
        (b"\x03", "closed by the exchange: 1005"),
        (b"\x03\xe8\xff\xfe\x00\n", "closed by the exchange: 1000 \ufffd\ufffd??"),
        (b"\x03\xe9" + b"r" * 123, "closed by the exchange: 1001 " + "r" * 123),
    ],
)
def test_a_malformed_close_is_a_close(body: bytes, reason: str) -> None:
    """No code, one byte, a reason that is no text or very long (fault F026)."""
    with connected() as (server, desk, conn):
        conn.send(frame(body, CLOSE))
        assert desk.down().reason == reason
        assert server.accept()


def test_what_follows_a_close_is_not_delivered() -> None:
    """Frames after the close frame are ignored, also in the same read (fault F027)."""
    with connected() as (server, desk, conn):
        conn.send(frame(b"before"), frame((1000).to_bytes(2, "big"), CLOSE), frame(b"after"))
        assert desk.feed.messages.get(timeout=LIMIT) == (1, b"before")
        server.accept().text(b"new")
        assert desk.feed.messages.get(timeout=LIMIT) == (2, b"new")


@pytest.mark.parametrize(
    "header", [b"\x81\x7f" + (2**63 - 1).to_bytes(8, "big"), b"\x01\x7f" + (1 << 25).to_bytes(8, "big")]
)
def test_an_oversize_message_is_refused_by_what_it_declares(header: bytes) -> None:
    """Nothing is collected of a frame that is too long (fault F028)."""
    with connected() as (server, desk, conn):
        conn.send(header)
        assert "exceeds the limit" in desk.down().reason
        assert server.accept()


def test_fragments_without_an_end_are_refused_by_their_sum() -> None:
    """The limit holds for the sum of fragments, too (fault F028)."""
    with connected() as (server, desk, conn):
        part = b"x" * (1 << 20)
        writer = threading.Thread(target=lambda: conn.send(frame(part, final=0), *[frame(part, 0x0, final=0)] * 16))
        writer.start()
        assert "exceeds the limit" in desk.down().reason
        writer.join(LIMIT)
        assert server.accept()


VIOLATIONS = {
    "masked": b"\x81\x80\x00\x00\x00\x00",
    "extension": b"\xf1\x00",
    "opcode": b"\x83\x00",
    "control opcode": b"\x8b\x00",
    "long control": b"\x89\x7e\x00\x7e" + b"x" * 126,
    "fragmented control": b"\x09\x00",
    "continuation of nothing": b"\x80\x00",
}


@pytest.mark.parametrize("name", VIOLATIONS)
def test_a_violation_of_the_protocol_ends_the_connection_and_a_new_one_is_made(name: str) -> None:
    """What came before it is delivered, and the next attempt waits for the longest pause (fault F031)."""
    with connected(base=0.001, cap=0.04) as (server, desk, conn):
        conn.send(frame(b"good"))
        assert desk.feed.messages.get(timeout=LIMIT) == (1, b"good")
        conn.send(VIOLATIONS[name])
        down = desk.down()
        assert down.retry_in == 0.04
        assert desk.feed.lost.get(timeout=LIMIT).details["close_code"] == 1002
        assert server.accept()


def test_work_left_by_other_threads_runs_on_the_sessions_thread() -> None:
    with connected() as (_, desk, conn):
        names: list[str] = []

        def task() -> None:
            names.append(threading.current_thread().name)
            desk.feed.handlers[0].link.send(b"posted")

        desk.session.post(task)
        assert conn.frame() == (0x1, b"posted")
        assert names == ["exconn-test-session"]


def test_a_refused_upgrade_is_tried_again() -> None:
    """An upgrade that is refused is a failed attempt like any other (fault F020)."""
    with Server() as server:
        server.answer = refuse
        with working(Desk(server.url)) as desk:
            assert "HTTP 503" in desk.down().reason
            server.answer = None
            server.accept()
            assert desk.events.get(LIMIT).is_up


def test_an_upgrade_refused_for_good_is_tried_at_the_longest_pause_only() -> None:
    """It may be mended at the exchange, but not soon (fault F020)."""

    def missing(sock: socket.socket) -> None:
        read_head(sock)
        sock.sendall(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")

    with Server() as server:
        server.answer = missing
        with working(Desk(server.url, base=0.001, cap=0.07)) as desk:
            assert desk.down().retry_in == 0.07
            server.answer = None
            assert server.accept()


def test_a_stop_while_it_connects_is_no_loss() -> None:
    """Whoever stops a connector is not told that it could not connect."""
    with Server() as server:
        server.answer = wait_for_end
        desk = Desk(server.url)
        with working(desk):
            assert server.asked.acquire(timeout=LIMIT)
        assert desk.events.pending == 0
        assert desk.feed.lost.empty()


def test_a_stop_while_it_pauses_ends_at_once() -> None:
    with Server() as server:
        server.answer = refuse
        desk = Desk(server.url, base=1000, cap=1000)
        with working(desk):
            desk.down()
        assert desk.exits.get(timeout=LIMIT).error is None


class Failing(Handler):
    """A handler whose first message raises what the test wants."""

    error: Exception

    def on_messages(self, messages: list[bytes], received_at: int) -> bool:
        raise self.error


@pytest.mark.parametrize(
    ("error", "pause"),
    [
        (AuthenticationError("refused key"), 0.5),
        (PermissionDenied("not from here"), 0.5),
        (RateLimitError("too many", retry_after=0.3), 0.3),
        (ClockSkew("the clock is wrong"), None),
    ],
)
def test_the_pause_depends_on_what_ended_the_connection(error: Exception, pause: float | None) -> None:
    """A refused key is not tried again soon, and a wait that the exchange states is kept (faults F020, F062)."""
    with connected(base=0.001, cap=0.05) as (server, desk, conn):
        handler = desk.feed.handlers[0]
        handler.__class__ = Failing
        Failing.error = error
        conn.text(b"anything")
        down = desk.down()
        assert down.reason == str(error)
        assert desk.feed.lost.get(timeout=LIMIT) is error
        if pause is None:
            assert down.retry_in <= 0.05
        else:
            assert down.retry_in == pause
        assert server.accept()


def test_a_defect_ends_the_life_and_leaves_nothing_that_looks_alive() -> None:
    with connected() as (_, desk, conn):
        handler = desk.feed.handlers[0]
        handler.__class__ = Failing
        Failing.error = ZeroDivisionError("a defect")
        conn.text(b"anything")
        assert isinstance(desk.exits.get(timeout=LIMIT).error, ZeroDivisionError)
        assert desk.down().reason == "the reader crashed: ZeroDivisionError"
        assert desk.feed.lost.get(timeout=LIMIT).message == "the reader crashed: ZeroDivisionError"
        assert not desk.session.is_open
        assert conn.ended.wait(LIMIT)


def test_a_feed_that_cannot_make_a_handler_leaves_no_socket() -> None:
    with Server() as server:
        desk = Desk(server.url)

        def broken(link: object) -> Handler:
            raise ZeroDivisionError("a defect")

        desk.feed.handler = broken  # type: ignore[method-assign]
        with working(desk):
            conn = server.accept()
            assert isinstance(desk.exits.get(timeout=LIMIT).error, ZeroDivisionError)
            assert conn.ended.wait(LIMIT)


def test_a_cut_from_another_thread_breaks_the_connection() -> None:
    with connected() as (server, desk, conn):
        assert desk.session.is_open
        desk.session.cut()
        assert conn.ended.wait(LIMIT)
        assert desk.feed.lost.get(timeout=LIMIT)
        assert server.accept()


def test_a_life_abandoned_while_it_dials_touches_nothing() -> None:
    """A dial that hung may succeed after another life has begun: that connection is closed unused (fault F144)."""
    go_on = threading.Event()

    with Server() as server:
        desk = Desk(server.url)
        original = desk.parts.dialler.dial

        def dial(url: str, stop: object) -> object:
            opened = original(url, stop)  # type: ignore[arg-type]
            go_on.wait(LIMIT)
            return opened

        desk.parts.dialler.dial = dial  # type: ignore[method-assign,assignment]
        with working(desk):
            conn = server.accept()
            desk.worker.retire()
            go_on.set()
            assert desk.exits.get(timeout=LIMIT).error is None
            assert conn.ended.wait(LIMIT)
        assert desk.feed.handlers == []
        assert desk.events.pending == 0


def test_the_pace_of_requests_is_kept_by_what_was_sent() -> None:
    with connected() as (_, desk, conn):
        link = desk.feed.handlers[0].link
        allowed: list[bool] = []

        def task() -> None:
            for number in range(4):
                allowed.append(link.pace.may_request(desk.parts.clock.monotonic_ns()))
                link.send(b"%d" % number)
            allowed.append(link.pace.may_request(desk.parts.clock.monotonic_ns()))

        desk.session.post(task)
        assert [conn.frame()[1] for _ in range(4)] == [b"0", b"1", b"2", b"3"]
        until(lambda: allowed == [True, True, True, True, False])
