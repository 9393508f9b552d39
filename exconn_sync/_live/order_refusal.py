"""What follows from the refusal of a new order: mostly that it is not at the exchange (fault F101)."""

from __future__ import annotations

from dataclasses import replace

from exconn_sync._live.command_desk import CommandDesk
from exconn_sync._live.order_handle import Order
from exconn_sync._machines.deadline import Deadline
from exconn_sync.errors import DuplicateOrder, ExconnError
from exconn_sync.model.enums import OrderStatus
from exconn_sync.model.orders import OrderFact, OrderState


def refused(desk: CommandDesk, order: Order, error: ExconnError, deadline: Deadline) -> bool:
    """Note that the exchange has refused a new order; return True where it has the order all the same.

    One that is refused as a duplicate may be there by a request that was delivered twice. Else the id means another
    open order, of an earlier run or of another program: the handle shows that one from now on, and not the one that
    was asked for.
    """
    if not isinstance(error, DuplicateOrder):
        desk.reject(order, refusal_text(error))
        return False
    error.order, state = order, order.state
    try:
        found = desk.order_look.at(state, lambda: desk.remaining(deadline))
    except ExconnError:
        # Not found proves nothing yet: reads may lag behind, and what has the id may be this order (fault F070).
        desk.store.apply([_voided(desk, state, OrderStatus.UNKNOWN, error)])
        desk.resolver.track(order.client_order_id)
        return False
    is_it = _is_as_asked(found, state) and not desk.store.is_earlier(found)
    desk.store.apply([found] if is_it else [_voided(desk, state, OrderStatus.UNKNOWN, error), found])
    return is_it


def refusal_text(error: ExconnError) -> str:
    """Return why an order is not at the exchange, for its ``reason``."""
    return f"{error.code}: {error.message}"


def _is_as_asked(found: OrderFact, state: OrderState) -> bool:
    terms = (found.side, found.type, found.quantity, found.price, found.stop_price)
    return terms == (state.side, state.type, state.quantity, state.price, state.stop_price)


def _voided(desk: CommandDesk, state: OrderState, status: OrderStatus, error: ExconnError) -> OrderFact:
    return replace(desk.stated(state, status, refusal_text(error)), voids_intent=True)
