"""A journal in a file under a connector: found again, refused, full, without secrets, and each fill told once."""

from __future__ import annotations

import queue
import sqlite3
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from exconn_sync import (
    Connector,
    ErrorEvent,
    Fill,
    JournalCorrupt,
    JournalError,
    JournalInUse,
    OrderRequest,
    OutcomeUnknown,
)
from exconn_sync.config.settings import Timeouts
from exconn_sync.model.account import FillDelivery
from exconn_sync.persistence import MemoryJournal, SqliteJournal
from exconn_sync.simulator import Simulator
from tests.integration.conftest import LIMIT, Connect, quick
from tests.unit.support import until

RESTING = OrderRequest.limit("BTC-USDT", "buy", "0.5", "60005", client_order_id="kept")
TAKING = OrderRequest.limit("BTC-USDT", "buy", "0.001", "60010")


def path_of(folder: Path) -> str:
    return f"sqlite:{folder / 'j.db'}"


def replayed(folder: Path) -> list[Any]:
    journal = SqliteJournal(folder / "j.db")
    facts = list(journal.replay())
    journal.close()
    return facts


def test_the_next_connector_finds_its_orders_and_tells_each_fill_once(quiet: Simulator, tmp_path: Path) -> None:
    """What was filled meanwhile is told, what was told before is not (fault F149)."""
    config = quick(quiet.config(), journal=path_of(tmp_path))
    told: list[str] = []
    with Connector(config) as first:
        first.on_fill(lambda fill: told.append(fill.trade_id))
        first.wait_ready(LIMIT)
        order = first.place_order(RESTING)
        quiet.market.trade("BTCUSDT", "sell", "0.2")
        assert order.wait("partially_filled", timeout=LIMIT)
    assert len(told) == 1
    quiet.market.trade("BTCUSDT", "sell", "0.3")
    second = Connector(config)
    second.on_fill(lambda fill: told.append(fill.trade_id))
    assert second._core.store.orders() == [], "the file is opened at the start"
    with second:
        second.wait_ready(LIMIT)
        state = second.orders.get("kept")
        assert state is not None
        assert state.status == "filled"
        assert [fill.client_order_id for fill in second.fills()] == ["kept", "kept"]
    assert len(told) == len(set(told)) == 2
    for _ in range(2):
        third = Connector(config)
        third.on_fill(lambda fill: told.append(fill.trade_id))
        with third:
            third.wait_ready(LIMIT)
            assert len(third.fills()) == 2
    assert len(told) == 2


def test_it_is_open_from_start_to_stop(quiet: Simulator, connect: Connect, tmp_path: Path) -> None:
    """(fault F152)"""
    one = connect(quiet, journal=path_of(tmp_path))
    other = Connector(quick(quiet.config(), journal=path_of(tmp_path)))
    for _ in range(2):
        with pytest.raises(JournalInUse):
            other.start()
        assert other.state == "new"
    assert [report.name for report in one.workers()][:2] == ["binance-journal", "binance-store"]
    one.stop()
    other.start()
    with pytest.raises(JournalInUse):
        one.start()
    assert other.stop(LIMIT) == []
    one.start()
    one.wait_ready(LIMIT)
    placed = one.place_order(RESTING)
    one.restart()
    one.wait_ready(LIMIT)
    assert placed.status == "new"
    placed.cancel()


def test_another_journal_needs_another_connector(quiet: Simulator, connect: Connect, tmp_path: Path) -> None:
    connector = connect(quiet, journal=path_of(tmp_path))
    connector.restart(quick(quiet.config(), journal=path_of(tmp_path)))
    for choice in ("memory", path_of(tmp_path / "other")):
        with pytest.raises(ValueError, match="must stay the same"):
            connector.restart(quick(quiet.config(), journal=choice))


def test_a_damaged_one_ends_the_start_and_says_where(quiet: Simulator, tmp_path: Path) -> None:
    """(fault F151)"""
    config = quick(quiet.config(), journal=path_of(tmp_path))
    with Connector(config) as first:
        first.wait_ready(LIMIT)
        first.place_order(RESTING)
    with sqlite3.connect(tmp_path / "j.db") as connection:
        connection.execute("UPDATE record SET body = 'x' WHERE number = 2")
    connection.close()
    connector = Connector(config)
    with pytest.raises(JournalCorrupt, match="record 2: the checksum does not fit") as caught:
        connector.start()
    assert (caught.value.details["at"], connector.state) == (2, "new")
    assert connector.stop() == []


