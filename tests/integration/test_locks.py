"""No code of the user runs while a lock of the library is held, and locks are taken in one order (I24, F139, F153)."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import Any

import pytest

from exconn_sync import Connector, OrderRequest, OrderState, Proposal, RiskLimits, RiskRejected
from exconn_sync.metrics import MemoryMetrics
from exconn_sync.model.account import Fact
from exconn_sync.persistence import MemoryJournal
from exconn_sync.simulator import Simulator
from tests.integration.conftest import LIMIT, quick
from tests.locks import LockRecorder, RecordedLock, recorded_locks
from tests.unit.support import until


class Rule:
    """A risk rule of the user's."""

    name = "watched"

    def __init__(self, recorder: LockRecorder) -> None:
        self._recorder = recorder

    def check(self, proposal: Proposal) -> None:
        self._recorder.check("risk rule")


class Journal(MemoryJournal):
    """A journal of the user's."""

    def __init__(self, recorder: LockRecorder) -> None:
        super().__init__()
        self._recorder = recorder

    def append(self, fact: Fact) -> None:
        self._recorder.check("journal")
        super().append(fact)

    def replay(self) -> Iterable[Fact]:
        self._recorder.check("journal replay")
        return super().replay()


class Metrics(MemoryMetrics):
    """A sink of the user's."""

    def __init__(self, recorder: LockRecorder) -> None:
        super().__init__()
        self._recorder = recorder

    def count(self, name: str, amount: int = 1, **labels: str) -> None:
        self._recorder.check("metrics count")
        super().count(name, amount, **labels)

    def observe(self, name: str, value: float, **labels: str) -> None:
        self._recorder.check("metrics observe")
        super().observe(name, value, **labels)


class Handler(logging.Handler):
    """A log handler of the user's, which also asks for the state."""

    def __init__(self, recorder: LockRecorder) -> None:
        super().__init__(logging.DEBUG)
        self._recorder = recorder
        self.connector: Connector | None = None

    def emit(self, record: logging.LogRecord) -> None:
        self._recorder.check("log handler")
        if self.connector is not None:
            assert self.connector.state


def watch_all(connector: Connector, recorder: LockRecorder) -> None:
    """Subscribe everything there is, with callbacks that check."""

    def check(kind: str) -> Callable[[Any], None]:
        return lambda event: recorder.check(kind)

    def fail(event: object) -> None:
        recorder.check("raising callback")
        raise ValueError

    connector.on_trade("BTC-USDT", check("trade"))
    connector.on_book_ticker("BTC-USDT", check("book ticker"), buffer=1, on_gap=check("gap"))
    connector.on_order_book("BTC-USDT", check("order book"))
    connector.on_order(check("order"))
    connector.on_fill(check("fill"))
    connector.on_balance(check("balance"))
    connector.on_position(check("position"))
    connector.on_connection(check("connection"))
    connector.on_error(check("error"))
    connector.on_risk_alert(check("risk alert"))
    connector.subscribe("*.*.*", check("pattern"))
    connector.on_trade("BTC-USDT", fail)


EXPECTED = {
    "risk rule", "journal", "journal replay", "metrics count", "metrics observe", "log handler", "raising callback",
    "trade", "book ticker", "gap", "order book", "order", "fill", "balance", "position", "connection", "error",
    "pattern", "order wait", "future", "risk alert",
}  # fmt: skip


# Limits that look at everything and refuse nothing; the second open order is told.
LIMITS = RiskLimits(
    max_open_orders=2,
    max_position=Decimal(1000),
    max_order_rate=(1000, 1.0),
    max_daily_loss=Decimal(10**9),
    check_balance=True,
    dead_man=60.0,
)


