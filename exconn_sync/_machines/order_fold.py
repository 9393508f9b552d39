"""Joins the facts about one order; any order and any number of arrivals gives the same state (fault model 0.2).

The state is a function of the *set* of facts. The rules:

1. Status follows ``RANK`` and never moves down; a terminal status absorbs everything below it. So an UNKNOWN of ours
   raises PENDING_NEW, and any status of the exchange supersedes both.
2. The filled quantity is the largest of all cumulative statements and of the sum of fills. It lifts the status: more
   than nothing is at least PARTIALLY_FILLED, all that was ordered is FILLED, unless orders can be made larger.
3. A terminal order still gains late fills (F105). A fill counts once, by its trade id (F096).
4. Of facts that exclude each other all are kept, ``contradictions`` names them, and what is displayed is chosen by a
   fixed rule: ``TERMINAL_PRECEDENCE`` for final states, the smallest text for exchange ids, the largest quantity for
   reports of one trade, and for what was asked the user's intent before the exchange's words. Quantity and prices can
   be amended: what the exchange stated last, by its own time, is the truth (F108).
5. Where the exchange has refused what was asked for because an open order has its client id (F101), nothing that we
   said ourselves is about the order that the id means: once that one appears, it alone is shown.
6. A fact told again, even at another time, is nothing new (F097); its earliest time counts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from decimal import Decimal
from types import MappingProxyType
from typing import Any, TypeVar

from exconn_sync._machines.fills import SOURCE_RANK, TradeReports, fill_order
from exconn_sync._machines.stated_fields import StatedFields, preferred, text_of
from exconn_sync.model.enums import FactSource, OrderStatus
from exconn_sync.model.ids import ClientOrderId, TradeId
from exconn_sync.model.numbers import EXACT, ZERO, plain_text, quotient
from exconn_sync.model.order_terms import EXITS
from exconn_sync.model.orders import CONTESTED, Fill, HistoryEntry, OrderFact, OrderState, PreventedTrade
from exconn_sync.model.variation import made_of, varied

T = TypeVar("T")

RANK = {
    OrderStatus.PENDING_NEW: 0,
    OrderStatus.UNKNOWN: 1,
    OrderStatus.NEW: 2,
    OrderStatus.PARTIALLY_FILLED: 3,
    OrderStatus.FILLED: 4,
    OrderStatus.CANCELED: 4,
    OrderStatus.EXPIRED: 4,
    OrderStatus.REJECTED: 4,
}
"""An order's status only moves to a higher rank."""

TERMINAL_PRECEDENCE = (OrderStatus.FILLED, OrderStatus.CANCELED, OrderStatus.EXPIRED, OrderStatus.REJECTED)
"""Which of several terminal states is displayed: the one that traded most."""


_OPEN = frozenset({OrderStatus.NEW, OrderStatus.PARTIALLY_FILLED})


class OrderRecord:
    """All facts known about one order; not thread-safe."""

    def __init__(self, exchange: str, symbol: str, client_order_id: ClientOrderId) -> None:
        self.exchange = exchange
        self.symbol = symbol
        self.client_order_id = client_order_id
        self._facts: dict[OrderFact, int] = {}
        self._stated = StatedFields()
        self._is_intent_void = False
        self._trades: dict[TradeId, TradeReports] = {}
        self._history: list[HistoryEntry] = []
        self._state: OrderState | None = None

    def add(self, fact: OrderFact | Fill) -> bool:
        """Join a fact; return whether it says anything that this source has not said before."""
        self._state = None
        if isinstance(fact, Fill):
            return self._add_fill(fact)
        # The time is not part of what a fact says, but the earliest one is kept with it.
        content, count = varied(fact, received_at=0), len(self._facts)
        # Looked up and entered in one step: the hash of a fact is one of all its fields.
        known = self._facts.setdefault(content, fact.received_at)
        if len(self._facts) == count:
            if fact.received_at < known:
                self._facts[content] = fact.received_at
            return False
        if fact.voids_intent:
            self._void_intent()
        elif not (self._is_intent_void and fact.source is FactSource.LOCAL):
            self._stated.add(fact)
        self._history.append(
            HistoryEntry(fact.received_at, fact.source, fact.status, fact.filled_quantity, fact.reason)
        )
        return True

    def _void_intent(self) -> None:
        self._is_intent_void = True
        self._stated = StatedFields()
        for fact in self._facts:
            if fact.source is not FactSource.LOCAL:
                self._stated.add(fact)

    def _add_fill(self, fill: Fill) -> bool:
        reports = self._trades.get(fill.trade_id)
        if reports is None:
            self._trades[fill.trade_id] = TradeReports(fill)
        elif not reports.add(fill):
            return False
        text = f"trade {fill.trade_id}: {plain_text(fill.quantity)} at {plain_text(fill.price)}"
        self._history.append(HistoryEntry(fill.received_at, fill.source, None, None, text))
        return True

    @property
    def correlation_id(self) -> str | None:
        """Id of the command that placed the order, None where that is not known here."""
        found: str | None = self._stated.get("correlation_id")
        return found

    @property
    def fills(self) -> tuple[Fill, ...]:
        """The distinct fills in the order in which they happened."""
        return tuple(sorted((reports.chosen for reports in self._trades.values()), key=fill_order))

    @property
    def taken_at(self) -> int | None:
        """The earliest time at which the exchange says that it had the order, None where it has not said."""
        times = [fact.exchange_time for fact in self._facts if fact.source is not FactSource.LOCAL]
        times += [reports.chosen.exchange_time for reports in self._trades.values()]
        return min((time for time in times if time is not None), default=None)

    @property
    def news(self) -> int:
        """How many times ``add`` has learnt something; the states that were told of them are no more than that."""
        return len(self._history)

    def history(self) -> tuple[HistoryEntry, ...]:
        """Return what was learnt, in the order of arrival; no part of the state."""
        return tuple(self._history)

    def state(self) -> OrderState:
        """Return what the facts add up to; ``sequence`` is left to the store."""
        if self._state is None:
            facts = self._facts
            if self._is_intent_void:
                facts = {fact: at for fact, at in facts.items() if fact.source is not FactSource.LOCAL} or facts
            self._state = _state_of(self, facts, self._trades, self._stated)
        return self._state


