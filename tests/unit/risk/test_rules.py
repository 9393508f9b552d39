"""Each limit at its edge, and what is refused because it cannot be told."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from exconn_sync.errors import RiskRejected
from exconn_sync.model.ids import ClientOrderId
from exconn_sync.risk.case import Case
from exconn_sync.risk.guard import Change
from tests.unit.risk.make import BTC, Book, case, top

ETH = "ETH-USDT"
COLLAR = (Decimal("0.1"), None)


def refused(book: Book, judged: Case, rule: str, text: str = ".") -> RiskRejected:
    with pytest.raises(RiskRejected, match=text) as caught:
        book.judge(judged)
    assert (caught.value.rule, caught.value.outcome) == (rule, "not_sent")
    return caught.value


def test_without_limits_everything_passes() -> None:
    book = Book()
    book.judge(case(None, None, objection="never mind"))
    book.judge(case("1E+20", "1E+5", "sell"))
    assert book.told == []


@pytest.mark.parametrize(
    ("limits", "passes", "fails", "rule", "text"),
    [
        ({"allowed_symbols": [BTC]}, case(), case(symbol=ETH), "allowed_symbols", "ETH-USDT is not among"),
        ({"max_order_quantity": 2}, case("2"), case("2.01"), "max_order_quantity", "2.01 is above the limit of 2"),
        ({"max_order_quantity": 2}, case("1"), case(None), "max_order_quantity", "size .* cannot be told"),
        ({"max_order_notional": 200}, case("2"), case("2.01"), "max_order_notional", "notional of 201 is above"),
        ({"max_order_notional": 200}, case("1"), case("1", None), "max_order_notional", "worth .* cannot be told"),
        ({"max_order_notional": {"*": 200, ETH: 50}}, case("2"), case("1", symbol=ETH), "max_order_notional", "of 50"),
        (
            {"max_price_deviation": "0.1"},
            case(collar=COLLAR),
            case(collar=COLLAR, objection="the book is stale"),
            "max_price_deviation",
            "stale",
        ),
        ({"max_price_deviation": "0.1"}, case(collar=COLLAR), case(), "max_price_deviation", "were changed"),
        (
            {"max_price_deviation": "0.2"},
            case(collar=(Decimal("0.20"), None)),
            case(collar=COLLAR),
            "max_price_deviation",
            "were changed",
        ),
        ({"max_position": 3}, case("3"), case("3.1"), "max_position", "3.1, beyond the limit of 3"),
        ({"max_position": 3}, case("3", side="sell"), case("3.1", side="sell"), "max_position", "."),
        ({"max_position": 3}, case("3"), case(None), "max_position", "cannot be told"),
        ({"max_position": {BTC: 3}}, case("9", symbol=ETH), case("9"), "max_position", "."),
    ],
)
def test_an_order_by_itself(limits: dict[str, Any], passes: Case, fails: Case, rule: str, text: str) -> None:
    book = Book(**limits)
    book.judge(passes)
    refused(book, fails, rule, text)


def test_a_refusal_says_of_what_and_how_much() -> None:
    error = refused(Book(max_order_quantity="1E+1"), case("1E+2"), "max_order_quantity")
    assert error.details == {"scope": BTC, "value": "100", "limit": "10"}


# --- position -------------------------------------------------------------------------------------------------------


def test_the_position_counts_with_all_open_orders_of_the_side_and_none_of_the_other() -> None:
    book = Book(max_position=10)
    book.trade("4", "100")
    book.open("a", "3")
    book.open("b", "9", "sell")
    book.judge(case("3"))
    refused(book, case("3.01"), "max_position", "could come to 10.01")
    # 4 held, 9 more to be sold: another 5 make it -10.
    book.judge(case("5", side="sell"))
    refused(book, case("5.01", side="sell"), "max_position")


def test_what_makes_a_position_smaller_passes_beyond_the_limit() -> None:
    book = Book(max_position=1)
    book.trade("4", "100")
    book.judge(case("4", side="sell"))
    refused(book, case("0.1"), "max_position")


def test_an_order_that_replaces_another_is_judged_by_the_difference() -> None:
    book = Book(max_position=5, max_open_orders=1, check_balance=True)
    book.balance("USDT", "0")
    book.open("a", "5")
    refused(book, case("1"), "max_open_orders")
    a = ClientOrderId("a")
    book.judge(case("5", replaces=a))
    refused(book, case("5.1", "10", replaces=a), "max_position")
    refused(book, case("5", "101", replaces=a), "check_balance", "505 USDT, and 500 are free")


def test_an_amend_is_judged_by_what_it_adds() -> None:
    book = Book(max_position=10, max_open_orders=1, max_order_quantity=8)
    book.open("a", "5")
    book.judge(case("8", adds="3", is_new=False), Change.AMEND)
    book.open("b", "4", symbol=ETH)
    book.open("b", "4")
    with pytest.raises(RiskRejected):
        book.judge(case("7", adds="2", is_new=False), Change.AMEND)


def test_an_open_order_of_unknown_size_keeps_others_of_its_side_out() -> None:
    book = Book(max_position=10)
    book.open("a", "5")
    state, fills = book.exposure._heard[ClientOrderId("a")]
    book.exposure.note_order(replace(state, quantity=None), fills, None)
    refused(book, case("1"), "max_position", "cannot be told")
    book.judge(case("1", side="sell"))


def test_of_orders_placed_together_each_counts_for_its_own_symbol_and_asset() -> None:
    book = Book(max_position=5, max_open_orders=3, max_open_orders_per_symbol=2, check_balance=True)
    book.balance("USDT", "500")
    book.balance("BTC", "1")
    before = (case("3", symbol=ETH), case("1", "50"))
    book.judge(case("3", "50", before=before), Change.LOOK)
    refused(book, case("3.1", "50", before=before), "check_balance", "takes 505 USDT, and 500 are free")
    book.judge(case("1", side="sell", before=before), Change.LOOK)
    refused(book, case("1", before=(*before, before[1])), "max_open_orders", "3 orders are open")
    refused(book, case("1", before=(before[1], before[1])), "max_open_orders_per_symbol", "2 orders of BTC-USDT")
    refused(book, case("1", before=(case("1", None),)), "check_balance", "cannot be told")


def test_orders_of_a_list_count_together_before_any_is_entered() -> None:
    book = Book(max_position=5, max_open_orders=2, max_order_rate=(2, 1))
    first, other = case("3"), case("3", side="sell")
    book.judge(case("2", before=(first,)), Change.LOOK)
    book.judge(case("5", before=(other,)), Change.LOOK)
    for wrong in (case("3", before=(first,)), case("1", before=(other, other))):
        with pytest.raises(RiskRejected):
            book.judge(wrong, Change.LOOK)
    unsized = case(None)
    with pytest.raises(RiskRejected):
        book.judge(case("1", before=(unsized,)), Change.LOOK)


# --- numbers of orders ----------------------------------------------------------------------------------------------


def test_open_orders_in_all_and_of_a_symbol() -> None:
    book = Book(max_open_orders=3, max_open_orders_per_symbol=2)
    book.open("a", "1")
    book.open("b", "1")
    refused(book, case(), "max_open_orders_per_symbol", "2 orders of BTC-USDT are open, and 2 may be")
    book.judge(case(symbol=ETH))
    book.open("c", "1", symbol=ETH)
    refused(book, case(symbol=ETH), "max_open_orders", "3 orders are open, and 3 may be")


def test_the_order_rate_is_counted_in_a_moving_window() -> None:
    book = Book(max_order_rate=(2, 1.0))
    second = 10**9
    for at in (0, second // 2):
        book.judge(case(now_ns=at))
    refused(book, case(now_ns=second - 1), "max_order_rate", "2 orders were placed within 1 s")
    book.judge(case(now_ns=second))
    refused(book, case(now_ns=second + 1), "max_order_rate")


def test_what_is_refused_looked_at_or_amended_does_not_count_for_the_rate() -> None:
    book = Book(max_order_rate=(1, 1.0), max_order_quantity=5)
    refused(book, case("6"), "max_order_quantity")
    book.judge(case(), Change.LOOK)
    book.judge(case(is_new=False), Change.AMEND)
    book.judge(case())
    refused(book, case(), "max_order_rate")
    book.judge(case(is_new=False), Change.AMEND)


# --- daily loss -----------------------------------------------------------------------------------------------------

HOUR = 3600 * 10**9
DAY = 24 * HOUR


def test_realized_and_unrealized_losses_count_together() -> None:
    book = Book(max_daily_loss=100)
    book.trade("2", "100", at=HOUR)
    book.trade("1", "60", "sell", at=2 * HOUR)
    passes = case(time_ns=3 * HOUR, tops={BTC: top("41", "200")})
    book.judge(passes)
    refused(book, case(time_ns=3 * HOUR, tops={BTC: top("40", "200")}), "max_daily_loss", "100 USDT were lost today")


def test_a_loss_refuses_only_what_may_make_a_position_larger() -> None:
    book = Book(max_daily_loss=100)
    book.trade("2", "100", at=HOUR)
    tops = {BTC: top("10", "11"), ETH: top("1", "2")}
    book.judge(case("2", side="sell", time_ns=HOUR, tops=tops))
    refused(book, case("2.1", side="sell", time_ns=HOUR, tops=tops), "max_daily_loss")
    refused(book, case("1", symbol=ETH, time_ns=HOUR, tops=tops), "max_daily_loss")
    book.open("s", "1", "sell")
    refused(book, case("2", side="sell", time_ns=HOUR, tops=tops), "max_daily_loss")
    book.judge(case("1", symbol="ETH-BTC", time_ns=HOUR))


def test_the_day_begins_when_it_is_said_to() -> None:
    book = Book(max_daily_loss=10, day_starts_at="02:00")
    book.trade("1", "100", at=HOUR)
    book.trade("1", "50", "sell", at=DAY + HOUR)
    refused(book, case(time_ns=DAY + 2 * HOUR - 1), "max_daily_loss")
    book.judge(case(time_ns=DAY + 2 * HOUR))


def test_a_short_position_is_valued_at_what_buying_it_back_costs() -> None:
    book = Book(max_daily_loss=50)
    book.trade("1", "100", "sell", at=HOUR)
    book.judge(case("2", time_ns=HOUR, tops={BTC: top("10", "149")}))
    refused(book, case("2", time_ns=HOUR, tops={BTC: top("10", "150")}), "max_daily_loss")


def test_without_a_price_the_loss_cannot_be_told() -> None:
    book = Book(max_daily_loss=50)
    book.trade("1", "100", at=HOUR, fee="0.1 BNB")
    for tops in ({}, {BTC: top(None, "100")}):
        refused(book, case(time_ns=HOUR, tops=tops), "max_daily_loss", "without a price of BTC-USDT, BNB-USDT")
    refused(book, case(time_ns=HOUR, tops={BTC: top("100", "101")}), "max_daily_loss", "a price of BNB-USDT$")
    book.judge(case(time_ns=HOUR, tops={BTC: top("100", "101"), "BNB-USDT": top("489", "490")}))
    refused(book, case(time_ns=HOUR, tops={BTC: top("100", "1"), "BNB-USDT": top("1", "500")}), "max_daily_loss")


def test_a_loss_limit_of_another_quote_asset_is_no_limit() -> None:
    book = Book(max_daily_loss={"EUR": 1})
    book.trade("1", "100", at=HOUR)
    book.judge(case(time_ns=HOUR, tops={BTC: top("1", "2")}))


# --- balance --------------------------------------------------------------------------------------------------------


def test_an_order_takes_no_more_than_what_is_free() -> None:
    book = Book(check_balance=True)
    refused(book, case(), "check_balance", "no balance of USDT is known")
    book.balance("USDT", "100")
    book.judge(case("1"))
    refused(book, case("1.01"), "check_balance", "it takes 101 USDT, and 100 are free")
    refused(book, case("1", None), "check_balance", "cannot be told how much USDT")
    book.judge(case("9", asset=None))
    book.balance("BTC", "0.5")
    book.judge(case("0.5", side="sell"))
    refused(book, case("0.51", side="sell"), "check_balance", "0.51 BTC")


def test_what_is_under_way_is_not_free() -> None:
    book = Book(check_balance=True)
    book.balance("USDT", "100")
    first = case("0.6")
    book.judge(first)
    book.exposure.expect(ClientOrderId("a"), first.adds, first.need)
    refused(book, case("0.6"), "check_balance", "and 40 are free and not reserved")
    assert first.need is not None
    assert first.need.amount == Decimal("60.0")
