"""Stopping several connectors at the same time and within one deadline."""

from __future__ import annotations

import threading
import time

from exconn_sync._machines.deadline import Deadline
from exconn_sync._runtime.threads import join, library_threads, spawn
from exconn_sync.connector import Connector
from exconn_sync.errors import ExconnError
from exconn_sync.model.enums import ConnectorState

_STOP_GRACE = 0.5
"""Seconds beyond the deadline in which a connector that used it up can still say which threads are left."""


def remaining(deadline: Deadline) -> float | None:
    """Return the seconds left, None for no limit."""
    return deadline.remaining(time.monotonic_ns())


class _Stop:
    """The stop of one connector, on a thread of its own or on the caller's."""

    def __init__(self, name: str, connector: Connector) -> None:
        self._name = name
        self._connector = connector
        self._thread: threading.Thread | None = None
        self._left: list[str] = []
        self._error: ExconnError | None = None

    def begin(self, timeout: float | None) -> bool:
        """Stop on a thread of its own; return whether there is one to be had."""
        try:
            self._thread = spawn(f"stop-{self._name}", lambda: self.run(timeout))
        except RuntimeError:
            # Python starts no more threads, as in an exit hook.
            return False
        return True

    def run(self, timeout: float | None) -> None:
        """Stop on this thread; what that raises is kept for ``result``."""
        try:
            self._left = self._connector.stop(timeout)
        except ExconnError as error:
            self._error = error

    def result(self, deadline: Deadline) -> list[str]:
        """Wait for the end of the stop; return the threads that are left. Raises ExconnError."""
        left_over = remaining(deadline)
        if not join(self._thread, None if left_over is None else left_over + _STOP_GRACE):
            return [] if self._thread is None else [f"{self._name}: {self._thread.name}"]
        if self._error is not None:
            raise self._error
        if self._connector.state is ConnectorState.STOPPING:
            # Somebody else stops it, for which our thread did not wait, but a thread of the user does.
            self._connector.stop(remaining(deadline))
        return [f"{self._name}: {thread}" for thread in self._left]


def stop_all(connectors: dict[str, Connector], deadline: Deadline) -> list[str]:
    """Stop connectors; return the threads that did not end in time. Raises ExconnError."""
    stops = [_Stop(name, connector) for name, connector in connectors.items()]
    # A stop waits for the callbacks of its connector, unless it is called from one. So a callback must call it itself
    # for its connector; and because it does not know which one that is, for all of them.
    is_callback = threading.current_thread() in library_threads()
    here = [stop for stop in stops if is_callback or not stop.begin(remaining(deadline))]
    for position, stop in enumerate(here):
        left_over = remaining(deadline)
        stop.run(None if left_over is None else left_over / (len(here) - position))
    left: list[str] = []
    errors: list[ExconnError] = []
    for stop in stops:
        try:
            left += stop.result(deadline)
        except ExconnError as error:
            errors.append(error)
    if errors:
        raise errors[0]
    return left
