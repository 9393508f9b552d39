"""Windows, weights, bans and unfilled order counts."""

import pytest

from exconn_sync.simulator.binance.errors import ApiError
from exconn_sync.simulator.binance.limits import OrderCounter, WeightMeter, WindowCounter
from exconn_sync.simulator.rate_limits import RateLimits

MINUTE = 60_000


def test_windows_follow_the_clock() -> None:
    counter = WindowCounter(MINUTE)
    counter.add("a", 3, MINUTE - 1)
    assert counter.count("a", MINUTE - 1) == 3
    assert counter.count("a", MINUTE) == 0
    assert counter.resets_at(MINUTE + 5) == 2 * MINUTE


def test_weight_is_refused_then_banned() -> None:
    meter = WeightMeter(RateLimits(weight_per_minute=100))
    meter.add("a", 98, 0)
    meter.admit("a", 2, 0)
    with pytest.raises(ApiError) as refused:
        meter.admit("a", 3, 0)
    assert (refused.value.code, refused.value.status, refused.value.retry_at) == (-1003, 429, MINUTE)
    assert "current limit is 100 request weight per 1 MINUTE" in refused.value.message
    meter.admit("b", 3, 0)
    for _ in range(9):
        with pytest.raises(ApiError):
            meter.admit("a", 3, 0)
    with pytest.raises(ApiError) as refused:
        meter.admit("a", 3, 0)
    assert (refused.value.status, refused.value.retry_at) == (418, 2 * MINUTE)
    with pytest.raises(ApiError):
        meter.admit("a", 1, MINUTE)
    meter.admit("a", 1, 2 * MINUTE)


def test_unfilled_orders() -> None:
    counter = OrderCounter(RateLimits(orders_per_10s=2))
    counter.add("a", 2, 0)
    with pytest.raises(ApiError) as refused:
        counter.admit("a", 0)
    assert refused.value.message == "Too many new orders; current limit is 2 orders per 10 SECOND."
    assert (refused.value.status, refused.value.retry_at) == (429, 10_000)
    counter.admit("a", 10_000)
    assert counter.counts("a", 10_000) == (0, 2)
    counter.add("a", -5, 10_000)
    assert counter.counts("a", 10_000) == (0, 0)
