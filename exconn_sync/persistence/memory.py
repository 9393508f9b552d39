"""A journal that lives as long as the process."""

from __future__ import annotations

import threading
from collections.abc import Iterable

from exconn_sync.model.account import Balance, Fact
from exconn_sync.ports.forking import renew_in_child


class MemoryJournal:
    """Keeps facts in memory: they survive a restart of the connector, not of the process. Thread-safe.

    Of balances only the newest statement of each asset is kept: they are absolute, and old ones would only fill memory.
    """

    def __init__(self) -> None:
        # Guards the list while it is copied for a replay.
        self._lock = threading.Lock()
        self._facts: list[Fact] = []
        self._balances: dict[str, Balance] = {}
        renew_in_child(self)

    def renew_in_child(self) -> None:
        """Replace the lock in a forked child: a thread of the parent may have held it (fault F125)."""
        self._lock = threading.Lock()

    def append(self, fact: Fact) -> None:
        """Keep a fact."""
        with self._lock:
            if isinstance(fact, Balance):
                self._balances[fact.asset] = fact
            else:
                self._facts.append(fact)

    def replay(self) -> Iterable[Fact]:
        """Return the facts in the order in which they were kept, then the balances."""
        with self._lock:
            return (*self._facts, *self._balances.values())

    def close(self) -> None:
        """Do nothing: memory needs no release, and the next start replays it."""
