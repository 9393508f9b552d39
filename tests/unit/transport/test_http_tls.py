"""HTTP over TLS: certificates, and deadlines that hold there too."""

from __future__ import annotations

import socket
import ssl
import threading
from pathlib import Path

import pytest

from exconn_sync._machines.deadline import Deadline
from exconn_sync._transport.http import HttpClient
from exconn_sync.errors import ConnectionFailed, RequestTimeout
from exconn_sync.model.wire import HttpRequest
from exconn_sync.ports.clock import SystemClock
from tests.unit.support import LIMIT, Background
from tests.unit.transport.peers import Peer, read_head, wait_for_end

CLOCK = SystemClock()
GET = HttpRequest("GET", "/x", {})


def within(seconds: float = LIMIT) -> Deadline:
    return Deadline.after(CLOCK.monotonic_ns(), seconds)


def client_of(port: int, scheme: str = "https") -> HttpClient:
    return HttpClient(
        f"{scheme}://127.0.0.1:{port}", CLOCK, connect_timeout=LIMIT, read_timeout=3600, max_body_bytes=1000
    )


def answering(sock: socket.socket) -> None:
    read_head(sock)
    sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
    wait_for_end(sock)


def test_an_unknown_certificate_is_not_sent_and_permanent(server_context: ssl.SSLContext) -> None:
    with Peer(answering, server_context) as peer:
        client = client_of(peer.port)
        with pytest.raises(ConnectionFailed, match="certificate refused") as caught:
            client.send(GET, within())
        client.close()
    assert (caught.value.outcome, caught.value.temporary) == ("not_sent", False)


@pytest.mark.parametrize("scheme", ["https", "HTTPS"])
def test_a_trusted_peer_is_asked(
    server_context: ssl.SSLContext, certificate: Path, monkeypatch: pytest.MonkeyPatch, scheme: str
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    with Peer(answering, server_context) as peer:
        client = client_of(peer.port, scheme)
        assert client.send(GET, within()).body == b"{}"
        client.close()


def test_a_drip_does_not_outlive_the_deadline(
    server_context: ssl.SSLContext, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))

    def script(sock: socket.socket) -> None:
        read_head(sock)
        sock.sendall(b"HTTP/1.1 200 OK\r\nX: ")
        pause = threading.Event()
        while not pause.wait(0.02):
            sock.sendall(b"x")

    with Peer(script, server_context) as peer:
        client = client_of(peer.port)
        with pytest.raises(RequestTimeout) as caught:
            Background(lambda: client.send(GET, within(0.4))).result()
        client.close()
    assert caught.value.outcome == "unknown"


def test_a_handshake_that_is_never_answered_ends_with_the_deadline() -> None:
    with Peer(wait_for_end) as peer:
        client = client_of(peer.port)
        with pytest.raises((RequestTimeout, ConnectionFailed)):
            Background(lambda: client.send(GET, within(0.1))).result()
        client.close()
