"""Filters and precision by their names."""

from decimal import Decimal

import pytest

from exconn_sync.simulator.core.filters import Census, excess_precision, failed_filter
from exconn_sync.simulator.core.orders import NewOrder, OrderType, Side
from exconn_sync.simulator.core.symbols import DEFAULT_SYMBOLS

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
    assert failed_filter(BTCUSDT, order, LAST, Census()) == failure


def test_open_orders_are_counted_for_orders_that_rest() -> None:
    most = BTCUSDT.max_open_orders
    assert failed_filter(BTCUSDT, limit("0.001", "60000"), LAST, Census(most - 1)) is None
    assert failed_filter(BTCUSDT, limit("0.001", "60000"), LAST, Census(most)) == "MAX_NUM_ORDERS"
    assert failed_filter(BTCUSDT, market("0.001"), LAST, Census(most)) is None


def test_excess_precision_names_the_field() -> None:
    assert excess_precision(BTCUSDT, limit("0.00000001", "0.00000001")) is None
    assert excess_precision(BTCUSDT, limit("0.000000001", "1")) == "quantity"
    assert excess_precision(BTCUSDT, limit("1", "1.000000001")) == "price"
    assert excess_precision(BTCUSDT, market(quote="1.000000001")) == "quote_quantity"
