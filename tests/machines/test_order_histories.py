"""Every order of arrival, with every repetition, of up to six facts gives one state (fault model 0.2; invariant I8)."""

from __future__ import annotations

from decimal import Decimal
from itertools import permutations

import pytest

from exconn_sync._machines.order_fold import OrderRecord
from exconn_sync.model.account import Fact
from exconn_sync.model.enums import FactSource, OrderStatus, Side
from exconn_sync.model.ids import ClientOrderId, ExchangeOrderId, TradeId
from exconn_sync.model.orders import Fill, OrderFact, OrderState
from tests.machines.make import make_fill, order_fact
from tests.unit.store.make import Kept, balance

S = OrderStatus
LOCAL, ANSWER, STREAM = FactSource.LOCAL, FactSource.ANSWER, FactSource.STREAM
QUERY, RECONCILIATION = FactSource.QUERY, FactSource.RECONCILIATION
X1, X2 = ExchangeOrderId("x1"), ExchangeOrderId("x2")
INTENT = order_fact(LOCAL, status=S.PENDING_NEW, quantity="3", price="100", side=Side.BUY, is_own=True)
DOUBT = order_fact(LOCAL, status=S.UNKNOWN, reason="no answer", is_own=True)
ABSENT = order_fact(LOCAL, status=S.REJECTED, reason="never arrived", is_own=True)
OPEN = order_fact(ANSWER, status=S.NEW, exchange_order_id=X1, quantity="3", filled_quantity="0", exchange_time=1)


def told(status: OrderStatus, filled: str, at: int, source: FactSource = STREAM, **more: object) -> OrderFact:
    return order_fact(source, at, status=status, exchange_order_id=X1, filled_quantity=filled, exchange_time=at, **more)


HISTORIES: dict[str, list[OrderFact | Fill]] = {
    "filled after a doubt": [
        INTENT, DOUBT, OPEN, told(S.PARTIALLY_FILLED, "1", 2, quantity="3"), make_fill("1", "1"),
        told(S.FILLED, "3", 3, QUERY, quantity="3", cumulative_quote="300"),
    ],
    "cancelled with a late fill": [
        INTENT, OPEN, told(S.PARTIALLY_FILLED, "1", 2), told(S.CANCELED, "1", 4), make_fill("1", "1"),
        make_fill("2", "1", "101"),
    ],
    "different ends": [
        told(S.CANCELED, "0", 2), told(S.FILLED, "3", 2, QUERY), told(S.REJECTED, "0", 2, RECONCILIATION),
        make_fill("1", "1"), make_fill("1", "2"), make_fill("2", "1", exchange_order_id=X2),
    ],
    "amended": [
        OPEN, told(S.NEW, "0", 2, quantity="2", price="99"), told(S.NEW, "0", 2, RECONCILIATION, quantity="2"),
        told(S.PARTIALLY_FILLED, "1", 1, QUERY, quantity="3"), make_fill("1", "1"),
        told(S.PARTIALLY_FILLED, "1", 5, quantity="1.5"),
    ],
    "called absent and there": [
        INTENT, DOUBT, ABSENT, told(S.NEW, "0", 2, QUERY, quantity="3"), make_fill("1", "3"),
        told(S.FILLED, "3", 3, quantity="3"),
    ],
    "the id means another order": [
        INTENT, order_fact(LOCAL, status=S.UNKNOWN, voids_intent=True, is_own=True),
        told(S.NEW, "0", 2, QUERY, side=Side.SELL, quantity="9"), make_fill("1", "1", side=Side.SELL), ABSENT,
        told(S.CANCELED, "1", 4),
    ],
    "may grow": [
        order_fact(LOCAL, status=S.PENDING_NEW, quantity="1", is_own=True, may_grow=True),
        told(S.NEW, "0", 1, quantity="1", may_grow=True), make_fill("1", "1"),
        told(S.PARTIALLY_FILLED, "1", 2, quantity="3", may_grow=True), make_fill("2", "2"),
        told(S.FILLED, "3", 3, quantity="3", may_grow=True, cumulative_fees=(("USDT", Decimal("0.3")),)),
    ],
}  # fmt: skip


@pytest.mark.parametrize("name", HISTORIES)
def test_all_arrivals_of_a_history_agree_at_every_step(name: str) -> None:
    """720 orders of arrival; after each fact all that came before come once more (faults F093 to F097, F105)."""
    known = HISTORIES[name]
    assert len(known) == 6
    states: dict[frozenset[int], OrderState] = {}
    for order in permutations(range(6)):
        record = OrderRecord("binance", "BTC-USDT", ClientOrderId("c1"))
        for count, index in enumerate(order, 1):
            assert record.add(known[index])
            arrived = frozenset(order[:count])
            state = record.state()
            assert states.setdefault(arrived, state) == state, [known[each] for each in order[:count]]
            assert not any(record.add(known[each]) for each in order[:count])
            if count == 6:
                assert record.state() == state
    assert len(states) == 2**6 - 1


def test_all_arrivals_at_the_store_agree() -> None:
    """Orders, fills, positions and balances, with fills that come before their order, and a trade of both sides."""
    other = OrderFact(
        "binance", "BTC-USDT", ClientOrderId("c2"), STREAM, 1, status=S.NEW, exchange_order_id=X2, side=Side.SELL,
        quantity=Decimal(3),
    )  # fmt: skip
    facts: list[Fact] = [
        INTENT, OPEN, make_fill("1", "1"), make_fill("1", "1", side=Side.SELL, exchange_order_id=X2), other,
        balance("BTC", "5", 7),
    ]  # fmt: skip
    known = []
    for order in permutations(facts):
        kept = Kept()
        for fact in order:
            kept.store.apply([fact])
            kept.store.apply([fact])
        states = sorted(kept.store.orders(), key=lambda state: state.client_order_id)
        fills = sorted(kept.store.fills(), key=lambda fill: fill.exchange_order_id)
        bare = [(state.client_order_id, state.status, state.filled_quantity, state.side) for state in states]
        found = (bare, fills, kept.store.positions(), kept.store.balances()["BTC"].free)
        known.append(found)
        assert found == known[0], order
    assert known[0][0] == [
        ("c1", S.PARTIALLY_FILLED, Decimal(1), Side.BUY), ("c2", S.PARTIALLY_FILLED, Decimal(1), Side.SELL),
    ]  # fmt: skip
    assert len(known) == 720


def test_quantities_are_exact_however_many_digits_they_have() -> None:
    """A binary float would say 0.30000000000000004, and lose the last digits of the others (fault F114)."""
    record = OrderRecord("binance", "BTC-USDT", ClientOrderId("c1"))
    quantities = ("0.1", "0.2", "12345678901234567.00000001", "0.00000001")
    for number, quantity in enumerate(quantities):
        record.add(make_fill(str(number), quantity, "0.1", fee="0.1"))
    state = record.state()
    assert state.filled_quantity == Decimal("12345678901234567.30000002")
    assert record.fills[0].trade_id == TradeId("0")
    assert state.fees == {"USDT": Decimal("0.4")}
    two = OrderRecord("binance", "BTC-USDT", ClientOrderId("c1"))
    two.add(make_fill("1", "0.1"))
    two.add(make_fill("2", "0.2"))
    assert str(two.state().filled_quantity) == "0.3"
