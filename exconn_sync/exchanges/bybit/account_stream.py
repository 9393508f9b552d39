"""The private stream: signing in, what is subscribed, and its frames (Bybit: 7)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from exconn_sync.errors import AuthenticationError, ClockSkew, ExchangeError, ExconnError
from exconn_sync.exchanges.bybit.endpoints import CATEGORY, EXCHANGE
from exconn_sync.exchanges.bybit.order_rows import ExecutionRow, OrderRow, fill_of, order_fact
from exconn_sync.exchanges.bybit.parse_account import WalletRow, balances_of, is_trade
from exconn_sync.exchanges.bybit.signing import socket_payload
from exconn_sync.exchanges.decoding import Reader, clean_text
from exconn_sync.model.account import Fact
from exconn_sync.model.enums import FactSource
from exconn_sync.model.instrument import Instruments
from exconn_sync.model.wire import LoginReply, Pong, Unrecognized
from exconn_sync.ports.driver import AccountMessage, PartlyKnown, Signer

ORDER, EXECUTION, WALLET = "order", "execution", "wallet"
TOPICS = (f"{ORDER}.{CATEGORY}", f"{EXECUTION}.{CATEGORY}", WALLET)
GUARD = f"dcp.{CATEGORY}"
"""Carries no data: it says that orders are to be cancelled when the connection is gone (Bybit: 7.2, 9.1)."""

SIGN_IN_MS = 10_000
"""How long a sign-in is good for; the second that other clients give it is too short for slow lines (Bybit: 7.1)."""
_STALE = "params error"
_ABSENT = msgspec.Raw()


class _Frame(msgspec.Struct, rename={"creation_time": "creationTime"}):
    """An event (``topic`` and ``data``) or an answer (``op``)."""

    topic: str | None = None
    data: msgspec.Raw = _ABSENT
    creation_time: int | None = None
    op: str | None = None
    success: bool | None = None
    ret_msg: str | None = None
    req_id: str | None = None


class _Facts(NamedTuple):
    """What the rows of an event state, and a kind of row that is not known."""

    facts: list[Fact]
    unknown: str = ""


_READER = Reader(EXCHANGE, _Frame, refuse_repeated_keys=True)
_ORDERS = msgspec.json.Decoder(list[OrderRow])
_EXECUTIONS = msgspec.json.Decoder(list[ExecutionRow])
_WALLETS = msgspec.json.Decoder(list[WalletRow])


def login_request(signer: Signer, timestamp_ms: int, request_id: int) -> bytes:
    """Return the frame that signs the connection in."""
    expires_ms = timestamp_ms + SIGN_IN_MS
    args = [signer.api_key, expires_ms, signer.sign(socket_payload(expires_ms))]
    return msgspec.json.encode({"req_id": str(request_id), "op": "auth", "args": args})


def parse_account(frame: bytes, received_at: int, instruments: Instruments) -> AccountMessage:
    """Read one frame of the private stream. Raises ProtocolError."""

    def message(wire: _Frame) -> AccountMessage:
        if wire.topic is None:
            return _answer(wire)
        made = _event(wire, wire.topic, received_at, instruments)
        if isinstance(made, Unrecognized) or not made.unknown:
            return made if isinstance(made, Unrecognized) else made.facts
        return PartlyKnown(made.facts, clean_text(made.unknown))

    return _READER.read(frame, message)


def _event(wire: _Frame, topic: str, received_at: int, instruments: Instruments) -> _Facts | Unrecognized:
    # The topic may be named with its category or without it (Bybit: 7.2).
    kind = topic.partition(".")[0]
    if topic not in (kind, f"{kind}.{CATEGORY}"):
        return Unrecognized(clean_text(topic))
    if kind == ORDER:
        return _orders(_ORDERS.decode(wire.data), received_at, instruments)
    if kind == EXECUTION:
        return _executions(_EXECUTIONS.decode(wire.data), received_at, instruments)
    if kind == WALLET:
        if wire.creation_time is None:
            raise ValueError("balances without a time")
        rows = _WALLETS.decode(wire.data)
        return _Facts([*balances_of(rows, wire.creation_time, received_at, FactSource.STREAM)])
    return Unrecognized(clean_text(topic))


def _orders(rows: Sequence[OrderRow], received_at: int, instruments: Instruments) -> _Facts:
    facts: list[Fact] = []
    unknown = ""
    for row in rows:
        if _is_foreign(row.category):
            unknown = f"order of {row.category}"
            continue
        fact = order_fact(row, instruments, FactSource.STREAM, received_at)
        facts.append(fact)
        if fact.status is None:
            # A state of the future may be the end of the order: the exchange is asked (fault F040).
            unknown = f"order status {row.order_status}"
    return _Facts(facts, unknown)


def _executions(rows: Sequence[ExecutionRow], received_at: int, instruments: Instruments) -> _Facts:
    facts: list[Fact] = []
    unknown = ""
    for row in rows:
        if _is_foreign(row.category):
            unknown = f"execution of {row.category}"
        elif is_trade(row):
            facts.append(fill_of(row, instruments, FactSource.STREAM, received_at))
        else:
            unknown = f"execution {row.exec_type}"
    return _Facts(facts, unknown)


def _is_foreign(category: str | None) -> bool:
    return bool(category) and category != CATEGORY


def _answer(wire: _Frame) -> AccountMessage:
    text = wire.ret_msg or ""
    # Answers to a ping differ from place to place (Bybit: 7.1).
    if wire.op == "pong" or (wire.op == "ping" and text == "pong"):
        return Pong()
    if wire.op not in ("auth", "subscribe") or wire.success is None:
        return Unrecognized(clean_text(wire.op or "object"))
    # Whether an answer repeats the id of its request is not documented.
    named = wire.req_id or ""
    request_id = int(named) if named.isascii() and named.isdigit() and len(named) < _LONGEST_ID else None
    is_login = wire.op == "auth"
    error = None if wire.success else _refusal(text, is_login=is_login)
    return LoginReply(request_id, error, is_final=not is_login)


_LONGEST_ID = 18


def _refusal(text: str, *, is_login: bool) -> ExconnError:
    message = f"{EXCHANGE}: {clean_text(text) or 'refused'}"
    if not is_login:
        return ExchangeError(message, exchange=EXCHANGE, retryable=True)
    if text.strip().lower() == _STALE:
        # So it is worded where the time until which it is good has passed (Bybit: 7.1).
        return ClockSkew(message, exchange=EXCHANGE)
    return AuthenticationError(message, exchange=EXCHANGE)
