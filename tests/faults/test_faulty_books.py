"""Order books whose changes come in another order, whose snapshots are late, crossed, or not the whole book."""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal

import pytest

from exconn_sync import BookState, Connector, StaleBook
from exconn_sync._machines.local_book import LocalBook
from exconn_sync.metrics import MemoryMetrics
from exconn_sync.simulator import Simulator
from tests.faults.conftest import LIMIT, Connect, Errors
from tests.simulator.clients import eventually

DEPTH = ("GET", "/api/v3/depth")
DIFFS = {"binance": "btcusdt@depth@100ms", "bybit": "orderbook.200.BTCUSDT"}


@pytest.fixture(params=["binance", "bybit"])
def moving(request: pytest.FixtureRequest) -> Iterator[Simulator]:
    """An exchange with a moving market."""
    with Simulator(request.param) as exchange:
        yield exchange


def live(connector: Connector) -> None:
    eventually(lambda: connector.order_book("BTC-USDT").is_valid)


def true_book(exchange: Simulator, connector: Connector) -> None:
    """Stop the market and wait until the book is the exchange's."""
    exchange.market.pause()
    _, bids, asks = exchange.market.order_book("BTCUSDT", 50)

    def is_true() -> bool:
        view = connector.order_book("BTC-USDT", depth=50)
        if not view.is_valid:
            return False
        return (list(view.bids), list(view.asks)) == ([tuple(row) for row in bids], [tuple(row) for row in asks])

    eventually(is_true)


def lost(metrics: MemoryMetrics) -> int:
    return sum(count for key, count in metrics.counts().items() if key.startswith("book.lost"))


def test_changes_in_another_order_are_a_gap(moving: Simulator, connect: Connect) -> None:
    """The later one is not applied, nor the older one after it (fault F050)."""
    metrics = MemoryMetrics()
    connector = connect(moving, metrics=metrics)
    books = connector.stream_order_book("BTC-USDT")
    live(connector)
    # Beyond what the first snapshot holds: a change of before may come in any order.
    for _ in range(4):
        books.get(LIMIT)
    moving.faults.swap_frames(DIFFS[moving.exchange])
    eventually(lambda: lost(metrics) >= 1)
    live(connector)
    last = books.get(LIMIT)
    for _ in range(10):
        view = books.get(LIMIT)
        assert view.update_id > last.update_id
        last = view
    true_book(moving, connector)


