"""Facts about an order, in any order and any number of times (fault model 0.2, invariants I5 and I8)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields, replace
from decimal import Decimal, localcontext
from itertools import permutations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exconn_sync._machines.order_fold import RANK, TERMINAL_PRECEDENCE, OrderRecord, fold
from exconn_sync.model.enums import FactSource, OrderStatus, OrderType, Side, TimeInForce
from exconn_sync.model.ids import ClientOrderId, ExchangeOrderId
from exconn_sync.model.orders import Fill, OrderFact, OrderState, PreventedTrade
from tests.machines.make import fixed, make_fill, order_fact

S = OrderStatus


def not_traded(match_id: str, size: str) -> PreventedTrade:
    return PreventedTrade(match_id, Decimal(size), Decimal(100), Decimal(size), ExchangeOrderId("7"), "BTC-USDT")


amounts = st.sampled_from([None, "1", "1.0", "2", "3"])
facts = st.builds(
    order_fact,
    source=st.sampled_from(FactSource),
    received_at=st.integers(1, 4),
    status=st.sampled_from([None, *S]),
    exchange_order_id=st.sampled_from([None, "x1", "x2"]),
    side=st.sampled_from([None, *Side]),
    type=st.sampled_from([None, OrderType.LIMIT, OrderType.MARKET]),
    time_in_force=st.sampled_from([None, *TimeInForce]),
    quantity=amounts,
    price=amounts,
    filled_quantity=amounts,
    cumulative_quote=st.sampled_from([None, "-1", "100", "200"]),
    take_profit=st.sampled_from([None, "0", "3", "4"]),
    exchange_time=st.sampled_from([None, 5, 6]),
    reason=st.sampled_from(["", "a", "b"]),
    post_only=st.sampled_from([None, True, False]),
    working_at=st.sampled_from([None, 5, 6]),
    prevented_matches=st.sampled_from([(), ("9",), ("9", "10")]),
    prevented_trades=st.sampled_from([(), (not_traded("9", "1"),), (not_traded("9", "2"), not_traded("10", "1"))]),
    is_own=st.booleans(),
)
fills = st.builds(
    make_fill,
    trade_id=st.sampled_from(["9", "10", "11"]),
    quantity=st.sampled_from(["1", "1.0", "2"]),
    price=st.sampled_from(["100", "100.0", "101"]),
    side=st.sampled_from(Side),
    fee=st.sampled_from(["0", "0.1", "0.2"]),
    fee_asset=st.sampled_from([None, "BNB", "BTC"]),
    is_maker=st.booleans(),
    exchange_time=st.sampled_from([None, 5, 6]),
    received_at=st.integers(1, 4),
    source=st.sampled_from(FactSource),
    client_order_id=st.sampled_from([None, ClientOrderId("c1")]),
)
many = st.lists(st.one_of(facts, fills), min_size=1, max_size=6)


def new_record() -> OrderRecord:
    return OrderRecord("binance", "BTC-USDT", ClientOrderId("c1"))


def record_of(known: Sequence[OrderFact | Fill]) -> OrderRecord:
    record = new_record()
    for fact in known:
        record.add(fact)
    return record


@fixed
@given(st.data(), many)
def test_any_order_with_any_duplicates_gives_the_same_state(data: st.DataObject, known: list[OrderFact | Fill]) -> None:
    """(fault F096)"""
    repeats = data.draw(st.lists(st.sampled_from(known), max_size=3))
    shuffled = data.draw(st.permutations([*known, *repeats]))
    one, other = record_of(known), record_of(shuffled)
    assert one.state() == other.state()
    assert one.fills == other.fills
    if any(fact.client_order_id for fact in known):
        assert fold(known) == fold(shuffled) == one.state()


@fixed
@given(many)
def test_status_and_filled_quantity_never_go_down(known: list[OrderFact | Fill]) -> None:
    """(fault F093)"""
    record = new_record()
    rank, filled, count = 0, Decimal(0), 0
    for fact in known:
        record.add(fact)
        state = record.state()
        assert RANK[state.status] >= rank
        assert state.filled_quantity >= filled
        assert len(record.fills) >= count
        rank, filled, count = RANK[state.status], state.filled_quantity, len(record.fills)


@fixed
@given(many)
def test_what_was_told_before_is_not_new_and_changes_nothing(known: list[OrderFact | Fill]) -> None:
    """(fault F097)"""
    record = record_of(known)
    state, history = record.state(), record.history()
    for fact in known:
        assert not record.add(replace(fact, received_at=fact.received_at + 100))
    assert record.state() == state
    assert record.history() == history


@pytest.mark.parametrize("first", list(S))
@pytest.mark.parametrize("second", list(S))
def test_of_two_statuses_the_higher_rank_counts(first: OrderStatus, second: OrderStatus) -> None:
    """(fault F093)"""
    state = fold([order_fact(status=first), order_fact(status=second)])
    if RANK[first] != RANK[second]:
        assert state.status is max(first, second, key=RANK.__getitem__)
    else:
        both = [status for status in TERMINAL_PRECEDENCE if status in (first, second)]
        assert state.status is (both[0] if both else first)
    are_two_ends = first.is_terminal and second.is_terminal and first is not second
    assert bool(state.contradictions) == are_two_ends


def test_the_ranks_are_those_of_the_fault_model() -> None:
    order = [S.PENDING_NEW, S.UNKNOWN, S.NEW, S.PARTIALLY_FILLED]
    assert sorted(order, key=RANK.__getitem__) == order
    assert {RANK[status] for status in S if status.is_terminal} == {max(RANK.values())}
    assert {status for status in S if status.is_terminal} == set(TERMINAL_PRECEDENCE)


def test_nothing_but_the_intent_is_pending() -> None:
    intent = order_fact(FactSource.LOCAL, status=S.PENDING_NEW, quantity="1", price="5", side=Side.BUY, is_own=True)
    state = fold([intent])
    assert (state.status, state.quantity, state.price, state.side) == (S.PENDING_NEW, Decimal(1), Decimal(5), Side.BUY)
    assert state.is_own
    assert (state.filled_quantity, state.average_price, dict(state.fees)) == (Decimal(0), None, {})


def test_a_fact_without_status_leaves_an_order_pending() -> None:
    assert fold([order_fact(exchange_order_id="x1")]).status is S.PENDING_NEW


def test_unknown_ends_by_any_word_of_the_exchange() -> None:
    unknown = order_fact(FactSource.LOCAL, status=S.UNKNOWN, reason="no answer")
    assert (fold([unknown]).status, fold([unknown]).reason) == (S.UNKNOWN, "no answer")
    after = fold([unknown, order_fact(status=S.NEW, reason="working")])
    assert (after.status, after.reason) == (S.NEW, "")
    assert fold([unknown, make_fill(client_order_id=ClientOrderId("c1"))]).status is S.PARTIALLY_FILLED


def test_a_refused_order_is_final_and_says_why() -> None:
    state = fold([order_fact(FactSource.ANSWER, status=S.REJECTED, reason="no funds"), order_fact(status=S.UNKNOWN)])
    assert (state.status, state.reason, state.contradictions) == (S.REJECTED, "no funds", ())


def test_a_late_acknowledgement_does_not_reopen_a_filled_order() -> None:
    """(fault F092)"""
    late = order_fact(FactSource.ANSWER, 9, status=S.NEW, filled_quantity="0")
    state = fold([order_fact(status=S.FILLED, quantity="2", filled_quantity="2"), late])
    assert (state.status, state.filled_quantity, state.contradictions) == (S.FILLED, Decimal(2), ())


def test_a_canceled_order_keeps_and_gains_fills() -> None:
    """(faults F104, F105)"""
    record = record_of([order_fact(status=S.CANCELED, quantity="5", filled_quantity="1"), make_fill("1", "1")])
    assert record.add(make_fill("2", "1"))
    state = record.state()
    assert (state.status, state.filled_quantity, state.contradictions) == (S.CANCELED, Decimal(2), ())


def test_filled_is_the_larger_of_statement_and_sum_of_fills() -> None:
    """(fault F106)"""
    stated = order_fact(status=S.PARTIALLY_FILLED, quantity="9", filled_quantity="5")
    assert fold([stated, make_fill("1", "3")]).filled_quantity == 5
    assert fold([stated, make_fill("1", "3"), make_fill("2", "3")]).filled_quantity == 6


def test_fills_alone_lift_the_status() -> None:
    new = order_fact(status=S.NEW, quantity="2.00")
    assert fold([new, make_fill("1", "1")]).status is S.PARTIALLY_FILLED
    done = fold([new, make_fill("1", "1"), make_fill("2", "1.0")])
    assert (done.status, done.reason) == (S.FILLED, "")


def test_what_fills_completed_does_not_become_canceled() -> None:
    new = order_fact(status=S.NEW, quantity="1")
    state = fold([new, make_fill("1", "1"), order_fact(status=S.CANCELED)])
    assert state.status is S.FILLED
    assert state.contradictions == ("different final states: canceled, filled",)


def test_a_market_order_by_quote_is_not_taken_for_complete() -> None:
    """(fault F114)"""
    state = fold([order_fact(status=S.NEW, quote_quantity="100"), make_fill("1", "1")])
    assert state.status is S.PARTIALLY_FILLED


def test_the_average_price_is_exact_and_from_the_exchanges_sum() -> None:
    with localcontext() as context:
        context.prec = 3
        stated = order_fact(status=S.PARTIALLY_FILLED, quantity="9", filled_quantity="3", cumulative_quote="300.000003")
        assert fold([stated, make_fill("1", "3", "500")]).average_price == Decimal("100.000001")


@pytest.mark.parametrize("quote", [None, "-1"])
def test_the_average_price_is_from_fills_where_the_exchange_gives_no_sum(quote: str | None) -> None:
    stated = order_fact(status=S.PARTIALLY_FILLED, quantity="9", filled_quantity="4", cumulative_quote=quote)
    assert fold([stated, make_fill("1", "1", "100"), make_fill("2", "3", "104")]).average_price == 103
    assert fold([stated]).average_price is None


def test_an_outdated_sum_is_not_used_for_the_average_price() -> None:
    old = order_fact(quantity="9", filled_quantity="1", cumulative_quote="7")
    assert fold([old, make_fill("1", "1", "100"), make_fill("2", "1", "102")]).average_price == 101


def test_fees_add_up_by_asset_over_distinct_fills() -> None:
    known = [
        make_fill("1", fee="0.1", fee_asset="BNB"),
        make_fill("1", fee="0.1", fee_asset="BNB", source=FactSource.QUERY, received_at=7),
        make_fill("2", fee="0.2", fee_asset="BNB"),
        make_fill("3", fee="-0.5", fee_asset="USDT"),
        make_fill("4", fee="0", fee_asset=None),
    ]
    assert list(record_of(list(reversed(known))).state().fees) == ["BNB", "USDT"]
    assert dict(record_of(known).state().fees) == {"BNB": Decimal("0.3"), "USDT": Decimal("-0.5")}
    assert record_of(known).state().contradictions == ()


def test_a_fee_that_one_source_leaves_out_is_no_contradiction() -> None:
    known = [make_fill("1", fee="0", fee_asset=None), make_fill("1", fee="0.1", fee_asset="BNB")]
    state = record_of(known).state()
    assert (dict(state.fees), state.contradictions) == ({"BNB": Decimal("0.1")}, ())


@pytest.mark.parametrize(
    ("known", "text"),
    [
        ([order_fact(status=S.FILLED), order_fact(status=S.EXPIRED)], "different final states: expired, filled"),
        ([order_fact(quantity="1", filled_quantity="1.5")], "more filled than ordered: 1.5 of 1"),
        (
            [order_fact(exchange_order_id="x2"), order_fact(exchange_order_id="x10")],
            "different exchange ids: x10, x2",
        ),
        ([make_fill("7", "1"), make_fill("7", "2")], "trade 7 was reported differently"),
        (
            [make_fill("7", fee="1"), make_fill("7", fee="2")],
            "trade 7 was reported differently",
        ),
        ([order_fact(side=Side.BUY), order_fact(side=Side.SELL)], "different side: buy, sell"),
        ([order_fact(quantity="1"), order_fact(quantity="2")], "different quantity: 1, 2"),
        ([order_fact(price="1"), order_fact(price="2")], "different price: 1, 2"),
        ([order_fact(status=S.REJECTED), make_fill("7")], "filled although rejected"),
        ([order_fact(exchange_order_id="x2"), make_fill("7")], "different exchange ids: x1, x2"),
    ],
)
def test_facts_that_exclude_each_other_are_named(known: list[OrderFact | Fill], text: str) -> None:
    """(faults F102, F107)"""
    assert text in record_of(known).state().contradictions
    assert record_of(known[:1]).state().contradictions == () or len(known) == 1


def test_equal_values_in_other_spelling_are_no_contradiction() -> None:
    """(fault F114)"""
    assert fold([order_fact(quantity="1", price="2"), order_fact(quantity="1.0", price="2.00")]).contradictions == ()


def test_the_intent_wins_over_the_exchange_for_what_was_asked() -> None:
    known = [
        order_fact(FactSource.STREAM, quantity="2", price="7", type=OrderType.LIMIT),
        order_fact(FactSource.LOCAL, quantity="3"),
    ]
    state = fold(known)
    assert (state.quantity, state.price, state.type) == (Decimal(3), Decimal(7), OrderType.LIMIT)
    assert state.contradictions == ()


def test_a_contradictory_trade_counts_with_its_larger_quantity() -> None:
    assert record_of([make_fill("7", "1"), make_fill("7", "2")]).state().filled_quantity == 2


def test_of_several_exchange_ids_the_smallest_text_is_shown() -> None:
    """(fault F102)"""
    state = fold([order_fact(exchange_order_id="x2"), order_fact(exchange_order_id="x10")])
    assert state.exchange_order_id == ExchangeOrderId("x10")


def test_fills_are_in_the_order_they_happened() -> None:
    record = record_of([make_fill("10", exchange_time=5), make_fill("9", exchange_time=5), make_fill("1")])
    assert [fill.trade_id for fill in record.fills] == ["1", "9", "10"]


def test_a_fill_alone_tells_the_side_and_the_exchange_id() -> None:
    state = record_of([make_fill(side=Side.SELL)]).state()
    assert (state.side, state.exchange_order_id) == (Side.SELL, "x1")


def test_of_one_fact_told_at_two_times_the_earlier_time_counts_in_any_order() -> None:
    early, late = order_fact(received_at=3, status=S.NEW), order_fact(received_at=7, status=S.NEW)
    assert [record_of(known).state().updated_at for known in ([early, late], [late, early])] == [3, 3]


def test_reports_of_one_trade_complete_each_other_in_any_order() -> None:
    one = make_fill(received_at=4, source=FactSource.QUERY, exchange_time=9, client_order_id=ClientOrderId("c1"))
    other = make_fill(received_at=5, source=FactSource.STREAM)
    whole = replace(one, source=FactSource.STREAM)
    assert record_of([one, other]).fills == record_of([other, one]).fills == (whole,)


def test_of_two_times_of_one_trade_the_finer_counts_and_within_a_millisecond_the_ids_order() -> None:
    """One source tells milliseconds, another one microseconds of the same moment."""
    coarse, fine = make_fill("7", exchange_time=5_000_000), make_fill("7", exchange_time=5_000_400)
    assert record_of([coarse, fine]).fills == record_of([fine, coarse]).fills == (fine,)
    later = make_fill("8", exchange_time=5_000_000)
    assert [fill.trade_id for fill in record_of([later, fine]).fills] == ["7", "8"]


def test_a_larger_quantity_stated_later_does_not_reopen_a_filled_order() -> None:
    more = order_fact(FactSource.LOCAL, quantity="2")
    known: list[OrderFact | Fill] = [order_fact(quantity="1"), make_fill("1", "1"), more]
    assert record_of(known[:2]).state().status is S.FILLED
    assert record_of(known).state().status is S.FILLED


def test_the_reason_is_that_of_the_final_status() -> None:
    """(fault F110)"""
    known = [order_fact(status=S.NEW, reason="accepted"), order_fact(status=S.CANCELED, reason="by the user")]
    assert fold(known).reason == "by the user"
    assert fold([known[0], order_fact(status=S.CANCELED)]).reason == ""


def test_updated_at_is_the_newest_of_the_distinct_facts() -> None:
    record = record_of([order_fact(received_at=3, status=S.NEW), make_fill(received_at=8)])
    assert record.state().updated_at == 8
    assert not record.add(order_fact(received_at=50, status=S.NEW))
    assert record.state().updated_at == 8


def test_history_tells_what_was_learnt_in_the_order_of_arrival() -> None:
    record = record_of(
        [order_fact(received_at=5, status=S.NEW), make_fill("7", received_at=2), order_fact(status=S.NEW)]
    )
    first, second = record.history()
    assert (first.received_at, first.status) == (5, S.NEW)
    assert (second.received_at, second.text) == (2, "trade 7: 1 at 100")


def test_an_amended_quantity_is_what_the_exchange_stated_last() -> None:
    """(fault F108)"""
    asked = order_fact(FactSource.LOCAL, quantity="10", is_own=True)
    placed = order_fact(FactSource.ANSWER, quantity="10", exchange_time=1)
    amended = order_fact(FactSource.STREAM, quantity="4", exchange_time=5)
    late = order_fact(FactSource.QUERY, quantity="10", exchange_time=1)
    for known in ([asked, placed, amended, late], [late, amended, placed, asked]):
        state = fold(known)
        assert (state.quantity, state.contradictions) == (Decimal(4), ())
    filled = fold([asked, amended, order_fact(filled_quantity="4", exchange_time=6)])
    assert filled.status is S.FILLED


def test_fees_are_those_of_the_fills_and_stated_ones_until_all_of_them_are_known() -> None:
    """Orders and executions may be told apart (fault F106)."""
    paid = (("BTC", Decimal("0.3")),)
    done = order_fact(filled_quantity="3", status=S.FILLED, cumulative_fees=paid)
    before = order_fact(filled_quantity="1", cumulative_fees=(("BTC", Decimal("0.1")),))
    one = make_fill("1", quantity="1", fee="0.1", fee_asset="BTC")
    two = make_fill("2", quantity="2", fee="0.2", fee_asset="BTC")
    assert fold([done, before]).fees == {"BTC": Decimal("0.3")}
    assert fold([done, one]).fees == {"BTC": Decimal("0.3")}, "as long as a fill is missing"
    assert fold([two, done, one]).fees == {"BTC": Decimal("0.3")}
    assert fold([before, one]).fees == {"BTC": Decimal("0.1")}
    assert fold([order_fact(filled_quantity="3"), one]).fees == {"BTC": Decimal("0.1")}, "what is known"


@pytest.mark.parametrize("field", ["price", "stop_price"])
def test_an_amended_price_is_what_the_exchange_stated_last(field: str) -> None:
    """(fault F108)"""
    before: dict[str, Any] = {field: "10"}
    after: dict[str, Any] = {field: "11"}
    asked = order_fact(FactSource.LOCAL, is_own=True, **before)
    placed = order_fact(FactSource.STREAM, exchange_time=1, **before)
    amended = order_fact(FactSource.STREAM, exchange_time=5, **after)
    late = order_fact(FactSource.QUERY, exchange_time=1, **before)
    for known in ([asked, placed, amended, late], [late, amended, placed, asked]):
        state = fold(known)
        assert (getattr(state, field), state.contradictions) == (Decimal(11), ())
    assert getattr(fold([asked]), field) == Decimal(10)


def test_of_an_order_that_may_grow_the_exchange_says_when_it_is_filled() -> None:
    """A fill may be known before the larger quantity that it belongs to (fault F108)."""
    asked = order_fact(FactSource.LOCAL, quantity="10", is_own=True, may_grow=True)
    first = fold([asked, make_fill(quantity="10")])
    assert (first.status, first.filled_quantity) == (S.PARTIALLY_FILLED, Decimal(10))
    grown = order_fact(quantity="15", filled_quantity="10", status=S.PARTIALLY_FILLED, exchange_time=5, may_grow=True)
    state = fold([asked, make_fill(quantity="10"), grown])
    assert (state.status, state.open_quantity, state.contradictions) == (S.PARTIALLY_FILLED, Decimal(5), ())
    done = order_fact(quantity="15", filled_quantity="15", status=S.FILLED, exchange_time=6, may_grow=True)
    assert fold([asked, grown, done]).status is S.FILLED


def test_two_quantities_at_one_time_are_a_contradiction() -> None:
    known = [order_fact(quantity="4", exchange_time=5), order_fact(FactSource.QUERY, quantity="5", exchange_time=5)]
    assert fold(known).contradictions == ("different quantity: 4, 5",)


def test_whether_an_order_works_is_what_was_stated_last_while_it_is_open() -> None:
    waiting, triggered = order_fact(is_working=False, exchange_time=1), order_fact(is_working=True, exchange_time=2)
    assert fold([waiting]).is_working is False
    assert fold([triggered, waiting]).is_working is True
    assert fold([triggered, waiting, order_fact(status=S.FILLED)]).is_working is False
    assert fold([order_fact(status=S.FILLED)]).is_working is None


def test_prevented_quantities_are_cumulative_and_no_fills() -> None:
    """(fault F111)"""
    known = [order_fact(quantity="9", prevented_quantity="1"), order_fact(quantity="9", prevented_quantity="3")]
    state = fold(known)
    assert (state.prevented_quantity, state.filled_quantity) == (Decimal(3), Decimal(0))
    assert state.open_quantity == 6


def test_ids_of_prevented_matches_are_gathered_in_the_order_in_which_they_were_given() -> None:
    known = [order_fact(prevented_matches=ids) for ids in (("10",), ("9", "10"), ())]
    assert fold(known).prevented_matches == ("9", "10")


def test_prevented_trades_are_gathered_and_each_is_shown_once() -> None:
    """(fault F111)"""
    nine, ten = not_traded("9", "1"), not_traded("10", "3")
    known = [order_fact(prevented_trades=told) for told in ((ten,), (nine, ten), ())]
    assert fold(known).prevented_trades == (nine, ten)
    other = not_traded("9", "2")
    assert fold([*known, order_fact(prevented_trades=(other,))]) == fold(
        [order_fact(prevented_trades=(other,)), *reversed(known)]
    )


def test_an_order_that_we_hold_as_rejected_and_that_is_open_is_contested() -> None:
    """(fault F101)"""
    ours = order_fact(status=S.REJECTED, source=FactSource.LOCAL)
    state = fold([ours, order_fact(status=S.NEW, source=FactSource.STREAM)])
    assert (state.status, state.is_contested) == (S.REJECTED, True)
    late = fold([order_fact(status=S.NEW), order_fact(status=S.REJECTED), ours])
    assert (late.status, late.contradictions) == (S.REJECTED, ()), "the exchange itself may reject late"


@pytest.mark.parametrize("ours", [S.UNKNOWN, S.REJECTED])
def test_a_voided_intent_says_nothing_of_the_order_that_has_its_id(ours: OrderStatus) -> None:
    """(fault F101)"""
    intent = order_fact(FactSource.LOCAL, status=S.PENDING_NEW, side=Side.SELL, quantity=1, is_own=True)
    void = order_fact(FactSource.LOCAL, status=ours, voids_intent=True, is_own=True)
    found = order_fact(FactSource.QUERY, status=S.NEW, side=Side.BUY, quantity=3, filled_quantity=2)
    assert fold([intent, void]).status is ours
    for facts in permutations([intent, void, found]):
        state = fold(facts)
        assert (state.status, state.side, state.quantity) == (S.PARTIALLY_FILLED, Side.BUY, Decimal(3))
        assert (state.is_own, state.contradictions) == (False, ())


def test_a_folded_state_is_as_its_constructor_would_make_it() -> None:
    """It is made without the constructor, so a field that is added later must not be missing (fault model 0.2)."""
    state = fold([OrderFact("binance", "BTC-USDT", ClientOrderId("a"), FactSource.ANSWER, 1)])
    assert sorted(vars(state)) == sorted(field.name for field in fields(OrderState))
    assert OrderState(**vars(state)) == state
