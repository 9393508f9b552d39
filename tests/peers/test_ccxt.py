"""ccxt, pointed at the simulator by its table of addresses, over REST and sockets."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import ccxt
import ccxt.pro
import pytest

from exconn_sync.simulator import Simulator

PATIENCE_S = 10.0
SYMBOL = "BTC/USDT"
POST_ONLY = {"postOnly": True}


def pointed(kind: Any, simulator: Simulator, secret: str | None = None) -> Any:
    """Return a client all of whose addresses are the simulator's; none of the exchange's is left to be called."""
    # Margin and wallet calls live on other services of the exchange.
    options = {"fetchMarkets": {"types": ["spot"]}, "fetchCurrencies": False, "fetchMargins": False}
    client = kind({"apiKey": simulator.api_key, "secret": secret or simulator.api_secret, "options": options})
    rest = {name: f"{simulator.rest}/{name}" for name in client.urls["api"] if name != "ws"}
    rest |= {"public": simulator.rest + "/api/v3", "private": simulator.rest + "/api/v3"}
    sockets = {"spot": simulator.stream + "/ws", "ws-api": {"spot": simulator.ws_api}}
    client.urls["api"] = rest | {"ws": sockets}
    return client


@pytest.fixture
def client(exchange: Simulator) -> Iterator[Any]:
    found = pointed(ccxt.binance, exchange)
    yield found
    found.session.close()


def test_markets_and_public_data(client: Any, exchange: Simulator) -> None:
    markets = client.load_markets()
    assert {SYMBOL, "ETH/USDT", "BNB/BTC"} <= set(markets)
    assert markets[SYMBOL]["precision"] == {"amount": 0.00001, "price": 0.01, "base": 1e-8, "quote": 1e-8}
    assert client.fetch_order_book(SYMBOL)["asks"] == [[60010.0, 1.0]]
    exchange.market.trade("BTCUSDT", "buy", "0.25")
    assert client.fetch_ohlcv(SYMBOL)[-1][4:] == [60010.0, 0.25]
    assert [trade["amount"] for trade in client.fetch_trades(SYMBOL)] == [0.25]
    assert client.fetch_ticker(SYMBOL)["last"] == 60010.0
    assert SYMBOL in client.fetch_tickers()
    assert client.fetch_bids_asks([SYMBOL])[SYMBOL]["bid"] == 60000.0
    assert abs(client.fetch_time() - client.milliseconds()) < 5_000


def test_account_and_orders(client: Any) -> None:
    assert client.fetch_balance()["BTC"]["free"] == 100.0
    order = client.create_order(SYMBOL, "limit", "buy", 0.1, 59_000)
    assert client.fetch_order(order["id"], SYMBOL)["status"] == "open"
    assert [row["id"] for row in client.fetch_open_orders(SYMBOL)] == [order["id"]]
    assert client.cancel_order(order["id"], SYMBOL)["status"] == "canceled"
    filled = client.create_order(SYMBOL, "market", "buy", 0.5)
    assert (filled["status"], filled["average"], filled["filled"]) == ("closed", 60010.0, 0.5)
    (trade,) = client.fetch_my_trades(SYMBOL)
    assert (trade["order"], trade["amount"], trade["takerOrMaker"]) == (filled["id"], 0.5, "taker")
    assert [row["status"] for row in client.fetch_orders(SYMBOL)] == ["canceled", "closed"]
    assert client.fetch_balance()["BTC"]["free"] == pytest.approx(100.4995)


@pytest.mark.parametrize(
    ("call", "kind"),
    [
        (lambda c: c.create_order(SYMBOL, "limit", "buy", 0.1, 1), ccxt.InvalidOrder),
        (lambda c: c.create_order(SYMBOL, "limit", "buy", 100, 59_000), ccxt.InsufficientFunds),
        (
            lambda c: c.create_order(SYMBOL, "limit", "buy", 0.1, 60_020, {"postOnly": True}),
            ccxt.OrderImmediatelyFillable,
        ),
        (lambda c: c.create_order(SYMBOL, "limit", "buy", 0.1, 59_000, {"colour": "red"}), ccxt.BadRequest),
        (lambda c: c.cancel_order("99", SYMBOL), ccxt.OrderNotFound),
        (lambda c: c.fetch_order("99", SYMBOL), ccxt.OrderNotFound),
        (lambda c: c.public_get_depth({"symbol": "NOPE"}), ccxt.BadSymbol),
    ],
)
def test_refusals_are_taken_for_what_they_are(client: Any, call: Callable[[Any], object], kind: type) -> None:
    with pytest.raises(kind):
        call(client)


def test_a_wrong_signature_and_a_wrong_time(exchange: Simulator) -> None:
    client = pointed(ccxt.binance, exchange, secret="x" * 64)
    with pytest.raises(ccxt.AuthenticationError, match="-1022"):
        client.fetch_balance()
    client.session.close()
    exchange.faults.offset_clock(60_000)
    client = pointed(ccxt.binance, exchange)
    with pytest.raises(ccxt.InvalidNonce, match="-1021"):
        client.fetch_balance()
    client.session.close()


def over_sockets(simulator: Simulator, use: Callable[[Any], Awaitable[None]]) -> None:
    async def run() -> None:
        client = pointed(ccxt.pro.binance, simulator)
        try:
            await asyncio.wait_for(use(client), 4 * PATIENCE_S)
        finally:
            await client.close()

    asyncio.run(run())


def test_market_streams(lively: Simulator) -> None:
    async def use(client: Any) -> None:
        assert (await client.watch_trades(SYMBOL))[-1]["symbol"] == SYMBOL
        book = await client.watch_order_book(SYMBOL)
        assert book["bids"][0][0] < book["asks"][0][0]
        assert (await client.watch_ticker(SYMBOL))["last"] > 0
        assert len((await client.watch_ohlcv(SYMBOL))[-1]) == 6
        assert (await client.watch_bids_asks([SYMBOL]))[SYMBOL]["bid"] > 0

    over_sockets(lively, use)


def test_orders_and_events_over_the_websocket_api(exchange: Simulator) -> None:
    async def use(client: Any) -> None:
        await client.load_markets()
        watched = asyncio.ensure_future(client.watch_orders(SYMBOL))
        while "userDataStream" not in exchange.subscriptions():
            await asyncio.sleep(0.01)
        order = await client.create_order_ws(SYMBOL, "limit", "buy", 0.1, 59_000)
        (event,) = await watched
        assert (event["id"], event["status"]) == (order["id"], "open")
        assert (await client.fetch_order_ws(order["id"], SYMBOL))["amount"] == 0.1
        assert (await client.cancel_order_ws(order["id"], SYMBOL))["status"] == "canceled"
        with pytest.raises(ccxt.OrderNotFound):
            await client.cancel_order_ws(order["id"], SYMBOL)

    over_sockets(exchange, use)
