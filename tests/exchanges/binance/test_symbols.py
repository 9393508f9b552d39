"""exchangeInfo becomes instruments (Binance: 5.3, 6)."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from exconn_sync.errors import ProtocolError, ValidationError
from exconn_sync.exchanges.binance.driver import DRIVER
from exconn_sync.model.enums import OrderType
from exconn_sync.model.instrument import Instruments
from exconn_sync.model.orders import OrderRequest
from exconn_sync.model.trading_rules import Allowances, Feature, PriceBand, TrailingRange
from tests.data import read_json, recorded_lines
from tests.exchanges.binance.support import RECEIVED_AT, response

FILTERS: list[dict[str, Any]] = [
    {"filterType": "PRICE_FILTER", "minPrice": "0.01000000", "maxPrice": "1000000.00000000", "tickSize": "0.01000000"},
    {"filterType": "LOT_SIZE", "minQty": "0.00001000", "maxQty": "9000.00000000", "stepSize": "0.00001000"},
    {"filterType": "ICEBERG_PARTS", "limit": 100},
    {"filterType": "MARKET_LOT_SIZE", "minQty": "0.00000000", "maxQty": "97.09521512", "stepSize": "0.00000000"},
    {
        "filterType": "NOTIONAL", "minNotional": "5.00000000", "applyMinToMarket": True, "maxNotional": "9000000.00",
        "applyMaxToMarket": False, "avgPriceMins": 5,
    },
    {"filterType": "FROM_THE_FUTURE", "minPrice": 17, "stepSize": [1]},
]  # fmt: skip


def symbol(**changes: Any) -> dict[str, Any]:
    return {
        "symbol": "BTCUSDT", "status": "TRADING", "baseAsset": "BTC", "quoteAsset": "USDT",
        "orderTypes": ["LIMIT", "LIMIT_MAKER", "MARKET", "STOP_LOSS_LIMIT", "TAKE_PROFIT", "FROM_THE_FUTURE"],
        "quoteOrderQtyMarketAllowed": True, "isSpotTradingAllowed": True, "filters": FILTERS, **changes,
    }  # fmt: skip


def parsed(*symbols: Any, **more: Any) -> Instruments:
    return DRIVER.fetch_instruments().parse(response({"timezone": "UTC", "symbols": symbols, **more}))


def test_rules_become_exact_limits() -> None:
    found = parsed(symbol()).get("BTC-USDT")
    assert (found.exchange, found.exchange_symbol, found.base, found.quote) == ("binance", "BTCUSDT", "BTC", "USDT")
    assert found.is_trading
    assert (found.tick_size, found.min_price, found.max_price) == (Decimal("0.01"), Decimal("0.01"), Decimal(1_000_000))
    assert (found.lot_step, found.min_quantity, found.max_quantity) == (
        Decimal("0.00001"), Decimal("0.00001"), Decimal(9_000),
    )  # fmt: skip
    assert (found.market_lot_step, found.market_min_quantity, found.market_max_quantity) == (
        Decimal(0), Decimal(0), Decimal("97.09521512"),
    )  # fmt: skip
    assert (found.min_notional, found.max_notional) == (Decimal(5), Decimal(9_000_000))
    assert found.order_types == {OrderType.LIMIT, OrderType.MARKET, OrderType.STOP_LIMIT, OrderType.TAKE_PROFIT_MARKET}


EVERY_FILTER: list[dict[str, Any]] = [
    *FILTERS[:5],
    {
        "filterType": "PERCENT_PRICE_BY_SIDE", "bidMultiplierUp": "5", "bidMultiplierDown": "0.2",
        "askMultiplierUp": "4", "askMultiplierDown": "0.25", "avgPriceMins": 5,
    },
    {
        "filterType": "TRAILING_DELTA", "minTrailingAboveDelta": 10, "maxTrailingAboveDelta": 2000,
        "minTrailingBelowDelta": 11, "maxTrailingBelowDelta": 1999,
    },
    {"filterType": "MAX_NUM_ORDERS", "maxNumOrders": 200},
    {"filterType": "MAX_NUM_ALGO_ORDERS", "maxNumAlgoOrders": 5},
    {"filterType": "MAX_NUM_ICEBERG_ORDERS", "maxNumIcebergOrders": 6},
    {"filterType": "MAX_NUM_ORDER_LISTS", "maxNumOrderLists": 20},
    {"filterType": "MAX_NUM_ORDER_AMENDS", "maxNumOrderAmends": 10},
    {"filterType": "MAX_POSITION", "maxPosition": "10.50000000"},
]  # fmt: skip


def test_every_filter_has_its_place() -> None:
    found = parsed(symbol(filters=EVERY_FILTER)).get("BTC-USDT")
    assert found.unknown_filters == ()
    assert (found.market_min_notional, found.market_max_notional) == (Decimal(5), Decimal(0))
    assert (found.average_price_minutes, found.iceberg_parts) == (5, 100)
    assert found.price_band == PriceBand(Decimal(5), Decimal("0.2"), Decimal(4), Decimal("0.25"))
    assert found.trailing_range == TrailingRange(10, 2000, 11, 1999)
    assert found.allowances == Allowances(200, 5, 6, 20, 10, Decimal("10.5"))


def test_filters_of_the_whole_exchange() -> None:
    names = ("Orders", "AlgoOrders", "IcebergOrders", "OrderLists")
    kinds = ("ORDERS", "ALGO_ORDERS", "ICEBERG_ORDERS", "ORDER_LISTS")
    filters: list[dict[str, Any]] = [
        {"filterType": f"EXCHANGE_MAX_NUM_{kind}", f"maxNum{name}": number}
        for number, (kind, name) in enumerate(zip(kinds, names, strict=True), 1)
    ]
    wire = {"exchangeFilters": [*filters, {"filterType": "FROM_THE_FUTURE"}], "symbols": [symbol(), symbol()]}
    table = DRIVER.fetch_instruments().parse(response(wire))
    assert table.allowances == Allowances(1, 2, 3, 4)
    assert table.unknown_filters == {"FROM_THE_FUTURE": 2}


@pytest.mark.parametrize("index", range(len(EVERY_FILTER)))
def test_a_filter_that_cannot_be_read_is_left_to_the_exchange_and_counted(index: int) -> None:
    """(faults F038, F040)"""
    optional = {"filterType", "applyMinToMarket", "applyMaxToMarket", "avgPriceMins", "maxNotional"}
    whole = EVERY_FILTER[index]
    none = parsed(symbol(filters=[])).get("BTC-USDT")
    for name in whole.keys() - optional:
        replacements: list[Any] = [None, "x", [], {}]
        broken: list[dict[str, Any]] = [{**whole, name: value} for value in replacements]
        broken.append({key: value for key, value in whole.items() if key != name})
        for wire in broken:
            table = parsed(symbol(filters=[wire]))
            assert table.unknown_filters == {whole["filterType"]: 1}
            # Nothing of it counts, not even the fields that could be read.
            assert replace(table.get("BTC-USDT"), unknown_filters=()) == none
    with pytest.raises(ProtocolError):
        parsed(symbol(filters=[{"minPrice": "1"}]))


def test_one_odd_filter_of_one_symbol_harms_no_other() -> None:
    odd = {**symbol(), "symbol": "ODDUSDT", "baseAsset": "ODD", "filters": [{"filterType": "ICEBERG_PARTS"}]}
    table = DRIVER.fetch_instruments().parse(response({"symbols": [odd, symbol()]}))
    assert table.get("ODD-USDT").unknown_filters == ("ICEBERG_PARTS",)
    assert table.get("BTC-USDT") == parsed(symbol()).get("BTC-USDT")


def test_an_old_and_a_new_price_filter_both_count() -> None:
    old = {"filterType": "PERCENT_PRICE", "multiplierUp": "4.5", "multiplierDown": "0.3", "avgPriceMins": 5}
    found = parsed(symbol(filters=[*EVERY_FILTER, old])).get("BTC-USDT")
    assert found.price_band == PriceBand(Decimal("4.5"), Decimal("0.3"), Decimal(4), Decimal("0.3"))


def test_a_notional_filter_says_whether_it_counts_for_market_orders() -> None:
    old = {"filterType": "MIN_NOTIONAL", "minNotional": "10.0", "applyToMarket": False, "avgPriceMins": 0}
    new = {**FILTERS[4], "applyMinToMarket": False, "applyMaxToMarket": True}
    found = parsed(symbol(filters=[old, new])).get("BTC-USDT")
    assert (found.min_notional, found.market_min_notional) == (Decimal(10), Decimal(0))
    assert (found.max_notional, found.market_max_notional) == (Decimal(9_000_000), Decimal(9_000_000))
    found.check(OrderRequest.market("BTC-USDT", "buy", quote_quantity=1))


def test_what_a_symbol_offers() -> None:
    flags = {
        "icebergAllowed": Feature.ICEBERG, "ocoAllowed": Feature.OCO, "otoAllowed": Feature.OTO,
        "opoAllowed": Feature.OPO, "allowTrailingStop": Feature.TRAILING_STOP, "amendAllowed": Feature.AMEND,
        "cancelReplaceAllowed": Feature.CANCEL_REPLACE, "pegInstructionsAllowed": Feature.PEGGED,
        "isMarginTradingAllowed": Feature.MARGIN,
    }  # fmt: skip
    by_flag = frozenset(Feature) - {Feature.SMART_ROUTING, Feature.EXITS}
    assert parsed(symbol()).get("BTC-USDT").features == by_flag
    for flag, feature in flags.items():
        found = parsed(symbol(**{flag: False})).get("BTC-USDT")
        assert found.features == by_flag - {feature}
    assert not parsed(symbol(orderTypes=["LIMIT"])).get("BTC-USDT").offers("post_only")


@pytest.mark.parametrize(
    ("pools", "is_offered"),
    [
        ([{"baseAsset": "BTC", "symbols": ["BTCUSDC", "BTCUSDT"]}], True),
        ([{"baseAsset": "BTC", "symbols": ["BTCUSDC"]}, {"baseAsset": "ETH"}], False),
        ([], False),
    ],
)
def test_orders_of_a_symbol_are_routed_where_it_is_in_a_pool(pools: Any, is_offered: bool) -> None:
    """(Binance: 5.3)"""
    found = parsed(symbol(), sors=pools).get("BTC-USDT")
    assert found.offers("smart_routing") is is_offered
    order = OrderRequest.limit("BTC-USDT", "buy", "1", "50000").with_options(smart_routing=True)
    if is_offered:
        found.check(order)
        return
    with pytest.raises(ValidationError) as caught:
        found.check(order)
    assert caught.value.field == "smart_routing"


def test_permissions_precisions_and_self_trade_prevention() -> None:
    found = parsed(
        symbol(
            permissions=[], permissionSets=[["SPOT", "MARGIN"], ["TRD_GRP_004"]], baseAssetPrecision=8,
            quoteAssetPrecision=6, baseCommissionPrecision=5, quoteCommissionPrecision=4,
            defaultSelfTradePreventionMode="EXPIRE_MAKER", allowedSelfTradePreventionModes=["NONE", "EXPIRE_MAKER"],
        )
    ).get("BTC-USDT")  # fmt: skip
    assert found.permission_sets == (frozenset({"SPOT", "MARGIN"}), frozenset({"TRD_GRP_004"}))
    assert (found.base_precision, found.quote_precision) == (8, 6)
    assert (found.base_fee_precision, found.quote_fee_precision) == (5, 4)
    assert found.default_self_trade_prevention == "expire_maker"
    assert found.self_trade_preventions == {"none", "expire_maker"}
    assert parsed(symbol(permissions=["SPOT"])).get("BTC-USDT").permission_sets == (frozenset({"SPOT"}),)


@pytest.mark.parametrize(
    ("status", "phase"),
    [
        ("TRADING", "trading"), ("CANCEL_ONLY", "cancel_only"), ("HALT", "halted"), ("BREAK", "closed"),
        ("END_OF_DAY", "closed"), ("FROM_THE_FUTURE", "unknown"),
    ],
)  # fmt: skip
def test_what_a_status_means(status: str, phase: str) -> None:
    found = parsed(symbol(status=status)).get("BTC-USDT")
    assert (found.status, found.phase) == (status, phase)
    assert found.is_trading == (phase == "trading")


def test_every_spelling_finds_the_symbol() -> None:
    table = parsed(symbol())
    for spelling in ("BTC-USDT", "BTC/USDT", "BTC-USDT-SPOT", "BTCUSDT", "btcusdt"):
        assert table.get(spelling).exchange_symbol == "BTCUSDT"
    assert table.loaded_at == RECEIVED_AT


def test_the_old_notional_filter_is_understood() -> None:
    old = {"filterType": "MIN_NOTIONAL", "minNotional": "10.0", "applyToMarket": True, "avgPriceMins": 5}
    found = parsed(symbol(filters=[old])).get("BTC-USDT")
    assert (found.min_notional, found.max_notional) == (Decimal(10), Decimal(0))


def test_where_both_notional_filters_stand_the_stricter_counts() -> None:
    old = {"filterType": "MIN_NOTIONAL", "minNotional": "10.0"}
    for filters in ([old, *FILTERS], [*FILTERS, old]):
        found = parsed(symbol(filters=filters)).get("BTC-USDT")
        assert (found.min_notional, found.max_notional) == (Decimal(10), Decimal(9_000_000))


@pytest.mark.parametrize("status", ["HALT", "BREAK", "CANCEL_ONLY", "FROM_THE_FUTURE"])
def test_any_other_status_than_trading_is_kept_and_does_not_trade(status: str) -> None:
    """(fault F040)"""
    found = parsed(symbol(status=status)).get("BTC-USDT")
    assert not found.is_trading
    assert found.status == status


def test_symbols_without_spot_trading_are_left_out() -> None:
    assert len(parsed(symbol(isSpotTradingAllowed=False))) == 0


def test_absent_permissions_mean_allowed() -> None:
    wire = symbol()
    del wire["isSpotTradingAllowed"], wire["quoteOrderQtyMarketAllowed"]
    assert parsed(wire).get("BTC-USDT").quote_quantity_allowed
    assert not parsed(symbol(quoteOrderQtyMarketAllowed=False)).get("BTC-USDT").quote_quantity_allowed


@pytest.mark.parametrize("field", ["symbol", "status", "baseAsset", "quoteAsset", "orderTypes", "filters"])
def test_a_missing_field_is_a_protocol_error_with_the_payload(field: str) -> None:
    """(fault F038)"""
    wire = symbol()
    del wire[field]
    with pytest.raises(ProtocolError) as caught:
        parsed(wire)
    assert caught.value.details["payload"].startswith('{"timezone": "UTC"')
    assert len(caught.value.details["payload"]) <= 203


@pytest.mark.parametrize("tick", ["NaN", "-0.1", "1e-8", "", 0.01, None])
def test_a_malformed_limit_is_no_limit_and_named(tick: Any) -> None:
    found = parsed(symbol(filters=[{**FILTERS[0], "tickSize": tick}])).get("BTC-USDT")
    assert found.unknown_filters == (FILTERS[0]["filterType"],)
    assert not any((found.tick_size, found.min_price, found.max_price))


def test_the_whole_exchange_info_of_2021_is_understood() -> None:
    first = next(recorded_lines("recordings", "binance_spot", "nkn_blz_lrc_rune_20211012.jsonl.gz"))
    table = DRIVER.fetch_instruments().parse(response(first["raw"].encode()))
    assert len(table) > 1_000
    assert table.get("BTC-USDT").tick_size == Decimal("0.01")
    assert table.get("BTC-USDT").min_notional == Decimal(10)
    assert table.get("1INCH-USDT").exchange_symbol == "1INCHUSDT"
    assert any(not item.is_trading for item in table)
    assert table.unknown_filters == {}


def test_other_peoples_exchange_infos_are_understood() -> None:
    sources = {
        "binance_spot_http_recorded_gct.json": "GET /api/v3/exchangeInfo #00",
        "binance_spot_rest_jkorf.json": "Spot/ExchangeData/GetExchangeInfo",
        "binance_spot_rest_gobinance.json": "exchange_info:TestExchangeInfo#00",
    }
    for file, name in sources.items():
        items = {item["name"]: item["payload"] for item in read_json("third_party", file)["items"]}
        assert len(DRIVER.fetch_instruments().parse(response(items[name]))) > 0, file


def test_the_documented_example_is_understood() -> None:
    wire = read_json("docs_examples", "binance_spot", "rest", "GET_api_v3_exchangeInfo__response.json")
    assert DRIVER.fetch_instruments().parse(response(wire)).get("ETH-BTC").is_trading
