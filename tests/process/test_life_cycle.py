"""Stop and restart at every moment, from everywhere, many times: idempotent, in time, and nothing is left."""

from __future__ import annotations

import gc
import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import Any

import pytest

from exconn_sync import Connector, ConnectorStopped, Order, OrderRequest, Proposal, RiskRejected
from exconn_sync._runtime import faultpoints
from exconn_sync._runtime.threads import library_threads
from exconn_sync._transport import budget
from exconn_sync.config.settings import Intervals, Timeouts
from exconn_sync.errors import ExconnError
from exconn_sync.simulator import Simulator
from tests.integration.conftest import LIMIT, Connect, connect, lively, quick, quiet  # noqa: F401 - fixtures

REQUEST = OrderRequest.limit("BTC-USDT", "buy", "0.01", "20000")


@pytest.fixture(autouse=True)
def patient() -> Iterator[None]:
    """Each start costs about 150 of the weight that an exchange allows in a minute."""
    budget._budgets.clear()
    yield
    budget._budgets.clear()


def left() -> list[str]:
    return [thread.name for thread in library_threads() if thread.name != "exconn-simulator"]


@contextmanager
def paused_at(point: str) -> Iterator[threading.Event]:
    """Hold the first thread that comes to a fault point until the block ends; yield what is set when it is there."""
    there, go_on = threading.Event(), threading.Event()

    def hold() -> None:
        if not there.is_set():
            there.set()
            go_on.wait(LIMIT)

    with faultpoints.installed(point, hold):
        try:
            yield there
        finally:
            go_on.set()


PHASES: dict[str, Callable[[Connector], object]] = {
    "rest.before_send": lambda connector: None,
    "rest.after_send": lambda connector: None,
    "stream.after_read": lambda connector: None,
    "order.before_intent": lambda connector: connector.place_order(REQUEST),
    "order.after_intent": lambda connector: connector.place_order(REQUEST),
    "order.before_answer": lambda connector: connector.place_order(REQUEST),
    "stop.before_workers": lambda connector: connector.stop(),
    "stop.after_workers": lambda connector: connector.stop(),
}


@pytest.mark.parametrize("point", PHASES)
def test_stop_by_many_threads_in_each_phase(point: str, quiet: Simulator) -> None:  # noqa: F811
    """One thread is held in the middle of something; the stop is bounded, and nothing is lost (faults F147, I23)."""
    connector = Connector(quick(quiet.config(), timeouts=Timeouts(stop=1.0)))
    outcome: list[object] = []

    def act() -> None:
        try:
            outcome.append(PHASES[point](connector))
        except ExconnError as error:
            outcome.append(error)

    is_early = point.startswith(("rest", "stream"))
    if not is_early:
        connector.start()
        connector.wait_ready(LIMIT)
    actor = threading.Thread(target=act)
    lists: list[list[str]] = []
    stoppers = [threading.Thread(target=lambda: lists.append(connector.stop())) for _ in range(4)]
    with paused_at(point) as there:
        if is_early:
            connector.start()
        actor.start()
        assert there.wait(LIMIT)
        began = time.monotonic()
        for stopper in stoppers:
            stopper.start()
        for stopper in stoppers:
            stopper.join(LIMIT)
        # Each with a limit of its own, one after the other, they would take four seconds.
        assert time.monotonic() - began < 4.0
    actor.join(LIMIT)
    assert not actor.is_alive()
    assert len(lists) == 4
    assert connector.stop() == []
    assert connector.state == "stopped"
    with pytest.raises(ConnectorStopped):
        connector.fetch_server_time()
    if point.startswith("order"):
        # Whatever became of the command, its caller was told, and the exchange agrees.
        known = {order.client_order_id for order in quiet.accounts.orders()}
        result = outcome[0]
        if isinstance(result, Order):
            assert result.client_order_id in known
        else:
            assert isinstance(result, ExconnError)
            assert result.outcome in ("not_sent", "unknown")
            assert known == set() or result.outcome == "unknown"


