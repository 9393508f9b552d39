"""Answers about orders: receipts, single ones, lists (Bybit: 4.7, 4.8, 4.11, 4.12)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NoReturn

import msgspec

from exconn_sync.errors import OrderNotFound
from exconn_sync.exchanges.bybit.endpoints import CATEGORY, EXCHANGE
from exconn_sync.exchanges.bybit.envelope import EnvelopeReader, Rows
from exconn_sync.exchanges.bybit.order_rows import OrderRow, order_fact
from exconn_sync.model.account import Fact
from exconn_sync.model.enums import FactSource
from exconn_sync.model.ids import ClientOrderId, ExchangeOrderId
from exconn_sync.model.instrument import Instrument, Instruments
from exconn_sync.model.orders import OrderFact, OrderState
from exconn_sync.model.wire import HttpResponse

_SUCCESS = "1"


class Receipt(msgspec.Struct, rename="camel"):
    """The names of an order whose command was received; either may be empty."""

    order_id: str = ""
    order_link_id: str = ""


class _Receipts(msgspec.Struct, rename={"rows": "list"}):
    rows: list[Receipt]
    success: str = _SUCCESS


_RECEIPT = EnvelopeReader(Receipt, refuse_repeated_keys=True)
_RECEIPTS = EnvelopeReader(_Receipts, refuse_repeated_keys=True)
_ORDERS = EnvelopeReader(Rows[OrderRow], refuse_repeated_keys=True)


def received(
    symbol: str, client_order_id: ClientOrderId, receipt: Receipt, received_at: int, order_class: str | None = None
) -> OrderFact:
    """Return all that a receipt states: the exchange's name of the order, and nothing of what became of it."""
    return OrderFact(
        exchange=EXCHANGE,
        symbol=symbol,
        client_order_id=client_order_id,
        source=FactSource.ANSWER,
        received_at=received_at,
        exchange_order_id=ExchangeOrderId(receipt.order_id) if receipt.order_id else None,
        order_class=order_class,
        may_grow=True,
    )


def parse_placed(
    instrument: Instrument, client_order_id: ClientOrderId, order_class: str | None, response: HttpResponse
) -> Sequence[Fact]:
    """Read the receipt of a new order. Raises ProtocolError."""

    def facts(receipt: Receipt) -> Sequence[Fact]:
        # Without its id it could be a receipt of anything (fault F084).
        _require(receipt.order_id and receipt.order_link_id in (client_order_id, ""))
        return [received(instrument.symbol, client_order_id, receipt, response.received_at, order_class)]

    return _RECEIPT.read(response.body, lambda wire: facts(wire.result))


def parse_changed(instrument: Instrument, order: OrderState, response: HttpResponse) -> Sequence[Fact]:
    """Read the receipt of a cancel or an amend. Raises ProtocolError."""

    def facts(receipt: Receipt) -> Sequence[Fact]:
        _require(is_about(receipt.order_id, receipt.order_link_id, order))
        return [received(instrument.symbol, order.client_order_id, receipt, response.received_at)]

    return _RECEIPT.read(response.body, lambda wire: facts(wire.result))


def parse_cancelled_all(instrument: Instrument, response: HttpResponse) -> Sequence[Fact]:
    """Read the receipt for all orders of one class. Raises ProtocolError, also where it is no success after all."""

    def facts(wire: _Receipts) -> Sequence[Fact]:
        if wire.success != _SUCCESS:
            raise ValueError("a success that is none")
        return [
            received(
                instrument.symbol, ClientOrderId(row.order_link_id or row.order_id), row, response.received_at
            )
            for row in wire.rows
            if row.order_id
        ]  # fmt: skip

    return _RECEIPTS.read(response.body, lambda wire: facts(wire.result))


def parse_queried(
    instrument: Instrument, order: OrderState, instruments: Instruments, response: HttpResponse
) -> OrderFact:
    """Read the list that has one queried order, or none.

    Raises:
        ProtocolError: not of the documented form, or about another order.
        OrderNotFound: the list is empty.
    """

    def fact(rows: Sequence[OrderRow]) -> OrderFact:
        if not rows:
            _not_found(order)
        row = rows[0]
        _require(row.symbol == instrument.exchange_symbol and is_about(row.order_id, row.order_link_id or "", order))
        return order_fact(row, instruments, FactSource.QUERY, response.received_at, order.client_order_id)

    return _ORDERS.read(response.body, lambda wire: fact(wire.result.rows))


def orders_reader(
    instrument: Instrument | None, instruments: Instruments, source: FactSource
) -> Callable[[HttpResponse], list[OrderFact]]:
    """Return what reads one page of orders, of one symbol or of all; oldest first."""

    def facts(rows: Sequence[OrderRow], received_at: int) -> list[OrderFact]:
        _require(instrument is None or all(row.symbol == instrument.exchange_symbol for row in rows))
        return [order_fact(row, instruments, source, received_at) for row in reversed(rows)]

    def parse(response: HttpResponse) -> list[OrderFact]:
        return _ORDERS.read(response.body, lambda wire: facts(of_spot(wire.result), response.received_at))

    return parse


def of_spot(rows: Rows[OrderRow]) -> Sequence[OrderRow]:
    """Return the rows of an answer. Raises ValueError for one about another market (Bybit: 10)."""
    _require(rows.category == CATEGORY)
    return rows.rows


def is_about(order_id: str, order_link_id: str, order: OrderState) -> bool:
    """Return whether an answer that names an order so is about this one."""
    if order.exchange_order_id is not None:
        return order_id == order.exchange_order_id
    return order_link_id == order.client_order_id


def _not_found(order: OrderState) -> NoReturn:
    raise OrderNotFound(f"{EXCHANGE}: order {order.client_order_id} is not listed", exchange=EXCHANGE)


def _require(is_match: object) -> None:
    if not is_match:
        raise ValueError("the answer is about something else")  # fault F084
