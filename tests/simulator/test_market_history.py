"""Past trades, aggregates, averages, candles of the calendar, tickers of any window: over real HTTP."""

from decimal import Decimal
from typing import Any

import pytest

from exconn_sync.simulator import Simulator, spec_of
from exconn_sync.simulator.core.events import CommandEnded, PublicTrade
from exconn_sync.simulator.core.exchange import Exchange
from exconn_sync.simulator.core.markets import REMEMBERED_TRADES
from exconn_sync.simulator.core.trade_history import REMEMBERED, TradeHistory

from .clients import Rest, Socket, WsApi

D = Decimal
MINUTE = 60_000
DAY = 86_400_000
QUARTER = 15 * MINUTE


def trade_five_times(quiet: Simulator) -> None:
    """Sell five times 0.1 at 60000."""
    for _ in range(5):
        quiet.market.trade("BTCUSDT", "sell", "0.1")


# --- trades -------------------------------------------------------------------------------------------------------


def test_old_trades_from_an_id_on(quiet: Simulator, rest: Rest) -> None:
    trade_five_times(quiet)
    path = "/api/v3/historicalTrades"
    _, newest = rest.get(path, symbol="BTCUSDT", limit=2)
    assert [row["id"] for row in newest] == [4, 5]
    _, page = rest.get(path, symbol="BTCUSDT", limit=2, fromId=2)
    assert [row["id"] for row in page] == [2, 3]
    assert page == rest.get("/api/v3/trades", symbol="BTCUSDT")[1][1:3]
    assert rest.get(path, symbol="BTCUSDT", fromId=6)[1] == []


def test_there_are_no_block_trades(rest: Rest) -> None:
    path = "/api/v3/historicalBlockTrades"
    assert rest.get(path, symbol="BTCUSDT", fromId=0) == (200, [])
    assert rest.get(path, symbol="BTCUSDT")[1]["code"] == -1102


def test_an_aggregate_is_one_takers_trades_at_one_price(quiet: Simulator, rest: Rest) -> None:
    quiet.market.quote("BTCUSDT", "buy", 60000, "0.5")
    quiet.market.quote("BTCUSDT", "buy", 59000, 1)
    quiet.market.trade("BTCUSDT", "sell", 2)
    quiet.market.trade("BTCUSDT", "buy", "0.25")
    _, rows = rest.get("/api/v3/aggTrades", symbol="BTCUSDT")
    shown = [(row["a"], row["p"], row["q"], row["f"], row["l"], row["m"], row["M"]) for row in rows]
    assert shown == [
        (1, "60000.00000000", "1.50000000", 1, 2, True, True),
        (2, "59000.00000000", "0.50000000", 3, 3, True, True),
        (3, "60010.00000000", "0.25000000", 4, 4, False, True),
    ]


def test_aggregates_carry_the_ids_of_the_stream(quiet: Simulator, rest: Rest) -> None:
    socket = Socket(f"{quiet.stream}/ws/btcusdt@aggTrade")
    trade_five_times(quiet)
    sent = [socket.receive() for _ in range(5)]
    socket.close()
    _, rows = rest.get("/api/v3/aggTrades", symbol="BTCUSDT")
    assert rows == [{key: value for key, value in frame.items() if key not in "eEs"} for frame in sent]


def test_pages_of_aggregates(quiet: Simulator, rest: Rest) -> None:
    trade_five_times(quiet)
    _, rows = rest.get("/api/v3/aggTrades", symbol="BTCUSDT")
    first, last = rows[0]["T"], rows[-1]["T"]

    def ids(**params: object) -> list[int]:
        _, found = rest.get("/api/v3/aggTrades", symbol="BTCUSDT", **params)
        return [row["a"] for row in found]

    assert ids(limit=2) == [4, 5]
    assert ids(fromId=2, limit=3) == [2, 3, 4]
    assert ids(startTime=first, limit=2) == [1, 2]
    assert ids(endTime=last, limit=2) == [4, 5]
    assert ids(startTime=first, endTime=last) == [1, 2, 3, 4, 5]
    assert ids(startTime=first * 1000, endTime=last * 1000) == [1, 2, 3, 4, 5]
    assert ids(startTime=last + 1) == ids(endTime=first - 1) == []
    assert ids(startTime=first, endTime=first)[0] == 1
    _, refused = rest.get("/api/v3/aggTrades", symbol="BTCUSDT", fromId=1, startTime=first)
    assert refused["code"] == -1128