def test_stop_during_a_start(quiet: Simulator) -> None:  # noqa: F811
    """Starts and stops race; afterwards a start works as ever (faults F147, F148)."""
    quiet.faults.rate_limits(weight_per_minute=10**9)
    connector = Connector(quick(quiet.config()))
    refused: list[ConnectorStopped] = []

    def start() -> None:
        try:
            connector.start()
        except ConnectorStopped as error:
            refused.append(error)

    for _ in range(10):
        threads = [threading.Thread(target=target) for target in (start, connector.stop, start, connector.stop)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(LIMIT)
        assert not any(thread.is_alive() for thread in threads)
    connector.stop()
    assert left() == []
    connector.start()
    connector.wait_ready(LIMIT)
    assert connector.stop() == []


class StopRule:
    """A risk rule that stops the connector it is asked for."""

    name = "stop"

    def __init__(self) -> None:
        self.connector: Connector | None = None

    def check(self, proposal: Proposal) -> None:
        assert self.connector is not None
        self.connector.stop()


def _gap(connector: Connector, act: Callable[[Any], None]) -> None:
    entered = threading.Event()

    def slow(event: object) -> None:
        if not entered.is_set():
            entered.set()
            while not subscription.dropped:
                time.sleep(0.001)

    subscription = connector.on_book_ticker("BTC-USDT", slow, buffer=1, on_gap=act)
    connector.start()


def _order(connector: Connector, act: Callable[[Any], None]) -> None:
    connector.on_order(act)
    connector.start()
    connector.wait_ready(LIMIT)
    with suppress(ConnectorStopped):
        # The callback hears of the intent, and may stop everything before it is sent.
        connector.place_order(REQUEST)


def _error(connector: Connector, act: Callable[[Any], None]) -> None:
    connector.on_error(act)
    connector.on_connection(lambda event: 1 / 0)
    connector.start()


def _future(connector: Connector, act: Callable[[Any], None]) -> None:
    connector.start()
    connector.wait_ready(LIMIT)
    connector.submit_order(REQUEST).add_done_callback(act)


def _until(connector: Connector, act: Callable[[Any], object]) -> None:
    connector.start()
    connector.wait_ready(LIMIT)
    order = connector.place_order(REQUEST)
    with suppress(ConnectorStopped):
        assert not order.wait(lambda state: act(state) is not None, timeout=0.1)


def _connection(connector: Connector, act: Callable[[Any], None]) -> None:
    connector.on_connection(act)
    connector.start()


def _trade(connector: Connector, act: Callable[[Any], None]) -> None:
    connector.on_trade("BTC-USDT", act)
    connector.start()


PLACES = {
    "on_connection": _connection,
    "on_error": _error,
    "on_gap": _gap,
    "on_order": _order,
    "on_trade": _trade,
    "future": _future,
    "until": _until,
}


@pytest.mark.parametrize("what", ["stop", "stop twice", "restart"])
@pytest.mark.parametrize("place", PLACES)
def test_stop_and_restart_from_user_code_of_every_kind(place: str, what: str, lively: Simulator) -> None:  # noqa: F811
    """Called from inside, they return, and do what they do from outside (faults F137, F147, F148)."""
    connector = Connector(quick(lively.config()))
    done = threading.Event()
    results: list[object] = []

    def act(_: object) -> None:
        if done.is_set():
            return
        if what == "restart":
            connector.restart()
            results.append([])
        else:
            results.extend(connector.stop() for _ in what.split())
        done.set()

    PLACES[place](connector, act)
    assert done.wait(LIMIT)
    if what == "restart":
        connector.wait_ready(LIMIT)
        assert connector.stop() == []
    assert connector.state == "stopped"
    assert connector.stop() == []
    assert results[0] == []


def test_stop_from_a_risk_rule(quiet: Simulator) -> None:  # noqa: F811
    """The order that was being judged is certainly not sent (faults F137, F147)."""
    rule = StopRule()
    connector = rule.connector = Connector(replace(quick(quiet.config()), rules=(rule,)))
    connector.start()
    connector.wait_ready(LIMIT)
    with pytest.raises((ConnectorStopped, RiskRejected)) as caught:
        connector.place_order(REQUEST)
    assert caught.value.outcome == "not_sent"
    assert quiet.accounts.orders() == []
    assert connector.state == "stopped"


def test_restarts_under_load(lively: Simulator, connect: Connect) -> None:  # noqa: F811
    """Orders, data and questions go on over ten restarts: each call ends, and known orders stay known (fault F148)."""
    lively.faults.rate_limits(weight_per_minute=10**9, orders_per_10s=10**6, orders_per_day=10**6)
    connector = connect(lively)
    over = threading.Event()
    wrong: list[BaseException] = []
    placed: list[Order] = []
    trades = connector.stream_trades("BTC-USDT")

    def trade() -> None:
        while not over.is_set():
            try:
                order = connector.place_order(REQUEST)
                placed.append(order)
                order.cancel()
            except ExconnError:
                continue
            except BaseException as error:  # noqa: BLE001 - shown below
                wrong.append(error)
                return

    def ask() -> None:
        while not over.is_set():
            try:
                connector.order_book("BTC-USDT")
                connector.fetch_balances()
                connector.health()
            except ExconnError:
                continue
            except BaseException as error:  # noqa: BLE001 - shown below
                wrong.append(error)
                return

    workers = [threading.Thread(target=target) for target in (trade, trade, ask)]
    for worker in workers:
        worker.start()
    for number in range(10):
        connector.restart(quick(lively.config(), intervals=Intervals(clock=30.0 + number)))
        connector.wait_ready(LIMIT)
        trades.get(LIMIT)
    assert connector.config.intervals.clock == 39.0
    over.set()
    for worker in workers:
        worker.join(LIMIT)
        assert not worker.is_alive()
    assert not wrong, wrong
    assert placed
    assert all(connector.orders.get(order.client_order_id) == order.state for order in placed)
    # A cancelled order goes by another client order id at the exchange.
    assert {str(order.order_id) for order in lively.accounts.orders()} >= {order.exchange_order_id for order in placed}


def test_a_log_handler_and_the_collector_may_call_the_library(lively: Simulator) -> None:  # noqa: F811
    """The collector runs at almost every allocation, and whatever is logged asks for the health (fault F153)."""

    class Nosy(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            asked.append(connector.health().state)
            connector.orders.open()
            connector.balances  # noqa: B018 - it takes the store's lock

    class Rubbish:
        """Cyclic garbage that uses the library when it is collected."""

        def __init__(self) -> None:
            self.itself = self

        def __del__(self) -> None:
            found.append(connector.state)
            connector.orders.open()
            connector.health()

    asked: list[object] = []
    found: list[object] = []
    connector = Connector(quick(lively.config()))
    logger, handler = logging.getLogger("exconn_sync"), Nosy(logging.DEBUG)
    threshold, level = gc.get_threshold(), logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.DEBUG)
    gc.set_threshold(5, 2, 2)
    made = threading.Event()

    def litter(event: object) -> None:
        Rubbish()
        made.set()

    try:
        connector.on_book_ticker("BTC-USDT", litter)
        connector.on_order(litter)
        connector.start()
        connector.wait_ready(LIMIT)
        for _ in range(5):
            Rubbish()
            connector.place_order(REQUEST).cancel()
        lively.faults.drop_connections()
        connector.on_error(litter)
        assert made.wait(LIMIT)
        assert connector.stop(LIMIT) == []
    finally:
        gc.set_threshold(*threshold)
        logger.removeHandler(handler)
        logger.setLevel(level)
    gc.collect()
    assert asked
    assert found


def test_a_dropped_connector_runs_on_until_it_is_stopped(lively: Simulator) -> None:  # noqa: F811
    """Its threads hold it, as the documentation says; the callback's own way to it still stops it (fault F154)."""
    seen, ended = threading.Event(), threading.Event()

    def make() -> None:
        connector = Connector(quick(lively.config()))

        def on_trade(_: object) -> None:
            seen.set()
            if dropped.is_set():
                connector.stop()
                ended.set()

        connector.on_trade("BTC-USDT", on_trade)
        connector.start()

    dropped = threading.Event()
    make()
    gc.collect()
    assert seen.wait(LIMIT)
    dropped.set()
    assert ended.wait(LIMIT)


def test_the_default_limit_is_that_of_the_configuration(quiet: Simulator) -> None:  # noqa: F811
    """A stuck callback holds ``stop()``, ``restart()`` and ``with`` for ``timeouts.stop`` only (invariant I23)."""
    inside, go_on = threading.Event(), threading.Event()

    def stuck(event: object) -> None:
        inside.set()
        go_on.wait(LIMIT)

    connector = Connector(quick(quiet.config(), timeouts=Timeouts(stop=0.2)))
    connector.on_connection(stuck)
    with connector:
        assert inside.wait(LIMIT)
        began = time.monotonic()
    # The callback would hold it for as long as it waits itself.
    assert 0.2 <= time.monotonic() - began < LIMIT
    go_on.set()
