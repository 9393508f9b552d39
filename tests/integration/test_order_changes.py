"""Replace, amend and cancel-all: whatever the exchange answers, each order is shown as it is (faults F088, F108, F109).

The answers are scripted, so that each row of the exchange's table comes for certain.
"""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest

from exconn_sync import (
    CommandOutcome,
    Connector,
    ExconnError,
    Order,
    OrderNotFound,
    OrderRejected,
    OrderReplacement,
    OrderRequest,
    OutcomeUnknown,
    PartlyDone,
    RateLimitError,
    RiskRejected,
    ValidationError,
    WouldTakeLiquidity,
)
from exconn_sync.config.settings import RiskLimits
from exconn_sync.metrics import MemoryMetrics
from exconn_sync.simulator import Simulator
from tests.integration.conftest import LIMIT, Connect
from tests.simulator.clients import eventually, now_ms

REPLACE = "/api/v3/order/cancelReplace"
AMEND = "/api/v3/order/amend/keepPriority"
ORDER, OPEN_ORDERS = "/api/v3/order", "/api/v3/openOrders"
NO_CANCEL = {"code": -2011, "msg": "Unknown order sent."}
NO_ORDER = {"code": -2010, "msg": "Order would immediately match and take."}
TOO_MANY = {"code": -1015, "msg": "Too many new orders; current limit is 1 orders per 10 SECOND."}
DONE, REFUSED, NOT_SENT, UNKNOWN = (
    CommandOutcome.DONE, CommandOutcome.REFUSED, CommandOutcome.NOT_SENT, CommandOutcome.UNKNOWN,
)  # fmt: skip
limit = OrderRequest.limit
NEXT = limit("BTC-USDT", "buy", "0.01", "49000", client_order_id="next")


def resting(connector: Connector, client_order_id: str = "first") -> Order:
    return connector.place_order(limit("BTC-USDT", "buy", "0.01", "50000", client_order_id=client_order_id))


def cancelled(order: Order) -> dict[str, Any]:
    return {
        "symbol": "BTCUSDT", "origClientOrderId": order.client_order_id, "orderId": int(order.exchange_order_id or 0),
        "orderListId": -1, "clientOrderId": "of-cancel", "transactTime": 1, "price": "50000.00", "origQty": "0.01",
        "executedQty": "0", "cummulativeQuoteQty": "0", "status": "CANCELED", "timeInForce": "GTC", "type": "LIMIT",
        "side": "BUY",
    }  # fmt: skip


PLACED = {
    "symbol": "BTCUSDT", "orderId": 987654, "orderListId": -1, "clientOrderId": "next", "transactTime": 2,
    "price": "49000.00", "origQty": "0.01", "executedQty": "0", "cummulativeQuoteQty": "0", "status": "NEW",
    "timeInForce": "GTC", "type": "LIMIT", "side": "BUY", "fills": [],
}  # fmt: skip


def answer(simulator: Simulator, status: int, cancel: str, placement: str, halves: tuple[Any, Any]) -> None:
    """Have the next replacement answered with these halves."""
    data = {
        "cancelResult": cancel, "newOrderResult": placement, "cancelResponse": halves[0], "newOrderResponse": halves[1],
    }  # fmt: skip
    body: Any = data if status == 200 else {"code": -2021 if "SUCCESS" in (cancel, placement) else -2022, "data": data}
    simulator.faults.answer("POST", REPLACE, status, json.dumps(body))


def outcomes(made: OrderReplacement) -> tuple[CommandOutcome, CommandOutcome]:
    return made.cancel_outcome, made.placement_outcome


def test_a_replacement_that_is_done_gives_both_orders(quiet: Simulator, connect: Connect) -> None:
    connector = connect(quiet)
    old = resting(connector)
    answer(quiet, 200, "SUCCESS", "SUCCESS", (cancelled(old), PLACED))
    made = connector.replace_order(old, NEXT)
    assert (outcomes(made), made.is_done) == ((DONE, DONE), True)
    assert (made.old.status, made.new.status, made.new.price) == ("canceled", "new", Decimal(49_000))
    assert (made.old.client_order_id, made.new.client_order_id) == ("first", "next")


