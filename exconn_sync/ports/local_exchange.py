"""An exchange in this process: addresses ``memory://name`` lead to it without a network.

It is for tests: whatever a connector sends is answered by an object, and whatever the object says is delivered at once.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol
from urllib.parse import urlsplit

from exconn_sync.errors import ConnectionFailed
from exconn_sync.model.wire import HttpRequest, HttpResponse

SCHEME = "memory"


class LocalStream(Protocol):
    """One stream connection. Any thread may call any method; none blocks."""

    def send(self, message: bytes) -> None:
        """Take a text message of the client."""
        ...

    def receive(self) -> Sequence[bytes] | None:
        """Return the text messages that have come since the last call; None once the exchange has ended the stream."""
        ...

    def close(self) -> None:
        """End the stream."""
        ...


class LocalExchange(Protocol):
    """What stands behind an address. Any thread may call any method; none blocks."""

    def answer(self, request: HttpRequest) -> HttpResponse:
        """Answer a request of REST."""
        ...

    def open(self, url: str, on_arrival: Callable[[], None]) -> LocalStream:
        """Open a stream; ``on_arrival`` is called on any thread when there is something to receive.

        Raises:
            ConnectionFailed: there is no such stream.
        """
        ...


_known: dict[str, LocalExchange] = {}


def register_local(name: str, exchange: LocalExchange) -> None:
    """Let ``memory://name`` lead to an exchange."""
    _known[name] = exchange


def forget_local(name: str) -> None:
    """Let that address lead nowhere."""
    _known.pop(name, None)


def is_local(url: str) -> bool:
    """Return whether an address is of this kind."""
    return url.startswith(f"{SCHEME}://")


def find_local(url: str) -> LocalExchange:
    """Return the exchange behind an address.

    Raises:
        ConnectionFailed: there is none; nothing was sent.
    """
    found = _known.get(urlsplit(url).hostname or "")
    if found is None:
        raise ConnectionFailed(f"no exchange of this process is behind {url.partition('?')[0]}", outcome="not_sent")
    return found
