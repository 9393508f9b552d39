"""RSA and Ed25519 keys in other people's hands: signatures, sessions and private events (Binance: 3, 10.2, 11)."""

from __future__ import annotations

import asyncio
from typing import Any

import ccxt
import pytest
from binance_common.configuration import ConfigurationRestAPI, ConfigurationWebSocketAPI
from binance_sdk_spot.spot import Spot

from exconn_sync.simulator import Simulator

from .python_binance import client_of
from .test_binance_sdk import LIMIT, strangers
from .test_ccxt import pointed

KINDS = ["rsa", "ed25519"]


@pytest.mark.parametrize("kind", KINDS)
def test_python_binance(exchange: Simulator, kind: str) -> None:
    key = exchange.accounts.add_key("demo", kind=kind)
    client = client_of(exchange, key=key.api_key, private_key=key.api_secret)
    assert client.get_asset_balance("BTC")["free"] == "100.00000000"
    order = {"symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT", "timeInForce": "GTC", "quantity": "0.1"}
    assert client.create_order(**order, price="59000")["status"] == "NEW"
    assert client.ws_create_order(**order, price="59000")["status"] == "NEW"
    client.close_connection()


@pytest.mark.parametrize("kind", KINDS)
def test_ccxt(exchange: Simulator, kind: str) -> None:
    key = exchange.accounts.add_key("demo", kind=kind)
    client = pointed(ccxt.binance, exchange, key.api_secret)
    client.apiKey = key.api_key
    assert client.fetch_balance()["BTC"]["free"] == 100.0
    client.session.close()


def test_a_session_of_the_exchanges_own_library(exchange: Simulator) -> None:
    key = exchange.accounts.add_key("demo", kind="ed25519")
    keys = {"api_key": key.api_key, "private_key": key.api_secret}
    spot = Spot(
        ConfigurationRestAPI(**keys, base_path=exchange.rest, retries=0),
        ConfigurationWebSocketAPI(**keys, stream_url=exchange.ws_api),
    )

    async def run() -> None:
        connection = await spot.websocket_api.create_connection()
        try:
            logon = (await connection.session_logon()).data()
            assert logon.result.api_key == key.api_key
            subscribed = await connection.user_data_stream_subscribe()
            events: asyncio.Queue[Any] = asyncio.Queue()
            subscribed.stream.on("message", events.put_nowait)
            placed = (await connection.order_place(**LIMIT, price=59_000)).data()
            event = await asyncio.wait_for(events.get(), 10.0)
            assert strangers([logon, placed, getattr(event, "actual_instance", event)]) == []
            out = (await connection.session_logout()).data()
            assert out.result.api_key is None
        finally:
            await connection.close_connection(close_session=True)

    asyncio.run(run())
