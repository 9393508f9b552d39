"""What orders under way will take of each asset, as long as the exchange's figures may not know of it.

Sums are kept: an order is judged by them, and there may be thousands of others under way.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple

from exconn_sync.model.ids import ClientOrderId
from exconn_sync.model.numbers import EXACT, ZERO


@dataclass(frozen=True)
class Need:
    """What an order takes from the free balance of an asset, at most."""

    asset: str
    amount: Decimal


class Reserved(NamedTuple):
    """``taken_at`` is since when the exchange has the order, None where it is not known to have it."""

    need: Need
    taken_at: int | None


class Reservations:
    """By order, and summed up by asset. Not thread-safe."""

    def __init__(self) -> None:
        self._by_order: dict[ClientOrderId, Reserved] = {}
        self._by_asset: dict[str, dict[ClientOrderId, Reserved]] = {}
        self._sums: dict[str, Decimal] = {}

    def __contains__(self, client_order_id: object) -> bool:
        return client_order_id in self._by_order

    def get(self, client_order_id: ClientOrderId) -> Reserved | None:
        """Return what is reserved for an order."""
        return self._by_order.get(client_order_id)

    def put(self, client_order_id: ClientOrderId, reserved: Reserved) -> None:
        """Reserve for an order, instead of what was reserved for it before."""
        self.drop(client_order_id)
        asset = reserved.need.asset
        self._by_order[client_order_id] = reserved
        self._by_asset.setdefault(asset, {})[client_order_id] = reserved
        self._sums[asset] = EXACT.add(self._sums.get(asset, ZERO), reserved.need.amount)

    def drop(self, client_order_id: ClientOrderId) -> None:
        """Give back what is reserved for an order, if anything is."""
        known = self._by_order.pop(client_order_id, None)
        if known is not None:
            asset = known.need.asset
            del self._by_asset[asset][client_order_id]
            self._sums[asset] = EXACT.subtract(self._sums[asset], known.need.amount)

    def total(self, asset: str, but: ClientOrderId | None = None) -> Decimal:
        """Return what is reserved of an asset for all orders ``but`` one."""
        total = self._sums.get(asset, ZERO)
        left_out = None if but is None else self._by_asset.get(asset, {}).get(but)
        return total if left_out is None else EXACT.subtract(total, left_out.need.amount)

    def settle(self, asset: str, stated_at: int) -> None:
        """Give back what a statement of the balance from that moment covers: the orders that the exchange had then."""
        for key, (_, taken_at) in list(self._by_asset.get(asset, {}).items()):
            if taken_at is not None and stated_at >= taken_at:
                self.drop(key)
