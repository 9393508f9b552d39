"""What all connections of a connector have in common: how names are resolved, whom they trust, and their proxy."""

from __future__ import annotations

import socket
import ssl
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any, Protocol

from exconn_sync._transport.tls_socket import TlsSocket
from exconn_sync.config.network import ProxyAddress
from exconn_sync.errors import ConnectionFailed

AddressInfo = tuple[int, int, int, str, Any]
"""What ``socket.getaddrinfo`` returns: family, type, protocol, canonical name, address."""

_REMEMBERED_NS = 60 * 1_000_000_000


class Lookup(Protocol):
    """A name resolution under way."""

    def result(self) -> Sequence[AddressInfo] | None:
        """Return the addresses, None while there is no answer.

        Raises:
            OSError: the name cannot be resolved (also UnicodeError, for what is no name).
        """
        ...


class Resolver(Protocol):
    """Resolves names. May be called from any thread; never blocks longer than a moment."""

    def __call__(self, host: str, port: int, on_done: Callable[[], None]) -> Lookup:
        """Begin to resolve a name; ``on_done`` is called once when there is an answer, on any thread."""
        ...


class Resolved:
    """A lookup that has ended."""

    def __init__(self, addresses: Sequence[AddressInfo]) -> None:
        self._addresses = addresses

    def result(self) -> Sequence[AddressInfo]:
        """Return the addresses."""
        return self._addresses


def resolve_inline(host: str, port: int, on_done: Callable[[], None]) -> Lookup:
    """Resolve on the calling thread, for as long as the system takes: fit for addresses, and for tests."""
    found = Resolved(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
    on_done()
    return found


class NetworkParts:
    """How connections are made; shared by all threads of a connector, without a lock.

    Args:
        resolver: resolves names.
        ca_file: PEM file of the authorities that are trusted instead of the system's; None for the system's.
        proxy: HTTP proxy through which every connection goes; None for none.
    """

    def __init__(
        self, *, resolver: Resolver = resolve_inline, ca_file: str | None = None, proxy: ProxyAddress | None = None
    ) -> None:
        self.resolver = resolver
        self.proxy = proxy
        self._ca_file = ca_file
        self._contexts: dict[type[ssl.SSLSocket], ssl.SSLContext] = {}
        self._worked: dict[tuple[str, int], tuple[Any, int]] = {}

    def tls_context(self, kind: type[ssl.SSLSocket] = TlsSocket) -> ssl.SSLContext:
        """Return the context that makes sockets of a kind; two threads may both make it, which harms nobody.

        Raises:
            ConnectionFailed: the file of authorities cannot be read.
        """
        context = self._contexts.get(kind)
        if context is None:
            try:
                context = _new_context(self._ca_file)
            except OSError as error:
                text = f"the file of trusted authorities cannot be read: {error}"
                raise ConnectionFailed(text, temporary=False, outcome="not_sent") from error
            context.sslsocket_class = kind
            self._contexts[kind] = context
        return context

    def in_order(self, host: str, port: int, addresses: Sequence[AddressInfo]) -> Sequence[AddressInfo]:
        """Return addresses, that which worked within the last 60 s first (fault F005)."""
        address, until = self._worked.get((host, port), (None, 0))
        if time.monotonic_ns() >= until:
            return addresses
        return sorted(addresses, key=lambda info: info[4] != address)

    def note_worked(self, host: str, port: int, address: object) -> None:
        """Remember an address for 60 s from now on."""
        self._worked[host, port] = address, time.monotonic_ns() + _REMEMBERED_NS

    def note_failed(self, host: str, port: int, address: object) -> None:
        """Forget an address that does not answer."""
        if self._worked.get((host, port), (None, 0))[0] == address:
            self._worked.pop((host, port), None)


def _new_context(ca_file: str | None) -> ssl.SSLContext:
    """Return a context that checks certificate and host name: there is no way to switch that off (fault F174).

    ``ssl.create_default_context`` is not used, because it writes the session keys to the file that the environment
    variable ``SSLKEYLOGFILE`` names (fault F176).
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if sys.version_info >= (3, 13):
        context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN | ssl.VERIFY_X509_STRICT
    if ca_file is None:
        context.load_default_certs(ssl.Purpose.SERVER_AUTH)
    else:
        context.load_verify_locations(cafile=ca_file)
    return context