def test_a_history_is_bounded() -> None:
    exchange = Exchange()
    history = TradeHistory(exchange)
    for number in range(1, REMEMBERED + 11):
        history.hear(PublicTrade("BTCUSDT", number, D(1), D(1), number, buyer_is_maker=False))
        history.hear(CommandEnded("BTCUSDT", number, None, None, top_changed=False, time=number))
    assert (len(history.aggregates("BTCUSDT")), history.aggregates("BTCUSDT")[0].aggregate_id) == (REMEMBERED, 11)
    exchange.burst("BTCUSDT", REMEMBERED_TRADES + 10, 1)
    trades = exchange.market("BTCUSDT").trades
    assert (len(trades), trades[0].trade_id) == (REMEMBERED_TRADES, 11)


# --- averages -----------------------------------------------------------------------------------------------------


def test_the_average_is_weighted_by_volume(quiet: Simulator, rest: Rest) -> None:
    assert rest.get("/api/v3/avgPrice", symbol="BTCUSDT")[1] == {"mins": 5, "price": "60000.00000000", "closeTime": 0}
    quiet.market.trade("BTCUSDT", "sell", "0.75")
    quiet.market.trade("BTCUSDT", "buy", "0.25")
    _, found = rest.get("/api/v3/avgPrice", symbol="BTCUSDT")
    assert (found["mins"], found["price"]) == (5, "60002.50000000")
    assert found["closeTime"] == rest.get("/api/v3/trades", symbol="BTCUSDT")[1][-1]["time"]


def test_without_a_trade_in_its_span_the_last_price_counts() -> None:
    market = Exchange().market("BTCUSDT")
    assert (market.mean_price(5, 0), market.last_trade_time) == (D(60000), 0)
    for number, price in enumerate((100, 200)):
        market.trades.append(PublicTrade("BTCUSDT", number, D(price), D(1), 1000 * number, buyer_is_maker=False))
        market.last_price = D(price)
    assert (market.mean_price(5, 2000), market.last_trade_time) == (D(150), 1000)
    assert market.mean_price(0, 2000) == D(200)
    assert market.mean_price(5, 5 * MINUTE + 500) == D(200)
    assert market.mean_price(5, 10 * MINUTE) == D(200)


# --- candles ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("interval", ["1s", "1m", "3m", "15m", "1h", "12h", "1d", "3d", "1w", "1M"])
def test_every_interval_holds_what_was_traded(quiet: Simulator, rest: Rest, interval: str) -> None:
    quiet.market.trade("BTCUSDT", "buy", "0.25")
    for path in ("/api/v3/klines", "/api/v3/uiKlines"):
        _, rows = rest.get(path, symbol="BTCUSDT", interval=interval)
        assert sum(D(row[5]) for row in rows) == D("0.25")
        assert all(row[0] <= row[6] for row in rows)


def test_days_of_another_time_zone(quiet: Simulator, rest: Rest) -> None:
    quiet.market.trade("BTCUSDT", "buy", "0.25")
    for zone, hours in (("8", 8), ("+8:00", 8), ("-1:00", -1), ("05:45", 5.75), ("0", 0), ("14", 14), ("-12", -12)):
        _, rows = rest.get("/api/v3/klines", symbol="BTCUSDT", interval="1d", timeZone=zone, limit=1)
        assert (rows[0][0] + hours * 3_600_000) % DAY == 0, zone
        assert rows[0][6] == rows[0][0] + DAY - 1
        assert rows[0][5] == "0.25000000"


