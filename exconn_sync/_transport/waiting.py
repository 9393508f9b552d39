"""Waiting for several connections and a wake-up at once."""

from __future__ import annotations

import selectors
from types import TracebackType
from typing import TYPE_CHECKING

from exconn_sync.ports.forking import close_in_child

if TYPE_CHECKING:
    from exconn_sync._transport.wakeup import Wakeup
    from exconn_sync._transport.websocket import StreamSocket


class Waiter:
    """Watches the connections of one thread and its wake-up; for that thread only.

    A connection must be removed before it is closed. The wake-up stays its maker's to close.
    """

    def __init__(self, wakeup: Wakeup) -> None:
        self._wakeup = wakeup
        self._selector = close_in_child(selectors.DefaultSelector())
        self._selector.register(wakeup, selectors.EVENT_READ)
        self._encrypted: list[StreamSocket] = []

    def __enter__(self) -> Waiter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def add(self, sock: StreamSocket) -> None:
        """Watch a connection from now on."""
        self._selector.register(sock, selectors.EVENT_READ)
        if sock.is_tls:
            self._encrypted.append(sock)

    def remove(self, sock: StreamSocket) -> None:
        """Watch a connection no longer."""
        self._selector.unregister(sock)
        if sock.is_tls:
            self._encrypted.remove(sock)

    def wait(self, timeout: float | None) -> list[StreamSocket]:
        """Wait for bytes, a wake-up or ``timeout`` seconds; return the connections that can be read.

        All pending wake-ups are taken. Bytes that TLS has already decrypted count: no socket announces them (F016).
        """
        if self._encrypted:
            pending = [sock for sock in self._encrypted if sock.has_pending]
            if pending:
                # One of them must not keep the others and the wake-up from being seen.
                return pending + [sock for sock in self._ready(0) if sock not in pending]
        return self._ready(timeout)

    def close(self) -> None:
        """Release the selector; connections stay open."""
        self._selector.close()

    def _ready(self, timeout: float | None) -> list[StreamSocket]:
        ready: list[StreamSocket] = []
        for key, _ in self._selector.select(timeout):
            if key.fileobj is self._wakeup:
                self._wakeup.drain()
            else:
                ready.append(key.fileobj)  # type: ignore[arg-type]
        return ready
