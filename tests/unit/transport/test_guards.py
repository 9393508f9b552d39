"""Request budgets and the circuit breaker."""

from __future__ import annotations

import gc
import threading
import time
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exconn_sync._transport.breaker import Breaker
from exconn_sync._transport.limiter import Budget, ConnectBudget, connect_budget, shared_budget
from exconn_sync.errors import CircuitOpen
from exconn_sync.model.wire import Cost, RateRule
from exconn_sync.ports.clock import SystemClock
from exconn_sync.testing import ManualClock
from tests.unit.support import LIMIT, Background, fixed, in_threads, until

MINUTE = 60_000
WEIGHT, ORDERS = RateRule("weight", 10, MINUTE), RateRule("orders", 2, 10_000)


def test_a_window_gives_its_amount_and_then_says_when_the_next_one_begins() -> None:
    budget = Budget([WEIGHT])
    assert budget.take([Cost("weight", 4)], MINUTE + 1) == 0
    assert budget.take([Cost("weight", 6)], MINUTE + 2) == 0
    wait = budget.take([Cost("weight", 1)], MINUTE + 50_000)
    assert 10 <= wait < 10.1
    assert budget.used("weight", MINUTE + 50_000) == 10
    assert budget.take([Cost("weight", 1)], MINUTE + 50_000 + int(wait * 1000)) == 0
    assert budget.used("weight", 2 * MINUTE + 100) == 1


def test_all_costs_are_taken_or_none() -> None:
    budget = Budget([WEIGHT, ORDERS])
    both = [Cost("weight", 3), Cost("orders", 1)]
    assert budget.take(both, MINUTE) == 0
    assert budget.take(both, MINUTE) == 0
    assert budget.take(both, MINUTE) > 0
    assert budget.used("weight", MINUTE) == 6
    assert budget.used("orders", MINUTE) == 2
    assert budget.take([Cost("weight", 4)], MINUTE) == 0


def test_what_costs_nothing_or_has_no_limit_passes() -> None:
    budget = Budget([WEIGHT])
    assert budget.take([Cost("weight", 10)], MINUTE) == 0
    assert budget.take([Cost("weight", 0), Cost("unheard of", 5)], MINUTE) == 0
    assert budget.take([], MINUTE) == 0
    assert budget.used("unheard of", MINUTE) == 0


def test_silence_lets_nothing_pass_and_is_never_shortened() -> None:
    """(fault F076)"""
    budget = Budget([WEIGHT])
    budget.silence(30, MINUTE)
    budget.silence(1, MINUTE)
    assert budget.take([], MINUTE + 1000) == 29
    assert budget.take([Cost("weight", 1)], MINUTE + 29_999) == 0.001
    assert budget.take([Cost("weight", 1)], MINUTE + 30_000) == 0


