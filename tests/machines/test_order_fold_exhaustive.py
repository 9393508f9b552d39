"""Every order of arrival of up to six facts of one order, and every one of them told twice (fault model 0.2)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal
from itertools import combinations, permutations

import pytest

from exconn_sync._machines.order_fold import OrderRecord, fold
from exconn_sync.model.enums import FactSource, OrderStatus, Side
from exconn_sync.model.ids import ClientOrderId
from exconn_sync.model.orders import Fill, OrderFact, OrderState
from tests.machines.make import make_fill, order_fact

S, F = OrderStatus, FactSource
Known = Sequence[OrderFact | Fill]

INTENT = order_fact(source=F.LOCAL, status=S.PENDING_NEW, quantity="3", price="100", side=Side.BUY, is_own=True)
DOUBT = order_fact(source=F.LOCAL, status=S.UNKNOWN, reason="no answer", received_at=2, is_own=True)
ABSENT = order_fact(source=F.LOCAL, status=S.REJECTED, reason="never arrived", received_at=9, is_own=True)
TAKEN = order_fact(source=F.ANSWER, status=S.NEW, exchange_order_id="x1", quantity="3", exchange_time=5)
PARTLY = order_fact(status=S.PARTIALLY_FILLED, exchange_order_id="x1", filled_quantity="1", exchange_time=6)
SMALLER = order_fact(source=F.QUERY, status=S.NEW, exchange_order_id="x1", quantity="2", exchange_time=7)
CANCELED = order_fact(status=S.CANCELED, exchange_order_id="x1", filled_quantity="1", exchange_time=8)
FILLED = order_fact(source=F.QUERY, status=S.FILLED, exchange_order_id="x1", filled_quantity="3", exchange_time=8)
OTHER = order_fact(source=F.RECONCILIATION, status=S.NEW, exchange_order_id="x2", filled_quantity="0")
FIRST = make_fill(trade_id="9", quantity="1", fee="0.1", fee_asset="BNB")
SECOND = make_fill(trade_id="10", quantity="2", fee="0.2", fee_asset="BTC", exchange_time=6)
DIFFERENT = make_fill(trade_id="9", quantity="2", fee="0.1", fee_asset="BNB", source=F.QUERY)

HISTORIES: dict[str, Known] = {
    "filled": (INTENT, TAKEN, PARTLY, FIRST, SECOND, FILLED),
    "canceled, with late fills": (INTENT, TAKEN, FIRST, CANCELED, SMALLER, PARTLY),
    "unknown, then found": (INTENT, DOUBT, TAKEN, PARTLY, FIRST, FILLED),
    "held as absent, and there": (INTENT, DOUBT, ABSENT, TAKEN, FIRST, CANCELED),
    "contradictory": (INTENT, CANCELED, FILLED, OTHER, FIRST, DIFFERENT),
}


TWICE = ("canceled, with late fills", "contradictory")
"""Of which each fact is told a second time as well, at every place; of all histories that would take a minute."""


def arrivals(known: Known, *, twice: bool) -> Iterator[Known]:
    """Every permutation of every subset, and of all of them with each one told a second time."""
    for size in range(1, len(known) + 1):
        for chosen in combinations(known, size):
            yield from permutations(chosen)
    for fact in known if twice else ():
        for order in permutations(known):
            # Told again at each place behind its own; before it, it would be the first one.
            for place in range(order.index(fact) + 1, len(order) + 1):
                yield *order[:place], fact, *order[place:]


def told(known: Known) -> OrderState:
    record = OrderRecord("binance", "BTC-USDT", ClientOrderId("c1"))
    for fact in known:
        record.add(fact)
    return record.state()


@pytest.mark.parametrize("name", HISTORIES)
def test_every_order_of_arrival_gives_one_state(name: str) -> None:
    """(invariant I8)"""
    expected: dict[frozenset[OrderFact | Fill], OrderState] = {}
    count = 0
    for known in arrivals(HISTORIES[name], twice=name in TWICE):
        state = told(known)
        assert expected.setdefault(frozenset(known), state) == state, known
        count += 1
    assert count == 1956 + (6 * 720 * 7 // 2 if name in TWICE else 0)
    assert len(expected) == 63


def test_what_the_histories_come_to() -> None:
    """So that they are about what their names say."""
    states = {name: fold(known) for name, known in HISTORIES.items()}
    assert [state.status for state in states.values()] == [S.FILLED, S.CANCELED, S.FILLED, S.CANCELED, S.FILLED]
    assert [state.filled_quantity for state in states.values()] == [Decimal(each) for each in (3, 1, 3, 1, 3)]
    assert [bool(state.contradictions) for state in states.values()] == [False, False, False, True, True]
