"""HTTP over TLS: certificates, and deadlines that hold there too."""

from __future__ import annotations

import socket
import ssl
import threading
from pathlib import Path

import pytest

from exconn_sync._machines.deadline import Deadline
from exconn_sync._transport.http import HttpClient
from exconn_sync._transport.network import NetworkParts
from exconn_sync.errors import RequestTimeout
from exconn_sync.model.wire import HttpRequest
from exconn_sync.ports.clock import SystemClock
from tests.unit.support import LIMIT, Background
from tests.unit.transport.peers import Peer, read_head, wait_for_end

CLOCK = SystemClock()
GET = HttpRequest("GET", "/x", {})


def within(seconds: float = LIMIT) -> Deadline:
    return Deadline.after(CLOCK.monotonic_ns(), seconds)


def client_of(port: int, scheme: str = "https", ca_file: Path | None = None) -> HttpClient:
    return HttpClient(
        f"{scheme}://127.0.0.1:{port}", CLOCK, connect_timeout=LIMIT, read_timeout=3600, max_body_bytes=1000,
        network=NetworkParts(ca_file=None if ca_file is None else str(ca_file)),
    )  # fmt: skip


def answering(sock: socket.socket) -> None:
    read_head(sock)
    sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
    wait_for_end(sock)


@pytest.mark.parametrize("scheme", ["https", "HTTPS"])
def test_a_trusted_peer_is_asked(server_context: ssl.SSLContext, certificate: Path, scheme: str) -> None:
    with Peer(answering, server_context) as peer:
        client = client_of(peer.port, scheme, certificate)
        assert client.send(GET, within()).body == b"{}"
        client.close()


def test_a_drip_does_not_outlive_the_deadline(server_context: ssl.SSLContext, certificate: Path) -> None:
    """(fault F011)"""

    def script(sock: socket.socket) -> None:
        read_head(sock)
        sock.sendall(b"HTTP/1.1 200 OK\r\nX: ")
        pause = threading.Event()
        while not pause.wait(0.02):
            sock.sendall(b"x")

    with Peer(script, server_context) as peer:
        client = client_of(peer.port, ca_file=certificate)
        with pytest.raises(RequestTimeout) as caught:
            Background(lambda: client.send(GET, within(0.4))).result()
        client.close()
    assert caught.value.outcome == "unknown"
