"""Replacements by a connection that does not bring everything, or that has to wait for its turn."""

from __future__ import annotations

import pytest

from exconn_sync import OrderRequest, PullSubscription, Trade
from exconn_sync.metrics import MemoryMetrics
from exconn_sync.simulator import Simulator
from tests.faults.conftest import LIMIT, Connect, Errors, Ups, counted, pace
from tests.faults.test_replacement import await_replaced, in_a_row
from tests.integration.test_faults import wait_live
from tests.unit.support import until


def numbers_of(trades: PullSubscription[Trade]) -> list[int]:
    """Return the numbers of the trades that were delivered, and of one more."""
    found = [int(trades.get(LIMIT).trade_id) for _ in range(trades.pending)]
    return [*found, int(trades.get(LIMIT).trade_id)]


@pytest.fixture
def brisk(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make short what is waited for before a successor is judged, and before the next one is made."""
    monkeypatch.setattr("exconn_sync._live.stream_feed._FLOW_PATIENCE", 0.5)
    monkeypatch.setattr("exconn_sync._live.socket_session._OVERLAP_LIMIT", 2.0)
    monkeypatch.setattr("exconn_sync._live.socket_session._NEXT_REPLACEMENT", 0.1)


@pytest.mark.usefixtures("brisk")
def test_a_successor_on_which_nothing_flows_does_not_take_over(lively: Simulator, connect: Connect) -> None:
    """Its subscriptions are acknowledged and lost: the old connection goes on, another one is made (F044, F047)."""
    metrics = MemoryMetrics()
    connector = connect(lively, credentials=None, metrics=metrics, reconnect=pace())
    ups, errors = Ups(connector), Errors(connector)
    trades = connector.stream_trades("BTC-USDT", buffer=100_000)
    books = connector.stream_order_book("BTC-USDT", buffer=100_000)
    wait_live(connector, books)
    lively.faults.lose_subscriptions(1)
    lively.faults.announce_shutdown("stream")
    until(lambda: counted(metrics, "connection.replacement_failed"))
    assert counted(metrics, "connection.replaced") == 0
    await_replaced(metrics, "market", 1)
    assert in_a_row(numbers_of(trades))
    states = {books.get(LIMIT).is_valid for _ in range(books.pending)}
    assert (states, ups.told, errors.told) == ({True}, [], [])


@pytest.mark.usefixtures("brisk")
def test_a_successor_that_is_refused_a_topic_does_not_take_over(lively: Simulator, connect: Connect) -> None:
    """The connection in use brings that topic; another successor is made when it is refused no more (F044, F046)."""
    metrics = MemoryMetrics()
    connector = connect(lively, credentials=None, metrics=metrics, reconnect=pace())
    ups, errors = Ups(connector), Errors(connector)
    trades = connector.stream_trades("BTC-USDT", buffer=100_000)
    books = connector.stream_order_book("BTC-USDT", buffer=100_000)
    wait_live(connector, books)
    with lively.faults.refuse_subscription("btcusdt@depth@100ms"):
        lively.faults.announce_shutdown("stream")
        until(lambda: counted(metrics, "connection.replacement_failed"))
        assert counted(metrics, "connection.replaced") == 0
    await_replaced(metrics, "market", 1)
    assert in_a_row(numbers_of(trades))
    states = {books.get(LIMIT).is_valid for _ in range(books.pending)}
    assert (states, ups.told, errors.told) == ({True}, [], [])
    assert connector.order_book("BTC-USDT").is_valid


def test_a_successor_is_dialled_while_the_pool_is_full_of_slow_orders(quiet: Simulator, connect: Connect) -> None:
    """Also an announced shutdown leaves no time to wait for the user's commands (faults F045, F159)."""
    connector = connect(quiet, reconnect=pace())
    connector.on_trade("BTC-USDT", lambda trade: None)
    assert connector.stream_ready.wait(LIMIT)

    def dialled() -> int:
        return len([kind for _, kind in quiet.connection_log() if kind == "stream"])

    before = dialled()
    with quiet.faults.delay("POST", "/api/v3/order", 2.0):
        order = OrderRequest.limit("BTC-USDT", "buy", "0.01", "50000")
        futures = [connector.submit_order(order, timeout=LIMIT) for _ in range(20)]
        quiet.faults.announce_shutdown("stream")
        until(lambda: dialled() > before)
        assert not any(future.done() for future in futures)
    for future in futures:
        future.result(LIMIT)
