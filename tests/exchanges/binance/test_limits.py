"""Budgets and prices (Binance: 4, 5.1), and where Binance answers (Binance: 1)."""

from __future__ import annotations

from typing import Any

import pytest

from exconn_sync.exchanges.binance import limits
from exconn_sync.exchanges.binance.driver import DRIVER
from exconn_sync.model.ids import ClientOrderId, TradeId
from exconn_sync.model.limits import Lane
from exconn_sync.model.orders import OrderRequest
from exconn_sync.model.wire import RestCall
from tests.exchanges.binance.support import BTCUSDT, INSTRUMENTS, instrument, order_state


def costs(call: RestCall[Any]) -> dict[str, int]:
    return {cost.limit: cost.amount for cost in call.costs}


def test_budgets_are_the_documented_ones() -> None:
    rules = {(rule.limit, rule.amount, rule.interval_ms, rule.is_per_account) for rule in DRIVER.rate_rules}
    assert rules == {
        ("REQUEST_WEIGHT", 6_000, 60_000, False),
        ("RAW_REQUESTS", 300_000, 300_000, False),
        ("ORDERS", 50, 10_000, True),
        ("ORDERS", 160_000, 86_400_000, True),
    }


@pytest.mark.parametrize(
    ("limit", "weight"), [(1, 5), (100, 5), (101, 25), (500, 25), (501, 50), (1000, 50), (1001, 250), (5000, 250)]
)
def test_a_deeper_book_costs_more(limit: int, weight: int) -> None:
    assert costs(DRIVER.fetch_order_book(BTCUSDT, limit)) == {"REQUEST_WEIGHT": weight, "RAW_REQUESTS": 1}


def test_reads_cost_their_documented_weight() -> None:
    weights: list[tuple[RestCall[Any], int]] = [
        (DRIVER.server_time(), 1),
        (DRIVER.fetch_instruments(), 20),
        (DRIVER.fetch_trades(BTCUSDT, 1000), 25),
        (DRIVER.fetch_balances(), 20),
        (DRIVER.fetch_order(BTCUSDT, order_state(), INSTRUMENTS), 4),
        (DRIVER.fetch_open_orders(BTCUSDT, INSTRUMENTS), 6),
        (DRIVER.fetch_open_orders(None, INSTRUMENTS), 80),
        (DRIVER.fetch_fills(BTCUSDT, None, INSTRUMENTS), 20),
        (DRIVER.fetch_fills(BTCUSDT, "1", INSTRUMENTS), 5),
        (DRIVER.raw_call("GET", "/api/v3/myFilters", (), is_signed=True), 40),
        (DRIVER.raw_call("GET", "/api/v9/unheardOf", (), is_signed=False), 1),
    ]
    for call, weight in weights:
        assert costs(call) == {"REQUEST_WEIGHT": weight, "RAW_REQUESTS": 1}, call.path


def listed(count: int) -> tuple[tuple[str, str], ...]:
    return (("symbols", "[" + ",".join(f'"SYMBOL{number}"' for number in range(count)) + "]"),)


ONE = (("symbol", "BTCUSDT"),)


