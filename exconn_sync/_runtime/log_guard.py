"""A fence around the handlers of the log: a broken one costs lines, never a thread."""

from __future__ import annotations

import logging
import sys
import traceback
from collections.abc import Callable

logger = logging.getLogger("exconn_sync")


class _GuardedHandle:
    """Stands before ``Logger.handle``, from which the user's filters and handlers are called."""

    def __init__(self, handle: Callable[[logging.LogRecord], None]) -> None:
        self._handle = handle

    def __call__(self, record: logging.LogRecord) -> None:
        try:
            self._handle(record)
        except Exception:  # noqa: BLE001 - the user's code; the log cannot be told of it
            if logging.raiseExceptions and sys.stderr is not None:
                # As the handlers of the standard library do.
                traceback.print_exc(file=sys.stderr)


def guard_log() -> None:
    """Print from now on what a handler or filter of the library's logger raises, instead of raising it; once.

    It would end whichever thread logs, the one that reports such ends included (fault F146).
    """
    if not isinstance(logger.handle, _GuardedHandle):
        logger.handle = _GuardedHandle(logger.handle)  # type: ignore[method-assign]
