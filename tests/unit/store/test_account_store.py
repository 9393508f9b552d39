"""The store: any order of facts gives the same state, and each thing is told once, in order."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from threading import Event
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exconn_sync._store.account_store import AccountStore
from exconn_sync._store.entry import Entry
from exconn_sync._store.readers import FillsReader, OrdersReader
from exconn_sync.errors import ConnectorStopped, JournalError, ValidationError
from exconn_sync.model.account import Fact
from exconn_sync.model.enums import Channel, FactSource, OrderStatus
from exconn_sync.model.ids import ClientOrderId
from exconn_sync.model.orders import Fill, OrderState
from exconn_sync.persistence import MemoryJournal
from tests.unit.store.make import SYMBOL, BrokenJournal, Kept, balance, fill, intent, order
from tests.unit.support import LIMIT, Background, fixed, in_threads

C1 = ClientOrderId("c1")

FACTS: list[Fact] = [
    intent(),
    order(exchange_id="x1", quantity=Decimal(10)),
    order(status=OrderStatus.PARTIALLY_FILLED, exchange_id="x1", filled_quantity=Decimal(3)),
    order(status=OrderStatus.CANCELED, source=FactSource.QUERY, exchange_id="x1", filled_quantity=Decimal(4)),
    fill("1", "1"),
    fill("2", "2", client_id="c1"),
    fill("2", "2", source=FactSource.RECONCILIATION),
    fill("3", "1"),
    order("c2", OrderStatus.NEW, exchange_id="x2"),
    fill("4", "5", "x2"),
    fill("5", "5", "x2", client_id="c2"),
    fill("6", "7", "x3", client_id="c3"),
    intent("c3"),
    fill("7", "1", "x9"),
    balance("BTC", "1", 10),
    balance("BTC", "2", 20),
    balance("BTC", "3", 30, FactSource.ANSWER),
    balance("USDT", "5", 20),
    balance("USDT", "4", 20, FactSource.ANSWER),
]


def state_of(store: AccountStore) -> dict[str, Any]:
    """Return all that a reader can see and that is not about arrival."""
    return {
        "orders": {item.client_order_id: replace(item, sequence=0, updated_at=0) for item in store.orders()},
        "fills": sorted((replace(item, received_at=0) for item in store.fills()), key=lambda item: item.trade_id),
        "balances": dict(store.balances()),
        "positions": {name: replace(item, received_at=0) for name, item in store.positions().items()},
    }


EXPECTED = Kept()
EXPECTED.store.apply(FACTS)


def test_events_of_fills_balances_and_positions_are_numbered() -> None:
    """By symbol or asset, without a hole; what is told twice has one number (fault F096)."""
    kept = Kept()
    kept.store.apply([order(exchange_id="x1"), fill("1"), fill("1"), fill("2"), fill("1")])
    kept.store.apply([balance("BTC", "1", 1), balance("USDT", "1", 1), balance("BTC", "2", 2), balance("BTC", "2", 2)])
    assert [each.sequence for each in kept.of(Channel.FILL)] == [1, 2]
    assert [each.sequence for each in kept.of(Channel.POSITION)] == [1, 2]
    assert [(each.asset, each.sequence) for each in kept.of(Channel.BALANCE)] == [("BTC", 1), ("USDT", 1), ("BTC", 2)]
    assert {each.sequence for each in kept.store.fills()} == {0}
    other = Kept(kept.journal)
    other.store.restore(kept.journal.replay())
    other.store.apply([fill("3")])
    assert [each.sequence for each in other.of(Channel.FILL)] == [3], "the next process goes on"


@fixed
@given(st.permutations(FACTS), st.lists(st.sampled_from(FACTS), max_size=5), st.booleans())
def test_any_order_and_repetition_of_facts_gives_the_same_state(
    facts: list[Fact], again: list[Fact], one_by_one: bool
) -> None:
    """(fault F096)"""
    kept = Kept()
    for group in [[fact] for fact in [*facts, *again]] if one_by_one else [[*facts, *again]]:
        kept.store.apply(group)
    assert state_of(kept.store) == state_of(EXPECTED.store)
    trades = [value.trade_id for value in kept.of(Channel.FILL)]
    assert sorted(trades) == ["1", "2", "3", "4", "5", "6", "7"]
    orders: dict[str, OrderState] = {}
    for value in kept.of(Channel.ORDER):
        before = orders.get(value.client_order_id)
        assert value.sequence == (1 if before is None else before.sequence + 1)
        orders[value.client_order_id] = value
    assert list(orders.values()) != []
    assert orders == {item.client_order_id: item for item in kept.store.orders()}


def test_the_expected_state_is_what_the_facts_say() -> None:
    store = EXPECTED.store
    first = store.order("c1")
    assert first is not None
    assert (first.status, first.filled_quantity) == (OrderStatus.CANCELED, Decimal(4))
    third = store.order("c3")
    assert third is not None
    assert (third.status, third.filled_quantity) == (OrderStatus.PARTIALLY_FILLED, Decimal(7))
    assert third.exchange_order_id == "x3"
    assert store.balances()["BTC"].free == 3
    assert store.balances()["USDT"].free == 5
    assert store.positions()[SYMBOL].quantity == 22
    named = {item.trade_id: item.client_order_id for item in store.fills()}
    assert named == {"1": "c1", "2": "c1", "3": "c1", "4": "c2", "5": "c2", "6": "c3", "7": None}


def test_a_fill_that_came_before_its_order_belongs_to_it() -> None:
    """(fault F091)"""
    kept = Kept()
    kept.store.apply([fill("1", "2")])
    assert kept.store.orders() == []
    kept.store.apply([order(exchange_id="x1", quantity=Decimal(2))])
    assert kept.store.order("x1") == kept.store.order("c1")
    assert kept.of(Channel.ORDER)[-1].status is OrderStatus.FILLED
    assert kept.store.fills()[0].client_order_id == "c1"


def test_an_exchange_id_of_two_symbols_finds_no_order() -> None:
    kept = Kept()
    kept.store.apply([order("c1", exchange_id="x1"), order("c2", exchange_id="x1", symbol="ETH-USDT")])
    assert kept.store.order("x1") is None
    assert kept.store.order("c2") is not None


def test_a_repeated_balance_is_told_once() -> None:
    """(fault F116)"""
    kept = Kept()
    kept.store.apply([balance("BTC", "1", 10)])
    kept.store.apply([balance("BTC", "1", 10)])
    kept.store.apply([balance("BTC", "1", 20)])
    kept.store.apply([balance("BTC", "9", 5)])
    assert len(kept.of(Channel.BALANCE)) == 1
    assert kept.store.balances()["BTC"].exchange_time == 20


def test_what_readers_get_cannot_be_changed() -> None:
    kept = Kept()
    kept.store.apply(FACTS)
    with pytest.raises(TypeError):
        kept.store.balances()["BTC"] = balance("BTC", "0", 1)  # type: ignore[index]
    with pytest.raises(TypeError):
        kept.store.positions()["x"] = kept.store.positions()[SYMBOL]  # type: ignore[index]
    kept.store.orders().clear()
    kept.store.fills().clear()
    assert state_of(kept.store) == state_of(EXPECTED.store)


def test_the_history_tells_what_was_learnt_in_order_of_arrival() -> None:
    kept = Kept()
    kept.store.begin(Entry(intent()))
    kept.store.apply([order(exchange_id="x1")])
    kept.store.apply([fill("1")])
    history = kept.store.order_history(C1)
    assert [entry.source for entry in history] == [FactSource.LOCAL, FactSource.STREAM, FactSource.STREAM]
    assert "trade 1" in history[-1].text
    assert kept.store.order_history(ClientOrderId("none")) == ()


# --- beginning and journal ------------------------------------------------------------------------------------------


def test_a_used_id_is_refused_and_changes_nothing() -> None:
    """(fault F101)"""
    kept = Kept()
    kept.store.begin(Entry(intent()))
    with pytest.raises(ValidationError, match="used before"):
        kept.store.begin(Entry(intent()))
    assert list(kept.journal.replay()) == [intent()]
    assert len(kept.of(Channel.ORDER)) == 1


def test_of_many_threads_that_begin_one_id_only_one_succeeds() -> None:
    """(fault F101)"""
    kept = Kept()
    begun: list[int] = []

    def begin(index: int) -> None:
        try:
            kept.store.begin(Entry(intent()))
        except ValidationError:
            return
        begun.append(index)

    in_threads(8, begin)
    assert len(begun) == 1
    assert len(list(kept.journal.replay())) == 1


def test_an_intent_is_kept_before_anybody_hears_of_it() -> None:
    """(fault F149)"""
    seen: list[str] = []

    class Journal(MemoryJournal):
        def append(self, fact: Fact) -> None:
            seen.append("kept")
            super().append(fact)

    store = AccountStore("binance", Journal(), lambda *event: seen.append("told"), lambda *report: None)
    store.begin(Entry(intent()))
    assert seen == ["kept", "told"]


def test_an_intent_is_kept_before_anybody_hears_of_it_also_while_another_thread_is_telling() -> None:
    told: list[str] = []
    busy, go_on, keeping, keep = (threading.Event() for _ in range(4))

    class Journal(MemoryJournal):
        def append(self, fact: Fact) -> None:
            if getattr(fact, "client_order_id", None) == "mine":
                keeping.set()
                assert keep.wait(LIMIT)
            super().append(fact)

    def publish(channel: Channel, symbol: str, values: list[Any]) -> None:
        told.append(getattr(values[0], "client_order_id", "balance"))
        if not busy.is_set():
            busy.set()
            assert go_on.wait(LIMIT)

    store = AccountStore("binance", Journal(), publish, lambda *report: None)
    teller = Background(lambda: store.apply([balance("BTC", "1", 1)]))
    assert busy.wait(LIMIT)
    beginner = Background(lambda: store.begin(Entry(intent("mine"))))
    assert keeping.wait(LIMIT)
    go_on.set()
    teller.result()
    assert told == ["balance"]
    keep.set()
    beginner.result()
    assert told == ["balance", "mine"]


@pytest.mark.parametrize("error", [JournalError("disk full"), OSError("disk full"), RuntimeError("defect")])
def test_an_intent_that_is_not_kept_is_a_journal_error(error: Exception) -> None:
    """(fault F150)"""
    kept = Kept(BrokenJournal(error))
    with pytest.raises(JournalError, match=str(error)) as caught:
        kept.store.begin(Entry(intent()))
    assert caught.value.outcome == "not_sent"
    assert caught.value is error or caught.value.__cause__ is error
    kept.store.apply([order(status=OrderStatus.REJECTED, source=FactSource.LOCAL)])
    assert [value.status for value in kept.of(Channel.ORDER)] == [OrderStatus.PENDING_NEW, OrderStatus.REJECTED]


@pytest.mark.parametrize("error", [JournalError("disk full"), OSError("disk full")])
def test_a_fact_that_is_not_kept_is_reported_and_told_all_the_same(error: Exception) -> None:
    """(fault F150)"""
    kept = Kept(BrokenJournal(error))
    kept.store.apply([order(exchange_id="x1"), fill("1")])
    kept.store.apply([fill("2")])
    assert kept.reports == [("journal", error)] * 3
    assert [value.trade_id for value in kept.of(Channel.FILL)] == ["1", "2"]


def test_each_new_fact_is_kept_once() -> None:
    kept = Kept()
    kept.store.apply(FACTS)
    first = list(kept.journal.replay())
    kept.store.apply(FACTS)
    assert list(kept.journal.replay()) == first


def test_restoring_tells_nobody_and_gives_the_same_state() -> None:
    first = Kept()
    first.store.apply(FACTS)
    second = Kept()
    second.store.restore(first.journal.replay())
    assert second.events == []
    assert list(second.journal.replay()) == []
    assert state_of(second.store) == state_of(first.store)
    with pytest.raises(ValidationError):
        second.store.begin(Entry(intent()))


def test_numbers_of_states_do_not_fall_behind_those_of_an_earlier_process() -> None:
    """(invariant I5)"""
    first = Kept()
    for fact in (intent(), order("c1", exchange_id="x1"), fill("1", exchange_id="x1"), fill("2", exchange_id="x1")):
        first.store.apply([fact])
    told = [state.sequence for state in first.of(Channel.ORDER)]
    second = Kept()
    second.store.restore(first.journal.replay())
    restored = second.store.order("c1")
    assert restored is not None
    assert restored.sequence >= told[-1] == 4
    second.store.apply([fill("3", exchange_id="x1")])
    assert [state.sequence for state in second.of(Channel.ORDER)] == [restored.sequence + 1]


# --- several threads ------------------------------------------------------------------------------------------------


class SlowJournal(MemoryJournal):
    """Takes its time for the first fact that it is given."""

    def __init__(self) -> None:
        super().__init__()
        self.entered, self.may_go_on = Event(), Event()
        self._is_first = True

    def append(self, fact: Fact) -> None:
        if self._is_first:
            self._is_first = False
            self.entered.set()
            assert self.may_go_on.wait(LIMIT)
        super().append(fact)


def test_an_order_is_told_before_what_becomes_known_while_its_intent_is_kept() -> None:
    """(invariant I5)"""
    journal = SlowJournal()
    kept = Kept(journal)
    begun = Background(lambda: kept.store.begin(Entry(intent())))
    assert journal.entered.wait(LIMIT)
    assert kept.events == [], "not before the journal has it"
    kept.store.apply([order("c1", OrderStatus.UNKNOWN, FactSource.LOCAL)])
    journal.may_go_on.set()
    begun.result()
    told = [(state.sequence, str(state.status)) for state in kept.of(Channel.ORDER)]
    assert told == [(1, "pending_new"), (2, "unknown")]
    assert next(iter(journal.replay())) == intent(), "and kept before it was told"


def test_events_of_each_order_come_in_order_whoever_wrote() -> None:
    kept = Kept()
    writers, rounds = 6, 60

    def write(index: int) -> None:
        for number in range(rounds):
            trade = str(1 + index * rounds + number)
            kept.store.apply([fill(trade, "1", f"x{number % 3}", client_id=f"c{number % 3}")])

    for number in range(3):
        kept.store.apply([order(f"c{number}", exchange_id=f"x{number}")])
    in_threads(writers, write)
    assert len(kept.of(Channel.FILL)) == writers * rounds
    for number in range(3):
        mine = [value for value in kept.of(Channel.ORDER) if value.client_order_id == f"c{number}"]
        assert [value.sequence for value in mine] == list(range(1, len(mine) + 1))
        filled = [value.filled_quantity for value in mine]
        assert filled == sorted(filled)
        assert filled[-1] == writers * rounds // 3
    quantities = [value.quantity for value in kept.of(Channel.POSITION)]
    assert quantities == list(range(1, writers * rounds + 1))


def test_a_callback_may_write_and_what_it_writes_comes_after() -> None:
    kept = Kept()
    heard: list[str] = []

    def publish(channel: Channel, symbol: str, values: list[Any]) -> None:
        heard.append(f"{channel}:{symbol}")
        if channel is Channel.FILL:
            store.apply([balance("BTC", "1", 1)])

    store = AccountStore("binance", kept.journal, publish, lambda *report: None)
    store.apply([fill("1")])
    assert heard == ["fill:BTC-USDT", "position:BTC-USDT", "balance:BTC"]


# --- waiting --------------------------------------------------------------------------------------------------------


def is_filled(state: OrderState) -> bool:
    return state.status is OrderStatus.FILLED


def waiting(store: AccountStore, until_: Callable[[OrderState], bool], timeout: float | None = LIMIT) -> Background:
    """Return a wait that has begun: it has looked at the order at least once."""
    looked = threading.Event()

    def look(state: OrderState) -> bool:
        looked.set()
        return until_(state)

    waiter = Background(lambda: store.wait_for(C1, look, timeout))
    assert looked.wait(LIMIT)
    return waiter


def test_a_wait_ends_with_the_change_it_is_for() -> None:
    kept = Kept()
    kept.store.begin(Entry(intent()))
    waiter = waiting(kept.store, is_filled)
    kept.store.apply([order(exchange_id="x1", filled_quantity=Decimal(4))])
    assert waiter.is_running
    kept.store.apply([fill("1", "10")])
    assert waiter.result().filled_quantity == 10


def test_a_wait_for_what_already_is_returns_at_once() -> None:
    kept = Kept()
    kept.store.begin(Entry(intent()))
    state = kept.store.wait_for(C1, lambda state: not state.is_terminal, 0)
    assert state is not None
    kept.store.close()
    assert kept.store.wait_for(C1, lambda state: True, None) == state


def test_a_wait_that_is_over_returns_nothing() -> None:
    kept = Kept()
    kept.store.begin(Entry(intent()))
    assert kept.store.wait_for(C1, is_filled, 0.01) is None
    assert kept.store.wait_for(C1, is_filled, 0) is None


def test_the_end_of_the_store_ends_every_wait() -> None:
    kept = Kept()
    kept.store.begin(Entry(intent()))
    waiters = [waiting(kept.store, is_filled, None) for _ in range(3)]
    kept.store.close()
    for waiter in waiters:
        with pytest.raises(ConnectorStopped):
            waiter.result()
    with pytest.raises(ConnectorStopped):
        kept.store.wait_for(C1, is_filled, None)
    kept.store.reopen()
    again = waiting(kept.store, is_filled)
    kept.store.apply([order(status=OrderStatus.FILLED)])
    assert again.result().status is OrderStatus.FILLED


def test_the_condition_of_a_wait_may_use_the_store() -> None:
    kept = Kept()
    kept.store.begin(Entry(intent()))

    def look(state: OrderState) -> bool:
        kept.store.apply([fill("1", "10", client_id="c1")])
        return is_filled(state)

    assert Background(lambda: kept.store.wait_for(C1, look, LIMIT)).result().filled_quantity == 10


# --- readers --------------------------------------------------------------------------------------------------------


def test_readers_choose_by_symbol_and_state() -> None:
    kept = Kept()
    kept.store.apply([
        order("c1", OrderStatus.NEW, exchange_id="x1"), order("c2", OrderStatus.FILLED),
        order("c3", OrderStatus.UNKNOWN, symbol="ETH-USDT"), fill("1"), fill("2", symbol="ETH-USDT"),
    ])  # fmt: skip
    spelt = {"BTCUSDT": SYMBOL, "ETH/USDT": "ETH-USDT"}
    orders = OrdersReader(kept.store, lambda symbol: spelt.get(symbol, symbol))
    fills = FillsReader(kept.store, lambda symbol: spelt.get(symbol, symbol))

    def ids(found: list[OrderState]) -> list[str]:
        return [item.client_order_id for item in found]

    assert ids(orders.open()) == ["c1", "c3"]
    assert ids(orders.open(SYMBOL)) == ids(orders.open("BTCUSDT")) == ["c1"]
    assert [each.trade_id for each in fills("ETH/USDT")] == ["2"]
    assert ids(orders.history()) == ["c1", "c2", "c3"]
    assert ids(orders.history("ETH-USDT")) == ["c3"]
    assert orders.get("x1") == orders.get("c1") is not None
    assert orders.get("none") is None
    assert (len(orders), len(fills)) == (3, 2)

    def trades(found: list[Fill]) -> list[str]:
        return [item.trade_id for item in found]

    assert (trades(fills()), trades(fills(SYMBOL)), trades(fills("NONE"))) == (["1", "2"], ["1"], [])