def use_everything(exchange: Simulator, connector: Connector, recorder: LockRecorder) -> None:
    """Trade, lose connections, come back, and stop."""
    watch_all(connector, recorder)
    connector.wait_ready(LIMIT)
    resting = connector.place_order(OrderRequest.limit("BTC-USDT", "buy", "0.001", "20000"))

    def is_new(state: OrderState) -> bool:
        recorder.check("order wait")
        return state.status == "new"

    assert resting.wait(is_new, LIMIT)
    future = connector.submit_order(OrderRequest.market("BTC-USDT", "buy", "0.001"))
    future.add_done_callback(lambda done: recorder.check("future"))
    assert future.result(LIMIT).wait(timeout=LIMIT)
    connector.submit_cancel(resting).result(LIMIT)
    exchange.faults.drop_connections("stream")
    connector.wait_ready(LIMIT)
    connector.fetch_balances()
    assert connector.profit("BTC-USDT").symbol == "BTC-USDT"
    connector.change_risk_limits(max_open_orders=3)
    connector.kill(timeout=LIMIT)
    connector.rearm()
    until(lambda: recorder.checked >= EXPECTED)


def test_no_lock_is_held_where_user_code_runs_and_their_order_has_no_cycle(monkeypatch: pytest.MonkeyPatch) -> None:
    """Faults F139, F153."""
    logger = logging.getLogger("exconn_sync")
    with recorded_locks() as recorder, Simulator() as exchange:
        monkeypatch.setattr(
            "exconn_sync._transport.limiter._budgets_lock", RecordedLock(recorder, threading.Lock(), "budgets")
        )
        handler = Handler(recorder)
        level = logger.level
        logger.addHandler(handler)
        logger.setLevel(logging.DEBUG)
        own = {"rules": (Rule(recorder),), "journal": Journal(recorder), "metrics": Metrics(recorder)}
        config = quick(exchange.config(), risk=LIMITS, **own)
        try:
            with Connector(config) as connector:
                handler.connector = connector
                use_everything(exchange, connector, recorder)
        finally:
            logger.removeHandler(handler)
            logger.setLevel(level)
    assert recorder.violations == []
    assert recorder.checked >= EXPECTED
    assert recorder.edges, "the recorder saw nothing"
    assert recorder.cycle() == []


def test_the_recorder_sees_a_lock_that_is_held_and_a_cycle() -> None:
    recorder = LockRecorder()
    first, second = (RecordedLock(recorder, threading.Lock(), name) for name in ("first", "second"))
    with first, second:
        recorder.check("callback")
    assert recorder.violations == ["callback ran while ['first', 'second'] was held"]
    assert recorder.cycle() == []
    with second, first:
        pass
    assert set(recorder.cycle()) == {"first", "second"}


class Blocks:
    """A risk rule that does not return until it is allowed to, then fails."""

    name = "blocks"

    def __init__(self) -> None:
        self.asked, self.release = threading.Semaphore(0), threading.Event()
        self.is_on = False

    def check(self, proposal: Proposal) -> None:
        if self.is_on:
            self.asked.release()
            self.release.wait(LIMIT)
            raise ValueError("no rule at all")


def test_risk_rules_that_block_hold_up_no_cancel(quiet: Simulator) -> None:
    """Faults F140, F159."""
    rule = Blocks()
    with Connector(quick(quiet.config(), rules=(rule,))) as connector:
        connector.wait_ready(LIMIT)
        order = connector.place_order(OrderRequest.limit("BTC-USDT", "buy", "0.001", "50000"))
        rule.is_on = True
        request = OrderRequest.limit("BTC-USDT", "buy", "0.001", "50000")
        blocked = [connector.submit_order(request) for _ in range(20)]
        assert rule.asked.acquire(timeout=LIMIT)
        connector.submit_cancel(order).result(LIMIT)
        assert order.wait(timeout=LIMIT)
        assert order.status == "canceled"
        rule.release.set()
        assert {type(future.exception(LIMIT)) for future in blocked} == {RiskRejected}
        assert connector.fetch_open_orders() == []