@pytest.mark.parametrize(
    ("status", "words", "refused", "expected", "statuses", "kind"),
    [
        (409, ("SUCCESS", "FAILURE"), (None, NO_ORDER), (DONE, REFUSED), ("canceled", "rejected"), WouldTakeLiquidity),
        (409, ("SUCCESS", "FAILURE"), (None, TOO_MANY), (DONE, REFUSED), ("canceled", "rejected"), RateLimitError),
        (409, ("FAILURE", "SUCCESS"), (NO_CANCEL, PLACED), (REFUSED, DONE), ("new", "new"), OrderNotFound),
    ],
)
def test_a_replacement_that_is_half_done_says_which_half(
    status: int, words: tuple[str, str], refused: Any, expected: Any, statuses: tuple[str, str], kind: Any,
    quiet: Simulator, connect: Connect,
) -> None:  # fmt: skip
    """(fault F109)"""
    connector = connect(quiet)
    old = resting(connector)
    answer(quiet, status, *words, (refused[0] or cancelled(old), refused[1]))
    with pytest.raises(PartlyDone) as caught:
        connector.replace_order(old, NEXT, place_anyway=True, cancel_anyway=True)
    made = caught.value.result
    assert outcomes(made) == expected
    assert (made.old.status, made.new.status) == statuses
    assert isinstance(made.cancel_error or made.placement_error, kind)
    assert caught.value.outcome is None


@pytest.mark.parametrize(
    ("words", "halves", "kind", "reason"),
    [
        (("FAILURE", "NOT_ATTEMPTED"), (NO_CANCEL, None), OrderNotFound, "not placed, because the cancel failed"),
        (("FAILURE", "FAILURE"), (NO_CANCEL, NO_ORDER), WouldTakeLiquidity, "would_take_liquidity"),
    ],
)
def test_a_replacement_of_which_nothing_was_done_is_a_refusal(
    words: tuple[str, str], halves: Any, kind: Any, reason: str, quiet: Simulator, connect: Connect
) -> None:
    connector = connect(quiet)
    old = resting(connector)
    answer(quiet, 400, *words, halves)
    with pytest.raises(kind) as caught:
        connector.replace_order(old, NEXT)
    assert (caught.value.outcome, caught.value.result.new.client_order_id) == ("refused", "next")
    new = connector.orders.get("next")
    assert new is not None
    assert (old.status, new.status, new.reason[: len(reason)]) == ("new", "rejected", reason)


def test_a_replacement_refused_as_a_whole_touches_nothing(quiet: Simulator, connect: Connect) -> None:
    connector = connect(quiet)
    old = resting(connector)
    quiet.faults.answer("POST", REPLACE, 429, json.dumps(TOO_MANY), headers={"Retry-After": "1"})
    with pytest.raises(RateLimitError) as caught:
        connector.replace_order(old, NEXT)
    assert caught.value.outcome == "refused"
    new = connector.orders.get("next")
    assert new is not None
    assert (old.status, new.status) == ("new", "rejected")


def test_a_replacement_without_an_answer_is_looked_for_and_never_repeated(quiet: Simulator, connect: Connect) -> None:
    """The exchange did both halves, which only looking can tell (faults F067, F068, F109)."""
    connector = connect(quiet)
    old = resting(connector)
    quiet.faults.answer("POST", REPLACE, 503, "busy")
    with pytest.raises(OutcomeUnknown) as caught:
        connector.replace_order(old, NEXT, timeout=1.0)
    made = caught.value.result
    assert outcomes(made) == (UNKNOWN, UNKNOWN)
    assert (caught.value.order.client_order_id, made.new.status) == ("next", "unknown")
    # What the exchange did with the request that nobody saw it take.
    quiet_request(connector, "DELETE", orderId=old.exchange_order_id)
    quiet_request(connector, "POST", side="BUY", type="LIMIT", timeInForce="GTC", quantity="0.01", price="49000",
                  newClientOrderId="next")  # fmt: skip
    assert made.new.wait("new", LIMIT)
    assert made.old.wait("canceled", LIMIT)
    assert len(connector.orders.open()) == 1


def test_a_replacement_that_is_found_in_time_is_done(quiet: Simulator, connect: Connect) -> None:
    connector = connect(quiet)
    old = resting(connector)
    quiet.faults.answer("POST", REPLACE, 503, "busy")
    future = connector.submit_replace(old, NEXT, timeout=LIMIT)
    eventually(lambda: (state := connector.orders.get("next")) is not None and state.status == "unknown")
    quiet_request(connector, "DELETE", orderId=old.exchange_order_id)
    quiet_request(connector, "POST", side="BUY", type="LIMIT", timeInForce="GTC", quantity="0.01", price="49000",
                  newClientOrderId="next")  # fmt: skip
    made = future.result(LIMIT)
    assert (outcomes(made), made.old.status, made.new.status) == ((DONE, DONE), "canceled", "new")


