"""Which records leave a journal for an archive, and what stays of them so that nothing is lost or counted twice.

Pure: facts in, facts out. What leaves are orders that ended long ago and have nothing open about them, with their
fills and the notes that these were told. What stays says what those fills add up to, and by which they are known again.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, TypeAlias

from exconn_sync._machines.digests import FillDigests, Key
from exconn_sync._machines.fills import TradeReports, fill_order
from exconn_sync._machines.order_fold import OrderRecord
from exconn_sync._machines.position import carried_over
from exconn_sync.model.account import Fact, FillDelivery
from exconn_sync.model.carried import Archived, Carried
from exconn_sync.model.ids import ClientOrderId, ExchangeOrderId
from exconn_sync.model.numbers import EXACT, ZERO
from exconn_sync.model.order_lists import OrderListFact
from exconn_sync.model.orders import Fill, OrderFact

_Name: TypeAlias = tuple[str, ClientOrderId]


class Rotation(NamedTuple):
    """What a journal consists of afterwards, and what its newest archive does."""

    kept: list[Fact]
    moved: list[Fact]


@dataclass
class _Order:
    record: OrderRecord
    newest: int = 0
    fills: set[Key] = field(default_factory=set)


def rotated(facts: Sequence[Fact], before_ns: int, now_ns: int) -> Rotation | None:
    """Return what to do with the facts of a journal, None where no order is to leave it.

    An order leaves that ended for certain, all of whose fills are known and were told, of which nothing was heard since
    ``before_ns``, and of which no two facts exclude each other. Orders of a list leave together.
    """
    known = _Known(facts)
    leaving = known.leaving(before_ns)
    if not leaving:
        return None
    fills = {key for name in leaving for key in known.orders[name].fills}
    lists = {list_id for list_id, legs in known.lists.items() if legs and legs <= {own for _, own in leaving}}

    def leaves(fact: Fact) -> bool:
        if isinstance(fact, OrderFact):
            return (fact.symbol, fact.client_order_id) in leaving
        if isinstance(fact, (Fill, FillDelivery)):
            return _key(fact) in fills
        return isinstance(fact, OrderListFact) and fact.list_client_id in lists

    moved = [fact for fact in facts if leaves(fact)]
    rest = [fact for fact in facts if not leaves(fact) and not isinstance(fact, (Carried, Archived))]
    exchange = moved[0].exchange
    archives = 1 if known.archived is None else known.archived.archives + 1
    archived = Archived(exchange, archives, FillDigests(known.digests.text, fills).text, now_ns)
    return Rotation([*known.carried_after(exchange, fills), archived, *rest], moved)


class _Known:
    """The facts of a journal, joined as the store joins them."""

    def __init__(self, facts: Sequence[Fact]) -> None:
        self.orders: dict[_Name, _Order] = {}
        self.lists: defaultdict[ClientOrderId, set[ClientOrderId]] = defaultdict(set)
        self.archived: Archived | None = None
        self.digests = FillDigests()
        self._names: defaultdict[tuple[str, ExchangeOrderId], set[_Name]] = defaultdict(set)
        self._trades: dict[Key, TradeReports] = {}
        self._told: set[Key] = set()
        self._carried: dict[tuple[str, bool], Carried] = {}
        for fact in facts:
            self._take(fact)
        for fact in facts:
            if isinstance(fact, Fill):
                self._give(fact)

    def _take(self, fact: Fact) -> None:
        if isinstance(fact, OrderFact):
            name = fact.symbol, fact.client_order_id
            order = self.orders.get(name)
            if order is None:
                order = self.orders[name] = _Order(OrderRecord(fact.exchange, *name))
            order.record.add(fact)
            order.newest = max(order.newest, fact.received_at, fact.exchange_time or 0)
            if fact.exchange_order_id is not None:
                self._names[fact.symbol, fact.exchange_order_id].add(name)
        elif isinstance(fact, OrderListFact):
            self.lists[fact.list_client_id].update(fact.legs)
        elif isinstance(fact, FillDelivery):
            self._told.add(_key(fact))
        elif isinstance(fact, Carried):
            self._carried[fact.symbol, fact.is_own] = fact
        elif isinstance(fact, Archived):
            self.archived, self.digests = fact, FillDigests(fact.fills)

    def _give(self, fill: Fill) -> None:
        """Give a fill to its order, where that is known."""
        key = _key(fill)
        reports = self._trades.get(key)
        if reports is None:
            self._trades[key] = TradeReports(fill)
        else:
            reports.add(fill)
        for name in self._names.get((fill.symbol, fill.exchange_order_id), ()):
            order = self.orders[name]
            order.record.add(fill)
            order.fills.add(key)
            order.newest = max(order.newest, fill.received_at, fill.exchange_time or 0)

    def leaving(self, before_ns: int) -> set[_Name]:
        """Return the orders that are to leave."""
        leaving = {name for name, order in self.orders.items() if self._is_over(order, before_ns)}
        for names in self._names.values():
            if len(names) > 1:
                # One id of the exchange for two orders of ours: nobody knows whose its fills are.
                leaving -= names
        by_id: defaultdict[ClientOrderId, set[_Name]] = defaultdict(set)
        for name in self.orders:
            by_id[name[1]].add(name)
        for legs in self.lists.values():
            together = {name for leg in legs for name in by_id[leg]}
            if not together <= leaving:
                leaving -= together
        return leaving

    def _is_over(self, order: _Order, before_ns: int) -> bool:
        state = order.record.state()
        if not state.is_terminal or state.contradictions or order.newest >= before_ns:
            return False
        known = ZERO
        for fill in order.record.fills:
            known = EXACT.add(known, fill.quantity)
        # One that was archived before, and learnt again since, has been told as well.
        return known == state.filled_quantity and all(key in self._told or key in self.digests for key in order.fills)

    def carried_after(self, exchange: str, leaving: set[Key]) -> Iterable[Carried]:
        """Return what all fills up to the newest of the leaving ones add up to, by symbol, and of ours alone.

        Also those in between whose orders stay: entry prices depend on the order in which fills happened.
        """
        ours = {key for order in self.orders.values() if order.record.state().is_own for key in order.fills}
        carried = dict(self._carried)
        for symbol in sorted({key[0] for key in leaving}):
            of_symbol = {key: each.chosen for key, each in self._trades.items() if key[0] == symbol}
            until = max(fill_order(of_symbol[key]) for key in leaving if key[0] == symbol)
            older = {
                key: fill for key, fill in of_symbol.items() if fill_order(fill) <= until and key not in self.digests
            }
            for is_own in (False, True):
                begin = carried.get((symbol, is_own))
                before = set() if begin is None else set(begin.counted)
                mine = {key: fill for key, fill in older.items() if not is_own or key in ours}
                fresh = [fill for key, fill in mine.items() if key[1:] not in before]
                if not fresh and begin is None:
                    continue
                counted = (before | {key[1:] for key in mine}) - {key[1:] for key in leaving if key[0] == symbol}
                carried[symbol, is_own] = carried_over(exchange, symbol, fresh, begin, counted, is_own=is_own)
        return [carried[each] for each in sorted(carried)]


def _key(fact: Fill | FillDelivery) -> Key:
    return fact.symbol, fact.trade_id, fact.exchange_order_id
