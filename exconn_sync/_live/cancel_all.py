"""Cancels all open orders of a symbol: one command or several, whose orders may have to be waited for."""

from __future__ import annotations

from collections.abc import Sequence

from exconn_sync._live.command_desk import LONGEST_PAUSE, PATIENCE, CommandDesk
from exconn_sync._live.order_handle import Order
from exconn_sync._machines.deadline import Deadline
from exconn_sync.errors import ConnectorStopped, ExconnError, OrderNotFound, OutcomeUnknown, PartlyDone
from exconn_sync.model.account import Fact
from exconn_sync.model.ids import ClientOrderId
from exconn_sync.model.instrument import Instrument
from exconn_sync.model.orders import OrderFact, OrderState

_CERTAIN = ("not_sent", "refused")


def cancel_all(desk: CommandDesk, symbol: str, deadline: Deadline) -> list[Order]:
    """Cancel all open orders of a symbol; see ``Connector.cancel_all``.

    Every command is sent, whatever became of those before it: to leave no order is the point.
    """
    desk.require("cancelling orders", deadline)
    instrument = _instrument(desk, symbol)
    # Taken before: an order placed meanwhile need not be among the cancelled ones.
    known = [state for state in desk.store.open_orders() if state.symbol == instrument.symbol]
    ended: list[ClientOrderId] = []
    received: list[ClientOrderId] = []
    failures: list[ExconnError] = []
    for call in desk.driver.cancel_all(instrument, desk.catalogue.instruments):
        try:
            facts = desk.send(call, deadline)
        except OrderNotFound:
            # Nothing is open there; what is held as open here has ended without our noticing.
            desk.reconciler.doubt()
        except ExconnError as error:
            failures.append(error)
        else:
            (received if call.is_receipt else ended).extend(_entered(desk, facts, only_known=call.is_receipt))
    open_still = awaited_ends(desk, received, deadline)
    handles = [desk.handle(name) for name in (*ended, *received) if name not in open_still]
    unclear = next((error for error in failures if error.outcome not in _CERTAIN), None)
    if unclear is not None:
        return _settled(desk, known, unclear, deadline)
    if open_still:
        text = f"cancel of all orders was received; {len(open_still)} of them are not confirmed yet"
        left = [desk.handle(name) for name in open_still]
        raise OutcomeUnknown(text, result=left, exchange=desk.driver.name) from next(iter(failures), None)
    if failures and not handles:
        raise failures[0]
    if failures:
        text = f"not all orders were cancelled ({failures[0].message})"
        raise PartlyDone(text, result=handles, exchange=desk.driver.name) from failures[0]
    return handles


def _instrument(desk: CommandDesk, symbol: str) -> Instrument:
    """Return the instrument, of a symbol that is not listed any more only where orders are left.

    Raises:
        ValidationError: there is no such symbol.
    """
    found = desk.catalogue.of_order(symbol)
    if any(state.symbol == found.symbol for state in desk.store.open_orders()):
        return found
    return desk.catalogue.get(symbol)


def _entered(desk: CommandDesk, facts: Sequence[Fact], *, only_known: bool) -> list[ClientOrderId]:
    """Enter what an answer says; return our ids of its orders.

    A receipt says nothing of an order but that it is there: one that is not known here is left to the account stream.
    """
    orders = [fact for fact in facts if isinstance(fact, OrderFact)]
    if only_known:
        orders = [fact for fact in orders if desk.store.order_of(fact) is not None]
        facts = orders
    desk.store.apply(facts)
    states = [desk.store.order_of(fact) for fact in orders]
    return [state.client_order_id for state in states if state is not None]


def awaited_ends(desk: CommandDesk, names: Sequence[ClientOrderId], deadline: Deadline) -> list[ClientOrderId]:
    """Wait for the ends of orders whose cancel was received; return those that have not ended in time."""
    open_still, pause = list(names), PATIENCE
    while open_still and not deadline.is_over(desk.clock.monotonic_ns()):
        until = Deadline.after(desk.clock.monotonic_ns(), pause)
        try:
            open_still = [name for name in open_still if not _has_ended(desk, name, until, deadline)]
        except ConnectorStopped:
            break
        if open_still:
            # The account stream is silent: all of them at once are compared with what the exchange lists.
            desk.reconciler.doubt()
        pause = min(2 * pause, LONGEST_PAUSE)
    return open_still


def _has_ended(desk: CommandDesk, name: ClientOrderId, until: Deadline, deadline: Deadline) -> bool:
    left = [seconds for each in (until, deadline) if (seconds := desk.remaining(each)) is not None]
    return desk.store.wait_for(name, lambda state: not state.may_trade, max(min(left), 0.0)) is not None


def _settled(desk: CommandDesk, known: list[OrderState], error: ExconnError, deadline: Deadline) -> list[Order]:
    """Wait for the ends of all orders that were open, where it is not known what became of a command."""
    desk.reconciler.doubt()
    ended: list[Order] = []
    open_still: list[Order] = []
    for state in known:
        settled = desk.settled(state.client_order_id, lambda item: not item.may_trade, deadline)
        (open_still if settled is None else ended).append(desk.handle(state.client_order_id))
    if open_still or not known:
        text = f"cancel of all orders: it is not known yet whether it arrived ({error.message})"
        raise OutcomeUnknown(text, result=open_still, exchange=error.exchange, request_id=error.request_id) from error
    return ended
