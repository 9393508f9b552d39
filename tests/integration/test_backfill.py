"""Cuts in streams of trades and candles, through a connector: nothing comes twice or is missing without a word."""

from __future__ import annotations

import itertools
import queue
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import msgspec
import pytest

from exconn_sync import Connector, DataGap, Trade
from exconn_sync._machines.gap_fill import CandleRule
from exconn_sync.config.settings import MarketStreams
from exconn_sync.metrics import MemoryMetrics
from exconn_sync.simulator import Simulator
from tests.integration.conftest import LIMIT, Connect
from tests.quiet import quiet_exchange
from tests.unit.support import until

BTC = "BTC-USDT"


@pytest.fixture
def still() -> Iterator[Simulator]:
    """Bybit where nothing moves by itself."""
    with quiet_exchange("bybit") as simulator:
        yield simulator


@contextmanager
def cut(simulator: Simulator, connector: Connector) -> Iterator[None]:
    """Cut the market connection; when this ends it comes back, and everything is subscribed again."""
    events: queue.Queue[Any] = queue.Queue()
    heard = connector.on_connection(events.put)
    with simulator.faults.refuse_connections():
        simulator.faults.drop_connections("stream")
        _await(events, lambda event: event.connection == "market" and not event.is_up)
        yield
    _await(events, lambda event: event.connection == "market" and event.is_up)
    assert connector.stream_ready.wait(LIMIT)
    heard.stop()


def _await(events: queue.Queue[Any], is_it: Callable[[Any], bool]) -> None:
    while not is_it(events.get(timeout=LIMIT)):
        pass


def trade(simulator: Simulator, count: int) -> None:
    for _ in range(count):
        simulator.market.trade("BTCUSDT", "buy", "0.001")


def questions(simulator: Simulator, path: str) -> int:
    return sum(request.path == path for request in simulator.request_log())


def test_trades_of_a_cut_come_before_those_after_it(quiet: Simulator, connect: Connect) -> None:
    connector = connect(quiet)
    gaps: list[DataGap] = []
    connector.on_data_gap(gaps.append)
    trades = connector.stream_trades(BTC)
    sums = connector.stream_aggregate_trades(BTC)
    assert connector.stream_ready.wait(LIMIT)
    trade(quiet, 2)
    seen: list[Trade] = [trades.get(LIMIT), trades.get(LIMIT)]
    numbers = [sums.get(LIMIT), sums.get(LIMIT)]
    with cut(quiet, connector):
        trade(quiet, 25)
    trade(quiet, 2)
    seen += [trades.get(LIMIT) for _ in range(27)]
    numbers += [sums.get(LIMIT) for _ in range(27)]
    for found in (seen, numbers):
        ids = [int(each.trade_id) for each in found]
        assert ids == list(range(ids[0], ids[0] + 29))
        assert [each.is_backfilled for each in found] == [False] * 2 + [True] * 25 + [False] * 2
    assert (gaps, trades.pending, sums.pending) == ([], 0, 0)
    assert {each.symbol for each in seen} == {BTC}


def test_a_topic_without_news_is_caught_up_too(quiet: Simulator, connect: Connect) -> None:
    """Nothing comes over the stream after the cut, and what happened during it is told all the same."""
    connector = connect(quiet)
    trades = connector.stream_trades(BTC)
    assert connector.stream_ready.wait(LIMIT)
    trade(quiet, 1)
    first = int(trades.get(LIMIT).trade_id)
    with cut(quiet, connector):
        trade(quiet, 3)
    found = [trades.get(LIMIT) for _ in range(3)]
    assert [(int(each.trade_id) - first, each.is_backfilled) for each in found] == [(1, True), (2, True), (3, True)]
    trade(quiet, 1)
    last = trades.get(LIMIT)
    assert (int(last.trade_id) - first, last.is_backfilled) == (4, False)


def test_who_does_not_want_it_is_given_the_stream_alone(quiet: Simulator, connect: Connect) -> None:
    connector = connect(quiet, market_streams=MarketStreams(backfill=False))
    trades = connector.stream_trades(BTC)
    assert connector.stream_ready.wait(LIMIT)
    trade(quiet, 1)
    first = int(trades.get(LIMIT).trade_id)
    with cut(quiet, connector):
        trade(quiet, 3)
    trade(quiet, 1)
    assert int(trades.get(LIMIT).trade_id) == first + 4
    assert questions(quiet, "/api/v3/historicalTrades") == 0


