"""A program that keeps the interpreter to itself for seconds: what stood still is not taken for dead."""

from __future__ import annotations

import pytest

from exconn_sync.simulator import Simulator
from tests.integration.conftest import lively  # noqa: F401 - a fixture
from tests.soak.host import hosting, wait_until
from tests.soak.scale import scaled, show

SECONDS = scaled(2.5, 8.0)
# All limits are far below the time for which nothing runs.
TIGHT = "timeouts=Timeouts(hang=1.0), reconnect=Reconnect(settle=0.05, idle_timeout=1.5)"

PROGRAM = """
connector.on_trade("BTC-USDT", lambda event: seen.update(["trade"]))
connector.on_order_book("BTC-USDT", lambda event: seen.update(["book"]))

@command
def loop(seconds):
    # As if it were one long call of C code: no other thread gets the interpreter.
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1000)
    began = time.monotonic()
    while (passed := time.monotonic() - began) < seconds:
        pass
    sys.setswitchinterval(interval)
    return passed

@command
def expression(seconds):
    import re
    size, passed = 18, 0.0
    while passed < seconds:
        # Twice the time for each further letter.
        began = time.monotonic()
        re.match("(a|a)*$", "a" * size + "b")
        passed = time.monotonic() - began
        size += 1
    return passed
"""


@pytest.mark.parametrize("hog", ["loop", "expression"])
def test_a_busy_program_loses_nothing(hog: str, lively: Simulator) -> None:  # noqa: F811
    """No worker is replaced, nothing is called dead, no connection is lost (faults F163, F144)."""
    with hosting(lively, PROGRAM, TIGHT) as host:
        wait_until(host, "report", lambda report: len(report["told"]) == 3 and len(report["seen"]) == 2)
        connected = len(lively.connection_log())
        passed = host.ask(hog, SECONDS)
        before = host.ask("report")["seen"]
        wait_until(host, "report", lambda report: all(report["seen"][each] > before[each] + 5 for each in before))
        assert host.ask("order") == "canceled"
        report = host.ask("report")
    show(f"busy with one {hog}", seconds=passed)
    assert report["restarts"] == 0
    assert report["errors"] == []
    assert report["reasons"] == [""] * 3
    assert [is_up for _, is_up in report["told"]] == [True, True, True]
    assert [state for _, _, state in report["noted"]] == ["up"] * 3
    assert len(lively.connection_log()) == connected
    assert lively.cuts() == {}
