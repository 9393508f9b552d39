"""Order lists: one command, several orders, each with an outcome of its own (fault F112).

The answers are scripted, so that each comes for certain.
"""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest

from exconn_sync import (
    ConnectorStopped,
    OrderList,
    OrderListRequest,
    OrderListStatus,
    OrderRejected,
    OrderRequest,
    OutcomeUnknown,
    RiskRejected,
    ValidationError,
)
from exconn_sync._runtime.faultpoints import installed
from exconn_sync.config.settings import RiskLimits
from exconn_sync.simulator import Simulator
from tests.integration.conftest import LIMIT, Connect
from tests.simulator.clients import eventually

OTO, LIST, ORDER = "/api/v3/orderList/oto", "/api/v3/orderList", "/api/v3/order"
WORKING = OrderRequest.limit("BTC-USDT", "buy", "0.01", "50000", client_order_id="working")
PENDING = OrderRequest.limit("BTC-USDT", "sell", "0.01", "70000", client_order_id="pending")
REQUEST = OrderListRequest.oto(WORKING, PENDING, list_id="mine")


def report(name: str, order_id: int, side: str, status: str, **more: Any) -> dict[str, Any]:
    return {
        "symbol": "BTCUSDT", "orderId": order_id, "orderListId": 7, "clientOrderId": name, "transactTime": 2,
        "price": "50000", "origQty": "0.01", "executedQty": "0", "cummulativeQuoteQty": "0", "status": status,
        "timeInForce": "GTC", "type": "LIMIT", "side": side, "workingTime": 2 if status == "NEW" else -1, **more,
    }  # fmt: skip


def told(status: str, *reports: dict[str, Any]) -> dict[str, Any]:
    legs = [
        {
            "symbol": "BTCUSDT", "orderId": row["orderId"],
            "clientOrderId": row.get("origClientOrderId", row["clientOrderId"]),
        }
        for row in reports
    ]  # fmt: skip
    return {
        "orderListId": 7, "contingencyType": "OTO", "listStatusType": "RESPONSE", "listOrderStatus": status,
        "listClientOrderId": "mine", "transactionTime": 2, "symbol": "BTCUSDT", "orders": legs,
        "orderReports": list(reports),
    }  # fmt: skip


ACCEPTED = told("EXECUTING", report("working", 91, "BUY", "NEW"), report("pending", 92, "SELL", "PENDING_NEW"))
CANCELLED = told(
    "ALL_DONE",
    report("of-cancel", 91, "BUY", "CANCELED", origClientOrderId="working"),
    report("of-cancel", 92, "SELL", "CANCELED", origClientOrderId="pending"),
)


def placed(quiet: Simulator, connector: Any) -> OrderList:
    quiet.faults.answer("POST", OTO, 200, json.dumps(ACCEPTED))
    made: OrderList = connector.place_order_list(REQUEST)
    return made


def test_a_list_is_live_handles_on_its_orders(quiet: Simulator, connect: Connect) -> None:
    connector = connect(quiet)
    changes = connector.stream_orders()
    made = placed(quiet, connector)
    working, pending = made.orders
    assert (working.client_order_id, working.status, working.state.is_working) == ("working", "new", True)
    assert (pending.client_order_id, pending.status, pending.state.is_working) == ("pending", "new", False)
    assert (made.list_id, made.kind, made.status, made.is_terminal) == ("7", "oto", "executing", False)
    assert {working.state.list_id, pending.state.list_id} == {"7"}
    assert {changes.get(LIMIT).client_order_id for _ in range(4)} == {"working", "pending"}
    for list_id in ("mine", "7"):
        assert connector.order_list(list_id).orders[1].client_order_id == "pending"
    assert not made.wait(0.01)


def test_a_cancelled_list_ends_all_its_orders(quiet: Simulator, connect: Connect) -> None:
    connector = connect(quiet)
    seen: list[OrderListStatus] = []
    connector.on_order_list(lambda state: seen.append(state.status))
    made = placed(quiet, connector)
    quiet.faults.answer("DELETE", LIST, 200, json.dumps(CANCELLED))
    made.cancel()
    assert [order.status for order in made.orders] == ["canceled", "canceled"]
    assert (made.status, made.list_client_id, made.is_terminal, made.wait(0)) == ("all_done", "mine", True, True)
    eventually(lambda: seen == ["pending", "executing", "all_done"])
    with pytest.raises(OrderRejected) as caught:
        connector.cancel_order_list("mine")
    assert caught.value.outcome == "not_sent"