@pytest.mark.parametrize("zone", ["15", "-12:01", "14:30", "8:60", "UTC", "+", "8:0"])
def test_time_zones_that_do_not_exist(rest: Rest, zone: str) -> None:
    _, body = rest.get("/api/v3/klines", symbol="BTCUSDT", interval="1d", timeZone=zone)
    assert body["code"] == -1130


# --- tickers ------------------------------------------------------------------------------------------------------

SHORT = {
    "symbol", "openPrice", "highPrice", "lowPrice", "lastPrice", "volume", "quoteVolume", "openTime", "closeTime",
    "firstId", "lastId", "count",
}  # fmt: skip
CHANGES = {"priceChange", "priceChangePercent", "weightedAvgPrice"}
DAY_ONLY = {"prevClosePrice", "lastQty", "bidPrice", "bidQty", "askPrice", "askQty"}


@pytest.mark.parametrize(
    ("path", "full"),
    [
        ("/api/v3/ticker/24hr", SHORT | CHANGES | DAY_ONLY),
        ("/api/v3/ticker/tradingDay", SHORT | CHANGES),
        ("/api/v3/ticker", SHORT | CHANGES),
    ],
)
def test_long_and_short_tickers(quiet: Simulator, rest: Rest, path: str, full: set[str]) -> None:
    trade_five_times(quiet)
    _, one = rest.get(path, symbol="BTCUSDT")
    assert set(one) == full
    assert (one["volume"], one["count"], one["firstId"], one["lastId"]) == ("0.50000000", 5, 1, 5)
    _, some = rest.get(path, symbols='["BTCUSDT","ETHUSDT"]', type="MINI")
    assert [set(row) for row in some] == [SHORT, SHORT]
    assert (some[1]["firstId"], some[1]["lastPrice"]) == (-1, "3000.00000000")
    assert rest.get(path, symbol="BTCUSDT", type="full")[1]["code"] == -1139


def test_a_trading_day_is_a_whole_day(quiet: Simulator, rest: Rest) -> None:
    trade_five_times(quiet)
    for zone, hours in (("0", 0), ("-3", -3), ("5:30", 5.5)):
        _, day = rest.get("/api/v3/ticker/tradingDay", symbol="BTCUSDT", timeZone=zone)
        assert (day["openTime"] + hours * 3_600_000) % DAY == 0
        assert day["closeTime"] == day["openTime"] + DAY - 1
        assert day["count"] == 5


@pytest.mark.parametrize(
    ("size", "length"), [("1m", MINUTE), ("59m", 59 * MINUTE), ("4h", 4 * 60 * MINUTE), ("7d", 7 * DAY)]
)
def test_a_rolling_window_opens_on_a_minute(quiet: Simulator, rest: Rest, size: str, length: int) -> None:
    trade_five_times(quiet)
    _, window = rest.get("/api/v3/ticker", symbol="BTCUSDT", windowSize=size)
    assert window["openTime"] % MINUTE == 0
    assert length <= window["closeTime"] - window["openTime"] <= length + 59_999
    assert (window["count"], window["lastPrice"]) == (5, "60000.00000000")


