"""A worker: one named thread that does one job until it is told to stop."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from exconn_sync._runtime import heartbeat
from exconn_sync._runtime.aside import aside
from exconn_sync._runtime.faultpoints import reach
from exconn_sync._runtime.stop_signal import StopSignal
from exconn_sync._runtime.threads import join, spawn
from exconn_sync.ports.clock import Clock

logger = logging.getLogger("exconn_sync")

_NS = 1_000_000_000
_LONGEST_PROMISE = 1e9


@dataclass(frozen=True)
class WorkerReport:
    """What is known of one worker.

    Attributes:
        name: name of the worker; its thread is called ``exconn-`` and this.
        state: ``running``, ``hung`` (alive, but its sign of life is overdue), ``restarting`` (its next life is due),
            ``failed`` (given up) or ``stopped``.
        restarts: how often it was started again.
        last_error: type and text of the exception that ended its last life but one; empty if there was none.
        beat_age: seconds since its last sign of life, None before the first. A worker that waits says beforehand how
            long it will be silent, so a large age alone means nothing.
        data_age: seconds since it last received anything, None before that.
        group: the group of the supervision tree that it belongs to.
    """

    name: str
    state: str
    restarts: int
    last_error: str
    beat_age: float | None
    data_age: float | None = None
    group: str = ""


@dataclass(frozen=True)
class WorkerExit:
    """A worker's thread ended; ``error`` is None where it returned."""

    name: str
    generation: int
    error: Exception | None


class Alarm:
    """When the next look at the heartbeats is planned, and how to bring it forward.

    ``covers_ns`` is the earliest promise that the planned look comes in time for: a life that promises less wakes the
    supervisor. Written by the supervisor, read by workers.
    """

    def __init__(self, wake: Callable[[], None]) -> None:
        self.covers_ns = 0
        self.wake = wake


class WorkerRun:
    """One life of a worker. Its body looks at ``stop``, and calls ``beat`` at least at every wake-up.

    ``generation`` numbers the lives. A life that was abandoned is no longer current, and nothing it still says may
    have an effect: whoever hands results on asks ``is_current`` first.
    """

    def __init__(self, name: str, generation: int, clock: Clock, alarm: Alarm | None = None) -> None:
        self.name = name
        self.generation = generation
        self.stop = StopSignal()
        self.is_current = True
        self.last_beat_ns: int | None = None
        self.last_data_ns: int | None = None
        self.promise_ns = clock.monotonic_ns()
        self._clock = clock
        self._alarm = alarm
        self._abandoned = StopSignal()

    def beat(self, next_within: float = 0.0) -> None:
        """Say that the worker lives, and that it will say so again within its usual time plus ``next_within`` seconds.

        So a worker that rests for a minute, or asks a question that may take so long, need not wake up only to say so.
        Worker's thread only; cheap.
        """
        now_ns = self._clock.monotonic_ns()
        self.last_beat_ns = now_ns
        promise_ns = now_ns + int(min(next_within, _LONGEST_PROMISE) * _NS) if next_within else now_ns
        self.promise_ns = promise_ns
        alarm = self._alarm
        # The promise is written before the plan is read; the supervisor does the opposite. So one of both sees it.
        if alarm is not None and promise_ns < alarm.covers_ns:
            alarm.wake()

    def note_data(self) -> None:
        """Say that something was received. Worker's thread only; cheap."""
        self.last_data_ns = self._clock.monotonic_ns()

    def on_abandon(self, cut: Callable[[], None]) -> Callable[[], None]:
        """Call ``cut`` when this life is abandoned, at once if it already was; return a function that takes it back.

        For what keeps a hung thread from ending, like an open socket. ``cut`` runs on another thread and must not
        block or take locks.
        """
        guarded = partial(_run_cut, self.name, cut)
        self._abandoned.on_set(guarded)
        return lambda: self._abandoned.forget(guarded)

    def abandon(self) -> None:
        """Declare this life over without its consent: it is told to stop, and what it hangs on is cut."""
        self.is_current = False
        _run_cut(self.name, self.stop.set)
        self._abandoned.set()


Body = Callable[[WorkerRun], None]


