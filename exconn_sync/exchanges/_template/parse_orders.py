"""Answers about orders, fills and balances.

Each answer is compared with its question: one that is about another order is no answer (fault F084). Objects with a key
twice are refused, since the last one would silently win (fault F034).
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from exconn_sync.exchanges._template.endpoints import EXCHANGE
from exconn_sync.exchanges._template.order_rows import BalanceRow, FillRow, OrderRow, balance_of, fill_of, order_fact
from exconn_sync.exchanges.decoding import Reader
from exconn_sync.model.account import Balance, Fact
from exconn_sync.model.enums import FactSource
from exconn_sync.model.ids import ClientOrderId
from exconn_sync.model.instrument import Instrument, Instruments
from exconn_sync.model.orders import Fill, OrderFact, OrderState
from exconn_sync.model.wire import HttpResponse


class _Orders(msgspec.Struct):
    orders: list[OrderRow]


class _Fills(msgspec.Struct):
    fills: list[FillRow]


class _Balances(msgspec.Struct):
    time_ms: int
    balances: list[BalanceRow]


_ORDER = Reader(EXCHANGE, OrderRow, refuse_repeated_keys=True)
_ORDERS = Reader(EXCHANGE, _Orders, refuse_repeated_keys=True)
_FILLS = Reader(EXCHANGE, _Fills, refuse_repeated_keys=True)
_BALANCES = Reader(EXCHANGE, _Balances, refuse_repeated_keys=True)


def parse_placed(
    instrument: Instrument, client_order_id: ClientOrderId, instruments: Instruments, response: HttpResponse
) -> Sequence[Fact]:
    """Read what became of a new order. Raises ProtocolError."""

    def facts(row: OrderRow) -> Sequence[Fact]:
        _require(row.symbol == instrument.exchange_symbol and row.client_id == client_order_id)
        return [order_fact(row, instruments, FactSource.ANSWER, response.received_at)]

    return _ORDER.read(response.body, facts)


def parse_order(
    instrument: Instrument, order: OrderState, instruments: Instruments, source: FactSource, response: HttpResponse
) -> OrderFact:
    """Read one order that was asked for or cancelled. Raises ProtocolError."""

    def fact(row: OrderRow) -> OrderFact:
        is_same = row.client_id == order.client_order_id
        if order.exchange_order_id is not None:
            is_same = row.id == order.exchange_order_id
        _require(is_same and row.symbol == instrument.exchange_symbol)
        return order_fact(row, instruments, source, response.received_at, order.client_order_id)

    return _ORDER.read(response.body, fact)


def parse_cancelled(
    instrument: Instrument, order: OrderState, instruments: Instruments, response: HttpResponse
) -> Sequence[Fact]:
    """Read what became of a cancelled order. Raises ProtocolError."""
    return [parse_order(instrument, order, instruments, FactSource.ANSWER, response)]


def parse_orders(
    instrument: Instrument | None, instruments: Instruments, source: FactSource, response: HttpResponse
) -> list[OrderFact]:
    """Read orders of one symbol or of all, which come oldest first. Raises ProtocolError."""

    def facts(wire: _Orders) -> list[OrderFact]:
        _require(instrument is None or all(row.symbol == instrument.exchange_symbol for row in wire.orders))
        return [order_fact(row, instruments, source, response.received_at) for row in wire.orders]

    return _ORDERS.read(response.body, facts)


def parse_fills(instrument: Instrument, instruments: Instruments, response: HttpResponse) -> list[Fill]:
    """Read fills of a symbol, which come oldest first. Raises ProtocolError."""

    def fills(wire: _Fills) -> list[Fill]:
        _require(all(row.symbol == instrument.exchange_symbol for row in wire.fills))
        return [fill_of(row, instruments, FactSource.QUERY, response.received_at) for row in wire.fills]

    return _FILLS.read(response.body, fills)


def parse_balances(response: HttpResponse) -> list[Balance]:
    """Read all balances. Raises ProtocolError."""

    def balances(wire: _Balances) -> list[Balance]:
        at, source = wire.time_ms, FactSource.RECONCILIATION
        return [balance_of(row, at, source, response.received_at) for row in wire.balances]

    return _BALANCES.read(response.body, balances)


def _require(is_match: object) -> None:
    if not is_match:
        raise ValueError("the answer is about something else")  # fault F084
