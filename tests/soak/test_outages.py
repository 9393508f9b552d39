"""An exchange that is away for seconds or minutes: calm meanwhile, and back afterwards with everything."""

from __future__ import annotations

import time
from collections import Counter

import pytest

from exconn_sync.simulator import Simulator
from tests.integration.conftest import lively  # noqa: F401 - a fixture
from tests.soak.host import Host, hosting, wait_until
from tests.soak.scale import scaled, show
from tests.unit.support import until

OUTAGES = scaled((2.0,), (2.0, 35.0, 600.0))
QUICK = "reconnect=Reconnect(base=0.05, cap=0.5, settle=0.05), intervals=Intervals(ping=0.3)"
DEFAULT = "reconnect=Reconnect()"
ATTEMPTS, PERIOD = 300, 300.0
"""How many connections the exchange allows to one address within how many seconds."""
NAMES = ("account", "market", "rest")

PROGRAM = """
connector.on_trade("BTC-USDT", lambda event: seen.update(["trade"]))
connector.on_book_ticker("ETH-USDT", lambda event: seen.update(["ticker"]))
connector.on_order_book("BTC-USDT", lambda event: seen.update(["book"]))

@command
def book():
    return connector.order_book("BTC-USDT").is_valid
"""


@pytest.mark.timeout(900)
@pytest.mark.parametrize("seconds", OUTAGES)
def test_an_outage_is_waited_for_calmly_and_then_over(seconds: float, lively: Simulator) -> None:  # noqa: F811
    """No storm of attempts, no growth, one loss and one return told of each connection (faults F001, F018, F019)."""
    is_short = seconds < 10
    cap = 0.5 if is_short else 60.0
    with hosting(lively, PROGRAM, QUICK if is_short else DEFAULT) as host:
        wait_until(host, "report", lambda report: len(report["told"]) == len(NAMES))
        _await_news(host)
        subscriptions = lively.subscriptions()
        with lively.faults.refuse_connections():
            lively.faults.drop_connections()
            began = time.monotonic()
            down = wait_until(host, "report", lambda report: len(report["told"]) == 2 * len(NAMES))
            assert Counter(name for name, is_up in down["told"] if not is_up) == dict.fromkeys(NAMES, 1)
            before = host.usage()
            time.sleep(max(began + seconds - time.monotonic(), 0.0))
            after = host.usage()
            # An attempt has descriptors of its own while it is made; what one left behind would never go away.
            until(lambda: host.usage().descriptors <= before.descriptors)
        host.ask("ready", cap + 20.0)
        ended = time.monotonic()
        report = wait_until(host, "report", lambda report: len(report["told"]) == 3 * len(NAMES))
        _await_news(host)
        assert host.ask("book")
        assert host.ask("order") == "canceled"
        assert lively.subscriptions() == subscriptions
        report = host.ask("report")
    attempts = _pauses(report["noted"], began, cap)
    show(
        f"outage of {seconds:g} s", attempts=attempts, back_after=ended - began - seconds,
        cpu_seconds=after.cpu - before.cpu, resident_growth=after.resident - before.resident,
        object_growth=after.objects - before.objects, errors=report["errors"],
    )  # fmt: skip
    for name in NAMES:
        assert [is_up for each, is_up in report["told"] if each == name] == [True, False, True], name
    made = Counter(name for _, name, state in report["noted"] if state == "up")
    assert made == dict.fromkeys(NAMES, 2), "each connection was made twice, and an answered ping of REST is none"
    assert report["restarts"] == 0
    # A hundredth of one processor, and what the garbage collections of the measurements cost.
    assert after.cpu - before.cpu < 0.5 + 0.01 * seconds
    assert after.resident - before.resident < 2_000_000
    assert after.objects - before.objects < 1000 + 5 * sum(attempts.values())
    assert after.threads == before.threads


def _await_news(host: Host) -> None:
    """Wait until each subscription has brought something from now on."""
    before = host.ask("report")["seen"]
    topics = ("trade", "ticker", "book")
    wait_until(host, "report", lambda report: all(report["seen"].get(each, 0) > before.get(each, 0) for each in topics))


def _pauses(noted: list[tuple[float, str, str]], began: float, cap: float) -> dict[str, int]:
    """Check how the attempts were spread; return how many were in vain, by connection."""
    vain = [(at, name) for at, name, state in noted if state == "down" and at >= began]
    streams = [at for at, name in vain if name != "rest"]
    for first in streams:
        assert sum(first <= at < first + PERIOD for at in streams) <= ATTEMPTS
    for name in NAMES:
        times = [at for at, each in vain if each == name]
        returned = min(at for at, each, state in noted if each == name and state == "up" and at >= times[-1])
        pauses = [later - earlier for earlier, later in zip(times, [*times[1:], returned], strict=True)]
        # The attempt itself takes a moment on top of the pause.
        assert max(pauses) <= cap + 5.0, name
    return dict(Counter(name for _, name in vain))
