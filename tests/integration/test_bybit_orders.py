"""Orders at Bybit, whose answers are receipts: on the simulated exchange, over real sockets (Bybit: 4.7 to 4.16, 7)."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

import pytest

from exconn_sync import (
    CommandOutcome,
    Config,
    Connector,
    InsufficientBalance,
    Order,
    OrderRejected,
    OrderRequest,
    OutcomeUnknown,
    ValidationError,
)
from exconn_sync.config.settings import Intervals
from exconn_sync.metrics import MemoryMetrics
from exconn_sync.model.orders import OrderState
from exconn_sync.simulator import Simulator
from tests.integration.conftest import LIMIT, Connect, quick
from tests.quiet import quiet_exchange
from tests.simulator.clients import eventually
from tests.unit.support import Background

limit, market = OrderRequest.limit, OrderRequest.market
DONE, REFUSED, UNKNOWN = CommandOutcome.DONE, CommandOutcome.REFUSED, CommandOutcome.UNKNOWN
CREATE = "/v5/order/create"


@pytest.fixture
def bybit() -> Iterator[Simulator]:
    """BTCUSDT has one bid at 60000 and one ask at 60010, one BTC each; nothing moves by itself."""
    with quiet_exchange("bybit") as simulator:
        yield simulator


def known(order: Order) -> Order:
    """Wait until it is clear what became of a new order."""
    assert order.wait(lambda state: state.status not in ("pending_new", "unknown"), LIMIT)
    return order


def resting(connector: Connector, client_order_id: str | None = None) -> Order:
    order = connector.place_order(limit("BTC-USDT", "buy", "0.02", "50000", client_order_id=client_order_id))
    assert known(order).status == "new"
    return order


# --- what becomes of orders -----------------------------------------------------------------------------------------


def test_an_order_lives_and_is_cancelled(bybit: Simulator, connect: Connect) -> None:
    connector = connect(bybit)
    order = resting(connector)
    assert len(order.exchange_order_id or "") == 19
    assert [state.client_order_id for state in connector.fetch_open_orders()] == [order.client_order_id]
    order.cancel()
    assert (order.status, order.state.reason, order.state.contradictions) == ("canceled", "", ())
    assert connector.fetch_order(order).status == "canceled"
    with pytest.raises(OrderRejected):
        order.cancel()


def test_the_receipt_comes_first_and_the_stream_tells(bybit: Simulator, connect: Connect) -> None:
    connector = connect(bybit)
    with bybit.faults.match_late(0.3):
        order = connector.place_order(limit("BTC-USDT", "buy", "0.02", "50000"))
        assert (order.status, order.exchange_order_id is None) == ("pending_new", False)
        assert order.wait("new", LIMIT)
    assert [str(entry.source) for entry in order.history] == ["local", "answer", "stream"]


def test_the_stream_comes_first_and_the_receipt_says_nothing_new(bybit: Simulator, connect: Connect) -> None:
    """(fault F091)"""
    connector = connect(bybit)
    with bybit.faults.answer_late("POST", CREATE, 0.3):
        order = connector.place_order(market("BTC-USDT", "buy", quantity="0.02"))
    assert order.status == "filled", "known when the call returns"
    eventually(lambda: order.fees == {"BTC": Decimal("0.00002")})
    assert order.state.contradictions == ()


def test_a_silent_stream_is_replaced_by_questions(bybit: Simulator, connect: Connect) -> None:
    connector = connect(bybit)
    with bybit.faults.silence("order"), bybit.faults.silence("execution"):
        order = connector.place_order(market("BTC-USDT", "buy", quantity="0.02"))
        assert order.wait("filled", LIMIT)
        assert [str(entry.source) for entry in order.history] == ["local", "answer", "query"]
        other = connector.place_order(limit("BTC-USDT", "buy", "0.02", "50000"))
        assert other.wait("new", LIMIT)
        connector.cancel_order(other)
        assert other.status == "canceled"


@pytest.mark.parametrize(
    "request_", [market("BTC-USDT", "buy", "0.01"), limit("BTC-USDT", "buy", "0.01", "60010")], ids=["market", "limit"]
)
def test_an_order_whose_end_alone_is_not_told_is_asked_for(
    bybit: Simulator, connect: Connect, request_: OrderRequest
) -> None:
    """Orders and executions are topics of their own (Bybit: 7.6), and fills do not prove an end where orders grow."""
    connector = connect(bybit, intervals=Intervals(reconcile=600))
    with bybit.faults.silence("order"):
        order = connector.place_order(request_)
        assert order.wait("filled", LIMIT)
    assert order.filled_quantity == Decimal("0.01")


def test_an_order_refused_late_reaches_the_handle_the_events_and_a_waiter(bybit: Simulator, connect: Connect) -> None:
    connector = connect(bybit)
    states: list[OrderState] = []
    connector.on_order(states.append)
    with bybit.faults.refuse_late(), bybit.faults.match_late(0.2):
        order = connector.place_order(limit("BTC-USDT", "buy", "1000", "50000"))
        assert order.status == "pending_new"
        waiter = Background(lambda: order.wait("new", LIMIT))
        assert waiter.result() is False, "it cannot come any more"
    assert (order.status, order.is_terminal) == ("rejected", True)
    assert order.state.reason
    eventually(lambda: [state.status for state in states][-1] == "rejected")


def test_an_order_refused_at_once_is_an_error(bybit: Simulator, connect: Connect) -> None:
    connector = connect(bybit)
    with pytest.raises(InsufficientBalance) as caught:
        connector.place_order(limit("BTC-USDT", "buy", "1000", "50000", client_order_id="too-much"))
    assert caught.value.outcome == "refused"
    (state,) = connector.orders.history()
    assert (state.client_order_id, state.status) == ("too-much", "rejected")


@pytest.mark.parametrize(
    ("request_", "status", "reason"),
    [
        (limit("BTC-USDT", "buy", "0.5", "60005", time_in_force="IOC"), "expired", "EC_NoImmediateQtyToFill"),
        (limit("BTC-USDT", "buy", "1.5", "60010", time_in_force="FOK"), "expired", None),
        (limit("BTC-USDT", "buy", "1.5", "60010", time_in_force="IOC"), "expired", None),
        (limit("BTC-USDT", "buy", "0.5", "60010", post_only=True), "expired", "EC_PostOnlyWillTakeLiquidity"),
        (limit("BTC-USDT", "buy", "1", "60010", time_in_force="FOK"), "filled", ""),
    ],
)
def test_orders_that_the_exchange_ends(
    request_: OrderRequest, status: str, reason: str | None, bybit: Simulator, connect: Connect
) -> None:
    """(fault F110)"""
    order = connect(bybit).place_order(request_)
    assert order.wait(timeout=LIMIT)
    assert order.status == status
    assert order.state.reason == reason if reason is not None else order.state.reason


def test_quantities_of_market_orders_are_what_they_say(bybit: Simulator, connect: Connect) -> None:
    """Base unless quote is asked for, whatever the exchange would take by default (Bybit: 10)."""
    connector = connect(bybit)
    base = connector.place_order(market("BTC-USDT", "buy", quantity="0.5"))
    assert base.wait("filled", LIMIT)
    assert base.filled_quantity == Decimal("0.5")
    quote = connector.place_order(market("BTC-USDT", "buy", quote_quantity="100"))
    assert quote.wait("filled", LIMIT), "what is left buys no further step"
    assert Decimal(99) < quote.filled_quantity * 60010 <= 100
    sold = connector.place_order(market("BTC-USDT", "sell", quantity="0.5"))
    assert sold.wait("filled", LIMIT)
    eventually(lambda: sold.fees.keys() == {"USDT"})
    too_much = connector.place_order(market("BTC-USDT", "buy", quote_quantity="100000"))
    assert too_much.wait(timeout=LIMIT)
    assert (too_much.status, too_much.filled_quantity > 0) == ("expired", True)
    assert not any(order.state.contradictions for order in (base, quote, sold, too_much))


def test_a_waiting_order_is_triggered(bybit: Simulator, connect: Connect) -> None:
    connector = connect(bybit)
    order = known(connector.place_order(OrderRequest.stop_market("BTC-USDT", "sell", "0.1", "59000")))
    assert (order.status, order.state.is_working, order.state.order_class) == ("new", False, "tpslOrder")
    other = known(connector.place_order(OrderRequest.take_profit_limit("BTC-USDT", "sell", "0.1", "62000", "61000")))
    other.cancel()
    assert other.status == "canceled", "addressed by its class"
    bybit.market.quote("BTCUSDT", "buy", 58999, 1)
    bybit.market.trade("BTCUSDT", "sell", "1.5")
    assert order.wait("filled", LIMIT)
    assert order.filled_quantity == Decimal("0.1")


# --- changes --------------------------------------------------------------------------------------------------------


def test_an_order_is_amended_both_ways(bybit: Simulator, connect: Connect) -> None:
    connector = connect(bybit)
    order = resting(connector)
    assert connector.amend_order(order, "0.01").quantity == Decimal("0.01")
    assert connector.amend_order(order, "0.03").quantity == Decimal("0.03")
    with bybit.faults.silence("order"):
        assert connector.amend_order(order, "0.04").quantity == Decimal("0.04")


def test_a_cancel_that_loses_the_race_says_so(bybit: Simulator, connect: Connect) -> None:
    """Two messages come of the one order (Bybit: 7.3; fault F094)."""
    connector = connect(bybit)
    order = known(connector.place_order(limit("BTC-USDT", "buy", "0.02", "60005")))
    with bybit.faults.match_late(0.3):
        cancel = Background(lambda: order.cancel())
        eventually(lambda: any(entry.path == "/v5/order/cancel" for entry in bybit.request_log()))
        bybit.market.trade("BTCUSDT", "sell", "0.02")
        with pytest.raises(OrderRejected):
            cancel.result()
    assert (order.status, order.filled_quantity) == ("filled", Decimal("0.02"))
    assert order.state.contradictions == ()


def test_a_cancel_that_is_not_confirmed_in_time_is_unknown(bybit: Simulator, connect: Connect) -> None:
    connector = connect(bybit)
    order = resting(connector)
    with bybit.faults.match_late(3.0):
        with pytest.raises(OutcomeUnknown):
            order.cancel(timeout=1.0)
        assert order.status == "new"
        assert order.wait("canceled", LIMIT), "and is told all the same"


def test_cancel_all_leaves_nothing_whatever_its_class(bybit: Simulator, connect: Connect) -> None:
    connector = connect(bybit)
    placed = [
        resting(connector),
        known(connector.place_order(OrderRequest.stop_market("BTC-USDT", "sell", "1", "59000"))),
    ]
    connector.request(
        "POST", CREATE,
        {"category": "spot", "symbol": "BTCUSDT", "side": "Sell", "orderType": "Limit", "qty": "0.1", "price": "58000",
         "triggerPrice": "58500", "orderFilter": "StopOrder", "orderLinkId": "elsewhere"},
        signed=True,
    )  # fmt: skip
    eventually(lambda: connector.orders.get("elsewhere") is not None)
    ended = connector.cancel_all("BTC-USDT")
    assert {order.client_order_id for order in ended} == {*(order.client_order_id for order in placed), "elsewhere"}
    assert {order.status for order in ended} == {"canceled"}
    assert connector.fetch_open_orders() == []
    assert connector.cancel_all("BTC-USDT") == []


# --- several at once ------------------------------------------------------------------------------------------------


def test_batches(bybit: Simulator, connect: Connect) -> None:
    connector = connect(bybit)
    requests = [limit("BTC-USDT", "buy", "0.01", str(50000 + number)) for number in range(11)]
    requests.insert(3, limit("BTC-USDT", "buy", "1000", "50000"))
    results = connector.place_orders(requests)
    assert [result.outcome for result in results] == [DONE] * 3 + [REFUSED] + [DONE] * 8
    assert isinstance(results[3].error, InsufficientBalance)
    placed = [known(result.order) for result in results if result.is_done]
    changed = connector.amend_orders([(order, "0.02") for order in placed[:3]])
    assert [result.order.quantity for result in changed] == [Decimal("0.02")] * 3
    stop = known(connector.place_order(OrderRequest.stop_market("BTC-USDT", "sell", "1", "59000")))
    ended = connector.cancel_orders([*placed, stop])
    assert [result.outcome for result in ended] == [DONE] * 12
    paths = [entry.path for entry in bybit.request_log()]
    assert [paths.count(f"/v5/order/{name}-batch") for name in ("create", "amend", "cancel")] == [2, 1, 2]


def test_a_batch_that_is_not_answered_is_looked_for(bybit: Simulator, connect: Connect) -> None:
    """(faults F067, F068)"""
    connector = connect(bybit)
    bybit.faults.execute_then_drop("POST", "/v5/order/create-batch")
    results = connector.place_orders([limit("BTC-USDT", "buy", "0.01", "50000") for _ in range(3)])
    assert [result.outcome for result in results] == [DONE] * 3
    assert len(connector.fetch_open_orders()) == 3


# --- unknown outcomes and lost connections --------------------------------------------------------------------------


def test_an_order_whose_answer_is_lost_is_found(bybit: Simulator, connect: Connect) -> None:
    """(fault F067)"""
    connector = connect(bybit)
    with bybit.faults.silence("order"):
        bybit.faults.execute_then_drop("POST", CREATE)
        order = connector.place_order(limit("BTC-USDT", "buy", "0.02", "50000"))
    assert order.status == "new"
    assert len(bybit.accounts.orders()) == 1


def test_an_order_that_ended_long_ago_is_found_in_the_history(bybit: Simulator, connect: Connect) -> None:
    """The exchange forgets closed orders elsewhere when it restarts (Bybit: 4.11, 9.4)."""
    connector = connect(bybit, intervals=Intervals(reconcile=3600))
    order = resting(connector)
    with bybit.faults.silence("order"), bybit.faults.silence("execution"):
        bybit.market.trade("BTCUSDT", "sell", "1")
        bybit.market.quote("BTCUSDT", "sell", 49000, 1)
        bybit.faults.forget_closed_orders()
        assert order.status == "new"
        assert connector.fetch_order(order).status == "filled"


def test_what_happens_while_the_private_stream_is_away_is_made_up_for(bybit: Simulator, connect: Connect) -> None:
    """(fault F098)"""
    connector = connect(bybit)
    order = resting(connector)
    bought = connector.place_order(limit("BTC-USDT", "buy", "0.03", "59999"))
    known(bought)
    with bybit.faults.refuse_connections():
        bybit.faults.drop_connections("private")
        bybit.market.trade("BTCUSDT", "sell", "1.03")
        connector.request("POST", "/v5/order/cancel", {
            "category": "spot", "symbol": "BTCUSDT", "orderId": order.exchange_order_id or "",
        }, signed=True)  # fmt: skip
        assert (order.status, bought.status) == ("new", "new")
    assert bought.wait("filled", LIMIT)
    assert order.wait("canceled", LIMIT)
    eventually(lambda: sum(fill.quantity for fill in connector.fills()) == Decimal("0.03"))
    assert bought.state.contradictions == ()


def test_topics_in_any_order_give_the_same(bybit: Simulator, connect: Connect) -> None:
    """(faults F105, F106)"""
    connector = connect(bybit)
    with bybit.faults.shuffle_events():
        orders = [connector.place_order(market("BTC-USDT", "buy", quantity="0.01")) for _ in range(10)]
        assert all(order.wait("filled", LIMIT) for order in orders)
    eventually(lambda: all(order.fees == {"BTC": Decimal("0.00001")} for order in orders))
    assert not any(order.state.contradictions for order in orders)


# --- the past -------------------------------------------------------------------------------------------------------


def test_lists_of_more_than_a_page_are_whole(bybit: Simulator, connect: Connect) -> None:
    """(fault F089)"""
    connector = connect(bybit)
    requests = [limit("BTC-USDT", "buy", "0.01", "50000", client_order_id=f"order-{number}") for number in range(60)]
    results = connector.place_orders(requests, timeout=30)
    assert all(result.is_done for result in results)
    assert len(connector.fetch_open_orders("BTC-USDT")) == 60
    connector.cancel_all("BTC-USDT")
    names = [state.client_order_id for state in connector.fetch_order_history("BTC-USDT")]
    assert sorted(names) == sorted(request.client_order_id or "" for request in requests)
    newest = connector.fetch_order_history("BTC-USDT", limit=55)
    assert [state.client_order_id for state in newest] == names[-55:]
    hour_ago = connector.fetch_server_time() - 3_600_000_000_000
    assert len(connector.fetch_order_history("BTC-USDT", start=hour_ago)) == 60


def test_all_fills_of_an_order_are_found(bybit: Simulator, connect: Connect) -> None:
    connector = connect(bybit)
    for number in range(110):
        bybit.market.quote("BTCUSDT", "sell", 60005 - number % 5, "0.001")
    with bybit.faults.silence("execution"):
        order = connector.place_order(market("BTC-USDT", "buy", quantity="0.11"))
        assert order.wait("filled", LIMIT)
    fills = connector.fetch_fills("BTC-USDT", order=order)
    assert len(fills) == 110
    assert sum(fill.quantity for fill in fills) == Decimal("0.11")
    assert len(connector.fetch_fills("BTC-USDT")) == 100


def test_balances_and_fees(bybit: Simulator, connect: Connect) -> None:
    connector = connect(bybit)
    before = connector.fetch_balances()["USDT"]
    resting(connector)
    eventually(lambda: connector.balances["USDT"].locked == Decimal(1000))
    held = connector.balances["USDT"]
    assert (held.total, held.free) == (before.total, before.free - 1000)
    assert connector.fetch_commission("BTC-USDT").standard.taker == Decimal("0.001")


def test_a_coin_that_is_all_sold_is_no_more_when_balances_are_asked_for(bybit: Simulator, connect: Connect) -> None:
    """Only coins of which there is something are listed (Bybit: 4.18)."""
    connector = connect(bybit)
    owned = connector.fetch_balances()["BTC"].free
    bybit.market.quote("BTCUSDT", "buy", 60000, owned)
    with bybit.faults.silence("wallet"):
        assert connector.place_order(market("BTC-USDT", "sell", owned)).wait("filled", LIMIT)
        assert connector.balances["BTC"].free == owned, "nobody has told it"
        assert connector.fetch_balances()["BTC"].total == 0
        assert connector.balances["BTC"].total == 0


# --- the trade socket -----------------------------------------------------------------------------------------------


def over_the_socket(bybit: Simulator, connect: Connect, **changes: object) -> tuple[Connector, MemoryMetrics]:
    metrics = MemoryMetrics()
    connector = connect(bybit, commands="socket", metrics=metrics, **changes)
    eventually(lambda: connector._core.assembly.commands.route.feed is not None)
    feed = connector._core.assembly.commands.route.feed
    assert feed is not None
    eventually(lambda: feed.is_ready)
    return connector, metrics


def sent(metrics: MemoryMetrics, way: str) -> int:
    """Return how many commands went a way."""
    name = "socket.commands" if way == "socket" else "rest.requests"
    return sum(number for key, number in metrics.counts().items() if key.startswith(name) and "/v5/order/c" in key)


def test_commands_go_over_the_trade_socket(bybit: Simulator, connect: Connect) -> None:
    connector, metrics = over_the_socket(bybit, connect)
    order = resting(connector)
    connector.amend_order(order, "0.01")
    order.cancel()
    results = connector.place_orders([limit("BTC-USDT", "buy", "0.01", "50000") for _ in range(3)])
    assert [result.outcome for result in results] == [DONE] * 3
    assert len(connector.cancel_all("BTC-USDT")) == 3
    with pytest.raises(InsufficientBalance):
        connector.place_order(limit("BTC-USDT", "buy", "1000", "50000"))
    assert sent(metrics, "socket") == 4
    assert sent(metrics, "rest") == 5, "cancelling all orders, class by class"


def test_an_answer_that_is_lost_on_the_socket_is_looked_for_and_not_sent_again(
    bybit: Simulator, connect: Connect
) -> None:
    """(faults F067, F068)"""
    connector, metrics = over_the_socket(bybit, connect)
    bybit.faults.execute_then_drop("WS", "order.create")
    order = connector.place_order(limit("BTC-USDT", "buy", "0.02", "50000"))
    assert order.status == "new"
    assert (len(bybit.accounts.orders()), sent(metrics, "rest")) == (1, 0)


def test_rest_is_taken_while_the_socket_is_away(bybit: Simulator, connect: Connect) -> None:
    connector, metrics = over_the_socket(bybit, connect)
    feed = connector._core.assembly.commands.route.feed
    assert feed is not None
    with bybit.faults.refuse_connections():
        bybit.faults.drop_connections("trade")
        eventually(lambda: not feed.is_ready)
        order = resting(connector)
    assert sent(metrics, "rest") == 1
    eventually(lambda: feed.is_ready)
    order.cancel()
    assert sent(metrics, "socket") == 1


def test_a_socket_that_announces_its_restart_is_replaced(bybit: Simulator, connect: Connect) -> None:
    """(fault F045)"""
    connector, metrics = over_the_socket(bybit, connect)
    feed = connector._core.assembly.commands.route.feed
    assert feed is not None
    bybit.faults.announce_shutdown("trade")
    order = resting(connector)
    assert sent(metrics, "rest") == 1, "nothing was done over the socket, so REST was taken"
    eventually(lambda: feed.is_ready)
    order.cancel()


def test_demo_takes_batches_one_by_one_and_no_commands_over_a_socket(connect: Connect) -> None:
    """(Bybit: 1.3, 9.2)"""
    with pytest.raises(ValidationError, match="takes no commands over a socket"):
        Config("bybit", environment="demo", commands="socket")
    with Simulator("bybit", running_market=False, demo=True) as demo:
        urls = {name: url for name, url in demo.addresses().items() if name != "trade"}
        key = demo.accounts.client_key()
        builder = Config.builder("bybit").environment("demo").endpoints(**urls).credentials(key.api_key, key.api_secret)
        with Connector(builder.build()) as connector:
            # Its market data are those of another host.
            assert connector.account_ready.wait(LIMIT)
            results = connector.place_orders([limit("BTC-USDT", "buy", "0.01", "50000") for _ in range(2)])
            assert [result.outcome for result in results] == [DONE, DONE]
        assert [entry.path for entry in demo.request_log()].count(CREATE) == 2


# --- orders that end with the connection ----------------------------------------------------------------------------


def test_orders_end_with_the_connection_that_guards_them(bybit: Simulator, connect: Connect) -> None:
    """(Bybit: 9.1)"""
    watcher = connect(bybit)
    with Connector(quick(bybit.config(), cancel_on_disconnect=True)) as connector:
        connector.wait_ready(LIMIT)
        assert connector.fetch_cancel_on_disconnect() is None
        connector.set_cancel_on_disconnect(3)
        assert connector.fetch_cancel_on_disconnect() == 3
        name = resting(connector).client_order_id
    eventually(lambda: [state.reason for state in watcher.orders.history()] == ["CancelByDCP"])
    (state,) = watcher.orders.history()
    assert (state.client_order_id, state.status) == (name, "expired")


def test_a_price_is_amended_and_amended_elsewhere(bybit: Simulator, connect: Connect) -> None:
    """(fault F108)"""
    connector = connect(bybit)
    order = resting(connector)
    connector.amend_order(order, "0.03", price="50001")
    assert (order.quantity, order.price) == (Decimal("0.03"), Decimal(50_001))
    connector.request("POST", "/v5/order/amend", {
        "category": "spot", "symbol": "BTCUSDT", "orderId": order.exchange_order_id or "", "price": "50002",
    }, signed=True)  # fmt: skip
    assert order.wait(lambda state: state.price == Decimal(50_002), LIMIT)
    assert order.state.contradictions == ()
    with pytest.raises(ValidationError, match="tick size"):
        connector.amend_order(order, price="50002.001")


def test_an_order_that_grew_is_filled_when_the_exchange_says_so(bybit: Simulator, connect: Connect) -> None:
    connector = connect(bybit)
    order = known(connector.place_order(limit("BTC-USDT", "buy", "0.02", "60005")))
    bybit.market.trade("BTCUSDT", "sell", "0.01")
    assert order.wait("partially_filled", LIMIT)
    connector.amend_order(order, "0.05")
    bybit.market.trade("BTCUSDT", "sell", "0.03")
    assert order.wait(lambda state: state.filled_quantity == Decimal("0.04"), LIMIT)
    assert order.status == "partially_filled"
    bybit.market.trade("BTCUSDT", "sell", "0.01")
    assert order.wait("filled", LIMIT)
    assert order.state.contradictions == ()
