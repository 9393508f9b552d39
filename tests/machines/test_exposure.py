"""What our own orders count for, whatever happens to them in whatever order."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from exconn_sync._machines.exposure import Exposure
from exconn_sync._machines.order_fold import OrderRecord
from exconn_sync._machines.position import PositionBook
from exconn_sync._machines.reservations import Need
from exconn_sync.model.account import Balance
from exconn_sync.model.enums import FactSource, OrderStatus, Side
from exconn_sync.model.ids import ClientOrderId, ExchangeOrderId
from exconn_sync.model.orders import Fill, OrderFact
from tests.machines.make import make_fill

SYMBOL = "BTC-USDT"
B, S = Side.BUY, Side.SELL
LOCAL, STREAM = FactSource.LOCAL, FactSource.STREAM


class World:
    """An exposure, fed as the store feeds it."""

    def __init__(self) -> None:
        self.exposure: Any = Exposure("binance")
        self.records: dict[str, OrderRecord] = {}

    def tell(self, name: str, status: OrderStatus | None, source: FactSource = STREAM, **more: Any) -> None:
        self._add(name, OrderFact("binance", SYMBOL, ClientOrderId(name), source, 1, status=status, **more))

    def intend(
        self, name: str, side: Side, quantity: str | None, need: Need | None = None, size: str | None = None
    ) -> None:
        known = None if size is None else Decimal(size)
        self.exposure.expect(ClientOrderId(name), known, need)
        amount = None if quantity is None else Decimal(quantity)
        self.tell(name, OrderStatus.PENDING_NEW, LOCAL, side=side, quantity=amount, price=Decimal(10), is_own=True)

    def fill(self, name: str, trade: str, quantity: str, side: Side = B, **more: Any) -> None:
        self._add(name, make_fill(trade, quantity, "10", side, exchange_order_id=ExchangeOrderId("x" + name), **more))

    def _add(self, name: str, fact: OrderFact | Fill) -> None:
        record = self.records.setdefault(name, OrderRecord("binance", SYMBOL, ClientOrderId(name)))
        record.add(fact)
        self.exposure.note_order(record.state(), record.fills, record.taken_at)

    def balance(self, asset: str, free: str, at: int) -> None:
        self.exposure.note_balance(Balance("binance", asset, Decimal(free), Decimal(0), at, at, STREAM))

    def sums(self, side: Side = B) -> Any:
        held = self.exposure.position(SYMBOL)
        return held, self.exposure.pending(SYMBOL, side), self.exposure.open_orders()


def test_an_order_whose_id_means_somebody_elses_counts_no_more() -> None:
    """Also what was traded of it before that was known (fault F101)."""
    world = World()
    world.intend("ours", B, "3")
    world.fill("ours", "1", "2")
    world.intend("used", B, "5", Need("USDT", Decimal(50)), size="5")
    world.exposure.wish(ClientOrderId("used"), Decimal(7))
    world.fill("used", "2", "1")
    world.tell("used", OrderStatus.UNKNOWN, LOCAL, voids_intent=True)
    # As long as nobody has seen the other one, an order of ours may have this id.
    assert (world.sums(), world.exposure.reserved("USDT")) == ((Decimal(3), Decimal(7), 2), Decimal(50))
    world.tell("used", OrderStatus.NEW, side=B, quantity=Decimal(9), exchange_order_id=ExchangeOrderId("xused"))
    assert (world.sums(), world.exposure.reserved("USDT")) == ((Decimal(2), Decimal(1), 1), Decimal(0))
    world.tell("used", OrderStatus.CANCELED)
    world.fill("ours", "3", "1")
    assert world.sums() == (Decimal(3), Decimal(0), 0)


def test_an_order_that_is_open_although_we_hold_it_as_rejected_counts() -> None:
    world = World()
    world.intend("a", B, "3")
    world.tell("a", OrderStatus.REJECTED, LOCAL)
    assert world.sums() == (Decimal(0), Decimal(0), 0)
    world.tell("a", OrderStatus.NEW)
    assert world.sums() == (Decimal(0), Decimal(3), 1)
    world.tell("a", OrderStatus.CANCELED)
    assert world.sums() == (Decimal(0), Decimal(0), 0)


@pytest.fixture
def world() -> World:
    return World()


def test_a_fill_turns_what_was_reserved_into_position_and_a_cancel_gives_back_the_rest(world: World) -> None:
    world.intend("a", B, "5")
    assert world.sums() == (0, 5, 1)
    world.tell("a", OrderStatus.NEW)
    world.fill("a", "1", "2")
    assert world.sums() == (2, 3, 1)
    world.fill("a", "1", "2")
    assert world.sums() == (2, 3, 1)
    world.tell("a", OrderStatus.CANCELED)
    assert world.sums() == (2, 0, 0)
    world.fill("a", "2", "1")
    assert world.sums() == (3, 0, 0)


@pytest.mark.parametrize("status", [OrderStatus.REJECTED, OrderStatus.EXPIRED, OrderStatus.CANCELED])
def test_an_order_that_never_traded_gives_everything_back_once(world: World, status: OrderStatus) -> None:
    world.intend("a", S, "5", Need("BTC", Decimal(5)))
    assert (world.sums(S), world.exposure.reserved("BTC")) == ((0, 5, 1), 5)
    for _ in range(2):
        world.tell("a", status)
        assert (world.sums(S), world.exposure.reserved("BTC")) == ((0, 0, 0), 0)


def test_an_unknown_order_keeps_everything(world: World) -> None:
    world.intend("a", B, "5", Need("USDT", Decimal(50)))
    world.tell("a", OrderStatus.UNKNOWN, LOCAL)
    world.balance("USDT", "1000", 99)
    assert (world.sums(), world.exposure.available("USDT")) == ((0, 5, 1), 950)


def test_what_is_said_to_be_filled_counts_before_its_fills_are_known(world: World) -> None:
    """(fault F106)"""
    world.intend("a", B, "5")
    world.tell("a", OrderStatus.FILLED, filled_quantity=Decimal(5))
    assert world.sums() == (0, 5, 0)
    world.fill("a", "1", "3")
    assert world.sums() == (3, 2, 0)
    world.fill("a", "2", "2")
    assert world.sums() == (5, 0, 0)


def test_orders_placed_elsewhere_do_not_count(world: World) -> None:
    """(fault F100)"""
    world.tell("f", OrderStatus.NEW, side=B, quantity=Decimal(9))
    world.fill("f", "1", "4")
    assert world.sums() == (0, 0, 0)


def test_an_order_of_unknown_size_makes_the_sum_unknown(world: World) -> None:
    world.intend("a", B, None)
    assert world.exposure.pending(SYMBOL, B) is None
    assert world.exposure.pending(SYMBOL, B, ClientOrderId("a")) == 0
    assert world.exposure.pending(SYMBOL, S) == 0
    world.tell("a", OrderStatus.EXPIRED)
    assert world.exposure.pending(SYMBOL, B) == 0


def test_an_estimate_stands_for_a_size_that_nobody_states(world: World) -> None:
    world.intend("a", B, None, size="4")
    world.fill("a", "1", "1")
    assert world.sums() == (1, 3, 1)


def test_a_wish_counts_until_it_is_fulfilled_ends_or_is_taken_back(world: World) -> None:
    world.intend("a", B, "5")
    key = ClientOrderId("a")
    world.exposure.wish(key, Decimal(8))
    assert world.sums() == (0, 8, 1)
    world.exposure.unwish(key, Decimal(8))
    world.exposure.unwish(key, Decimal(8))
    assert world.sums() == (0, 5, 1)
    world.exposure.wish(key, Decimal(8))
    world.tell("a", OrderStatus.NEW, quantity=Decimal(8), exchange_time=3)
    world.tell("a", OrderStatus.NEW, quantity=Decimal(6), exchange_time=4)
    assert world.sums() == (0, 6, 1)
    world.exposure.wish(key, Decimal(9))
    world.tell("a", OrderStatus.CANCELED)
    assert world.sums() == (0, 0, 0)
    world.exposure.wish(key, Decimal(9))
    world.exposure.unwish(key, Decimal(9))
    assert world.sums() == (0, 0, 0)


def test_what_was_prevented_is_not_pending(world: World) -> None:
    """(fault F111)"""
    world.intend("a", B, "5")
    world.tell("a", OrderStatus.NEW, prevented_quantity=Decimal(2))
    assert world.sums() == (0, 3, 1)


def test_an_order_that_is_left_out_counts_for_nothing(world: World) -> None:
    world.intend("a", B, "5")
    world.intend("b", B, "2")
    a = ClientOrderId("a")
    assert (world.exposure.pending(SYMBOL, B, a), world.exposure.pending(SYMBOL, S, a)) == (2, 0)
    assert (world.exposure.open_orders(SYMBOL, a), world.exposure.open_orders("ETH-USDT", a)) == (1, 0)


@pytest.mark.parametrize("taken_at", [20, None])
def test_money_is_reserved_until_the_exchange_states_it_as_locked(world: World, taken_at: int | None) -> None:
    world.balance("USDT", "100", 10)
    world.intend("a", B, "5", Need("USDT", Decimal(50)))
    world.balance("USDT", "99", 11)
    assert world.exposure.available("USDT") == 49
    world.tell("a", OrderStatus.NEW, exchange_time=taken_at)
    assert world.exposure.available("USDT") == 49
    world.balance("BTC", "1", 30)
    assert world.exposure.available("USDT") == 49
    world.balance("USDT", "49", 20)
    assert (world.exposure.available("USDT"), world.exposure.reserved("USDT")) == (49, 0)
    assert world.exposure.available("USDT", ClientOrderId("a")) == 99


def test_a_balance_that_comes_before_the_acceptance_is_remembered(world: World) -> None:
    world.intend("a", B, "5", Need("USDT", Decimal(50)))
    world.balance("USDT", "50", 20)
    assert world.exposure.available("USDT") == 0
    world.tell("a", OrderStatus.NEW, exchange_time=20)
    assert world.exposure.available("USDT") == 50


def test_what_a_replaced_order_has_locked_is_given_back(world: World) -> None:
    world.balance("BTC", "1", 1)
    world.intend("a", S, "5", Need("BTC", Decimal(5)))
    assert (world.exposure.available("BTC"), world.exposure.available("BTC", ClientOrderId("a"))) == (-4, 1)
    assert world.exposure.available("ETH") is None
    world.tell("a", OrderStatus.NEW, exchange_time=1)
    assert world.exposure.available("BTC", ClientOrderId("a")) == 6
    assert world.exposure.available("USDT", ClientOrderId("a")) is None


def test_orders_out_of_a_journal_take_what_they_say(world: World) -> None:
    world.intend("a", S, "5")
    world.intend("b", B, "2")
    world.intend("c", B, "3", Need("USDT", Decimal(1)))
    world.intend("d", B, None)
    world.intend("e", B, "9")
    world.tell("e", OrderStatus.NEW)
    world.tell("d", None, LOCAL, quote_quantity=Decimal(100))
    for _ in range(2):
        world.exposure.take_up()
        assert (world.exposure.reserved("BTC"), world.exposure.reserved("USDT")) == (5, 20 + 1 + 100)
    world.tell("b", OrderStatus.REJECTED)
    assert world.exposure.reserved("USDT") == 101


def test_a_balance_is_shown_with_what_is_reserved(world: World) -> None:
    stated = Balance("binance", "BTC", Decimal(7), Decimal(0), 1, 1, STREAM)
    assert world.exposure.shown(stated) is stated
    world.intend("a", S, "5", Need("BTC", Decimal(5)))
    shown: Any = world.exposure.shown(stated)
    assert (shown.reserved, shown.available, shown.total) == (5, 2, 7)
    assert replace(shown, free=Decimal(3)).available == 0


def test_hundreds_of_fills_are_each_added_once(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    added: list[Fill] = []
    add = PositionBook.add

    def noted(book: PositionBook, fill: Fill) -> bool:
        added.append(fill)
        return add(book, fill)

    monkeypatch.setattr(PositionBook, "add", noted)
    world.intend("a", B, "300")
    for trade in range(1, 301):
        world.fill("a", str(trade), "1")
    world.tell("a", OrderStatus.FILLED, filled_quantity=Decimal(300))
    assert (len(added), world.sums()) == (300, (300, 0, 0))
    # One that is told anew with another fee, after all is over.
    world.fill("a", "7", "1", fee=Decimal(1), fee_asset="BNB")
    assert (world.sums(), world.exposure.since(SYMBOL, 0).other_fees) == ((300, 0, 0), {"BNB": 1})


class AnyHistory(RuleBasedStateMachine):
    """Orders with all that may happen to them, against sums that are worked out anew each time."""

    def __init__(self) -> None:
        super().__init__()
        self.world = World()
        # Of each order: side, quantity, wish, fills by trade, what is said to be filled, whether it has ended.
        self.model: dict[str, dict[str, Any]] = {}
        self.trades = 0

    def drawn(self, data: st.DataObject) -> tuple[str, dict[str, Any]]:
        name = data.draw(st.sampled_from(sorted(self.model)))
        return name, self.model[name]

    @rule(side=st.sampled_from(Side), quantity=st.integers(1, 9))
    def place(self, side: Side, quantity: int) -> None:
        name = f"o{len(self.model)}"
        self.model[name] = {"side": side, "quantity": quantity, "fills": {}, "said": 0, "ended": False, "wish": 0}
        self.world.intend(name, side, str(quantity))

    @precondition(lambda self: self.model)
    @rule(data=st.data(), quantity=st.integers(1, 4))
    def trade(self, data: st.DataObject, quantity: int) -> None:
        name, order = self.drawn(data)
        left = order["quantity"] - sum(order["fills"].values())
        if left:
            self.trades += 1
            order["fills"][str(self.trades)] = min(quantity, left)
            self.say_fill(name, order, str(self.trades))

    @precondition(lambda self: self.trades)
    @rule(data=st.data())
    def repeat(self, data: st.DataObject) -> None:
        name, order = self.drawn(data)
        if order["fills"]:
            self.say_fill(name, order, data.draw(st.sampled_from(sorted(order["fills"]))))

    def say_fill(self, name: str, order: dict[str, Any], trade: str) -> None:
        self.world.fill(name, trade, str(order["fills"][trade]), order["side"])
        if sum(order["fills"].values()) == order["quantity"]:
            order["ended"] = True

    @precondition(lambda self: self.model)
    @rule(data=st.data(), status=st.sampled_from(OrderStatus))
    def state(self, data: st.DataObject, status: OrderStatus) -> None:
        name, order = self.drawn(data)
        if status is OrderStatus.FILLED:
            order["said"] = order["quantity"]
            self.world.tell(name, status, filled_quantity=Decimal(order["quantity"]))
        else:
            self.world.tell(name, status)
        order["ended"] = order["ended"] or status.is_terminal

    @precondition(lambda self: self.model)
    @rule(data=st.data(), quantity=st.integers(1, 15), is_taken_back=st.booleans())
    def amend(self, data: st.DataObject, quantity: int, is_taken_back: bool) -> None:
        name, order = self.drawn(data)
        self.world.exposure.wish(ClientOrderId(name), Decimal(quantity))
        if is_taken_back:
            self.world.exposure.unwish(ClientOrderId(name), Decimal(quantity))
        elif not order["ended"] and quantity != order["quantity"]:
            order["wish"] = max(order["wish"], quantity)

    @invariant()
    def agrees(self) -> None:
        held = sum((1 if order["side"] is B else -1) * sum(order["fills"].values()) for order in self.model.values())
        assert self.world.exposure.position(SYMBOL) == held
        for side in Side:
            pending = 0
            for order in self.model.values():
                known = sum(order["fills"].values())
                whole = max(order["said"], known) if order["ended"] else max(order["quantity"], order["wish"])
                pending += (whole - known) if order["side"] is side else 0
            assert self.world.exposure.pending(SYMBOL, side) == pending
        assert self.world.exposure.open_orders() == sum(not order["ended"] for order in self.model.values())


TestAnyHistory = AnyHistory.TestCase
TestAnyHistory.settings = settings(derandomize=True, deadline=None, max_examples=100, stateful_step_count=30)
