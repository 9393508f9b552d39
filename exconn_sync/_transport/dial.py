"""Opening a TCP connection that a stop can break off and that tries every address of a host."""

from __future__ import annotations

import errno
import os
import selectors
import socket
import time
from collections.abc import Callable

from exconn_sync._transport.wakeup import Wakeup
from exconn_sync.errors import ConnectionFailed


def dial(host: str, port: int, timeout: float, wakeup: Wakeup, is_stopped: Callable[[], bool]) -> socket.socket:
    """Return a connected, blocking socket without Nagle's delay.

    Every address gets an equal share of the time, so that a dead one does not use it all up (fault F005). Name
    resolution itself cannot be interrupted (fault F003).

    Raises:
        ConnectionFailed: no address answered in time, the name is unknown, or stop was asked for; nothing was sent.
    """
    try:
        addresses = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise ConnectionFailed(f"cannot resolve {host}: {error}", outcome="not_sent") from error
    limit = time.monotonic() + timeout
    reason = "no address"
    for index, (family, kind, protocol, _, address) in enumerate(addresses):
        share = max(limit - time.monotonic(), 0.0) / (len(addresses) - index)
        try:
            sock = socket.socket(family, kind, protocol)
        except OSError as error:
            # No descriptors left, or no such address family here (fault F143).
            reason = str(error)
            continue
        try:
            reason = _connect(sock, address, share, wakeup, is_stopped)
        except BaseException:
            sock.close()
            raise
        if not reason:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            return sock
        sock.close()
    raise ConnectionFailed(f"cannot connect to {host}:{port}: {reason}", outcome="not_sent")


def _connect(
    sock: socket.socket, address: object, seconds: float, wakeup: Wakeup, is_stopped: Callable[[], bool]
) -> str:
    """Connect without blocking; return the reason of a failure, empty on success."""
    sock.setblocking(False)
    code = sock.connect_ex(address)  # type: ignore[arg-type]
    if code not in (0, errno.EINPROGRESS):
        return os.strerror(code)
    limit = time.monotonic() + seconds
    with selectors.DefaultSelector() as selector:
        selector.register(sock, selectors.EVENT_WRITE)
        selector.register(wakeup, selectors.EVENT_READ)
        while True:
            ready = selector.select(max(limit - time.monotonic(), 0.0))
            if any(key.fileobj is wakeup for key, _ in ready):
                wakeup.drain()
                if is_stopped():
                    raise ConnectionFailed("stopped while connecting", outcome="not_sent")
            if any(key.fileobj is sock for key, _ in ready):
                break
            if time.monotonic() >= limit:
                return "timed out"
    code = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
    sock.setblocking(True)
    return os.strerror(code) if code else ""
