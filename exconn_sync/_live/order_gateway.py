"""Commands: from the user's request to one of three outcomes, done, refused or unknown (fault model 0.1)."""

from __future__ import annotations

from collections.abc import Sequence

from exconn_sync._live.command_desk import CommandDesk
from exconn_sync._live.order_handle import Order
from exconn_sync._live.order_refusal import refused
from exconn_sync._live.repeated_intent import place_once
from exconn_sync._live.resolver import UNSETTLED
from exconn_sync._machines.deadline import Deadline
from exconn_sync._runtime.correlation import correlated
from exconn_sync._runtime.faultpoints import reach
from exconn_sync.errors import ExconnError, OrderNotFound, OrderRejected, OutcomeUnknown, ValidationError
from exconn_sync.model.account import Fact
from exconn_sync.model.account_reports import Commission
from exconn_sync.model.enums import OrderStatus
from exconn_sync.model.orders import OrderRequest, OrderState
from exconn_sync.model.wire import RestCall


class OrderGateway:
    """Places and cancels orders on the caller's own thread. Thread-safe."""

    def __init__(self, desk: CommandDesk) -> None:
        self._desk = desk

    def deadline(self, timeout: float | None) -> Deadline:
        """Return the deadline of a command that begins now; None is the configured limit."""
        return self._desk.deadline(timeout)

    def place(self, request: OrderRequest, deadline: Deadline) -> Order:
        """Place an order; see ``Connector.place_order``."""
        desk = self._desk
        desk.require("placing an order", deadline)
        check_alone(request)
        item = desk.admit(desk.checked(request))
        # Put into the exchange's words first: what cannot be said must not become an intent.
        call = desk.driver.place_order(request, item.instrument, item.client_order_id, desk.catalogue.instruments)
        reach("order.before_intent")
        with desk.placing([item], deadline) as (order,):
            facts = self._sent(order, call, deadline)
            reach("order.before_answer")
            desk.store.apply(facts)
            if call.is_receipt:
                desk.received(order.client_order_id)
        return order

    def place_once(self, request: OrderRequest, deadline: Deadline) -> Order:
        """Place an order, or return the one with its client order id; see ``Connector.place_order``."""
        return place_once(self._desk, self.place, request, deadline)

    def _sent(self, order: Order, call: RestCall[Sequence[Fact]], deadline: Deadline) -> Sequence[Fact]:
        """Send a new order; return what the exchange states, nothing where only the looking has found it there."""
        try:
            reach("order.after_intent")
            return self._desk.send(call, deadline)
        except ExconnError as error:
            self._failed(order, error, deadline)
            return ()

    def test(self, request: OrderRequest, deadline: Deadline, *, with_commission: bool) -> Commission | None:
        """Have an order checked and not placed; see ``Connector.test_order``."""
        desk = self._desk
        desk.require("testing an order", deadline)
        check_alone(request)
        item = desk.checked(request)
        call = desk.driver.test_order(request, item.instrument, item.client_order_id, with_commission=with_commission)
        return desk.rest.call(call, desk.remaining(deadline))

    @correlated
    def cancel(self, order: Order | str, deadline: Deadline) -> None:
        """Cancel an order; see ``Connector.cancel_order``."""
        desk = self._desk
        desk.require("cancelling an order", deadline)
        state = desk.known(order)
        if not state.may_trade:
            raise OrderRejected(f"order {state.client_order_id} is {state.status} already", outcome="not_sent")
        call = desk.driver.cancel_order(desk.catalogue.of_order(state.symbol), state, desk.catalogue.instruments)
        try:
            facts = desk.send(call, deadline)
        except OrderNotFound:
            # Terminal already, or not yet arrived: only a look can tell (Binance: 7.4).
            desk.found_out(state, deadline)
            raise
        except ExconnError as error:
            if error.outcome not in ("not_sent", "refused"):
                self._settle_cancel(state, error, deadline)
                return
            if isinstance(error, OrderRejected):
                # It may be over already, or too late to be cancelled: its end has to be found out (fault F094).
                desk.found_out(state, deadline)
            raise
        desk.store.apply(facts)
        if call.is_receipt:
            self._confirm_cancel(state, deadline)

    def _failed(self, order: Order, error: ExconnError, deadline: Deadline) -> None:
        """Note the outcome of a placement that did not succeed; raise unless it turns out to be at the exchange."""
        desk = self._desk
        if error.outcome in ("not_sent", "refused"):
            if refused(desk, order, error, deadline):
                return
            raise error
        desk.doubt(order.client_order_id, error.message)
        settled = desk.settled(order.client_order_id, lambda state: state.status not in UNSETTLED, deadline)
        if settled is None:
            text = f"order {order.client_order_id}: it is not known yet whether the exchange has it ({error.message})"
            raise OutcomeUnknown(
                text, order=order, exchange=error.exchange, request_id=error.request_id, details=error.details
            ) from error
        if settled.status is OrderStatus.REJECTED:
            raise OrderRejected(settled.reason, exchange=error.exchange, request_id=error.request_id) from error

    def _settle_cancel(self, state: OrderState, error: ExconnError, deadline: Deadline) -> None:
        desk = self._desk
        settled = desk.searched(state, lambda item: not item.may_trade, deadline)
        if settled is None:
            order = desk.handle(state.client_order_id)
            text = f"cancel of {state.client_order_id}: it is not known yet whether it arrived ({error.message})"
            raise OutcomeUnknown(text, order=order, exchange=error.exchange, request_id=error.request_id) from error
        if settled.status is not OrderStatus.CANCELED:
            text = f"order {state.client_order_id} was not canceled, it is {settled.status}"
            raise OrderRejected(text, exchange=error.exchange, request_id=error.request_id) from error

    def _confirm_cancel(self, state: OrderState, deadline: Deadline) -> None:
        """Wait for the end of an order whose cancel was received: it may have been too late."""
        desk, exchange = self._desk, self._desk.driver.name
        settled = desk.confirmed(state.client_order_id, lambda item: not item.may_trade, deadline)
        if settled is None:
            order = desk.handle(state.client_order_id)
            text = f"cancel of {state.client_order_id} was received, and is not confirmed yet"
            raise OutcomeUnknown(text, order=order, exchange=exchange)
        if settled.status is not OrderStatus.CANCELED:
            text = f"order {state.client_order_id} was not canceled, it is {settled.status}"
            raise OrderRejected(text, exchange=exchange)


def check_alone(request: OrderRequest) -> None:
    """Check that an order makes sense outside of a list. Raises ValidationError."""
    if request.sells_received:
        raise ValidationError("quantity", "received", "is for the pending orders of opo and opoco lists")
