"""The workers of one supervisor as a table: who is there, whose start is due, who was abandoned."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence

from exconn_sync._machines.deadline import Deadline
from exconn_sync._machines.restart import Decision, Kind
from exconn_sync._machines.supervision import Tree
from exconn_sync._runtime.aside import aside
from exconn_sync._runtime.worker import Alarm, Worker, WorkerExit, WorkerReport, WorkerRun
from exconn_sync.errors import ConnectorStopped, ThreadsUnavailable
from exconn_sync.ports.clock import Clock

logger = logging.getLogger("exconn_sync")

_NS = 1_000_000_000
_RETIRE_WAIT = 1.0
"""Seconds that siblings, all together, get to end by themselves before they are abandoned."""


class Crew:
    """Keeps the tree and the workers together. Thread-safe; once it is closed, no life begins.

    ``on_exit`` is called on a worker's thread when a life ends.
    """

    def __init__(
        self, tree: Tree, workers: Sequence[Worker], clock: Clock, on_exit: Callable[[WorkerExit], None], alarm: Alarm
    ) -> None:
        self._tree = tree
        self._workers = {worker.name: worker for worker in workers}
        if set(self._workers) != set(tree.workers):
            raise ValueError("the workers are not those of the tree")
        self._clock = clock
        self._on_exit = on_exit
        self._alarm = alarm
        # Guards the tree, the tables below, and starting against closing.
        self._lock = threading.Lock()
        self._due: dict[str, int] = {}
        self._abandoned: list[tuple[str, threading.Thread]] = []
        self._is_running = False
        self._is_closed = False

    @property
    def is_closed(self) -> bool:
        """True once no life begins any more."""
        return self._is_closed

    def begin(self) -> None:
        """Start all workers in order; does nothing once closed.

        Raises:
            ThreadsUnavailable: a thread could not be started; those before it run.
        """
        with self._lock:
            if self._is_closed:
                return
            self._is_running = True
            for name in self._tree.workers:
                failure = self._begin_life(self._workers[name])
                if failure is not None:
                    raise failure

    def close(self) -> tuple[bool, list[Worker]]:
        """Begin no life any more; return whether that is new, and all workers, the last one first."""
        with self._lock:
            was_closed, self._is_closed = self._is_closed, True
            self._due.clear()
            return not was_closed, [self._workers[name] for name in reversed(self._tree.workers)]

    def add(self, worker: Worker, group: str | None, kind: Kind) -> None:
        """Add a worker, and start it if the others run. See ``Supervisor.add``."""
        with self._lock:
            if self._is_closed:
                raise ConnectorStopped("the connector is stopped")
            self._tree.add(worker.name, group, kind)
            self._workers[worker.name] = worker
            failure = self._begin_life(worker) if self._is_running else None
            if failure is not None:
                self._tree.remove(worker.name)
                del self._workers[worker.name]
                raise failure

    def remove(self, name: str) -> Worker | None:
        """Forget a worker, whatever it does; return it if there was one."""
        with self._lock:
            self._tree.remove(name)
            self._due.pop(name, None)
            return self._workers.pop(name, None)

    def find(self, ended: WorkerExit) -> Worker | None:
        """Return the worker whose current life has ended; None where that life is of no interest any more."""
        with self._lock:
            worker = self._workers.get(ended.name)
        run = None if worker is None else worker.run
        return worker if run is not None and run.is_current and run.generation == ended.generation else None

    def current(self) -> list[tuple[Worker, WorkerRun]]:
        """Return the workers that are alive as far as is known, with their lives."""
        with self._lock:
            runs = [(worker, worker.run) for worker in self._workers.values()]
        return [(worker, run) for worker, run in runs if run is not None and run.is_current]

    def reports(self, hang_timeout: float | None) -> list[WorkerReport]:
        """Return what is known of each worker, in start order."""
        now_ns = self._clock.monotonic_ns()
        with self._lock:
            known = [(self._workers[name], self._tree.group_of(name)) for name in self._tree.workers]
        return [worker.report(now_ns, hang_timeout, group) for worker, group in known]

    @property
    def alive(self) -> list[str]:
        """Names of the workers whose present threads are alive, in start order."""
        with self._lock:
            workers = [self._workers[name] for name in self._tree.workers]
        return [worker.name for worker in workers if worker.is_alive]

    # --- restarts: for the supervisor's thread ----------------------------------------------------------------------

    def decide(self, worker: Worker, crashed: bool) -> Decision:
        """Return what follows from the end of a worker's life."""
        with self._lock:
            return self._tree.on_exit(worker.name, crashed, self._clock.monotonic_ns())

    def carry_out(self, decision: Decision) -> None:
        """Stop and forget whom the decision says, and note whom to start when."""
        with self._lock:
            for name in decision.stop:
                self._due.pop(name, None)
            siblings = [self._workers[name] for name in decision.stop if name in self._workers]
        self._end(siblings)
        with self._lock:
            for name in decision.forget:
                if not self._tree.is_declared(name):
                    self._workers.pop(name, None)
            if self._is_closed:
                return
            due_ns = self._clock.monotonic_ns() + int(decision.delay * _NS)
            for name in decision.start:
                self._due.pop(name, None)
                if name in self._workers:
                    self._due[name] = due_ns
                    self._workers[name].await_start()

    def next_start(self) -> int | None:
        """Return the moment at which the next start is due."""
        with self._lock:
            return min(self._due.values(), default=None)

    def start_due(self) -> tuple[Worker, ThreadsUnavailable] | None:
        """Start who is due; return the first one that could not be started, and why. Ask again until it is None."""
        with self._lock:
            now_ns = self._clock.monotonic_ns()
            for name in [name for name, due_ns in self._due.items() if due_ns <= now_ns]:
                del self._due[name]
                failure = self._begin_life(self._workers[name])
                if failure is not None:
                    return self._workers[name], failure
        return None

    def _begin_life(self, worker: Worker) -> ThreadsUnavailable | None:
        """Start a worker; return why that failed. The lock is held."""
        try:
            worker.start(self._on_exit, self._alarm)
        except (RuntimeError, MemoryError) as error:
            failure = ThreadsUnavailable(f"worker {worker.name} could not be started: {error}")
            failure.__cause__ = error
            return failure
        return None

    def _end(self, siblings: Sequence[Worker]) -> None:
        """End workers that are restarted along with another one; who does not end soon is abandoned."""
        for worker in siblings:
            worker.signal()
        deadline = Deadline.after(self._clock.monotonic_ns(), _RETIRE_WAIT)
        for worker in siblings:
            if worker.join(deadline.remaining(self._clock.monotonic_ns())):
                worker.retire()
            else:
                self.abandon(worker)

    # --- abandoned threads ------------------------------------------------------------------------------------------

    def abandon(self, worker: Worker) -> None:
        """Go on without a worker's present thread, which is remembered while it lives."""
        thread = worker.abandon()
        if thread is not None:
            aside(lambda: logger.warning("the thread of worker %s is abandoned", worker.name))
            with self._lock:
                self._abandoned.append((worker.name, thread))

    @property
    def abandoned(self) -> list[str]:
        """Names of abandoned workers whose threads are still alive."""
        with self._lock:
            self._abandoned = [(name, thread) for name, thread in self._abandoned if thread.is_alive()]
            return [name for name, _ in self._abandoned]
