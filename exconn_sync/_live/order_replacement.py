"""What became of the two halves of a replacement (fault F109)."""

from __future__ import annotations

from dataclasses import dataclass

from exconn_sync._live.order_handle import Order
from exconn_sync.errors import ExconnError
from exconn_sync.model.enums import CommandOutcome


@dataclass(frozen=True)
class OrderReplacement:
    """An order that was to be cancelled, and one that was to be placed instead: two orders, two outcomes.

    ``old`` and ``new`` are live handles. The outcomes are those of the moment when the command ended; where one of them
    is ``unknown``, looking goes on and the handles show what is found. The errors are None where a half was done.
    """

    old: Order
    new: Order
    cancel_outcome: CommandOutcome
    placement_outcome: CommandOutcome
    cancel_error: ExconnError | None = None
    placement_error: ExconnError | None = None

    @property
    def is_done(self) -> bool:
        """True where both halves were done."""
        return self.cancel_outcome == self.placement_outcome == CommandOutcome.DONE
