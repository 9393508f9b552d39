"""A thousand symbols, some of them refused by the exchange: the others do not notice (fault F158)."""

from __future__ import annotations

import threading
from contextlib import ExitStack

import pytest

from exconn_sync import ErrorEvent
from exconn_sync.exchanges.binance.driver import BinanceDriver
from exconn_sync.ports.driver import StreamLimits
from exconn_sync.simulator import Simulator
from exconn_sync.simulator.binance.streams import StreamSession
from tests.faults.conftest import LIMIT, Connect, Ups
from tests.faults.test_subscriptions import INFO, many_symbols
from tests.simulator.clients import eventually


def test_one_bad_symbol_in_a_hundred_affects_no_other(
    lively: Simulator, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each bad one is told once and by its name, all others are subscribed once and flow (fault F158)."""
    count, bad = 1000, {f"C{number}" for number in range(50, 1000, 100)}
    # At five messages a second, finding the bad ones would take half a minute.
    monkeypatch.setattr(BinanceDriver, "stream_limits", StreamLimits(1024, 200, 400))
    monkeypatch.setattr(StreamSession, "max_inbound_per_second", 1000)
    lively.faults.answer("GET", INFO, 200, many_symbols(lively, count))
    connector = connect(lively, wait=False, start=False, credentials=None)
    ups = Ups(connector)
    told: list[str] = []
    all_told = threading.Event()

    def note(event: ErrorEvent) -> None:
        told.append(event.where)
        if len(told) >= len(bad):
            all_told.set()

    connector.on_error(note)
    real = connector.stream_trades("BTC-USDT")
    for number in range(count):
        connector.on_trade(f"C{number}-USDT", lambda trade: None)
    with ExitStack() as faults:
        for name in bad:
            faults.enter_context(lively.faults.refuse_subscription(f"{name.lower()}usdt@trade"))
        connector.start()
        assert all_told.wait(LIMIT)
        connector.wait_ready(LIMIT)
        assert sorted(told) == sorted(f"trade.{name}-USDT" for name in bad)
        good = {f"c{number}usdt@trade" for number in range(count) if f"C{number}" not in bad}
        eventually(lambda: lively.subscriptions() == sorted(good | {"btcusdt@trade"}))
        real.get(LIMIT)
    assert not any(event.reason for event in ups.told)
    # Symbols cost no threads.
    assert len(connector.workers()) <= 5
    assert threading.active_count() < 20
