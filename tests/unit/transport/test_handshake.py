"""Opening a stream against peers that refuse, answer nonsense or do not answer."""

from __future__ import annotations

import errno
import socket
import threading
import time
from typing import Any

import pytest

from exconn_sync._transport.attempt import Attempt
from exconn_sync._transport.dial import dial
from exconn_sync._transport.network import NetworkParts
from exconn_sync._transport.wakeup import Wakeup
from exconn_sync.errors import ConnectionFailed
from tests.unit.support import LIMIT, Background
from tests.unit.transport.peers import (
    Peer,
    blackhole,
    read_head,
    upgrade,
    wait_for_end,
)
from tests.unit.transport.streams import connect, serving


def test_a_closed_port_is_not_sent_and_temporary(wakeup: Wakeup) -> None:
    """(fault F001)"""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(ConnectionFailed, match="refused") as caught:
        connect(port, wakeup)
    assert (caught.value.outcome, caught.value.temporary) == ("not_sent", True)


@pytest.mark.parametrize(
    ("status", "temporary"), [(404, False), (400, False), (401, False), (403, True), (429, True), (503, True)]
)
def test_a_refused_handshake_tells_its_status(wakeup: Wakeup, status: int, temporary: bool) -> None:
    """(fault F020)"""

    def script(sock: socket.socket) -> None:
        read_head(sock)
        sock.sendall(f"HTTP/1.1 {status} No\r\nContent-Length: 9\r\n\r\n<html>no!".encode())
        wait_for_end(sock)

    with Peer(script) as peer:
        with pytest.raises(ConnectionFailed, match=str(status)) as caught:
            connect(peer.port, wakeup)
        assert caught.value.temporary is temporary
        assert caught.value.details == {"http_status": status}
        assert "html" not in str(caught.value)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [("7", 7.0), (" 120 ", 120.0), ("Wed, 21 Oct 2026 07:28:00 GMT", None), ("-1", None), ("9" * 40, None)],
)
def test_a_refused_handshake_tells_when_to_come_back(wakeup: Wakeup, header: str, seconds: float | None) -> None:
    """(fault F020)"""

    def script(sock: socket.socket) -> None:
        read_head(sock)
        sock.sendall(f"HTTP/1.1 429 Slow\r\nRetry-After: {header}\r\nContent-Length: 0\r\n\r\n".encode())
        wait_for_end(sock)

    with Peer(script) as peer, pytest.raises(ConnectionFailed) as caught:
        connect(peer.port, wakeup)
    assert caught.value.temporary
    assert caught.value.details["http_status"] == 429
    assert caught.value.details.get("retry_after") == seconds


def test_an_endless_page_of_refusal_takes_no_memory(wakeup: Wakeup) -> None:
    """(fault F020)"""

    def script(sock: socket.socket) -> None:
        read_head(sock)
        sock.sendall(b"HTTP/1.1 403 No\r\nContent-Length: 9999999999\r\n\r\n")
        while True:
            sock.sendall(b"x" * 65536)

    with Peer(script) as peer, pytest.raises(ConnectionFailed, match="exceeds"):
        Background(lambda: connect(peer.port, wakeup)).result()


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(wakeup: Wakeup, status: int) -> None:
    """(faults F020, F087)"""
    with Peer(serving()) as other:

        def script(sock: socket.socket) -> None:
            read_head(sock)
            sock.sendall(f"HTTP/1.1 {status} Go\r\nLocation: ws://127.0.0.1:{other.port}/\r\n\r\n".encode())
            wait_for_end(sock)

        with Peer(script) as peer, pytest.raises(ConnectionFailed) as caught:
            connect(peer.port, wakeup)
        assert other.connections == 0
    assert not caught.value.temporary
    assert caught.value.details == {"http_status": status}


@pytest.mark.parametrize(
    "header",
    ["Sec-WebSocket-Extensions: permessage-deflate", "Sec-WebSocket-Protocol: other", "sec-websocket-extensions: x"],
)
def test_what_was_not_asked_for_fails_the_connection(wakeup: Wakeup, header: str) -> None:
    """Nothing is ever decompressed (faults F021, F029)."""

    def script(sock: socket.socket) -> None:
        assert "Sec-WebSocket-Extensions" not in upgrade(sock, headers=header + "\r\n")
        wait_for_end(sock)

    with Peer(script) as peer, pytest.raises(ConnectionFailed, match="not asked for"):
        connect(peer.port, wakeup)


ANSWERS = {
    "nothing": b"",
    "half a head": b"HTTP/1.1 101 Switching",
    "no number": b"HTTP/1.1 abc\r\n\r\n",
    "no status": b"HTTP/1.1\r\n\r\n",
    "empty": b"\r\n\r\n",
    "no text": b"\xff\xfe\xfd\r\n\r\n",
    "wrong key": b"HTTP/1.1 101 OK\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: x\r\n\r\n",
    "no headers": b"HTTP/1.1 101 OK\r\n\r\n",
    "bad header": b"HTTP/1.1 101 OK\r\nnonsense\r\n\r\n",
    "bad length": b"HTTP/1.1 503 No\r\nContent-Length: many\r\n\r\n",
    "plain 200": b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi",
}


