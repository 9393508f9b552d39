"""Which order a client id means: ids change, and may be used again once an order has ended (faults F102, F103)."""

from __future__ import annotations

from dataclasses import replace

from exconn_sync.model.enums import FactSource
from exconn_sync.model.ids import ClientOrderId, ExchangeOrderId
from exconn_sync.model.orders import OrderFact

_LOOKS = (FactSource.QUERY, FactSource.RECONCILIATION)


class Aliases:
    """From what the exchange calls an order to the client id under which it is known here. Not thread-safe."""

    def __init__(self) -> None:
        self._first: dict[ClientOrderId, ClientOrderId] = {}
        self._bound: dict[ClientOrderId, ExchangeOrderId] = {}
        # The earliest moment at which an order of ours can have come to be, by the exchange's clock.
        self._since: dict[ClientOrderId, int] = {}

    def bind(self, own: ClientOrderId, exchange_order_id: ExchangeOrderId) -> None:
        """Note the exchange's id of an order."""
        self._bound.setdefault(own, exchange_order_id)

    def own(self, client_order_id: ClientOrderId, named: ClientOrderId | None = None) -> ClientOrderId:
        """Return the id by which an order is known here; ``named`` is that of the exchange's id, where it is known."""
        return named or self._first.get(client_order_id, client_order_id)

    def resolved(self, fact: OrderFact, named: ClientOrderId | None) -> OrderFact:
        """Return a fact under the id by which its order is known here, and remember the order's new id.

        The exchange's id decides. What the library itself states is about the very id that it says.
        """
        if fact.source is FactSource.LOCAL:
            self._note_since(fact)
            return fact
        own = self.own(fact.client_order_id, named)
        bound = self._bound.get(own)
        is_other = bound != fact.exchange_order_id if bound is not None else self.is_earlier(fact, own)
        if fact.exchange_order_id is not None and is_other:
            # Another order of the same client id: after its end an id is free again, and a cancel of several orders
            # gives all of them one id (Binance: 5.6). Two orders of the exchange are never made one.
            own = ClientOrderId(f"{own}~{fact.exchange_order_id}")
        if fact.renamed_to is not None and fact.renamed_to != own:
            self._first[fact.renamed_to] = own
        return fact if own == fact.client_order_id else replace(fact, client_order_id=own)

    def is_earlier(self, fact: OrderFact, own: ClientOrderId | None = None) -> bool:
        """Return whether a look has found an order that is older than the intent of this id (fault F102)."""
        since = self._since.get(own or self.own(fact.client_order_id), 0)
        return fact.source in _LOOKS and fact.created_at is not None and fact.created_at < since

    def _note_since(self, fact: OrderFact) -> None:
        if fact.voids_intent:
            # The id means whichever order has it, however old that is.
            self._since[fact.client_order_id] = 0
        elif fact.created_at is not None:
            known = self._since.get(fact.client_order_id, fact.created_at)
            self._since[fact.client_order_id] = min(known, fact.created_at)