def fold(facts: Iterable[OrderFact | Fill]) -> OrderState:
    """Return the state of the order that the facts, at least one, are about."""
    known = list(facts)
    keys = [(fact.exchange, fact.symbol, fact.client_order_id or ClientOrderId("")) for fact in known]
    # A fill may not know the client order id; the largest text is one that is known.
    record = OrderRecord(*max(keys, key=lambda key: (bool(key[2]), key)))
    for fact in known:
        record.add(fact)
    return record.state()


# --- the fold ------------------------------------------------------------------------------------------------------


def _state_of(
    record: OrderRecord, facts: dict[OrderFact, int], trades: dict[TradeId, TradeReports], stated: StatedFields
) -> OrderState:
    fills = [reports.chosen for reports in trades.values()]
    filled = _filled_quantity(facts, fills)
    finals = _final_states(facts, filled)
    status = finals[0] if finals else _open_status(facts, filled)
    ids = _exchange_ids(facts, trades)
    fields = stated.shown()
    # An exit of zero says that there is none any more.
    fields.update((name, fields[name] or None) for name in EXITS)
    fields.update(
        exchange=record.exchange,
        symbol=record.symbol,
        client_order_id=record.client_order_id,
        exchange_order_id=ids[0] if ids else None,
        status=status,
        side=fields["side"] or min((fill.side for fill in fills), default=None),
        filled_quantity=filled,
        average_price=_average_price(facts, fills, filled),
        fees=MappingProxyType(_fees(facts, fills, filled)),
        reason=_reason(facts, status),
        is_own=any(fact.is_own for fact in facts),
        sequence=0,
        updated_at=_updated_at(facts, trades),
        contradictions=_contradictions(facts, trades, finals, ids, filled, stated),
        prevented_quantity=stated.prevented_quantity,
        is_working=stated.is_working and not status.is_terminal,
        prevented_matches=tuple(sorted(stated.prevented_matches, key=_by_number)),
        prevented_trades=tuple(trade for _, trade in sorted(stated.prevented_trades.items(), key=_by_match)),
    )
    return made_of(OrderState, fields)


def _by_match(told: tuple[str, PreventedTrade]) -> tuple[int, str]:
    return _by_number(told[0])


def _by_number(match_id: str) -> tuple[int, str]:
    """Put ids of prevented trades in order: exchanges count them, so that the longer number is the later one."""
    return len(match_id), match_id


def _filled_quantity(facts: Iterable[OrderFact], fills: Iterable[Fill]) -> Decimal:
    stated = [fact.filled_quantity for fact in facts if fact.filled_quantity is not None]
    return max([ZERO, _sum(fill.quantity for fill in fills), *stated])


def _final_states(facts: Iterable[OrderFact], filled: Decimal) -> list[OrderStatus]:
    """Return the terminal states that are stated or follow from the filled quantity, the displayed one first."""
    stated = {fact.status for fact in facts}
    ordered = [fact.quantity for fact in facts if fact.quantity is not None]
    if any(fact.may_grow for fact in facts):
        # What was ordered at first may have been filled before the order became larger.
        ordered = []
    # The smallest quantity, so that the status cannot fall back when a larger one is stated later.
    if ordered and filled > ZERO and filled >= min(ordered):
        stated.add(OrderStatus.FILLED)
    return [status for status in TERMINAL_PRECEDENCE if status in stated]


