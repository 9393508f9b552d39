"""What breaks comes back by itself, and is never mistaken for something else."""

from __future__ import annotations

import queue
import threading
from decimal import Decimal
from typing import Any

import pytest

from exconn_sync import (
    AuthenticationError,
    BookView,
    ConnectionEvent,
    Connector,
    ConnectorStopped,
    ErrorEvent,
    FactSource,
    InsufficientBalance,
    NotReady,
    OrderRequest,
    OrderStatus,
    OrderType,
    OutcomeUnknown,
    ProtocolError,
    RateLimitError,
    Side,
    StaleBook,
    ValidationError,
)
from exconn_sync._runtime.faultpoints import installed
from exconn_sync.config import Credentials
from exconn_sync.exchanges.binance.driver import BinanceDriver
from exconn_sync.metrics import MemoryMetrics
from exconn_sync.model.ids import ClientOrderId
from exconn_sync.model.orders import OrderFact
from exconn_sync.persistence import MemoryJournal
from exconn_sync.ports.driver import StreamLimits
from exconn_sync.simulator import Simulator
from tests.integration.conftest import LIMIT, Connect
from tests.simulator.clients import eventually

ORDER = "/api/v3/order"


def wait_live(connector: Connector, books: Any, symbol: str = "BTC-USDT") -> BookView:
    """Return the first readable book, waiting for the events that make it one."""
    while not (view := connector.order_book(symbol)).is_valid:
        books.get(timeout=LIMIT)
    return view


def down_and_up(events: queue.Queue[ConnectionEvent], connection: str) -> list[ConnectionEvent]:
    """Return the events of one connection from its loss to its return."""
    found: list[ConnectionEvent] = []
    while not (found and found[-1].is_up and any(not event.is_up for event in found)):
        event = events.get(timeout=LIMIT)
        if event.connection == connection and (found or not event.is_up):
            found.append(event)
    return found


@pytest.mark.parametrize("how", ["reset", "close"])
def test_a_lost_market_connection_comes_back_with_its_subscriptions(
    how: str, lively: Simulator, connect: Connect
) -> None:
    """(fault F006)"""
    connector = connect(lively)
    events: queue.Queue[ConnectionEvent] = queue.Queue()
    connector.on_connection(events.put)
    trades = connector.stream_trades("BTC-USDT")
    books = connector.stream_order_book("BTC-USDT", depth=None)
    trades.get(LIMIT)
    wait_live(connector, books)

    if how == "reset":
        lively.faults.drop_connections("stream")
    else:
        lively.faults.close_connections(1012)
    seen = down_and_up(events, "market")
    assert seen[0].reason
    assert connector.stream_ready.wait(LIMIT)
    # The exchange may need a moment to notice that the old connection is gone.
    eventually(lambda: lively.subscriptions() == ["btcusdt@depth@100ms", "btcusdt@trade", "userDataStream"])
    if how == "close":
        assert "1012" in seen[0].reason
    connector.wait_ready(LIMIT)
    while trades.pending:
        trades.get(LIMIT)
    assert trades.get(LIMIT).symbol == "BTC-USDT"
    wait_live(connector, books)
    lively.market.pause()
    update_id, bids, asks = lively.market.order_book("BTCUSDT")
    while (view := connector.order_book("BTC-USDT")).update_id < update_id:
        books.get(timeout=LIMIT)
    assert (list(view.bids), list(view.asks)) == ([tuple(level) for level in bids], [tuple(level) for level in asks])


def test_a_book_refuses_to_be_read_while_its_connection_is_lost(lively: Simulator, connect: Connect) -> None:
    """(fault F006)"""
    connector = connect(lively)
    books = connector.stream_order_book("BTC-USDT")
    wait_live(connector, books)
    lost = threading.Event()
    connector.on_connection(lambda event: lost.set() if event.connection == "market" and not event.is_up else None)
    with lively.faults.refuse_connections():
        lively.faults.drop_connections("stream")
        assert lost.wait(LIMIT)
        view = connector.order_book("BTC-USDT")
        assert not view.is_valid
        with pytest.raises(StaleBook, match="BTC-USDT book is stale"):
            _ = view.best_bid
        assert not connector.is_connected
        assert not connector.ready.is_set()
    wait_live(connector, books)
    connector.wait_ready(LIMIT)


