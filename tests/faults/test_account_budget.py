"""The count of unfilled orders of an account: what fills give back, keys that share it, and limits told elsewhere."""

from __future__ import annotations

import json

import pytest

from exconn_sync import Connector, OrderRequest, OrderStatus, PartlyDone, RateLimitError
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
