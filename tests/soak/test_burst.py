"""A burst of 100,000 trades into consumers of every speed, while orders are placed and filled."""

from __future__ import annotations

import os
import threading
from collections import Counter
from functools import partial
from pathlib import Path

from exconn_sync import Fill, OrderRequest, Trade
from exconn_sync._runtime.subscription import Subscription
from exconn_sync.metrics import MemoryMetrics
from exconn_sync.simulator import Simulator
from tests.faults.conftest import LIMIT, Connect, Errors, connect, counted, lively, quiet  # noqa: F401 - fixtures
from tests.soak.scale import scaled, show
from tests.unit.support import Background, until

TRADES = 100_000
BURSTS = scaled(1, 20)
BUFFER = 1000
_PAGE = os.sysconf("SC_PAGE_SIZE")


class Ledger:
    """Whether trades and gaps account for each id in order; it keeps no more than counts."""

    FIRST = 1

    def __init__(self) -> None:
        self.expected = self.FIRST
        self.delivered = self.lost = 0
        self.wrong: list[tuple[int, int]] = []

    def gap(self, count: int) -> None:
        self.lost += count
        self.expected += count

    def trade(self, number: int) -> None:
        if number != self.expected:
            self.wrong.append((number, self.expected))
        self.delivered += 1
        self.expected = number + 1


class Consumer:
    """A callback that takes its time until it is told to hurry."""

    def __init__(self, seconds: float) -> None:
        self.ledger = Ledger()
        self._seconds = seconds
        self._pause = threading.Event()

    def trade(self, event: Trade) -> None:
        self.ledger.trade(int(event.trade_id))
        if self._seconds:
            self._pause.wait(self._seconds)

    def gap(self, count: int) -> None:
        self.ledger.gap(count)

    def hurry(self) -> None:
        self._seconds = 0.0
        self._pause.set()


def is_accounted_for(subscription: Subscription) -> bool:
    return subscription.delivered + subscription.dropped + subscription.pending == TRADES * BURSTS


def resident() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * _PAGE


def test_a_burst_is_accounted_for_to_the_last_trade(quiet: Simulator, connect: Connect) -> None:  # noqa: F811
    """The stream lives, gaps are told in their places, no fill is lost, memory is bounded (faults F156, F157)."""
    quiet.faults.rate_limits(weight_per_minute=10**9, orders_per_10s=10**9, orders_per_day=10**9)
    metrics = MemoryMetrics()
    connector = connect(quiet, start=False, metrics=metrics)
    errors, slow, blind = Errors(connector), Consumer(0.005), Consumer(0.005)
    conflating = Consumer(0.0)
    fills: list[Fill] = []
    connector.on_fill(fills.append)
    pushed = {
        "slow": (connector.on_trade("BTC-USDT", slow.trade, buffer=BUFFER, on_gap=slow.gap), slow),
        "newest": (
            connector.on_trade("BTC-USDT", blind.trade, buffer=BUFFER, overflow="drop_newest", on_gap=blind.gap),
            blind,
        ),
        "conflating": (
            connector.on_trade("BTC-USDT", conflating.trade, overflow="conflate", on_gap=conflating.gap),
            conflating,
        ),
    }
    pulled = connector.stream_trades("BTC-USDT", buffer=BUFFER)
    taken = Ledger()
    connector.start()
    connector.wait_ready(LIMIT)

    def pull(last: int) -> None:
        while taken.expected != last + 1:
            number = int(pulled.get(LIMIT).trade_id)
            taken.gap(pulled.missed)
            taken.trade(number)

    def trade() -> None:
        for _ in range(10):
            connector.place_order(OrderRequest.market("ETH-USDT", "buy", "0.5"), timeout=LIMIT)

    before, most, largest = resident(), 0, 0
    assert quiet.market.burst("btcusdt@trade", TRADES) == Ledger.FIRST
    last = TRADES * BURSTS
    puller, trader = Background(lambda: pull(last)), Background(trade)
    for _ in range(BURSTS - 1):
        quiet.market.burst("btcusdt@trade", TRADES)
    while puller.is_running:
        most = max([most, pulled.pending, *(subscription.pending for subscription, _ in pushed.values())])
        largest = max(largest, resident() - before)
        threading.Event().wait(0.01)
    puller.result()
    trader.result()

    until(lambda: len(fills) >= len(quiet.accounts.fills()))
    for subscription, _ in pushed.values():
        # A batch that was taken out and the event in the callback count as waiting.
        until(partial(is_accounted_for, subscription))
        assert subscription.pending <= 2 * BUFFER
    for _, consumer in pushed.values():
        consumer.hurry()
    until(lambda: not any(subscription.pending for subscription, _ in pushed.values()))
    # Ended in order, so that the last gap has been told as well.
    connector.stop(LIMIT)
    lost = {"pulled": pulled.dropped, **{name: subscription.dropped for name, (subscription, _) in pushed.items()}}
    ledgers = {"pulled": taken, **{name: consumer.ledger for name, (_, consumer) in pushed.items()}}
    for name, ledger in ledgers.items():
        assert (ledger.wrong, ledger.lost, ledger.expected) == ([], lost[name], last + 1), name
        assert ledger.delivered + ledger.lost == TRADES * BURSTS, name
    for subscription, consumer in pushed.values():
        assert consumer.ledger.delivered == subscription.delivered
    assert lost["slow"] > 0
    assert lost["newest"] > 0
    assert Counter(fill.trade_id for fill in fills) == Counter(str(fill.trade_id) for fill in quiet.accounts.fills())
    assert len(fills) >= 10
    show("burst", most_waiting=most, resident_growth=largest, lost=lost)
    assert most <= 2 * BUFFER
    assert largest < 64_000_000
    assert counted(metrics, "connection.down") == 0
    assert errors.told == []
