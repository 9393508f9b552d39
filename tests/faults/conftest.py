"""A connector on a simulated exchange, with everything in between that can break."""

from __future__ import annotations

import queue
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest

from exconn_sync import ConnectionEvent, Connector, ErrorEvent
from exconn_sync.config.settings import Reconnect
from exconn_sync.metrics import MemoryMetrics
from exconn_sync.simulator import Simulator
from tests.faults.relay import Relay
from tests.integration.conftest import LIMIT, Connect, connect, lively, quiet

__all__ = [
    "LIMIT",
    "Connect",
    "Errors",
    "Ups",
    "connect",
    "counted",
    "lively",
    "pace",
    "quiet",
    "relay",
    "relay_to",
    "through",
]


def pace(**changes: Any) -> Reconnect:
    """Return settings with short pauses, with some of them replaced."""
    return Reconnect(**{"base": 0.05, "cap": 0.2, "settle": 0.05, **changes})


def through(simulator: Simulator, relay: Relay, *names: str) -> dict[str, str]:
    """Return the endpoints of a simulator, of which those named lead through a relay."""
    urls = {"rest": simulator.rest, "stream": simulator.stream, "ws_api": simulator.ws_api}
    detour = {name: urlsplit(urls[name])._replace(netloc=f"127.0.0.1:{relay.port}").geturl() for name in names}
    return {**urls, **detour}


def relay_to(simulator: Simulator) -> Relay:
    """Return a relay to a simulator, which runs inside a ``with`` block."""
    port = urlsplit(simulator.stream).port
    assert port is not None
    return Relay(port)


def counted(metrics: MemoryMetrics, name: str) -> int:
    """Return how often something was counted, whatever its labels."""
    return sum(count for key, count in metrics.counts().items() if key.split("{")[0] == name)


class Ups:
    """What is told of one connection."""

    def __init__(self, connector: Connector, name: str = "market") -> None:
        self.told: list[ConnectionEvent] = []
        self._name = name
        self._queue: queue.Queue[ConnectionEvent] = queue.Queue()
        connector.on_connection(self._put)

    def _put(self, event: ConnectionEvent) -> None:
        if event.connection == self._name:
            self.told.append(event)
            self._queue.put(event)

    def down(self) -> ConnectionEvent:
        """Return the next loss."""
        while (event := self._queue.get(timeout=LIMIT)).is_up:
            continue
        return event

    def up(self) -> ConnectionEvent:
        """Return the next event, which must be an up."""
        event = self._queue.get(timeout=LIMIT)
        assert event.is_up, event
        return event

    def recover(self) -> ConnectionEvent:
        """Return the next loss, once it is over: nothing else may be told in between."""
        event = self.down()
        self.up()
        return event


class Errors:
    """What is told on ``on_error``."""

    def __init__(self, connector: Connector) -> None:
        self.told: list[ErrorEvent] = []
        self._queue: queue.Queue[ErrorEvent] = queue.Queue()
        connector.on_error(self._put)

    def _put(self, event: ErrorEvent) -> None:
        self.told.append(event)
        self._queue.put(event)

    def until(self, wanted: Callable[[ErrorEvent], bool]) -> ErrorEvent:
        """Return the first error from now on that is wanted."""
        while not wanted(event := self._queue.get(timeout=LIMIT)):
            continue
        return event


@pytest.fixture
def relay(lively: Simulator) -> Iterator[Relay]:
    """Bytes on their way to and from the exchange with a moving market."""
    with relay_to(lively) as made:
        yield made