def _open_status(facts: Iterable[OrderFact], filled: Decimal) -> OrderStatus:
    stated = [fact.status for fact in facts if fact.status is not None]
    if filled > ZERO:
        stated.append(OrderStatus.PARTIALLY_FILLED)
    return max(stated, key=RANK.__getitem__, default=OrderStatus.PENDING_NEW)


def _exchange_ids(facts: Iterable[OrderFact], trades: dict[TradeId, TradeReports]) -> list[Any]:
    ids = {fact.exchange_order_id for fact in facts if fact.exchange_order_id is not None}
    ids.update(fill.exchange_order_id for reports in trades.values() for fill in reports.reports)
    return sorted(ids)


def _picked(facts: Iterable[OrderFact], field: Callable[[OrderFact], T | None]) -> T | None:
    """Return a field that sources may state differently: the intent's, else the preferred source's, else by text."""
    best: tuple[int, T] | None = None
    for fact in facts:
        value = field(fact)
        if value is not None:
            best = preferred(best, (SOURCE_RANK[fact.source], value))
    return None if best is None else best[1]


def _average_price(facts: Iterable[OrderFact], fills: list[Fill], filled: Decimal) -> Decimal | None:
    if filled == ZERO:
        return None
    # Only a sum that belongs to the displayed quantity; a negative one is an exchange's way of saying "not known".
    whole = {fact: fact.cumulative_quote for fact in facts if fact.filled_quantity == filled}
    quote = _picked(whole, lambda fact: None if (sum_ := whole[fact]) is None or sum_ < ZERO else sum_)
    if quote is not None:
        return quotient(quote, filled)
    quantity = _sum(fill.quantity for fill in fills)
    if quantity == ZERO:
        return None
    return quotient(_sum(EXACT.multiply(fill.price, fill.quantity) for fill in fills), quantity)


def _fees(facts: Iterable[OrderFact], fills: list[Fill], filled: Decimal) -> dict[str, Decimal]:
    """Return what the fills cost, or what the exchange says that all of them did where some are not known yet."""
    if not fills and filled == ZERO:
        return {}
    if _sum(fill.quantity for fill in fills) != filled:
        stated = [fact for fact in facts if fact.filled_quantity == filled]
        whole = _picked(stated, lambda fact: fact.cumulative_fees)
        if whole is not None:
            return dict(sorted(whole))
    fees: dict[str, Decimal] = {}
    for fill in fills:
        if fill.fee_asset is not None:
            fees[fill.fee_asset] = EXACT.add(fees.get(fill.fee_asset, ZERO), fill.fee)
    return dict(sorted(fees.items()))


def _reason(facts: Iterable[OrderFact], status: OrderStatus) -> str:
    if RANK[status] < RANK[OrderStatus.FILLED] and status is not OrderStatus.UNKNOWN:
        return ""
    return _picked(facts, lambda fact: fact.reason or None if fact.status is status else None) or ""


def _updated_at(facts: dict[OrderFact, int], trades: dict[TradeId, TradeReports]) -> int:
    fill_times = (fill.received_at for reports in trades.values() for fill in reports.reports)
    return max([0, *facts.values(), *fill_times])


# --- contradictions ------------------------------------------------------------------------------------------------


def _contradictions(
    facts: Iterable[OrderFact],
    trades: dict[TradeId, TradeReports],
    finals: list[OrderStatus],
    ids: list[str],
    filled: Decimal,
    stated: StatedFields,
) -> tuple[str, ...]:
    found = [f"trade {trade_id} was reported differently" for trade_id, each in trades.items() if each.is_contradictory]
    if len(finals) > 1:
        found.append("different final states: " + ", ".join(sorted(finals)))
    if finals == [OrderStatus.REJECTED] and filled > ZERO:
        found.append("filled although rejected")
    if finals == [OrderStatus.REJECTED] and not filled:
        theirs = {fact.status for fact in facts if fact.source is not FactSource.LOCAL}
        if theirs & _OPEN and OrderStatus.REJECTED not in theirs:
            # Ours was a conclusion, and it was wrong (fault F101).
            found.append(CONTESTED)
    quantity = stated.quantity
    if quantity is not None and filled > quantity:
        found.append(f"more filled than ordered: {plain_text(filled)} of {plain_text(quantity)}")
    if len(ids) > 1:
        found.append("different exchange ids: " + ", ".join(ids))
    sides = {fact.side for fact in facts if fact.source is not FactSource.LOCAL} - {None}
    if len(sides) > 1:
        found.append("different side: " + ", ".join(sorted(map(text_of, sides))))
    apart = {name: values for name in ("quantity", "price") if (values := stated.contradictory(name))}
    found += [f"different {name}: " + ", ".join(sorted(map(text_of, values))) for name, values in apart.items()]
    return tuple(sorted(found))


def _sum(numbers: Iterable[Decimal]) -> Decimal:
    total = ZERO
    for number in numbers:
        total = EXACT.add(total, number)
    return total
