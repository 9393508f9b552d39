"""Connections that are kept for the next request, and what a server may have done with them meanwhile."""

from __future__ import annotations

import gzip
import socket
import threading
import tracemalloc

import pytest

from exconn_sync.errors import ConnectionFailed, ProtocolError
from exconn_sync.exchanges.binance.driver import DRIVER
from exconn_sync.model.wire import HttpRequest
from tests.unit.support import LIMIT, until
from tests.unit.transport.peers import Peer, read_head, reset, wait_for_end
from tests.unit.transport.test_http import client_of, within

GET = HttpRequest("GET", "/read", {})
POST = HttpRequest("POST", "/command", {})


def answer(body: bytes, headers: str = "") -> bytes:
    return f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\n{headers}\r\n".encode() + body


@pytest.mark.parametrize("stray", [answer(b"stray"), b"x", answer(b"s" * 100_000)])
def test_an_answer_that_nobody_asked_for_is_given_to_nobody(stray: bytes) -> None:
    """It lies in the socket before the next request (fault F084)"""
    served: list[str] = []
    is_read, is_stray_sent = threading.Event(), threading.Event()

    def script(sock: socket.socket) -> None:
        while True:
            served.append(read_head(sock).split(" ")[1])
            sock.sendall(answer(served[-1].encode()))
            if len(served) == 1:
                assert is_read.wait(LIMIT)
                sock.sendall(stray)
                is_stray_sent.set()

    with Peer(script) as peer, client_of(peer.port) as client:
        assert client.send(GET, within()).body == b"/read"
        is_read.set()
        assert is_stray_sent.wait(LIMIT)
        for _ in range(3):
            assert client.send(POST, within()).body == b"/command"
        client.close()
        assert served == ["/read", "/command", "/command", "/command"]
        assert peer.connections == 2


@pytest.mark.parametrize("is_reset", [False, True])
@pytest.mark.parametrize("request_", [GET, POST])
def test_a_connection_that_was_closed_while_idle_is_not_written_to(request_: HttpRequest, is_reset: bool) -> None:
    """(fault F085)"""
    served: list[str] = []
    ended = threading.Event()

    def script(sock: socket.socket) -> None:
        served.append(read_head(sock).split(" ")[1])
        sock.sendall(answer(b"{}"))
        if len(served) > 1:
            wait_for_end(sock)
        elif is_reset:
            reset(sock)
        else:
            sock.close()
        ended.set()

    with Peer(script) as peer, client_of(peer.port) as client:
        assert client.send(GET, within()).body == b"{}"
        assert ended.wait(LIMIT)
        assert client.send(request_, within()).body == b"{}"
        client.close()
        assert served == ["/read", request_.target]
        assert peer.connections == 2


@pytest.mark.parametrize("is_reset", [False, True])
def test_a_command_on_a_connection_that_ends_in_that_moment_is_unknown_and_never_sent_again(is_reset: bool) -> None:
    """(fault F085)"""
    served: list[str] = []

    def script(sock: socket.socket) -> None:
        served.append(read_head(sock).split(" ")[1])
        sock.sendall(answer(b"{}"))
        served.append(read_head(sock).split(" ")[1])
        if is_reset:
            reset(sock)

    with Peer(script) as peer, client_of(peer.port) as client:
        client.send(GET, within())
        with pytest.raises(ConnectionFailed) as failed:
            client.send(POST, within())
        client.close()
        assert failed.value.outcome == "unknown"
        until(lambda: len(served) == 2)
        assert served == ["/read", "/command"]
        assert peer.connections == 1


def test_a_compressed_answer_is_not_unpacked() -> None:
    """None is asked for; one that comes all the same is no JSON, however large it would grow (fault F086)"""
    bomb = gzip.compress(b"[" + b" " * 50_000_000 + b"]")
    assert len(bomb) < 100_000
    asked: list[str] = []

    def script(sock: socket.socket) -> None:
        asked.append(read_head(sock).lower())
        sock.sendall(answer(bomb, "Content-Encoding: gzip\r\nContent-Type: application/json\r\n"))
        wait_for_end(sock)

    with Peer(script) as peer, client_of(peer.port) as client:
        tracemalloc.start()
        try:
            response = client.send(GET, within())
            with pytest.raises(ProtocolError):
                DRIVER.fetch_instruments().parse(response)
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
        client.close()
    assert "gzip" not in asked[0]
    assert response.body == bomb
    assert peak < 5_000_000
