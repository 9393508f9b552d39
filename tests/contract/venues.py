"""The exchanges that the contract of connectors is checked on: simulated ones over sockets, and the mock."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Protocol

from exconn_sync import Config
from exconn_sync.ports.clock import Clock, SystemClock
from exconn_sync.simulator import Accounts, MarketControl, MockExchange, SeenRequest, Simulator
from exconn_sync.testing import ManualClock
from tests.contract.imaginary import ImaginaryExchange
from tests.integration.conftest import quick
from tests.quiet import lay_out, quiet_exchange

PATIENCE = 30.0
"""Seconds that anything may take; far more than it needs."""


class Venue(Protocol):
    """What the contract needs of an exchange: one bid at 60000 and one ask at 60010, and nothing moves by itself."""

    name: str
    clock: Clock
    market: MarketControl
    accounts: Accounts
    place_path: str

    def config(self, **changes: Any) -> Config:
        """Return how to reach it."""

    def drop_connections(self) -> None:
        """End all streams."""

    def lose_answer(self) -> None:
        """Execute the next order, and lose the answer."""

    def requests(self) -> list[SeenRequest]:
        """Return the requests so far."""

    def subscriptions(self) -> list[str]:
        """Return the streams that are subscribed."""

    def pass_time(self, seconds: float) -> None:
        """Let time pass, where it does not do so by itself."""


class SocketVenue:
    """A simulated exchange over sockets."""

    def __init__(self, simulator: Simulator, place_path: str) -> None:
        self.name = simulator.exchange
        self.clock: Clock = SystemClock()
        self.market = simulator.market
        self.accounts = simulator.accounts
        self.place_path = place_path
        self._simulator = simulator

    def config(self, **changes: Any) -> Config:
        return quick(self._simulator.config(**changes))

    def drop_connections(self) -> None:
        self._simulator.faults.drop_connections()

    def lose_answer(self) -> None:
        self._simulator.faults.execute_then_drop("POST", self.place_path)

    def requests(self) -> list[SeenRequest]:
        return self._simulator.request_log()

    def subscriptions(self) -> list[str]:
        return self._simulator.subscriptions()

    def pass_time(self, seconds: float) -> None:
        del seconds


class MockVenue:
    """The mock, on a clock that is moved by hand."""

    def __init__(self, exchange: MockExchange) -> None:
        self.name = "mock"
        self.clock = exchange.clock
        self.market = exchange.market
        self.accounts = exchange.accounts
        self.place_path = "/api/v3/order"
        self._exchange = exchange

    def config(self, **changes: Any) -> Config:
        return self._exchange.config(**changes)

    def drop_connections(self) -> None:
        self._exchange.drop_connections()

    def lose_answer(self) -> None:
        self._exchange.execute_then_drop("POST", self.place_path)

    def requests(self) -> list[SeenRequest]:
        return self._exchange.request_log()

    def subscriptions(self) -> list[str]:
        return self._exchange.subscriptions()

    def pass_time(self, seconds: float) -> None:
        self._exchange.advance(seconds)


@contextmanager
def _served(name: str, place_path: str) -> Iterator[Venue]:
    with quiet_exchange(name) as simulator:
        yield SocketVenue(simulator, place_path)


@contextmanager
def _mocked() -> Iterator[Venue]:
    with MockExchange(clock=ManualClock()) as exchange:
        lay_out(exchange.market)
        yield MockVenue(exchange)


VENUES: Mapping[str, Callable[[], Any]] = {
    "binance": lambda: _served("binance", "/api/v3/order"),
    "bybit": lambda: _served("bybit", "/v5/order/create"),
    "mock": _mocked,
    "template": ImaginaryExchange,
}


def sent_orders(venue: Venue) -> list[SeenRequest]:
    """Return the requests so far that were to place an order."""
    return [seen for seen in venue.requests() if (seen.method, seen.path) == ("POST", venue.place_path)]


def settle(venue: Venue, condition: Callable[[], object]) -> None:
    """Wait until a condition holds, and let time pass meanwhile."""
    limit, pause = time.monotonic() + PATIENCE, threading.Event()
    while not condition():
        assert time.monotonic() < limit, "did not come true in time"
        venue.pass_time(0.1)
        pause.wait(0.01)
