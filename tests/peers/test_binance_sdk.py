"""The exchange's own library: its typed models find each field that is missing, mistyped or not documented."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from binance_common.configuration import (
    ConfigurationRestAPI,
    ConfigurationWebSocketAPI,
    ConfigurationWebSocketStreams,
)
from binance_common.errors import BadRequestError
from binance_sdk_spot.spot import Spot

from exconn_sync.simulator import Simulator

PATIENCE_S = 10.0
LIMIT = {"symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT", "time_in_force": "GTC", "quantity": 0.1}


def pointed(simulator: Simulator) -> Spot:
    """Return the library with the simulator's addresses."""
    keys = {"api_key": simulator.api_key, "api_secret": simulator.api_secret}
    return Spot(
        ConfigurationRestAPI(**keys, base_path=simulator.rest, retries=0, timeout=10_000),
        ConfigurationWebSocketAPI(**keys, stream_url=simulator.ws_api),
        ConfigurationWebSocketStreams(stream_url=simulator.stream),
    )


def strangers(value: Any, path: str = "") -> list[str]:
    """Return the fields that the models do not know, by path."""
    if isinstance(value, list):
        return [name for index, row in enumerate(value) for name in strangers(row, f"{path}[{index}]")]
    fields = getattr(type(value), "model_fields", None)
    if fields is None:
        return []
    found = [f"{path}.{name}" for name in getattr(value, "additional_properties", None) or {}]
    return found + [name for field in fields for name in strangers(getattr(value, field), f"{path}.{field}")]


@pytest.fixture
def spot(exchange: Simulator) -> Spot:
    exchange.market.trade("BTCUSDT", "buy", "0.25")
    exchange.market.trade("BTCUSDT", "sell", "0.25")
    exchange.market.set_reference_price("BTCUSDT", 60005)
    return pointed(exchange)


ANSWERS: list[tuple[str, dict[str, object]]] = [
    ("ping", {}),
    ("time", {}),
    ("exchange_info", {}),
    ("depth", {"symbol": "BTCUSDT"}),
    ("get_trades", {"symbol": "BTCUSDT"}),
    ("klines", {"symbol": "BTCUSDT", "interval": "1m"}),
    ("ui_klines", {"symbol": "BTCUSDT", "interval": "1m"}),
    ("ticker24hr", {"symbol": "BTCUSDT"}),
    ("ticker24hr", {"type": "MINI"}),
    ("ticker_price", {}),
    ("ticker_book_ticker", {"symbol": "BTCUSDT"}),
    ("agg_trades", {"symbol": "BTCUSDT"}),
    ("historical_trades", {"symbol": "BTCUSDT"}),
    ("avg_price", {"symbol": "BTCUSDT"}),
    ("ticker", {"symbol": "BTCUSDT"}),
    ("ticker", {"symbols": ["BTCUSDT", "ETHUSDT"], "type": "MINI"}),
    ("ticker_trading_day", {"symbol": "BTCUSDT"}),
    ("execution_rules", {}),
    ("reference_price", {"symbol": "BTCUSDT"}),
    ("get_account", {}),
    ("get_open_orders", {}),
    ("all_orders", {"symbol": "BTCUSDT"}),
    ("my_trades", {"symbol": "BTCUSDT"}),
    ("rate_limit_order", {}),
]


@pytest.mark.parametrize(("name", "arguments"), ANSWERS, ids=[f"{name} {list(given)}" for name, given in ANSWERS])
def test_an_answer_has_exactly_the_documented_fields(spot: Spot, name: str, arguments: dict[str, object]) -> None:
    answer = getattr(spot.rest_api, name)(**arguments)
    assert strangers(answer.data()) == []


def test_orders(spot: Spot, exchange: Simulator) -> None:
    rest = spot.rest_api
    placed = rest.new_order(**LIMIT, price=59_000).data()
    filled = rest.new_order("BTCUSDT", "BUY", "MARKET", quantity=0.5).data()
    asked = rest.get_order("BTCUSDT", order_id=placed.order_id).data()
    gone = rest.delete_order("BTCUSDT", order_id=placed.order_id).data()
    assert (placed.status, filled.status, asked.status, gone.status) == ("NEW", "FILLED", "NEW", "CANCELED")
    assert [fill.price for fill in filled.fills] == ["60010.00000000"]
    assert strangers([placed, filled, asked, gone, rest.my_trades("BTCUSDT").data()]) == []


def test_a_bad_filter_is_refused(spot: Spot) -> None:
    with pytest.raises(BadRequestError, match="LOT_SIZE"):
        spot.rest_api.new_order(**{**LIMIT, "quantity": 0.1234567}, price=59_000)


