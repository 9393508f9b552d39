"""A pair of sockets through which other threads wake the one that owns a connection."""

from __future__ import annotations

import contextlib
import socket
import threading

from exconn_sync.ports.forking import close_in_child


class Wakeup:
    """``wake`` makes ``fileno`` readable; any thread may call it, also after ``close``."""

    def __init__(self) -> None:
        self._receiver, self._sender = map(close_in_child, socket.socketpair())
        self._receiver.setblocking(False)
        self._sender.setblocking(False)
        # Guards the sender against being closed while another thread uses it. Reentrant: the garbage collector may end
        # a subscription while we hold it, which wakes its connection (fault F153).
        self._lock = threading.RLock()
        self._closed = False

    def fileno(self) -> int:
        """Return the descriptor to select on."""
        return self._receiver.fileno()

    def wake(self) -> None:
        """Make the owner look at its orders; a full pair is already awake."""
        with self._lock:
            if not self._closed:
                with contextlib.suppress(BlockingIOError):
                    self._sender.send(b"\0")

    def drain(self) -> None:
        """Take all wake-ups that are pending; only the owner calls this."""
        with contextlib.suppress(BlockingIOError):
            while self._receiver.recv(4096):
                continue

    def close(self) -> None:
        """Release both sockets; only the owner calls this."""
        with self._lock:
            self._closed = True
            self._sender.close()
        self._receiver.close()
