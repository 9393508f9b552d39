"""The shell around the restart rules: it starts, watches and stops the workers of one connector.

It does not poll: an exit or the stop wakes it. What is to be done about an exit is decided by ``RestartPolicy``.
"""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable, Sequence

from exconn_sync._machines.deadline import Deadline
from exconn_sync._machines.restart import RestartPolicy
from exconn_sync._runtime.threads import join, spawn
from exconn_sync._runtime.worker import Worker, WorkerExit, WorkerReport
from exconn_sync.ports.clock import Clock

logger = logging.getLogger("exconn_sync")

_RETIRE_WAIT = 1.0
"""Seconds a sibling that is restarted along with a crashed worker gets to end by itself before it is abandoned."""


class Supervisor:
    """Keeps workers alive by the rules of its policy, and gives up visibly beyond its intensity.

    ``on_exit`` hears of every crash (worker name, exception), ``on_give_up`` of the end; both run on the supervisor's
    thread and must not block.
    """

    def __init__(
        self,
        name: str,
        policy: RestartPolicy,
        workers: Sequence[Worker],
        clock: Clock,
        on_exit: Callable[[str, Exception], None],
        on_give_up: Callable[[str, Exception], None],
    ) -> None:
        self._name = name
        self._policy = policy
        self._workers = {worker.name: worker for worker in workers}
        self._clock = clock
        self._on_exit = on_exit
        self._on_give_up = on_give_up
        self._exits: queue.SimpleQueue[WorkerExit | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        # Guards starting against stopping: after stop() no worker begins a new life.
        self._lock = threading.Lock()
        self._stopping = False
        for worker in workers:
            policy.add(worker.name)

    def start(self) -> None:
        """Start the workers in order, then watch them."""
        with self._lock:
            for worker in self._workers.values():
                worker.start(self._exits.put)
        self._thread = spawn(f"{self._name}-supervisor", self._watch)

    def stop(self, deadline: Deadline) -> list[str]:
        """Stop all workers in reverse order; return the names of those that did not end in time.

        First all are told, then all are waited for, so that the slowest decides and not the sum.
        """
        with self._lock:
            self._stopping = True
        self._exits.put(None)
        workers = list(reversed(self._workers.values()))
        for worker in workers:
            worker.signal()
        left = [worker.name for worker in workers if not worker.join(self._remaining(deadline))]
        join(self._thread, self._remaining(deadline))
        return left

    def reports(self) -> list[WorkerReport]:
        """Return what is known of each worker, in start order."""
        now_ns = self._clock.monotonic_ns()
        return [worker.report(now_ns) for worker in self._workers.values()]

    def _remaining(self, deadline: Deadline) -> float | None:
        return deadline.remaining(self._clock.monotonic_ns())

    def _watch(self) -> None:
        while True:
            ended = self._exits.get()
            try:
                if ended is None or not self._handle(ended):
                    return
            except Exception:
                # Whoever is told of exits must not end the one who tells; the next exit is handled all the same.
                logger.critical("the supervisor of %s could not handle an exit", self._name, exc_info=True)

    def _handle(self, ended: WorkerExit) -> bool:
        """Act on one exit; return whether there is anything left to watch."""
        worker = self._workers[ended.name]
        if self._stopping or worker.run is None or worker.run.generation != ended.generation:
            return not self._stopping
        if ended.error is not None:
            worker.has_failed = True
            worker.last_error = f"{type(ended.error).__name__}: {ended.error}"
            logger.error("worker %s crashed", ended.name, exc_info=ended.error)
            self._on_exit(ended.name, ended.error)
        decision = self._policy.on_exit(ended.name, ended.error is not None, self._clock.monotonic_ns())
        if decision.give_up:
            cause = ended.error or RuntimeError(f"worker {ended.name} ended without being asked")
            logger.critical("supervisor %s gives up: worker %s keeps failing", self._name, ended.name)
            for other in reversed(self._workers.values()):
                other.signal()
            self._on_give_up(ended.name, cause)
            return False
        self._replace(decision.stop, decision.start)
        return True

    def _replace(self, stop: Sequence[str], start: Sequence[str]) -> None:
        for name in stop:
            self._workers[name].signal()
        for name in stop:
            self._workers[name].join(_RETIRE_WAIT)
            self._workers[name].retire()
        with self._lock:
            if self._stopping:
                return
            for name in start:
                self._workers[name].start(self._exits.put)
