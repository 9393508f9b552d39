"""The exchange's own pybit, unchanged but for its addresses: HTTP, public, private and trade sockets."""

from __future__ import annotations

import queue
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any, TypeAlias

import pybit._websocket_trading
import pybit.unified_trading
import pytest
from pybit.exceptions import InvalidRequestError
from pybit.unified_trading import HTTP, WebSocket, WebSocketTrading

from exconn_sync.simulator import ClientKey, Simulator
from tests.quiet import quiet_exchange

Json: TypeAlias = Any
PATIENCE_S = 10.0
SPOT = {"category": "spot", "symbol": "BTCUSDT"}
LIMIT = {**SPOT, "side": "Buy", "orderType": "Limit", "qty": "0.01", "price": "59000"}


@pytest.fixture
def bybit() -> Iterator[Simulator]:
    """BTCUSDT has one bid at 60000 and one ask at 60010, 1 BTC each; nothing moves by itself."""
    with quiet_exchange("bybit") as simulator:
        yield simulator


@pytest.fixture
def pointed(bybit: Simulator, monkeypatch: pytest.MonkeyPatch) -> Iterator[Simulator]:
    """The sockets of pybit lead to the simulator, through a network that takes its time.

    pybit remembers what it has asked after it was sent, and gives up when the answer is faster than that.
    """
    public = bybit.public.removesuffix("spot") + "{CHANNEL_TYPE}"
    monkeypatch.setattr(pybit.unified_trading, "PUBLIC_WSS", public)
    monkeypatch.setattr(pybit.unified_trading, "PRIVATE_WSS", bybit.private)
    monkeypatch.setattr(pybit._websocket_trading, "TRADE_WSS", bybit.trade)
    with bybit.faults.latency(0.05):
        yield bybit


def session_of(simulator: Simulator, key: ClientKey | None = None) -> HTTP:
    key = key or simulator.accounts.client_key()
    session = HTTP(api_key=key.api_key, api_secret=key.api_secret, rsa_authentication=key.kind == "rsa")
    session.endpoint = simulator.rest
    return session


@pytest.fixture
def session(bybit: Simulator) -> HTTP:
    return session_of(bybit)


class Heard:
    """A callback that remembers."""

    def __init__(self) -> None:
        self._messages: queue.SimpleQueue[Json] = queue.SimpleQueue()

    def __call__(self, message: Json) -> None:
        self._messages.put(message)

    def next(self) -> Json:
        return self._messages.get(timeout=PATIENCE_S)


@pytest.fixture
def opened(pointed: Simulator) -> Iterator[Callable[..., Json]]:
    """Opens sockets of pybit, and closes them in the end."""
    sockets: list[Json] = []

    def open_one(kind: type, *arguments: str, signed: bool = False) -> Json:
        keys = {"api_key": pointed.api_key, "api_secret": pointed.api_secret} if signed else {}
        sockets.append(kind(*arguments, testnet=False, private_auth_expire=10, **keys))
        return sockets[-1]

    yield open_one
    for socket in sockets:
        socket.exit()


# --- HTTP -----------------------------------------------------------------------------------------------------------


def test_market_data(bybit: Simulator, session: HTTP) -> None:
    bybit.market.trade("BTCUSDT", "buy", "0.1")
    assert session.get_server_time()["result"]["timeSecond"].isdigit()
    instruments = session.get_instruments_info(category="spot")["result"]["list"]
    assert [row["symbol"] for row in instruments] == ["BTCUSDT", "ETHUSDT", "BNBBTC"]
    assert session.get_orderbook(**SPOT, limit=50)["result"]["a"] == [["60010", "0.9"]]
    assert session.get_tickers(**SPOT)["result"]["list"][0]["lastPrice"] == "60010"
    assert session.get_public_trade_history(**SPOT)["result"]["list"][0]["size"] == "0.1"
    assert session.get_kline(**SPOT, interval=1)["result"]["list"][0][4] == "60010"


