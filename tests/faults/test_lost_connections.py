"""Connections that break, fall silent or crawl: noticed, told once, and replaced."""

from __future__ import annotations

import itertools
import queue
import threading
import time
from decimal import Decimal

import pytest

from exconn_sync import BookTicker, Connector, Fill, OrderRequest, PullSubscription, StaleBook
from exconn_sync._runtime.faultpoints import installed
from exconn_sync.config.settings import Timeouts
from exconn_sync.metrics import MemoryMetrics
from exconn_sync.simulator import Simulator
from tests.faults.conftest import LIMIT, Connect, Errors, Ups, counted, pace, relay_to, through
from tests.faults.relay import Relay
from tests.integration.test_faults import wait_live
from tests.simulator.clients import eventually


def trades_go_on(connector: Connector, symbol: str = "BTC-USDT") -> None:
    """Wait for a trade that comes from now on."""
    trades = connector.stream_trades(symbol)
    trades.get(LIMIT)
    trades.stop()


@pytest.mark.parametrize("how", ["reset", "eof"])
def test_a_cut_at_any_byte_gives_no_partial_message_and_comes_back(
    how: str, lively: Simulator, relay: Relay, connect: Connect
) -> None:
    """Cuts swept over the handshake, the answers and the first messages (faults F006, F007)."""
    for count in range(0, 816, 48):
        relay.cut_after(count, "reset" if how == "reset" else "eof")
    metrics = MemoryMetrics()
    connector = connect(
        lively,
        wait=False,
        start=False,
        credentials=None,
        metrics=metrics,
        endpoints=through(lively, relay, "stream"),
        reconnect=pace(base=0.001, cap=0.01),
    )
    ups, errors = Ups(connector), Errors(connector)
    trades = connector.stream_trades("BTC-USDT")
    books = connector.stream_order_book("BTC-USDT")
    connector.stream_book_ticker("BTC-USDT")
    connector.start()
    # One connection outlives them all.
    eventually(lambda: relay.connections == 18)
    numbers = [int(trades.get(LIMIT).trade_id) for _ in range(5)]
    assert numbers == sorted(set(numbers))
    wait_live(connector, books)
    connector.wait_ready(LIMIT)
    assert errors.told == [], "no part of a message was taken for a message"
    assert counted(metrics, "connection.down") == 17
    eventually(lambda: ups.told[-1].is_up)
    reasons = {event.reason for event in ups.told if not event.is_up}
    assert all(reasons)
    states = [event.is_up for event in ups.told]
    assert all(one is not other for one, other in itertools.pairwise(states)), "each episode is told once"


def test_a_cut_at_any_byte_of_the_account_connection_loses_no_fill(quiet: Simulator, connect: Connect) -> None:
    """Cuts swept over the handshake, the answer to the sign-in and the events (fault F006)."""
    with relay_to(quiet) as relay:
        for count in range(0, 1300, 65):
            relay.cut_after(count)
        connector = connect(
            quiet,
            wait=False,
            start=False,
            endpoints=through(quiet, relay, "ws_api"),
            reconnect=pace(base=0.001, cap=0.01),
        )
        errors = Errors(connector)
        fills: queue.Queue[Fill] = queue.Queue()
        connector.on_fill(fills.put)
        connector.start()
        assert connector.rest_ready.wait(LIMIT)
        order = connector.place_order(OrderRequest.limit("BTC-USDT", "buy", "0.9", "60005"))
        sold = 0
        while relay.connections <= 20 and sold < 89:
            quiet.market.trade("BTCUSDT", "sell", "0.01")
            sold += 1
            eventually(lambda: order.filled_quantity == Decimal(sold) / 100)  # noqa: B023 - called at once
        quiet.market.trade("BTCUSDT", "sell", Decimal("0.9") - Decimal(sold) / 100)
        assert order.wait(timeout=LIMIT)
        told = [fills.get(timeout=LIMIT) for _ in range(sold + 1)]
        assert len({fill.trade_id for fill in told}) == sold + 1
        assert sum(fill.quantity for fill in told) == Decimal("0.9")
        connector.wait_ready(LIMIT)
        assert fills.empty()
        assert relay.connections >= 5
        assert not [event for event in errors.told if event.where == "account stream"]


