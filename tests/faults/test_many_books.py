"""Many books whose snapshots do not fit into one window of the budget: all come, the most wanted first, no 429."""

from __future__ import annotations

import threading

from exconn_sync import BookView, Connector
from exconn_sync.simulator import DEFAULT_SYMBOLS, Simulator, spec_of
from tests.faults.conftest import LIMIT, Connect
from tests.unit.support import until

COUNT = 40
WANTED = range(COUNT - 12, COUNT)
"""Those that two want; they come last in every list."""

EARLY = len(WANTED) + 8
"""Four are under way before the others are known, and four more may follow before all are."""

FIRST_TAKE = 3.0
"""Seconds that the first snapshots take: meanwhile all others get into the line, however busy the machine is."""

DEPTH = "/api/v3/depth"


class Seen:
    """Which books were seen, in their order."""

    def __init__(self, connector: Connector) -> None:
        self._symbols = [f"B{number}-USDT" for number in range(COUNT)]
        self._lock = threading.Lock()
        self._order: list[str] = []
        for number, symbol in enumerate(self._symbols):
            for _ in range(2 if number in WANTED else 1):
                connector.on_order_book(symbol, self._note, depth=1)

    def _note(self, view: BookView) -> None:
        with self._lock:
            if view.symbol not in self._order:
                self._order.append(view.symbol)

    @property
    def order(self) -> list[int]:
        with self._lock:
            return [int(symbol[1:].partition("-")[0]) for symbol in self._order]

    def forget(self) -> None:
        with self._lock:
            self._order.clear()


def snapshots(simulator: Simulator) -> int:
    return sum(request.path == DEPTH for request in simulator.request_log())


def test_all_books_start_within_the_budget_and_again_after_a_total_loss(connect: Connect) -> None:
    """Three windows of the budget are needed for all; progress shows in the health (faults F054, F158)."""
    more = [
        spec_of(f"B{number}", "USDT", tick="0.01", step="0.001", min_notional="5", start_price="100")
        for number in range(COUNT)
    ]
    with Simulator(running_market=False, symbols=(*DEFAULT_SYMBOLS, *more)) as simulator:
        # Of 900, snapshots may use 774: fifteen of 50 each.
        simulator.faults.rate_limits(weight_per_minute=900, weight_window_s=3)
        connector = connect(simulator, wait=False, start=False, credentials=None)
        seen = Seen(connector)
        with simulator.faults.delay("GET", DEPTH, FIRST_TAKE):
            connector.start()
            until(lambda: len(simulator.subscriptions()) == COUNT)
        until(lambda: len(seen.order) >= EARLY)
        assert set(WANTED) <= set(seen.order[:EARLY]), seen.order
        states = list(connector.health().books.values())
        assert len(states) == COUNT
        assert "live" in states
        _all_live(connector)
        assert snapshots(simulator) == COUNT, "none was asked for in vain"
        seen.forget()
        with simulator.faults.delay("GET", DEPTH, FIRST_TAKE):
            attempts = len(simulator.connection_log())
            simulator.faults.drop_connections("stream")
            until(lambda: len(simulator.connection_log()) > attempts and len(simulator.subscriptions()) == COUNT)
        until(lambda: len(seen.order) >= EARLY)
        assert set(WANTED) <= set(seen.order[:EARLY]), seen.order
        _all_live(connector)
        assert snapshots(simulator) == 2 * COUNT
        assert simulator.breaches().total == 0, "no 429"


def _all_live(connector: Connector) -> None:
    """Wait until every book is live: a few windows, and as much again."""
    for _ in range(3):
        if set(connector.health().books.values()) == {"live"}:
            return
        _wait_a_limit(connector)
    assert set(connector.health().books.values()) == {"live"}


def _wait_a_limit(connector: Connector) -> None:
    pause = threading.Event()
    for _ in range(int(LIMIT / 0.05)):
        if set(connector.health().books.values()) == {"live"}:
            return
        pause.wait(0.05)
