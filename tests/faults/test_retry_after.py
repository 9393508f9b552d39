"""A refused upgrade that names a time is not tried before it."""

from __future__ import annotations

from exconn_sync.simulator import Simulator
from tests.faults.conftest import Connect, Ups


def test_a_refused_upgrade_that_names_a_time_is_not_tried_before(lively: Simulator, connect: Connect) -> None:
    """(fault F020)"""
    connector = connect(lively, wait=False, start=False, credentials=None)
    ups = Ups(connector)
    with lively.faults.refuse_upgrades(429, {"Retry-After": "1"}):
        connector.start()
        assert ups.down().retry_in == 1.0
    ups.up()
    first, second = [when for when, _ in lively.connection_log()][:2]
    assert second - first >= 0.95
