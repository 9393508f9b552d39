"""Windows, weights, bans and unfilled order counts."""

from __future__ import annotations

import http.client
import json
from urllib.parse import urlsplit

import pytest
import urllib3
import websocket

from exconn_sync.simulator import Simulator
from exconn_sync.simulator.binance.errors import ApiError
from exconn_sync.simulator.binance.limits import OrderCounter, WeightMeter, WindowCounter
from exconn_sync.simulator.rate_limits import RateLimits
from exconn_sync.simulator.traffic import Breaches, SeenRequest, Traffic
from tests.simulator.clients import Socket, eventually

MINUTE = 60_000
LIMIT = 10.0


def refusal(meter: WeightMeter, weight: int, now: int, address: str = "a") -> ApiError:
    with pytest.raises(ApiError) as refused:
        meter.admit(address, weight, now)
    return refused.value


def test_windows_follow_the_clock() -> None:
    counter = WindowCounter(lambda: MINUTE)
    counter.add("a", 3, MINUTE - 1)
    assert counter.count("a", MINUTE - 1) == 3
    assert counter.count("a", MINUTE) == 0
    assert counter.resets_at(MINUTE + 5) == 2 * MINUTE
    counter.add("a", 3, MINUTE)
    counter.give_back("a", 2, MINUTE, MINUTE + 5)
    counter.give_back("a", 2, MINUTE - 1, MINUTE + 5)
    assert counter.count("a", MINUTE + 5) == 1


def test_weight_is_refused_then_banned() -> None:
    traffic = Traffic()
    meter = WeightMeter(RateLimits(weight_per_minute=100), traffic)
    banned: list[str] = []
    meter.on_ban.append(banned.append)
    meter.admit("a", 98, 0)
    meter.admit("a", 2, 0)
    error = refusal(meter, 3, 0)
    assert (error.code, error.status, error.retry_at) == (-1003, 429, MINUTE)
    assert "current limit is 100 request weight per 1 MINUTE" in error.message
    meter.admit("b", 3, 0)
    for _ in range(9):
        refusal(meter, 3, 0)
    assert banned == []
    error = refusal(meter, 3, 0)
    assert (error.status, error.retry_at, banned) == (418, 2 * MINUTE, ["a"])
    assert f"IP banned until {2 * MINUTE}" in error.message
    refusal(meter, 1, MINUTE)
    meter.admit("a", 1, 2 * MINUTE)
    assert traffic.count_breaches() == Breaches(weight=11, during_ban=1, bans=1)


