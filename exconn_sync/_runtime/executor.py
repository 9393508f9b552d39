"""A bounded pool of daemon threads for work that must not block its asker: futures, snapshots, probes."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, TypeVar

from exconn_sync._machines.deadline import Deadline
from exconn_sync._runtime.threads import join, spawn
from exconn_sync.errors import ConnectorStopped
from exconn_sync.ports.clock import Clock

T = TypeVar("T")


class Executor:
    """Runs tasks on at most ``size`` threads, which start when they are needed.

    ``concurrent.futures.ThreadPoolExecutor`` is not used because its threads are joined at interpreter exit without a
    limit (fault model 0.6). Tasks that did not begin before ``stop`` fail with ConnectorStopped.
    """

    def __init__(self, name: str, size: int, clock: Clock) -> None:
        self._name = name
        self._size = size
        self._clock = clock
        self._tasks: queue.SimpleQueue[tuple[Future[Any], Callable[[], Any]] | None] = queue.SimpleQueue()
        # Guards the list of threads, the number of idle ones and the flag.
        self._lock = threading.Lock()
        self._threads: list[threading.Thread] = []
        self._unserved = 0
        self._stopped = False

    def submit(self, task: Callable[[], T]) -> Future[T]:
        """Run ``task`` on a pool thread; the future gets its result or exception.

        Raises:
            ConnectorStopped: the pool was stopped.
        """
        future: Future[T] = Future()
        with self._lock:
            if self._stopped:
                raise ConnectorStopped("the connector is stopped")
            self._unserved += 1
            grow = self._unserved > len(self._threads) and len(self._threads) < self._size
            if grow:
                self._threads.append(spawn(f"{self._name}-pool-{len(self._threads) + 1}", self._serve))
            # Under the lock, so that stop() cannot empty the queue between the look at the flag and this.
            self._tasks.put((future, task))
        return future

    def stop(self, deadline: Deadline) -> bool:
        """Let running tasks end within the deadline, fail the others; return whether all threads ended."""
        with self._lock:
            self._stopped = True
            threads = list(self._threads)
        self._fail_waiting()
        for _ in threads:
            self._tasks.put(None)
        # A task may stop the connector itself: its own thread ends when the task does.
        others = [thread for thread in threads if thread is not threading.current_thread()]
        # A list, because every one has to be waited for, also after one that did not end.
        ended = [join(thread, deadline.remaining(self._clock.monotonic_ns())) for thread in others]
        return all(ended)

    def _fail_waiting(self) -> None:
        while True:
            try:
                item = self._tasks.get_nowait()
            except queue.Empty:
                return
            if item is not None and item[0].set_running_or_notify_cancel():
                item[0].set_exception(ConnectorStopped("the connector was stopped before this began"))

    def _serve(self) -> None:
        while True:
            item = self._tasks.get()
            if item is None:
                return
            future, task = item
            if future.set_running_or_notify_cancel():
                self._run(future, task)
            with self._lock:
                self._unserved -= 1

    @staticmethod
    def _run(future: Future[Any], task: Callable[[], Any]) -> None:
        try:
            result = task()
        except BaseException as error:  # noqa: BLE001 - it belongs to whoever holds the future
            future.set_exception(error)
        else:
            future.set_result(result)
