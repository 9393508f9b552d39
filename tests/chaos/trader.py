"""Carries out the steps of one thread, and writes down what its caller was told."""

from __future__ import annotations

import contextlib
import time
import traceback
from collections.abc import Callable
from decimal import Decimal

from exconn_sync import CommandOutcome, Connector, ConnectorStopped, ExconnError, Order, OrderRequest, PartlyDone
from exconn_sync._live.order_replacement import OrderReplacement
from tests.chaos.history import DONE, NOT_SENT, UNKNOWN, Call, Record, Verdict
from tests.chaos.plan import Step, Terms
from tests.chaos.world import World

SYMBOL = "BTC-USDT"
_LIMIT = 30.0


def request_of(terms: Terms) -> OrderRequest:
    """Return the request for an order of the plan."""
    if terms.kind == "market":
        request = OrderRequest.market(SYMBOL, terms.side, quantity=terms.quantity)
    elif terms.kind == "stop":
        request = OrderRequest.stop_market(
            SYMBOL, terms.side, terms.quantity, "66000" if terms.side == "buy" else "54000"
        )
    else:
        stay = "IOC" if terms.kind == "ioc" else "GTC"
        is_post_only = terms.kind == "post_only"
        request = OrderRequest.limit(SYMBOL, terms.side, terms.quantity, terms.price, stay, post_only=is_post_only)
    return request.with_options(client_order_id=terms.name)


class Trader:
    """One thread of the program under test."""

    def __init__(self, number: int, world: World, connector: Connector, record: Record) -> None:
        self._number = number
        self._world = world
        self._connector = connector
        self._record = record
        self._actions: dict[str, Callable[[Step], list[Verdict]]] = {
            "place": self._place, "submit": self._submit, "cancel": self._cancel, "replace": self._replace,
            "amend": self._amend, "place_batch": self._place_batch, "cancel_batch": self._cancel_batch,
            "cancel_all": self._cancel_all, "read": self._read, "wait": self._wait, "trade": self._trade,
        }  # fmt: skip

    def run(self, steps: tuple[Step, ...], first: int) -> None:
        """Carry out steps; nothing but what the connector documents may come out of it."""
        for index, step in enumerate(steps, first):
            for fault in step.faults:
                self._world.arm(fault)
            began = time.monotonic()
            try:
                verdicts = self._actions[step.action](step)
            except Exception:  # noqa: BLE001 - whatever it is, it is what the run has to tell
                self._record.crashes.append(f"step {index} of thread {self._number}: {traceback.format_exc()}")
                verdicts = []
            ended = time.monotonic()
            call = Call(self._number, index, step.action, began, ended, step.timeout, tuple(verdicts))
            self._record.calls.append(call)

    # --- commands ---------------------------------------------------------------------------------------------------

    def _place(self, step: Step) -> list[Verdict]:
        (terms,) = step.terms
        request = request_of(terms)
        return [_told("place", terms.name, lambda: self._connector.place_order(request, timeout=step.timeout))]

    def _submit(self, step: Step) -> list[Verdict]:
        (terms,) = step.terms
        request = request_of(terms)
        submit = self._connector.submit_order
        return [_told("place", terms.name, lambda: submit(request, timeout=step.timeout).result(_LIMIT))]

    def _cancel(self, step: Step) -> list[Verdict]:
        (name,) = step.names
        return [_told("cancel", name, lambda: self._connector.cancel_order(name, timeout=step.timeout))]

    def _amend(self, step: Step) -> list[Verdict]:
        (name,), wanted = step.names, Decimal(step.quantity)
        amend = self._connector.amend_order
        return [_told("amend", name, lambda: amend(name, wanted, timeout=step.timeout), wanted)]

    def _replace(self, step: Step) -> list[Verdict]:
        (old,), (terms,) = step.names, step.terms
        request = request_of(terms)
        try:
            made = self._connector.replace_order(old, request, timeout=step.timeout)
        except ExconnError as error:
            result = getattr(error, "result", None)
            if isinstance(result, OrderReplacement):
                return _of_replacement(result, old, terms.name)
            outcome = error.outcome or f"no outcome ({error!r})"
            return [Verdict("cancel", old, outcome, str(error)), Verdict("place", terms.name, outcome, str(error))]
        return _of_replacement(made, old, terms.name)

    def _place_batch(self, step: Step) -> list[Verdict]:
        requests = [request_of(terms) for terms in step.terms]
        try:
            results = self._connector.place_orders(requests, timeout=step.timeout)
        except ExconnError as error:
            return [Verdict("place", terms.name, error.outcome or NOT_SENT, str(error)) for terms in step.terms]
        return [
            Verdict("place", terms.name, str(result.outcome), str(result.error))
            for terms, result in zip(step.terms, results, strict=True)
        ]

    def _cancel_batch(self, step: Step) -> list[Verdict]:
        names = [name for name in step.names if self._connector.orders.get(name) is not None]
        try:
            results = self._connector.cancel_orders(names, timeout=step.timeout)
        except ExconnError as error:
            return [Verdict("cancel", name, error.outcome or UNKNOWN, str(error)) for name in names]
        return [
            Verdict("cancel", name, str(result.outcome), str(result.error))
            for name, result in zip(names, results, strict=True)
        ]

    def _cancel_all(self, step: Step) -> list[Verdict]:
        handles: list[Order] = []
        outcome = DONE
        try:
            handles = self._connector.cancel_all(SYMBOL, timeout=step.timeout)
        except PartlyDone as error:
            handles, outcome = error.result, UNKNOWN
        except ExconnError as error:
            outcome = error.outcome or UNKNOWN
        ended = [Verdict("cancel", handle.client_order_id, DONE) for handle in handles if handle.status == "canceled"]
        return [Verdict("cancel_all", "", outcome), *ended]

    # --- the rest ---------------------------------------------------------------------------------------------------

    def _read(self, step: Step) -> list[Verdict]:
        try:
            self._connector.fetch_open_orders(SYMBOL, timeout=step.timeout)
            self._connector.fetch_balances(timeout=step.timeout)
        except ExconnError as error:
            return [Verdict("read", "", "failed", str(error))]
        return []

    def _wait(self, step: Step) -> list[Verdict]:
        (name,) = step.names
        state = self._connector.orders.get(name)
        if state is not None:
            with contextlib.suppress(ConnectorStopped):
                self._connector._core.store.wait_for(state.client_order_id, lambda known: known.is_terminal, 0.05)
        return []

    def _trade(self, step: Step) -> list[Verdict]:
        self._world.trade(step.names[0], step.quantity)
        time.sleep(0.05)
        return []


def _told(command: str, name: str, call: Callable[[], object], quantity: Decimal | None = None) -> Verdict:
    try:
        call()
    except ExconnError as error:
        return Verdict(command, name, error.outcome or f"no outcome ({error!r})", str(error), quantity)
    return Verdict(command, name, DONE, "", quantity)


def _of_replacement(made: OrderReplacement, old: str, new: str) -> list[Verdict]:
    words = {CommandOutcome.NOT_SENT: NOT_SENT}
    cancel = words.get(made.cancel_outcome, str(made.cancel_outcome))
    placement = words.get(made.placement_outcome, str(made.placement_outcome))
    return [
        Verdict("cancel", old, cancel, str(made.cancel_error)),
        Verdict("place", new, placement, str(made.placement_error)),
    ]