def test_a_new_order_proves_the_cancel_of_the_old_one(quiet: Simulator, connect: Connect) -> None:
    """The look for the old one is answered by what is behind, and says that it is open (faults F068, F070, F109)."""
    connector = connect(quiet)
    old = resting(connector)
    named = {"symbol": "BTCUSDT", "orderId": old.exchange_order_id or ""}
    stale = connector.request("GET", ORDER, named, signed=True)
    now = now_ms() + 1000
    placed = {**stale, "orderId": stale["orderId"] + 1, "clientOrderId": "next", "price": "49000.00", "time": now}
    with quiet.faults.silence("userDataStream"):
        quiet.faults.execute_then_drop("POST", REPLACE)
        for row in (placed, stale):
            quiet.faults.answer("GET", ORDER, 200, json.dumps(row))
        made = connector.replace_order(old, NEXT)
    assert outcomes(made) == (DONE, DONE)
    assert old.wait("canceled", LIMIT), "asked for once more"


def test_a_half_with_an_unknown_code_is_looked_for(quiet: Simulator, connect: Connect) -> None:
    connector = connect(quiet)
    old = resting(connector)
    answer(quiet, 409, "SUCCESS", "FAILURE", (cancelled(old), {"code": -9999, "msg": "Something new."}))
    with pytest.raises(OutcomeUnknown) as caught:
        connector.replace_order(old, NEXT, timeout=1.0)
    made = caught.value.result
    assert (outcomes(made), made.old.status, made.new.status) == ((DONE, UNKNOWN), "canceled", "unknown")
    quiet_request(connector, "POST", side="BUY", type="LIMIT", timeInForce="GTC", quantity="0.01", price="49000",
                  newClientOrderId="next")  # fmt: skip
    assert made.new.wait("new", LIMIT)


def quiet_request(connector: Connector, method: str, **params: Any) -> None:
    connector.request(method, ORDER, {"symbol": "BTCUSDT", **params}, signed=True)


def test_what_makes_no_sense_is_told_before_anything_is_sent(quiet: Simulator, connect: Connect) -> None:
    connector = connect(quiet)
    old = resting(connector)
    wrong: list[tuple[str, Any]] = [
        ("request", lambda: connector.replace_order(old, limit("ETH-USDT", "buy", "1", "2000"))),
        ("request", lambda: connector.replace_order(old, "buy")),  # type: ignore[arg-type]
        ("order", lambda: connector.replace_order("nobody", NEXT)),
        ("smart_routing", lambda: connector.replace_order(old, NEXT.with_options(smart_routing=True))),
        ("quantity", lambda: connector.place_order(limit("BTC-USDT", "sell", "received", "70000"))),
        ("quantity", lambda: connector.amend_order(old, "0.01")),
        ("quantity", lambda: connector.amend_order(old, "0")),
        ("quantity", lambda: connector.amend_order(old, 0.005)),  # type: ignore[arg-type]
        ("symbol", lambda: connector.cancel_all("NOPE-USDT")),
        ("symbol", lambda: connector.cancel_all("")),
    ]
    for field, call in wrong:
        with pytest.raises(ValidationError) as caught:
            call()
        assert caught.value.field == field
    old.cancel()
    for late in (lambda: connector.replace_order(old, NEXT), lambda: connector.amend_order(old, "0.005")):
        with pytest.raises(OrderRejected) as refused:
            late()
        assert refused.value.outcome == "not_sent"
    assert connector.orders.get("next") is None, "nothing became an intent"


# --- amend ----------------------------------------------------------------------------------------------------------


def amended(order: Order, quantity: str, client_order_id: str = "first") -> str:
    row = {
        "symbol": "BTCUSDT", "orderId": int(order.exchange_order_id or 0), "orderListId": -1,
        "origClientOrderId": "first", "clientOrderId": client_order_id, "price": "50000", "qty": quantity,
        "executedQty": "0", "preventedQty": "0", "quoteOrderQty": "0", "cumulativeQuoteQty": "0", "status": "NEW",
        "timeInForce": "GTC", "type": "LIMIT", "side": "BUY", "workingTime": 1, "selfTradePreventionMode": "NONE",
    }  # fmt: skip
    return json.dumps({"transactTime": 9_999_999_999_999, "executionId": 5, "amendedOrder": row})


def answered(connector: Connector, path: str, status: int) -> int:
    """Return how many requests for a path were answered with a status."""
    metrics = connector.metrics
    assert isinstance(metrics, MemoryMetrics)
    counts = metrics.counts().items()
    return sum(value for key, value in counts if key.startswith("rest.requests") and path in key and str(status) in key)


