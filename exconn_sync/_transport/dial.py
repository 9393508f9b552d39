"""Opening a TCP connection that a stop can break off and that tries every address of a host."""

from __future__ import annotations

import errno
import logging
import os
import selectors
import socket
import time
from collections.abc import Sequence

from exconn_sync._transport.attempt import Attempt
from exconn_sync._transport.network import AddressInfo, NetworkParts
from exconn_sync.errors import ConnectionFailed
from exconn_sync.ports.forking import close_in_child

logger = logging.getLogger("exconn_sync")


def dial(host: str, port: int, attempt: Attempt, network: NetworkParts) -> socket.socket:
    """Return a connected, non-blocking socket without Nagle's delay.

    Every address gets an equal share of the time, so that a dead one does not use it all up (fault F005).

    Raises:
        ConnectionFailed: no address answered in time, the name is unknown, or stop was asked for; nothing was sent.
    """
    addresses = network.in_order(host, port, _resolved(host, port, attempt, network))
    reason = "no address"
    for index, info in enumerate(addresses):
        share = attempt.remaining() / (len(addresses) - index)
        try:
            sock = socket.socket(*info[:3])
        except OSError as error:
            # No descriptors left, or no such address family here (fault F143).
            reason = str(error)
            continue
        try:
            close_in_child(sock)
            reason = _connect(sock, info[4], share, attempt)
            if not reason:
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                network.note_worked(host, port, info[4])
                return sock
        except BaseException as error:
            sock.close()
            if isinstance(error, OSError):
                raise ConnectionFailed(f"cannot connect to {host}:{port}: {error}", outcome="not_sent") from error
            raise
        sock.close()
        network.note_failed(host, port, info[4])
        logger.debug("%s:%s does not answer at %s: %s", host, port, info[4], reason)
    raise ConnectionFailed(f"cannot connect to {host}:{port}: {reason}", outcome="not_sent")


def _resolved(host: str, port: int, attempt: Attempt, network: NetworkParts) -> Sequence[AddressInfo]:
    """Return the addresses of a host; a resolver that hangs holds nobody up beyond the attempt (fault F004)."""
    try:
        lookup = network.resolver(host, port, attempt.wakeup.wake)
        while (addresses := lookup.result()) is None:
            if not attempt.wait(None, 0):
                raise ConnectionFailed(f"cannot resolve {host}: timed out", outcome="not_sent")
    except (OSError, UnicodeError) as error:
        raise ConnectionFailed(f"cannot resolve {host}: {error}", outcome="not_sent") from error
    return addresses


def _connect(sock: socket.socket, address: object, seconds: float, attempt: Attempt) -> str:
    """Connect without blocking; return the reason of a failure, empty on success."""
    sock.setblocking(False)
    code = sock.connect_ex(address)  # type: ignore[arg-type]
    if code not in (0, errno.EINPROGRESS):
        return os.strerror(code)
    if not attempt.wait(sock, selectors.EVENT_WRITE, time.monotonic() + seconds):
        return "timed out"
    code = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
    return os.strerror(code) if code else ""
