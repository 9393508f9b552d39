"""Which facts of a journal still say something; without the others it leads to the same state, bit for bit.

What goes: balances that a newer statement of the same asset has replaced, news that are in no state (deposits and
withdrawals), and facts that stand there twice because a thread hung. Orders and fills stay; see ``rotation``.
"""

from __future__ import annotations

from collections.abc import Iterable

from exconn_sync.model.account import Balance, BalanceChange, Fact

_LEAST = 1000


def needed(facts: Iterable[Fact]) -> list[Fact]:
    """Return the facts that still say something, in their order."""
    known = list(facts)
    newest = {fact.asset: number for number, fact in enumerate(known) if isinstance(fact, Balance)}
    seen: set[Fact] = set()
    kept: list[Fact] = []
    for number, fact in enumerate(known):
        if isinstance(fact, Balance):
            if newest[fact.asset] == number:
                kept.append(fact)
        elif not isinstance(fact, BalanceChange) and fact not in seen:
            seen.add(fact)
            kept.append(fact)
    return kept


def is_worthwhile(before: int, after: int) -> bool:
    """Return whether so much goes that writing the rest anew is worth it."""
    return before >= _LEAST and after <= before // 2


def is_enough(moved: int) -> bool:
    """Return whether so many records leave that an archive of their own is worth it."""
    return moved >= _LEAST