ERRORS: list[tuple[str, dict[str, str], int]] = [
    ("/api/v3/ticker", {}, -1102),
    ("/api/v3/ticker/tradingDay", {}, -1102),
    ("/api/v3/ticker", {"symbols": "[]"}, -1102),
    ("/api/v3/ticker", {"symbol": "BTCUSDT", "windowSize": "60m"}, -1100),
    ("/api/v3/ticker", {"symbol": "BTCUSDT", "windowSize": "1d1h"}, -1100),
    ("/api/v3/ticker", {"symbol": "BTCUSDT", "extra": "1"}, -1104),
    ("/api/v3/ticker/tradingDay", {"symbol": "BTCUSDT", "timeZone": "x"}, -1130),
    ("/api/v3/ticker/24hr", {"symbols": '["BTCUSDT","BTCUSDT"]'}, -1151),
    ("/api/v3/ticker/24hr", {"symbol": "NOPE"}, -1121),
    ("/api/v3/ticker/price", {"symbol": "BTCUSDT", "symbols": '["BTCUSDT"]'}, -1128),
    ("/api/v3/ticker/bookTicker", {"symbolStatus": "OPEN"}, -1122),
    ("/api/v3/historicalTrades", {"symbol": "BTCUSDT", "startTime": "1"}, -1104),
    ("/api/v3/aggTrades", {"fromId": "1"}, -1102),
    ("/api/v3/klines", {"symbol": "BTCUSDT", "interval": "1W"}, -1120),
    ("/api/v3/klines", {"symbol": "BTCUSDT"}, -1102),
    ("/api/v3/avgPrice", {"symbol": "BTCUSDT", "limit": "1"}, -1104),
    ("/api/v3/executionRules", {"symbol": "BTCUSDT", "symbolStatus": "TRADING"}, -1128),
    ("/api/v3/referencePrice", {"symbol": "BTCUSDT"}, -2043),
    ("/api/v3/referencePrice/calculation", {"symbol": "BTCUSDT"}, -2043),
    ("/api/v3/referencePrice", {}, -1102),
]


@pytest.mark.parametrize(("path", "params", "code"), ERRORS)
def test_errors(rest: Rest, path: str, params: dict[str, str], code: int) -> None:
    assert rest.get(path, **params)[1]["code"] == code


def test_more_than_a_hundred_symbols() -> None:

    symbols = [
        spec_of(f"C{number}", "USDT", tick="0.01", step="0.01", min_notional="1", start_price="10")
        for number in range(101)
    ]
    with Simulator(running_market=False, symbols=symbols) as many:
        client = Rest(many)
        names = "[" + ",".join(f'"{spec.name}"' for spec in symbols) + "]"
        assert client.get("/api/v3/ticker", symbols=names)[1]["code"] == -1101
        assert len(client.get("/api/v3/ticker/24hr", symbols=names)[1]) == 101
        client.close()


# --- symbol status ------------------------------------------------------------------------------------------------


def test_the_status_of_symbols(quiet: Simulator, rest: Rest) -> None:
    quiet.market.set_status("ETHUSDT", "HALT")
    for path in ("/api/v3/ticker/24hr", "/api/v3/ticker/price", "/api/v3/ticker/bookTicker"):
        assert rest.get(path, symbol="ETHUSDT", symbolStatus="TRADING")[1]["code"] == -1220
        assert rest.get(path, symbol="ETHUSDT", symbolStatus="HALT")[0] == 200
        assert [row["symbol"] for row in rest.get(path, symbolStatus="TRADING")[1]] == ["BTCUSDT", "BNBBTC"]
        assert rest.get(path, symbols='["BTCUSDT","BNBBTC"]', symbolStatus="BREAK")[1] == []
    for path in ("/api/v3/ticker", "/api/v3/ticker/tradingDay", "/api/v3/depth"):
        assert rest.get(path, symbol="ETHUSDT", symbolStatus="TRADING")[1]["code"] == -1220
    assert [row["symbol"] for row in rest.get("/api/v3/exchangeInfo", symbolStatus="HALT")[1]["symbols"]] == ["ETHUSDT"]
    assert rest.get("/api/v3/exchangeInfo", symbol="ETHUSDT")[1]["symbols"][0]["status"] == "HALT"


