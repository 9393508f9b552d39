"""A connector whose journal was rotated goes on as if nothing had left it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from exconn_sync import Connector, OrderRequest
from exconn_sync.metrics import MemoryMetrics
from exconn_sync.model.account import Fact
from exconn_sync.model.carried import Archived, Carried
from exconn_sync.model.enums import OrderStatus
from exconn_sync.persistence import SqliteJournal
from exconn_sync.persistence.archive import texts
from exconn_sync.persistence.sqlite_file import JournalFile
from exconn_sync.simulator import Simulator
from tests.integration.conftest import LIMIT, quick
from tests.unit.store.make import intent

AGE = 100_000.0
TAKING = OrderRequest.limit("BTC-USDT", "buy", "0.01", "60010")
LONG_AGO_NS = int(3 * AGE * 1e9)


def replayed(path: Path) -> list[Fact]:
    journal = SqliteJournal(path)
    facts = list(journal.replay())
    journal.close()
    return facts


def aged(fact: Any) -> Fact:
    """Return a fact as of some days ago."""
    times = {name: getattr(fact, name, None) for name in ("received_at", "exchange_time", "created_at")}
    aged: Fact = replace(fact, **{name: each - LONG_AGO_NS for name, each in times.items() if each is not None})
    return aged


def make_old(path: Path) -> None:
    """Let the journal be some days old, with many orders that were refused then."""
    facts: list[Fact] = [aged(fact) for fact in replayed(path)]
    for number in range(550):
        asked = intent(f"old-{number}")
        facts += [asked, replace(asked, status=OrderStatus.REJECTED, reason="refused")]
    file = JournalFile(path)
    file.rewrite(texts(facts))
    file.close()


def test_positions_and_fills_outlive_the_records_of_their_orders(quiet: Simulator, tmp_path: Path) -> None:
    """What is archived is neither lost from a position nor told or counted again (faults F096, F149)."""
    path = tmp_path / "j.db"
    config = quick(quiet.config(), journal=f"sqlite:{path}")
    told: list[str] = []
    with Connector(config) as first:
        first.on_fill(lambda fill: told.append(fill.trade_id))
        first.wait_ready(LIMIT)
        for _ in range(3):
            assert first.place_order(TAKING).wait("filled", LIMIT)
        left_open = first.place_order(OrderRequest.limit("BTC-USDT", "buy", "0.01", "50000", client_order_id="open"))
    before = first.positions["BTC-USDT"]
    assert len(told) == 3
    make_old(path)
    second = Connector(replace(config, archive_after=AGE))
    second.on_fill(lambda fill: told.append(fill.trade_id))
    with second:
        second.wait_ready(LIMIT)
        assert path.with_name("j.db.archive-1").exists()
        assert isinstance(second.metrics, MemoryMetrics)
        assert second.metrics.counts()["journal.archived{exchange=binance}"] == 1
        (archived,) = (fact for fact in replayed_while_open(second) if isinstance(fact, Archived))
        assert archived.archives == 1
        found = second.orders.open()
        assert [state.client_order_id for state in found] == [left_open.client_order_id]
        assert second.orders.get("old-7") is None, "it is in the archive now"
        assert len(second.fetch_fills("BTC-USDT")) == 3, "the exchange has them, and says so"
        assert second.place_order(TAKING).wait("filled", LIMIT)
        quantity = second.positions["BTC-USDT"].quantity
        second.cancel_order("open")
    assert (before.quantity, quantity) == (before.quantity, before.quantity / 3 * 4)
    assert second.positions["BTC-USDT"].average_price == before.average_price
    assert len(told) == len(set(told)) == 4
    third = Connector(config)
    third.on_fill(lambda fill: told.append(fill.trade_id))
    with third:
        third.wait_ready(LIMIT)
        assert third.positions["BTC-USDT"] == second.positions["BTC-USDT"]
    assert len(told) == 4


def replayed_while_open(connector: Connector) -> list[Fact]:
    return list(connector._core.holder.journal.replay())


def test_the_same_connector_takes_up_a_file_that_another_one_rotated(quiet: Simulator, tmp_path: Path) -> None:
    """It knows the fills already, from its former life, and counts none of them twice."""
    path = tmp_path / "j.db"
    config = quick(quiet.config(), journal=f"sqlite:{path}")
    first = Connector(config)
    with first:
        first.wait_ready(LIMIT)
        assert first.place_order(TAKING).wait("filled", LIMIT)
    before = first.positions["BTC-USDT"]
    make_old(path)
    with Connector(replace(config, archive_after=AGE)) as other:
        other.wait_ready(LIMIT)
    assert any(isinstance(fact, Carried) for fact in replayed(path))
    with first:
        first.wait_ready(LIMIT)
        assert first.positions["BTC-USDT"].quantity == before.quantity
