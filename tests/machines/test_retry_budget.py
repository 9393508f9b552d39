"""How often questions may be asked again in all."""

from __future__ import annotations

from exconn_sync._machines.retry_budget import RetryBudget

SECOND = 1_000_000_000


def test_single_failures_are_retried() -> None:
    budget = RetryBudget(0)
    assert [budget.may_retry(0) for _ in range(5)] == [True] * 4 + [False]


def test_an_outage_gets_at_most_a_tenth_more_than_ever() -> None:
    """Five minutes of nothing but failures, at several rates (fault F161)."""
    for per_second in (1, 10, 100):
        budget, retries = RetryBudget(0), 0
        for number in range(300 * per_second):
            budget.asked()
            retries += budget.may_retry(number * SECOND // per_second)
        assert retries <= 0.1 * 300 * per_second


def test_a_slow_program_gets_a_trickle() -> None:
    """(fault F161)"""
    budget = RetryBudget(0)
    while budget.may_retry(0):
        continue
    assert not budget.may_retry(59 * SECOND)
    assert budget.may_retry(61 * SECOND)
    assert not budget.may_retry(62 * SECOND)


def test_a_clock_that_goes_back_gives_nothing() -> None:
    budget = RetryBudget(100 * SECOND)
    while budget.may_retry(100 * SECOND):
        continue
    assert not budget.may_retry(50 * SECOND)
    assert not budget.may_retry(100 * SECOND)
