"""Where intents and facts are kept so that a new process finds its orders again."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from exconn_sync.model.account import Fact


class Journal(Protocol):
    """An append-only record of facts; intents are facts with ``source`` local. Called from any thread.

    A journal object that the user passes stays the user's: the connector appends to it and never closes it.
    """

    def append(self, fact: Fact) -> None:
        """Keep a fact; when it returns, the fact survives whatever the journal promises to survive.

        Raises:
            JournalError: it could not be kept.
        """
        ...

    def replay(self) -> Iterable[Fact]:
        """Return all facts in the order in which they were kept."""
        ...

    def close(self) -> None:
        """Release what the journal holds; may be called twice."""
        ...
