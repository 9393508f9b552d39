"""Candles, tickers, aggregates, average prices and partial books, from the exchange to the user's loop and callback."""

from __future__ import annotations

import queue
import time
from decimal import Decimal
from typing import Any

import pytest

from exconn_sync import AggregateTrade, Config, Connector, Kline, PartialBook, Ticker
from exconn_sync.config.settings import Delivery, MarketStreams
from exconn_sync.simulator import Simulator
from tests.integration.conftest import LIMIT, Connect
from tests.unit.support import until

DAY_NS = 86_400 * 10**9


def streams(simulator: Simulator) -> list[str]:
    """Return the streams of public data that the exchange sends."""
    return [name for name in simulator.subscriptions() if name != "userDataStream"]


def first(subscription: Any, wanted: Any = lambda event: True) -> Any:
    """Return the first event that is wanted."""
    deadline = time.monotonic() + LIMIT
    while not wanted(event := subscription.get(timeout=LIMIT)):
        assert time.monotonic() < deadline, f"not what was wanted: {event}"
    return event


def test_an_aggregate_sums_up_the_trades_of_one_taker(quiet: Simulator, connect: Connect) -> None:
    connector = connect(quiet)
    trades, aggregates = connector.stream_trades("BTC-USDT"), connector.stream_aggregate_trades("BTC-USDT")
    assert connector.stream_ready.wait(LIMIT)
    quiet.market.quote("BTCUSDT", "sell", 60010, 2)
    quiet.market.trade("BTCUSDT", "buy", "2.5")
    one, two = trades.get(timeout=LIMIT), trades.get(timeout=LIMIT)
    whole = aggregates.get(timeout=LIMIT)
    assert isinstance(whole, AggregateTrade)
    assert (whole.first_trade_id, whole.last_trade_id) == (one.trade_id, two.trade_id)
    assert (whole.price, whole.quantity, whole.side) == (one.price, one.quantity + two.quantity, one.side)


def test_candles_grow_and_end(quiet: Simulator, connect: Connect) -> None:
    connector = connect(quiet)
    candles = connector.stream_klines("BTC-USDT", "1s")
    assert connector.stream_ready.wait(LIMIT)
    quiet.market.trade("BTCUSDT", "buy", "0.25")
    ended = first(candles, lambda candle: candle.is_closed)
    assert isinstance(ended, Kline)
    assert (ended.interval, ended.close_time) == ("1s", ended.open_time + 999_000_000)
    following = first(candles)
    assert (following.open_time, following.is_closed) == (ended.open_time + 10**9, False)


def test_candles_may_begin_at_another_time_of_day(quiet: Simulator, connect: Connect) -> None:
    connector = connect(quiet)
    here = connector.stream_klines("BTC-USDT", "1d", utc_offset="+08:00")
    utc = connector.stream_klines("BTC-USDT", "1d")
    assert first(here).open_time % DAY_NS == 16 * 3600 * 10**9
    assert first(utc).open_time % DAY_NS == 0


@pytest.mark.parametrize("window", ["24h", "1h", "4h", "1d"])
def test_tickers_tell_of_their_window(window: str, quiet: Simulator, connect: Connect) -> None:
    connector = connect(quiet)
    tickers = connector.stream_ticker("BTC-USDT", window=window)
    quiet.market.trade("BTCUSDT", "buy", "0.25")
    ticker = first(tickers, lambda ticker: ticker.volume)
    assert isinstance(ticker, Ticker)
    assert (ticker.window, ticker.last, ticker.volume, ticker.trade_count) == (
        window, Decimal(60010), Decimal("0.25"), 1,
    )  # fmt: skip
    assert ticker.close_time is not None
    assert ticker.open_time is not None
    length = {"24h": 24, "1h": 1, "4h": 4, "1d": 24}[window] * 3600 * 10**9
    assert length <= ticker.close_time - ticker.open_time < length + 60 * 10**9
    assert (ticker.bid_price == Decimal(60000)) is (window == "24h")


def test_short_tickers_and_average_prices(quiet: Simulator, connect: Connect) -> None:
    connector = connect(quiet)
    tickers, averages = connector.stream_mini_ticker("BTC-USDT"), connector.stream_average_price("BTC-USDT")
    quiet.market.trade("BTCUSDT", "buy", "0.25")
    ticker = first(tickers, lambda ticker: ticker.volume)
    assert (ticker.last, ticker.bid_price) == (Decimal(60010), None)
    average = first(averages, lambda average: average.price == 60010)
    assert average.minutes == 5
    assert average.last_trade_time <= average.exchange_time


