"""Connections that are replaced ahead of their end: nobody sees a gap, a repetition or an event."""

from __future__ import annotations

import itertools
import queue
import time
from decimal import Decimal

import pytest

from exconn_sync import BookView, ConnectionEvent, Fill, OrderRequest
from exconn_sync.metrics import MemoryMetrics
from exconn_sync.simulator import Simulator
from tests.faults.conftest import LIMIT, Connect, Errors, Ups, counted, pace, through
from tests.faults.relay import Relay
from tests.integration.test_faults import wait_live
from tests.simulator.clients import eventually


def replaced(metrics: MemoryMetrics, connection: str) -> int:
    """Return how often a connection was replaced."""
    return metrics.counts().get(f"connection.replaced{{connection={connection},exchange=binance}}", 0)


def await_replaced(metrics: MemoryMetrics, connection: str, times: int) -> None:
    """Wait until a connection was replaced so often."""
    limit = time.monotonic() + LIMIT
    while replaced(metrics, connection) < times:
        assert time.monotonic() < limit
        time.sleep(0.01)


def in_a_row(numbers: list[int]) -> bool:
    """Return whether nothing is missing, doubled or out of order."""
    return numbers == list(range(numbers[0], numbers[0] + len(numbers)))


@pytest.mark.parametrize("lag", [0.0, 0.6])
def test_a_market_connection_is_replaced_without_anybody_noticing(
    lag: float, lively: Simulator, connect: Connect
) -> None:
    """The new front end may be behind the old one (faults F044, F066)."""
    metrics = MemoryMetrics()
    connector = connect(lively, credentials=None, metrics=metrics, reconnect=pace(rotate_after=0.8))
    ups, errors = Ups(connector), Errors(connector)
    trades = connector.stream_trades("BTC-USDT", buffer=100_000)
    tickers = connector.stream_book_ticker("BTC-USDT", buffer=100_000)
    views: list[BookView] = []
    connector.on_order_book("BTC-USDT", views.append, depth=None, buffer=100_000)
    books = connector.stream_order_book("BTC-USDT", depth=None)
    wait_live(connector, books)
    lost = counted(metrics, "book.lost")
    if lag:
        with lively.faults.lag(lag):
            await_replaced(metrics, "market", replaced(metrics, "market") + 2)
    await_replaced(metrics, "market", replaced(metrics, "market") + 2)
    last = trades.get(LIMIT)
    numbers = [int(last.trade_id), *(int(trades.get(LIMIT).trade_id) for _ in range(trades.pending))]
    assert in_a_row(numbers)
    ids = [tickers.get(LIMIT).update_id for _ in range(tickers.pending)]
    assert all(earlier < later for earlier, later in itertools.pairwise(ids))
    assert counted(metrics, "book.lost") == lost == 0
    assert all(view.is_valid for view in views)
    assert all(earlier.update_id < later.update_id for earlier, later in itertools.pairwise(views))
    assert (ups.told, errors.told) == ([], [])
    lively.market.pause()
    update_id, bids, asks = lively.market.order_book("BTCUSDT")
    while (view := connector.order_book("BTC-USDT")).update_id < update_id:
        books.get(timeout=LIMIT)
    assert (list(view.bids), list(view.asks)) == ([tuple(row) for row in bids], [tuple(row) for row in asks])


def test_the_exchange_never_has_to_end_an_old_connection(lively: Simulator, connect: Connect) -> None:
    """It would end each at an age of 4 s (fault F044)."""
    metrics = MemoryMetrics()
    lively.faults.connection_life(4.0)
    connector = connect(lively, metrics=metrics, reconnect=pace(rotate_after=1.2))
    events: list[ConnectionEvent] = []
    connector.on_connection(events.append)
    trades = connector.stream_trades("BTC-USDT")
    trades.get(LIMIT)
    await_replaced(metrics, "market", 3)
    await_replaced(metrics, "account", 2)
    assert lively.cuts() == {}
    assert events == []


def test_fills_are_told_once_while_the_account_connection_is_replaced(quiet: Simulator, connect: Connect) -> None:
    """Both connections bring them for a while (fault F044)."""
    metrics = MemoryMetrics()
    connector = connect(quiet, metrics=metrics, reconnect=pace(rotate_after=0.4))
    account = Ups(connector, "account")
    fills: queue.Queue[Fill] = queue.Queue()
    connector.on_fill(fills.put)
    order = connector.place_order(OrderRequest.limit("BTC-USDT", "buy", "0.9", "60005"))
    limit, sold = time.monotonic() + LIMIT, 0
    while replaced(metrics, "account") < 2:
        assert time.monotonic() < limit
        if sold < 80:
            quiet.market.trade("BTCUSDT", "sell", "0.01")
            sold += 1
        time.sleep(0.03)
    quiet.market.trade("BTCUSDT", "sell", Decimal("0.9") - sold * Decimal("0.01"))
    assert order.wait(timeout=LIMIT)
    assert order.status == "filled"
    told = [fills.get(timeout=LIMIT) for _ in range(sold + 1)]
    assert fills.empty()
    assert len({fill.trade_id for fill in told}) == sold + 1
    assert sum(fill.quantity for fill in told) == Decimal("0.9")
    assert account.told == []
    assert connector.ready.is_set()


