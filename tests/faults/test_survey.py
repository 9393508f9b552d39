"""A silent topic among quiet ones: the exchange is asked about all of them at once."""

from __future__ import annotations

import threading
import time

import pytest

from exconn_sync import SilentTopic
from exconn_sync.metrics import MemoryMetrics
from exconn_sync.simulator import Simulator
from tests.faults.conftest import LIMIT, Connect, Errors, pace
from tests.unit.support import until


def test_a_silent_topic_is_found_by_a_question_about_all(
    quiet: Simulator, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is asked about single symbols, and the quiet ones are left alone (faults F047, F060)."""
    monkeypatch.setattr("exconn_sync._live.silence_watch._FIRST_SURVEY", 0.1)
    monkeypatch.setattr("exconn_sync._live.silence_watch._ARRIVAL", 0.2)
    monkeypatch.setattr("exconn_sync._live.silence_watch._BETWEEN", 0.05)
    metrics = MemoryMetrics()
    connector = connect(quiet, credentials=None, metrics=metrics, reconnect=pace(topic_timeout=1.0))
    errors = Errors(connector)

    def questions(path: str) -> int:
        return sum(count for key, count in metrics.counts().items() if "rest.requests" in key and path in key)

    told = threading.Event()
    connector.on_error(lambda event: told.set())
    calm = connector.stream_trades("BTC-USDT"), connector.stream_book_ticker("BTC-USDT")
    assert connector.stream_ready.wait(LIMIT)
    quiet.faults.lose_subscriptions(1)
    dead = connector.stream_trades("ETH-USDT")
    assert connector.stream_ready.wait(LIMIT)
    limit = time.monotonic() + LIMIT
    while not told.wait(0.3):
        assert time.monotonic() < limit
        # One that comes before its first mark was taken is not owed.
        quiet.market.trade("ETHUSDT", "sell", "0.01")
    assert isinstance(errors.until(lambda event: True).error, SilentTopic)
    until(lambda: "ethusdt@trade" in quiet.subscriptions())
    quiet.market.trade("ETHUSDT", "sell", "0.1")
    assert dead.get(LIMIT).symbol == "ETH-USDT"
    assert questions("/api/v3/trades") == 0
    assert [event.where for event in errors.told] == ["trade.ETH-USDT"]
    assert (calm[0].pending, calm[1].pending) == (0, 0)
