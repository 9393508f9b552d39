"""Risk gate, metrics and the memory journal."""

from __future__ import annotations

from decimal import Decimal

import pytest

from exconn_sync.errors import RiskRejected
from exconn_sync.metrics import MemoryMetrics
from exconn_sync.metrics.memory import Summary
from exconn_sync.model.orders import OrderRequest
from exconn_sync.persistence import MemoryJournal
from exconn_sync.ports.risk import Proposal
from exconn_sync.risk import RiskGate

from .store.make import fill
from .support import in_threads

ORDER = OrderRequest.limit("BTC-USDT", "buy", "1", "100")


def proposal(notional: str | None) -> Proposal:
    return Proposal(ORDER, "BTC-USDT", None if notional is None else Decimal(notional))


class Rule:
    """A rule that notes that it was asked."""

    def __init__(self, name: str, asked: list[str], error: Exception | None = None) -> None:
        self.name = name
        self._asked = asked
        self._error = error

    def check(self, proposal: Proposal) -> None:
        self._asked.append(self.name)
        if self._error is not None:
            raise self._error


def test_all_rules_are_asked_in_order() -> None:
    asked: list[str] = []
    RiskGate([Rule("a", asked), Rule("b", asked)]).admit(proposal("1"))
    assert asked == ["a", "b"]


def test_a_rule_that_objects_is_the_last_that_is_asked() -> None:
    asked: list[str] = []
    objection = RiskRejected("too late in the day", rule="hours")
    gate = RiskGate([Rule("hours", asked, objection), Rule("b", asked)])
    with pytest.raises(RiskRejected) as caught:
        gate.admit(proposal("1"))
    assert caught.value is objection
    assert asked == ["hours"]


@pytest.mark.parametrize("error", [ZeroDivisionError("oops"), MemoryError(), StopIteration()])
def test_a_broken_rule_lets_nothing_pass(error: Exception) -> None:
    """(fault F140)"""
    with pytest.raises(RiskRejected) as caught:
        RiskGate([Rule("broken", [], error)]).admit(proposal("1"))
    assert (caught.value.rule, caught.value.outcome) == ("broken", "not_sent")
    assert caught.value.__cause__ is error


def test_a_broken_rule_without_a_name_lets_nothing_pass_either() -> None:
    """(fault F140)"""

    class Nameless:
        @property
        def name(self) -> str:
            raise AttributeError("no name")

        def check(self, proposal: Proposal) -> None:
            raise ValueError

    with pytest.raises(RiskRejected):
        RiskGate([Nameless()]).admit(proposal("1"))


def test_metrics_count_exactly_in_many_threads() -> None:
    metrics = MemoryMetrics()

    def work(index: int) -> None:
        for _ in range(500):
            metrics.count("rest.requests", path="/a")
            metrics.count("bytes", 3)
            metrics.observe("seconds", float(index), path="/a")

    in_threads(6, work)
    assert metrics.counts() == {"rest.requests{path=/a}": 3000, "bytes": 9000}
    assert metrics.summaries() == {"seconds{path=/a}": Summary(3000, 7500.0, 5.0)}


def test_labels_count_apart_whatever_their_order() -> None:
    metrics = MemoryMetrics()
    metrics.count("n", a="1", b="2")
    metrics.count("n", b="2", a="1")
    metrics.count("n", a="2")
    assert metrics.counts() == {"n{a=1,b=2}": 2, "n{a=2}": 1}
    metrics.counts().clear()
    assert len(metrics.counts()) == 2


def test_the_largest_of_negative_values_is_no_zero() -> None:
    metrics = MemoryMetrics()
    metrics.observe("offset", -2.0)
    metrics.observe("offset", -1.0)
    assert metrics.summaries() == {"offset": Summary(2, -3.0, -1.0)}


def test_the_memory_journal_keeps_all_in_order_beyond_its_closing() -> None:
    journal = MemoryJournal()

    def keep(index: int) -> None:
        for number in range(100):
            journal.append(fill(str(index * 100 + number + 1)))

    in_threads(4, keep)
    journal.close()
    journal.close()
    kept = [fact.trade_id for fact in journal.replay() if hasattr(fact, "trade_id")]
    assert len(kept) == len(set(kept)) == 400
    for index in range(4):
        mine = [int(trade) for trade in kept if (int(trade) - 1) // 100 == index]
        assert mine == sorted(mine)
    first = journal.replay()
    journal.append(fill("999"))
    assert len(list(first)) == 400
