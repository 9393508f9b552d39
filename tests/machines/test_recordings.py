"""The local book on what Binance really sent, against books worked out with plain dictionaries."""

from __future__ import annotations

import gzip
import hashlib
import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from exconn_sync._machines.local_book import LocalBook
from exconn_sync.model.book_view import BookView, Level
from exconn_sync.model.enums import BookState
from exconn_sync.model.market import BookDiff, BookSnapshot, Row
from exconn_sync.model.numbers import plain_text
from tests.data import data_path
from tests.machines.make import judge

RECORDINGS = ["btcusdt_20240808", "nkn_blz_lrc_rune_20211012"]


def lines_of(recording: str) -> Iterator[tuple[int, str, Any]]:
    """Yield line number, symbol and body of each depth message; a REST answer names its symbol in the URL only."""
    with gzip.open(data_path("recordings", "binance_spot", f"{recording}.jsonl.gz"), "rt") as file:
        for text in file:
            line = json.loads(text)
            if "/api/v3/depth" in line.get("url", ""):
                yield line["n"], line["url"].split("symbol=")[1].split("&")[0], json.loads(line["raw"])
            elif '"depthUpdate"' in line["raw"]:
                body = json.loads(line["raw"])["data"]
                yield line["n"], body["s"], body


def rows_of(rows: list[list[str]]) -> list[Row]:
    return [(price, quantity) for price, quantity in rows]


def feed(book: LocalBook, body: Any) -> None:
    if "lastUpdateId" in body:
        bids, asks = rows_of(body["bids"]), rows_of(body["asks"])
        book.on_snapshot(BookSnapshot("binance", book.symbol, body["lastUpdateId"], bids, asks, 0), 0)
    else:
        bids, asks = rows_of(body["b"]), rows_of(body["a"])
        book.on_diff(BookDiff("binance", book.symbol, body["U"], body["u"], bids, asks, body["E"], 0), 0)


def digest(view: BookView) -> str:
    text = ["bids\n", *map(_line, view.bids), "asks\n", *map(_line, view.asks)]
    return hashlib.sha256("".join(text).encode()).hexdigest()


def _line(level: Level) -> str:
    return f"{plain_text(level[0])}:{plain_text(level[1])}\n"


def compare(view: BookView, expected: Any) -> None:
    for levels, top in ((view.bids, expected["bids_top20"]), (view.asks, expected["asks_top20"])):
        assert list(levels[:20]) == [(Decimal(price), Decimal(quantity)) for price, quantity in top]
    assert (len(view.bids), len(view.asks)) == (expected["bid_count"], expected["ask_count"])
    assert digest(view) == expected["sha256_full"]


@pytest.mark.parametrize("recording", RECORDINGS)
def test_the_book_equals_the_expected_one_at_every_checkpoint(recording: str) -> None:
    with data_path("recordings", "expected_books", f"binance_spot__{recording}.json").open() as file:
        expected = json.load(file)["books"]
    checkpoints = {
        name: {point["update_id"]: point for point in each["checkpoints"]} for name, each in expected.items()
    }
    books = {name: LocalBook("binance", name, judge) for name in expected}
    compared = 0
    for _, symbol, body in lines_of(recording):
        book = books[symbol]
        feed(book, body)
        if book.state is BookState.LIVE and (point := checkpoints[symbol].pop(book.update_id, None)):
            compare(book.view(0), point)
            compared += 1
    assert compared >= 13
    for name, book in books.items():
        assert book.state is BookState.LIVE
        assert book.update_id == expected[name]["final_update_id"]
        # Only the state of the snapshot itself may have been passed over, where a buffered diff was applied with it.
        assert set(checkpoints[name]) <= {expected[name]["snapshot_last_update_id"]}
