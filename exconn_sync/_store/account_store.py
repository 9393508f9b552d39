"""The one writer of everything known about the account.

Facts from answers, the private stream and reconciliation all enter through ``apply``. The store joins them to what it
knows and tells the outside what changed. It holds one lock, for the joining only: events, journal and waiting
happen outside of it, and readers get immutable values.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import TypeAlias, TypeVar

from exconn_sync._machines.deadline import Deadline
from exconn_sync._machines.exposure import Exposure
from exconn_sync._machines.fills import TradeReports
from exconn_sync._machines.order_fold import OrderRecord
from exconn_sync._runtime.process import ProcessGuard
from exconn_sync._store.aliases import Aliases
from exconn_sync._store.desk import Desk
from exconn_sync._store.entry import Entry
from exconn_sync._store.held_intents import HeldIntents
from exconn_sync._store.keeper import Keeper, hanging_journal
from exconn_sync._store.list_table import ListTable
from exconn_sync._store.position_table import PositionTable
from exconn_sync._store.told import EventNumbers, Told, Value, fill_key, is_newer, shown
from exconn_sync.errors import ConnectorStopped, ValidationError
from exconn_sync.model.account import Balance, BalanceChange, Fact, FillDelivery, Position
from exconn_sync.model.enums import Channel, OrderStatus
from exconn_sync.model.ids import ClientOrderId, ExchangeOrderId, TradeId
from exconn_sync.model.order_lists import OrderListFact, OrderListState
from exconn_sync.model.orders import Fill, HistoryEntry, OrderFact, OrderState
from exconn_sync.model.variation import varied
from exconn_sync.ports.journal import Journal
from exconn_sync.ports.waiting import Condition

T = TypeVar("T")
Publish: TypeAlias = Callable[[Channel, str, list[Value]], None]


class AccountStore:
    """Everything known about one account on one exchange. All methods may be called from any thread.

    Each new fact goes to the journal before its events are published; ``report`` hears of a fact that the journal could
    not keep. None of the three runs under the lock.
    """

    def __init__(
        self, exchange: str, journal: Journal, publish: Publish, report: Callable[[str, Exception], None]
    ) -> None:
        self._exchange = exchange
        self._publish = publish
        self.keeper = Keeper(journal, report)
        # Guards everything below; waiters for an order's change are notified through it.
        self._changed = Condition(threading.Lock())
        self._records: dict[ClientOrderId, OrderRecord] = {}
        self._states: dict[ClientOrderId, OrderState] = {}
        # Kept apart, because programs ask for open orders often and finished ones pile up.
        self._open: dict[ClientOrderId, None] = {}
        self._by_exchange_id: dict[ExchangeOrderId, dict[str, ClientOrderId]] = {}
        self._aliases = Aliases()
        self._lists = ListTable()
        # Fills of orders that are not known yet, by the exchange's id of the order and by ours.
        self._orphans: dict[tuple[str, ExchangeOrderId], list[Fill]] = {}
        self._orphans_by_client_id: dict[ClientOrderId, list[Fill]] = {}
        self._positions = PositionTable(exchange)
        # By symbol, trade and order: a trade between two orders of one account is a fill of each.
        self._trades: dict[tuple[str, TradeId, ExchangeOrderId], TradeReports] = {}
        self._balances: dict[str, Balance] = {}
        self._exposure = Exposure(exchange)
        self._held = HeldIntents()
        self.desk: Desk[Told] = Desk(self._tell, hanging_journal)
        self._numbers = EventNumbers()
        self._closed = False
        self.guard = ProcessGuard()

    # --- writing ----------------------------------------------------------------------------------------------------

    def begin(self, entry: Entry) -> None:
        """Enter a new order of ours; when it returns, the journal has it.

        Raises:
            ValidationError: the client order id was used before.
            RiskRejected: ``admit`` does not let it in.
            JournalError: the journal could not keep it; the order must not be sent.
        """
        self.desk.change(lambda: self._begin(entry))

    def withdraw(self, entry: Entry, reason: str) -> None:
        """State that an order will not be sent, where ``begin`` has entered it before it failed or was interrupted."""
        self.desk.change(lambda: self._withdraw(entry, reason))

    def _withdraw(self, entry: Entry, reason: str) -> None:
        if entry.is_entered:
            self._apply([replace(entry.intent, status=OrderStatus.REJECTED, reason=reason)])

    def _begin(self, entry: Entry) -> None:
        intent = entry.intent
        with self._changed:
            if intent.client_order_id in self._records:
                raise ValidationError("client_order_id", intent.client_order_id, "was used before")
            entry.admit(self._exposure)
            entry.is_entered = True
            told = self._join([intent])
            self._held.hold(told)
            self._changed.notify_all()
        try:
            self.keeper.keep_intent(intent)
        finally:
            with self._changed:
                self.desk.put(self._held.kept(told))
            self.desk.flush()

    def apply(self, facts: Iterable[Fact]) -> None:
        """Join facts; what they change is journalled and published soon, in one order for all threads."""
        self.desk.change(lambda: self._apply(facts))

    def _apply(self, facts: Iterable[Fact]) -> None:
        with self._changed:
            told = self._join(facts)
            if not told.facts:
                return
            self.desk.put([*self._held.before(told), told])
            self._changed.notify_all()
        self.desk.flush()

    def restore(self, facts: Iterable[Fact]) -> list[Fill]:
        """Join facts from a journal: they are neither journalled nor published again.

        Returns the fills that were news and have no note that they were delivered.
        """
        known = list(facts)
        delivered = {fill_key(fact) for fact in known if isinstance(fact, FillDelivery)}
        with self._changed:
            self._positions.note_archived(known)
            told = self._join(known)
            self._positions.take_up(known, self._exposure)
            for name, record in told.records.items():
                # Each state that an earlier process told had news: their numbers go on and never fall (I5).
                self._states[name] = varied(self._states[name], sequence=record.news)
            self._exposure.take_up()
        return [fill for _, _, fill in told.events if isinstance(fill, Fill) and fill_key(fill) not in delivered]

    def close(self) -> None:
        """Nothing will change any more: everybody who waits is told."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def reopen(self) -> None:
        """Accept waiters again, after a restart of the connector."""
        with self._changed:
            self._closed = False

    def _tell(self, told: Told, counts: Callable[[], bool]) -> bool:
        """Journal and publish; a fact may be kept twice, which changes nothing, an event is published once."""
        while told.kept < len(told.facts):
            self.keeper.keep(told.facts[told.kept])
            if not counts():
                return False
            told.kept += 1
        while told.published < len(told.events):
            if not counts():
                return False
            channel, symbol, value = told.events[told.published]
            told.published += 1
            self._publish(channel, symbol, [value])
        return True

    def _join(self, facts: Iterable[Fact]) -> Told:
        told = Told()
        for fact in facts:
            if isinstance(fact, Balance):
                self._join_balance(fact, told)
            elif isinstance(fact, Fill):
                self._join_fill(fact, told)
            elif isinstance(fact, OrderListFact):
                self._join_list(fact, told)
            elif isinstance(fact, BalanceChange):
                told.facts.append(fact)
                told.events.append((Channel.BALANCE_CHANGE, fact.asset, fact))
            elif isinstance(fact, OrderFact):
                self._join_order(fact, told)
        for record in told.records.values():
            self._note_order(record, told)
        return told

    def _join_order(self, fact: OrderFact, told: Told) -> None:
        fact = self._aliases.resolved(fact, self._named_by(fact.symbol, fact.exchange_order_id))
        record = self._records.get(fact.client_order_id)
        if record is None:
            record = OrderRecord(self._exchange, fact.symbol, fact.client_order_id)
            self._records[fact.client_order_id] = record
        if not record.add(fact):
            return
        told.facts.append(fact)
        for orphan in self._orphans_by_client_id.pop(fact.client_order_id, []):
            self._adopt(record, orphan)
        if fact.exchange_order_id is not None:
            self._name(record, fact.symbol, fact.exchange_order_id)
        told.records[record.client_order_id] = record

    def _join_list(self, fact: OrderListFact, told: Told) -> None:
        legs = [self._named_by(fact.symbol, leg_id) for leg_id in fact.leg_ids] or [None for _ in fact.legs]
        own = tuple(self._aliases.own(leg, named) for leg, named in zip(fact.legs, legs, strict=False))
        fact = replace(fact, legs=own)
        state = self._lists.join(fact)
        if state is not None:
            told.facts.append(fact)
            told.events.append((Channel.ORDER_LIST, state.symbol, state))

    def _named_by(self, symbol: str, exchange_order_id: ExchangeOrderId | None) -> ClientOrderId | None:
        """Return the client id under which the order with this id of the exchange is known here."""
        return None if exchange_order_id is None else self._by_exchange_id.get(exchange_order_id, {}).get(symbol)

    def _name(self, record: OrderRecord, symbol: str, exchange_order_id: ExchangeOrderId) -> None:
        """Note the exchange's id of an order, and give it the fills that came under this id before."""
        self._by_exchange_id.setdefault(exchange_order_id, {}).setdefault(symbol, record.client_order_id)
        self._aliases.bind(record.client_order_id, exchange_order_id)
        for orphan in self._orphans.pop((symbol, exchange_order_id), []):
            self._adopt(record, orphan)

    def _adopt(self, record: OrderRecord, fill: Fill) -> None:
        record.add(fill)
        self._name(record, fill.symbol, fill.exchange_order_id)

    def _join_fill(self, fill: Fill, told: Told) -> None:
        client_order_id = self._named_by(fill.symbol, fill.exchange_order_id)
        if client_order_id is None and fill.client_order_id is not None:
            client_order_id = self._aliases.own(fill.client_order_id)
        record = None if client_order_id is None else self._records.get(client_order_id)
        key = fill_key(fill)
        known = self._trades.get(key)
        is_news = known is None or known.add(fill)
        if known is None:
            self._trades[key] = TradeReports(fill)
        if known is None and not self._positions.is_archived(fill):
            self._numbers.put(told, Channel.FILL, fill.symbol, shown(fill, client_order_id, record))
        if record is not None:
            # Also a fill that is known already is shown to its order, which notices reports that contradict each other.
            if record.add(fill):
                is_news = True
                told.records[record.client_order_id] = record
            self._name(record, fill.symbol, fill.exchange_order_id)
        elif is_news:
            self._orphans.setdefault((fill.symbol, fill.exchange_order_id), []).append(fill)
            if client_order_id is not None:
                self._orphans_by_client_id.setdefault(client_order_id, []).append(fill)
        if is_news:
            told.facts.append(fill)
            self._note_position(fill, told)

    def _join_balance(self, fact: Balance, told: Told) -> None:
        known = self._balances.get(fact.asset)
        if known is not None and not is_newer(fact, known):
            return
        self._balances[fact.asset] = fact
        self._exposure.note_balance(fact)
        told.facts.append(fact)
        if known is None or (known.free, known.locked) != (fact.free, fact.locked):
            self._numbers.put(told, Channel.BALANCE, fact.asset, self._exposure.shown(fact))

    def _note_order(self, record: OrderRecord, told: Told) -> None:
        known = self._states.get(record.client_order_id)
        sequence = 0 if known is None else known.sequence
        state = record.state()
        if state.is_own or (known is not None and known.is_own):
            self._exposure.note_order(state, record.fills, record.taken_at)
        if known is not None and varied(state, updated_at=known.updated_at, sequence=sequence) == known:
            return
        state = varied(state, sequence=sequence + 1)
        self._states[record.client_order_id] = state
        if state.may_trade:
            self._open[record.client_order_id] = None
        else:
            self._open.pop(record.client_order_id, None)
        told.events.append((Channel.ORDER, state.symbol, state))

    def _note_position(self, fill: Fill, told: Told) -> None:
        position = self._positions.add(fill)
        if position is not None:
            self._numbers.put(told, Channel.POSITION, fill.symbol, position)

    def decide(self, decision: Callable[[Exposure], T]) -> T:
        """Return what a decision makes of our orders at one moment; it is told and must do neither I/O nor wait."""
        self.guard.check("account")
        with self._changed:
            return decision(self._exposure)

    # --- reading ----------------------------------------------------------------------------------------------------

    def order(self, order_id: str) -> OrderState | None:
        """Return the order with this client or exchange order id.

        None where there is none, and where an exchange id belongs to orders of several symbols.
        """
        self.guard.check("account")
        with self._changed:
            named = self._by_exchange_id.get(ExchangeOrderId(order_id), {})
            only = next(iter(named.values())) if len(named) == 1 else None
            own = self._aliases.own(ClientOrderId(order_id))
            return self._states.get(own) or (None if only is None else self._states.get(only))

    def order_of(self, fact: OrderFact) -> OrderState | None:
        """Return the order that a fact is about, whatever the exchange calls it now."""
        self.guard.check("account")
        with self._changed:
            named = self._named_by(fact.symbol, fact.exchange_order_id)
            return self._states.get(self._aliases.own(fact.client_order_id, named))

    def is_earlier(self, fact: OrderFact) -> bool:
        """Return whether a look has found an order that is older than the intent with its client id (fault F102)."""
        with self._changed:
            return self._aliases.is_earlier(fact)

    def orders(self) -> list[OrderState]:
        """Return all known orders, oldest knowledge first."""
        self.guard.check("account")
        with self._changed:
            return list(self._states.values())

    def open_orders(self) -> list[OrderState]:
        """Return the orders that may still trade, oldest knowledge first."""
        self.guard.check("account")
        with self._changed:
            return [self._states[client_order_id] for client_order_id in self._open]

    def order_list(self, list_id: str) -> OrderListState | None:
        """Return the order list with this id, ours or the exchange's; None where none is known."""
        self.guard.check("account")
        with self._changed:
            return self._lists.get(list_id)

    def order_lists(self) -> list[OrderListState]:
        """Return all known order lists, oldest knowledge first."""
        self.guard.check("account")
        with self._changed:
            return self._lists.all()

    def order_history(self, client_order_id: ClientOrderId) -> tuple[HistoryEntry, ...]:
        """Return what was learnt about an order, in order of arrival."""
        self.guard.check("account")
        with self._changed:
            record = self._records.get(client_order_id)
            return () if record is None else record.history()

    def fills(self) -> list[Fill]:
        """Return all known fills, in order of arrival."""
        self.guard.check("account")
        with self._changed:
            return [self._named(reports.chosen) for reports in self._trades.values()]

    def _named(self, fill: Fill) -> Fill:
        """Return the fill with what is known of its order, which may have become known later than the fill."""
        named = self._by_exchange_id.get(fill.exchange_order_id, {}).get(fill.symbol)
        record = None if named is None else self._records.get(named)
        # What the exchange calls the order may be the name of another one by now (faults F102, F103).
        return fill if record is None else shown(fill, named, record)

    def balances(self) -> Mapping[str, Balance]:
        """Return the balances by asset, with what is reserved of them."""
        self.guard.check("account")
        with self._changed:
            return MappingProxyType({asset: self._exposure.shown(each) for asset, each in self._balances.items()})

    def positions(self) -> Mapping[str, Position]:
        """Return the positions by symbol."""
        self.guard.check("account")
        with self._changed:
            return MappingProxyType(self._positions.all())

    def wait_for(
        self, client_order_id: ClientOrderId, until: Callable[[OrderState], bool], timeout: float | None
    ) -> OrderState | None:
        """Wait until an order is as wanted; return it, or None when the time is over.

        Raises:
            ConnectorStopped: nothing will change any more.
        """
        self.guard.check("order")
        deadline = Deadline.after(time.monotonic_ns(), timeout)
        while True:
            with self._changed:
                state = self._states[client_order_id]
                is_closed = self._closed
            # The user's condition runs without the lock; a change meanwhile is noticed by comparing below.
            if until(state):
                return state
            if is_closed:
                raise ConnectorStopped("the connector is stopped; the order's state can no longer change here")
            with self._changed:
                remaining = deadline.remaining(time.monotonic_ns())
                if remaining is not None and remaining <= 0:
                    return None
                if self._states[client_order_id] is state and not self._closed:
                    self._changed.wait(remaining)
