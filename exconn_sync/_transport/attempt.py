"""One attempt to make a connection: one end in time for all of its steps, and one way to break it off."""

from __future__ import annotations

import selectors
import socket
import time
from collections.abc import Callable

from exconn_sync._transport.wakeup import Wakeup
from exconn_sync.errors import ConnectionFailed


class Attempt:
    """Waits of one attempt, for the thread that makes it.

    A timeout of the socket itself would begin anew with every byte, so that a slow drip could hold up its owner for
    ever (fault F011), and a stop could not break it (fault F002).

    Args:
        wakeup: woken together with ``is_stopped`` becoming true.
        limit: moment of ``time.monotonic`` at which the attempt has failed.
    """

    def __init__(self, wakeup: Wakeup, is_stopped: Callable[[], bool], limit: float) -> None:
        self.wakeup = wakeup
        self.limit = limit
        self._is_stopped = is_stopped

    def remaining(self) -> float:
        """Return the seconds left, never negative."""
        return max(self.limit - time.monotonic(), 0.0)

    def check(self) -> None:
        """Raise ConnectionFailed where stop was asked for."""
        if self._is_stopped():
            raise ConnectionFailed("stopped while connecting", outcome="not_sent")

    def wait(self, sock: socket.socket | None, direction: int, limit: float | None = None) -> bool:
        """Wait until a socket is ready, or for a wake-up where there is none; return False where the time is over.

        Raises:
            ConnectionFailed: stop was asked for.
        """
        until = self.limit if limit is None else min(limit, self.limit)
        with selectors.DefaultSelector() as selector:
            if sock is not None:
                selector.register(sock, direction)
            selector.register(self.wakeup, selectors.EVENT_READ)
            while True:
                self.check()
                ready = [key.fileobj for key, _ in selector.select(max(until - time.monotonic(), 0.0))]
                if self.wakeup in ready:
                    self.wakeup.drain()
                    self.check()
                    if sock is None:
                        return True
                if sock in ready:
                    return True
                if time.monotonic() >= until:
                    return False
