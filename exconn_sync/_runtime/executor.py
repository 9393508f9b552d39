"""A bounded pool of daemon threads for work that must not block its asker: futures, snapshots, probes."""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from enum import IntEnum
from typing import Any, NamedTuple, TypeVar

from exconn_sync._machines.deadline import Deadline
from exconn_sync._runtime.correlation import carried
from exconn_sync._runtime.process import ProcessGuard
from exconn_sync._runtime.threads import join, spawn
from exconn_sync.errors import ConnectorStopped, ExconnError, NotReady, RequestTimeout
from exconn_sync.ports.clock import Clock
from exconn_sync.ports.waiting import Condition

logger = logging.getLogger("exconn_sync")

T = TypeVar("T")

MOST_WAITING = 1000
"""Tasks of one priority that may wait; further ones are refused."""

MOST_DIALLING = 2
"""Connections that are opened at a time, on threads beyond the size of the pool."""


class Priority(IntEnum):
    """What goes first where threads are short (fault F159)."""

    URGENT = 0
    """Cancels and questions about orders: these lessen a risk."""
    DIAL = 1
    """Opening a connection: this has threads of its own, because it may take seconds and must not wait for minutes."""
    NORMAL = 2
    """Placing orders."""
    BULK = 3
    """Large reads, such as snapshots of order books."""


class _Task(NamedTuple):
    future: Future[Any]
    call: Callable[[], Any]
    priority: Priority
    deadline: Deadline


class _GuardedFuture(Future[T]):
    """A future that refuses in a forked child, where no thread will ever finish it and its lock may be held."""

    def __init__(self) -> None:
        super().__init__()
        # Whoever waits for it may be interrupted.
        self._condition = Condition()
        self._guard = ProcessGuard()

    def _check(self) -> None:
        self._guard.check("future", "ask for it again in this process")

    def result(self, timeout: float | None = None) -> T:
        self._check()
        return super().result(timeout)

    def exception(self, timeout: float | None = None) -> BaseException | None:
        self._check()
        return super().exception(timeout)

    def cancel(self) -> bool:
        self._check()
        return super().cancel()

    def cancelled(self) -> bool:
        self._check()
        return super().cancelled()

    def running(self) -> bool:
        self._check()
        return super().running()

    def done(self) -> bool:
        self._check()
        return super().done()

    def add_done_callback(self, fn: Callable[[Future[T]], object]) -> None:
        self._check()
        super().add_done_callback(fn)


