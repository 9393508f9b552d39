"""What a market connection is wanted for, as its feed sees it."""

from __future__ import annotations

from typing import Protocol

from exconn_sync.model.wire import Topic


class Lane(Protocol):
    """The topics of one market connection over all lives of its worker; its methods may be called from any thread."""

    def wanted(self) -> frozenset[Topic]:
        """Return the topics that this connection is to bring."""
        ...

    def settled(self, is_settled: bool, why: str = "", covered: frozenset[Topic] | None = None) -> None:
        """Hear whether all of them come: those of ``covered``, where others may have been wanted meanwhile."""
        ...
