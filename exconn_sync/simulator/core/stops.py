"""Stop orders: they wait, and go to the book when a trade comes to their price."""

from collections import deque
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal

from exconn_sync.simulator.core.events import Event, Execution, PublicTrade
from exconn_sync.simulator.core.filters import failed_when_triggered
from exconn_sync.simulator.core.markets import Market
from exconn_sync.simulator.core.matching import Matcher
from exconn_sync.simulator.core.orders import ExpiryReason, SimOrder
from exconn_sync.simulator.core.pegs import pegged_price
from exconn_sync.simulator.core.records import Records
from exconn_sync.simulator.core.refusals import Reason, Refusal
from exconn_sync.simulator.core.settlement import lock_amount
from exconn_sync.simulator.core.triggers import would_trigger


class Stops:
    """Listens to trades; what they fire goes to the book after the command that made them has done its work."""

    def __init__(
        self,
        records: Records,
        matcher: Matcher,
        markets: dict[str, Market],
        average: Callable[[Market, int], Decimal],
    ) -> None:
        self._records = records
        self._matcher = matcher
        self._markets = markets
        self._average = average
        self._fired: deque[tuple[str, int]] = deque()
        records.listeners.append(self.hear)

    def hear(self, event: Event) -> None:
        """Take an event of the core: a trade may fire orders."""
        if not isinstance(event, PublicTrade):
            return
        triggers = self._markets[event.symbol].triggers
        if not triggers:
            return
        reaction = triggers.react(event.price)
        self._fired += [(event.symbol, order_id) for order_id in reaction.fired]
        for order_id in reaction.following:
            order = self._records.order(event.symbol, order_id)
            self._records.registry.put(replace(order, trailing_since=event.time))

    def refuse_triggered(self, market: Market, order: SimOrder) -> None:
        """Refuse a stop price on the wrong side of the market: it would be reached at once."""
        stop_price = order.stop_price
        if stop_price and would_trigger(order.type, order.side, stop_price, market.last_price):
            raise Refusal(Reason.WOULD_TRIGGER)

    def lock(self, market: Market, order: SimOrder) -> SimOrder:
        """Set aside what a waiting order may need; without a limit an estimate, at its stop price or the last price."""
        if not order.holds_funds:
            return order
        return self._records.lock(market, order, estimate(market, order))

    def next_fired(self) -> SimOrder | None:
        """The order that fired first of those that are not at work yet; None where there is none."""
        while self._fired:
            order = self._records.order(*self._fired.popleft())
            # Meanwhile the other order of its pair may have ended it.
            if order.is_open:
                return order
        return None

    def activate(self, order: SimOrder, now: int) -> None:
        """Send to the book what has fired; what that fires in turn waits for its turn."""
        market = self._markets[order.symbol]
        order = replace(order, updated_at=now)
        if order.peg is not None:
            order = replace(order, pegged_price=pegged_price(market.book, order.side, order.peg))
        is_priced = order.limit is not None or not order.type.has_limit
        if not is_priced or failed_when_triggered(market.spec, order, self._average(market, now)) is not None:
            self._records.expire(market, order, ExpiryReason.REJECTED, now)
            return
        plan = self._matcher.plan(market, order)
        try:
            order = self._matcher.lock(market, order, plan)
        except Refusal:
            # The estimate was too low and the account cannot add what is missing.
            self._records.expire(market, order, ExpiryReason.REJECTED, now)
            return
        order = replace(order, working_at=now)
        self._records.record(Execution.TRIGGERED, order, now)
        self._matcher.execute(market, order, plan, now)


def estimate(market: Market, order: SimOrder) -> Decimal:
    """What an order that waits may need, at its limit if it has one."""
    return lock_amount(order, order.limit or order.price or order.stop_price or market.last_price)
