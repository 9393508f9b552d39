"""Candles, tickers, aggregates and partial books: silent ones, quiet ones, and a connection replaced under them."""

from __future__ import annotations

import itertools
from contextlib import ExitStack
from typing import Any

import pytest

from exconn_sync import Connector, Kline, SilentTopic
from exconn_sync.metrics import MemoryMetrics
from exconn_sync.simulator import Simulator
from tests.faults.conftest import LIMIT, Connect, Errors, Ups, counted, pace
from tests.faults.test_replacement import await_replaced, in_a_row
from tests.faults.test_subscriptions import brisk, texts
from tests.simulator.clients import eventually

__all__ = ["brisk"]

STREAMS = {
    "aggregatetrade.BTC-USDT": "btcusdt@aggTrade",
    "kline.BTC-USDT.1s": "btcusdt@kline_1s",
    "ticker.BTC-USDT.1h": "btcusdt@ticker_1h",
    "miniticker.BTC-USDT": "btcusdt@miniTicker",
    "averageprice.BTC-USDT": "btcusdt@avgPrice",
    "partialbook.BTC-USDT.5": "btcusdt@depth5@100ms",
}


def subscribed(connector: Connector) -> dict[str, Any]:
    """Return a loop over each kind of stream, by its topic."""
    options: dict[str, Any] = {"buffer": 100_000}
    return dict(
        zip(
            STREAMS,
            (
                connector.stream_aggregate_trades("BTC-USDT", **options),
                connector.stream_klines("BTC-USDT", "1s", **options),
                connector.stream_ticker("BTC-USDT", window="1h", **options),
                connector.stream_mini_ticker("BTC-USDT", **options),
                connector.stream_average_price("BTC-USDT", **options),
                connector.stream_partial_book("BTC-USDT", levels=5, **options),
            ),
            strict=True,
        )
    )


@pytest.mark.usefixtures("brisk")
def test_each_kind_that_falls_silent_is_asked_for_again(lively: Simulator, connect: Connect) -> None:
    """The exchange has trades all the while, and its book moves (fault F060)."""
    metrics = MemoryMetrics()
    connector = connect(lively, credentials=None, metrics=metrics, reconnect=pace(topic_timeout=2.5))
    ups, errors = Ups(connector), Errors(connector)
    streams = subscribed(connector)
    for stream in streams.values():
        stream.get(LIMIT)
    assert connector.stream_ready.wait(LIMIT)
    with ExitStack() as silence:
        for name in STREAMS.values():
            silence.enter_context(lively.faults.silence(name))
        while {event.where for event in errors.told} != set(STREAMS):
            told = errors.until(lambda event: True)
            assert isinstance(told.error, SilentTopic), told
    for stream in streams.values():
        for _ in range(stream.pending + 1):
            stream.get(LIMIT)
    assert ups.told == []
    assert sorted(lively.subscriptions()) == sorted(STREAMS.values())


@pytest.mark.usefixtures("brisk")
def test_no_kind_is_called_silent_on_a_quiet_market(quiet: Simulator, connect: Connect) -> None:
    """What comes by the second is asked about in between, too; nothing else happens (faults F060, F065)."""
    metrics = MemoryMetrics()
    connector = connect(quiet, credentials=None, metrics=metrics, reconnect=pace(topic_timeout=0.2))
    ups, errors = Ups(connector), Errors(connector)
    streams = subscribed(connector)
    assert connector.stream_ready.wait(LIMIT)
    quiet.market.trade("BTCUSDT", "sell", "0.01")
    for stream in streams.values():
        stream.get(LIMIT)
    asked = texts(quiet)

    def questions(path: str) -> int:
        return sum(count for key, count in metrics.counts().items() if "rest.requests" in key and path in key)

    trades, depth = questions("/api/v3/trades"), questions("/api/v3/depth")
    eventually(lambda: questions("/api/v3/trades") >= trades + 6 and questions("/api/v3/depth") > depth)
    assert errors.told == []
    assert ups.told == []
    assert texts(quiet) == asked


@pytest.mark.parametrize("lag", [0.0, 0.3])
def test_a_replacement_is_not_noticed_by_any_kind(lag: float, lively: Simulator, connect: Connect) -> None:
    """No gap and no repetition, also where the new front end is behind (faults F044, F066)."""
    metrics = MemoryMetrics()
    connector = connect(lively, credentials=None, metrics=metrics, reconnect=pace(rotate_after=2.5))
    ups, errors = Ups(connector), Errors(connector)
    streams = subscribed(connector)
    for stream in streams.values():
        stream.get(LIMIT)
    if lag:
        with lively.faults.lag(lag):
            await_replaced(metrics, "market", 1)
    await_replaced(metrics, "market", 2)
    found = {topic: [stream.get(LIMIT) for _ in range(stream.pending + 1)] for topic, stream in streams.items()}
    assert in_a_row([int(event.trade_id) for event in found["aggregatetrade.BTC-USDT"]])
    ids = [event.update_id for event in found["partialbook.BTC-USDT.5"]]
    assert all(earlier < later for earlier, later in itertools.pairwise(ids))
    for topic in ("ticker.BTC-USDT.1h", "miniticker.BTC-USDT", "averageprice.BTC-USDT"):
        times = [event.exchange_time for event in found[topic]]
        assert all(earlier < later for earlier, later in itertools.pairwise(times))
    check_candles(found["kline.BTC-USDT.1s"])
    assert (ups.told, errors.told) == ([], [])
    assert counted(metrics, "topic.silent") == 0


def check_candles(candles: list[Kline]) -> None:
    """Each candle but the first and the last ended once, and right before the next one began."""
    assert len({candle.open_time for candle in candles}) > 2
    for earlier, later in itertools.pairwise(candles):
        if later.open_time != earlier.open_time:
            assert earlier.is_closed
            assert later.open_time == earlier.close_time + 1_000_000
        else:
            assert not earlier.is_closed
