"""Runs a plan: traders on threads, faults, the healing, and the audit."""

from __future__ import annotations

import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from unittest.mock import patch

from exconn_sync import Connector
from exconn_sync._live import command_desk, reconciler, resolver
from exconn_sync._transport import limiter
from exconn_sync._transport.breaker import Breaker
from exconn_sync.config.settings import Intervals, RateLimits, Reconnect, Timeouts, UnknownOrders
from exconn_sync.exchanges.binance.driver import BinanceDriver
from exconn_sync.exchanges.bybit.driver import BybitDriver
from exconn_sync.model.account import Fact
from exconn_sync.model.enums import FactSource, OrderStatus, Side
from exconn_sync.model.orders import OrderFact
from exconn_sync.persistence import SqliteJournal
from exconn_sync.persistence.memory import MemoryJournal
from tests.chaos import auditor
from tests.chaos.history import Exposed, Record, Truth, View
from tests.chaos.plan import Plan, plan_of
from tests.chaos.trader import SYMBOL, Trader
from tests.chaos.world import FOREIGN, MATCH_LATE_S, World, world_of

WINDOW_MS = 1500
SETTLE_S = 60.0
"""How long a machine that is busy may take until all is known; a quiet one takes two seconds."""
CUT_AFTER = 15
"""After how many calls a life is ended while others are under way."""
LAST = 25
"""How many of the last calls a failure shows."""


@dataclass(frozen=True)
class Outcome:
    """What became of a run: what is wrong, and how much happened."""

    seed: int
    problems: Sequence[str]
    met: Counter[str]
    calls: int
    placed: int
    fills: int
    unknown: int
    seconds: float
    last: Sequence[str] = ()

    @property
    def faults(self) -> int:
        """How many faults came true."""
        return self.met.total()

    def report(self) -> str:
        """Return a text from which a failure can be studied."""
        shown = [problem[:2000] for problem in self.problems]
        return "\n".join([f"seed {self.seed}:", *shown, "the last calls:", *self.last])


class WatchedJournal(MemoryJournal):
    """Notes when it had each intent."""

    def __init__(self, record: Record) -> None:
        super().__init__()
        self._record = record

    def append(self, fact: Fact) -> None:
        super().append(fact)
        is_intent = isinstance(fact, OrderFact) and fact.source is FactSource.LOCAL
        if isinstance(fact, OrderFact) and is_intent and fact.status is OrderStatus.PENDING_NEW:
            self._record.intents.setdefault(fact.client_order_id, time.time_ns())


@contextmanager
def haste() -> Iterator[None]:
    """Shorten the pauses that are made for real exchanges."""
    limiter._connect_budgets.clear()
    with ExitStack() as stack:
        for target, name, value in (
            (resolver, "_MARGIN_MS", 200), (resolver, "_LOOK_PAUSE", 0.2),
            (command_desk, "PATIENCE", 0.2), (reconciler, "_APART_NS", 300_000_000),
            (BinanceDriver, "processing_limit_ms", 0), (BinanceDriver, "rate_rules", ()),
            (BybitDriver, "processing_limit_ms", 1500),
        ):  # fmt: skip
            stack.enter_context(patch.object(target, name, value))
        defaults = {"failures": 25, "pause": 0.2}
        stack.enter_context(patch.object(Breaker.__init__, "__kwdefaults__", defaults))
        yield


def run(seed: int) -> Outcome:
    """Carry out the plan of a seed and judge it."""
    return run_plan(plan_of(seed))


