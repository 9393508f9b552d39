"""Start, stop, restart, fork and exit: a connector never holds a program up and never leaves anything behind."""

from __future__ import annotations

import errno
import os
import pickle
import signal
import subprocess
import sys
import textwrap
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from exconn_sync import (
    Config,
    Connector,
    ConnectorStopped,
    ForkedProcess,
    NotReady,
    OrderRequest,
    RequestTimeout,
    ValidationError,
)
from exconn_sync._live.market_feed import MarketFeed
from exconn_sync._runtime.threads import library_threads
from exconn_sync._transport.wakeup import Wakeup
from exconn_sync.config.settings import Intervals, RiskLimits
from exconn_sync.connector.core import Core
from exconn_sync.errors import RiskRejected, ThreadsUnavailable
from exconn_sync.metrics import MemoryMetrics
from exconn_sync.model.wire import Topic
from exconn_sync.persistence import MemoryJournal
from exconn_sync.simulator import Simulator
from tests.integration.conftest import LIMIT, Connect, quick

ROOT = Path(__file__).parents[2]


def test_stop_may_come_before_start_and_twice(quiet: Simulator) -> None:
    """(fault F147)"""
    connector = Connector(quick(quiet.config()))
    assert connector.stop() == []
    connector.start()
    connector.start()
    connector.wait_ready(LIMIT)
    assert connector.stop() == []
    assert connector.stop() == []
    assert connector.state == "stopped"
    assert not connector.ready.is_set()


def test_after_stop_every_call_says_so_and_no_thread_is_left(quiet: Simulator) -> None:
    """(fault F148)"""
    connector = Connector(quick(quiet.config()))
    with pytest.raises(ConnectorStopped, match="not started"):
        connector.fetch_server_time()
    with pytest.raises(ConnectorStopped, match="not started"):
        connector.wait_ready(LIMIT)
    connector.start()
    connector.wait_ready(LIMIT)
    order = connector.place_order(OrderRequest.limit("BTC-USDT", "buy", "0.1", "50000"))
    connector.stop()
    assert [each.name for each in library_threads() if each.name != "exconn-simulator"] == []
    with pytest.raises(ConnectorStopped):
        connector.fetch_server_time()
    with pytest.raises(ConnectorStopped):
        order.wait(timeout=LIMIT)
    with pytest.raises(ConnectorStopped):
        connector.wait_ready(LIMIT)
    assert order.status == "new", "what was known can still be read"


def test_stop_ends_every_wait(quiet: Simulator, connect: Connect) -> None:
    connector = connect(quiet)
    order = connector.place_order(OrderRequest.limit("BTC-USDT", "buy", "0.1", "50000"))
    trades = connector.stream_trades("BTC-USDT")
    ended: list[str] = []

    def wait_for_order() -> None:
        with pytest.raises(ConnectorStopped):
            order.wait(timeout=LIMIT)
        ended.append("order")

    def read_trades() -> None:
        for _ in trades:
            continue
        ended.append("trades")

    waiters = [threading.Thread(target=wait_for_order), threading.Thread(target=read_trades)]
    for waiter in waiters:
        waiter.start()
    connector.stop()
    for waiter in waiters:
        waiter.join(LIMIT)
    assert sorted(ended) == ["order", "trades"]
    with pytest.raises(ConnectorStopped):
        trades.get(LIMIT)


def test_stop_from_a_callback(lively: Simulator, connect: Connect) -> None:
    """(fault F137)"""
    connector = connect(lively)
    stopped = threading.Event()
    after: list[object] = []

    def stop_at_once(event: object) -> None:
        if stopped.is_set():
            after.append(event)
            return
        connector.stop(LIMIT)
        stopped.set()

    connector.on_book_ticker("BTC-USDT", stop_at_once)
    assert stopped.wait(LIMIT)
    assert connector.state == "stopped"
    assert after == []