@fixed
@given(st.lists(st.tuples(st.integers(0, 30_000), st.integers(1, 10), st.integers(0, 2)), max_size=60))
def test_no_window_ever_gives_more_than_its_amount(plan: list[tuple[int, int, int]]) -> None:
    """(fault F160)"""
    budget = Budget([WEIGHT, ORDERS])
    now, taken = MINUTE, Counter[tuple[str, int]]()
    for later, weight, orders in plan:
        now += later
        if budget.take([Cost("weight", weight), Cost("orders", orders)], now) == 0:
            taken["weight", now // MINUTE] += weight
            taken["orders", now // 10_000] += orders
    assert all(amount <= 10 for (limit, _), amount in taken.items() if limit == "weight")
    assert all(amount <= 2 for (limit, _), amount in taken.items() if limit == "orders")


@fixed
@given(st.lists(st.tuples(st.integers(-3, 9000), st.integers(1, 4)), min_size=5, max_size=60))
def test_times_a_little_out_of_order_give_no_window_more(plan: list[tuple[int, int]]) -> None:
    budget = Budget([WEIGHT])
    now, newest, taken = 2 * MINUTE - 20_000, 0, Counter[int]()
    for step, weight in plan:
        now += step
        newest = max(newest, now)
        if budget.take([Cost("weight", weight)], now) == 0:
            # What leaves now arrives at the exchange at the newest of all times seen.
            taken[newest // MINUTE] += weight
    assert max(taken.values()) <= 10


def test_two_threads_at_the_edge_of_a_window_give_it_no_more() -> None:
    """(fault F160)"""
    budget = Budget([WEIGHT])
    edge = 2 * MINUTE
    assert budget.take([Cost("weight", 9)], edge) == 0
    assert budget.take([Cost("weight", 1)], edge - 1) == 0
    assert budget.take([Cost("weight", 1)], edge + 1) > 0
    assert budget.used("weight", edge + 1) == 10


def test_a_clock_that_was_hours_ahead_does_not_block_for_hours() -> None:
    """(fault F117)"""
    budget = Budget([WEIGHT])
    assert budget.take([Cost("weight", 10)], 200 * MINUTE) == 0
    wait = budget.take([Cost("weight", 1)], 10 * MINUTE)
    assert 0 < wait <= 60.1
    assert budget.take([Cost("weight", 10)], 11 * MINUTE) == 0


def test_threads_that_hammer_get_exactly_what_there_is() -> None:
    """(fault F160)"""
    budget = Budget([RateRule("weight", 100, MINUTE), RateRule("orders", 60, MINUTE)])
    lock, taken = threading.Lock(), 0

    def hammer(index: int) -> None:
        nonlocal taken
        for _ in range(50):
            if budget.take([Cost("weight", 1), Cost("orders", 1)], MINUTE) == 0:
                with lock:
                    taken += 1

    in_threads(8, hammer)
    assert taken == 60
    assert budget.used("weight", MINUTE) == 60


def test_one_host_has_one_budget_which_outlives_those_who_use_it() -> None:
    now_ms = time.time_ns() // 1_000_000
    first = shared_budget("shared.example", [WEIGHT])
    assert shared_budget("shared.example", [WEIGHT]) is first
    assert shared_budget("other.example", [WEIGHT]) is not first
    assert first.take([Cost("weight", 10)], now_ms) == 0
    del first
    gc.collect()
    assert shared_budget("shared.example", [WEIGHT]).used("weight", now_ms) == 10


# --- breaker --------------------------------------------------------------------------------------------------------

ERROR = ConnectionError("no")


def test_it_opens_after_so_many_failures_in_a_row_and_says_how_long() -> None:
    """(fault F162)"""
    clock = ManualClock()
    breaker = Breaker("binance", clock, failures=3, pause=10)
    for _ in range(2):
        breaker.failed(ERROR)
        breaker.check()
    breaker.succeeded()
    for _ in range(2):
        breaker.failed(ERROR)
    breaker.check()
    assert breaker.state == "closed"
    breaker.failed(ERROR)
    assert breaker.state == "open"
    clock.advance(4)
    with pytest.raises(CircuitOpen) as caught:
        breaker.check()
    assert caught.value.retry_after == pytest.approx(6)
    assert (caught.value.exchange, caught.value.outcome) == ("binance", "not_sent")
    clock.advance(6)
    breaker.check()


def test_late_good_news_does_not_close_it() -> None:
    """(fault F162)"""
    breaker = Breaker("binance", ManualClock(), failures=1, pause=10)
    breaker.failed(ERROR)
    breaker.succeeded()
    with pytest.raises(CircuitOpen):
        breaker.check()


def opened(pause: float = 0.02) -> Breaker:
    """Return a breaker that was open and lets a probe through now."""
    breaker = Breaker("binance", SystemClock(), failures=2, pause=pause)
    for _ in range(2):
        breaker.failed(ERROR)

    def is_through() -> bool:
        try:
            breaker.check()
        except CircuitOpen:
            return False
        return True

    assert not is_through()
    until(is_through)
    return breaker


def test_a_probe_that_succeeds_closes_it() -> None:
    """(fault F162)"""
    breaker = opened()
    breaker.succeeded()
    assert breaker.state == "closed"
    breaker.failed(ERROR)
    breaker.check()


def test_a_probe_that_fails_opens_it_again_at_once() -> None:
    """(fault F162)"""
    breaker = opened()
    breaker.failed(ERROR)
    assert breaker.state == "open"
    with pytest.raises(CircuitOpen):
        breaker.check()


def test_calls_go_on_side_by_side() -> None:
    breaker = Breaker("binance", SystemClock())
    together = threading.Barrier(5)

    def call(index: int) -> None:
        breaker.check()
        # All five are in the middle of their calls at one moment.
        together.wait(LIMIT)
        breaker.succeeded()

    in_threads(5, call)
    assert breaker.state == "closed"


def test_threads_that_fail_together_open_it_once() -> None:
    breaker = Breaker("binance", SystemClock(), failures=5, pause=60)
    in_threads(8, lambda index: breaker.failed(ERROR))
    assert breaker.state == "open"
    with pytest.raises(CircuitOpen):
        Background(breaker.check).result()


# --- connection attempts --------------------------------------------------------------------------------------------


def test_attempts_beyond_the_amount_wait_until_the_oldest_is_out_of_the_window() -> None:
    """(fault F019)"""
    budget = ConnectBudget(3, 1000)
    assert [budget.take(now) for now in (5000, 5100, 5900)] == [0.0] * 3
    wait = budget.take(5950)
    assert 0.05 < wait < 0.06
    assert budget.take(5950 + round(wait * 1000)) == 0.0
    assert budget.take(6050) > 0


@fixed
@given(
    amount=st.integers(1, 5),
    pauses=st.lists(st.integers(0, 400), min_size=1, max_size=60),
)
def test_no_window_of_the_period_ever_sees_more_than_the_amount(amount: int, pauses: list[int]) -> None:
    """Whoever asks again after the wait that it was told gets through (fault F019)."""
    budget, now_ms, taken = ConnectBudget(amount, 1000), 1, []
    for pause in pauses:
        now_ms += pause
        while wait := budget.take(now_ms):
            assert 0 < wait <= 1.001
            now_ms += max(round(wait * 1000), 1)
        taken.append(now_ms)
    for first, last in zip(taken, taken[amount:], strict=False):
        assert last - first > 1000


def test_threads_that_come_a_little_late_do_not_make_room() -> None:
    budget = ConnectBudget(2, 1000)
    assert budget.take(5000) == 0.0
    assert budget.take(4990) == 0.0
    assert budget.take(4980) > 1.0
    assert budget.take(5999) > 0.0


def test_attempts_of_many_threads_share_one_budget() -> None:
    budget = connect_budget("many-threads.example", 50, 60_000)
    assert connect_budget("many-threads.example", 50, 60_000) is budget
    assert connect_budget("another.example", 50, 60_000) is not budget
    taken: list[float] = []
    in_threads(8, lambda index: taken.extend(budget.take(1000 + index) for _ in range(20)))
    assert taken.count(0.0) == 50
