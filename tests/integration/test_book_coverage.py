"""A book that is deeper than its snapshots, through a connector (fault F056)."""

from __future__ import annotations

import threading
from decimal import Decimal

import pytest

from exconn_sync import BookView, StaleBook
from exconn_sync._live import market_side
from exconn_sync.simulator import Simulator
from tests.integration.conftest import LIMIT, Connect

LEVELS = 8
BTC = "BTC-USDT"


@pytest.fixture(autouse=True)
def shallow(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have snapshots asked for that show a few levels only."""
    monkeypatch.setattr(market_side, "_SNAPSHOT_LEVELS", LEVELS)


def snapshots(simulator: Simulator) -> int:
    return sum(request.path == "/api/v3/depth" for request in simulator.request_log())


def test_nothing_is_shown_that_may_have_a_hole_and_more_is_fetched_in_time(quiet: Simulator, connect: Connect) -> None:
    """(fault F056)"""
    for step in range(1, 30):
        quiet.market.quote("BTCUSDT", "buy", 60000 - step, "1")
    connector = connect(quiet)
    books = connector.stream_order_book("BTC-USDT", depth=100)
    first = books.get(LIMIT)
    assert [int(price) for price, _ in first.bids] == list(range(60000, 59992, -1))
    assert (first.has_all_bids, first.has_all_asks) == (False, True), "one ask is all that there is"
    quiet.market.quote("BTCUSDT", "buy", 59980, "7")
    assert books.get(LIMIT).bids == first.bids, "59,992 to 59,981 are not known"
    seen: list[BookView] = []
    for _ in range(10):
        # Each takes the best level away.
        quiet.market.trade("BTCUSDT", "sell", "1")
        seen.append(books.get(LIMIT))
    while connector.order_book("BTC-USDT").covered_bids < LEVELS - 2:
        quiet.market.quote("BTCUSDT", "sell", 60010, "1")
        seen.append(books.get(LIMIT))
    for view in seen:
        if not view.covered_bids:
            continue
        best = int(view.bids[0][0])
        assert [int(price) for price, _ in view.bids] == list(range(best, best - len(view.bids), -1)), "no hole"
    ids = [view.update_id for view in seen]
    assert ids == sorted(set(ids)), "no step back"
    assert snapshots(quiet) >= 2
    last = connector.order_book("BTC-USDT")
    assert last.bids[0] == (Decimal(59990), Decimal(1))


def test_the_top_of_a_book_is_that_of_its_newest_version(quiet: Simulator, connect: Connect) -> None:
    connector = connect(quiet)
    with pytest.raises(StaleBook, match=r"not subscribed yet|no snapshot yet"):
        connector.top_of_book(BTC)
    books = connector.stream_order_book(BTC)
    view = books.get(LIMIT)
    top = connector.top_of_book("btcusdt")
    assert ((top.bid_price, top.bid_quantity), (top.ask_price, top.ask_quantity)) == (view.best_bid, view.best_ask)
    assert (top.update_id, top.exchange, top.symbol) == (view.update_id, "binance", BTC)
    quiet.market.clear("BTCUSDT")
    view = books.get(LIMIT)
    top = connector.top_of_book(BTC)
    assert (top.bid_price, top.bid_quantity, top.ask_price, top.ask_quantity) == (None, None, None, None)
    assert top.update_id == view.update_id
    lost = threading.Event()
    connector.on_connection(lambda event: None if event.is_up else lost.set())
    with quiet.faults.refuse_connections():
        quiet.faults.drop_connections("stream")
        assert lost.wait(LIMIT)
        with pytest.raises(StaleBook, match="book is stale"):
            connector.top_of_book(BTC)


def test_one_wish_is_enough_however_often_a_book_is_read(quiet: Simulator, connect: Connect) -> None:
    """Reading costs no look through the wishes of all subscribers."""
    connector = connect(quiet)
    for _ in range(3):
        connector.order_book(BTC)
        connector.order_book("BTCUSDT")
    wishes = connector._core.interests._wishes
    assert [wish.symbol for wish in wishes] == [BTC]
