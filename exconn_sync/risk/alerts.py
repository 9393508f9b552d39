"""Which uses of limits are told: once per episode before the limit, and once at it."""

from __future__ import annotations

from decimal import Decimal

from exconn_sync.model.numbers import EXACT
from exconn_sync.risk.case import Usage

NEAR, REACHED = "near", "reached"


class Episodes:
    """What was told of each limit. Not thread-safe; the store's lock guards it.

    An episode begins at ``share`` of the limit and ends below it. Within one nothing is told twice, and nothing that is
    less than what was told.
    """

    def __init__(self) -> None:
        self._told: dict[tuple[str, str], str] = {}

    def note(self, usage: Usage, share: Decimal, *, is_refused: bool = False) -> str | None:
        """Take how much of a limit is used; return the level that is to be told now, if any."""
        level = REACHED if is_refused else level_of(usage, share)
        key = usage.rule, usage.scope
        known = self._told.get(key)
        if level is None:
            self._told.pop(key, None)
        elif level != known and known != REACHED:
            self._told[key] = level
            return level
        return None

    def forget(self) -> None:
        """Begin anew, because the limits have changed."""
        self._told.clear()


def level_of(usage: Usage, share: Decimal) -> str | None:
    """Return ``near``, ``reached`` or None for what is used of a limit."""
    if usage.value is None or usage.limit is None:
        return None
    if usage.value >= usage.limit:
        return REACHED
    return NEAR if usage.value >= EXACT.multiply(usage.limit, share) else None
