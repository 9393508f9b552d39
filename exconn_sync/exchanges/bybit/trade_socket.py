"""Commands over the trade socket: single ones and batches, as over REST (Bybit: 8)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from exconn_sync.exchanges.bybit import endpoints as urls
from exconn_sync.exchanges.bybit.account_stream import SIGN_IN_MS
from exconn_sync.exchanges.bybit.faults import login_error_of
from exconn_sync.exchanges.bybit.limits import REQUESTS
from exconn_sync.exchanges.bybit.signing import TIME_HEADER, WINDOW_HEADER, socket_payload
from exconn_sync.exchanges.decoding import Reader, clean_text
from exconn_sync.model.wire import Cost, HttpResponse, LoginReply, Pong, RestCall, Unrecognized
from exconn_sync.ports.command_wire import CommandMessage, CommandReply
from exconn_sync.ports.driver import Signer

_OPERATIONS = {
    urls.CREATE: "order.create",
    urls.AMEND: "order.amend",
    urls.CANCEL: "order.cancel",
    urls.CREATE_BATCH: "order.create-batch",
    urls.AMEND_BATCH: "order.amend-batch",
    urls.CANCEL_BATCH: "order.cancel-batch",
}
_COMMANDS = frozenset(_OPERATIONS.values())
_RESTARTING = 10019
"""The socket takes no new commands; what is under way ends, and a new connection is needed (Bybit: 5, 9.4)."""
_LONGEST_ID = 18
_NOTHING = msgspec.Raw(b"{}")


class _Frame(msgspec.Struct, rename="camel"):
    """An answer; the names differ from those of the private stream (Bybit: 8)."""

    op: str
    ret_code: int
    ret_msg: str | None = None
    req_id: str | None = None
    data: msgspec.Raw = _NOTHING
    ret_ext_info: msgspec.Raw = _NOTHING
    header: dict[str, str] | None = None


class _Answer(msgspec.Struct, rename="camel"):
    """The same answer as REST gives it (Bybit: 2.1)."""

    ret_code: int
    ret_msg: str
    result: msgspec.Raw
    ret_ext_info: msgspec.Raw
    time: int | None


_READER = Reader(urls.EXCHANGE, _Frame, refuse_repeated_keys=True)


class TradeSocket:
    """See ``ports.command_wire`` for what each method promises."""

    def url(self, endpoints: Mapping[str, str]) -> str:
        """Return the URL of the trade socket."""
        return endpoints[urls.TRADE]

    def encode_login(self, signer: Signer, timestamp_ms: int, window_ms: int, request_id: int) -> bytes:
        """Return the frame that signs the connection in; commands themselves are not signed (Bybit: 8.1)."""
        expires_ms = timestamp_ms + SIGN_IN_MS
        args = [signer.api_key, expires_ms, signer.sign(socket_payload(expires_ms))]
        return msgspec.json.encode({"reqId": str(request_id), "op": "auth", "args": args})

    def costs(self, call: RestCall[Any]) -> Sequence[Cost]:
        """Return the costs but for what addresses may ask over HTTP; the rest is shared with it (Bybit: 3.1, 8.3)."""
        return [cost for cost in call.costs if cost.limit != REQUESTS]

    def takes(self, call: RestCall[Any]) -> bool:
        """Return whether the socket has an operation for a command: for all but cancelling all orders."""
        return call.path in _OPERATIONS and call.body is not None

    def encode(self, call: RestCall[Any], request_id: int, timestamp_ms: int, window_ms: int) -> bytes:
        """Return the frame of a command; its one argument is what REST would have as its body (Bybit: 8.2)."""
        frame = {
            "reqId": str(request_id),
            "header": {TIME_HEADER: str(timestamp_ms), WINDOW_HEADER: str(window_ms)},
            "op": _OPERATIONS[call.path],
            "args": [msgspec.Raw(call.body or b"{}")],
        }
        return msgspec.json.encode(frame)

    def parse(self, frame: bytes, received_at: int) -> CommandMessage:
        """Read one frame. Raises ProtocolError."""
        return _READER.read(frame, lambda wire: _message(wire, received_at))


def _message(wire: _Frame, received_at: int) -> CommandMessage:
    request_id = _number(wire.req_id)
    if wire.op == "pong":
        return Pong()
    if wire.op == "auth":
        return LoginReply(request_id, None if wire.ret_code == 0 else login_error_of(wire.ret_code, wire.ret_msg or ""))
    if wire.op not in _COMMANDS or request_id is None:
        return Unrecognized(clean_text(wire.op))
    headers = {name.lower(): value for name, value in (wire.header or {}).items()}
    answer = _Answer(wire.ret_code, wire.ret_msg or "", wire.data, wire.ret_ext_info, _number(headers.get("timenow")))
    response = HttpResponse(200, headers, msgspec.json.encode(answer), received_at)
    return CommandReply(request_id, response, is_declined=wire.ret_code == _RESTARTING)


def _number(text: str | None) -> int | None:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) <= _LONGEST_ID else None
