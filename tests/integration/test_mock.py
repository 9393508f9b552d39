"""A connector on the mock: no network, no time that passes by itself, the same outcome each time."""

from __future__ import annotations

import queue
import re
import socket
import threading
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import pytest

from exconn_sync import Config, Connector, OrderRequest, known_exchanges
from exconn_sync.errors import ConnectionFailed, InsufficientBalance, OrderRejected, RequestTimeout, ValidationError
from exconn_sync.ports.local_exchange import find_local
from exconn_sync.ports.registry import find_driver
from exconn_sync.simulator import MockExchange
from exconn_sync.testing import ManualClock
from tests.quiet import lay_out

PATIENCE = 10.0
OWN_ID = re.compile(r"correlation_id='[^']*'")
BUY = OrderRequest.limit("BTC-USDT", "buy", "0.5", "60005")


@pytest.fixture
def exchange() -> Iterator[MockExchange]:
    """BTCUSDT has one bid at 60000 and one ask at 60010, 1 BTC each."""
    with MockExchange(clock=ManualClock()) as mock:
        lay_out(mock.market)
        yield mock


@pytest.fixture
def connector(exchange: MockExchange) -> Iterator[Connector]:
    with Connector(exchange.config(), clock=exchange.clock) as made:
        made.wait_ready(timeout=PATIENCE)
        yield made


class Heard:
    """A callback that remembers."""

    def __init__(self) -> None:
        self._events: queue.SimpleQueue[Any] = queue.SimpleQueue()

    def __call__(self, event: Any) -> None:
        self._events.put(event)

    def next(self) -> Any:
        return self._events.get(timeout=PATIENCE)


def test_it_is_found_by_name(exchange: MockExchange) -> None:
    assert "mock" in known_exchanges()
    assert find_driver("mock").name == "mock"
    assert Config.builder("mock").build().endpoints["rest"] == "memory://mock"
    with pytest.raises(ValidationError, match="https"):
        Config.builder("mock").endpoints(rest="memory:///nowhere")


def test_an_order_from_its_beginning_to_its_end(exchange: MockExchange, connector: Connector) -> None:
    order = connector.place_order(BUY)
    assert order.status == "new"
    assert exchange.accounts.balances()["USDT"] == (Decimal("969997.5"), Decimal("30002.5"))
    exchange.market.trade("BTCUSDT", "sell", "0.2")
    assert order.wait("partially_filled", timeout=PATIENCE)
    assert order.filled_quantity == Decimal("0.2")
    order.cancel()
    assert order.wait(timeout=PATIENCE)
    assert order.status == "canceled"


def test_everything_is_said_to_be_of_this_exchange(exchange: MockExchange, connector: Connector) -> None:
    orders, fills, trades = Heard(), Heard(), Heard()
    connector.on_order(orders)
    connector.on_fill(fills)
    connector.on_trade("BTC-USDT", trades)
    connector.wait_ready(timeout=PATIENCE)
    connector.place_order(OrderRequest.market("BTC-USDT", "buy", "0.1"))
    assert [orders.next().exchange, fills.next().exchange, trades.next().exchange] == ["mock"] * 3
    assert connector.fetch_order_book("BTC-USDT").exchange == "mock"
    assert {instrument.exchange for instrument in connector.instruments} == {"mock"}
    assert connector.balances["BTC"].exchange == "mock"
    with pytest.raises(OrderRejected) as caught:
        connector.place_order(OrderRequest.limit("BTC-USDT", "buy", "100", "60000"))
    assert caught.value.exchange == "mock"
    assert isinstance(caught.value, InsufficientBalance)