def test_a_refused_list_leaves_no_order_open(quiet: Simulator, connect: Connect) -> None:
    connector = connect(quiet)
    body = {"code": -2010, "msg": "Account has insufficient balance for requested action."}
    quiet.faults.answer("POST", OTO, 400, json.dumps(body))
    with pytest.raises(OrderRejected) as caught:
        connector.submit_order_list(REQUEST).result(LIMIT)
    assert (caught.value.outcome, caught.value.code) == ("refused", "insufficient_balance")
    assert [state.status for state in connector.orders.history()] == ["rejected", "rejected"]
    assert connector.order_list("mine").status == "rejected"
    with pytest.raises(ValidationError, match="used before"):
        connector.place_order_list(REQUEST)


def test_every_order_of_a_list_without_an_answer_is_unknown_and_looked_for(quiet: Simulator, connect: Connect) -> None:
    """(faults F067, F068, F112)"""
    connector = connect(quiet)
    quiet.faults.answer("POST", OTO, 503, "busy")
    with pytest.raises(OutcomeUnknown) as caught:
        connector.place_order_list(REQUEST, timeout=1.0)
    made = caught.value.result
    assert [order.status for order in made.orders] == ["unknown", "unknown"]
    # What the exchange did with the request that nobody saw it take.
    for name, side, price in (("working", "BUY", "50000"), ("pending", "SELL", "70000")):
        params = {"symbol": "BTCUSDT", "side": side, "type": "LIMIT", "timeInForce": "GTC", "quantity": "0.01",
                  "price": price, "newClientOrderId": name}  # fmt: skip
        connector.request("POST", ORDER, params, signed=True)
    for order in made.orders:
        assert order.wait("new", LIMIT)


def test_a_list_whose_orders_are_found_in_time_is_placed(quiet: Simulator, connect: Connect) -> None:
    connector = connect(quiet)
    quiet.faults.answer("POST", OTO, 503, "busy")
    body = {key: value for key, value in ACCEPTED.items() if key != "orderReports"}
    quiet.faults.answer("GET", LIST, 200, json.dumps(body))
    future = connector.submit_order_list(REQUEST, timeout=LIMIT)
    eventually(lambda: {state.status for state in connector.orders.history()} == {"unknown"})
    for name, side, price in (("working", "BUY", "50000"), ("pending", "SELL", "70000")):
        params = {"symbol": "BTCUSDT", "side": side, "type": "LIMIT", "timeInForce": "GTC", "quantity": "0.01",
                  "price": price, "newClientOrderId": name}  # fmt: skip
        connector.request("POST", ORDER, params, signed=True)
    made = future.result(LIMIT)
    assert [order.status for order in made.orders] == ["new", "new"]
    assert (made.list_id, made.status) == ("7", "executing"), "asked for, because the answer did not tell"


def test_a_cancel_of_a_list_without_an_answer_is_unknown(quiet: Simulator, connect: Connect) -> None:
    connector = connect(quiet)
    made = placed(quiet, connector)
    quiet.faults.answer("DELETE", LIST, 503, "busy")
    with pytest.raises(OutcomeUnknown) as caught:
        made.cancel(timeout=1.0)
    assert caught.value.result.list_client_id == "mine"
    assert [order.status for order in made.orders] == ["new", "new"]


def test_each_order_of_a_list_is_asked_of_the_risk_rules(quiet: Simulator, connect: Connect) -> None:
    connector = connect(quiet, risk=RiskLimits(max_order_notional=Decimal(600)))
    with pytest.raises(RiskRejected):
        connector.place_order_list(REQUEST)
    assert connector.orders.history() == []


def test_an_order_that_sells_what_is_received_is_judged_by_what_is_bought(quiet: Simulator, connect: Connect) -> None:
    connector = connect(quiet, risk=RiskLimits(max_order_notional=Decimal(600)))
    sale = OrderRequest.limit("BTC-USDT", "sell", "received", "70000")
    with pytest.raises(RiskRejected, match="700"):
        connector.place_order_list(OrderListRequest.opo(WORKING, sale))


