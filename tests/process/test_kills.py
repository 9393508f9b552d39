"""``kill -9`` at every fault point and at any moment: the next process loses nothing and doubles nothing (F149)."""

from __future__ import annotations

import ast
import os
import random
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

import exconn_sync
from exconn_sync._transport import limiter
from exconn_sync.exchanges.binance.driver import BinanceDriver
from exconn_sync.model.account import Fact
from exconn_sync.model.enums import OrderStatus
from exconn_sync.model.orders import OrderFact
from exconn_sync.persistence import SqliteJournal
from exconn_sync.persistence.archive import texts
from exconn_sync.persistence.sqlite_file import JournalFile
from exconn_sync.simulator import Simulator
from tests.process.killed import kill, lines, live_on
from tests.unit.store.make import balance, intent

IS_SOAK = os.environ.get("EXCONN_SOAK") == "1"
MOMENTS = 500 if IS_SOAK else 3

POINTS = {
    "order.before_intent": (1, 7), "order.after_intent": (2, 8), "order.before_answer": (2, 9),
    "rest.before_send": (2, 5), "rest.after_send": (3, 6),
    "stream.after_read": (4, 40), "stream.before_delivery": (1, 2),
    "journal.before_fact": (5, 21), "journal.after_fact": (4, 20),
    "journal.before_commit": (3, 17), "journal.after_commit": (5, 23), "journal.rewritten": (1, 1),
    "archive.before_name": (1, 1), "archive.after_name": (1, 1),
    "fill.before_note": (1, 6),
    "thread.begin": (2, 5), "worker.begin": (1, 4), "supervisor.turn": (1, 3),
    "stop.before_workers": (1, 1), "stop.after_workers": (1, 1), "stop.after_signal": (1, 1),
}  # fmt: skip
"""At which time that a point is reached the program is killed."""

ELSEWHERE = {"socket.before_send", "socket.after_send"}
"""Points of the socket for commands, which Bybit has: see ``test_kills_over_socket``."""

OFTEN = ("order.after_intent", "rest.after_send", "journal.before_commit", "journal.after_fact", "fill.before_note",
         "journal.rewritten")  # fmt: skip
"""Those of the ordinary run."""

CASES = [
    (point, count)
    for point in (POINTS if IS_SOAK else OFTEN)
    # Those have a test of their own.
    if not point.startswith("archive.")
    for count in sorted(set(POINTS[point] if IS_SOAK else POINTS[point][:1]))
]


@contextmanager
def exchange() -> Iterator[Simulator]:
    limiter._connect_budgets.clear()
    with Simulator(running_market=False) as simulator:
        simulator.faults.rate_limits(weight_per_minute=10**9, orders_per_10s=10**9, orders_per_day=10**9)
        simulator.market.clear("BTCUSDT")
        simulator.market.quote("BTCUSDT", "buy", 60000, 10)
        simulator.market.quote("BTCUSDT", "sell", 60010, 10)
        yield simulator


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody need wait long to prove that the exchange has no order."""
    monkeypatch.setattr(BinanceDriver, "processing_limit_ms", 0)
    monkeypatch.setattr(BinanceDriver, "rate_rules", ())


@pytest.fixture
def simulator() -> Iterator[Simulator]:
    with exchange() as simulator:
        yield simulator


def test_every_point_is_in_the_table() -> None:
    found = set()
    for path in Path(exconn_sync.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "reach":
                found.add(ast.literal_eval(node.args[0]))
    assert found == set(POINTS) | ELSEWHERE
    assert set(OFTEN) < set(POINTS)


@pytest.mark.parametrize(("point", "count"), CASES)
def test_killed_at_a_point(point: str, count: int, simulator: Simulator, tmp_path: Path) -> None:
    """(faults F149, F151)"""
    if point == "journal.rewritten":
        # Put in short when the next one opens it, and killed right after.
        journal = SqliteJournal(tmp_path / "j.db")
        for number in range(1100):
            journal.append(balance("USDT", str(number), number))
        journal.close()
    ended = kill(simulator, tmp_path, point, count)
    assert ended.code == -signal.SIGKILL, ended.err
    live_on(simulator, tmp_path)


ARCHIVING = ("archive.before_name", "archive.after_name", "journal.before_commit", "journal.after_commit",
             "journal.rewritten")  # fmt: skip


@pytest.mark.parametrize("point", ARCHIVING)
def test_killed_while_old_orders_are_archived(point: str, simulator: Simulator, tmp_path: Path) -> None:
    """Each record is in the journal or in the archive, in one of them only (faults F149, F151)."""
    file = JournalFile(tmp_path / "j.db")
    old = [fact for number in range(550) for fact in refused(number)]
    file.write(list(texts(old)), is_flushed=True)
    file.close()
    ended = kill(simulator, tmp_path, point, 1, at_start=True)
    assert ended.code == -signal.SIGKILL, ended.err
    live_on(simulator, tmp_path)
    archive = tmp_path / "j.db.archive-1"
    assert not (tmp_path / "j.db.archive-2").exists()
    assert facts_of(archive) == old
    assert not {*facts_of(tmp_path / "j.db")} & {*old}


def refused(number: int) -> list[OrderFact]:
    """Return an order of long ago that never was at the exchange."""
    asked = intent(f"old-{number}")
    return [asked, replace(asked, status=OrderStatus.REJECTED, reason="refused")]


def facts_of(path: Path) -> list[Fact]:
    journal = SqliteJournal(path)
    facts = list(journal.replay())
    journal.close()
    return facts


def test_a_fill_is_told_again_only_where_its_note_was_not_written(simulator: Simulator, tmp_path: Path) -> None:
    """The one moment in which delivery is not exactly once (fault F149)."""
    ended = kill(simulator, tmp_path, "fill.before_note", 3)
    assert ended.code == -signal.SIGKILL, ended.err
    told = lines(tmp_path / "told")
    assert len(told) == 3
    assert live_on(simulator, tmp_path) == [told[2]]


FORGETS_INTENTS = """
    from exconn_sync._store.keeper import Keeper
    Keeper.keep_intent = lambda self, intent: None
"""
WRITES_NO_NOTES = """
    from exconn_sync._store.keeper import Keeper
    Keeper.keep_note = lambda self, fact, keep=Keeper.keep_note: keep(self, fact) if hasattr(fact, "source") else None
"""


@pytest.mark.parametrize("planted", [WRITES_NO_NOTES, *([FORGETS_INTENTS] if IS_SOAK else [])])
def test_the_check_sees_what_it_is_for(planted: str, simulator: Simulator, tmp_path: Path) -> None:
    """With a defect in the program that is killed, the next one is found to be wrong."""
    ended = kill(simulator, tmp_path, "fill.before_note", 6, planted=planted)
    assert ended.code == -signal.SIGKILL, ended.err
    with pytest.raises(AssertionError):
        live_on(simulator, tmp_path)


@pytest.mark.timeout(120 + 10 * MOMENTS)
def test_killed_at_any_moment(tmp_path: Path) -> None:
    """(fault F149, invariant I27)"""
    draw = random.Random(149)
    for moment in range(MOMENTS):
        folder = tmp_path / str(moment)
        folder.mkdir()
        with exchange() as simulator:
            ended = kill(simulator, folder, "any", 0, delay=draw.random() * 0.4)
            assert ended.code == -signal.SIGKILL, ended.err
            live_on(simulator, folder)
