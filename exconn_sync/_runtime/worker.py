"""A worker: one named thread that does one job until it is told to stop."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass

from exconn_sync._runtime.stop_signal import StopSignal
from exconn_sync._runtime.threads import join, spawn
from exconn_sync.ports.clock import Clock


@dataclass(frozen=True)
class WorkerReport:
    """What is known of one worker: state (``running``, ``stopped``, ``failed``), restarts, last error and heartbeat.

    ``beat_age`` is in seconds since the worker last said that it lives, None before its first word.
    """

    name: str
    state: str
    restarts: int
    last_error: str
    beat_age: float | None


@dataclass(frozen=True)
class WorkerExit:
    """A worker's thread ended; ``error`` is None where it returned."""

    name: str
    generation: int
    error: Exception | None


class WorkerRun:
    """One life of a worker. Its body looks at ``stop``, and calls ``beat`` at least at every wake-up.

    ``generation`` numbers the lives. A life that was abandoned is no longer current, and nothing it still says may
    have an effect: whoever hands results on asks ``is_current`` first.
    """

    def __init__(self, name: str, generation: int, clock: Clock) -> None:
        self.name = name
        self.generation = generation
        self.stop = StopSignal()
        self.is_current = True
        self.last_beat_ns: int | None = None
        self._clock = clock

    def beat(self) -> None:
        """Say that the worker lives."""
        self.last_beat_ns = self._clock.monotonic_ns()


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
        self._thread: threading.Thread | None = None

    def start(self, on_exit: Callable[[WorkerExit], None]) -> None:
        """Begin a new life; ``on_exit`` is called on its thread when it ends."""
        self._generation += 1
        self.restarts += 1
        self.has_failed = False
        run = WorkerRun(self.name, self._generation, self._clock)
        self.run = run

        def live() -> None:
            error: Exception | None = None
            try:
                self._body(run)
            except Exception as caught:  # noqa: BLE001 - the supervisor is told of it
                error = caught
            except BaseException as caught:  # noqa: BLE001 - SystemExit ends no worker unnoticed (fault F135)
                error = RuntimeError(f"the worker raised {type(caught).__name__}")
                error.__cause__ = caught
            on_exit(WorkerExit(run.name, run.generation, error))

        self._thread = spawn(self.name, live)

    def signal(self) -> None:
        """Ask the current life to stop; returns at once."""
        if self.run is not None:
            self.run.stop.set()

    def retire(self) -> None:
        """Declare the current life over: nothing it still says has an effect."""
        if self.run is not None:
            self.run.is_current = False

    def join(self, timeout: float | None) -> bool:
        """Wait for the current life's end; return whether it has ended."""
        return join(self._thread, timeout)

    def report(self, now_ns: int) -> WorkerReport:
        """Return what is known of the worker."""
        alive = self._thread is not None and self._thread.is_alive()
        state = "running" if alive else "failed" if self.has_failed else "stopped"
        beat = None if self.run is None else self.run.last_beat_ns
        age = None if beat is None else (now_ns - beat) / 1e9
        return WorkerReport(self.name, state, max(self.restarts, 0), self.last_error, age)