def test_an_intent_that_cannot_be_kept_is_not_sent_and_cancels_are(
    quiet: Simulator, connect: Connect, tmp_path: Path
) -> None:
    """The disk is full, and has room again later: then everything is in the journal (fault F150)."""
    connector = connect(quiet, start=False, journal=path_of(tmp_path))
    errors: queue.Queue[ErrorEvent] = queue.Queue()
    connector.on_error(errors.put)
    connector.start()
    connector.wait_ready(LIMIT)
    order = connector.place_order(RESTING)
    file: Any = connector._core.holder.journal
    file._file._execute("PRAGMA max_page_count=1")
    until(lambda: _is_refused(connector))
    before = len(quiet.accounts.orders())
    with pytest.raises(JournalError, match="disk is full") as caught:
        connector.place_order(TAKING)
    assert (caught.value.outcome, caught.value.retryable) == ("not_sent", True)
    assert len(quiet.accounts.orders()) == before
    order.cancel()
    assert order.status == "canceled"
    assert isinstance(errors.get(timeout=LIMIT).error, JournalError)
    until(lambda: connector._core.store.keeper.missed > 0)
    assert any("the journal has not taken" in reason for reason in connector.health().reasons)
    file._file._execute("PRAGMA max_page_count=1000000")
    connector.place_order(TAKING).wait(timeout=LIMIT)
    until(lambda: connector._core.store.keeper.missed == 0)
    assert not any("journal" in reason for reason in connector.health().reasons)
    known = [(state.client_order_id, state.status, state.filled_quantity) for state in connector._core.store.orders()]
    assert connector.stop(LIMIT) == []
    again = Connector(quick(quiet.config(), journal=path_of(tmp_path)))
    with again:
        found = [(state.client_order_id, state.status, state.filled_quantity) for state in again._core.store.orders()]
    assert sorted(found) == sorted(known)


def _is_refused(connector: Connector) -> bool:
    """Use up the room that the pages of the file still have."""
    try:
        connector.place_order(TAKING)
    except JournalError:
        return True
    return False


def test_a_fill_whose_callback_did_not_get_to_it_is_told_at_the_next_start(quiet: Simulator, tmp_path: Path) -> None:
    """The callback hangs in the first fill; the stop leaves it, and the second one, behind (faults F136, F149)."""
    config = quick(quiet.config(), journal=path_of(tmp_path), timeouts=Timeouts(stop=1.0))
    hangs, go_on = threading.Event(), threading.Event()
    begun: list[str] = []

    def hang(fill: Fill) -> None:
        begun.append(fill.trade_id)
        hangs.set()
        go_on.wait(LIMIT)

    first = Connector(config)
    first.on_fill(hang)
    quick_ones: list[str] = []
    first.on_fill(lambda fill: quick_ones.append(fill.trade_id))
    first.start()
    first.wait_ready(LIMIT)
    orders = [first.place_order(TAKING) for _ in range(2)]
    assert all(order.wait("filled", timeout=LIMIT) for order in orders)
    assert hangs.wait(LIMIT)
    until(lambda: len(quick_ones) == 2)
    assert first.stop() == ["exconn-dispatch-fill.binance.*"]
    go_on.set()
    assert [fact for fact in replayed(tmp_path) if isinstance(fact, FillDelivery)] == []
    told: list[str] = []
    second = Connector(config)
    second.on_fill(lambda fill: told.append(fill.trade_id))
    with second:
        until(lambda: len(told) == 2)
        second.wait_ready(LIMIT)
    assert told == quick_ones
    assert [fact.trade_id for fact in replayed(tmp_path) if isinstance(fact, FillDelivery)] == told


