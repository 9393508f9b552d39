"""The state of an order list is a function of the set of facts about it (fault model 0.2)."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from exconn_sync._machines.list_fold import ListRecord
from exconn_sync.model.enums import FactSource, OrderListKind, OrderListStatus
from exconn_sync.model.ids import ClientOrderId
from exconn_sync.model.order_lists import OrderListFact, OrderListState

LEGS = (ClientOrderId("a"), ClientOrderId("b"))
INTENT = OrderListFact(
    "binance", "BTC-USDT", ClientOrderId("list"), FactSource.LOCAL, 1, None, OrderListStatus.PENDING,
    OrderListKind.OTO, LEGS,
)  # fmt: skip

facts = st.builds(
    OrderListFact, st.just("binance"), st.just("BTC-USDT"), st.just(ClientOrderId("list")),
    st.sampled_from(FactSource), st.integers(1, 9), st.sampled_from([None, "7"]),
    st.none() | st.sampled_from(OrderListStatus), st.none() | st.sampled_from(OrderListKind),
    st.sampled_from([(), LEGS, (ClientOrderId("c"), ClientOrderId("b"))]), exchange_time=st.none() | st.integers(1, 9),
    reason=st.sampled_from(["", "NO"]),
)  # fmt: skip


def state_of(known: list[OrderListFact]) -> OrderListState:
    record = ListRecord(known[0])
    for fact in known[1:]:
        record.add(fact)
    return record.state()


@given(st.lists(facts, min_size=1, max_size=6).flatmap(lambda known: st.tuples(st.just(known), st.permutations(known))))
def test_order_and_repetition_of_facts_do_not_matter(both: tuple[list[OrderListFact], list[OrderListFact]]) -> None:
    known, shuffled = both
    assert state_of(known) == state_of([*shuffled, *shuffled])


@given(st.lists(facts, min_size=1, max_size=6))
def test_a_list_that_is_done_stays_done(known: list[OrderListFact]) -> None:
    done = replace(INTENT, source=FactSource.STREAM, status=OrderListStatus.ALL_DONE)
    assert state_of([done, *known]).status is OrderListStatus.ALL_DONE


def test_the_legs_of_the_intent_outlive_a_renaming() -> None:
    """(fault F103)"""
    later = replace(
        INTENT, source=FactSource.STREAM, received_at=2, list_id="7", status=OrderListStatus.EXECUTING,
        legs=(ClientOrderId("new"), ClientOrderId("b")), exchange_time=5,
    )  # fmt: skip
    state = state_of([later, INTENT])
    assert (state.legs, state.list_id, state.status, state.kind) == (LEGS, "7", OrderListStatus.EXECUTING, "oto")
    assert not ListRecord(later).add(replace(later, received_at=9))
