"""Starts that are due and what takes them back, with real threads."""

from __future__ import annotations

import queue
import threading

from exconn_sync._machines.deadline import Deadline
from exconn_sync._machines.supervision import Child, Group, Tree
from exconn_sync._runtime.crew import Crew
from exconn_sync._runtime.supervisor import Supervisor
from exconn_sync._runtime.worker import Alarm, Worker, WorkerExit, WorkerRun
from exconn_sync.ports.clock import SystemClock
from tests.unit.support import LIMIT, until

CLOCK = SystemClock()


def crash(run: WorkerRun) -> None:
    raise ValueError(run.generation)


def rest(run: WorkerRun) -> None:
    run.beat(1000.0)
    run.stop.wait(None)


def crew_with_a_start_due() -> tuple[Crew, Worker]:
    """Return a crew whose only worker has crashed and is to be started at once."""
    worker, exits = Worker("a", crash, CLOCK), queue.SimpleQueue[WorkerExit]()
    tree = Tree(Group("root", "one_for_one", 10, 60, (Child("a"),)), 0.0, 0.0)
    crew = Crew(tree, [worker], CLOCK, exits.put, Alarm(lambda: None))
    crew.begin()
    assert crew.find(exits.get(timeout=LIMIT)) is worker
    crew.carry_out(crew.decide(worker, True))
    assert crew.next_start() is not None
    return crew, worker


def test_nobody_begins_another_life_once_it_is_closed() -> None:
    """Also who was about to (fault F146)."""
    crew, worker = crew_with_a_start_due()
    crew.close()
    assert crew.next_start() is None
    assert crew.start_due() is None
    assert worker.restarts == 0


def test_a_start_of_one_that_is_removed_is_forgotten() -> None:
    """It must not be the end of the others either."""
    crew, worker = crew_with_a_start_due()
    assert crew.remove("a") is worker
    assert crew.next_start() is None
    assert crew.start_due() is None
    assert worker.restarts == 0


def test_one_that_is_added_and_hangs_at_once_is_noticed() -> None:
    """Its first sign of life is waited for, however far away the others' next ones are (fault F144)."""
    go_on, hung = threading.Event(), threading.Event()

    def hang(run: WorkerRun) -> None:
        go_on.wait(2 * LIMIT)

    tree = Tree(Group("root", "one_for_one", 10, 60, (Child("a"),)), 1000.0, 1000.0)
    made = Supervisor(
        "test", tree, [Worker("a", rest, CLOCK)], CLOCK, lambda name, error: None, lambda name, error: None,
        hang_timeout=0.1, on_hang=lambda name, error: hung.set(),
    )  # fmt: skip
    made.start()
    try:
        until(lambda: made._alarm.covers_ns - CLOCK.monotonic_ns() > 500_000_000_000)
        made.add(Worker("b", hang, CLOCK))
        assert hung.wait(LIMIT)
    finally:
        go_on.set()
        made.stop(Deadline.after(CLOCK.monotonic_ns(), LIMIT))


def test_after_a_stop_no_thread_is_started() -> None:
    tree = Tree(Group("root", "one_for_one", 10, 60, (Child("a"),)))
    worker = Worker("a", rest, CLOCK)
    made = Supervisor("test", tree, [worker], CLOCK, lambda name, error: None, lambda name, error: None)
    assert made.stop(Deadline.after(CLOCK.monotonic_ns(), LIMIT)) == []
    made.start()
    assert made._thread is None
    assert worker.thread is None
