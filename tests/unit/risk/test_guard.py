"""The kill switch, changed limits, and what is told of limits: once an episode."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from exconn_sync.config.risk_limits import RiskLimits
from exconn_sync.errors import RiskRejected
from exconn_sync.model.enums import OrderStatus
from exconn_sync.model.ids import ClientOrderId
from exconn_sync.risk.alerts import Episodes
from exconn_sync.risk.case import Usage
from exconn_sync.risk.guard import Change
from tests.unit.risk.make import BTC, Book, case, top

SHARE = Decimal("0.8")


def usage(value: str) -> Usage:
    return Usage("rule", "", Decimal(value), Decimal(10))


@pytest.mark.parametrize(
    ("values", "told"),
    [
        (["7.9", "8", "9", "9.9"], [None, "near", None, None]),
        (["8", "10", "11", "9", "10"], ["near", "reached", None, None, None]),
        (["10", "8", "7", "8", "10"], ["reached", None, None, "near", "reached"]),
    ],
)
def test_an_episode_is_told_once_before_the_limit_and_once_at_it(values: list[str], told: list[str | None]) -> None:
    episodes = Episodes()
    assert [episodes.note(usage(value), SHARE) for value in values] == told


def test_a_refusal_is_at_the_limit_whatever_the_numbers_say() -> None:
    episodes = Episodes()
    unknown = Usage("rule", "", None, None)
    assert [episodes.note(unknown, SHARE, is_refused=True) for _ in range(2)] == ["reached", None]
    assert episodes.note(unknown, SHARE) is None
    assert episodes.note(unknown, SHARE, is_refused=True) == "reached"


def test_limits_of_different_names_and_scopes_have_episodes_of_their_own() -> None:
    episodes = Episodes()
    for rule, scope in (("a", ""), ("a", "x"), ("b", "x")):
        assert episodes.note(Usage(rule, scope, Decimal(9), Decimal(10)), SHARE) == "near"


def test_alerts_say_how_much_of_what_is_used() -> None:
    book = Book(max_position=10, alert_share="0.5")
    book.judge(case("4"))
    book.judge(case("5", time_ns=7))
    alert = book.told[0]
    assert (alert.exchange, alert.rule, alert.scope, alert.level) == ("binance", "max_position", BTC, "near")
    assert (alert.value, alert.limit, alert.message, alert.received_at) == (5, 10, "5 of 10 are used", 7)
    book.judge(case("10"))
    with pytest.raises(RiskRejected):
        book.judge(case("11"))
    assert book.levels == [("max_position", BTC, "near"), ("max_position", BTC, "reached")]


def test_a_refusal_is_told_with_its_reason_and_only_of_the_limit_that_refuses() -> None:
    book = Book(max_order_quantity=10, max_position=5)
    with pytest.raises(RiskRejected) as caught:
        book.judge(case("9"))
    assert [(alert.rule, alert.level, alert.message) for alert in book.told] == [
        ("max_position", "reached", caught.value.message)
    ]
    assert (book.told[0].value, book.told[0].limit) == (9, 5)


def test_a_look_ahead_tells_of_refusals_only() -> None:
    book = Book(max_position=10)
    book.judge(case("9"), Change.LOOK)
    assert book.told == []
    with pytest.raises(RiskRejected):
        book.judge(case("11"), Change.LOOK)
    assert book.levels == [("max_position", BTC, "reached")]


def test_the_kill_switch_refuses_everything_until_it_is_armed_again() -> None:
    book = Book()
    assert book.guard.kill("enough", 3, book.told)
    assert not book.guard.kill("once more", 4, book.told)
    for change in Change:
        with pytest.raises(RiskRejected, match="thrown: enough") as caught:
            book.judge(case(), change)
        assert caught.value.rule == "kill_switch"
    assert book.guard.arm(5, book.told)
    assert not book.guard.arm(6, book.told)
    book.judge(case())
    assert [(alert.level, alert.message, alert.received_at) for alert in book.told] == [
        ("killed", "enough", 3), ("armed", "orders pass again", 5),
    ]  # fmt: skip


def test_other_limits_hold_from_the_next_order_on_and_are_told_anew() -> None:
    book = Book(max_position=10)
    book.judge(case("9"))
    former = book.guard.change(RiskLimits(max_position=Decimal(20)))
    assert former == RiskLimits(max_position=Decimal(10))
    book.judge(case("17"))
    book.guard.change(former)
    with pytest.raises(RiskRejected):
        book.judge(case("11"))
    assert [level for _, _, level in book.levels] == ["near", "near", "reached"]


def test_a_loss_is_told_without_any_order() -> None:
    book = Book(max_daily_loss=100)
    book.guard.watch(book.exposure, {}, 2, book.told)
    book.trade("1", "100")
    for bid in ("50", "20", "10", "1", "0"):
        book.guard.watch(book.exposure, {BTC: top(bid, "200")}, 2, book.told)
    book.guard.watch(book.exposure, {}, 2, book.told)
    assert [(alert.rule, alert.scope, alert.level, alert.value) for alert in book.told] == [
        ("max_daily_loss", "USDT", "near", 80), ("max_daily_loss", "USDT", "reached", 100),
    ]  # fmt: skip
    other = Book(max_daily_loss={"EUR": 1})
    other.trade("1", "100")
    other.guard.watch(other.exposure, {BTC: top("1", "2")}, 2, other.told)
    assert other.told == []


def test_what_ends_gives_its_part_back() -> None:
    book = Book(max_position=5, max_open_orders=1)
    book.open("a", "5")
    with pytest.raises(RiskRejected):
        book.judge(case("1"))
    state, fills = book.exposure._heard[ClientOrderId("a")]
    book.exposure.note_order(replace(state, status=OrderStatus.CANCELED), fills, None)
    book.judge(case("5"))
