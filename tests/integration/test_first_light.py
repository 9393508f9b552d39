"""The main job: live data, a local book that equals the exchange's, and an order from intent to last fill."""

from __future__ import annotations

import queue
import threading
from decimal import Decimal
from typing import Any

import pytest

from exconn_sync import BookTicker, Fill, OrderRequest, OrderState, Trade
from exconn_sync.simulator import Simulator
from tests.integration.conftest import LIMIT, Connect


def test_market_data_flows_to_callbacks_on_threads_of_their_own(lively: Simulator, connect: Connect) -> None:
    connector = connect(lively)
    seen: queue.Queue[tuple[str, Any]] = queue.Queue()

    def note(event: Trade | BookTicker) -> None:
        seen.put((threading.current_thread().name, event))

    connector.on_trade("BTC-USDT", note)
    connector.on_book_ticker("BTCUSDT", note)
    kinds: dict[type, tuple[str, Any]] = {}
    while len(kinds) < 2:
        name, event = seen.get(timeout=LIMIT)
        kinds[type(event)] = (name, event)
    thread, trade = kinds[Trade]
    assert thread == "exconn-dispatch-trade.binance.BTC-USDT"
    assert trade.exchange == "binance"
    assert trade.symbol == "BTC-USDT"
    assert isinstance(trade.price, Decimal)
    assert trade.exchange_time <= trade.received_at + 10**9
    assert kinds[BookTicker][0] == "exconn-dispatch-bookticker.binance.BTC-USDT"


def test_the_local_book_equals_the_exchanges_book(lively: Simulator, connect: Connect) -> None:
    connector = connect(lively)
    books = connector.stream_order_book("BTC-USDT", depth=None)
    for _ in range(20):
        books.get(timeout=LIMIT)
    lively.market.pause()
    update_id, bids, asks = lively.market.order_book("BTCUSDT")
    view = connector.order_book("BTC-USDT")
    while view.update_id < update_id:
        view = books.get(timeout=LIMIT)
    view = connector.order_book("BTC-USDT")
    assert view.update_id == update_id
    assert list(view.bids) == [tuple(level) for level in bids]
    assert list(view.asks) == [tuple(level) for level in asks]
    assert view.best_bid == view.bids[0]
    assert view.is_valid


def test_the_book_of_a_quiet_market_is_loaded_without_a_single_change(quiet: Simulator, connect: Connect) -> None:
    connector = connect(quiet)
    with quiet.faults.silence("btcusdt@depth@100ms"):
        books = connector.stream_order_book("BTC-USDT")
        assert books.get(LIMIT).best_bid == (Decimal(60000), Decimal(1))


def test_an_order_shows_acknowledgement_partial_fill_and_fill(quiet: Simulator, connect: Connect) -> None:
    connector = connect(quiet)
    states: queue.Queue[OrderState] = queue.Queue()
    fills: queue.Queue[Fill] = queue.Queue()
    connector.on_order(states.put)
    connector.on_fill(fills.put)
    btc = connector.balances["BTC"].total

    order = connector.place_order(OrderRequest.limit("BTC-USDT", "buy", "0.5", "60005"))
    assert order.status == "new"
    assert order.exchange_order_id is not None
    assert connector.orders.open("BTC-USDT")[0].client_order_id == order.client_order_id

    quiet.market.trade("BTCUSDT", "sell", "0.2")
    assert order.wait("partially_filled", timeout=LIMIT)
    quiet.market.trade("BTCUSDT", "sell", "0.3")
    assert order.wait(timeout=LIMIT)

    assert order.status == "filled"
    assert order.filled_quantity == Decimal("0.5")
    assert order.average_price == Decimal("60005")
    assert order.fees == {"BTC": Decimal("0.0005")}
    assert [fills.get(timeout=LIMIT).quantity for _ in range(2)] == [Decimal("0.2"), Decimal("0.3")]
    seen = [states.get(timeout=LIMIT) for _ in range(4)]
    assert [state.status for state in seen] == ["pending_new", "new", "partially_filled", "filled"]
    assert [state.sequence for state in seen] == [1, 2, 3, 4]
    assert connector.positions["BTC-USDT"].quantity == Decimal("0.4995")
    assert connector.positions["BTC-USDT"].average_price == Decimal("60005")
    assert connector.fetch_balances()["BTC"].total == btc + Decimal("0.4995")
    assert connector.orders.open() == []
    assert {entry.source for entry in order.history} >= {"local", "answer", "stream"}


