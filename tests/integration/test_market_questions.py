"""Questions about market data, asked over real sockets."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from exconn_sync import Connector, Kline, ValidationError
from exconn_sync.simulator import Simulator
from tests.integration.conftest import LIMIT, Connect

SECOND = 1_000_000_000


def test_a_ping_takes_some_time(quiet: Simulator, connect: Connect) -> None:
    assert 0 < connect(quiet).ping() < LIMIT


def test_candles_follow_each_other_and_only_the_last_is_open(quiet: Simulator, connect: Connect) -> None:
    connector = connect(quiet)
    quiet.market.trade("BTCUSDT", "buy", "0.25")

    def closed() -> list[Kline]:
        found = connector.fetch_klines("BTC-USDT", "1s", limit=5)
        return found if len(found) > 2 and any(kline.volume for kline in found[:-1]) else []

    limit, pause = time.monotonic() + LIMIT, threading.Event()
    while not (klines := closed()):
        assert time.monotonic() < limit
        pause.wait(0.1)
    assert all(kline.is_closed for kline in klines[:-1])
    for earlier, later in itertools.pairwise(klines):
        assert later.open_time == earlier.open_time + SECOND
        assert earlier.close_time < later.open_time
    traded = next(kline for kline in klines if kline.volume)
    assert (traded.symbol, traded.interval, traded.close, traded.taker_buy_volume) == (
        "BTC-USDT", "1s", Decimal(60010), Decimal("0.25"),
    )  # fmt: skip
    second = klines[1].open_time
    for bounds in ({"start": second, "limit": 1}, {"start": second, "end": second}):
        (kline,) = connector.fetch_klines("BTC-USDT", "1s", **bounds)
        assert kline.open_time == second


def test_a_day_that_has_not_ended_is_not_closed(quiet: Simulator, connect: Connect) -> None:
    (day,) = connect(quiet).fetch_klines("BTC-USDT", "1d", limit=1)
    assert not day.is_closed


def test_tickers_of_one_symbol_of_some_and_of_all(quiet: Simulator, connect: Connect) -> None:
    connector = connect(quiet)
    quiet.market.trade("BTCUSDT", "buy", "0.25")
    ticker = connector.fetch_ticker("BTC/USDT")
    assert (ticker.symbol, ticker.window, ticker.last, ticker.volume) == (
        "BTC-USDT", "24h", Decimal(60010), Decimal("0.25"),
    )  # fmt: skip
    assert (ticker.bid_price, ticker.trade_count) == (Decimal(60000), 1)
    assert set(connector.fetch_tickers(["BTC-USDT", "ETHUSDT"])) == {"BTC-USDT", "ETH-USDT"}
    assert set(connector.fetch_tickers()) == set(connector.fetch_book_tickers()) == {"BTC-USDT", "ETH-USDT", "BNB-BTC"}
    best = connector.fetch_book_ticker("BTC-USDT")
    assert (best.bid_price, best.bid_quantity, best.ask_price, best.ask_quantity) == (
        Decimal(60000), Decimal(1), Decimal(60010), Decimal("0.75"),
    )  # fmt: skip
    assert best.update_id == 0


BAD: list[tuple[str, Callable[[Connector], Any]]] = [
    ("limit", lambda connector: connector.fetch_klines("BTC-USDT", "1m", 1001)),
    ("limit", lambda connector: connector.fetch_aggregate_trades("BTC-USDT", 0)),
    ("limit", lambda connector: connector.fetch_trades("BTC-USDT", True)),
    ("interval", lambda connector: connector.fetch_klines("BTC-USDT", "7m")),
    ("start", lambda connector: connector.fetch_klines("BTC-USDT", "1m", start=1_700_000_000_000)),
    ("start", lambda connector: connector.fetch_klines("BTC-USDT", "1m", start=1.7e18)),  # type: ignore[arg-type]
    ("end", lambda connector: connector.fetch_klines("BTC-USDT", "1m", end=2**63)),
    ("start", lambda connector: connector.fetch_aggregate_trades("BTC-USDT", start=2 * 10**18, end=10**18)),
    ("from_id", lambda connector: connector.fetch_aggregate_trades("BTC-USDT", from_id=1, start=10**18)),
    ("from_id", lambda connector: connector.fetch_trades("BTC-USDT", from_id="1&x=2")),
    ("from_id", lambda connector: connector.fetch_trades("BTC-USDT", from_id=-1)),
    ("window", lambda connector: connector.fetch_ticker("BTC-USDT", window="61m")),
    ("window", lambda connector: connector.fetch_ticker("BTC-USDT", window=None)),  # type: ignore[arg-type]
    ("symbol", lambda connector: connector.fetch_ticker("NO-SUCH")),
    ("symbols", lambda connector: connector.fetch_tickers("BTC-USDT")),
    ("symbols", lambda connector: connector.fetch_tickers([])),
    ("symbols", lambda connector: connector.fetch_tickers(window="1h")),
    ("symbols", lambda connector: connector.fetch_book_tickers(["BTC-USDT", "BTCUSDT"])),
]


def test_bad_questions_are_told_before_anything_is_sent(quiet: Simulator, connect: Connect) -> None:
    """(fault F180)"""
    connector = connect(quiet)
    for field, ask in BAD:
        with pytest.raises(ValidationError) as caught:
            ask(connector)
        assert (caught.value.field, caught.value.outcome) == (field, "not_sent")