def test_no_network_is_touched(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("a network was asked for")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket.socket, "connect_ex", refuse)
    monkeypatch.setattr(socket.socket, "bind", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    with MockExchange(clock=ManualClock()) as mock, Connector(mock.config(), clock=mock.clock) as made:
        made.wait_ready(timeout=PATIENCE)
        assert made.place_order(OrderRequest.market("BTC-USDT", "buy", "0.01")).wait(timeout=PATIENCE)


def test_time_passes_by_hand(exchange: MockExchange, connector: Connector) -> None:
    began = exchange.clock.time_ns()
    candles = Heard()
    connector.on_kline("BTC-USDT", "1m", candles)
    connector.wait_ready(timeout=PATIENCE)
    assert connector.fetch_server_time() == began
    exchange.market.trade("BTCUSDT", "buy", "0.25")
    exchange.advance(61)
    assert exchange.clock.time_ns() == began + 61 * 10**9
    closed = candles.next()
    while not closed.is_closed:
        closed = candles.next()
    assert (closed.volume, closed.exchange) == (Decimal("0.25"), "mock")
    order = connector.place_order(BUY)
    assert order.state.updated_at == exchange.clock.time_ns()


def test_a_clock_of_its_own_cannot_be_moved() -> None:
    with MockExchange() as mock, pytest.raises(RuntimeError, match="time passes by itself"):
        mock.advance(1)


def test_books_follow_the_exchange(exchange: MockExchange, connector: Connector) -> None:
    books = Heard()
    connector.on_order_book("BTC-USDT", books)
    connector.wait_ready(timeout=PATIENCE)
    exchange.market.quote("BTCUSDT", "buy", "60001", "0.75")
    book = books.next()
    while book.best_bid != (Decimal(60001), Decimal("0.75")):
        book = books.next()
    assert book.best_ask == (Decimal(60010), Decimal(1))


def test_a_lost_connection_comes_back(exchange: MockExchange, connector: Connector) -> None:
    events = Heard()
    connector.on_connection(events)
    exchange.drop_connections()
    assert not events.next().is_up
    assert not events.next().is_up
    connector.wait_ready(timeout=PATIENCE)
    # Told once they have stood for a while.
    exchange.advance(2)
    assert {events.next().is_up, events.next().is_up} == {True}
    order = connector.place_order(BUY)
    exchange.market.trade("BTCUSDT", "sell", "0.5")
    assert order.wait(timeout=PATIENCE)


def test_an_address_that_leads_nowhere(exchange: MockExchange) -> None:
    url = exchange.config().endpoints["rest"]
    assert find_local(url) is exchange
    with pytest.raises(ConnectionFailed, match="no stream"):
        exchange.open(url + "/nowhere", lambda: None)
    exchange.close()
    with pytest.raises(ConnectionFailed, match="no exchange of this process"):
        find_local(url)


def scenario(act: Callable[[MockExchange, Connector], list[str]]) -> list[str]:
    with MockExchange(clock=ManualClock(), seed=5) as mock, Connector(mock.config(), clock=mock.clock) as made:
        made.wait_ready(timeout=PATIENCE)
        return act(mock, made)


def test_the_same_steps_give_the_same_outcome() -> None:
    def act(mock: MockExchange, made: Connector) -> list[str]:
        told = []
        for step in range(10):
            side = ("buy", "sell")[step % 2]
            order = made.place_order(OrderRequest.market("BTC-USDT", side, "0.37"))
            assert order.wait(timeout=PATIENCE)
            told.append(f"{order.state.average_price} {order.state.fees} {order.state.updated_at}")
            mock.advance(0.5)
        return told

    first = scenario(act)
    assert scenario(act) == first
    assert len(set(first)) == len(first)


def test_two_runs_tell_the_same_events() -> None:
    """Each event of each channel, with its times, numbers and ids; only ids of our own making would differ."""

    def run() -> dict[str, list[str]]:
        told: dict[str, list[str]] = {}
        done = threading.Event()

        def hear(event: Any) -> None:
            told.setdefault(type(event).__name__, []).append(OWN_ID.sub("", repr(event)))
            if getattr(event, "is_closed", False):
                done.set()

        with MockExchange(clock=ManualClock(), seed=3) as mock, Connector(mock.config(), clock=mock.clock) as made:
            # What a start learns comes by threads of its own, before or after a subscription that is made meanwhile.
            made.wait_ready(timeout=PATIENCE)
            subscriptions = [made.on_order(hear), made.on_fill(hear), made.on_balance(hear), made.on_position(hear)]
            subscriptions += [made.on_trade("BTC-USDT", hear), made.on_kline("BTC-USDT", "1m", hear)]
            made.wait_ready(timeout=PATIENCE)
            for step in range(5):
                wanted = OrderRequest.market("BTC-USDT", ("buy", "sell")[step % 2], "0.37", client_order_id=f"o-{step}")
                assert made.place_order(wanted).wait(timeout=PATIENCE)
                mock.advance(15)
            assert done.wait(PATIENCE)
            assert made.stop(PATIENCE) == [], "what had come was told"
            assert not any(subscription.is_active for subscription in subscriptions)
        return told

    first = run()
    assert {"OrderState", "Fill", "Balance", "Position", "Trade", "Kline"} <= first.keys()
    assert run() == first


def test_what_was_done_is_known_when_the_call_returns(exchange: MockExchange, connector: Connector) -> None:
    """Nothing here waits: orders, balances and books are up to date."""
    connector.on_order_book("BTC-USDT", lambda book: None)
    connector.wait_ready(timeout=PATIENCE)
    order = connector.place_order(BUY)
    for step in range(1, 6):
        exchange.market.trade("BTCUSDT", "sell", "0.1")
        assert order.filled_quantity == Decimal("0.1") * step
        price = Decimal(60006) + Decimal(step) / 2
        exchange.market.quote("BTCUSDT", "buy", price, "0.75")
        assert connector.order_book("BTC-USDT").best_bid == (price, Decimal("0.75"))
        exchange.market.trade("BTCUSDT", "sell", "0.75")
    assert order.status == "filled"
    assert connector.balances["USDT"].total == sum(exchange.accounts.balances()["USDT"])


def test_a_callback_may_trade(exchange: MockExchange, connector: Connector) -> None:
    answers = Heard()

    def follow(trade: Any) -> None:
        if trade.quantity == Decimal("0.25"):
            answers(connector.place_order(OrderRequest.market("BTC-USDT", "buy", "0.1")).status)

    connector.on_trade("BTC-USDT", follow)
    connector.wait_ready(timeout=PATIENCE)
    exchange.market.trade("BTCUSDT", "buy", "0.25")
    assert answers.next() == "filled"


def test_nobody_waits_for_ever_for_a_client_that_does_not_look(exchange: MockExchange) -> None:
    stream = exchange.open(f"{exchange.config().endpoints['stream']}/ws/btcusdt@trade", lambda: None)
    looked = threading.Thread(target=stream.receive)
    looked.start()
    looked.join(PATIENCE)
    exchange.market.trade("BTCUSDT", "buy", "0.25")
    assert len(stream.receive() or ()) == 1
    exchange.market.trade("BTCUSDT", "buy", "0.25")
    assert len(stream.receive() or ()) == 1, "nor for the thread that waits"
    stream.close()


def test_waits_of_a_test_are_in_real_time(exchange: MockExchange, connector: Connector) -> None:
    """What never comes fails a test instead of hanging it."""
    order = connector.place_order(BUY)
    assert not order.wait("filled", timeout=0.05)
    trades = connector.stream_trades("BTC-USDT")
    with pytest.raises(RequestTimeout):
        trades.get(timeout=0.05)


def test_many_orders_while_the_clock_stands_still(exchange: MockExchange, connector: Connector) -> None:
    """No limit can be waited for: its window would never end."""
    for _ in range(200):
        connector.place_order(OrderRequest.limit("BTC-USDT", "buy", "0.001", "50000")).cancel()
    assert len(exchange.accounts.orders()) == 200


def test_an_answer_that_is_lost(exchange: MockExchange, connector: Connector) -> None:
    exchange.execute_then_drop("POST", "/api/v3/order")
    order = connector.place_order(BUY)
    assert order.status == "new", "it was looked for"
    assert [(seen.method, seen.status) for seen in exchange.request_log() if seen.path == "/api/v3/order"] == [
        ("POST", 200), ("GET", 200),
    ]  # fmt: skip
    assert len(exchange.accounts.orders()) == 1


def test_many_threads_at_once(exchange: MockExchange, connector: Connector) -> None:
    def trade() -> None:
        for _ in range(10):
            order = connector.place_order(OrderRequest.limit("BTC-USDT", "buy", "0.001", "50000"))
            order.cancel()

    threads = [threading.Thread(target=trade) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(exchange.accounts.orders()) == 40
    assert exchange.accounts.balances()["USDT"] == (Decimal(1_000_000), Decimal(0))
