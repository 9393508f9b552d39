"""Answers of REST calls about single orders: placed, cancelled, queried, open (Binance: 5.5)."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from exconn_sync.exchanges.binance.endpoints import EXCHANGE
from exconn_sync.exchanges.binance.words import (
    known_side_of,
    order_type_of,
    reason_of,
    side_of,
    status_of,
    time_in_force_of,
    unusual_status,
)
from exconn_sync.exchanges.decoding import Reader
from exconn_sync.exchanges.wire_numbers import (
    number,
    number_unless_negative,
    number_unless_zero,
    optional_ns_of_ms,
    optional_number,
    signed_number,
)
from exconn_sync.model.account import Fact
from exconn_sync.model.enums import FactSource
from exconn_sync.model.ids import ClientOrderId, ExchangeOrderId, TradeId
from exconn_sync.model.instrument import Instrument, Instruments
from exconn_sync.model.orders import Fill, OrderFact, OrderState
from exconn_sync.model.wire import HttpResponse


class _Fill(msgspec.Struct, rename="camel"):
    price: str
    qty: str
    commission: str
    commission_asset: str | None
    trade_id: int


class _Order(msgspec.Struct, rename="camel"):
    """One order in any of the shapes of section 5.5; None is a field that the shape does not have."""

    symbol: str
    order_id: int
    client_order_id: str
    orig_client_order_id: str | None = None
    transact_time: int | None = None
    update_time: int | None = None
    price: str | None = None
    orig_qty: str | None = None
    executed_qty: str | None = None
    orig_quote_order_qty: str | None = None
    cummulative_quote_qty: str | None = None
    status: str | None = None
    time_in_force: str | None = None
    type: str | None = None
    side: str | None = None
    stop_price: str | None = None
    expiry_reason: str | None = None
    fills: list[_Fill] = []


class _QueriedOrder(_Order, kw_only=True, rename="camel"):
    """A queried order always states what became of it."""

    status: str
    executed_qty: str


class _OrderList(msgspec.Struct, rename="camel"):
    order_reports: list[_Order] | None = None


_PLACED = Reader(EXCHANGE, _Order, refuse_repeated_keys=True)
_CANCELLED = Reader(EXCHANGE, msgspec.Raw, refuse_repeated_keys=True)
_ORDER = msgspec.json.Decoder(_Order)
_ORDER_LIST = msgspec.json.Decoder(_OrderList)
_QUERIED = Reader(EXCHANGE, _QueriedOrder, refuse_repeated_keys=True)
_OPEN = Reader(EXCHANGE, list[_QueriedOrder], refuse_repeated_keys=True)


def parse_placed(instrument: Instrument, client_order_id: ClientOrderId, response: HttpResponse) -> Sequence[Fact]:
    """Read the answer to a new order: the order, then its immediate fills. Raises ProtocolError."""

    def facts(row: _Order) -> Sequence[Fact]:
        _require(row.symbol == instrument.exchange_symbol and row.client_order_id == client_order_id)
        if row.status is None:
            # An acknowledgement says no more than that the order is there; a report says what became of it (5.5).
            _require_status(row)
            row.status = "NEW"
        order = _fact(row, client_order_id, instrument.symbol, FactSource.ANSWER, response.received_at)
        return [order, *(_answer_fill(row, fill, order) for fill in row.fills)]

    return _PLACED.read(response.body, facts)


def parse_cancelled(instrument: Instrument, order: OrderState, response: HttpResponse) -> Sequence[Fact]:
    """Read the answer to a cancel; one for a leg of an order list reports all its legs. Raises ProtocolError."""

    def facts(raw: msgspec.Raw) -> Sequence[Fact]:
        # A cancelled leg of an order list takes the whole list with it, and the answer has the list's shape.
        reports = _ORDER_LIST.decode(raw).order_reports or [_ORDER.decode(raw)]
        _require(any(_is_about(row, order) for row in reports))
        return [
            _fact(row, _client_id(row, order), instrument.symbol, FactSource.ANSWER, response.received_at)
            for row in reports
            if row.symbol == instrument.exchange_symbol
        ]

    return _CANCELLED.read(response.body, facts)


def parse_queried(instrument: Instrument, order: OrderState, response: HttpResponse) -> OrderFact:
    """Read one queried order. Raises ProtocolError."""

    def fact(row: _QueriedOrder) -> OrderFact:
        _require(row.symbol == instrument.exchange_symbol and (_is_about(row, order) or _may_be_renamed(row, order)))
        return _fact(row, order.client_order_id, instrument.symbol, FactSource.QUERY, response.received_at)

    return _QUERIED.read(response.body, fact)


def parse_open_orders(
    instrument: Instrument | None, instruments: Instruments, response: HttpResponse
) -> list[OrderFact]:
    """Read the open orders of one symbol or of all. Raises ProtocolError."""

    def facts(rows: list[_QueriedOrder]) -> list[OrderFact]:
        _require(instrument is None or all(row.symbol == instrument.exchange_symbol for row in rows))
        return [
            _fact(
                row,
                ClientOrderId(row.client_order_id),
                instruments.canonical(row.symbol) if instrument is None else instrument.symbol,
                FactSource.RECONCILIATION,
                response.received_at,
            )
            for row in rows
        ]

    return _OPEN.read(response.body, facts)


def _require(is_match: object) -> None:
    if not is_match:
        raise ValueError("the answer is about another order")  # fault F084


def _require_status(row: _Order) -> None:
    """Refuse a report without a status: it is no acknowledgement, which has no amounts (fault F038)."""
    if row.executed_qty is not None or row.fills:
        raise ValueError("a report without a status")


def _is_about(row: _Order, order: OrderState) -> bool:
    if order.exchange_order_id is not None:
        return str(row.order_id) == order.exchange_order_id
    return order.client_order_id in (row.client_order_id, row.orig_client_order_id)


def _may_be_renamed(row: _QueriedOrder, order: OrderState) -> bool:
    """Return whether an order found by its old client id may answer with another: a cancel replaces it (5.6)."""
    return order.exchange_order_id is None and row.status == "CANCELED"


def _client_id(row: _Order, order: OrderState) -> ClientOrderId:
    """Return under which client id the order is known: in cancel reports ``clientOrderId`` is the cancel's own."""
    if _is_about(row, order):
        return order.client_order_id
    return ClientOrderId(row.orig_client_order_id or row.client_order_id)


