"""A new order list comes in (Binance: 5.9)."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from exconn_sync.simulator.core.contingencies import Contingencies
from exconn_sync.simulator.core.events import Execution, ListChange
from exconn_sync.simulator.core.markets import Market
from exconn_sync.simulator.core.matching import Matcher
from exconn_sync.simulator.core.order_lists import NewOrderList, SimOrderList
from exconn_sync.simulator.core.orders import NewOrder, OrderStatus, Side, SimOrder
from exconn_sync.simulator.core.pairs import Pairs, level_of
from exconn_sync.simulator.core.records import Records
from exconn_sync.simulator.core.refusals import Reason, Refusal

Draft = Callable[[Market, str, NewOrder, int], SimOrder]
"""Makes an order without an id of what an account asks for."""


@dataclass(frozen=True, slots=True)
class PlacedList:
    """A list that was taken, and its orders as its answer tells them: before they moved each other."""

    order_list: SimOrderList
    orders: tuple[SimOrder, ...]


class ListPlacing:
    """Takes order lists, whole or not at all."""

    def __init__(
        self, records: Records, matcher: Matcher, pairs: Pairs, contingencies: Contingencies, draft: Draft
    ) -> None:
        self._records = records
        self._matcher = matcher
        self._pairs = pairs
        self._contingencies = contingencies
        self._draft = draft

    def place(
        self, market: Market, account: str, request: NewOrderList, now: int, order_ids: Sequence[int] = ()
    ) -> PlacedList:
        """Accept a list that passed the filters; or refuse it without any effect."""
        self._refuse_duplicates(account, request)
        drafts = tuple(self._draft(market, account, leg, now) for leg in request.legs)
        if request.kind.has_working:
            return self._trigger_list(market, account, request, drafts, now, order_ids)
        stop, goal = self._pairs.prepare(market, (drafts[0], drafts[1]))
        order_list, (stop, goal) = self._named(account, request, (stop, goal), now, order_ids)
        placed = self._pairs.put(market, (stop, goal), Execution.NEW, now)
        self._contingencies.tell(ListChange.STARTED, order_list, now)
        return PlacedList(order_list, placed)

    def _trigger_list(
        self,
        market: Market,
        account: str,
        request: NewOrderList,
        drafts: tuple[SimOrder, ...],
        now: int,
        order_ids: Sequence[int],
    ) -> PlacedList:
        _refuse_levels(request)
        working, plan = self._matcher.prepare(market, drafts[0])
        working = replace(working, working_at=now, keeps_received=request.kind.sells_received)
        pending = tuple(replace(order, status=OrderStatus.PENDING_NEW) for order in drafts[1:])
        order_list, orders = self._named(account, request, (working, *pending), now, order_ids)
        for order in orders:
            self._records.record(Execution.NEW, order, now)
        self._contingencies.tell(ListChange.STARTED, order_list, now)
        working = self._matcher.execute(market, orders[0], plan, now)
        return PlacedList(order_list, (working, *orders[1:]))

    def _named(
        self,
        account: str,
        request: NewOrderList,
        orders: tuple[SimOrder, ...],
        now: int,
        order_ids: Sequence[int],
    ) -> tuple[SimOrderList, tuple[SimOrder, ...]]:
        list_id = self._records.lists.new_id()
        ids = order_ids or [self._records.registry.new_id(order.symbol) for order in orders]
        named = tuple(
            replace(order, order_id=order_id, list_id=list_id) for order, order_id in zip(orders, ids, strict=True)
        )
        order_list = SimOrderList(
            list_id=list_id,
            account=account,
            symbol=request.symbol,
            kind=request.kind,
            client_list_id=request.client_list_id,
            order_ids=tuple(order.order_id for order in named),
            created_at=now,
            updated_at=now,
        )
        return order_list, named

    def _refuse_duplicates(self, account: str, request: NewOrderList) -> None:
        ids = [leg.client_order_id for leg in request.legs]
        for client_id in ids:
            known = self._records.registry.find(account, request.symbol, client_id)
            if ids.count(client_id) > 1 or (known is not None and known.is_open):
                raise Refusal(Reason.DUPLICATE_CLIENT_ID, client_id)
        same = self._records.lists.find(account, request.client_list_id)
        if same is not None and not same.is_done:
            raise Refusal(Reason.DUPLICATE_CLIENT_ID, request.client_list_id)


def _refuse_levels(request: NewOrderList) -> None:
    """Refuse a pair that waits for another order and could never be right, wherever the price will be then."""
    if not request.kind.has_pair:
        return
    stop, goal = request.legs[-2:]
    better, worse = level_of(goal), level_of(stop)
    above, below = (better, worse) if stop.side is Side.SELL else (worse, better)
    if above is not None and below is not None and above <= below:
        raise Refusal(Reason.BAD_RELATION)
