"""How much may be asked (Bybit: 3), and what the demo environment lacks (Bybit: 9.2)."""

import json

import pytest
import websocket

from exconn_sync.simulator import Simulator
from tests.simulator.clients import PATIENCE_S, now_ms

from .clients import Private, Public, Rest, Trade

SPOT = {"category": "spot", "symbol": "BTCUSDT"}
INFO = "/v5/account/info"


def test_the_quota_of_an_endpoint_is_told(rest: Rest) -> None:
    first, second = rest.get_raw(INFO, ""), rest.get_raw(INFO, "")
    left = [response.headers["X-Bapi-Limit-Status"] for response in (first, second)]
    assert (first.headers["X-Bapi-Limit"], left) == ("50", ["49", "48"])
    assert abs(int(first.headers["X-Bapi-Limit-Reset-Timestamp"]) - now_ms()) < 5000
    assert "X-Bapi-Limit" not in rest.raw("GET", "/v5/market/time").headers


def test_one_call_too_many(quiet: Simulator, rest: Rest) -> None:
    quiet.faults.rate_limits(endpoint_per_s={INFO: 2})
    for _ in range(2):
        assert rest.get(INFO)["retCode"] == 0
    refused = rest.get_raw(INFO, "")
    assert (refused.status, json.loads(refused.data)["retCode"]) == (200, 10006)
    assert refused.headers["X-Bapi-Limit-Status"] == "0"
    reset_at = int(refused.headers["X-Bapi-Limit-Reset-Timestamp"])
    assert json.loads(refused.data)["time"] < reset_at <= now_ms() + 1000
    # Other endpoints and other accounts have quotas of their own, and time heals.
    assert rest.get("/v5/user/query-api")["retCode"] == 0
    other = Rest(quiet, quiet.accounts.add("other", {}))
    assert other.get(INFO)["retCode"] == 0
    other.close()
    quiet.faults.offset_clock(1000)
    answer = rest.raw("GET", INFO, headers=rest.headers("", now_ms() + 1000))
    assert json.loads(answer.data)["retCode"] == 0
    assert quiet.breaches().endpoint == 1
    assert quiet.breaches().total == 1


def test_documented_quotas(rest: Rest) -> None:
    expected = {
        "/v5/order/create": "20",
        "/v5/order/amend": "10",
        "/v5/order/cancel": "20",
        "/v5/order/cancel-all": "20",
        "/v5/order/create-batch": "20",
        "/v5/order/disconnected-cancel-all": "5",
    }
    assert {path: rest.post_raw(path).headers["X-Bapi-Limit"] for path in expected} == expected


def test_a_batch_costs_its_orders_and_overflows_in_part(quiet: Simulator, rest: Rest) -> None:
    quiet.faults.rate_limits(endpoint_per_s={"/v5/order/create-batch": 5})
    order = {"symbol": "BTCUSDT", "side": "Buy", "orderType": "Limit", "qty": "0.01", "price": "50000"}
    response = rest.post_raw("/v5/order/create-batch", category="spot", request=[order] * 8)
    answer = json.loads(response.data)
    assert answer["retCode"] == 0
    assert [row["code"] for row in answer["retExtInfo"]["list"]] == [0] * 5 + [10006] * 3
    assert response.headers["X-Bapi-Limit-Status"] == "0"
    assert len(quiet.accounts.orders()) == 5
    # Single orders have another bucket.
    rest.placed("Buy", "0.01", "50000")


def test_an_address_that_asks_too_often_is_shut_out(quiet: Simulator, rest: Rest) -> None:
    quiet.faults.rate_limits(requests_per_5s=3)
    statuses = [rest.raw("GET", "/v5/market/time").status for _ in range(5)]
    assert statuses == [200, 200, 200, 403, 403]
    assert (quiet.breaches().raw_requests, quiet.breaches().during_ban, quiet.breaches().bans) == (1, 1, 1)
    quiet.faults.offset_clock(599_000)
    assert rest.raw("GET", "/v5/market/time").status == 403
    quiet.faults.offset_clock(601_000)
    assert rest.raw("GET", "/v5/market/time").status == 200


def test_as_many_requests_as_documented(rest: Rest) -> None:
    statuses = [rest.raw("GET", "/v5/market/time").status for _ in range(20)]
    assert set(statuses) == {200}


def test_connections_are_limited(quiet: Simulator) -> None:
    quiet.faults.rate_limits(connections_per_5m=2)
    Public(quiet).close()
    Private(quiet).close()
    # Whichever socket it is, they are of one domain.
    with pytest.raises(websocket.WebSocketBadStatusException):
        Trade(quiet)
    assert len(quiet.connection_log()) == 3


# --- demo -----------------------------------------------------------------------------------------------------------


def test_the_demo_environment() -> None:
    with Simulator("bybit", demo=True) as simulator:
        rest = Rest(simulator)
        assert rest.create("Buy", "0.01", "58000")["retCode"] == 0
        for path in ("create", "amend", "cancel"):
            assert rest.post(f"/v5/order/{path}-batch", category="spot", request=[{}])["retCode"] == 10032
        lacking = ("account/fee-rate", "user/query-api", "account/smp-group", "account/query-dcp-info")
        assert {rest.get(f"/v5/{path}", category="spot")["retCode"] for path in lacking} == {10032}
        assert rest.post("/v5/order/disconnected-cancel-all", product="SPOT", timeWindow=10)["retCode"] == 10032
        assert rest.get("/v5/account/info")["retCode"] == 0
        assert rest.public("/v5/market/orderbook", symbol="BTCUSDT")["retCode"] == 0
        rest.close()
        for socket in (Public, Trade):
            with pytest.raises(websocket.WebSocketBadStatusException, match="404"):
                socket(simulator)
        Private(simulator).subscribed("order", "execution", "wallet").close()


def test_an_address_that_is_shut_out_gets_no_connection(quiet: Simulator, rest: Rest) -> None:
    """(Bybit: 2.2: all sessions are to be closed)"""
    quiet.faults.rate_limits(requests_per_5s=0)
    assert rest.raw("GET", "/v5/market/time").status == 403
    for url in (quiet.public, quiet.private, quiet.trade):
        with pytest.raises(websocket.WebSocketBadStatusException, match="403"):
            websocket.create_connection(url, timeout=PATIENCE_S)
    assert quiet.breaches().during_ban == 3
    quiet.faults.offset_clock(601_000)
    Public(quiet).close()
