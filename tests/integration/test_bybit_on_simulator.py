"""A connector at the Bybit face of the simulator: the same calls as anywhere, and what is peculiar there."""

from __future__ import annotations

import contextlib
import queue
import threading
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from exconn_sync import Connector, ExconnError, Order, OrderRejected, OrderRequest
from exconn_sync.simulator import Simulator
from tests.integration.conftest import LIMIT, Connect
from tests.quiet import quiet_exchange
from tests.simulator.bybit.clients import Rest
from tests.simulator.clients import eventually

limit = OrderRequest.limit
BUY = limit("BTC-USDT", "buy", "0.5", "60005")


@pytest.fixture
def quiet() -> Iterator[Simulator]:
    """BTCUSDT has one bid at 60000 and one ask at 60010, one BTC each; nothing moves by itself."""
    with quiet_exchange("bybit") as simulator:
        yield simulator


@pytest.fixture
def lively() -> Iterator[Simulator]:
    """An exchange with a moving market."""
    with Simulator("bybit") as simulator:
        yield simulator


class Heard:
    """A callback that remembers."""

    def __init__(self) -> None:
        self._events: queue.SimpleQueue[Any] = queue.SimpleQueue()

    def __call__(self, event: Any) -> None:
        self._events.put(event)

    def next(self) -> Any:
        return self._events.get(timeout=LIMIT)


def cancel(order: Order) -> None:
    """Ask for a cancel, whatever comes of it."""
    with contextlib.suppress(ExconnError):
        order.cancel()


def balance(simulator: Simulator, asset: str) -> Decimal:
    return sum(simulator.accounts.balances()[asset], Decimal(0))


# --- orders ---------------------------------------------------------------------------------------------------------


def test_a_market_order_is_for_the_base_coin(quiet: Simulator, connect: Connect) -> None:
    connector = connect(quiet)
    order = connector.place_order(OrderRequest.market("BTC-USDT", "buy", "0.01"))
    assert order.wait("filled", LIMIT)
    (fill,) = quiet.accounts.fills()
    assert (order.filled_quantity, fill.quantity, fill.price) == (Decimal("0.01"), Decimal("0.01"), Decimal(60010))
    assert order.state.fees == {"BTC": Decimal("0.00001")}
    eventually(lambda: connector.balances["BTC"].free == balance(quiet, "BTC"))


def test_an_order_rests_is_filled_in_part_and_cancelled(quiet: Simulator, connect: Connect) -> None:
    connector = connect(quiet)
    order = connector.place_order(BUY)
    assert order.wait("new", LIMIT)
    quiet.market.trade("BTCUSDT", "sell", "0.2")
    assert order.wait("partially_filled", LIMIT)
    order.cancel()
    assert order.wait("canceled", LIMIT)
    assert (order.filled_quantity, order.state.contradictions) == (Decimal("0.2"), ())
    assert connector.fetch_open_orders("BTC-USDT") == []
    assert quiet.accounts.balances()["USDT"][1] == 0


@pytest.mark.parametrize("seconds", [0.2, None])
def test_an_order_is_matched_before_or_after_its_acknowledgement(
    quiet: Simulator, connect: Connect, seconds: float | None
) -> None:
    connector = connect(quiet)
    late = quiet.faults.match_late(0.2) if seconds else quiet.faults.answer_late("POST", "/v5/order/create", 0.2)
    with late:
        order = connector.place_order(limit("BTC-USDT", "buy", "0.1", "60010"))
        assert order.wait("filled", LIMIT)
    assert (order.filled_quantity, order.state.contradictions) == (Decimal("0.1"), ())


def test_a_rejection_that_comes_late(quiet: Simulator, connect: Connect) -> None:
    connector = connect(quiet)
    with quiet.faults.match_late(0.2):
        quiet.faults.reject_orders("EC_Others")
        order = connector.place_order(BUY)
        assert order.status in ("pending_new", "rejected")
        assert order.wait("rejected", LIMIT)
    assert connector.fetch_open_orders("BTC-USDT") == []


def test_messages_in_another_order(quiet: Simulator, connect: Connect) -> None:
    connector = connect(quiet)
    with quiet.faults.shuffle_events(), quiet.faults.tell_new():
        order = connector.place_order(limit("BTC-USDT", "buy", "0.1", "60010"))
        assert order.wait("filled", LIMIT)
    eventually(lambda: order.state.fees == {"BTC": Decimal("0.0001")})
    assert order.state.contradictions == ()


def test_a_cancel_that_loses_against_a_fill(quiet: Simulator, connect: Connect) -> None:
    connector = connect(quiet)
    order = connector.place_order(BUY)
    assert order.wait("new", LIMIT)
    with quiet.faults.match_late(1.0):
        cancelling = threading.Thread(target=cancel, args=(order,))
        cancelling.start()
        eventually(lambda: any(request.path == "/v5/order/cancel" for request in quiet.request_log()))
        quiet.market.trade("BTCUSDT", "sell", "0.5")
        assert order.wait("filled", LIMIT)
        cancelling.join(LIMIT)
    # The cancel that lost is told as a second event of the filled order.
    assert (order.status, order.filled_quantity, order.state.contradictions) == ("filled", Decimal("0.5"), ())


