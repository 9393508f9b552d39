"""Recordings replayed over sockets give exactly the expected books."""

from __future__ import annotations

import hashlib
import json
import threading
from decimal import Decimal
from typing import Any

import pytest

from exconn_sync import AggregateTrade, BookView, Connector, ErrorEvent, Kline
from exconn_sync.metrics import MemoryMetrics
from exconn_sync.model.numbers import plain_text
from exconn_sync.simulator import Simulator
from tests.data import data_path, read_json, recorded_lines
from tests.integration.conftest import LIMIT, quick

RECORDINGS = ["btcusdt_20240808", "nkn_blz_lrc_rune_20211012"]
FOLDER = ("recordings", "binance_spot")


def text_of(view: BookView) -> str:
    """Return the whole book in the form whose hash the expectations hold."""
    lines = ["bids"]
    lines += [f"{plain_text(price)}:{plain_text(quantity)}" for price, quantity in view.bids]
    lines.append("asks")
    lines += [f"{plain_text(price)}:{plain_text(quantity)}" for price, quantity in view.asks]
    return "\n".join(lines) + "\n"


class Collector:
    """Keeps the views at the update ids of the expectations, and knows when the last one came."""

    def __init__(self, wanted: set[int]) -> None:
        self.views: dict[int, BookView] = {}
        self.ids: list[int] = []
        self.finished = threading.Event()
        self._wanted = wanted

    def __call__(self, view: BookView) -> None:
        self.ids.append(view.update_id)
        if view.update_id in self._wanted:
            self.views[view.update_id] = view
        if view.update_id >= max(self._wanted):
            self.finished.set()


@pytest.mark.parametrize("recording", RECORDINGS)
def test_the_local_book_equals_every_expected_state(recording: str) -> None:
    path = data_path(*FOLDER, f"{recording}.jsonl.gz")
    expected = read_json("recordings", "expected_books", f"binance_spot__{recording}.json")["books"]
    collectors = {
        symbol: Collector({point["update_id"] for point in book["checkpoints"]}) for symbol, book in expected.items()
    }
    with Simulator.replay(path) as simulator:
        connector = Connector(quick(simulator.config()))
        for symbol, collector in collectors.items():
            connector.on_order_book(symbol, collector, depth=None, buffer=100_000, overflow="block")
        with connector:
            for symbol, collector in collectors.items():
                assert collector.finished.wait(6 * LIMIT), f"{symbol} stopped at {collector.ids[-1:]}"
    for symbol, book in expected.items():
        check(book, collectors[symbol])


def check(book: dict[str, Any], collector: Collector) -> None:
    assert len(collector.ids) == book["updates_applied"] + 1, "every version is shown once"
    assert collector.ids == sorted(collector.ids)
    for point in book["checkpoints"]:
        view = collector.views[point["update_id"]]
        assert (len(view.bids), len(view.asks)) == (point["bid_count"], point["ask_count"])
        for levels, wanted in ((view.bids, point["bids_top20"]), (view.asks, point["asks_top20"])):
            assert list(levels[:20]) == [(Decimal(price), Decimal(size)) for price, size in wanted]
        assert hashlib.sha256(text_of(view).encode()).hexdigest() == point["sha256_full"]


def test_trades_and_tickers_of_a_recording_arrive_whole_and_in_order() -> None:
    path = data_path(*FOLDER, "btcusdt_20240808.jsonl.gz")
    trades: list[int] = []
    tickers: list[int] = []
    with Simulator.replay(path) as simulator:
        connector = Connector(quick(simulator.config()))
        connector.on_trade("BTC-USDT", lambda t: trades.append(int(t.trade_id)), buffer=100_000, overflow="block")
        done = threading.Event()

        def on_ticker(ticker: Any) -> None:
            tickers.append(ticker.update_id)
            if len(tickers) == 28_040:
                done.set()

        subscription = connector.on_book_ticker("BTC-USDT", on_ticker, buffer=100_000, overflow="block")
        with connector:
            assert done.wait(6 * LIMIT)
            assert subscription.dropped == 0
    # The recording holds 9,757 trades; the callback's thread has delivered all of them before stop returned.
    assert len(trades) == 9_757
    assert trades == sorted(set(trades))
    assert tickers == sorted(tickers)


def test_candles_and_aggregates_of_a_recording_arrive_whole_and_without_a_warning() -> None:
    path = data_path(*FOLDER, "nkn_blz_lrc_rune_20211012.jsonl.gz")
    with Simulator.replay(path) as simulator:
        connector = Connector(quick(simulator.config()))
        errors: list[ErrorEvent] = []
        connector.on_error(errors.append)
        streams: list[Any] = []
        for line in recorded_lines(*FOLDER, "nkn_blz_lrc_rune_20211012.jsonl.gz"):
            symbol, _, stream = json.loads(line["raw"]).get("stream", "").partition("@")
            if stream == "aggTrade":
                streams.append((connector.stream_aggregate_trades(symbol.upper()), line))
            elif stream == "kline_1m":
                streams.append((connector.stream_klines(symbol.upper(), "1m"), line))
        with connector:
            found = [
                (subscription.get(timeout=LIMIT), json.loads(line["raw"])["data"]) for subscription, line in streams
            ]
        assert errors == []
        assert isinstance(connector.metrics, MemoryMetrics)
        assert not [name for name in connector.metrics.counts() if "errors" in name or "unrecognized" in name]
    kinds = [type(event) for event, _ in found]
    assert (kinds.count(AggregateTrade), kinds.count(Kline)) == (2, 2)
    for event, data in found:
        if isinstance(event, Kline):
            candle = data["k"]
            assert (f"{event.open:.8f}", f"{event.high:.8f}", f"{event.low:.8f}") == (
                candle["o"],
                candle["h"],
                candle["l"],
            )
            assert (f"{event.close:.8f}", f"{event.volume:.8f}") == (candle["c"], candle["v"])
            assert (event.open_time, event.trade_count) == (candle["t"] * 10**6, candle["n"])
        else:
            assert (f"{event.price:.8f}", f"{event.quantity:.8f}") == (data["p"], data["q"])
            assert (event.trade_id, event.exchange_time) == (str(data["a"]), data["T"] * 10**6)
