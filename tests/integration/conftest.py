"""A connector on a simulated exchange, over real sockets and with real threads."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from exconn_sync import Config, Connector
from exconn_sync.config.settings import Reconnect
from exconn_sync.simulator import Simulator
from tests.quiet import quiet_exchange

LIMIT = 10.0
"""Seconds that any single thing in these tests may take; far more than it needs."""

Connect = Callable[..., Connector]


def quick(config: Config, **changes: Any) -> Config:
    """Return the configuration with short pauses between attempts, so that tests need not wait for them."""
    return replace(config, **{"reconnect": Reconnect(base=0.05, cap=0.2, settle=0.05), **changes})


@pytest.fixture
def lively() -> Iterator[Simulator]:
    """An exchange with a moving market."""
    with Simulator() as simulator:
        yield simulator


@pytest.fixture
def quiet() -> Iterator[Simulator]:
    """BTCUSDT has one bid at 60000 and one ask at 60010, one BTC each; nothing moves by itself."""
    with quiet_exchange() as simulator:
        yield simulator


@pytest.fixture
def connect() -> Iterator[Connect]:
    """Return a function that makes a started connector; all are stopped at the end of the test."""
    connectors: list[Connector] = []

    def make(simulator: Simulator, *, wait: bool = True, start: bool = True, **changes: Any) -> Connector:
        connector = Connector(quick(simulator.config(), **changes))
        connectors.append(connector)
        if start:
            connector.start()
            if wait:
                connector.wait_ready(LIMIT)
        return connector

    yield make
    for connector in connectors:
        assert connector.stop(LIMIT) == []
