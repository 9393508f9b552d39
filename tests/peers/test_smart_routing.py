"""Smart order routing, judged by the exchange's own library: its models know each documented field."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from binance_common.errors import BadRequestError

from exconn_sync.simulator import Simulator

from .test_binance_sdk import LIMIT, PATIENCE_S, pointed, unknown_to_all


@pytest.fixture
def routed(exchange: Simulator) -> Simulator:
    """BTCUSDT is routed, on its own book alone."""
    exchange.market.route("BTCUSDT")
    return exchange


def test_orders_and_allocations(routed: Simulator) -> None:
    rest = pointed(routed).rest_api
    assert rest.sor_order_test(**LIMIT, price=60_020).data() is not None
    rates = rest.sor_order_test(**LIMIT, price=60_020, compute_commission_rates=True).data()
    placed = rest.sor_order(**LIMIT, price=60_020).data()
    assert (placed.status, placed.working_floor, placed.used_sor) == ("FILLED", "SOR", True)
    assert [(fill.match_type, fill.alloc_id, fill.trade_id) for fill in placed.fills] == [
        ("ONE_PARTY_TRADE_REPORT", 0, -1)
    ]
    listed = rest.my_allocations("BTCUSDT").data()
    assert [(row.allocation_id, row.order_id, row.allocation_type) for row in listed] == [(0, placed.order_id, "SOR")]
    info = rest.exchange_info().data()
    assert [(pool.base_asset, pool.symbols) for pool in info.sors] == [("BTC", ["BTCUSDT"])]
    assert unknown_to_all(rates, placed, listed, info) == []
    with pytest.raises(BadRequestError, match="-1020"):
        rest.sor_order(**{**LIMIT, "symbol": "ETHUSDT"}, price=3000)


def test_the_websocket_api_and_its_events(routed: Simulator) -> None:
    spot = pointed(routed)

    async def run() -> None:
        connection = await spot.websocket_api.create_connection()
        try:
            subscribed = await connection.user_data_stream_subscribe_signature()
            events: asyncio.Queue[Any] = asyncio.Queue()
            subscribed.stream.on("message", events.put_nowait)
            placed = (await connection.sor_order_place(**LIMIT, price=60_020)).data()
            (order,) = placed.result
            listed = (await connection.my_allocations("BTCUSDT")).data()
            assert (order.status, len(listed.result)) == ("FILLED", 1)
            seen = [await asyncio.wait_for(events.get(), PATIENCE_S) for _ in range(2)]
            assert unknown_to_all(placed, listed, *(getattr(event, "actual_instance", event) for event in seen)) == []
        finally:
            await connection.close_connection(close_session=True)

    asyncio.run(run())
