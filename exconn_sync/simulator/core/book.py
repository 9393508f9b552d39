"""The order book of one symbol: single orders in price-time priority, seen from outside as levels."""

from bisect import bisect_left, insort
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from itertools import groupby, islice
from typing import NamedTuple

from exconn_sync.simulator.core.events import BookChange, Level
from exconn_sync.simulator.core.orders import Side
from exconn_sync.simulator.core.prevention import Verdict
from exconn_sync.simulator.core.symbols import ZERO


@dataclass(frozen=True, slots=True)
class Match:
    """A resting order gave this quantity at its own price."""

    order_id: int
    price: Decimal
    quantity: Decimal


@dataclass(frozen=True, slots=True)
class Prevented:
    """A resting order that the taker must not trade with, and what happens instead."""

    order_id: int
    price: Decimal
    verdict: Verdict


Step = Match | Prevented


@dataclass(frozen=True, slots=True)
class Plan:
    """What an order would do, step by step, and whether it would then trade outside of the allowed prices."""

    steps: list[Step]
    leaves_range: bool = False

    @property
    def traded(self) -> Decimal:
        """The quantity that would trade."""
        return sum((step.quantity for step in self.steps if isinstance(step, Match)), ZERO)


@dataclass(frozen=True, slots=True)
class Bounds:
    """The prices between which a taker may trade; None is no bound."""

    low: Decimal | None = None
    high: Decimal | None = None

    def allows(self, price: Decimal) -> bool:
        """Whether a price lies between them."""
        return (self.low is None or price >= self.low) and (self.high is None or price <= self.high)


ANYWHERE = Bounds()
Judge = Callable[[int, Decimal], Verdict | None]
"""Told a resting order and what the taker has left, says what happens instead of a trade, if they must not trade."""


class _Resting(NamedTuple):
    """What of an order stands on the book, what is hidden behind it, and how much is shown at a time."""

    shown: Decimal
    hidden: Decimal
    part: Decimal


class _Level:
    """The orders waiting at one price, first in line first, and the total of what they show."""

    __slots__ = ("orders", "price", "total")

    def __init__(self, price: Decimal) -> None:
        self.price = price
        self.total = ZERO
        self.orders: dict[int, _Resting] = {}

    def copy(self) -> "_Level":
        """A level to think on."""
        twin = _Level(self.price)
        twin.total = self.total
        twin.orders = dict(self.orders)
        return twin

    def add(self, order_id: int, quantity: Decimal, part: Decimal) -> None:
        """Put an order at the end of the line, with no more than a part of it in sight."""
        shown = min(quantity, part)
        self.orders[order_id] = _Resting(shown, quantity - shown, part)
        self.total += shown

    def trade(self, order_id: int, quantity: Decimal) -> None:
        """Take some of what an order shows. The next part of an iceberg order goes to the end of the line."""
        resting = self.orders[order_id]
        self.total -= quantity
        if quantity < resting.shown:
            self.orders[order_id] = resting._replace(shown=resting.shown - quantity)
            return
        del self.orders[order_id]
        if resting.hidden:
            self.add(order_id, resting.hidden, resting.part)

    def reduce(self, order_id: int, quantity: Decimal) -> None:
        """Make an order smaller, what is hidden first; it keeps its place until nothing is left."""
        shown, hidden, part = self.orders[order_id]
        from_hidden = min(hidden, quantity)
        from_shown = quantity - from_hidden
        self.total -= from_shown
        if from_shown < shown:
            self.orders[order_id] = _Resting(shown - from_shown, hidden - from_hidden, part)
        else:
            del self.orders[order_id]

    def remove(self, order_id: int) -> None:
        """Take an order out of the line."""
        self.total -= self.orders.pop(order_id).shown


class _BookSide:
    """The levels of one side, best first when iterated."""

    def __init__(self, side: Side) -> None:
        self.side = side
        self.levels: dict[Decimal, _Level] = {}
        self._prices: list[Decimal] = []

    def __iter__(self) -> Iterator[_Level]:
        prices = reversed(self._prices) if self.side is Side.BUY else iter(self._prices)
        return (self.levels[price] for price in prices)

    def best(self) -> _Level | None:
        """The first level in line, or None."""
        if not self._prices:
            return None
        return self.levels[self._prices[-1 if self.side is Side.BUY else 0]]

    def level(self, price: Decimal) -> _Level:
        """The level at a price, made when it is missing."""
        found = self.levels.get(price)
        if found is None:
            found = self.levels[price] = _Level(price)
            insort(self._prices, price)
        return found

    def discard(self, price: Decimal) -> None:
        """Forget a level that holds no order any more."""
        del self.levels[price]
        del self._prices[bisect_left(self._prices, price)]

    def reaches(self, price: Decimal, limit: Decimal | None) -> bool:
        """Whether a taker with that limit accepts this side's price."""
        if limit is None:
            return True
        return price >= limit if self.side is Side.BUY else price <= limit


