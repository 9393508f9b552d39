"""Supervision with real threads."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from exconn_sync._machines.deadline import Deadline
from exconn_sync._machines.restart import Strategy
from exconn_sync._machines.supervision import Child, Group, Tree
from exconn_sync._runtime.supervisor import Supervisor
from exconn_sync._runtime.worker import Body, Worker, WorkerRun
from exconn_sync.ports.clock import SystemClock
from tests.unit.support import LIMIT, Background, until

CLOCK = SystemClock()


def within(seconds: float = LIMIT) -> Deadline:
    return Deadline.after(CLOCK.monotonic_ns(), seconds)


class Team:
    """A supervisor with workers, and what it said."""

    def __init__(self, bodies: dict[str, Body], strategy: Strategy = "one_for_one", intensity: int = 10) -> None:
        self.crashes: list[tuple[str, str]] = []
        self.gave_up: list[tuple[str, Exception]] = []
        self.over = threading.Event()
        self.workers = {name: Worker(name, body, CLOCK) for name, body in bodies.items()}
        tree = Tree(Group("root", strategy, intensity, 60, tuple(Child(name) for name in bodies)))
        self.supervisor = Supervisor(
            "test", tree, list(self.workers.values()), CLOCK,
            lambda name, error: self.crashes.append((name, str(error))), self._give_up,
        )  # fmt: skip

    def _give_up(self, name: str, error: Exception) -> None:
        self.gave_up.append((name, error))
        self.over.set()

    def states(self) -> dict[str, str]:
        return {report.name: report.state for report in self.supervisor.reports()}


def steady(run: WorkerRun) -> None:
    run.beat()
    run.stop.wait(None)


def crashing(times: int, error: Callable[[], BaseException] = lambda: ValueError("boom")) -> Body:
    def body(run: WorkerRun) -> None:
        if run.generation <= times:
            raise error()
        steady(run)

    return body


def test_a_crashed_worker_lives_again_and_the_crash_is_told() -> None:
    """(fault F141)"""
    team = Team({"a": crashing(2), "b": steady})
    team.supervisor.start()
    until(lambda: [report.restarts for report in team.supervisor.reports()] == [2, 0])
    until(lambda: team.states() == {"a": "running", "b": "running"})
    assert team.crashes == [("a", "boom"), ("a", "boom")]
    assert team.supervisor.reports()[0].last_error == "ValueError: boom"
    assert team.supervisor.stop(within()) == []
    assert team.states() == {"a": "stopped", "b": "stopped"}
    assert team.gave_up == []


@pytest.mark.parametrize("error", [SystemExit, KeyboardInterrupt, GeneratorExit, MemoryError, RecursionError])
def test_no_worker_dies_unnoticed_whatever_it_raises(error: type[BaseException]) -> None:
    """(faults F141, F142)"""
    team = Team({"a": crashing(1, error)})
    team.supervisor.start()
    until(lambda: team.states() == {"a": "running"} and team.supervisor.reports()[0].restarts == 1)
    assert len(team.crashes) == 1
    assert team.supervisor.stop(within()) == []


def test_a_worker_that_returns_unasked_is_started_again() -> None:
    """(fault F141)"""

    def body(run: WorkerRun) -> None:
        if run.generation > 1:
            steady(run)

    team = Team({"a": body})
    team.supervisor.start()
    until(lambda: team.supervisor.reports()[0].restarts == 1)
    assert team.crashes == []
    assert team.supervisor.stop(within()) == []


@pytest.mark.parametrize("intensity", [0, 1, 3])
def test_beyond_its_intensity_it_gives_up_visibly_and_stops_the_others(intensity: int) -> None:
    """(fault F145)"""
    team = Team({"a": crashing(99), "b": steady}, intensity=intensity)
    team.supervisor.start()
    assert team.over.wait(LIMIT)
    assert [(name, str(error)) for name, error in team.gave_up] == [("a", "boom")]
    assert len(team.crashes) == intensity + 1
    assert team.workers["b"].join(LIMIT)
    assert team.supervisor.stop(within()) == []


def test_exactly_as_many_crashes_as_allowed_are_survived() -> None:
    """(fault F145)"""
    team = Team({"a": crashing(3)}, intensity=3)
    team.supervisor.start()
    until(lambda: team.states() == {"a": "running"} and team.supervisor.reports()[0].restarts == 3)
    assert team.supervisor.stop(within()) == []
    assert team.gave_up == []


@pytest.mark.parametrize(
    ("strategy", "lives"), [("one_for_one", [1, 2, 1]), ("rest_for_one", [1, 2, 2]), ("all_for_one", [2, 2, 2])]
)
def test_siblings_live_again_as_the_strategy_says(strategy: Strategy, lives: list[int]) -> None:
    crash = threading.Event()

    def fragile(run: WorkerRun) -> None:
        if run.generation == 1:
            crash.wait(LIMIT)
            raise ValueError
        steady(run)

    team = Team({"a": steady, "b": fragile, "c": steady}, strategy)
    team.supervisor.start()
    first = {name: worker.run for name, worker in team.workers.items()}
    crash.set()
    until(lambda: [worker._generation for worker in team.workers.values()] == lives)
    until(lambda: set(team.states().values()) == {"running"})
    for index, name in enumerate(("a", "c")):
        run = first[name]
        assert run is not None
        assert run.is_current is (lives[index * 2] == 1)
    assert team.supervisor.stop(within()) == []


def test_stop_tells_all_in_reverse_order_before_it_waits_for_any() -> None:
    told: list[str] = []
    all_told = threading.Event()

    def body(run: WorkerRun) -> None:
        def note() -> None:
            told.append(run.name)
            if len(told) == 3:
                all_told.set()

        run.stop.on_set(note)
        run.stop.wait(None)
        # Nobody ends before all are told: a stop that waits for each in turn would not get past the first.
        assert all_told.wait(LIMIT)

    team = Team({"a": body, "b": body, "c": body})
    team.supervisor.start()
    until(lambda: all(worker.run and worker.run.stop._wakers for worker in team.workers.values()))
    assert Background(lambda: team.supervisor.stop(within())).result() == []
    assert told == ["c", "b", "a"]


def test_a_worker_that_does_not_end_is_named_within_the_deadline() -> None:
    release = threading.Event()

    def stuck(run: WorkerRun) -> None:
        release.wait(LIMIT)

    team = Team({"stuck": stuck, "good": steady})
    team.supervisor.start()
    assert Background(lambda: team.supervisor.stop(within(0.5))).result() == ["stuck"]
    assert not release.is_set()
    release.set()
    assert team.workers["stuck"].join(LIMIT)
    assert team.crashes == []


def test_stop_during_a_restart_leaves_nobody_alive() -> None:
    for _ in range(20):
        team = Team({"a": crashing(1), "b": steady}, "all_for_one")
        team.supervisor.start()
        assert team.supervisor.stop(within()) == []
        for worker in team.workers.values():
            assert worker.join(LIMIT)


def test_stop_twice_is_the_same_as_once() -> None:
    team = Team({"a": steady})
    team.supervisor.start()
    assert team.supervisor.stop(within()) == []
    assert team.supervisor.stop(within()) == []


def test_a_report_tells_the_age_of_the_last_beat() -> None:
    team = Team({"a": steady})
    assert team.supervisor.reports()[0].beat_age is None
    team.supervisor.start()
    until(lambda: team.supervisor.reports()[0].beat_age is not None)
    age = team.supervisor.reports()[0].beat_age
    assert age is not None
    assert age >= 0
    assert team.supervisor.stop(within()) == []
