"""Hangs, crashes, give-ups and crossings of stop and restart, after which something could be missing."""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest

from exconn_sync import (
    ConnectorStopped,
    ErrorEvent,
    Fill,
    Hub,
    OrderRequest,
    OrderState,
    RiskRejected,
    WorkerHung,
)
from exconn_sync._live.checked_order import Checked
from exconn_sync._machines import supervision, watchdog
from exconn_sync._runtime.faultpoints import installed
from exconn_sync._runtime.mailbox import Mailbox
from exconn_sync._runtime.threads import spawn
from exconn_sync._store.entry import Entry
from exconn_sync.config.settings import Timeouts
from exconn_sync.model.account import Fact
from exconn_sync.model.ids import ClientOrderId
from exconn_sync.persistence import MemoryJournal
from exconn_sync.ports.risk import Proposal
from exconn_sync.simulator import Simulator
from tests.integration.conftest import LIMIT, Connect, quick
from tests.unit.support import Background, until

RESTING = OrderRequest.limit("BTC-USDT", "buy", "0.01", "50000")
TAKING = OrderRequest.market("BTC-USDT", "buy", "0.01")
ORDER = "/api/v3/order"


@contextmanager
def armed(point: str, thread: str, hook: Callable[[], None]) -> Iterator[None]:
    """Call a hook at a fault point, on the thread of that name only."""

    def guarded() -> None:
        if threading.current_thread().name == thread:
            hook()

    with installed(point, guarded):
        yield


class HangingJournal(MemoryJournal):
    """Hangs once, when ``armed``, on the thread of the store."""

    def __init__(self) -> None:
        super().__init__()
        self.armed, self.hangs, self.go_on = threading.Event(), threading.Event(), threading.Event()

    def append(self, fact: Fact) -> None:
        if self.armed.is_set() and threading.current_thread().name == "exconn-binance-store":
            self.armed.clear()
            self.hangs.set()
            assert self.go_on.wait(3 * LIMIT)
        super().append(fact)