def test_balance_events_follow_the_order(quiet: Simulator, connect: Connect) -> None:
    connector = connect(quiet)
    balances: queue.Queue[Any] = queue.Queue()
    connector.on_balance(balances.put, asset="USDT")
    free = connector.balances["USDT"].free
    order = connector.place_order(OrderRequest.limit("BTC-USDT", "buy", "1", "50000"))
    assert balances.get(timeout=LIMIT).locked == Decimal(50000)
    order.cancel()
    last = balances.get(timeout=LIMIT)
    assert (last.free, last.locked) == (free, 0)


def test_an_order_is_cancelled_by_handle_or_id(quiet: Simulator, connect: Connect) -> None:
    connector = connect(quiet)
    first = connector.place_order(OrderRequest.limit("BTC-USDT", "buy", "0.1", "50000"))
    second = connector.place_order(OrderRequest.limit("BTC-USDT", "sell", "0.1", "70000", client_order_id="mine-1"))
    first.cancel(timeout=LIMIT)
    assert first.status == "canceled"
    connector.cancel_order("mine-1")
    assert second.status == "canceled"
    assert not second.wait("filled", timeout=LIMIT), "a wait that cannot come true ends"


def test_a_market_order_by_quote_quantity(quiet: Simulator, connect: Connect) -> None:
    connector = connect(quiet)
    order = connector.place_order(OrderRequest.market("BTC-USDT", "buy", quote_quantity="6001"))
    assert order.wait(timeout=LIMIT)
    assert order.status == "filled"
    assert order.average_price == Decimal("60010")
    assert order.filled_quantity == Decimal("0.1")


def test_orders_as_futures(quiet: Simulator, connect: Connect) -> None:
    connector = connect(quiet)
    futures = [
        connector.submit_order(OrderRequest.limit("BTC-USDT", "buy", "0.01", str(50000 + step))) for step in range(10)
    ]
    orders = [future.result(timeout=LIMIT) for future in futures]
    assert {order.status for order in orders} == {"new"}
    for future in [connector.submit_cancel(order) for order in orders]:
        future.result(timeout=LIMIT)
    assert {order.status for order in orders} == {"canceled"}


def test_remote_calls_agree_with_the_exchange(quiet: Simulator, connect: Connect) -> None:
    connector = connect(quiet)
    order = connector.place_order(OrderRequest.limit("BTC-USDT", "buy", "0.25", "60010"))
    assert order.wait(timeout=LIMIT)
    assert connector.fetch_instruments().get("BTC/USDT").base == "BTC"
    newest = connector.fetch_trades("BTC-USDT")[-1].exchange_time
    assert newest is not None
    assert 0 <= connector.fetch_server_time() - newest < 60 * 10**9
    book = connector.fetch_order_book("BTC-USDT", 5)
    assert book.best_ask == (Decimal("60010"), Decimal("0.75"))
    assert [fill.quantity for fill in connector.fetch_fills("BTC-USDT")] == [Decimal("0.25")]
    resting = connector.place_order(OrderRequest.limit("BTC-USDT", "buy", "0.25", "50000"))
    assert [state.client_order_id for state in connector.fetch_open_orders()] == [resting.client_order_id]
    assert connector.fetch_order(resting).status == "new"
    assert connector.request("GET", "/api/v3/time")["serverTime"] > 0
    assert connector.request("GET", "/api/v3/account", {"omitZeroBalances": "true"}, signed=True)["canTrade"] is True


@pytest.mark.parametrize("spelling", ["BTC-USDT", "BTC/USDT", "BTCUSDT", "BTC-USDT-SPOT", "btc-usdt"])
def test_every_spelling_is_understood_before_and_after_the_start(
    spelling: str, lively: Simulator, connect: Connect
) -> None:
    connector = connect(lively, start=False)
    early = connector.stream_book_ticker(spelling)
    connector.start()
    connector.wait_ready(LIMIT)
    late = connector.stream_book_ticker(spelling)
    assert early.get(LIMIT).symbol == late.get(LIMIT).symbol == "BTC-USDT"