def test_a_sequence_gap_makes_the_book_load_again(lively: Simulator, connect: Connect) -> None:
    """(fault F051)"""
    metrics = MemoryMetrics()
    connector = connect(lively, metrics=metrics)
    books = connector.stream_order_book("BTC-USDT", depth=None)
    wait_live(connector, books)
    lively.faults.lose_frames("btcusdt@depth@100ms", 1)
    previous = books.get(LIMIT)
    for _ in range(30):
        view = books.get(LIMIT)
        assert view.update_id > previous.update_id
        previous = view
    assert metrics.counts()["book.lost{exchange=binance,symbol=BTC-USDT}"] == 1
    lively.market.pause()
    update_id, bids, asks = lively.market.order_book("BTCUSDT")
    while (view := wait_live(connector, books)).update_id < update_id:
        books.get(timeout=LIMIT)
    assert (list(view.bids), list(view.asks)) == ([tuple(level) for level in bids], [tuple(level) for level in asks])


def test_what_happened_while_the_account_stream_was_lost_is_found_out(quiet: Simulator, connect: Connect) -> None:
    """(faults F061, F098)"""
    connector = connect(quiet)
    order = connector.place_order(OrderRequest.limit("BTC-USDT", "buy", "0.5", "60005"))
    other = connector.place_order(OrderRequest.limit("BTC-USDT", "buy", "0.1", "50000"))
    fills: queue.Queue[Any] = queue.Queue()
    connector.on_fill(fills.put)
    with quiet.faults.refuse_connections():
        quiet.faults.drop_connections("ws_api")
        quiet.market.trade("BTCUSDT", "sell", "0.2")
        quiet.market.trade("BTCUSDT", "sell", "0.3")
    assert order.wait(timeout=LIMIT), "the fills are found by reconciliation"
    assert order.status == "filled"
    assert other.status == "new"
    assert sorted(fills.get(timeout=LIMIT).quantity for _ in range(2)) == [Decimal("0.2"), Decimal("0.3")]
    connector.wait_ready(LIMIT)
    assert fills.empty(), "each fill is told once"
    assert connector.positions["BTC-USDT"].quantity == Decimal("0.4995")


def test_an_order_whose_answer_was_lost_is_found_and_not_sent_again(quiet: Simulator, connect: Connect) -> None:
    """(fault F068)"""
    connector = connect(quiet)
    quiet.faults.execute_then_drop("POST", ORDER)
    order = connector.place_order(OrderRequest.limit("BTC-USDT", "buy", "0.1", "50000", client_order_id="lost-answer"))
    assert order.status == "new"
    placed = [each for each in quiet.accounts.orders() if each.client_order_id == "lost-answer"]
    assert len(placed) == 1
    assert connector.health().unknown_orders == 0 or connector.orders.get("lost-answer") is not None


def test_a_server_error_is_unknown_and_never_a_rejection(quiet: Simulator, connect: Connect) -> None:
    """(fault F071)"""
    connector = connect(quiet)
    quiet.faults.answer("POST", ORDER, 503, '{"code":-1007,"msg":"Timeout waiting for response from backend server."}')
    with pytest.raises(OutcomeUnknown) as caught:
        connector.place_order(OrderRequest.limit("BTC-USDT", "buy", "0.1", "50000"), timeout=1.0)
    assert caught.value.outcome == "unknown"
    assert caught.value.order.status == "unknown"
    assert connector.health().unknown_orders == 1
    assert [state.status for state in connector.orders.open()] == ["unknown"]


def test_a_refusal_is_a_refusal(quiet: Simulator, connect: Connect) -> None:
    """(fault F075)"""
    connector = connect(quiet)
    with pytest.raises(InsufficientBalance) as caught:
        connector.place_order(OrderRequest.limit("BTC-USDT", "sell", "120", "70000", client_order_id="too-much"))
    assert caught.value.outcome == "refused"
    assert caught.value.exchange == "binance"
    assert caught.value.request_id
    state = connector.orders.get("too-much")
    assert state is not None
    assert state.status == "rejected"
    assert "insufficient_balance" in state.reason


