"""A WebSocket connection against peers that behave and peers that do not."""

from __future__ import annotations

import contextlib
import errno
import socket
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from exconn_sync._transport.dial import dial
from exconn_sync._transport.frames import Frames
from exconn_sync._transport.wakeup import Wakeup
from exconn_sync._transport.websocket import StreamSocket
from exconn_sync.errors import ConnectionFailed, ProtocolError
from tests.unit.support import LIMIT, Background, until
from tests.unit.transport.peers import Peer, Script, frame, read_frame, read_head, reset, upgrade, wait_for_end


@pytest.fixture
def wakeup() -> Iterator[Wakeup]:
    made = Wakeup()
    yield made
    made.close()


def connect(
    port: int, wakeup: Wakeup, *, scheme: str = "ws", stop: threading.Event | None = None, **more: Any
) -> StreamSocket:
    options: dict[str, Any] = {"connect_timeout": LIMIT, "write_timeout": LIMIT, "max_message_bytes": 1 << 20, **more}
    is_stopped = (stop or threading.Event()).is_set
    return StreamSocket.connect(f"{scheme}://127.0.0.1:{port}/ws", wakeup, is_stopped, **options)


def read(stream: StreamSocket) -> Frames:
    frames = stream.wait(LIMIT)
    assert frames is not None
    return frames


def serving(*data: bytes) -> Script:
    """Return a script that sends this after the handshake and then listens."""

    def script(sock: socket.socket) -> None:
        upgrade(sock)
        sock.sendall(b"".join(data))
        wait_for_end(sock)

    return script


def test_messages_arrive_and_pings_can_be_answered(wakeup: Wakeup) -> None:
    got: list[tuple[int, bytes]] = []

    def script(sock: socket.socket) -> None:
        head = upgrade(sock)
        assert head.startswith("GET /ws HTTP/1.1\r\n")
        sock.sendall(frame(b"one") + frame(b"beat", 0x9) + frame(b"two"))
        got.extend(read_frame(sock) for _ in range(4))

    with Peer(script) as peer:
        stream = connect(peer.port, wakeup)
        assert read(stream) == Frames([b"one", b"two"], [b"beat"], [], None)
        stream.send_pong(b"beat")
        stream.send_ping(b"mine")
        stream.send_text(b'{"a":' + b"1" * 70_000 + b"}")
        stream.close()
    assert [opcode for opcode, _ in got] == [0xA, 0x9, 0x1, 0x8]
    assert got[0][1] == b"beat"
    assert len(got[2][1]) == 70_006
    assert got[3][1] == (1000).to_bytes(2, "big")


def test_what_comes_with_the_answer_to_the_handshake_is_not_lost(wakeup: Wakeup) -> None:
    class Together:
        """Sends the answer and the first message in one packet."""

        def __init__(self, sock: socket.socket) -> None:
            self.sock = sock

        def recv(self, size: int) -> bytes:
            return self.sock.recv(size)

        def sendall(self, data: bytes) -> None:
            self.sock.sendall(data + frame(b"first"))

    def script(sock: socket.socket) -> None:
        together: Any = Together(sock)
        upgrade(together)
        wait_for_end(sock)

    with Peer(script) as peer:
        stream = connect(peer.port, wakeup)
        assert read(stream).messages == [b"first"]
        stream.close()


def test_a_wake_up_ends_a_wait(wakeup: Wakeup) -> None:
    with Peer(serving()) as peer:
        stream = connect(peer.port, wakeup)
        waiter = Background(lambda: stream.wait(None))
        wakeup.wake()
        assert waiter.result() is None
        assert stream.wait(0) is None
        stream.close()


def test_a_close_is_told_with_its_code(wakeup: Wakeup) -> None:
    with Peer(serving(frame((1008).to_bytes(2, "big") + b"policy", 0x8))) as peer:
        stream = connect(peer.port, wakeup)
        close = read(stream).close
        assert close is not None
        assert (close.code, close.reason) == (1008, "policy")
        stream.close()


def test_an_end_without_goodbye_is_a_failure(wakeup: Wakeup) -> None:
    def script(sock: socket.socket) -> None:
        upgrade(sock)

    with Peer(script) as peer:
        stream = connect(peer.port, wakeup)
        with pytest.raises(ConnectionFailed, match="without a goodbye") as caught:
            read(stream)
        assert caught.value.temporary
        stream.close()


def test_a_reset_is_a_failure_and_no_partial_message_is_given(wakeup: Wakeup) -> None:
    go_on = threading.Event()

    def script(sock: socket.socket) -> None:
        upgrade(sock)
        sock.sendall(frame(b"whole") + frame(b"x" * 100)[:50])
        assert go_on.wait(LIMIT)
        reset(sock)

    with Peer(script) as peer:
        stream = connect(peer.port, wakeup)
        assert read(stream).messages == [b"whole"]
        go_on.set()
        with pytest.raises(ConnectionFailed, match="broke"):
            read(stream)
        stream.close()


def test_a_violation_of_the_protocol_is_an_error_of_the_connection(wakeup: Wakeup) -> None:
    with Peer(serving(bytes([0x81, 127]) + (2**40).to_bytes(8, "big"))) as peer:
        stream = connect(peer.port, wakeup)
        with pytest.raises(ProtocolError):
            read(stream)
        stream.close()


def test_a_peer_that_does_not_read_ends_in_a_failure(wakeup: Wakeup) -> None:
    done = threading.Event()

    def script(sock: socket.socket) -> None:
        upgrade(sock)
        done.wait(LIMIT)

    with Peer(script) as peer:
        stream = connect(peer.port, wakeup, write_timeout=0.05)
        # More than the buffers of both sides can hold.
        with pytest.raises(ConnectionFailed, match="did not take our bytes"):
            stream.send_text(b"x" * 20_000_000)
        stream.close()
        done.set()


