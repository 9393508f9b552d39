"""Commands for several orders at once: in batches where the exchange takes them, else one after the other.

Each order has an outcome of its own, whatever becomes of the others (fault model 0.1).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar, cast

from exconn_sync._live.cancel_all import awaited_ends
from exconn_sync._live.command_desk import CommandDesk
from exconn_sync._live.command_result import CommandResult
from exconn_sync._live.order_gateway import check_alone
from exconn_sync._live.order_handle import Order
from exconn_sync._live.order_refusal import refused
from exconn_sync._live.resolver import UNSETTLED
from exconn_sync._live.wanted_terms import Wanted
from exconn_sync._machines.deadline import Deadline
from exconn_sync.errors import ExconnError, OrderRejected, OutcomeUnknown
from exconn_sync.model.account import Fact
from exconn_sync.model.enums import CommandOutcome, OrderStatus
from exconn_sync.model.instrument import Instruments
from exconn_sync.model.numbers import positive_decimal_of
from exconn_sync.model.orders import OrderRequest, OrderState
from exconn_sync.model.wire import RestCall
from exconn_sync.ports.batch import ChangedOrder, NewOrder
from exconn_sync.ports.trading import HalfAnswer

T = TypeVar("T")

_DONE, _NOT_SENT, _REFUSED, _UNKNOWN = (
    CommandOutcome.DONE, CommandOutcome.NOT_SENT, CommandOutcome.REFUSED, CommandOutcome.UNKNOWN,
)  # fmt: skip
_OUTCOMES = {"not_sent": _NOT_SENT, "refused": _REFUSED}

Answers = Sequence[HalfAnswer]


@dataclass
class _Change:
    """A cancel or an amend on its way; ``answer`` is what the exchange said, or what kept it from being asked."""

    item: ChangedOrder
    answer: HalfAnswer | None = None
    is_receipt: bool = False


class BatchGateway:
    """Places, cancels and amends several orders on the caller's own thread. Thread-safe."""

    def __init__(self, desk: CommandDesk, environment: str) -> None:
        self._desk = desk
        self._batches = desk.driver.batch_calls(environment)

    # --- place ------------------------------------------------------------------------------------------------------

    def place(self, requests: Sequence[OrderRequest], deadline: Deadline) -> list[CommandResult]:
        """Place orders; see ``Connector.place_orders``."""
        desk = self._desk
        desk.require("placing orders", deadline)
        for request in requests:
            check_alone(request)
        items = desk.admit_all([desk.checked(request) for request in requests])
        # Put into the exchange's words first: what cannot be said must not become an intent.
        parts = list(self._placements([item.order for item in items]))
        results: list[CommandResult] = []
        # All are entered before the first one is sent: a limit or a used id that keeps one out keeps all from leaving.
        placing = desk.placing(items, deadline, in_parts=True)
        with placing as orders:
            for part, call in parts:
                begin, end = len(results), len(results) + len(part)
                placing.leave(begin, end)
                results += self._placed(orders[begin:end], call, deadline)
        return [self._settled_placement(result, deadline) for result in results]

    def _placements(self, items: Sequence[NewOrder]) -> Iterator[tuple[Sequence[NewOrder], RestCall[Answers]]]:
        batches, driver = self._batches, self._desk.driver
        if batches is not None:
            for part in _parts(items, batches.size):
                yield part, batches.place(part)
            return
        for item in items:
            yield [item], _alone(driver.place_order(*item, self._desk.catalogue.instruments))

    def _placed(self, part: Sequence[Order], call: RestCall[Answers], deadline: Deadline) -> list[CommandResult]:
        answers = self._asked(call, len(part), deadline)
        return [
            self._entered(order, answer, deadline, is_receipt=call.is_receipt)
            for order, answer in zip(part, answers, strict=True)
        ]

    def _entered(self, order: Order, answer: HalfAnswer, deadline: Deadline, *, is_receipt: bool) -> CommandResult:
        desk, error = self._desk, answer.error
        desk.store.apply(answer.facts)
        if error is None:
            if is_receipt:
                desk.received(order.client_order_id)
        elif answer.outcome is _UNKNOWN:
            desk.doubt(order.client_order_id, error.message)
        elif refused(desk, order, error, deadline):
            return CommandResult(order, _DONE)
        return CommandResult(order, answer.outcome, error)

    def _settled_placement(self, result: CommandResult, deadline: Deadline) -> CommandResult:
        """Wait for what becomes of an order of which nothing is proven yet."""
        if result.outcome is not _UNKNOWN:
            return result
        name = result.order.client_order_id
        settled = self._desk.settled(name, lambda state: state.status not in UNSETTLED, deadline)
        if settled is None:
            text = f"order {name}: it is not known yet whether the exchange has it"
            return replace(result, error=self._unknown(text, result.order, result.error))
        if settled.status is OrderStatus.REJECTED:
            return replace(result, outcome=_REFUSED, error=self._refused(settled.reason))
        return replace(result, outcome=_DONE, error=None)

    # --- cancel and amend -------------------------------------------------------------------------------------------

    def cancel(self, orders: Sequence[Order | str], deadline: Deadline) -> list[CommandResult]:
        """Cancel orders; see ``Connector.cancel_orders``."""
        desk = self._desk
        desk.require("cancelling orders", deadline)
        changes = [self._change(desk.known(order)) for order in orders]
        calls = self._change_calls(
            _unanswered(changes), lambda item: desk.driver.cancel_order(item.instrument, item.order, _all(desk))
        )
        # Put into the exchange's words before the first one is sent.
        self._sent(list(calls), deadline)
        names = [each.item.order.client_order_id for each in changes if each.is_receipt or _is_unknown(each)]
        if any(each.answer is not None and each.answer.error is not None for each in changes):
            # Terminal already, not yet arrived, or unknown: only a look can tell.
            desk.reconciler.doubt()
        awaited_ends(desk, names, deadline)
        return [self._cancel_result(each) for each in changes]

    def amend(self, changes: Sequence[tuple[Order | str, object]], deadline: Deadline) -> list[CommandResult]:
        """Give orders other quantities; see ``Connector.amend_orders``."""
        desk = self._desk
        desk.require("amending orders", deadline)
        made = [self._change(desk.known(order), quantity) for order, quantity in changes]
        self._begin_amends(made)
        try:
            calls = list(self._change_calls(_unanswered(made), self._amend_alone))
        except BaseException:
            self._undo_amends(made)
            raise
        self._sent(calls, deadline)
        if any(each.answer is not None and each.answer.error is not None for each in made):
            desk.reconciler.doubt()
        results = [self._amend_result(each, deadline) for each in made]
        self._undo_amends(
            [each for each, result in zip(made, results, strict=True) if result.outcome in (_NOT_SENT, _REFUSED)]
        )
        return results

    def _amend_alone(self, item: ChangedOrder) -> RestCall[Sequence[Fact]]:
        quantity = positive_decimal_of("quantity", item.quantity)
        return self._desk.driver.amend_order(item.instrument, item.order, quantity, _all(self._desk))

    def _begin_amends(self, made: Sequence[_Change]) -> None:
        """Count all orders as large as they may become, one on top of the other, or none. Raises RiskRejected."""
        begun: list[_Change] = []
        try:
            for each in _unanswered(made):
                self._desk.risk.begin_amend(each.item.order, each.item.instrument, Wanted(each.item.quantity))
                begun.append(each)
        except BaseException:
            self._undo_amends(begun)
            raise

    def _undo_amends(self, made: Sequence[_Change]) -> None:
        for each in made:
            self._desk.risk.undo_amend(each.item.order, Wanted(each.item.quantity))

    def _change(self, state: OrderState, quantity: object = None) -> _Change:
        wanted = None if quantity is None else positive_decimal_of("quantity", quantity)
        instrument = self._desk.catalogue.of_order(state.symbol)
        if wanted is not None and not state.is_terminal:
            Wanted(wanted).check(state, instrument)
        change = _Change(ChangedOrder(instrument, state, wanted))
        # One that is contested may be open, and its cancel ends that.
        if not state.may_trade or (state.is_terminal and wanted is not None):
            text = f"order {state.client_order_id} is {state.status} already"
            change.answer = HalfAnswer(_NOT_SENT, (), OrderRejected(text, outcome="not_sent"))
        return change

    def _sent(self, calls: Sequence[tuple[Sequence[_Change], RestCall[Answers]]], deadline: Deadline) -> None:
        """Send what is not answered already, and note the answers."""
        for part, call in calls:
            answers = self._asked(call, len(part), deadline)
            for each, answer in zip(part, answers, strict=True):
                each.answer, each.is_receipt = answer, call.is_receipt and answer.error is None
                self._desk.store.apply(answer.facts)

    def _change_calls(
        self, changes: Sequence[_Change], alone: Callable[[ChangedOrder], RestCall[Sequence[Fact]]]
    ) -> Iterator[tuple[Sequence[_Change], RestCall[Answers]]]:
        batches = self._batches
        apart = [each for each in changes if batches is None or not batches.takes(each.item.order)]
        if batches is not None:
            together = [each for each in changes if batches.takes(each.item.order)]
            for part in _parts(together, batches.size):
                items = [each.item for each in part]
                yield part, batches.cancel(items) if items[0].quantity is None else batches.amend(items)
        for each in apart:
            yield [each], _alone(alone(each.item))

    def _cancel_result(self, change: _Change) -> CommandResult:
        order, state = self._handle(change), self._state(change)
        answer = change.answer
        if answer is not None and answer.outcome in (_NOT_SENT, _REFUSED):
            return CommandResult(order, answer.outcome, answer.error)
        if state.may_trade:
            text = f"cancel of {state.client_order_id}: it is not known yet whether it was done"
            return CommandResult(order, _UNKNOWN, self._unknown(text, order, _error_of(answer)))
        if state.status is not OrderStatus.CANCELED:
            error = self._refused(f"order {state.client_order_id} was not canceled, it is {state.status}")
            return CommandResult(order, _REFUSED, error)
        return CommandResult(order, _DONE)

    def _amend_result(self, change: _Change, deadline: Deadline) -> CommandResult:
        order, wanted, answer = self._handle(change), change.item.quantity, change.answer
        if answer is not None and answer.outcome in (_NOT_SENT, _REFUSED):
            return CommandResult(order, answer.outcome, answer.error)
        settled: OrderState | None = self._state(change)
        if change.is_receipt or _is_unknown(change):
            settled = self._desk.confirmed(
                order.client_order_id, lambda state: state.quantity == wanted or state.is_terminal, deadline
            )
        if settled is None:
            text = f"amend of {order.client_order_id}: it is not known yet whether it was done"
            return CommandResult(order, _UNKNOWN, self._unknown(text, order, _error_of(answer)))
        if settled.quantity != wanted:
            error = self._refused(f"order {order.client_order_id} was not amended, it is {settled.status}")
            return CommandResult(order, _REFUSED, error)
        return CommandResult(order, _DONE)

    # --- parts ------------------------------------------------------------------------------------------------------

    def _asked(self, call: RestCall[Answers], count: int, deadline: Deadline) -> Answers:
        """Send a part; an error is one of each of its orders."""
        try:
            return self._desk.send(call, deadline)
        except ExconnError as error:
            return [HalfAnswer(_OUTCOMES.get(error.outcome or "", _UNKNOWN), (), error)] * count

    def _handle(self, change: _Change) -> Order:
        return self._desk.handle(change.item.order.client_order_id)

    def _state(self, change: _Change) -> OrderState:
        return self._desk.store.order(change.item.order.client_order_id) or change.item.order

    def _refused(self, text: str) -> OrderRejected:
        return OrderRejected(text, exchange=self._desk.driver.name)

    def _unknown(self, text: str, order: Order, cause: ExconnError | None) -> OutcomeUnknown:
        error = OutcomeUnknown(text, order=order, exchange=self._desk.driver.name)
        error.__cause__ = cause
        return error


def _alone(call: RestCall[Sequence[Fact]]) -> RestCall[Answers]:
    """Return a command for one order as one for a batch of one."""
    parse = call.parse
    made = replace(cast("RestCall[Any]", call), parse=lambda response: [HalfAnswer(_DONE, parse(response))])
    return cast("RestCall[Answers]", made)


def _unanswered(changes: Sequence[_Change]) -> list[_Change]:
    return [each for each in changes if each.answer is None]


def _parts(items: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]


def _all(desk: CommandDesk) -> Instruments:
    return desk.catalogue.instruments


def _error_of(answer: HalfAnswer | None) -> ExconnError | None:
    return None if answer is None else answer.error


def _is_unknown(change: _Change) -> bool:
    return change.answer is not None and change.answer.outcome is _UNKNOWN
