"""Joins the facts about one order list; any order and any number of arrivals gives the same state (fault model 0.2).

The status never moves down: pending, executing, then done or rejected. The orders of the list are those of the intent,
else of the earliest statement, because an amend gives an order another client id later (fault F103).
"""

from __future__ import annotations

from dataclasses import replace

from exconn_sync._machines.fills import SOURCE_RANK
from exconn_sync.model.enums import OrderListStatus
from exconn_sync.model.order_lists import OrderListFact, OrderListState

_RANK = {
    OrderListStatus.PENDING: 0,
    OrderListStatus.EXECUTING: 1,
    OrderListStatus.REJECTED: 2,
    # Something was done: that outranks a refusal, should both ever be stated.
    OrderListStatus.ALL_DONE: 3,
}


class ListRecord:
    """All facts known about one order list; not thread-safe."""

    def __init__(self, fact: OrderListFact) -> None:
        self._facts: dict[OrderListFact, int] = {}
        self.add(fact)

    def add(self, fact: OrderListFact) -> bool:
        """Join a fact; return whether it says anything that this source has not said before."""
        content = replace(fact, received_at=0)
        known = self._facts.get(content)
        self._facts[content] = fact.received_at if known is None else min(known, fact.received_at)
        return known is None

    def state(self) -> OrderListState:
        """Return what the facts add up to."""
        facts = sorted(self._facts, key=_preference)
        first = facts[0]
        statuses = [fact.status for fact in facts if fact.status is not None]
        status = max(statuses, key=_RANK.__getitem__, default=OrderListStatus.PENDING)
        return OrderListState(
            exchange=first.exchange,
            symbol=first.symbol,
            list_client_id=first.list_client_id,
            list_id=next((fact.list_id for fact in facts if fact.list_id is not None), None),
            status=status,
            kind=next((fact.kind for fact in facts if fact.kind is not None), None),
            legs=next((fact.legs for fact in facts if fact.legs), ()),
            reason=next((fact.reason for fact in facts if fact.reason and fact.status is status), ""),
            updated_at=max(self._facts.values()),
        )


def _preference(fact: OrderListFact) -> tuple[int, int, str]:
    rank = SOURCE_RANK[fact.source]
    return (0 if rank == 0 else 1, fact.exchange_time or 0, repr(fact))
