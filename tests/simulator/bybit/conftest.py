"""A quiet simulator that speaks Bybit, and clients of it."""

from collections.abc import Iterator

import pytest

from exconn_sync.simulator import Simulator
from tests.quiet import quiet_exchange

from .clients import Private, Public, Rest, Trade


@pytest.fixture
def quiet() -> Iterator[Simulator]:
    """BTCUSDT has one bid at 60000 and one ask at 60010, one BTC each; nothing moves by itself."""
    with quiet_exchange("bybit") as simulator:
        yield simulator


@pytest.fixture
def lively() -> Iterator[Simulator]:
    with Simulator("bybit") as simulator:
        yield simulator


@pytest.fixture
def rest(quiet: Simulator) -> Iterator[Rest]:
    client = Rest(quiet)
    yield client
    client.close()


@pytest.fixture
def public(quiet: Simulator) -> Iterator[Public]:
    client = Public(quiet)
    yield client
    client.close()


@pytest.fixture
def private(quiet: Simulator) -> Iterator[Private]:
    client = Private(quiet).subscribed("order", "execution", "wallet")
    yield client
    client.close()


@pytest.fixture
def trade(quiet: Simulator) -> Iterator[Trade]:
    client = Trade(quiet)
    yield client
    client.close()
