"""Starts again what has given up, each thing by its own count: the root of a ``Hub``.

OTP would count the restarts of all children together. Here they are counted for each by itself, so that one that keeps
failing never ends another.
"""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable
from functools import partial

from exconn_sync._machines.deadline import Deadline
from exconn_sync._machines.supervision import Child, Group, Tree
from exconn_sync._runtime.threads import join, spawn
from exconn_sync.errors import ThreadsUnavailable
from exconn_sync.ports.clock import Clock

logger = logging.getLogger("exconn_sync")

_NS = 1_000_000_000

Failure = tuple[str, Exception]


class Reviver:
    """One thread that sleeps until something failed or a restart is due.

    ``revive`` starts a thing by its name; what it raises counts as a failure too. ``on_give_up`` hears of one that
    failed more than ``intensity`` times within ``period`` seconds, and of its last error. Both run on the reviver's
    thread.
    """

    def __init__(
        self,
        name: str,
        intensity: int,
        period: float,
        clock: Clock,
        revive: Callable[[str], None],
        on_give_up: Callable[[str, Exception], None],
    ) -> None:
        self._name = name
        self._intensity = intensity
        self._period = period
        self._clock = clock
        self._revive = revive
        self._on_give_up = on_give_up
        # Guards starting against stopping.
        self._lock = threading.Lock()
        self._is_told = False
        self._thread: threading.Thread | None = None
        self._failures: queue.SimpleQueue[Failure | None] = queue.SimpleQueue()

    def start(self) -> None:
        """Begin with an empty history; does nothing where it runs.

        Raises:
            ThreadsUnavailable: no thread can be started.
        """
        with self._lock:
            if self._thread is not None and self._thread.is_alive() and not self._is_told:
                return
            # A thread that was told to end, and has not yet, keeps its own queue.
            self._failures = queue.SimpleQueue()
            self._is_told = False
            try:
                self._thread = spawn(self._name, partial(self._serve, self._failures))
            except RuntimeError as error:
                raise ThreadsUnavailable(f"no thread could be started: {error}") from error

    def failed(self, name: str, error: Exception) -> None:
        """Say that a thing has given up; returns at once. Any thread."""
        self._failures.put((name, error))

    def tell_stop(self) -> None:
        """Start nothing any more; returns at once."""
        with self._lock:
            self._is_told = True
            self._failures.put(None)

    def join(self, deadline: Deadline) -> list[str]:
        """Wait for the end after ``tell_stop``; return the name of the thread where it did not end in time."""
        if join(self._thread, deadline.remaining(self._clock.monotonic_ns())):
            return []
        return [self._name] if self._thread is not threading.current_thread() else []

    def _serve(self, failures: queue.SimpleQueue[Failure | None]) -> None:
        trees: dict[str, Tree] = {}
        due: dict[str, int] = {}
        while True:
            try:
                failure = failures.get(timeout=self._until_due(due))
            except queue.Empty:
                for name in [name for name, due_ns in due.items() if due_ns <= self._clock.monotonic_ns()]:
                    del due[name]
                    self._try(name)
                continue
            if failure is None:
                return
            name, error = failure
            tree = trees.setdefault(name, self._tree(name))
            decision = tree.on_exit(name, True, self._clock.monotonic_ns())
            if decision.give_up:
                # Whoever starts it by hand afterwards begins anew.
                del trees[name]
                self._end(name, error)
            else:
                due[name] = self._clock.monotonic_ns() + int(decision.delay * _NS)

    def _end(self, name: str, error: Exception) -> None:
        try:
            self._on_give_up(name, error)
        except Exception:
            logger.critical("%s failed for good, and that could not be told", name, exc_info=True)

    def _tree(self, name: str) -> Tree:
        return Tree(Group("root", "one_for_one", self._intensity, self._period, (Child(name),)))

    def _until_due(self, due: dict[str, int]) -> float | None:
        if not due:
            return None
        return max(min(due.values()) - self._clock.monotonic_ns(), 0) / _NS

    def _try(self, name: str) -> None:
        try:
            self._revive(name)
        except Exception as error:  # noqa: BLE001 - one that cannot be started must not end the others' reviver
            logger.warning("%s could not be started again: %s", name, error)
            self.failed(name, error)
