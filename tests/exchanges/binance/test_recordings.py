"""Hours of real frames, decoded to the last one."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from typing import Any

from exconn_sync.exchanges.binance.driver import DRIVER
from exconn_sync.model.enums import Channel
from exconn_sync.model.instrument import Instrument
from exconn_sync.model.market import AggregateTrade, BookDiff, BookTicker, MarketEvent, Trade
from exconn_sync.model.market_statistics import Kline
from exconn_sync.model.wire import Topic
from tests.data import read_json, recorded_lines
from tests.exchanges.binance.support import BTCUSDT, response

TOPICS = {
    "depth@100ms": (Channel.ORDER_BOOK, ""),
    "bookTicker": (Channel.BOOK_TICKER, ""),
    "aggTrade": (Channel.AGGREGATE_TRADE, ""),
    "kline_1m": (Channel.KLINE, "1m"),
}


def test_every_frame_of_the_btcusdt_recording_is_decoded() -> None:
    channels = (Channel.TRADE, Channel.BOOK_TICKER, Channel.ORDER_BOOK)
    topics = {DRIVER.topic_name(Topic(channel, "BTC-USDT"), BTCUSDT): channel for channel in channels}
    decoders = {name: DRIVER.decoder(Topic(channel, "BTC-USDT")) for name, channel in topics.items()}
    found: Counter[str] = Counter()
    events: list[MarketEvent] = []
    for line in recorded_lines("recordings", "binance_spot", "btcusdt_20240808.jsonl.gz"):
        frame = line["raw"].encode()
        if line["via"] == "rest":
            found["snapshot"] += len(DRIVER.fetch_order_book(BTCUSDT, 1000).parse(response(frame)).bids) == 1000
            continue
        name = DRIVER.topic_of_frame(frame)
        assert name is not None
        decoders[name](frame, line["recv_ns"], events.append)
        found[name] += 1
    assert found == {
        "btcusdt@depth@100ms": 3_451, "btcusdt@bookTicker": 28_040, "btcusdt@trade": 9_757, "snapshot": 1,
    }  # fmt: skip
    assert sum(found.values()) == 41_249
    assert Counter(type(event) for event in events) == {BookDiff: 3_451, BookTicker: 28_040, Trade: 9_757}


def test_the_sequence_rule_keeps_a_book_over_the_whole_btcusdt_recording() -> None:
    expected = read_json("recordings", "expected_books", "binance_spot__btcusdt_20240808.json")["books"]["BTCUSDT"]
    decode = DRIVER.decoder(Topic(Channel.ORDER_BOOK, "BTC-USDT"))
    diffs: list[Any] = []
    bids: dict[str, str] = {}
    book_id = 0
    for line in recorded_lines("recordings", "binance_spot", "btcusdt_20240808.jsonl.gz"):
        frame = line["raw"].encode()
        if line["via"] == "rest":
            snapshot = DRIVER.fetch_order_book(BTCUSDT, 1000).parse(response(frame))
            book_id, bids = snapshot.update_id, dict(snapshot.bids)
        elif DRIVER.topic_of_frame(frame) == "btcusdt@depth@100ms":
            decode(frame, line["recv_ns"], diffs.append)
    verdicts: Counter[str] = Counter()
    for diff in diffs:
        verdict = DRIVER.judge_diff(book_id, diff)
        verdicts[verdict] += 1
        if verdict == "apply":
            book_id = diff.last_update_id
            bids.update(diff.bids)
    assert verdicts == {"ignore": expected["diffs_dropped_as_old"], "apply": expected["updates_applied"]}
    assert book_id == expected["final_update_id"]
    best = sorted(((price, size) for price, size in bids.items() if Decimal(size)), key=lambda row: -Decimal(row[0]))
    assert [list(row) for row in best[:20]] == expected["checkpoints"][-1]["bids_top20"]


def test_frames_of_2021_are_decoded() -> None:
    events: list[MarketEvent] = []
    for line in recorded_lines("recordings", "binance_spot", "nkn_blz_lrc_rune_20211012.jsonl.gz"):
        if line["via"] == "rest":
            continue
        name = DRIVER.topic_of_frame(line["raw"].encode())
        assert name is not None
        symbol, _, stream = name.partition("@")
        topic = Topic(TOPICS[stream][0], symbol, TOPICS[stream][1])
        assert DRIVER.topic_name(topic, Instrument("binance", symbol, symbol.upper(), "", "")) == name
        DRIVER.decoder(topic)(line["raw"].encode(), line["recv_ns"], events.append)
    assert Counter(type(event) for event in events) == {BookDiff: 177, BookTicker: 84, AggregateTrade: 2, Kline: 2}
