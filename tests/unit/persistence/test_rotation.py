"""Orders that ended long ago leave a journal, and the state of what is left is the same to the last digit."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exconn_sync._machines.digests import FillDigests
from exconn_sync._store.account_store import AccountStore
from exconn_sync._store.told import fill_key
from exconn_sync.model.account import Fact, FillDelivery
from exconn_sync.model.carried import Archived, Carried
from exconn_sync.model.enums import Channel, FactSource, OrderListStatus, OrderStatus, Side
from exconn_sync.model.ids import ClientOrderId, ExchangeOrderId, TradeId
from exconn_sync.model.order_lists import OrderListFact
from exconn_sync.model.orders import Fill, OrderFact
from exconn_sync.persistence.rotation import Rotation, rotated
from tests.unit.store.make import SYMBOL, Kept, fill, intent, order

LIMIT, NOW = 10**15, 2 * 10**15
"""What is older than the first leaves."""


def note(of: Fill) -> FillDelivery:
    return FillDelivery("binance", of.symbol, of.trade_id, of.exchange_order_id, of.received_at)


def history(
    name: str,
    fills: Sequence[Fill] = (),
    status: OrderStatus = OrderStatus.FILLED,
    *,
    is_own: bool = True,
    is_told: bool = True,
    **more: Any,
) -> list[Fact]:
    """Return all that is known of an order in its status."""
    filled = sum((each.quantity for each in fills), Decimal(0))
    more_than_filled = Decimal(0) if fills and status is OrderStatus.FILLED else Decimal(1)
    facts: list[Fact] = [replace(intent(name), quantity=filled + more_than_filled)] if is_own else []
    facts.append(order(name, OrderStatus.NEW, exchange_id=f"x{name}", side=Side.BUY))
    named = [replace(each, exchange_order_id=ExchangeOrderId(f"x{name}")) for each in fills]
    facts += named
    facts += [note(each) for each in named] if is_told else []
    facts.append(order(name, status, exchange_id=f"x{name}", filled_quantity=filled, **more))
    return facts


def loaded(facts: Sequence[Fact]) -> AccountStore:
    store = Kept().store
    store.restore(facts)
    return store


def leaves(facts: Sequence[Fact]) -> set[str]:
    found = rotated(facts, LIMIT, NOW)
    return set() if found is None else {fact.client_order_id for fact in found.moved if isinstance(fact, OrderFact)}


def rotation(facts: Sequence[Fact]) -> Rotation:
    found = rotated(facts, LIMIT, NOW)
    assert found is not None
    return found


# --- who leaves -----------------------------------------------------------------------------------------------------


def test_an_order_that_ended_long_ago_leaves_with_its_fills_and_their_notes() -> None:
    old, young = history("old", [fill("1"), fill("2")]), history("young", [fill("3")], received_at=LIMIT)
    found = rotation([*old, *young])
    assert found.moved == old
    assert [fact for fact in found.kept if not isinstance(fact, (Carried, Archived))] == young


STAYING: dict[str, list[Fact]] = {
    "open": history("a", [fill("1")], OrderStatus.PARTIALLY_FILLED),
    "unknown": [replace(intent("a"), status=OrderStatus.UNKNOWN)],
    "untold": history("a", [fill("1")], is_told=False),
    "fills missing": [*history("a", [fill("1")])[:-1],
                      order("a", OrderStatus.FILLED, exchange_id="xa", filled_quantity=Decimal(2))],
    "contradictory": [*history("a", [fill("1")]), order("a", OrderStatus.REJECTED, exchange_id="xa")],
    "heard of lately": history("a", [fill("1")], received_at=LIMIT),
    "filled lately by the exchange's clock": history("a", [fill("1", exchange_time=LIMIT)]),
    "contested": [replace(intent("a"), status=OrderStatus.REJECTED), order("a", OrderStatus.NEW, exchange_id="xa")],
}  # fmt: skip


@pytest.mark.parametrize("why", STAYING)
def test_an_order_about_which_anything_is_open_stays(why: str) -> None:
    assert rotated(STAYING[why], LIMIT, NOW) is None
    assert leaves([*history("b", [fill("7")]), *STAYING[why]]) == {"b"}


def test_orders_of_a_list_leave_together() -> None:
    def listed(*legs: str) -> OrderListFact:
        own = tuple(ClientOrderId(leg) for leg in legs)
        status = OrderListStatus.ALL_DONE
        return OrderListFact("binance", SYMBOL, ClientOrderId("l"), FactSource.STREAM, 1, status=status, legs=own)

    done = history("a", [fill("1")])
    open_ = history("b", [], OrderStatus.NEW)
    gone = history("b", [], OrderStatus.CANCELED)
    assert leaves([*done, *open_, listed("a", "b")]) == set()
    found = rotation([*done, *gone, listed("a", "b")])
    assert found.moved == [*done, *gone, listed("a", "b")]


# --- what is the same afterwards ------------------------------------------------------------------------------------


def some_history(draw: random.Random) -> list[Fact]:
    """Return orders of both sides and of two symbols, of which some are old and over, told in any order."""
    facts: list[Fact] = []
    for number in range(draw.randint(1, 12)):
        side = draw.choice([Side.BUY, Side.SELL])
        symbol = draw.choice([SYMBOL, "ETH-USDT"])
        made = [
            fill(
                str(draw.randint(1, 60) * 20 + number),
                draw.choice(["0.5", "1", "2.5"]),
                price=Decimal(draw.randint(90, 110)),
                fee=Decimal(draw.choice(["0.001", "0.03"])),
                fee_asset=draw.choice(["BTC", "USDT", "BNB", "ETH"]),
            )
            for _ in range(draw.randint(0, 4))
        ]
        status = draw.choice([OrderStatus.FILLED, OrderStatus.CANCELED, OrderStatus.PARTIALLY_FILLED])
        when = draw.choice([1, 1, LIMIT])
        each = history(str(number), list({one.trade_id: one for one in made}.values()), status,
                       is_own=draw.random() < 0.7, received_at=when)  # fmt: skip
        for one in each:
            if isinstance(one, Fill):
                facts.append(replace(one, symbol=symbol, side=side))
            elif isinstance(one, (OrderFact, FillDelivery)):
                facts.append(replace(one, symbol=symbol))
    draw.shuffle(facts)
    return facts


def own_position(store: AccountStore, symbol: str) -> Any:
    def asked(exposure: Any) -> Any:
        return exposure.position(symbol), exposure.entry_price(symbol), exposure.open_orders(symbol)

    return store.decide(asked)


@given(st.integers(0, 10**9))
def test_positions_and_what_is_left_are_equal_to_the_last_digit(seed: int) -> None:
    draw = random.Random(seed)
    facts = some_history(draw)
    found = rotated(facts, LIMIT, NOW)
    kept = facts if found is None else found.kept
    before, after = loaded(facts), loaded(kept)
    assert after.positions() == before.positions()
    assert {order.client_order_id for order in after.open_orders()} == {
        order.client_order_id for order in before.open_orders()
    }
    for state in after.orders():
        assert state == before.order(state.client_order_id)
    for symbol in (SYMBOL, "ETH-USDT"):
        assert own_position(after, symbol) == own_position(before, symbol)
    # Whatever comes later has the same effect, what was archived again included.
    later = [*facts, fill("99999", "1.5", "xnew", price=Decimal(105)), fill("99998", "3", "xnew", side=Side.SELL)]
    for store in (before, after):
        store.apply([intent("new"), order("new", exchange_id="xnew")])
        store.apply(fact for fact in later if isinstance(fact, Fill))
    assert after.positions() == before.positions()
    assert own_position(after, SYMBOL) == own_position(before, SYMBOL)
    # What was realized since a moment after the archived ones, as for the loss of a day.
    today = [store.decide(lambda exposure: exposure.since(SYMBOL, 99_990)) for store in (before, after)]
    assert today[0] == today[1]
    # And another one later still, which carries what was carried on; what was archived has been learnt again meanwhile.
    learnt = [] if found is None else [fact for fact in found.moved if getattr(fact, "source", None) != "local"]
    learnt = [fact for fact in learnt if not isinstance(fact, FillDelivery)]
    again = [*kept, *learnt, *later[-2:], *history("z", [fill("99997", "2", price=Decimal(7))])]
    second = rotation(again)
    assert loaded(second.kept).positions() == loaded(again).positions() == loaded([*kept, *again]).positions()
    assert {*learnt} <= {*second.moved}
    for symbol in (SYMBOL, "ETH-USDT"):
        assert own_position(loaded(second.kept), symbol) == own_position(loaded(again), symbol)


@given(st.integers(0, 10**9))
def test_the_order_of_the_facts_decides_nothing(seed: int) -> None:
    draw = random.Random(seed)
    facts = some_history(draw)
    found = rotated(facts, LIMIT, NOW)
    draw.shuffle(facts)
    other = rotated(facts, LIMIT, NOW)
    assert (found is None) is (other is None)
    if found is not None and other is not None:
        assert {*found.kept} == {*other.kept}
        assert {*found.moved} == {*other.moved}


def test_a_fill_that_was_archived_is_neither_counted_nor_told_again() -> None:
    """From whatever source, with or without its order, and over another restart (faults F096, F149)."""
    facts = history("old", [fill("1", "2")])
    kept = Kept()
    kept.store.restore(rotation(facts).kept)
    position = kept.store.positions()[SYMBOL]
    assert position.quantity == 2
    again = [fact for fact in facts if not isinstance(fact, FillDelivery)]
    kept.store.apply(again)
    kept.store.apply([replace(fill("1", "2", "xold"), source=FactSource.RECONCILIATION)])
    assert kept.of(Channel.FILL) == kept.of(Channel.POSITION) == []
    assert kept.store.positions()[SYMBOL] == position
    next_store = Kept().store
    assert next_store.restore([*rotation(facts).kept, *again]) == []
    assert next_store.positions()[SYMBOL] == position


def test_a_fill_that_is_news_counts_however_late_it_comes() -> None:
    """(fault F105)"""
    kept = Kept()
    kept.store.restore(rotation(history("old", [fill("5", "2")])).kept)
    kept.store.apply([fill("4", "1", "xother")])
    assert [each.trade_id for each in kept.of(Channel.FILL)] == ["4"]
    assert kept.store.positions()[SYMBOL].quantity == 3


def test_an_order_that_was_archived_is_honestly_not_known() -> None:
    store = loaded(rotation(history("old", [fill("5", "2")])).kept)
    assert store.order("old") is store.order("xold") is None
    assert store.fills() == []


def test_a_store_that_knows_the_fills_already_counts_them_once() -> None:
    """The connector of this process had the file before another one archived it."""
    facts = history("old", [fill("5", "2")])
    store = loaded(facts)
    before = store.positions()
    store.restore(rotation(facts).kept)
    assert store.positions() == before
    assert own_position(store, SYMBOL)[0] == 2


# --- by what they are known -----------------------------------------------------------------------------------------


@given(st.sets(st.tuples(*[st.text(max_size=5)] * 3), max_size=50), st.sets(st.tuples(*[st.text(max_size=5)] * 3)))
def test_digests_know_what_is_in_them(inside: Any, outside: Any) -> None:
    digests = FillDigests("", inside)
    assert FillDigests(digests.text).text == digests.text == FillDigests(digests.text, inside).text
    assert len(digests) == len(inside)
    assert all(key in digests for key in inside)
    assert not any(key in digests for key in outside - inside)


def test_a_digest_is_the_same_on_all_machines() -> None:
    key = fill_key(fill("1"))
    assert key == (SYMBOL, TradeId("1"), ExchangeOrderId("x1"))
    assert FillDigests("", [key]).text == "xzwzTznfYFs="
