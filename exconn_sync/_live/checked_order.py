"""A new order between the checks before it and its sending."""

from __future__ import annotations

from typing import NamedTuple

from exconn_sync.model.ids import ClientOrderId
from exconn_sync.model.instrument import Instrument
from exconn_sync.model.orders import OrderRequest
from exconn_sync.ports.batch import NewOrder
from exconn_sync.risk.case import Case


class Checked(NamedTuple):
    """An order that passed all checks before sending, and the id by which it will be found again.

    ``case`` is what the risk limits are to judge, None before the risk rules were asked.
    """

    request: OrderRequest
    instrument: Instrument
    client_order_id: ClientOrderId
    case: Case | None = None

    @property
    def order(self) -> NewOrder:
        """The order as drivers take it."""
        return NewOrder(self.request, self.instrument, self.client_order_id)
