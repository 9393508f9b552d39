"""Budgets and prices (Binance: 4, 5.1), and where Binance answers (Binance: 1)."""

from __future__ import annotations

from typing import Any

import pytest

from exconn_sync.exchanges.binance import limits
from exconn_sync.exchanges.binance.driver import DRIVER
from exconn_sync.model.ids import ClientOrderId
from exconn_sync.model.orders import OrderRequest
from exconn_sync.model.wire import RestCall
from tests.exchanges.binance.support import BTCUSDT, INSTRUMENTS, order_state


def costs(call: RestCall[Any]) -> dict[str, int]:
    return {cost.limit: cost.amount for cost in call.costs}


def test_budgets_are_the_documented_ones() -> None:
    rules = {rule.limit: (rule.amount, rule.interval_ms) for rule in DRIVER.rate_rules}
    assert rules == {
        "REQUEST_WEIGHT": (6_000, 60_000),
        "RAW_REQUESTS": (300_000, 300_000),
        "ORDERS_10S": (50, 10_000),
        "ORDERS_1D": (160_000, 86_400_000),
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


def test_an_order_counts_against_every_order_budget() -> None:
    order = OrderRequest.market("BTC-USDT", "buy", "1")
    call = DRIVER.place_order(order, BTCUSDT, ClientOrderId("x"), INSTRUMENTS)
    assert costs(call) == {"REQUEST_WEIGHT": 1, "RAW_REQUESTS": 1, "ORDERS_10S": 1, "ORDERS_1D": 1}
    raw = DRIVER.raw_call("POST", "/api/v3/orderList/otoco", (), is_signed=True)
    assert costs(raw)["ORDERS_10S"] == 3


def test_a_cancel_counts_against_no_order_budget() -> None:
    assert costs(DRIVER.cancel_order(BTCUSDT, order_state(), INSTRUMENTS)) == {"REQUEST_WEIGHT": 1, "RAW_REQUESTS": 1}


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


def test_environments_do_not_share_addresses() -> None:
    urls = [url for name in ("production", "testnet", "demo") for url in DRIVER.endpoints(name).values()]
    assert len(set(urls)) == 9
    assert DRIVER.endpoints("nowhere") == {}
