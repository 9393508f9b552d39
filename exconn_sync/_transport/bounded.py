"""Connections for urllib3 whose reads end with the deadline of the call, however slowly the answer drips.

A timeout on a socket begins anew with every byte. http.client reads the head of an answer without ever looking at the
time, so a peer that sends a byte now and then would hold up the caller for hours (fault F011).
"""

from __future__ import annotations

import socket
import ssl
import threading
from typing import Any

from urllib3.connection import HTTPConnection

from exconn_sync._machines.deadline import Deadline
from exconn_sync.ports.clock import Clock


class _Call(threading.local):
    """The deadline of the call that the present thread makes; a connection is used by one thread at a time."""

    deadline: Deadline | None = None
    clock: Clock | None = None
    read_timeout: float = 0.0


_call = _Call()


def set_deadline(deadline: Deadline | None, clock: Clock, read_timeout: float) -> None:
    """Bound all that this thread reads from now on; None for no bound."""
    _call.deadline, _call.clock, _call.read_timeout = deadline, clock, read_timeout


def _limit(sock: socket.socket) -> None:
    """Allow a socket only the time that is left."""
    deadline, clock = _call.deadline, _call.clock
    if deadline is None or clock is None:
        return
    remaining = deadline.remaining(clock.monotonic_ns())
    if remaining is None:
        return
    if remaining <= 0:
        raise TimeoutError("the deadline of the call is over")
    sock.settimeout(min(_call.read_timeout, remaining))


class _PlainSocket(socket.socket):
    """A socket that looks at the deadline before each read."""

    def recv_into(self, *args: Any, **options: Any) -> int:
        """Read into a buffer."""
        _limit(self)
        return super().recv_into(*args, **options)


class _TlsSocket(ssl.SSLSocket):
    """A TLS socket that looks at the deadline before each read."""

    def recv_into(self, *args: Any, **options: Any) -> int:
        """Read into a buffer."""
        _limit(self)
        return super().recv_into(*args, **options)


class BoundedConnection(HTTPConnection):
    """An unencrypted connection."""

    def _new_conn(self) -> socket.socket:
        sock = super()._new_conn()
        timeout = sock.gettimeout()
        bounded = _PlainSocket(sock.family, sock.type, sock.proto, fileno=sock.detach())
        bounded.settimeout(timeout)
        return bounded


def tls_context() -> ssl.SSLContext:
    """Return a context with the system's certificates whose sockets look at the deadline."""
    context = ssl.create_default_context()
    context.sslsocket_class = _TlsSocket
    return context
