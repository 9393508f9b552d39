"""The supervision tree against an executable model of the OTP rules, and by cases (faults F141, F145; I25)."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from exconn_sync._machines.restart import Decision, Kind, Strategy
from exconn_sync._machines.supervision import Child, Group, Tree
from tests.machines.make import SECOND, fixed

PERIOD = 10.0
STRATEGIES: list[Strategy] = ["one_for_one", "rest_for_one", "all_for_one"]
KINDS: list[Kind] = ["permanent", "transient", "temporary"]


def flat(*names: str, strategy: Strategy = "one_for_one", intensity: int = 10, period: float = PERIOD) -> Group:
    return Group("root", strategy, intensity, period, tuple(Child(name) for name in names))


def nested(outer: Strategy, inner: Strategy, outer_intensity: int = 2, inner_intensity: int = 1) -> Tree:
    inside = Group("inner", inner, inner_intensity, PERIOD, (Child("b"), Child("c"), Child("d")))
    return Tree(Group("root", outer, outer_intensity, PERIOD, (Child("a"), inside, Child("e"))))


def restarts(tree: Tree, worker: str, seconds: list[float]) -> list[Decision]:
    return [tree.on_exit(worker, True, round(moment * SECOND)) for moment in seconds]


# --- by cases -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("inner", "stop", "start"),
    [
        ("one_for_one", (), ("c",)),
        ("rest_for_one", ("d",), ("c", "d")),
        ("all_for_one", ("d", "b"), ("b", "c", "d")),
    ],
)
@pytest.mark.parametrize("outer", STRATEGIES)
def test_a_crash_within_the_limit_concerns_only_its_group(
    outer: Strategy, inner: Strategy, stop: tuple[str, ...], start: tuple[str, ...]
) -> None:
    assert nested(outer, inner).on_exit("c", True, 0) == Decision(stop, start)


@pytest.mark.parametrize(
    ("outer", "stop", "start"),
    [
        ("one_for_one", ("d", "b"), ("b", "c", "d")),
        ("rest_for_one", ("e", "d", "b"), ("b", "c", "d", "e")),
        ("all_for_one", ("e", "d", "b", "a"), ("a", "b", "c", "d", "e")),
    ],
)
@pytest.mark.parametrize("inner", STRATEGIES)
def test_a_group_beyond_its_limit_counts_as_a_crashed_child_of_its_parent(
    outer: Strategy, inner: Strategy, stop: tuple[str, ...], start: tuple[str, ...]
) -> None:
    first, second = restarts(nested(outer, inner), "c", [0, 1])
    assert not first.give_up
    assert (second.stop, second.start, second.give_up) == (stop, start, False)


def test_the_root_beyond_its_limit_is_the_end() -> None:
    *all_but_one, last = restarts(nested("one_for_one", "one_for_one", 2, 1), "c", [0.0] * 6)
    assert [decision.give_up for decision in all_but_one] == [False] * 5
    assert last == Decision(("e", "d", "b", "a"), give_up=True)


def test_a_group_that_is_started_again_has_a_fresh_history() -> None:
    tree = nested("one_for_one", "one_for_one", outer_intensity=1)
    decisions = restarts(tree, "c", [0, 0, 0])
    assert [decision.start for decision in decisions] == [("c",), ("b", "c", "d"), ("c",)]


def test_a_group_that_is_started_again_has_what_it_was_declared_with() -> None:
    inside = Group("inner", "one_for_one", 0, PERIOD, (Child("b", "temporary"), Child("c"), Child("d", "transient")))
    tree = Tree(Group("root", "one_for_one", 9, PERIOD, (inside,)))
    tree.add("later", "inner")
    tree.remove("d")
    assert tree.on_exit("b", True, 0) == Decision(forget=("b",))
    assert tree.workers == ("c", "later")
    decision = tree.on_exit("c", True, 0)
    assert (decision.stop, decision.start, decision.forget) == (("later",), ("b", "c"), ("later",))
    assert tree.workers == ("b", "c")
    assert [tree.is_declared(name) for name in ("b", "c", "d", "later")] == [True, True, False, False]


def test_added_workers_come_last_in_their_group_and_are_found_again() -> None:
    tree = nested("one_for_one", "rest_for_one")
    tree.add("x", "inner")
    tree.add("y")
    assert tree.workers == ("a", "b", "c", "d", "x", "e", "y")
    assert (tree.group_of("x"), tree.group_of("y")) == ("inner", "root")
    decision = tree.on_exit("c", True, 0)
    assert (decision.stop, decision.start) == (("x", "d"), ("c", "d", "x"))
    tree.remove("x")
    tree.remove("unknown")
    assert tree.on_exit("x", True, 0) == Decision()


@pytest.mark.parametrize(("name", "group"), [("b", "root"), ("inner", "root"), ("root", None), ("new", "nowhere")])
def test_what_cannot_be_added_is_refused(name: str, group: str | None) -> None:
    tree = nested("one_for_one", "one_for_one")
    with pytest.raises(ValueError, match="there"):
        tree.add(name, group)
    assert tree.workers == ("a", "b", "c", "d", "e")


def test_two_parts_of_one_name_are_refused() -> None:
    with pytest.raises(ValueError, match="one name"):
        Tree(Group("root", "one_for_one", 1, PERIOD, (Child("a"), Group("a", "one_for_one", 1, PERIOD))))


def test_a_declared_worker_can_be_forgotten_and_added_elsewhere() -> None:
    inside = Group("inner", "one_for_one", 0, PERIOD, (Child("b", "transient"), Child("c")))
    tree = Tree(Group("root", "one_for_one", 9, PERIOD, (inside,)))
    tree.on_exit("b", False, 0)
    tree.add("b")
    assert tree.on_exit("c", True, 0).start == ("c",)
    assert tree.workers == ("c", "b")


@pytest.mark.parametrize(
    ("intensity", "moments", "gives_up"),
    [
        (0, [0], True),
        (3, [0, 1, 2], False),
        (3, [0, 1, 2, 3], True),
        (3, [0, 1, 2, PERIOD], True),  # exactly a period ago still counts
        (3, [0, 1, 2, PERIOD + 1e-9], False),
        (3, [0, 1, 2, PERIOD + 0.5, PERIOD + 1], True),
        (3, [0, 1, 2, PERIOD + 0.5, PERIOD + 1.5], False),
    ],
)
def test_the_limit_is_exact(intensity: int, moments: list[float], gives_up: bool) -> None:
    *before, last = restarts(Tree(flat("a", "b", intensity=intensity)), "a", moments)
    assert not any(decision.give_up for decision in before)
    assert last.give_up is gives_up


def test_pauses_grow_end_and_begin_anew_after_a_long_life() -> None:
    tree = Tree(flat("a", "b", intensity=100, period=1000.0), first_pause=0.05, longest_pause=2.0)
    now, delays = 0.0, []
    for _ in range(9):
        delays.append(tree.on_exit("a", True, round(now * SECOND)).delay)
        now += delays[-1] + 1
    assert delays == [0.0, 0.05, 0.1, 0.2, 0.4, 0.8, 1.6, 2.0, 2.0]
    assert tree.on_exit("b", True, round(now * SECOND)).delay == 0.0, "each worker by itself"
    assert tree.on_exit("a", True, round((now + 998) * SECOND)).delay == 2.0
    # Counted from the moment at which it was to live again.
    assert tree.on_exit("a", True, round((now + 998 + 2.0 + 1000) * SECOND) - 1).delay == 2.0
    assert tree.on_exit("a", True, round((now + 998 + 2.0 + 1000 + 2.0 + 1000) * SECOND)).delay == 0.0


def test_a_sibling_that_is_started_along_lives_from_then_on() -> None:
    tree = Tree(flat("a", "b", strategy="all_for_one", intensity=5), first_pause=0.05)
    assert [tree.on_exit("b", True, moment).delay for moment in (0, 0)] == [0.0, 0.05]
    tree.on_exit("a", True, 9 * SECOND)
    assert tree.on_exit("b", True, 12 * SECOND).delay == 0.1


@given(intensities=st.lists(st.integers(0, 6), min_size=1, max_size=3), period=st.sampled_from([1.0, 10.0, 60.0]))
@fixed
def test_one_that_dies_at_each_start_is_given_up_whatever_the_pauses(intensities: list[int], period: float) -> None:
    group = Group("deepest", "one_for_one", intensities[0], period, (Child("a"),))
    for level, intensity in enumerate(intensities[1:]):
        group = Group(f"level {level}", "one_for_one", intensity, period, (group,))
    tree, now, count = Tree(group), 0, 0
    while not (decision := tree.on_exit("a", True, now)).give_up:
        count += 1
        assert 0 <= decision.delay <= 2.0
        now += round(decision.delay * SECOND)
    assert count + 1 == math.prod(intensity + 1 for intensity in intensities)


# --- against a model ------------------------------------------------------------------------------------------------


class GaveUp(Exception):
    """What a supervisor of the model raises in its parent."""


class OtpSupervisor:
    """A supervisor as OTP's manual describes it: children are processes, and each supervisor is one itself.

    It acts instead of deciding: it stops and starts in a log that all supervisors share.
    """

    def __init__(self, group: Group, log: list[tuple[str, str]], removed: set[str]) -> None:
        self.group, self.log, self.removed = group, log, removed
        self.children: list[tuple[str, Kind, OtpSupervisor | None]] = []
        self.history: list[int] = []
        self.init()

    def init(self) -> None:
        self.children, self.history = [], []
        for each in self.group.children:
            if isinstance(each, Group):
                self.children.append((each.name, "permanent", OtpSupervisor(each, self.log, self.removed)))
            elif each.name not in self.removed:
                self.children.append((each.name, each.kind, None))
                self.log.append(("start", each.name))

    def running(self) -> list[str]:
        return [name for each, _, inner in self.children for name in (inner.running() if inner else [each])]

    def find(self, worker: str) -> OtpSupervisor | None:
        for name, _, inner in self.children:
            if name == worker and inner is None:
                return self
            found = inner.find(worker) if inner else None
            if found is not None:
                return found
        return None

    def terminate(self, child: tuple[str, Kind, OtpSupervisor | None], dead: str) -> None:
        name, _, inner = child
        if inner is not None:
            for each in reversed(inner.children):
                inner.terminate(each, dead)
        elif name != dead:
            self.log.append(("stop", name))

    def revive(self, child: tuple[str, Kind, OtpSupervisor | None]) -> None:
        name, _, inner = child
        if inner is None:
            self.log.append(("start", name))
        else:
            inner.init()

    def crash(self, worker: str, crashed: bool, now: int) -> None:
        """Pass the end of a worker to the supervisor that has it."""
        for child in list(self.children):
            name, _, inner = child
            if inner is None and name == worker:
                self.handle(child, crashed, now, worker)
                return
            if inner is not None and inner.find(worker) is not None:
                try:
                    inner.crash(worker, crashed, now)
                except GaveUp:
                    self.handle(child, True, now, worker)
                return

    def handle(self, child: tuple[str, Kind, OtpSupervisor | None], crashed: bool, now: int, dead: str) -> None:
        _, kind, _ = child
        if kind == "temporary" or (kind == "transient" and not crashed):
            self.children.remove(child)
            return
        self.history = [moment for moment in self.history if moment >= now - PERIOD * SECOND] + [now]
        place = self.children.index(child)
        if len(self.history) > self.group.intensity:
            for each in reversed(self.children):
                # A group that failed has terminated its own children.
                if each is not child:
                    self.terminate(each, dead)
            raise GaveUp
        if self.group.strategy == "one_for_one":
            first, last = place, place + 1
        else:
            first, last = (0 if self.group.strategy == "all_for_one" else place), len(self.children)
        affected = self.children[first:last]
        for each in reversed(affected):
            if each is not child:
                self.terminate(each, dead)
        kept = [each for each in affected if each[1] != "temporary"]
        self.children[first:last] = kept
        for each in kept:
            self.revive(each)


def groups(depth: int) -> st.SearchStrategy[Group]:
    """Trees of up to three levels; names are put in afterwards."""
    child: st.SearchStrategy[Child | Group] = st.builds(Child, st.just(""), st.sampled_from(KINDS))
    children: st.SearchStrategy[Child | Group] = child if depth == 0 else st.one_of(child, groups(depth - 1))
    return st.builds(
        Group, st.just(""), st.sampled_from(STRATEGIES), st.integers(0, 3), st.just(PERIOD),
        st.lists(children, min_size=1, max_size=3).map(tuple),
    )  # fmt: skip


def named(group: Group, numbers: list[int]) -> Group:
    """Give every part a name of its own."""
    children: list[Child | Group] = []
    for child in group.children:
        numbers[0] += 1
        if isinstance(child, Group):
            children.append(named(child, numbers))
        else:
            children.append(Child(f"w{numbers[0]}", child.kind))
    numbers[0] += 1
    return Group(f"g{numbers[0]}", group.strategy, group.intensity, group.period, tuple(children))


class Supervised(RuleBasedStateMachine):
    """Lets workers end as they like and compares what the tree decides with what the model does."""

    @initialize(group=groups(2))
    def begin(self, group: Group) -> None:
        self.set_up(group)

    @precondition(lambda self: self.is_over)
    @rule(group=groups(2))
    def begin_again(self, group: Group) -> None:
        self.set_up(group)

    def set_up(self, group: Group) -> None:
        self.log: list[tuple[str, str]] = []
        self.removed: set[str] = set()
        self.group = named(group, [0])
        self.tree = Tree(self.group)
        self.model = OtpSupervisor(self.group, self.log, self.removed)
        self.now, self.added = 0, 0
        self.is_over = False

    def names(self) -> list[str]:
        return self.model.running()

    @precondition(lambda self: not self.is_over)
    @rule(data=st.data(), crashed=st.booleans(), pause=st.sampled_from([0, 0, 1, 4, 11]))
    def exit(self, data: st.DataObject, crashed: bool, pause: int) -> None:
        names = self.names()
        if not names:
            return
        worker = data.draw(st.sampled_from(names))
        self.now += pause * SECOND
        order = {name: place for place, name in enumerate(names)}
        self.log.clear()
        decision = self.tree.on_exit(worker, crashed, self.now)
        try:
            self.model.crash(worker, crashed, self.now)
        except GaveUp:
            self.is_over = True
        assert decision.give_up is self.is_over
        assert sorted(decision.stop) == sorted(name for what, name in self.log if what == "stop")
        assert list(decision.stop) == sorted(decision.stop, key=order.__getitem__, reverse=True)
        if not self.is_over:
            assert list(decision.start) == [name for what, name in self.log if what == "start"]
            assert set(decision.forget) == set(names) - set(self.names())
        assert 0.0 <= decision.delay <= 2.0

    @precondition(lambda self: not self.is_over)
    @rule(data=st.data(), kind=st.sampled_from(KINDS))
    def add(self, data: st.DataObject, kind: Kind) -> None:
        supervisors = [self.model]
        for each in supervisors:
            supervisors += [inner for _, _, inner in each.children if inner]
        home = data.draw(st.sampled_from(supervisors))
        self.added += 1
        name = f"added {self.added}"
        home.children.append((name, kind, None))
        self.tree.add(name, home.group.name, kind)

    @precondition(lambda self: not self.is_over and self.names())
    @rule(data=st.data())
    def remove(self, data: st.DataObject) -> None:
        name = data.draw(st.sampled_from(self.names()))
        home = self.model.find(name)
        assert home is not None
        home.children = [child for child in home.children if child[0] != name]
        self.removed.add(name)
        self.tree.remove(name)

    @precondition(lambda self: not self.is_over)
    @rule(crashed=st.booleans())
    def exit_of_a_stranger(self, crashed: bool) -> None:
        assert self.tree.on_exit("stranger", crashed, self.now) == Decision()

    @invariant()
    def what_is_to_run_is_what_the_model_runs(self) -> None:
        if hasattr(self, "model") and not self.is_over:
            assert list(self.tree.workers) == self.names()


TestSupervised = Supervised.TestCase
TestSupervised.settings = settings(derandomize=True, deadline=None, max_examples=120, stateful_step_count=30)
