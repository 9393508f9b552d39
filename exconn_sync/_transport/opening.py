"""A socket whose opening handshakes end at one moment for all of their steps, and at once when stop is asked for."""

from __future__ import annotations

import selectors
import socket
import ssl
from collections.abc import Callable
from typing import TypeVar

from exconn_sync._transport.attempt import Attempt
from exconn_sync.errors import ConnectionFailed

T = TypeVar("T")

_MOST_BYTES = 1 << 20
"""What a peer may send before a handshake has ended, a page that explains a refusal included (fault F020)."""


class Opening:
    """What the handshakes of proxy, TLS and WebSocket see of a non-blocking socket, for the owning thread only."""

    def __init__(self, sock: socket.socket, attempt: Attempt) -> None:
        self._sock = sock
        self._attempt = attempt
        self._received = 0

    def attempt(self, step: Callable[[], T]) -> T:
        """Return the result of a step, which is tried again whenever the socket is ready for it.

        Raises:
            ConnectionFailed: the time is over, or stop was asked for.
        """
        while True:
            direction = selectors.EVENT_READ
            try:
                return step()
            except (BlockingIOError, ssl.SSLWantReadError):
                pass
            except ssl.SSLWantWriteError:
                direction = selectors.EVENT_WRITE
            if not self._attempt.wait(self._sock, direction):
                raise ConnectionFailed("the handshake did not end in time", outcome="not_sent")

    def recv(self, size: int) -> bytes:
        """Return bytes of the peer, empty at the end."""
        data = self.attempt(lambda: self._sock.recv(size))
        self._received += len(data)
        if self._received > _MOST_BYTES:
            raise ConnectionFailed(f"the answer to the handshake exceeds {_MOST_BYTES} bytes", outcome="not_sent")
        return data

    def send(self, data: bytes) -> int:
        """Send what fits; a handshake always fits into the buffer of a new socket."""
        return self.attempt(lambda: self._sock.send(data))

    def fileno(self) -> int:
        """Return the socket's descriptor."""
        return self._sock.fileno()

    def gettimeout(self) -> float | None:
        """Return None: whoever reads need not care for time."""
        return None

    def close(self) -> None:
        """Close the socket."""
        self._sock.close()
