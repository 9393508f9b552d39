"""Events in a queue of the user's own: in order, with their gaps, and an end."""

from __future__ import annotations

import queue
import threading
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exconn_sync._runtime.bus import Bus
from exconn_sync._runtime.queue_subscription import QueueSubscription, UserQueue, check_queue
from exconn_sync._runtime.subscription import Subscription
from exconn_sync.errors import ConnectorStopped, SubscriberLagging, ValidationError
from exconn_sync.model.events import End, Gap
from tests.unit.support import LIMIT, Background, fixed, until

KEY = ("trade", "binance", "BTC-USDT")


class Desk:
    """A bus with one subscription that fills a queue."""

    def __init__(self, target: UserQueue, overflow: str = "drop_oldest", *, is_lossless: bool = False) -> None:
        self.bus = Bus()
        self.target = target
        self.failures: list[Exception] = []
        self.subscription = QueueSubscription(KEY, self.bus.remove, target, overflow, self, is_lossless=is_lossless)
        self.bus.add(self.subscription)

    def callback_failed(self, subscription: Subscription, event: object, error: Exception) -> None:
        self.failures.append(error)

    def dispatcher_failed(self, subscription: Subscription, error: Exception) -> None:
        raise AssertionError(error)

    def subscriber_lagging(self, subscription: Subscription, error: SubscriberLagging) -> None:
        raise AssertionError

    def put(self, *events: int) -> None:
        """Publish events and wait until they were put or lost."""
        wanted = self.subscription.delivered + len(events)
        self.bus.publish(KEY, list(events))
        until(lambda: self.subscription.delivered == wanted)

    def rest(self) -> list[Any]:
        found = []
        while not self.target.empty():
            found.append(self.target.get_nowait())
        return found


@pytest.mark.parametrize("make", [queue.Queue, queue.SimpleQueue])
def test_all_events_and_then_the_end(make: Any) -> None:
    desk = Desk(make(), is_lossless=True)
    for number in range(0, 300, 3):
        desk.bus.publish(KEY, [number, number + 1, number + 2])
    assert desk.bus.close(lambda: LIMIT) == []
    assert desk.rest() == [*range(300), End(None)]
    assert desk.subscription.dropped == 0
    assert desk.failures == []


def test_stop_is_the_end_and_nothing_comes_after_it() -> None:
    """Fault F064, invariant I16."""
    desk = Desk(queue.Queue())
    desk.put(1)
    desk.subscription.stop()
    desk.subscription.stop()
    desk.bus.publish(KEY, [2])
    desk.subscription.deliver([3])
    assert desk.rest() == [1, End(None)]
    assert not desk.subscription.is_active


@pytest.mark.parametrize("end", ["stop", "abandon"])
def test_the_end_comes_also_where_no_event_came(end: str) -> None:
    desk = Desk(queue.SimpleQueue())
    getattr(desk.subscription, end)()
    assert desk.rest() == [End(None)]


def test_giving_up_is_told_with_its_reason_and_events_may_come_again() -> None:
    desk = Desk(queue.Queue())
    desk.put(1)
    reason = ConnectorStopped("gave up")
    desk.bus.set_failure(reason)
    until(lambda: desk.target.qsize() == 2)
    desk.bus.set_failure(None)
    desk.put(2)
    desk.subscription.stop()
    assert desk.rest() == [1, End(reason), 2, End(None)]


def test_the_same_reason_is_told_once() -> None:
    desk = Desk(queue.Queue())
    reason = ValidationError("symbol", "NOPE", "unknown")
    desk.subscription.set_failure(reason)
    until(lambda: desk.target.qsize() == 1)
    desk.subscription.stop()
    assert desk.rest() == [End(reason)]


@pytest.mark.parametrize(
    ("overflow", "expected"),
    [
        ("drop_oldest", [Gap(5), 6, 7, 8, 9]),
        ("drop_newest", [1, 2, 3, 4, 5]),
    ],
)
def test_a_full_queue_gives_way_and_says_where(overflow: str, expected: list[Any]) -> None:
    """Fault F156."""
    target: queue.Queue[Any] = queue.Queue(5)
    desk = Desk(target, overflow)
    desk.put(1, 2, 3, 4, 5, 6, 7, 8, 9)
    assert desk.subscription.dropped == (5 if overflow == "drop_oldest" else 4)
    assert desk.rest() == expected
    desk.put(10)
    assert desk.rest() == ([10] if overflow == "drop_oldest" else [Gap(4), 10])
    desk.subscription.stop()
    assert desk.rest() == [End(None)]


