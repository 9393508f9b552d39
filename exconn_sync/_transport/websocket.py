"""One WebSocket connection, owned by one thread in both directions.

websocket-client does the opening handshake; after that its socket is read in large pieces by ``FrameReader``, because
its own reader asks the socket two or three times a frame and checks UTF-8 in pure Python. Reading and writing one TLS
socket from two threads breaks CPython's connections (fault F016), so other threads only leave messages with the owner
and wake it.
"""

from __future__ import annotations

import contextlib
import re
import selectors
import socket
import ssl
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

from exconn_sync._transport.attempt import Attempt
from exconn_sync._transport.connecting import open_socket
from exconn_sync._transport.frames import FrameReader, Frames
from exconn_sync._transport.network import NetworkParts
from exconn_sync._transport.opening import Opening
from exconn_sync._transport.wakeup import Wakeup
from exconn_sync.errors import ConnectionFailed, ExconnError, ProtocolError

_CHUNK = 1 << 16
_READS_AT_ONCE = 16
_TEXT, _CLOSE, _PING, _PONG = 0x1, 0x8, 0x9, 0xA
_NORMAL, _VIOLATION = 1000, 1002
_SWITCHING = 101
_PERMANENT = (301, 302, 303, 307, 308, 400, 401, 404)
_UNASKED = ("sec-websocket-extensions", "sec-websocket-protocol")
_SECONDS = re.compile(r"[0-9]{1,6}", re.ASCII)


class StreamSocket:
    """An open connection. Every method but ``cut`` is for the owning thread only.

    It waits for nothing but a write: a ``Waiter`` tells when it can be read. It may be opened on one thread and handed
    to another.

    Raises (all methods): ConnectionFailed for whatever ends the connection, with the reason in its message;
    ProtocolError for bytes that break the rules of WebSocket, after which it is of no further use.
    """

    def __init__(self, sock: socket.socket, max_message_bytes: int, write_timeout: float) -> None:
        self._sock = sock
        self._reader = FrameReader(max_message_bytes)
        self._write_timeout = write_timeout
        self.is_tls = isinstance(sock, ssl.SSLSocket)
        self._has_ended = False
        self._is_garbled = False
        self._goodbye = _NORMAL
        # Guards the socket against being closed while another thread cuts it: its number may be another one's by then.
        self._lock = threading.Lock()
        self._is_closed = False
        sock.setblocking(False)

    @classmethod
    def connect(
        cls,
        url: str,
        wakeup: Wakeup,
        is_stopped: Callable[[], bool],
        *,
        connect_timeout: float,
        write_timeout: float,
        max_message_bytes: int,
        network: NetworkParts | None = None,
    ) -> StreamSocket:
        """Open a connection within ``connect_timeout`` seconds.

        ``wakeup`` and ``is_stopped`` break it off while it is being dialled; the open connection keeps neither.
        """
        parts = urlsplit(url)
        is_tls = parts.scheme == "wss"
        host, port = parts.hostname or "", parts.port or (443 if is_tls else 80)
        attempt = Attempt(wakeup, is_stopped, time.monotonic() + connect_timeout)
        sock = open_socket(host, port, attempt, network or NetworkParts(), is_tls=is_tls)
        try:
            _handshake(Opening(sock, attempt), url)
            return cls(sock, max_message_bytes, write_timeout)
        except BaseException as error:
            sock.close()
            if isinstance(error, OSError):
                raise ConnectionFailed(f"handshake failed: {error}") from error
            raise

    def fileno(self) -> int:
        """Return the descriptor to select on; -1 once closed."""
        return self._sock.fileno()

    @property
    def is_partial(self) -> bool:
        """True while a message has begun to arrive and is not complete."""
        return self._reader.is_partial

    @property
    def has_pending(self) -> bool:
        """True where ``read`` has something to say although no byte may be on its way: TLS keeps decrypted ones."""
        return self._has_ended or (isinstance(self._sock, ssl.SSLSocket) and self._sock.pending() > 0)

    def read(self) -> Frames | None:
        """Return what became complete, None where nothing was there; never waits.

        Frames without content mean that bytes came, but no whole message.
        """
        data = self._receive()
        if not data:
            return None
        try:
            return self._reader.feed(data)
        except ProtocolError as error:
            self._goodbye = error.details.get("close_code", _VIOLATION)
            raise

    def send_text(self, message: bytes) -> None:
        """Send a text message."""
        self._write(_TEXT, message)

    def send_ping(self, payload: bytes) -> None:
        """Send a ping."""
        self._write(_PING, payload)

    def send_pong(self, payload: bytes) -> None:
        """Answer a ping."""
        self._write(_PONG, payload)

    def cut(self) -> None:
        """Break the connection, so that the owner's next read or its present write fails. Any thread; never waits.

        Nothing but the TCP connection is touched: the state of TLS belongs to the owner (fault F016).
        """
        with self._lock:
            if not self._is_closed:
                with contextlib.suppress(OSError):
                    socket.socket.shutdown(self._sock, socket.SHUT_RDWR)

    def close(self, code: int | None = None) -> None:
        """Say goodbye without waiting (fault F009), neither for an answer nor for room, and release the socket.

        ``code`` is told to the peer: by default 1000, after a violation 1002 or 1009 for too large a message (F031).
        """
        if not self._is_garbled:
            with contextlib.suppress(ExconnError, OSError):
                self._write(_CLOSE, (self._goodbye if code is None else code).to_bytes(2, "big"), 0.0)
        # shutdown, unlike close, ends the connection even where a copy of the descriptor lives on.
        self.cut()
        with self._lock:
            self._is_closed = True
            self._sock.close()

    def _receive(self) -> bytes:
        """Read what is there. A TLS socket gives one record at a time and may keep more, so it is asked again."""
        chunks: list[bytes] = []
        for _ in range(_READS_AT_ONCE if self.is_tls else 1):
            try:
                chunk = self._sock.recv(_CHUNK)
            except (BlockingIOError, ssl.SSLWantReadError):
                break
            except OSError as error:
                raise ConnectionFailed(f"the connection broke: {error}") from error
            if not chunk:
                if chunks:
                    # What came before is handed over first; the end is told by the next read.
                    self._has_ended = True
                    break
                raise ConnectionFailed("the peer ended the connection without a goodbye")
            chunks.append(chunk)
        return chunks[0] if len(chunks) == 1 else b"".join(chunks)

    def _write(self, opcode: int, payload: bytes, seconds: float | None = None) -> None:
        from websocket import ABNF

        left = memoryview(ABNF.create_frame(payload, opcode).format())
        limit = time.monotonic() + (self._write_timeout if seconds is None else seconds)
        while left:
            try:
                left = left[self._sock.send(left) :]
                continue
            except (BlockingIOError, ssl.SSLWantWriteError):
                direction = selectors.EVENT_WRITE
            except ssl.SSLWantReadError:
                direction = selectors.EVENT_READ
            except OSError as error:
                raise ConnectionFailed(f"the connection broke: {error}") from error
            self._wait_for(direction, limit)

    def _wait_for(self, direction: int, limit: float) -> None:
        remaining = limit - time.monotonic()
        with selectors.DefaultSelector() as selector:
            selector.register(self._sock, direction)
            if remaining <= 0 or not selector.select(remaining):
                # Part of a frame may have left: whatever followed it would be taken for the rest of it.
                self._is_garbled = True
                raise ConnectionFailed(f"the peer did not take our bytes within {self._write_timeout} s")


