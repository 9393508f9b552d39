"""The pool: bounded, and every future ends."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from exconn_sync._machines.deadline import Deadline
from exconn_sync._runtime.executor import Executor
from exconn_sync.errors import ConnectorStopped
from exconn_sync.ports.clock import SystemClock
from tests.unit.support import LIMIT, Background, until

CLOCK = SystemClock()


def within(seconds: float = LIMIT) -> Deadline:
    return Deadline.after(CLOCK.monotonic_ns(), seconds)


def test_it_runs_as_many_tasks_at_once_as_it_may_and_no_more() -> None:
    executor = Executor("test", 3, CLOCK)
    lock, release = threading.Lock(), threading.Event()
    running, most = 0, 0

    def task() -> None:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        release.wait(LIMIT)
        with lock:
            running -= 1

    futures = [executor.submit(task) for _ in range(10)]
    until(lambda: running == 3)
    release.set()
    for future in futures:
        future.result(LIMIT)
    assert most == 3
    assert executor.stop(within())


def test_threads_start_when_they_are_needed_and_serve_again() -> None:
    executor = Executor("test", 4, CLOCK)
    before = threading.active_count()
    names = set()
    for _ in range(20):
        names.add(executor.submit(lambda: threading.current_thread().name).result(LIMIT))
        until(lambda: executor._unserved == 0)
    assert names == {"exconn-test-pool-1"}
    assert threading.active_count() == before + 1
    assert executor.stop(within())


@pytest.mark.parametrize("error", [ValueError("no"), KeyboardInterrupt(), SystemExit(3)])
def test_an_exception_goes_to_whoever_asked(error: BaseException) -> None:
    executor = Executor("test", 1, CLOCK)

    def fail() -> None:
        raise error

    assert executor.submit(fail).exception(LIMIT) is error
    assert executor.submit(lambda: 7).result(LIMIT) == 7
    assert executor.stop(within())


def test_stop_lets_the_running_end_and_fails_the_waiting() -> None:
    executor = Executor("test", 1, CLOCK)
    began, release = threading.Event(), threading.Event()

    def task() -> str:
        began.set()
        release.wait(LIMIT)
        return "done"

    running = executor.submit(task)
    waiting = executor.submit(lambda: "never")
    assert began.wait(LIMIT)
    stopper = Background(lambda: executor.stop(within()))
    with pytest.raises(ConnectorStopped):
        waiting.result(LIMIT)
    release.set()
    assert stopper.result() is True
    assert running.result(0) == "done"
    with pytest.raises(ConnectorStopped):
        executor.submit(lambda: 1)


def test_stop_does_not_wait_beyond_its_deadline() -> None:
    executor = Executor("test", 1, CLOCK)
    began, release = threading.Event(), threading.Event()

    def task() -> bool:
        began.set()
        return release.wait(LIMIT)

    future = executor.submit(task)
    assert began.wait(LIMIT)
    assert Background(lambda: executor.stop(within(0.02))).result() is False
    release.set()
    assert future.result(LIMIT) is True


def test_a_task_may_stop_its_own_pool() -> None:
    executor = Executor("test", 1, CLOCK)
    assert executor.submit(lambda: executor.stop(within())).result(LIMIT) is True


def test_a_cancelled_task_does_not_run() -> None:
    executor = Executor("test", 1, CLOCK)
    release = threading.Event()
    ran: list[int] = []
    executor.submit(lambda: release.wait(LIMIT))
    future = executor.submit(lambda: ran.append(1))
    assert future.cancel()
    release.set()
    assert executor.submit(lambda: 2).result(LIMIT) == 2
    assert ran == []
    assert executor.stop(within())


def test_a_task_that_meets_the_stop_ends_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    executor = Executor("test", 1, CLOCK)
    executor.submit(lambda: None).result(LIMIT)
    tasks = executor._tasks
    stoppers: list[Background] = []

    class Slow:
        """Between the decision to take a task and its arrival in the queue, somebody stops the pool."""

        def put(self, item: Any) -> None:
            if item is not None:
                stoppers.append(Background(lambda: executor.stop(within())))
                stoppers[0]._thread.join(0.1)
            tasks.put(item)

        def __getattr__(self, name: str) -> Any:
            return getattr(tasks, name)

    monkeypatch.setattr(executor, "_tasks", Slow())
    future = executor.submit(lambda: 7)
    assert future.exception(LIMIT) is None or isinstance(future.exception(), ConnectorStopped)
    stoppers[0].result()
