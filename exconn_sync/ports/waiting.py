"""Conditions and events whose lock is free after Ctrl-C, wherever it came (fault F129).

``with`` on a condition of the standard library runs Python code after the lock was taken and before it is let go, and
KeyboardInterrupt may come out of that code: then nobody ever lets go of the lock. Of about 2,000 interrupts of a busy
program one hits that spot. The interpreter does not interrupt between a lock of its own and the block it guards, so
these let ``with`` use the methods of the lock itself.
"""

from __future__ import annotations

import threading
from operator import attrgetter


class Condition(threading.Condition):
    """A ``threading.Condition`` that ``with`` takes and lets go of in one step each."""

    # Looked up on the class and bound like any method: what is called in the end is the lock's own.
    __enter__ = property(attrgetter("_lock.__enter__"))
    __exit__ = property(attrgetter("_lock.__exit__"))


class Event(threading.Event):
    """A ``threading.Event`` on such a condition."""

    def __init__(self) -> None:
        super().__init__()
        self._cond = Condition(threading.Lock())
