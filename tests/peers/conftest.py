"""Other people's clients as judges of the simulator: ``tox -e peers``.

They need libraries that nothing else needs, so that the ordinary run does not even collect these tests.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from exconn_sync.simulator import Simulator
from tests.quiet import quiet_exchange

collect_ignore_glob = [] if os.environ.get("EXCONN_PEERS") else ["test_*.py"]


@pytest.fixture(autouse=True)
def nothing_left_behind() -> None:
    """Stand in for the check of every other test: tasks and sockets that foreign code leaves are not ours."""


@pytest.fixture
def exchange() -> Iterator[Simulator]:
    """An exchange on which nothing moves by itself: BTCUSDT has one bid at 60000 and one ask at 60010, 1 BTC each."""
    with quiet_exchange() as simulator:
        yield simulator


@pytest.fixture
def lively() -> Iterator[Simulator]:
    """An exchange whose market runs."""
    with Simulator() as simulator:
        yield simulator
