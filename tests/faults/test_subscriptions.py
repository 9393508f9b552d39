"""Subscriptions that are refused, lost, silent or too many, and events that nobody asked for."""

from __future__ import annotations

import itertools
import json
import threading
import time
from decimal import Decimal
from typing import Any

import pytest

from exconn_sync import ErrorEvent, OrderRequest, SilentTopic, Trade, ValidationError
from exconn_sync._runtime.faultpoints import installed
from exconn_sync.config.settings import Intervals
from exconn_sync.errors import MarketClosed
from exconn_sync.metrics import MemoryMetrics
from exconn_sync.simulator import Simulator
from tests.faults.conftest import LIMIT, Connect, Errors, Ups, counted, pace
from tests.faults.test_replacement import await_replaced, in_a_row, replaced
from tests.faults.test_unruly_frames import TRADE, wrapped
from tests.integration.test_faults import wait_live
from tests.simulator.clients import Rest, eventually

INFO = "/api/v3/exchangeInfo"


def texts(simulator: Simulator) -> int:
    """Return how many requests came over market connections so far."""
    return sum(frames.text for frames in simulator.client_frames() if frames.kind == "stream")


@pytest.fixture
def brisk(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make short what is waited for before a topic is called lost or silent."""
    monkeypatch.setattr("exconn_sync._live.market_link._ANSWER_LIMIT_NS", 400_000_000)
    monkeypatch.setattr("exconn_sync._live.silence_watch._ARRIVAL", 0.2)
    monkeypatch.setattr("exconn_sync._live.silence_watch._BETWEEN", 0.05)


def test_a_refused_topic_is_told_and_its_neighbours_flow(lively: Simulator, connect: Connect) -> None:
    """It is told once, shown, and comes by itself when it is refused no more (fault F046)."""
    connector = connect(lively, wait=False, start=False, credentials=None)
    ups, errors = Ups(connector), Errors(connector)
    with lively.faults.refuse_subscription("ethusdt@trade"):
        wrong = connector.stream_trades("ETH-USDT")
        right = [connector.stream_trades("BTC-USDT"), connector.stream_trades("BNB-BTC")]
        tickers = connector.stream_book_ticker("ETH-USDT")
        connector.start()
        told = errors.until(lambda event: True)
        assert told.where == "trade.ETH-USDT"
        assert "unknown stream" in str(told.error)
        right[0].get(LIMIT)
        tickers.get(LIMIT)
        connector.wait_ready(LIMIT)
        assert lively.subscriptions() == ["bnbbtc@trade", "btcusdt@trade", "ethusdt@bookTicker"]
        health = connector.health()
        assert (health.status, health.reasons) == ("degraded", ("trade.ETH-USDT is refused",))
        assert "unknown stream" in health.refused["trade.ETH-USDT"]
        asked = texts(lively)
        eventually(lambda: texts(lively) >= asked + 2)
        assert connector.ready.is_set()
    wrong.get(LIMIT)
    assert len(errors.told) == 1
    assert not any(event.reason for event in ups.told)
    assert connector.health().refused == {}


@pytest.mark.usefixtures("brisk")
def test_data_counts_as_an_answer(lively: Simulator, connect: Connect) -> None:
    """The answer is lost: what flows is live, and is not asked for again (fault F047)."""
    metrics = MemoryMetrics()
    connector = connect(lively, wait=False, start=False, credentials=None, metrics=metrics)
    errors = Errors(connector)
    lively.faults.lose_replies("stream")
    trades = connector.stream_trades("BTC-USDT")
    tickers = connector.stream_book_ticker("BTC-USDT")
    connector.start()
    first = int(trades.get(LIMIT).trade_id)
    tickers.get(LIMIT)
    assert connector.stream_ready.wait(LIMIT)
    numbers = [first, *(int(trades.get(LIMIT).trade_id) for _ in range(10))]
    assert in_a_row(numbers)
    assert texts(lively) == 1
    assert replaced(metrics, "market") == 0
    assert errors.told == []


@pytest.mark.usefixtures("brisk")
def test_a_book_whose_answer_is_lost_is_loaded_all_the_same(lively: Simulator, connect: Connect) -> None:
    """(fault F047)"""
    connector = connect(lively, credentials=None)
    lively.faults.lose_replies("stream")
    books = connector.stream_order_book("BTC-USDT")
    wait_live(connector, books)
    assert connector.stream_ready.wait(LIMIT)
    assert texts(lively) == 1


@pytest.mark.usefixtures("brisk")
def test_a_topic_whose_answer_is_lost_is_watched_for_silence_all_the_same(lively: Simulator, connect: Connect) -> None:
    """(faults F047, F060)"""
    connector = connect(lively, credentials=None, reconnect=pace(topic_timeout=0.5))
    errors = Errors(connector)
    lively.faults.lose_replies("stream")
    tickers = connector.stream_book_ticker("BTC-USDT")
    tickers.get(LIMIT)
    assert connector.stream_ready.wait(LIMIT)
    with lively.faults.silence("btcusdt@bookTicker"):
        assert isinstance(errors.until(lambda event: True).error, SilentTopic)


@pytest.mark.usefixtures("brisk")
def test_a_topic_without_answer_and_data_is_asked_for_once_more(lively: Simulator, connect: Connect) -> None:
    """(fault F047)"""
    connector = connect(lively, credentials=None)
    ups, errors = Ups(connector), Errors(connector)
    lively.faults.lose_subscriptions()
    lively.faults.lose_replies("stream")
    trades = connector.stream_trades("BTC-USDT")
    trades.get(LIMIT)
    assert connector.stream_ready.wait(LIMIT)
    assert texts(lively) == 2
    assert (ups.told, errors.told) == ([], [])


def test_a_quiet_topic_whose_answer_is_lost_is_found_in_the_list(
    quiet: Simulator, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing comes over it that could prove anything, and it is not asked for twice (fault F047)."""
    monkeypatch.setattr("exconn_sync._live.market_link._LIST_AFTER_NS", 200_000_000)
    connector = connect(quiet, wait=False, start=False, credentials=None)
    ups, errors = Ups(connector), Errors(connector)
    quiet.faults.lose_replies("stream")
    trades = connector.stream_trades("BTC-USDT")
    connector.start()
    assert connector.stream_ready.wait(LIMIT)
    assert texts(quiet) == 2, "the subscription and the question for the list"
    quiet.market.trade("BTCUSDT", "buy", "0.1")
    assert trades.get(LIMIT).quantity == Decimal("0.1")
    assert (len(ups.told), errors.told) == (1, [])


def test_a_topic_that_is_not_in_the_list_is_asked_for_once_more(
    lively: Simulator, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Long before the answer is overdue (fault F047)."""
    connector = connect(lively, credentials=None)
    monkeypatch.setattr("exconn_sync._live.market_link._LIST_AFTER_NS", 200_000_000)
    monkeypatch.setattr("exconn_sync._live.market_link._ANSWER_LIMIT_NS", 3_600_000_000_000)
    ups, errors = Ups(connector), Errors(connector)
    lively.faults.lose_subscriptions()
    lively.faults.lose_replies("stream")
    connector.stream_trades("BTC-USDT").get(LIMIT)
    assert connector.stream_ready.wait(LIMIT)
    assert texts(lively) == 3, "asked for, looked for in the list, and asked for once more"
    assert (ups.told, errors.told) == ([], [])


@pytest.mark.usefixtures("brisk")
def test_a_topic_that_stays_without_answer_is_sought_on_another_connection(lively: Simulator, connect: Connect) -> None:
    """(fault F047)"""
    metrics = MemoryMetrics()
    connector = connect(lively, credentials=None, metrics=metrics)
    ups, errors = Ups(connector), Errors(connector)
    neighbour = connector.stream_trades("ETH-USDT")
    first = int(neighbour.get(LIMIT).trade_id)
    lively.faults.lose_subscriptions(2)
    lively.faults.lose_replies("stream", 2)
    trades = connector.stream_trades("BTC-USDT")
    trades.get(LIMIT)
    assert connector.stream_ready.wait(LIMIT)
    await_replaced(metrics, "market", 1)
    assert [event.where for event in errors.told] == ["trade.BTC-USDT"]
    assert "no answer to the subscription" in str(errors.told[0].error)
    assert ups.told == []
    assert in_a_row([first, *(int(neighbour.get(LIMIT).trade_id) for _ in range(5))])


@pytest.mark.usefixtures("brisk")
def test_an_answer_without_data_is_not_believed(lively: Simulator, connect: Connect) -> None:
    """The exchange has trades all the while (faults F047, F060)."""
    connector = connect(lively, credentials=None, reconnect=pace(topic_timeout=0.5))
    errors = Errors(connector)
    lively.faults.lose_subscriptions()
    trades = connector.stream_trades("BTC-USDT")
    assert connector.stream_ready.wait(LIMIT), "it is acknowledged"
    told = errors.until(lambda event: True)
    assert isinstance(told.error, SilentTopic)
    trades.get(LIMIT)
    assert len(errors.told) == 1


@pytest.mark.usefixtures("brisk")
@pytest.mark.parametrize("kind", ["trade", "bookTicker", "depth@100ms"])
def test_a_topic_that_falls_silent_among_flowing_ones_is_asked_for_again(
    kind: str, lively: Simulator, connect: Connect
) -> None:
    """(fault F060)"""
    metrics = MemoryMetrics()
    connector = connect(lively, credentials=None, metrics=metrics, reconnect=pace(topic_timeout=0.7))
    ups, errors = Ups(connector), Errors(connector)
    book = connector.stream_order_book("BTC-USDT")
    own: dict[str, Any] = {
        "trade": connector.stream_trades("BTC-USDT"),
        "bookTicker": connector.stream_book_ticker("BTC-USDT"),
        "depth@100ms": book,
    }
    neighbour = connector.stream_trades("ETH-USDT", buffer=100_000)
    for stream in own.values():
        stream.get(LIMIT)
    wait_live(connector, book)
    first = int(neighbour.get(LIMIT).trade_id)
    asked = texts(lively)
    with lively.faults.silence(f"btcusdt@{kind}"):
        told = errors.until(lambda event: True)
        assert isinstance(told.error, SilentTopic)
        assert "BTC-USDT" in told.where
        assert "asked for again" in str(told.error)
        if kind == "depth@100ms":
            assert not connector.order_book("BTC-USDT").is_valid
    stream = own[kind]
    while stream.pending:
        stream.get(LIMIT)
    stream.get(LIMIT)
    wait_live(connector, book)
    assert texts(lively) == asked + 2, "ended and asked for again"
    assert counted(metrics, "topic.silent") == len(errors.told) == 1
    assert in_a_row([first, *(int(neighbour.get(LIMIT).trade_id) for _ in range(5))])
    assert replaced(metrics, "market") == 0
    assert ups.told == []


@pytest.mark.usefixtures("brisk")
def test_a_silent_book_is_not_readable_before_a_change_of_it_comes(lively: Simulator, connect: Connect) -> None:
    """A snapshot alone would look alive and grow old (faults F008, F047, F060)."""
    metrics = MemoryMetrics()
    connector = connect(lively, credentials=None, metrics=metrics, reconnect=pace(topic_timeout=0.5))
    ups, errors = Ups(connector), Errors(connector)
    books = connector.stream_order_book("BTC-USDT")
    wait_live(connector, books)
    with lively.faults.silence("btcusdt@depth@100ms"):
        asked = texts(lively)
        # By the second time it was asked for again and acknowledged, and there was time for a snapshot.
        errors.until(lambda event: isinstance(event.error, SilentTopic))
        eventually(lambda: counted(metrics, "topic.silent") >= 2)
        assert texts(lively) >= asked + 2
        assert not connector.order_book("BTC-USDT").is_valid
        assert counted(metrics, "book.lost") == 1, "it was not readable in between"
    wait_live(connector, books)
    assert ups.told == []


@pytest.mark.usefixtures("brisk")
def test_an_illiquid_topic_is_never_called_silent(quiet: Simulator, connect: Connect) -> None:
    """It is asked about, ever more rarely, and nothing else happens (faults F060, F065)."""
    metrics = MemoryMetrics()
    connector = connect(quiet, credentials=None, metrics=metrics, reconnect=pace(topic_timeout=0.2))
    ups, errors = Ups(connector), Errors(connector)
    trades = connector.stream_trades("BTC-USDT")
    connector.stream_book_ticker("BTC-USDT")
    books = connector.stream_order_book("BTC-USDT")
    wait_live(connector, books)
    quiet.market.trade("BTCUSDT", "sell", "0.01")
    trades.get(LIMIT)
    asked = texts(quiet)

    def questions(path: str) -> int:
        return sum(count for key, count in metrics.counts().items() if "rest.requests" in key and path in key)

    for path in ("/api/v3/ticker/24hr", "/api/v3/ticker/bookTicker", "/api/v3/depth"):
        eventually(lambda path=path: questions(path) >= 3)  # type: ignore[misc]
    assert errors.told == []
    assert ups.told == []
    assert texts(quiet) == asked
    assert connector.order_book("BTC-USDT").is_valid


def many_symbols(simulator: Simulator, count: int) -> str:
    """Return the exchange's information with so many more symbols."""
    rest = Rest(simulator)
    try:
        _, info = rest.get(INFO)
    finally:
        rest.close()
    pattern = next(each for each in info["symbols"] if each["symbol"] == "BTCUSDT")
    for number in range(count):
        info["symbols"].append({**pattern, "symbol": f"C{number}USDT", "baseAsset": f"C{number}"})
    return json.dumps(info)


def test_two_thousand_topics_are_restored_within_the_exchanges_limits(lively: Simulator, connect: Connect) -> None:
    """Few requests, five messages a second, 1,024 topics on a connection (fault F048)."""
    lively.faults.answer("GET", INFO, 200, many_symbols(lively, 1000))
    connector = connect(lively, wait=False, start=False, credentials=None)
    errors = Errors(connector)
    real = connector.stream_trades("BTC-USDT")
    streams = [
        make(f"C{number}-USDT")
        for number in range(1000)
        for make in (connector.stream_trades, connector.stream_book_ticker)
    ]
    assert len(streams) == 2000
    connector.start()
    connector.wait_ready(LIMIT)
    wanted = lively.subscriptions()
    assert len(wanted) == 2001
    real.get(LIMIT)
    before = len(lively.client_frames())
    lost = Ups(connector)
    lively.faults.drop_connections("stream")
    lost.recover()
    assert connector.stream_ready.wait(LIMIT)
    eventually(lambda: lively.subscriptions() == wanted)
    new = lively.client_frames()[before:]
    assert len(new) == 2, "two connections carry them"
    assert sum(frames.text for frames in new) <= 12, "200 topics a request"
    assert lively.cuts() == {}
    while real.pending:
        real.get(LIMIT)
    real.get(LIMIT)
    assert errors.told == []


def test_what_nobody_asked_for_is_counted_and_not_delivered(lively: Simulator, connect: Connect) -> None:
    """(fault F064)"""
    metrics = MemoryMetrics()
    connector = connect(lively, credentials=None, metrics=metrics)
    errors = Errors(connector)
    trades = connector.stream_trades("BTC-USDT")
    first = int(trades.get(LIMIT).trade_id)
    lively.faults.send_raw(wrapped({**TRADE, "s": "XRPUSDT"}, "xrpusdt@trade"), times=3)
    lively.faults.send_raw(wrapped(TRADE, "btcusdt@aggTrade"))
    eventually(lambda: counted(metrics, "stream.unwanted") == 4)
    assert in_a_row([first, *(int(trades.get(LIMIT).trade_id) for _ in range(3))])
    assert errors.told == []


def test_stragglers_after_the_end_of_a_subscription_are_not_delivered(lively: Simulator, connect: Connect) -> None:
    """The front end is behind, so they come for a second (fault F064)."""
    metrics = MemoryMetrics()
    with lively.faults.lag(1.0):
        connector = connect(lively, credentials=None, metrics=metrics)
    received: list[Trade] = []
    subscription = connector.on_trade("BTC-USDT", received.append)
    neighbour = connector.stream_book_ticker("BTC-USDT")
    eventually(lambda: bool(received))
    subscription.stop()
    count = len(received)
    eventually(lambda: counted(metrics, "stream.unwanted") >= 1)
    neighbour.get(LIMIT)
    assert len(received) == count


def test_a_topic_that_is_ended_and_wanted_again_comes_once(lively: Simulator, connect: Connect) -> None:
    """(faults F047, F064)"""
    connector = connect(lively, credentials=None)
    for _ in range(3):
        trades = connector.stream_trades("BTC-USDT")
        trades.get(LIMIT)
        trades.stop()
    trades = connector.stream_trades("BTC-USDT")
    assert in_a_row([int(trades.get(LIMIT).trade_id) for _ in range(8)])
    assert lively.subscriptions() == ["btcusdt@trade"]


def test_a_halted_symbol_is_refused_here_once_it_is_known(
    quiet: Simulator, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Until then the exchange refuses; nobody reconnects because it is silent (fault F065)."""
    monkeypatch.setattr("exconn_sync._live.rest_session._INSTRUMENTS_AGE_NS", 0)
    connector = connect(quiet, intervals=Intervals(clock=0.2, ping=0.2))
    ups, account = Ups(connector), Ups(connector, "account")
    connector.stream_trades("BTC-USDT")
    request = OrderRequest.limit("BTC-USDT", "buy", "0.1", "50000")
    quiet.faults.answer("POST", "/api/v3/order", 400, '{"code":-1013,"msg":"Market is closed."}')
    with pytest.raises(MarketClosed) as refused:
        connector.place_order(request)
    assert refused.value.outcome == "refused"
    halted = many_symbols(quiet, 0).replace('"TRADING"', '"LUNCH_BREAK"')
    quiet.faults.answer("GET", INFO, 200, halted, count=50)
    eventually(lambda: connector.instruments.get("BTC-USDT").status == "LUNCH_BREAK")
    with pytest.raises(ValidationError, match="LUNCH_BREAK"):
        connector.place_order(request)
    assert (ups.told, account.told) == ([], [])
    assert connector.ready.is_set()


def test_a_front_end_that_is_behind_takes_nobody_back(lively: Simulator, connect: Connect) -> None:
    """What was delivered before the loss is not delivered again (fault F066)."""
    connector = connect(lively, credentials=None)
    ups, errors = Ups(connector), Errors(connector)
    trades = connector.stream_trades("BTC-USDT", buffer=100_000)
    tickers = connector.stream_book_ticker("BTC-USDT", buffer=100_000)
    books = connector.stream_order_book("BTC-USDT", depth=None, buffer=100_000)
    wait_live(connector, books)
    with lively.faults.lag(1.0):
        time.sleep(1.0)
        lively.faults.drop_connections("stream")
        ups.recover()
    wait_live(connector, books)
    until = time.monotonic() + 1.5
    numbers: list[int] = []
    while time.monotonic() < until:
        numbers.append(int(trades.get(LIMIT).trade_id))
    assert all(earlier < later for earlier, later in itertools.pairwise(numbers))
    ids = [tickers.get(LIMIT).update_id for _ in range(tickers.pending)]
    assert all(earlier < later for earlier, later in itertools.pairwise(ids))
    views = [view.update_id for view in (books.get(LIMIT) for _ in range(books.pending)) if view.is_valid]
    assert views == sorted(views)
    # A book that was unreadable is shown when it is whole again, perhaps at the version that it had; no other twice.
    assert len(views) - len(set(views)) <= 1
    assert errors.told == []


def test_a_crash_of_the_reader_takes_nobody_back_either(lively: Simulator, connect: Connect) -> None:
    """The next life of the worker finds a front end that is behind (fault F066)."""
    connector = connect(lively, credentials=None)
    trades = connector.stream_trades("BTC-USDT", buffer=100_000)
    trades.get(LIMIT)
    crashed = threading.Event()

    def crash() -> None:
        if threading.current_thread().name == "exconn-binance-market" and not crashed.is_set():
            crashed.set()
            raise RuntimeError("a defect of ours")

    with lively.faults.lag(1.0):
        numbers = [int(trades.get(LIMIT).trade_id) for _ in range(8)]
        with installed("stream.after_read", crash):
            assert crashed.wait(LIMIT)
        connector.wait_ready(LIMIT)
    numbers += [int(trades.get(LIMIT).trade_id) for _ in range(trades.pending + 8)]
    assert all(earlier < later for earlier, later in itertools.pairwise(numbers))


def test_an_account_front_end_that_is_behind_changes_no_order_back(quiet: Simulator, connect: Connect) -> None:
    """REST is ahead of the events (fault F066)."""
    with quiet.faults.lag(0.7, kind="ws_api"):
        connector = connect(quiet)
    errors: list[ErrorEvent] = []
    connector.on_error(errors.append)
    seen: list[tuple[str, Decimal]] = []
    connector.on_order(lambda order: seen.append((str(order.status), order.filled_quantity)))
    order = connector.place_order(OrderRequest.limit("BTC-USDT", "buy", "0.5", "60005"))
    quiet.market.trade("BTCUSDT", "sell", "0.5")
    quiet.faults.end_user_stream()
    assert order.wait(timeout=LIMIT)
    # Events that are late by so much come after it.
    other = connector.place_order(OrderRequest.limit("BTC-USDT", "buy", "0.1", "60004"))
    quiet.market.trade("BTCUSDT", "sell", "0.1")
    assert other.wait(timeout=LIMIT)
    filled = [quantity for _, quantity in seen if quantity <= Decimal("0.5")]
    assert order.status == other.status == "filled"
    assert order.filled_quantity == Decimal("0.5")
    assert filled
    assert errors == []