def test_two_stops_at_once_without_a_limit_do_not_wait_for_each_other(lively: Simulator) -> None:
    """(fault F147)"""
    connector = Connector(quick(lively.config()))
    inside, go_on = threading.Event(), threading.Event()

    def stop_too(event: object) -> None:
        inside.set()
        go_on.wait(LIMIT)
        connector.stop(None)

    connector.on_book_ticker("BTC-USDT", stop_too)
    connector.start()
    assert inside.wait(LIMIT)
    stopper = threading.Thread(target=connector.stop, args=(None,))
    stopper.start()
    while connector.state != "stopping":
        continue
    go_on.set()
    stopper.join(LIMIT)
    assert not stopper.is_alive()
    assert connector.state == "stopped"


def test_stop_names_a_callback_that_does_not_return(lively: Simulator) -> None:
    """(fault F136)"""
    connector = Connector(quick(lively.config()))
    inside, go_on = threading.Event(), threading.Event()

    def stuck(event: object) -> None:
        inside.set()
        go_on.wait(3 * LIMIT)

    connector.on_book_ticker("BTC-USDT", stuck)
    connector.start()
    assert inside.wait(LIMIT)
    assert connector.stop(1.0) == ["exconn-dispatch-bookticker.binance.BTC-USDT"]
    go_on.set()


def test_stop_is_quick_while_connecting(quiet: Simulator) -> None:
    """(fault F147)"""
    with quiet.faults.refuse_connections():
        connector = Connector(replace(quiet.config(), reconnect=replace(quiet.config().reconnect, base=60, cap=60)))
        connector.start()
        assert connector.stop(LIMIT) == []


def test_restart_keeps_subscriptions_and_orders(lively: Simulator, connect: Connect) -> None:
    """(fault F148)"""
    connector = connect(lively)
    trades = connector.stream_trades("BTC-USDT")
    trades.get(LIMIT)
    order = connector.place_order(OrderRequest.limit("BTC-USDT", "buy", "0.1", "50000"))
    connector.restart(quick(lively.config(), risk=RiskLimits(max_order_notional="1000")))  # type: ignore[arg-type]
    connector.wait_ready(LIMIT)
    while trades.pending:
        trades.get(LIMIT)
    trades.get(LIMIT)
    assert order.status == "new"
    with pytest.raises(RiskRejected, match="above the limit of 1000"):
        connector.place_order(OrderRequest.limit("BTC-USDT", "buy", "0.1", "50000"))
    order.cancel()


def in_step(monkeypatch: pytest.MonkeyPatch, step: Callable[[str], object]) -> None:
    """Call ``step`` with ``before`` and ``after`` around each stop that a restart begins with."""
    stop = Core.stop

    def stepping(core: Core, timeout: float | None, *, keep_subscriptions: bool = False) -> list[str]:
        if keep_subscriptions:
            step("before")
        left = stop(core, timeout, keep_subscriptions=keep_subscriptions)
        if keep_subscriptions:
            step("after")
        return left

    monkeypatch.setattr(Core, "stop", stepping)


