"""Trading rules and spellings of symbols."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exconn_sync.errors import ValidationError
from exconn_sync.model.enums import OrderType
from exconn_sync.model.instrument import Instrument, Instruments
from exconn_sync.model.orders import OrderRequest
from tests.unit.support import fixed

BTC = Instrument(
    "binance", "BTC-USDT", "BTCUSDT", "BTC", "USDT",
    tick_size=Decimal("0.01"), min_price=Decimal("0.01"), max_price=Decimal("1000000"),
    lot_step=Decimal("0.001"), min_quantity=Decimal("0.001"), max_quantity=Decimal("9000"),
    market_lot_step=Decimal("0.01"), market_min_quantity=Decimal("0.01"), market_max_quantity=Decimal("100"),
    min_notional=Decimal(5), max_notional=Decimal(9_000_000),
    order_types=frozenset({OrderType.LIMIT, OrderType.MARKET, OrderType.STOP_LIMIT}),
)  # fmt: skip


def limit(quantity: str = "1", price: str = "100") -> OrderRequest:
    return OrderRequest.limit("BTC-USDT", "buy", quantity, price)


def market(quantity: str) -> OrderRequest:
    return OrderRequest.market("BTC-USDT", "buy", quantity)


def quote(amount: str) -> OrderRequest:
    return OrderRequest.market("BTC-USDT", "buy", quote_quantity=amount)


def stop(stop_price: str) -> OrderRequest:
    return OrderRequest.stop_limit("BTC-USDT", "buy", "1", "100", stop_price)


@pytest.mark.parametrize(
    "order", [limit(), limit("0.05", "100"), limit("0.001", "5000"), market("0.01"), market("100"), quote("5"),
              stop("100.01"), limit("9", "1000000")]
)  # fmt: skip
def test_an_order_within_the_rules_passes(order: OrderRequest) -> None:
    BTC.check(order)


@pytest.mark.parametrize(
    ("order", "rule", "field", "nearest"),
    [
        (limit(price="0.001"), "PRICE_FILTER", "price", "0.01"),
        (limit(price="1000000.01"), "PRICE_FILTER", "price", "1000000"),
        (limit(price="100.019"), "PRICE_FILTER", "price", "100.01"),
        (stop("100.001"), "PRICE_FILTER", "stop_price", "100.00"),
        (limit("0.0009"), "LOT_SIZE", "quantity", "0.001"),
        (limit("9000.001"), "LOT_SIZE", "quantity", "9000"),
        (limit("1.0019"), "LOT_SIZE", "quantity", "1.001"),
        (market("0.009"), "MARKET_LOT_SIZE", "quantity", "0.01"),
        (market("100.01"), "MARKET_LOT_SIZE", "quantity", "100"),
        (market("1.001"), "MARKET_LOT_SIZE", "quantity", "1.00"),
        (limit("0.049", "100"), "NOTIONAL", "quantity", "5"),
        (limit("10", "900000.01"), "NOTIONAL", "quantity", "9000000"),
        (quote("4.99"), "NOTIONAL", "quote_quantity", "5"),
    ],
)
def test_a_broken_rule_is_named_with_the_nearest_valid_value(
    order: OrderRequest, rule: str, field: str, nearest: str
) -> None:
    """(fault F183)"""
    with pytest.raises(ValidationError) as caught:
        BTC.check(order)
    assert caught.value.field == field
    assert caught.value.exchange == "binance"
    assert caught.value.details == {"filter": rule, "symbol": "BTC-USDT", "nearest": Decimal(nearest)}


def test_a_closed_symbol_an_order_type_and_a_quote_amount_can_be_refused() -> None:
    with pytest.raises(ValidationError, match="BREAK"):
        replace(BTC, is_trading=False, status="BREAK").check(limit())
    with pytest.raises(ValidationError, match="not offered"):
        BTC.check(OrderRequest.stop_market("BTC-USDT", "buy", "1", "100"))
    with pytest.raises(ValidationError, match="not offered"):
        replace(BTC, quote_quantity_allowed=False).check(quote("10"))


def test_a_limit_of_zero_is_none() -> None:
    free = Instrument("binance", "BTC-USDT", "BTCUSDT", "BTC", "USDT")
    for order in (limit("0.00000001", "0.00000001"), market("0.00000001"), quote("1e30")):
        free.check(order)


def test_the_largest_numbers_that_are_accepted_are_judged_and_do_not_crash() -> None:
    """(fault F180)"""
    largest = "9" * 38 + "e30"
    open_ended = replace(BTC, max_price=Decimal(0), max_quantity=Decimal(0))
    with pytest.raises(ValidationError):
        open_ended.check(limit(largest, largest))
    replace(open_ended, max_notional=Decimal(0)).check(limit(largest, largest))


amounts = st.decimals(min_value=0, max_value=10**9, places=8)


@fixed
@given(amounts, amounts)
def test_rounding_never_increases_and_ends_on_a_step(price: Decimal, quantity: Decimal) -> None:
    """(fault F183)"""
    assert BTC.round_price(price) <= price
    assert BTC.round_quantity(quantity) <= quantity
    assert BTC.round_price(price) % BTC.tick_size == 0
    assert BTC.round_quantity(quantity) % BTC.lot_step == 0
    assert price - BTC.round_price(price) < BTC.tick_size


ETH = Instrument("binance", "ETH-BTC", "ETHBTC", "ETH", "BTC")
TABLE = Instruments("binance", [BTC, ETH], loaded_at=7)


@pytest.mark.parametrize(
    "spelling", ["BTC-USDT", "BTC/USDT", "BTCUSDT", "btcusdt", "btc-usdt", "btc/usdt", "BTC-USDT-SPOT", "btc/usdt-spot"]
)
def test_every_spelling_finds_the_instrument(spelling: str) -> None:
    assert TABLE.get(spelling) is BTC
    assert spelling in TABLE


UNKNOWN: list[Any] = [
    "", "BTC", "-", "BTC-", "BTC-USDT-PERP", "BTC--USDT", "BTC_USDT", " BTC-USDT", "BTC-USDT\n", "X" * 10**6,
    "BTC-USD", None, 7, b"BTCUSDT", 10**5000,
]  # fmt: skip


@pytest.mark.parametrize("spelling", UNKNOWN, ids=lambda value: str(type(value).__name__))
def test_an_unknown_symbol_is_refused(spelling: Any) -> None:
    """(fault F178)"""
    assert spelling not in TABLE
    with pytest.raises(ValidationError) as caught:
        TABLE.get(spelling)
    assert caught.value.field == "symbol"
    assert len(str(caught.value)) < 300


def test_the_table_lists_its_instruments() -> None:
    assert list(TABLE) == [BTC, ETH]
    assert len(TABLE) == 2
    assert TABLE.canonical("ETHBTC") == "ETH-BTC"
    assert TABLE.canonical("NEWCOIN") == "NEWCOIN"
