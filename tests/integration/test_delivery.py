"""Delivery through a whole connector: queues of the user's own, gaps, alarms (faults F064, F156)."""

from __future__ import annotations

import queue
import threading
from typing import Any

import pytest

from exconn_sync import (
    ConnectorStopped,
    End,
    ErrorEvent,
    Gap,
    OrderRequest,
    OrderState,
    SubscriberLagging,
    Trade,
    ValidationError,
)
from exconn_sync._runtime.faultpoints import installed
from exconn_sync.config.settings import Delivery
from exconn_sync.simulator import Simulator
from tests.integration.conftest import LIMIT, Connect
from tests.unit.support import until


def test_events_come_into_a_queue_of_the_users_until_its_end(lively: Simulator, connect: Connect) -> None:
    connector = connect(lively)
    trades: queue.Queue[Any] = queue.Queue()
    books: queue.SimpleQueue[Any] = queue.SimpleQueue()
    orders: queue.Queue[Any] = queue.Queue()
    subscription = connector.stream_trades("BTC-USDT", queue=trades)
    connector.stream_order_book("BTC-USDT", depth=5, queue=books)
    connector.stream_orders(queue=orders)
    connector.place_order(OrderRequest.limit("BTC-USDT", "buy", "0.001", "20000"))
    assert isinstance(trades.get(timeout=LIMIT), Trade)
    assert books.get(timeout=LIMIT).symbol == "BTC-USDT"
    assert isinstance(orders.get(timeout=LIMIT), OrderState)
    subscription.stop()
    assert not subscription.is_active
    items = []
    while not trades.empty():
        items.append(trades.get_nowait())
    assert items[-1] == End(None)
    assert End(None) not in items[:-1]
    connector.stop(LIMIT)
    for other in (books, orders):
        while not isinstance(last := other.get(timeout=LIMIT), End):
            continue
        assert last.reason is None
        assert other.empty()


def test_a_small_queue_loses_by_policy_and_says_so(lively: Simulator, connect: Connect) -> None:
    connector = connect(lively)
    target: queue.Queue[Any] = queue.Queue(5)
    subscription = connector.stream_book_ticker("BTC-USDT", queue=target)
    until(lambda: subscription.dropped >= 3)
    first = target.get_nowait()
    assert isinstance(first, Gap)
    assert first.count >= 3
    subscription.stop()


def test_the_end_of_a_queue_tells_that_the_connector_gave_up(
    quiet: Simulator, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("exconn_sync._machines.supervision.LONGEST_PAUSE", 0.0)
    connector = connect(quiet, wait=False, start=False)
    trades: queue.Queue[Any] = queue.Queue()
    connector.stream_trades("BTC-USDT", queue=trades)

    def crash() -> None:
        if threading.current_thread().name == "exconn-binance-account":
            raise RuntimeError("always")

    with installed("stream.after_read", crash):
        connector.start()
        end = trades.get(timeout=LIMIT)
    assert isinstance(end, End)
    assert isinstance(end.reason, ConnectorStopped)
    connector.stop(LIMIT)


def test_the_end_of_a_queue_tells_of_a_symbol_that_does_not_exist(quiet: Simulator, connect: Connect) -> None:
    connector = connect(quiet, start=False)
    trades: queue.Queue[Any] = queue.Queue()
    connector.stream_trades("NOPE-USDT", queue=trades)
    connector.start()
    end = trades.get(timeout=LIMIT)
    assert isinstance(end.reason, ValidationError)
    connector.wait_ready(LIMIT)
    with pytest.raises(ValidationError):
        connector.stream_trades("NOPE-USDT", queue=queue.Queue())


def test_queues_that_cannot_keep_the_promise_are_refused(quiet: Simulator, connect: Connect) -> None:
    connector = connect(quiet, start=False)
    with pytest.raises(ValidationError, match="no bound"):
        connector.stream_orders(queue=queue.Queue(1000))
    with pytest.raises(ValidationError, match="buffer"):
        connector.stream_trades("BTC-USDT", buffer=7, queue=queue.Queue())  # type: ignore[call-overload]
    with pytest.raises(ValidationError, match="overflow"):
        connector.stream_trades("BTC-USDT", overflow="block", queue=queue.Queue())
    with pytest.raises(ValidationError, match="queue"):
        connector.stream_trades("BTC-USDT", queue=[])  # type: ignore[call-overload]


def test_account_events_that_pile_up_raise_one_alarm_and_are_all_delivered(quiet: Simulator, connect: Connect) -> None:
    connector = connect(quiet, delivery=Delivery(alarm=10))
    errors: queue.Queue[ErrorEvent] = queue.Queue()
    connector.on_error(errors.put)
    release = threading.Event()
    heard: list[OrderState] = []

    def slow(order: OrderState) -> None:
        release.wait(LIMIT)
        heard.append(order)

    subscription = connector.on_order(slow)
    for _ in range(12):
        connector.place_order(OrderRequest.limit("BTC-USDT", "buy", "0.001", "50000")).cancel()
    event = errors.get(timeout=LIMIT)
    assert event.where == "subscriber of order.binance.*"
    assert isinstance(event.error, SubscriberLagging)
    assert event.error.waiting >= 10
    assert subscription.lag > 0
    release.set()
    until(lambda: subscription.pending == 0)
    assert len(heard) >= 24
    assert subscription.dropped == 0
    assert errors.empty()


def test_a_loop_that_is_too_slow_is_told_what_it_missed(lively: Simulator, connect: Connect) -> None:
    connector = connect(lively)
    with_gaps = connector.stream_book_ticker("BTC-USDT", buffer=2)
    until(lambda: with_gaps.dropped >= 5)
    missed = 0
    while missed == 0:
        with_gaps.get(LIMIT)
        missed = with_gaps.missed
    assert missed >= 5
    with_gaps.stop()


def test_nothing_is_delivered_after_a_stop_from_inside_a_callback(lively: Simulator, connect: Connect) -> None:
    """Faults F064, F137, invariant I16."""
    connector = connect(lively)
    heard: list[int] = []
    after: list[int] = []
    stopped = threading.Event()

    def stop(event: object) -> None:
        if not stopped.is_set():
            connector.stop(LIMIT)
            heard.append(1)
            stopped.set()
        else:
            after.append(1)

    others: list[int] = []
    connector.on_book_ticker("BTC-USDT", lambda event: others.append(1))
    connector.on_book_ticker("BTC-USDT", stop)
    assert stopped.wait(LIMIT)
    count = len(others)
    # All threads are gone, so nothing can come any more.
    until(lambda: not any(thread.name.startswith("exconn-dispatch") for thread in threading.enumerate()))
    assert (heard, after, len(others)) == ([1], [], count)
