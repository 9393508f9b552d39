"""Clocks that step, drift or disagree, and long ways to the exchange: nobody hears of a refused timestamp."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from itertools import pairwise

import pytest

from exconn_sync import ClockChanged, ClockSkew, Connector, ExconnError, NotReady, OrderRequest
from exconn_sync.config.settings import RateLimits
from exconn_sync.metrics import MemoryMetrics
from exconn_sync.simulator import Simulator
from tests.faults.conftest import LIMIT, Connect, Errors, Ups, counted, pace, relay_to, through
from tests.integration.conftest import quick
from tests.simulator.clients import eventually

TIME, ORDER = "/api/v3/time", "/api/v3/order"
BUY = OrderRequest.limit("BTC-USDT", "buy", "0.01", "50000")
SECOND = 1_000_000_000


class MovedClock:
    """The machine's clocks, each of which can be moved."""

    def __init__(self) -> None:
        self.wall_ns = self.monotonic_back_ns = 0

    def monotonic_ns(self) -> int:
        return time.monotonic_ns() - self.monotonic_back_ns

    def time_ns(self) -> int:
        return time.time_ns() + self.wall_ns


def refused(connector: Connector) -> int:
    """Return how many REST requests the exchange refused."""
    metrics = connector.metrics
    assert isinstance(metrics, MemoryMetrics)
    return sum(count for key, count in metrics.counts().items() if "rest.requests" in key and "result=400" in key)


def time_requests(connector: Connector) -> int:
    metrics = connector.metrics
    assert isinstance(metrics, MemoryMetrics)
    return sum(count for key, count in metrics.counts().items() if "rest.requests" in key and f"path={TIME}" in key)


def no_skew(errors: Errors) -> None:
    assert not [event for event in errors.told if isinstance(event.error, ClockSkew)]


def is_off(connector: Connector, ms: int) -> Callable[[], bool]:
    return lambda: abs((connector.health().clock_offset_ms or 0) - ms) < 1000


# --- steps ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("ms", [-30_000, 30_000])
def test_a_step_of_the_exchanges_clock_is_cured_for_questions_and_commands(
    quiet: Simulator, connect: Connect, ms: int
) -> None:
    """(faults F081, F117)"""
    connector = connect(quiet)
    errors = Errors(connector)
    quiet.faults.offset_clock(ms)
    order = connector.place_order(BUY)
    assert order.status == "new"
    assert len(quiet.accounts.orders()) == 1, "the refused attempt placed nothing, and the second one only once"
    assert refused(connector) == 1
    quiet.faults.offset_clock(0)
    assert connector.fetch_balances()
    assert refused(connector) == 2
    order.cancel()
    told = errors.until(lambda event: isinstance(event.error, ClockChanged))
    assert told.where == "exchange clock"
    no_skew(errors)
    eventually(is_off(connector, 0))


def test_all_who_are_refused_share_one_synchronization(quiet: Simulator, connect: Connect) -> None:
    """(fault F081)"""
    connector = connect(quiet)
    before = time_requests(connector)
    quiet.faults.offset_clock(30_000)
    gate, failed = threading.Barrier(8), []

    def ask() -> None:
        try:
            gate.wait(LIMIT)
            connector.request("GET", "/api/v3/openOrders", {"symbol": "BTCUSDT"}, signed=True)
        except ExconnError as error:
            failed.append(error)

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(LIMIT)
    assert not failed
    assert 1 <= refused(connector) <= 8
    # Three samples a round; a second round for those who were stamped while the first one was under way.
    assert time_requests(connector) - before <= 6


@pytest.mark.parametrize("seconds", [-86_400, -3600, -30, 30, 3600, 86_400])
def test_a_step_of_the_local_wall_clock_is_noticed_and_does_nothing(
    quiet: Simulator, connect: Connect, seconds: int
) -> None:
    """(fault F117)"""
    clock = MovedClock()
    with Connector(quick(quiet.config()), clock=clock) as connector:
        connector.wait_ready(LIMIT)
        errors, ups = Errors(connector), Ups(connector, "market")
        clock.wall_ns = seconds * SECOND
        began = time.monotonic()
        assert connector.place_order(BUY).status == "new"
        assert connector.fetch_balances()
        assert time.monotonic() - began < LIMIT, "nobody waits for a day"
        told = errors.until(lambda event: isinstance(event.error, ClockChanged))
        assert told.where == "local clock"
        assert refused(connector) == 0
        assert connector.health().clock_steps == 1
        assert is_off(connector, -seconds * 1000)()
        assert not ups.told, "no connection looks dead"
        no_skew(errors)


def test_after_a_sleep_nothing_is_signed_by_the_old_estimate(quiet: Simulator) -> None:
    """The monotonic clock stood still while time went on (fault F120)."""
    clock = MovedClock()
    with Connector(quick(quiet.config()), clock=clock) as connector:
        connector.wait_ready(LIMIT)
        errors = Errors(connector)
        clock.wall_ns = 3600 * SECOND
        quiet.faults.offset_clock(3600_000)
        assert connector.place_order(BUY).status == "new"
        assert refused(connector) == 0
        assert connector.health().clock_steps == 1
        no_skew(errors)


@pytest.mark.parametrize("ms", [-30_000, 30_000])
def test_a_sign_in_by_a_clock_that_stepped_is_made_again_in_silence(
    quiet: Simulator, connect: Connect, ms: int
) -> None:
    """(faults F062, F117)"""
    connector = connect(quiet)
    ups, errors = Ups(connector, "account"), Errors(connector)
    quiet.faults.offset_clock(ms)
    quiet.faults.drop_connections("ws_api")
    ups.recover()
    connector.wait_ready(LIMIT)
    no_skew(errors)
    eventually(is_off(connector, ms))


