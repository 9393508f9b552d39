"""No memory, or no stack, in the middle of the work: it is begun anew, and nothing half done is shown (fault F142)."""

from __future__ import annotations

import threading

import pytest

from exconn_sync import OrderRequest
from exconn_sync._runtime.faultpoints import installed
from exconn_sync.simulator import Simulator
from tests.faults.conftest import LIMIT, Connect, Errors
from tests.integration.test_faults import wait_live
from tests.simulator.clients import eventually

PLACES = {
    "stream.after_read": "exconn-binance-market",
    "rest.before_send": "exconn-binance-rest",
    "rest.after_send": "exconn-binance-rest",
}


class Shortage:
    """Fails once, on one thread."""

    def __init__(self, kind: type[BaseException], thread: str) -> None:
        self._kind = kind
        self._thread = thread
        self.came = threading.Event()

    def __call__(self) -> None:
        if threading.current_thread().name == self._thread and not self.came.is_set():
            self.came.set()
            raise self._kind


@pytest.mark.parametrize("kind", [MemoryError, RecursionError])
@pytest.mark.parametrize("point", PLACES)
def test_a_worker_without_memory_begins_anew(
    lively: Simulator, connect: Connect, point: str, kind: type[Exception]
) -> None:
    """The book is unreadable or right, never half of one; it is told, and the neighbours go on (fault F142)."""
    connector = connect(lively)
    errors = Errors(connector)
    books = connector.stream_order_book("BTC-USDT", depth=None)
    wait_live(connector, books)
    shortage = Shortage(kind, PLACES[point])
    with installed(point, shortage):
        if point.startswith("rest"):
            # Its next look is far away; a start begins with one.
            connector.restart()
            connector.wait_ready(LIMIT)
        assert shortage.came.wait(LIMIT)
        event = errors.until(lambda event: isinstance(event.error, kind))
    assert event.where == PLACES[point].replace("exconn-", "worker ")
    eventually(lambda: sum(report.restarts for report in connector.workers()) == 1)
    connector.wait_ready(LIMIT)
    wait_live(connector, books)
    lively.market.pause()
    update_id, bids, asks = lively.market.order_book("BTCUSDT")
    while (view := connector.order_book("BTC-USDT")).update_id < update_id:
        books.get(timeout=LIMIT)
    assert (list(view.bids), list(view.asks)) == ([tuple(level) for level in bids], [tuple(level) for level in asks])


def test_a_command_without_memory_for_its_answer_is_looked_for(quiet: Simulator, connect: Connect) -> None:
    """It was sent, so the order exists and is found (fault F142)."""
    connector = connect(quiet)
    shortage = Shortage(MemoryError, threading.current_thread().name)
    with installed("rest.after_send", shortage), pytest.raises(MemoryError):
        connector.place_order(OrderRequest.limit("BTC-USDT", "buy", "0.001", "20000"))
    eventually(lambda: [state.status for state in connector.orders.open()] == ["new"])
    assert len(quiet.accounts.orders()) == 1
    connector.place_order(OrderRequest.limit("BTC-USDT", "buy", "0.001", "20000"))
    assert len(quiet.accounts.orders()) == 2
