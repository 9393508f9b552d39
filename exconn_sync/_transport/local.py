"""Requests and streams that reach an exchange in this process instead of a network (``ports.local_exchange``)."""

from __future__ import annotations

from collections.abc import Callable

from exconn_sync._machines.deadline import Deadline
from exconn_sync._transport.frames import Frames
from exconn_sync._transport.http import HttpClient
from exconn_sync._transport.network import NetworkParts
from exconn_sync._transport.wakeup import Wakeup
from exconn_sync._transport.websocket import StreamSocket
from exconn_sync.errors import ConnectionFailed, RequestTimeout
from exconn_sync.model.wire import HttpRequest, HttpResponse
from exconn_sync.ports.clock import Clock
from exconn_sync.ports.local_exchange import LocalStream, find_local, is_local


def http_client(
    base_url: str,
    clock: Clock,
    *,
    connect_timeout: float,
    read_timeout: float,
    max_body_bytes: int,
    network: NetworkParts,
) -> HttpClient:
    """Return what sends requests to a base URL, over the network or within the process."""
    if is_local(base_url):
        return LocalHttp(base_url, clock)
    return HttpClient(
        base_url,
        clock,
        connect_timeout=connect_timeout,
        read_timeout=read_timeout,
        max_body_bytes=max_body_bytes,
        network=network,
    )


def connect_stream(
    url: str,
    wakeup: Wakeup,
    is_stopped: Callable[[], bool],
    *,
    connect_timeout: float,
    write_timeout: float,
    max_message_bytes: int,
    network: NetworkParts,
) -> StreamSocket:
    """Return an open stream connection, over the network or within the process. Raises ConnectionFailed."""
    if is_local(url):
        return LocalSocket(url)
    return StreamSocket.connect(
        url,
        wakeup,
        is_stopped,
        connect_timeout=connect_timeout,
        write_timeout=write_timeout,
        max_message_bytes=max_message_bytes,
        network=network,
    )


class LocalHttp(HttpClient):
    """Hands requests to an exchange of this process, on the thread that sends them; the answer is there at once."""

    def __init__(self, base_url: str, clock: Clock) -> None:
        self._base_url = base_url
        self._clock = clock
        self._is_cut = False

    def renew_in_child(self) -> None:
        """Nothing here has a lock."""

    def send(self, request: HttpRequest, deadline: Deadline, *, is_background: bool = False) -> HttpResponse:
        """Return the answer of the exchange.

        Raises:
            ConnectionFailed: there is no exchange, or the connector has been stopped; nothing was sent.
            RequestTimeout: no time was left to send it.
        """
        del is_background
        if deadline.is_over(self._clock.monotonic_ns()):
            raise RequestTimeout(f"{request!r}: no time was left to send it", outcome="not_sent")
        if self._is_cut:
            raise ConnectionFailed(f"{request!r}: broken off by the stop", outcome="not_sent")
        return find_local(self._base_url).answer(request)

    def cut(self, *, only_background: bool) -> None:
        """Refuse what would follow; no call is ever in flight for longer than it takes to answer it."""
        if not only_background:
            self._is_cut = True

    def wait_idle(self, seconds: float | None) -> bool:
        """Return at once: nobody waits here."""
        del seconds
        return True

    def close(self) -> None:
        """Nothing is open."""


class LocalSocket(StreamSocket):
    """A stream of an exchange of this process; messages are whole, and there are no pings in them."""

    def __init__(self, url: str) -> None:
        # What is selected on in place of a connection: it becomes readable when something has arrived.
        self._arrival = Wakeup()
        self.is_tls = False
        self._pongs: list[bytes] = []
        try:
            self._stream: LocalStream = find_local(url).open(url, self._arrival.wake)
        except BaseException:
            self._arrival.close()
            raise

    def fileno(self) -> int:
        """Return the descriptor to select on."""
        return self._arrival.fileno()

    @property
    def is_partial(self) -> bool:
        """Messages are whole here."""
        return False

    @property
    def has_pending(self) -> bool:
        """What has arrived is announced."""
        return False

    def read(self) -> Frames | None:
        """Return what has arrived, None where nothing has."""
        self._arrival.drain()
        messages = self._stream.receive()
        if messages is None:
            raise ConnectionFailed("the exchange ended the connection")
        pongs, self._pongs = self._pongs, []
        return Frames(list(messages), [], pongs, None) if messages or pongs else None

    def send_text(self, message: bytes) -> None:
        """Send a text message."""
        self._stream.send(message)

    def send_ping(self, payload: bytes) -> None:
        """Send a ping, which is answered at once."""
        self._pongs.append(payload)
        self._arrival.wake()

    def send_pong(self, payload: bytes) -> None:
        """Nobody asks for one."""
        del payload

    def cut(self) -> None:
        """Break the connection, so that the next read fails. Any thread."""
        self._stream.close()
        self._arrival.wake()

    def close(self, code: int | None = None) -> None:
        """End the connection."""
        del code
        self._stream.close()
        self._arrival.close()
