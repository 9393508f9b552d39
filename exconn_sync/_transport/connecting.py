"""From the name of a host to a socket on which a request may be sent: resolve, dial, proxy, TLS."""

from __future__ import annotations

import socket
import ssl

from exconn_sync._transport.attempt import Attempt
from exconn_sync._transport.dial import dial
from exconn_sync._transport.network import NetworkParts
from exconn_sync._transport.opening import Opening
from exconn_sync._transport.tls_socket import TlsSocket
from exconn_sync._transport.tunnel import open_tunnel
from exconn_sync.errors import ConnectionFailed
from exconn_sync.ports.forking import close_in_child

_NOT_YET_VALID = 9
"""OpenSSL's X509_V_ERR_CERT_NOT_YET_VALID."""


def open_socket(
    host: str,
    port: int,
    attempt: Attempt,
    network: NetworkParts,
    *,
    is_tls: bool,
    kind: type[ssl.SSLSocket] = TlsSocket,
) -> socket.socket:
    """Return a non-blocking socket, a ``kind`` where it is encrypted, to a host or through the proxy to it.

    An end of stream without TLS's goodbye is an error of its reads and not an end (fault F015).

    Raises:
        ConnectionFailed: with the step that failed in its message; ``not_sent``, because only handshakes were.
    """
    proxy = network.proxy
    if proxy is None:
        sock = dial(host, port, attempt, network)
    else:
        try:
            sock = dial(proxy.host, proxy.port, attempt, network)
        except ConnectionFailed as error:
            raise ConnectionFailed(f"proxy: {error.message}", outcome="not_sent") from None
    try:
        if proxy is not None:
            open_tunnel(sock, attempt, proxy, host, port)
        if not is_tls:
            return sock
        sock = network.tls_context(kind).wrap_socket(
            sock, server_hostname=host.rstrip("."), do_handshake_on_connect=False, suppress_ragged_eofs=False
        )
        close_in_child(sock)
        Opening(sock, attempt).attempt(sock.do_handshake)
    except BaseException as error:
        sock.close()
        # A ValueError is a name that no certificate can be for.
        if isinstance(error, (OSError, ValueError)):
            raise _tls_failure(error) from None
        raise
    return sock


def _tls_failure(error: OSError | ValueError) -> ConnectionFailed:
    """Return our error for a failed handshake; a certificate does not become right by itself (fault F014)."""
    if isinstance(error, ssl.SSLCertVerificationError):
        hint = ""
        if error.verify_code == _NOT_YET_VALID:
            hint = "; is the clock of this machine right?"
        text = f"TLS failed: certificate refused: {error.verify_message}{hint}"
        return ConnectionFailed(text, temporary=False, outcome="not_sent")
    reason = error.reason if isinstance(error, ssl.SSLError) and error.reason else type(error).__name__
    return ConnectionFailed(f"TLS failed: {reason}", outcome="not_sent")
