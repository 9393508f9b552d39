"""The exchange's limit of connection attempts is kept by all connectors of a process together."""

from __future__ import annotations

import threading

import pytest

from exconn_sync import RateLimitError
from exconn_sync.exchanges.binance.driver import BinanceDriver
from exconn_sync.ports.driver import StreamLimits
from exconn_sync.simulator import Simulator
from tests.faults.conftest import LIMIT, Connect, Errors
from tests.simulator.clients import eventually


def test_the_exchanges_limit_of_connections_is_kept_and_told(
    lively: Simulator, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All connectors of a process share it (fault F019)."""
    limits = StreamLimits(1024, 200, 4, connections=6, connections_period=2.0)
    monkeypatch.setattr(BinanceDriver, "stream_limits", limits)
    connectors = [connect(lively, wait=False, start=False, credentials=None) for _ in range(2)]
    errors = [Errors(connector) for connector in connectors]
    for connector in connectors:
        connector.start()
    stop = threading.Event()

    def drop() -> None:
        while not stop.wait(0.02):
            lively.faults.drop_connections("stream")

    thread = threading.Thread(target=drop)
    thread.start()
    try:
        told = errors[0].until(lambda event: isinstance(event.error, RateLimitError))
        assert "6 connections in 2 s are used up" in str(told.error)
        assert told.where.startswith("connections to 127.0.0.1")
        eventually(lambda: len(lively.connection_log()) >= 8)
    finally:
        stop.set()
        thread.join()
    attempts = [when for when, _ in lively.connection_log()]
    assert len(attempts) >= 8
    for index, when in enumerate(attempts[6:]):
        # The network may bring two of them a little nearer to each other than they were sent.
        assert when - attempts[index] > 1.8
    for connector in connectors:
        assert connector.stop(LIMIT) == []
