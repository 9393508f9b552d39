"""Subscriptions: in order, harmed by nobody, silent once they are ended."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from exconn_sync._runtime.bus import Bus
from exconn_sync._runtime.dispatch import PushSubscription
from exconn_sync._runtime.mailbox import Mailbox
from exconn_sync._runtime.subscription import PullSubscription, Subscription
from exconn_sync.errors import ConnectorStopped, RequestTimeout, SubscriberLagging, SubscriberStuck, ValidationError
from tests.unit.support import LIMIT, SECOND, Background, in_threads, until

KEY = ("trade", "binance", "BTC-USDT")


class Desk:
    """A bus, and everything that is told of trouble with its subscribers."""

    def __init__(self) -> None:
        self.bus = Bus()
        self.failures: list[tuple[str, Exception]] = []
        self.alarms: list[SubscriberLagging] = []

    def callback_failed(self, subscription: Subscription, event: object, error: Exception) -> None:
        self.failures.append((subscription.name, error))

    def dispatcher_failed(self, subscription: Subscription, error: Exception) -> None:
        self.failures.append((subscription.name, error))

    def subscriber_lagging(self, subscription: Subscription, error: SubscriberLagging) -> None:
        self.alarms.append(error)

    def push(
        self,
        callback: Callable[[Any], object],
        pattern: tuple[str, ...] = KEY,
        mailbox: Mailbox | None = None,
        on_gap: Callable[[int], object] | None = None,
        alarm: int | None = None,
    ) -> PushSubscription:
        made = PushSubscription(
            pattern, mailbox or Mailbox(0, "drop_oldest"), self.bus.remove, callback, on_gap, self, alarm
        )
        self.bus.add(made)
        return made

    def pull(self, mailbox: Mailbox | None = None, alarm: int | None = None) -> PullSubscription[int]:
        box = mailbox or Mailbox(0, "drop_oldest")
        made: PullSubscription[int] = PullSubscription(KEY, box, self.bus.remove, self, alarm)
        self.bus.add(made)
        return made

    def close(self, seconds: float) -> bool:
        limit = time.monotonic() + seconds
        return self.bus.close(lambda: max(limit - time.monotonic(), 0)) == []


@pytest.fixture
def desk() -> Desk:
    return Desk()


def test_events_come_in_order_on_one_thread_of_their_own(desk: Desk) -> None:
    got: list[tuple[int, str]] = []
    subscription = desk.push(lambda event: got.append((event, threading.current_thread().name)))
    for number in range(0, 300, 3):
        desk.bus.publish(KEY, [number, number + 1, number + 2])
    assert desk.close(LIMIT)
    assert [event for event, _ in got] == list(range(300))
    assert {name for _, name in got} == {"exconn-dispatch-trade.binance.BTC-USDT"}
    assert subscription.delivered == 300


def test_no_thread_exists_before_the_first_event(desk: Desk) -> None:
    before = threading.active_count()
    subscription = desk.push(print)
    assert threading.active_count() == before
    subscription.stop()


def test_without_a_thread_events_wait_and_nobody_else_suffers(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """The process has no more threads to give, and then has some (fault F143)."""
    got: list[int] = []
    later = desk.push(got.append)
    others = desk.pull()

    def refuse(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", refuse)
        desk.bus.publish(KEY, [1, 2])
        desk.bus.publish(KEY, [3])
    assert [others.get(LIMIT) for _ in range(3)] == [1, 2, 3]
    assert (later.pending, got, desk.failures) == (3, [], [])
    # Once a second somebody looks after all subscribers, also where nothing comes.
    desk.bus.look(time.monotonic_ns())
    until(lambda: got == [1, 2, 3])
    desk.bus.publish(KEY, [4])
    assert desk.close(LIMIT)
    assert got == [1, 2, 3, 4]


def test_many_writers_at_the_first_moment_start_one_thread(desk: Desk) -> None:
    names: set[int] = set()
    desk.push(lambda event: names.add(threading.get_ident()))
    in_threads(8, lambda index: desk.bus.publish(KEY, [index]))
    assert desk.close(LIMIT)
    assert len(names) == 1


def test_an_exception_is_reported_and_harms_nobody(desk: Desk) -> None:
    """(fault F134)"""
    got: list[int] = []
    good: list[int] = []

    def fail(event: int) -> None:
        got.append(event)
        raise ValueError(f"no {event}")

    bad = desk.push(fail)
    desk.push(good.append)
    desk.bus.publish(KEY, [1, 2, 3])
    assert desk.close(LIMIT)
    assert got == good == [1, 2, 3]
    assert bad.errors == 3
    assert [(where, str(error)) for where, error in desk.failures] == [
        ("trade.binance.BTC-USDT", f"no {number}") for number in (1, 2, 3)
    ]


@pytest.mark.parametrize("kind", [KeyboardInterrupt, GeneratorExit, BaseException])
def test_what_is_no_exception_is_reported_too_and_the_next_event_comes(desk: Desk, kind: type[BaseException]) -> None:
    """(fault F135)"""
    got: list[int] = []

    def fail(event: int) -> None:
        got.append(event)
        raise kind

    desk.push(fail)
    desk.bus.publish(KEY, [1, 2])
    assert desk.close(LIMIT)
    assert got == [1, 2]
    assert [type(error.__cause__) for _, error in desk.failures] == [kind, kind]


def test_an_exit_in_a_callback_ends_its_subscription_and_is_reported(desk: Desk) -> None:
    """(fault F135)"""
    got: list[int] = []

    def leave(event: int) -> None:
        got.append(event)
        raise SystemExit

    subscription = desk.push(leave)
    desk.bus.publish(KEY, [1, 2])
    until(lambda: desk.failures)
    until(lambda: desk.bus.subscriptions() == ())
    assert not subscription.is_active
    assert got == [1]
    assert "SystemExit" in str(desk.failures[0][1])
    subscription.stop()


def test_nothing_is_delivered_after_stop_has_returned(desk: Desk) -> None:
    for _ in range(30):
        got: list[int] = []
        first = threading.Event()

        def note(event: int, got: list[int] = got, first: threading.Event = first) -> None:
            got.append(event)
            first.set()

        subscription = desk.push(note)

        def write() -> None:
            for number in range(200):
                desk.bus.publish(KEY, [number] * 5)

        writer = Background(write)
        assert first.wait(LIMIT)
        subscription.stop()
        after = len(got)
        writer.result()
        desk.bus.publish(KEY, [1])
        assert len(got) == after
        assert not subscription.is_active


def test_stop_waits_for_the_callback_that_is_running(desk: Desk) -> None:
    began, go_on, ended = (threading.Event() for _ in range(3))

    def slow(event: int) -> None:
        began.set()
        go_on.wait(LIMIT)
        ended.set()

    subscription = desk.push(slow)
    desk.bus.publish(KEY, [1, 2])
    assert began.wait(LIMIT)
    stopper = Background(subscription)
    until(lambda: not subscription.is_active)
    assert stopper.is_running
    go_on.set()
    stopper.result()
    assert ended.is_set()


def test_a_callback_may_end_its_own_subscription_and_hears_nothing_more(desk: Desk) -> None:
    """(fault F138)"""
    heard: list[str] = []
    done = threading.Event()

    def callback(event: int) -> None:
        heard.append(str(event))
        subscription.stop()
        subscription.stop()
        done.set()

    mailbox = Mailbox(1, "drop_newest")
    subscription = desk.push(callback, mailbox=mailbox, on_gap=lambda missed: heard.append(f"gap {missed}"))
    # One event and the gap after it in one batch: the gap would come after stop has returned.
    mailbox.put_batch([1, 2, 3])
    desk.bus.publish(KEY, [4])
    assert done.wait(LIMIT)
    assert desk.bus.subscriptions() == ()
    thread = subscription._thread
    assert thread is not None
    thread.join(LIMIT)
    assert heard == ["1"]


def test_a_callback_may_subscribe_and_end_others(desk: Desk) -> None:
    """(fault F138)"""
    late: list[int] = []
    other = desk.push(lambda event: None, ("trade", "*", "*"))

    def callback(event: int) -> None:
        if event == 1:
            other.stop()
            desk.push(late.append)
            desk.bus.publish(KEY, [2])

    desk.push(callback)
    desk.bus.publish(KEY, [1])
    until(lambda: late == [2])
    assert desk.close(LIMIT)


@pytest.mark.parametrize(
    ("policy", "expected"),
    [("drop_oldest", ["gap 3", "4", "5"]), ("drop_newest", ["1", "2", "gap 3"])],
)
def test_a_gap_is_told_where_it_is(desk: Desk, policy: str, expected: list[str]) -> None:
    heard: list[str] = []
    mailbox = Mailbox(2, policy)
    desk.push(lambda event: heard.append(str(event)), mailbox=mailbox, on_gap=lambda n: heard.append(f"gap {n}"))
    desk.bus.publish(KEY, [1, 2, 3, 4, 5])
    assert desk.close(LIMIT)
    assert heard == expected


def test_a_failing_gap_notice_is_reported_and_the_events_come(desk: Desk) -> None:
    heard: list[int] = []

    def gap(missed: int) -> None:
        raise ValueError

    desk.push(heard.append, mailbox=Mailbox(1, "drop_oldest"), on_gap=gap)
    desk.bus.publish(KEY, [1, 2])
    assert desk.close(LIMIT)
    assert heard == [2]
    assert len(desk.failures) == 1


def test_a_callback_that_never_returns_holds_up_nobody_else(desk: Desk) -> None:
    """(fault F136)"""
    release, stuck_began = threading.Event(), threading.Event()
    heard: list[int] = []

    def stuck(event: int) -> None:
        stuck_began.set()
        release.wait(LIMIT)

    held = desk.push(stuck)
    desk.push(heard.append)
    desk.bus.publish(KEY, [1, 2, 3])
    assert stuck_began.wait(LIMIT)
    until(lambda: heard == [1, 2, 3])
    assert Background(lambda: desk.close(0.05)).result() is False
    assert desk.bus.subscriptions() == ()
    assert not held.is_active
    release.set()


def test_the_end_delivers_what_waits(desk: Desk) -> None:
    go_on = threading.Event()
    heard: list[int] = []

    def slow(event: int) -> None:
        go_on.wait(LIMIT)
        heard.append(event)

    desk.push(slow)
    desk.bus.publish(KEY, list(range(20)))
    closer = Background(lambda: desk.close(LIMIT))
    go_on.set()
    assert closer.result() is True
    assert heard == list(range(20))


# --- pull -----------------------------------------------------------------------------------------------------------


def test_a_loop_gets_every_event_and_ends_with_the_subscription(desk: Desk) -> None:
    subscription = desk.pull()
    got: list[int] = []
    reader = Background(lambda: got.extend(subscription))
    desk.bus.publish(KEY, [1, 2])
    desk.bus.publish(KEY, [3])
    until(lambda: subscription.pending == 0)
    subscription.stop()
    reader.result()
    assert got == [1, 2, 3]


def test_the_end_of_the_connector_lets_a_loop_read_what_is_there(desk: Desk) -> None:
    subscription = desk.pull()
    desk.bus.publish(KEY, [1, 2])
    assert desk.close(LIMIT)
    assert list(subscription) == [1, 2]
    with pytest.raises(ConnectorStopped):
        subscription.get(LIMIT)


def test_get_waits_and_says_why_nothing_came(desk: Desk) -> None:
    subscription = desk.pull()
    with pytest.raises(RequestTimeout, match="no trade event"):
        subscription.get(0.01)
    reader = Background(lambda: subscription.get(LIMIT))
    desk.bus.publish(KEY, [7])
    assert reader.result() == 7
    reader = Background(lambda: subscription.get(None))
    subscription()
    with pytest.raises(ConnectorStopped):
        reader.result()


@pytest.mark.parametrize(
    ("policy", "events", "expected"),
    [
        ("drop_oldest", [1, 2, 3, 4, 5], [(4, 3), (5, 0), (6, 0)]),
        ("drop_newest", [1, 2, 3, 4, 5], [(1, 0), (2, 0), (6, 3)]),
        ("block", [1, 2, 3, 4, 5], [(4, 3), (5, 0), (6, 0)]),
        ("conflate", [1, 1, 1, 2, 2], [(1, 2), (2, 1), (6, 0)]),
    ],
)
def test_a_loop_is_told_what_it_missed_before_each_event(
    desk: Desk, policy: str, events: list[int], expected: list[tuple[int, int]]
) -> None:
    """Fault F156."""
    subscription = desk.pull(Mailbox(2, policy, lambda event: event, block_limit=0.01))
    Background(lambda: desk.bus.publish(KEY, events)).result()
    got = [(subscription.get(0), subscription.missed) for _ in range(2)]
    desk.bus.publish(KEY, [6])
    got.append((subscription.get(0), subscription.missed))
    assert got == expected
    assert subscription.dropped == 3
    subscription.stop()


# --- lag, alarm, stuck callbacks ------------------------------------------------------------------------------------


def test_lag_is_how_long_the_oldest_has_been_waiting(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    now = SECOND
    for module in ("mailbox", "subscription", "dispatch"):
        monkeypatch.setattr(f"exconn_sync._runtime.{module}.monotonic_ns", lambda: now)
    began, go_on = threading.Semaphore(0), threading.Semaphore(0)

    def slow(event: int) -> None:
        began.release()
        assert go_on.acquire(timeout=LIMIT)

    pushed, pulled = desk.push(slow), desk.pull()
    assert (pushed.lag, pulled.lag) == (0, 0)
    desk.bus.publish(KEY, [1])
    assert began.acquire(timeout=LIMIT)
    now = 2 * SECOND
    desk.bus.publish(KEY, [2])
    now = 4 * SECOND
    desk.bus.publish(KEY, [3])
    assert (pushed.lag, pulled.lag) == (3, 3)
    assert (pushed.pending, pulled.pending) == (3, 3)
    assert pulled.get(0) == 1
    assert pulled.lag == 2
    go_on.release()
    assert began.acquire(timeout=LIMIT)
    assert pushed.lag == 2
    go_on.release()
    assert began.acquire(timeout=LIMIT)
    assert (pushed.lag, pushed.pending) == (0, 1)
    go_on.release()
    assert desk.close(LIMIT)
    assert (pushed.lag, pushed.pending) == (0, 0)


@pytest.mark.parametrize("kind", ["push", "pull"])
def test_an_alarm_is_raised_once_until_a_tenth_is_left(desk: Desk, kind: str) -> None:
    """Fault F156: nothing is dropped, and it is told loudly."""
    go_on = threading.Semaphore(0)
    taken: list[int] = []

    def slow(event: int) -> None:
        assert go_on.acquire(timeout=LIMIT)
        taken.append(event)

    subscription = desk.push(slow, alarm=20) if kind == "push" else desk.pull(alarm=20)

    def take(count: int) -> None:
        until_there = len(taken) + count
        for _ in range(count):
            if isinstance(subscription, PullSubscription):
                taken.append(subscription.get(0))
            else:
                go_on.release()
        until(lambda: len(taken) == until_there)
        until(lambda: subscription.pending == number - until_there)

    number = 0

    def put(count: int) -> None:
        nonlocal number
        for _ in range(count):
            desk.bus.publish(KEY, [number])
            number += 1

    put(19)
    assert desk.alarms == []
    put(30)
    assert [(alarm.name, alarm.waiting) for alarm in desk.alarms] == [("trade.binance.BTC-USDT", 20)]
    take(46)
    put(30)
    assert len(desk.alarms) == 1, "it had not drained to a tenth"
    take(31)
    put(30)
    assert len(desk.alarms) == 2
    take(32)
    assert taken == list(range(number))
    assert subscription.dropped == 0
    assert desk.close(LIMIT)


def test_a_stuck_callback_is_reported_once_with_its_stack(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Fault F136."""
    monkeypatch.setattr("exconn_sync._runtime.subscription.STUCK_AFTER", 0.02)
    began, release = threading.Event(), threading.Event()

    def wait_for_ever(event: int) -> None:
        began.set()
        release.wait(LIMIT)

    subscription = desk.push(wait_for_ever)
    desk.bus.publish(KEY, [1])
    assert began.wait(LIMIT)

    def looked() -> bool:
        desk.bus.publish(KEY, [2])
        return bool(desk.alarms)

    until(looked)
    for _ in range(50):
        desk.bus.look(time.monotonic_ns() + 60 * SECOND)
    (alarm,) = desk.alarms
    assert isinstance(alarm, SubscriberStuck)
    assert "wait_for_ever" in alarm.details["stack"]
    assert alarm.waiting == subscription.pending
    release.set()
    assert desk.close(LIMIT)


