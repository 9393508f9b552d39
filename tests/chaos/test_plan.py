"""Plans follow from their seeds alone, and hold something of everything."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter

from tests.chaos.plan import COMMANDS, READS, STEPS, STREAM, THREADS, plan_of

MANY = range(300)


def test_a_seed_decides_everything() -> None:
    again = "from tests.chaos.plan import plan_of; print(repr(plan_of(11)))"
    told = subprocess.run([sys.executable, "-c", again], check=True, capture_output=True, text=True).stdout
    assert told == repr(plan_of(11)) + "\n"
    assert plan_of(11) != plan_of(15)


def test_each_order_is_placed_by_one_step() -> None:
    for seed in range(50):
        steps = [step for thread in plan_of(seed).threads for step in thread]
        names = Counter(terms.name for step in steps for terms in step.terms)
        assert set(names.values()) == {1}


def test_all_kinds_of_steps_and_faults_are_planned() -> None:
    plans = [plan_of(seed) for seed in MANY]
    actions: Counter[str] = Counter()
    faults: Counter[str] = Counter()
    targets: Counter[str] = Counter()
    for plan in plans:
        assert len(plan.threads) == THREADS + 1
        for thread in plan.threads:
            assert len(thread) == STEPS
            for step in thread:
                actions[step.action] += 1
                faults.update(fault.kind for fault in step.faults)
                targets.update(fault.target for fault in step.faults)
    assert {(plan.exchange, plan.via) for plan in plans} == {
        ("binance", "rest"), ("bybit", "rest"), ("bybit", "socket"),
    }  # fmt: skip
    assert min(actions.values()) >= 300
    assert sum(actions.values()) == len(MANY) * (THREADS + 1) * STEPS
    assert set(actions) == {*COMMANDS, "submit", "read", "wait", "trade"}
    assert set(faults) == {
        "lost", "lost_reset", "late", "answer_late", "dropped", "error_before", "error_after", "garbage_after",
        "events_lost", "events_twice", "events_swapped", "cut", "cut_all", "stream_ended", "busy",
    }  # fmt: skip
    assert set(targets) == {*COMMANDS, *READS, STREAM}
    assert sum(faults.values()) >= 10_000
    assert 40 <= sum(plan.is_restarted for plan in plans) <= 130
    assert 20 <= sum(plan.is_cut_short for plan in plans) <= 80