def test_refusals(quiet: Simulator, connect: Connect) -> None:
    connector = connect(quiet)
    with pytest.raises(OrderRejected, match="170131"):
        connector.place_order(limit("BTC-USDT", "buy", "100", "60000"))
    order = connector.place_order(BUY)
    assert order.wait("new", LIMIT)
    order.cancel()
    assert order.wait("canceled", LIMIT)


def test_an_answer_that_is_lost(quiet: Simulator, connect: Connect) -> None:
    connector = connect(quiet)
    quiet.faults.execute_then_drop("POST", "/v5/order/create")
    try:
        order = connector.place_order(BUY)
    except Exception as error:  # noqa: BLE001 - whichever error carries the order
        order = error.order  # type: ignore[attr-defined]
    assert order.wait("new", LIMIT)
    assert len(quiet.accounts.orders()) == 1


# --- state ----------------------------------------------------------------------------------------------------------


def test_what_happened_while_the_connection_was_lost(quiet: Simulator, connect: Connect) -> None:
    connector = connect(quiet)
    order = connector.place_order(BUY)
    assert order.wait("new", LIMIT)
    with quiet.faults.refuse_connections():
        quiet.faults.drop_connections()
        quiet.market.trade("BTCUSDT", "sell", "0.5")
    assert order.wait("filled", LIMIT)
    connector.wait_ready(LIMIT)
    eventually(lambda: connector.balances["BTC"].free == balance(quiet, "BTC"))


def test_books_equal_the_exchange(lively: Simulator, connect: Connect) -> None:
    connector = connect(lively)
    books = Heard()
    connector.on_order_book("BTC-USDT", books)
    for _ in range(20):
        books.next()
    lively.market.pause()

    def same() -> bool:
        _, bids, asks = lively.market.order_book("BTCUSDT", 50)
        book = connector.order_book("BTC-USDT")
        return book is not None and (list(book.bids), list(book.asks)) == (bids, asks)

    eventually(same)


def test_a_restart_of_the_books_is_survived(quiet: Simulator, connect: Connect) -> None:
    connector = connect(quiet)
    books = Heard()
    connector.on_order_book("BTC-USDT", books)
    assert books.next().best_bid == (Decimal(60000), Decimal(1))
    quiet.faults.restart_books()
    quiet.market.quote("BTCUSDT", "buy", "60001", "2")
    while books.next().best_bid != (Decimal(60001), Decimal(2)):
        continue


def test_market_data(quiet: Simulator, connect: Connect) -> None:
    connector = connect(quiet)
    trades = Heard()
    connector.on_trade("BTC-USDT", trades)
    connector.wait_ready(LIMIT)
    eventually(lambda: "publicTrade.BTCUSDT" in quiet.subscriptions())
    quiet.market.trade("BTCUSDT", "buy", "0.25")
    trade = trades.next()
    assert (trade.exchange, trade.price, trade.quantity) == ("bybit", Decimal(60010), Decimal("0.25"))
    assert connector.fetch_order_book("BTC-USDT").best_ask == (Decimal(60010), Decimal("0.75"))
    assert [trade.quantity for trade in connector.fetch_trades("BTC-USDT")] == [Decimal("0.25")]
    assert {instrument.exchange_symbol for instrument in connector.instruments} == {"BTCUSDT", "ETHUSDT", "BNBBTC"}


def test_commands_over_the_trade_socket(quiet: Simulator) -> None:
    with Connector(quiet.config(commands="socket")) as connector:
        connector.wait_ready(LIMIT)
        eventually(lambda: any(kind == "trade" for _, kind in quiet.connection_log()))
        order = connector.place_order(BUY)
        assert order.wait("new", LIMIT)
        order.cancel()
        assert order.wait("canceled", LIMIT)
        with quiet.faults.answer_late("WS", "order.create", 0.2):
            late = connector.place_order(limit("BTC-USDT", "buy", "0.1", "60010"))
            assert late.wait("filled", LIMIT)
    posted = [request.path for request in quiet.request_log() if request.method == "POST"]
    assert "/v5/order/create" not in posted


def test_orders_go_with_the_program(quiet: Simulator) -> None:
    connector = Connector(quiet.config(cancel_on_disconnect=True))
    connector.start()
    connector.wait_ready(LIMIT)
    rest = Rest(quiet)
    assert rest.post("/v5/order/disconnected-cancel-all", product="SPOT", timeWindow=10)["retCode"] == 0
    rest.close()
    order = connector.place_order(BUY)
    assert order.wait("new", LIMIT)
    eventually(lambda: "dcp.spot" in quiet.subscriptions())
    assert connector.stop(LIMIT) == []
    # The window begins when the exchange notices.
    eventually(lambda: "dcp.spot" not in quiet.subscriptions())
    quiet.faults.offset_clock(11_000)
    eventually(lambda: not quiet.accounts.orders()[0].is_open)
