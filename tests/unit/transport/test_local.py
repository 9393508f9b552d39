"""Requests and streams that stay in the process."""

from __future__ import annotations

import selectors
from collections.abc import Callable, Iterator, Sequence

import pytest

from exconn_sync._machines.deadline import Deadline
from exconn_sync._transport.local import LocalHttp, LocalSocket, connect_stream, http_client
from exconn_sync._transport.network import NetworkParts
from exconn_sync._transport.waiting import Waiter
from exconn_sync._transport.wakeup import Wakeup
from exconn_sync.errors import ConnectionFailed, RequestTimeout
from exconn_sync.model.wire import HttpRequest, HttpResponse
from exconn_sync.ports.local_exchange import forget_local, register_local
from exconn_sync.testing import ManualClock

URL = "memory://echo"
REQUEST = HttpRequest("GET", "/path?signature=secret", {})


class EchoStream:
    """Says again what it is told."""

    def __init__(self, on_arrival: Callable[[], None]) -> None:
        self._on_arrival = on_arrival
        self._waiting: list[bytes] = []
        self.is_over = False

    def send(self, message: bytes) -> None:
        self._waiting.append(message)
        self._on_arrival()

    def receive(self) -> Sequence[bytes] | None:
        waiting, self._waiting = self._waiting, []
        return None if self.is_over and not waiting else waiting

    def close(self) -> None:
        self.is_over = True


class Echo:
    """Answers each request with its target."""

    def __init__(self) -> None:
        self.streams: list[EchoStream] = []

    def answer(self, request: HttpRequest) -> HttpResponse:
        return HttpResponse(200, {}, request.target.encode(), 7)

    def open(self, url: str, on_arrival: Callable[[], None]) -> EchoStream:
        if url.endswith("/nowhere"):
            raise ConnectionFailed("no such stream", outcome="not_sent")
        self.streams.append(EchoStream(on_arrival))
        return self.streams[-1]


@pytest.fixture
def echo() -> Iterator[Echo]:
    exchange = Echo()
    register_local("echo", exchange)
    yield exchange
    forget_local("echo")


@pytest.fixture
def sock(echo: Echo) -> Iterator[LocalSocket]:
    wakeup = Wakeup()
    made = connect_stream(
        URL, wakeup, lambda: False, connect_timeout=1, write_timeout=1, max_message_bytes=1, network=NetworkParts()
    )
    wakeup.close()
    assert isinstance(made, LocalSocket)
    yield made
    made.close()


def client(clock: ManualClock) -> LocalHttp:
    made = http_client(URL, clock, connect_timeout=1, read_timeout=1, max_body_bytes=1, network=NetworkParts())
    assert isinstance(made, LocalHttp)
    return made


def test_a_request_is_answered_at_once(echo: Echo) -> None:
    http = client(ManualClock())
    assert http.send(REQUEST, Deadline(None)) == HttpResponse(200, {}, b"/path?signature=secret", 7)
    assert http.wait_idle(None)
    http.close()


def test_a_request_without_time_or_after_the_stop_is_not_sent(echo: Echo) -> None:
    clock = ManualClock()
    http = client(clock)
    late = Deadline(clock.monotonic_ns())
    clock.advance(1)
    with pytest.raises(RequestTimeout) as no_time:
        http.send(REQUEST, late)
    http.cut(only_background=True)
    assert http.send(REQUEST, Deadline(None)).status == 200
    http.cut(only_background=False)
    with pytest.raises(ConnectionFailed) as cut:
        http.send(REQUEST, Deadline(None))
    assert [caught.value.outcome for caught in (no_time, cut)] == ["not_sent", "not_sent"]
    assert "secret" not in f"{no_time.value} {cut.value}"


def test_an_exchange_that_is_not_there() -> None:
    with pytest.raises(ConnectionFailed, match="no exchange of this process"):
        client(ManualClock()).send(REQUEST, Deadline(None))
    with pytest.raises(ConnectionFailed, match="no exchange of this process"):
        LocalSocket(URL)


def test_a_stream_that_is_not_there_leaves_nothing_open(echo: Echo) -> None:
    with pytest.raises(ConnectionFailed, match="no such stream"):
        LocalSocket(URL + "/nowhere")


def test_messages_wake_who_waits_for_them(sock: LocalSocket) -> None:
    wakeup = Wakeup()
    with Waiter(wakeup) as waiter:
        waiter.add(sock)
        assert waiter.wait(0) == []
        assert sock.read() is None
        sock.send_text(b"one")
        sock.send_text(b"two")
        assert waiter.wait(1) == [sock]
        frames = sock.read()
        assert frames is not None
        assert (frames.messages, frames.pings, frames.close) == ([b"one", b"two"], [], None)
        assert waiter.wait(0) == []
        waiter.remove(sock)
    wakeup.close()


def test_a_ping_is_answered(sock: LocalSocket) -> None:
    sock.send_ping(b"7")
    sock.send_pong(b"8")
    frames = sock.read()
    assert frames is not None
    assert (frames.messages, frames.pongs) == ([], [b"7"])
    assert (sock.is_partial, sock.has_pending, sock.is_tls) == (False, False, False)


def test_the_end_is_told_after_what_came_before(echo: Echo, sock: LocalSocket) -> None:
    sock.send_text(b"last")
    echo.streams[0].is_over = True
    frames = sock.read()
    assert frames is not None
    assert frames.messages == [b"last"]
    with pytest.raises(ConnectionFailed, match="ended the connection"):
        sock.read()


def test_a_cut_is_seen_by_the_owner(echo: Echo, sock: LocalSocket) -> None:
    with selectors.DefaultSelector() as selector:
        selector.register(sock, selectors.EVENT_READ)
        sock.cut()
        assert selector.select(1)
    with pytest.raises(ConnectionFailed):
        sock.read()
    assert echo.streams[0].is_over
