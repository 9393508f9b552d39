"""One TLS connection, read at full speed while other threads make it write: no record breaks."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from exconn_sync import Connector, OrderRequest
from exconn_sync._runtime.subscription import PullSubscription, Subscription
from exconn_sync.metrics import MemoryMetrics
from exconn_sync.model.market import Trade
from tests.faults.conftest import LIMIT, Errors, counted
from tests.soak.scale import scaled, show
from tests.soak.served import Served, serving_tls

SECONDS = scaled(3.0, 60.0)
BURST = 10_000
REQUEST = OrderRequest.limit("BTC-USDT", "buy", "0.01", "20000")


class Reader:
    """Takes every trade, and keeps the stream full: the next burst is asked for before the last one has ended."""

    def __init__(self, served: Served, trades: PullSubscription[Trade]) -> None:
        self._served = served
        self._trades = trades
        self.received = 0
        self.breaks: list[tuple[int, int]] = []
        self._last = 0

    def read(self, until: float) -> None:
        """Read until that time, and then what was still sent."""
        sent = self._burst()
        while time.monotonic() < until or self._last < sent:
            if sent - self._last < BURST and time.monotonic() < until:
                sent = self._burst()
            self._take()

    def _burst(self) -> int:
        first = self._served.ask("/market/burst", stream_name="btcusdt@trade", count=BURST)["first_trade_id"]
        return int(first) + BURST - 1

    def _take(self) -> None:
        number = int(self._trades.get(LIMIT).trade_id)
        if self._last and number != self._last + 1:
            self.breaks.append((self._last, number))
        self._last = number
        self.received += 1


@contextmanager
def repeating(*tasks: tuple[float, Callable[[], object]]) -> Iterator[list[int]]:
    """Do each of the tasks so many times a second on a thread of its own; yield how often each was done."""
    done, errors = [0] * len(tasks), []
    over = threading.Event()

    def repeat(index: int, per_second: float, task: Callable[[], object]) -> None:
        due = time.monotonic()
        try:
            while not over.wait(max(due - time.monotonic(), 0.0)):
                due += 1 / per_second
                task()
                done[index] += 1
        except BaseException as error:  # noqa: BLE001 - raised again below
            errors.append(error)

    threads = [threading.Thread(target=repeat, args=(index, *each)) for index, each in enumerate(tasks)]
    for thread in threads:
        thread.start()
    try:
        yield done
    finally:
        over.set()
        for thread in threads:
            thread.join(LIMIT)
            assert not thread.is_alive()
    assert not errors, errors


@pytest.mark.timeout(300)
def test_no_record_breaks_under_reads_and_writes(tmp_path: Path) -> None:
    """Trades without a pause; topics come and go, pings are answered, and orders are placed (faults F016, F023)."""
    metrics = MemoryMetrics()
    with serving_tls(tmp_path) as served:
        connector = Connector(served.config(metrics=metrics))
        errors = Errors(connector)
        trades = connector.stream_trades("BTC-USDT", buffer=1_000_000)

        def order() -> None:
            connector.place_order(REQUEST, timeout=LIMIT).cancel(timeout=LIMIT)

        coming: list[Subscription] = []

        def come_or_go() -> None:
            # What is taken back at once is never asked for, so each stays for one turn.
            if coming:
                coming.pop().stop()
            else:
                coming.append(connector.stream_book_ticker("ETH-USDT"))

        with connector:
            connector.wait_ready(LIMIT)
            served.ask("/faults/flood_pings", per_second=50, seconds=SECONDS)
            reader = Reader(served, trades)
            with repeating(
                (4.5, order), (5.0, come_or_go), (9.0, lambda: connector.fetch_server_time(timeout=LIMIT))
            ) as done:
                began = time.monotonic()
                reader.read(began + SECONDS)
                seconds = time.monotonic() - began
            restarts = sum(worker.restarts for worker in connector.workers())
            dropped = trades.dropped
        connections = served.connections()
    orders, turns, questions = done
    show(
        f"TLS for {seconds:.0f} s", trades_per_second=reader.received / seconds,
        writes_per_second=(2 * orders + turns + questions) / seconds, breaks=len(reader.breaks),
        lost_connections=counted(metrics, "connection.down"), frames=connections["client_frames"],
    )  # fmt: skip
    assert counted(metrics, "connection.down") == 0
    assert (reader.breaks, dropped, restarts, errors.told) == ([], 0, 0, [])
    assert connections["cuts"] == {}
    requests = [frames["text"] for frames in connections["client_frames"] if frames["kind"] == "stream"]
    assert len(requests) == 1
    assert requests[0] > SECONDS
    assert min(done) > 0
