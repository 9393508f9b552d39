"""Where the library's threads stand, as text.

Only places in the code are shown, never the values of variables: those may hold secrets (fault F170).
"""

from __future__ import annotations

import sys
import threading
import traceback

from exconn_sync._runtime.threads import library_threads

_GONE = "  (not running)\n"


def stack_of(thread: threading.Thread | None) -> str:
    """Return the stack of a thread, the innermost call last."""
    frames = sys._current_frames()
    frame = None if thread is None or thread.ident is None else frames.get(thread.ident)
    return _GONE if frame is None else "".join(traceback.format_stack(frame))


def thread_dump() -> str:
    """Return name and stack of each thread of the library in this process, sorted by name."""
    threads = sorted(library_threads(), key=lambda thread: thread.name)
    return "\n".join(f"{thread.name}\n{stack_of(thread)}" for thread in threads)