@pytest.mark.parametrize(
    ("path", "params", "weight"),
    [
        ("/api/v3/ping", (), 1),
        ("/api/v3/executionRules", ONE, 2),
        ("/api/v3/executionRules", listed(2), 4),
        ("/api/v3/executionRules", listed(21), 40),
        ("/api/v3/executionRules", (("symbolStatus", "TRADING"),), 40),
        ("/api/v3/executionRules", (), 40),
        ("/api/v3/depth", ONE, 5),
        ("/api/v3/depth", (*ONE, ("limit", "501")), 50),
        ("/api/v3/depth", (*ONE, ("limit", "1001")), 250),
        ("/api/v3/depth", (*ONE, ("limit", "5" + "0" * 5000)), 250),
        ("/api/v3/depth", (*ONE, ("limit", "10000000000")), 250),
        ("/api/v3/depth", (*ONE, ("limit", "+5000")), 250),
        ("/api/v3/depth", (*ONE, ("limit", "ten")), 250),
        ("/api/v3/ticker/24hr", ONE, 2),
        ("/api/v3/ticker/24hr", listed(20), 2),
        ("/api/v3/ticker/24hr", listed(21), 40),
        ("/api/v3/ticker/24hr", listed(100), 40),
        ("/api/v3/ticker/24hr", listed(101), 80),
        ("/api/v3/ticker/24hr", (), 80),
        ("/api/v3/ticker/tradingDay", ONE, 4),
        ("/api/v3/ticker/tradingDay", listed(3), 12),
        ("/api/v3/ticker/tradingDay", listed(51), 200),
        ("/api/v3/ticker", ONE, 4),
        ("/api/v3/ticker", (*listed(50), ("windowSize", "1h")), 200),
        ("/api/v3/ticker/price", ONE, 2),
        ("/api/v3/ticker/price", listed(2), 4),
        ("/api/v3/ticker/price", (), 4),
        ("/api/v3/ticker/bookTicker", ONE, 2),
        ("/api/v3/ticker/bookTicker", (), 4),
        ("/api/v3/openOrders", ONE, 6),
        ("/api/v3/openOrders", (), 80),
        ("/api/v3/myTrades", ONE, 20),
        ("/api/v3/myTrades", (*ONE, ("orderId", "1")), 5),
        ("/api/v3/myPreventedMatches", (*ONE, ("preventedMatchId", "1")), 2),
        ("/api/v3/myPreventedMatches", (*ONE, ("orderId", "1")), 20),
    ],
)
def test_the_weight_of_a_call_of_ones_own_depends_on_its_parameters(
    path: str, params: tuple[tuple[str, str], ...], weight: int
) -> None:
    call = DRIVER.raw_call("GET", path, params, is_signed=False)
    assert costs(call)["REQUEST_WEIGHT"] == weight


def test_a_test_order_with_its_rates_costs_more() -> None:
    for path in ("/api/v3/order/test", "/api/v3/sor/order/test"):
        plain = DRIVER.raw_call("POST", path, (), is_signed=True)
        rates = DRIVER.raw_call("POST", path, (("computeCommissionRates", "true"),), is_signed=True)
        assert (costs(plain)["REQUEST_WEIGHT"], costs(rates)["REQUEST_WEIGHT"]) == (1, 20)
        assert "ORDERS_10S" not in costs(plain)


def test_market_data_costs_what_its_question_asks_for() -> None:
    every = [instrument(f"C{number}") for number in range(101)]
    weights: list[tuple[RestCall[Any], int]] = [
        (DRIVER.fetch_klines(BTCUSDT, "1m", 1000, now=0), 2),
        (DRIVER.fetch_aggregate_trades(BTCUSDT, 1000), 4),
        (DRIVER.fetch_trades(BTCUSDT, 1000, from_id=TradeId("1")), 25),
        (DRIVER.fetch_average_price(BTCUSDT), 2),
        (DRIVER.fetch_tickers([BTCUSDT], "24h", INSTRUMENTS), 2),
        (DRIVER.fetch_tickers(every[:21], "24h", INSTRUMENTS), 40),
        (DRIVER.fetch_tickers(every, "24h", INSTRUMENTS), 80),
        (DRIVER.fetch_tickers(every[:10], "day", INSTRUMENTS), 40),
        (DRIVER.fetch_tickers(every[:100], "1h", INSTRUMENTS), 200),
        (DRIVER.fetch_book_tickers([BTCUSDT], INSTRUMENTS), 2),
        (DRIVER.fetch_book_tickers(None, INSTRUMENTS), 4),
    ]
    for call, weight in weights:
        assert costs(call) == {"REQUEST_WEIGHT": weight, "RAW_REQUESTS": 1}, call.path


def test_an_order_counts_against_every_order_budget() -> None:
    order = OrderRequest.market("BTC-USDT", "buy", "1")
    call = DRIVER.place_order(order, BTCUSDT, ClientOrderId("x"), INSTRUMENTS)
    assert costs(call) == {"REQUEST_WEIGHT": 1, "RAW_REQUESTS": 1, "ORDERS": 1}
    raw = DRIVER.raw_call("POST", "/api/v3/orderList/otoco", (), is_signed=True)
    assert costs(raw)["ORDERS"] == 3


