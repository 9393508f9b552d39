"""SIGTERM as an ordinary end of the program, for those who ask for it (fault F130)."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn


@contextmanager
def stopping_on_signal(*signals: signal.Signals) -> Iterator[None]:
    """Raise SystemExit in the main thread when a signal (default: SIGTERM) arrives, as Ctrl-C raises KeyboardInterrupt.

    ::

        with stopping_on_signal(), Connector(config) as connector:
            run(connector)                     # SIGTERM leaves both blocks, which stops the connector

    The exit code is 128 and the signal's number (143 for SIGTERM). A second signal breaks off a stop that still
    waits. The handlers that were there before are back when the block is left. A signal whose handler was not
    installed from Python is left alone.

    Raises:
        ValueError: not called in the main thread: Python handles signals nowhere else.
    """
    before = {}
    try:
        for each in signals or (signal.SIGTERM,):
            if signal.getsignal(each) is not None:
                before[each] = signal.signal(each, _leave)
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)


def _leave(number: int, frame: FrameType | None) -> NoReturn:  # noqa: ARG001 - the form of every signal handler
    raise SystemExit(128 + number)
