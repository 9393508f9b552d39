"""Starts and stops of one connector, many times over: nothing is left and nothing grows."""

from __future__ import annotations

from pathlib import Path

import pytest

from exconn_sync.simulator import Simulator
from tests.integration.conftest import lively  # noqa: F401 - a fixture
from tests.simulator.certificates import make_certificates
from tests.soak.cycles import Cycles
from tests.soak.scale import scaled, show

CYCLES = scaled(100, 1000)
ENCRYPTED = scaled(30, 200)


@pytest.mark.timeout(60 + CYCLES)
def test_starts_and_stops_leave_nothing(lively: Simulator) -> None:  # noqa: F811
    """Threads and descriptors are flat, memory is bounded (fault F148, invariants I21 and I22)."""
    _repeat(lively, CYCLES)


@pytest.mark.timeout(60 + ENCRYPTED)
def test_starts_and_stops_over_tls_leave_nothing(tmp_path: Path) -> None:
    """(faults F016, F148, invariants I21 and I22)"""
    files = make_certificates(tmp_path)
    with Simulator(tls=(files.cert_file, files.key_file), ca_file=files.ca_file) as exchange:
        _repeat(exchange, ENCRYPTED)


def _repeat(exchange: Simulator, count: int) -> None:
    cycles = Cycles(exchange)
    cycles.run(20)
    before = cycles.measure()
    cycles.run(count - 20)
    after = cycles.measure()
    show(f"{count} cycles", after_20=before, after_all=after)
    assert after.threads == before.threads
    # Every tenth cycle leaves an order, which is known for as long as the connector lives.
    assert (after.objects - before.objects) / count < 20
    assert after.resident - before.resident < 4_000_000 + 5_000 * count