def test_an_account_in_single_bytes_is_the_same_account(quiet: Simulator, connect: Connect) -> None:
    """(fault F013)"""
    with relay_to(quiet) as relay:
        relay.downstream.chop(1)
        relay.upstream.chop(1)
        chopped = connect(quiet, endpoints=through(quiet, relay, "rest", "ws_api"))
        whole = connect(quiet)
        order = chopped.place_order(OrderRequest.limit("BTC-USDT", "buy", "0.5", "60005", client_order_id="same"))
        for _ in range(5):
            quiet.market.trade("BTCUSDT", "sell", "0.1")
        assert order.wait(timeout=LIMIT)
        eventually(lambda: (state := whole.orders.get("same")) is not None and state.status == "filled")
        one, other = (each.orders.get("same") for each in (chopped, whole))
        assert one is not None
        assert other is not None
        assert (one.filled_quantity, one.average_price) == (other.filled_quantity, other.average_price)
        amounts = [
            {asset: (balance.free, balance.locked) for asset, balance in each.fetch_balances().items()}
            for each in (chopped, whole)
        ]
        assert amounts[0] == amounts[1]


@pytest.mark.parametrize(("how", "reason"), [("reset", "reset by peer"), ("eof", "without a goodbye")])
def test_an_end_without_a_close_frame_is_a_loss_with_its_reason(
    how: str, reason: str, lively: Simulator, relay: Relay, connect: Connect
) -> None:
    """(faults F006, F007)"""
    connector = connect(lively, credentials=None, endpoints=through(lively, relay, "stream"))
    ups = Ups(connector)
    books = connector.stream_order_book("BTC-USDT")
    wait_live(connector, books)
    relay.cut_all("reset" if how == "reset" else "eof")
    assert reason in ups.recover().reason
    wait_live(connector, books)
    connector.wait_ready(LIMIT)
    assert [event.is_up for event in ups.told] == [False, True]


def test_a_silent_connection_is_noticed_and_its_book_is_as_old_as_its_last_byte(
    lively: Simulator, relay: Relay, connect: Connect
) -> None:
    """(fault F008)"""
    connector = connect(
        lively, credentials=None, endpoints=through(lively, relay, "stream"), reconnect=pace(idle_timeout=0.6)
    )
    ups = Ups(connector)
    books = connector.stream_order_book("BTC-USDT")
    wait_live(connector, books)
    relay.downstream.stall()
    stalled_at = time.monotonic()
    down = ups.down()
    assert down.reason in ("no byte for 0.6 s", "no answer to a ping for 0.3 s")
    view = connector.order_book("BTC-USDT")
    assert not view.is_valid
    with pytest.raises(StaleBook):
        _ = view.best_bid
    # Not measured from the moment when it was noticed; what was on its way when it fell silent may have come after.
    assert view.age > time.monotonic() - stalled_at - 0.2
    assert not connector.ready.is_set()
    relay.downstream.resume()
    ups.up()
    wait_live(connector, books)
    assert [event.is_up for event in ups.told] == [False, True]


def test_a_silent_account_connection_is_no_longer_live(quiet: Simulator, connect: Connect) -> None:
    """What happened in the silence is looked up afterwards (fault F008)."""
    with relay_to(quiet) as relay:
        connector = connect(
            quiet, endpoints=through(quiet, relay, "ws_api"), reconnect=pace(idle_timeout=3.0, base=0.001, cap=0.01)
        )
        ups = Ups(connector, "account")
        order = connector.place_order(OrderRequest.limit("BTC-USDT", "buy", "0.5", "60005"))
        relay.downstream.stall()
        relay.upstream.stall()
        quiet.market.trade("BTCUSDT", "sell", "0.5")
        assert ups.down().reason in ("no byte for 3 s", "no answer to a ping for 1.5 s")
        assert not connector.ready.is_set()
        relay.downstream.resume()
        relay.upstream.resume()
        ups.up()
        assert order.wait(timeout=LIMIT)
        assert order.status == "filled"
        connector.wait_ready(LIMIT)