def test_a_slow_callback_that_goes_on_is_not_stuck(desk: Desk) -> None:
    began, go_on = threading.Semaphore(0), threading.Semaphore(0)

    def slow(event: int) -> None:
        began.release()
        assert go_on.acquire(timeout=LIMIT)

    desk.push(slow)
    desk.bus.publish(KEY, [1, 2, 3, 4])
    now = time.monotonic_ns()
    for step in range(4):
        assert began.acquire(timeout=LIMIT)
        desk.bus.look(now + step * 4 * SECOND)
        go_on.release()
    assert desk.close(LIMIT)
    desk.bus.look(now + 3600 * SECOND)
    assert desk.alarms == []


# --- callbacks that wait ---------------------------------------------------------------------------------------------


def test_two_callbacks_that_end_each_other_do_not_wait_for_each_other(desk: Desk) -> None:
    """Faults F138, F139."""
    both = threading.Barrier(2)
    ended: list[int] = []

    def end(other: int) -> Callable[[int], None]:
        def callback(event: int) -> None:
            both.wait(LIMIT)
            subscriptions[other].stop()
            ended.append(other)

        return callback

    subscriptions = [desk.push(end(1)), desk.push(end(0))]
    began = time.monotonic()
    desk.bus.publish(KEY, [1])
    until(lambda: len(ended) == 2)
    assert time.monotonic() - began < 4, "each waited out its limit"
    assert desk.bus.subscriptions() == ()


