"""Commands for several orders at once."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import TypeVar

from exconn_sync._live.command_result import CommandResult
from exconn_sync._live.order_handle import Order
from exconn_sync._runtime.correlation import correlated
from exconn_sync.connector.commands import request_of
from exconn_sync.connector.core import Core
from exconn_sync.errors import ValidationError
from exconn_sync.model.orders import OrderRequest

T = TypeVar("T")


class BatchFace:
    """Placing, cancelling and amending several orders, in as few requests as the exchange allows.

    Bybit takes ten orders in a request (Bybit: 4.9); Binance takes none, so they go one after the other. Either way
    each order has its own result, in the order of the call, and nothing is sent twice. ``timeout`` seconds (default:
    ``timeouts.request``) bound each call whole: what there is no time left for is ``not_sent``.

    Raises (all): ValidationError for any bad order, AuthenticationError without a key, RiskRejected, NotReady,
    ConnectorStopped; nothing was sent then. What becomes of a single order is in its result, never raised.
    """

    _core: Core

    @correlated
    def place_orders(self, requests: Sequence[OrderRequest], *, timeout: float | None = None) -> list[CommandResult]:
        """Place orders; all are checked, judged by the risk limits and entered before the first one is sent."""
        checked = [request_of(request) for request in _listed("requests", requests)]
        assembly = self._core.assembly
        return assembly.batches.place(checked, assembly.gateway.deadline(timeout))

    @correlated
    def cancel_orders(self, orders: Sequence[Order | str], *, timeout: float | None = None) -> list[CommandResult]:
        """Cancel orders by their handles or ids; returns when each has ended, or it is not known in time."""
        assembly = self._core.assembly
        return assembly.batches.cancel(_listed("orders", orders), assembly.gateway.deadline(timeout))

    @correlated
    def amend_orders(
        self, changes: Sequence[tuple[Order | str, Decimal | int | str]], *, timeout: float | None = None
    ) -> list[CommandResult]:
        """Give orders other quantities; ``changes`` are pairs of an order and its new whole quantity in base.

        The risk limits judge those that become larger one on top of the other, and let all of them pass or none.
        """
        pairs: list[tuple[Order | str, object]] = []
        for change in _listed("changes", changes):
            if not isinstance(change, tuple) or len(change) != 2 or change[1] is None:
                raise ValidationError("changes", change, "must be pairs of an order and a quantity")
            pairs.append((change[0], change[1]))
        assembly = self._core.assembly
        return assembly.batches.amend(pairs, assembly.gateway.deadline(timeout))


def _listed(name: str, items: Sequence[T]) -> list[T]:
    if isinstance(items, (str, bytes)) or not isinstance(items, Sequence):
        raise ValidationError(name, items, "must be a list")
    return list(items)
