"""A book that is deeper than its snapshots, through a connector (fault F056)."""

from __future__ import annotations

from decimal import Decimal

import pytest

from exconn_sync import BookView
from exconn_sync._live import market_side
from exconn_sync.simulator import Simulator
from tests.integration.conftest import LIMIT, Connect

LEVELS = 8


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
    books = connector.stream_order_book("BTC-USDT", depth=None)
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
    while len(connector.order_book("BTC-USDT").bids) < LEVELS - 2:
        quiet.market.quote("BTCUSDT", "sell", 60010, "1")
        seen.append(books.get(LIMIT))
    for view in seen:
        best = int(view.bids[0][0])
        assert [int(price) for price, _ in view.bids] == list(range(best, best - len(view.bids), -1)), "no hole"
    ids = [view.update_id for view in seen]
    assert ids == sorted(set(ids)), "no step back"
    assert snapshots(quiet) >= 2
    last = connector.order_book("BTC-USDT")
    assert last.bids[0] == (Decimal(59990), Decimal(1))
