"""Frames of the private stream.

Look up: what one event brings, whether events may come twice or before the answer to their command (all of that is
survived), and whether a gap can be noticed (what was missed is looked up after each sign-in).
"""

from __future__ import annotations

import msgspec

from exconn_sync.exchanges._template import faults, parse_ws
from exconn_sync.exchanges._template.endpoints import EXCHANGE
from exconn_sync.exchanges._template.order_rows import BalanceRow, FillRow, OrderRow, balance_of, fill_of, order_fact
from exconn_sync.exchanges.decoding import Reader, clean_text
from exconn_sync.model.account import Fact
from exconn_sync.model.enums import FactSource
from exconn_sync.model.instrument import Instruments
from exconn_sync.model.wire import LoginReply, Unrecognized
from exconn_sync.ports.driver import AccountMessage, PartlyKnown

_ABSENT = msgspec.Raw()


class _Frame(msgspec.Struct):
    """An event (``name`` and ``data``), the answer to a sign-in (``id`` and ``done``) or a notice."""

    name: str | None = None
    data: msgspec.Raw = _ABSENT
    time_ms: int | None = None
    id: int | None = None
    done: bool | None = None
    error: faults.Error | None = None
    notice: str | None = None


_READER = Reader(EXCHANGE, _Frame, refuse_repeated_keys=True)
_ORDERS = msgspec.json.Decoder(list[OrderRow])
_FILLS = msgspec.json.Decoder(list[FillRow])
_BALANCES = msgspec.json.Decoder(list[BalanceRow])


def parse_account(frame: bytes, received_at: int, instruments: Instruments) -> AccountMessage:
    """Read one frame of the private stream. Raises ProtocolError."""

    def message(wire: _Frame) -> AccountMessage:
        if wire.name is not None:
            return _event(wire, wire.name, received_at, instruments)
        if wire.id is not None and wire.done is not None:
            refused = wire.error or faults.Error("", "refused")
            return LoginReply(wire.id, None if wire.done else faults.login_error_of(refused))
        return parse_ws.notice_of({"notice": wire.notice}) or Unrecognized(clean_text(wire.notice or "object"))

    return _READER.read(frame, message)


def _event(wire: _Frame, name: str, received_at: int, instruments: Instruments) -> AccountMessage:
    if name == "orders":
        rows = _ORDERS.decode(wire.data)
        facts: list[Fact] = [order_fact(row, instruments, FactSource.STREAM, received_at) for row in rows]
        new = [row.state for row in rows if order_fact(row, instruments, FactSource.STREAM, received_at).status is None]
        # A state of the future may be the end of the order: the exchange is asked (fault F040).
        return PartlyKnown(facts, f"order state {clean_text(new[0])}") if new else facts
    if name == "fills":
        return [fill_of(row, instruments, FactSource.STREAM, received_at) for row in _FILLS.decode(wire.data)]
    if name == "balances":
        if wire.time_ms is None:
            raise ValueError("balances without a time")
        at, source = wire.time_ms, FactSource.STREAM
        return [balance_of(row, at, source, received_at) for row in _BALANCES.decode(wire.data)]
    return Unrecognized(clean_text(name))
