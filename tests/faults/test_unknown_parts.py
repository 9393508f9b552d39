"""Fields and words of the future are passed by, counted by their name, and said once each."""

from __future__ import annotations

import json
import logging
from typing import Any

import pytest

from exconn_sync import OrderRequest
from exconn_sync.metrics import MemoryMetrics
from exconn_sync.simulator import Simulator
from tests.faults.conftest import LIMIT, Connect, counted
from tests.faults.test_drifting_exchange import drift
from tests.unit.support import until as eventually

Json = Any


def key(part: str) -> str:
    return f"wire.unrecognized{{exchange=binance,part={part}}}"


def test_a_new_field_of_answers_and_events_is_counted_and_said_once(
    lively: Simulator, connect: Connect, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """(fault F036)"""

    def with_news(value: Json) -> Json:
        if isinstance(value, dict) and isinstance(value.get("event"), dict):
            return {**value, "event": {**value["event"], "mood": "calm"}}
        # An event of a stream, of which one kind has no name, or an answer about an order.
        is_of_interest = isinstance(value, dict) and not {"e", "u", "orderId"}.isdisjoint(value)
        return {**value, "mood": "calm"} if is_of_interest else value

    drift(monkeypatch, with_news)
    metrics = MemoryMetrics()
    connector = connect(lively, metrics=metrics)
    with caplog.at_level(logging.INFO, "exconn_sync"):
        trades, tickers = connector.stream_trades("BTC-USDT"), connector.stream_book_ticker("BTC-USDT")
        trades.get(LIMIT)
        tickers.get(LIMIT)
        for _ in range(2):
            order = connector.place_order(OrderRequest.market("BTC-USDT", "buy", "0.01"))
            assert order.wait(timeout=LIMIT)
            assert order.status == "filled"
        names = [f"{of} field mood" for of in ("/api/v3/order", "trade", "bookTicker", "executionReport")]
        eventually(lambda: all(metrics.counts().get(key(name)) for name in names))
    assert metrics.counts()[key("/api/v3/order field mood")] == 2
    said = [record.getMessage() for record in caplog.records if "field mood" in record.getMessage()]
    for name in names:
        # What is said while a command runs has the command's id, too.
        assert sum(f"binance sent what this version does not know: {name}" in line for line in said) == 1
    # A topic is looked at once in a while only: reading it costs no more than before.
    assert metrics.counts()[key("trade field mood")] == 1


def test_a_new_word_of_an_answer_is_counted(
    quiet: Simulator, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The order is found with what is known of it (fault F040)"""

    def renamed(value: Json) -> Json:
        rows = value if isinstance(value, list) else [value]
        for row in rows:
            if isinstance(row, dict) and "orderId" in row and "isWorking" in row:
                row.update(timeInForce="GTD", selfTradePreventionMode="EXPIRE_ALL")
        return value

    metrics = MemoryMetrics()
    connector = connect(quiet, metrics=metrics)
    order = connector.place_order(OrderRequest.limit("BTC-USDT", "buy", "0.1", "20000"))
    drift(monkeypatch, renamed)
    assert [found.client_order_id for found in connector.fetch_open_orders("BTC-USDT")] == [order.client_order_id]
    assert metrics.counts()[key("/api/v3/openOrders timeInForce GTD")] >= 1
    assert metrics.counts()[key("/api/v3/openOrders selfTradePreventionMode EXPIRE_ALL")] >= 1
    order.cancel()
    assert order.wait(timeout=LIMIT)
    assert order.status == "canceled"


def test_a_server_that_makes_names_up_fills_no_memory(quiet: Simulator, connect: Connect) -> None:
    metrics = MemoryMetrics()
    connector = connect(quiet, metrics=metrics)
    for number in range(40):
        new = {f"made{number}up{part}": 1 for part in range(8)}
        quiet.faults.answer(
            "GET", "/api/v3/time", 200, json.dumps({"serverTime": connector.fetch_server_time() // 10**6, **new})
        )
        connector.fetch_server_time()
    assert counted(metrics, "wire.unrecognized") == 40 * 8
    names = [name for name in metrics.counts() if name.startswith("wire.unrecognized")]
    assert len(names) <= 60
    assert metrics.counts()[key("other")] > 100


@pytest.mark.parametrize("name", ["binance", "bybit"])
def test_an_exchange_as_documented_has_no_news(name: str, connect: Connect) -> None:
    with Simulator(exchange=name) as exchange:
        _use(exchange, connect)


def _use(exchange: Simulator, connect: Connect) -> None:
    metrics = MemoryMetrics()
    connector = connect(exchange, metrics=metrics)
    streams: list[Any] = [
        connector.stream_trades("BTC-USDT"),
        connector.stream_klines("BTC-USDT", "1m"),
        connector.stream_ticker("BTC-USDT"),
        connector.stream_order_book("BTC-USDT"),
    ]
    for stream in streams:
        stream.get(LIMIT)
    order = connector.place_order(OrderRequest.market("BTC-USDT", "buy", "0.01"))
    assert order.wait(timeout=LIMIT)
    resting = connector.place_order(OrderRequest.limit("BTC-USDT", "buy", "0.01", "20000"))
    resting.cancel()
    assert resting.wait(timeout=LIMIT)
    connector.fetch_balances()
    connector.fetch_klines("BTC-USDT", "1m")
    connector.fetch_trades("BTC-USDT")
    connector.fetch_order_history("BTC-USDT")
    connector.fetch_fills("BTC-USDT")
    connector.fetch_ticker("BTC-USDT")
    connector.fetch_commission("BTC-USDT")
    assert counted(metrics, "wire.unrecognized") == 0