class Executor:
    """Runs tasks on at most ``size`` threads, which start when they are needed; the most urgent task goes first.

    Of two or more threads one is kept for urgent tasks, and bulk has at most half of them, so that a cancel never
    waits behind slow reads. Up to two further threads start where connections are to be opened: that waits for no
    other task, and no other task for it.

    A task whose deadline passes before it begins is not run: its future fails with RequestTimeout, outcome
    ``not_sent``.

    ``concurrent.futures.ThreadPoolExecutor`` is not used because its threads are joined at interpreter exit without a
    limit (fault model 0.6). Tasks that did not begin before ``stop`` fail with ConnectorStopped.
    """

    def __init__(self, name: str, size: int, clock: Clock) -> None:
        self._name = name
        self._size = size
        self._clock = clock
        # Guards all of the below. Reentrant, as is every lock that a finaliser may want (fault F153).
        self._changed = Condition(threading.RLock())
        self._waiting: dict[Priority, deque[_Task]] = {priority: deque() for priority in Priority}
        self._running = dict.fromkeys(Priority, 0)
        self._threads: list[threading.Thread] = []
        self._unserved = 0
        self._refuses = False
        self._stopped = False

    @property
    def most_bulk(self) -> int:
        """How many tasks of the lowest priority run at a time at most."""
        return max(1, self._size // 2)

    def submit(
        self, task: Callable[[], T], *, priority: Priority = Priority.NORMAL, deadline: Deadline | None = None
    ) -> Future[T]:
        """Run ``task`` on a pool thread; the future gets its result or exception.

        The future fails with NotReady, outcome ``not_sent``, where 1,000 tasks of this priority are waiting.

        Raises:
            ConnectorStopped: the pool was stopped.
        """
        future: Future[T] = _GuardedFuture()
        with self._changed:
            if self._stopped or self._refuses:
                raise ConnectorStopped("the connector is stopped", outcome="not_sent")
            waiting = self._waiting[priority]
            is_full = len(waiting) >= MOST_WAITING
            if not is_full:
                self._unserved += 1
                waiting.append(_Task(future, carried(task), priority, deadline or Deadline(None)))
                if self._unserved > len(self._threads) and len(self._threads) < self._most_threads():
                    self._grow(waiting)
                # All, because not every idle thread may take it: each looks whether it is for one of them.
                self._changed.notify_all()
        if is_full:
            future.set_exception(NotReady(f"{MOST_WAITING} tasks are waiting for a thread of the pool"))
        return future

    def _most_threads(self) -> int:
        dials = len(self._waiting[Priority.DIAL]) + self._running[Priority.DIAL]
        return self._size + min(dials, MOST_DIALLING)

    def _grow(self, waiting: deque[_Task]) -> None:
        try:
            self._threads.append(spawn(f"{self._name}-pool-{len(self._threads) + 1}", self._serve))
        except RuntimeError as error:
            # Python starts no more threads: too many, or the program is ending (faults F133 and F143).
            if not self._threads:
                waiting.pop()
                self._unserved -= 1
                raise ConnectorStopped(f"no thread can be started: {error}", outcome="not_sent") from error

    def refuse(self) -> None:
        """Begin no task any more; those that wait fail, on threads of the pool. Returns at once."""
        with self._changed:
            self._refuses = True
            self._changed.notify_all()

    def stop(self, deadline: Deadline) -> bool:
        """Let running tasks end within the deadline, fail the others; return whether all threads ended."""
        with self._changed:
            self._stopped = True
            threads = list(self._threads)
            tasks = [task for waiting in self._waiting.values() for task in waiting]
            for waiting in self._waiting.values():
                waiting.clear()
            self._changed.notify_all()
        for task in tasks:
            _fail(task, _not_begun())
        # A task may stop the connector itself: its own thread ends when the task does.
        others = [thread for thread in threads if thread is not threading.current_thread()]
        # A list, because every one has to be waited for, also after one that did not end.
        ended = [join(thread, deadline.remaining(self._clock.monotonic_ns())) for thread in others]
        return all(ended)

    def _serve(self) -> None:
        for task, obstacle in iter(self._next, None):
            try:
                if obstacle is not None:
                    _fail(task, obstacle)
                elif task.future.set_running_or_notify_cancel():
                    _run(task)
            except BaseException as error:
                logger.error("a function of a future raised %s", type(error).__name__, exc_info=error)
            with self._changed:
                self._unserved -= 1
                if obstacle is None:
                    self._running[task.priority] -= 1
                self._changed.notify_all()

    def _next(self) -> tuple[_Task, ExconnError | None] | None:
        """Wait for a task; return it and what stands in its way, or None at the stop."""
        with self._changed:
            while not self._stopped:
                now = self._clock.monotonic_ns()
                late = next((task for task in self._all_waiting() if task.deadline.is_over(now)), None)
                if late is not None:
                    self._waiting[late.priority].remove(late)
                    text = "no thread of the pool was free within the deadline"
                    return late, RequestTimeout(text, outcome="not_sent")
                refused = next(self._all_waiting(), None) if self._refuses else None
                if refused is not None:
                    self._waiting[refused.priority].remove(refused)
                    return refused, _not_begun()
                for priority in Priority:
                    if self._waiting[priority] and self._may_run(priority):
                        self._running[priority] += 1
                        return self._waiting[priority].popleft(), None
                limits = [task.deadline.remaining(now) for task in self._all_waiting()]
                self._changed.wait(min((limit for limit in limits if limit is not None), default=None))
            return None

    def _all_waiting(self) -> Iterator[_Task]:
        for waiting in self._waiting.values():
            yield from waiting

    def _may_run(self, priority: Priority) -> bool:
        dials, bulk = self._running[Priority.DIAL], self._running[Priority.BULK]
        if priority is Priority.DIAL:
            return dials < MOST_DIALLING
        if sum(self._running.values()) - dials >= self._size:
            return False
        if priority is Priority.URGENT:
            return True
        if bulk + self._running[Priority.NORMAL] >= max(1, self._size - 1):
            return False
        return priority is Priority.NORMAL or bulk < self.most_bulk


def _run(task: _Task) -> None:
    try:
        result = task.call()
    except BaseException as error:  # noqa: BLE001 - it belongs to whoever holds the future
        task.future.set_exception(error)
    else:
        task.future.set_result(result)


def _not_begun() -> ConnectorStopped:
    return ConnectorStopped("the connector was stopped before this began", outcome="not_sent")


def _fail(task: _Task, error: ExconnError) -> None:
    if task.future.set_running_or_notify_cancel():
        task.future.set_exception(error)