@pytest.mark.parametrize("answer", ANSWERS.values(), ids=ANSWERS)
def test_an_invalid_answer_to_the_handshake_is_a_failure(wakeup: Wakeup, answer: bytes) -> None:
    """(fault F021)"""

    def script(sock: socket.socket) -> None:
        read_head(sock)
        sock.sendall(answer)

    with Peer(script) as peer, pytest.raises(ConnectionFailed):
        connect(peer.port, wakeup)


@pytest.mark.parametrize("scheme", ["ws", "wss"])
def test_a_stop_breaks_a_handshake_that_is_never_answered(wakeup: Wakeup, scheme: str) -> None:
    stop, reached = threading.Event(), threading.Event()

    def script(sock: socket.socket) -> None:
        sock.recv(1)
        reached.set()
        wait_for_end(sock)

    with Peer(script) as peer:
        dialling = Background(lambda: connect(peer.port, wakeup, scheme=scheme, stop=stop, connect_timeout=3600))
        assert reached.wait(LIMIT)
        wakeup.wake()
        assert dialling.is_running
        stop.set()
        wakeup.wake()
        with pytest.raises(ConnectionFailed, match="stopped while connecting"):
            dialling.result()


def test_a_handshake_that_drips_ends_with_the_time_for_connecting(wakeup: Wakeup) -> None:
    """(fault F011)"""
    over = threading.Event()

    def script(sock: socket.socket) -> None:
        read_head(sock)
        sock.sendall(b"HTTP/1.1 101 OK\r\nX: ")
        # Every byte comes well within the limit, and they never end.
        while not over.wait(0.02):
            sock.sendall(b"x")

    with Peer(script) as peer:
        with pytest.raises(ConnectionFailed):
            Background(lambda: connect(peer.port, wakeup, connect_timeout=0.3)).result()
        over.set()


def dialled(host: str, port: int, seconds: float, wakeup: Wakeup) -> socket.socket:
    attempt = Attempt(wakeup, lambda: False, time.monotonic() + seconds)
    return dial(host, port, attempt, NetworkParts())


def test_a_stop_breaks_the_dialling_of_an_address_that_never_answers(wakeup: Wakeup) -> None:
    """(fault F002)"""
    stop = threading.Event()
    with blackhole() as port:
        dialling = Background(lambda: connect(port, wakeup, stop=stop, connect_timeout=3600))
        stop.set()
        wakeup.wake()
        with pytest.raises(ConnectionFailed, match="stopped") as caught:
            dialling.result()
    assert caught.value.outcome == "not_sent"


def test_an_address_that_never_answers_leaves_time_for_the_next(
    wakeup: Wakeup, monkeypatch: pytest.MonkeyPatch
) -> None:
    """(fault F005)"""
    with blackhole() as dead, socket.create_server(("127.0.0.1", 0)) as alive:

        def resolve(*arguments: object, **options: object) -> list[Any]:
            kind = (socket.AF_INET, socket.SOCK_STREAM, 6, "")
            return [(*kind, ("127.0.0.1", dead)), (*kind, alive.getsockname())]

        monkeypatch.setattr(socket, "getaddrinfo", resolve)
        with dialled("exchange", 1, 0.4, wakeup) as sock:
            assert sock.getpeername() == alive.getsockname()


def test_dialling_gives_up_after_its_time(wakeup: Wakeup) -> None:
    """(fault F002)"""
    with blackhole() as port, pytest.raises(ConnectionFailed, match="timed out"):
        dialled("127.0.0.1", port, 0.05, wakeup)


@pytest.mark.parametrize("host", ["no-such-host.invalid", "a" * 70, "x..y"])
def test_a_name_that_cannot_be_resolved_is_not_sent(wakeup: Wakeup, host: str) -> None:
    """(fault F003)"""
    with pytest.raises(ConnectionFailed, match="cannot resolve") as caught:
        dialled(host, 1, LIMIT, wakeup)
    assert caught.value.outcome == "not_sent"


def test_no_more_descriptors_is_a_failed_connection(wakeup: Wakeup, monkeypatch: pytest.MonkeyPatch) -> None:
    """(fault F143)"""

    def exhausted(*arguments: object) -> socket.socket:
        raise OSError(errno.EMFILE, "Too many open files")

    monkeypatch.setattr(socket, "socket", exhausted)
    with pytest.raises(ConnectionFailed, match="Too many open files"):
        dialled("127.0.0.1", 1, LIMIT, wakeup)
