"""Subscriptions: in order, harmed by nobody, silent once they are ended."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from exconn_sync._runtime.bus import Bus
from exconn_sync._runtime.mailbox import Mailbox
from exconn_sync._runtime.subscription import PullSubscription, PushSubscription, Subscription
from exconn_sync.errors import ConnectorStopped, RequestTimeout
from tests.unit.support import LIMIT, Background, in_threads, until

KEY = ("trade", "binance", "BTC-USDT")


class Desk:
    """A bus, with everything that is told to one subscriber of it."""

    def __init__(self) -> None:
        self.bus = Bus()
        self.failures: list[tuple[str, Exception]] = []

    def push(
        self,
        callback: Callable[[Any], object],
        pattern: tuple[str, str, str] = KEY,
        mailbox: Mailbox | None = None,
        on_gap: Callable[[int], object] | None = None,
    ) -> PushSubscription:
        made = PushSubscription(
            pattern, mailbox or Mailbox(0, "drop_oldest"), self.bus.remove, callback, on_gap,
            lambda where, error: self.failures.append((where, error)),
        )  # fmt: skip
        self.bus.add(made)
        return made

    def pull(self) -> PullSubscription[int]:
        made: PullSubscription[int] = PullSubscription(KEY, Mailbox(0, "drop_oldest"), self.bus.remove)
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


def test_many_writers_at_the_first_moment_start_one_thread(desk: Desk) -> None:
    names: set[int] = set()
    desk.push(lambda event: names.add(threading.get_ident()))
    in_threads(8, lambda index: desk.bus.publish(KEY, [index]))
    assert desk.close(LIMIT)
    assert len(names) == 1


def test_an_exception_is_reported_and_harms_nobody(desk: Desk) -> None:
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
        ("callback of trade.binance.BTC-USDT", f"no {number}") for number in (1, 2, 3)
    ]


@pytest.mark.parametrize("kind", [KeyboardInterrupt, GeneratorExit, BaseException])
def test_what_is_no_exception_is_reported_too_and_the_next_event_comes(desk: Desk, kind: type[BaseException]) -> None:
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


# --- bus ------------------------------------------------------------------------------------------------------------


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
