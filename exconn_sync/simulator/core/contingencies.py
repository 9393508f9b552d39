"""What becomes of an order list when something happens to one of its orders (Binance: 5.9)."""

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal

from exconn_sync.simulator.core.events import Event, Execution, ListChange, ListEvent, OrderEvent
from exconn_sync.simulator.core.filters import failed_parts, failed_when_triggered
from exconn_sync.simulator.core.markets import Market
from exconn_sync.simulator.core.matching import Matcher
from exconn_sync.simulator.core.order_lists import Legs, SimOrderList
from exconn_sync.simulator.core.orders import ExpiryReason, OrderStatus, SimOrder
from exconn_sync.simulator.core.pairs import Pairs
from exconn_sync.simulator.core.pegs import pegged_price
from exconn_sync.simulator.core.records import Records
from exconn_sync.simulator.core.refusals import Reason, Refusal
from exconn_sync.simulator.core.settlement import release_received
from exconn_sync.simulator.core.stops import Stops
from exconn_sync.simulator.core.symbols import ZERO, SymbolSpec

_FATEFUL = frozenset({Execution.TRADE, Execution.TRADE_PREVENTION, Execution.EXPIRED})


class Contingencies:
    """Listens to orders; what follows for others of their lists is done after the command has done its work."""

    def __init__(
        self,
        records: Records,
        matcher: Matcher,
        stops: Stops,
        pairs: Pairs,
        markets: dict[str, Market],
        average: Callable[[Market, int], Decimal],
    ) -> None:
        self._records = records
        self._matcher = matcher
        self._stops = stops
        self._pairs = pairs
        self._markets = markets
        self._average = average
        self._touched: dict[int, None] = {}
        records.listeners.append(self.hear)

    def hear(self, event: Event) -> None:
        """Take an event of the core: it may concern a list."""
        if isinstance(event, OrderEvent) and event.order.list_id is not None and event.execution in _FATEFUL:
            self._touched[event.order.list_id] = None

    def run(self, now: int) -> None:
        """Do what follows from all that has happened, and from that in turn."""
        while self._touched:
            list_id = next(iter(self._touched))
            del self._touched[list_id]
            order_list = self._records.lists.get(list_id)
            if order_list is not None and not order_list.is_done:
                self._consider(order_list, now)

    def make_way(self, fired: SimOrder, now: int) -> None:
        """End the other order of a pair before the one that fired goes to work."""
        if fired.list_id is None:
            return
        partner = self.legs(self.list_of(fired)).partner(fired)
        if partner is not None and partner.is_open:
            self._expire(partner, ExpiryReason.OTHER_CAME_FIRST, now)

    def list_of(self, order: SimOrder) -> SimOrderList:
        """The list of which an order is a part."""
        found = None if order.list_id is None else self._records.lists.get(order.list_id)
        if found is None:
            raise LookupError(f"order {order.order_id} is of no known list")
        return found

    def orders(self, order_list: SimOrderList) -> tuple[SimOrder, ...]:
        """The orders of a list as they stand."""
        return tuple(self._records.order(order_list.symbol, order_id) for order_id in order_list.order_ids)

    def legs(self, order_list: SimOrderList) -> Legs:
        """The same, told apart."""
        return Legs.of(order_list.kind, self.orders(order_list))

    def tell(self, change: ListChange, order_list: SimOrderList, now: int) -> None:
        """Remember the newest state of a list and tell it."""
        self._records.lists.put(order_list)
        self._records.emit(ListEvent(change, order_list, self.orders(order_list), now))

    def cancel(self, order_list: SimOrderList, now: int, client_order_id: str, client_list_id: str) -> SimOrderList:
        """End a list for its owner, with all of its orders that are open."""
        if order_list.is_done:
            raise Refusal(Reason.UNKNOWN_ORDER)
        market = self._markets[order_list.symbol]
        for order in self.orders(order_list):
            if order.is_open:
                self._records.cancel(market, order, client_order_id, now)
        self._release_received(self.legs(order_list))
        renamed = replace(
            order_list,
            client_list_id=client_list_id or order_list.client_list_id,
            original_client_list_id=order_list.client_list_id,
        )
        return self._end(renamed, now)

    def _consider(self, order_list: SimOrderList, now: int) -> None:
        pair = self.legs(order_list).pair
        if pair is not None:
            for one, other in (pair, pair[::-1]):
                if _has_begun(one) and other.is_open and not _has_begun(other):
                    self._expire(other, ExpiryReason.OTHER_CAME_FIRST, now)
                    break
        legs = self.legs(order_list)
        waiting = [order for order in legs.dependent if order.is_pending]
        if legs.working is not None and not legs.working.is_open and waiting:
            if legs.working.status is OrderStatus.FILLED:
                self._activate(order_list, legs, now)
            else:
                self._release_received(legs)
                for order in waiting:
                    self._expire(order, ExpiryReason.NEVER_PLACED, now)
        if not any(order.is_open for order in self.orders(order_list)):
            self._end(order_list, now)

    def _activate(self, order_list: SimOrderList, legs: Legs, now: int) -> None:
        market = self._markets[order_list.symbol]
        dependent = legs.dependent
        if order_list.kind.sells_received and legs.working is not None:
            received = legs.working.received
            self._release_received(legs)
            dependent = tuple(replace(order, quantity=_saleable(market.spec, order, received)) for order in dependent)
        placed = tuple(_placed(market, order, now) for order in dependent)
        try:
            for order in placed:
                self._refuse_unfit(market, order, now)
            if len(placed) > 1:
                self._pairs.put(market, self._pairs.prepare(market, (placed[0], placed[1])), Execution.ACTIVATED, now)
            else:
                self._place(market, placed[0], now)
        except Refusal:
            for order in placed:
                self._records.expire(market, order, ExpiryReason.REJECTED, now)

    def _refuse_unfit(self, market: Market, order: SimOrder, now: int) -> None:
        failed = failed_when_triggered(market.spec, order, self._average(market, now))
        failed = failed or failed_parts(market.spec, order.iceberg_quantity, order.quantity)
        if failed is not None:
            raise Refusal(Reason.FILTER, failed)
        if order.iceberg_quantity > order.quantity:
            raise Refusal(Reason.ICEBERG_TOO_LARGE)

    def _place(self, market: Market, order: SimOrder, now: int) -> None:
        if order.type.is_stop:
            self._stops.refuse_triggered(market, order)
            order = self._stops.lock(market, order)
            self._records.record(Execution.ACTIVATED, order, now)
            market.triggers.add(order)
            return
        order, plan = self._matcher.prepare(market, order)
        order = replace(order, working_at=now)
        self._records.record(Execution.ACTIVATED, order, now)
        self._matcher.execute(market, order, plan, now)

    def _release_received(self, legs: Legs) -> None:
        working = legs.working
        if working is not None and working.received:
            market = self._markets[working.symbol]
            released = release_received(market.spec, self._records.account(working.account), working)
            self._records.registry.put(released)

    def _expire(self, order: SimOrder, reason: ExpiryReason, now: int) -> None:
        market = self._markets[order.symbol]
        market.withdraw(order)
        self._records.expire(market, order, reason, now)

    def _end(self, order_list: SimOrderList, now: int) -> SimOrderList:
        done = replace(order_list, is_done=True, updated_at=now)
        self.tell(ListChange.DONE, done, now)
        return done


def _placed(market: Market, order: SimOrder, now: int) -> SimOrder:
    """A pending order as it is placed; a peg gives it the price by which it is judged."""
    order = replace(order, status=OrderStatus.NEW, updated_at=now)
    if order.peg is None or order.type.is_stop:
        return order
    return replace(order, pegged_price=pegged_price(market.book, order.side, order.peg))


def _has_begun(order: SimOrder) -> bool:
    """Whether an order of a pair has done what ends the other one: traded, fired or ended."""
    if order.is_pending:
        return False
    is_at_work = order.type.is_stop and order.working_at is not None
    return is_at_work or not order.is_open or order.remaining < order.quantity


def _saleable(spec: SymbolSpec, order: SimOrder, received: Decimal) -> Decimal:
    """How much of what was received an order sells: whole steps."""
    steps = [spec.step] if order.type.has_limit else [spec.step, spec.market_step]
    quantity = received
    for step in steps:
        if step:
            quantity = quantity // step * step
    return max(quantity, ZERO)
