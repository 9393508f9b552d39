"""A thousand symbols, 20,000 messages a second, default buffers: nothing is dropped, and memory stays flat."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from exconn_sync import Config, Connector, Trade
from tests.data import data_path
from tests.process.support import LIMIT
from tests.soak.scale import scaled, show

ROOT = Path(__file__).parents[2]
SYMBOLS = scaled(100, 1000)
RATE = scaled(2000, 20_000)
SECONDS = int(os.environ.get("EXCONN_SOAK_SECONDS") or scaled(3, 600))
COUNT = RATE * SECONDS
_PAGE = os.sysconf("SC_PAGE_SIZE")


@contextmanager
def feeding() -> Iterator[int]:
    """Run the feed of the benchmarks in a process of its own; return its port."""
    environment = {**os.environ, "EXCONN_TEST_DATA": str(data_path())}
    command = [sys.executable, "-m", "benchmarks.market.server"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT, env=environment) as process:
        assert process.stdout is not None
        try:
            yield int(process.stdout.readline())
        finally:
            process.kill()


def resident() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * _PAGE


def await_delivery(delivered: Callable[[], int], count: int) -> None:
    """Wait for so many, looking seldom: the callbacks need the interpreter."""
    limit, pause = time.monotonic() + 2 * SECONDS + 3 * LIMIT, threading.Event()
    while delivered() < count:
        assert time.monotonic() < limit, f"only {delivered()} of {count} came"
        pause.wait(0.25)


class Newest:
    """The last trade of each symbol, and whether ids only rose: the feed numbers them by the time of sending."""

    def __init__(self) -> None:
        self.ids: dict[str, int] = {}
        self.fell: list[str] = []

    def trade(self, trade: Trade) -> None:
        number = int(trade.trade_id)
        if number <= self.ids.get(trade.symbol, 0):
            self.fell.append(trade.symbol)
        self.ids[trade.symbol] = number


@pytest.mark.timeout(SECONDS * 3 + 120)
def test_nothing_is_dropped_and_memory_stays_flat() -> None:
    """(faults F156, F157)"""
    newest = Newest()
    with feeding() as port:
        plan = f"http://127.0.0.1:{port}/plan?kind=trade&count={COUNT}&rate={RATE}&symbols={SYMBOLS}"
        with urllib.request.urlopen(plan, timeout=LIMIT) as answer:
            assert answer.status == 200
        addresses = {
            "rest": f"http://127.0.0.1:{port}",
            **dict.fromkeys(("stream", "ws_api"), f"ws://127.0.0.1:{port}"),
        }
        connector = Connector(Config.builder("binance").endpoints(**addresses).build())
        subscriptions = [connector.on_trade(f"S{number:04}-USDT", newest.trade) for number in range(SYMBOLS)]

        def delivered() -> int:
            return sum(subscription.delivered for subscription in subscriptions)

        connector.start()
        try:
            # Caches are full and all threads run by then.
            await_delivery(delivered, COUNT // 3)
            before = resident()
            await_delivery(delivered, COUNT)
            growth = resident() - before
        finally:
            connector.stop(LIMIT)
    show("many symbols", messages=delivered(), resident=resident(), growth=growth)
    assert sum(subscription.dropped for subscription in subscriptions) == 0
    assert (len(newest.ids), newest.fell) == (SYMBOLS, [])
    assert growth < 16_000_000
