"""The one place where the library creates threads.

All are daemons: non-daemon threads that are to be ended from an exit hook hang the interpreter, because it joins them
before it runs the hooks (fault model 0.6). They are named ``exconn-...`` so that a thread dump explains itself.
"""

from __future__ import annotations

import logging
import sys
import threading
import traceback
from collections.abc import Callable

from exconn_sync._runtime.faultpoints import reach

logger = logging.getLogger("exconn_sync")

PREFIX = "exconn-"
_STACK_FRAMES = 20


def spawn(name: str, target: Callable[[], None]) -> threading.Thread:
    """Start a daemon thread named ``exconn-<name>``; an exception that escapes its target is logged, never lost.

    Raises:
        RuntimeError: the process has reached its limit of threads, or is shutting down (faults F133, F143).
    """

    def guarded() -> None:
        try:
            reach("thread.begin")
            target()
        except Exception:
            # Workers report their own exceptions; whatever arrives here is a defect of the library itself.
            logger.critical("thread %s ended by a defect", name, exc_info=True)

    thread = threading.Thread(target=guarded, name=PREFIX + name, daemon=True)
    thread.start()
    return thread


def library_threads() -> list[threading.Thread]:
    """Return the library's threads that are alive at the moment."""
    return [thread for thread in threading.enumerate() if thread.name.startswith(PREFIX)]


def join(thread: threading.Thread | None, timeout: float | None) -> bool:
    """Wait for a thread's end; return whether it has ended. A thread never waits for itself."""
    if thread is None:
        return True
    if thread is threading.current_thread():
        return False
    thread.join(timeout)
    return not thread.is_alive()


def stack_of(thread: threading.Thread | None) -> str:
    """Return where a thread is, innermost call last; empty where it has ended."""
    frame = None if thread is None or thread.ident is None else sys._current_frames().get(thread.ident)
    return "" if frame is None else "".join(traceback.format_stack(frame, _STACK_FRAMES))
