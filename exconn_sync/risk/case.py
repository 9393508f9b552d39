"""An order as the limits see it, with everything about the outside world that they need."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from types import MappingProxyType
from typing import NamedTuple

from exconn_sync._machines.reservations import Need
from exconn_sync.model.enums import Side
from exconn_sync.model.ids import ClientOrderId
from exconn_sync.model.numbers import EXACT, ZERO
from exconn_sync.model.profit import Tops


@dataclass(frozen=True)
class Case:
    """A new order, or a change of one. Amounts are the most that it can come to; None is unknown.

    Attributes:
        quantity: the size of the whole order in the base asset.
        notional: its worth in the quote asset.
        adds: how much it adds to what may enter the position: less than its size where an order is changed.
        asset: of which asset's free balance it takes something, None where its balance is not to be judged.
        amount: how much that is.
        replaces: the order that goes before it is placed.
        is_new: whether it is one order more.
        before: orders of the same command that are placed along with it and were judged before it.
        collar: the share and the age by which the price collar judged it, None where there was no collar.
        objection: why the price collar keeps it out.
        tops: best prices of the symbols that the daily loss depends on.
        now_ns: monotonic time, for the order rate.
        time_ns: time of the exchange since the Unix epoch, for the day.
    """

    symbol: str
    side: Side
    quantity: Decimal | None
    notional: Decimal | None
    adds: Decimal | None
    asset: str | None = None
    amount: Decimal | None = None
    replaces: ClientOrderId | None = None
    is_new: bool = True
    before: tuple[Case, ...] = ()
    collar: tuple[Decimal, float | None] | None = None
    objection: str = ""
    tops: Tops = field(default_factory=lambda: MappingProxyType({}))
    now_ns: int = 0
    time_ns: int = 0

    @property
    def quote(self) -> str:
        """The quote asset."""
        return self.symbol.partition("-")[2]

    @property
    def adds_in_all(self) -> Decimal | None:
        """What it adds along with those before it that are of its symbol and side."""
        return _sum(case.adds for case in (*self.along, self) if case.side is self.side)

    @property
    def amount_in_all(self) -> Decimal | None:
        """What it takes of its asset along with those before it."""
        return _sum(case.amount for case in (*self.before, self) if case.asset == self.asset)

    @property
    def along(self) -> list[Case]:
        """Those before it that are of its symbol."""
        return [case for case in self.before if case.symbol == self.symbol]

    @property
    def need(self) -> Need | None:
        """What is reserved for it, None where that is nothing or not known."""
        return None if self.asset is None or self.amount is None else Need(self.asset, self.amount)


def _sum(parts: Iterable[Decimal | None]) -> Decimal | None:
    """Return the sum, None where a part is not known."""
    total = ZERO
    for part in parts:
        if part is None:
            return None
        total = EXACT.add(total, part)
    return total


class Usage(NamedTuple):
    """How much of a limit is used: ``value`` of ``limit``, None where that is no number or not known."""

    rule: str
    scope: str
    value: Decimal | None
    limit: Decimal | None
