"""The shell around the supervision tree: it starts, watches, restarts and stops the workers of one connector.

One thread serves the whole tree. It does not poll: it sleeps until a worker ends, a restart is due, a heartbeat is
overdue, or the stop. What is to be done is decided by ``Tree`` and ``Watchdog``.
"""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable, Sequence

from exconn_sync._machines.deadline import Deadline
from exconn_sync._machines.restart import Kind
from exconn_sync._machines.supervision import Tree
from exconn_sync._machines.watchdog import Watchdog
from exconn_sync._runtime.aside import Aside, aside
from exconn_sync._runtime.crew import Crew
from exconn_sync._runtime.faultpoints import reach
from exconn_sync._runtime.thread_dump import stack_of
from exconn_sync._runtime.threads import join, spawn
from exconn_sync._runtime.worker import Alarm, Worker, WorkerExit, WorkerReport, WorkerRun
from exconn_sync.errors import ThreadsUnavailable, WorkerHung
from exconn_sync.ports.clock import Clock

logger = logging.getLogger("exconn_sync")

START_LIMIT = 5.0
"""Seconds in which the supervisor's own thread must give a sign (fault F127)."""
MOST_ABANDONED = 5
"""Abandoned threads that may be alive at the same time (fault F144)."""

_NS = 1_000_000_000
_LET_GO = 1.0
"""Seconds that threads get to end after a start that failed."""
_LONGEST_SLEEP = 1e6
_NO_THREADS = "threads do not run in this process; under uWSGI, for example, pass --enable-threads"


