"""python-binance over sockets: market streams, its depth cache, and the account's events."""

from __future__ import annotations

import asyncio
from decimal import Decimal

from binance import AsyncClient, BinanceSocketManager
from binance.ws.depthcache import DepthCacheManager

from exconn_sync.simulator import Simulator

from .python_binance import PATIENCE_S, Json, with_sockets

MARKET = {"symbol": "BTCUSDT", "side": "BUY", "type": "MARKET"}


async def next_of(socket: Json) -> Json:
    return await asyncio.wait_for(socket.recv(), PATIENCE_S)


def test_trade_socket(exchange: Simulator) -> None:
    async def use(client: AsyncClient, sockets: BinanceSocketManager) -> None:
        async with sockets.trade_socket("BTCUSDT") as socket:
            exchange.market.trade("BTCUSDT", "sell", "0.25")
            event = await next_of(socket)
        assert {name: event[name] for name in "espqm"} == {
            "e": "trade", "s": "BTCUSDT", "p": "60000.00000000", "q": "0.25000000", "m": True,
        }  # fmt: skip
        assert set(event) == {"e", "E", "s", "t", "p", "q", "T", "m", "M"}

    asyncio.run(with_sockets(exchange, use))


def test_several_streams_on_one_connection(lively: Simulator) -> None:
    names = ["btcusdt@trade", "btcusdt@bookTicker", "btcusdt@kline_1m", "btcusdt@miniTicker", "ethusdt@depth5@100ms"]

    async def use(client: AsyncClient, sockets: BinanceSocketManager) -> None:
        missing = set(names)
        async with sockets.multiplex_socket(names) as socket:
            while missing:
                message = await next_of(socket)
                assert message["stream"] in names
                missing.discard(message["stream"])

    asyncio.run(with_sockets(lively, use))


def test_user_socket(exchange: Simulator) -> None:
    async def use(client: AsyncClient, sockets: BinanceSocketManager) -> None:
        async with sockets.user_socket() as socket:
            order = await client.create_order(**MARKET, quantity="0.5")
            events = [await next_of(socket) for _ in range(3)]
        assert [event["e"] for event in events] == ["executionReport"] * 2 + ["outboundAccountPosition"]
        new, trade, position = events
        assert (new["x"], new["X"], new["i"]) == ("NEW", "NEW", order["orderId"])
        assert (trade["x"], trade["X"], trade["l"], trade["L"]) == ("TRADE", "FILLED", "0.50000000", "60010.00000000")
        free = {row["a"]: Decimal(row["f"]) for row in position["B"]}
        assert free == {asset: exchange.accounts.balances()[asset][0] for asset in free}
        assert set(free) == {"BTC", "USDT"}

    asyncio.run(with_sockets(exchange, use))


def test_depth_cache_equals_the_book(exchange: Simulator) -> None:
    async def use(client: AsyncClient, sockets: BinanceSocketManager) -> None:
        async with DepthCacheManager(client, "BTCUSDT", bm=sockets, ws_interval=100, conv_type=Decimal) as manager:
            for step in range(1, 8):
                exchange.market.quote("BTCUSDT", "buy", 60000 - step, step)
                exchange.market.quote("BTCUSDT", "sell", 60010 + step, "0.00001")
            exchange.market.trade("BTCUSDT", "buy", "1.00001")
            exchange.market.quote("BTCUSDT", "buy", "60000.01", "0.12345")
            _, bids, asks = exchange.market.order_book("BTCUSDT")
            while True:
                cache = await asyncio.wait_for(manager.recv(), PATIENCE_S)
                if cache.get_bids() == [list(level) for level in bids]:
                    break
        assert cache.get_asks() == [list(level) for level in asks]

    asyncio.run(with_sockets(exchange, use))


def test_a_lost_socket_comes_back(exchange: Simulator) -> None:
    async def use(client: AsyncClient, sockets: BinanceSocketManager) -> None:
        async with sockets.trade_socket("BTCUSDT") as socket:
            exchange.market.trade("BTCUSDT", "sell", "0.1")
            assert (await next_of(socket))["q"] == "0.10000000"
            exchange.faults.close_connections(kind="stream")
            while (await next_of(socket))["e"] != "error":
                continue
            while not exchange.subscriptions():
                await asyncio.sleep(0.01)
            exchange.market.trade("BTCUSDT", "sell", "0.2")
            event = await next_of(socket)
            while event["e"] == "error":
                event = await next_of(socket)
            assert event["q"] == "0.20000000"

    asyncio.run(with_sockets(exchange, use))
