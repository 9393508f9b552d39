"""Where intents and facts are kept so that a new process finds its orders again."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from typing import Protocol, runtime_checkable

from exconn_sync.model.account import Fact

SQLITE = "sqlite:"
"""What the name of a journal in a file begins with; its path follows."""


def sqlite_path(journal: object) -> str | None:
    """Return the path of a journal that is named as a file, None for any other."""
    is_named = isinstance(journal, str) and journal.startswith(SQLITE)
    return str(journal)[len(SQLITE) :] if is_named else None


class Journal(Protocol):
    """An append-only record of facts; intents are facts with ``source`` local. Called from any thread.

    What is appended twice counts once, and the order of facts decides nothing but the lines of an order's history. A
    journal object that the user passes stays the user's: the connector appends to it and never closes it.
    """

    def append(self, fact: Fact) -> None:
        """Keep a fact; when it returns, the fact survives whatever the journal promises to survive.

        Raises:
            JournalError: it could not be kept. A fact other than an intent is appended again later where the error is
                ``retryable``.
        """
        ...

    def replay(self) -> Iterable[Fact]:
        """Return all facts in the order in which they were kept."""
        ...

    def close(self) -> None:
        """Release what the journal holds; may be called twice."""
        ...


class StopSign(Protocol):
    """How a journal's thread hears of the stop, and is seen to live."""

    @property
    def is_set(self) -> bool:
        """True once the thread is to write what is left and return. Looking at it is a sign of life."""
        ...

    def wait(self, seconds: float | None) -> bool:
        """Sleep until the stop or for ``seconds``; return whether the stop was asked for. Also a sign of life."""
        ...

    def idle(self, event: threading.Event) -> None:
        """Sleep until ``event`` is set, however long that takes: no sign of life is expected meanwhile."""
        ...

    def on_set(self, wake: Callable[[], None]) -> None:
        """Call ``wake`` when the stop is asked for, at once if it already was; it must not block."""
        ...


@runtime_checkable
class JournalWorker(Protocol):
    """What a journal has in addition that wants a thread of its own, for example one that writes in the background.

    The thread is supervised: an exception is reported and ``serve`` is called again; more than 3 restarts within 60 s
    go to the connector's supervisor, which in the end gives up. A thread that neither looks at ``stop`` nor waits on it
    for ``Config.timeouts.hang`` seconds is taken for hung: it is abandoned and ``serve`` is called on another thread.
    """

    def serve(self, stop: StopSign) -> None:
        """Work until ``stop`` is set, then return soon."""
        ...
