"""Connections for urllib3 that are made, written to and read within the limits of the call at hand.

A timeout on a socket begins anew with every byte. http.client reads the head of an answer without ever looking at the
time, so a peer that sends a byte now and then would hold up the caller for hours (fault F011). urllib3's own way of
connecting gives each address the whole time, and nobody could break it off.
"""

from __future__ import annotations

import socket
import threading
from typing import Any

from urllib3.connection import HTTPConnection, HTTPSConnection

from exconn_sync._transport.calls import Call
from exconn_sync._transport.connecting import open_socket
from exconn_sync._transport.heads import LightResponse
from exconn_sync._transport.tls_socket import TlsSocket
from exconn_sync.ports.forking import close_in_child


class _Present(threading.local):
    """The call that the present thread makes; a connection is used by one thread at a time."""

    call: Call | None = None


_present = _Present()


def set_call(call: Call | None) -> None:
    """Bound all that this thread connects, writes and reads from now on; None for no bound."""
    _present.call = call


def _before_write(sock: socket.socket) -> None:
    call = _present.call
    if call is not None:
        call.limit(sock)
        call.has_written = True


def _before_read(sock: socket.socket) -> None:
    call = _present.call
    if call is not None:
        call.limit(sock)


def _after_read(count: int) -> int:
    """Return the number of bytes; an end that a cut brought about is not the end of an answer."""
    call = _present.call
    if count == 0 and call is not None:
        call.check()
    return count


class _PlainSocket(socket.socket):
    """A socket that looks at the call before each step."""

    def sendall(self, *args: Any) -> None:
        """Send all."""
        _before_write(self)
        super().sendall(*args)

    def recv_into(self, *args: Any, **options: Any) -> int:
        """Read into a buffer."""
        _before_read(self)
        return _after_read(super().recv_into(*args, **options))


class _TlsSocket(TlsSocket):
    """A TLS socket that looks at the call before each step; ``sendall`` sends in several."""

    def send(self, *args: Any) -> int:
        """Send what fits."""
        _before_write(self)
        return super().send(*args)

    def recv_into(self, *args: Any, **options: Any) -> int:
        """Read into a buffer."""
        _before_read(self)
        return _after_read(super().recv_into(*args, **options))


class _Response(LightResponse):
    """An answer that leaves its whole head to the call."""

    def begin(self) -> None:
        """Read the head."""
        super().begin()
        call = _present.call
        if call is not None:
            call.headers = self.whole_head


class _Bounded(HTTPConnection):
    """How both kinds connect, and how a call finds the socket that it uses."""

    is_tls = False
    response_class = _Response

    def connect(self) -> None:
        """Connect within the limits of the call; raises ConnectionFailed, with outcome ``not_sent``."""
        call = _present.call
        if call is None:
            raise RuntimeError("no call is under way on this thread")
        with call.attempt() as attempt:
            sock = open_socket(self.host, self.port, attempt, call.network, is_tls=self.is_tls, kind=_TlsSocket)
            if not isinstance(sock, _TlsSocket):
                sock = _PlainSocket(sock.family, sock.type, sock.proto, fileno=sock.detach())
                close_in_child(sock)
            # From here on the connection's: it is closed with it.
            self.sock = sock
        sock.setblocking(True)
        call.attach(sock)
        self.is_verified = self.is_tls

    def putrequest(self, *args: Any, **options: Any) -> None:
        """Begin a request, perhaps on a connection that was made by an earlier call."""
        call, sock = _present.call, self.sock
        if call is not None and sock is not None:
            call.attach(sock)
        super().putrequest(*args, **options)


class BoundedConnection(_Bounded):
    """An unencrypted connection."""


class BoundedTlsConnection(_Bounded, HTTPSConnection):
    """An encrypted connection; how is told by the NetworkParts of the call."""

    is_tls = True
