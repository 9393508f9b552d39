"""Questions about the past: paged, bounded in time, and entered into what is known."""

from __future__ import annotations

import json
import time
from decimal import Decimal
from typing import Any

import pytest

from exconn_sync import OrderRequest, ValidationError
from exconn_sync.simulator import Simulator
from tests.integration.conftest import LIMIT, Connect
from tests.simulator.clients import eventually

limit = OrderRequest.limit
HOUR = 3_600_000_000_000


def test_the_history_of_orders_has_finished_ones_and_those_placed_elsewhere(quiet: Simulator, connect: Connect) -> None:
    connector = connect(quiet)
    done = connector.place_order(limit("BTC-USDT", "buy", "0.01", "60010"))
    gone = connector.place_order(limit("BTC-USDT", "buy", "0.01", "50000"))
    gone.cancel()
    assert done.wait("filled", LIMIT)
    later = connect(quiet)
    history = later.fetch_order_history("BTC-USDT")
    assert [state.status for state in history] == ["filled", "canceled"]
    assert [state.exchange_order_id for state in history] == [done.exchange_order_id, gone.exchange_order_id]
    assert not any(state.is_own for state in history)
    assert later.orders.get(done.client_order_id) == history[0]
    own = connector.fetch_order_history("BTC-USDT", limit=1)
    assert [state.client_order_id for state in own] == [gone.client_order_id], "though the exchange renamed it"
    now = time.time_ns()
    assert len(connector.fetch_order_history("BTC-USDT", start=now - 49 * HOUR)) == 2
    assert connector.fetch_order_history("BTC-USDT", start=now - 49 * HOUR, end=now - 48 * HOUR) == []


def test_fills_are_found_by_order_and_by_time(quiet: Simulator, connect: Connect) -> None:
    connector = connect(quiet)
    order = connector.place_order(limit("BTC-USDT", "buy", "0.01", "60010"))
    other = connector.place_order(limit("BTC-USDT", "sell", "0.02", "60000"))
    assert order.wait("filled", LIMIT)
    assert other.wait("filled", LIMIT)
    assert [fill.quantity for fill in connector.fetch_fills("BTC-USDT")] == [Decimal("0.01"), Decimal("0.02")]
    assert [fill.quantity for fill in connector.fetch_fills("BTC-USDT", order=other)] == [Decimal("0.02")]
    now = time.time_ns()
    assert len(connector.fetch_fills("BTC-USDT", start=now - 30 * HOUR)) == 2
    assert connector.fetch_fills("BTC-USDT", start=now - 30 * HOUR, end=now - 29 * HOUR) == []
    assert len(connector.fills()) == 2, "each is known once"


def test_all_fills_of_an_order_come_in_pages(quiet: Simulator, connect: Connect) -> None:
    connector = connect(quiet)
    order = connector.place_order(limit("BTC-USDT", "buy", "1.1", "60005"))
    with quiet.faults.silence("userDataStream"):
        for _ in range(1100):
            quiet.market.trade("BTCUSDT", "sell", "0.001")
    fills = connector.fetch_fills("BTC-USDT", order=order)
    assert (len(fills), len({fill.trade_id for fill in fills})) == (1100, 1100)
    assert (order.filled_quantity, order.status) == (Decimal("1.1"), "filled")


def scripted(quiet: Simulator, path: str, body: Any) -> None:
    quiet.faults.answer("GET", path, 200, json.dumps(body))


def test_commission_counts_and_prevented_trades_are_told(quiet: Simulator, connect: Connect) -> None:
    connector = connect(quiet)
    rates = {"maker": "0.001", "taker": "0.002", "buyer": "0", "seller": "0.0001"}
    scripted(quiet, "/api/v3/account/commission", {
        "symbol": "BTCUSDT", "standardCommission": rates, "specialCommission": rates, "taxCommission": rates,
        "discount": {"enabledForAccount": True, "enabledForSymbol": True, "discountAsset": "BNB", "discount": "0.75"},
    })  # fmt: skip
    assert connector.fetch_commission("BTC-USDT").standard.taker == Decimal("0.002")
    before = {count.seconds: count.used for count in connector.fetch_order_counts()}
    order = connector.place_order(limit("BTC-USDT", "buy", "0.01", "50000"))
    eventually(lambda: {item.seconds: item.used for item in connector.fetch_order_counts()}[86_400] > before[86_400])
    match = {
        "symbol": "BTCUSDT", "preventedMatchId": 1, "takerOrderId": 5, "makerSymbol": "BTCUSDT", "makerOrderId": 3,
        "tradeGroupId": -1, "selfTradePreventionMode": "EXPIRE_BOTH", "price": "1.1", "transactTime": 1669101687094,
    }  # fmt: skip
    scripted(quiet, "/api/v3/myPreventedMatches", [match])
    (prevented,) = connector.fetch_prevented_matches(order)
    assert (prevented.mode, prevented.group_id) == ("expire_both", None)
    scripted(quiet, "/api/v3/order/amendments", [])
    assert connector.fetch_amendments(order) == []
    scripted(quiet, "/api/v3/myAllocations", [])
    assert connector.fetch_allocations("BTC-USDT") == []
    scripted(quiet, "/api/v3/openOrderList", [])
    assert connector.fetch_open_order_lists() == []


def test_a_time_that_makes_no_sense_is_told(quiet: Simulator, connect: Connect) -> None:
    connector = connect(quiet)
    now = connector.fetch_server_time()
    wrong: list[tuple[str, Any]] = [
        ("start", {"end": 5}),
        ("start", {"start": 1.5}),
        ("start", {"start": -1}),
        ("start", {"start": now, "end": now - 1}),
        ("start", {"start": now // 1_000_000}),
        ("end", {"start": now, "end": True}),
        ("limit", {"limit": 0}),
        ("limit", {"limit": 1001}),
    ]
    for field, arguments in wrong:
        with pytest.raises(ValidationError) as caught:
            connector.fetch_order_history("BTC-USDT", **arguments)
        assert caught.value.field == field
    with pytest.raises(ValidationError):
        connector.fetch_fills("BTC-USDT", order="nobody")
