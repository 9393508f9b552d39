"""What may be asked: several limits in one step, lanes, accounts, silence, and what the exchange says about itself."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from exconn_sync._machines.request_budget import EVERYTHING, Lease, Refused, RequestBudget, When
from exconn_sync.model.limits import Lane, UsedFigure
from exconn_sync.model.wire import Cost, RateRule

MINUTE = 60_000
WEIGHT, ORDERS = RateRule("weight", 100, MINUTE), RateRule("orders", 2, 10_000, is_per_account=True)
DAY = RateRule("orders", 3, 86_400_000, is_per_account=True)
START = When(10 * MINUTE)


def take(budget: RequestBudget, weight: int, orders: int = 0, now: int = 0, **more: object) -> Lease | Refused:
    costs = [Cost("weight", weight), Cost("orders", orders), Cost("unheard of", 9)]
    lane, account = more.get("lane", Lane.CANCEL), more.get("account", "me")
    assert isinstance(lane, Lane)
    return budget.take(costs, str(account), lane, When(10 * MINUTE + now))


def used(budget: RequestBudget, limit: str, account: str = "me") -> dict[int, int]:
    return dict(budget.used(limit, account, START))


def test_all_costs_are_taken_or_none() -> None:
    budget = RequestBudget([WEIGHT, ORDERS, DAY])
    assert isinstance(take(budget, 30, 1), Lease)
    assert isinstance(take(budget, 30, 1), Lease)
    refused = take(budget, 30, 1, now=4000)
    assert refused == Refused(6.0, "orders")
    assert used(budget, "weight") == {MINUTE: 60}
    assert used(budget, "orders") == {10_000: 2, 86_400_000: 2}
    assert isinstance(take(budget, 40), Lease)


def test_what_costs_nothing_passes() -> None:
    budget = RequestBudget([WEIGHT])
    assert isinstance(take(budget, 100), Lease)
    assert isinstance(take(budget, 0), Lease)
    assert take(budget, 1).__class__ is Refused


def test_what_is_above_the_whole_limit_never_fits() -> None:
    budget = RequestBudget([WEIGHT])
    assert take(budget, 101) == Refused(math.inf, "weight")


def test_the_end_of_the_day_is_waited_for_although_the_seconds_are_free() -> None:
    """(Binance: 4)"""
    budget = RequestBudget([WEIGHT, ORDERS, DAY])
    for now in (0, 0, 10_000):
        lease = take(budget, 1, 1, now=now)
        assert isinstance(lease, Lease)
        budget.settle(lease, When(10 * MINUTE + now), has_succeeded=True)
    refused = take(budget, 1, 1, now=10_000)
    assert isinstance(refused, Refused)
    assert refused.wait == (86_400_000 - 10 * MINUTE - 10_000) / 1000


@pytest.mark.parametrize(
    ("lane", "share"),
    [(Lane.CANCEL, 100), (Lane.ORDER, 95), (Lane.QUERY, 90), (Lane.SNAPSHOT, 86), (Lane.BULK, 80)],
)
def test_each_lane_leaves_a_share_to_those_before_it(lane: Lane, share: int) -> None:
    """So a cancel finds room whatever the others do (fault F160)."""
    budget = RequestBudget([WEIGHT])
    for _ in range(share):
        assert isinstance(take(budget, 1, lane=lane), Lease)
    assert isinstance(take(budget, 1, lane=lane), Refused)
    if lane is not Lane.CANCEL:
        assert isinstance(take(budget, 1, lane=Lane(lane - 1)), Lease)


def test_orders_of_an_account_are_nobody_elses_to_reserve() -> None:
    """Cancels cost none of them."""
    budget = RequestBudget([RateRule("orders", 20, 10_000, is_per_account=True)])
    for _ in range(20):
        assert isinstance(take(budget, 0, 1, lane=Lane.ORDER), Lease)
    assert isinstance(take(budget, 0, 1, lane=Lane.ORDER), Refused)


def test_a_request_above_the_part_of_its_lane_goes_through_alone() -> None:
    budget = RequestBudget([WEIGHT])
    assert isinstance(take(budget, 1), Lease)
    assert isinstance(take(budget, 90, lane=Lane.BULK), Refused)
    assert isinstance(take(budget, 90, lane=Lane.BULK, now=2 * MINUTE), Lease)


def test_accounts_have_their_own_orders_and_share_the_address() -> None:
    budget = RequestBudget([WEIGHT, ORDERS])
    for account in ("one", "one", "two"):
        assert isinstance(take(budget, 10, 1, account=account), Lease)
    assert isinstance(take(budget, 10, 1, account="one"), Refused)
    assert used(budget, "orders", "two") == {10_000: 1}
    assert used(budget, "weight", "two") == {MINUTE: 30}


def test_figures_correct_the_limit_and_the_window_that_they_name() -> None:
    """(fault F128)"""
    budget = RequestBudget([WEIGHT, ORDERS, DAY])
    lease = take(budget, 1, 1)
    assert isinstance(lease, Lease)
    figures = [
        UsedFigure("orders", 86_400_000, 3),
        UsedFigure("orders", 3_600_000, 3),
        UsedFigure("weight", MINUTE, 41),
    ]
    budget.settle(lease, START, figures, has_succeeded=True)
    assert used(budget, "orders") == {10_000: 1, 86_400_000: 3}
    assert used(budget, "weight") == {MINUTE: 41}


def test_a_success_beyond_a_documented_limit_shows_that_there_is_another_one() -> None:
    """Otherwise a program that starts late in a busy minute could not even ask for the limit."""
    budget = RequestBudget([WEIGHT])
    lease = take(budget, 1)
    assert isinstance(lease, Lease)
    budget.settle(lease, START, [UsedFigure("weight", MINUTE, 5000)], has_succeeded=True)
    assert used(budget, "weight") == {MINUTE: 1}
    lease = take(budget, 1)
    assert isinstance(lease, Lease)
    budget.settle(lease, START, [UsedFigure("weight", MINUTE, 5000)], has_succeeded=False)
    assert used(budget, "weight") == {MINUTE: 5000}


def test_a_stated_limit_is_held_to_whatever_succeeds() -> None:
    budget = RequestBudget([WEIGHT])
    budget.learn([WEIGHT])
    lease = take(budget, 1)
    assert isinstance(lease, Lease)
    budget.settle(lease, START, [UsedFigure("weight", MINUTE, 5000)], has_succeeded=True)
    assert used(budget, "weight") == {MINUTE: 5000}


def test_a_success_gives_back_what_it_was_not_charged_for() -> None:
    """(Binance: 4, weight on success)"""
    budget = RequestBudget([WEIGHT, ORDERS])
    costs = [Cost("weight", 5, is_free_on_success=True), Cost("orders", 1)]
    for has_succeeded, weight in ((True, 0), (False, 5)):
        lease = budget.take(costs, "me", Lane.ORDER, START)
        assert isinstance(lease, Lease)
        budget.settle(lease, START, has_succeeded=has_succeeded)
        assert used(budget, "weight") == {MINUTE: weight}
    assert used(budget, "orders") == {10_000: 2}


def test_what_was_never_sent_is_given_back() -> None:
    budget = RequestBudget([WEIGHT, ORDERS])
    lease = take(budget, 5, 1)
    assert isinstance(lease, Lease)
    budget.give_back(lease)
    assert used(budget, "weight") == {MINUTE: 0}
    assert used(budget, "orders") == {10_000: 0}


def test_silence_lets_nothing_pass_and_is_never_shortened() -> None:
    """(fault F076)"""
    budget = RequestBudget([WEIGHT])
    assert budget.silence(EVERYTHING, 30, 60, 0, START)
    assert not budget.silence(EVERYTHING, 1, 60, START.now_ms - 5, START)
    assert take(budget, 0, now=1000) == Refused(29.0, EVERYTHING)
    assert take(budget, 1, now=29_999) == Refused(0.001, EVERYTHING)
    assert isinstance(take(budget, 1, now=30_000), Lease)


def test_first_fills_are_taken_off_all_windows_of_limits_that_give_them_back() -> None:
    """(Binance: 4)"""
    rules = [WEIGHT, *(replace(rule, amount=9, fill_credit=1) for rule in (ORDERS, DAY))]
    budget = RequestBudget(rules)
    for account in ("me", "other"):
        lease = take(budget, 5, 3, account=account)
        assert isinstance(lease, Lease)
        budget.settle(lease, START, has_succeeded=True)
    budget.credit("me", [START.now_ms + 1, START.now_ms + 2], When(START.now_ms + 5))
    assert used(budget, "orders") == {10_000: 1, 86_400_000: 1}
    assert used(budget, "orders", "other") == {10_000: 3, 86_400_000: 3}
    assert used(budget, "weight") == {MINUTE: 10}


def test_too_many_orders_stop_the_orders_of_that_account_only() -> None:
    """(Binance: 7.4)"""
    budget = RequestBudget([WEIGHT, ORDERS])
    budget.silence("me", 5, 10, 0, START)
    assert take(budget, 1, 1) == Refused(5.0, "orders")
    assert isinstance(take(budget, 1), Lease), "cancels and questions go on"
    assert isinstance(take(budget, 1, 1, account="other"), Lease)
    assert isinstance(take(budget, 1, 1, now=5000), Lease)


def test_stated_rules_replace_the_documented_ones() -> None:
    budget = RequestBudget([WEIGHT, ORDERS])
    take(budget, 60, 1)
    budget.learn([RateRule("weight", 50, MINUTE), RateRule("orders", 9, 10_000, is_per_account=True)])
    assert budget.is_told
    assert isinstance(take(budget, 1), Refused)
    assert used(budget, "weight") == {MINUTE: 60}
    assert used(budget, "orders") == {10_000: 1}


def test_windows_of_another_length_begin_with_what_was_counted() -> None:
    budget = RequestBudget([WEIGHT, ORDERS])
    lease = take(budget, 60, 2)
    assert isinstance(lease, Lease)
    budget.learn([RateRule("weight", 60, 2000), RateRule("orders", 2, 5000, is_per_account=True)])
    assert isinstance(take(budget, 1), Refused)
    assert isinstance(take(budget, 0, 1), Refused)
    assert isinstance(take(budget, 0, 1, account="other"), Lease)
    # A request of before is settled without harm, and the next window is free.
    budget.settle(lease, START, has_succeeded=False)
    assert isinstance(take(budget, 60, 2, now=6000), Lease)


def test_a_heir_keeps_the_longer_silences() -> None:
    """(fault F078)"""
    former, heir = RequestBudget([WEIGHT]), RequestBudget([WEIGHT])
    former.silence(EVERYTHING, 30, 60, 0, START)
    former.silence("me", 1, 60, 0, START)
    heir.silence("me", 5, 60, 0, START)
    assert heir.heir_of(former) is heir
    assert heir.silent_ms(EVERYTHING, START) == 30_000
    assert heir.silent_ms("me", START) == 5_000