def test_after_a_journal_that_hung_all_orders_are_told(
    quiet: Simulator, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The worker that calls it is replaced, and its successor tells what the hung one had left (fault F144)."""
    monkeypatch.setattr(watchdog, "CONFIRM", 0.05)
    journal = HangingJournal()
    connector = connect(quiet, start=False, journal=journal, timeouts=Timeouts(hang=1.0))
    errors: queue.Queue[ErrorEvent] = queue.Queue()
    fills: queue.Queue[Fill] = queue.Queue()
    connector.on_error(errors.put)
    connector.on_fill(fills.put)
    connector.start()
    connector.wait_ready(LIMIT)
    future = connector.submit_order(TAKING)
    fills.get(timeout=LIMIT)
    until(lambda: future.done() and connector._core.store.desk.waiting == 0)
    journal.armed.set()
    placed = [connector.submit_order(TAKING) for _ in range(3)]
    assert journal.hangs.wait(LIMIT)
    while not isinstance(errors.get(timeout=LIMIT).error, WorkerHung):
        pass
    ids = {fills.get(timeout=LIMIT).trade_id for _ in placed}
    assert len(ids) == len(placed)
    assert all(each.result(LIMIT).wait(timeout=LIMIT) for each in placed)
    journal.go_on.set()
    assert fills.empty()
    again = {fact.trade_id for fact in journal.replay() if isinstance(fact, Fill)}
    assert ids <= again


class BlockingHandler(logging.Handler):
    """Writes to a pipe that nobody reads, as it were, as soon as it sees a text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.text, self.blocks, self.go_on = text, threading.Event(), threading.Event()

    def emit(self, record: logging.LogRecord) -> None:
        if not self.go_on.is_set() and self.text in record.getMessage():
            self.blocks.set()
            self.go_on.wait(3 * LIMIT)


def test_a_log_handler_that_blocks_does_not_stop_the_supervisor(
    quiet: Simulator, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The worker that logs hangs; that is told, and it is replaced, while the handler still blocks (fault F144)."""
    monkeypatch.setattr(watchdog, "CONFIRM", 0.05)
    connector = connect(quiet, start=False, timeouts=Timeouts(hang=1.0))
    errors: queue.Queue[ErrorEvent] = queue.Queue()
    connector.on_error(errors.put)
    connector.start()
    connector.wait_ready(LIMIT)
    handler = BlockingHandler("binance market disconnected")
    logging.getLogger("exconn_sync").addHandler(handler)
    try:
        quiet.faults.drop_connections("stream")
        assert handler.blocks.wait(LIMIT)
        # The supervisor also logs, and every other handler call waits for this one.
        while not isinstance(errors.get(timeout=LIMIT).error, WorkerHung):
            pass
        until(lambda: {each.name: each.restarts for each in connector.workers()}["binance-market"] >= 1)
    finally:
        handler.go_on.set()
        logging.getLogger("exconn_sync").removeHandler(handler)
    until(lambda: connector.health().status == "healthy")


def test_health_says_that_a_worker_is_not_there(quiet: Simulator, connect: Connect) -> None:
    connector = connect(quiet)
    worker = next(each for each in connector.workers() if each.name == "binance-rest")
    assert worker.state == "running"
    begun, go_on = threading.Event(), threading.Event()

    def late() -> None:
        begun.set()
        assert go_on.wait(LIMIT)

    def crash() -> None:
        raise RuntimeError("a defect")

    with armed("worker.begin", "exconn-binance-reconciler", late):
        with armed("rest.before_send", "exconn-binance-reconciler", crash):
            connector._core.assembly.reconciler.reconcile_soon()
            assert begun.wait(LIMIT)
        go_on.set()
    until(lambda: connector.health().status == "healthy")


def test_a_connector_that_gave_up_sends_nothing_any_more(quiet: Simulator, connect: Connect) -> None:
    """Orders that wait for a thread of the pool fail, proven not to be sent (invariant I25)."""
    connector = connect(quiet)
    arrived = threading.Semaphore(0)

    def arrive() -> None:
        arrived.release()

    with quiet.faults.delay("POST", ORDER, 1.0), installed("rest.after_send", arrive):
        futures = [connector.submit_order(RESTING, timeout=2 * LIMIT) for _ in range(30)]
        assert arrived.acquire(timeout=LIMIT)
        connector._core._on_give_up("binance-market", RuntimeError("a defect"))
        errors = [future.exception(LIMIT) for future in futures]
    refused = [error for error in errors if error is not None]
    assert refused
    assert all(isinstance(error, ConnectorStopped) and error.outcome == "not_sent" for error in refused)
    assert len(quiet.accounts.orders()) == len(futures) - len(refused)


def test_a_subscriber_whose_thread_meets_a_shortage_misses_nothing(
    quiet: Simulator, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    """(fault F142)"""
    failing = threading.Event()
    take = Mailbox._take_all

    def scarce(mailbox: Mailbox) -> object:
        if failing.is_set() and threading.current_thread().name.startswith("exconn-dispatch-order"):
            failing.clear()
            raise MemoryError
        return take(mailbox)

    monkeypatch.setattr(Mailbox, "_take_all", scarce)
    connector = connect(quiet)
    errors: queue.Queue[ErrorEvent] = queue.Queue()
    states: list[OrderState] = []
    connector.on_error(errors.put)
    subscription = connector.on_order(states.append)
    connector.place_order(RESTING)
    until(lambda: subscription.pending == 0 and len(states) >= 2)
    failing.set()
    order = connector.place_order(RESTING)
    assert errors.get(timeout=LIMIT).where == "delivery to order.binance.*"
    order.cancel()

    def mine() -> list[OrderState]:
        return [state for state in states if state.client_order_id == order.client_order_id]

    until(lambda: bool(mine()) and mine()[-1].status == "canceled")
    # Answer and stream may each have something to add to one status.
    assert [state.sequence for state in mine()] == list(range(1, len(mine()) + 1))


@pytest.mark.parametrize("place", ["thread", "callback"])
def test_a_stop_during_a_restart_ends_every_subscription(place: str, lively: Simulator, connect: Connect) -> None:
    connector = connect(lively)
    trades = connector.stream_trades("BTC-USDT")
    pushed = connector.on_trade("BTC-USDT", lambda trade: None)
    trades.get(LIMIT)
    loop = Background(lambda: list(trades))
    holds, go_on = threading.Event(), threading.Event()

    def hold() -> None:
        holds.set()
        assert go_on.wait(LIMIT)

    with installed("stop.after_workers", hold):
        restart = Background(connector.restart)
        assert holds.wait(LIMIT)
        if place == "thread":
            stop = Background(lambda: connector.stop(LIMIT))
            until(lambda: connector._core._stops == 1)
            go_on.set()
            assert stop.result() == []
        else:
            # As from a callback, which must not wait for the stop that waits for it.
            def stop_here() -> None:
                assert connector.stop(LIMIT) == []

            spawn("dispatch-of-a-test", stop_here).join(LIMIT)
            go_on.set()
        restart.result()
    loop.result()
    assert not pushed.is_active
    assert connector.state == "stopped"


def test_a_restart_with_another_configuration_counts_also_during_another_restart(
    quiet: Simulator, connect: Connect
) -> None:
    connector = connect(quiet)
    other = replace(connector._core.config, timeouts=Timeouts(read=3.5))
    holds, go_on = threading.Event(), threading.Event()

    def hold() -> None:
        holds.set()
        assert go_on.wait(LIMIT)

    with installed("stop.after_workers", hold):
        restart = Background(connector.restart)
        assert holds.wait(LIMIT)
        # As from a callback, which must not wait for the restart that waits for it.
        spawn("dispatch-of-a-test", lambda: connector.restart(other)).join(LIMIT)
        go_on.set()
        restart.result()
    connector.wait_ready(LIMIT)
    assert connector._core.config is other


def test_a_stop_that_was_torn_out_is_taken_up_again(
    quiet: Simulator, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ctrl-C may come in the last lines of a stop, too (fault F129)."""
    connector = connect(quiet)
    finish = connector._core._finish_stop
    monkeypatch.setattr(connector._core, "_finish_stop", _interrupted)
    with pytest.raises(KeyboardInterrupt):
        connector.stop(LIMIT)
    monkeypatch.setattr(connector._core, "_finish_stop", finish)
    assert connector.state == "stopping"
    assert connector.stop(LIMIT) == []
    assert connector.state == "stopped"
    connector.start()
    connector.wait_ready(LIMIT)


def _interrupted() -> None:
    raise KeyboardInterrupt


def test_a_new_order_that_nobody_works_on_is_doubted(quiet: Simulator, connect: Connect) -> None:
    """As after two interrupts in a row, the second one while the first is dealt with (fault F129)."""
    connector = connect(quiet)
    desk = connector._core.assembly.gateway._desk
    entry = Entry(desk._intent(Checked(RESTING, connector.instruments.get("BTC-USDT"), ClientOrderId("left"))))
    connector._core.store.begin(entry)
    connector._core.assembly.reconciler.reconcile_soon()
    until(lambda: [(state.client_order_id, state.status) for state in connector.orders.open()] == [("left", "unknown")])
    # It is looked for a moment after it is called unknown.
    until(lambda: connector.health().unknown_orders == 1)


def test_a_restart_is_told_as_down_and_up(quiet: Simulator, connect: Connect) -> None:
    connector = connect(quiet, start=False)
    told: queue.Queue[tuple[str, bool]] = queue.Queue()
    connector.on_connection(lambda event: told.put((event.connection, event.is_up)))
    names = {"rest", "market", "account"}
    connector.start()
    assert {told.get(timeout=LIMIT) for _ in names} == {(name, True) for name in names}
    connector.restart()
    assert {told.get(timeout=LIMIT) for _ in names} == {(name, False) for name in names}
    assert {told.get(timeout=LIMIT) for _ in names} == {(name, True) for name in names}


def test_a_list_of_rules_is_copied(quiet: Simulator, connect: Connect) -> None:
    class Never:
        def check(self, proposal: Proposal) -> None:
            raise RiskRejected("no", rule="never")

    rules: Any = [Never()]
    connector = connect(quiet, rules=rules)
    rules.clear()
    connector.restart()
    connector.wait_ready(LIMIT)
    with pytest.raises(RiskRejected):
        connector.place_order(RESTING)


def test_a_comparison_that_began_before_a_loss_does_not_make_the_account_ready(
    quiet: Simulator, connect: Connect
) -> None:
    """What was filled between the two is known when it is ready (fault F099)."""
    connector = connect(quiet)
    order = connector.place_order(OrderRequest.limit("BTC-USDT", "buy", "0.5", "60005"))
    compares, go_on, count = threading.Event(), threading.Event(), [0]

    def hold() -> None:
        # Behind the question for open orders, in the first comparison only.
        count[0] += 1
        if count[0] == 2:
            compares.set()
            assert go_on.wait(LIMIT)

    with armed("rest.before_send", "exconn-binance-reconciler", hold):
        connector._core.assembly.reconciler.reconcile_soon()
        assert compares.wait(LIMIT)
        lost = Background(lambda: until(lambda: not connector.account_ready.is_set()))
        quiet.faults.drop_connections("ws_api")
        lost.result()
        quiet.market.trade("BTCUSDT", "sell", "0.5")
        until(lambda: connector._core.assembly.account is not None and connector._core.assembly.account.is_open)
        assert not connector.account_ready.is_set()
        go_on.set()
        assert connector.account_ready.wait(LIMIT)
    assert order.status == "filled"


def test_a_reconciler_that_crashes_owes_its_comparison(quiet: Simulator, connect: Connect) -> None:
    """Its next life makes it at once, not at the next interval (fault F141)."""
    connector = connect(quiet, start=False)
    crashes = [0]

    def crash() -> None:
        crashes[0] += 1
        if crashes[0] == 1:
            raise RuntimeError("a defect")

    with armed("rest.before_send", "exconn-binance-reconciler", crash):
        connector.start()
        connector.wait_ready(LIMIT)
    assert crashes[0] > 1


def test_a_connector_whose_worker_dies_at_each_start_is_not_revived_for_ever(
    quiet: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A hub says at last that it gave up (invariant I25)."""
    monkeypatch.setattr(supervision, "LONGEST_PAUSE", 0.05)
    hub = Hub(quick(quiet.config()))
    gave_up = threading.Event()
    hub.subscribe("error.*", lambda event: gave_up.set() if "hub gave up" in event.where else None)

    def crash() -> None:
        raise RuntimeError("a defect")

    with armed("worker.begin", "exconn-binance-rest", crash):
        hub.start()
        assert gave_up.wait(3 * LIMIT)
    assert hub["binance"].state == "failed"
    assert hub.stop(LIMIT) == []
