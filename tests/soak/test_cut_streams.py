"""Cuts of 1, 7 and 60 seconds in the trade streams of a moving market: no id is missing, none comes twice."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from dataclasses import replace

import pytest

from exconn_sync import Connector, DataGap, Trade
from exconn_sync.config.settings import Reconnect
from exconn_sync.simulator import Simulator
from tests.soak.scale import scaled, show
from tests.unit.support import until

SYMBOLS = ("BTC-USDT", "ETH-USDT")
CUTS = scaled((1.0,), (1.0, 7.0, 60.0))


@pytest.fixture
def lively() -> Iterator[Simulator]:
    with Simulator() as simulator:
        yield simulator


@pytest.mark.timeout(300)
@pytest.mark.parametrize("seconds", CUTS)
def test_no_trade_of_a_cut_is_missing_or_comes_twice(seconds: float, lively: Simulator) -> None:
    seen: dict[str, list[Trade]] = {symbol: [] for symbol in SYMBOLS}
    gaps: list[DataGap] = []
    is_over = threading.Event()
    # Not more attempts than the exchange allows, however long the cut.
    config = replace(lively.config(), reconnect=Reconnect(base=0.05, cap=1.0, settle=0.05))
    with Connector(config) as connector:
        connector.on_data_gap(gaps.append)
        for symbol in SYMBOLS:
            connector.on_trade(symbol, seen[symbol].append, buffer=100_000)
        connector.wait_ready(20)
        until(lambda: all(len(found) > 5 for found in seen.values()))
        with lively.faults.refuse_connections():
            lively.faults.drop_connections("stream")
            ended = time.monotonic() + seconds
            is_over.wait(max(0.0, ended - time.monotonic()))
        # Until the stream itself has gone on for a while.
        until(lambda: all(_is_over(found) for found in seen.values()))
    for symbol, found in seen.items():
        ids = [int(each.trade_id) for each in found]
        assert ids == list(range(ids[0], ids[0] + len(ids))), symbol
        filled = sum(each.is_backfilled for each in found)
        show(f"cut of {seconds:.0f} s, {symbol}", trades=len(found), filled=filled)
        assert filled
    assert gaps == []


def _is_over(found: list[Trade]) -> bool:
    """Return whether some trades have come after those that were filled in."""
    return any(each.is_backfilled for each in found) and not any(each.is_backfilled for each in found[-5:])
