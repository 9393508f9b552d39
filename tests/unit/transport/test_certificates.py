"""Certificates of all kinds, for REST calls and streams: only the right one is accepted."""

from __future__ import annotations

import datetime
import socket
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from exconn_sync._machines.deadline import Deadline
from exconn_sync._transport.http import HttpClient
from exconn_sync._transport.network import NetworkParts
from exconn_sync._transport.tls_socket import TlsSocket
from exconn_sync._transport.wakeup import Wakeup
from exconn_sync._transport.websocket import StreamSocket
from exconn_sync.errors import ConnectionFailed, RequestTimeout
from exconn_sync.model.wire import HttpRequest
from exconn_sync.ports.clock import SystemClock
from tests.unit.support import LIMIT, Background
from tests.unit.transport.conftest import DAY, Authority
from tests.unit.transport.peers import Peer, Script, read_head, reset, upgrade, wait_for_end

CLOCK = SystemClock()
GET = HttpRequest("GET", "/x", {})
HOUR = datetime.timedelta(hours=1)

Connect = Callable[[int, NetworkParts], None]
Context = Callable[[Path], ssl.SSLContext]


def answering(data: bytes) -> Script:
    def script(sock: socket.socket) -> None:
        read_head(sock)
        sock.sendall(data)
        wait_for_end(sock)

    return script


