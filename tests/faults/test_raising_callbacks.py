"""Callbacks that keep raising, between messages that cannot be read: nobody else notices."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from exconn_sync import ErrorEvent, Fill, OrderRequest, ProtocolError
from exconn_sync.metrics import MemoryMetrics
from exconn_sync.simulator import Simulator
from tests.faults.conftest import LIMIT, Connect, Errors, Ups, counted
from tests.unit.support import until

TRADES = 3000


class Raising:
    """A callback that fails at every third message, after it has noted it."""

    def __init__(self) -> None:
        self.seen: list[Any] = []

    def __call__(self, event: Any) -> None:
        self.seen.append(event)
        if len(self.seen) % 3 == 0:
            raise ArithmeticError("every third")


@pytest.mark.parametrize("garbage", ["{", '{"stream":"btcusdt@trade","data":[]}'])
def test_every_third_message_raises(garbage: str, quiet: Simulator, connect: Connect) -> None:
    """No connection is lost, each event is delivered once, also to the one that raises (faults F032, F134, F135)."""
    metrics = MemoryMetrics()
    connector = connect(quiet, start=False, metrics=metrics)
    ups, account, errors = Ups(connector), Ups(connector, "account"), Errors(connector)
    raising, raising_fills = Raising(), Raising()
    fills: list[Fill] = []
    first = connector.on_trade("BTC-USDT", raising, buffer=TRADES)
    second = connector.stream_trades("BTC-USDT", buffer=TRADES)
    of_fills = connector.on_fill(raising_fills)
    connector.on_fill(fills.append)
    connector.start()
    connector.wait_ready(LIMIT)
    begin = quiet.market.burst("btcusdt@trade", TRADES // 2)
    quiet.faults.send_raw(garbage, times=5)
    quiet.market.burst("btcusdt@trade", TRADES // 2)
    for _ in range(6):
        connector.place_order(OrderRequest.market("ETH-USDT", "buy", "0.01"))
    numbers = [int(second.get(LIMIT).trade_id) for _ in range(TRADES)]
    until(lambda: len(raising.seen) == TRADES and len(fills) == len(raising_fills.seen) == len(quiet.accounts.fills()))
    assert numbers == list(range(begin, begin + TRADES))
    assert [int(trade.trade_id) for trade in raising.seen] == numbers
    assert (first.errors, first.delivered, first.dropped) == (TRADES // 3, TRADES, 0)
    assert of_fills.errors == len(fills) // 3 >= 2
    assert Counter(fill.trade_id for fill in raising_fills.seen) == Counter(fill.trade_id for fill in fills)
    assert max(Counter(fill.trade_id for fill in fills).values()) == 1
    until(lambda: counted(metrics, "callback.errors") == first.errors + of_fills.errors)
    until(lambda: _told(errors) >= {ArithmeticError, ProtocolError})
    assert counted(metrics, "connection.down") == 0
    assert {report.restarts for report in connector.workers()} == {0}
    assert [event.is_up for event in ups.told + account.told] == [True, True]


def _told(errors: Errors) -> set[type[Exception]]:
    events: list[ErrorEvent] = errors.told
    return {type(event.error) for event in events}
