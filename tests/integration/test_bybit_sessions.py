"""Bybit: sign-ins with both types of keys, signs of life on three kinds of sockets, limits that others use up."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import partial

import pytest

from exconn_sync import DuplicateOrder, OrderRequest, RateLimitError
from exconn_sync.config.settings import Reconnect
from exconn_sync.metrics import MemoryMetrics
from exconn_sync.simulator import Simulator
from tests.integration.conftest import LIMIT, Connect
from tests.quiet import quiet_exchange
from tests.unit.support import until

limit = OrderRequest.limit


@pytest.fixture
def bybit() -> Iterator[Simulator]:
    """BTCUSDT has one bid at 60000 and one ask at 60010, one BTC each; nothing moves by itself."""
    with quiet_exchange("bybit") as simulator:
        yield simulator


@pytest.mark.parametrize("kind", ["hmac", "rsa"])
@pytest.mark.parametrize("via", ["rest", "socket"])
def test_each_type_of_key_signs_everywhere(bybit: Simulator, connect: Connect, kind: str, via: str) -> None:
    """Requests, the private stream and the trade socket (Bybit: 2.4, 7.1, 8.1)."""
    config = bybit.config(account=bybit.accounts.add_key(kind=kind))
    connector = connect(bybit, credentials=config.credentials, commands=via)
    if via == "socket":
        until(lambda: connector._core.assembly.commands.route.feed is not None)
        feed = connector._core.assembly.commands.route.feed
        assert feed is not None
        until(lambda: feed.is_ready)
    order = connector.place_order(limit("BTC-USDT", "buy", "0.01", "50000"))
    assert order.wait(lambda state: state.status == "new", LIMIT)
    order.cancel()
    assert order.status == "canceled"
    assert connector.fetch_balances()
    over_rest = [seen.path for seen in bybit.request_log() if seen.method == "POST"]
    assert over_rest == (["/v5/order/create", "/v5/order/cancel"] if via == "rest" else [])


def test_quiet_sockets_live_on_their_pongs(bybit: Simulator, connect: Connect) -> None:
    """Each kind answers in words of its own (Bybit: 6.1, 7.1, 8.3); nothing else comes for longer than may be quiet."""
    metrics = MemoryMetrics()
    connector = connect(
        bybit, commands="socket", metrics=metrics, start=False,
        reconnect=Reconnect(base=0.05, cap=0.2, settle=0.05, idle_timeout=6.0),
    )  # fmt: skip
    connector.on_trade("BTC-USDT", lambda trade: None)
    connector.start()
    connector.wait_ready(LIMIT)
    until(lambda: {each.kind for each in bybit.client_frames()} >= {"public", "private", "trade"})
    first = {each.kind: each.text for each in bybit.client_frames()}

    def have_pinged(times: int) -> bool:
        return all(each.text >= first[each.kind] + times for each in bybit.client_frames())

    for times in (1, 2, 3):
        until(partial(have_pinged, times))
    assert [name for name in metrics.counts() if "connection.down" in name] == []
    assert len(bybit.client_frames()) == 3, "no connection was made anew"


def test_a_quota_that_others_have_used_up_is_told(bybit: Simulator, connect: Connect) -> None:
    """(Bybit: 3.1: 10006 comes with HTTP 200)"""
    connector = connect(bybit)
    body = json.dumps({"retCode": 10006, "retMsg": "Too many visits.", "result": {}, "retExtInfo": {}, "time": 1})
    bybit.faults.answer("GET", "/v5/account/fee-rate", status=200, body=body)
    with pytest.raises(RateLimitError) as caught:
        connector.fetch_commission("BTC-USDT", timeout=LIMIT)
    assert caught.value.details["exchange_code"] == 10006
    assert 0 <= (caught.value.retry_after or 0) <= 1
    assert connector.fetch_commission("BTC-USDT", timeout=LIMIT).standard.taker is not None
    assert connector.health().silent_for == 0, "one endpoint of one account, and not the address"


def test_a_client_order_id_is_used_once_for_ever(bybit: Simulator, connect: Connect) -> None:
    """Also where the order is over, and whoever knows of it (Bybit: 4.7)."""
    first = connect(bybit).place_order(limit("BTC-USDT", "buy", "0.01", "50000", client_order_id="once"))
    assert first.wait(lambda state: state.status == "new", LIMIT)
    first.cancel()
    another = connect(bybit)
    with pytest.raises(DuplicateOrder) as caught:
        another.place_order(limit("BTC-USDT", "buy", "0.02", "50000", client_order_id="once"))
    assert caught.value.outcome == "refused"
    assert [order.quantity for order in bybit.accounts.orders()] == [first.state.quantity]
