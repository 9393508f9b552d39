"""What goes wrong is told once a second, counted always, and never tells itself of itself (faults F134, F136, F164)."""

from __future__ import annotations

import logging
import threading
from typing import Any

import pytest

from exconn_sync._live.pipeline import Pipeline
from exconn_sync._runtime.bus import Bus
from exconn_sync._runtime.dispatch import PushSubscription
from exconn_sync._runtime.mailbox import Mailbox
from exconn_sync._runtime.subscription import Key, PullSubscription
from exconn_sync.errors import ProtocolError, SubscriberLagging, SubscriberStuck
from exconn_sync.metrics import MemoryMetrics
from exconn_sync.model.events import ErrorEvent
from tests.unit.support import LIMIT, SECOND, until

TRADES: Key = ("trade", "binance", "BTC-USDT")
ERRORS: Key = ("error", "binance", "*")
EVERYTHING: Key = ("*", "*", "*")


class Time:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.now = 0

    def monotonic_ns(self) -> int:
        return self.now

    def time_ns(self) -> int:
        return self.now


class Desk:
    """A pipeline with a subscriber of its errors."""

    def __init__(self) -> None:
        self.time = Time()
        self.metrics = MemoryMetrics()
        self.bus = Bus()
        self.pipeline = Pipeline("binance", self.bus, self.time, self.metrics)
        self.errors: PullSubscription[ErrorEvent] = PullSubscription(ERRORS, Mailbox(0, "drop_oldest"), self.bus.remove)
        self.bus.add(self.errors)

    def push(self, pattern: Key, callback: Any, alarm: int | None = None) -> PushSubscription:
        made = PushSubscription(
            pattern, Mailbox(0, "drop_oldest"), self.bus.remove, callback, None, self.pipeline, alarm
        )
        self.bus.add(made)
        return made

    def told(self) -> list[ErrorEvent]:
        return [self.errors.get(0) for _ in range(self.errors.pending)]


@pytest.fixture
def desk() -> Desk:
    return Desk()


