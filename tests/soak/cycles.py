"""Many starts and stops, and what they leave."""

from __future__ import annotations

import gc
import os
import threading
from pathlib import Path
from typing import NamedTuple

from exconn_sync import Connector, OrderRequest
from exconn_sync._transport import limiter
from exconn_sync.simulator import Simulator
from tests.integration.conftest import LIMIT, quick
from tests.unit.support import until

_PAGE = os.sysconf("SC_PAGE_SIZE")


class Measure(NamedTuple):
    """Threads, descriptors, objects known to the collector, and resident bytes."""

    threads: int
    descriptors: int
    objects: int
    resident: int


class Cycles:
    """One connector, started and stopped many times; every tenth time with an order and a stop before it is ready."""

    def __init__(self, exchange: Simulator) -> None:
        self._exchange = exchange
        exchange.faults.rate_limits(
            weight_per_minute=10**9, orders_per_10s=10**9, orders_per_day=10**9, connections_per_5m=10**9
        )
        self._connector = Connector(quick(exchange.config()))
        self._request = OrderRequest.limit("BTC-USDT", "buy", "0.01", "20000")
        self.completed = 0
        gc.collect()
        self._at_first = _descriptors()

    def run(self, count: int) -> None:
        """Start, receive, stop, so many times. Raises AssertionError where a thread is left."""
        for _ in range(count):
            # The exchange was told to be patient, and the connector must be as well.
            limiter._connect_budgets.clear()
            self._cycle()
            self.completed += 1

    def _cycle(self) -> None:
        connector = self._connector
        if self.completed % 10 == 5:
            connector.start()
            assert connector.stop(LIMIT) == []
            return
        got = threading.Event()
        trades = connector.stream_book_ticker("BTC-USDT")
        connector.on_book_ticker("BTC-USDT", lambda ticker: got.set())
        connector.start()
        connector.wait_ready(LIMIT)
        if self.completed % 10 == 0:
            connector.place_order(self._request).cancel()
        trades.get(LIMIT)
        assert got.wait(LIMIT)
        assert connector.stop(LIMIT) == []

    def measure(self) -> Measure:
        """Return what there is after a collection.

        Raises AssertionError where more descriptors are open than before the first start. The exchange is in the same
        process and closes its halves of the connections on its own time, so they are waited for.
        """
        gc.collect()
        until(lambda: _descriptors() <= self._at_first)
        resident = int(Path("/proc/self/statm").read_text().split()[1]) * _PAGE
        return Measure(threading.active_count(), _descriptors(), len(gc.get_objects()), resident)


def _descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))  # noqa: PTH208
