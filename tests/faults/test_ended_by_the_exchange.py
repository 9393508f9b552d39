"""Orders that the exchange ends itself, and orders that wait at it: a connector at the simulated matching engine."""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal

import pytest

from exconn_sync import Connector, Order, OrderRequest
from exconn_sync.simulator import Simulator
from exconn_sync.simulator.core.orders import SimOrder
from tests.faults.conftest import LIMIT, Connect
from tests.simulator.clients import eventually

limit = OrderRequest.limit
SYMBOL = "BTC-USDT"


def unfilled_rest(_: Simulator, connector: Connector) -> Order:
    return connector.place_order(limit(SYMBOL, "buy", "1.5", "60010", time_in_force="ioc"))


def nothing_or_all(_: Simulator, connector: Connector) -> Order:
    return connector.place_order(limit(SYMBOL, "buy", "1.5", "60010", time_in_force="fok"))


def too_little_there(_: Simulator, connector: Connector) -> Order:
    return connector.place_order(OrderRequest.market(SYMBOL, "buy", "1.5"))


def not_fit_any_more(exchange: Simulator, connector: Connector) -> Order:
    order = connector.place_order(OrderRequest.stop_limit(SYMBOL, "sell", "0.1", "12010", "2300"))
    exchange.market.clear("BTCUSDT")
    exchange.market.quote("BTCUSDT", "buy", "2300", "0.01")
    exchange.market.trade("BTCUSDT", "sell", "0.01")
    return order


def out_of_range(exchange: Simulator, connector: Connector) -> Order:
    exchange.market.set_reference_price("BTCUSDT", 60000, calculation_id=0)
    exchange.market.set_price_range("BTCUSDT", bid_up="1.0001")
    return connector.place_order(limit(SYMBOL, "buy", "0.1", "60010"))


@pytest.mark.parametrize(
    ("ending", "reason", "filled"),
    [
        (unfilled_rest, "UNFILLED_IOC_QUANTITY_EXPIRED", "1"),
        (nothing_or_all, "UNFILLED_FOK_ORDER_EXPIRED", "0"),
        (too_little_there, "INSUFFICIENT_LIQUIDITY", "1"),
        (not_fit_any_more, "REJECTED", "0"),
        (out_of_range, "EXECUTION_RULE_PRICE_RANGE_EXCEEDED", "0"),
    ],
)
def test_each_reason_for_which_the_exchange_ends_a_single_order(
    quiet: Simulator,
    connect: Connect,
    ending: Callable[[Simulator, Connector], Order],
    reason: str,
    filled: str,
) -> None:
    """(fault F110)"""
    connector = connect(quiet)
    order = ending(quiet, connector)
    assert order.wait("expired", LIMIT)
    eventually(lambda: order.state.reason == reason)
    assert order.filled_quantity == Decimal(filled)
    assert order.state.contradictions == ()


def test_a_reason_that_is_not_documented_is_kept_as_it_is(quiet: Simulator, connect: Connect) -> None:
    """(fault F110)"""
    connector = connect(quiet)
    report = {
        "symbol": "BTCUSDT",
        "orderId": 777,
        "clientOrderId": "mine",
        "transactTime": 1,
        "price": "59000",
        "origQty": "0.1",
        "executedQty": "0",
        "cummulativeQuoteQty": "0",
        "status": "EXPIRED",
        "timeInForce": "GTC",
        "type": "LIMIT",
        "side": "BUY",
        "expiryReason": "SUN_SPOTS",
        "fills": [],
    }
    quiet.faults.answer("POST", "/api/v3/order", 200, json.dumps(report))
    order = connector.place_order(limit(SYMBOL, "buy", "0.1", "59000", client_order_id="mine"))
    assert (order.status, order.state.reason) == ("expired", "SUN_SPOTS")


MODES = {
    "none": ("filled", "filled"),
    "expire_maker": ("expired", "new"),
    "expire_taker": ("new", "expired"),
    "expire_both": ("expired", "expired"),
    "decrement": ("expired", "new"),
    "transfer": ("expired", "new"),
}


@pytest.mark.parametrize("mode", MODES)
def test_two_orders_of_the_account_that_cross(quiet: Simulator, connect: Connect, mode: str) -> None:
    """(fault F111)"""
    quiet.market.rules("BTCUSDT", default_prevention=mode)
    connector = connect(quiet)
    maker = connector.place_order(limit(SYMBOL, "sell", "0.2", "60005"))
    taker = connector.place_order(limit(SYMBOL, "buy", "0.2" if mode == "none" else "0.5", "60005"))
    for order, status in zip((maker, taker), MODES[mode], strict=True):
        assert order.wait(status, LIMIT)
        truth = truth_about(quiet, order)
        assert order.filled_quantity == truth.filled_quantity
        assert order.state.contradictions == ()
    traded = Decimal("0.2") if mode == "none" else Decimal(0)
    assert [order.filled_quantity for order in (maker, taker)] == [traded, traded]
    assert len(connector.fills()) == (2 if mode == "none" else 0)
    eventually(
        lambda: (
            {asset: (entry.free, entry.locked) for asset, entry in connector.balances.items()}
            == quiet.accounts.balances()
        )
    )


def test_a_stop_waits_fires_and_trades(quiet: Simulator, connect: Connect) -> None:
    """(fault F112)"""
    quiet.market.trade("BTCUSDT", "buy", "0.01")
    connector = connect(quiet)
    stop = connector.place_order(OrderRequest.stop_limit(SYMBOL, "sell", "0.1", "58000", "59000"))
    at_market = connector.place_order(OrderRequest.stop_market(SYMBOL, "sell", "0.2", "58990"))
    idle = connector.place_order(OrderRequest.stop_limit(SYMBOL, "sell", "0.1", "49000", "50000"))
    assert [order.status for order in (stop, at_market, idle)] == ["new"] * 3
    quiet.market.clear("BTCUSDT")
    quiet.market.quote("BTCUSDT", "buy", "59000", "0.01")
    quiet.market.quote("BTCUSDT", "buy", "58900", "1")
    quiet.market.trade("BTCUSDT", "sell", "0.01")
    for order, quantity in ((stop, "0.1"), (at_market, "0.2")):
        assert order.wait("filled", LIMIT)
        assert (order.filled_quantity, order.average_price) == (Decimal(quantity), Decimal(58900))
        assert order.state.contradictions == ()
    assert idle.status == "new", "what waits is not over"
    idle.cancel(LIMIT)
    assert idle.status == "canceled"


def test_a_stop_that_fires_into_the_book_is_at_work_and_not_over(quiet: Simulator, connect: Connect) -> None:
    """(fault F112)"""
    quiet.market.trade("BTCUSDT", "buy", "0.01")
    connector = connect(quiet)
    order = connector.place_order(OrderRequest.stop_limit(SYMBOL, "sell", "0.1", "60500", "59500"))
    quiet.market.clear("BTCUSDT")
    quiet.market.quote("BTCUSDT", "buy", "59500", "0.01")
    quiet.market.trade("BTCUSDT", "sell", "0.01")
    eventually(lambda: truth_about(quiet, order).working_at is not None)
    assert order.status == "new"
    quiet.market.trade("BTCUSDT", "buy", "0.04")
    assert order.wait("partially_filled", LIMIT)
    quiet.market.trade("BTCUSDT", "buy", "0.06")
    assert order.wait("filled", LIMIT)


def truth_about(exchange: Simulator, order: Order) -> SimOrder:
    return next(found for found in exchange.accounts.orders() if found.client_order_id == order.client_order_id)
