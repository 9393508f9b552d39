"""Trading rules and spellings of symbols."""

from __future__ import annotations

import decimal
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
from exconn_sync.model.trading_rules import Allowances, Feature, Grid, PriceBand, TrailingRange
from tests.unit.support import fixed

BTC = Instrument(
    "binance", "BTC-USDT", "BTCUSDT", "BTC", "USDT",
    tick_size=Decimal("0.01"), min_price=Decimal("0.01"), max_price=Decimal("1000000"),
    lot_step=Decimal("0.001"), min_quantity=Decimal("0.001"), max_quantity=Decimal("9000"),
    market_lot_step=Decimal("0.01"), market_min_quantity=Decimal("0.01"), market_max_quantity=Decimal("100"),
    min_notional=Decimal(5), max_notional=Decimal(9_000_000), market_min_notional=Decimal(5),
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
        (limit("0.0009", "9000"), "LOT_SIZE", "quantity", "0.001"),
        (limit("0.0009"), "LOT_SIZE", "quantity", "0.05"),
        (limit("9000.001"), "LOT_SIZE", "quantity", "9000"),
        (limit("1.0019"), "LOT_SIZE", "quantity", "1.001"),
        (market("0.009"), "MARKET_LOT_SIZE", "quantity", "0.01"),
        (market("100.01"), "MARKET_LOT_SIZE", "quantity", "100"),
        (market("1.001"), "MARKET_LOT_SIZE", "quantity", "1.00"),
        (limit("0.049", "100"), "NOTIONAL", "quantity", "0.05"),
        (limit("0.016", "300"), "NOTIONAL", "quantity", "0.017"),
        (limit("10", "900000.01"), "NOTIONAL", "quantity", "9.999"),
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


@pytest.mark.parametrize(
    ("changes", "order", "nearest"),
    [
        ({"min_price": Decimal("0.015")}, limit(price="0.019"), "0.02"),
        ({"min_price": Decimal("0.015")}, limit(price="0.01"), "0.02"),
        ({"max_price": Decimal("10.005")}, limit(price="11"), "10"),
        ({"lot_step": Decimal("0.004"), "market_lot_step": Decimal("0.006")}, market("0.011"), "0.012"),
        ({"min_quantity": Decimal("0.5"), "market_max_quantity": Decimal("0.4")}, market("0.3"), None),
        ({"min_price": Decimal(2), "max_price": Decimal(1)}, limit(price="3"), None),
        ({"lot_step": Decimal(0)}, limit("0.049", "100"), "0.05"),
        ({"min_notional": Decimal(10), "max_quantity": Decimal(1)}, limit("1", "3"), None),
    ],
)
def test_the_nearest_value_obeys_every_rule_for_its_field(
    changes: dict[str, Any], order: OrderRequest, nearest: str | None
) -> None:
    with pytest.raises(ValidationError) as caught:
        replace(BTC, **changes).check(order)
    assert caught.value.details["nearest"] == (None if nearest is None else Decimal(nearest))


def test_market_orders_have_limits_of_their_own() -> None:
    free = replace(BTC, market_min_notional=Decimal(0))
    free.check(quote("0.01"))
    with pytest.raises(ValidationError, match="at most 100 USDT"):
        replace(BTC, market_max_notional=Decimal(100)).check(quote("101"))
    with pytest.raises(ValidationError, match="at least 5 USDT"):
        free.check(limit("0.01", "100"))


def test_a_known_average_price_judges_what_depends_on_it() -> None:
    band = replace(BTC, price_band=PriceBand(Decimal("1.2"), Decimal("0.5"), Decimal(3), Decimal("0.9")))
    sell = OrderRequest.limit("BTC-USDT", "sell", "1", "89.99")
    for order in (limit(price="120.01"), limit(price="49.99"), sell, market("0.04")):
        band.check(order)
    band.check(limit(price="120"), average_price=100)
    for order, nearest in ((limit(price="120.01"), "120"), (limit(price="49.99"), "50"), (sell, "90")):
        with pytest.raises(ValidationError) as caught:
            band.check(order, average_price="100")
        assert caught.value.details["filter"] == "PERCENT_PRICE"
        assert caught.value.details["nearest"] == Decimal(nearest)
    with pytest.raises(ValidationError) as caught:
        band.check(market("0.04"), average_price=100)
    assert (caught.value.details["filter"], caught.value.details["nearest"]) == ("NOTIONAL", Decimal("0.05"))
    waiting = replace(BTC, order_types=frozenset({OrderType.STOP_MARKET}))
    small = OrderRequest.stop_market("BTC-USDT", "sell", "0.04", "90")
    waiting.check(small)
    with pytest.raises(ValidationError, match="notional"):
        waiting.check(small, average_price=100)
    for wrong in (0, -1, "x"):
        with pytest.raises(ValidationError) as caught:
            band.check(limit(), average_price=wrong)
        assert caught.value.field == "average_price"


def test_more_decimals_than_the_asset_has_are_refused() -> None:
    coarse = Instrument("binance", "BTC-USDT", "BTCUSDT", "BTC", "USDT", base_precision=2, quote_precision=1)
    coarse.check(limit("1.2300", "5.50"))
    for order, field, nearest in (
        (limit("1.234"), "quantity", "1.23"),
        (limit("0.001"), "quantity", "0.01"),
        (limit(price="5.55"), "price", "5.5"),
        (stop("5.55"), "stop_price", "5.5"),
        (quote("5.55"), "quote_quantity", "5.5"),
    ):
        with pytest.raises(ValidationError) as caught:
            coarse.check(order)
        assert (caught.value.field, caught.value.details["filter"]) == (field, "PRECISION")
        assert caught.value.details["nearest"] == (None if nearest is None else Decimal(nearest))


def test_what_a_symbol_offers() -> None:
    assert BTC.offers("iceberg")
    plain = replace(BTC, features=frozenset({Feature.AMEND}))
    assert plain.offers(Feature.AMEND)
    assert not plain.offers("post_only")
    with pytest.raises(ValidationError, match="post_only"):
        plain.check(OrderRequest.limit("BTC-USDT", "buy", "1", "100", post_only=True))
    with pytest.raises(ValidationError):
        BTC.offers("free_lunch")


def iceberg(part: str, quantity: str = "1") -> OrderRequest:
    return limit(quantity).with_options(iceberg_quantity=part)


def trailing(delta: int) -> OrderRequest:
    return OrderRequest.stop_limit("BTC-USDT", "buy", "1", "9", trailing_delta=delta)


def test_the_parts_of_an_iceberg_order() -> None:
    berg = replace(BTC, iceberg_parts=10)
    for order in (iceberg("0.1"), iceberg("0.112"), iceberg("1"), iceberg("0.05", "0.5")):
        berg.check(order)
    for order, rule, nearest in (
        (iceberg("0.099"), "ICEBERG_PARTS", "0.1"),
        (iceberg("0.099", "0.999"), "ICEBERG_PARTS", "0.1"),
        (iceberg("0.0005"), "LOT_SIZE", "0.1"),
        (iceberg("0.1005"), "LOT_SIZE", "0.1"),
    ):
        with pytest.raises(ValidationError) as caught:
            berg.check(order)
        assert (caught.value.field, caught.value.details["filter"]) == ("iceberg_quantity", rule)
        assert caught.value.details["nearest"] == Decimal(nearest)
        if rule == "ICEBERG_PARTS":
            berg.check(order.with_options(iceberg_quantity=caught.value.details["nearest"]))


@pytest.mark.parametrize(
    ("kind", "side", "low", "high"),
    [
        ("stop_market", "buy", 10, 2000), ("stop_market", "sell", 20, 1000),
        ("take_profit_market", "sell", 10, 2000), ("take_profit_market", "buy", 20, 1000),
    ],
)  # fmt: skip
def test_how_far_a_stop_may_trail(kind: str, side: str, low: int, high: int) -> None:
    trails = replace(BTC, trailing_range=TrailingRange(10, 2000, 20, 1000), order_types=frozenset())
    make = getattr(OrderRequest, kind)
    for delta in (low, high):
        trails.check(make("BTC-USDT", side, "1", trailing_delta=delta))
    for delta, nearest in ((low - 1, low), (high + 1, high)):
        with pytest.raises(ValidationError) as caught:
            trails.check(make("BTC-USDT", side, "1", trailing_delta=delta))
        assert caught.value.details == {"filter": "TRAILING_DELTA", "symbol": "BTC-USDT", "nearest": Decimal(nearest)}


@pytest.mark.parametrize(
    ("feature", "order", "field"),
    [
        (Feature.ICEBERG, iceberg("0.5"), "iceberg_quantity"),
        (
            Feature.TRAILING_STOP,
            OrderRequest.stop_limit("BTC-USDT", "buy", "1", "9", trailing_delta=9),
            "trailing_delta",
        ),
        (Feature.PEGGED, OrderRequest.pegged("BTC-USDT", "buy", "1"), "peg"),
        (
            Feature.SMART_ROUTING,
            OrderRequest.market("BTC-USDT", "buy", "1").with_options(smart_routing=True),
            "smart_routing",
        ),
    ],
)
def test_options_that_a_symbol_does_not_offer(feature: Feature, order: OrderRequest, field: str) -> None:
    BTC.check(order)
    with pytest.raises(ValidationError) as caught:
        replace(BTC, features=frozenset(Feature) - {feature}).check(order)
    assert caught.value.field == field


def test_modes_of_self_trade_prevention_that_a_symbol_allows() -> None:
    order = limit().with_options(self_trade_prevention="decrement")
    BTC.check(order)
    replace(BTC, self_trade_preventions=frozenset({"none", "decrement"})).check(order)
    with pytest.raises(ValidationError, match="must be one of expire_maker, none"):
        replace(BTC, self_trade_preventions=frozenset({"none", "expire_maker"})).check(order)


def test_an_account_needs_one_permission_out_of_each_set() -> None:
    assert BTC.is_permitted(set())
    closed = replace(BTC, permission_sets=(frozenset({"SPOT", "MARGIN"}), frozenset({"TRD_GRP_004"})))
    assert closed.is_permitted({"MARGIN", "TRD_GRP_004"})
    assert not closed.is_permitted({"SPOT"})
    assert not closed.is_permitted(frozenset())


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


@fixed
@given(amounts)
def test_rounding_in_each_direction(price: Decimal) -> None:
    below, above, nearest = (BTC.round_price(price, way) for way in ("down", "up", "nearest"))
    assert below <= price <= above
    assert above - below in (0, BTC.tick_size)
    assert abs(nearest - price) == min(price - below, above - price)
    assert BTC.round_quantity(price, "up") >= price
    with pytest.raises(ValidationError):
        BTC.round_price(price, "sideways")


@fixed
@given(st.decimals("0.0001", 100, places=4), *(st.decimals(0, 50, places=3) for _ in range(3)))
def test_the_nearest_value_of_a_grid(value: Decimal, low: Decimal, high: Decimal, step: Decimal) -> None:
    grid = Grid(low, high, step)
    nearest = grid.nearest(value)
    if nearest is not None:
        assert grid.holds(nearest)
        if grid.holds(value) and value:
            assert nearest == value
        elif nearest < value:
            assert not step or not grid.holds(nearest + step) or nearest + step > value
    elif step:
        first = max(step, -(-low // step) * step)
        assert not grid.holds(first)


@fixed
@given(*(st.decimals(0, 9, places=3) for _ in range(3)))
def test_a_joined_grid_holds_what_both_hold(one: Decimal, other: Decimal, value: Decimal) -> None:
    left, right = Grid(step=one), Grid(Decimal(1), Decimal(8), other)
    assert left.joined(right).holds(value) == (left.holds(value) and right.holds(value))


@fixed
@given(st.integers(1, 10**6), st.integers(1, 10**6))
def test_a_sum_divided_by_a_price_is_rounded_to_a_quantity_that_an_order_takes(amount: int, cents: int) -> None:
    price = BTC.round_price(Decimal(cents) / 97, "up")
    quantity = BTC.round_quantity(Decimal(amount) / 10**3 / price, "up")
    order = OrderRequest.limit("BTC-USDT", "buy", quantity, price)
    assert (order.quantity, order.price) == (quantity, price)
    assert quantity.as_tuple().exponent == -3


@pytest.mark.parametrize("name", ["round_price", "round_quantity"])
def test_what_is_no_exact_number_is_not_rounded(name: str) -> None:
    """(faults F180, F181)"""
    rounded = getattr(BTC, name)
    assert rounded("61234.5678", "nearest") == (Decimal("61234.57") if name == "round_price" else Decimal("61234.568"))
    assert rounded(7) == 7
    assert str(rounded("0.0001")) == "0"
    wrong: list[Any] = [
        61234.567, True, None, "much", Decimal("NaN"), Decimal("Infinity"), "-5", "0." + "1" * 61, Decimal("1e68"),
    ]  # fmt: skip
    for value in wrong:
        with pytest.raises(ValidationError) as caught:
            rounded(value)
        assert caught.value.field == name.removeprefix("round_")


def test_numbers_without_a_step_stay_as_they_are() -> None:
    assert replace(BTC, lot_step=Decimal(0)).round_quantity("1.23456", "up") == Decimal("1.23456")


def test_the_context_of_the_host_program_does_not_round() -> None:
    """(fault F182)"""
    hostile = decimal.Context(prec=3, rounding=decimal.ROUND_UP, traps=[decimal.Inexact, decimal.Rounded])
    with decimal.localcontext(hostile):
        assert str(BTC.round_price(Decimal("61234.5650001"), "nearest")) == "61234.57"
        assert str(BTC.round_price(Decimal("61234." + "1" * 30), "up")) == "61234.12"


@pytest.mark.parametrize("spelling", ["BTC-USDT", "BTCUSDT", "btc/usdt", "BTC-USDT-SPOT"])
def test_only_an_order_of_the_symbol_is_checked(spelling: str) -> None:
    BTC.check(OrderRequest.limit(spelling, "buy", "1", "100"))
    with pytest.raises(ValidationError, match="is not BTC-USDT") as caught:
        BTC.check(OrderRequest.limit("ETH-USDT", "buy", "1", "100"))
    assert caught.value.field == "symbol"
    no_order: Any = "an order"
    with pytest.raises(ValidationError, match="must be an OrderRequest"):
        BTC.check(no_order)


@pytest.mark.parametrize(
    ("changes", "order", "field", "nearest"),
    [
        ({"min_notional": Decimal(50)}, limit("0.1004"), "quantity", "0.5"),
        ({"max_notional": Decimal(50)}, limit("1.0004"), "quantity", "0.5"),
        ({"max_notional": Decimal("0.01"), "min_notional": Decimal(0)}, limit("1.0004"), "quantity", None),
        ({"quote_precision": 2, "market_min_notional": Decimal("7.001")}, quote("6.999"), "quote_quantity", "7.01"),
        ({"iceberg_parts": 3}, iceberg("0.0105"), "iceberg_quantity", "0.334"),
        ({"min_quantity": Decimal("0.5")}, iceberg("0.1", "0.6"), "iceberg_quantity", "0.5"),
        ({"iceberg_parts": 3, "lot_step": Decimal("0.4")}, iceberg("0.3", "1.2"), "iceberg_quantity", "0.4"),
        ({}, iceberg("1", "1.0004"), "quantity", "1"),
        ({}, iceberg("1.0003", "1.0004"), "quantity", "1.001"),
    ],
)
def test_the_nearest_value_heeds_what_it_is_worth_and_the_parts(
    changes: dict[str, Any], order: OrderRequest, field: str, nearest: str | None
) -> None:
    rules = replace(BTC, **changes)
    with pytest.raises(ValidationError) as caught:
        rules.check(order)
    assert caught.value.field == field
    assert caught.value.details["nearest"] == (None if nearest is None else Decimal(nearest))
    if nearest is not None and nearest != "1.001":
        mended: dict[str, Any] = {field: Decimal(nearest)}
        rules.check(replace(order, **mended))


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


def test_the_table_counts_unknown_rules_and_keeps_those_of_the_exchange() -> None:
    known, other = replace(BTC, unknown_filters=("NEW", "OTHER")), replace(ETH, unknown_filters=("NEW",))
    table = Instruments("binance", [known, other], 7, Allowances(orders=1000), ["WHOLE"])
    assert table.unknown_filters == {"NEW": 2, "OTHER": 1, "WHOLE": 1}
    assert table.allowances.orders == 1000
    assert TABLE.unknown_filters == {}
