"""python-binance over REST and the WebSocket API: it works, and is refused as on the exchange."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal

import pytest
from binance.client import Client
from binance.exceptions import BinanceAPIException

from exconn_sync.simulator import Simulator

from .python_binance import Json, client_of

LIMIT = {"symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT", "timeInForce": "GTC", "quantity": "0.10000"}


@pytest.fixture
def client(exchange: Simulator) -> Iterator[Client]:
    found = client_of(exchange)
    yield found
    found.close_connection()


def test_exchange_info(client: Client) -> None:
    info = client.get_exchange_info()
    assert {"BTCUSDT", "ETHUSDT", "BNBBTC"} <= {symbol["symbol"] for symbol in info["symbols"]}
    symbol = client.get_symbol_info("BTCUSDT")
    filters = {row["filterType"]: row for row in symbol["filters"]}
    assert Decimal(filters["PRICE_FILTER"]["tickSize"]) == Decimal("0.01")
    assert Decimal(filters["LOT_SIZE"]["stepSize"]) == Decimal("0.00001")
    assert {row["rateLimitType"] for row in info["rateLimits"]} >= {"REQUEST_WEIGHT", "ORDERS"}


def test_public_data(client: Client, exchange: Simulator) -> None:
    assert client.ping() == {}
    assert client.get_server_time()["serverTime"] > 1_600_000_000_000
    book = client.get_order_book(symbol="BTCUSDT", limit=5)
    assert (book["bids"], book["asks"]) == (
        [["60000.00000000", "1.00000000"]],
        [["60010.00000000", "1.00000000"]],
    )
    exchange.market.trade("BTCUSDT", "buy", "0.25")
    (trade,) = client.get_recent_trades(symbol="BTCUSDT")
    assert (trade["price"], trade["qty"], trade["isBuyerMaker"]) == ("60010.00000000", "0.25000000", False)
    candles = client.get_klines(symbol="BTCUSDT", interval=Client.KLINE_INTERVAL_1MINUTE)
    assert [len(candle) for candle in candles] == [12] * len(candles)
    assert candles[-1][4] == "60010.00000000"
    assert client.get_symbol_ticker(symbol="BTCUSDT")["price"] == "60010.00000000"
    assert client.get_orderbook_ticker(symbol="BTCUSDT")["askQty"] == "0.75000000"
    assert client.get_ticker(symbol="BTCUSDT")["lastPrice"] == "60010.00000000"
    assert {row["symbol"] for row in client.get_all_tickers()} >= {"BTCUSDT", "ETHUSDT"}
    (old,) = client.get_historical_trades(symbol="BTCUSDT")
    assert old == trade
    (aggregate,) = client.get_aggregate_trades(symbol="BTCUSDT")
    assert (aggregate["p"], aggregate["q"], aggregate["f"]) == ("60010.00000000", "0.25000000", trade["id"])
    exchange.market.trade("BTCUSDT", "sell", "0.1")
    assert [row["q"] for row in client.aggregate_trade_iter("BTCUSDT", last_id=aggregate["a"])] == ["0.10000000"]
    assert client.get_avg_price(symbol="BTCUSDT")["mins"] == 5
    assert len(client.get_historical_klines("BTCUSDT", "1m", "1 hour ago UTC")[-1]) == 12


def test_account(client: Client, exchange: Simulator) -> None:
    account = client.get_account()
    assert account["canTrade"]
    assert {row["asset"] for row in account["balances"]} >= {"BTC", "USDT"}
    assert client.get_asset_balance("BTC") == {"asset": "BTC", "free": "100.00000000", "locked": "0.00000000"}
    assert [row["limit"] for row in client.get_current_order_count()] == [50, 160_000]


def test_place_query_cancel(client: Client, exchange: Simulator) -> None:
    client.create_test_order(**LIMIT, price="59000.00")
    assert exchange.accounts.orders() == []
    placed = client.create_order(**LIMIT, price="59000.00", newClientOrderId="mine")
    assert (placed["clientOrderId"], placed["status"], placed["fills"]) == ("mine", "NEW", [])
    asked = client.get_order(symbol="BTCUSDT", origClientOrderId="mine")
    assert (asked["orderId"], asked["price"], asked["isWorking"]) == (placed["orderId"], "59000.00000000", True)
    assert [row["orderId"] for row in client.get_open_orders()] == [placed["orderId"]]
    gone = client.cancel_order(symbol="BTCUSDT", orderId=placed["orderId"])
    assert (gone["origClientOrderId"], gone["status"]) == ("mine", "CANCELED")
    assert client.get_open_orders(symbol="BTCUSDT") == []
    assert [row["status"] for row in client.get_all_orders(symbol="BTCUSDT")] == ["CANCELED"]


def test_a_market_order_is_filled_and_paid_for(client: Client, exchange: Simulator) -> None:
    bought = client.order_market_buy(symbol="BTCUSDT", quantity="0.5")
    assert (bought["status"], bought["executedQty"]) == ("FILLED", "0.50000000")
    (trade,) = client.get_my_trades(symbol="BTCUSDT")
    assert (trade["price"], trade["qty"], trade["commissionAsset"]) == ("60010.00000000", "0.50000000", "BTC")
    free = Decimal(client.get_asset_balance("BTC")["free"])
    assert free == 100 + Decimal(trade["qty"]) - Decimal(trade["commission"])


def test_orders_over_the_websocket_api(client: Client, exchange: Simulator) -> None:
    placed = client.ws_create_order(**LIMIT, price="59000.00")
    assert client.ws_get_order(symbol="BTCUSDT", orderId=placed["orderId"])["status"] == "NEW"
    assert client.ws_cancel_order(symbol="BTCUSDT", orderId=placed["orderId"])["status"] == "CANCELED"
    assert client.ws_get_order_book(symbol="BTCUSDT")["bids"] == [["60000.00000000", "1.00000000"]]
    assert client.ws_get_account()["canTrade"]


REFUSALS: dict[str, tuple[Callable[[Client], Json], int, int, str]] = {
    "unknown parameter": (lambda c: c.get_order_book(symbol="BTCUSDT", depth=5), 400, -1104, "Not all sent parameters"),
    "unknown parameter of an order": (
        lambda c: c.create_order(**LIMIT, price="59000.00", colour="red"), 400, -1104, "Not all sent parameters"
    ),
    "parameter where none is taken": (lambda c: c._get("time", data={"x": 1}), 400, -1101, "Too many parameters"),
    "signature where none is taken": (
        lambda c: c._get("depth", signed=True, data={"symbol": "BTCUSDT"}), 400, -1104, "Not all sent parameters"
    ),
    "missing parameter": (lambda c: c.get_order_book(), 400, -1102, "Mandatory parameter 'symbol'"),
    "unknown symbol": (lambda c: c.get_order_book(symbol="NOPE"), 400, -1121, "Invalid symbol."),
    "lot size": (
        lambda c: c.create_order(**{**LIMIT, "quantity": "0.000001"}, price="59000.00"),
        400, -1013, "Filter failure: LOT_SIZE",
    ),
    "tick size": (
        lambda c: c.create_order(**LIMIT, price="59000.001"), 400, -1013, "Filter failure: PRICE_FILTER"
    ),
    "notional": (
        lambda c: c.create_order(**{**LIMIT, "quantity": "0.00001"}, price="59000.00"),
        400, -1013, "Filter failure: NOTIONAL",
    ),
    "too many decimals": (
        lambda c: c.create_order(**LIMIT, price="59000.0000000001"), 400, -1111, "too much precision"
    ),
    "insufficient balance": (
        lambda c: c.create_order(**{**LIMIT, "quantity": "100"}, price="59000.00"), 400, -2010, "insufficient balance"
    ),
    "unknown order": (lambda c: c.get_order(symbol="BTCUSDT", orderId=99), 400, -2013, "Order does not exist."),
    "cancel of an unknown order": (
        lambda c: c.cancel_order(symbol="BTCUSDT", orderId=99), 400, -2011, "Unknown order sent."
    ),
    "order without a price": (lambda c: c.create_order(**LIMIT), 400, -1102, "Mandatory parameter 'price'"),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSALS)
def test_it_is_refused_as_on_the_exchange(client: Client, exchange: Simulator, case: str) -> None:
    call, status, code, text = REFUSALS[case]
    with pytest.raises(BinanceAPIException) as refused:
        call(client)
    assert (refused.value.status_code, refused.value.code) == (status, code)
    assert text in refused.value.message
    assert exchange.accounts.orders() == []


def refusal(client: Client) -> tuple[int, int]:
    try:
        with pytest.raises(BinanceAPIException) as refused:
            client.create_order(**LIMIT, price="59000.00")
    finally:
        client.close_connection()
    return refused.value.status_code, refused.value.code


def test_a_wrong_signature_is_refused(exchange: Simulator) -> None:
    assert refusal(client_of(exchange, secret="x" * 64)) == (400, -1022)


def test_a_wrong_key_is_refused(exchange: Simulator) -> None:
    assert refusal(client_of(exchange, key="x" * 64)) == (401, -2015)


@pytest.mark.parametrize("offset_ms", [-60_000, 2_000])
def test_a_timestamp_outside_the_window_is_refused(exchange: Simulator, offset_ms: int) -> None:
    client = client_of(exchange)
    client.timestamp_offset = offset_ms
    assert refusal(client) == (400, -1021)
    assert exchange.accounts.orders() == []