def test_a_symbol_that_does_not_trade_takes_no_orders_and_lets_them_go(quiet: Simulator, rest: Rest) -> None:
    _, order = rest.limit("BUY", "0.01", 50000)
    for status in ("HALT", "BREAK", "CANCEL_ONLY", "END_OF_DAY"):
        quiet.market.set_status("BTCUSDT", status)
        closed = {"code": -2010, "msg": "Market is closed."}
        assert rest.market("BUY", quantity="0.01")[1] == closed
        order_test = {"symbol": "BTCUSDT", "side": "BUY", "type": "MARKET", "quantity": "0.01"}
        assert rest.signed("POST", "/api/v3/order/test", **order_test)[1] == closed
    cancelled = rest.signed("DELETE", "/api/v3/order", symbol="BTCUSDT", orderId=order["orderId"])
    assert cancelled[1]["status"] == "CANCELED"
    quiet.market.set_status("BTCUSDT", "TRADING")
    assert rest.market("BUY", quantity="0.01")[0] == 200


def test_which_symbols_the_exchange_info_tells(rest: Rest) -> None:
    def names(**params: Any) -> list[str]:
        return [row["symbol"] for row in rest.get("/api/v3/exchangeInfo", **params)[1]["symbols"]]

    everything = ["BTCUSDT", "ETHUSDT", "BNBBTC"]
    assert names() == names(permissions="SPOT") == names(permissions='["SPOT","MARGIN"]') == everything
    assert names(permissions="TRD_GRP_004") == []
    _, bare = rest.get("/api/v3/exchangeInfo", symbol="BTCUSDT", showPermissionSets="false")
    assert bare["symbols"][0]["permissionSets"] == []
    for params, code in (
        ({"permissions": "NOPE"}, -1130),
        ({"permissions": "SPOT", "symbol": "BTCUSDT"}, -1128),
        ({"symbolStatus": "TRADING", "symbols": '["BTCUSDT"]'}, -1128),
        ({"symbolStatus": "OPEN"}, -1122),
        ({"showPermissionSets": "maybe"}, -1100),
    ):
        assert rest.get("/api/v3/exchangeInfo", **params)[1]["code"] == code


# --- execution rules and reference prices -----------------------------------------------------------------------------


def test_execution_rules(quiet: Simulator, rest: Rest) -> None:
    assert rest.get("/api/v3/executionRules", symbol="BTCUSDT")[1] == {
        "symbolRules": [{"symbol": "BTCUSDT", "rules": []}]
    }
    quiet.market.set_price_range("BTCUSDT", bid_up="1.05", ask_down="0.95")
    rule = {"ruleType": "PRICE_RANGE", "bidLimitMultUp": "1.05", "askLimitMultDown": "0.95"}
    _, everything = rest.get("/api/v3/executionRules", symbolStatus="TRADING")
    assert [row["rules"] for row in everything["symbolRules"]] == [[rule], [], []]
    quiet.market.set_price_range("BTCUSDT")
    assert rest.get("/api/v3/executionRules", symbols='["BTCUSDT"]')[1]["symbolRules"][0]["rules"] == []


def test_reference_prices(quiet: Simulator, rest: Rest) -> None:
    quiet.market.set_reference_price("BTCUSDT", "60005.5")
    _, found = rest.get("/api/v3/referencePrice", symbol="BTCUSDT")
    assert (found["symbol"], found["referencePrice"]) == ("BTCUSDT", "60005.50000000")
    _, calculation = rest.get("/api/v3/referencePrice/calculation", symbol="BTCUSDT")
    assert calculation == {
        "symbol": "BTCUSDT", "calculationType": "ARITHMETIC_MEAN", "bucketCount": 10, "bucketWidthMs": 1000,
    }  # fmt: skip
    quiet.market.set_reference_price("BTCUSDT", None, calculation_id=2)
    assert rest.get("/api/v3/referencePrice", symbol="BTCUSDT")[1]["referencePrice"] is None
    _, calculation = rest.get("/api/v3/referencePrice/calculation", symbol="BTCUSDT", symbolStatus="TRADING")
    assert calculation == {"symbol": "BTCUSDT", "calculationType": "EXTERNAL", "externalCalculationId": 2}
    assert rest.get("/api/v3/referencePrice/calculation", symbol="BTCUSDT", symbolStatus="HALT")[1]["code"] == -1220


# --- all of it the other way ------------------------------------------------------------------------------------------

