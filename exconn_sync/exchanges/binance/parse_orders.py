"""Answers of REST calls about single orders: placed, cancelled, queried, open (Binance: 5.5)."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from exconn_sync.exchanges.binance.endpoints import EXCHANGE
from exconn_sync.exchanges.binance.order_rows import OrderRow, QueriedOrderRow, acknowledge, answer_fills, order_fact
from exconn_sync.exchanges.binance.parse_lists import ListRow, list_facts
from exconn_sync.exchanges.decoding import Reader
from exconn_sync.model.account import Fact
from exconn_sync.model.enums import FactSource
from exconn_sync.model.ids import ClientOrderId
from exconn_sync.model.instrument import Instrument, Instruments
from exconn_sync.model.orders import OrderFact, OrderState
from exconn_sync.model.wire import HttpResponse

_PLACED = Reader(EXCHANGE, OrderRow, refuse_repeated_keys=True)
_CANCELLED = Reader(EXCHANGE, msgspec.Raw, refuse_repeated_keys=True)
_ORDER = msgspec.json.Decoder(OrderRow)
_ORDER_LIST = msgspec.json.Decoder(ListRow)
_KEYS = msgspec.json.Decoder(dict[str, msgspec.Raw])
_QUERIED = Reader(EXCHANGE, QueriedOrderRow, refuse_repeated_keys=True)
_OPEN = Reader(EXCHANGE, list[QueriedOrderRow], refuse_repeated_keys=True)


def parse_placed(instrument: Instrument, client_order_id: ClientOrderId, response: HttpResponse) -> Sequence[Fact]:
    """Read the answer to a new order: the order, then its immediate fills. Raises ProtocolError."""

    def facts(row: OrderRow) -> Sequence[Fact]:
        _require(row.symbol == instrument.exchange_symbol and row.client_order_id == client_order_id)
        acknowledge(row)
        received_at = response.received_at
        order = order_fact(row, client_order_id, instrument.symbol, FactSource.ANSWER, received_at, is_placed=True)
        return [order, *answer_fills(row, order)]

    return _PLACED.read(response.body, facts)


def parse_cancelled(instrument: Instrument, order: OrderState, response: HttpResponse) -> Sequence[Fact]:
    """Read the answer to a cancel; one for a leg of an order list reports all its legs. Raises ProtocolError."""

    def facts(raw: msgspec.Raw) -> Sequence[Fact]:
        if "contingencyType" in _KEYS.decode(raw):
            # A cancelled leg of an order list takes the whole list with it, and the answer has the list's shape.
            listed = _ORDER_LIST.decode(raw)
            _require(listed.symbol == instrument.exchange_symbol)
            _require(any(_is_about(row, order) for row in listed.order_reports))
            return list_facts(listed, instrument.symbol, FactSource.ANSWER, response.received_at)
        row = _ORDER.decode(raw)
        _require(row.symbol == instrument.exchange_symbol and _is_about(row, order))
        return [order_fact(row, order.client_order_id, instrument.symbol, FactSource.ANSWER, response.received_at)]

    return _CANCELLED.read(response.body, facts)


def parse_queried(instrument: Instrument, order: OrderState, response: HttpResponse) -> OrderFact:
    """Read one queried order. Raises ProtocolError."""

    def fact(row: QueriedOrderRow) -> OrderFact:
        _require(row.symbol == instrument.exchange_symbol and (_is_about(row, order) or _may_be_renamed(row, order)))
        return order_fact(row, order.client_order_id, instrument.symbol, FactSource.QUERY, response.received_at)

    return _QUERIED.read(response.body, fact)


def parse_open_orders(
    instrument: Instrument | None, instruments: Instruments, response: HttpResponse
) -> list[OrderFact]:
    """Read the open orders of one symbol or of all. Raises ProtocolError."""

    def facts(rows: list[QueriedOrderRow]) -> list[OrderFact]:
        _require(instrument is None or all(row.symbol == instrument.exchange_symbol for row in rows))
        return [
            order_fact(
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


def _is_about(row: OrderRow, order: OrderState) -> bool:
    if order.exchange_order_id is not None:
        return str(row.order_id) == order.exchange_order_id
    return order.client_order_id in (row.client_order_id, row.orig_client_order_id)


def _may_be_renamed(row: QueriedOrderRow, order: OrderState) -> bool:
    """Return whether an order found by its old client id may answer with another: a cancel replaces it (5.6)."""
    return order.exchange_order_id is None and row.status == "CANCELED"
