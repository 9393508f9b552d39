"""What stays in a journal of the records that were moved out of it into an archive."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True)
class Carried:
    """What the oldest fills of a symbol add up to, so that a position needs them no more.

    Of all of the account's, or with ``is_own`` of those of orders of this library. ``quantity`` is in the base asset,
    ``cost`` what the open quantity cost in the quote asset, ``realized`` the profit in it; ``other_fees`` are pairs of
    asset and amount. All are exact, so that what is added to them gives what all fills together would have given.
    ``counted`` are pairs of trade and order (ids of the exchange): fills that are in the sums although their records
    are still in the journal, because their orders are. ``received_at`` is the newest of the fills' (ns).
    """

    exchange: str
    symbol: str
    is_own: bool
    quantity: Decimal
    cost: Decimal
    realized: Decimal
    received_at: int
    other_fees: tuple[tuple[str, Decimal], ...] = ()
    counted: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Archived:
    """Which fills were moved into archives: they have been counted and told, whoever tells of them again.

    ``archives`` is the number of the newest archive, ``fills`` a text of eight bytes a fill, see
    ``_machines.digests``. ``received_at`` is when the newest archive was made (ns).
    """

    exchange: str
    archives: int
    fills: str
    received_at: int
