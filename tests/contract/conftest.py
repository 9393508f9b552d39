"""Each exchange in turn, and connectors on it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from exconn_sync import Connector
from tests.contract.venues import PATIENCE, VENUES, Venue

Connect = Callable[..., Connector]


@pytest.fixture(params=list(VENUES))
def venue(request: pytest.FixtureRequest) -> Iterator[Venue]:
    with VENUES[request.param]() as made:
        yield made


@pytest.fixture
def connect(venue: Venue) -> Iterator[Connect]:
    """Return a function that makes a ready connector on the exchange; all are stopped at the end."""
    made: list[Connector] = []

    def make(**changes: Any) -> Connector:
        connector = Connector(venue.config(**changes), clock=venue.clock)
        made.append(connector)
        connector.start()
        connector.wait_ready(PATIENCE)
        return connector

    yield make
    for connector in made:
        assert connector.stop(PATIENCE) == []


@pytest.fixture
def connector(connect: Connect) -> Connector:
    return connect()
