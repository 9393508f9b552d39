"""Signs of life of whichever worker's thread is running, for code that does not know whose thread that is."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from exconn_sync._runtime.worker import WorkerRun


class _Here(threading.local):
    run: WorkerRun | None = None


_here = _Here()


def current_run() -> WorkerRun | None:
    """Return the life of the worker whose thread this is; None on any other thread."""
    return _here.run


def enter(run: WorkerRun | None) -> None:
    """Say whose thread this is."""
    _here.run = run


def beat(next_within: float = 0.0) -> None:
    """Say that this worker lives; does nothing on a thread that is no worker's. See ``WorkerRun.beat``."""
    run = _here.run
    if run is not None:
        run.beat(next_within)
