"""Orders that the exchange has acknowledged and now does not know (fault F070).

Reads lag behind writes, so that an order may be missed for seconds. It is looked for again, and only where it is missed
for longer than reads lag there is something to tell.
"""

from __future__ import annotations

from exconn_sync.model.ids import ClientOrderId

_NS = 1_000_000_000


class MissedOrders:
    """Remembers since when orders are missed. All times are of a monotonic clock, in ns; not thread-safe."""

    def __init__(self, read_lag: float) -> None:
        self._pause_ns = max(1, int(read_lag * _NS))
        self._since: dict[ClientOrderId, int] = {}
        self._due: dict[ClientOrderId, int] = {}

    def miss(self, order_id: ClientOrderId, now_ns: int) -> bool:
        """Note that an order was not found; return whether it has been missed for too long to be a lag."""
        since = self._since.setdefault(order_id, now_ns)
        lasts = now_ns - since >= self._pause_ns
        if lasts:
            self._due.pop(order_id, None)
        else:
            self._due[order_id] = since + self._pause_ns
        return lasts

    def found(self, order_id: ClientOrderId) -> None:
        """Note that an order is there, or has ended."""
        self._since.pop(order_id, None)
        self._due.pop(order_id, None)

    def put_off(self, order_id: ClientOrderId, now_ns: int) -> None:
        """Note that a look has told nothing, as one that failed: it is due again, a pause later."""
        if order_id in self._due:
            self._due[order_id] = now_ns + self._pause_ns

    def due(self, now_ns: int) -> list[ClientOrderId]:
        """Return the orders that are to be looked for again now."""
        return [order_id for order_id, at in self._due.items() if at <= now_ns]

    def next_due(self) -> int | None:
        """Return when the next look is due, None where none is."""
        return min(self._due.values(), default=None)
