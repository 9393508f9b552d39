"""The recording's real messages, made ready to be sent: as many as are wanted, framed, with numbers that go on.

A recording ends after some minutes, so it is sent again and again. Whatever counts goes on counting in each pass; a
book is led back to the snapshot by one more change before each further pass.
"""

from __future__ import annotations

import gzip
import json
import os
import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import count as counting
from itertools import islice
from pathlib import Path
from typing import Any

DATA = Path(os.environ.get("EXCONN_TEST_DATA") or Path(__file__).resolve().parents[3] / "shared" / "data")
SYMBOL = "BTCUSDT"
_BINANCE = "binance_spot/btcusdt_20240808.jsonl.gz"
_BYBIT = "bybit_v5_spot_converted/btcusdt_ob50.jsonl.gz"
_TRADE_ID = re.compile(r'"t":(\d+),')
_BYBIT_TRADE_ID = re.compile(r'"i":"(\d+)"')
_BOOK_IDS = re.compile(r'"U":(\d+),"u":(\d+)')
_BYBIT_BOOK_ID = re.compile(r'"u":(\d+)')


def frame_of(text: str) -> bytes:
    """Return a text message of a server as its frame."""
    data = text.encode()
    size = len(data)
    if size < 126:
        return bytes((0x81, size)) + data
    if size < 65536:
        return bytes((0x81, 126)) + size.to_bytes(2, "big") + data
    return bytes((0x81, 127)) + size.to_bytes(8, "big") + data


@lru_cache
def _lines(name: str) -> list[dict[str, Any]]:
    with gzip.open(DATA / "recordings" / name, "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def _of(name: str, mark: str) -> list[str]:
    return [line["raw"] for line in _lines(name) if mark in line["raw"][:60]]


def depth_snapshot() -> str:
    """Return the recorded answer with 1,000 levels a side, numbered to join the first change that is sent."""
    snapshot = next(line["raw"] for line in _lines(_BINANCE) if line["raw"].startswith('{"lastUpdateId"'))
    return str(snapshot)


def trades(exchange: str, symbol: str = SYMBOL) -> Iterator[str]:
    """Return trades without an end, each with an id of its own."""
    if exchange == "bybit":
        texts, pattern = _of(_BYBIT, '"publicTrade.'), _BYBIT_TRADE_ID
    else:
        texts, pattern = _of(_BINANCE, "@trade"), _TRADE_ID
    if symbol != SYMBOL:
        texts = [text.replace(SYMBOL, symbol).replace(SYMBOL.lower(), symbol.lower()) for text in texts]
    parts = [(text[: found.start(1)], text[found.end(1) :]) for text in texts if (found := pattern.search(text))]
    numbers = counting(3_735_683_259)
    while True:
        for before, after in parts:
            yield f"{before}{next(numbers)}{after}"


def trade_parts(exchange: str, symbol: str = SYMBOL) -> tuple[str, str]:
    """Return one trade without its id, into which a time of sending is put."""
    text = next(trades(exchange)).replace(SYMBOL, symbol).replace(SYMBOL.lower(), symbol.lower())
    found = (_BYBIT_TRADE_ID if exchange == "bybit" else _TRADE_ID).search(text)
    assert found is not None
    return text[: found.start(1)], text[found.end(1) :]


def book_changes(exchange: str) -> Iterator[str]:
    """Return changes of a book without an end, in sequence; for Bybit its snapshot comes first."""
    return _bybit_book() if exchange == "bybit" else _binance_book()


def _binance_book() -> Iterator[str]:
    snapshot = json.loads(depth_snapshot())
    at = int(snapshot["lastUpdateId"])
    texts = _of(_BINANCE, "@depth")
    last = re.compile(r'"u":(\d+)')
    texts = [text for text in texts if int(last.search(text).group(1)) > at]  # type: ignore[union-attr]
    head = texts[0][: texts[0].index('"U":')]
    back = _way_back(
        snapshot["bids"], snapshot["asks"], ((w["data"]["b"], w["data"]["a"]) for w in map(json.loads, texts))
    )
    last_id = at
    while True:
        for text in texts:
            found = _BOOK_IDS.search(text)
            assert found is not None
            first, last_id = last_id + 1, last_id + 1 + int(found.group(2)) - int(found.group(1))
            yield f'{text[: found.start()]}"U":{first},"u":{last_id}{text[found.end() :]}'
        last_id += 1
        yield f'{head}"U":{last_id},"u":{last_id},"b":{_compact(back[0])},"a":{_compact(back[1])}}}}}'


def _bybit_book() -> Iterator[str]:
    texts = _of(_BYBIT, '"orderbook.50.')
    first = json.loads(texts[0])["data"]
    update_id = int(first["u"])
    yield texts[0]
    deltas = texts[1:]
    back = _way_back(
        first["b"], first["a"], ((wire["data"]["b"], wire["data"]["a"]) for wire in map(json.loads, deltas))
    )
    head = deltas[0][: deltas[0].index('"b":')]
    while True:
        for text in deltas:
            update_id += 1
            found = _BYBIT_BOOK_ID.search(text)
            assert found is not None
            yield f"{text[: found.start(1)]}{update_id}{text[found.end(1) :]}"
        update_id += 1
        rows = f'"b":{_compact(back[0])},"a":{_compact(back[1])}'
        yield f'{head}{rows},"u":{update_id},"seq":{update_id}}},"cts":1723161255508}}'


_Rows = Iterable[list[str]]


def _way_back(
    bids: _Rows, asks: _Rows, changes: Iterable[tuple[_Rows, _Rows]]
) -> tuple[list[list[str]], list[list[str]]]:
    """Return the rows that lead from the end of the changes to the snapshot before them."""
    begin: list[dict[str, str]] = [{row[0]: row[1] for row in rows} for rows in (bids, asks)]
    touched: list[dict[str, None]] = [{}, {}]
    for change in changes:
        for side, rows in enumerate(change):
            touched[side].update(dict.fromkeys(price for price, _ in rows))
    zero = "0.00000000" if "." in next(iter(begin[0].values())) else "0"
    found = [[[price, begin[side].get(price, zero)] for price in touched[side]] for side in (0, 1)]
    return found[0], found[1]


def _compact(rows: list[list[str]]) -> str:
    return json.dumps(rows, separators=(",", ":"))


def framed(texts: Iterator[str], count: int) -> list[bytes]:
    """Return so many messages as frames, joined to pieces of about 256 KiB."""
    pieces: list[bytes] = []
    piece: list[bytes] = []
    size = 0
    for text in islice(texts, count):
        frame = frame_of(text)
        piece.append(frame)
        size += len(frame)
        if size >= 1 << 18:
            pieces.append(b"".join(piece))
            piece, size = [], 0
    return [*pieces, b"".join(piece)]
