"""A WebSocket connection against peers that behave and peers that do not."""

from __future__ import annotations

import contextlib
import select
import socket
import ssl
import threading
from pathlib import Path

import pytest

from exconn_sync._transport.frames import Frames
from exconn_sync._transport.network import NetworkParts
from exconn_sync._transport.waiting import Waiter
from exconn_sync._transport.wakeup import Wakeup
from exconn_sync.errors import ConnectionFailed, ProtocolError
from tests.unit.support import LIMIT, Background, until
from tests.unit.transport.peers import (
    Peer,
    frame,
    read_frame,
    reset,
    upgrade,
    wait_for_end,
)
from tests.unit.transport.streams import connect, read, read_on, serving


def test_messages_arrive_and_pings_can_be_answered(wakeup: Wakeup) -> None:
    got: list[tuple[int, bytes]] = []

    def script(sock: socket.socket) -> None:
        head = upgrade(sock)
        assert head.startswith("GET /ws HTTP/1.1\r\n")
        sock.sendall(frame(b"one") + frame(b"beat", 0x9) + frame(b"two"))
        got.extend(read_frame(sock) for _ in range(4))
        has_read.set()

    has_read = threading.Event()
    with Peer(script) as peer:
        stream = connect(peer.port, wakeup)
        assert read(stream) == Frames([b"one", b"two"], [b"beat"], [], None)
        stream.send_pong(b"beat")
        stream.send_ping(b"mine")
        stream.send_text(b'{"a":' + b"1" * 70_000 + b"}")
        stream.close()
        # The peer hangs up at the end, whatever it has read by then.
        assert has_read.wait(LIMIT)
    assert [opcode for opcode, _ in got] == [0xA, 0x9, 0x1, 0x8]
    assert got[0][1] == b"beat"
    assert len(got[2][1]) == 70_006
    assert got[3][1] == (1000).to_bytes(2, "big")


def test_what_comes_with_the_answer_to_the_handshake_is_not_lost(wakeup: Wakeup) -> None:
    def script(sock: socket.socket) -> None:
        upgrade(sock, frame(b"first"))
        wait_for_end(sock)

    with Peer(script) as peer:
        stream = connect(peer.port, wakeup)
        assert read(stream).messages == [b"first"]
        stream.close()


def test_a_wake_up_ends_a_wait(wakeup: Wakeup) -> None:
    with Peer(serving()) as peer, Waiter(wakeup) as waiter:
        stream = connect(peer.port, wakeup)
        waiter.add(stream)
        waiting = Background(lambda: waiter.wait(None))
        wakeup.wake()
        assert waiting.result() == []
        assert waiter.wait(0) == []
        assert stream.read() is None
        waiter.remove(stream)
        stream.close()


def test_two_connections_are_watched_at_once(wakeup: Wakeup) -> None:
    go_on = threading.Event()

    def script(sock: socket.socket) -> None:
        upgrade(sock)
        assert go_on.wait(LIMIT)
        sock.sendall(frame(b"late"))
        wait_for_end(sock)

    with Peer(serving()) as quiet, Peer(script) as talker, Waiter(wakeup) as waiter:
        silent, speaking = connect(quiet.port, wakeup), connect(talker.port, wakeup)
        waiter.add(silent)
        waiter.add(speaking)
        assert waiter.wait(0) == []
        go_on.set()
        assert waiter.wait(LIMIT) == [speaking]
        waiter.remove(speaking)
        assert waiter.wait(0) == []
        assert read(speaking).messages == [b"late"]
        for stream in (silent, speaking):
            stream.close()


def test_an_open_connection_outlives_the_wakeup_of_its_dial() -> None:
    own = Wakeup()
    with Peer(serving(frame(b"one"))) as peer:
        stream = connect(peer.port, own)
        own.close()
        assert read(stream).messages == [b"one"]
        stream.close()


@pytest.mark.parametrize("scheme", ["ws", "wss"])
def test_a_cut_from_another_thread_ends_the_read(
    wakeup: Wakeup, scheme: str, server_context: ssl.SSLContext, certificate: Path
) -> None:
    network = NetworkParts(ca_file=str(certificate))
    with Peer(serving(), server_context if scheme == "wss" else None) as peer, Waiter(wakeup) as waiter:
        stream = connect(peer.port, wakeup, scheme=scheme, network=network)
        waiter.add(stream)
        while waiter.wait(0):
            # Session tickets of TLS.
            assert stream.read() is None
        waiting = Background(lambda: waiter.wait(None))
        stream.cut()
        assert waiting.result() == [stream]
        with pytest.raises(ConnectionFailed):
            stream.read()
        waiter.remove(stream)
        stream.close()
        stream.cut()
        stream.close()


