"""One order for one intent, however often it is placed (fault F115)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from exconn_sync._live.command_desk import CommandDesk
from exconn_sync._live.order_handle import Order
from exconn_sync._live.resolver import UNSETTLED
from exconn_sync._machines.deadline import Deadline
from exconn_sync.errors import OrderRejected, OutcomeUnknown, ValidationError
from exconn_sync.model.enums import OrderStatus
from exconn_sync.model.orders import OrderRequest, OrderState

Place: TypeAlias = Callable[[OrderRequest, Deadline], Order]


def place_once(desk: CommandDesk, place: Place, request: OrderRequest, deadline: Deadline) -> Order:
    """Place an order unless the order with its client order id exists; see ``Connector.place_order``.

    Of many threads that do this at once, one sends; the others wait for what becomes of it.
    """
    if request.client_order_id is None:
        raise ValidationError("client_order_id", None, "must be given with once=True: it says which order is meant")
    state = desk.store.order(request.client_order_id)
    if state is None:
        try:
            return place(request, deadline)
        except ValidationError as error:
            state = desk.store.order(request.client_order_id)
            # Another thread was first. Anything else that is wrong with the order has kept it out of the store.
            if error.field != "client_order_id" or state is None:
                raise
    _check_same(desk, request, state)
    return _known(desk, state, deadline)


def _check_same(desk: CommandDesk, request: OrderRequest, state: OrderState) -> None:
    """Refuse an id that means another order. What can be amended may differ."""
    symbol = desk.catalogue.get(request.symbol).symbol
    if (symbol, request.side, request.type) != (state.symbol, state.side, state.type):
        text = f"was used for another order: {state.side} {state.symbol} {state.type}"
        raise ValidationError("client_order_id", request.client_order_id, text)


def _known(desk: CommandDesk, state: OrderState, deadline: Deadline) -> Order:
    """Return the order that exists, with what ``place_order`` would have raised of it."""
    order = desk.handle(state.client_order_id)

    def is_clear(known: OrderState) -> bool:
        return known.status not in UNSETTLED or known.exchange_order_id is not None

    settled = desk.settled(state.client_order_id, is_clear, deadline)
    if settled is None:
        text = f"order {state.client_order_id} was placed before, and it is not known yet whether the exchange has it"
        raise OutcomeUnknown(text, order=order, exchange=desk.driver.name)
    if settled.status is OrderStatus.REJECTED:
        text = f"order {state.client_order_id} was placed before and is not at the exchange: {settled.reason}"
        raise OrderRejected(text, exchange=desk.driver.name)
    return order
