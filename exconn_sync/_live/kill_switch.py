"""The kill switch: no order passes any more, and those of ours that are open are cancelled, however long that takes."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, wait

from exconn_sync._live.command_desk import CommandDesk
from exconn_sync._live.order_gateway import OrderGateway
from exconn_sync._live.order_handle import Order
from exconn_sync._machines.dead_man import DeadMan
from exconn_sync._machines.deadline import Deadline
from exconn_sync._runtime.correlation import correlated
from exconn_sync._runtime.executor import Executor, Priority
from exconn_sync._runtime.worker import WorkerRun
from exconn_sync.errors import ConnectorStopped, ExconnError, RateLimitError
from exconn_sync.model.orders import OrderState
from exconn_sync.ports.waiting import Event

_LOOK = 0.5
"""Seconds between two looks at the connection and the day's profit."""
_FIRST_PAUSE, _LONGEST_PAUSE = 0.1, 5.0
_ATTEMPT = 3.0
"""Seconds that a cancel may take until it is sent again: that is safe, and an order must not stay for one lost answer
(fault F095)."""
_SLICE = 0.2
"""Seconds between two looks for a stop, while cancels are waited for."""


class KillSwitch:
    """Throws the switch on any thread; its worker throws it for a dead connection, and cancels what is left.

    Cancelled are the orders that this library placed, one by one: those placed elsewhere are not ours to touch
    (invariant I11). ``is_whole`` says whether the whole connection stands, None where it never did.
    """

    def __init__(
        self, desk: CommandDesk, gateway: OrderGateway, executor: Executor, is_whole: Callable[[], bool | None]
    ) -> None:
        self._desk = desk
        self._gateway = gateway
        self._executor = executor
        self._is_whole = is_whole
        self._awake = Event()
        # Callers that cancel: the worker leaves it to them. Only ever changed by whole steps of a list.
        self._callers: list[object] = []

    @correlated
    def throw(self, reason: str, deadline: Deadline) -> list[Order]:
        """Let no order pass any more and cancel all of ours; return those that have not ended by the deadline.

        The worker goes on with them. Raises ConnectorStopped where the connector is stopped meanwhile.
        """
        self._desk.risk.kill(reason)
        token = object()
        self._callers.append(token)
        try:
            left = self._cancel_all(deadline)
        finally:
            self._callers.remove(token)
            self._awake.set()
        return [self._desk.handle(state.client_order_id) for state in left]

    def body(self, run: WorkerRun) -> None:
        """Look after the connection, the day's profit, and orders that a thrown switch has left: the worker's body."""
        awake = self._awake = Event()
        run.stop.on_set(awake.set)
        dead_man = DeadMan()
        while True:
            limit = self._desk.risk.limits.dead_man
            seconds = _LOOK if limit is None else min(_LOOK, limit / 4)
            run.beat(seconds)
            awake.wait(seconds)
            awake.clear()
            if run.stop.is_set or not run.is_current:
                return
            run.beat()
            if dead_man.look(self._is_whole(), limit, self._desk.clock.monotonic_ns()):
                self._desk.risk.kill(f"the connection was not whole for {limit:g} s")
            self._desk.risk.watch()
            if self._desk.risk.killed is not None and not self._callers and not self._cancel_on(run):
                return

    @correlated
    def _cancel_on(self, run: WorkerRun) -> bool:
        """Cancel what is left for as long as a command may take; return whether the connector goes on."""
        deadline = self._desk.deadline(None)
        run.beat(self._desk.remaining(deadline) or 0.0)
        try:
            self._cancel_all(deadline, lambda: run.stop.is_set or not run.is_current)
        except ConnectorStopped:
            return False
        return True

    def _cancel_all(self, deadline: Deadline, is_stopped: Callable[[], bool] = lambda: False) -> list[OrderState]:
        """Cancel until nothing of ours is open; an order that is still on its way is met again when it has arrived."""
        pause = _FIRST_PAUSE
        while self._desk.risk.killed is not None:
            silence = self._cancel(self._open(), deadline, is_stopped)
            left = self._open()
            remaining = self._desk.remaining(deadline)
            if not left or (remaining is not None and remaining <= 0):
                break
            seconds = max(pause, silence)
            seconds = seconds if remaining is None else min(seconds, remaining)
            self._desk.store.wait_for(left[0].client_order_id, _has_ended, seconds)
            pause = min(2 * pause, _LONGEST_PAUSE)
        return self._open()

    def _open(self) -> list[OrderState]:
        return [state for state in self._desk.store.open_orders() if state.is_own]

    def _cancel(self, states: list[OrderState], deadline: Deadline, is_stopped: Callable[[], bool]) -> float:
        """Ask for a cancel of each, all at once; return for how many seconds the exchange wants to hear nothing."""
        futures: list[Future[None]] = []
        lists: set[str] = set()
        for state in states:
            if state.list_id is not None and state.list_id in lists:
                # The cancel of one order of a list cancels the list.
                continue
            if state.list_id is not None:
                lists.add(state.list_id)
            try:
                futures.append(self._submit(state, deadline))
            except ConnectorStopped:
                raise
            except ExconnError:
                # The pool is full: the rest comes with the next round.
                break
        self._await(futures, deadline, is_stopped)
        errors = [future.exception() for future in futures if future.done() and not future.cancelled()]
        # Whatever else an error says, the order is still open, and is met again.
        return max((error.retry_after or 0.0 for error in errors if isinstance(error, RateLimitError)), default=0.0)

    def _await(self, futures: list[Future[None]], deadline: Deadline, is_stopped: Callable[[], bool]) -> None:
        """Wait for cancels, at most until the deadline or the stop: the stop must not wait for them through us."""
        while True:
            remaining = self._desk.remaining(deadline)
            is_over = remaining is not None and remaining <= 0
            waiting = wait(futures, _SLICE if remaining is None else min(_SLICE, remaining)).not_done
            if not waiting or is_over:
                return
            if is_stopped():
                raise ConnectorStopped("the connector is stopped")

    def _submit(self, state: OrderState, deadline: Deadline) -> Future[None]:
        def cancel() -> None:
            # Counted from here: how long the pool took to come to it says nothing of this cancel.
            left = self._desk.remaining(deadline)
            seconds = _ATTEMPT if left is None else min(left, _ATTEMPT)
            self._gateway.cancel(state.client_order_id, self._desk.deadline(max(seconds, 0.0)))

        return self._executor.submit(cancel, priority=Priority.URGENT, deadline=deadline)


def _has_ended(state: OrderState) -> bool:
    return not state.may_trade
