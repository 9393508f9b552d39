"""Several commands of one kind in one request, for exchanges that take them so."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import NamedTuple, Protocol

from exconn_sync.model.ids import ClientOrderId
from exconn_sync.model.instrument import Instrument
from exconn_sync.model.orders import OrderRequest, OrderState
from exconn_sync.model.wire import RestCall
from exconn_sync.ports.trading import HalfAnswer


class NewOrder(NamedTuple):
    """An order to be placed, and the id by which it will be found again."""

    request: OrderRequest
    instrument: Instrument
    client_order_id: ClientOrderId


class ChangedOrder(NamedTuple):
    """An order to be cancelled or amended; ``quantity`` is the new whole one, None for a cancel."""

    instrument: Instrument
    order: OrderState
    quantity: Decimal | None = None


class BatchCalls(Protocol):
    """Commands for up to ``size`` orders of any symbols; each answer says of each of them, in order, what became of it.

    All methods are pure and may be called from any thread.

    Raises (all): ValidationError for what the exchange does not offer; nothing is sent then.
    """

    @property
    def size(self) -> int:
        """Most orders in one request."""
        ...

    def takes(self, order: OrderState) -> bool:
        """Return whether an order may be cancelled or amended together with others."""
        ...

    def place(self, orders: Sequence[NewOrder]) -> RestCall[Sequence[HalfAnswer]]:
        """Return the command that places the orders."""
        ...

    def cancel(self, orders: Sequence[ChangedOrder]) -> RestCall[Sequence[HalfAnswer]]:
        """Return the command that cancels the orders."""
        ...

    def amend(self, orders: Sequence[ChangedOrder]) -> RestCall[Sequence[HalfAnswer]]:
        """Return the command that changes the quantities of the orders."""
        ...
