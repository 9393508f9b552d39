"""Restart decisions against an executable model, and by table (invariant I25)."""

from __future__ import annotations

from typing import get_args

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from exconn_sync._machines.restart import Decision, Kind, RestartPolicy, Strategy
from tests.machines.make import SECOND

NAMES = ["a", "b", "c", "d"]


def policy_of(strategy: Strategy, *kinds: Kind, intensity: int = 10, period: float = 60.0) -> RestartPolicy:
    policy = RestartPolicy(strategy, intensity, period)
    for name, kind in zip(NAMES, kinds, strict=False):
        policy.add(name, kind)
    return policy


@pytest.mark.parametrize(
    ("strategy", "stop", "start"),
    [
        ("one_for_one", (), ("b",)),
        ("rest_for_one", ("d", "c"), ("b", "c", "d")),
        ("all_for_one", ("d", "c", "a"), ("a", "b", "c", "d")),
    ],
)
def test_the_strategy_says_who_is_affected(strategy: Strategy, stop: tuple[str, ...], start: tuple[str, ...]) -> None:
    policy = policy_of(strategy, "permanent", "permanent", "permanent", "permanent")
    assert policy.on_exit("b", True, 0) == Decision(stop, start)


@pytest.mark.parametrize(
    ("kind", "crashed", "is_restarted"),
    [
        ("permanent", True, True),
        ("permanent", False, True),
        ("transient", True, True),
        ("transient", False, False),
        ("temporary", True, False),
        ("temporary", False, False),
    ],
)
@pytest.mark.parametrize("strategy", get_args(Strategy))
def test_the_kind_says_whether_an_end_matters(
    strategy: Strategy, kind: Kind, crashed: bool, is_restarted: bool
) -> None:
    policy = policy_of(strategy, "permanent", kind, "permanent")
    decision = policy.on_exit("b", crashed, 0)
    assert ("b" in decision.start) is is_restarted
    assert is_restarted or decision == Decision()
    assert ("b" in policy.children) is is_restarted


def test_a_temporary_sibling_is_stopped_and_forgotten() -> None:
    policy = policy_of("all_for_one", "permanent", "temporary", "transient")
    assert policy.on_exit("a", True, 0) == Decision(("c", "b"), ("a", "c"))
    assert policy.children == ("a", "c")


def test_too_many_restarts_are_a_reported_end() -> None:
    """(fault F145)"""
    policy = policy_of("one_for_one", "permanent", "permanent", "permanent", intensity=2, period=10.0)
    assert not policy.on_exit("b", True, 0).give_up
    assert not policy.on_exit("b", True, 5 * SECOND).give_up
    assert policy.on_exit("b", True, 10 * SECOND) == Decision(("c", "a"), (), True)


def test_restarts_longer_ago_than_the_period_do_not_count() -> None:
    """(fault F145)"""
    policy = policy_of("one_for_one", "permanent", intensity=2, period=10.0)
    for second in range(0, 1000, 6):
        assert not policy.on_exit("a", True, second * SECOND).give_up


def test_an_intensity_of_zero_gives_up_at_the_first_end() -> None:
    """(fault F145)"""
    assert policy_of("one_for_one", "permanent", intensity=0).on_exit("a", True, 0).give_up


def test_normal_ends_that_lead_to_nothing_do_not_count() -> None:
    policy = policy_of("one_for_one", "permanent", intensity=1)
    for _ in range(50):
        policy.add("b", "transient")
        assert policy.on_exit("b", False, 0) == Decision()
    assert not policy.on_exit("a", True, 0).give_up


@pytest.mark.parametrize("strategy", get_args(Strategy))
def test_a_removed_or_foreign_child_leads_to_nothing(strategy: Strategy) -> None:
    policy = policy_of(strategy, "permanent", "permanent")
    policy.remove("b")
    policy.remove("never there")
    assert policy.on_exit("b", True, 0) == Decision()
    assert policy.on_exit("a", True, 0).start == ("a",)


