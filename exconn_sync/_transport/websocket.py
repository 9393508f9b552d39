"""One WebSocket connection, owned by one thread in both directions.

websocket-client does the opening handshake; after that its socket is read in large pieces by ``FrameReader``, because
its own reader asks the socket two or three times a frame and checks UTF-8 in pure Python. Reading and writing one TLS
socket from two threads breaks CPython's connections (fault F016), so other threads only leave messages with the owner
and wake it.
"""

from __future__ import annotations

import contextlib
import selectors
import socket
import ssl
import time
from collections.abc import Callable
from urllib.parse import urlsplit

from exconn_sync._transport.dial import dial
from exconn_sync._transport.frames import FrameReader, Frames
from exconn_sync._transport.opening import Opening
from exconn_sync._transport.wakeup import Wakeup
from exconn_sync.errors import ConnectionFailed, ExconnError

_CHUNK = 1 << 16
_READS_AT_ONCE = 16
_TEXT, _CLOSE, _PING, _PONG = 0x1, 0x8, 0x9, 0xA


class StreamSocket:
    """An open connection. Every method is for the owning thread only.

    Raises (all methods): ConnectionFailed for whatever ends the connection, with the reason in its message.
    """

    def __init__(self, sock: socket.socket, wakeup: Wakeup, max_message_bytes: int, write_timeout: float) -> None:
        self._sock = sock
        self._wakeup = wakeup
        self._reader = FrameReader(max_message_bytes)
        self._write_timeout = write_timeout
        self._is_tls = isinstance(sock, ssl.SSLSocket)
        sock.setblocking(False)
        self._selector = selectors.DefaultSelector()
        self._selector.register(sock, selectors.EVENT_READ)
        self._selector.register(wakeup, selectors.EVENT_READ)

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
    ) -> StreamSocket:
        """Open a connection; ``wakeup`` and ``is_stopped`` break it off while it is being dialled."""
        parts = urlsplit(url)
        is_tls = parts.scheme == "wss"
        host, port = parts.hostname or "", parts.port or (443 if is_tls else 80)
        limit = time.monotonic() + connect_timeout
        sock = dial(host, port, connect_timeout, wakeup, is_stopped)
        try:
            sock.setblocking(False)
            if is_tls:
                sock = ssl.create_default_context().wrap_socket(
                    sock, server_hostname=host, do_handshake_on_connect=False
                )
            opening = Opening(sock, wakeup, is_stopped, limit)
            if isinstance(sock, ssl.SSLSocket):
                opening.attempt(sock.do_handshake)
            _handshake(opening, url)
            return cls(sock, wakeup, max_message_bytes, write_timeout)
        except BaseException as error:
            sock.close()
            if isinstance(error, ssl.SSLCertVerificationError):
                raise ConnectionFailed(f"certificate refused: {error.verify_message}", temporary=False) from None
            if isinstance(error, OSError) and not isinstance(error, ExconnError):
                raise ConnectionFailed(f"handshake failed: {error}") from error
            raise

    def wait(self, timeout: float | None) -> Frames | None:
        """Wait for bytes, a wake-up or the timeout; return what became complete, None where no byte came."""
        ready = self._selector.select(timeout)
        frames: Frames | None = None
        for key, _ in ready:
            if key.fileobj is self._wakeup:
                self._wakeup.drain()
            else:
                frames = self._reader.feed(self._receive())
        return frames

    def send_text(self, message: bytes) -> None:
        """Send a text message."""
        self._write(_TEXT, message)

    def send_ping(self, payload: bytes) -> None:
        """Send a ping."""
        self._write(_PING, payload)

    def send_pong(self, payload: bytes) -> None:
        """Answer a ping."""
        self._write(_PONG, payload)

    def close(self) -> None:
        """Say goodbye without waiting for an answer (fault F009) and release the socket."""
        self._selector.close()
        with contextlib.suppress(ExconnError, OSError):
            self._write(_CLOSE, (1000).to_bytes(2, "big"))
        # shutdown, unlike close, also ends a read that somebody may still be blocked in.
        with contextlib.suppress(OSError):
            self._sock.shutdown(socket.SHUT_RDWR)
        self._sock.close()

    def _receive(self) -> bytes:
        """Read what is there. A TLS socket gives one record at a time and may keep more, so it is asked again."""
        chunks: list[bytes] = []
        for _ in range(_READS_AT_ONCE if self._is_tls else 1):
            try:
                chunk = self._sock.recv(_CHUNK)
            except (BlockingIOError, ssl.SSLWantReadError):
                break
            except OSError as error:
                raise ConnectionFailed(f"the connection broke: {error}") from error
            if not chunk:
                if chunks:
                    break
                raise ConnectionFailed("the peer ended the connection without a goodbye")
            chunks.append(chunk)
        return chunks[0] if len(chunks) == 1 else b"".join(chunks)

    def _write(self, opcode: int, payload: bytes) -> None:
        from websocket import ABNF

        left = memoryview(ABNF.create_frame(payload, opcode).format())
        limit = time.monotonic() + self._write_timeout
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
                raise ConnectionFailed(f"the peer did not take our bytes within {self._write_timeout} s")


def _handshake(opening: Opening, url: str) -> None:
    import websocket

    client = websocket.WebSocket(enable_multithread=False, skip_utf8_validation=True)
    try:
        # A redirect would leave this socket for another host, which nobody has chosen (fault F087).
        client.connect(url, socket=opening, redirect_limit=0)  # type: ignore[no-untyped-call]
    except websocket.WebSocketBadStatusException as error:
        permanent = error.status_code in (301, 302, 303, 307, 308, 400, 401, 404)
        raise ConnectionFailed(
            f"the exchange refused the connection with HTTP {error.status_code}",
            temporary=not permanent,
            details={"http_status": error.status_code},
        ) from None
    except (websocket.WebSocketException, ValueError) as error:
        # A ValueError is an answer that is not HTTP at all (fault F021).
        raise ConnectionFailed(f"handshake failed: {type(error).__name__}") from None