def test_a_cut_ends_a_write_that_the_peer_does_not_take(wakeup: Wakeup) -> None:
    """Somebody else gives up on a thread that is stuck in a write (fault F012)."""
    done = threading.Event()

    def script(sock: socket.socket) -> None:
        upgrade(sock)
        done.wait(LIMIT)

    with Peer(script) as peer:
        stream = connect(peer.port, wakeup, write_timeout=3600)
        writing = Background(lambda: stream.send_text(b"x" * 20_000_000))
        until(lambda: not select.select([], [stream], [], 0)[1])
        stream.cut()
        with pytest.raises(ConnectionFailed):
            writing.result()
        stream.close()
        done.set()


def test_a_goodbye_waits_neither_for_an_answer_nor_for_room(wakeup: Wakeup) -> None:
    """(fault F009, F012)"""
    done = threading.Event()

    def script(sock: socket.socket) -> None:
        upgrade(sock)
        done.wait(LIMIT)

    with Peer(script) as peer:
        stream = connect(peer.port, wakeup, write_timeout=3600)
        with contextlib.suppress(BlockingIOError):
            while True:
                stream._sock.send(b"x" * 65536)
        Background(stream.close).result()
        done.set()


def test_an_unfinished_message_is_known(wakeup: Wakeup) -> None:
    """The session bounds the time one message may take to arrive (fault F011)."""
    whole = frame(b"x" * 100)
    steps = [whole[:50], whole[50:], frame(b"a", 0x1, 0), frame(b"b", 0x0, 1)]
    go_on = threading.Semaphore(0)

    def script(sock: socket.socket) -> None:
        upgrade(sock)
        for step in steps:
            assert go_on.acquire(timeout=LIMIT)
            sock.sendall(step)
        wait_for_end(sock)

    with Peer(script) as peer:
        stream = connect(peer.port, wakeup)
        seen = [stream.is_partial]
        for _ in steps:
            go_on.release()
            read(stream)
            seen.append(stream.is_partial)
        stream.close()
    assert seen == [False, True, False, True, False]


def test_what_tls_decrypted_with_the_answer_to_the_handshake_is_not_lost(
    wakeup: Wakeup, server_context: ssl.SSLContext, certificate: Path
) -> None:
    """No socket announces bytes that are already inside the TLS layer (fault F016)."""

    def script(sock: socket.socket) -> None:
        upgrade(sock, frame(b"first"))
        wait_for_end(sock)

    with Peer(script, server_context) as peer:
        stream = connect(peer.port, wakeup, scheme="wss", network=NetworkParts(ca_file=str(certificate)))
        assert read(stream).messages == [b"first"]
        stream.close()


def test_a_close_is_told_with_its_code(wakeup: Wakeup) -> None:
    """(fault F026)"""
    with Peer(serving(frame((1008).to_bytes(2, "big") + b"policy", 0x8))) as peer:
        stream = connect(peer.port, wakeup)
        close = read(stream).close
        assert close is not None
        assert (close.code, close.reason) == (1008, "policy")
        stream.close()


def test_an_end_without_goodbye_is_a_failure(wakeup: Wakeup) -> None:
    """(fault F007)"""

    def script(sock: socket.socket) -> None:
        upgrade(sock)

    with Peer(script) as peer:
        stream = connect(peer.port, wakeup)
        with pytest.raises(ConnectionFailed, match="without a goodbye") as caught:
            read(stream)
        assert caught.value.temporary
        stream.close()


def test_a_reset_is_a_failure_and_no_partial_message_is_given(wakeup: Wakeup) -> None:
    """(fault F006)"""
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


VIOLATIONS = {
    "too long a frame": (bytes([0x81, 127]) + (2**40).to_bytes(8, "big"), 1009),
    "2^63 bytes": (bytes([0x81, 127]) + (2**63).to_bytes(8, "big"), 1009),
    "too many fragments": (frame(b"x" * 700_000, 0x1, 0) + frame(b"x" * 700_000, 0x0, 0), 1009),
    "masked": (bytes([0x81, 0x81]) + b"mask" + b"x", 1002),
    "compressed": (bytes([0xC1, 1]) + b"x", 1002),
    "unknown opcode": (bytes([0x83, 0]), 1002),
    "long ping": (frame(b"x" * 126, 0x9), 1002),
    "fragmented ping": (frame(b"x", 0x9, 0), 1002),
    "continuation of nothing": (frame(b"x", 0x0), 1002),
}


@pytest.mark.parametrize(("data", "code"), VIOLATIONS.values(), ids=VIOLATIONS)
def test_a_violation_of_the_protocol_ends_the_connection_and_the_peer_is_told(
    wakeup: Wakeup, data: bytes, code: int
) -> None:
    """(faults F028, F029, F031)"""
    got: list[tuple[int, bytes]] = []

    def script(sock: socket.socket) -> None:
        upgrade(sock)
        sock.sendall(data)
        got.append(read_frame(sock))

    with Peer(script) as peer:
        stream = connect(peer.port, wakeup)
        with pytest.raises(ProtocolError):
            read_on(stream)
        stream.close()
    assert got == [(0x8, code.to_bytes(2, "big"))]


