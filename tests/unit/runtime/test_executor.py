"""The pool: bounded, and every future ends."""

from __future__ import annotations

import queue
import threading
from concurrent.futures import Future
from functools import partial

import pytest

from exconn_sync._machines.deadline import Deadline
from exconn_sync._runtime.executor import Executor, Priority
from exconn_sync.errors import ConnectorStopped, NotReady, RequestTimeout
from exconn_sync.ports.clock import SystemClock
from tests.unit.support import LIMIT, Background, in_threads, until

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

    futures = [executor.submit(task, priority=Priority.URGENT) for _ in range(10)]
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


def test_submitting_while_the_pool_stops_ends_every_future() -> None:
    for _ in range(20):
        executor = Executor("test", 2, CLOCK)
        futures: list[Future[int]] = []

        def submit(index: int, executor: Executor = executor, futures: list[Future[int]] = futures) -> None:
            if index == 0:
                assert executor.stop(within())
                return
            try:
                futures.append(executor.submit(lambda: index))
            except ConnectorStopped:
                futures.append(Future())
                futures[-1].set_result(index)

        in_threads(4, submit)
        for future in futures:
            assert future.exception(LIMIT) is None or isinstance(future.exception(), ConnectorStopped)
        assert len(futures) == 3


class Blocked:
    """A pool of which some threads are held by slow tasks."""

    def __init__(self, size: int) -> None:
        self.executor = Executor("test", size, CLOCK)
        self.release = threading.Event()
        self.running = threading.Semaphore(0)

    def hold(self, count: int, priority: Priority) -> None:
        for _ in range(count):
            self.executor.submit(self._wait, priority=priority)

    def has_begun(self, count: int) -> None:
        for _ in range(count):
            assert self.running.acquire(timeout=LIMIT)

    def _wait(self) -> None:
        self.running.release()
        self.release.wait(LIMIT)

    def end(self) -> None:
        self.release.set()
        assert self.executor.stop(within())


def test_a_cancel_never_waits_behind_slow_reads_and_orders() -> None:
    """Fault F159."""
    pool = Blocked(4)
    pool.hold(20, Priority.BULK)
    pool.has_begun(2)
    assert pool.executor.submit(lambda: "placed").result(LIMIT) == "placed"
    pool.hold(20, Priority.NORMAL)
    pool.has_begun(1)
    assert pool.executor.submit(lambda: "cancelled", priority=Priority.URGENT).result(LIMIT) == "cancelled"
    assert not pool.running.acquire(timeout=0.01), "one thread is kept"
    pool.end()


def test_a_connection_is_opened_however_much_waits_and_takes_nothing_from_it() -> None:
    """Neither behind orders nor in the place of a cancel (faults F044, F159)."""
    pool = Blocked(4)
    pool.hold(20, Priority.NORMAL)
    pool.has_begun(3)
    pool.hold(3, Priority.DIAL)
    pool.has_begun(2)
    assert pool.executor.submit(lambda: "cancelled", priority=Priority.URGENT).result(LIMIT) == "cancelled"
    pool.hold(20, Priority.URGENT)
    pool.has_begun(1)
    assert not pool.running.acquire(timeout=0.01), "the third connection waits, and so does everything else"
    assert len(pool.executor._threads) == 6
    pool.end()


def test_a_connection_is_opened_while_only_urgent_tasks_run() -> None:
    """Fault F159."""
    pool = Blocked(2)
    pool.hold(10, Priority.URGENT)
    pool.has_begun(2)
    assert pool.executor.submit(lambda: "open", priority=Priority.DIAL).result(LIMIT) == "open"
    until(lambda: not pool.executor._running[Priority.DIAL])
    assert not pool.running.acquire(timeout=0.01), "its thread is not for others"
    pool.end()


def test_the_most_urgent_goes_first_and_equals_in_their_order() -> None:
    """Fault F159."""
    pool = Blocked(1)
    pool.hold(1, Priority.URGENT)
    pool.has_begun(1)
    order: list[str] = []
    plan = [("b1", Priority.BULK), ("n1", Priority.NORMAL), ("u1", Priority.URGENT), ("b2", Priority.BULK)]
    plan += [("u2", Priority.URGENT), ("n2", Priority.NORMAL)]
    futures = [pool.executor.submit(partial(order.append, name), priority=priority) for name, priority in plan]
    pool.release.set()
    for future in futures:
        future.result(LIMIT)
    assert order == ["u1", "u2", "n1", "n2", "b1", "b2"]
    pool.end()


