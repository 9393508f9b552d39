"""python-binance, unchanged but for its addresses."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, TypeAlias

from binance import AsyncClient, BinanceSocketManager
from binance.client import Client

from exconn_sync.simulator import Simulator

Json: TypeAlias = Any
PATIENCE_S = 10.0


def client_of(
    simulator: Simulator, secret: str | None = None, key: str | None = None, private_key: str | None = None
) -> Client:
    """Return the blocking client; ``private_key`` is PEM text, for keys of other types than HMAC."""

    class Pointed(Client):  # type: ignore[misc]
        API_URL = simulator.rest + "/api"
        WS_API_URL = simulator.ws_api

    return Pointed(key or simulator.api_key, secret or simulator.api_secret, private_key=private_key)


async def with_sockets(
    simulator: Simulator, use: Callable[[AsyncClient, BinanceSocketManager], Awaitable[None]]
) -> None:
    """Let a coroutine use the client of asyncio and its sockets."""

    class Pointed(AsyncClient):  # type: ignore[misc]
        API_URL = simulator.rest + "/api"
        WS_API_URL = simulator.ws_api

    class PointedSockets(BinanceSocketManager):  # type: ignore[misc]
        STREAM_URL = simulator.stream + "/"

    client = await Pointed.create(simulator.api_key, simulator.api_secret)
    try:
        await use(client, PointedSockets(client))
    finally:
        await client.close_connection()
