"""A journal that lives as long as the process."""

from __future__ import annotations

import threading
from collections.abc import Iterable

from exconn_sync.model.account import Fact


class MemoryJournal:
    """Keeps facts in memory: they survive a restart of the connector, not of the process. Thread-safe."""

    def __init__(self) -> None:
        # Guards the list while it is copied for a replay.
        self._lock = threading.Lock()
        self._facts: list[Fact] = []

    def append(self, fact: Fact) -> None:
        """Keep a fact."""
        with self._lock:
            self._facts.append(fact)

    def replay(self) -> Iterable[Fact]:
        """Return all facts in the order in which they were kept."""
        with self._lock:
            return tuple(self._facts)

    def close(self) -> None:
        """Do nothing: memory needs no release, and the next start replays it."""
