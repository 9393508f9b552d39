"""What sources state about the terms of one order, joined fact by fact (fault model 0.2).

Each field is a minimum or maximum over the set of facts, so that it can be kept up to date at a fixed cost a fact:
an order may have thousands.
"""

from __future__ import annotations

from decimal import Decimal
from operator import attrgetter
from typing import Any

from exconn_sync._machines.fills import SOURCE_RANK
from exconn_sync.model.enums import FactSource
from exconn_sync.model.numbers import ZERO, plain_text
from exconn_sync.model.order_terms import EXITS
from exconn_sync.model.orders import OrderFact, PreventedTrade

DETAILS = (
    "post_only", "strategy_id", "strategy_type", "working_at", "trailing_since", "peg_offset", "smart_routing",
    "correlation_id",
    "placed_at", "working_floor",
)  # fmt: skip
"""Fields of a state that say the same as those of the facts."""

FIELDS = (
    "side", "type", "time_in_force", "quote_quantity", "trailing_delta", "iceberg_quantity",
    "self_trade_prevention", "peg", "pegged_price", "list_id", "order_class",
    *DETAILS,
)  # fmt: skip
"""Fields in which the intent comes before the exchange's words, and the preferred source before the others."""

AMENDABLE = ("quantity", "price", "stop_price", *EXITS)
"""Fields that can be amended: what the exchange stated last is the truth."""

_FIELDS_OF, _AMENDABLE_OF = attrgetter(*FIELDS), attrgetter(*AMENDABLE)
_NOTHING: dict[str, Any] = dict.fromkeys((*FIELDS, *AMENDABLE))


class _Amendable:
    """One of them; the smaller value counts where the exchange said two things at one time."""

    __slots__ = ("_asked", "_newest", "_stated")

    def __init__(self) -> None:
        self._asked: tuple[int, Decimal] | None = None
        self._newest: tuple[int, Decimal] | None = None
        self._stated: dict[int | None, set[Decimal]] = {}

    def add(self, fact: OrderFact, rank: int, value: Decimal) -> None:
        self._asked = preferred(self._asked, (rank, value))
        if fact.source is FactSource.LOCAL:
            return
        self._stated.setdefault(fact.exchange_time, set()).add(value)
        if fact.exchange_time is None:
            return
        newest = self._newest
        if newest is None or fact.exchange_time > newest[0]:
            self._newest = (fact.exchange_time, value)
        elif fact.exchange_time == newest[0]:
            self._newest = (newest[0], min(newest[1], value))

    @property
    def value(self) -> Decimal | None:
        found = self._newest or self._asked
        return None if found is None else found[1]

    @property
    def contradictory(self) -> set[Decimal]:
        return {value for values in self._stated.values() if len(values) > 1 for value in values}


class StatedFields:
    """The joined terms of one order; any order and number of facts gives the same."""

    __slots__ = ("_amendable", "_picked", "_working", "prevented_matches", "prevented_quantity", "prevented_trades")

    def __init__(self) -> None:
        self._picked: dict[str, tuple[int, Any]] = {}
        # Made when first stated: most orders have neither stop prices nor exits.
        self._amendable: dict[str, _Amendable] = {}
        self._working: tuple[int, bool] | None = None
        self.prevented_quantity = ZERO
        self.prevented_matches: frozenset[str] = frozenset()
        self.prevented_trades: dict[str, PreventedTrade] = {}

    def add(self, fact: OrderFact) -> None:
        """Join a fact."""
        rank = SOURCE_RANK[fact.source]
        picked = self._picked
        for name, value in zip(FIELDS, _FIELDS_OF(fact), strict=True):
            if value is not None:
                picked[name] = preferred(picked.get(name), (rank, value))
        if fact.prevented_quantity is not None:
            self.prevented_quantity = max(self.prevented_quantity, fact.prevented_quantity)
        if fact.prevented_matches:
            self.prevented_matches = self.prevented_matches.union(fact.prevented_matches)
        for trade in fact.prevented_trades:
            known = self.prevented_trades.get(trade.match_id, trade)
            self.prevented_trades[trade.match_id] = min(known, trade, key=text_of)
        if fact.is_working is not None:
            stated = (fact.exchange_time or 0, fact.is_working)
            self._working = stated if self._working is None else max(self._working, stated)
        for name, value in zip(AMENDABLE, _AMENDABLE_OF(fact), strict=True):
            if value is not None:
                amendable = self._amendable.get(name)
                if amendable is None:
                    amendable = self._amendable[name] = _Amendable()
                amendable.add(fact, rank, value)

    def get(self, name: str) -> Any:
        """Return a field, None where no source states it."""
        if name in self._amendable:
            return self._amendable[name].value
        found = self._picked.get(name)
        return None if found is None else found[1]

    def shown(self) -> dict[str, Any]:
        """Return all fields at once, each as ``get`` does."""
        fields = _NOTHING.copy()
        for name, found in self._picked.items():
            fields[name] = found[1]
        for name, amendable in self._amendable.items():
            fields[name] = amendable.value
        return fields

    @property
    def quantity(self) -> Decimal | None:
        """What the exchange stated last, the smaller where it said two things at one time, else what was asked."""
        found = self._amendable.get("quantity")
        return None if found is None else found.value

    @property
    def is_working(self) -> bool | None:
        """What was stated last, None where nobody said."""
        return None if self._working is None else self._working[1]

    def contradictory(self, name: str) -> set[Decimal]:
        """Return the values of a field stated at one time; at different times it is an amended order (F108)."""
        found = self._amendable.get(name)
        return set() if found is None else found.contradictory


def preferred(known: tuple[int, Any] | None, other: tuple[int, Any]) -> tuple[int, Any]:
    """Return which of two statements with their ranks is shown: the lower rank, else the smaller text."""
    if known is None or other[0] < known[0]:
        return other
    if other[0] > known[0] or other[1] == known[1]:
        return known
    return other if text_of(other[1]) < text_of(known[1]) else known


def text_of(value: object) -> str:
    """Return a text by which values are put in a fixed order; Decimals of equal value give the same (F114)."""
    return plain_text(value) if isinstance(value, Decimal) else str(value)
