"""What comparisons with the exchange bring that no event has told: entered, and counted."""

from __future__ import annotations

from collections.abc import Sequence

from exconn_sync._live.pipeline import Pipeline
from exconn_sync._store.account_store import AccountStore
from exconn_sync.model.account import Fact
from exconn_sync.model.orders import Fill, OrderFact


class Differences:
    """Enters facts and counts the orders that they changed, and the fills that were not known; on the worker's thread.

    An event that comes at the same moment may be counted as well.
    """

    def __init__(self, store: AccountStore, pipeline: Pipeline) -> None:
        self._store = store
        self._pipeline = pipeline

    def apply(self, facts: Sequence[Fact]) -> None:
        """Enter facts that the exchange has given on a question."""
        orders = [fact for fact in facts if isinstance(fact, OrderFact)]
        before = [self._sequence(fact) for fact in orders]
        has_fills = any(isinstance(fact, Fill) for fact in facts)
        known = len(self._store.fills()) if has_fills else 0
        self._store.apply(facts)
        changed = sum(self._sequence(fact) != sequence for fact, sequence in zip(orders, before, strict=True))
        self._count("order", changed)
        if has_fills:
            self._count("fill", len(self._store.fills()) - known)

    def _sequence(self, fact: OrderFact) -> int:
        state = self._store.order_of(fact)
        return 0 if state is None else state.sequence

    def _count(self, kind: str, amount: int) -> None:
        for _ in range(amount):
            self._pipeline.count("reconciliation.differences", kind=kind)