class Supervisor:
    """Keeps workers alive by the rules of its tree, and gives up visibly beyond its intensity.

    ``on_exit`` hears of every crash (worker name, exception), ``on_hang`` before that of one that hung, ``on_give_up``
    of the end, once; all run on the supervisor's thread and must not block.

    Args:
        name: part of the name of its thread.
        tree: which workers there are; belongs to the supervisor from now on.
        workers: one for each name in the tree.
        clock: where time is read.
        hang_timeout: seconds without a sign of life, beyond what the worker announced, after which it is abandoned;
            None for never.
    """

    def __init__(
        self,
        name: str,
        tree: Tree,
        workers: Sequence[Worker],
        clock: Clock,
        on_exit: Callable[[str, Exception], None],
        on_give_up: Callable[[str, Exception], None],
        *,
        hang_timeout: float | None = None,
        on_hang: Callable[[str, WorkerHung], None] | None = None,
    ) -> None:
        self._name = name
        self._clock = clock
        self._on_exit = on_exit
        self._on_give_up = on_give_up
        self._on_hang = on_hang
        self._hang_timeout = hang_timeout
        self._watchdog = None if hang_timeout is None else Watchdog(hang_timeout)
        self._events: queue.SimpleQueue[WorkerExit | None] = queue.SimpleQueue()
        self._alarm = Alarm(self._wake)
        self._crew = Crew(tree, workers, clock, self._events.put, self._alarm)
        self._aside = Aside(f"{name}-supervisor-log")
        self._has_begun = threading.Event()
        # Guards the start of the thread against the stop.
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._is_stopped = False

    # --- from any thread --------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Start the workers in order and watch them; does nothing after a stop.

        Raises:
            ThreadsUnavailable: a thread could not be started, or does not run; nothing is left running.
        """
        try:
            self._begin_thread()
            # Not under a lock: a stop must get through meanwhile.
            if self._thread is not None and not self._has_begun.wait(START_LIMIT):
                raise ThreadsUnavailable(_NO_THREADS)
            self._crew.begin()
        except ThreadsUnavailable:
            self.stop(Deadline.after(self._clock.monotonic_ns(), _LET_GO))
            raise
        self._wake()

    def signal(self) -> None:
        """Tell all workers to stop, in reverse order; returns at once. No worker begins a new life afterwards."""
        self._signal_all()

    def _signal_all(self) -> list[Worker]:
        with self._lock:
            self._is_stopped = True
        _, workers = self._crew.close()
        self._wake()
        for worker in workers:
            worker.signal()
        return workers

    def stop(self, deadline: Deadline) -> list[str]:
        """Stop all workers in reverse order; return the names of those that did not end in time.

        First all are told, then all are waited for, so that the slowest decides and not the sum. Abandoned ones are
        not waited for, but named while they live.
        """
        workers = self._signal_all()
        left = [worker.name for worker in workers if not worker.join(self._remaining(deadline))]
        if not join(self._thread, self._remaining(deadline)) and self._thread is not threading.current_thread():
            left.append(f"{self._name}-supervisor")
        if not self._aside.join(self._remaining(deadline)):
            left.append(f"{self._name}-supervisor-log")
        return left + self.abandoned

    def add(self, worker: Worker, group: str | None = None, kind: Kind = "permanent") -> None:
        """Add a worker at the end of a group (None: the root), and start it if the others run.

        It is not part of what its group was declared with: when the group is started again, it is forgotten.

        Raises:
            ValueError: the name is taken, or no such group.
            ConnectorStopped: stopped, or given up.
            ThreadsUnavailable: no thread can be started; nothing was added.
        """
        self._crew.add(worker, group, kind)
        # Its heartbeat may be due before the look that is planned.
        self._wake()

    def remove(self, name: str, deadline: Deadline) -> bool:
        """Stop a worker and forget it; return whether its thread ended. One that did not is abandoned."""
        worker = self._crew.remove(name)
        if worker is None:
            return True
        worker.signal()
        has_ended = worker.join(self._remaining(deadline))
        if has_ended or worker.thread is threading.current_thread():
            worker.retire()
        else:
            self._crew.abandon(worker)
        return has_ended

    @property
    def abandoned(self) -> list[str]:
        """Names of abandoned workers whose threads are still alive."""
        return self._crew.abandoned

    @property
    def alive(self) -> list[str]:
        """Names of the workers whose threads are alive, abandoned ones among them."""
        return self._crew.alive + self.abandoned

    def reports(self) -> list[WorkerReport]:
        """Return what is known of each worker, in start order."""
        return self._crew.reports(self._hang_timeout)

    def _begin_thread(self) -> None:
        with self._lock:
            if self._is_stopped:
                return
            try:
                self._thread = spawn(f"{self._name}-supervisor", self._supervise)
            except (RuntimeError, MemoryError) as error:
                raise ThreadsUnavailable(f"no thread could be started: {error}") from error

    def _wake(self) -> None:
        self._events.put(None)

    def _remaining(self, deadline: Deadline) -> float | None:
        return deadline.remaining(self._clock.monotonic_ns())

    # --- on the supervisor's thread ---------------------------------------------------------------------------------

    def _supervise(self) -> None:
        # Nobody watches this thread: no log handler and no metrics sink may hold it up.
        self._aside.enter()
        self._has_begun.set()
        try:
            while not self._crew.is_closed:
                self._turn()
        except BaseException as error:  # noqa: BLE001 - workers without supervision must not go unnoticed (fault F146)
            cause = error if isinstance(error, Exception) else RuntimeError(f"it raised {type(error).__name__}")
            self._give_up("supervisor", cause)

    def _turn(self) -> None:
        """Sleep until something is to be done, and do it."""
        planned_ns = self._plan()
        ended = self._await_events(planned_ns)
        reach("supervisor.turn")
        if self._watchdog is not None:
            self._watchdog.woke(self._clock.monotonic_ns(), planned_ns)
        for each in ended:
            worker = self._crew.find(each)
            if worker is not None:
                self._ended(worker, each.error)
        while (unstarted := self._crew.start_due()) is not None:
            self._ended(*unstarted)
        self._look_at_all()

    def _plan(self) -> int | None:
        """Return the moment at which the next thing is due, None where nothing is."""
        while True:
            due_ns = self._next_moment()
            if due_ns is None:
                return None
            planned_ns = max(due_ns, self._clock.monotonic_ns())
            if self._hang_timeout is None:
                return planned_ns
            self._alarm.covers_ns = planned_ns - int(self._hang_timeout * _NS)
            # A heartbeat that came before this was written has compared itself with the old plan.
            again_ns = self._next_moment()
            if again_ns is not None and again_ns >= due_ns:
                return planned_ns

    def _next_moment(self) -> int | None:
        start_ns = self._crew.next_start()
        moments = [] if start_ns is None else [start_ns]
        if self._watchdog is not None:
            moments += [self._watchdog.next_look(run, run.promise_ns) for _, run in self._crew.current()]
        return min(moments, default=None)

    def _await_events(self, planned_ns: int | None) -> list[WorkerExit]:
        timeout = None
        if planned_ns is not None:
            timeout = min(max(planned_ns - self._clock.monotonic_ns(), 0) / _NS, _LONGEST_SLEEP)
        try:
            events = [self._events.get(timeout=timeout)]
        except queue.Empty:
            return []
        # Nobody else takes from the queue, so what is there cannot vanish.
        while not self._events.empty():
            events.append(self._events.get())
        return [event for event in events if event is not None]

    def _ended(self, worker: Worker, error: Exception | None) -> None:
        """Act on the end of a worker's life, or on a start that failed."""
        if self._crew.is_closed:
            return
        worker.retire()
        if self._watchdog is not None:
            self._watchdog.forget(worker.run)
        if error is not None:
            worker.note_failure(error)
            told = error
            aside(lambda: logger.error("worker %s crashed", worker.name, exc_info=told))
            _guarded(lambda: self._on_exit(worker.name, told))
        decision = self._crew.decide(worker, error is not None)
        if not decision.give_up:
            self._crew.carry_out(decision)
        if decision.give_up or len(self.abandoned) > MOST_ABANDONED:
            self._give_up(worker.name, error or RuntimeError(f"worker {worker.name} ended without being asked"))

    def _look_at_all(self) -> None:
        if self._watchdog is None:
            return
        for worker, run in self._crew.current():
            # One that was replaced along with another one is not current any more.
            is_hung = run.is_current and self._watchdog.is_hung(run, run.promise_ns, self._clock.monotonic_ns())
            if is_hung and not self._crew.is_closed:
                self._replace(worker, run)

    def _replace(self, worker: Worker, run: WorkerRun) -> None:
        if not worker.is_alive:
            # It ended before it could say so.
            self._ended(worker, RuntimeError(f"the thread of worker {worker.name} ended without a word"))
            return
        silence = (self._clock.monotonic_ns() - (run.last_beat_ns or run.promise_ns)) / _NS
        text = f"worker {worker.name} gave no sign of life for {silence:.1f} s"
        error = WorkerHung(text, details={"stack": stack_of(worker.thread)})
        self._crew.abandon(worker)
        on_hang = self._on_hang
        if on_hang is not None:
            _guarded(lambda: on_hang(worker.name, error))
        self._ended(worker, error)

    def _give_up(self, worker: str, cause: Exception) -> None:
        is_new, workers = self._crew.close()
        if not is_new:
            return
        try:
            for each in workers:
                _guarded(each.signal)
            aside(lambda: logger.critical("supervisor %s gives up on %s", self._name, worker, exc_info=cause))
        finally:
            _guarded(lambda: self._on_give_up(worker, cause))


def _guarded(call: Callable[[], None]) -> None:
    """Call what must not end the supervisor, whatever it raises."""
    try:
        call()
    except Exception as error:  # noqa: BLE001 - it is logged, by another thread
        told = error
        aside(lambda: logger.critical("a supervisor could not tell what happened", exc_info=told))