def test_an_id_that_is_taken_leaves_no_order_of_the_list_open(quiet: Simulator, connect: Connect) -> None:
    connector = connect(quiet)
    connector.place_order(OrderRequest.limit("BTC-USDT", "buy", "0.01", "50000", client_order_id="pending"))
    with pytest.raises(ValidationError):
        connector.place_order_list(REQUEST)
    working = connector.orders.get("working")
    assert working is not None
    assert (working.status, working.reason) == ("rejected", "not sent: another order with it could not be entered")


def test_what_is_no_list_is_told(quiet: Simulator, connect: Connect) -> None:
    connector = connect(quiet)
    for call in (
        lambda: connector.place_order_list(WORKING),  # type: ignore[arg-type]
        lambda: connector.cancel_order_list("nobody"),
        lambda: connector.order_list("nobody"),
    ):
        with pytest.raises(ValidationError):
            call()


def test_a_list_is_known_after_the_connector_stopped(quiet: Simulator, connect: Connect) -> None:
    connector = connect(quiet)
    made = placed(quiet, connector)
    connector.stop()
    assert (made.status, made.list_id) == ("executing", "7")
    assert "executing" in repr(made)
    with pytest.raises(ConnectorStopped):
        made.cancel()
    connector.start()
    connector.wait_ready(LIMIT)
    assert connector.order_list("7").list_client_id == "mine"


def test_what_became_of_a_list_while_the_stream_was_lost_is_asked_for(quiet: Simulator, connect: Connect) -> None:
    """(fault F112)"""
    connector = connect(quiet)
    made = placed(quiet, connector)
    body = {key: value for key, value in CANCELLED.items() if key != "orderReports"}
    quiet.faults.answer("GET", LIST, 200, json.dumps(body))
    quiet.faults.drop_connections("ws_api")
    eventually(lambda: made.status == "all_done")


def test_a_list_that_cannot_be_asked_for_holds_up_nothing(quiet: Simulator, connect: Connect) -> None:
    connector = connect(quiet)
    told_of: list[str] = []
    connector.on_error(lambda event: told_of.append(event.where))
    placed(quiet, connector)
    quiet.faults.answer("GET", LIST, 400, json.dumps({"code": -2013, "msg": "Order list does not exist."}), count=9)
    quiet.faults.drop_connections("ws_api")
    eventually(lambda: "order mine" in told_of)
    connector.wait_ready(LIMIT)


def test_open_lists_of_elsewhere_are_shown_with_their_orders(quiet: Simulator, connect: Connect) -> None:
    connector = connect(quiet)
    body = {key: value for key, value in ACCEPTED.items() if key != "orderReports"}
    rows = [{**row, "time": 1, "updateTime": 2, "isWorking": True} for row in ACCEPTED["orderReports"]]
    quiet.faults.answer("GET", "/api/v3/openOrderList", 200, json.dumps([body]))
    quiet.faults.answer("GET", "/api/v3/openOrders", 200, json.dumps(rows))
    (found,) = connector.fetch_open_order_lists()
    assert (found.list_id, [order.client_order_id for order in found.orders]) == ("7", ["working", "pending"])
    assert not any(order.state.is_own for order in found.orders)


def test_a_list_whose_sending_is_interrupted_is_looked_for_order_by_order(quiet: Simulator, connect: Connect) -> None:
    """(faults F112, F129)"""
    connector = connect(quiet)

    def interrupt() -> None:
        raise KeyboardInterrupt

    with installed("order.after_intent", interrupt), pytest.raises(KeyboardInterrupt):
        connector.place_order_list(REQUEST)
    assert [state.status for state in connector.orders.history()] == ["unknown", "unknown"]
    other = OrderRequest.limit("BTC-USDT", "buy", "0.01", "50000", client_order_id="first")
    order = connector.place_order(other)
    with installed("order.after_intent", interrupt), pytest.raises(KeyboardInterrupt):
        connector.replace_order(order, OrderRequest.limit("BTC-USDT", "buy", "0.01", "49000", client_order_id="next"))
    new = connector.orders.get("next")
    assert new is not None
    assert (new.status, order.status) == ("unknown", "new")
