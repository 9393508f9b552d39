"""Rules that may refuse an order before it is sent."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Protocol

from exconn_sync.model.ids import ClientOrderId
from exconn_sync.model.orders import OrderRequest


@dataclass(frozen=True)
class Proposal:
    """An order about to be sent, with what a rule needs to judge it.

    ``notional`` is in the quote asset: price times quantity, or for a market order what it comes to in the book; None
    where no price is known. ``replaces`` is the client id of the order that is cancelled before, or that is amended to
    be larger, None for an order that is one more.
    """

    order: OrderRequest
    symbol: str
    notional: Decimal | None
    replaces: ClientOrderId | None = None


class RiskRule(Protocol):
    """One rule. It may keep state of its own and is called from any thread that places orders.

    A rule that raises anything else than RiskRejected, or returns anything but None, refuses the order too: a broken
    rule must not let orders pass.
    """

    @property
    def name(self) -> str:
        """Short name for errors and alerts."""
        ...

    def check(self, proposal: Proposal) -> None:
        """Return to let the order pass.

        Raises:
            RiskRejected: the order breaks the rule.
        """
        ...
