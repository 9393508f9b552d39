"""A burst into slow subscribers: exact counts, bounded memory, and nothing private lost (faults F156, F157)."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from exconn_sync._runtime.bus import Bus
from exconn_sync._runtime.dispatch import PushSubscription
from exconn_sync._runtime.mailbox import POLICIES, Mailbox
from exconn_sync._runtime.subscription import Subscription
from exconn_sync.errors import SubscriberLagging
from tests.unit.support import LIMIT, Background, until

MARKET, ORDERS = ("trade", "binance", "BTC-USDT"), ("order", "binance", "BTC-USDT")
EVENTS, BATCH, BUFFER = 100_000, 50, 1000


class Trouble:
    """Counts what the subscribers' troubles are."""

    def __init__(self) -> None:
        self.alarms: list[SubscriberLagging] = []

    def callback_failed(self, subscription: Subscription, event: object, error: Exception) -> None:
        raise AssertionError(error)

    def dispatcher_failed(self, subscription: Subscription, error: Exception) -> None:
        raise AssertionError(error)

    def subscriber_lagging(self, subscription: Subscription, error: SubscriberLagging) -> None:
        self.alarms.append(error)


class Slow:
    """A subscriber that takes a turn only now and then, and notes events and gaps in their order."""

    def __init__(self, bus: Bus, policy: str, trouble: Trouble) -> None:
        self.seen: list[int] = []
        self.missed = 0
        self.most = 0
        self._turn = threading.Semaphore(0)
        self._hurry = False
        # Ten symbols, for conflation: the number's last digit.
        self.mailbox = Mailbox(BUFFER, policy, lambda event: event % 10, block_limit=0.001)
        self.subscription = PushSubscription(MARKET, self.mailbox, bus.remove, self._call, self._gap, trouble)
        bus.add(self.subscription)

    def _call(self, event: int) -> None:
        self.seen.append(event)
        self.most = max(self.most, self.mailbox.pending)
        if not self._hurry:
            assert self._turn.acquire(timeout=LIMIT)

    def _gap(self, missed: int) -> None:
        self.missed += missed

    def turn(self) -> None:
        self._turn.release()

    def hurry(self) -> None:
        self._hurry = True
        self._turn.release()


@pytest.mark.parametrize("policy", POLICIES)
def test_a_burst_is_delivered_lost_or_waiting_to_the_last_event(policy: str) -> None:
    bus, trouble = Bus(), Trouble()
    slow = Slow(bus, policy, trouble)
    subscription = slow.subscription
    orders: list[int] = []
    private = PushSubscription(ORDERS, Mailbox(0, "drop_oldest"), bus.remove, orders.append, None, trouble)
    bus.add(private)

    def burst() -> None:
        for begin in range(0, EVENTS, BATCH):
            bus.publish(MARKET, list(range(begin, begin + BATCH)))
            bus.publish(ORDERS, [begin])
            if begin % 5000 == 0:
                slow.turn()

    Background(burst).result()
    # The event in the callback counts as waiting; a drained batch is up to one buffer more.
    until(lambda: subscription.delivered + subscription.dropped + subscription.pending == EVENTS)
    assert subscription.pending <= 2 * BUFFER
    assert slow.most <= BUFFER
    assert subscription.dropped >= EVENTS - 3 * BUFFER

    until(lambda: len(orders) == EVENTS // BATCH)
    slow.hurry()
    assert bus.close(lambda: LIMIT) == []
    assert subscription.delivered == len(slow.seen)
    assert subscription.delivered + subscription.dropped == EVENTS
    assert slow.missed == subscription.dropped
    assert subscription.pending == 0
    assert orders == list(range(0, EVENTS, BATCH))
    assert private.dropped == 0
    assert trouble.alarms == []
    in_order: dict[Any, list[int]] = {}
    for event in slow.seen:
        in_order.setdefault(event % 10 if policy == "conflate" else None, []).append(event)
    assert all(events == sorted(set(events)) for events in in_order.values())