class Worker:
    """A body with its current life. Started and stopped by one supervisor."""

    def __init__(self, name: str, body: Body, clock: Clock) -> None:
        self.name = name
        self.restarts = -1
        self.last_error = ""
        self.has_failed = False
        self.run: WorkerRun | None = None
        self._body = body
        self._clock = clock
        self._generation = 0
        self._is_wanted = False
        self._thread: threading.Thread | None = None

    @property
    def thread(self) -> threading.Thread | None:
        """The thread of the current life, or of the last one."""
        return self._thread

    @property
    def is_alive(self) -> bool:
        """True while the thread of the current life runs."""
        return self._thread is not None and self._thread.is_alive()

    def start(self, on_exit: Callable[[WorkerExit], None], alarm: Alarm | None = None) -> None:
        """Begin a new life; ``on_exit`` is called on its thread when it ends.

        Raises:
            RuntimeError: no thread can be started (faults F133, F143); the life counts as begun and failed.
        """
        self._generation += 1
        self.restarts += 1
        self.has_failed = False
        self._is_wanted = True
        self._thread = None
        run = WorkerRun(self.name, self._generation, self._clock, alarm)
        self.run = run
        self._thread = spawn(self.name, lambda: self._live(run, on_exit))

    def _live(self, run: WorkerRun, on_exit: Callable[[WorkerExit], None]) -> None:
        error: Exception | None = None
        heartbeat.enter(run)
        try:
            reach("worker.begin")
            self._body(run)
        except Exception as caught:  # noqa: BLE001 - the supervisor is told of it
            error = caught
        except BaseException as caught:  # noqa: BLE001 - SystemExit ends no worker unnoticed (fault F135)
            error = RuntimeError(f"the worker raised {type(caught).__name__}")
            error.__cause__ = caught
        on_exit(WorkerExit(run.name, run.generation, error))

    def signal(self) -> None:
        """Ask the current life to stop, and expect no other one; returns at once."""
        self._is_wanted = False
        if self.run is not None:
            self.run.stop.set()

    def retire(self) -> None:
        """Declare the current life over: nothing it still says has an effect."""
        if self.run is not None:
            self.run.is_current = False

    def abandon(self) -> threading.Thread | None:
        """Retire the current life, cut what it hangs on and let go of its thread, which is returned if it is alive."""
        if self.run is not None:
            self.run.abandon()
        thread, self._thread = self._thread, None
        return thread if thread is not None and thread.is_alive() else None

    def await_start(self) -> None:
        """Say that another life is planned."""
        self._is_wanted = True

    def note_failure(self, error: Exception) -> None:
        """Keep what ended the current life."""
        self.has_failed = True
        self.last_error = f"{type(error).__name__}: {error}"

    def join(self, timeout: float | None) -> bool:
        """Wait for the current life's end; return whether it has ended."""
        return join(self._thread, timeout)

    def report(self, now_ns: int, hang_timeout: float | None = None, group: str = "") -> WorkerReport:
        """Return what is known of the worker."""
        run = self.run
        beat_age = None if run is None or run.last_beat_ns is None else (now_ns - run.last_beat_ns) / _NS
        data_age = None if run is None or run.last_data_ns is None else (now_ns - run.last_data_ns) / _NS
        state = self._state(now_ns, hang_timeout)
        return WorkerReport(self.name, state, max(self.restarts, 0), self.last_error, beat_age, data_age, group)

    def _state(self, now_ns: int, hang_timeout: float | None) -> str:
        run = self.run
        if run is not None and run.is_current and self.is_alive:
            is_overdue = hang_timeout is not None and now_ns - run.promise_ns >= hang_timeout * _NS
            return "hung" if is_overdue else "running"
        if self._is_wanted:
            return "restarting"
        return "failed" if self.has_failed else "stopped"


def _run_cut(name: str, cut: Callable[[], None]) -> None:
    """Call what cuts a hung worker's waits; what it raises must not end the one who calls it."""
    try:
        cut()
    except Exception as error:  # noqa: BLE001 - it is logged, where need be by another thread
        told = error
        aside(lambda: logger.error("worker %s could not be cut off", name, exc_info=told))