def test_neither_stop_nor_reconnect_waits_for_a_goodbye(lively: Simulator, connect: Connect) -> None:
    """The exchange answers no close frame and goes on sending (fault F009)."""
    connector = connect(lively, reconnect=pace(rotate_after=0.3))
    trades = connector.stream_trades("BTC-USDT")
    with lively.faults.ignore_close():
        before = len(lively.connection_log())
        eventually(lambda: len(lively.connection_log()) >= before + 4)
        numbers = [int(trades.get(LIMIT).trade_id) for _ in range(10)]
        assert numbers == list(range(numbers[0], numbers[0] + 10))
        assert connector.stop(LIMIT) == []


def test_a_stall_at_the_moment_of_closing_holds_up_nobody(lively: Simulator, relay: Relay, connect: Connect) -> None:
    """(fault F009)"""
    connector = connect(lively, endpoints=through(lively, relay, "stream", "ws_api"))
    connector.stream_trades("BTC-USDT").get(LIMIT)
    relay.upstream.stall()
    relay.downstream.stall()
    began = time.monotonic()
    assert connector.stop(LIMIT) == []
    assert time.monotonic() - began < LIMIT / 2


def test_data_that_comes_does_not_prove_that_ours_arrives(lively: Simulator, relay: Relay, connect: Connect) -> None:
    """Only the way up is stalled; the market flows on (fault F010)."""
    connector = connect(
        lively, credentials=None, endpoints=through(lively, relay, "stream"), reconnect=pace(idle_timeout=1.0)
    )
    ups = Ups(connector)
    trades = connector.stream_trades("BTC-USDT")
    trades.get(LIMIT)
    relay.upstream.stall()
    assert ups.down().reason == "no answer to a ping for 0.5 s"
    assert trades.pending or trades.get(LIMIT), "data came until the end"
    relay.upstream.resume()
    ups.up()
    trades_go_on(connector)
    assert [event.is_up for event in ups.told] == [False, True]


def test_pings_that_are_not_answered_end_a_connection_that_brings_data(lively: Simulator, connect: Connect) -> None:
    """(faults F010, F025)"""
    connector = connect(lively, credentials=None, reconnect=pace(idle_timeout=1.0))
    ups = Ups(connector)
    trades = connector.stream_trades("BTC-USDT")
    trades.get(LIMIT)
    with lively.faults.ignore_pings():
        assert ups.down().reason == "no answer to a ping for 0.5 s"
    ups.up()
    trades_go_on(connector)


def test_a_probe_that_has_to_wait_keeps_no_thread_busy(quiet: Simulator, connect: Connect) -> None:
    """It is due after 0.8 s, but our limit on messages allows it 1.1 s after the one before (faults F010, F048)."""
    connector = connect(quiet, credentials=None, reconnect=pace(idle_timeout=1.6))
    ups = Ups(connector)
    turns = 0

    def count() -> None:
        nonlocal turns
        turns += 1

    with installed("stream.after_read", count):
        eventually(lambda: sum(frames.ping for frames in quiet.client_frames()) >= 3)
    assert ups.told == []
    assert turns < 100


def test_a_drip_is_not_life(lively: Simulator, relay: Relay, connect: Connect) -> None:
    """One byte now and then keeps any silence short, but no message ends (fault F011)."""
    connector = connect(
        lively,
        credentials=None,
        endpoints=through(lively, relay, "stream"),
        timeouts=Timeouts(read=0.6),
        reconnect=pace(idle_timeout=10.0),
    )
    ups = Ups(connector)
    books = connector.stream_order_book("BTC-USDT")
    wait_live(connector, books)
    relay.downstream.rate(20)
    assert ups.down().reason == "a message did not end within 0.6 s"
    assert not connector.order_book("BTC-USDT").is_valid
    relay.downstream.rate(None)
    ups.up()
    wait_live(connector, books)


