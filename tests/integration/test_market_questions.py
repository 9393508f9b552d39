"""Questions about market data, asked over real sockets."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from exconn_sync import Connector, Kline, OrderRequest, Side, ValidationError
from exconn_sync.simulator import DEFAULT_SYMBOLS, UNICODE_SYMBOL, Simulator
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


def test_trades_and_aggregates_are_read_page_by_page(quiet: Simulator, connect: Connect) -> None:
    connector = connect(quiet)
    for _ in range(5):
        quiet.market.trade("BTCUSDT", "sell", "0.1")
    assert [trade.trade_id for trade in connector.fetch_trades("BTC-USDT", 2)] == ["4", "5"]
    assert [trade.trade_id for trade in connector.fetch_trades("BTC-USDT", 2, from_id=2)] == ["2", "3"]
    pages: list[str] = []
    following: int | None = 1
    while following is not None:
        rows = connector.fetch_aggregate_trades("BTC-USDT", 2, from_id=following)
        pages += [row.trade_id for row in rows]
        following = int(rows[-1].trade_id) + 1 if rows else None
    assert pages == ["1", "2", "3", "4", "5"]
    first = connector.fetch_aggregate_trades("BTC-USDT")[0]
    assert (first.side, first.quantity, first.first_trade_id, first.last_trade_id) == (
        Side.SELL, Decimal("0.1"), "1", "1",
    )  # fmt: skip
    assert first.exchange_time is not None
    (again,) = connector.fetch_aggregate_trades("BTC-USDT", 1, start=first.exchange_time)
    assert again.trade_id == first.trade_id
    assert connector.fetch_aggregate_trades("BTC-USDT", end=first.exchange_time - 1_000_000) == []


def test_the_average_price_and_windows_of_any_length(quiet: Simulator, connect: Connect) -> None:
    connector = connect(quiet)
    quiet.market.trade("BTCUSDT", "sell", "0.75")
    quiet.market.trade("BTCUSDT", "buy", "0.25")
    average = connector.fetch_average_price("BTC-USDT")
    assert (average.price, average.minutes, average.symbol) == (Decimal("60002.5"), 5, "BTC-USDT")
    for window in ("1m", "23h", "7d", "day"):
        ticker = connector.fetch_ticker("BTC-USDT", window=window)
        assert (ticker.window, ticker.trade_count, ticker.average_price) == (window, 2, Decimal("60002.5"))
    several = connector.fetch_tickers(["BTC-USDT", "BNB-BTC"], window="4h")
    assert several["BNB-BTC"].trade_count == 0
    assert several["BNB-BTC"].first_trade_id is None


def test_what_only_one_exchange_has_is_asked_for_by_path(quiet: Simulator, connect: Connect) -> None:
    connector = connect(quiet)
    quiet.market.set_price_range("BTCUSDT", bid_up="1.05")
    rules = connector.request("GET", "/api/v3/executionRules", {"symbol": "BTCUSDT"})
    assert rules["symbolRules"][0]["rules"] == [{"ruleType": "PRICE_RANGE", "bidLimitMultUp": "1.05"}]
    candles = connector.request("GET", "/api/v3/uiKlines", {"symbol": "BTCUSDT", "interval": "1d", "timeZone": "8"})
    assert (candles[-1][0] + 8 * 3_600_000) % 86_400_000 == 0


def test_a_symbol_beyond_ascii_is_traded_like_any_other(connect: Connect) -> None:
    with Simulator(running_market=False, symbols=(*DEFAULT_SYMBOLS, UNICODE_SYMBOL)) as exchange:
        connector = connect(exchange)
        trades = connector.stream_trades("测试币/USDT")
        books = connector.stream_order_book("测试币USDT")
        assert books.get(LIMIT).symbol == "测试币-USDT"
        order = connector.place_order(OrderRequest.market("测试币-USDT", "buy", "10"))
        assert order.wait(timeout=LIMIT)
        assert (order.symbol, order.status, order.filled_quantity) == ("测试币-USDT", "filled", Decimal(10))
        assert trades.get(LIMIT).symbol == "测试币-USDT"
        assert connector.fetch_ticker("测试币-USDT", window="1h").volume == Decimal(10)
        assert set(connector.fetch_tickers(["测试币-USDT", "BTC-USDT"])) == {"测试币-USDT", "BTC-USDT"}
        assert connector.fetch_fills("测试币USDT")[0].fee_asset == "测试币"
        assert "测试币" in connector.balances


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
