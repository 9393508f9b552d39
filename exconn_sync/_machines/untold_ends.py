"""Orders that traded to their end by what their fills say, and whose end nobody has told (fault F106).

Where fills and orders come as events of their own, the one that tells the end may be lost alone, and where orders can
be made larger their fills do not prove it. It follows within moments: only what stays away has to be asked for.
"""

from __future__ import annotations

from collections.abc import Callable

from exconn_sync.model.enums import OrderType, TimeInForce
from exconn_sync.model.ids import ClientOrderId
from exconn_sync.model.orders import OrderState

_AT_ONCE = frozenset({TimeInForce.IOC, TimeInForce.FOK})


def should_be_over(state: OrderState) -> bool:
    """Return whether an order that is held as open has nothing left to trade, or never rests."""
    if state.is_terminal or not state.filled_quantity:
        return False
    if state.type is OrderType.MARKET or state.time_in_force in _AT_ONCE:
        return True
    return state.quantity is not None and state.filled_quantity >= state.quantity


class UntoldEnds:
    """Remembers until when an end may stay away; times are of a monotonic clock, in ns. Not thread-safe."""

    def __init__(self, patience: float) -> None:
        self._patience_ns = max(1, int(patience * 1e9))
        self._due: dict[ClientOrderId, int] = {}

    def note(self, state: OrderState, now_ns: int) -> None:
        """Note what a fill has made of an order."""
        if should_be_over(state):
            self._due.setdefault(state.client_order_id, now_ns + self._patience_ns)
        else:
            self._due.pop(state.client_order_id, None)

    def take_due(self, now_ns: int, order: Callable[[ClientOrderId], OrderState | None]) -> bool:
        """Forget those whose time is over; return whether one of them is still held as open."""
        due = [order_id for order_id, at in self._due.items() if at <= now_ns]
        for order_id in due:
            del self._due[order_id]
        found = (order(order_id) for order_id in due)
        return any(state is not None and should_be_over(state) for state in list(found))

    def next_due(self) -> int | None:
        """Return when the next one is due, None where nothing is waited for."""
        return min(self._due.values(), default=None)