def _handshake(opening: Opening, url: str) -> None:
    import websocket

    client = websocket.WebSocket(enable_multithread=False, skip_utf8_validation=True)
    try:
        # A redirect would leave this socket for another host, which nobody has chosen (fault F087).
        client.connect(url, socket=opening, redirect_limit=0)  # type: ignore[no-untyped-call]
    except websocket.WebSocketBadStatusException as error:
        raise _refusal(error.status_code, error.resp_headers or {}) from None
    except (websocket.WebSocketException, ValueError) as error:
        answer = client.handshake_response
        if answer is not None and answer.status != _SWITCHING:
            raise _refusal(answer.status, answer.headers) from None
        # A ValueError is an answer that is not HTTP at all (fault F021).
        raise ConnectionFailed(f"handshake failed: {type(error).__name__}") from None
    headers = client.getheaders() or {}
    for name in _UNASKED:
        if name in headers:
            # Nothing was offered, so frames would mean something that nobody here understands (faults F021, F029).
            raise ConnectionFailed(f"handshake failed: the exchange answers with {name}, which was not asked for")


def _refusal(status: int, headers: Mapping[str, str]) -> ConnectionFailed:
    """Return the error for an answer that is no upgrade (fault F020)."""
    details: dict[str, Any] = {"http_status": status}
    retry_after = headers.get("retry-after", "").strip()
    if _SECONDS.fullmatch(retry_after):
        details["retry_after"] = float(retry_after)
    text = f"the exchange refused the connection with HTTP {status}"
    return ConnectionFailed(text, temporary=status not in _PERMANENT, details=details)
