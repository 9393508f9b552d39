"""The order lists of the account, as far as they are known."""

from __future__ import annotations

from dataclasses import replace

from exconn_sync._machines.list_fold import ListRecord
from exconn_sync.model.ids import ClientOrderId
from exconn_sync.model.order_lists import OrderListFact, OrderListState


class ListTable:
    """Records of order lists by our id. Not thread-safe: the store's lock guards it."""

    def __init__(self) -> None:
        self._records: dict[ClientOrderId, ListRecord] = {}
        self._states: dict[ClientOrderId, OrderListState] = {}
        self._by_exchange_id: dict[str, ClientOrderId] = {}

    def join(self, fact: OrderListFact) -> OrderListState | None:
        """Join a fact; return the state of its list where it changed."""
        own = fact.list_client_id
        if fact.list_id is not None:
            # The cancel of a list gives it another client id; the exchange's id stays.
            own = self._by_exchange_id.setdefault(fact.list_id, own)
            fact = replace(fact, list_client_id=own)
        record = self._records.get(own)
        if record is None:
            self._records[own] = record = ListRecord(fact)
        elif not record.add(fact):
            return None
        known, state = self._states.get(own), record.state()
        self._states[own] = state
        return None if known is not None and replace(state, updated_at=known.updated_at) == known else state

    def get(self, list_id: str) -> OrderListState | None:
        """Return the list with this id, ours or the exchange's."""
        named = self._by_exchange_id.get(list_id)
        return self._states.get(ClientOrderId(list_id)) or (None if named is None else self._states.get(named))

    def all(self) -> list[OrderListState]:
        """Return all known lists, oldest knowledge first."""
        return list(self._states.values())
