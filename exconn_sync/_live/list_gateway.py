"""Order lists: several orders by one command, each of which has an outcome of its own (fault model 0.1; F112)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from exconn_sync._live.checked_order import Checked
from exconn_sync._live.command_desk import CommandDesk, new_id
from exconn_sync._live.order_list_handle import OrderList
from exconn_sync._live.order_refusal import refusal_text, refused
from exconn_sync._live.resolver import UNSETTLED
from exconn_sync._machines.deadline import Deadline
from exconn_sync._runtime.correlation import correlated
from exconn_sync._runtime.faultpoints import reach
from exconn_sync.errors import ExconnError, OrderNotFound, OrderRejected, OutcomeUnknown, ValidationError
from exconn_sync.model.account import Fact
from exconn_sync.model.enums import FactSource, OrderListStatus, OrderStatus
from exconn_sync.model.ids import ClientOrderId
from exconn_sync.model.order_lists import OrderListFact, OrderListRequest, OrderListState, own_list_statement
from exconn_sync.model.wire import RestCall

_CERTAIN = ("not_sent", "refused")


class ListGateway:
    """Places and cancels order lists on the caller's own thread. Thread-safe."""

    def __init__(self, desk: CommandDesk, cancel: Callable[[OrderList, float | None], None]) -> None:
        self._desk = desk
        self._cancel = cancel

    def handle(self, state: OrderListState) -> OrderList:
        """Return a live handle on a known list, with those of its orders that are known."""
        known = (leg for leg in state.legs if self._desk.store.order(leg) is not None)
        orders = tuple(self._desk.handle(leg) for leg in known)
        return OrderList(state.list_client_id, orders, self._desk.store, self._cancel)

    def place(self, request: OrderListRequest, deadline: Deadline) -> OrderList:
        """Place an order list; see ``Connector.place_order_list``."""
        desk = self._desk
        desk.require("placing an order list", deadline)
        items = self._admitted([desk.checked(leg) for leg in request.legs])
        list_client_id = request.list_id or new_id()
        if desk.store.order_list(list_client_id) is not None:
            raise ValidationError("list_id", list_client_id, "was used before")
        call = desk.driver.place_list(
            request, items[0].instrument, list_client_id, [item.client_order_id for item in items],
            desk.catalogue.instruments,
        )  # fmt: skip
        reach("order.before_intent")
        with desk.placing(items, deadline) as orders:
            self._state_list(request, list_client_id, items)
            made = OrderList(list_client_id, tuple(orders), desk.store, self._cancel)
            facts = self._sent(made, call, deadline)
            reach("order.before_answer")
            desk.store.apply(facts)
        return made

    def _admitted(self, checked: list[Checked]) -> list[Checked]:
        """Return the orders after the risk rules were asked about all of them together."""
        items: list[Checked] = []
        for item in checked:
            shown, before = _sized(item, checked[0]), tuple(each.case for each in items if each.case is not None)
            # Of two orders of which one cancels the other only one takes money, and pending ones take it later.
            case = self._desk.risk.admit(shown.request, shown.instrument, with_balance=not items, before=before)
            items.append(item._replace(case=case))
        return items

    def _sent(self, made: OrderList, call: RestCall[Sequence[Fact]], deadline: Deadline) -> Sequence[Fact]:
        """Send a new list; return what the exchange states, nothing where only the looking has found it there."""
        try:
            reach("order.after_intent")
            return self._desk.rest.call(call, self._desk.remaining(deadline))
        except ExconnError as error:
            self._failed(made, error, deadline)
            return ()

    def _state_list(self, request: OrderListRequest, list_client_id: ClientOrderId, items: list[Checked]) -> None:
        legs = tuple(item.client_order_id for item in items)
        self._desk.store.apply(
            [
                OrderListFact(
                    exchange=self._desk.driver.name,
                    symbol=items[0].instrument.symbol,
                    list_client_id=list_client_id,
                    source=FactSource.LOCAL,
                    received_at=self._desk.clock.time_ns(),
                    status=OrderListStatus.PENDING,
                    kind=request.kind,
                    legs=legs,
                )
            ]
        )

    def _failed(self, made: OrderList, error: ExconnError, deadline: Deadline) -> None:
        """Note the outcome of a list that was not confirmed; raise unless all its orders are at the exchange."""
        desk = self._desk
        if error.outcome in _CERTAIN:
            for order in made.orders:
                refused(desk, order, error, deadline)
            self._refused(made, refusal_text(error))
            raise error
        # The exchange takes all orders of a list or none, but each has to be found: one found proves the others to be
        # on their way only.
        for order in made.orders:
            desk.doubt(order.client_order_id, error.message)
        settled = [
            desk.settled(order.client_order_id, lambda state: state.status not in UNSETTLED, deadline)
            for order in made.orders
        ]
        known = [state for state in settled if state is not None]
        if len(known) < len(settled):
            text = f"order list {made.list_client_id}: it is not known yet whether the exchange has it"
            raise OutcomeUnknown(
                f"{text} ({error.message})", order=made.orders[0], result=made, exchange=error.exchange,
                request_id=error.request_id, details=error.details,
            ) from error  # fmt: skip
        if all(state.status is OrderStatus.REJECTED for state in known):
            self._refused(made, known[0].reason)
            raise OrderRejected(known[0].reason, exchange=error.exchange, request_id=error.request_id) from error
        self._look_up(made, deadline)

    def _refused(self, made: OrderList, reason: str) -> None:
        at = self._desk.clock.time_ns()
        self._desk.store.apply([own_list_statement(made.state, OrderListStatus.REJECTED, reason, at)])

    def _look_up(self, made: OrderList, deadline: Deadline) -> None:
        """Ask for the list itself where its orders were found without it: its id and status."""
        desk = self._desk
        try:
            call = desk.driver.fetch_list(made.state, desk.catalogue.instruments)
            desk.store.apply([desk.rest.call(call, desk.remaining(deadline))])
        except ExconnError:
            # The orders are known, and they are what counts; the stream tells of the list when it changes.
            return

    @correlated
    def cancel(self, order_list: OrderList | str, deadline: Deadline) -> None:
        """Cancel an order list; see ``Connector.cancel_order_list``."""
        desk = self._desk
        desk.require("cancelling an order list", deadline)
        state = self._known(order_list)
        legs = [found for leg in state.legs if (found := desk.store.order(leg)) is not None]
        if legs and all(leg.is_terminal for leg in legs):
            raise OrderRejected(f"all orders of list {state.list_client_id} are terminal", outcome="not_sent")
        instrument = desk.catalogue.of_order(state.symbol)
        call = desk.driver.cancel_list(instrument, state, legs, desk.catalogue.instruments)
        try:
            facts = desk.rest.call(call, desk.remaining(deadline))
        except OrderNotFound:
            desk.reconciler.doubt()
            raise
        except ExconnError as error:
            if error.outcome in _CERTAIN:
                raise
            self._settle_cancel(state, error, deadline)
            return
        desk.store.apply(facts)

    def _settle_cancel(self, state: OrderListState, error: ExconnError, deadline: Deadline) -> None:
        desk = self._desk
        desk.reconciler.doubt()
        settled = [desk.settled(leg, lambda item: item.is_terminal, deadline) for leg in state.legs]
        made = self.handle(state)
        if any(leg is None for leg in settled):
            text = f"cancel of list {state.list_client_id}: it is not known yet whether it arrived ({error.message})"
            raise OutcomeUnknown(text, result=made, exchange=error.exchange, request_id=error.request_id) from error
        if not any(leg is not None and leg.status is OrderStatus.CANCELED for leg in settled):
            text = f"order list {state.list_client_id} was not canceled"
            raise OrderRejected(text, exchange=error.exchange, request_id=error.request_id) from error

    def _known(self, order_list: OrderList | str) -> OrderListState:
        if isinstance(order_list, OrderList):
            return order_list.state
        state = self._desk.store.order_list(order_list) if isinstance(order_list, str) else None
        if state is None:
            raise ValidationError("order_list", order_list, "is not a known order list; pass an OrderList or its id")
        return state


def _sized(item: Checked, working: Checked) -> Checked:
    """Return an order as the risk rules are to see it: one that sells what is received sells that much at most."""
    if not item.request.sells_received:
        return item
    return item._replace(request=replace(item.request, quantity=working.request.quantity, sells_received=False))
