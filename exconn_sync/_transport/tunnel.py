"""The way through an HTTP proxy: CONNECT, after which the proxy only passes bytes on (fault F017)."""

from __future__ import annotations

import re
import socket

from exconn_sync._transport.attempt import Attempt
from exconn_sync._transport.opening import Opening
from exconn_sync.config.network import ProxyAddress
from exconn_sync.errors import ConnectionFailed

_MOST_BYTES = 1 << 16
_STATUS = re.compile(rb"HTTP/1\.[0-9] ([0-9]{3})(?: |\r?\n)")
_WORTH_REPEATING = (408, 429, 500, 502, 503, 504)


def open_tunnel(sock: socket.socket, attempt: Attempt, proxy: ProxyAddress, host: str, port: int) -> None:
    """Ask a proxy for a connection to a host. It sees the host's name and its own credentials, nothing of a request.

    Raises:
        ConnectionFailed: the proxy refused, did not answer in time or not with HTTP, or stop was asked for. The message
            begins with ``proxy:``, and ``details["proxy_status"]`` is the status where there was one. Not sent.
    """
    target = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    status = _status(Opening(sock, attempt), target, proxy)
    if isinstance(status, ConnectionFailed):
        raise status
    if not 200 <= status <= 299:
        why = "it wants a user name and password" if status == 407 else "refused"
        raise ConnectionFailed(
            f"proxy: {why} (HTTP {status})",
            temporary=status in _WORTH_REPEATING,
            outcome="not_sent",
            details={"proxy_status": status},
        )


def _status(opening: Opening, target: str, proxy: ProxyAddress) -> int | ConnectionFailed:
    """Return the status of the answer to CONNECT, or why there is none.

    Nothing is raised from here: an error would carry this frame, in which the credentials stand, and an answer that may
    repeat them (fault F171).
    """
    lines = [f"CONNECT {target} HTTP/1.1", f"Host: {target}"]
    if proxy.authorization is not None:
        lines.append(f"Proxy-Authorization: {proxy.authorization.reveal()}")
    try:
        opening.send("".join(line + "\r\n" for line in [*lines, ""]).encode("ascii"))
        found = _STATUS.match(_head(opening))
    except ConnectionFailed as error:
        return ConnectionFailed(f"proxy: {error.message}", outcome="not_sent")
    except (OSError, UnicodeError) as error:
        return ConnectionFailed(f"proxy: {error}", outcome="not_sent")
    if found is None:
        return ConnectionFailed("proxy: the answer is not HTTP", outcome="not_sent")
    return int(found[1])


def _head(opening: Opening) -> bytes:
    """Return the head of the answer, read byte by byte: what follows it belongs to the host behind the proxy."""
    head = bytearray()
    while not head.endswith((b"\r\n\r\n", b"\n\n")):
        byte = opening.recv(1)
        if not byte:
            raise ConnectionFailed("it ended the connection")
        head += byte
        if len(head) > _MOST_BYTES:
            raise ConnectionFailed("its answer is too long")
    return bytes(head)
