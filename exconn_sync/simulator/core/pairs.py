"""A pair of orders of which one ends the other: a stop-loss, and a better price beside it (Binance: 5.9)."""

from dataclasses import replace
from decimal import Decimal

from exconn_sync.simulator.core.events import Execution
from exconn_sync.simulator.core.markets import Market
from exconn_sync.simulator.core.matching import Matcher
from exconn_sync.simulator.core.orders import NewOrder, OrderType, Side, SimOrder
from exconn_sync.simulator.core.records import Records
from exconn_sync.simulator.core.refusals import Reason, Refusal
from exconn_sync.simulator.core.stops import estimate
from exconn_sync.simulator.core.symbols import ZERO

Pair = tuple[SimOrder, SimOrder]
"""The stop-loss first."""


class Pairs:
    """Puts pairs to work. Only one of the two can ever trade, so together they lock what the dearer one needs."""

    def __init__(self, records: Records, matcher: Matcher) -> None:
        self._records = records
        self._matcher = matcher

    def prepare(self, market: Market, pair: Pair) -> Pair:
        """Give both their prices and what they need; or refuse them without any effect."""
        stop, goal = pair
        refuse_relation(stop.side, level_of(goal), level_of(stop), market.last_price)
        if goal.type.is_stop:
            goal = self._records.lock(market, goal, estimate(market, goal))
        else:
            goal, _ = self._matcher.prepare(market, goal)
        # The stop-loss adds what it needs beyond that; it is all of it that it has to give back when it is ended.
        extra = max(ZERO, estimate(market, stop) - goal.locked)
        try:
            return self._records.lock(market, stop, extra), goal
        except Refusal:
            self._records.lock(market, goal, ZERO)
            raise

    def put(self, market: Market, pair: Pair, execution: Execution, now: int) -> Pair:
        """Tell both, then let them wait or rest."""
        stop, goal = pair
        goal = goal if goal.type.is_stop else replace(goal, working_at=now)
        self._records.record(execution, stop, now)
        self._records.record(execution, goal, now)
        market.triggers.add(stop)
        if goal.type.is_stop:
            market.triggers.add(goal)
        else:
            market.book.add(goal.order_id, goal.side, goal.resting_price, goal.remaining, goal.iceberg_quantity)
        return stop, goal


def level_of(order: NewOrder | SimOrder) -> Decimal | None:
    """The price at which an order of a pair begins to act; None where it follows the market."""
    if order.type is OrderType.LIMIT_MAKER:
        return None if order.peg is not None else order.price
    return order.stop_price or None


def refuse_relation(side: Side, goal: Decimal | None, stop: Decimal | None, last: Decimal) -> None:
    """Refuse a pair unless the last price lies between the two, the stop-loss on the worse side of it."""
    above, below = (goal, stop) if side is Side.SELL else (stop, goal)
    if (above is not None and above <= last) or (below is not None and below >= last):
        raise Refusal(Reason.BAD_RELATION)