def test_an_exchange_that_reads_nothing_more_is_left(lively: Simulator, connect: Connect) -> None:
    """Requests and pings pile up unread; neither the other subscribers nor stop wait for them (fault F012)."""
    connector = connect(lively, credentials=None, reconnect=pace(idle_timeout=1.0))
    ups = Ups(connector)
    connector.stream_trades("BTC-USDT").get(LIMIT)
    with lively.faults.stop_reading():
        more = connector.stream_trades("ETH-USDT")
        assert ups.down().reason == "no answer to a ping for 0.5 s"
    ups.up()
    more.get(LIMIT)
    with lively.faults.stop_reading():
        assert connector.stop(LIMIT) == []


def test_results_do_not_depend_on_how_bytes_are_cut_into_pieces(
    lively: Simulator, relay: Relay, connect: Connect
) -> None:
    """One connector reads whole pieces, the other one single bytes: both see the same (fault F013)."""
    relay.downstream.chop(1)
    relay.upstream.chop(1)
    whole = connect(lively, credentials=None)
    chopped = connect(lively, credentials=None, endpoints=through(lively, relay, "stream"))
    connectors = (whole, chopped)
    trades = [each.stream_trades("BTC-USDT", buffer=100_000) for each in connectors]
    tickers = [each.stream_book_ticker("BTC-USDT", buffer=100_000) for each in connectors]
    books = [each.stream_order_book("BTC-USDT", depth=None) for each in connectors]
    for each, changes in zip(connectors, books, strict=True):
        wait_live(each, changes)
    first = max(int(stream.get(LIMIT).trade_id) for stream in trades)
    received: list[list[tuple[object, ...]]] = []
    for stream in trades:
        found: list[tuple[object, ...]] = []
        while len(found) < 5:
            trade = stream.get(LIMIT)
            if int(trade.trade_id) > first:
                found.append((trade.trade_id, trade.price, trade.quantity, trade.side, trade.exchange_time))
        received.append(found)
    assert received[0] == received[1]
    lively.market.pause()
    update_id, bids, asks = lively.market.order_book("BTCUSDT")
    for each, changes in zip(connectors, books, strict=True):
        while (view := each.order_book("BTC-USDT")).update_id < update_id:
            changes.get(timeout=LIMIT)
        assert (list(view.bids), list(view.asks)) == ([tuple(row) for row in bids], [tuple(row) for row in asks])
    seen = [{ticker.update_id: ticker.bid_price for ticker in waiting(stream)} for stream in tickers]
    shared = seen[0].keys() & seen[1].keys()
    assert shared
    assert {key: seen[0][key] for key in shared} == {key: seen[1][key] for key in shared}


def waiting(stream: PullSubscription[BookTicker]) -> list[BookTicker]:
    """Return what waits in a pull subscription."""
    found = []
    while stream.pending:
        found.append(stream.get(LIMIT))
    return found


def test_after_a_change_of_route_old_sockets_are_dead_and_new_ones_work(
    lively: Simulator, relay: Relay, connect: Connect
) -> None:
    """Every connection falls silent at once, that of REST included (fault F018)."""
    connector = connect(
        lively,
        credentials=None,
        endpoints=through(lively, relay, "stream", "rest"),
        timeouts=Timeouts(read=0.5, request=2.0),
        reconnect=pace(idle_timeout=0.6),
    )
    ups = Ups(connector)
    trades = connector.stream_trades("BTC-USDT")
    trades.get(LIMIT)
    connector.fetch_trades("BTC-USDT")
    relay.downstream.stall()
    assert ups.down().reason
    relay.cut_all("reset")
    relay.downstream.resume()
    # No pooled socket is used a second time after it failed.
    assert connector.fetch_trades("BTC-USDT")
    assert connector.fetch_trades("BTC-USDT")
    ups.up()
    trades_go_on(connector)


def test_a_stop_in_the_middle_of_a_lost_connection_is_prompt(lively: Simulator, relay: Relay, connect: Connect) -> None:
    """(faults F001, F008)"""
    connector = connect(lively, endpoints=through(lively, relay, "stream", "ws_api"), reconnect=pace(base=30, cap=30))
    ups = Ups(connector)
    relay.refuse()
    relay.cut_all()
    ups.down()
    done = threading.Event()

    def stop() -> None:
        assert connector.stop(LIMIT) == []
        done.set()

    thread = threading.Thread(target=stop)
    thread.start()
    assert done.wait(LIMIT)
    thread.join()
