"""What is known of the account is whole and right, also where the exchange's answers come in an unusual way."""

from __future__ import annotations

import json
import time
from collections import Counter
from decimal import Decimal
from typing import Any

import pytest

from exconn_sync import (
    FactSource,
    OrderNotFound,
    OrderRejected,
    OrderRequest,
    OrderStatus,
    RequestTimeout,
    RiskRejected,
    Side,
    ValidationError,
)
from exconn_sync._live.account_reader import account_url
from exconn_sync._live.assembly import POOL_SIZE
from exconn_sync._runtime.faultpoints import installed
from exconn_sync.config.settings import AccountStream, RiskLimits
from exconn_sync.model.ids import ClientOrderId, ExchangeOrderId
from exconn_sync.model.orders import OrderFact
from exconn_sync.persistence import MemoryJournal
from exconn_sync.simulator import Simulator
from tests.integration.conftest import LIMIT, Connect
from tests.simulator.clients import eventually

ORDER = "/api/v3/order"
limit = OrderRequest.limit


def test_a_trade_between_two_orders_of_the_account_is_a_fill_of_each(quiet: Simulator, connect: Connect) -> None:
    connector = connect(quiet)
    fills = connector.stream_fills()
    buy = connector.place_order(limit("BTC-USDT", "buy", "0.01", "60005"))
    sell = connector.place_order(limit("BTC-USDT", "sell", "0.01", "60005"))
    assert buy.wait("filled", LIMIT)
    assert sell.wait("filled", LIMIT)
    assert {fills.get(LIMIT).side for _ in range(2)} == {Side.BUY, Side.SELL}
    assert len({fill.trade_id for fill in connector.fills()}) == 1
    assert len(connector.fills()) == 2
    # Bought less the fee in BTC, sold in full.
    assert connector.positions["BTC-USDT"].quantity == Decimal("-0.00001")


def test_times_of_events_to_the_microsecond(quiet: Simulator, connect: Connect) -> None:
    """Those of answers stay what they are: all say the same moment."""
    connector = connect(quiet, account_stream=AccountStream(microseconds=True))
    assert account_url(connector._core.driver, connector._core.config).endswith("?timeUnit=MICROSECOND")
    order = connector.place_order(limit("BTC-USDT", "buy", "0.01", "60005"))
    quiet.market.trade("BTCUSDT", "sell", "0.01")
    assert order.wait("filled", LIMIT)
    (fill,) = connector.fills()
    assert fill.source is FactSource.STREAM
    assert fill.exchange_time is not None
    assert abs(fill.exchange_time - fill.received_at) < 60 * 10**9
    (asked,) = connector.fetch_fills("BTC-USDT")
    assert asked.exchange_time == fill.exchange_time // 10**6 * 10**6
    assert (order.state.contradictions, len(connector.fills())) == ((), 1)
    balance = connector.balances.get("BTC")
    assert balance is not None
    assert abs(balance.exchange_time - balance.received_at) < 60 * 10**9


def test_more_missed_fills_than_one_answer_holds_are_all_found(quiet: Simulator, connect: Connect) -> None:
    """(fault F089)"""
    connector = connect(quiet)
    order = connector.place_order(limit("BTC-USDT", "buy", "1.3", "60005"))
    with quiet.faults.silence("userDataStream"):
        for _ in range(1300):
            quiet.market.trade("BTCUSDT", "sell", "0.001")
    quiet.faults.drop_connections("ws_api")
    assert order.wait(timeout=LIMIT)
    eventually(lambda: len(connector.fills()) == 1300)
    assert order.filled_quantity == Decimal("1.3")
    assert order.fees == {"BTC": Decimal("0.0013")}
    assert connector.positions["BTC-USDT"].quantity == Decimal("1.2987")


def left_open(symbol: str) -> MemoryJournal:
    """Return the journal of a life that ended with one open order."""
    journal = MemoryJournal()
    journal.append(
        OrderFact(
            "binance",
            symbol,
            ClientOrderId("left"),
            FactSource.ANSWER,
            1,
            status=OrderStatus.NEW,
            exchange_order_id=ExchangeOrderId("999"),
            is_own=True,
        )
    )
    return journal


@pytest.mark.parametrize("symbol", ["OLD-USDT", "BTC-USDT"], ids=["not listed", "listed"])
def test_an_open_order_that_cannot_be_found_is_reported_and_holds_up_nothing(
    symbol: str, quiet: Simulator, connect: Connect
) -> None:
    """(faults F070, F099)"""
    connector = connect(quiet, journal=left_open(symbol), start=False)
    errors: list[Any] = []
    connector.on_error(errors.append)
    connector.start()
    connector.wait_ready(LIMIT)
    eventually(lambda: [event.where for event in errors] == ["order left"])
    assert [state.status for state in connector.orders.open()] == ["new"], "not finding it proves nothing"


def test_a_future_that_waited_too_long_for_a_thread_sends_nothing(quiet: Simulator, connect: Connect) -> None:
    connector = connect(quiet)
    request = limit("BTC-USDT", "buy", "0.01", "50000")
    with quiet.faults.delay("POST", ORDER, 2.0):
        # All threads but the one that is kept for cancels.
        busy = [connector.submit_order(request, timeout=LIMIT) for _ in range(POOL_SIZE - 1)]
        late = [connector.submit_order(request, timeout=0.2) for _ in range(5)]
        errors = [future.exception(timeout=LIMIT) for future in late]
        assert [getattr(error, "outcome", None) for error in errors] == ["not_sent"] * len(late)
        assert all(isinstance(error, RequestTimeout) for error in errors)
        placed = [future.result(timeout=LIMIT) for future in busy]
    assert {order.exchange_order_id for order in placed} == {str(each.order_id) for each in quiet.accounts.orders()}