def test_partial_books_are_whole_each_time(lively: Simulator, connect: Connect) -> None:
    connector = connect(lively)
    books = connector.stream_partial_book("BTC-USDT", levels=5)
    slow = connector.stream_partial_book("BTC-USDT", levels=10, interval_ms=1000)
    book = first(books)
    assert isinstance(book, PartialBook)
    assert (len(book.bids), len(book.asks)) == (5, 5)
    assert book.best_bid is not None
    assert book.best_ask is not None
    assert book.best_bid[0] < book.best_ask[0]
    assert list(book.bids) == sorted(book.bids, reverse=True)
    assert len(first(slow).bids) == 10
    assert streams(lively) == ["btcusdt@depth10", "btcusdt@depth5@100ms"]


def test_a_pattern_asks_for_its_variant_and_a_wide_one_hears_of_all(quiet: Simulator, connect: Connect) -> None:
    connector = connect(quiet)
    heard: queue.Queue[Kline] = queue.Queue()
    everything: queue.Queue[Kline] = queue.Queue()
    connector.subscribe("kline.binance.*", everything.put)
    end = connector.subscribe("kline.binance.BTCUSDT.1s", heard.put)
    connector.subscribe("kline.binance.BTC-USDT", lambda candle: None)
    until(lambda: streams(quiet) == ["btcusdt@kline_1m", "btcusdt@kline_1s"])
    assert heard.get(timeout=LIMIT).interval == "1s"
    intervals: set[str] = set()
    while intervals != {"1s", "1m"}:
        intervals.add(everything.get(timeout=LIMIT).interval)
    end()
    until(lambda: streams(quiet) == ["btcusdt@kline_1m"])
    while not heard.empty():
        assert heard.get_nowait().interval == "1s"


def test_conflation_keeps_the_newest_of_each_interval(quiet: Simulator, connect: Connect) -> None:
    """Else a slow reader of all candles would never see the long ones."""
    connector = connect(quiet, delivery=Delivery(overflow="conflate"))
    klines, tickers = connector.stream_klines("BTC-USDT", "1s"), connector.stream_ticker("BTC-USDT")
    key = klines._mailbox._key
    candle, ticker = first(klines), first(tickers)
    assert key(candle) == ("BTC-USDT", "1s")
    assert key(ticker) == ("BTC-USDT", "24h")
    assert key(connector.stream_mini_ticker("BTC-USDT").get(timeout=LIMIT)) == ("BTC-USDT", "24h")


def test_books_once_a_second(lively: Simulator, connect: Connect) -> None:
    connector = connect(lively, market_streams=MarketStreams(book_interval_ms=1000))
    books = connector.stream_order_book("BTC-USDT")
    before = first(books)
    assert before.is_valid
    assert streams(lively) == ["btcusdt@depth"]
    changed = first(books, lambda view: view.update_id > before.update_id)
    assert changed.is_valid
    connector.restart(Config(**{**vars(connector._core.config), "market_streams": MarketStreams()}))
    connector.wait_ready(LIMIT)
    until(lambda: streams(lively) == ["btcusdt@depth@100ms"])


def test_times_to_the_microsecond(lively: Simulator, connect: Connect) -> None:
    connector = connect(lively, market_streams=MarketStreams(microseconds=True))
    candles = connector.stream_klines("BTC-USDT", "1s")
    tickers, books = connector.stream_mini_ticker("BTC-USDT"), connector.stream_order_book("BTC-USDT")
    assert first(candles).close_time % 10**9 == 999_999_000
    times = [first(tickers).exchange_time for _ in range(2)] + [first(books, _has_time).exchange_time for _ in range(8)]
    assert all(abs(at - first(tickers).received_at) < 60 * 10**9 for at in times)
    assert any(at % 10**6 for at in times), "ten times in a row to the very millisecond"


def _has_time(view: Any) -> bool:
    return view.exchange_time is not None


def test_every_kind_goes_on_over_a_lost_connection(lively: Simulator, connect: Connect) -> None:
    """(fault F044)"""
    connector: Connector = connect(lively)
    all_kinds = [
        connector.stream_aggregate_trades("BTC-USDT"),
        connector.stream_klines("BTC-USDT", "1s"),
        connector.stream_ticker("BTC-USDT", window="1h"),
        connector.stream_mini_ticker("BTC-USDT"),
        connector.stream_average_price("BTC-USDT"),
        connector.stream_partial_book("BTC-USDT"),
    ]
    for each in all_kinds:
        first(each)
    before = streams(lively)
    lively.faults.drop_connections("stream")
    connector.wait_ready(LIMIT)
    dropped_at = max(first(each).received_at for each in all_kinds)
    for each in all_kinds:
        first(each, lambda event: event.received_at > dropped_at)
    assert streams(lively) == before
    assert len(before) == len(all_kinds)
