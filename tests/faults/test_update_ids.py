"""Update ids of books that make no sense."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest

from exconn_sync.metrics import MemoryMetrics
from exconn_sync.simulator import Simulator
from tests.faults.conftest import LIMIT, Connect, Errors, Ups, counted
from tests.integration.test_faults import wait_live
from tests.simulator.clients import eventually


def depth(first: object, last: object) -> str:
    """Return a change of the book, which takes a level away that it does not have."""
    data = {"e": "depthUpdate", "E": 1, "s": "BTCUSDT", "U": first, "u": last, "b": [["1.00000000", "0"]], "a": []}
    return json.dumps({"stream": "btcusdt@depth@100ms", "data": data}, separators=(",", ":"))


@pytest.mark.parametrize(
    ("first", "last", "what"),
    [
        (0, 0, "refused"),
        (-5, -1, "refused"),
        (9, 8, "refused"),
        (1.5, 2, "refused"),
        (2**64, 2**64 + 1, "either"),
        (2**53 + 1, 2**53 + 2, "lost"),
        (1_000_000, 1_000_000, "lost"),
        (1, 1, "ignored"),
    ],
)
def test_ids_that_make_no_sense_touch_one_book_at_most(
    first: object, last: object, what: str, quiet: Simulator, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    """(fault F042)"""
    monkeypatch.setattr("exconn_sync._machines.local_book._MOST_TOO_OLD", 3)
    metrics = MemoryMetrics()
    connector = connect(quiet, credentials=None, metrics=metrics)
    ups, errors = Ups(connector), Errors(connector)
    books = connector.stream_order_book("BTC-USDT")
    neighbour = connector.stream_order_book("ETH-USDT")
    wait_live(connector, books)
    wait_live(connector, neighbour, "ETH-USDT")
    quiet.faults.send_raw(depth(first, last))
    if what == "lost":
        eventually(lambda: counted(metrics, "book.lost") == 1)
    elif what == "refused":
        errors.until(lambda event: event.where == "orderbook.BTC-USDT")
    elif what == "either":
        eventually(lambda: bool(errors.told) or counted(metrics, "book.lost") == 1)
    eventually(lambda: connector.order_book("BTC-USDT").is_valid)
    quiet.market.quote("BTCUSDT", "buy", 60001, 1)
    while (view := wait_live(connector, books)).best_bid != (Decimal(60001), Decimal(1)):
        books.get(LIMIT)
    assert view.update_id == quiet.market.order_book("BTCUSDT")[0]
    lost = {key for key in metrics.counts() if key.startswith("book.lost")}
    assert lost <= {"book.lost{exchange=binance,symbol=BTC-USDT}"}
    assert counted(metrics, "book.lost") <= 1
    assert connector.order_book("ETH-USDT").is_valid
    assert ups.told == []
