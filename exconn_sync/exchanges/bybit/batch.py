"""Several orders in one request: each of them succeeds or fails by itself (Bybit: 4.9, 3.3)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import msgspec

from exconn_sync.exchanges.bybit import encode, encode_orders, limits
from exconn_sync.exchanges.bybit import endpoints as urls
from exconn_sync.exchanges.bybit.envelope import EnvelopeReader, Item
from exconn_sync.exchanges.bybit.faults import command_error_of
from exconn_sync.exchanges.bybit.order_rows import FILTERS
from exconn_sync.exchanges.bybit.parse_orders import Receipt, is_about, received
from exconn_sync.model.enums import CommandOutcome
from exconn_sync.model.orders import OrderState
from exconn_sync.model.wire import HttpResponse, RestCall
from exconn_sync.ports.batch import ChangedOrder, NewOrder
from exconn_sync.ports.trading import HalfAnswer

_OUTCOMES = {"refused": CommandOutcome.REFUSED, "not_sent": CommandOutcome.REFUSED}


class _Receipts(msgspec.Struct, rename={"rows": "list"}):
    rows: list[Receipt]


_READER = EnvelopeReader(_Receipts, refuse_repeated_keys=True)


class BybitBatches:
    """See ``ports.batch`` for what each method promises."""

    size = limits.MOST_IN_BATCH

    def takes(self, order: OrderState) -> bool:
        """Return whether an order is an ordinary one: a batch cannot name the class of another (Bybit: 4.9)."""
        return encode_orders.class_of(order) == FILTERS[0]

    def place(self, orders: Sequence[NewOrder]) -> RestCall[Sequence[HalfAnswer]]:
        """Return the command that places the orders."""
        words = [encode_orders.placed(*order) for order in orders]
        readers = [partial(_placed, order, said.get("orderFilter")) for order, said in zip(orders, words, strict=True)]
        return _batch(urls.CREATE_BATCH, words, readers)

    def cancel(self, orders: Sequence[ChangedOrder]) -> RestCall[Sequence[HalfAnswer]]:
        """Return the command that cancels the orders."""
        words = [{"symbol": each.instrument.exchange_symbol, **encode_orders.named(each.order)} for each in orders]
        return _batch(urls.CANCEL_BATCH, words, [partial(_changed, order) for order in orders])

    def amend(self, orders: Sequence[ChangedOrder]) -> RestCall[Sequence[HalfAnswer]]:
        """Return the command that changes the quantities of the orders."""
        words = [
            encode_orders.amended(each.instrument, each.order, each.quantity)
            for each in orders
            if each.quantity is not None
        ]
        return _batch(urls.AMEND_BATCH, words, [partial(_changed, order) for order in orders])


def _batch(
    path: str, words: Sequence[encode_orders.Words], readers: Sequence[Callable[[Receipt, int], HalfAnswer]]
) -> RestCall[Sequence[HalfAnswer]]:
    return RestCall(
        "POST", path, partial(_parse, readers), is_signed=True, is_command=True,
        costs=limits.costs_of(path, len(words)), lane=limits.lane_of("POST", path),
        body=encode.json_body({**encode_orders.SPOT, "request": words}), is_receipt=True,
    )  # fmt: skip


def _parse(readers: Sequence[Callable[[Receipt, int], HalfAnswer]], response: HttpResponse) -> Sequence[HalfAnswer]:
    """Read what became of each order; a success around them says nothing of any (Bybit: 10). Raises ProtocolError."""

    def answers(rows: Sequence[Receipt], items: Sequence[Item]) -> Sequence[HalfAnswer]:
        if not len(rows) == len(items) == len(readers):
            raise ValueError("the answer is about another number of orders")  # fault F084
        return [
            read(row, response.received_at) if item.code == 0 else _failed(item)
            for read, row, item in zip(readers, rows, items, strict=True)
        ]

    return _READER.read(
        response.body,
        lambda wire: answers(wire.result.rows, [] if wire.ret_ext_info is None else wire.ret_ext_info.items),
    )


def _placed(order: NewOrder, order_class: str | None, receipt: Receipt, received_at: int) -> HalfAnswer:
    if not receipt.order_id or receipt.order_link_id not in (order.client_order_id, ""):
        raise ValueError("the answer is about something else")  # fault F084
    fact = received(order.instrument.symbol, order.client_order_id, receipt, received_at, order_class)
    return HalfAnswer(CommandOutcome.DONE, [fact])


def _changed(changed: ChangedOrder, receipt: Receipt, received_at: int) -> HalfAnswer:
    if not is_about(receipt.order_id, receipt.order_link_id, changed.order):
        raise ValueError("the answer is about something else")  # fault F084
    fact = received(changed.instrument.symbol, changed.order.client_order_id, receipt, received_at)
    return HalfAnswer(CommandOutcome.DONE, [fact])


def _failed(item: Item) -> HalfAnswer:
    error = command_error_of(item.code, item.msg)
    return HalfAnswer(_OUTCOMES.get(error.outcome or "", CommandOutcome.UNKNOWN), (), error)