def test_two_restarts_at_the_same_moment_leave_it_running(
    quiet: Simulator, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither takes the stop of the other one for the user's last word."""
    connector = connect(quiet)
    both = threading.Barrier(2)
    waited: list[int] = []

    def step(when: str) -> None:
        if when == "before" and len(waited) < 2:
            waited.append(both.wait(LIMIT))

    in_step(monkeypatch, step)
    configs = [quick(quiet.config(), intervals=Intervals(clock=each)) for each in (31.0, 32.0)]
    threads = [threading.Thread(target=connector.restart, args=(config,)) for config in configs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(LIMIT)
    assert len(waited) == 2
    connector.wait_ready(LIMIT)
    assert connector.config in configs


def test_a_restart_does_not_change_the_configuration_of_a_life_that_somebody_else_began(
    quiet: Simulator, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would never be ready: what it had told until then was forgotten."""
    connector = connect(quiet)
    begun: list[str] = []

    def step(when: str) -> None:
        if when == "after" and not begun:
            begun.append(when)
            connector.start()
            connector.wait_ready(LIMIT)

    in_step(monkeypatch, step)
    config = quick(quiet.config(), intervals=Intervals(clock=31.0))
    connector.restart(config)
    assert begun
    connector.wait_ready(LIMIT)
    assert connector.config is config


def test_a_stop_while_a_restart_is_under_way_is_the_last_word(
    quiet: Simulator, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    connector = connect(quiet)
    in_step(monkeypatch, lambda when: connector.stop() if when == "after" else None)
    connector.restart()
    assert connector.state == "stopped"


def test_a_restart_takes_another_metrics_sink_and_refuses_another_journal(quiet: Simulator, connect: Connect) -> None:
    connector = connect(quiet)
    before, sink = connector.metrics, MemoryMetrics()
    connector.restart(quick(quiet.config(), metrics=sink))
    connector.wait_ready(LIMIT)
    assert connector.metrics is sink
    assert sink.counts()
    connector.restart(quick(quiet.config()))
    assert connector.metrics not in (before, sink)
    connector.wait_ready(LIMIT)
    for config, told in [(quick(quiet.config(), journal=MemoryJournal()), "journal"), ("binance", "must be a Config")]:
        with pytest.raises(ValidationError, match=told):
            connector.restart(config)  # type: ignore[arg-type]
    assert connector.is_connected, "nothing was changed"


def test_no_descriptors_left_is_a_failed_attempt_and_no_crash(
    quiet: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A crash each time would make the supervisor give up within seconds (fault F143)."""
    failures = [OSError(errno.EMFILE, "Too many open files") for _ in range(4)]

    def scarce() -> Wakeup:
        if failures:
            raise failures.pop()
        return Wakeup()

    monkeypatch.setattr("exconn_sync._live.dialler.Wakeup", scarce)
    with Connector(quick(quiet.config())) as connector:
        connector.wait_ready(LIMIT)
        assert not failures
        assert {worker.restarts for worker in connector.workers()} == {0}


def test_wishes_that_could_not_be_handed_over_are_handed_over_later(
    quiet: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A further connection had no thread for a moment: nothing is lost by it (fault F143)."""
    failures = [ThreadsUnavailable("none left")]
    want = MarketFeed.want

    def scarce(feed: MarketFeed, topic: Topic) -> None:
        if failures:
            raise failures.pop()
        want(feed, topic)

    monkeypatch.setattr(MarketFeed, "want", scarce)
    connector = Connector(quick(quiet.config()))
    tickers = [connector.stream_book_ticker(symbol) for symbol in ("BTC-USDT", "ETH-USDT")]
    with connector:
        connector.wait_ready(LIMIT)
        assert not failures
        assert len(connector._core.assembly.feed.wanted()) == len(tickers)
        failures.append(ThreadsUnavailable("none left"))
        with pytest.raises(ThreadsUnavailable):
            connector.on_trade("BTC-USDT", print)
        assert [each.pattern[0] for each in connector._core.bus.subscriptions()] == ["bookticker"] * 2


@pytest.mark.parametrize("timeout", ["5", float("nan")])
def test_seconds_are_checked(timeout: Any, quiet: Simulator, connect: Connect) -> None:
    connector = connect(quiet)
    order = connector.place_order(OrderRequest.limit("BTC-USDT", "buy", "0.1", "50000"))
    with pytest.raises(ValidationError, match="must be a number of seconds"):
        connector.wait_ready(timeout)
    with pytest.raises(ValidationError, match="must be a number of seconds"):
        connector.ready.wait(timeout)
    with pytest.raises(ValidationError, match="must be a number of seconds"):
        order.wait(timeout=timeout)
    with pytest.raises(ValidationError, match="seconds are given as timeout="):
        order.wait(5)  # type: ignore[arg-type]


def test_a_new_connector_with_the_same_journal_finds_its_orders(quiet: Simulator) -> None:
    """(fault F149)"""
    journal = MemoryJournal()
    config = quick(quiet.config(), journal=journal)
    with Connector(config) as first:
        first.wait_ready(LIMIT)
        order = first.place_order(OrderRequest.limit("BTC-USDT", "buy", "0.5", "60005", client_order_id="kept"))
        quiet.market.trade("BTCUSDT", "sell", "0.2")
        assert order.wait("partially_filled", timeout=LIMIT)
    quiet.market.trade("BTCUSDT", "sell", "0.3")
    told: list[str] = []
    second = Connector(config)
    second.on_fill(lambda fill: told.append(fill.trade_id))
    with second:
        second.wait_ready(LIMIT)
        state = second.orders.get("kept")
        assert state is not None
        assert state.status == "filled"
        assert len(second.fills()) == 2
    assert len(told) == 1, "the fill that the first one told is not told again"


def test_account_events_and_orders_are_found_by_any_spelling(quiet: Simulator, connect: Connect) -> None:
    connector = connect(quiet, start=False)
    seen: list[str] = []
    told = threading.Event()
    connector.on_order(lambda state: seen.append("early"), symbol="BTCUSDT")
    connector.on_order(lambda state: seen.append("other"), symbol="ETHUSDT")
    connector.start()
    connector.wait_ready(LIMIT)
    connector.on_order(lambda state: told.set() if state.status == "new" else None, symbol="btc/usdt")
    connector.subscribe("order.binance.BTCUSDT", lambda state: seen.append("pattern"))
    connector.place_order(OrderRequest.limit("BTC-USDT", "buy", "0.1", "50000"))
    assert told.wait(LIMIT)
    for spelling in ("BTC-USDT", "BTCUSDT", "BTC/USDT"):
        assert len(connector.orders.open(spelling)) == 1
    assert connector.orders.open("ETHUSDT") == []
    with pytest.raises(ValidationError, match="not a spot symbol"):
        connector.on_fill(print, symbol="NOPE-USDT")
    connector.stop()
    assert set(seen) == {"early", "pattern"}


def test_an_iterator_can_be_asked_with_a_limit(quiet: Simulator, connect: Connect) -> None:
    trades = connect(quiet).stream_trades("BTC-USDT")
    with pytest.raises(RequestTimeout):
        trades.get(timeout=0.05)


def test_ready_events_can_be_waited_for(quiet: Simulator, connect: Connect) -> None:
    connector = connect(quiet, start=False)
    assert not connector.ready.wait(0.01)
    connector.start()
    assert connector.ready.wait(LIMIT)
    assert connector.rest_ready.is_set()
    assert connector.stream_ready.is_set()
    assert connector.account_ready.is_set()
    assert {report.state for report in connector.workers()} == {"running"}


def test_without_a_key_only_public_data_is_awaited(quiet: Simulator, connect: Connect) -> None:
    connector = connect(quiet, credentials=None)
    assert connector.state == "ready"
    assert not connector.account_ready.is_set()
    assert len(connector.workers()) == 2


def test_objects_are_not_pickled(quiet: Simulator, connect: Connect) -> None:
    """(fault F172)"""
    connector = connect(quiet)
    for thing in (connector, connector.config):
        with pytest.raises(TypeError, match="not pickled"):
            pickle.dumps(thing)


def test_a_forked_child_is_refused(quiet: Simulator, connect: Connect) -> None:
    """(fault F124)"""
    connector = connect(quiet)
    calls = (
        lambda: connector.place_order(OrderRequest.limit("BTC-USDT", "buy", "0.1", "50000")),
        lambda: connector.wait_ready(),
        lambda: connector.ready,
        lambda: connector.state,
        lambda: connector.is_connected,
        lambda: connector.health(),
        lambda: connector.balances,
        lambda: connector.instruments,
        lambda: connector.on_fill(print),
        lambda: connector.stop(),
    )
    child = os.fork()
    if child == 0:
        for call in calls:
            try:
                call()
            except ForkedProcess:
                continue
            os._exit(1)
        os._exit(42)
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 42
    assert quiet.accounts.orders() == []


def run(code: str, *, interrupt_at: str = "", warnings: str = "error") -> subprocess.CompletedProcess[str]:
    """Run a program; send it SIGINT when it has printed a certain line."""
    script = textwrap.dedent(code)
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONWARNINGS": warnings}
    with subprocess.Popen(
        [sys.executable, "-c", script], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
    ) as process:
        assert process.stdout is not None
        if interrupt_at:
            line = process.stdout.readline()
            assert interrupt_at in line, line
            process.send_signal(signal.SIGINT)
        try:
            out, err = process.communicate(timeout=3 * LIMIT)
        except subprocess.TimeoutExpired:
            process.kill()
            raise
    return subprocess.CompletedProcess(process.args, process.returncode, out, err)


def test_a_script_that_forgets_to_stop_still_ends(quiet: Simulator) -> None:
    """(fault F132)"""
    result = run(
        f"""
        from exconn_sync import Config, Connector
        config = Config("binance", endpoints={dict(quiet.config().endpoints)!r})
        connector = Connector(config)
        connector.on_book_ticker("BTC-USDT", print)
        connector.start()
        connector.wait_ready(10)
        print("ready")
        """,
        warnings="error,ignore::ResourceWarning",
    )
    assert (result.returncode, result.stderr) == (0, "")
    assert "ready" in result.stdout


def test_ctrl_c_interrupts_a_wait(quiet: Simulator) -> None:
    """(fault F129)"""
    result = run(
        f"""
        import signal
        # A shell that starts programs in the background has them ignore Ctrl-C, and their children inherit that.
        signal.signal(signal.SIGINT, signal.default_int_handler)
        from exconn_sync import Config, Connector
        config = Config("binance", endpoints={dict(quiet.config().endpoints)!r})
        try:
            with Connector(config) as connector:
                connector.wait_ready(10)
                trades = connector.stream_trades("ETH-USDT")
                print("ready", flush=True)
                for trade in trades:
                    pass
        except KeyboardInterrupt:
            print("interrupted")
        """,
        interrupt_at="ready",
    )
    assert (result.returncode, result.stderr) == (0, "")
    assert "interrupted" in result.stdout


def test_not_ready_names_what_is_missing(quiet: Simulator) -> None:
    config = Config("binance", endpoints=quiet.config().endpoints)
    connector = Connector(config)
    with quiet.faults.refuse_connections():
        connector.start()
        with pytest.raises(NotReady, match="instruments"):
            connector.order_book("BTC-USDT")
    connector.stop()


def test_an_answer_to_an_earlier_life_changes_nothing_in_the_next(lively: Simulator, connect: Connect) -> None:
    """(fault F148)"""
    connector = connect(lively, start=False)
    trades = connector.stream_trades("BTC-USDT")
    with lively.faults.delay("GET", "/api/v3/exchangeInfo", 0.5):
        connector.start()
        assert not connector.ready.wait(0.2)
        connector.restart(timeout=0.05)
        connector.wait_ready(LIMIT)
        trades.get(LIMIT)
    assert trades.is_active
    assert connector.state == "ready"


def test_a_stop_during_a_restart_is_the_last_word(quiet: Simulator, connect: Connect) -> None:
    connector = connect(quiet, start=False)
    with quiet.faults.delay("GET", "/api/v3/exchangeInfo", 0.5):
        connector.start()
        assert not connector.ready.wait(0.2)
        restarter = threading.Thread(target=connector.restart)
        restarter.start()
        while connector.state != "stopping":
            continue
        connector.stop()
        restarter.join(LIMIT)
    assert connector.state == "stopped"


def test_waiting_for_ready_ends_with_the_stop(quiet: Simulator, connect: Connect) -> None:
    with quiet.faults.refuse_connections():
        connector = connect(quiet, wait=False)
        results: list[bool] = []
        waiter = threading.Thread(target=lambda: results.append(connector.ready.wait()))
        waiter.start()
        connector.stop()
        waiter.join(LIMIT)
    assert results == [False]
    assert connector.ready.wait() is False


def test_a_function_of_a_future_may_stop_the_connector(quiet: Simulator, connect: Connect) -> None:
    connector = connect(quiet)
    stopped: list[list[str]] = []
    done = threading.Event()

    def stop(future: object) -> None:
        stopped.append(connector.stop(LIMIT))
        done.set()

    connector.submit_order(OrderRequest.limit("BTC-USDT", "buy", "0.1", "50000")).add_done_callback(stop)
    assert done.wait(LIMIT)
    assert stopped == [[]]