def test_a_cancel_counts_against_no_order_budget() -> None:
    assert costs(DRIVER.cancel_order(BTCUSDT, order_state(), INSTRUMENTS)) == {"REQUEST_WEIGHT": 1, "RAW_REQUESTS": 1}


def test_what_succeeds_is_free_for_placing_and_cancelling_only() -> None:
    """(Binance: 4, weight on success)"""
    for method, path, is_free in (
        ("POST", "/api/v3/order", True),
        ("POST", "/api/v3/order/cancelReplace", True),
        ("DELETE", "/api/v3/order", True),
        ("DELETE", "/api/v3/openOrders", True),
        ("DELETE", "/api/v3/orderList", True),
        ("POST", "/api/v3/order/test", False),
        ("PUT", "/api/v3/order/amend/keepPriority", False),
        ("GET", "/api/v3/order", False),
    ):
        weight, raw, *orders = limits.costs_of(method, path)
        assert weight.is_free_on_success is is_free, (method, path)
        assert not any(cost.is_free_on_success for cost in (raw, *orders))


def test_cancels_go_first() -> None:
    """(fault F160)"""
    assert DRIVER.cancel_order(BTCUSDT, order_state(), INSTRUMENTS).lane is Lane.CANCEL
    assert DRIVER.raw_call("DELETE", "/api/v3/openOrders", (), is_signed=True).lane is Lane.CANCEL
    assert DRIVER.raw_call("POST", "/api/v3/order", (), is_signed=True).lane is None
    assert DRIVER.fetch_balances().lane is None
    for call in (
        DRIVER.server_time(),
        DRIVER.fetch_instruments(),
        DRIVER.fetch_order(BTCUSDT, order_state(), INSTRUMENTS),
        DRIVER.fetch_open_orders(BTCUSDT, INSTRUMENTS),
        DRIVER.raw_call("GET", "/api/v3/order", (), is_signed=True),
    ):
        assert call.lane is Lane.QUERY, "never bulk, although workers ask too"


def test_every_cost_names_a_budget() -> None:
    names = {rule.limit for rule in limits.RATE_RULES}
    for path in ("/api/v3/order", "/api/v3/account"):
        for method in ("GET", "POST", "DELETE"):
            assert {cost.limit for cost in limits.costs_of(method, path)} <= names


def test_control_messages_leave_room_for_pongs() -> None:
    assert DRIVER.stream_limits.topics_per_connection == 1024
    assert DRIVER.stream_limits.requests_per_second < 5


@pytest.mark.parametrize("environment", ["production", "testnet", "demo"])
def test_each_environment_has_all_addresses_over_tls(environment: str) -> None:
    urls = DRIVER.endpoints(environment)
    assert set(urls) == {"rest", "stream", "ws_api"}
    assert urls["rest"].startswith("https://")
    assert DRIVER.stream_url(urls) == urls["stream"] + "/stream"
    assert DRIVER.account_url(urls) == urls["ws_api"]
    assert DRIVER.stream_url(urls).startswith("wss://")
    assert DRIVER.account_url(urls).startswith("wss://")


def test_market_data_alone_has_no_private_address_and_a_part_of_the_paths() -> None:
    assert DRIVER.endpoints("market_data") == {
        "rest": "https://data-api.binance.vision", "stream": "wss://data-stream.binance.vision",
    }  # fmt: skip
    paths = DRIVER.public_paths("market_data")
    assert paths is not None
    assert {path.removeprefix("/api/v3/") for path in paths} == {
        "aggTrades", "avgPrice", "depth", "exchangeInfo", "klines", "ping", "ticker", "ticker/24hr",
        "ticker/bookTicker", "ticker/price", "time", "trades", "uiKlines",
    }  # fmt: skip
    assert DRIVER.public_paths("production") is None


def test_environments_do_not_share_addresses() -> None:
    names = ("production", "testnet", "demo", "market_data")
    urls = [url for name in names for url in DRIVER.endpoints(name).values()]
    assert len(set(urls)) == len(urls) == 11
    assert DRIVER.endpoints("nowhere") == {}