def test_a_callback_for_which_the_reader_waits_must_not_wait_for_events(desk: Desk) -> None:
    """Fault F139."""
    other = desk.pull()
    desk.push(lambda event: other.get(LIMIT), mailbox=Mailbox(1, "block"))
    desk.push(lambda event: next(other), mailbox=Mailbox(1, "block"))
    patient: list[int] = []
    desk.push(lambda event: patient.append(other.get(LIMIT)))
    desk.bus.publish(KEY, [1])
    until(lambda: len(desk.failures) == 2)
    until(lambda: patient == [1])
    assert all(isinstance(error, ValidationError) for _, error in desk.failures)
    assert desk.close(LIMIT)


def test_a_first_batch_larger_than_a_blocking_buffer_arrives(desk: Desk) -> None:
    heard: list[int] = []
    subscription = desk.push(heard.append, mailbox=Mailbox(2, "block"))
    Background(lambda: desk.bus.publish(KEY, list(range(50)))).result()
    assert desk.close(LIMIT)
    assert heard == list(range(50))
    assert subscription.dropped == 0


# --- bus ------------------------------------------------------------------------------------------------------------


def test_all_but_one_hear_of_it(desk: Desk) -> None:
    first, second = desk.pull(), desk.pull()
    desk.bus.publish(KEY, [1], but=first)
    assert (first.pending, second.pending) == (0, 1)


