"""A proxy that passes on and proxies that do not, for REST calls and streams (fault F017)."""

from __future__ import annotations

import base64
import contextlib
import select
import socket
import ssl
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from exconn_sync._machines.deadline import Deadline
from exconn_sync._transport.http import HttpClient
from exconn_sync._transport.network import NetworkParts
from exconn_sync._transport.wakeup import Wakeup
from exconn_sync._transport.websocket import StreamSocket
from exconn_sync.config.network import Network
from exconn_sync.errors import ConnectionFailed
from exconn_sync.model.wire import HttpRequest
from exconn_sync.ports.clock import SystemClock
from tests.unit.support import LIMIT, Background, until
from tests.unit.transport.peers import Peer, Script, read_head, reset, upgrade, wait_for_end

CLOCK = SystemClock()
KEY, PASSWORD = "canary-key", "canary:pass word"
TOKEN = base64.b64encode(f"me:{PASSWORD}".encode()).decode()
Connect = Callable[..., None]


def through(port: int, ca_file: Path | None = None, login: str = "me:canary%3Apass%20word@") -> NetworkParts:
    """Return parts that go through a proxy on a port of this machine."""
    settings = Network(None if ca_file is None else str(ca_file), f"http://{login}127.0.0.1:{port}")
    return NetworkParts(ca_file=settings.ca_file, proxy=settings.proxy_address)


def ask(port: int, network: NetworkParts, *, is_tls: bool, seconds: float = LIMIT) -> None:
    scheme = "https" if is_tls else "http"
    client = HttpClient(
        f"{scheme}://127.0.0.1:{port}", CLOCK, connect_timeout=seconds, read_timeout=LIMIT, max_body_bytes=99,
        network=network,
    )  # fmt: skip
    request = HttpRequest("GET", "/x", {"X-MBX-APIKEY": KEY})
    try:
        assert client.send(request, Deadline.after(CLOCK.monotonic_ns(), LIMIT)).body == b"{}"
    finally:
        client.close()


def stream(port: int, network: NetworkParts, *, is_tls: bool, seconds: float = LIMIT) -> None:
    wakeup = Wakeup()
    scheme = "wss" if is_tls else "ws"
    options: dict[str, Any] = {"connect_timeout": seconds, "write_timeout": LIMIT, "max_message_bytes": 99}
    try:
        url = f"{scheme}://127.0.0.1:{port}/{KEY}"
        StreamSocket.connect(url, wakeup, lambda: False, network=network, **options).close()
    finally:
        wakeup.close()


both = pytest.mark.parametrize("connect", [ask, stream])
plain_and_tls = pytest.mark.parametrize("is_tls", [False, True], ids=["plain", "tls"])


class Venue:
    """A peer that answers both kinds of request and notes what it was asked."""

    def __init__(self) -> None:
        self.heads: list[str] = []

    def __call__(self, sock: socket.socket) -> None:
        noted = _Noted(sock)
        head = read_head(noted)  # type: ignore[arg-type]
        self.heads.append(head)
        noted.again = head.encode()
        if "Upgrade" in head:
            upgrade(noted)  # type: ignore[arg-type]
        else:
            sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
        wait_for_end(sock)