def test_waiting_counts_against_the_deadline() -> None:
    """Fault F159."""
    pool = Blocked(2)
    pool.hold(1, Priority.NORMAL)
    pool.has_begun(1)
    ran: list[int] = []
    futures = [
        pool.executor.submit(lambda: ran.append(1), priority=priority, deadline=within(0.03))
        for priority in (Priority.BULK, Priority.NORMAL)
    ]
    for future in futures:
        # The thread that is kept for urgent tasks tells it at the deadline, while the other is still busy.
        error = future.exception(LIMIT)
        assert isinstance(error, RequestTimeout)
        assert error.outcome == "not_sent"
    pool.hold(1, Priority.URGENT)
    pool.has_begun(1)
    late = pool.executor.submit(lambda: ran.append(1), priority=Priority.URGENT, deadline=within(0))
    pool.release.set()
    assert isinstance(late.exception(LIMIT), RequestTimeout)
    assert ran == []
    pool.end()


def test_no_more_may_wait_than_there_is_room_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fault F159."""
    monkeypatch.setattr("exconn_sync._runtime.executor.MOST_WAITING", 3)
    pool = Blocked(1)
    pool.hold(1, Priority.NORMAL)
    pool.has_begun(1)
    waiting = [pool.executor.submit(lambda: 1, priority=Priority.BULK) for _ in range(3)]
    refused = pool.executor.submit(lambda: 1, priority=Priority.BULK).exception(0)
    assert isinstance(refused, NotReady)
    assert refused.outcome == "not_sent"
    urgent = pool.executor.submit(lambda: 2, priority=Priority.URGENT)
    pool.release.set()
    assert urgent.result(LIMIT) == 2
    assert [future.result(LIMIT) for future in waiting] == [1, 1, 1]
    pool.end()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_function_of_a_future_that_ends_its_thread_costs_none() -> None:
    """A SystemExit there would take one of eight threads for good (fault F135)."""
    executor = Executor("test", 2, CLOCK)
    go = threading.Event()

    def leave(_: Future[bool]) -> None:
        raise SystemExit(3)

    for _ in range(4):
        go.clear()
        future = executor.submit(lambda: go.wait(LIMIT))
        future.add_done_callback(leave)
        go.set()
        assert future.result(LIMIT)
        until(lambda: executor._unserved == 0)
    assert executor.submit(lambda: 7, deadline=within()).result(LIMIT) == 7
    assert executor.stop(within())


def test_a_task_that_came_too_late_gives_its_kind_no_second_thread() -> None:
    """One thread stays free for what is urgent (fault F159)."""
    executor = Executor("test", 2, CLOCK)
    begun, release = queue.SimpleQueue[int](), threading.Event()

    def read() -> None:
        begun.put(1)
        release.wait(LIMIT)

    late = [executor.submit(lambda: None, priority=Priority.BULK, deadline=within(-1)) for _ in range(3)]
    for future in late:
        assert isinstance(future.exception(LIMIT), RequestTimeout)
    until(lambda: executor._unserved == 0)
    reads = [executor.submit(read, priority=Priority.BULK) for _ in range(3)]
    for _ in range(20):
        executor.submit(lambda: None, priority=Priority.URGENT).result(LIMIT)
    assert begun.qsize() <= 1
    release.set()
    for each in reads:
        each.result(LIMIT)
    assert executor.stop(within())


def test_a_task_for_which_no_thread_could_be_started_is_waited_for_by_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    """Later ones need no second thread for it (fault F143)."""
    executor = Executor("test", 4, CLOCK)

    def refuse(name: str, target: object) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patched:
        patched.setattr("exconn_sync._runtime.executor.spawn", refuse)
        with pytest.raises(ConnectorStopped):
            executor.submit(lambda: None)
    for _ in range(5):
        executor.submit(lambda: None).result(LIMIT)
        until(lambda: not any(executor._running.values()))
    assert len(executor._threads) == 1
    assert executor.stop(within())