def test_an_amended_order_has_the_quantity_that_the_exchange_states(quiet: Simulator, connect: Connect) -> None:
    """(faults F103, F108)"""
    connector = connect(quiet)
    order = resting(connector)
    quiet.faults.answer("PUT", AMEND, 200, amended(order, "0.004", "renamed"))
    same = connector.amend_order(order, "0.004")
    assert (same.client_order_id, order.quantity, order.status) == ("first", Decimal("0.004"), "new")
    for order_id in ("first", "renamed", order.exchange_order_id or ""):
        state = connector.orders.get(order_id)
        assert state is not None
        assert (state.client_order_id, state.contradictions) == ("first", ())


def test_binance_changes_no_prices(quiet: Simulator, connect: Connect) -> None:
    """Refused before anything is sent, and where a risk rule refuses the order that it would be, by that."""
    connector = connect(quiet, risk=RiskLimits(max_order_notional=Decimal(600)))
    order = resting(connector)
    with pytest.raises(ValidationError, match="cannot be changed"):
        connector.amend_order(order, price="50100")
    with pytest.raises(ValidationError, match="nothing would be changed"):
        connector.amend_order(order)
    with pytest.raises(ValidationError, match="tick size"):
        connector.amend_order(order, price="50100.001")
    with pytest.raises(RiskRejected):
        connector.amend_order(order, "0.02")
    assert (order.quantity, order.price) == (Decimal("0.01"), Decimal(50_000))
    assert answered(connector, AMEND, 200) == 0


def test_a_refused_amend_leaves_the_order_as_it_is(quiet: Simulator, connect: Connect) -> None:
    connector = connect(quiet)
    order = resting(connector)
    body = json.dumps({"code": -2038, "msg": "The requested action would change no state; rejecting"})
    quiet.faults.answer("PUT", AMEND, 400, body)
    with pytest.raises(OrderRejected) as caught:
        connector.submit_amend(order, "0.004").result(LIMIT)
    assert caught.value.outcome == "refused"
    assert (order.quantity, order.status) == (Decimal("0.01"), "new")


def test_an_amend_without_an_answer_is_unknown_until_the_order_shows_it(quiet: Simulator, connect: Connect) -> None:
    """(fault F108: the wished quantity is never shown as real)"""
    connector = connect(quiet)
    order = resting(connector)
    quiet.faults.answer("PUT", AMEND, 503, "busy")
    with pytest.raises(OutcomeUnknown) as caught:
        connector.amend_order(order, "0.004", timeout=1.0)
    assert (caught.value.order.client_order_id, order.quantity) == ("first", Decimal("0.01"))
    quiet.faults.answer("PUT", AMEND, 503, "busy")
    future = connector.submit_amend(order, "0.004", timeout=LIMIT)
    eventually(lambda: answered(connector, AMEND, 503) == 2)
    order.cancel()
    with pytest.raises(OrderRejected, match="was not amended, it is canceled"):
        future.result(LIMIT)


# --- cancel all -----------------------------------------------------------------------------------------------------


def test_everything_of_a_symbol_is_cancelled_and_nothing_else(quiet: Simulator, connect: Connect) -> None:
    connector = connect(quiet)
    first, second = resting(connector), resting(connector, "second")
    other = connector.place_order(limit("ETH-USDT", "buy", "0.1", "1000"))
    ended = connector.cancel_all("BTCUSDT")
    assert sorted(order.client_order_id for order in ended) == ["first", "second"]
    assert (first.status, second.status, other.status) == ("canceled", "canceled", "new")
    assert connector.cancel_all("BTC-USDT") == [], "none was open any more"
    assert len(connector.submit_cancel_all("ETH-USDT").result(LIMIT)) == 1


def test_a_cancel_of_everything_without_an_answer_waits_for_the_orders_to_end(
    quiet: Simulator, connect: Connect
) -> None:
    connector = connect(quiet)
    order = resting(connector)
    quiet.faults.execute_then_drop("DELETE", OPEN_ORDERS)
    assert [ended.client_order_id for ended in connector.cancel_all("BTC-USDT")] == ["first"]
    assert order.status == "canceled"
    again = resting(connector, "again")
    quiet.faults.answer("DELETE", OPEN_ORDERS, 503, "busy")
    with pytest.raises(OutcomeUnknown) as caught:
        connector.cancel_all("BTC-USDT", timeout=1.0)
    assert [left.client_order_id for left in caught.value.result] == ["again"]
    assert again.status == "new"


# --- test -----------------------------------------------------------------------------------------------------------


def test_a_tested_order_is_checked_and_not_placed(quiet: Simulator, connect: Connect) -> None:
    connector = connect(quiet)
    assert connector.test_order(NEXT) is None
    assert connector.orders.get("next") is None
    assert connector.fetch_open_orders() == []
    with pytest.raises(ExconnError) as caught:
        connector.test_order(limit("BTC-USDT", "buy", "0.00000001", "49000"))
    assert caught.value.outcome == "not_sent"