def test_rest_that_does_not_answer_holds_up_nobody_for_long(quiet: Simulator, connect: Connect) -> None:
    connector = connect(quiet, market_streams=MarketStreams(backfill_limit=1.0))
    gaps: queue.Queue[DataGap] = queue.Queue()
    connector.on_data_gap(gaps.put, symbol=BTC)
    trades = connector.stream_trades(BTC)
    assert connector.stream_ready.wait(LIMIT)
    trade(quiet, 1)
    first = int(trades.get(LIMIT).trade_id)
    quiet.faults.answer("GET", "/api/v3/historicalTrades", 503, "{}", count=100)
    with cut(quiet, connector):
        trade(quiet, 3)
    trade(quiet, 1)
    assert int(trades.get(LIMIT).trade_id) == first + 4
    gap = gaps.get(timeout=LIMIT)
    assert (gap.channel, gap.after, gap.before) == ("trade", str(first), str(first + 4))
    assert isinstance(connector.metrics, MemoryMetrics)
    assert [value for name, value in connector.metrics.counts().items() if "stream.gaps" in name] == [1]


def test_candles_go_on_over_a_cut_and_each_is_closed_once(lively: Simulator, connect: Connect) -> None:
    """Of two seconds and more, so that whole candles of a second are missed."""
    connector = connect(lively)
    gaps: list[DataGap] = []
    connector.on_data_gap(gaps.append)
    candles = connector.stream_klines(BTC, "1s")
    found = [candles.get(LIMIT)]
    before = found[0].open_time
    with cut(lively, connector):
        # Some whole candles, by the exchange's own clock.
        until(lambda: connector.fetch_klines(BTC, "1s", 1)[0].open_time >= before + 4 * 10**9)
    while not (found[-1].is_closed and found[-1].open_time >= before + 6 * 10**9 and not found[-1].is_backfilled):
        found.append(candles.get(LIMIT))
    opened = [each.open_time for each in found]
    assert opened == sorted(opened)
    closed = [each.open_time for each in found if each.is_closed]
    assert closed == list(range(closed[0], closed[0] + len(closed) * 10**9, 10**9)), "each once, none left out"
    assert closed[0] == before
    assert any(each.is_backfilled for each in found)
    assert all(each.is_closed for each in found if each.is_backfilled)
    assert gaps == []


@pytest.mark.parametrize("missed", [20, 100])
def test_bybit_tells_what_its_newest_trades_do_not_reach(missed: int, still: Simulator, connect: Connect) -> None:
    """It shows the newest 60 only, and its ids have holes: more than those is a gap that is told."""
    connector = connect(still)
    gaps: queue.Queue[DataGap] = queue.Queue()
    connector.on_data_gap(gaps.put)
    trades = connector.stream_trades(BTC)
    assert connector.stream_ready.wait(LIMIT)
    trade(still, 1)
    seen = [trades.get(LIMIT)]
    with cut(still, connector):
        trade(still, missed)
    filled = min(missed, 60)
    seen += [trades.get(LIMIT) for _ in range(filled)]
    trade(still, 1)
    seen.append(trades.get(LIMIT))
    ids = [int(each.trade_id) for each in seen]
    assert ids == sorted(set(ids))
    assert [each.is_backfilled for each in seen] == [False] + [True] * filled + [False]
    if missed > 60:
        gap = gaps.get(timeout=LIMIT)
        assert (gap.after, gap.before, gap.exchange) == (seen[0].trade_id, seen[1].trade_id, "bybit")
    assert gaps.empty()


@pytest.mark.parametrize("exchange", ["binance", "bybit"])
def test_candles_of_every_length_follow_each_other_without_a_hole(exchange: str, connect: Connect) -> None:
    """Else none would ever be seen to lack nothing."""
    with Simulator(exchange) as simulator:
        connector = connect(simulator)
        for interval in connector.capabilities.streams["kline"]:
            if "@" in interval:
                continue
            rows = connector.fetch_klines(BTC, interval, 5)
            closed = [msgspec.structs.replace(row, is_closed=True) for row in rows]
            rule = CandleRule()
            assert all(rule.is_next(*pair) for pair in itertools.pairwise(closed)), interval
            assert not any(rule.is_next(*pair) for pair in zip(closed, closed[2:], strict=False)), interval


@pytest.mark.parametrize("exchange", ["binance", "bybit"])
def test_candles_of_the_stream_begin_and_end_as_those_of_rest(exchange: str, connect: Connect) -> None:
    """Both are told apart by their beginnings, and joined where one ends and the next one begins."""
    with Simulator(exchange) as simulator:
        connector = connect(simulator)
        live = connector.stream_klines(BTC, "1m").get(LIMIT)
        rows = {row.open_time: row for row in connector.fetch_klines(BTC, "1m", 3)}
        assert rows[live.open_time].close_time == live.close_time
        assert (live.is_backfilled, rows[live.open_time].is_backfilled) == (False, False)
