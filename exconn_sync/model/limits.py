"""Whose turn it is where a budget of the exchange is short, and what the exchange says about its budgets."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

LONGEST_SILENCE = 3 * 24 * 3600.0
"""Seconds that no exchange's word is believed beyond: the longest ban that is documented anywhere (Binance: 2)."""


class Lane(IntEnum):
    """How urgent a request is: the lower one goes first where not all can go.

    Looks for single orders are queries too, since a decision waits for them. ``SNAPSHOT`` is for order books, which are
    unreadable until theirs comes; ``BULK`` is what nobody waits for.
    """

    CANCEL = 0
    ORDER = 1
    QUERY = 2
    SNAPSHOT = 3
    BULK = 4


@dataclass(frozen=True)
class UsedFigure:
    """What the exchange says is used of a limit in its present window, by everybody it counts together with us.

    ``amount`` is what it says the whole limit is for this account, None where it does not say that.
    """

    limit: str
    interval_ms: int
    used: int
    amount: int | None = None