WHOLE = answering(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")


def upgrading(sock: socket.socket) -> None:
    upgrade(sock)
    wait_for_end(sock)


def ask(port: int, network: NetworkParts) -> None:
    client = HttpClient(
        f"https://127.0.0.1:{port}", CLOCK, connect_timeout=LIMIT, read_timeout=LIMIT, max_body_bytes=99,
        network=network,
    )  # fmt: skip
    try:
        assert client.send(GET, Deadline.after(CLOCK.monotonic_ns(), LIMIT)).body == b"{}"
    finally:
        client.close()


def stream(port: int, network: NetworkParts) -> None:
    wakeup = Wakeup()
    options: dict[str, Any] = {"connect_timeout": LIMIT, "write_timeout": LIMIT, "max_message_bytes": 99}
    try:
        StreamSocket.connect(f"wss://127.0.0.1:{port}/", wakeup, lambda: False, network=network, **options).close()
    finally:
        wakeup.close()


both = pytest.mark.parametrize(("connect", "script"), [(ask, WHOLE), (stream, upgrading)], ids=["rest", "stream"])


@both
def test_a_good_certificate_of_an_own_authority_is_accepted(
    connect: Connect, script: Script, server_context: ssl.SSLContext, certificate: Path
) -> None:
    with Peer(script, server_context) as peer:
        connect(peer.port, NetworkParts(ca_file=str(certificate)))


CHAINS: dict[str, tuple[Callable[[Authority, Authority], Path], str]] = {
    "expired": (lambda good, other: good.chain("expired", valid=(-DAY, -HOUR)), "expired"),
    "not yet valid": (lambda good, other: good.chain("early", valid=(HOUR, DAY)), "not yet valid.*clock of this"),
    "another host": (lambda good, other: good.chain("other-host", host="exchange.example"), "mismatch"),
    "self-signed": (lambda good, other: other.own_chain(), "self.signed"),
    "unknown authority": (lambda good, other: other.chain("unknown"), "unable to get local issuer"),
}


@both
@pytest.mark.parametrize(("chain", "reason"), CHAINS.values(), ids=CHAINS)
def test_any_other_certificate_is_refused_for_good_and_nothing_was_sent(
    connect: Connect,
    script: Script,
    authority: Authority,
    stranger: Authority,
    serving_with: Context,
    chain: Callable[[Authority, Authority], Path],
    reason: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """(faults F014, F174)"""
    for name in ("PYTHONHTTPSVERIFY", "CURL_CA_BUNDLE", "REQUESTS_CA_BUNDLE", "WEBSOCKET_CLIENT_CA_BUNDLE"):
        monkeypatch.setenv(name, "0" if name == "PYTHONHTTPSVERIFY" else str(stranger.file))
    with Peer(script, serving_with(chain(authority, stranger))) as peer:
        with pytest.raises(ConnectionFailed, match="(?s)TLS failed: certificate refused: .*" + reason) as caught:
            connect(peer.port, NetworkParts(ca_file=str(authority.file)))
        assert (caught.value.outcome, caught.value.temporary) == ("not_sent", False)
        assert ("clock" in str(caught.value)) == ("clock" in reason)


@both
def test_an_own_authority_is_trusted_instead_of_the_systems(
    connect: Connect,
    script: Script,
    server_context: ssl.SSLContext,
    certificate: Path,
    stranger: Authority,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The variable of OpenSSL says where the system's authorities are (fault F176)."""
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    with Peer(script, server_context) as peer:
        connect(peer.port, NetworkParts())
        with pytest.raises(ConnectionFailed, match="certificate refused"):
            connect(peer.port, NetworkParts(ca_file=str(stranger.file)))


@both
def test_session_keys_are_written_nowhere(
    connect: Connect,
    script: Script,
    server_context: ssl.SSLContext,
    certificate: Path,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    """(fault F176)"""
    log = tmp_path / "keys"
    monkeypatch.setenv("SSLKEYLOGFILE", str(log))
    with Peer(script, server_context) as peer:
        connect(peer.port, NetworkParts(ca_file=str(certificate)))
    assert not log.exists()


@both
def test_a_file_of_authorities_that_went_away_is_told(connect: Connect, script: Script, tmp_path: Path) -> None:
    with Peer(script) as peer, pytest.raises(ConnectionFailed, match="authorities cannot be read") as caught:
        connect(peer.port, NetworkParts(ca_file=str(tmp_path / "gone.pem")))
    assert not caught.value.temporary


def plain(sock: socket.socket) -> None:
    sock.recv(1)
    sock.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
    wait_for_end(sock)


def leave(sock: socket.socket) -> None:
    sock.recv(1)


def reset_it(sock: socket.socket) -> None:
    sock.recv(1)
    reset(sock)


@pytest.mark.parametrize("connect", [ask, stream])
@pytest.mark.parametrize("script", [plain, leave, reset_it])
def test_a_handshake_that_fails_is_not_sent_and_temporary(connect: Connect, script: Script, certificate: Path) -> None:
    """(fault F014)"""
    with Peer(script) as peer, pytest.raises(ConnectionFailed, match="TLS failed") as caught:
        connect(peer.port, NetworkParts(ca_file=str(certificate)))
    assert (caught.value.outcome, caught.value.temporary) == ("not_sent", True)


@both
def test_an_old_version_of_tls_is_refused(
    connect: Connect, script: Script, server_context: ssl.SSLContext, certificate: Path
) -> None:
    """(fault F014)"""
    context = NetworkParts(ca_file=str(certificate)).tls_context()
    assert context.minimum_version >= ssl.TLSVersion.TLSv1_2
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname
    server_context.minimum_version = ssl.TLSVersion.TLSv1_3
    network = NetworkParts(ca_file=str(certificate))
    for kind in (TlsSocket, _kind()):
        network.tls_context(kind).maximum_version = ssl.TLSVersion.TLSv1_2
    with Peer(script, server_context) as peer, pytest.raises(ConnectionFailed, match="TLS failed") as caught:
        connect(peer.port, network)
    assert caught.value.outcome == "not_sent"


def _kind() -> type[ssl.SSLSocket]:
    from exconn_sync._transport.bounded import _TlsSocket

    return _TlsSocket


# --- the end of an encrypted answer ---------------------------------------------------------------------------------


def asked(script: Script, context: ssl.SSLContext, certificate: Path) -> bytes:
    with Peer(script, context) as peer:
        client = HttpClient(
            f"https://127.0.0.1:{peer.port}", CLOCK, connect_timeout=LIMIT, read_timeout=LIMIT, max_body_bytes=99,
            network=NetworkParts(ca_file=str(certificate)),
        )  # fmt: skip
        try:
            return client.send(GET, Deadline.after(CLOCK.monotonic_ns(), LIMIT)).body
        finally:
            client.close()


def ending(data: bytes, end: Callable[[socket.socket], object]) -> Script:
    def script(sock: socket.socket) -> None:
        read_head(sock)
        sock.sendall(data)
        end(sock)

    return script


def cut_under_tls(sock: socket.socket) -> None:
    socket.socket.shutdown(sock, socket.SHUT_RDWR)


def say_goodbye(sock: socket.socket) -> None:
    assert isinstance(sock, ssl.SSLSocket)
    sock.unwrap()


UNSIZED = b'HTTP/1.1 200 OK\r\n\r\n[{"a":1}]'


def test_a_body_without_length_ends_with_the_goodbye_of_tls(server_context: ssl.SSLContext, certificate: Path) -> None:
    assert asked(ending(UNSIZED, say_goodbye), server_context, certificate) == b'[{"a":1}]'


@pytest.mark.parametrize(
    "data",
    [UNSIZED, b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{}", b"HTTP/1.1 200 OK\r\n", b""],
    ids=["no length", "short", "head", "nothing"],
)
def test_an_answer_that_is_cut_under_tls_is_no_answer(
    server_context: ssl.SSLContext, certificate: Path, data: bytes
) -> None:
    """(faults F015, F083)"""
    with pytest.raises(ConnectionFailed) as caught:
        asked(ending(data, cut_under_tls), server_context, certificate)
    assert caught.value.outcome == "unknown"


def test_a_handshake_that_is_never_answered_ends_with_the_deadline(certificate: Path) -> None:
    """(fault F014)"""
    with Peer(wait_for_end) as peer:
        client = HttpClient(
            f"https://127.0.0.1:{peer.port}", CLOCK, connect_timeout=3600, read_timeout=3600, max_body_bytes=99,
            network=NetworkParts(ca_file=str(certificate)),
        )  # fmt: skip
        with pytest.raises((ConnectionFailed, RequestTimeout)) as caught:
            Background(lambda: client.send(GET, Deadline.after(CLOCK.monotonic_ns(), 0.1))).result()
        assert caught.value.outcome == "not_sent"
        client.close()
