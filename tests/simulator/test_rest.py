"""Public data and the checks around every call, over real HTTP."""

from itertools import pairwise

import pytest

from exconn_sync.simulator import Simulator

from .clients import Rest, eventually, now_ms, sign


def test_ping_and_time(rest: Rest) -> None:
    assert rest.get("/api/v3/ping") == (200, {})
    before = now_ms()
    status, body = rest.get("/api/v3/time")
    assert status == 200
    assert before <= body["serverTime"] <= now_ms()


def test_microseconds_on_request(rest: Rest) -> None:
    response = rest.raw("GET", "/api/v3/time", X_MBX_TIME_UNIT="microsecond")
    assert abs(response.json()["serverTime"] // 1000 - now_ms()) < 1000
    assert rest.raw("GET", "/api/v3/time", X_MBX_TIME_UNIT="HOUR").json()["code"] == -1194


def test_exchange_info(rest: Rest) -> None:
    _, everything = rest.get("/api/v3/exchangeInfo")
    assert {symbol["symbol"] for symbol in everything["symbols"]} >= {"BTCUSDT", "ETHUSDT", "BNBBTC"}
    assert {limit["rateLimitType"] for limit in everything["rateLimits"]} == {
        "REQUEST_WEIGHT",
        "ORDERS",
        "RAW_REQUESTS",
    }
    _, one = rest.get("/api/v3/exchangeInfo", symbol="BTCUSDT")
    (symbol,) = one["symbols"]
    filters = {entry["filterType"]: entry for entry in symbol["filters"]}
    assert filters["PRICE_FILTER"]["tickSize"] == "0.01000000"
    assert filters["LOT_SIZE"]["stepSize"] == "0.00001000"
    _, two = rest.get("/api/v3/exchangeInfo", symbols='["BTCUSDT","BNBBTC"]')
    assert [symbol["symbol"] for symbol in two["symbols"]] == ["BTCUSDT", "BNBBTC"]


@pytest.mark.parametrize(
    ("path", "params", "code"),
    [
        ("/api/v3/exchangeInfo", {"symbol": "NOPE"}, -1121),
        ("/api/v3/exchangeInfo", {"symbols": '["BTCUSDT","BTCUSDT"]'}, -1151),
        ("/api/v3/exchangeInfo", {"symbols": "BTCUSDT"}, -1100),
        ("/api/v3/exchangeInfo", {"symbols": "[]", "symbol": "BTCUSDT"}, -1128),
        ("/api/v3/depth", {}, -1102),
        ("/api/v3/depth", {"symbol": ""}, -1102),
        ("/api/v3/depth", {"symbol": "NOPE"}, -1121),
        ("/api/v3/depth", {"symbol": "BTCUSDT", "limit": "ten"}, -1100),
        ("/api/v3/depth", {"symbol": "BTCUSDT", "limit": ""}, -1105),
        ("/api/v3/depth", {"symbol": "BTCUSDT", "extra": "1"}, -1104),
        ("/api/v3/ping", {"extra": "1"}, -1101),
        ("/api/v3/account", {}, -2014),
    ],
)
def test_errors_of_public_calls(rest: Rest, path: str, params: dict[str, str], code: int) -> None:
    status, body = rest.get(path, **params)
    assert body["code"] == code
    assert status == (401 if code == -2014 else 400)


def test_the_same_name_twice(rest: Rest) -> None:
    response = rest.raw("GET", "/api/v3/depth", "symbol=BTCUSDT&symbol=BTCUSDT")
    assert response.json() == {"code": -1101, "msg": "Duplicate values for a parameter detected."}


def test_depth_is_the_truth(quiet: Simulator, rest: Rest) -> None:
    quiet.market.quote("BTCUSDT", "buy", "59999.5", "0.25")
    status, body = rest.get("/api/v3/depth", symbol="BTCUSDT", limit=5)
    update_id, bids, asks = quiet.market.order_book("BTCUSDT")
    assert status == 200
    assert body["lastUpdateId"] == update_id
    assert body["bids"] == [["60000.00000000", "1.00000000"], ["59999.50000000", "0.25000000"]]
    assert (len(bids), len(asks)) == (2, 1)
    assert len(rest.get("/api/v3/depth", symbol="BTCUSDT", limit=1)[1]["bids"]) == 1


def test_trades_and_tickers(quiet: Simulator, rest: Rest) -> None:
    quiet.market.trade("BTCUSDT", "sell", "0.5")
    _, trades = rest.get("/api/v3/trades", symbol="BTCUSDT", limit=1)
    assert trades[0] | {"id": 0, "time": 0} == {
        "id": 0,
        "price": "60000.00000000",
        "qty": "0.50000000",
        "quoteQty": "30000.00000000",
        "time": 0,
        "isBuyerMaker": True,
        "isBestMatch": True,
    }
    assert rest.get("/api/v3/ticker/price", symbol="BTCUSDT")[1] == {"symbol": "BTCUSDT", "price": "60000.00000000"}
    assert rest.get("/api/v3/ticker/bookTicker", symbol="BTCUSDT")[1] == {
        "symbol": "BTCUSDT",
        "bidPrice": "60000.00000000",
        "bidQty": "0.50000000",
        "askPrice": "60010.00000000",
        "askQty": "1.00000000",
    }
    assert len(rest.get("/api/v3/ticker/price")[1]) == 3


def test_unknown_paths(rest: Rest) -> None:
    assert rest.raw("GET", "/api/v3/nothing").status == 404
    assert rest.raw("POST", "/api/v3/ping").status == 404
    assert b"<html>" in rest.raw("GET", "/nothing", Accept="text/html").data


def test_weight_is_counted_and_told(rest: Rest) -> None:
    # Two requests may fall into two minutes; then the second count starts again.
    def cost_of_depth() -> int:
        first = int(rest.raw("GET", "/api/v3/ping").headers["X-MBX-USED-WEIGHT-1M"])
        second = rest.raw("GET", "/api/v3/depth", "symbol=BTCUSDT&limit=500").headers["X-MBX-USED-WEIGHT-1M"]
        return int(second) - first

    eventually(lambda: cost_of_depth() == 25)


def test_too_much_weight(quiet: Simulator, rest: Rest) -> None:
    quiet.faults.rate_limits(weight_per_minute=10)
    while (response := rest.raw("GET", "/api/v3/ping")).status == 200:
        pass
    assert (response.status, response.json()["code"]) == (429, -1003)
    assert "current limit is 10 request weight per 1 MINUTE" in response.json()["msg"]
    assert 1 <= int(response.headers["Retry-After"]) <= 60


def test_order_of_security_checks(rest: Rest) -> None:
    key = rest.simulator.api_key
    assert rest.raw("GET", "/api/v3/account", X_MBX_APIKEY="x" * 64).json()["code"] == -2015
    no_time = rest.raw("GET", "/api/v3/account", "signature=1", X_MBX_APIKEY=key)
    assert "'timestamp'" in no_time.json()["msg"]
    old = rest.raw("GET", "/api/v3/account", f"timestamp={now_ms() - 6000}&signature=1", X_MBX_APIKEY=key)
    assert old.json()["code"] == -1021
    unsigned = rest.raw("GET", "/api/v3/account", f"timestamp={now_ms()}", X_MBX_APIKEY=key)
    assert "'signature'" in unsigned.json()["msg"]
    wrong = rest.raw("GET", "/api/v3/account", f"timestamp={now_ms()}&signature=1", X_MBX_APIKEY=key)
    assert wrong.json() == {"code": -1022, "msg": "Signature for this request is not valid."}


def test_parameters_in_query_and_body(rest: Rest) -> None:
    query = "symbol=BTCUSDT&side=BUY&type=LIMIT&timeInForce=GTC"
    body = f"quantity=0.01&price=50000&timestamp={now_ms()}"
    signature = sign(rest.simulator.api_secret, query + body)
    response = rest.raw(
        "POST", "/api/v3/order", query, f"{body}&signature={signature}", X_MBX_APIKEY=rest.simulator.api_key
    )
    assert response.status == 200, response.data
    assert response.json()["status"] == "NEW"


def test_account(rest: Rest) -> None:
    status, body = rest.signed("GET", "/api/v3/account", omitZeroBalances="true")
    assert status == 200
    assert {"asset": "BTC", "free": "100.00000000", "locked": "0.00000000"} in body["balances"]
    assert body["commissionRates"]["maker"] == "0.00100000"


def test_a_shifted_clock_refuses_right_timestamps(quiet: Simulator, rest: Rest) -> None:
    quiet.faults.offset_clock(-10_000)
    assert rest.signed("GET", "/api/v3/account")[1]["code"] == -1021
    _, server = rest.get("/api/v3/time")
    assert rest.signed("GET", "/api/v3/account", timestamp=server["serverTime"])[0] == 200


def test_nodes_may_disagree_about_the_time(quiet: Simulator, rest: Rest) -> None:
    with quiet.faults.disagreeing_clocks(60_000):
        told = [rest.get("/api/v3/time")[1]["serverTime"] for _ in range(4)]
    assert {abs(after - before) > 50_000 for before, after in pairwise(told)} == {True}
    assert abs(rest.get("/api/v3/time")[1]["serverTime"] - min(told)) < 10_000