def test_bans_grow_for_those_who_go_on() -> None:
    """From 2 minutes to 3 days (the sheet's section 2)."""
    meter = WeightMeter(RateLimits(weight_per_minute=1, strikes_before_ban=0), Traffic())
    now, lengths = 0, []
    for _ in range(14):
        meter.admit("a", 1, now)
        until = refusal(meter, 1, now).retry_at
        assert until is not None
        lengths.append((until - now) // 1000)
        now = until
    assert lengths[:4] == [120, 240, 480, 960]
    assert lengths[-2:] == [259_200, 259_200]


def test_each_request_counts_whatever_its_weight() -> None:
    traffic = Traffic()
    meter = WeightMeter(RateLimits(raw_requests_per_5m=2), traffic)
    meter.admit_raw("a", 0)
    meter.admit_raw("a", 0)
    meter.admit_raw("b", 0)
    with pytest.raises(ApiError) as refused:
        meter.admit_raw("a", MINUTE)
    assert (refused.value.code, refused.value.status, refused.value.retry_at) == (-1003, 429, 5 * MINUTE)
    meter.admit_raw("a", 5 * MINUTE)
    assert traffic.breaches.raw_requests == 1


def test_unfilled_orders() -> None:
    traffic = Traffic()
    counter = OrderCounter(RateLimits(orders_per_10s=2), traffic)
    counter.add("a", 2, 0)
    with pytest.raises(ApiError) as refused:
        counter.admit("a", 0)
    assert refused.value.message == "Too many new orders; current limit is 2 orders per 10 SECOND."
    assert (refused.value.status, refused.value.retry_at) == (429, 10_000)
    counter.admit("a", 10_000)
    counter.admit("a", 10_000, 2)
    with pytest.raises(ApiError):
        counter.admit("a", 10_000, 3)
    assert counter.counts("a", 10_000) == (0, 2)
    counter.add("a", -5, 10_000)
    assert counter.counts("a", 10_000) == (0, 0)
    assert traffic.breaches.orders == 2


def test_over_the_limit_of_the_day_the_seconds_count_no_more() -> None:
    counter = OrderCounter(RateLimits(orders_per_day=2), Traffic())
    for _ in range(3):
        counter.add("a", 1, 0)
    assert counter.counts("a", 0) == (2, 3)
    with pytest.raises(ApiError) as refused:
        counter.admit("a", 0)
    assert "2 orders per 1 DAY" in refused.value.message


# --- over the wire --------------------------------------------------------------------------------------------------


class Asker:
    """Asks REST from an address of this machine."""

    def __init__(self, simulator: Simulator, address: str = "127.0.0.1") -> None:
        host, port = urlsplit(simulator.rest).hostname, urlsplit(simulator.rest).port
        self._connection = http.client.HTTPConnection(str(host), port, LIMIT, source_address=(address, 0))

    def __call__(self, path: str, **headers: str) -> http.client.HTTPResponse:
        self._connection.request("GET", path, headers=headers)
        response = self._connection.getresponse()
        response.body = response.read()  # type: ignore[attr-defined]
        return response

    def close(self) -> None:
        self._connection.close()


def test_short_windows_are_told_wherever_limits_are(quiet: Simulator) -> None:
    quiet.faults.rate_limits(weight_per_minute=70, weight_window_s=3, order_window_s=2, orders_per_10s=5)
    ask = Asker(quiet)
    answer = ask("/api/v3/exchangeInfo")
    limits = [list(each.values()) for each in json.loads(answer.body)["rateLimits"]]  # type: ignore[attr-defined]
    assert ["REQUEST_WEIGHT", "SECOND", 3, 70] in limits
    assert ["ORDERS", "SECOND", 2, 5] in limits
    assert ["RAW_REQUESTS", "MINUTE", 5, 300_000] in limits
    assert answer.getheader("X-MBX-USED-WEIGHT-3S") == "20"
    ask.close()


def test_addresses_are_counted_apart_whatever_their_headers_say(quiet: Simulator) -> None:
    """Everybody can write X-Forwarded-For."""
    quiet.faults.rate_limits(weight_per_minute=5)
    one, other = Asker(quiet, "127.0.0.7"), Asker(quiet, "127.0.0.8")
    for number in range(5):
        headers = {"X-Forwarded-For": f"10.0.0.{number}", "Forwarded": f"for=10.0.0.{number}"}
        assert one("/api/v3/ping", **headers).status == 200
    assert one("/api/v3/ping", **{"X-Forwarded-For": "10.9.9.9"}).status == 429
    assert other("/api/v3/ping").status == 200
    assert quiet.breaches() == Breaches(weight=1)
    assert quiet.breaches().total == 1
    told = urllib3.PoolManager().request("GET", f"{quiet.admin}/breaches").json()
    assert told == {"weight": 1, "raw_requests": 0, "orders": 0, "during_ban": 0, "bans": 0, "endpoint": 0}
    seen = quiet.request_log()
    assert [each.address for each in seen] == ["127.0.0.7"] * 6 + ["127.0.0.8"]
    assert [each.status for each in seen] == [200] * 5 + [429, 200]
    assert isinstance(seen[0], SeenRequest)
    one.close()
    other.close()


def test_a_ban_ends_the_connections_that_cost_and_refuses_new_ones(quiet: Simulator) -> None:
    quiet.faults.rate_limits(weight_per_minute=4, strikes_before_ban=1, ban_s=2)
    api, ask = Socket(quiet.ws_api), Asker(quiet)
    assert ask("/api/v3/ping").getheader("X-MBX-USED-WEIGHT-1M") == "3", "the connection cost 2"
    ask("/api/v3/ping")
    refused = ask("/api/v3/ping")
    assert (refused.status, refused.getheader("Retry-After") is None) == (429, False)
    banned = ask("/api/v3/ping")
    assert (banned.status, banned.getheader("Retry-After")) == (418, "2")
    with pytest.raises(ConnectionError):
        api.receive()
    api.close()
    eventually(lambda: quiet.cuts() == {"banned": 1})
    with pytest.raises(websocket.WebSocketBadStatusException) as shut:
        Socket(quiet.ws_api)
    assert shut.value.status_code == 418
    assert quiet.breaches() == Breaches(weight=2, during_ban=1, bans=1)
    ask.close()