TWINS: list[tuple[str, str, dict[str, Any]]] = [
    ("historicalTrades", "trades.historical", {"symbol": "BTCUSDT", "fromId": 2}),
    ("historicalBlockTrades", "blockTrades.historical", {"symbol": "BTCUSDT", "fromId": 2}),
    ("aggTrades", "trades.aggregate", {"symbol": "BTCUSDT", "limit": 3}),
    ("klines", "klines", {"symbol": "BTCUSDT", "interval": "1M"}),
    ("uiKlines", "uiKlines", {"symbol": "BTCUSDT", "interval": "1d", "timeZone": "8"}),
    ("avgPrice", "avgPrice", {"symbol": "BTCUSDT"}),
    ("ticker/price", "ticker.price", {"symbols": ["BTCUSDT", "BNBBTC"]}),
    ("ticker/bookTicker", "ticker.book", {"symbolStatus": "TRADING"}),
    ("ticker/tradingDay", "ticker.tradingDay", {"symbols": ["BTCUSDT"], "type": "MINI"}),
    ("executionRules", "executionRules", {"symbols": ["BTCUSDT"]}),
    ("referencePrice", "referencePrice", {"symbol": "BTCUSDT"}),
    ("referencePrice/calculation", "referencePrice.calculation", {"symbol": "BTCUSDT"}),
]


def test_the_websocket_api_answers_the_same(quiet: Simulator, rest: Rest, ws_api: WsApi) -> None:
    trade_five_times(quiet)
    quiet.market.set_reference_price("BTCUSDT", "60005.5")
    for path, method, params in TWINS:
        query = {
            name: value if not isinstance(value, list) else str(value).replace("'", '"')
            for name, value in params.items()
        }
        status, body = rest.get(f"/api/v3/{path}", **query)
        answer = ws_api.call(method, **params)
        assert (status, answer["status"]) == (200, 200), method
        assert answer["result"] == body, method
    assert ws_api.call("ticker", symbol="BTCUSDT", windowSize="1h")["result"]["count"] == 5
    assert ws_api.call("ticker.24hr", symbol="BTCUSDT")["result"]["count"] == 5
    limits = ws_api.call("exchangeInfo", symbol="BTCUSDT")["result"]["rateLimits"]
    assert {"rateLimitType": "CONNECTIONS", "interval": "MINUTE", "intervalNum": 5, "limit": 300} in limits


@pytest.mark.parametrize(
    ("path", "query", "times"),
    [
        ("trades", "symbol=BTCUSDT", ["time"]),
        ("historicalTrades", "symbol=BTCUSDT", ["time"]),
        ("aggTrades", "symbol=BTCUSDT", ["T"]),
        ("klines", "symbol=BTCUSDT&interval=1h&limit=1", [0, 6]),
        ("avgPrice", "symbol=BTCUSDT", ["closeTime"]),
        ("ticker/24hr", "symbol=BTCUSDT", ["openTime", "closeTime"]),
        ("ticker/tradingDay", "symbol=BTCUSDT", ["openTime", "closeTime"]),
        ("ticker", "symbol=BTCUSDT", ["openTime", "closeTime"]),
        ("referencePrice", "symbol=BTCUSDT", ["timestamp"]),
        ("exchangeInfo", "symbol=BTCUSDT", ["serverTime"]),
    ],
)
def test_every_time_can_be_asked_for_in_microseconds(
    quiet: Simulator, rest: Rest, path: str, query: str, times: list[Any]
) -> None:
    quiet.market.trade("BTCUSDT", "sell", "0.1")
    quiet.market.set_reference_price("BTCUSDT", 1)
    for unit, least, most in (("MILLISECOND", 10**12, 10**13), ("microsecond", 10**15, 10**16)):
        body = rest.raw("GET", f"/api/v3/{path}", query, X_MBX_TIME_UNIT=unit).json()
        row = body[0] if isinstance(body, list) else body
        assert all(least < row[name] < most for name in times)
