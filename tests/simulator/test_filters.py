"""Filters and precision by their names."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from exconn_sync.simulator.core.census import (
    Census,
    exceeds_asset_limit,
    exceeds_position,
    failed_count,
    failed_exchange_count,
)
from exconn_sync.simulator.core.filters import excess_precision, failed_filter
from exconn_sync.simulator.core.orders import NewOrder, OrderType, Side
from exconn_sync.simulator.core.symbols import DEFAULT_SYMBOLS, ExchangeRules, SymbolSpec

D = Decimal
BTCUSDT = DEFAULT_SYMBOLS[0]
LAST = D(60000)


def limit(quantity: str, price: str) -> NewOrder:
    return NewOrder("BTCUSDT", Side.BUY, OrderType.LIMIT, "", quantity=D(quantity), price=D(price))


def market(quantity: str | None = None, quote: str | None = None) -> NewOrder:
    return NewOrder(
        "BTCUSDT",
        Side.BUY,
        OrderType.MARKET,
        "",
        quantity=None if quantity is None else D(quantity),
        quote_quantity=None if quote is None else D(quote),
    )


@pytest.mark.parametrize(
    ("order", "failure"),
    [
        (limit("0.001", "60000"), None),
        (limit("0.001", "60000.01"), None),
        (limit("0.001", "60000.001"), "PRICE_FILTER"),
        (limit("0.001", "0"), "PRICE_FILTER"),
        (limit("0.001", "2000000"), "PRICE_FILTER"),
        (limit("0.001", "11999.99"), "PERCENT_PRICE_BY_SIDE"),
        (limit("0.001", "300000.01"), "PERCENT_PRICE_BY_SIDE"),
        (limit("0.000001", "60000"), "LOT_SIZE"),
        (limit("0.000015", "60000"), "LOT_SIZE"),
        (limit("9001", "60000"), "LOT_SIZE"),
        (limit("0.00001", "60000"), "NOTIONAL"),
        (limit("200", "60000"), "NOTIONAL"),
        (market("0.001"), None),
        (market("121"), "MARKET_LOT_SIZE"),
        (market("0.00001"), "NOTIONAL"),
        (market(quote="4.99"), "NOTIONAL"),
        (market(quote="5"), None),
    ],
)
def test_first_failure(order: NewOrder, failure: str | None) -> None:
    assert failed_filter(BTCUSDT, order, LAST) == failure


def test_open_orders_are_counted_for_orders_that_stay() -> None:
    most = BTCUSDT.max_open_orders
    assert failed_count(BTCUSDT, Census.of_new(limit("0.001", "60000")), Census(most - 1)) is None
    assert failed_count(BTCUSDT, Census.of_new(limit("0.001", "60000")), Census(most)) == "MAX_NUM_ORDERS"
    assert failed_count(BTCUSDT, Census.of_new(market("0.001")), Census(most)) is None


def test_excess_precision_names_the_field() -> None:
    assert excess_precision(BTCUSDT, limit("0.00000001", "0.00000001")) is None
    assert excess_precision(BTCUSDT, limit("0.000000001", "1")) == "quantity"
    assert excess_precision(BTCUSDT, limit("1", "1.000000001")) == "price"
    assert excess_precision(BTCUSDT, market(quote="1.000000001")) == "quote_quantity"
    iceberg = replace(limit("1", "1"), iceberg_quantity=D("0.000000001"))
    assert excess_precision(BTCUSDT, iceberg) == "iceberg_quantity"


def spec(**rules: Any) -> SymbolSpec:
    return replace(BTCUSDT, **rules)


def sell(order: NewOrder) -> NewOrder:
    return replace(order, side=Side.SELL)


ICEBERG = replace(limit("1", "60000"), iceberg_quantity=D("0.01"))
STOP = replace(limit("0.1", "60000"), type=OrderType.STOP_LOSS_LIMIT, stop_price=D(61000))


@pytest.mark.parametrize(
    ("rules", "order", "failure"),
    [
        (spec(min_price=D(0), max_price=D(0)), limit("0.001", "200000.01"), None),
        (spec(tick=D(0)), limit("0.001", "60000.001"), None),
        (spec(ask_multiplier_up=D("1.1")), limit("0.001", "66000.01"), None),
        (spec(ask_multiplier_up=D("1.1")), sell(limit("0.001", "66000.01")), "PERCENT_PRICE_BY_SIDE"),
        (spec(ask_multiplier_down=D("0.9")), sell(limit("0.001", "53999.99")), "PERCENT_PRICE_BY_SIDE"),
        (
            spec(percent_price_by_side=False, price_multiplier_up=D("1.1")),
            sell(limit("0.001", "66000.01")),
            "PERCENT_PRICE",
        ),
        (spec(min_market_quantity=D("0.01")), market("0.009"), "MARKET_LOT_SIZE"),
        (spec(market_step=D("0.1")), market("0.25"), "MARKET_LOT_SIZE"),
        (spec(market_step=D("0.1")), limit("0.25", "60000"), None),
        (spec(min_notional_to_market=False), market("0.00001"), None),
        (spec(min_notional_to_market=False), limit("0.00001", "60000"), "NOTIONAL"),
        (spec(max_notional=D(100), max_notional_to_market=False), market("1"), None),
        (spec(max_notional=D(100)), market(quote="101"), "NOTIONAL"),
        (spec(has_max_notional=False), limit("0.00001", "60000"), "MIN_NOTIONAL"),
        (spec(has_max_notional=False, max_notional=D(1)), limit("0.001", "60000"), None),
        (spec(), ICEBERG, None),
        (spec(max_iceberg_parts=99), ICEBERG, "ICEBERG_PARTS"),
        (spec(), replace(ICEBERG, iceberg_quantity=D("0.000001")), "LOT_SIZE"),
        (spec(), replace(STOP, stop_price=D("61000.001")), "PRICE_FILTER"),
        (spec(min_trailing_above=20), replace(STOP, trailing_delta=19), "TRAILING_DELTA"),
        (spec(min_trailing_above=20), sell(replace(STOP, trailing_delta=19)), None),
        (spec(max_trailing_below=100), sell(replace(STOP, trailing_delta=101)), "TRAILING_DELTA"),
        (spec(max_trailing_below=100), replace(STOP, trailing_delta=101), None),
    ],
)
def test_each_rule(rules: SymbolSpec, order: NewOrder, failure: str | None) -> None:
    assert failed_filter(rules, order, LAST) == failure


def test_both_prices_of_a_pegged_order_must_pass() -> None:
    order = limit("0.001", "60000")
    assert failed_filter(BTCUSDT, order, LAST, D(61000)) is None
    assert failed_filter(BTCUSDT, order, LAST, D(300001)) == "PERCENT_PRICE_BY_SIDE"
    assert failed_filter(BTCUSDT, replace(order, price=D(300001)), LAST, D(60000)) == "PERCENT_PRICE_BY_SIDE"
    assert failed_filter(BTCUSDT, replace(order, price=None, quantity=D("0.0001")), LAST, D(40000)) == "NOTIONAL"


def test_counts_of_special_orders() -> None:
    rules = spec(max_algo_orders=2, max_iceberg_orders=3)
    assert failed_count(rules, Census.of_new(STOP), Census(10, 1, 3)) is None
    assert failed_count(rules, Census.of_new(STOP), Census(10, 2, 3)) == "MAX_NUM_ALGO_ORDERS"
    assert failed_count(rules, Census.of_new(ICEBERG), Census(10, 2, 2)) is None
    assert failed_count(rules, Census.of_new(ICEBERG), Census(10, 2, 3)) == "MAX_NUM_ICEBERG_ORDERS"
    assert failed_count(BTCUSDT, Census.of_new(ICEBERG), Census(10, 2, 100)) is None


def test_counts_over_the_whole_exchange() -> None:
    rules = ExchangeRules(max_open_orders=5, max_algo_orders=2, max_iceberg_orders=1)
    plain = limit("1", "60000")
    assert failed_exchange_count(rules, Census.of_new(plain), Census(5)) == "EXCHANGE_MAX_NUM_ORDERS"
    assert failed_exchange_count(rules, Census.of_new(market("1")), Census(5)) is None
    assert failed_exchange_count(rules, Census.of_new(STOP), Census(4, 2)) == "EXCHANGE_MAX_NUM_ALGO_ORDERS"
    assert failed_exchange_count(rules, Census.of_new(ICEBERG), Census(4, 2, 1)) == "EXCHANGE_MAX_NUM_ICEBERG_ORDERS"
    assert failed_exchange_count(ExchangeRules(), Census.of_new(STOP), Census(1000, 1000, 1000)) is None


def test_the_position_a_buyer_could_reach() -> None:
    rules = spec(max_position=D(10))
    assert not exceeds_position(rules, limit("4", "60000"), LAST, D(6), [])
    assert exceeds_position(rules, limit("4.1", "60000"), LAST, D(6), [])
    assert exceeds_position(rules, market(quote="240001"), LAST, D(6), [])
    assert not exceeds_position(rules, sell(limit("4.1", "60000")), LAST, D(6), [])
    assert not exceeds_position(BTCUSDT, limit("4.1", "60000"), LAST, D(10**9), [])


def test_the_largest_amount_of_an_asset() -> None:
    rules = ExchangeRules(asset_limits={"BTC": D(1), "USDT": D(30000)})
    assert not exceeds_asset_limit(rules, BTCUSDT, limit("0.5", "60000"), D(60000))
    assert exceeds_asset_limit(rules, BTCUSDT, limit("0.6", "60000"), D(60000))
    assert exceeds_asset_limit(rules, BTCUSDT, limit("1.1", "1"), D(1))
    assert exceeds_asset_limit(rules, BTCUSDT, market(quote="30001"), D(60000))
    assert exceeds_asset_limit(rules, BTCUSDT, market(quote="20000"), D(10000))
