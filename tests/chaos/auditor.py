"""Compares what a program was told with what was so; pure, and says what does not fit (invariants I1 to I11)."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import replace
from decimal import Decimal
from random import Random
from urllib.parse import parse_qs

from exconn_sync._machines.order_fold import RANK
from exconn_sync._store.account_store import AccountStore
from exconn_sync.model.account import Fact
from exconn_sync.model.enums import OrderStatus
from exconn_sync.model.orders import Fill, OrderState
from exconn_sync.persistence.memory import MemoryJournal
from exconn_sync.simulator import SeenRequest
from exconn_sync.simulator.core.orders import OrderStatus as There
from exconn_sync.simulator.core.orders import SimOrder
from tests.chaos.history import DONE, NOT_SENT, REFUSED, Record, Truth, Verdict, View

_SLACK_S = 60.0
"""How late a call may return: two seconds for a look that explains a refusal, the rest for a machine that is busy.

A call that has no end is far beyond that.
"""
_TIME_REFUSED = (-1021, 10002)
"""Refusals after which the same command may be sent once more, with another time (fault F081)."""
_UNSETTLED = (OrderStatus.PENDING_NEW, OrderStatus.UNKNOWN)
_PLACED, _CANCELLED, _AMENDED = "place", "cancel", "amend"


def differences(view: View, truth: Truth) -> list[str]:
    """Return where the store differs from the exchange (invariants I1, I4, I7); empty once all is settled."""
    return [*_orders(view, truth), *_fills(view, truth), *_money(view, truth), *_exposed(view, truth)]


def audit(record: Record, view: View, truth: Truth, seed: int) -> list[str]:
    """Return everything that is wrong with a run."""
    return [
        *record.crashes,
        *differences(view, truth),
        *_verdicts(record, truth),
        *_sent_twice(truth.requests),
        *_intents(record, truth),
        *_events(record),
        *_deliveries(record, truth),
        *_late(record),
        *replayed(view, seed, truth.exchange),
    ]


# --- the store and the truth (I1, I4, I7) ---------------------------------------------------------------------------


def names_of(order: SimOrder) -> set[str]:
    """Return the client ids that an order has or had."""
    return {order.client_order_id, order.original_client_order_id} - {""}


def _orders(view: View, truth: Truth) -> Iterator[str]:
    by_id = {(state.symbol.replace("-", ""), str(state.exchange_order_id)): state for state in view.orders}
    there = set()
    for order in truth.orders:
        there |= names_of(order)
        found = by_id.get((order.symbol, str(order.order_id))) or _by_name(view.orders, order)
        if found is None:
            if order.status is not There.REJECTED:
                yield f"{order.client_order_id} is {order.status.name} there and not known here"
            continue
        yield from _differs(found, order, truth.exchange)
        if found.is_own == bool(names_of(order) & truth.foreign):
            yield f"{found.client_order_id} is taken for {'ours' if found.is_own else 'foreign'}"
    for state in view.orders:
        if state.status in _UNSETTLED:
            yield f"{state.client_order_id} is still {state.status}"
        if state.contradictions:
            yield f"{state.client_order_id} has contradictions: {state.contradictions}"
        if state.client_order_id not in there and state.status is not OrderStatus.REJECTED:
            yield f"{state.client_order_id} is {state.status} here and is not there"


def _by_name(states: Iterable[OrderState], order: SimOrder) -> OrderState | None:
    names = names_of(order)
    return next((state for state in states if state.client_order_id in names), None)


def _differs(state: OrderState, order: SimOrder, exchange: str) -> Iterator[str]:
    known = (_status(str(state.status), exchange), state.filled_quantity)
    real = (_status(order.status.value, exchange), order.filled_quantity)
    if known != real:
        yield f"{state.client_order_id} is {known} here and {real} there"
    if state.quantity is not None and order.status is not There.REJECTED and state.quantity != order.quantity:
        yield f"{state.client_order_id} is of {state.quantity} here and of {order.quantity} there"


def _status(text: str, exchange: str) -> str:
    """Return a status in the words that both sides share; what Bybit ends by itself it calls cancelled."""
    text = {"expired_in_match": "expired", "pending_new": "new"}.get(text, text)
    return "ended" if exchange == "bybit" and text in ("expired", "canceled", "rejected") else text


def _fills(view: View, truth: Truth) -> Iterator[str]:
    here = Counter((fill.symbol.replace("-", ""), fill.side.value, fill.price, fill.quantity) for fill in view.fills)
    there = Counter((fill.symbol, fill.side.value, fill.price, fill.quantity) for fill in truth.fills)
    if here != there:
        yield f"fills here only: {dict(here - there)}, there only: {dict(there - here)}"
    sums: dict[str | None, Decimal] = defaultdict(Decimal)
    for fill in view.fills:
        sums[fill.client_order_id] += fill.quantity
    for state in view.orders:
        if sums[state.client_order_id] != state.filled_quantity:
            filled = state.filled_quantity
            yield f"{state.client_order_id}: fills of {sums[state.client_order_id]}, and {filled} is filled"


def _money(view: View, truth: Truth) -> Iterator[str]:
    for asset, (free, locked) in truth.balances.items():
        known = view.balances.get(asset)
        if known is None or (known.free, known.locked) != (free, locked):
            here = None if known is None else (known.free, known.locked)
            yield f"{asset} is {here} here and {(free, locked)} there"
    held: dict[str, Decimal] = defaultdict(Decimal)
    for fill in truth.fills:
        held[fill.symbol] += fill.quantity if fill.side.value == "buy" else -fill.quantity
        if fill.symbol.startswith(fill.commission_asset):
            held[fill.symbol] -= fill.commission
    for symbol, quantity in held.items():
        position = next((each for name, each in view.positions.items() if name.replace("-", "") == symbol), None)
        if position is None or position.quantity != quantity:
            yield f"the position of {symbol} is {position and position.quantity} here and {quantity} there"


def _exposed(view: View, truth: Truth) -> Iterator[str]:
    """The limits count what our orders may still do and have done, and nothing stays reserved that is settled."""
    exposed = view.exposed
    if exposed is None:
        return
    ours = [order for order in truth.orders if order.is_open and not names_of(order) & truth.foreign]
    for asset, amount in exposed.reserved.items():
        if amount:
            yield f"{amount} {asset} are still reserved"
    if exposed.open_orders != len(ours):
        yield f"{exposed.open_orders} orders count as open, and {len(ours)} are"
    for side, pending in exposed.pending.items():
        left = sum((order.remaining for order in ours if order.side.value == side), Decimal(0))
        if pending != left:
            yield f"{pending} count as pending to {side}, and {left} are"
    position = next(iter(view.positions.values()), None)
    if position is not None and exposed.position != position.quantity:
        yield f"a position of {exposed.position} counts, and it is {position.quantity}"


# --- what callers were told (I3, I9) --------------------------------------------------------------------------------


def _verdicts(record: Record, truth: Truth) -> Iterator[str]:
    orders = {name: order for order in truth.orders for name in names_of(order)}
    maybe = defaultdict(list)
    for verdict in record.verdicts:
        if verdict.outcome not in (REFUSED, NOT_SENT):
            maybe[verdict.command, verdict.name].append(verdict)
    for verdict in record.verdicts:
        order = orders.get(verdict.name)
        if verdict.command == _PLACED:
            yield from _of_placement(verdict, order)
        elif verdict.command == _CANCELLED:
            yield from _of_cancel(verdict, order)
    for order in truth.orders:
        names = names_of(order)
        ours = [verdict for verdict in record.verdicts if verdict.name in names]
        if names & truth.foreign:
            if order.status is There.CANCELED:
                yield f"{names} of somebody else was cancelled"
        elif not any(verdict.command == _PLACED for verdict in ours):
            yield f"{names} is there, and nobody was told of it"
        was_cancelled = order.status is There.CANCELED and truth.exchange == "binance"
        if was_cancelled and not any(maybe[_CANCELLED, name] for name in names) and not maybe["cancel_all", ""]:
            yield f"{names} is cancelled, and every cancel of it was called refused: {ours}"
    yield from _amendments(record, orders)


def _of_placement(verdict: Verdict, order: SimOrder | None) -> Iterator[str]:
    is_there = order is not None and order.status is not There.REJECTED
    if verdict.outcome in (REFUSED, NOT_SENT) and is_there:
        yield f"{verdict.name} was called {verdict.outcome} ({verdict.text}), and is there"
    if verdict.outcome == DONE and order is None:
        yield f"{verdict.name} was called done, and is not there"


def _of_cancel(verdict: Verdict, order: SimOrder | None) -> Iterator[str]:
    if verdict.outcome == DONE and order is not None and order.status is not There.CANCELED:
        yield f"cancel of {verdict.name} was called done, and it is {order.status.name}"


def _amendments(record: Record, orders: dict[str, SimOrder]) -> Iterator[str]:
    wanted = defaultdict(list)
    for verdict in record.verdicts:
        if verdict.command == _AMENDED:
            wanted[verdict.name].append(verdict)
    for name, verdicts in wanted.items():
        order = orders.get(name)
        if order is None:
            continue
        possible = {verdict.quantity for verdict in verdicts if verdict.outcome not in (REFUSED, NOT_SENT)}
        refused = {verdict.quantity for verdict in verdicts} - possible
        if order.quantity in refused:
            yield f"{name} is of {order.quantity}, and every amendment to that was called refused"
        if len(verdicts) == 1 and verdicts[0].outcome == DONE and order.quantity != verdicts[0].quantity:
            yield f"{name} was called amended to {verdicts[0].quantity}, and is of {order.quantity}"


def _late(record: Record) -> Iterator[str]:
    for call in record.calls:
        took = call.ended - call.began
        if call.timeout and took > call.timeout + _SLACK_S:
            yield f"step {call.step} of thread {call.thread} ({call.action}) took {took:.1f} s of {call.timeout} s"


# --- what was sent (I2, I10) ----------------------------------------------------------------------------------------


def placements(requests: Iterable[SeenRequest]) -> Iterator[tuple[str, SeenRequest]]:
    """Yield the client id of each new order that a request asked for, with the request."""
    for seen in requests:
        if seen.method == "POST" and seen.path in ("/api/v3/order", "/api/v3/order/cancelReplace"):
            for name in parse_qs(seen.params).get("newClientOrderId", []):
                yield name, seen
        elif "create" in seen.path:
            content = json.loads(seen.params)
            content = content[0] if isinstance(content, list) else content
            for row in content.get("request", [content]):
                yield row.get("orderLinkId", ""), seen


def _sent_twice(requests: Iterable[SeenRequest]) -> Iterator[str]:
    counts = Counter(name for name, seen in placements(requests) if seen.code not in _TIME_REFUSED)
    for name, count in counts.items():
        if count > 1:
            yield f"{name} was sent {count} times"


def _intents(record: Record, truth: Truth) -> Iterator[str]:
    for name, seen in placements(truth.requests):
        if record.intents and name not in truth.foreign:
            kept_at = record.intents.get(name)
            # The exchange tells whole milliseconds.
            if kept_at is None or kept_at // 1_000_000 > seen.time:
                yield f"{name} was sent before the journal had it"


# --- what was delivered (I5, I6) ------------------------------------------------------------------------------------


def _events(record: Record) -> Iterator[str]:
    last: dict[str, OrderState] = {}
    for state in record.orders:
        before = last.get(state.client_order_id)
        last[state.client_order_id] = state
        if before is None:
            continue
        if state.sequence <= before.sequence:
            yield f"{state.client_order_id}: state {state.sequence} came after {before.sequence}"
        if RANK[state.status] < RANK[before.status] or state.filled_quantity < before.filled_quantity:
            yield f"{state.client_order_id} went back: {before.status} {before.filled_quantity} to {state.status}"
        if before.is_terminal and state.status is not before.status:
            yield f"{state.client_order_id} was {before.status} and became {state.status}"


def _key(fill: Fill) -> tuple[str, str, str]:
    return fill.symbol, fill.trade_id, fill.exchange_order_id


def _deliveries(record: Record, truth: Truth) -> Iterator[str]:
    for number, fills in enumerate(record.fills):
        counts = Counter(map(_key, fills))
        yield from (f"fill {key} came {count} times to {number}" for key, count in counts.items() if count > 1)
        if len(counts) != len(truth.fills):
            yield f"{len(counts)} fills were delivered to {number}, and there are {len(truth.fills)}"


# --- replay (I8) ----------------------------------------------------------------------------------------------------


def replayed(view: View, seed: int, exchange: str) -> Iterator[str]:
    """Join the facts of the journal once more, in other orders and some of them twice: the state must be the same."""
    rng = Random(f"replay {seed}")
    if not view.facts:
        return
    wanted = _folded(view.facts, exchange)
    known = {str(state.client_order_id): _bare(state) for state in view.orders}
    yield from _unequal("after a replay", known, wanted)
    for _ in range(2):
        facts = [*view.facts, *rng.sample(list(view.facts), len(view.facts) // 3)]
        rng.shuffle(facts)
        yield from _unequal("in another order", wanted, _folded(facts, exchange))


def _unequal(when: str, wanted: dict[str, OrderState], found: dict[str, OrderState]) -> Iterator[str]:
    for name in wanted.keys() | found.keys():
        if wanted.get(name) != found.get(name):
            yield f"{name} {when} is {found.get(name)} and was {wanted.get(name)}"


def _folded(facts: Iterable[Fact], exchange: str) -> dict[str, OrderState]:
    store = AccountStore(exchange, MemoryJournal(), lambda *_: None, lambda *_: None)
    store.restore(facts)
    return {str(state.client_order_id): _bare(state) for state in store.orders()}


def _bare(state: OrderState) -> OrderState:
    """Return a state without what depends on when things were learnt."""
    return replace(state, sequence=0, updated_at=0)
