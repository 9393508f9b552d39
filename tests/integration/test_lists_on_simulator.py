"""Every kind of order list through the connector at a matching engine, account stream included (fault F112)."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from exconn_sync import (
    Connector,
    FilterViolation,
    OrderList,
    OrderListKind,
    OrderListRequest,
    OrderListStatus,
    OrderRejected,
    OrderRequest,
    RateLimitError,
    ValidationError,
)
from exconn_sync.simulator import Simulator
from tests.integration.conftest import LIMIT, Connect
from tests.simulator.clients import eventually

OCO, LIST, ORDER = "/api/v3/orderList/oco", "/api/v3/orderList", "/api/v3/order"
AMEND = "/api/v3/order/amend/keepPriority"
GOAL = OrderRequest.limit("BTC-USDT", "sell", "0.01", "61000", post_only=True, client_order_id="goal")
STOP = OrderRequest.stop_market("BTC-USDT", "sell", "0.01", "59000", client_order_id="stop")
WORKING = OrderRequest.limit("BTC-USDT", "buy", "0.01", "60005", client_order_id="working")
WORKING_TOO = OrderRequest.limit("BTC-USDT", "buy", "0.01", "60005")
SALE = OrderRequest.limit("BTC-USDT", "sell", "0.01", "61000", client_order_id="sale")
GOAL_OF_ALL = OrderRequest.limit("BTC-USDT", "sell", "received", "61000", post_only=True, client_order_id="goal")
STOP_OF_ALL = OrderRequest.stop_market("BTC-USDT", "sell", "received", "59000", client_order_id="stop")
SALE_OF_ALL = OrderRequest.limit("BTC-USDT", "sell", "received", "61000", client_order_id="sale")
PAIR = OrderListRequest.oco(GOAL, STOP, list_id="mine")
OTOCO = OrderListRequest.otoco(WORKING, GOAL, STOP, list_id="mine")
REQUESTS = {
    "oco": PAIR,
    "oto": OrderListRequest.oto(WORKING, SALE, list_id="mine"),
    "otoco": OTOCO,
    "opo": OrderListRequest.opo(WORKING, SALE_OF_ALL, list_id="mine"),
    "opoco": OrderListRequest.opoco(WORKING, GOAL_OF_ALL, STOP_OF_ALL, list_id="mine"),
}


def placed(quiet: Simulator, connector: Connector, request: OrderListRequest = PAIR) -> OrderList:
    quiet.market.trade("BTCUSDT", "sell", "0.001")
    return connector.place_order_list(request)


def statuses(made: OrderList) -> list[str]:
    return [str(order.status) for order in made.orders]


def are(made: OrderList, *wanted: str) -> Callable[[], bool]:
    return lambda: statuses(made) == list(wanted)


def rise(quiet: Simulator) -> None:
    """Let somebody buy all that is offered up to 61,000."""
    quiet.market.trade("BTCUSDT", "buy", "1.01")


def fall(quiet: Simulator) -> None:
    """Let the price fall to 58,900, at which there are buyers."""
    quiet.market.clear("BTCUSDT")
    quiet.market.quote("BTCUSDT", "buy", 58_900, 1)
    quiet.market.trade("BTCUSDT", "sell", "0.001")


def is_clean(connector: Connector, made: OrderList) -> bool:
    return all(order.state.contradictions == () for order in made.orders) and connector.fetch_open_orders() == []


# --- placing, and what becomes of them ------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", REQUESTS)
def test_each_kind_is_placed_shown_and_cancelled(kind: str, quiet: Simulator, connect: Connect) -> None:
    connector = connect(quiet)
    seen: list[OrderListStatus] = []
    connector.on_order_list(lambda state: seen.append(state.status))
    made = placed(quiet, connector, REQUESTS[kind])
    assert (made.kind, made.list_id, made.status) == (OrderListKind(kind), "0", "executing")
    assert set(statuses(made)) == {"new"}
    assert [order.state.is_working for order in made.orders] == (
        [True, False] if kind == "oco" else [True, False, False][: len(made.orders)]
    )
    assert {order.state.list_id for order in made.orders} == {"0"}
    (found,) = connector.fetch_open_order_lists()
    assert {order.client_order_id for order in found.orders} == {order.client_order_id for order in made.orders}
    assert {state.client_order_id for state in connector.fetch_open_orders()} == {
        order.client_order_id for order in made.orders
    }
    made.cancel()
    assert (set(statuses(made)), made.status, made.is_terminal) == ({"canceled"}, "all_done", True)
    eventually(lambda: seen == ["pending", "executing", "all_done"])
    assert (made.state.list_client_id, connector.order_list("0").list_client_id) == ("mine", "mine")
    assert is_clean(connector, made)


def test_the_better_price_ends_the_stop(quiet: Simulator, connect: Connect) -> None:
    connector = connect(quiet)
    made = placed(quiet, connector)
    goal, stop = made.orders
    rise(quiet)
    assert made.wait(LIMIT)
    assert statuses(made) == ["filled", "expired"]
    assert (stop.state.reason, goal.filled_quantity) == ("OCO_TRIGGER", Decimal("0.01"))
    eventually(lambda: made.status == "all_done")
    assert is_clean(connector, made)


def test_the_stop_ends_the_better_price(quiet: Simulator, connect: Connect) -> None:
    connector = connect(quiet)
    made = placed(quiet, connector)
    goal, stop = made.orders
    fall(quiet)
    assert made.wait(LIMIT)
    assert statuses(made) == ["expired", "filled"]
    assert (goal.state.reason, stop.average_price) == ("OCO_TRIGGER", Decimal(58_900))
    eventually(lambda: made.status == "all_done")
    assert is_clean(connector, made)


def test_a_part_of_the_better_price_is_enough(quiet: Simulator, connect: Connect) -> None:
    connector = connect(quiet)
    made = placed(quiet, connector)
    quiet.market.trade("BTCUSDT", "buy", "1.004")
    eventually(are(made, "partially_filled", "expired"))
    assert (made.status, made.orders[0].filled_quantity) == ("executing", Decimal("0.004"))
    quiet.market.trade("BTCUSDT", "buy", "0.006")
    eventually(lambda: made.status == "all_done")


def test_a_filled_order_places_what_waits_for_it(quiet: Simulator, connect: Connect) -> None:
    connector = connect(quiet)
    made = placed(quiet, connector, REQUESTS["oto"])
    working, sale = made.orders
    assert (sale.status, sale.state.is_working) == ("new", False)
    quiet.market.trade("BTCUSDT", "sell", "0.004")
    assert working.wait("partially_filled", LIMIT)
    assert not sale.state.is_working
    quiet.market.trade("BTCUSDT", "sell", "0.006")
    assert working.wait("filled", LIMIT)
    assert sale.wait(lambda state: state.is_working is True, LIMIT)
    rise(quiet)
    assert made.wait(LIMIT)
    eventually(lambda: made.status == "all_done")
    assert is_clean(connector, made)


def test_an_order_that_fills_at_once_and_what_waited_for_it(quiet: Simulator, connect: Connect) -> None:
    """The answer still says that the other one waits, the stream that it does not (Binance: 5.9)."""
    connector = connect(quiet)
    taking = OrderRequest.limit("BTC-USDT", "buy", "0.01", "60010")
    made = placed(quiet, connector, OrderListRequest.oto(taking, SALE))
    assert made.orders[0].status == "filled"
    assert len(connector.fills()) == 1
    assert made.orders[1].wait(lambda state: state.is_working is True, LIMIT)
    assert made.orders[1].state.contradictions == ()


def test_a_pair_that_was_waiting_works_as_a_pair(quiet: Simulator, connect: Connect) -> None:
    connector = connect(quiet)
    made = placed(quiet, connector, OTOCO)
    quiet.market.trade("BTCUSDT", "sell", "0.01")
    assert made.orders[1].wait(lambda state: state.is_working is True, LIMIT)
    fall(quiet)
    assert made.wait(LIMIT)
    assert statuses(made) == ["filled", "expired", "filled"]
    assert is_clean(connector, made)


def test_orders_whose_turn_never_comes_say_why(quiet: Simulator, connect: Connect) -> None:
    """(fault F110)"""
    connector = connect(quiet)
    hurried = OrderRequest.limit("BTC-USDT", "buy", "0.01", "60005", time_in_force="ioc")
    made = placed(quiet, connector, OrderListRequest.otoco(hurried, GOAL, STOP))
    assert made.wait(LIMIT)
    assert [order.state.reason for order in made.orders] == [
        "UNFILLED_IOC_QUANTITY_EXPIRED", "OTO_PHASE_ONE_EXPIRED", "OTO_PHASE_ONE_EXPIRED",
    ]  # fmt: skip
    eventually(lambda: made.status == "all_done")


def test_an_order_that_is_not_fit_when_its_turn_comes_is_over(quiet: Simulator, connect: Connect) -> None:
    """(fault F110)"""
    connector = connect(quiet)
    high = OrderRequest.stop_market("BTC-USDT", "sell", "0.01", "60500")
    made = placed(quiet, connector, OrderListRequest.oto(WORKING, high))
    quiet.market.trade("BTCUSDT", "sell", "0.01")
    assert made.wait(LIMIT)
    assert (statuses(made), made.orders[1].state.reason) == (["filled", "expired"], "REJECTED")


@pytest.mark.parametrize("kind", ["opo", "opoco"])
def test_what_was_received_is_sold(kind: str, quiet: Simulator, connect: Connect) -> None:
    """Its quantity is not known before (Binance: 5.5); here the commission is taken out of it."""
    connector = connect(quiet)
    everything = OrderRequest.limit("BTC-USDT", "sell", "100", "90000")
    connector.place_order(everything)
    made = placed(quiet, connector, REQUESTS[kind])
    assert {order.quantity for order in made.orders[1:]} == {None}
    quiet.market.trade("BTCUSDT", "sell", "0.01")
    for order in made.orders[1:]:
        assert order.wait(lambda state: state.quantity == Decimal("0.00999"), LIMIT)
    assert made.orders[1].wait(lambda state: state.is_working is True, LIMIT)
    rise(quiet)
    assert made.wait(LIMIT)
    assert statuses(made) == ["filled", "filled", "expired"][: len(made.orders)]
    assert all(order.state.contradictions == () for order in made.orders)


def test_a_list_that_does_not_fit_the_market_is_refused(quiet: Simulator, connect: Connect) -> None:
    connector = connect(quiet)
    quiet.market.trade("BTCUSDT", "sell", "0.001")
    low = OrderRequest.limit("BTC-USDT", "sell", "0.01", "59500", post_only=True)
    with pytest.raises(OrderRejected) as caught:
        connector.place_order_list(OrderListRequest.oco(low, STOP, list_id="mine"))
    assert (caught.value.outcome, caught.value.details["reason"]) == ("refused", "oco_prices")
    assert connector.order_list("mine").status == "rejected"
    assert connector.fetch_open_orders() == []


def test_more_lists_than_are_allowed_are_refused_by_name(quiet: Simulator, connect: Connect) -> None:
    connector = connect(quiet)
    assert connector.instruments.get("BTC-USDT").allowances.order_lists == 20
    quiet.market.rules("BTCUSDT", max_order_lists=1)
    placed(quiet, connector)
    with pytest.raises(FilterViolation) as caught:
        connector.place_order_list(OrderListRequest.oto(WORKING, SALE))
    assert caught.value.details["filter"] == "MAX_NUM_ORDER_LISTS"
    assert len(quiet.accounts.order_lists()) == 1


def test_each_order_of_a_list_counts_before_it_is_sent(quiet: Simulator, connect: Connect) -> None:
    quiet.faults.rate_limits(orders_per_10s=4, order_window_s=3600)
    connector = connect(quiet)
    placed(quiet, connector, OTOCO)
    with pytest.raises(RateLimitError) as caught:
        connector.place_order_list(OrderListRequest.oto(WORKING_TOO, SALE), timeout=0.2)
    assert (caught.value.outcome, quiet.breaches().orders) == ("not_sent", 0)
    assert len(quiet.accounts.order_lists()) == 1


# --- cancelling and amending ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("which", [0, 1, 2])
def test_cancelling_one_order_cancels_the_list(which: int, quiet: Simulator, connect: Connect) -> None:
    connector = connect(quiet)
    made = placed(quiet, connector, OTOCO)
    made.orders[which].cancel()
    assert made.orders[which].status == "canceled"
    assert made.wait(LIMIT)
    assert statuses(made) == ["canceled"] * 3
    eventually(lambda: made.status == "all_done")
    assert is_clean(connector, made)
    with pytest.raises(OrderRejected):
        made.cancel()


def test_cancelling_everything_takes_lists_along(quiet: Simulator, connect: Connect) -> None:
    connector = connect(quiet)
    single = connector.place_order(OrderRequest.limit("BTC-USDT", "buy", "0.01", "50000"))
    made = placed(quiet, connector, OTOCO)
    ended = connector.cancel_all("BTC-USDT")
    names = [single.client_order_id, "working", "goal", "stop"]
    assert sorted(order.client_order_id for order in ended) == sorted(names)
    assert {str(order.status) for order in ended} == {"canceled"}
    assert (made.status, made.is_terminal) == ("all_done", True)
    assert is_clean(connector, made)


def test_a_list_that_is_gone_already_is_looked_into(quiet: Simulator, connect: Connect) -> None:
    connector = connect(quiet)
    made = placed(quiet, connector)
    with quiet.faults.silence("userDataStream"):
        connector.request("DELETE", LIST, {"symbol": "BTCUSDT", "orderListId": 0}, signed=True)
    assert statuses(made) == ["new", "new"]
    with pytest.raises(OrderRejected):
        made.cancel()
    assert made.wait(LIMIT)
    eventually(lambda: made.status == "all_done")
    assert statuses(made) == ["canceled", "canceled"]


def test_both_orders_of_a_pair_are_amended(quiet: Simulator, connect: Connect) -> None:
    """(faults F103, F108)"""
    connector = connect(quiet)
    made = placed(quiet, connector)
    connector.amend_order(made.orders[0], "0.006")
    for order in made.orders:
        assert order.wait(lambda state: state.quantity == Decimal("0.006"), LIMIT)
    rise(quiet)
    assert made.wait(LIMIT)
    assert made.orders[0].filled_quantity == Decimal("0.006")
    assert [state.client_order_id for state in connector.orders.history()] == ["goal", "stop"]


def test_the_partner_of_an_amended_order_is_known_without_the_stream_too(quiet: Simulator, connect: Connect) -> None:
    """(faults F103, F108)"""
    connector = connect(quiet)
    made = placed(quiet, connector)
    with quiet.faults.silence("userDataStream"):
        connector.amend_order(made.orders[0], "0.006")
    assert made.orders[0].quantity == Decimal("0.006")
    quiet.faults.drop_connections("ws_api")
    assert made.orders[1].wait(lambda state: state.quantity == Decimal("0.006"), LIMIT)
    assert made.orders[1].state.contradictions == ()


def test_an_order_renamed_elsewhere_stays_in_its_list(quiet: Simulator, connect: Connect) -> None:
    """(fault F103)"""
    connector = connect(quiet)
    made = placed(quiet, connector)
    params = {"symbol": "BTCUSDT", "origClientOrderId": "goal", "newQty": "0.006", "newClientOrderId": "other"}
    answer: Any = connector.request("PUT", AMEND, params, signed=True)
    assert [leg["clientOrderId"] for leg in answer["listStatus"]["orders"]] == ["stop", "other"]
    eventually(lambda: made.orders[0].quantity == Decimal("0.006"))
    assert made.state.legs == ("goal", "stop")
    rise(quiet)
    assert made.wait(LIMIT)
    eventually(lambda: made.status == "all_done")
    assert len(connector.orders.history()) == 2


# --- lost answers and lost streams ----------------------------------------------------------------------------------


def test_a_list_whose_answer_is_lost_is_found(quiet: Simulator, connect: Connect) -> None:
    """Placed once, and never sent again (faults F067, F068)."""
    connector = connect(quiet)
    quiet.market.trade("BTCUSDT", "sell", "0.001")
    quiet.faults.execute_then_drop("POST", OCO)
    made = connector.place_order_list(PAIR, timeout=LIMIT)
    assert (statuses(made), made.list_id, made.status) == (["new", "new"], "0", "executing")
    assert len(connector.fetch_open_order_lists()) == 1


def test_a_list_whose_answer_is_lost_is_found_without_the_stream_too(quiet: Simulator, connect: Connect) -> None:
    """(fault F068)"""
    connector = connect(quiet)
    quiet.market.trade("BTCUSDT", "sell", "0.001")
    with quiet.faults.silence("userDataStream"):
        quiet.faults.execute_then_drop("POST", LIST + "/otoco")
        made = connector.place_order_list(OTOCO, timeout=LIMIT)
        assert (statuses(made), made.list_id, made.status) == (["new"] * 3, "0", "executing")
        assert [order.state.is_working for order in made.orders] == [True, False, False]


def test_a_cancel_of_everything_whose_answer_is_lost_is_found(quiet: Simulator, connect: Connect) -> None:
    """(fault F068)"""
    connector = connect(quiet)
    made = placed(quiet, connector, OTOCO)
    quiet.faults.execute_then_drop("DELETE", "/api/v3/openOrders")
    assert len(connector.cancel_all("BTC-USDT", timeout=LIMIT)) == 3
    assert statuses(made) == ["canceled"] * 3
    eventually(lambda: made.status == "all_done")


def test_what_became_of_a_list_while_nobody_listened(quiet: Simulator, connect: Connect) -> None:
    connector = connect(quiet)
    made = placed(quiet, connector)
    connector.stop()
    rise(quiet)
    assert statuses(made) == ["new", "new"]
    connector.start()
    connector.wait_ready(LIMIT)
    assert (statuses(made), made.status) == (["filled", "expired"], "all_done")
    assert made.orders[1].state.reason == "OCO_TRIGGER"


def test_a_list_of_an_earlier_program_is_taken_up(quiet: Simulator, connect: Connect) -> None:
    """Its orders are shown once the account is ready, the list itself when it is asked for or changes (fault F100)."""
    first = connect(quiet)
    placed(quiet, first, OTOCO)
    first.stop()
    second = connect(quiet)
    assert {state.client_order_id for state in second.orders.open()} == {"working", "goal", "stop"}
    (found,) = second.fetch_open_order_lists()
    assert (found.list_client_id, len(found.orders)) == ("mine", 3)
    found.cancel()
    assert set(statuses(found)) == {"canceled"}


def test_a_cancel_of_a_list_whose_answer_is_lost_is_found(quiet: Simulator, connect: Connect) -> None:
    connector = connect(quiet)
    made = placed(quiet, connector)
    quiet.faults.execute_then_drop("DELETE", LIST)
    made.cancel(timeout=LIMIT)
    assert statuses(made) == ["canceled", "canceled"]


@pytest.mark.parametrize("happens", ["rise", "fall"])
def test_an_order_that_fires_while_the_stream_is_lost_is_made_up_for(
    happens: str, quiet: Simulator, connect: Connect
) -> None:
    """(fault F112)"""
    connector = connect(quiet)
    made = placed(quiet, connector)
    with quiet.faults.refuse_connections():
        quiet.faults.drop_connections("ws_api")
        {"rise": rise, "fall": fall}[happens](quiet)
    assert made.wait(LIMIT)
    assert statuses(made) == (["filled", "expired"] if happens == "rise" else ["expired", "filled"])
    eventually(lambda: made.status == "all_done")
    eventually(lambda: len(connector.fills()) == 1)
    assert is_clean(connector, made)


def test_a_working_order_that_fills_while_the_stream_is_lost(quiet: Simulator, connect: Connect) -> None:
    """What it placed meanwhile is found, with the quantity that it has now."""
    connector = connect(quiet)
    made = placed(quiet, connector, REQUESTS["opoco"])
    with quiet.faults.refuse_connections():
        quiet.faults.drop_connections("ws_api")
        quiet.market.trade("BTCUSDT", "sell", "0.01")
    assert made.orders[0].wait("filled", LIMIT)
    for order in made.orders[1:]:
        assert order.wait(lambda state: state.quantity == Decimal("0.01"), LIMIT)
    assert made.orders[1].wait(lambda state: state.is_working is True, LIMIT)
    assert (made.status, set(statuses(made)[1:])) == ("executing", {"new"})


def test_a_list_of_another_program_is_shown_and_followed(quiet: Simulator, connect: Connect) -> None:
    """(fault F100)"""
    connector = connect(quiet)
    quiet.market.trade("BTCUSDT", "sell", "0.001")
    params = {
        "symbol": "BTCUSDT", "side": "SELL", "quantity": "0.01", "aboveType": "LIMIT_MAKER", "abovePrice": "61000",
        "belowType": "STOP_LOSS", "belowStopPrice": "59000", "listClientOrderId": "foreign",
    }  # fmt: skip
    connector.request("POST", OCO, params, signed=True)
    eventually(lambda: len(connector.orders) == 2)

    def is_known() -> bool:
        try:
            return len(connector.order_list("foreign").orders) == 2
        except ValidationError:
            return False

    eventually(is_known)
    made = connector.order_list("foreign")
    assert (made.kind, made.status) == ("oco", "executing")
    assert not any(order.state.is_own for order in made.orders)
    rise(quiet)
    assert made.wait(LIMIT)
    eventually(lambda: made.status == "all_done")
