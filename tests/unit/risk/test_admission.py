"""Checked and entered in one step: against a model that works everything out anew, and by many threads at once."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from exconn_sync._machines.exposure import Exposure
from exconn_sync._store.entry import Entry
from exconn_sync.config.risk_limits import RiskLimits
from exconn_sync.errors import JournalError, RiskRejected, ValidationError
from exconn_sync.model.account import Balance
from exconn_sync.model.enums import FactSource, OrderStatus, Side
from exconn_sync.model.ids import ClientOrderId
from exconn_sync.model.orders import OrderState
from exconn_sync.risk.case import Case
from exconn_sync.risk.guard import Change, RiskGuard
from tests.unit.risk.make import BTC, case
from tests.unit.store.make import BrokenJournal, Kept, balance, fill, intent, order
from tests.unit.support import in_threads

B, S = Side.BUY, Side.SELL


def entry(guard: RiskGuard, name: str, judged: Case) -> Entry:
    """Return an order as the desk hands it to the store."""

    def admit(exposure: Exposure) -> None:
        guard.judge(judged, exposure, Change.ORDER, [])
        exposure.expect(ClientOrderId(name), judged.adds, judged.need)

    made = replace(intent(name), side=judged.side, quantity=judged.quantity, price=Decimal(10))
    return Entry(made, admit)


def place(kept: Kept, guard: RiskGuard, name: str, judged: Case) -> bool:
    try:
        kept.store.begin(entry(guard, name, judged))
    except RiskRejected:
        return False
    return True


@pytest.mark.parametrize(
    ("limits", "allowed"),
    [
        (RiskLimits(max_position=Decimal(7)), 7),
        (RiskLimits(max_open_orders=7), 7),
        (RiskLimits(max_order_rate=(7, 1000.0)), 7),
        (RiskLimits(check_balance=True), 7),
    ],
    ids=["position", "open orders", "rate", "balance"],
)
def test_of_fifty_threads_only_as_many_pass_as_may(limits: RiskLimits, allowed: int) -> None:
    kept, guard = Kept(), RiskGuard("binance", limits)
    kept.store.apply([balance("USDT", "799", 1)])
    passed: list[bool] = []
    in_threads(50, lambda index: passed.append(place(kept, guard, f"c{index}", case("1", "100"))))
    assert passed.count(True) == allowed
    assert len(kept.store.orders()) == allowed


def test_who_is_refused_leaves_no_trace() -> None:
    kept, guard = Kept(), RiskGuard("binance", RiskLimits(max_position=Decimal(1)))
    assert not place(kept, guard, "a", case("2"))
    assert (kept.store.orders(), list(kept.journal.replay()), kept.events) == ([], [], [])
    assert place(kept, guard, "a", case("1"))


def test_an_id_that_is_taken_takes_nothing_of_a_limit() -> None:
    kept, guard = Kept(), RiskGuard("binance", RiskLimits(max_order_rate=(2, 9.0)))
    assert place(kept, guard, "a", case())
    with pytest.raises(ValidationError):
        place(kept, guard, "a", case())
    assert place(kept, guard, "b", case())


def test_an_order_that_the_journal_does_not_keep_gives_everything_back() -> None:
    kept, guard = Kept(BrokenJournal()), RiskGuard("binance", RiskLimits(max_position=Decimal(1), max_open_orders=1))
    for name in ("a", "b"):
        made = entry(guard, name, case("1"))
        with pytest.raises(JournalError):
            kept.store.begin(made)
        kept.store.withdraw(made, "not kept")
    assert kept.store.decide(lambda exposure: exposure.pending(BTC, B)) == 0
    assert kept.store.decide(lambda exposure: exposure.reserved("USDT")) == 0


def test_balances_are_shown_with_what_is_reserved_until_the_exchange_knows() -> None:
    kept, guard = Kept(), RiskGuard("binance", RiskLimits())
    kept.store.apply([balance("USDT", "1000", 1)])
    assert place(kept, guard, "a", case("3", "100"))
    shown: Any = kept.store.balances()["USDT"]
    assert (shown.free, shown.reserved, shown.available) == (1000, 300, 700)
    kept.store.apply([order("a", OrderStatus.NEW, exchange_time=5)])
    assert kept.store.balances()["USDT"].reserved == 300
    kept.store.apply([balance("USDT", "700", 5)])
    assert kept.store.balances()["USDT"].reserved == 0
    assert [fact.reserved for fact in kept.journal.replay() if isinstance(fact, Balance)] == [0]


def test_what_a_journal_gives_back_counts_like_before() -> None:
    kept, guard = Kept(), RiskGuard("binance", RiskLimits(max_position=Decimal(5)))
    assert place(kept, guard, "a", case("2"))
    assert place(kept, guard, "b", case("3"))
    kept.store.apply([fill("1", "1", "x1", "a"), order("b", OrderStatus.CANCELED)])
    restored = Kept()
    restored.store.restore(kept.journal.replay())
    for each in (kept, restored):
        assert each.store.decide(lambda exposure: exposure.position(BTC)) == 1
        assert each.store.decide(lambda exposure: exposure.pending(BTC, B)) == 1
        assert not place(each, guard, "c", case("3.5"))


def test_an_order_that_a_journal_leaves_without_an_outcome_keeps_its_money() -> None:
    kept = Kept()
    kept.store.restore([balance("USDT", "100", 1), replace(intent("a"), price=Decimal(7)), order("b", is_own=True)])
    assert (kept.store.balances()["USDT"].reserved, kept.store.balances()["USDT"].available) == (
        Decimal(70),
        Decimal(30),
    )
    kept.store.apply([order("a", OrderStatus.REJECTED)])
    assert kept.store.balances()["USDT"].reserved == 0


class AnyOrders(RuleBasedStateMachine):
    """Orders of both sides, whatever becomes of them, under limits that change: refused exactly where they must be."""

    def __init__(self) -> None:
        super().__init__()
        self.kept = Kept()
        self.guard = RiskGuard("binance", RiskLimits(max_position=Decimal(12), max_open_orders=4))
        self.trades = 0

    def states(self) -> list[OrderState]:
        return [state for state in self.kept.store.orders() if state.is_own]

    def drawn(self, data: st.DataObject) -> OrderState:
        return data.draw(st.sampled_from(self.states()))

    def reach(self, side: Side, adds: Decimal, but: ClientOrderId | None = None) -> Decimal:
        """Return how far a position could come to a side, from nothing but orders and fills."""
        mine = {state.client_order_id for state in self.states()}
        fills = [each for each in self.kept.store.fills() if each.client_order_id in mine]
        held = sum((each.quantity if each.side is side else -each.quantity for each in fills), Decimal(0))
        pending = Decimal(0)
        for state in self.states():
            if state.side is side and state.client_order_id != but:
                own = [each.quantity for each in fills if each.client_order_id == state.client_order_id]
                known = sum(own, Decimal(0))
                assert state.quantity is not None
                pending += max(state.filled_quantity if state.is_terminal else state.quantity, known) - known
        return held + pending + adds

    def open_orders(self, but: ClientOrderId | None = None) -> int:
        return sum(not state.is_terminal and state.client_order_id != but for state in self.states())

    def try_to_place(self, side: Side, quantity: int, replaces: ClientOrderId | None = None) -> None:
        limits = self.guard.limits
        assert isinstance(limits.max_position, Decimal)
        assert limits.max_open_orders is not None
        may = (
            self.guard.killed is None
            and self.reach(side, Decimal(quantity), replaces) <= limits.max_position
            and self.open_orders(replaces) < limits.max_open_orders
        )
        name = f"c{len(self.states())}"
        judged = case(str(quantity), side=side.value, replaces=replaces)
        assert place(self.kept, self.guard, name, judged) == may

    @rule(side=st.sampled_from(Side), quantity=st.integers(1, 8))
    def new(self, side: Side, quantity: int) -> None:
        self.try_to_place(side, quantity)

    @precondition(lambda self: self.states())
    @rule(data=st.data(), quantity=st.integers(1, 8))
    def replacement(self, data: st.DataObject, quantity: int) -> None:
        old = self.drawn(data)
        assert old.side is not None
        self.try_to_place(old.side, quantity, old.client_order_id)

    @precondition(lambda self: self.states())
    @rule(data=st.data(), quantity=st.integers(1, 5))
    def trade(self, data: st.DataObject, quantity: int) -> None:
        state = self.drawn(data)
        left = (state.quantity or Decimal(0)) - state.filled_quantity
        if left > 0 and state.side is not None:
            self.trades += 1
            name = state.client_order_id
            self.kept.store.apply([
                replace(fill(str(self.trades), str(min(left, Decimal(quantity))), f"x{name}", name), side=state.side)
            ])  # fmt: skip

    @precondition(lambda self: self.states())
    @rule(data=st.data(), status=st.sampled_from([each for each in OrderStatus if each is not OrderStatus.FILLED]))
    def news(self, data: st.DataObject, status: OrderStatus) -> None:
        state = self.drawn(data)
        source = FactSource.LOCAL if status is OrderStatus.UNKNOWN else FactSource.STREAM
        self.kept.store.apply([order(state.client_order_id, status, source, side=state.side)])

    @precondition(lambda self: self.states())
    @rule(data=st.data())
    def filled_without_fills(self, data: st.DataObject) -> None:
        state = self.drawn(data)
        fact = order(
            state.client_order_id, OrderStatus.FILLED, exchange_id=f"x{state.client_order_id}",
            filled_quantity=state.quantity,
        )  # fmt: skip
        self.kept.store.apply([fact])

    @rule(quantity=st.integers(1, 5), side=st.sampled_from(Side))
    def order_of_somebody_else(self, quantity: int, side: Side) -> None:
        """(fault F100)"""
        name = f"f{quantity}{side}"
        self.kept.store.apply([replace(order(name), side=side, quantity=Decimal(9))])
        self.trades += 1
        self.kept.store.apply([replace(fill(str(self.trades), str(quantity), f"x{name}", name), side=side)])

    @rule(position=st.integers(3, 15), count=st.integers(1, 6))
    def other_limits(self, position: int, count: int) -> None:
        limits = RiskLimits(max_position=Decimal(position), max_open_orders=count)
        self.kept.store.decide(lambda _: self.guard.change(limits))

    @rule()
    def kill(self) -> None:
        self.kept.store.decide(lambda _: self.guard.kill("enough", 1, []))

    @rule()
    def arm(self) -> None:
        self.kept.store.decide(lambda _: self.guard.arm(1, []))

    @invariant()
    def counts_agree(self) -> None:
        assert self.kept.store.decide(lambda exposure: exposure.open_orders()) == self.open_orders()


TestAnyOrders = AnyOrders.TestCase
TestAnyOrders.settings = settings(derandomize=True, deadline=None, max_examples=120, stateful_step_count=30)
