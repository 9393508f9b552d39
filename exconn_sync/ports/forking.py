"""What a forked child must not use as it was in the parent: locks and descriptors.

After ``fork`` only the calling thread exists. A lock that another thread held at that moment stays locked for ever in
the child (fault F125), and descriptors are shared with the parent (fault F124). One hook for the whole process gives
things new locks and closes what was inherited. It holds weak references only.
"""

from __future__ import annotations

import logging
import os
import threading
import weakref
from queue import Queue
from typing import Any, Protocol, TypeVar

from exconn_sync.ports.waiting import Condition

logger = logging.getLogger("exconn_sync")


class Renewable(Protocol):
    """Something with locks of its own that may be needed in a forked child."""

    def renew_in_child(self) -> None:
        """Replace all locks. Only one thread exists; must not block, and must not take any of the old locks."""
        ...


class Closable(Protocol):
    """A descriptor in a wrapping that lets go of it without a word to anybody else: a selector, for example."""

    def close(self) -> None:
        """Release the descriptor."""
        ...


T = TypeVar("T", bound=Closable)
R = TypeVar("R", bound=Renewable)

# By identity, and as plain dictionaries: each step on them is one step of the interpreter, so a fork finds them whole.
_renewable: dict[int, weakref.ref[Any]] = {}
_descriptors: dict[int, weakref.ref[Any]] = {}


def renew_in_child(thing: R) -> R:
    """Have the thing's locks replaced in every forked child, as long as it lives; return the thing."""
    _note(_renewable, thing)
    return thing


def close_in_child(thing: T) -> T:
    """Have a socket or selector closed in every forked child, as long as it lives; return the thing.

    Only the child's copy of the descriptor goes: nothing is sent, also not the goodbye of TLS, and the parent notices
    nothing (invariant I26).
    """
    _note(_descriptors, thing)
    return thing


def renew_queue(waiting: Queue[Any]) -> None:
    """Replace the locks of a queue, which keeps what is in it; one of a green-thread library has none."""
    if not hasattr(waiting, "mutex"):
        return
    waiting.mutex = threading.Lock()
    waiting.not_empty = Condition(waiting.mutex)
    waiting.not_full = Condition(waiting.mutex)
    waiting.all_tasks_done = Condition(waiting.mutex)


def _note(table: dict[int, weakref.ref[Any]], thing: Any) -> None:
    key = id(thing)
    table[key] = weakref.ref(thing, lambda _: table.pop(key, None))


def _living(table: dict[int, weakref.ref[Any]]) -> list[Any]:
    return [thing for reference in list(table.values()) if (thing := reference()) is not None]


def _in_child() -> None:
    for thing in _living(_renewable):
        thing.renew_in_child()
    inherited = _living(_descriptors)
    _descriptors.clear()
    for thing in inherited:
        try:
            _let_go(thing)
        except OSError as error:
            logger.debug("an inherited descriptor could not be closed: %s", error)


def _let_go(thing: Any) -> None:
    # A green-thread library wraps the real socket, and its own close would touch the event loop of the parent.
    real = getattr(thing, "_sock", thing)
    detach = getattr(real, "detach", None)
    if detach is None:
        thing.close()
        return
    # Also where a file made from the socket is still open, which a plain close would wait for.
    descriptor = detach()
    if descriptor >= 0:
        os.close(descriptor)


os.register_at_fork(after_in_child=_in_child)
