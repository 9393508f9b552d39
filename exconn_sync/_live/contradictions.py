"""Facts of an order that exclude each other: told once, counted, and looked into (fault model 0.2, fault F107)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from exconn_sync.errors import ExconnError
from exconn_sync.model.ids import ClientOrderId
from exconn_sync.model.orders import OrderState

if TYPE_CHECKING:
    from exconn_sync._live.pipeline import Pipeline


class Contradictions:
    """Sees each state of an order as it is told; on the thread that tells, one at a time.

    ``look_into`` has the exchange asked about an order. It is called once an order: an exchange that goes on saying one
    thing and the other is not asked for ever.
    """

    def __init__(self, pipeline: Pipeline, look_into: Callable[[ClientOrderId], None]) -> None:
        self._pipeline = pipeline
        self._look_into = look_into
        self._told: dict[ClientOrderId, frozenset[str]] = {}

    def see(self, states: Iterable[OrderState]) -> None:
        """Tell of what is new."""
        for state in states:
            if state.contradictions:
                self._see(state)

    def _see(self, state: OrderState) -> None:
        name, found = state.client_order_id, frozenset(state.contradictions)
        known = self._told.get(name)
        if known is not None and found <= known:
            return
        self._told[name] = found | (known or frozenset())
        self._pipeline.count("orders.contradictory")
        text = "; ".join(sorted(found - (known or frozenset())))
        error = ExconnError(f"what was told of it excludes each other: {text}", exchange=state.exchange)
        self._pipeline.error(f"order {name}", error, always=known is None)
        if known is None:
            self._look_into(name)
