"""What a cut made a stream miss is delivered once, in order, flagged, and before what the stream goes on with."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exconn_sync._machines.gap_fill import MOST_HELD, CandleRule, FillRule, GapFill, Missing, TradeRule
from exconn_sync.model.enums import Side
from exconn_sync.model.ids import TradeId
from exconn_sync.model.market import Trade
from exconn_sync.model.market_statistics import Kline
from tests.machines.make import fixed

MINUTE = 60_000_000_000
ONE = Decimal(1)


def number(event: Any) -> int:
    return int(event.trade_id)


DENSE: FillRule[Any] = TradeRule(number, is_dense=True)
SPARSE: FillRule[Any] = TradeRule(number, is_dense=False)
CANDLES: FillRule[Any] = CandleRule()


def trade(trade_id: int) -> Trade:
    return Trade("binance", "BTC-USDT", TradeId(str(trade_id)), ONE, ONE, Side.BUY, trade_id, 0)


def trades(*ids: int) -> list[Trade]:
    return [trade(each) for each in ids]


def candle(minute: int, *, is_closed: bool = True, close: int = 1, at: int | None = None) -> Kline:
    price, begin = Decimal(close), minute * MINUTE
    return Kline(
        "binance", "BTC-USDT", "1m", begin, begin + MINUTE - 1_000_000, ONE, ONE, ONE, price, ONE, ONE, 1, ONE, ONE,
        is_closed, at, 0,
    )  # fmt: skip


def shown(found: list[Any]) -> list[Any]:
    """Return ids, with a plus for what was filled in and a pair for what is missing."""
    said: list[Any] = []
    for each in found:
        if isinstance(each, Missing):
            said.append((number(each.after), None if each.before is None else number(each.before)))
        else:
            said.append(f"{each.trade_id}{'+' if each.is_backfilled else ''}")
    return said


def test_a_stream_that_goes_on_where_it_was_lacks_nothing() -> None:
    fill = GapFill(DENSE, trade(10))
    assert shown(fill.on_live(trades(11, 12))) == ["11", "12"]
    assert (fill.is_done, fill.ends_live) == (True, True)


def test_what_is_missing_comes_first_in_order_and_flagged() -> None:
    fill = GapFill(DENSE, trade(10))
    assert fill.on_live(trades(15)) == []
    assert fill.on_live(trades(15, 16)) == [], "repeated, and one more"
    found, asks_on = fill.on_rows(trades(9, 10, 11, 12, 13, 14, 15, 16, 17), is_full=False)
    assert shown(found) == ["11+", "12+", "13+", "14+", "15", "16"]
    assert (fill.is_done, asks_on) == (True, False)


def test_it_asks_on_while_there_are_full_answers() -> None:
    fill = GapFill(DENSE, trade(10))
    fill.on_live(trades(15))
    found, asks_on = fill.on_rows(trades(11, 12), is_full=True)
    assert (shown(found), asks_on, fill.is_done) == (["11+", "12+"], True, False)
    assert number(fill.last) == 12
    assert shown(fill.on_rows(trades(13, 14), is_full=True)[0]) == ["13+", "14+", "15"]


def test_what_the_exchange_does_not_have_is_named_by_what_lies_around_it() -> None:
    fill = GapFill(DENSE, trade(10))
    fill.on_live(trades(20))
    found, _ = fill.on_rows(trades(14, 15, 18, 19), is_full=False)
    assert shown(found) == [(10, 14), "14+", "15+", (15, 18), "18+", "19+", "20"]


def test_rest_that_lags_is_asked_again_and_then_given_up() -> None:
    fill = GapFill(DENSE, trade(10))
    fill.on_live(trades(15))
    assert shown(fill.on_rows(trades(11, 12), is_full=False)[0]) == ["11+", "12+"]
    assert fill.on_rows([], is_full=False) == ([], False)
    assert fill.on_failure() == []
    assert shown(fill.on_rows([], is_full=False)[0]) == [(12, 15), "15"]
    assert fill.is_done


def test_too_much_that_waits_goes_on_without_what_is_missing() -> None:
    fill = GapFill(DENSE, trade(10))
    assert fill.on_live(trades(*range(12, 12 + MOST_HELD))) == []
    found = fill.on_live(trades(12 + MOST_HELD))
    assert shown(found[:2]) == [(10, 12), "12"]
    assert len(found) == MOST_HELD + 2


def test_a_quiet_topic_is_caught_up_without_the_stream() -> None:
    fill = GapFill(DENSE, trade(10))
    assert shown(fill.on_rows(trades(11, 12), is_full=False)[0]) == ["11+", "12+"]
    assert (fill.is_done, fill.ends_live) == (True, False)
    nothing = GapFill(DENSE, trade(10))
    assert nothing.on_rows([], is_full=False) == ([], False)
    assert nothing.is_done


def test_numbers_with_holes_are_joined_where_the_newest_rows_reach_both_ends() -> None:
    fill = GapFill(SPARSE, trade(10))
    assert fill.on_live(trades(40)) == [], "it might be the next one, and it might not"
    assert shown(fill.on_rows(trades(5, 10, 20, 30, 40, 50), is_full=False)[0]) == ["20+", "30+", "40"]


def test_rows_that_do_not_reach_back_leave_a_gap() -> None:
    fill = GapFill(SPARSE, trade(10))
    fill.on_live(trades(40))
    assert shown(fill.on_rows(trades(20, 30, 40), is_full=False)[0]) == [(10, 20), "20+", "30+", "40"]
    fill = GapFill(SPARSE, trade(10))
    fill.on_live(trades(40))
    assert shown(fill.on_rows(trades(40, 50), is_full=False)[0]) == [(10, 40), "40"]
    fill = GapFill(SPARSE, trade(10))
    fill.on_live(trades(40))
    assert shown(fill.on_rows(trades(45, 50), is_full=False)[0]) == [(10, 40), "40"]


def test_rows_that_are_behind_the_stream_are_asked_for_again() -> None:
    fill = GapFill(SPARSE, trade(10))
    fill.on_live(trades(40))
    found, asks_on = fill.on_rows(trades(10, 20), is_full=False)
    assert (shown(found), asks_on, fill.is_done) == (["20+"], False, False)
    assert shown(fill.on_rows(trades(10, 20, 30, 40), is_full=False)[0]) == ["30+", "40"]


def test_a_candle_that_was_left_open_is_closed_and_none_is_left_out() -> None:
    fill = GapFill(CANDLES, candle(5, is_closed=False))
    assert fill.on_live([candle(8, is_closed=False, at=1), candle(8, is_closed=False, at=2)]) == []
    rows = [candle(5, close=7), candle(6), candle(7, is_closed=False), candle(8, is_closed=False)]
    found: list[Any] = fill.on_rows(rows, is_full=False)[0]
    assert [(each.open_time // MINUTE, each.is_closed, each.is_backfilled) for each in found] == [
        (5, True, True), (6, True, True), (7, True, True), (8, False, False), (8, False, False),
    ]  # fmt: skip
    assert found[0].close == 7


@pytest.mark.parametrize("is_closed", [True, False])
def test_candles_that_go_on_lack_nothing(is_closed: bool) -> None:
    fill = GapFill(CANDLES, candle(5, is_closed=is_closed))
    following = candle(6 if is_closed else 5, is_closed=False)
    assert fill.on_live([following]) == [following]


def test_a_candle_whose_last_word_was_missed_is_a_gap_although_the_next_one_is_there() -> None:
    fill = GapFill(CANDLES, candle(5, is_closed=False))
    assert fill.on_live([candle(6, is_closed=False)]) == []
    found: list[Any] = fill.on_rows([candle(5), candle(6, is_closed=False)], is_full=False)[0]
    assert [(each.open_time // MINUTE, each.is_closed) for each in found] == [(5, True), (6, False)]


def test_the_present_candle_is_left_to_the_stream() -> None:
    fill = GapFill(CANDLES, candle(5, is_closed=False))
    found: list[Any] = fill.on_rows([candle(5), candle(6, is_closed=False)], is_full=False)[0]
    assert [each.open_time // MINUTE for each in found] == [5]
    assert fill.is_done


@fixed
@given(
    st.integers(2, 40), st.integers(0, 60), st.integers(1, 7), st.integers(0, 30), st.booleans(),
    st.lists(st.sampled_from(["live", "rows", "late rows", "failure"]), max_size=30), st.integers(0, 10),
)  # fmt: skip
def test_no_id_is_missing_without_a_word_and_none_comes_twice(
    last: int, missed: int, page: int, forgotten: int, is_dense: bool, plan: list[str], lag: int
) -> None:
    """A cut after ``last``; REST has forgotten some, answers in pages, and may be behind."""
    step = 1 if is_dense else 3
    fill = GapFill(DENSE if is_dense else SPARSE, trade(last * step))
    sent, delivered = last + missed, []
    for action in plan:
        if fill.is_done:
            break
        if action == "live":
            sent += 1
            delivered += fill.on_live(trades(sent * step))
            continue
        if action == "failure":
            delivered += fill.on_failure()
            continue
        newest = sent - (lag if action == "late rows" else 0)
        # Where ids have holes, only what is older than all rows can be lacking without being seen.
        known = [each for each in range(1, newest + 1) if not last < each <= last + forgotten]
        if not is_dense and forgotten:
            known = [each for each in known if each > last]
        rows = [each for each in known if each > number(fill.last)][:page] if is_dense else known[-page:]
        found, _ = fill.on_rows(trades(*[each * step for each in rows]), is_full=len(rows) == page)
        delivered += found
    if not fill.is_done:
        delivered += fill.give_up()
    told = [each for each in delivered if not isinstance(each, Missing)]
    ids = [number(each) // step for each in told]
    assert ids == sorted(set(ids)), "in order, once"
    assert all(each > last for each in ids)
    missing = {
        each
        for gap in delivered
        if isinstance(gap, Missing) and gap.before is not None
        for each in range(number(gap.after) // step + 1, number(gap.before) // step)
    }
    until = ids[-1] if ids else last
    assert set(ids) | missing == set(range(last + 1, until + 1))
    assert missing.isdisjoint(ids)
    if fill.ends_live:
        assert until == sent