# --- opening --------------------------------------------------------------------------------------------------------


def test_a_closed_port_is_not_sent_and_temporary(wakeup: Wakeup) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(ConnectionFailed, match="refused") as caught:
        connect(port, wakeup)
    assert (caught.value.outcome, caught.value.temporary) == ("not_sent", True)


@pytest.mark.parametrize(
    ("status", "temporary"), [(404, False), (400, False), (401, False), (403, True), (429, True), (503, True)]
)
def test_a_refused_handshake_tells_its_status(wakeup: Wakeup, status: int, temporary: bool) -> None:
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


@pytest.mark.parametrize("status", [301, 302, 307])
def test_a_redirect_is_not_followed(wakeup: Wakeup, status: int) -> None:
    with Peer(serving()) as other:

        def script(sock: socket.socket) -> None:
            read_head(sock)
            sock.sendall(f"HTTP/1.1 {status} Go\r\nLocation: ws://127.0.0.1:{other.port}/\r\n\r\n".encode())
            wait_for_end(sock)

        with Peer(script) as peer, pytest.raises(ConnectionFailed):
            connect(peer.port, wakeup)
        assert other.connections == 0


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


@contextlib.contextmanager
def blackhole() -> Iterator[int]:
    """Give a port whose queue of connections is full: further ones are neither taken nor refused."""
    with socket.socket() as listener, contextlib.ExitStack() as stack:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        address = listener.getsockname()
        for _ in range(3):
            filler = stack.enter_context(socket.socket())
            filler.setblocking(False)
            assert filler.connect_ex(address) in (0, errno.EINPROGRESS)
        yield address[1]


def test_a_stop_breaks_the_dialling_of_an_address_that_never_answers(wakeup: Wakeup) -> None:
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
    with blackhole() as dead, socket.create_server(("127.0.0.1", 0)) as alive:

        def resolve(*arguments: object, **options: object) -> list[Any]:
            kind = (socket.AF_INET, socket.SOCK_STREAM, 6, "")
            return [(*kind, ("127.0.0.1", dead)), (*kind, alive.getsockname())]

        monkeypatch.setattr(socket, "getaddrinfo", resolve)
        with dial("exchange", 1, 0.4, wakeup, lambda: False) as sock:
            assert sock.getpeername() == alive.getsockname()
            assert sock.getblocking()


def test_dialling_gives_up_after_its_time(wakeup: Wakeup) -> None:
    with blackhole() as port, pytest.raises(ConnectionFailed, match="timed out"):
        dial("127.0.0.1", port, 0.05, wakeup, lambda: False)


@pytest.mark.parametrize("host", ["no-such-host.invalid", "a" * 70, "x..y"])
def test_a_name_that_cannot_be_resolved_is_not_sent(wakeup: Wakeup, host: str) -> None:
    with pytest.raises(ConnectionFailed, match="cannot resolve") as caught:
        dial(host, 1, LIMIT, wakeup, lambda: False)
    assert caught.value.outcome == "not_sent"


def test_no_more_descriptors_is_a_failed_connection(wakeup: Wakeup, monkeypatch: pytest.MonkeyPatch) -> None:
    def exhausted(*arguments: object) -> socket.socket:
        raise OSError(errno.EMFILE, "Too many open files")

    monkeypatch.setattr(socket, "socket", exhausted)
    with pytest.raises(ConnectionFailed, match="Too many open files"):
        dial("127.0.0.1", 1, LIMIT, wakeup, lambda: False)


# --- TLS ------------------------------------------------------------------------------------------------------------


def test_an_unknown_certificate_is_refused_for_good(wakeup: Wakeup, server_context: ssl.SSLContext) -> None:
    with Peer(serving(), server_context) as peer:
        with pytest.raises(ConnectionFailed, match="certificate refused") as caught:
            connect(peer.port, wakeup, scheme="wss")
        assert not caught.value.temporary


def test_a_peer_without_tls_is_a_failure(wakeup: Wakeup) -> None:
    def script(sock: socket.socket) -> None:
        sock.recv(1)
        sock.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    with Peer(script) as peer, pytest.raises(ConnectionFailed):
        connect(peer.port, wakeup, scheme="wss")


def test_a_trusted_connection_carries_messages_both_ways(
    wakeup: Wakeup, server_context: ssl.SSLContext, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    got: list[tuple[int, bytes]] = []
    size = 300_000

    def script(sock: socket.socket) -> None:
        upgrade(sock)
        sock.sendall(frame(b"x" * size) + frame(b"last"))
        got.append(read_frame(sock))

    with Peer(script, server_context) as peer:
        stream = connect(peer.port, wakeup, scheme="wss")
        messages: list[bytes] = []
        while len(messages) < 2:
            messages += read(stream).messages
        assert list(map(len, messages)) == [size, 4]
        stream.send_text(b"y" * size)
        until(lambda: got)
        stream.close()
    assert got == [(0x1, b"y" * size)]


# --- wake-ups -------------------------------------------------------------------------------------------------------


def test_a_thousand_wake_ups_are_one_and_late_ones_are_ignored() -> None:
    wakeup = Wakeup()
    for _ in range(100_000):
        wakeup.wake()
    wakeup.drain()
    with pytest.raises(BlockingIOError):
        wakeup._receiver.recv(1)
    wakeup.close()
    wakeup.wake()
    wakeup.close()
