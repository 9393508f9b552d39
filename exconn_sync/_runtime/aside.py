"""Calls of user code (log handlers, metrics sinks) that must not hold up a thread which may never be held up.

A handler that writes to a full pipe blocks whoever logs. For a worker that is found out by its supervisor; the
supervisor itself has nobody above it. So what a supervisor has to say is said by another thread, which lives as long as
there is something to say (fault F144).
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable

from exconn_sync._runtime.correlation import carried
from exconn_sync._runtime.threads import join, spawn

logger = logging.getLogger("exconn_sync")

MOST_WAITING = 1000
"""Calls that wait behind one that blocks; further ones are dropped, and their number is logged."""

_here = threading.local()


class Aside:
    """Makes calls in order on a thread of its own, which ends when there are none. Thread-safe; never blocks."""

    def __init__(self, name: str) -> None:
        self._name = name
        # Guards the fields below; no call is made under it.
        self._lock = threading.Lock()
        self._waiting: deque[Callable[[], None]] = deque()
        self._thread: threading.Thread | None = None
        self._dropped = 0

    def enter(self) -> None:
        """Say that the present thread must not be held up: its ``aside`` calls are made here from now on."""
        _here.aside = self

    def put(self, call: Callable[[], None]) -> None:
        """Make a call soon."""
        with self._lock:
            if len(self._waiting) >= MOST_WAITING:
                self._dropped += 1
                return
            self._waiting.append(call)
            if self._thread is not None:
                return
            try:
                self._thread = spawn(self._name, self._serve)
            except (RuntimeError, MemoryError):
                # No thread to be had: the calls wait for the next one (fault F143).
                return

    def join(self, timeout: float | None) -> bool:
        """Wait until all calls are made; return whether they are."""
        with self._lock:
            thread = self._thread
        return join(thread, timeout)

    def _serve(self) -> None:
        while (call := self._next()) is not None:
            try:
                call()
            except Exception:
                logger.exception("%s: a call failed", self._name)

    def _next(self) -> Callable[[], None] | None:
        with self._lock:
            if self._dropped:
                dropped, self._dropped = self._dropped, 0
                return lambda: logger.error("%s: %d calls were dropped, because one before them blocked",
                                            self._name, dropped)  # fmt: skip
            if self._waiting:
                return self._waiting.popleft()
            self._thread = None
            return None


def aside(call: Callable[[], None]) -> None:
    """Make a call now, or on another thread where the present one must not be held up."""
    where: Aside | None = getattr(_here, "aside", None)
    if where is None:
        call()
    else:
        where.put(carried(call))
