"""REST calls that another thread breaks off, wherever they are, and a child process that lets go of them."""

from __future__ import annotations

import contextlib
import os
import socket
import ssl
import stat
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from exconn_sync._machines.deadline import Deadline
from exconn_sync._runtime.lookup import AddressInfo, LookupPool
from exconn_sync._transport.http import HttpClient
from exconn_sync._transport.network import NetworkParts, resolve_inline
from exconn_sync.errors import ConnectionFailed, RequestTimeout
from exconn_sync.model.wire import HttpRequest
from exconn_sync.ports.clock import SystemClock
from tests.unit.support import LIMIT, Background, in_threads, until
from tests.unit.transport.peers import Peer, Script, blackhole, read_head, wait_for_end

CLOCK = SystemClock()
CANARY = "canary-signature"
GET = HttpRequest("GET", f"/x?signature={CANARY}", {})
NEVER = Deadline(None)
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"


@contextmanager
def client_of(port: int, scheme: str = "http", network: NetworkParts | None = None) -> Iterator[HttpClient]:
    client = HttpClient(
        f"{scheme}://{'127.0.0.1' if network is None or network.resolver is resolve_inline else 'exchange'}:{port}",
        CLOCK, connect_timeout=3600, read_timeout=3600, max_body_bytes=100_000_000, network=network,
    )  # fmt: skip
    try:
        yield client
    finally:
        client.close()


def cut(client: HttpClient, reached: Callable[[], object], request: HttpRequest = GET) -> ConnectionFailed:
    """Return the error of a call that is cut when a condition holds."""
    calling = Background(lambda: client.send(request, NEVER))
    until(reached)
    assert calling.is_running
    client.cut(only_background=True)
    assert calling.is_running, "nobody asked for this one"
    client.cut(only_background=False)
    with pytest.raises(ConnectionFailed) as caught:
        calling.result()
    client.cut(only_background=False)
    assert CANARY not in str(caught.value) + repr(vars(caught.value))
    assert client.wait_idle(0)
    return caught.value


class Stages:
    """Scripts that stop somewhere and say that they are there."""

    def __init__(self) -> None:
        self.reached = threading.Event()

    def after_head(self, data: bytes) -> Script:
        def script(sock: socket.socket) -> None:
            read_head(sock)
            sock.sendall(data)
            self.reached.set()
            wait_for_end(sock)

        return script

    def before_tls(self, sock: socket.socket) -> None:
        assert sock.recv(1)
        self.reached.set()
        wait_for_end(sock)


@pytest.fixture
def stages() -> Stages:
    return Stages()