def test_an_order_from_its_beginning_to_its_end(bybit: Simulator, session: HTTP) -> None:
    placed = session.place_order(**LIMIT, orderLinkId="peer-1")["result"]
    assert placed["orderLinkId"] == "peer-1"
    session.amend_order(**SPOT, orderId=placed["orderId"], qty="0.02", price="59001")
    (order,) = session.get_open_orders(**SPOT)["result"]["list"]
    assert (order["orderId"], order["qty"], order["price"]) == (placed["orderId"], "0.02", "59001")
    session.cancel_order(**SPOT, orderLinkId="peer-1")
    assert session.get_open_orders(**SPOT)["result"]["list"] == []
    (order,) = session.get_order_history(**SPOT)["result"]["list"]
    assert (order["orderStatus"], order["cancelType"]) == ("Cancelled", "CancelByUser")
    assert bybit.accounts.orders()[0].client_order_id == "peer-1"


def test_take_profit_and_stop_loss(session: HTTP) -> None:
    placed = session.place_order(**LIMIT, takeProfit="61000", stopLoss="58000", slOrderType="Market")["result"]
    session.amend_order(**SPOT, orderId=placed["orderId"], takeProfit="62000", stopLoss="0")
    (order,) = session.get_open_orders(**SPOT)["result"]["list"]
    assert (order["takeProfit"], order["stopLoss"]) == ("62000", "")
    with pytest.raises(InvalidRequestError, match="170202"):
        session.place_order(**LIMIT, takeProfit="61000", tpOrderType="Limit")


def test_fills_and_balances(bybit: Simulator, session: HTTP) -> None:
    order_id = session.place_order(**SPOT, side="Buy", orderType="Market", qty="0.5", marketUnit="baseCoin")["result"][
        "orderId"
    ]
    (fill,) = session.get_executions(**SPOT, orderId=order_id)["result"]["list"]
    assert (fill["execQty"], fill["execPrice"], fill["feeCurrency"], fill["execFee"]) == (
        "0.5",
        "60010",
        "BTC",
        "0.0005",
    )
    account = session.get_wallet_balance(accountType="UNIFIED", coin="BTC,USDT")["result"]["list"][0]
    told = {row["coin"]: Decimal(row["walletBalance"]) for row in account["coin"]}
    assert told == {coin: sum(bybit.accounts.balances()[coin]) for coin in ("BTC", "USDT")}


def test_batches_and_cancel_all(session: HTTP) -> None:
    orders = [{**LIMIT, "price": str(59000 + index)} for index in range(3)] + [{**LIMIT, "qty": "0"}]
    for order in orders:
        del order["category"]
    answer = session.place_batch_order(category="spot", request=orders)
    assert [row["code"] for row in answer["retExtInfo"]["list"]] == [0, 0, 0, 170130]
    first = answer["result"]["list"][0]["orderId"]
    named = {"symbol": "BTCUSDT", "orderId": first}
    session.amend_batch_order(category="spot", request=[named | {"qty": "0.02"}])
    session.cancel_batch_order(category="spot", request=[named])
    assert len(session.cancel_all_orders(**SPOT)["result"]["list"]) == 2


def test_pages(session: HTTP) -> None:
    placed = [session.place_order(**{**LIMIT, "price": str(59000 + index)})["result"]["orderId"] for index in range(5)]
    seen, cursor = [], ""
    while True:
        page = session.get_open_orders(**SPOT, limit=2, cursor=cursor)["result"]
        seen += [row["orderId"] for row in page["list"]]
        cursor = page["nextPageCursor"]
        if not cursor:
            break
    assert seen == placed[::-1]


def test_the_account_and_its_key(bybit: Simulator, session: HTTP) -> None:
    assert session.get_account_info()["result"]["unifiedMarginStatus"] == 5
    assert session.get_fee_rates(**SPOT)["result"]["list"][0]["takerFeeRate"] == "0.001"
    assert session.get_api_key_information()["result"]["apiKey"] == bybit.api_key
    assert session.set_dcp(product="SPOT", timeWindow=10)["retCode"] == 0
    limited = HTTP(api_key=bybit.api_key, api_secret=bybit.api_secret, return_response_headers=True)
    limited.endpoint = bybit.rest
    assert limited.get_account_info()[2]["X-Bapi-Limit"] == "50"