class _Noted:
    """A socket whose bytes can be given a second time."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self.again = b""

    def recv(self, size: int) -> bytes:
        if self.again:
            data, self.again = self.again[:size], self.again[size:]
            return data
        return self.sock.recv(size)

    def sendall(self, data: bytes) -> None:
        self.sock.sendall(data)


class Proxy:
    """A script that does what CONNECT asks for, and keeps all that it sees."""

    def __init__(self, answer: bytes = b"HTTP/1.1 200 Connection established\r\nX: y\r\n\r\n") -> None:
        self.heads: list[str] = []
        self.passed = b""
        self._answer = answer

    def __call__(self, sock: socket.socket) -> None:
        head = read_head(sock)
        self.heads.append(head)
        host, _, port = head.split()[1].rpartition(":")
        with socket.create_connection((host, int(port)), LIMIT) as onward:
            sock.sendall(self._answer)
            other = {sock: onward, onward: sock}
            while True:
                for ready in select.select([sock, onward], [], [], LIMIT)[0]:
                    data = ready.recv(65536)
                    if not data:
                        return
                    self.passed += data
                    other[ready].sendall(data)


@both
@plain_and_tls
@pytest.mark.parametrize("answer", [b"HTTP/1.1 200 OK\r\n\r\n", b"HTTP/1.0 204 Fine\n\n", b"HTTP/1.1 200\r\n\r\n"])
def test_everything_goes_through_the_proxy_and_it_gets_its_own_credentials_only(
    connect: Connect,
    is_tls: bool,
    answer: bytes,
    server_context: ssl.SSLContext,
    certificate: Path,
) -> None:
    venue, proxy = Venue(), Proxy(answer)
    with Peer(venue, server_context if is_tls else None) as exchange, Peer(proxy) as between:
        connect(exchange.port, through(between.port, certificate), is_tls=is_tls)
        port = exchange.port
    assert proxy.heads == [
        f"CONNECT 127.0.0.1:{port} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nProxy-Authorization: Basic {TOKEN}\r\n\r\n"
    ]
    assert KEY in venue.heads[0]
    assert "roxy" not in venue.heads[0]
    assert TOKEN.encode() not in proxy.passed
    assert (KEY.encode() in proxy.passed) is not is_tls


def test_without_a_password_no_credentials_are_sent(certificate: Path) -> None:
    proxy = Proxy()
    with Peer(Venue()) as exchange, Peer(proxy) as between:
        ask(exchange.port, through(between.port, login=""), is_tls=False)
    assert "Authorization" not in proxy.heads[0]


def refusing(data: bytes) -> Script:
    def script(sock: socket.socket) -> None:
        read_head(sock)
        sock.sendall(data)
        wait_for_end(sock)

    return script


def leave(sock: socket.socket) -> None:
    read_head(sock)


def leave_with_a_reset(sock: socket.socket) -> None:
    read_head(sock)
    reset(sock)


def drip(sock: socket.socket) -> None:
    read_head(sock)
    sock.sendall(b"HTTP/1.1 200 OK\r\nX: ")
    pause = threading.Event()
    with contextlib.suppress(OSError):
        while not pause.wait(0.01):
            sock.sendall(b"x")


PAGE = b"<html>" + b"x" * 5000
REFUSALS: dict[str, tuple[Script, str, bool]] = {
    "407": (refusing(b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n"), "user name and password .HTTP 407", False),
    "403": (refusing(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 5006\r\n\r\n" + PAGE), "refused .HTTP 403", False),
    "502": (refusing(b"HTTP/1.1 502 Bad Gateway\r\n\r\n" + PAGE), "refused .HTTP 502", True),
    "html": (refusing(PAGE + b"\r\n\r\n"), "not HTTP", True),
    "101": (refusing(b"HTTP/1.1 101 Switching\r\n\r\n"), "refused .HTTP 101", False),
    "endless": (refusing(b"HTTP/1.1 200 OK\r\nX: " + b"x" * 100_000), "too long", True),
    "cut": (leave, "ended the connection", True),
    "reset": (leave_with_a_reset, "reset", True),
}


@both
@pytest.mark.parametrize(("script", "reason", "temporary"), REFUSALS.values(), ids=REFUSALS)
def test_trouble_with_the_proxy_is_no_answer_of_the_exchange(
    connect: Connect, script: Script, reason: str, temporary: bool
) -> None:
    venue = Venue()
    with Peer(venue) as exchange, Peer(script) as between:
        with pytest.raises(ConnectionFailed, match="proxy: .*" + reason) as caught:
            connect(exchange.port, through(between.port), is_tls=False)
        assert (caught.value.outcome, caught.value.temporary) == ("not_sent", temporary)
        assert exchange.connections == 0
    text = str(caught.value) + repr(vars(caught.value))
    assert "html" not in text
    assert TOKEN not in text
    assert PASSWORD not in text


@both
@pytest.mark.parametrize("script", [wait_for_end, drip], ids=["silent", "dripping"])
def test_a_slow_proxy_ends_with_the_time_for_connecting(connect: Connect, script: Script) -> None:
    with Peer(script) as between, pytest.raises(ConnectionFailed, match=r"proxy: .*in time") as caught:
        Background(lambda: connect(9, through(between.port), is_tls=False, seconds=0.1)).result()
    assert caught.value.outcome == "not_sent"


@both
def test_a_proxy_that_is_not_there_is_told_as_such(connect: Connect) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(ConnectionFailed, match=r"proxy: cannot connect to 127\.0\.0\.1:.*refused") as caught:
        connect(9, through(port), is_tls=False)
    assert caught.value.outcome == "not_sent"


@both
def test_a_proxy_that_inspects_needs_its_authority_trusted(connect: Connect, server_context: ssl.SSLContext) -> None:
    """The certificate behind the tunnel is checked like any other (fault F174)."""
    with Peer(Venue(), server_context) as exchange, Peer(Proxy()) as between:
        with pytest.raises(ConnectionFailed, match="certificate refused") as caught:
            connect(exchange.port, through(between.port), is_tls=True)
        assert (caught.value.outcome, caught.value.temporary) == ("not_sent", False)


def test_a_connection_that_the_proxy_cuts_is_lost_like_any_other() -> None:
    """Some proxies end what is a few minutes old."""
    between_is_over = threading.Event()

    def script(sock: socket.socket) -> None:
        read_head(sock)
        sock.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        upgrade(sock)
        assert between_is_over.wait(LIMIT)

    wakeup = Wakeup()
    with Peer(script) as between:
        opened = StreamSocket.connect(
            "ws://exchange.invalid/", wakeup, lambda: False, connect_timeout=LIMIT, write_timeout=LIMIT,
            max_message_bytes=99, network=through(between.port),
        )  # fmt: skip
        assert opened.read() is None
        between_is_over.set()
        until(lambda: select.select([opened], [], [], 0)[0])
        with pytest.raises(ConnectionFailed, match="without a goodbye"):
            opened.read()
        opened.close()
    wakeup.close()


def test_a_stop_breaks_the_wait_for_a_proxy() -> None:
    reached, stop, wakeup = threading.Event(), threading.Event(), Wakeup()

    def script(sock: socket.socket) -> None:
        read_head(sock)
        reached.set()
        wait_for_end(sock)

    with Peer(script) as between:
        options: dict[str, Any] = {"connect_timeout": 3600, "write_timeout": LIMIT, "max_message_bytes": 99}
        network = through(between.port)
        dialling = Background(
            lambda: StreamSocket.connect("ws://127.0.0.1:9/", wakeup, stop.is_set, network=network, **options)
        )
        assert reached.wait(LIMIT)
        stop.set()
        wakeup.wake()
        with pytest.raises(ConnectionFailed, match="stopped while connecting"):
            dialling.result()
    wakeup.close()