class OrderBook:
    """Matches by price, then time. Each change of a level raises ``update_id`` by one and is told to ``on_change``."""

    def __init__(self, symbol: str, on_change: Callable[[BookChange], None] = lambda _: None) -> None:
        self.symbol = symbol
        self.update_id = 1
        self._on_change = on_change
        self._sides = {side: _BookSide(side) for side in Side}

    def add(self, order_id: int, side: Side, price: Decimal, quantity: Decimal, part: Decimal | None = None) -> None:
        """Put an order at the end of the line at its price; an iceberg order shows only a part at a time."""
        level = self._sides[side].level(price)
        level.add(order_id, quantity, part or quantity)
        self._changed(side, level)

    def remove(self, order_id: int, side: Side, price: Decimal) -> None:
        """Take an order out of the book."""
        level = self._sides[side].levels[price]
        level.remove(order_id)
        self._changed(side, level)

    def reduce(self, order_id: int, side: Side, price: Decimal, quantity: Decimal) -> None:
        """Make an order smaller; it keeps its place."""
        level = self._sides[side].levels[price]
        level.reduce(order_id, quantity)
        self._changed(side, level)

    def plan(
        self,
        taker: Side,
        limit: Decimal | None,
        quantity: Decimal,
        judge: Judge = lambda *_: None,
        within: Bounds = ANYWHERE,
    ) -> Plan:
        """What would happen now, up to ``quantity``, against the other side, at ``limit`` or better."""
        makers = self._sides[taker.opposite]
        steps: list[Step] = []
        for level in makers:
            if quantity == ZERO or not makers.reaches(level.price, limit):
                break
            if not within.allows(level.price):
                return Plan(steps, leaves_range=True)
            at_price, quantity = _plan_level(level, quantity, judge)
            steps += at_price
        return Plan(steps)

    def plan_at(self, taker: Side, price: Decimal, quantity: Decimal, judge: Judge) -> tuple[list[Step], Decimal]:
        """What would happen now at one price of the other side, and what the taker would have left."""
        return _plan_level(self._sides[taker.opposite].levels[price], quantity, judge)

    def apply(self, taker: Side, steps: Iterable[Step]) -> None:
        """Take what was planned off the book; fully used orders leave it."""
        makers = self._sides[taker.opposite]
        for price, at_price in groupby(steps, key=lambda step: step.price):
            level = makers.levels[price]
            before = level.total
            for step in at_price:
                if isinstance(step, Match):
                    level.trade(step.order_id, step.quantity)
                else:
                    level.reduce(step.order_id, step.verdict.maker_loses)
            if level.total != before:
                self._changed(makers.side, level)

    def total(self, side: Side) -> Decimal:
        """Everything that stands on a side, hidden parts too."""
        orders = (resting for level in self._sides[side] for resting in level.orders.values())
        return sum((resting.shown + resting.hidden for resting in orders), ZERO)

    def best(self, side: Side) -> Level | None:
        """Price and quantity of the first level of a side, or None."""
        level = self._sides[side].best()
        return None if level is None else (level.price, level.total)

    def levels(self, side: Side, limit: int | None = None) -> list[Level]:
        """The levels of a side, best first."""
        return [(level.price, level.total) for level in islice(self._sides[side], limit)]

    def _changed(self, side: Side, level: _Level) -> None:
        if not level.orders:
            self._sides[side].discard(level.price)
        self.update_id += 1
        self._on_change(BookChange(self.symbol, self.update_id, side, level.price, level.total))


def _plan_level(level: _Level, quantity: Decimal, judge: Judge) -> tuple[list[Step], Decimal]:
    steps: list[Step] = []
    line = level.copy()
    while quantity > ZERO and line.orders:
        order_id, resting = next(iter(line.orders.items()))
        verdict = judge(order_id, quantity)
        if verdict is None:
            part = min(resting.shown, quantity)
            steps.append(Match(order_id, level.price, part))
            line.trade(order_id, part)
            quantity -= part
        else:
            steps.append(Prevented(order_id, level.price, verdict))
            line.reduce(order_id, verdict.maker_loses)
            quantity -= verdict.taker_loses
    return steps, quantity
