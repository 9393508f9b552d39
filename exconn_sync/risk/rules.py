"""The built-in risk rules."""

from __future__ import annotations

from decimal import Decimal

from exconn_sync.errors import RiskRejected
from exconn_sync.model.numbers import plain_text
from exconn_sync.ports.risk import Proposal


class MaxOrderNotional:
    """Refuses an order worth more than ``limit`` of the quote asset, and one whose worth cannot be told."""

    name = "max_order_notional"

    def __init__(self, limit: Decimal) -> None:
        self._limit = limit

    def check(self, proposal: Proposal) -> None:
        """Return where the order is small enough.

        Raises:
            RiskRejected: it is too large, or no price is known to judge it by.
        """
        if proposal.notional is None:
            raise RiskRejected(f"the worth of this {proposal.symbol} order cannot be told", rule=self.name)
        if proposal.notional > self._limit:
            shown, limit = plain_text(proposal.notional), plain_text(self._limit)
            raise RiskRejected(f"a notional of {shown} is above the limit of {limit}", rule=self.name)
