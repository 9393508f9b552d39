"""Commands that change orders already placed: replace, amend, cancel all (fault model 0.1; faults F108, F109)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from exconn_sync._live.cancel_all import cancel_all
from exconn_sync._live.command_desk import CommandDesk
from exconn_sync._live.order_gateway import check_alone
from exconn_sync._live.order_handle import Order
from exconn_sync._live.order_refusal import refused
from exconn_sync._live.order_replacement import OrderReplacement
from exconn_sync._live.resolver import UNSETTLED
from exconn_sync._live.wanted_terms import Wanted
from exconn_sync._machines.deadline import Deadline
from exconn_sync._runtime.faultpoints import reach
from exconn_sync.errors import (
    ExconnError,
    OrderNotFound,
    OrderRejected,
    OutcomeUnknown,
    PartlyDone,
    ValidationError,
)
from exconn_sync.errors.base import retold
from exconn_sync.model.account import Fact
from exconn_sync.model.enums import CommandOutcome, OrderStatus
from exconn_sync.model.orders import OrderRequest, OrderState
from exconn_sync.model.wire import RestCall
from exconn_sync.ports.trading import HalfAnswer, ReplaceAnswer

_NO_EXITS: Mapping[str, object] = MappingProxyType({})
_CERTAIN = ("not_sent", "refused")
_DONE, _UNKNOWN = CommandOutcome.DONE, CommandOutcome.UNKNOWN


class OrderChanges:
    """Replaces, amends and cancels orders on the caller's own thread. Thread-safe."""

    def __init__(self, desk: CommandDesk) -> None:
        self._desk = desk

    # --- replace ----------------------------------------------------------------------------------------------------

    def replace(
        self,
        order: Order | str,
        request: OrderRequest,
        deadline: Deadline,
        *,
        place_anyway: bool,
        cancel_anyway: bool,
    ) -> OrderReplacement:
        """Cancel an order and place another; see ``Connector.replace_order``."""
        desk = self._desk
        desk.require("replacing an order", deadline)
        old = desk.known(order)
        check_alone(request)
        item = desk.checked(request)
        if item.instrument.symbol != old.symbol:
            raise ValidationError("request", request.symbol, f"must be of the symbol of the old order, {old.symbol}")
        if request.smart_routing:
            raise ValidationError("smart_routing", True, "does not go with a replacement")
        if old.is_terminal and not place_anyway:
            raise OrderRejected(f"order {old.client_order_id} is {old.status} already", outcome="not_sent")
        # An order that is placed whatever becomes of the old one is one more.
        item = desk.admit(item, replaces=None if place_anyway else old)
        call = desk.driver.replace_order(
            old, request, item.instrument, item.client_order_id, desk.catalogue.instruments,
            place_anyway=place_anyway, cancel_anyway=cancel_anyway,
        )  # fmt: skip
        reach("order.before_intent")
        with desk.placing([item], deadline) as (new,):
            try:
                answer = self._sent(old, new, call, deadline, place_anyway=place_anyway)
            except ExconnError:
                raise
            except BaseException:
                desk.reconciler.doubt()
                raise
            reach("order.before_answer")
            made = self._entered(old, new, answer, deadline)
        return self._judged(made)

    def _sent(
        self, old: OrderState, new: Order, call: RestCall[ReplaceAnswer], deadline: Deadline, *, place_anyway: bool
    ) -> ReplaceAnswer:
        """Send both commands as one; return what the answer says, or what the looking has found."""
        desk = self._desk
        try:
            reach("order.after_intent")
            return desk.send(call, deadline)
        except ExconnError as error:
            if error.outcome in _CERTAIN:
                refused(desk, new, error, deadline)
                raise
            return self._sought(old, new, error, deadline, place_anyway=place_anyway)

    def _sought(
        self, old: OrderState, new: Order, error: ExconnError, deadline: Deadline, *, place_anyway: bool
    ) -> ReplaceAnswer:
        """Look for what became of both halves of a command that was not answered; nothing is sent again."""
        desk = self._desk
        placement = self._sought_placement(new, error, deadline)
        unknown = HalfAnswer(_UNKNOWN, (), error)
        if placement.outcome is _UNKNOWN:
            state = desk.store.order(old.client_order_id) or old
            return ReplaceAnswer(HalfAnswer(_DONE) if state.status is OrderStatus.CANCELED else unknown, placement)
        # The command is over, so the old order is what it will stay: it is cancelled before the new one is placed, and
        # where the new one can no longer arrive, neither can the cancel.
        looked = desk.looked_up(old, deadline)
        if placement.outcome is _DONE and not place_anyway:
            # The new order proves the cancel: without it, it is not placed (Binance: 5.7). What the look says of the
            # old one may be older than that (fault F070).
            if looked is None or looked.status is not OrderStatus.CANCELED:
                desk.reconciler.doubt()
            return ReplaceAnswer(HalfAnswer(_DONE), placement)
        if looked is None:
            return ReplaceAnswer(unknown, placement)
        if looked.status is OrderStatus.CANCELED:
            return ReplaceAnswer(HalfAnswer(_DONE), placement)
        text = f"order {old.client_order_id} was not canceled, it is {looked.status}"
        refused = OrderRejected(text, exchange=error.exchange, request_id=error.request_id)
        return ReplaceAnswer(HalfAnswer(CommandOutcome.REFUSED, (), refused), placement)

    def _sought_placement(self, new: Order, error: ExconnError, deadline: Deadline) -> HalfAnswer:
        desk = self._desk
        desk.doubt(new.client_order_id, error.message)
        settled = desk.settled(new.client_order_id, lambda state: state.status not in UNSETTLED, deadline)
        if settled is None:
            return HalfAnswer(_UNKNOWN, (), error)
        if settled.status is not OrderStatus.REJECTED:
            return HalfAnswer(_DONE)
        refused = OrderRejected(settled.reason, exchange=error.exchange, request_id=error.request_id)
        return HalfAnswer(CommandOutcome.REFUSED, (), refused)

    def _entered(self, old: OrderState, new: Order, answer: ReplaceAnswer, deadline: Deadline) -> OrderReplacement:
        """Enter what the answer says of each half; look for a half of which it proves nothing."""
        desk = self._desk
        cancel, placement = answer.cancel, answer.placement
        desk.store.apply([*cancel.facts, *placement.facts])
        if placement.outcome is CommandOutcome.NOT_SENT:
            desk.reject(new, "not placed, because the cancel failed")
        elif placement.error is not None and placement.outcome is CommandOutcome.REFUSED:
            if new.status in UNSETTLED and refused(desk, new, placement.error, deadline):
                placement = HalfAnswer(_DONE)
        elif placement.error is not None and new.status is OrderStatus.PENDING_NEW:
            placement = self._sought_placement(new, placement.error, deadline)
        if cancel.outcome is _UNKNOWN and placement.outcome is not _UNKNOWN:
            looked = desk.looked_up(old, deadline)
            if looked is not None and looked.status is OrderStatus.CANCELED:
                cancel = HalfAnswer(_DONE)
        if cancel.outcome is not _DONE:
            # Refused, it is terminal already or not yet arrived: only a look can tell (Binance: 7.4).
            desk.found_out(old, deadline)
        return OrderReplacement(
            desk.handle(old.client_order_id), new, cancel.outcome, placement.outcome, cancel.error, placement.error
        )

    def _judged(self, made: OrderReplacement) -> OrderReplacement:
        """Return a replacement that was done; raise what else became of it."""
        if made.is_done:
            return made
        first = made.cancel_error or made.placement_error
        text = (
            f"replacing {made.old.client_order_id} by {made.new.client_order_id}: cancel {made.cancel_outcome}, "
            f"placement {made.placement_outcome}"
        )
        if first is not None:
            text = f"{text} ({first.message})"
        if _UNKNOWN in (made.cancel_outcome, made.placement_outcome):
            raise OutcomeUnknown(text, order=made.new, result=made, exchange=self._desk.driver.name) from first
        if _DONE in (made.cancel_outcome, made.placement_outcome):
            raise PartlyDone(text, result=made, exchange=self._desk.driver.name) from first
        if first is None:
            raise OrderRejected(text, exchange=self._desk.driver.name, result=made)
        if made.placement_error is None:
            raise retold(first, first.message, made)
        # Both were refused: why the new order was is what the caller can do something about (fault F109).
        raise retold(made.placement_error, _both(made), made) from made.cancel_error

    # --- amend ------------------------------------------------------------------------------------------------------

    def amend(
        self,
        order: Order | str,
        quantity: object,
        price: object,
        deadline: Deadline,
        exits: Mapping[str, object] = _NO_EXITS,
    ) -> Order:
        """Change the quantity, the price or the exits of an order; see ``Connector.amend_order``."""
        desk = self._desk
        desk.require("amending an order", deadline)
        state = desk.known(order)
        wanted = Wanted.of(quantity, price, exits)
        if state.is_terminal:
            raise OrderRejected(f"order {state.client_order_id} is {state.status} already", outcome="not_sent")
        instrument = desk.catalogue.of_order(state.symbol)
        wanted.check(state, instrument)
        with desk.risk.amending(state, instrument, wanted):
            call = desk.driver.amend_order(
                instrument, state, wanted.quantity, desk.catalogue.instruments, price=wanted.price,
                exits=wanted.exits or None,
            )  # fmt: skip
            self._amend(state, wanted, call, deadline)
        return desk.handle(state.client_order_id)

    def _amend(self, state: OrderState, wanted: Wanted, call: RestCall[Sequence[Fact]], deadline: Deadline) -> None:
        desk = self._desk
        try:
            facts = desk.send(call, deadline)
        except OrderNotFound:
            desk.found_out(state, deadline)
            raise
        except ExconnError as error:
            if error.outcome in _CERTAIN:
                raise
            self._settle_amend(state, wanted, error, deadline)
        else:
            desk.store.apply(facts)
            if call.is_receipt:
                # An order that is only to be changed counts as large as it may become until this is over.
                self._confirm_amend(state, wanted, deadline)

    def _settle_amend(self, state: OrderState, wanted: Wanted, error: ExconnError, deadline: Deadline) -> None:
        desk = self._desk
        settled = desk.searched(state, lambda item: wanted.is_shown_by(item) or item.is_terminal, deadline)
        if settled is None:
            text = f"amend of {state.client_order_id}: it is not known yet whether it arrived ({error.message})"
            order = desk.handle(state.client_order_id)
            raise OutcomeUnknown(text, order=order, exchange=error.exchange, request_id=error.request_id) from error
        if not wanted.is_shown_by(settled):
            text = f"order {state.client_order_id} was not amended, it is {settled.status}"
            raise OrderRejected(text, exchange=error.exchange, request_id=error.request_id) from error

    def _confirm_amend(self, state: OrderState, wanted: Wanted, deadline: Deadline) -> None:
        """Wait until an amend that was received shows: the order may have ended before it."""
        desk, exchange = self._desk, self._desk.driver.name
        settled = desk.confirmed(
            state.client_order_id, lambda item: wanted.is_shown_by(item) or item.is_terminal, deadline
        )
        if settled is None:
            text = f"amend of {state.client_order_id} was received, and is not confirmed yet"
            raise OutcomeUnknown(text, order=desk.handle(state.client_order_id), exchange=exchange)
        if not wanted.is_shown_by(settled):
            text = f"order {state.client_order_id} was not amended, it is {settled.status}"
            raise OrderRejected(text, exchange=exchange)

    # --- cancel all -------------------------------------------------------------------------------------------------

    def cancel_all(self, symbol: str, deadline: Deadline) -> list[Order]:
        """Cancel all open orders of a symbol; see ``Connector.cancel_all``."""
        return cancel_all(self._desk, symbol, deadline)


def _both(made: OrderReplacement) -> str:
    why = [f"placement: {made.placement_error.message}"] if made.placement_error is not None else []
    why += [f"cancel: {made.cancel_error.message}"] if made.cancel_error is not None else []
    return f"replacing {made.old.client_order_id} by {made.new.client_order_id}: " + "; ".join(why)
