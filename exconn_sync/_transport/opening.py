"""A socket whose opening handshakes end at one moment for all of their steps, and at once when stop is asked for."""

from __future__ import annotations

import selectors
import socket
import ssl
import time
from collections.abc import Callable
from typing import TypeVar

from exconn_sync._transport.wakeup import Wakeup
from exconn_sync.errors import ConnectionFailed

T = TypeVar("T")


class Opening:
    """What the handshakes of TLS and WebSocket see of a non-blocking socket, for the owning thread only.

    A timeout of the socket itself would begin anew with every byte, so that a slow drip could hold up its owner for
    ever (fault F011), and a stop could not break it (fault F002).
    """

    def __init__(self, sock: socket.socket, wakeup: Wakeup, is_stopped: Callable[[], bool], limit: float) -> None:
        self._sock = sock
        self._wakeup = wakeup
        self._is_stopped = is_stopped
        self._limit = limit

    def attempt(self, step: Callable[[], T]) -> T:
        """Return the result of a step, which is tried again whenever the socket is ready for it.

        Raises:
            ConnectionFailed: the time is over, or stop was asked for.
        """
        direction = selectors.EVENT_READ
        while True:
            try:
                return step()
            except (BlockingIOError, ssl.SSLWantReadError):
                pass
            except ssl.SSLWantWriteError:
                direction = selectors.EVENT_WRITE
            self._wait(direction)
            direction = selectors.EVENT_READ

    def recv(self, size: int) -> bytes:
        """Return bytes of the peer, empty at the end."""
        return self.attempt(lambda: self._sock.recv(size))

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

    def _wait(self, direction: int) -> None:
        with selectors.DefaultSelector() as selector:
            selector.register(self._sock, direction)
            selector.register(self._wakeup, selectors.EVENT_READ)
            while True:
                remaining = self._limit - time.monotonic()
                if remaining <= 0:
                    raise ConnectionFailed("the handshake did not end in time")
                ready = [key.fileobj for key, _ in selector.select(remaining)]
                if self._wakeup in ready:
                    self._wakeup.drain()
                    if self._is_stopped():
                        raise ConnectionFailed("stopped while connecting")
                if self._sock in ready:
                    return