def _fact(row: _Order, client_order_id: ClientOrderId, symbol: str, source: FactSource, received_at: int) -> OrderFact:
    return OrderFact(
        exchange=EXCHANGE,
        symbol=symbol,
        client_order_id=client_order_id,
        source=source,
        received_at=received_at,
        status=status_of(row.status),
        exchange_order_id=ExchangeOrderId(str(row.order_id)),
        side=side_of(row.side),
        type=order_type_of(row.type),
        time_in_force=time_in_force_of(row.time_in_force),
        quantity=optional_number(row.orig_qty),
        price=number_unless_zero(row.price),
        stop_price=number_unless_zero(row.stop_price),
        quote_quantity=number_unless_zero(row.orig_quote_order_qty),
        filled_quantity=optional_number(row.executed_qty),
        cumulative_quote=number_unless_negative(row.cummulative_quote_qty),
        exchange_time=optional_ns_of_ms(row.transact_time if row.transact_time is not None else row.update_time),
        reason=reason_of(row.expiry_reason, unusual_status(row.status)),
    )


def _answer_fill(row: _Order, fill: _Fill, order: OrderFact) -> Fill:
    """Return a fill of the answer to a new order; all of those took liquidity."""
    return Fill(
        exchange=EXCHANGE,
        symbol=order.symbol,
        trade_id=TradeId(str(fill.trade_id)),
        exchange_order_id=ExchangeOrderId(str(row.order_id)),
        price=number(fill.price),
        quantity=number(fill.qty),
        side=known_side_of(row.side),
        fee=signed_number(fill.commission),
        fee_asset=fill.commission_asset,
        is_maker=False,
        exchange_time=order.exchange_time,
        received_at=order.received_at,
        source=FactSource.ANSWER,
        client_order_id=order.client_order_id,
    )