PARTS = {
    "no answer": b"",
    "half a head": b"HTTP/1.1 200 OK\r\nX: ",
    "sized body": b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{",
    "body without length": b"HTTP/1.1 200 OK\r\n\r\n{}",
    "chunks": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n",
}


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("data", PARTS.values(), ids=PARTS)
def test_a_call_that_reads_is_unknown(
    data: bytes, scheme: str, stages: Stages, server_context: ssl.SSLContext, certificate: Path
) -> None:
    """A body without length that a cut ended is no whole answer (fault F147)."""
    network = NetworkParts(ca_file=str(certificate))
    context = server_context if scheme == "https" else None
    with Peer(stages.after_head(data), context) as peer, client_of(peer.port, scheme, network) as client:
        assert cut(client, stages.reached.is_set).outcome == "unknown"


def test_a_call_that_writes_is_unknown(stages: Stages) -> None:
    """The peer takes the head and no more (faults F012, F147)."""

    def script(sock: socket.socket) -> None:
        read_head(sock)
        stages.reached.set()
        over.wait(LIMIT)

    over = threading.Event()
    with Peer(script) as peer, client_of(peer.port) as client:
        error = cut(client, stages.reached.is_set, HttpRequest("POST", "/x", {}, b"x" * 50_000_000))
        over.set()
    assert error.outcome == "unknown"


def test_a_write_that_the_peer_does_not_take_ends_with_the_deadline() -> None:
    """(fault F012)"""
    over = threading.Event()

    def script(sock: socket.socket) -> None:
        read_head(sock)
        over.wait(LIMIT)

    request = HttpRequest("POST", "/x", {}, b"x" * 50_000_000)
    with Peer(script) as peer, client_of(peer.port) as client:
        with pytest.raises(RequestTimeout) as caught:
            Background(lambda: client.send(request, Deadline.after(CLOCK.monotonic_ns(), 0.1))).result()
        over.set()
    assert caught.value.outcome == "unknown"


def test_a_call_in_the_handshake_of_tls_is_not_sent(stages: Stages) -> None:
    """(faults F014, F147)"""
    with Peer(stages.before_tls) as peer, client_of(peer.port, "https") as client:
        assert cut(client, stages.reached.is_set).outcome == "not_sent"


def test_a_call_that_connects_is_not_sent() -> None:
    """(faults F002, F147)"""
    with blackhole() as port, client_of(port) as client:
        assert cut(client, lambda: _attempts(client)).outcome == "not_sent"


def test_a_call_that_resolves_a_name_is_not_sent() -> None:
    """(faults F004, F147)"""
    asked, over = threading.Event(), threading.Event()

    def resolve(host: str, port: int) -> Sequence[AddressInfo]:
        asked.set()
        over.wait(60)
        return []

    with client_of(1, network=NetworkParts(resolver=LookupPool(resolve))) as client:
        assert cut(client, asked.is_set).outcome == "not_sent"
    over.set()


def _attempts(client: HttpClient) -> bool:
    return any(call.wakeup is not None for call in list(client._running._calls))


def test_a_call_on_a_connection_that_was_used_before_is_cut_too() -> None:
    served = threading.Semaphore(0)

    def script(sock: socket.socket) -> None:
        read_head(sock)
        sock.sendall(ANSWER)
        read_head(sock)
        served.release()
        wait_for_end(sock)

    with Peer(script) as peer, client_of(peer.port) as client:
        assert client.send(GET, NEVER).body == b"{}"
        assert cut(client, lambda: served.acquire(blocking=False)).outcome == "unknown"
        assert peer.connections == 1


def test_background_calls_are_cut_alone_and_what_was_cut_stays_cut(stages: Stages) -> None:
    """(fault F147)"""
    go_on = threading.Event()

    def script(sock: socket.socket) -> None:
        head = read_head(sock)
        served.append(head.split()[1])
        if head.startswith("GET /mine"):
            assert go_on.wait(LIMIT)
            sock.sendall(ANSWER)
        wait_for_end(sock)

    served: list[str] = []
    with Peer(script) as peer, client_of(peer.port) as client:
        own = Background(lambda: client.send(HttpRequest("GET", "/mine", {}), NEVER))
        others = [
            Background(lambda: client.send(HttpRequest("GET", "/worker", {}), NEVER, is_background=True))
            for _ in range(3)
        ]
        until(lambda: len(served) == 4)
        client.cut(only_background=True)
        for other in others:
            with pytest.raises(ConnectionFailed, match="broken off"):
                other.result()
        with pytest.raises(ConnectionFailed, match="stopped before") as caught:
            client.send(GET, NEVER, is_background=True)
        assert caught.value.outcome == "not_sent"
        assert not client.wait_idle(0)
        go_on.set()
        assert own.result().body == b"{}"
        assert client.wait_idle(LIMIT)
        client.cut(only_background=False)
        with pytest.raises(ConnectionFailed, match="stopped before"):
            client.send(GET, NEVER)
        assert len(served) == 4


def test_calls_of_many_threads_end_with_a_cut_at_any_moment() -> None:
    """Each call ends, with an answer or an error that says what became of it (fault F147)."""

    def script(sock: socket.socket) -> None:
        while True:
            read_head(sock)
            sock.sendall(ANSWER)

    for calls in range(0, 60, 5):
        with Peer(script) as peer, client_of(peer.port) as client:
            done = [0]

            def body(index: int, client: HttpClient = client, done: list[int] = done, calls: int = calls) -> None:
                try:
                    while True:
                        assert client.send(GET, NEVER).body == b"{}"
                        done[0] += 1
                        if index == 0 and done[0] >= calls:
                            client.cut(only_background=False)
                except ConnectionFailed as error:
                    assert error.outcome in ("not_sent", "unknown")  # noqa: PT017 - the loop has no other end

            in_threads(6, body)
            assert client.wait_idle(0)


def test_who_waits_for_the_end_of_all_calls_does_not_wait_for_itself() -> None:
    """A signal handler may stop a connector in the middle of the call of its own thread."""
    seen: list[bool] = []

    class Handler(SystemClock):
        def time_ns(self) -> int:
            seen.append(client.wait_idle(LIMIT))
            return 1

    def script(sock: socket.socket) -> None:
        read_head(sock)
        sock.sendall(ANSWER)
        wait_for_end(sock)

    with Peer(script) as peer:
        client = HttpClient(
            f"http://127.0.0.1:{peer.port}", Handler(), connect_timeout=LIMIT, read_timeout=LIMIT, max_body_bytes=9
        )
        client.send(GET, NEVER)
        client.close()
    assert seen == [True]


# --- a child process ------------------------------------------------------------------------------------------------


@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_a_child_closes_what_it_inherited_and_the_parent_goes_on(
    server_context: ssl.SSLContext, certificate: Path
) -> None:
    """Not a byte reaches the peer from the child, though a lock was held at the fork (faults F124, F125)."""
    served = threading.Semaphore(0)
    go_on = threading.Event()

    def script(sock: socket.socket) -> None:
        head = read_head(sock)
        sock.sendall(ANSWER)
        assert head.startswith("GET /first")
        assert read_head(sock).startswith("GET /second")
        served.release()
        assert go_on.wait(LIMIT)
        sock.sendall(ANSWER)
        wait_for_end(sock)

    network = NetworkParts(ca_file=str(certificate))
    with Peer(script, server_context) as peer, client_of(peer.port, "https", network) as client:
        client.send(HttpRequest("GET", "/first", {}), NEVER)
        calling = Background(lambda: client.send(HttpRequest("GET", "/second", {}), NEVER))
        assert served.acquire(timeout=LIMIT)
        peers = _to(peer.port)

        with client._running._lock:
            child = _fork(lambda: _to(peer.port) == [])
        assert len(peers) == 2, "the connection and the copy of its descriptor"
        assert child == 0
        go_on.set()
        assert calling.result().body == b"{}"
        assert peer.connections == 1


def _to(port: int) -> list[int]:
    """Return the descriptors of connections of this process to a port."""
    found = []
    for number in [int(entry.name) for entry in Path("/proc/self/fd").iterdir()]:
        with contextlib.suppress(OSError, IndexError):
            if stat.S_ISSOCK(os.fstat(number).st_mode):
                with socket.socket(fileno=os.dup(number)) as copy:
                    name = copy.getpeername()
                    if isinstance(name, tuple) and name[1] == port:
                        found.append(number)
    return found


def _fork(check: Callable[[], bool]) -> int:
    """Return the exit status of a child that runs a check."""
    child = os.fork()
    if child == 0:
        try:
            os._exit(0 if check() else 1)
        finally:
            os._exit(2)
    _, status = Background(lambda: os.waitpid(child, 0)).result()
    return os.waitstatus_to_exitcode(status)


def test_a_child_does_not_wait_for_the_calls_of_its_parent(stages: Stages) -> None:
    """No thread of the child will ever end them (fault F125)."""
    with Peer(stages.after_head(b"")) as peer, client_of(peer.port) as client:
        calling = Background(lambda: client.send(GET, NEVER))
        until(stages.reached.is_set)
        busy = client.wait_idle(0)
        client._running.renew_in_child()
        idle = client.wait_idle(0)
        peer.__exit__(None, None, None)
        with pytest.raises(ConnectionFailed):
            calling.result()
        assert (busy, idle) == (False, True)


def test_who_waits_for_the_end_of_all_calls_hears_of_it(stages: Stages) -> None:
    """At once, and not when the limit of the wait is over."""
    with Peer(stages.after_head(b"")) as peer, client_of(peer.port) as client:
        calling = Background(lambda: client.send(GET, NEVER))
        until(stages.reached.is_set)
        waiting = Background(lambda: client.wait_idle(None))
        until(lambda: client._running._lock._waiters)  # type: ignore[attr-defined]
        client.cut(only_background=False)
        assert waiting.result()
        with pytest.raises(ConnectionFailed):
            calling.result()


def test_after_a_cut_of_background_calls_the_others_can_still_be_made() -> None:
    """A stop still cancels orders while it lets go of everything else."""

    def script(sock: socket.socket) -> None:
        read_head(sock)
        sock.sendall(ANSWER)
        wait_for_end(sock)

    with Peer(script) as peer, client_of(peer.port) as client:
        client.cut(only_background=True)
        with pytest.raises(ConnectionFailed) as caught:
            client.send(GET, NEVER, is_background=True)
        assert caught.value.outcome == "not_sent"
        assert client.send(GET, NEVER).status == 200


def test_a_connection_is_made_within_the_deadline_of_its_call() -> None:
    """However long connecting may take otherwise (fault F002)."""
    with blackhole() as port, client_of(port) as client:
        calling = Background(lambda: client.send(GET, Deadline.after(CLOCK.monotonic_ns(), 0.05)))
        with pytest.raises((ConnectionFailed, RequestTimeout)) as caught:
            calling.result()
        assert caught.value.outcome == "not_sent"