def test_a_cancel_that_came_too_late_says_so(quiet: Simulator, connect: Connect) -> None:
    """(fault F094)"""
    connector = connect(quiet)
    order = connector.place_order(limit("BTC-USDT", "buy", "0.1", "60005"))
    quiet.faults.answer("DELETE", ORDER, 503, "<html>busy</html>")
    todo = ["fill"]

    def fill_once() -> None:
        if todo:
            todo.clear()
            quiet.market.trade("BTCUSDT", "sell", "0.1")

    with (
        installed("rest.after_send", fill_once),
        pytest.raises(OrderRejected, match="was not canceled, it is filled"),
    ):
        order.cancel(timeout=LIMIT)
    assert order.status == "filled"


def test_a_sell_below_the_market_is_judged_by_what_it_would_bring(quiet: Simulator, connect: Connect) -> None:
    connector = connect(quiet, risk=RiskLimits(max_order_notional=Decimal(100)))
    connector.stream_order_book("BTC-USDT").get(LIMIT)
    with pytest.raises(RiskRejected, match="a notional of 114 is above"):
        connector.place_order(limit("BTC-USDT", "sell", "0.0019", "52000"))
    connector.place_order(limit("BTC-USDT", "sell", "0.0016", "52000"))


@pytest.mark.parametrize("timeout", ["5", float("nan"), True])
def test_a_timeout_that_is_no_number_is_refused(timeout: Any, quiet: Simulator, connect: Connect) -> None:
    connector = connect(quiet)
    with pytest.raises(ValidationError, match="must be a number of seconds"):
        connector.place_order(limit("BTC-USDT", "buy", "0.01", "50000"), timeout=timeout)
    with pytest.raises(ValidationError, match="must be a number of seconds"):
        connector.fetch_server_time(timeout=timeout)
    assert len(connector.orders) == 0


def test_an_id_that_is_used_again_makes_another_order(quiet: Simulator, connect: Connect) -> None:
    """Binance takes an id again once its order has ended (fault F102)."""
    connector = connect(quiet)
    order = connector.place_order(limit("BTC-USDT", "buy", "0.01", "60010", client_order_id="mine"))
    assert order.wait("filled", LIMIT)
    params = {"symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT", "timeInForce": "GTC", "quantity": "0.02",
              "price": "50000", "newClientOrderId": "mine"}  # fmt: skip
    connector.request("POST", ORDER, params, signed=True)
    eventually(lambda: len(connector.orders.open()) == 1)
    (other,) = connector.orders.open()
    assert (other.quantity, other.status, other.is_own) == (Decimal("0.02"), "new", False)
    assert (order.quantity, order.status, order.state.contradictions) == (Decimal("0.01"), "filled", ())
    connector.cancel_order(other.client_order_id)
    ended = connector.orders.get(other.client_order_id)
    assert ended is not None
    assert ended.status == "canceled"
    assert len(connector.fetch_order_history("BTC-USDT")) == len(connector.orders) == 2


def test_cancels_that_come_too_late_cost_a_look_each_and_no_comparison(quiet: Simulator, connect: Connect) -> None:
    """Comparing everything for each of them would use up the budget that books need (fault F094)."""
    connector = connect(quiet)
    orders = [connector.place_order(limit("BTC-USDT", "buy", "0.001", "50000")) for _ in range(8)]
    quiet.faults.answer("DELETE", ORDER, 400, json.dumps({"code": -2011, "msg": "Unknown order sent."}), count=8)
    before = len(quiet.request_log())
    for order in orders:
        with pytest.raises(OrderNotFound):
            order.cancel()
    asked = Counter((request.method, request.path) for request in quiet.request_log()[before:])
    assert asked["GET", ORDER] == len(orders)
    assert asked["GET", "/api/v3/openOrders"] == asked["GET", "/api/v3/account"] == 0
    assert {order.status for order in orders} == {"new"}, "each is what the look says"


def test_comparisons_that_commands_ask_for_are_seconds_apart(quiet: Simulator, connect: Connect) -> None:
    connector = connect(quiet)
    orders = [connector.place_order(limit("BTC-USDT", "buy", "0.001", "50000")) for _ in range(6)]
    before = len(quiet.request_log())
    # Neither the cancels nor the looks tell anything, so that a comparison is asked for each time.
    quiet.faults.answer("DELETE", ORDER, 400, json.dumps({"code": -2011, "msg": "Unknown order sent."}), count=6)
    quiet.faults.answer("GET", ORDER, 400, json.dumps({"code": -2013, "msg": "Order does not exist."}), count=6)
    began = time.monotonic()
    for order in orders:
        with pytest.raises(OrderNotFound):
            order.cancel()
    lists = [request for request in quiet.request_log()[before:] if request.path == "/api/v3/openOrders"]
    assert len(lists) <= 1 + (time.monotonic() - began) / 5