def test_market_streams(lively: Simulator) -> None:
    spot = pointed(lively)

    async def run() -> None:
        connection = await spot.websocket_streams.create_connection()
        try:
            streams = {
                "trade": await connection.trade(symbol="btcusdt"),
                "agg_trade": await connection.agg_trade(symbol="btcusdt"),
                "book_ticker": await connection.book_ticker(symbol="btcusdt"),
                "mini_ticker": await connection.mini_ticker(symbol="btcusdt"),
                "ticker": await connection.ticker(symbol="btcusdt"),
                "kline": await connection.kline(symbol="btcusdt", interval="1m"),
                "diff_book_depth": await connection.diff_book_depth(symbol="btcusdt"),
                "partial_book_depth": await connection.partial_book_depth(symbol="btcusdt", levels="5"),
            }
            first: dict[str, asyncio.Queue[Any]] = {name: asyncio.Queue() for name in streams}
            for name, stream in streams.items():
                stream.on("message", first[name].put_nowait)
            for queue in first.values():
                assert strangers(await asyncio.wait_for(queue.get(), PATIENCE_S)) == []
        finally:
            await connection.close_connection(close_session=True)

    asyncio.run(run())


def test_the_websocket_api_and_the_events_of_the_account(exchange: Simulator) -> None:
    spot = pointed(exchange)

    async def run() -> None:
        connection = await spot.websocket_api.create_connection()
        try:
            subscribed = await connection.user_data_stream_subscribe_signature()
            events: asyncio.Queue[Any] = asyncio.Queue()
            subscribed.stream.on("message", events.put_nowait)
            placed = (await connection.order_place(**LIMIT, price=59_000)).data()
            asked = (await connection.order_status("BTCUSDT", order_id=placed.result.order_id)).data()
            gone = (await connection.order_cancel("BTCUSDT", order_id=placed.result.order_id)).data()
            status = (await connection.account_status()).data()
            assert (asked.result.status, gone.result.status) == ("NEW", "CANCELED")
            assert strangers([placed, asked, gone, status]) == []
            seen = [await asyncio.wait_for(events.get(), PATIENCE_S) for _ in range(2)]
            assert strangers([getattr(event, "actual_instance", event) for event in seen]) == []
        finally:
            await connection.close_connection(close_session=True)

    asyncio.run(run())


CONDITIONAL = {
    "stopPrice", "icebergQty", "trailingDelta", "trailingTime", "strategyId", "strategyType", "pegPriceType",
    "pegOffsetType", "pegOffsetValue", "peggedPrice", "preventedMatchId", "preventedQuantity", "expiryReason",
    "preventedMatches", "tradeGroupId", "usedSor", "workingFloor",
}  # fmt: skip
"""Fields that come only where they mean something (5.5); the library's models do not have them."""


def unknown_to_all(*values: Any) -> list[str]:
    """Return the fields that neither the models nor the documentation know."""
    return [path for path in strangers(list(values)) if path.rpartition(".")[2] not in CONDITIONAL]


def test_orders_of_every_kind(exchange: Simulator) -> None:
    rest = pointed(exchange).rest_api
    kinds: list[tuple[str, str, dict[str, object]]] = [
        ("SELL", "STOP_LOSS_LIMIT", {"time_in_force": "GTC", "price": 58_000, "stop_price": 59_000}),
        ("SELL", "STOP_LOSS", {"trailing_delta": 100}),
        ("SELL", "TAKE_PROFIT", {"stop_price": 61_000}),
        ("BUY", "TAKE_PROFIT_LIMIT", {"time_in_force": "GTC", "price": 58_000, "stop_price": 59_000}),
        ("BUY", "LIMIT", {"time_in_force": "GTC", "price": 59_000, "iceberg_qty": 0.01, "strategy_id": 7}),
        ("BUY", "LIMIT_MAKER", {"price": 59_000}),
        ("BUY", "LIMIT_MAKER", {"peg_price_type": "PRIMARY_PEG"}),
    ]
    for side, kind, more in kinds:
        placed = rest.new_order("BTCUSDT", side, kind, quantity=0.1, new_order_resp_type="FULL", **more).data()
        assert placed.status == "NEW"
        assert unknown_to_all(placed, rest.get_order("BTCUSDT", order_id=placed.order_id).data()) == []
    gone = rest.delete_open_orders("BTCUSDT").data()
    assert len(gone) == len(kinds)
    assert unknown_to_all(gone, rest.all_orders("BTCUSDT").data()) == []


def test_replace_and_amend(exchange: Simulator) -> None:
    rest = pointed(exchange).rest_api
    old = rest.new_order(**LIMIT, price=59_000).data()
    new = rest.order_cancel_replace(
        **LIMIT, price=59_001, cancel_replace_mode="STOP_ON_FAILURE", cancel_order_id=old.order_id
    ).data()
    assert (new.cancel_result, new.new_order_result) == ("SUCCESS", "SUCCESS")
    order_id = new.new_order_response.order_id
    smaller = rest.order_amend_keep_priority("BTCUSDT", order_id=order_id, new_qty=0.05).data()
    assert smaller.amended_order.qty == "0.05000000"
    assert unknown_to_all(new, smaller, rest.order_amendments("BTCUSDT", order_id).data()) == []
    with pytest.raises(BadRequestError, match="-2022"):
        rest.order_cancel_replace(**LIMIT, price=59_001, cancel_replace_mode="STOP_ON_FAILURE", cancel_order_id=99)


def test_account_reports(exchange: Simulator) -> None:
    rest = pointed(exchange).rest_api
    rates = rest.account_commission("BTCUSDT").data()
    filters = rest.my_filters("BTCUSDT").data()
    assert unknown_to_all(rates, filters, rest.my_prevented_matches("BTCUSDT", order_id=1).data()) == []