@pytest.mark.parametrize(
    ("pattern", "concerned"),
    [
        (("trade", "binance", "BTC-USDT"), True), (("trade", "*", "BTC-USDT"), True), (("*", "*", "*"), True),
        (("trade", "binance", "*-USDT"), True), (("trade", "binance", "ETH-*"), False),
        (("orderbook", "*", "*"), False),
        (("trade", "bybit", "*"), False), (("Trade", "*", "*"), False),
    ],
)  # fmt: skip
def test_a_pattern_chooses_its_events(desk: Desk, pattern: tuple[str, str, str], concerned: bool) -> None:
    subscription = desk.push(lambda event: None, pattern)
    assert (desk.bus.concerned(KEY) == (subscription,)) is concerned
    subscription.stop()


@pytest.mark.parametrize(
    ("pattern", "concerned"),
    [
        (("kline", "binance", "BTC-USDT"), True), (("kline", "binance", "BTC-USDT", "1m"), True),
        (("kline", "*", "*", "*m"), True), (("kline", "binance", "BTC-USDT", "5m"), False), (("*", "*", "*"), True),
    ],
)  # fmt: skip
def test_a_pattern_may_choose_a_variant(desk: Desk, pattern: tuple[str, ...], concerned: bool) -> None:
    key = ("kline", "binance", "BTC-USDT", "1m")
    subscription = desk.push(lambda event: None, pattern)
    assert (desk.bus.concerned(key) == (subscription,)) is concerned
    assert subscription.name == ".".join(pattern)
    subscription.stop()


