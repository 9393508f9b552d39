"""New terms for an open order: another quantity, another price, another trigger."""

from dataclasses import replace
from decimal import Decimal

from exconn_sync.simulator.core.events import Execution
from exconn_sync.simulator.core.filters import failed_price_filter, failed_quantity_filter
from exconn_sync.simulator.core.markets import Market
from exconn_sync.simulator.core.matching import Matcher
from exconn_sync.simulator.core.orders import Change, OrderStatus, OrderType, SimOrder
from exconn_sync.simulator.core.records import Records
from exconn_sync.simulator.core.refusals import Reason, Refusal
from exconn_sync.simulator.core.settlement import lock_amount
from exconn_sync.simulator.core.symbols import ZERO
from exconn_sync.simulator.core.triggers import would_trigger


class Changer:
    """Checks and executes changes; a refused one changes nothing."""

    def __init__(self, records: Records, matcher: Matcher) -> None:
        self._records = records
        self._matcher = matcher

    def change(self, market: Market, order: SimOrder, change: Change, average: Decimal, now: int) -> SimOrder:
        """Give an order new terms. ``average`` is the price to which filters compare others."""
        wanted = _wanted(order, change)
        _refuse(market, order, wanted, average)
        wanted = replace(wanted, amendments=order.amendments + 1, updated_at=now)
        if order.working_at is None:
            return self._change_waiting(market, wanted, now)
        taken_off = order.remaining - wanted.remaining
        if wanted.price == order.price and taken_off >= ZERO:
            return self._make_smaller(market, wanted, taken_off, now)
        return self._move(market, order, wanted, now)

    def _change_waiting(self, market: Market, wanted: SimOrder, now: int) -> SimOrder:
        if would_trigger(wanted.type, wanted.side, wanted.stop_price, market.last_price):
            raise Refusal(Reason.WOULD_TRIGGER)
        if wanted.holds_funds:
            price = wanted.limit or wanted.stop_price
            wanted = self._records.lock(market, wanted, lock_amount(wanted, price))
        market.triggers.remove(wanted.order_id)
        market.triggers.add(wanted)
        self._records.record(Execution.REPLACED, wanted, now)
        return wanted

    def _make_smaller(self, market: Market, wanted: SimOrder, taken_off: Decimal, now: int) -> SimOrder:
        market.book.reduce(wanted.order_id, wanted.side, wanted.resting_price, taken_off)
        wanted = self._records.lock(market, wanted, lock_amount(wanted, wanted.resting_price))
        if wanted.remaining == ZERO:
            wanted = replace(wanted, status=OrderStatus.FILLED)
        self._records.record(Execution.REPLACED, wanted, now)
        return wanted

    def _move(self, market: Market, order: SimOrder, wanted: SimOrder, now: int) -> SimOrder:
        plan = self._matcher.plan(market, wanted)
        if wanted.type is OrderType.LIMIT_MAKER and plan.steps:
            raise Refusal(Reason.WOULD_TAKE)
        wanted = self._matcher.lock(market, wanted, plan)
        market.book.remove(order.order_id, order.side, order.resting_price)
        self._records.record(Execution.REPLACED, wanted, now)
        return self._matcher.execute(market, wanted, plan, now)


def _wanted(order: SimOrder, change: Change) -> SimOrder:
    return replace(
        order,
        quantity=order.quantity if change.quantity is None else change.quantity,
        price=order.price if change.price is None else change.price,
        stop_price=order.stop_price if change.stop_price is None else change.stop_price,
    )


def _refuse(market: Market, order: SimOrder, wanted: SimOrder, average: Decimal) -> None:
    if not order.is_open:
        raise Refusal(Reason.UNKNOWN_ORDER)
    # The other orders of a list would have to change with it.
    if wanted == order or order.list_id is not None:
        raise Refusal(Reason.NO_CHANGE)
    if wanted.remaining < ZERO or wanted.quantity <= ZERO:
        raise Refusal(Reason.NOTHING_LEFT)
    failed = None
    if wanted.price != order.price:
        compared = wanted.stop_price if market.spec.percent_price_of_stops and wanted.stop_price else average
        failed = failed_price_filter(market.spec, wanted.side, wanted.price, compared)
    price = wanted.limit or average
    failed = failed or failed_quantity_filter(market.spec, wanted.type, wanted.quantity, price)
    if failed is not None:
        raise Refusal(Reason.FILTER, failed)