def test_a_rate_limit_answer_silences_the_whole_process(quiet: Simulator, connect: Connect) -> None:
    """(fault F076)"""
    connector, second = connect(quiet), connect(quiet)
    body = '{"code":-1003,"msg":"Too many requests queued."}'
    quiet.faults.answer("GET", "/api/v3/trades", 429, body, headers={"Retry-After": "7"})
    with pytest.raises(RateLimitError) as caught:
        connector.fetch_trades("BTC-USDT")
    assert caught.value.retry_after == 7
    for each in (connector, second):
        with pytest.raises(RateLimitError) as held:
            each.fetch_trades("BTC-USDT", timeout=0.1)
        assert held.value.outcome == "not_sent"
        assert held.value.retry_after is not None
        # The estimate of the exchange's clock, by which the silence is kept, may be corrected by a little meanwhile.
        assert 6 < held.value.retry_after < 7.1


def test_a_wrong_secret_is_told_to_whoever_waits(quiet: Simulator, connect: Connect) -> None:
    """(faults F062, F165)"""
    wrong = Credentials.of(quiet.api_key, "x" * 64)
    connector = connect(quiet, wait=False, credentials=wrong)
    with pytest.raises(AuthenticationError, match="Signature"):
        connector.wait_ready(LIMIT)
    assert connector.rest_ready.wait(LIMIT), "public calls work all the same"
    assert connector.fetch_trades("BTC-USDT") is not None
    assert "Signature" in " ".join(connector.health().reasons)


def test_it_waits_for_an_exchange_that_is_not_there_yet(quiet: Simulator, connect: Connect) -> None:
    """(faults F001, F122)"""
    with quiet.faults.refuse_connections():
        connector = connect(quiet, wait=False)
        with pytest.raises(NotReady, match=r"clock \(.*GET /api/v3/time: cannot connect to .*refused.*\), instruments"):
            connector.wait_ready(0.3)
        assert connector.state == "connecting"
        assert connector.health().status == "down"
    connector.wait_ready(LIMIT)
    assert connector.state == "ready"
    assert connector.health().status == "healthy"


def test_a_raising_callback_harms_nobody_and_is_reported(lively: Simulator, connect: Connect) -> None:
    """(fault F134)"""
    connector = connect(lively)
    errors: queue.Queue[ErrorEvent] = queue.Queue()
    connector.on_error(errors.put)

    def broken(event: object) -> None:
        raise RuntimeError("a defect of the user's")

    failing = connector.on_book_ticker("BTC-USDT", broken)
    healthy = connector.stream_book_ticker("BTC-USDT")
    event = errors.get(timeout=LIMIT)
    assert event.where == "callback of bookticker.binance.BTC-USDT"
    assert isinstance(event.error, RuntimeError)
    for _ in range(5):
        healthy.get(LIMIT)
    assert failing.is_active
    errors.get(timeout=LIMIT)


def test_a_symbol_that_does_not_exist_is_an_error_event_before_the_start(lively: Simulator, connect: Connect) -> None:
    connector = connect(lively, start=False)
    errors: queue.Queue[ErrorEvent] = queue.Queue()
    connector.on_error(errors.put)
    wrong = connector.on_trade("NOPE-USDT", print)
    right = connector.stream_trades("BTC-USDT")
    connector.start()
    assert "NOPE-USDT" in str(errors.get(timeout=LIMIT).error)
    assert not wrong.is_active
    assert right.get(LIMIT).symbol == "BTC-USDT"
    connector.wait_ready(LIMIT)


def test_ending_one_subscriber_leaves_the_other_and_ending_both_ends_the_topic(
    lively: Simulator, connect: Connect
) -> None:
    connector = connect(lively)
    first = connector.stream_book_ticker("BTC-USDT")
    second = connector.stream_book_ticker("BTC-USDT")
    first.get(LIMIT)
    assert lively.subscriptions() == ["btcusdt@bookTicker", "userDataStream"]
    first.stop()
    while second.pending:
        second.get(LIMIT)
    second.get(LIMIT)
    second.stop()
    # Requests are sent in order: when the next topic flows, the one that was ended is gone.
    third = connector.stream_book_ticker("ETH-USDT")
    third.get(LIMIT)
    assert lively.subscriptions() == ["ethusdt@bookTicker", "userDataStream"]
    # A topic that was ended can be wanted again.
    assert connector.stream_book_ticker("BTC-USDT").get(LIMIT).symbol == "BTC-USDT"
    assert lively.subscriptions() == ["btcusdt@bookTicker", "ethusdt@bookTicker", "userDataStream"]