def test_what_has_no_variant_is_not_what_has_one(desk: Desk) -> None:
    subscription = desk.push(lambda event: None, (*KEY, "1m"))
    assert desk.bus.concerned(KEY) == ()
    subscription.stop()


def test_a_changed_pattern_counts_after_a_refresh(desk: Desk) -> None:
    subscription = desk.push(lambda event: None, ("trade", "binance", "ETH-USDT"))
    assert desk.bus.concerned(KEY) == ()
    subscription.pattern = KEY
    desk.bus.refresh()
    assert desk.bus.concerned(KEY) == (subscription,)
    subscription.stop()
    assert desk.bus.concerned(KEY) == ()


def test_removing_the_unknown_is_ignored(desk: Desk) -> None:
    kept = desk.push(lambda event: None)
    desk.bus.remove(Subscription(KEY, Mailbox(0, "drop_oldest"), desk.bus.remove))
    assert desk.bus.subscriptions() == (kept,)
    kept.stop()


@pytest.mark.parametrize("policy", ["drop_oldest", "block"])
def test_without_a_thread_events_wait_and_nobody_else_is_harmed(policy: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The process has no thread left: the writer goes on, and events come once there is one (fault F143)."""
    desk = Desk()
    heard: list[int] = []

    def none_left(name: str, target: Callable[[], None]) -> threading.Thread:
        raise RuntimeError("can't start new thread")

    subscription = desk.push(heard.append, mailbox=Mailbox(3, policy))
    with monkeypatch.context() as patch:
        patch.setattr("exconn_sync._runtime.dispatch.spawn", none_left)
        for number in range(5):
            Background(partial(desk.bus.publish, KEY, [number])).result()
    assert [(alarm.name, "can't start new thread" in str(alarm)) for alarm in desk.alarms] == [
        ("trade.binance.BTC-USDT", True)
    ]
    assert (subscription.pending, subscription.dropped) == (3, 2)
    desk.bus.publish(KEY, [5])
    until(lambda: 5 in heard)
    assert heard in ([2, 3, 4, 5], [3, 4, 5])
    assert desk.close(LIMIT)


@pytest.mark.parametrize("timeout", ["5", float("nan"), True])
def test_seconds_are_checked(timeout: Any) -> None:
    with pytest.raises(ValidationError, match="must be a number of seconds"):
        Desk().pull().get(timeout)