def test_garbage_at_ten_thousand_a_second_makes_a_line_a_second(desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    """Fault F164."""
    with caplog.at_level(logging.WARNING, "exconn_sync"):
        for number in range(30_000):
            desk.time.now = number * SECOND // 10_000
            desk.pipeline.error("market stream", ProtocolError(f"frame {number}"))
        desk.pipeline.error("account stream", ProtocolError("another place"))
        desk.pipeline.error("market stream", ValueError("another kind"))
    lines = [record.getMessage() for record in caplog.records]
    assert lines == [
        "binance market stream: frame 0",
        "binance market stream: frame 10000 (9999 more of this kind since the last line)",
        "binance market stream: frame 20000 (9999 more of this kind since the last line)",
        "binance account stream: another place",
        "binance market stream: another kind",
    ]
    assert [event.suppressed for event in desk.told()] == [0, 9999, 9999, 0, 0]
    assert desk.metrics.counts()["errors{exchange=binance,kind=protocol}"] == 30_001


def test_a_callback_that_always_raises_is_called_on_counted_and_told_once_a_second(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    """Fault F134."""

    def fail(event: int) -> None:
        raise ValueError(event)

    def fail_otherwise(event: int) -> None:
        raise KeyError(event)

    first, second = desk.push(TRADES, fail), desk.push(TRADES, fail_otherwise)
    with caplog.at_level(logging.ERROR, "exconn_sync"):
        desk.bus.publish(TRADES, list(range(500)))
        until(lambda: (first.delivered, second.delivered) == (500, 500))
        desk.time.now = 2 * SECOND
        desk.bus.publish(TRADES, [500])
        until(lambda: (first.errors, second.errors) == (501, 501))
        until(lambda: desk.errors.pending == 4)
    told = desk.told()
    assert sorted((type(event.error).__name__, event.suppressed) for event in told) == [
        ("KeyError", 0), ("KeyError", 499), ("ValueError", 0), ("ValueError", 499)
    ]  # fmt: skip
    assert {event.where for event in told} == {"callback of trade.binance.BTC-USDT"}
    assert len(caplog.records) == 4
    assert all(record.exc_info for record in caplog.records)
    assert desk.metrics.counts()["callback.errors{exchange=binance}"] == 1002
    first.stop()
    second.stop()


def test_a_failing_error_callback_tells_the_others_nothing_and_never_itself(desk: Desk) -> None:
    seen: list[object] = []

    def fail(event: object) -> None:
        seen.append(event)
        raise ValueError

    subscriptions = [desk.push(ERRORS, fail), desk.push(EVERYTHING, fail), desk.push(EVERYTHING, fail)]
    desk.pipeline.error("worker", ProtocolError("once"))
    until(lambda: desk.metrics.counts().get("callback.errors{exchange=binance}") == 3)
    assert len(seen) == 3
    assert [event.where for event in desk.told()] == ["worker"]
    for subscription in subscriptions:
        subscription.stop()


def test_one_of_everything_that_fails_is_told_to_others_only(desk: Desk) -> None:
    def fail(event: object) -> None:
        raise ValueError

    broken = desk.push(EVERYTHING, fail)
    desk.bus.publish(TRADES, [1])
    until(lambda: broken.delivered == 1)
    assert [event.where for event in desk.told()] == ["callback of *.*.*"]
    assert broken.pending == 0
    broken.stop()


def test_a_lagging_subscriber_is_told_and_counted_once(desk: Desk) -> None:
    """Fault F156."""
    lagging: PullSubscription[int] = PullSubscription(
        ("order", "binance", "*"), Mailbox(0, "drop_oldest"), desk.bus.remove, desk.pipeline, 100
    )
    desk.bus.add(lagging)
    for number in range(300):
        desk.pipeline.bus.publish(("order", "binance", "BTC-USDT"), [number])
    (event,) = desk.told()
    assert event.where == "subscriber of order.binance.*"
    assert isinstance(event.error, SubscriberLagging)
    assert (event.error.name, event.error.waiting) == ("order.binance.*", 100)
    assert desk.metrics.counts()["subscriber.lagging{exchange=binance,kind=subscriber_lagging}"] == 1
    assert [lagging.get(0) for _ in range(300)] == list(range(300))


def test_lagging_subscribers_of_errors_do_not_tell_each_other_for_ever(desk: Desk) -> None:
    boxes: list[PullSubscription[ErrorEvent]] = []
    for _ in range(3):
        boxes.append(PullSubscription(ERRORS, Mailbox(0, "drop_oldest"), desk.bus.remove, desk.pipeline, 10))
        desk.bus.add(boxes[-1])
    for number in range(50):
        desk.pipeline.error(f"place {number}", ProtocolError("no"))
    # Each tells the two others of itself, once.
    assert [box.pending for box in boxes] == [52, 52, 52]
    assert len(desk.told()) == 53


def test_a_stuck_callback_is_told_with_its_stack(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Fault F136."""
    began, release = threading.Event(), threading.Event()

    def hang(event: int) -> None:
        began.set()
        release.wait(LIMIT)

    monkeypatch.setattr("exconn_sync._runtime.subscription.STUCK_AFTER", 0.01)
    stuck = desk.push(TRADES, hang)
    desk.bus.publish(TRADES, [1])
    assert began.wait(LIMIT)

    def is_told() -> bool:
        desk.bus.publish(TRADES, [2])
        return desk.errors.pending > 0

    until(is_told)
    (event,) = desk.told()
    assert isinstance(event.error, SubscriberStuck)
    assert "in hang" in event.error.details["stack"]
    assert desk.metrics.counts()["subscriber.lagging{exchange=binance,kind=subscriber_stuck}"] == 1
    release.set()
    stuck.stop()
