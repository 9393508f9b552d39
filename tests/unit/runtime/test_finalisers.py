"""The garbage collector may run a finaliser anywhere, also where we hold a lock (fault F153)."""

from __future__ import annotations

import gc
import time
from collections.abc import Iterator
from typing import Any

import pytest

from exconn_sync import Hub
from exconn_sync._runtime.bus import Bus
from exconn_sync._runtime.dispatch import PushSubscription
from exconn_sync._runtime.mailbox import POLICIES, Mailbox
from exconn_sync._runtime.subscription import PullSubscription, Subscription
from exconn_sync._transport.wakeup import Wakeup
from exconn_sync.errors import SubscriberLagging
from tests.unit.support import LIMIT, Background, until

KEY = ("trade", "binance", "BTC-USDT")


class Nobody:
    """Hears of no trouble."""

    def callback_failed(self, subscription: Subscription, event: object, error: Exception) -> None:
        raise AssertionError(error)

    def dispatcher_failed(self, subscription: Subscription, error: Exception) -> None:
        raise AssertionError(error)

    def subscriber_lagging(self, subscription: Subscription, error: SubscriberLagging) -> None:
        raise AssertionError(error)


class Ends:
    """Cyclic garbage of the user's that ends a subscription and looks at another when it is collected."""

    ended = 0

    def __init__(self, victim: Subscription, other: Subscription) -> None:
        self.me, self.victim, self.other = self, victim, other

    def __del__(self) -> None:
        repr(self.other)
        self.victim.stop()
        Ends.ended += 1


@pytest.fixture
def eager_collector() -> Iterator[None]:
    before = gc.get_threshold()
    gc.set_threshold(1, 1, 1)
    yield
    gc.set_threshold(*before)


@pytest.mark.parametrize("policy", POLICIES)
def test_a_finaliser_that_ends_a_subscription_stops_nothing_else(policy: str, eager_collector: None) -> None:
    bus = Bus()
    heard: list[int] = []
    stays = PushSubscription(KEY, Mailbox(50, policy, id, block_limit=0.1), bus.remove, heard.append, None, Nobody())
    bus.add(stays)
    before = Ends.ended

    def work() -> None:
        for number in range(60):
            victim: PullSubscription[Any] = PullSubscription(KEY, Mailbox(5, policy, id, block_limit=0.001), bus.remove)
            bus.add(victim)
            Ends(victim, stays)
            bus.publish(KEY, [number] * 10)
            del victim
        gc.collect()
        bus.publish(KEY, [number])

    Background(work).result()
    assert Ends.ended == before + 60
    assert bus.close(lambda: LIMIT) == []
    assert stays.delivered + stays.dropped == 601


def test_a_finaliser_does_not_wait_for_the_thread_that_waits_for_it() -> None:
    bus = Bus()
    heard: list[int] = []
    subscription = PushSubscription(KEY, Mailbox(0, "drop_oldest"), bus.remove, heard.append, None, Nobody())
    bus.add(subscription)
    bus.publish(KEY, [1])
    until(lambda: heard == [1])

    def end() -> float:
        began = time.monotonic()
        with subscription._mailbox.mutex:
            subscription.stop()
        return time.monotonic() - began

    assert Background(end).result() < 4, "it waited out its limit"
    assert not subscription.is_active


@pytest.mark.parametrize("where", ["mailbox", "subscription", "bus"])
def test_a_subscription_can_be_ended_while_the_same_thread_holds_its_locks(where: str) -> None:
    bus = Bus()
    subscription: PullSubscription[Any] = PullSubscription(KEY, Mailbox(5, "drop_oldest"), bus.remove)
    bus.add(subscription)
    bus.publish(KEY, [1])
    locks: dict[str, Any] = {
        "mailbox": subscription._mailbox.mutex,
        "subscription": subscription._lock,
        "bus": bus._lock,
    }

    def end() -> None:
        with locks[where]:
            subscription.stop()

    Background(end).result()
    assert not subscription.is_active
    assert bus.subscriptions() == ()


def test_a_connection_can_be_woken_while_the_same_thread_wakes_it() -> None:
    """The end of a subscription wakes the connection that brings its topic."""
    wakeup = Wakeup()

    def wake() -> None:
        with wakeup._lock:
            wakeup.wake()

    Background(wake).result()
    wakeup.close()


@pytest.mark.parametrize("where", ["hub", "subscription"])
def test_a_hub_subscription_can_be_ended_while_the_same_thread_holds_its_locks(where: str) -> None:
    hub = Hub()
    end = hub.subscribe("trade.*.BTC-USDT", repr)
    lock: Any = hub._lock if where == "hub" else hub._subscriptions[0]._lock

    def work() -> None:
        with lock:
            end()

    Background(work).result()
    assert hub._subscriptions == []