def run_plan(wanted: Plan) -> Outcome:
    """Carry out a plan and judge it."""
    began = time.monotonic()
    record = Record()
    with tempfile.TemporaryDirectory() as folder, haste(), world_of(wanted) as (world, lasting):
        world.place_foreign()
        path = Path(folder) / "j.db"
        journal = f"sqlite:{path}" if wanted.is_restarted else WatchedJournal(record)
        half = len(wanted.threads[0]) // 2 if wanted.is_restarted else len(wanted.threads[0])
        if wanted.is_restarted:
            _life(wanted, world, record, journal, slice(0, half), None)
        view = _life(wanted, world, record, journal, slice(half if wanted.is_restarted else 0, None), lasting)
        facts = _facts(journal, path)
        truth = _truth(world)
        problems = auditor.audit(record, replace(view, facts=facts), truth, wanted.seed)
        placed, fills, met = len(truth.orders), len(truth.fills), world.faults_met()
    unknown = sum(verdict.outcome == "unknown" for verdict in record.verdicts)
    calls = sorted(record.calls, key=lambda call: call.began)
    last = [
        f"{call.began - began:6.2f} to {call.ended - began:6.2f}: thread {call.thread} step {call.step} {call.action} "
        + ", ".join(f"{each.name} {each.command} {each.outcome} {each.text[:100]}" for each in call.verdicts)
        for call in calls[-LAST:]
    ]
    seconds = time.monotonic() - began
    return Outcome(wanted.seed, problems, met, len(calls), placed, fills, unknown, seconds, last)


def _facts(journal: str | WatchedJournal, path: Path) -> Sequence[Fact]:
    if not isinstance(journal, str):
        return list(journal.replay())
    file = SqliteJournal(path)
    try:
        return list(file.replay())
    finally:
        file.close()


def _truth(world: World) -> Truth:
    simulator = world.simulator
    accounts, key = simulator.accounts, simulator.api_key
    return Truth(
        world.exchange, accounts.orders(key), accounts.fills(key), accounts.balances(key),
        simulator.request_log(with_faulty=True), frozenset(FOREIGN),
    )  # fmt: skip


def _view(connector: Connector) -> View:
    exposed = connector._core.store.decide(
        lambda exposure: Exposed(
            {asset: exposure.reserved(asset) for asset in ("BTC", "USDT")},
            exposure.open_orders(),
            {side.value: exposure.pending(SYMBOL, side) for side in Side},
            exposure.position(SYMBOL),
        )
    )
    return View(connector.orders.history(), connector.fills(), connector.balances, connector.positions, exposed=exposed)


def _life(
    wanted: Plan, world: World, record: Record, journal: str | WatchedJournal, part: slice, lasting: ExitStack | None
) -> View:
    """Let a connector live through a part of the steps; with ``lasting``, the faults that it ends, all is healed."""
    config = world.simulator.config()
    connector = Connector(
        replace(
            config,
            journal=journal,
            commands=wanted.via if wanted.exchange == "bybit" else config.commands,
            rate_limits=RateLimits(window_ms=WINDOW_MS),
            unknown_orders=UnknownOrders(read_lag=0.2),
            reconnect=Reconnect(base=0.02, cap=0.2, settle=0.05),
            timeouts=Timeouts(connect=2.0, read=1.0, request=1.5, stop=10.0),
            intervals=Intervals(reconcile=0.7, ping=0.5, clock=2.0),
        )
    )
    connector.on_order(record.orders.append)
    for fills in record.fills:
        connector.on_fill(fills.append)
    with connector:
        connector.wait_ready(SETTLE_S)
        steps = [thread[part] for thread in wanted.threads]
        threads = [
            threading.Thread(target=Trader(number, world, connector, record).run, args=(each, part.start))
            for number, each in enumerate(steps)
        ]
        for thread in threads:
            thread.start()
        if lasting is None and wanted.is_cut_short:
            while len(record.calls) < CUT_AFTER:
                threading.Event().wait(0.01)
            connector.stop()
        for thread in threads:
            thread.join()
        if lasting is not None:
            world.heal()
            lasting.close()
            _settle(connector, world, record)
        assert connector._core.store.desk.settle(SETTLE_S)
        return _view(connector)


def _settle(connector: Connector, world: World, record: Record) -> None:
    """Wait until nothing differs any more, or for so long that something never will."""
    limit, pause = time.monotonic() + SETTLE_S, threading.Event()
    while world.simulator.requests_held():
        pause.wait(0.05)
    # As long as ``match_late`` holds what was acknowledged: the truth is not complete before.
    pause.wait(2 * MATCH_LATE_S)
    while time.monotonic() < limit:
        truth = _truth(world)
        is_told = all(len(fills) >= len(truth.fills) for fills in record.fills)
        if is_told and not auditor.differences(_view(connector), truth):
            return
        pause.wait(0.1)
