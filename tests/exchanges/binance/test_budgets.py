"""What Binance says about its budgets (Binance: 2, 4)."""

from __future__ import annotations

import json
from typing import Any

import pytest

from exconn_sync.exchanges.binance.driver import DRIVER
from exconn_sync.model.limits import UsedFigure
from exconn_sync.model.wire import Cost, HttpResponse, RateRule
from tests.exchanges.binance.support import BTCUSDT, read_call

CALL = read_call()


def answer(body: Any = None, **headers: str) -> HttpResponse:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return HttpResponse(200, named, json.dumps(body).encode(), 0)


def test_the_headers_are_figures_of_the_limits() -> None:
    """(fault F128)"""
    headers = {
        "x_mbx_used_weight": "7", "x_mbx_used_weight_1m": "7", "x_mbx_used_weight_10s": "5",
        "x_mbx_order_count_10s": "3", "x_mbx_order_count_1d": "40", "date": "x",
    }  # fmt: skip
    assert set(DRIVER.used_figures(answer(**headers), CALL)) == {
        UsedFigure("REQUEST_WEIGHT", 60_000, 7),
        UsedFigure("REQUEST_WEIGHT", 10_000, 5),
        UsedFigure("ORDERS", 10_000, 3),
        UsedFigure("ORDERS", 86_400_000, 40),
    }


@pytest.mark.parametrize("value", ["", "-1", "1.5", "many", "٣", "9" * 10, " 7"])
def test_a_figure_that_cannot_be_read_says_nothing(value: str) -> None:
    assert DRIVER.used_figures(answer(x_mbx_used_weight_1m=value), CALL) == []
    assert DRIVER.used_figures(answer(x_mbx_used_weight_1y="5", x_mbx_used_weight_00000m="5"), CALL) == []


def limit(kind: str, interval: str, number: Any, amount: Any) -> dict[str, Any]:
    return {"rateLimitType": kind, "interval": interval, "intervalNum": number, "limit": amount}


def test_the_limits_are_stated_with_the_instruments() -> None:
    stated = [
        limit("REQUEST_WEIGHT", "MINUTE", 1, 6000),
        limit("ORDERS", "SECOND", 10, 100),
        limit("ORDERS", "DAY", 1, 200_000),
        limit("RAW_REQUESTS", "HOUR", 2, 61_000),
        limit("CONNECTIONS", "MINUTE", 5, 300),
        limit("ORDERS", "FORTNIGHT", 1, 5),
        limit("ORDERS", "SECOND", 0, 5),
        limit("ORDERS", "SECOND", 1, 0),
    ]
    response = answer({"rateLimits": stated, "symbols": [{"anything": 1}]})
    assert DRIVER.stated_rules(response, DRIVER.fetch_instruments()) == [
        RateRule("REQUEST_WEIGHT", 6000, 60_000),
        RateRule("ORDERS", 100, 10_000, is_per_account=True, fill_credit=1),
        RateRule("ORDERS", 200_000, 86_400_000, is_per_account=True, fill_credit=1),
        RateRule("RAW_REQUESTS", 61_000, 7_200_000),
    ]
    assert DRIVER.stated_rules(response, DRIVER.server_time()) == []


@pytest.mark.parametrize("body", [None, {}, {"rateLimits": 5}, {"rateLimits": [limit("ORDERS", "DAY", "x", 1)]}])
def test_limits_that_cannot_be_read_change_nothing(body: Any) -> None:
    assert DRIVER.stated_rules(answer(body), DRIVER.fetch_instruments()) == []


def test_hosts_that_count_together_have_one_name() -> None:
    """(fault F078)"""
    names = {
        DRIVER.budget_name({"rest": f"https://{host}"})
        for host in ("api.binance.com", "api1.binance.com", "api4.binance.com", "api-gcp.binance.com")
    }
    assert names == {"binance:api.binance.com"}
    for url in ("https://API.Binance.com", "https://api.binance.com:443", "https://api2.binance.com:443/"):
        assert DRIVER.budget_name({"rest": url}) == "binance:api.binance.com"
    for host in ("api1.testnet.binance.vision", "Testnet.binance.vision:443"):
        assert DRIVER.budget_name({"rest": f"https://{host}"}) == "binance:testnet.binance.vision"
    assert DRIVER.budget_name({"rest": "http://127.0.0.1:443"}) == "binance:127.0.0.1:443"
    for host in ("testnet.binance.vision", "127.0.0.1:8080", "api1.binance.com.example"):
        assert DRIVER.budget_name({"rest": f"https://{host}"}) == f"binance:{host}"


def test_an_account_connection_costs_weight() -> None:
    """2 for the connection and 2 for the sign-in (Binance: 4, 5.1)."""
    assert DRIVER.account_costs == (Cost("REQUEST_WEIGHT", 6),)
    assert DRIVER.fetch_order_book(BTCUSDT, 5).costs[0] == Cost("REQUEST_WEIGHT", 5)
