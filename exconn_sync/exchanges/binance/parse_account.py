"""Frames of the account stream, a connection of the WebSocket API (Binance: 10, 11)."""

from __future__ import annotations

from typing import Any

import msgspec

from exconn_sync.errors import ExconnError
from exconn_sync.exchanges.binance.account_events import balance_facts, change_facts, execution_facts
from exconn_sync.exchanges.binance.budgets import reply_figures
from exconn_sync.exchanges.binance.endpoints import EXCHANGE
from exconn_sync.exchanges.binance.faults import login_error_of
from exconn_sync.exchanges.binance.parse_lists import list_status_facts
from exconn_sync.exchanges.binance.parse_ws import SHUTDOWN_EVENT
from exconn_sync.exchanges.decoding import Reader, clean_text
from exconn_sync.model.instrument import Instruments
from exconn_sync.model.wire import LoginReply, ServerNotice, Unrecognized
from exconn_sync.ports.driver import AccountMessage

_ABSENT = msgspec.Raw()
_BALANCE_UPDATE, _LOCK_UPDATE = "balanceUpdate", "externalLockUpdate"


class _Error(msgspec.Struct):
    code: int
    msg: str = ""
    data: Any = None


class _Frame(msgspec.Struct):
    """An answer (``id``, ``status`` and ``result`` or ``error``), an event in its envelope, or a bare event."""

    id: int | str | None = None
    status: int = 0
    result: Any = None
    error: _Error | None = None
    rate_limits: Any = msgspec.field(default=None, name="rateLimits")
    event: msgspec.Raw = _ABSENT
    e: str | None = None


class _EventName(msgspec.Struct):
    e: str


_READER = Reader(EXCHANGE, _Frame, refuse_repeated_keys=True)
_EVENT_NAME = msgspec.json.Decoder(_EventName)


def parse_account(frame: bytes, received_at: int, instruments: Instruments) -> AccountMessage:
    """Read one frame of the account stream. Raises ProtocolError."""

    def message(wire: _Frame) -> AccountMessage:
        if wire.event != _ABSENT:
            return _event(_EVENT_NAME.decode(wire.event).e, wire.event, received_at, instruments)
        if wire.e is not None:
            return _announcement(wire.e)
        return _reply(wire, received_at)

    return _READER.read(frame, message)


def _event(name: str, event: msgspec.Raw, received_at: int, instruments: Instruments) -> AccountMessage:
    if name == "executionReport":
        return execution_facts(event, received_at, instruments)
    if name == "outboundAccountPosition":
        return balance_facts(event, received_at)
    if name == "listStatus":
        return list_status_facts(event, received_at, instruments)
    if name in (_BALANCE_UPDATE, _LOCK_UPDATE):
        return change_facts(event, received_at, is_lock=name == _LOCK_UPDATE)
    return _announcement(name)


def _announcement(name: str) -> ServerNotice | Unrecognized:
    if name == SHUTDOWN_EVENT:
        return ServerNotice("shutdown")
    if name == "eventStreamTerminated":
        return ServerNotice("terminated")
    return Unrecognized(clean_text(name))


def _reply(wire: _Frame, received_at: int) -> LoginReply | Unrecognized:
    # A key that died during the session is answered without an id (Binance: 11).
    request_id = wire.id if isinstance(wire.id, int) else 0
    figures = reply_figures(wire.rate_limits)
    if wire.error is not None:
        return LoginReply(request_id, _error_of(wire.error, wire.status, received_at), figures=figures)
    if isinstance(wire.result, dict) and "subscriptionId" in wire.result:
        return LoginReply(request_id, figures=figures)
    if isinstance(wire.result, dict) and wire.result.get("authorizedSince") is not None:
        return LoginReply(request_id, is_final=False, figures=figures)
    return Unrecognized("object" if wire.result is None else "response")


def _error_of(error: _Error, status: int, received_at: int) -> ExconnError:
    made = login_error_of(error.code, error.msg, error.data, received_at)
    if status:
        made.details["http_status"] = status
    return made