@pytest.mark.parametrize("overflow", ["drop_oldest", "drop_newest"])
@fixed
@given(st.integers(4, 7), st.lists(st.one_of(st.integers(1, 9), st.just("take")), max_size=30))
def test_every_event_is_there_or_in_a_gap(overflow: str, bound: int, plan: list[Any]) -> None:
    """Fault F156, invariant I14."""
    target: queue.Queue[Any] = queue.Queue(bound)
    desk = Desk(target, overflow)
    # On this thread, so that each step is over when it returns.
    put = desk.subscription._put
    number, taken = 0, []
    for step in plan:
        if step == "take":
            taken += [] if target.empty() else [target.get_nowait()]
            continue
        for _ in range(step):
            put(number)
            number += 1
            assert target.qsize() <= bound
    desk.subscription.stop()
    assert target.qsize() <= bound
    assert target.unfinished_tasks == target.qsize() + len(taken)
    taken += desk.rest()
    assert taken.pop() == End(None)
    expected = 0
    for item in taken:
        if isinstance(item, Gap):
            expected += item.count
        else:
            assert item == expected
            expected += 1
    assert expected == number
    assert desk.subscription.dropped == sum(item.count for item in taken if isinstance(item, Gap))


def test_a_full_queue_holds_up_nobody_and_still_gets_its_end() -> None:
    target: queue.Queue[Any] = queue.Queue(4)
    desk = Desk(target, "drop_newest")
    desk.put(*range(10))
    Background(desk.subscription.stop).result()
    assert desk.rest() == [Gap(3), 3, Gap(6), End(None)]


def test_a_waiting_reader_is_woken_and_join_works() -> None:
    target: queue.Queue[Any] = queue.Queue(4)
    desk = Desk(target)
    got: list[Any] = []

    def read() -> None:
        while not isinstance(got[-1] if got else None, End):
            got.append(target.get(timeout=LIMIT))
            target.task_done()

    reader = Background(read)
    desk.bus.publish(KEY, [1, 2])
    until(lambda: got == [1, 2])
    desk.subscription.stop()
    reader.result()
    Background(target.join).result()


def test_a_queue_whose_lock_is_held_harms_only_its_own_subscription() -> None:
    """Invariant I17."""
    target: queue.Queue[Any] = queue.Queue()
    desk = Desk(target)

    def write() -> None:
        for number in range(20_000):
            desk.bus.publish(KEY, [number])

    with target.mutex:
        Background(write).result()
    until(lambda: desk.subscription.pending == 0)
    desk.subscription.stop()
    items = desk.rest()
    missed = sum(item.count for item in items if isinstance(item, Gap))
    assert missed == desk.subscription.dropped > 0
    assert len([item for item in items if isinstance(item, int)]) + missed == 20_000


def test_a_queue_that_was_shut_down_ends_the_subscription() -> None:
    target: Any = queue.Queue()
    desk = Desk(target)
    # What shutdown() sets, from Python 3.13 on.
    target.is_shutdown = True
    desk.bus.publish(KEY, [1, 2])
    until(lambda: not desk.subscription.is_active)
    until(lambda: desk.bus.subscriptions() == ())
    desk.subscription.stop()
    assert desk.failures == []


@pytest.mark.parametrize(
    ("target", "overflow", "is_lossless"),
    [
        ([], "drop_oldest", False),
        (queue.LifoQueue(), "drop_oldest", False),
        (queue.PriorityQueue(), "drop_oldest", False),
        (queue.Queue(3), "drop_oldest", False),
        (queue.Queue(100), "drop_oldest", True),
        (queue.Queue(), "block", False),
        (queue.Queue(), "conflate", False),
    ],
)
def test_a_queue_that_cannot_keep_the_promise_is_refused(target: Any, overflow: str, is_lossless: bool) -> None:
    with pytest.raises(ValidationError):
        check_queue(target, overflow, is_lossless=is_lossless)


def test_ending_at_once_and_from_many_threads_puts_one_end() -> None:
    for _ in range(20):
        desk = Desk(queue.SimpleQueue())
        threads = threading.Barrier(3)

        def write(desk: Desk = desk, threads: threading.Barrier = threads) -> None:
            threads.wait(LIMIT)
            desk.bus.publish(KEY, [1])

        def stop(desk: Desk = desk, threads: threading.Barrier = threads) -> None:
            threads.wait(LIMIT)
            desk.subscription.stop()

        calls = [Background(write), Background(stop), Background(stop)]
        for call in calls:
            call.result()
        found = desk.rest()
        assert found in ([End(None)], [1, End(None)])


def test_an_end_that_gives_way_is_no_lost_event() -> None:
    """Every event is there or in a gap, and nothing else is (fault F137)."""
    desk = Desk(queue.Queue(4))
    desk.put(1)
    desk.subscription.set_failure(ConnectorStopped("gave up"))
    until(lambda: desk.subscription.delivered == 2)
    desk.subscription.set_failure(None)
    desk.put(*range(2, 9))
    found = desk.rest()
    events = [item for item in found if isinstance(item, int)]
    missed = sum(item.count for item in found if isinstance(item, Gap))
    assert len(events) + missed == 8
    assert desk.subscription.dropped == missed
    desk.subscription.stop()