def test_the_code_of_a_goodbye_can_be_chosen(wakeup: Wakeup) -> None:
    """Who finds a text that is not UTF-8 says so (fault F030)."""
    got: list[tuple[int, bytes]] = []

    def script(sock: socket.socket) -> None:
        upgrade(sock)
        got.append(read_frame(sock))

    with Peer(script) as peer:
        connect(peer.port, wakeup).close(1007)
    assert got == [(0x8, (1007).to_bytes(2, "big"))]


def test_a_peer_that_does_not_read_ends_in_a_failure(wakeup: Wakeup) -> None:
    """(fault F012)"""
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


# --- TLS ------------------------------------------------------------------------------------------------------------


def test_a_trusted_connection_carries_messages_both_ways(
    wakeup: Wakeup, server_context: ssl.SSLContext, certificate: Path
) -> None:
    got: list[tuple[int, bytes]] = []
    size = 300_000

    def script(sock: socket.socket) -> None:
        upgrade(sock)
        sock.sendall(frame(b"x" * size) + frame(b"last"))
        got.append(read_frame(sock))

    with Peer(script, server_context) as peer:
        stream = connect(peer.port, wakeup, scheme="wss", network=NetworkParts(ca_file=str(certificate)))
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


def test_after_a_frame_that_was_cut_short_no_goodbye_is_said(wakeup: Wakeup) -> None:
    """The peer would take it for the rest of the frame (fault F009)."""
    go_on, has_room, ended = threading.Event(), threading.Event(), threading.Event()
    got = bytearray()

    def script(sock: socket.socket) -> None:
        upgrade(sock)
        assert go_on.wait(LIMIT)
        while data := sock.recv(1 << 16):
            got.extend(data)
            has_room.set()
        ended.set()

    with Peer(script) as peer:
        stream = connect(peer.port, wakeup, write_timeout=0.05)
        with pytest.raises(ConnectionFailed):
            stream.send_text(b"x" * 20_000_000)
        go_on.set()
        assert has_room.wait(LIMIT)
        assert select.select([], [stream], [], LIMIT)[1]
        stream.close()
        assert ended.wait(LIMIT)
    # Opcode, a length of ten bytes in all, the mask; then nothing but the masked text.
    mask, text = got[10:14], got[14:]
    assert len(text) < 20_000_000
    assert text[-8:] == bytes(ord("x") ^ mask[index % 4] for index in range(len(text) - 8, len(text)))


def test_an_end_that_came_with_data_is_told_though_nothing_announces_it(
    wakeup: Wakeup, server_context: ssl.SSLContext, certificate: Path
) -> None:
    """TLS has said goodbye, and its connection stays open (faults F015, F016)."""
    told, over = threading.Event(), threading.Event()

    def script(sock: socket.socket) -> None:
        upgrade(sock)
        sock.sendall(frame(b"last"))
        sock.settimeout(0)
        with contextlib.suppress(ssl.SSLWantReadError):
            sock.unwrap()  # type: ignore[attr-defined]
        told.set()
        over.wait(3 * LIMIT)

    with Peer(script, server_context) as peer:
        stream = connect(peer.port, wakeup, scheme="wss", network=NetworkParts(ca_file=str(certificate)))
        assert told.wait(LIMIT)
        assert read(stream).messages == [b"last"]
        try:
            with pytest.raises(ConnectionFailed):
                read(stream)
        finally:
            over.set()
            stream.close()


class Flooded:
    """An encrypted connection that always has something to say."""

    is_tls, has_pending = True, True

    def __init__(self, sock: socket.socket) -> None:
        self.fileno = sock.fileno


def test_what_tls_keeps_hides_neither_other_connections_nor_a_wake_up(wakeup: Wakeup) -> None:
    """A connection that floods us does not silence its successor (fault F016)."""
    mine, theirs = socket.socketpair()
    with mine, theirs, Peer(serving(frame(b"here"))) as peer, Waiter(wakeup) as waiter:
        flooded, stream = Flooded(mine), connect(peer.port, wakeup)
        waiter.add(flooded)  # type: ignore[arg-type]
        waiter.add(stream)
        wakeup.wake()
        assert select.select([stream], [], [], LIMIT)[0]
        assert waiter.wait(LIMIT) == [flooded, stream]
        waiter.remove(flooded)  # type: ignore[arg-type]
        waiter.remove(stream)
        assert waiter.wait(0) == [], "the wake-up was taken"
        stream.close()
