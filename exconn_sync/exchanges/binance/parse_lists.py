"""Order lists in answers and events (Binance: 5.9, 10.3)."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from exconn_sync.exchanges.binance.endpoints import EXCHANGE
from exconn_sync.exchanges.binance.order_rows import OrderRow, acknowledge, answer_fills, order_fact
from exconn_sync.exchanges.binance.words import list_id_of, list_kind_of, list_status_of, reason_of, unknown_word
from exconn_sync.exchanges.decoding import Reader, clean_text
from exconn_sync.exchanges.wire_numbers import ns_of_ms, ns_of_time
from exconn_sync.model.account import Fact
from exconn_sync.model.enums import FactSource
from exconn_sync.model.ids import ClientOrderId, ExchangeOrderId
from exconn_sync.model.instrument import Instrument, Instruments
from exconn_sync.model.order_lists import OrderListFact, OrderListState
from exconn_sync.model.wire import HttpResponse
from exconn_sync.ports.driver import PartlyKnown


class _Leg(msgspec.Struct, rename="camel"):
    symbol: str
    order_id: int
    client_order_id: str


class ListRow(msgspec.Struct, rename="camel"):
    """An order list in an answer; queries have no ``orderReports``."""

    order_list_id: int
    contingency_type: str
    list_order_status: str
    list_client_order_id: str
    symbol: str
    orders: list[_Leg]
    transaction_time: int | None = None
    order_reports: list[OrderRow] = []


class _EventLeg(msgspec.Struct, rename={"symbol": "s", "order_id": "i", "client_id": "c"}):
    symbol: str
    order_id: int
    client_id: str


_EVENT_LETTERS = {
    "symbol": "s", "list_id": "g", "contingency": "c", "status": "L", "reject_reason": "r", "list_client_id": "C",
    "time": "T", "legs": "O",
}  # fmt: skip


class _ListStatus(msgspec.Struct, rename=_EVENT_LETTERS):
    """A listStatus; several letters mean something else here than in an executionReport (Binance: 13, trap 32)."""

    symbol: str
    list_id: int
    contingency: str
    status: str
    list_client_id: str
    time: int
    legs: list[_EventLeg]
    reject_reason: str | None = None


_LIST = Reader(EXCHANGE, ListRow, refuse_repeated_keys=True)
_LISTS = Reader(EXCHANGE, list[ListRow], refuse_repeated_keys=True)
_CANCELLED = Reader(EXCHANGE, list[msgspec.Raw], refuse_repeated_keys=True)
_KEYS = msgspec.json.Decoder(dict[str, msgspec.Raw])
_ONE_LIST = msgspec.json.Decoder(ListRow)
_ONE_ORDER = msgspec.json.Decoder(OrderRow)
_STATUS = msgspec.json.Decoder(_ListStatus)


def parse_placed_list(
    instrument: Instrument, list_client_id: ClientOrderId, legs: Sequence[ClientOrderId], response: HttpResponse
) -> Sequence[Fact]:
    """Read the answer to a new order list: the list, its orders, and their immediate fills. Raises ProtocolError."""

    def facts(row: ListRow) -> Sequence[Fact]:
        stated = {leg.client_order_id for leg in row.orders}
        if row.list_client_order_id != list_client_id or row.symbol != instrument.exchange_symbol:
            raise ValueError("the answer is about another order list")  # fault F084
        if stated != set(legs):
            raise ValueError("the answer is about other orders")
        return list_facts(row, instrument.symbol, FactSource.ANSWER, response.received_at)

    return _LIST.read(response.body, facts)


def parse_cancelled_list(instrument: Instrument, state: OrderListState, response: HttpResponse) -> Sequence[Fact]:
    """Read the answer to the cancel of a list: the list and what became of each order. Raises ProtocolError."""

    def facts(row: ListRow) -> Sequence[Fact]:
        if row.symbol != instrument.exchange_symbol or state.list_id not in (None, str(row.order_list_id)):
            raise ValueError("the answer is about another order list")  # fault F084
        return list_facts(row, instrument.symbol, FactSource.ANSWER, response.received_at)

    return _LIST.read(response.body, facts)


def parse_cancelled_all(instrument: Instrument, response: HttpResponse) -> Sequence[Fact]:
    """Read the answer to the cancel of everything: single orders and whole lists, mixed. Raises ProtocolError."""

    def facts(rows: list[msgspec.Raw]) -> Sequence[Fact]:
        found: list[Fact] = []
        for raw in rows:
            if "contingencyType" in _KEYS.decode(raw):
                found += list_facts(_ONE_LIST.decode(raw), instrument.symbol, FactSource.ANSWER, response.received_at)
                continue
            row = _ONE_ORDER.decode(raw)
            own = ClientOrderId(row.orig_client_order_id or row.client_order_id)
            found.append(order_fact(row, own, instrument.symbol, FactSource.ANSWER, response.received_at))
        return found

    return _CANCELLED.read(response.body, facts)


def parse_queried_list(instruments: Instruments, response: HttpResponse) -> OrderListFact:
    """Read one queried list. Raises ProtocolError."""
    return _LIST.read(
        response.body,
        lambda row: list_fact(row, instruments.canonical(row.symbol), FactSource.QUERY, response.received_at),
    )


def parse_open_lists(instruments: Instruments, response: HttpResponse) -> list[OrderListFact]:
    """Read the open order lists of the account. Raises ProtocolError."""
    return _LISTS.read(
        response.body,
        lambda rows: [
            list_fact(row, instruments.canonical(row.symbol), FactSource.QUERY, response.received_at) for row in rows
        ],
    )


def list_facts(row: ListRow, symbol: str, source: FactSource, received_at: int) -> list[Fact]:
    """Return what an answer states about a list, each of its orders, and their immediate fills.

    Raises:
        ValueError: a number is malformed.
    """
    facts: list[Fact] = [list_fact(row, symbol, source, received_at)]
    for report in row.order_reports:
        # In the report of a cancel ``clientOrderId`` is the cancel's own (Binance: 5.5).
        client_order_id = ClientOrderId(report.orig_client_order_id or report.client_order_id)
        acknowledge(report)
        is_placed = report.orig_client_order_id is None
        order = order_fact(report, client_order_id, symbol, source, received_at, is_placed=is_placed)
        facts += [order, *answer_fills(report, order)]
    return facts


def list_fact(row: ListRow, symbol: str, source: FactSource, received_at: int) -> OrderListFact:
    """Return what an answer states about a list itself."""
    return OrderListFact(
        exchange=EXCHANGE,
        symbol=symbol,
        list_client_id=ClientOrderId(row.list_client_order_id),
        source=source,
        received_at=received_at,
        list_id=list_id_of(row.order_list_id),
        status=list_status_of(row.list_order_status),
        kind=list_kind_of(row.contingency_type),
        legs=tuple(ClientOrderId(leg.client_order_id) for leg in row.orders),
        leg_ids=tuple(ExchangeOrderId(str(leg.order_id)) for leg in row.orders),
        exchange_time=None if row.transaction_time is None else ns_of_ms(row.transaction_time),
    )


def list_status_facts(event: msgspec.Raw, received_at: int, instruments: Instruments) -> Sequence[Fact] | PartlyKnown:
    """Read a listStatus; the orders of the list report for themselves. A new word is no error.

    Raises:
        ValueError: not of the documented form.
    """
    wire = _STATUS.decode(event)
    facts: list[Fact] = [
        OrderListFact(
            exchange=EXCHANGE,
            symbol=instruments.canonical(wire.symbol),
            list_client_id=ClientOrderId(wire.list_client_id),
            source=FactSource.STREAM,
            received_at=received_at,
            list_id=list_id_of(wire.list_id),
            status=list_status_of(wire.status),
            kind=list_kind_of(wire.contingency),
            legs=tuple(ClientOrderId(leg.client_id) for leg in wire.legs),
            leg_ids=tuple(ExchangeOrderId(str(leg.order_id)) for leg in wire.legs),
            exchange_time=ns_of_time(wire.time),
            reason=reason_of(wire.reject_reason),
        )
    ]
    new = unknown_word(list_status=wire.status, contingency=wire.contingency)
    return PartlyKnown(facts, clean_text(f"listStatus {new}")) if new else facts