def test_a_successor_that_cannot_be_made_is_tried_again_and_nobody_is_bothered(
    lively: Simulator, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    """(fault F044)"""
    monkeypatch.setattr("exconn_sync._live.socket_session._NEXT_REPLACEMENT", 0.2)
    metrics = MemoryMetrics()
    connector = connect(lively, credentials=None, metrics=metrics, reconnect=pace(rotate_after=0.3))
    ups, errors = Ups(connector), Errors(connector)
    trades = connector.stream_trades("BTC-USDT")
    with lively.faults.refuse_upgrades(503):
        eventually(lambda: counted(metrics, "connection.replacement_failed") >= 3)
        trades.get(LIMIT)
    before = replaced(metrics, "market")
    await_replaced(metrics, "market", before + 1)
    numbers = [int(trades.get(LIMIT).trade_id) for _ in range(trades.pending)]
    assert in_a_row(numbers)
    assert (ups.told, errors.told) == ([], [])


def test_a_stop_breaks_a_replacement_that_hangs(lively: Simulator, relay: Relay, connect: Connect) -> None:
    """(faults F002, F044)"""
    connector = connect(lively, endpoints=through(lively, relay, "stream", "ws_api"), reconnect=pace(rotate_after=0.3))
    ups = Ups(connector)
    before = relay.connections
    relay.swallow()
    eventually(lambda: relay.connections >= before + 2)
    connector.stream_trades("BTC-USDT").get(LIMIT)
    assert ups.told == []
    began = time.monotonic()
    assert connector.stop(LIMIT) == []
    assert time.monotonic() - began < LIMIT / 2


@pytest.mark.parametrize("shape", ["wrapped", "bare"])
def test_an_announced_shutdown_of_the_market_is_answered_by_a_replacement(
    shape: str, lively: Simulator, connect: Connect
) -> None:
    """(fault F045)"""
    metrics = MemoryMetrics()
    connector = connect(lively, metrics=metrics)
    ups, errors = Ups(connector), Errors(connector)
    trades = connector.stream_trades("BTC-USDT")
    trades.get(LIMIT)
    if shape == "wrapped":
        lively.faults.announce_shutdown("stream")
    else:
        lively.faults.send_raw('{"e":"serverShutdown","E":1700000000000}', times=3)
    await_replaced(metrics, "market", 1)
    while trades.pending:
        assert trades.get(LIMIT).symbol == "BTC-USDT"
    trades.get(LIMIT)
    eventually(lambda: lively.subscriptions() == ["btcusdt@trade", "userDataStream"])
    assert (replaced(metrics, "market"), replaced(metrics, "account")) == (1, 0)
    assert (ups.told, errors.told) == ([], [])


def test_an_announced_shutdown_of_the_account_stream_is_answered_by_a_replacement(
    quiet: Simulator, connect: Connect
) -> None:
    """Wrapped in ``event`` (fault F045)."""
    metrics = MemoryMetrics()
    connector = connect(quiet, metrics=metrics)
    account = Ups(connector, "account")
    order = connector.place_order(OrderRequest.limit("BTC-USDT", "buy", "0.5", "60005"))
    quiet.faults.announce_shutdown("ws_api")
    quiet.market.trade("BTCUSDT", "sell", "0.2")
    await_replaced(metrics, "account", 1)
    quiet.market.trade("BTCUSDT", "sell", "0.3")
    assert order.wait(timeout=LIMIT)
    assert order.status == "filled"
    assert (replaced(metrics, "market"), replaced(metrics, "account")) == (0, 1)
    assert account.told == []


@pytest.mark.parametrize(("kind", "name"), [("stream", "market"), ("ws_api", "account")])
def test_a_shutdown_that_comes_with_its_announcement_is_a_loss_like_any_other(
    kind: str, name: str, lively: Simulator, connect: Connect
) -> None:
    """(fault F045)"""
    connector = connect(lively)
    ups = Ups(connector, name)
    trades = connector.stream_trades("BTC-USDT")
    trades.get(LIMIT)
    lively.faults.announce_shutdown(kind)
    lively.faults.close_connections(1001, kind)
    eventually(lambda: len(ups.told) != 1)
    connector.wait_ready(LIMIT)
    while trades.pending:
        trades.get(LIMIT)
    trades.get(LIMIT)
    assert [event.is_up for event in ups.told] in ([], [False, True])


def age(simulator: Simulator, seconds: float) -> None:
    """Wait until all connections are so old."""
    newest = max(when for when, _ in simulator.connection_log())
    time.sleep(max(newest + seconds - time.monotonic(), 0.0))


def end_older_than(simulator: Simulator, seconds: float) -> None:
    """End the connections that are older, and only those."""
    simulator.faults.connection_life(seconds)
    simulator.faults.connection_life(None)


def test_a_shutdown_a_moment_after_its_announcement_is_not_seen(quiet: Simulator, connect: Connect) -> None:
    """The old connection ends while both are read (fault F045)."""
    metrics = MemoryMetrics()
    connector = connect(quiet, credentials=None, metrics=metrics)
    ups, errors = Ups(connector), Errors(connector)
    trades = connector.stream_trades("BTC-USDT")
    books = connector.stream_order_book("BTC-USDT")
    wait_live(connector, books)
    age(quiet, 1.0)
    quiet.faults.announce_shutdown("stream")
    both = sorted(2 * ["btcusdt@depth@100ms", "btcusdt@trade"])
    eventually(lambda: quiet.subscriptions() == both)
    for _ in range(3):
        quiet.market.trade("BTCUSDT", "sell", "0.01")
    end_older_than(quiet, 0.8)
    await_replaced(metrics, "market", 1)
    for _ in range(3):
        quiet.market.trade("BTCUSDT", "sell", "0.01")
    numbers = [int(trades.get(LIMIT).trade_id) for _ in range(6)]
    assert in_a_row(numbers)
    update_id, _, _ = quiet.market.order_book("BTCUSDT")
    while connector.order_book("BTC-USDT").update_id < update_id:
        books.get(timeout=LIMIT)
    assert counted(metrics, "book.lost") == 0
    assert (ups.told, errors.told) == ([], [])


def test_a_shutdown_of_the_account_stream_a_moment_after_its_announcement_loses_no_fill(
    quiet: Simulator, connect: Connect
) -> None:
    """The old connection ends while both are read (fault F045)."""
    metrics = MemoryMetrics()
    connector = connect(quiet, metrics=metrics)
    account = Ups(connector, "account")
    fills: queue.Queue[Fill] = queue.Queue()
    connector.on_fill(fills.put)
    order = connector.place_order(OrderRequest.limit("BTC-USDT", "buy", "0.6", "60005"))
    age(quiet, 1.0)
    quiet.faults.announce_shutdown("ws_api")
    eventually(lambda: quiet.subscriptions() == ["userDataStream", "userDataStream"])
    for _ in range(3):
        quiet.market.trade("BTCUSDT", "sell", "0.1")
    end_older_than(quiet, 0.8)
    for _ in range(3):
        quiet.market.trade("BTCUSDT", "sell", "0.1")
    assert order.wait(timeout=LIMIT)
    assert order.status == "filled"
    await_replaced(metrics, "account", 1)
    assert len({fills.get(timeout=LIMIT).trade_id for _ in range(6)}) == 6
    connector.wait_ready(LIMIT)
    assert fills.empty()
    eventually(lambda: quiet.subscriptions() == ["userDataStream"])
    states = [event.is_up for event in account.told]
    assert states in ([], [False, True])


def test_an_old_connection_that_ends_before_its_successor_is_ready_is_told_as_one_loss(
    quiet: Simulator, connect: Connect
) -> None:
    """The successor takes over without another attempt (fault F045)."""
    metrics = MemoryMetrics()
    connector = connect(quiet, credentials=None, metrics=metrics)
    ups = Ups(connector)
    trades = connector.stream_trades("BTC-USDT")
    books = connector.stream_order_book("BTC-USDT")
    wait_live(connector, books)
    age(quiet, 1.0)
    # The answer to the successor's subscription is lost, so nobody knows whether it brings everything.
    quiet.faults.lose_replies("stream")
    attempts = len(quiet.connection_log())
    quiet.faults.announce_shutdown("stream")
    both = sorted(2 * ["btcusdt@depth@100ms", "btcusdt@trade"])
    eventually(lambda: quiet.subscriptions() == both)
    end_older_than(quiet, 0.8)
    assert "1001" in ups.recover().reason
    assert [event.is_up for event in ups.told] == [False, True]
    assert len(quiet.connection_log()) == attempts + 1
    quiet.market.trade("BTCUSDT", "sell", "0.01")
    trades.get(LIMIT)
    wait_live(connector, books)