def test_a_fill_counts_as_told_however_it_is_taken(quiet: Simulator, tmp_path: Path) -> None:
    """By a callback that raises, a loop, a queue, or by nobody; one that was ended before is not waited for (F149)."""
    config = quick(quiet.config(), journal=path_of(tmp_path))
    own: queue.Queue[Any] = queue.Queue()
    with Connector(config) as connector:
        connector.wait_ready(LIMIT)
        connector.place_order(TAKING).wait(timeout=LIMIT)
        until(lambda: _notes(connector) == 1)
        failing = connector.on_fill(lambda fill: fill.no_such_field)  # type: ignore[attr-defined]
        connector.subscribe("*.*.*", lambda event: None)
        fills = connector.stream_fills()
        ended = connector.stream_fills()
        connector.stream_fills(queue=own)
        connector.place_order(TAKING).wait(timeout=LIMIT)
        assert isinstance(own.get(timeout=LIMIT), Fill)
        until(lambda: failing.errors == 1)
        ended.stop()
        assert _notes(connector) == 1, "the loop has not taken it"
        fills.get(LIMIT)
        until(lambda: _notes(connector) == 2)
    told: list[str] = []
    again = Connector(config)
    again.on_fill(lambda fill: told.append(fill.trade_id))
    with again:
        again.wait_ready(LIMIT)
    assert told == []


def _notes(connector: Connector) -> int:
    assert connector._core.store.desk.settle(LIMIT)
    journal: Any = connector._core.holder.journal
    return sum(isinstance(fact, FillDelivery) for fact in journal.replay())


def test_an_unfinished_write_is_cut_told_and_counted(quiet: Simulator, connect: Connect, tmp_path: Path) -> None:
    """(fault F151)"""
    journal = SqliteJournal(tmp_path / "old.db")
    journal.append(FillDelivery("binance", "BTC-USDT", "1", "1", 1))  # type: ignore[arg-type]
    for ending in ("", "-wal"):
        (tmp_path / f"j.db{ending}").write_bytes((tmp_path / f"old.db{ending}").read_bytes())
    journal.close()
    with (tmp_path / "j.db-wal").open("ab") as log:
        log.write(log.tell().to_bytes(8, "big"))
    connector = connect(quiet, start=False, journal=path_of(tmp_path))
    errors: queue.Queue[ErrorEvent] = queue.Queue()
    connector.on_error(errors.put)
    connector.start()
    event = errors.get(timeout=LIMIT)
    assert (event.where, event.error.code) == ("journal", "journal")  # type: ignore[attr-defined]
    assert "cut off" in str(event.error)
    connector.wait_ready(LIMIT)


def test_no_secret_is_in_its_files(quiet: Simulator, connect: Connect, tmp_path: Path) -> None:
    """Nor any signature or signed request, also not of commands that failed (fault F173, invariant I28)."""
    connector = connect(quiet, journal=path_of(tmp_path))
    connector.place_order(RESTING).cancel()
    quiet.faults.answer("POST", "/api/v3/order", 503, "<html>busy</html>")
    with pytest.raises(OutcomeUnknown):
        connector.place_order(TAKING, timeout=1.0)
    contents = b"".join(each.read_bytes() for each in tmp_path.iterdir())
    assert b"kept" in contents
    for secret in (quiet.api_key, quiet.api_secret, "signature", "apiKey", "listenKey", "X-MBX"):
        assert secret.encode() not in contents


def everything(connector: Connector) -> str:
    store = connector._core.store
    return repr([store.orders(), store.fills(), store.positions(), store.balances(), store.order_lists()])


def test_the_same_state_is_there_as_with_one_in_memory(quiet: Simulator, connect: Connect, tmp_path: Path) -> None:
    """Bit for bit (fault F149, invariant I8)."""

    class Both(MemoryJournal):
        """Writes to a file as well."""

        file = SqliteJournal(tmp_path / "j.db")

        def append(self, fact: Any) -> None:
            self.file.append(fact)
            super().append(fact)

    journal = Both()
    connector = connect(quiet, journal=journal)
    connector.place_order(RESTING)
    quiet.market.trade("BTCUSDT", "sell", "0.2")
    taken = connector.place_order(TAKING)
    assert taken.wait("filled", timeout=LIMIT)
    connector.stop()
    journal.file.close()
    one = Connector(replace(connector._core.config, journal=SqliteJournal(tmp_path / "j.db")))
    other = Connector(replace(connector._core.config, journal=journal))
    assert len(one._core.store.orders()) == 2
    assert everything(one) == everything(other)
    file: Any = one._core.holder.journal
    file.close()