class Supervised(RuleBasedStateMachine):
    """Obeys the decisions the way a supervisor does and keeps its own account of what must run."""

    @initialize(strategy=st.sampled_from(get_args(Strategy)), intensity=st.integers(0, 4))
    def begin(self, strategy: Strategy, intensity: int) -> None:
        self.set_up(strategy, intensity)

    def set_up(self, strategy: Strategy, intensity: int) -> None:
        self.strategy, self.intensity = strategy, intensity
        self.policy = RestartPolicy(strategy, intensity, 10.0)
        self.order: list[str] = []
        self.kinds: dict[str, Kind] = {}
        self.running: set[str] = set()
        self.now = 0
        self.restarted_at: list[int] = []
        self.has_given_up = False

    @precondition(lambda self: not self.has_given_up)
    @rule(name=st.sampled_from(NAMES), kind=st.sampled_from(get_args(Kind)))
    def add(self, name: str, kind: Kind) -> None:
        if name not in self.order:
            self.order.append(name)
        self.kinds[name] = kind
        self.policy.add(name, kind)
        self.running.add(name)

    @precondition(lambda self: not self.has_given_up)
    @rule(name=st.sampled_from(NAMES))
    def remove(self, name: str) -> None:
        self.policy.remove(name)
        self.forget(name)

    @precondition(lambda self: not self.has_given_up)
    @rule(name=st.sampled_from(NAMES), crashed=st.booleans(), pause=st.integers(0, 4))
    def exit(self, name: str, crashed: bool, pause: int) -> None:
        self.now += pause * SECOND
        is_known = name in self.running
        kind = self.kinds.get(name, "temporary")
        counts = is_known and (kind == "permanent" or (kind == "transient" and crashed))
        self.running.discard(name)
        decision = self.policy.on_exit(name, crashed, self.now)
        if not counts:
            assert decision == Decision()
            self.forget(name)
            return
        self.restarted_at.append(self.now)
        recent = [moment for moment in self.restarted_at if moment >= self.now - 10 * SECOND]
        assert decision.give_up == (len(recent) > self.intensity)
        self.obey(name, decision)

    def obey(self, name: str, decision: Decision) -> None:
        place = {each: index for index, each in enumerate(self.order)}
        assert list(decision.stop) == sorted(decision.stop, key=place.__getitem__, reverse=True)
        assert list(decision.start) == sorted(decision.start, key=place.__getitem__)
        assert set(decision.stop) <= self.running
        untouched = self.running - set(decision.stop)
        self.running -= set(decision.stop)
        if decision.give_up:
            assert (self.running, decision.start) == (set(), ())
            self.has_given_up = True
            return
        if self.strategy == "one_for_one":
            assert decision.stop == ()
        elif self.strategy == "rest_for_one":
            assert all(place[each] < place[name] for each in untouched)
            assert all(place[each] > place[name] for each in decision.stop)
        else:
            assert untouched == set()
        assert not self.running & set(decision.start)
        self.running |= set(decision.start)
        for each in decision.stop:
            if self.kinds[each] == "temporary":
                self.forget(each)

    def forget(self, name: str) -> None:
        self.running.discard(name)
        self.kinds.pop(name, None)
        if name in self.order:
            self.order.remove(name)

    @precondition(lambda self: self.has_given_up)
    @rule(strategy=st.sampled_from(get_args(Strategy)), intensity=st.integers(0, 4))
    def start_again(self, strategy: Strategy, intensity: int) -> None:
        self.set_up(strategy, intensity)

    @invariant()
    def all_that_is_registered_runs(self) -> None:
        if getattr(self, "order", None) and not self.has_given_up:
            assert self.running == set(self.order)
            assert self.policy.children == tuple(self.order)


TestSupervised = Supervised.TestCase
TestSupervised.settings = settings(derandomize=True, deadline=None, max_examples=100, stateful_step_count=30)
