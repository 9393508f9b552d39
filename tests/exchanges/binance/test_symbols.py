"""exchangeInfo becomes instruments (Binance: 5.3, 6)."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from exconn_sync.errors import ProtocolError
from exconn_sync.exchanges.binance.driver import DRIVER
from exconn_sync.model.enums import OrderType
from exconn_sync.model.instrument import Instruments
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


def parsed(*symbols: Any) -> Instruments:
    return DRIVER.fetch_instruments().parse(response({"timezone": "UTC", "symbols": symbols}))


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
    assert found.order_types == {OrderType.LIMIT, OrderType.MARKET, OrderType.STOP_LIMIT}


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
def test_a_malformed_limit_is_a_protocol_error(tick: Any) -> None:
    with pytest.raises(ProtocolError):
        parsed(symbol(filters=[{**FILTERS[0], "tickSize": tick}]))


def test_the_whole_exchange_info_of_2021_is_understood() -> None:
    first = next(recorded_lines("recordings", "binance_spot", "nkn_blz_lrc_rune_20211012.jsonl.gz"))
    table = DRIVER.fetch_instruments().parse(response(first["raw"].encode()))
    assert len(table) > 1_000
    assert table.get("BTC-USDT").tick_size == Decimal("0.01")
    assert table.get("BTC-USDT").min_notional == Decimal(10)
    assert table.get("1INCH-USDT").exchange_symbol == "1INCHUSDT"
    assert any(not item.is_trading for item in table)


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
