"""Real and converted frames of Bybit, decoded and kept as a book, against books worked out with plain dictionaries."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from typing import Any

import pytest

from exconn_sync._machines.local_book import LocalBook
from exconn_sync.exchanges.bybit.driver import DRIVER
from exconn_sync.model.enums import BookState, Channel
from exconn_sync.model.market import BookSnapshot, Trade
from exconn_sync.model.wire import Pong, Topic
from tests.data import data_path
from tests.exchanges.bybit.support import RECEIVED_AT, decoded
from tests.machines.test_recordings import compare

RECORDINGS = [
    ("bybit_v5_spot", "btcusdt_ob50_two_frames_20241108.jsonl", 2),
    ("bybit_v5_spot_converted", "btcusdt_ob50.jsonl.gz", 10),
]
BOOK = Topic(Channel.ORDER_BOOK, "BTC-USDT", "50")
TRADE = Topic(Channel.TRADE, "BTC-USDT")


def frames_of(folder: str, file: str) -> Iterator[bytes]:
    path = data_path("recordings", folder, file)
    with gzip.open(path, "rt") if file.endswith(".gz") else path.open() as lines:
        for line in lines:
            yield json.loads(line)["raw"].encode()


@pytest.mark.parametrize(("folder", "file", "least"), RECORDINGS)
def test_the_book_equals_the_expected_one_at_every_checkpoint(folder: str, file: str, least: int) -> None:
    name = file.partition(".")[0]
    with data_path("recordings", "expected_books", f"{folder}__{name}.json").open() as expected_file:
        (expected,) = json.load(expected_file)["books"].values()
    checkpoints: dict[int, Any] = {point["update_id"]: point for point in expected["checkpoints"]}
    book = LocalBook("bybit", "BTC-USDT", DRIVER.judge_diff)
    decode, compared = DRIVER.decoder(BOOK), 0
    for frame in frames_of(folder, file):
        if DRIVER.topic_of_frame(frame) != "orderbook.50.BTCUSDT":
            continue
        for event in decoded(decode, frame):
            if isinstance(event, BookSnapshot):
                book.on_stream_snapshot(event, 0)
            else:
                book.on_diff(event, 0)
        assert book.state is BookState.LIVE, book.reason
        if (point := checkpoints.pop(book.update_id, None)) is not None:
            compare(book.view(0), point)
            compared += 1
    assert compared >= least
    assert checkpoints == {}


def test_real_trades_and_pongs_are_read() -> None:
    found: list[Any] = []
    for frame in frames_of(*RECORDINGS[0][:2]):
        topic = DRIVER.topic_of_frame(frame)
        if topic == "publicTrade.BTCUSDT":
            DRIVER.decoder(TRADE)(frame, RECEIVED_AT, found.append)
        elif topic is None:
            found.append(DRIVER.parse_control(frame))
    assert [type(each) for each in found] == [Trade, Pong]


def test_ids_of_converted_trades_only_grow() -> None:
    span = DRIVER.span(TRADE)
    assert span is not None
    numbers = [
        span(event)[0]
        for frame in frames_of(*RECORDINGS[1][:2])
        if DRIVER.topic_of_frame(frame) == "publicTrade.BTCUSDT"
        for event in decoded(DRIVER.decoder(TRADE), frame)
    ]
    assert len(numbers) > 1000
    assert numbers == sorted(set(numbers))
