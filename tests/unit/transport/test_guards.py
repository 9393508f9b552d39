"""The circuit breaker, and the budget of connection attempts."""

from __future__ import annotations

import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exconn_sync._transport.breaker import Breaker
from exconn_sync._transport.limiter import ConnectBudget, connect_budget
from exconn_sync.errors import CircuitOpen
from exconn_sync.ports.clock import SystemClock
from exconn_sync.testing import ManualClock
from tests.unit.support import LIMIT, Background, fixed, in_threads, until

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


def test_a_hold_of_the_exchange_comes_before_the_count() -> None:
    """(fault F020)"""
    budget = ConnectBudget(2, 1000)
    assert budget.take(0) == 0
    budget.hold(5.0, 10)
    budget.hold(1.0, 20)
    assert [budget.is_held(5009), budget.is_held(5010)] == [True, False]
    assert budget.take(1010) == 4.0
    assert budget.take(5010) == 0
