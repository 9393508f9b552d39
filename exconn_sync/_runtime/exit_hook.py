"""The end of the program: what was started and not stopped is stopped, within one limit for all (fault F132).

One hook for the whole process, registered when the first connector is started. It holds weak references only, and
nothing once everything is stopped (invariant I21).
"""

from __future__ import annotations

import atexit
import logging
import threading
import time
import warnings
import weakref
from typing import Protocol

from exconn_sync._runtime.faultpoints import reach

logger = logging.getLogger("exconn_sync")


class Stoppable(Protocol):
    """Something that runs threads until it is stopped."""

    @property
    def is_foreign(self) -> bool:
        """True where it runs in the parent process only."""
        ...

    @property
    def stop_timeout(self) -> float:
        """Seconds that its stop may take."""
        ...

    def signal_stop(self) -> None:
        """Tell everything to end; returns at once."""
        ...

    def stop(self, timeout: float | None) -> list[str]:
        """End everything within ``timeout`` seconds; return the names of threads that did not end."""
        ...


_running: dict[int, weakref.ref[Stoppable]] = {}
_registered: dict[str, object] = {}


def is_exiting() -> bool:
    """Return whether the program's main thread has ended: no thread may be started any more (fault F133)."""
    return not threading.main_thread().is_alive()


def watch(thing: Stoppable) -> None:
    """Stop a thing at the program's end unless ``forget`` is called before. Any thread; twice is once."""
    token = object()
    if _registered.setdefault("hook", token) is token:
        atexit.register(stop_all)
    key = id(thing)
    _running[key] = weakref.ref(thing, lambda _: _running.pop(key, None))


def forget(thing: Stoppable) -> None:
    """The thing is stopped; an unknown one is ignored."""
    _running.pop(id(thing), None)


def stop_all() -> None:
    """Stop everything that is left: first all are told, then all are waited for, so that the slowest decides.

    In a forked child it leaves alone what runs in the parent. A ResourceWarning names what was not stopped.
    """
    began = time.monotonic()
    left = [thing for reference in list(_running.values()) if (thing := reference()) is not None]
    left = [thing for thing in left if not thing.is_foreign]
    names = ", ".join(map(repr, left))
    try:
        for thing in left:
            thing.signal_stop()
        reach("stop.after_signal")
        for thing in left:
            _stop(thing, max(thing.stop_timeout - (time.monotonic() - began), 0.0))
    except KeyboardInterrupt:
        # An impatient operator ends the waiting (fault F131); the threads are daemons.
        logger.debug("interrupted while stopping at the program's end")
    if left:
        warnings.warn(f"not stopped before the program ended: {names}", ResourceWarning, stacklevel=2)


def _stop(thing: Stoppable, timeout: float) -> None:
    try:
        thing.stop(timeout)
    except Exception:
        # One that cannot be stopped must not keep the others from it, nor the program from its end.
        logger.critical("%r could not be stopped at the program's end", thing, exc_info=True)
