"""The filters as a client sees them: what is shown, and what is refused by its name."""

from collections.abc import Mapping

import pytest

from exconn_sync.simulator import Simulator

from .clients import Json, Rest, WsApi

ORDER = "/api/v3/order"
LIMIT = {"symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT", "timeInForce": "GTC", "quantity": "1", "price": "59000"}
MARKET = {"symbol": "BTCUSDT", "side": "BUY", "type": "MARKET", "quantity": "0.1"}
STOP = {"symbol": "BTCUSDT", "side": "SELL", "type": "STOP_LOSS", "quantity": "0.1", "stopPrice": "50000"}


def shown(rest: Rest) -> dict[str, Json]:
    (info,) = rest.get("/api/v3/exchangeInfo", symbol="BTCUSDT")[1]["symbols"]
    return {entry["filterType"]: entry for entry in info["filters"]}


def test_the_usual_filters(rest: Rest) -> None:
    assert list(shown(rest)) == [
        "PRICE_FILTER",
        "LOT_SIZE",
        "ICEBERG_PARTS",
        "MARKET_LOT_SIZE",
        "TRAILING_DELTA",
        "PERCENT_PRICE_BY_SIDE",
        "NOTIONAL",
        "MAX_NUM_ORDERS",
        "MAX_NUM_ALGO_ORDERS",
        "MAX_NUM_ORDER_LISTS",
        "MAX_NUM_ORDER_AMENDS",
    ]
    assert shown(rest)["ICEBERG_PARTS"]["limit"] == 100
    assert rest.get("/api/v3/exchangeInfo")[1]["exchangeFilters"] == []


def test_the_rarer_filters(quiet: Simulator, rest: Rest, ws_api: WsApi) -> None:
    quiet.market.rules(
        "BTCUSDT",
        percent_price_by_side=False,
        has_max_notional=False,
        max_iceberg_orders=5,
        max_position="10",
        average_minutes=5,
    )
    quiet.market.exchange_rules(max_open_orders=1000, asset_limits={"USDT": 1_000_000, "ETH": 1})
    filters = shown(rest)
    assert filters["PERCENT_PRICE"] == {
        "filterType": "PERCENT_PRICE",
        "multiplierUp": "5",
        "multiplierDown": "0.2",
        "avgPriceMins": 5,
    }
    assert filters["MIN_NOTIONAL"]["applyToMarket"] is True
    assert filters["MAX_NUM_ICEBERG_ORDERS"]["maxNumIcebergOrders"] == 5
    assert filters["MAX_POSITION"]["maxPosition"] == "10.00000000"
    of_exchange = [{"filterType": "EXCHANGE_MAX_NUM_ORDERS", "maxNumOrders": 1000}]
    assert rest.get("/api/v3/exchangeInfo")[1]["exchangeFilters"] == of_exchange
    status, mine = rest.signed("GET", "/api/v3/myFilters", symbol="BTCUSDT")
    assert status == 200
    assert mine["exchangeFilters"] == of_exchange
    assert mine["symbolFilters"] == list(filters.values())
    assert mine["assetFilters"] == [{"filterType": "MAX_ASSET", "asset": "USDT", "limit": "1000000.00000000"}]
    assert ws_api.call("myFilters", signed=True, symbol="BTCUSDT")["result"] == mine


@pytest.mark.parametrize(
    ("rules", "everywhere", "order", "name"),
    [
        ({"max_position": "100.5"}, {}, LIMIT, "MAX_POSITION"),
        ({}, {"asset_limits": {"USDT": "58999"}}, LIMIT, "MAX_ASSET"),
        ({}, {"asset_limits": {"BTC": "0.05"}}, MARKET, "MAX_ASSET"),
        ({}, {"max_open_orders": 0}, LIMIT, "EXCHANGE_MAX_NUM_ORDERS"),
        ({}, {"max_algo_orders": 0}, STOP, "EXCHANGE_MAX_NUM_ALGO_ORDERS"),
        ({}, {"max_iceberg_orders": 0}, LIMIT | {"icebergQty": "0.5"}, "EXCHANGE_MAX_NUM_ICEBERG_ORDERS"),
        ({"max_algo_orders": 0}, {}, STOP, "MAX_NUM_ALGO_ORDERS"),
        ({"max_open_orders": 0}, {}, LIMIT, "MAX_NUM_ORDERS"),
        ({"market_step": "0.3"}, {}, MARKET, "MARKET_LOT_SIZE"),
        ({"has_max_notional": False, "min_notional": 60000}, {}, LIMIT, "MIN_NOTIONAL"),
        ({"percent_price_by_side": False, "price_multiplier_down": "0.99"}, {}, LIMIT, "PERCENT_PRICE"),
    ],
)
@pytest.mark.parametrize("path", [ORDER, f"{ORDER}/test"])
def test_what_is_refused_names_its_filter(
    quiet: Simulator,
    rest: Rest,
    path: str,
    rules: Mapping[str, object],
    everywhere: Mapping[str, object],
    order: Mapping[str, str],
    name: str,
) -> None:
    assert rest.signed("POST", f"{ORDER}/test", **order) == (200, {})
    quiet.market.rules("BTCUSDT", **rules)
    quiet.market.exchange_rules(**everywhere)  # type: ignore[arg-type]
    assert rest.signed("POST", path, **order) == (400, {"code": -1013, "msg": f"Filter failure: {name}"})
