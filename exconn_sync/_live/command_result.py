"""What became of one of several commands that were given together."""

from __future__ import annotations

from dataclasses import dataclass

from exconn_sync._live.order_handle import Order
from exconn_sync.errors import ExconnError
from exconn_sync.model.enums import CommandOutcome


@dataclass(frozen=True)
class CommandResult:
    """One order of several, and what became of its command when all of them ended.

    ``order`` is a live handle. ``error`` is None where the command was done, and otherwise what a command for this
    order alone would have raised. Where the outcome is ``unknown``, looking goes on, and the handle shows what comes of
    it.
    """

    order: Order
    outcome: CommandOutcome
    error: ExconnError | None = None

    @property
    def is_done(self) -> bool:
        """True where the exchange did it, or for a new order has received it where it tells the rest later."""
        return self.outcome is CommandOutcome.DONE
