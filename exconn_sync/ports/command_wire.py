"""Commands over a socket of their own, for exchanges that take them so."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

from exconn_sync.model.wire import Cost, HttpResponse, LoginReply, Pong, RestCall, ServerNotice, Unrecognized
from exconn_sync.ports.signer import Signer


@dataclass(frozen=True)
class CommandReply:
    """The exchange's answer to one command, in the form in which REST would have given it.

    So it is read by the command's own ``parse`` and by ``ExchangeDriver.error_of``. With ``is_declined`` this
    connection takes no commands any more: nothing was done, and another way may be tried.
    """

    request_id: int
    response: HttpResponse
    is_declined: bool = False


CommandMessage: TypeAlias = CommandReply | LoginReply | ServerNotice | Pong | Unrecognized


class CommandWire(Protocol):
    """Translates for one kind of socket. All methods are pure and may be called from any thread."""

    def url(self, endpoints: Mapping[str, str]) -> str:
        """Return the URL of the socket."""
        ...

    def encode_login(self, signer: Signer, timestamp_ms: int, window_ms: int, request_id: int) -> bytes:
        """Return the text frame that signs the connection in; it is answered with a final LoginReply."""
        ...

    def costs(self, call: RestCall[Any]) -> Sequence[Cost]:
        """Return what a command takes from the request budgets where it goes this way."""
        ...

    def takes(self, call: RestCall[Any]) -> bool:
        """Return whether a command can go this way."""
        ...

    def encode(self, call: RestCall[Any], request_id: int, timestamp_ms: int, window_ms: int) -> bytes:
        """Return the text frame of a command; ids are never used twice."""
        ...

    def parse(self, frame: bytes, received_at: int) -> CommandMessage:
        """Read one frame. Raises ProtocolError."""
        ...
