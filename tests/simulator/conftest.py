"""A quiet simulator for scripted tests, a lively one for the rest."""

import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from exconn_sync.simulator import Simulator
from exconn_sync.simulator.server import THREAD_NAME
from tests.quiet import quiet_exchange

from .clients import Rest, WsApi

REPOSITORY = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def no_thread_left() -> Iterator[None]:
    yield
    assert THREAD_NAME not in [thread.name for thread in threading.enumerate()]


@pytest.fixture
def quiet() -> Iterator[Simulator]:
    """BTCUSDT has one bid at 60000 and one ask at 60010, one BTC each; nothing moves by itself."""
    with quiet_exchange() as simulator:
        yield simulator


@pytest.fixture
def lively() -> Iterator[Simulator]:
    with Simulator() as simulator:
        yield simulator


@pytest.fixture
def rest(quiet: Simulator) -> Iterator[Rest]:
    client = Rest(quiet)
    yield client
    client.close()


@pytest.fixture
def ws_api(quiet: Simulator) -> Iterator[WsApi]:
    client = WsApi(quiet)
    yield client
    client.close()


@pytest.fixture(scope="session")
def recordings() -> Path:
    data = Path(os.environ.get("EXCONN_TEST_DATA", REPOSITORY.parent / "shared" / "data"))
    found = data / "recordings" / "binance_spot"
    if not found.is_dir():
        pytest.skip(f"no recordings at {found}; set EXCONN_TEST_DATA to the folder that holds 'recordings'")
    return found
