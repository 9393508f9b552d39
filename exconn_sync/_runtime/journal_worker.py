"""A journal's own thread as a worker."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable

from exconn_sync._runtime.worker import Body, WorkerRun
from exconn_sync.ports.journal import JournalWorker


class BeatingStop:
    """The stop of one life as a ``StopSign``: whoever looks at it or waits on it is seen to live."""

    def __init__(self, run: WorkerRun) -> None:
        self._run = run

    @property
    def is_set(self) -> bool:
        """True once the stop was asked for."""
        self._run.beat()
        return self._run.stop.is_set

    def wait(self, seconds: float | None) -> bool:
        """Sleep until the stop or for ``seconds``; return whether the stop was asked for."""
        self._run.beat(math.inf if seconds is None else seconds)
        is_set = self._run.stop.wait(seconds)
        self._run.beat()
        return is_set

    def idle(self, event: threading.Event) -> None:
        """Sleep until ``event`` is set, however long that takes."""
        self._run.beat(math.inf)
        event.wait()
        self._run.beat()

    def on_set(self, wake: Callable[[], None]) -> None:
        """Call ``wake`` when the stop is asked for."""
        self._run.stop.on_set(wake)


def journal_body(journal: JournalWorker) -> Body:
    """Return the body of the worker that runs a journal's thread."""

    def body(run: WorkerRun) -> None:
        journal.serve(BeatingStop(run))

    return body
