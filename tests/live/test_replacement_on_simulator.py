"""Connections of a whole connector are replaced under traffic: its subscribers see nothing of it (fault F044)."""

from __future__ import annotations

from exconn_sync import Connector
from exconn_sync.metrics import MemoryMetrics
from exconn_sync.model.enums import BookState
from exconn_sync.simulator import Simulator
from tests.unit.support import LIMIT, until


def replaced(metrics: MemoryMetrics, connection: str) -> int:
    return metrics.counts().get(f"connection.replaced{{connection={connection},exchange=binance}}", 0)


def test_subscribers_see_no_gap_no_repetition_and_no_loss() -> None:
    """Trades without a hole, a book that is never unreadable, an account that is never unready (faults F044, F049)."""
    metrics = MemoryMetrics()
    reconnect = {"base": 0.05, "cap": 0.2, "settle": 0.05, "rotate_after": 0.15}
    with Simulator() as exchange:
        connector = Connector(exchange.config(reconnect=reconnect, metrics=metrics))
        losses: list[object] = []
        connector.on_connection(lambda event: losses.append(event) if not event.is_up else None)
        trades = connector.stream_trades("BTC-USDT", buffer=100_000)
        books = connector.stream_order_book("BTC-USDT", buffer=100_000)
        connector.start()
        try:
            connector.wait_ready(LIMIT)
            numbers = [int(trades.get(LIMIT).trade_id)]
            while replaced(metrics, "market") < 3:
                numbers.append(int(trades.get(LIMIT).trade_id))
            assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
            until(lambda: replaced(metrics, "account") >= 1)
            assert connector.state == "ready"
            states, ids = [], []
            while books.pending:
                view = books.get(0)
                states.append(view.state)
                ids.append(view.update_id)
            assert set(states[states.index(BookState.LIVE) :]) == {BookState.LIVE}
            assert ids == sorted(set(ids))
            assert losses == []
            # Two connections of each kind at most, the old ones are closed.
            until(lambda: len(exchange.subscriptions()) <= 6)
        finally:
            assert connector.stop(LIMIT) == []


def test_front_ends_that_lag_and_cuts_at_any_moment_repeat_nothing() -> None:
    """New connections are behind, and connections are cut while they are replaced (faults F001, F044, F066)."""
    metrics = MemoryMetrics()
    reconnect = {"base": 0.01, "cap": 0.02, "settle": 0.05, "rotate_after": 0.1}
    with Simulator() as exchange, exchange.faults.lag(0.3):
        connector = Connector(exchange.config(reconnect=reconnect, metrics=metrics))
        trades = connector.stream_trades("BTC-USDT", buffer=100_000)
        tickers = connector.stream_book_ticker("BTC-USDT", buffer=100_000)
        books = connector.stream_order_book("BTC-USDT", buffer=100_000)
        connector.start()
        try:
            connector.wait_ready(LIMIT)
            numbers, cuts = [int(trades.get(LIMIT).trade_id)], 0
            while cuts < 3:
                numbers += [int(trades.get(LIMIT).trade_id) for _ in range(3)]
                exchange.faults.drop_connections("stream")
                cuts += 1
            connector.wait_ready(LIMIT)
            numbers.append(int(trades.get(LIMIT).trade_id))
            assert numbers == sorted(set(numbers))
            updates = [tickers.get(0).update_id for _ in range(tickers.pending)]
            assert updates == sorted(set(updates))
            versions = [view.update_id for view in (books.get(0) for _ in range(books.pending)) if view.is_valid]
            assert versions == sorted(set(versions))
            assert len(versions) > 1
        finally:
            assert connector.stop(LIMIT) == []
