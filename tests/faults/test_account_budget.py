"""The count of unfilled orders of an account: what fills give back, keys that share it, and limits told elsewhere."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from pathlib import Path

import pytest

from exconn_sync import (
    Connector,
    OrderNotFound,
    OrderRequest,
    OrderStatus,
    PartlyDone,
    RateLimitError,
    ValidationError,
)
from exconn_sync.config.settings import RateLimits
from exconn_sync.simulator import Simulator
from tests.faults.conftest import LIMIT, Connect, Errors
from tests.integration.conftest import quick
from tests.integration.test_order_changes import cancelled
from tests.simulator.clients import eventually

LOGIN, REPLACE = "userDataStream.subscribe.signature", "/api/v3/order/cancelReplace"
limit = OrderRequest.limit
TOO_MANY = {"code": -1015, "msg": "Too many new orders; current limit is 2 orders per 10 SECOND."}


def orders_used(connector: Connector) -> int:
    """Return what counts as used of the shorter window."""
    admission = connector._core.assembly.admission
    admission._credit()
    used = admission.budget.used("ORDERS", admission._account(), admission._when)
    return used[min(used)]


def await_doubtless(connector: Connector) -> None:
    """Wait until what happens from now on is certainly later than what the exchange told last."""
    clock = connector._core.assembly.server_clock
    told_ns = clock.now_ns()
    eventually(lambda: clock.now_ns() > told_ns + 100_000_000)


def test_the_first_fill_of_a_resting_order_makes_room_for_another_one(quiet: Simulator, connect: Connect) -> None:
    """The exchange gives it back at once, and tells so only with the next answer to an order."""
    quiet.faults.rate_limits(orders_per_10s=2, order_window_s=3600)
    connector = connect(quiet)
    orders = [connector.place_order(limit("BTC-USDT", "buy", "0.01", price)) for price in ("60005", "50000")]
    with pytest.raises(RateLimitError) as caught:
        connector.place_order(limit("BTC-USDT", "buy", "0.01", "50000"), timeout=0.5)
    assert caught.value.outcome == "not_sent"
    await_doubtless(connector)
    quiet.market.trade("BTCUSDT", "sell", "0.004")
    assert orders[0].wait("partially_filled", LIMIT)
    assert orders_used(connector) == 1
    quiet.market.trade("BTCUSDT", "sell", "0.006")
    assert orders[0].wait("filled", LIMIT)
    assert orders_used(connector) == 1, "only the first fill of an order gives something back"
    assert connector.place_order(limit("BTC-USDT", "buy", "0.01", "50000"), timeout=LIMIT).status == "new"
    assert quiet.breaches().orders == 0


def test_who_waits_for_room_is_let_through_by_a_fill(quiet: Simulator, connect: Connect) -> None:
    quiet.faults.rate_limits(orders_per_10s=1, order_window_s=3600)
    # The call waits as long as the window may take.
    connector = connect(quiet)
    first = connector.place_order(limit("BTC-USDT", "buy", "0.01", "60005"))
    await_doubtless(connector)
    waiting = connector.submit_order(limit("BTC-USDT", "buy", "0.01", "50000"), timeout=4000.0)
    turns = connector._core.assembly.admission.budget.turns
    eventually(lambda: turns.waiting == 1)
    quiet.market.trade("BTCUSDT", "sell", "0.01")
    assert first.wait("filled", LIMIT)
    assert waiting.result(LIMIT).status == "new"
    assert quiet.breaches().orders == 0


def test_a_fill_that_the_answer_may_know_of_already_gives_nothing_back_twice(
    quiet: Simulator, connect: Connect
) -> None:
    quiet.faults.rate_limits(orders_per_10s=5, order_window_s=3600)
    connector = connect(quiet)
    resting = connector.place_order(limit("BTC-USDT", "buy", "0.01", "50000"))
    taker = connector.place_order(limit("BTC-USDT", "buy", "0.01", "60010"))
    assert taker.wait("filled", LIMIT)
    # The header of its own answer said one: the fill had been given back.
    assert orders_used(connector) == 1
    assert resting.status is OrderStatus.NEW


@pytest.mark.parametrize("is_one", [True, False])
def test_keys_of_one_account_count_together_where_the_user_says_so(quiet: Simulator, is_one: bool) -> None:
    """(fault F128)"""
    quiet.faults.rate_limits(orders_per_10s=2, order_window_s=3600)
    second = quiet.accounts.add_key(kind="ed25519")
    budgets = RateLimits(name=f"of one account {is_one}", account="mine" if is_one else None)
    configs = [quick(quiet.config(account=key), rate_limits=budgets) for key in (None, second)]
    with Connector(configs[0]) as one, Connector(configs[1]) as other:
        one.wait_ready(LIMIT)
        other.wait_ready(LIMIT)
        for number in range(2):
            one.place_order(limit("BTC-USDT", "buy", "0.01", str(50_000 + number)))
        with pytest.raises(RateLimitError) as caught:
            other.place_order(limit("BTC-USDT", "buy", "0.01", "50010"), timeout=2.0)
    # Without it the exchange has to say so.
    assert caught.value.outcome == ("not_sent" if is_one else "refused")
    assert quiet.breaches().orders == (0 if is_one else 1)


@pytest.mark.parametrize("status", [409, 429])
def test_a_half_of_a_replacement_that_was_too_many_stops_the_orders_of_the_account(
    status: int, quiet: Simulator, connect: Connect
) -> None:
    """The other half was done, so the answer is no error as a whole (faults F076, F109)."""
    connector = connect(quiet)
    errors = Errors(connector)
    old = connector.place_order(limit("BTC-USDT", "buy", "0.01", "50000"))
    halves = {"cancelResult": "SUCCESS", "newOrderResult": "FAILURE"}
    data = {**halves, "cancelResponse": cancelled(old), "newOrderResponse": TOO_MANY}
    body = json.dumps({"code": -2021, "msg": "Order cancel-replace partially failed.", "data": data})
    quiet.faults.answer("POST", REPLACE, status, body, headers={"Retry-After": "7"})
    with pytest.raises(PartlyDone) as partly:
        connector.replace_order(old, limit("BTC-USDT", "buy", "0.01", "50002"))
    of_half = partly.value.result.placement_error
    assert isinstance(of_half, RateLimitError)
    assert of_half.retry_after == 7
    told = errors.until(lambda event: event.where == "request budget")
    assert isinstance(told.error, RateLimitError)
    assert told.error.retry_after == pytest.approx(7, abs=1)
    with pytest.raises(RateLimitError) as caught:
        connector.place_order(limit("BTC-USDT", "buy", "0.01", "50003"), timeout=1.0)
    assert caught.value.outcome == "not_sent"
    assert connector.fetch_balances(), "questions go on"
    assert connector.health().silent_for == 0


@pytest.mark.parametrize(("status", "seconds"), [(429, 3.0), (418, 4.0)])
def test_a_limit_told_by_the_sign_in_of_the_account_stream_silences_everything(
    status: int, seconds: float, quiet: Simulator, connect: Connect
) -> None:
    """One address has one count, whichever way it was asked (faults F076, F078)."""
    connector = connect(quiet)
    errors = Errors(connector)
    data = {"serverTime": 1_700_000_000_000, "retryAfter": 1_700_000_000_000 + int(seconds * 1000)}
    error = {"code": -1003, "msg": "Too many requests queued.", "data": data}
    quiet.faults.answer("WS", LOGIN, status, json.dumps(error))
    quiet.faults.drop_connections("ws_api")
    told = errors.until(lambda event: event.where == "request budget")
    assert isinstance(told.error, RateLimitError)
    assert told.error.retry_after == pytest.approx(seconds, abs=0.5)
    assert 0 < connector.health().silent_for <= seconds
    with pytest.raises(RateLimitError) as caught:
        connector.fetch_trades("BTC-USDT", timeout=0.2)
    assert caught.value.outcome == "not_sent"
    eventually(lambda: connector.health().silent_for == 0)
    connector.wait_ready(LIMIT)
    assert connector.fetch_balances()
    assert quiet.breaches().during_ban == 0


@pytest.mark.parametrize("status", [418, 429])
def test_a_limit_in_the_status_alone_of_a_replacement_silences_everything(
    status: int, quiet: Simulator, connect: Connect
) -> None:
    """Neither half names it (fault F109)."""
    connector = connect(quiet)
    old = connector.place_order(limit("BTC-USDT", "buy", "0.01", "50000"))
    gone = {"code": -2011, "msg": "Unknown order sent."}
    halves = {"cancelResult": "FAILURE", "newOrderResult": "NOT_ATTEMPTED"}
    data = {**halves, "cancelResponse": gone, "newOrderResponse": None}
    body = json.dumps({"code": -2022, "msg": "Order cancel-replace failed.", "data": data})
    quiet.faults.answer("POST", REPLACE, status, body, headers={"Retry-After": "30"})
    with pytest.raises(OrderNotFound):
        connector.replace_order(old, limit("BTC-USDT", "buy", "0.01", "50002"))
    assert 28 < connector.health().silent_for <= 30
    with pytest.raises(RateLimitError) as caught:
        connector.ping(timeout=0.2)
    assert caught.value.outcome == "not_sent"


@pytest.mark.parametrize("kind", ["market", "account"])
def test_a_ban_told_by_a_handshake_silences_everything(kind: str, quiet: Simulator) -> None:
    """(faults F020, F078)"""
    config = quiet.config() if kind == "account" else replace(quiet.config(), credentials=None)
    with Connector(quick(config)) as connector:
        connector.on_trade("BTC-USDT", print)
        connector.wait_ready(LIMIT)
        errors = Errors(connector)
        with quiet.faults.refuse_upgrades(418, headers={"Retry-After": "30"}):
            quiet.faults.drop_connections("stream" if kind == "market" else "ws_api")
            errors.until(lambda event: event.where == "request budget")
        sent = len(quiet.request_log())
        with pytest.raises(RateLimitError):
            connector.ping(timeout=0.2)
        assert 25 < connector.health().silent_for <= 30
        assert len(quiet.request_log()) == sent


def test_a_ban_is_heard_by_every_connector_of_the_process(quiet: Simulator, connect: Connect, tmp_path: Path) -> None:
    """They count in different places, and have one address (fault F078)."""
    alone = connect(quiet)
    shared = connect(quiet, rate_limits=RateLimits(share="host", path=tmp_path / "budgets.sqlite"))
    for told, other in ((alone, shared), (shared, alone)):
        body = '{"code":-1003,"msg":"Way too much request weight used."}'
        seconds = 2 if told is alone else 30
        quiet.faults.answer("GET", "/api/v3/avgPrice", 418, body, headers={"Retry-After": str(seconds)})
        with pytest.raises(RateLimitError):
            told.fetch_average_price("BTC-USDT")
        assert seconds - 2 < other.health().silent_for <= seconds + 1
        with pytest.raises(RateLimitError) as caught:
            other.ping(timeout=0.1)
        assert caught.value.outcome == "not_sent"
        if told is alone:
            eventually(lambda: alone.health().silent_for == shared.health().silent_for == 0)


def test_a_long_walk_through_the_past_leaves_room_for_decisions(quiet: Simulator, connect: Connect) -> None:
    """(fault F160)"""
    quiet.faults.rate_limits(weight_window_s=3600)
    connector = connect(quiet)
    day_ns = 24 * 3600 * 1_000_000_000
    with pytest.raises(RateLimitError):
        connector.fetch_fills("BTC-USDT", start=time.time_ns() - 900 * day_ns)
    order = connector.place_order(limit("BTC-USDT", "buy", "0.01", "50000"), timeout=1.0)
    assert connector.fetch_order(order, timeout=1.0).status == "new"
    quiet.faults.drop_connections("ws_api")
    eventually(lambda: not connector.account_ready.is_set())
    assert connector.account_ready.wait(LIMIT)
    with pytest.raises(ValidationError, match="nanoseconds"):
        connector.fetch_fills("BTC-USDT", start=time.time_ns() // 1_000_000 - 60_000)