@pytest.mark.parametrize("ahead", [-3000, 3000])
def test_nodes_whose_clocks_disagree_are_lived_with(quiet: Simulator, connect: Connect, ahead: int) -> None:
    """Every other request meets a clock that is 3 s off (fault F121)."""
    with quiet.faults.disagreeing_clocks(ahead):
        connector = connect(quiet, wait=False)
        errors = Errors(connector)
        connector.wait_ready(LIMIT)
        offsets = []
        for _ in range(20):
            connector.place_order(BUY).cancel()
            connector.fetch_balances()
            connector._core.assembly.rest_session.synchronize()
            offsets.append(connector.health().clock_offset_ms or 0.0)
        assert len(quiet.accounts.orders()) == 20
        # More than one only where requests happen to meet the same node many times in a row.
        assert refused(connector) <= 4, "one of the clocks fits both nodes"
        assert sum(abs(after - before) > 1000 for before, after in pairwise(offsets)) <= 4, "it does not swing"
        no_skew(errors)


# --- distances ------------------------------------------------------------------------------------------------------

WAYS = [(0.01, 0.01), (0.0, 0.9), (0.9, 0.0), (1.0, 1.0)]


@pytest.mark.parametrize(("out", "back"), WAYS)
def test_long_and_lopsided_ways_cost_no_refusal(quiet: Simulator, connect: Connect, out: float, back: float) -> None:
    """Round trips from 20 to 2,000 ms (fault F119)."""
    with relay_to(quiet) as relay:
        relay.upstream.delay(out)
        relay.downstream.delay(back)
        connector = connect(quiet, endpoints=through(quiet, relay, "rest", "stream", "ws_api"), wait=False)
        errors = Errors(connector)
        connector.wait_ready(LIMIT * 6)
        order = connector.place_order(BUY)
        order.cancel()
        assert connector.fetch_balances()
        health = connector.health()
        assert health.clock_offset_ms is not None
        assert health.clock_bound_ms is not None
        # The truth is zero: both run on this machine.
        assert abs(health.clock_offset_ms) <= health.clock_bound_ms
        assert health.clock_bound_ms >= (out + back) * 500
        # The way suddenly becomes short: what was estimated over the long one must not lie ahead.
        relay.upstream.delay(0.0)
        relay.downstream.delay(0.0)
        assert connector.place_order(BUY).status == "new"
        assert refused(connector) == 0
        no_skew(errors)


def test_a_window_that_is_shorter_than_the_way_is_recognised(quiet: Simulator, connect: Connect) -> None:
    """(fault F123)"""
    with relay_to(quiet) as relay:
        connector = connect(
            quiet, endpoints=through(quiet, relay, "rest"), rate_limits=RateLimits(window_ms=200)
        )  # fmt: skip
        before = refused(connector)
        relay.upstream.delay(0.5)
        with pytest.raises(ClockSkew, match=r"the clocks agree.*valid for 200 ms only.*window_ms") as caught:
            connector.place_order(BUY)
        assert caught.value.outcome == "refused"
        assert caught.value.details["took_ms"] >= 500
        assert caught.value.details["window_ms"] == 200
        # Reconciliation may have been refused beside it.
        assert quiet.accounts.orders() == []
        assert refused(connector) - before >= 2
        relay.upstream.delay(0.0)


def test_a_timestamp_that_is_refused_again_and_again_ends_in_an_error(quiet: Simulator, connect: Connect) -> None:
    """(faults F081, F121)"""
    connector = connect(quiet)
    body = '{"code":-1021,"msg":"Timestamp for this request is outside of the recvWindow."}'
    quiet.faults.answer("POST", ORDER, 400, body, count=3)
    with pytest.raises(ClockSkew) as caught:
        connector.place_order(BUY)
    assert (caught.value.outcome, caught.value.retryable) == ("refused", True)
    assert refused(connector) == 2, "one more attempt, and no loop"
    assert "the clocks agree" not in caught.value.message
    quiet.faults.answer("GET", TIME, 503, "{}", count=50)
    with pytest.raises(ClockSkew):
        # The third refusal; no other attempt is made, because the clock cannot be synchronized.
        connector.place_order(BUY, timeout=1.0)
    assert refused(connector) == 3


# --- no time at all -------------------------------------------------------------------------------------------------


def test_without_the_time_nothing_is_signed(quiet: Simulator, connect: Connect) -> None:
    """(fault F122)"""
    quiet.faults.answer("GET", TIME, 503, "{}", count=1_000_000)
    connector = connect(quiet, wait=False, reconnect=pace())
    eventually(lambda: "clock" in connector.health().missing)
    with pytest.raises(NotReady) as caught:
        connector.request("GET", "/api/v3/account", signed=True)
    assert caught.value.outcome == "not_sent"
    assert refused(connector) == 0


def test_slow_samples_are_left_out_and_counted(quiet: Simulator, connect: Connect) -> None:
    """(fault F119)"""
    metrics = MemoryMetrics()
    connector = connect(quiet, metrics=metrics)
    bound = connector.health().clock_bound_ms
    assert bound is not None
    with quiet.faults.delay("GET", TIME, 5.5):
        connector._core.assembly.rest_session.synchronize()
        until_counted(metrics)
    after = connector.health().clock_bound_ms
    assert after is not None
    assert after < 100


def until_counted(metrics: MemoryMetrics) -> None:
    limit = time.monotonic() + LIMIT * 2
    while not counted(metrics, "clock.slow_samples"):
        assert time.monotonic() < limit
        time.sleep(0.05)
