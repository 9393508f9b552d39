"""Clocks that step by 30 s, over ways of 20 to 2,000 ms there and back, however lopsided: nobody hears of a -1021."""

from __future__ import annotations

import time
from itertools import product

import pytest

from exconn_sync import ClockSkew, Connector, OrderRequest
from exconn_sync.simulator import Simulator
from tests.faults.conftest import LIMIT, Errors, Ups, relay_to, through
from tests.faults.test_clocks import MovedClock, refused
from tests.integration.conftest import quick, quiet  # noqa: F401 - a fixture
from tests.simulator.clients import eventually
from tests.soak.scale import scaled, show

BUY = OrderRequest.limit("BTC-USDT", "buy", "0.01", "50000")
SHARE_OUT = {"symmetric": 0.5, "all on the way out": 1.0, "all on the way back": 0.0}
"""How much of a round trip is spent on the way to the exchange."""
MARGIN_MS = 5
EXCHANGE, LOCAL = "the exchange's clock", "the local clock"
EVERYTHING = list(product((20, 100, 500, 1000, 2000), SHARE_OUT, (-30, 30), (EXCHANGE, LOCAL)))
SOME = [
    (20, "symmetric", 30, EXCHANGE),
    (20, "symmetric", -30, LOCAL),
    (200, "all on the way out", 30, EXCHANGE),
    (200, "all on the way back", -30, EXCHANGE),
]


@pytest.mark.timeout(300)
@pytest.mark.parametrize(("round_trip_ms", "path", "seconds", "stepping"), scaled(SOME, EVERYTHING))
def test_nobody_hears_of_a_refused_timestamp(
    round_trip_ms: int,
    path: str,
    seconds: int,
    stepping: str,
    quiet: Simulator,  # noqa: F811
) -> None:
    """Questions, commands and sign-ins go on (faults F062, F081, F117, F119)."""
    out = round_trip_ms * SHARE_OUT[path]
    clock = MovedClock()
    with relay_to(quiet) as relay:
        relay.upstream.delay(out / 1000)
        relay.downstream.delay((round_trip_ms - out) / 1000)
        endpoints = through(quiet, relay, "rest", "stream", "ws_api")
        with Connector(quick(quiet.config(endpoints=endpoints)), clock=clock) as connector:
            connector.wait_ready(60.0)
            errors, account = Errors(connector), Ups(connector, "account")
            if stepping == LOCAL:
                clock.wall_ns = seconds * 1_000_000_000
            else:
                quiet.faults.offset_clock(seconds * 1000)
            began = time.monotonic()
            order = connector.place_order(BUY)
            placed = time.monotonic()
            assert connector.fetch_balances()
            quiet.faults.drop_connections("ws_api")
            account.recover()
            connector.wait_ready(60.0)
            order.cancel()
            settled = time.monotonic()
            assert (order.status, len(quiet.accounts.orders())) == ("canceled", 1)
            assert not [event for event in errors.told if isinstance(event.error, ClockSkew)]
            bound_ms = connector.health().clock_bound_ms or 0.0
            # How far the exchange is ahead of the wall clock here.
            off_ms = (-seconds if stepping == LOCAL else seconds) * 1000
            eventually(lambda: abs((connector.health().clock_offset_ms or 0.0) - off_ms) <= bound_ms + MARGIN_MS)
            show(
                f"{stepping} by {seconds:+} s, {round_trip_ms} ms {path}",
                refused=refused(connector),
                order=placed - began,
                everything=settled - began,
                bound_ms=bound_ms,
            )
            assert settled - began < LIMIT * 6