def test_refusals_are_understood(bybit: Simulator, session: HTTP) -> None:
    with pytest.raises(InvalidRequestError, match="170131"):
        session.place_order(**{**LIMIT, "qty": "100"})
    with pytest.raises(InvalidRequestError, match="170213"):
        session.cancel_order(**SPOT, orderId="1700000000000000998")
    wrong = HTTP(api_key=bybit.api_key, api_secret="wrong")
    wrong.endpoint = bybit.rest
    with pytest.raises(InvalidRequestError, match="10004"):
        wrong.get_account_info()


def test_rsa_keys(bybit: Simulator) -> None:
    session = session_of(bybit, bybit.accounts.add_key(kind="rsa"))
    assert session.place_order(**LIMIT)["retCode"] == 0


# --- sockets --------------------------------------------------------------------------------------------------------


def test_public_topics(pointed: Simulator, opened: Callable[..., Json]) -> None:
    socket = opened(WebSocket, "spot")
    books, trades, tickers, candles = Heard(), Heard(), Heard(), Heard()
    socket.orderbook_stream(50, "BTCUSDT", books)
    assert books.next()["data"]["b"] == [["60000", "1"]]
    socket.trade_stream("BTCUSDT", trades)
    socket.ticker_stream("BTCUSDT", tickers)
    socket.kline_stream(1, "BTCUSDT", candles)
    assert (tickers.next()["type"], candles.next()["type"]) == ("snapshot", "snapshot")
    pointed.market.trade("BTCUSDT", "buy", "0.4")
    assert trades.next()["data"][0]["v"] == "0.4"
    # pybit keeps the book itself, and hands all of it out each time.
    book = books.next()
    assert book["data"]["a"] == [["60010", "0.6"]]
    assert tickers.next()["data"]["lastPrice"] == "60010"


def test_private_topics(pointed: Simulator, opened: Callable[..., Json]) -> None:
    socket = opened(WebSocket, "private", signed=True)
    orders, fills, fast, wallets = Heard(), Heard(), Heard(), Heard()
    socket.order_stream(orders)
    socket.execution_stream(fills)
    socket.fast_execution_stream(fast)
    socket.wallet_stream(wallets)
    wanted = ["execution", "execution.fast", "order", "wallet"]
    for _ in range(int(PATIENCE_S * 50)):
        if pointed.subscriptions() == wanted:
            break
        socket.wst.join(0.02)
    session_of(pointed).place_order(**{**LIMIT, "price": "60010"})
    assert orders.next()["data"][0]["orderStatus"] == "Filled"
    assert fills.next()["data"][0]["feeCurrency"] == "BTC"
    assert fast.next()["data"][0]["execPrice"] == "60010"
    assert {coin["coin"] for coin in wallets.next()["data"][0]["coin"]} == {"BTC", "USDT"}


def test_the_trade_socket(pointed: Simulator, opened: Callable[..., Json]) -> None:
    socket = opened(WebSocketTrading, signed=True)
    answers, refusals = Heard(), Heard()
    socket.place_order(answers, refusals, **LIMIT)
    order_id = answers.next()["data"]["orderId"]
    socket.amend_order(answers, refusals, **SPOT, orderId=order_id, qty="0.02")
    assert answers.next()["op"] == "order.amend"
    socket.cancel_order(answers, refusals, **SPOT, orderId=order_id)
    assert answers.next()["data"]["orderId"] == order_id
    socket.cancel_order(answers, refusals, **SPOT, orderId=order_id)
    assert refusals.next()["retCode"] == 170213
    one = {name: value for name, value in LIMIT.items() if name != "category"}
    socket.place_batch_order(answers, refusals, category="spot", request=[one, one])
    assert [row["code"] for row in answers.next()["retExtInfo"]["list"]] == [0, 0]
    assert len(pointed.accounts.orders()) == 3
