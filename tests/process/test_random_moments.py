"""Stops and interrupts at random moments: a few in each run, a thousand in the soak run."""

from __future__ import annotations

import os
import random
import threading
import time

import pytest

from exconn_sync import Connector, Order, OrderRequest
from exconn_sync._transport import limiter
from exconn_sync.config.settings import Timeouts
from exconn_sync.errors import ExconnError
from exconn_sync.simulator import Simulator
from tests.integration.conftest import LIMIT, lively, quick  # noqa: F401 - fixtures
from tests.process.support import run
from tests.process.test_life_cycle import left

MOMENTS = 1000 if os.environ.get("EXCONN_SOAK") == "1" else 30
REQUEST = OrderRequest.limit("BTC-USDT", "buy", "0.01", "20000")


def commands(connector: Connector, outcomes: list[Order | ExconnError]) -> None:
    """Place and cancel until the stop."""
    while connector.state != "stopped":
        try:
            order = connector.place_order(REQUEST)
            outcomes.append(order)
            order.cancel()
        except ExconnError as error:
            outcomes.append(error)
            time.sleep(0.001)


@pytest.mark.timeout(60 + MOMENTS)
def test_a_stop_at_any_moment_is_in_time_and_loses_no_outcome(lively: Simulator) -> None:  # noqa: F811
    """While it starts, loads, reconnects, or trades on two threads; all orders are accounted for (fault F147)."""
    lively.faults.rate_limits(weight_per_minute=10**9, orders_per_10s=10**9, orders_per_day=10**9)
    lively.faults.rate_limits(connections_per_5m=10**9)
    draw = random.Random(147)
    outcomes: list[Order | ExconnError] = []
    for _ in range(MOMENTS):
        limiter._connect_budgets.clear()
        connector = Connector(quick(lively.config(), timeouts=Timeouts(stop=5.0)))
        connector.stream_order_book("BTC-USDT")
        connector.start()
        traders = [threading.Thread(target=commands, args=(connector, outcomes)) for _ in range(2)]
        for trader in traders:
            trader.start()
        time.sleep(draw.random() * 0.06)
        if draw.random() < 0.3:
            lively.faults.drop_connections()
            time.sleep(draw.random() * 0.02)
        lists: list[list[str]] = []
        stoppers = [threading.Thread(target=lambda on=connector, to=lists: to.append(on.stop())) for _ in range(2)]
        for stopper in stoppers:
            stopper.start()
        for thread in (*stoppers, *traders):
            thread.join(LIMIT)
            assert not thread.is_alive()
        # Nothing was left to name when the limit of the stop was over.
        assert lists == [[], []]
        assert left() == []
    # Whatever an order became, its caller was told; none was sent without a word and none is called refused wrongly.
    there = {str(order.order_id) for order in lively.accounts.orders()}
    placed = {item.exchange_order_id for item in outcomes if isinstance(item, Order)}
    unknown = [item for item in outcomes if isinstance(item, ExconnError) and item.outcome == "unknown"]
    assert placed <= there
    assert len(there - placed) <= len(unknown)
    assert any(isinstance(item, Order) for item in outcomes)


@pytest.mark.timeout(60 + MOMENTS)
def test_an_interrupt_at_any_moment_leaves_a_connector_that_works() -> None:
    """It comes out as KeyboardInterrupt, no lock stays held, and every order that exists is known (fault F129)."""
    ended = run(
        f"""
    import random
    from exconn_sync.simulator import Simulator
    MOMENTS = {MOMENTS}
    request = OrderRequest.limit("BTC-USDT", "buy", "0.01", "20000")
    draw = random.Random(129)
    simulator = Simulator()
    simulator.start()
    simulator.faults.rate_limits(weight_per_minute=10**9, orders_per_10s=10**9, orders_per_day=10**9)
    connector = Connector(replace(simulator.config(), reconnect=Reconnect(base=0.05, cap=0.2, settle=0.05)))
    connector.start()
    connector.wait_ready(10)
    trades = connector.stream_book_ticker("BTC-USDT")
    armed = threading.Event()
    def interrupt():
        for _ in range(MOMENTS):
            armed.wait(20)
            armed.clear()
            time.sleep(draw.random() * 0.02)
            os.kill(os.getpid(), signal.SIGINT)
    threading.Thread(target=interrupt, daemon=True).start()
    def use():
        while True:
            order = connector.place_order(request, timeout=10)
            trades.get(10)
            connector.order_book("BTC-USDT")
            connector.orders.open()
            order.wait(lambda state: state.exchange_order_id is not None, 10)
            connector.health()
            order.cancel(timeout=10)
            connector.submit_order(request).result(10).cancel()
    caught = 0
    while caught < MOMENTS:
        # An exchange takes so many open orders and no more.
        for state in connector.orders.open():
            try:
                connector.cancel_order(state.client_order_id)
            except (OrderNotFound, OrderRejected):
                # The interrupted cancel had arrived.
                pass
        try:
            armed.set()
            use()
        except KeyboardInterrupt:
            caught += 1
    assert connector.fetch_balances(timeout=10)
    connector.place_order(request, timeout=10).cancel()
    trades.get(10)
    deadline = time.monotonic() + 10
    def strange():
        return [each for each in simulator.accounts.orders() if connector.orders.get(str(each.order_id)) is None]
    def doubtful():
        # One that never left stays unknown until that is proven, which takes as long as it might still arrive.
        there = {{each.client_order_id for each in simulator.accounts.orders()}}
        unknown = [state for state in connector.orders.open() if state.status == "unknown"]
        return [state for state in unknown if state.client_order_id in there]
    while strange() or doubtful():
        assert time.monotonic() < deadline, (strange(), doubtful())
        time.sleep(0.02)
    remaining = connector.stop(5)
    assert remaining == [], (remaining, connector.thread_dump())
    simulator.stop()
    print(caught)
    """,
        "{}",
        limit=30 + MOMENTS / 5,
    )
    assert (ended.code, ended.err) == (0, ""), ended.out + ended.err
    assert ended.out == f"{MOMENTS}\n"


def test_locks_are_free_after_an_interrupt_wherever_it_came() -> None:
    """An alarm comes out of any spot of a loop that takes a lock and lets go of it (fault F129)."""
    ended = run(
        """
    import random
    from exconn_sync.ports.waiting import Condition, Event
    draw = random.Random(1)
    def alarm(number, frame):
        raise KeyboardInterrupt
    signal.signal(signal.SIGALRM, alarm)
    condition, event = Condition(threading.Lock()), Event()
    def use():
        while True:
            with condition:
                condition.notify_all()
            event.set()
            event.wait(0)
            event.clear()
    for _ in range(5000):
        try:
            signal.setitimer(signal.ITIMER_REAL, draw.random() * 1e-4)
            use()
        except KeyboardInterrupt:
            assert condition._lock.acquire(blocking=False)
            condition._lock.release()
            assert event._cond._lock.acquire(blocking=False)
            event._cond._lock.release()
    print("free")
    """,
        "{}",
    )
    assert (ended.code, ended.out, ended.err) == (0, "free\n", "")
