"""An order of ours on its way into the store."""

from __future__ import annotations

from collections.abc import Callable

from exconn_sync._machines.exposure import Exposure
from exconn_sync.model.orders import OrderFact


def _nobody_objects(exposure: Exposure) -> None:
    """Let an order in that no limit concerns."""


class Entry:
    """An order of ours on its way into the store; ``is_entered`` once it is there, whatever the journal says.

    ``admit`` is asked in one step with entering, under the store's lock, and keeps the order out where it raises.
    """

    def __init__(self, intent: OrderFact, admit: Callable[[Exposure], None] = _nobody_objects) -> None:
        self.intent = intent
        self.admit = admit
        self.is_entered = False
        # Set by whoever sends it, once the journal has it.
        self.may_leave = False