def test_a_crashed_reader_is_restarted_and_its_book_is_unreadable_meanwhile(
    lively: Simulator, connect: Connect
) -> None:
    """(fault F141)"""
    metrics = MemoryMetrics()
    connector = connect(lively, metrics=metrics)
    books = connector.stream_order_book("BTC-USDT")
    wait_live(connector, books)
    errors: queue.Queue[ErrorEvent] = queue.Queue()
    connector.on_error(errors.put)
    crashed = threading.Event()

    def crash() -> None:
        if threading.current_thread().name == "exconn-binance-market" and not crashed.is_set():
            crashed.set()
            raise RuntimeError("a defect of ours")

    with installed("stream.after_read", crash):
        event = errors.get(timeout=LIMIT)
    assert event.where == "worker binance-market"
    assert str(event.error) == "a defect of ours"
    assert metrics.counts()["book.lost{exchange=binance,symbol=BTC-USDT}"] == 1
    connector.wait_ready(LIMIT)
    wait_live(connector, books)
    restarts = {report.name: report.restarts for report in connector.workers()}
    names = ("store", "rest", "market", "account", "reconciler")
    assert restarts == {f"binance-{name}": int(name == "market") for name in names}


def test_a_worker_that_keeps_crashing_is_given_up_visibly(
    quiet: Simulator, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is started again at most 10 times (faults F141, F145)."""
    monkeypatch.setattr("exconn_sync._machines.supervision.LONGEST_PAUSE", 0.0)
    connector = connect(quiet, wait=False, start=False)
    trades = connector.stream_trades("BTC-USDT")
    events: queue.Queue[ErrorEvent] = queue.Queue()
    connector.on_error(events.put)

    def crash() -> None:
        if threading.current_thread().name == "exconn-binance-market":
            raise RuntimeError("always")

    with installed("stream.after_read", crash):
        connector.start()
        while "gave up" not in events.get(timeout=LIMIT).where:
            continue
    assert connector.state == "failed"
    assert connector.health().status == "down"
    assert "gave up: always" in connector.health().reasons
    with pytest.raises(ConnectorStopped, match="failed") as caught:
        connector.fetch_server_time()
    assert isinstance(caught.value.__cause__, RuntimeError)
    with pytest.raises(ConnectorStopped, match="gave up: always"):
        connector.wait_ready(LIMIT)
    for waiting in (trades, connector.stream_trades("ETH-USDT")):
        with pytest.raises(ConnectorStopped, match="gave up: always"):
            waiting.get(LIMIT)
        with pytest.raises(ConnectorStopped, match="gave up: always"):
            next(waiting)
    connector.start()
    connector.wait_ready(LIMIT)
    quiet.market.trade("BTCUSDT", "buy", "0.1")
    assert trades.get(LIMIT).symbol == "BTC-USDT"


def test_an_unreadable_success_answer_is_unknown_and_looked_for(quiet: Simulator, connect: Connect) -> None:
    """(fault F082)"""
    connector = connect(quiet)
    quiet.faults.answer("POST", ORDER, 200, '{"symbol":"BTCUSDT","orderId":')
    with pytest.raises(OutcomeUnknown):
        connector.place_order(OrderRequest.limit("BTC-USDT", "buy", "0.1", "50000"), timeout=1.0)


def test_stop_during_a_command_tells_that_its_outcome_is_unknown(quiet: Simulator, connect: Connect) -> None:
    connector = connect(quiet)
    quiet.faults.answer("POST", ORDER, 503, "<html>busy</html>")
    sent = threading.Event()
    stopper = threading.Thread(target=lambda: (sent.wait(LIMIT), connector.stop(LIMIT)))
    stopper.start()
    with installed("rest.after_send", sent.set), pytest.raises(OutcomeUnknown) as caught:
        connector.place_order(OrderRequest.limit("BTC-USDT", "buy", "0.1", "50000"), timeout=LIMIT)
    stopper.join(LIMIT)
    assert caught.value.order.status == "unknown"


def test_an_interrupted_command_leaves_an_order_that_is_looked_for(quiet: Simulator, connect: Connect) -> None:
    """(fault F129)"""
    connector = connect(quiet)

    def interrupt() -> None:
        if threading.current_thread() is threading.main_thread():
            raise KeyboardInterrupt

    request = OrderRequest.limit("BTC-USDT", "buy", "0.1", "50000", client_order_id="interrupted")
    with installed("rest.after_send", interrupt), pytest.raises(KeyboardInterrupt):
        connector.place_order(request)
    order = connector.orders.get("interrupted")
    assert order is not None
    found = threading.Event()
    connector.on_order(lambda state: found.set() if state.status == "new" else None)
    assert connector.orders.get("interrupted").status == "new" or found.wait(LIMIT)  # type: ignore[union-attr]
    assert len(quiet.accounts.orders()) == 1


def test_an_interrupt_between_intent_and_request_leaves_no_order_in_the_dark(
    quiet: Simulator, connect: Connect
) -> None:
    """(fault F129)"""
    connector = connect(quiet)

    def interrupt() -> None:
        raise KeyboardInterrupt

    request = OrderRequest.limit("BTC-USDT", "buy", "0.1", "50000", client_order_id="never-sent")
    with installed("order.after_intent", interrupt), pytest.raises(KeyboardInterrupt):
        connector.place_order(request)
    assert [state.status for state in connector.orders.open()] == ["unknown"]
    assert connector.health().unknown_orders == 1
    assert quiet.accounts.orders() == []


def test_a_blocking_subscriber_does_not_hold_up_the_stop(lively: Simulator, connect: Connect) -> None:
    """(fault F136)"""
    connector = connect(lively)
    tickers = connector.stream_book_ticker("BTC-USDT", buffer=1, overflow="block")
    tickers.get(LIMIT)
    blocked = threading.Event()

    def is_full() -> None:
        if tickers.pending == 1:
            blocked.set()

    with installed("stream.after_read", is_full):
        assert blocked.wait(LIMIT)
    assert connector.stop(LIMIT) == []
    assert connector.state == "stopped"


def test_an_unreadable_answer_to_any_command_is_unknown(quiet: Simulator, connect: Connect) -> None:
    """(fault F082)"""
    connector = connect(quiet)
    quiet.faults.answer("DELETE", "/api/v3/openOrders", 200, "[{")
    with pytest.raises(ProtocolError) as caught:
        connector.request("DELETE", "/api/v3/openOrders", {"symbol": "BTCUSDT"}, signed=True)
    assert caught.value.outcome == "unknown"


def test_an_order_that_an_earlier_life_left_unknown_is_looked_for(quiet: Simulator, connect: Connect) -> None:
    """(fault F149)"""
    journal = MemoryJournal()
    first = connect(quiet, journal=journal)
    quiet.faults.answer("POST", ORDER, 503, "<html>busy</html>")
    with pytest.raises(OutcomeUnknown):
        first.place_order(OrderRequest.limit("BTC-USDT", "buy", "0.1", "50000"), timeout=1.0)
    first.stop()
    second = connect(quiet, journal=journal)
    assert second.health().unknown_orders == 1
    assert [state.status for state in second.orders.open()] == ["unknown"]


def test_an_intent_of_a_life_that_died_before_its_answer_is_looked_for(quiet: Simulator, connect: Connect) -> None:
    """(fault F149)"""
    journal = MemoryJournal()
    for client_order_id in ("arrived", "lost"):
        journal.append(
            OrderFact(
                "binance",
                "BTC-USDT",
                ClientOrderId(client_order_id),
                FactSource.LOCAL,
                1,
                status=OrderStatus.PENDING_NEW,
                side=Side.BUY,
                type=OrderType.LIMIT,
                quantity=Decimal("0.1"),
                price=Decimal(50000),
                is_own=True,
            )
        )
    connect(quiet).place_order(OrderRequest.limit("BTC-USDT", "buy", "0.1", "50000", client_order_id="arrived"))
    connector = connect(quiet, journal=journal)
    found = connector.orders.get("arrived")
    assert found is not None
    assert found.status == "new"
    eventually(lambda: connector.health().unknown_orders == 1)
    still = connector.orders.get("lost")
    assert still is not None
    assert not still.is_terminal


def test_a_metrics_sink_that_raises_costs_numbers_and_nothing_else(lively: Simulator, connect: Connect) -> None:
    class Broken:
        def count(self, name: str, amount: int = 1, **labels: str) -> None:
            raise OSError("the collector is away")

        def observe(self, name: str, value: float, **labels: str) -> None:
            raise OSError("the collector is away")

    connector = connect(lively, metrics=Broken())
    events: queue.Queue[ConnectionEvent] = queue.Queue()
    connector.on_connection(events.put)
    lively.faults.drop_connections("stream")
    down_and_up(events, "market")
    connector.wait_ready(LIMIT)
    assert {report.state for report in connector.workers()} == {"running"}
    assert {report.restarts for report in connector.workers()} == {0}


def test_topics_beyond_the_limit_of_a_connection_go_on_another_one(
    lively: Simulator, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Many symbols are spread over connections, each within the exchange's limit (faults F048, F158)."""
    monkeypatch.setattr(BinanceDriver, "stream_limits", StreamLimits(2, 200, 4))
    connector = connect(lively)
    streams = [
        make(symbol)
        for symbol in ("BTC-USDT", "ETH-USDT")
        for make in (connector.stream_book_ticker, connector.stream_trades, connector.stream_order_book)
    ]
    assert connector.stream_ready.wait(LIMIT)
    for stream in streams:
        stream.get(LIMIT)
    names = [report.name for report in connector.workers() if "market" in report.name]
    assert names == ["binance-market", "binance-market-2", "binance-market-3"]
    assert connector.is_connected
    wanted = [
        f"{symbol}@{kind}" for symbol in ("btcusdt", "ethusdt") for kind in ("bookTicker", "depth@100ms", "trade")
    ]
    assert lively.subscriptions() == [*wanted, "userDataStream"]
    streams[0].stop()
    again = connector.stream_book_ticker("BTC-USDT")
    again.get(LIMIT)
    eventually(lambda: lively.subscriptions() == [*wanted, "userDataStream"])


def test_a_book_that_nobody_wants_any_more_does_not_come_back_stale(lively: Simulator, connect: Connect) -> None:
    connector = connect(lively)
    books = connector.stream_order_book("BTC-USDT")
    wanted = connector.stream_order_book("ETH-USDT")
    books.get(LIMIT)
    lost = threading.Event()
    connector.on_connection(lambda event: lost.set() if event.connection == "market" and not event.is_up else None)
    with lively.faults.refuse_connections():
        lively.faults.drop_connections("stream")
        assert lost.wait(LIMIT)
        books.stop()
    connector.wait_ready(LIMIT)
    eventually(lambda: connector.health().status == "healthy")
    assert set(connector.health().books) == {"ETH-USDT"}
    wanted.get(LIMIT)


def test_stream_ready_waits_for_a_topic_from_the_moment_it_is_wanted(lively: Simulator, connect: Connect) -> None:
    connector = connect(lively)
    for symbol, name in (("BTC-USDT", "btcusdt@trade"), ("ETH-USDT", "ethusdt@trade"), ("BNB-BTC", "bnbbtc@trade")):
        connector.stream_trades(symbol)
        assert connector.stream_ready.wait(LIMIT)
        assert name in lively.subscriptions()


def test_the_state_does_not_depend_on_who_looked_before(quiet: Simulator, connect: Connect) -> None:
    connector = connect(quiet)
    lost = threading.Event()
    connector.on_connection(lambda event: lost.set() if event.connection == "market" and not event.is_up else None)
    with quiet.faults.refuse_connections():
        quiet.faults.drop_connections("stream")
        assert lost.wait(LIMIT)
        assert connector.state == "degraded"


def test_a_loop_over_a_symbol_that_does_not_exist_raises(lively: Simulator, connect: Connect) -> None:
    connector = connect(lively, start=False)
    trades = connector.stream_trades("NOPE-USDT")
    connector.start()
    with pytest.raises(ValidationError, match="not a spot symbol"):
        next(trades)
    with pytest.raises(ValidationError, match="not a spot symbol"):
        trades.get(LIMIT)


def test_many_subscriptions_one_by_one_stay_within_the_message_limit(lively: Simulator, connect: Connect) -> None:
    """(fault F048)"""
    connector = connect(lively)
    lost: list[ConnectionEvent] = []
    connector.on_connection(lambda event: None if event.is_up else lost.append(event))
    for symbol in ("BTC-USDT", "ETH-USDT", "BNB-BTC"):
        for wanted in (connector.stream_trades, connector.stream_book_ticker, connector.stream_order_book):
            wanted(symbol)
            assert connector.stream_ready.wait(LIMIT)
    assert len(lively.subscriptions()) == 9 + 1
    assert lost == [], "a sixth message within a second would have ended the connection"
