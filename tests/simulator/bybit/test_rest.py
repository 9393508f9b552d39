"""Form, security and public data of the REST face (Bybit: 2, 4.1 to 4.6)."""

import json
from decimal import Decimal
from urllib.parse import quote

import pytest

from exconn_sync.simulator import Simulator
from tests.simulator.clients import now_ms, sign

from .clients import Rest

INFO = "/v5/account/info"


def test_the_envelope(rest: Rest) -> None:
    response = rest.raw("GET", "/v5/market/time")
    answer = json.loads(response.data)
    assert list(answer) == ["retCode", "retMsg", "result", "retExtInfo", "time"]
    assert (answer["retCode"], answer["retExtInfo"]) == (0, {})
    assert isinstance(answer["time"], int)
    result = answer["result"]
    assert result["timeNano"].startswith(result["timeSecond"])
    assert abs(int(result["timeNano"]) // 1_000_000 - now_ms()) < 5000
    assert {"Traceid", "Timenow", "Ret_code"} <= set(response.headers)


def test_statuses_of_http(rest: Rest) -> None:
    assert rest.raw("GET", "/v5/market/nothing").status == 404
    assert rest.raw("GET", "/v5/market/time", body="{}").status == 403
    assert rest.raw("DELETE", "/v5/order/cancel").status == 400
    assert rest.raw("GET", INFO).status == 401
    # What is in the query instead of the headers is as good as nothing.
    assert rest.raw("GET", INFO, "api_key=x&timestamp=1&sign=y").status == 401


def test_business_errors_come_with_status_200(rest: Rest) -> None:
    response = rest.raw("GET", "/v5/market/tickers", "category=spot&symbol=NOSUCH")
    assert response.status == 200
    answer = json.loads(response.data)
    assert (answer["retCode"], answer["result"]) == (170121, {})


def test_unknown_parameters_are_left_alone(rest: Rest) -> None:
    assert rest.public("/v5/market/orderbook", symbol="BTCUSDT", nonsense="1")["retCode"] == 0


@pytest.mark.parametrize("params", [{}, {"category": "linear"}, {"category": "spot", "limit": "0"}])
def test_bad_parameters(rest: Rest, params: dict[str, str]) -> None:
    query = "&".join(f"{name}={value}" for name, value in {"symbol": "BTCUSDT", **params}.items())
    assert json.loads(rest.raw("GET", "/v5/market/orderbook", query).data)["retCode"] == 10001


# --- security -------------------------------------------------------------------------------------------------------


def test_a_signed_call(rest: Rest) -> None:
    assert rest.get(INFO)["result"]["unifiedMarginStatus"] == 5


def test_an_unknown_key(quiet: Simulator, rest: Rest) -> None:
    quiet.accounts.add("other", {})
    headers = rest.headers("") | {"X-BAPI-API-KEY": "nobody"}
    assert json.loads(rest.raw("GET", INFO, headers=headers).data)["retCode"] == 10003


def test_a_wrong_signature_is_told_with_what_was_signed(rest: Rest) -> None:
    headers = rest.headers("")
    timestamp, key, window = headers["X-BAPI-TIMESTAMP"], rest.key.api_key, headers["X-BAPI-RECV-WINDOW"]
    for signature in (sign("x", "y"), headers["X-BAPI-SIGN"].upper()):
        answer = json.loads(rest.raw("GET", INFO, headers=headers | {"X-BAPI-SIGN": signature}).data)
        assert answer["retCode"] == 10004
        assert f"{timestamp}{key}{window}" in answer["retMsg"]


def test_the_exact_bytes_are_signed(rest: Rest) -> None:
    query = "symbol=BTCUSDT&category=spot"
    other = "category=spot&symbol=BTCUSDT"
    signed = rest.headers(query)
    assert json.loads(rest.raw("GET", "/v5/account/fee-rate", query, headers=signed).data)["retCode"] == 0
    assert json.loads(rest.raw("GET", "/v5/account/fee-rate", other, headers=signed).data)["retCode"] == 10004


@pytest.mark.parametrize(("shift", "window", "code"), [(900, "5000", 0), (-4500, "5000", 0), (-8000, "20000", 0)])
def test_times_within_the_window(rest: Rest, shift: int, window: str, code: int) -> None:
    headers = rest.headers("", now_ms() + shift, window)
    assert json.loads(rest.raw("GET", INFO, headers=headers).data)["retCode"] == code


@pytest.mark.parametrize(("shift", "window"), [(1500, "5000"), (1500, "60000"), (-5500, "5000"), (-2500, "2000")])
def test_times_outside_of_it(rest: Rest, shift: int, window: str) -> None:
    sent = now_ms() + shift
    answer = json.loads(rest.raw("GET", INFO, headers=rest.headers("", sent, window)).data)
    assert answer["retCode"] == 10002
    assert f"req_timestamp[{sent}]" in answer["retMsg"]
    assert f"recv_window[{window}]" in answer["retMsg"]


def test_rsa_keys(quiet: Simulator) -> None:
    client = Rest(quiet, quiet.accounts.add_key(kind="rsa"))
    assert client.get(INFO)["retCode"] == 0
    assert client.get("/v5/user/query-api")["result"]["rsaPublicKey"].startswith("-----BEGIN PUBLIC KEY")
    client.close()


def test_a_key_of_another_exchange(quiet: Simulator) -> None:
    client = Rest(quiet, quiet.accounts.add_key(kind="ed25519"))
    assert client.get(INFO)["retCode"] == 10003
    client.close()


def test_a_key_that_may_only_look(quiet: Simulator) -> None:
    client = Rest(quiet, quiet.accounts.add_key(can_trade=False))
    assert client.get("/v5/user/query-api")["result"]["readOnly"] == 1
    assert client.create("Buy", "0.01", "50000")["retCode"] == 10005
    client.close()


def test_a_revoked_key(quiet: Simulator, rest: Rest) -> None:
    quiet.accounts.revoke(quiet.api_key)
    assert rest.get(INFO)["retCode"] == 10003


# --- public data ----------------------------------------------------------------------------------------------------


def test_instruments_come_in_one_answer(rest: Rest) -> None:
    answer = rest.public("/v5/market/instruments-info", limit=1, baseCoin="ETH")["result"]
    assert (answer["category"], "nextPageCursor" in answer) == ("spot", False)
    assert [row["symbol"] for row in answer["list"]] == ["BTCUSDT", "ETHUSDT", "BNBBTC"]
    row = answer["list"][0]
    assert (row["status"], row["priceFilter"]) == ("Trading", {"tickSize": "0.01"})
    lot = row["lotSizeFilter"]
    assert (lot["basePrecision"], lot["quotePrecision"], lot["minOrderAmt"]) == ("0.00001", "0.00000001", "5")
    assert row["riskParameters"] == {"priceLimitRatioX": "0.05", "priceLimitRatioY": "0.05"}
    assert len(rest.public("/v5/market/instruments-info", symbol="ETHUSDT")["result"]["list"]) == 1


def test_a_halted_pair_is_not_listed(quiet: Simulator, rest: Rest) -> None:
    quiet.market.set_status("ETHUSDT", "HALT")
    names = [row["symbol"] for row in rest.public("/v5/market/instruments-info")["result"]["list"]]
    assert "ETHUSDT" not in names


def test_the_book_has_one_level_unless_asked_for_more(quiet: Simulator, rest: Rest) -> None:
    quiet.market.quote("BTCUSDT", "buy", "59999.5", "0.25")
    first = rest.public("/v5/market/orderbook", symbol="BTCUSDT")["result"]
    assert (first["b"], first["a"], first["s"]) == ([["60000", "1"]], [["60010", "1"]], "BTCUSDT")
    assert all(isinstance(first[name], int) for name in ("ts", "u", "seq", "cts"))
    second = rest.public("/v5/market/orderbook", symbol="BTCUSDT", limit=1000)["result"]
    assert second["b"] == [["60000", "1"], ["59999.5", "0.25"]]
    assert second["u"] == first["u"]
    quiet.market.quote("BTCUSDT", "buy", "59999", "1")
    third = rest.public("/v5/market/orderbook", symbol="BTCUSDT", limit=1000)["result"]
    assert third["u"] == first["u"] + 1
    assert third["seq"] > first["seq"]


def test_tickers_and_trades(quiet: Simulator, rest: Rest) -> None:
    quiet.market.trade("BTCUSDT", "buy", "0.2")
    quiet.market.trade("BTCUSDT", "sell", "0.1")
    ticker = rest.public("/v5/market/tickers", symbol="BTCUSDT")["result"]["list"][0]
    assert (ticker["bid1Price"], ticker["ask1Size"], ticker["lastPrice"]) == ("60000", "0.8", "60000")
    assert (ticker["volume24h"], ticker["highPrice24h"], ticker["turnover24h"]) == ("0.3", "60010", "18002")
    assert len(rest.public("/v5/market/tickers")["result"]["list"]) == 3
    newest, oldest = rest.public("/v5/market/recent-trade", symbol="BTCUSDT")["result"]["list"]
    assert (newest["side"], newest["size"], newest["price"]) == ("Sell", "0.1", "60000")
    assert oldest["side"] == "Buy"
    assert isinstance(newest["seq"], str)
    assert int(newest["execId"]) > 2**53
    assert rest.public("/v5/market/recent-trade", symbol="BTCUSDT", limit=61)["retCode"] == 10001


@pytest.mark.parametrize("interval", ["1", "3", "720", "D", "W", "M"])
def test_klines_are_newest_first(quiet: Simulator, rest: Rest, interval: str) -> None:
    quiet.market.trade("BTCUSDT", "buy", "0.2")
    answer = rest.public("/v5/market/kline", symbol="BTCUSDT", interval=interval)["result"]
    assert answer["symbol"] == "BTCUSDT"
    # A period may have ended since the trade.
    row = next(row for row in answer["list"] if row[5] != "0")
    assert row in answer["list"][:2]
    assert row[1:] == ["60010", "60010", "60010", "60010", "0.2", "12002"]
    assert row[0].isdigit()


def test_klines_of_another_category_are_not_here(rest: Rest) -> None:
    assert json.loads(rest.raw("GET", "/v5/market/kline", "symbol=BTCUSDT&interval=1").data)["retCode"] == 10001
    assert rest.public("/v5/market/kline", symbol="BTCUSDT", interval="2")["retCode"] == 10001


def test_the_price_band(quiet: Simulator, rest: Rest) -> None:
    quiet.market.trade("BTCUSDT", "sell", "0.1")
    limits = rest.public("/v5/market/price-limit", symbol="BTCUSDT")["result"]
    assert (limits["buyLmt"], limits["sellLmt"]) == ("63000", "57000")
    assert rest.create("Buy", "0.01", "63000.01")["retCode"] == 170193
    assert rest.create("Sell", "0.01", "56999.99")["retCode"] == 170194
    assert rest.create("Buy", "0.01", "30000")["retCode"] == 0


# --- account --------------------------------------------------------------------------------------------------------


def test_the_wallet(rest: Rest) -> None:
    rest.placed("Buy", "0.01", "50000")
    account = rest.get("/v5/account/wallet-balance", accountType="UNIFIED")["result"]["list"][0]
    coins = {row["coin"]: row for row in account["coin"]}
    assert set(coins) == {"USDT", "BTC", "ETH", "BNB"}
    assert (coins["USDT"]["walletBalance"], coins["USDT"]["locked"]) == ("1000000", "500")
    assert (coins["USDT"]["availableToWithdraw"], coins["BTC"]["marginCollateral"]) == ("", True)
    assert Decimal(account["totalEquity"]) - Decimal(account["totalAvailableBalance"]) == 500
    query = f"accountType=UNIFIED&coin={quote('BTC,XYZ')}"
    named = json.loads(rest.get_raw("/v5/account/wallet-balance", query).data)["result"]["list"][0]["coin"]
    assert [(row["coin"], row["walletBalance"]) for row in named] == [("BTC", "100"), ("XYZ", "0")]
    assert rest.get("/v5/account/wallet-balance", accountType="SPOT")["retCode"] == 10001


def test_other_facts_about_the_account(quiet: Simulator, rest: Rest) -> None:
    quiet.accounts.commission(maker="-0.0001", taker="0.0018")
    rates = rest.get("/v5/account/fee-rate", category="spot", symbol="BTCUSDT")["result"]["list"]
    assert (rates[0]["takerFeeRate"], rates[0]["makerFeeRate"]) == ("0.0018", "-0.0001")
    assert rest.get("/v5/account/fee-rate")["retCode"] == 10001
    assert rest.get("/v5/account/smp-group")["result"] == {"smpGroup": 0}
    assert rest.get("/v5/account/user-setting-config")["result"]["lpaSpot"] is False
    key = rest.get("/v5/user/query-api")["result"]
    assert (key["apiKey"], key["secret"], key["uta"]) == (quiet.api_key, "", 1)
    assert key["permissions"]["Spot"] == ["SpotTrade"]
    check = rest.get("/v5/order/spot-borrow-check", category="spot", symbol="BTCUSDT", side="Sell")["result"]
    assert (check["spotMaxTradeQty"], check["borrowCoin"]) == ("100", "BTC")
    assert len(rest.get("/v5/account/instruments-info", category="spot")["result"]["list"]) == 3
