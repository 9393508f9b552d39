"""A hundred times the normal traffic for seconds, trades and books: connected, correct, and as before afterwards."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from decimal import Decimal

import pytest

from exconn_sync.simulator import Simulator
from tests.integration.conftest import lively  # noqa: F401 - a fixture
from tests.soak.host import Host, hosting, wait_until
from tests.soak.scale import scaled, show

NORMAL, STORM = scaled(1.0, 10.0), scaled(3.0, 60.0)
FACTOR = 100
STEP = 0.1
DEPTH = 20

PROGRAM = """
delays = []

def on_trade(event):
    delays.append(time.time_ns() - event.exchange_time)

subscriptions = [
    connector.on_trade("BTC-USDT", on_trade),
    connector.on_book_ticker("BTC-USDT", lambda event: None),
    connector.on_order_book("BTC-USDT", lambda event: None),
]

@command
def received():
    # Whatever became of them afterwards.
    return sum(each.delivered + each.dropped + each.pending for each in subscriptions)

@command
def waiting():
    return max(each.pending for each in subscriptions)

@command
def delay():
    # The median in seconds since this was asked for the last time.
    taken = sorted(delays)
    delays.clear()
    return taken[len(taken) // 2] / 1e9 if taken else None

@command
def book():
    view = connector.order_book("BTC-USDT", depth=20)
    return [[(str(price), str(quantity)) for price, quantity in side] for side in (view.bids, view.asks)]
"""


@contextmanager
def hurrying(exchange: Simulator) -> Iterator[None]:
    """Let the generated market of BTCUSDT move many times as fast, in steps of a millisecond at least."""
    generator = exchange._generator
    assert generator is not None
    symbol = next(each for each in generator._symbols if each._spec.name == "BTCUSDT")
    normal = symbol._live
    trades, quotes = max(normal.ms_between_trades // FACTOR, 1), max(normal.ms_between_quotes // FACTOR, 1)
    symbol._live = replace(normal, ms_between_trades=trades, ms_between_quotes=quotes)
    try:
        yield
    finally:
        symbol._live = normal


@pytest.mark.timeout(300)
def test_a_market_event_is_lived_through(lively: Simulator) -> None:  # noqa: F811
    """Fault F157."""
    with hosting(lively, PROGRAM) as host:
        wait_until(host, "report", lambda report: len(report["told"]) == 3)
        calm, calm_delay = _calm(host)
        before = host.usage()
        with hurrying(lively):
            received, most = _storm(host, lively, calm)
        # What piled up is taken away, by delivery or by the policy.
        wait_until(host, "waiting", lambda waiting: waiting < 10)
        host.ask("delay")
        # As before: however long a busy machine takes for what piled up, it is over in the end.
        after_delay = wait_until(host, "delay", lambda delay: delay is not None and delay < calm_delay + 0.25)
        after = host.usage()
        lively.market.pause()
        _, bids, asks = lively.market.order_book("BTCUSDT", DEPTH)
        wait_until(host, "book", lambda book: _numbers(book) == [bids, asks])
        report = host.ask("report")
    show(
        f"market event of {STORM:g} s", normal_per_second=calm, in_the_storm=received, most_waiting=most,
        normal_delay=calm_delay, delay_afterwards=after_delay, resident_growth=after.resident - before.resident,
        object_growth=after.objects - before.objects,
    )  # fmt: skip
    assert received >= FACTOR * calm * STORM
    assert [state for _, _, state in report["noted"]] == ["up"] * 3
    assert (report["restarts"], report["errors"]) == (0, [])
    assert lively.cuts() == {}
    assert after.resident - before.resident < 16_000_000
    assert after.objects - before.objects < 5000
    assert after.threads == before.threads
    assert after.descriptors <= before.descriptors


def _calm(host: Host) -> tuple[float, float]:
    """Let time pass; return the events per second and the median delay of a trade, from its time at the exchange."""
    host.ask("delay")
    before, began = host.ask("received"), time.monotonic()
    time.sleep(NORMAL)
    rate = (host.ask("received") - before) / (time.monotonic() - began)
    return rate, float(wait_until(host, "delay", lambda delay: delay is not None))


def _storm(host: Host, exchange: Simulator, calm: float) -> tuple[int, int]:
    """Send so many trades on top that there is enough of everything; return how many events came and most waiting."""
    before, began, most = host.ask("received"), time.monotonic(), 0
    sent = 0
    while (passed := time.monotonic() - began) < STORM:
        due = int((passed + STEP) * calm * FACTOR)
        exchange.market.burst("btcusdt@trade", due - sent)
        sent = due
        most = max(most, host.ask("waiting"))
        time.sleep(STEP)
    if (missing := int(STORM * calm * FACTOR) + 1 - sent) > 0:
        exchange.market.burst("btcusdt@trade", missing)
        sent += missing
    wait_until(host, "received", lambda received: received >= before + sent)
    return host.ask("received") - before, most


def _numbers(book: list[list[tuple[str, str]]]) -> list[list[tuple[Decimal, Decimal]]]:
    return [[(Decimal(price), Decimal(quantity)) for price, quantity in side] for side in book]
