"""Writers of a full mailbox: when they wait again, what releases them, and what being turned away leaves."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest

from exconn_sync._runtime import mailbox as module
from exconn_sync._runtime.dispatch import PushSubscription
from exconn_sync._runtime.mailbox import Mailbox
from exconn_sync._runtime.subscription import PullSubscription, Subscription
from exconn_sync.errors import SubscriberLagging
from tests.unit.support import SECOND, Background, until


def blocked(mailbox: Mailbox) -> Background:
    """Return a writer that waits for room."""
    writer = Background(lambda: mailbox.put_batch([2]))
    until(lambda: mailbox.not_full._waiters)  # type: ignore[attr-defined]
    return writer


def test_writers_wait_again_after_everything_was_taken() -> None:
    """A reader that was given up and came back is waited for as before."""
    mailbox = Mailbox(1, "block", block_limit=0.0)
    mailbox.put_batch([1, 2])
    assert mailbox.dropped == 1
    assert mailbox.drain(0) is not None
    mailbox._block_limit = 1000.0
    mailbox.put_batch([1])
    writer = blocked(mailbox)
    assert writer.is_running
    batch = mailbox.drain(0)
    assert batch is not None
    assert batch.events == [1]
    writer.result()
    assert mailbox.dropped == 1


def test_writers_that_may_not_wait_any_more_are_released_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A stop does not sit out the time between two signs of life (fault F131)."""
    monkeypatch.setattr(module, "_SLICE", 1000.0)
    mailbox = Mailbox(1, "block", block_limit=1000.0)
    mailbox.put_batch([1])
    writer = blocked(mailbox)
    mailbox.let_writers_wait(False)
    writer.result()
    assert (mailbox.dropped, mailbox.pending) == (1, 1)


def test_events_that_are_turned_away_leave_no_trace(monkeypatch: pytest.MonkeyPatch) -> None:
    """A reader that takes nothing for days costs no memory."""
    now = 0

    def tick() -> int:
        nonlocal now
        now += 20_000_000
        return now

    monkeypatch.setattr(module, "monotonic_ns", tick)
    mailbox = Mailbox(1, "drop_newest")
    for number in range(100):
        mailbox.put_batch([number])
    assert mailbox.dropped == 99
    assert len(mailbox._marks) <= 2
    assert mailbox.waiting_since == 20_000_000


def test_a_subscription_that_is_let_go_of_says_so() -> None:
    """Otherwise its topics would be wanted for ever."""
    ended: list[Subscription] = []
    made: PullSubscription[int] = PullSubscription(("trade", "binance", "*"), Mailbox(0, "drop_oldest"), ended.append)
    made.abandon()
    assert ended == [made]
    assert not made.is_active


class Deaf:
    def callback_failed(self, subscription: Subscription, event: object, error: Exception) -> None:
        pass

    def dispatcher_failed(self, subscription: Subscription, error: Exception) -> None:
        raise AssertionError(error)

    def subscriber_lagging(self, subscription: Subscription, error: SubscriberLagging) -> None:
        pass


def test_a_subscription_that_begins_anew_has_delivered_nothing() -> None:
    """What waits in a child is not reckoned with the events of its parent (fault F125)."""

    def fail(event: object) -> None:
        raise ValueError(event)

    made = pushed(fail)
    made.deliver([1, 2, 3])
    until(lambda: made.delivered == 3)
    made.stop()
    made.renew()
    assert (made.delivered, made.errors, made.pending) == (0, 0, 0)
    assert made.is_active


def pushed(callback: Callable[[Any], object]) -> PushSubscription:
    return PushSubscription(
        ("trade", "binance", "*"), Mailbox(0, "drop_oldest"), lambda subscription: None, callback, None, Deaf()
    )


def test_a_subscriber_that_has_done_all_lags_behind_nothing() -> None:
    """Its last batch is forgotten: it is neither behind nor stuck on it (fault F136)."""
    made = pushed(lambda event: None)
    made.deliver([1])
    until(lambda: made.delivered == 1 and made.lag == 0.0)
    made.look(time.monotonic_ns() + 3600 * SECOND)
    assert made.lag == 0.0
    made.stop()


def test_a_callback_that_has_ended_another_subscription_waits_for_it_no_more() -> None:
    """Otherwise whoever ends both would take them for waiting in a circle (fault F139)."""
    other = pushed(lambda event: None)
    other.deliver([1])
    made = pushed(lambda event: other.stop())
    made.deliver([1])
    until(lambda: made.delivered == 1)
    assert made._waits_for is None
    made.stop()
