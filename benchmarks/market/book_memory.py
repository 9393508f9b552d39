"""What a book takes: ``python -m benchmarks.market.book_memory exconn_sync|python_binance`` prints KiB a further book.

1,000 levels a side from the recorded snapshot, then 500 recorded changes; what five books take beyond the first.
"""

from __future__ import annotations

import json
import sys
import tracemalloc
from collections.abc import Callable
from itertools import islice
from typing import Any

from benchmarks.market import recorded

_BOOKS, _CHANGES = 5, 500


def ours() -> Callable[[str, list[bytes]], Any]:
    """Return what makes a book of exconn_sync."""
    from exconn_sync._machines.local_book import LocalBook
    from exconn_sync.model.enums import Channel
    from exconn_sync.model.market import BookSnapshot
    from exconn_sync.model.wire import Topic
    from exconn_sync.ports.registry import find_driver

    driver = find_driver("binance")
    decode = driver.decoder(Topic(Channel.ORDER_BOOK, "BTC-USDT"), microseconds=False)

    def make(snapshot: str, changes: list[bytes]) -> LocalBook:
        wire = json.loads(snapshot)
        bids, asks = ([(price, quantity) for price, quantity in wire[side]] for side in ("bids", "asks"))
        book = LocalBook("binance", "BTC-USDT", driver.judge_diff)
        book.on_snapshot(BookSnapshot("binance", "BTC-USDT", wire["lastUpdateId"], bids, asks, 0), 0)
        diffs: list[Any] = []
        for change in changes:
            decode(change, 0, diffs.append)
            book.on_diff(diffs.pop(), 0)
        assert book.top()[0] is not None
        return book

    return make


def python_binance() -> Callable[[str, list[bytes]], Any]:
    """Return what makes a depth cache of python-binance."""
    from binance.ws.depthcache import DepthCache

    def make(snapshot: str, changes: list[bytes]) -> Any:
        book = DepthCache("BTCUSDT")
        wires = [json.loads(snapshot), *(json.loads(change)["data"] for change in changes)]
        for wire in wires:
            for row in wire.get("bids") or wire.get("b") or []:
                book.add_bid(row)
            for row in wire.get("asks") or wire.get("a") or []:
                book.add_ask(row)
        return book

    return make


def main() -> None:
    """Print the figure."""
    make = {"exconn_sync": ours, "python_binance": python_binance}[sys.argv[1]]()
    snapshot = recorded.depth_snapshot()
    changes = [text.encode() for text in islice(recorded.book_changes("binance"), _CHANGES)]
    tracemalloc.start()
    books = [make(snapshot, changes)]
    before = tracemalloc.get_traced_memory()[0]
    books += [make(snapshot, changes) for _ in range(_BOOKS)]
    sys.stdout.write(f"{(tracemalloc.get_traced_memory()[0] - before) / _BOOKS / 1024:.1f}\n")
    assert len(books) == _BOOKS + 1


if __name__ == "__main__":
    main()
