"""HTTP against servers that answer and servers that do not: what became of the request is always told rightly."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from exconn_sync._machines.deadline import Deadline
from exconn_sync._transport.http import HttpClient
from exconn_sync.errors import ConnectionFailed, ProtocolError, RequestTimeout
from exconn_sync.model.wire import HttpRequest, HttpResponse
from exconn_sync.ports.clock import SystemClock
from tests.unit.support import LIMIT, Background, in_threads
from tests.unit.transport.peers import Peer, Script, read_head, reset, wait_for_end

CLOCK = SystemClock()
CANARY = "canary-signature"
GET = HttpRequest("GET", f"/api/v3/time?signature={CANARY}", {"X-MBX-APIKEY": CANARY})


def within(seconds: float = LIMIT) -> Deadline:
    return Deadline.after(CLOCK.monotonic_ns(), seconds)


@contextmanager
def client_of(port: int, *, scheme: str = "http", path: str = "", **more: Any) -> Iterator[HttpClient]:
    options: dict[str, Any] = {"connect_timeout": LIMIT, "read_timeout": LIMIT, "max_body_bytes": 1 << 20, **more}
    client = HttpClient(f"{scheme}://127.0.0.1:{port}{path}", CLOCK, **options)
    try:
        yield client
    finally:
        client.close()


class Server:
    """A whole HTTP server that notes what it was asked."""

    def __init__(self, answer: Callable[[BaseHTTPRequestHandler], tuple[int, dict[str, str], bytes]]) -> None:
        self.requests: list[tuple[str, str, dict[str, str], bytes]] = []
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def _serve(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                headers = {name.lower(): value for name, value in self.headers.items()}
                server.requests.append((self.command, self.path, headers, body))
                status, headers, content = answer(self)
                self.send_response(status)
                for name, value in {"Content-Length": str(len(content)), **headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(content)

            do_GET = do_POST = do_DELETE = _serve  # noqa: N815

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = False
        self.port = self._server.server_port
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)

    def __enter__(self) -> Server:
        self._thread.start()
        return self

    def __exit__(self, *details: object) -> None:
        self._server.shutdown()
        self._thread.join(LIMIT)
        self._server.server_close()


@pytest.mark.parametrize("status", [200, 204, 400, 401, 404, 418, 429, 500, 503])
def test_every_status_is_an_answer(status: int) -> None:
    body = b"" if status == 204 else b'{"code": -1}'
    with Server(lambda handler: (status, {"Retry-After": "7"}, body)) as server, client_of(server.port) as client:
        response = client.send(GET, within())
        client.close()
    assert (response.status, response.body, response.headers["retry-after"]) == (status, body, "7")
    assert response.received_at > 0


def test_a_request_goes_over_the_wire_as_it_was_made() -> None:
    target = "/api/v3/order?symbol=BTCUSDT&x=a%2Bb%20c&x=%7B%22&signature=" + "0" * 64
    request = HttpRequest("POST", target, {"X-MBX-APIKEY": "k", "Content-Type": "text/x"}, b"a=1&b=%20")
    with Server(lambda handler: (200, {}, b"{}")) as server, client_of(server.port, path="/base") as client:
        client.send(request, within())
        client.send(HttpRequest("DELETE", "/x", {}), within())
        client.close()
    method, path, headers, body = server.requests[0]
    assert (method, path, body) == ("POST", "/base" + target, b"a=1&b=%20")
    assert headers["x-mbx-apikey"] == "k"
    assert server.requests[1][:2] == ("DELETE", "/base/x")


def test_a_redirect_is_an_answer_and_the_key_goes_nowhere_else() -> None:
    """(fault F087)"""
    with Server(lambda handler: (200, {}, b"stolen")) as other:
        location = f"http://127.0.0.1:{other.port}/"
        with (
            Server(lambda handler: (307, {"Location": location}, b"")) as server,
            client_of(server.port) as client,
        ):
            assert client.send(GET, within()).status == 307
            client.close()
    assert other.requests == []


def test_proxies_and_netrc_and_cookies_are_not_used(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """(fault F176)"""
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login user password canary\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    with Peer(wait_for_end) as proxy:
        for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY", "https_proxy"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
        monkeypatch.delenv("no_proxy", raising=False)
        with (
            Server(lambda handler: (200, {"Set-Cookie": "a=b"}, b"{}")) as server,
            client_of(server.port) as client,
        ):
            for _ in range(2):
                assert client.send(GET, within()).status == 200
            client.close()
        assert proxy.connections == 0
    for _, _, headers, _ in server.requests:
        assert "authorization" not in headers
        assert "cookie" not in headers


def test_many_threads_share_one_client_and_get_their_own_answers() -> None:
    def echo(handler: BaseHTTPRequestHandler) -> tuple[int, dict[str, str], bytes]:
        return 200, {}, handler.path.encode()

    with Server(echo) as server, client_of(server.port) as client:

        def ask(index: int) -> None:
            for number in range(20):
                target = f"/{index}/{number}"
                assert client.send(HttpRequest("GET", target, {}), within()).body == target.encode()

        in_threads(8, ask)
        client.close()


def sending(data: bytes, then: Script = wait_for_end) -> Script:
    """Return a script that answers each request with these bytes, then does something else."""

    def script(sock: socket.socket) -> None:
        read_head(sock)
        sock.sendall(data)
        then(sock)

    return script


def fail(script: Script, seconds: float = LIMIT, **more: Any) -> Exception:
    """Return the error of a request to a peer with this script."""
    kinds = (ConnectionFailed, RequestTimeout, ProtocolError)
    with Peer(script) as peer, client_of(peer.port, **more) as client, pytest.raises(kinds) as caught:
        Background(lambda: client.send(GET, within(seconds))).result()
    assert CANARY not in str(caught.value) + repr(vars(caught.value))
    assert caught.value.__cause__ is None
    assert "/api/v3/time" in str(caught.value)
    return caught.value


def outcome(error: Exception) -> tuple[type[Exception], str | None]:
    return type(error), getattr(error, "outcome", None)


def test_a_closed_port_is_not_sent() -> None:
    """(fault F001)"""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with client_of(port) as client, pytest.raises(ConnectionFailed, match="refused") as caught:
        client.send(GET, within())
    assert caught.value.outcome == "not_sent"
    assert CANARY not in str(caught.value)


def test_an_unknown_host_is_not_sent() -> None:
    """(fault F003)"""
    client = HttpClient("http://no-such-host.invalid", CLOCK, connect_timeout=5, read_timeout=5, max_body_bytes=9)
    with pytest.raises(ConnectionFailed) as caught:
        client.send(GET, within())
    client.close()
    assert caught.value.outcome == "not_sent"


def test_a_call_without_any_time_left_is_not_sent() -> None:
    with Server(lambda handler: (200, {}, b"{}")) as server, client_of(server.port) as client:
        with pytest.raises(RequestTimeout) as caught:
            client.send(GET, within(0))
        assert caught.value.outcome == "not_sent"
    assert server.requests == []


def test_silence_is_unknown() -> None:
    """(fault F067)"""
    assert outcome(fail(wait_for_end, read_timeout=0.05)) == (RequestTimeout, "unknown")
    # Long enough that the request has certainly been sent by then.
    assert outcome(fail(wait_for_end, 1.0)) == (RequestTimeout, "unknown")


def test_a_reset_after_the_request_is_unknown() -> None:
    """(fault F006)"""
    assert outcome(fail(sending(b"", reset))) == (ConnectionFailed, "unknown")


def test_an_end_without_an_answer_is_unknown() -> None:
    assert outcome(fail(sending(b"", lambda sock: None))) == (ConnectionFailed, "unknown")


TRUNCATED = {
    "head": b"HTTP/1.1 200 OK\r\nContent-",
    "body": b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{}",
    "no body": b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n",
    "chunk": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n10\r\n{}",
    "between chunks": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n",
    "no chunk": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
    "no HTTP": b"\x16\x03\x01\x02\x00rubbish\r\n\r\n",
    "bad chunk": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{}",
}


@pytest.mark.parametrize("data", TRUNCATED.values(), ids=TRUNCATED)
def test_a_part_of_an_answer_is_unknown_and_never_an_answer(data: bytes) -> None:
    """(fault F083)"""
    kinds = [(ConnectionFailed, "unknown"), (ProtocolError, "unknown")]
    if data == TRUNCATED["head"]:
        # http.client takes the end of the stream for the end of the head: no body then, which no parser accepts.
        with Peer(sending(data, lambda sock: None)) as peer, client_of(peer.port) as client:
            assert client.send(GET, within()).body == b""
        return
    assert outcome(fail(sending(data, lambda sock: None))) in kinds


def test_a_chunked_answer_is_put_together() -> None:
    data = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n3\r\nabc\r\n0\r\n\r\n"
    with Peer(sending(data)) as peer, client_of(peer.port) as client:
        assert client.send(GET, within()).body == b"{}abc"
        client.close()


def dripping(start: bytes, piece: bytes) -> Script:
    """Return a script that sends a piece now and then for ever; each comes well within the read timeout."""

    def script(sock: socket.socket) -> None:
        read_head(sock)
        sock.sendall(start)
        pause = threading.Event()
        while not pause.wait(0.02):
            sock.sendall(piece)

    return script


DRIPS = {
    "status": (b"", b"H"),
    "headers": (b"HTTP/1.1 200 OK\r\n", b"X"),
    "whole headers": (b"HTTP/1.1 200 OK\r\n", b"X: y\r\n"),
    "body": (b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n", b"x"),
    "chunk": (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfffff\r\n", b"x"),
    "chunks": (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n"),
    "chunk size": (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"0"),
}


@pytest.mark.parametrize(("start", "piece"), DRIPS.values(), ids=DRIPS)
def test_a_drip_does_not_outlive_the_deadline_of_the_call(start: bytes, piece: bytes) -> None:
    """(fault F011)"""
    error = fail(dripping(start, piece), 0.3, read_timeout=3600)
    assert error.__class__ in (RequestTimeout, ConnectionFailed, ProtocolError)
    assert getattr(error, "outcome", None) == "unknown"


def test_silence_in_the_middle_of_a_body_ends_with_the_deadline_of_the_call() -> None:
    """(fault F011)"""
    script = sending(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{")
    assert outcome(fail(script, 1.0, read_timeout=3600)) == (RequestTimeout, "unknown")


@pytest.mark.parametrize("declared", [True, False])
def test_too_large_a_body_is_refused(declared: bool) -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n" if declared else b"HTTP/1.1 200 OK\r\n\r\n"
    error = fail(sending(head + b"x" * 5000), max_body_bytes=4999)
    assert outcome(error) == (ProtocolError, "unknown")


def test_a_body_of_just_the_limit_is_an_answer() -> None:
    with (
        Server(lambda handler: (200, {}, b"x" * 5000)) as server,
        client_of(server.port, max_body_bytes=5000) as client,
    ):
        assert len(client.send(GET, within()).body) == 5000
        client.close()


def test_a_connection_is_used_again_also_after_a_tighter_deadline() -> None:
    def script(sock: socket.socket) -> None:
        while True:
            read_head(sock)
            sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")

    with Peer(script) as peer, client_of(peer.port) as client:
        answers: list[HttpResponse] = [client.send(GET, within(seconds)) for seconds in (LIMIT, 5, LIMIT)]
        answers.append(client.send(GET, Deadline(None)))
        client.close()
        assert [answer.body for answer in answers] == [b"{}"] * 4
        assert peer.connections == 1


def test_a_failed_connection_is_not_used_again() -> None:
    """(faults F018, F084)"""
    answers = iter(
        [b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{", b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"]
    )

    def script(sock: socket.socket) -> None:
        read_head(sock)
        sock.sendall(next(answers))
        wait_for_end(sock)

    with Peer(script) as peer, client_of(peer.port) as client:
        with pytest.raises(RequestTimeout):
            client.send(GET, within(0.1))
        assert client.send(GET, within()).body == b"{}"
        client.close()
        assert peer.connections == 2


def test_a_call_that_has_ended_bounds_nothing_any_more() -> None:
    from exconn_sync._transport import bounded

    with Peer(sending(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")) as peer, client_of(peer.port) as client:
        client.send(HttpRequest("GET", "/x", {}), within())
        assert bounded._present.call is None