def test_a_snapshot_that_takes_longer_than_its_changes_fit(
    lively: Simulator, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is buffered meanwhile stays within its bound; the book is read once a snapshot joins up (fault F055)."""
    monkeypatch.setattr(LocalBook.__init__, "__defaults__", (5, None))
    connector = connect(lively)
    with lively.faults.answer_late(*DEPTH, 1.5):
        connector.stream_order_book("BTC-USDT")
        eventually(lambda: bool(connector._core.assembly.books.entries))
        (entry,) = connector._core.assembly.books.entries.values()
        full: list[int] = []

        def buffered() -> int:
            full.append(len(entry.book._buffer))
            return full[-1]

        eventually(lambda: buffered() == 5)
        eventually(lambda: buffered() < 5)
        assert not connector.order_book("BTC-USDT").is_valid
    live(connector)
    assert max(full) <= 5
    true_book(lively, connector)


def test_a_book_that_is_deeper_than_its_snapshot(quiet: Simulator, connect: Connect) -> None:
    """A level that the snapshot did not reach may go without having been there (fault F056)."""
    metrics = MemoryMetrics()
    for step in range(1, 1101):
        quiet.market.quote("BTCUSDT", "sell", 60_010 + step, "0.01")
    connector = connect(quiet, metrics=metrics)
    errors = Errors(connector)
    connector.stream_order_book("BTC-USDT", depth=None)
    live(connector)
    (entry,) = connector._core.assembly.books.entries.values()
    _, _, truth = quiet.market.order_book("BTCUSDT")
    assert len(truth) == 1101
    view = connector.order_book("BTC-USDT")
    assert list(view.asks) == [tuple(level) for level in truth[:1000]]
    assert (view.has_all_bids, view.has_all_asks) == (True, False)
    before = entry.book.update_id
    quiet.market.quote("BTCUSDT", "sell", 61_100, "0.5")
    eventually(lambda: entry.book.update_id > before)
    view = connector.order_book("BTC-USDT")
    _, _, truth = quiet.market.order_book("BTCUSDT")
    assert view.covered_asks >= 1000
    assert list(view.asks)[: view.covered_asks] == [tuple(level) for level in truth[: view.covered_asks]]
    # What lies between was never told, unless another snapshot has come: the view says where it ends.
    assert Decimal(61_100) in dict(view.asks)
    quiet.market.clear("BTCUSDT")
    eventually(lambda: entry.book.update_id == quiet.market.order_book("BTCUSDT")[0])
    live(connector)
    assert connector.order_book("BTC-USDT").asks == ()
    assert errors.told == []


def cross(exchange: Simulator, connector: Connector) -> None:
    """Send a change that puts a bid above the best ask, as where a removal was dropped; then the book moves on."""
    update_id = connector.order_book("BTC-USDT").update_id
    data = {
        "e": "depthUpdate", "E": 1795000000000, "s": "BTCUSDT", "U": update_id + 1, "u": update_id + 1,
        "b": [["60020.00000000", "1.00000000"]], "a": [],
    }  # fmt: skip
    exchange.faults.send_raw(json.dumps({"stream": DIFFS["binance"], "data": data}))
    for price in (59_000, 59_001):
        exchange.market.quote("BTCUSDT", "buy", price, "0.01")


def test_a_crossed_book_is_not_shown_and_asked_for_anew(quiet: Simulator, connect: Connect) -> None:
    """(fault F059)"""
    metrics = MemoryMetrics()
    connector = connect(quiet, metrics=metrics)
    books = connector.stream_order_book("BTC-USDT")
    live(connector)
    with quiet.faults.answer_late(*DEPTH, 0.5):
        cross(quiet, connector)
        eventually(lambda: lost(metrics) == 1)
        view = connector.order_book("BTC-USDT")
        assert (view.is_valid, view.state) == (False, BookState.BROKEN)
        with pytest.raises(StaleBook):
            _ = view.best_bid
    true_book(quiet, connector)
    while books.pending:
        assert books.get(LIMIT).best_bid == (Decimal(60_000), Decimal(1))


def test_an_exchange_that_is_crossed_for_long_is_asked_with_pauses(quiet: Simulator, connect: Connect) -> None:
    """Each snapshot is good, and soon a change crosses it again (fault F059)."""
    connector = connect(quiet)
    connector.stream_order_book("BTC-USDT")
    live(connector)
    (entry,) = connector._core.assembly.books.entries.values()
    for loss in range(1, 4):
        cross(quiet, connector)
        eventually(lambda loss=loss: entry.renewals.attempts == loss)  # type: ignore[misc]
        live(connector)
    assert entry.renewals.ceiling() == 2.0, "each loss lets the next snapshot wait longer"
    # The exchange's own snapshots are crossed as well: none is shown, and the first good one is.
    update_id, _, _ = quiet.market.order_book("BTCUSDT")
    crossed = {"lastUpdateId": update_id, "bids": [["60020", "1"]], "asks": [["60010", "1"]]}
    quiet.faults.answer(*DEPTH, 200, json.dumps(crossed), count=2)
    other = connect(quiet)
    books = other.stream_order_book("BTC-USDT")
    for price in (59_002, 59_003):
        quiet.market.quote("BTCUSDT", "buy", price, "0.01")
    assert books.get(LIMIT).best_bid == (Decimal(60_000), Decimal(1))
    assert quiet._board.take_answer(DEPTH) is None, "both crossed ones came before"
    true_book(quiet, other)
