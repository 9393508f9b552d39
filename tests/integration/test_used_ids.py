"""Client ids that an earlier run, or another program, has used: orders are never taken for each other (F101, F102)."""

from __future__ import annotations

import pickle
from decimal import Decimal
from typing import Any

import pytest

from exconn_sync import (
    Connector,
    DuplicateOrder,
    ErrorEvent,
    OrderNotFound,
    OrderRequest,
    OutcomeUnknown,
    RiskLimits,
    RiskRejected,
    ValidationError,
)
from exconn_sync._runtime import faultpoints
from exconn_sync.simulator import Simulator
from tests.integration.conftest import LIMIT, Connect
from tests.simulator.clients import eventually

ORDER = "/api/v3/order"
limit = OrderRequest.limit


def earlier_run(connect: Connect, simulator: Simulator, price: str, quantity: str = "0.02") -> None:
    """Place an order with the id job-1 at a price, and end."""
    connector = connect(simulator)
    connector.place_order(limit("BTC-USDT", "buy", quantity, price, client_order_id="job-1"))
    assert connector.stop(LIMIT) == []
    simulator.faults.offset_clock(60_000)  # the next run begins a minute later


# --- the id of an order that has ended --------------------------------------------------------------------------------


def test_an_order_that_never_arrived_is_not_the_one_of_an_earlier_run(quiet: Simulator, connect: Connect) -> None:
    """(fault F102)"""
    earlier_run(connect, quiet, "60010")
    connector = connect(quiet)
    told: list[ErrorEvent] = []
    connector.on_error(told.append)
    quiet.faults.answer("POST", ORDER, 504, "gateway")
    with pytest.raises(OutcomeUnknown) as caught:
        connector.place_order(limit("BTC-USDT", "buy", "0.03", "50000", client_order_id="job-1"), timeout=3)
    order = caught.value.order
    assert (order.status, order.filled_quantity, order.exchange_order_id) == ("unknown", 0, None)
    eventually(lambda: any("used before" in str(event.error) for event in told))
    (earlier,) = quiet.accounts.orders()
    found = connector.orders.get(str(earlier.order_id))
    assert found is not None, "the order of the earlier run is known too, under a name of its own"
    assert (found.status, found.quantity, found.contradictions) == ("filled", Decimal("0.02"), ())


def test_an_order_whose_answer_is_lost_is_found_beside_the_one_of_an_earlier_run(
    quiet: Simulator, connect: Connect
) -> None:
    """(fault F102)"""
    earlier_run(connect, quiet, "60010")
    connector = connect(quiet)
    quiet.faults.execute_then_drop("POST", ORDER)
    order = connector.place_order(limit("BTC-USDT", "buy", "0.03", "50000", client_order_id="job-1"))
    assert (order.status, order.quantity, order.state.contradictions) == ("new", Decimal("0.03"), ())
    eventually(lambda: order.exchange_order_id == str(quiet.accounts.orders()[-1].order_id))


# --- the id of an order that is open ----------------------------------------------------------------------------------


def blind(connect: Connect, simulator: Simulator, **changes: Any) -> Connector:
    """Return a connector that knows nothing of orders of before: what it reads of open ones lags behind."""
    simulator.faults.answer("GET", "/api/v3/openOrders", 200, "[]", count=1000)
    return connect(simulator, **changes)


def test_an_id_refused_as_a_duplicate_means_the_order_that_has_it(quiet: Simulator, connect: Connect) -> None:
    """(fault F101)"""
    earlier_run(connect, quiet, "50000")
    connector = blind(connect, quiet)
    with pytest.raises(DuplicateOrder) as caught:
        connector.place_order(limit("BTC-USDT", "sell", "0.01", "70000", client_order_id="job-1"))
    order = caught.value.order
    shown = (order.status, order.side, order.quantity, order.price, order.state.is_own)
    assert shown == ("new", "buy", Decimal("0.02"), 50_000, False)
    assert order.state.contradictions == ()
    assert [state.client_order_id for state in connector.orders.open()] == ["job-1"]
    connector.cancel_order("job-1")
    assert [known.status.value for known in quiet.accounts.orders()] == ["canceled"]
    assert (order.status, caught.value.outcome) == ("canceled", "refused")
    assert pickle.loads(pickle.dumps(caught.value)).order is None


def test_an_order_of_a_duplicate_that_a_lagging_read_does_not_show_is_no_refused_one(
    quiet: Simulator, connect: Connect
) -> None:
    """Not found once proves nothing: what has the id may be the very order, delivered twice (faults F070, F101)."""
    earlier_run(connect, quiet, "50000")
    connector = blind(connect, quiet)
    told: list[str] = []
    connector.on_order(lambda state: told.append(state.status))
    quiet.faults.answer("GET", ORDER, 400, '{"code":-2013,"msg":"Order does not exist."}', count=1)
    with pytest.raises(DuplicateOrder) as caught:
        connector.place_order(limit("BTC-USDT", "buy", "0.01", "50001", client_order_id="job-1"))
    order = caught.value.order
    assert order.wait("new", LIMIT)
    assert (order.quantity, order.price, order.state.contradictions) == (Decimal("0.02"), 50_000, ())
    assert "rejected" not in told


def test_where_the_order_of_a_duplicate_cannot_be_asked_for_it_is_looked_for_on(
    quiet: Simulator, connect: Connect
) -> None:
    """(fault F101)"""
    earlier_run(connect, quiet, "50000")
    connector = blind(connect, quiet)
    quiet.faults.answer("GET", ORDER, 503, "busy", count=2)
    with pytest.raises(DuplicateOrder) as caught:
        connector.place_order(limit("BTC-USDT", "buy", "0.01", "50001", client_order_id="job-1"))
    order = caught.value.order
    assert order.wait("new", LIMIT), "never rejected: an order with this id is open"
    assert (order.quantity, order.price, order.state.contradictions) == (Decimal("0.02"), 50_000, ())


def test_an_order_refused_as_a_duplicate_counts_for_no_limit(quiet: Simulator, connect: Connect) -> None:
    """The order that has the id is not ours, and the kill switch leaves it alone (faults F100, F101)."""
    earlier_run(connect, quiet, "50000")
    connector = blind(connect, quiet, risk=RiskLimits(max_open_orders=1, max_position=Decimal("0.02")))
    with pytest.raises(DuplicateOrder):
        connector.place_order(limit("BTC-USDT", "buy", "0.01", "50001", client_order_id="job-1"))
    ours = connector.place_order(limit("BTC-USDT", "buy", "0.02", "50000"))
    with pytest.raises(RiskRejected):
        connector.place_order(limit("BTC-USDT", "buy", "0.01", "50000"))
    assert connector.kill(timeout=LIMIT) == []
    assert ours.status == "canceled"
    assert connector.balances["USDT"].reserved == 0
    assert [state.client_order_id for state in connector.orders.open()] == ["job-1"]


def test_an_order_delivered_twice_is_no_duplicate_of_itself(quiet: Simulator, connect: Connect) -> None:
    """The first delivery was taken, the second refused, and that is the answer (fault F101)."""
    connector, other = connect(quiet), connect(quiet)
    params = {"symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT", "timeInForce": "GTC", "quantity": "0.02",
              "price": "50000", "newClientOrderId": "job-1"}  # fmt: skip
    with faultpoints.installed("order.after_intent", lambda: other.request("POST", ORDER, params, signed=True)):
        order = connector.place_order(limit("BTC-USDT", "buy", "0.02", "50000", client_order_id="job-1"))
    assert (order.status, order.state.contradictions, len(quiet.accounts.orders())) == ("new", (), 1)


# --- looking for an order of an earlier run ---------------------------------------------------------------------------


@pytest.mark.parametrize(("price", "status"), [("60010", "filled"), ("50000", "new")])
def test_an_order_of_an_earlier_run_is_found_by_its_id(
    price: str, status: str, quiet: Simulator, connect: Connect
) -> None:
    """(fault F100)"""
    earlier_run(connect, quiet, price)
    connector = blind(connect, quiet)
    with pytest.raises(ValidationError):
        connector.fetch_order("job-1")
    found = connector.fetch_order("job-1", symbol="BTC/USDT")
    assert (found.client_order_id, found.status, found.quantity) == ("job-1", status, Decimal("0.02"))
    assert connector.orders.get("job-1") == connector.fetch_order("job-1") == found
    if status == "new":
        connector.cancel_order("job-1")
        assert connector.fetch_order("job-1").status == "canceled"


def test_an_id_that_no_order_has_is_not_found(quiet: Simulator, connect: Connect) -> None:
    connector = connect(quiet)
    with pytest.raises(OrderNotFound):
        connector.fetch_order("job-9", symbol="BTC-USDT")
    assert connector.orders.get("job-9") is None
    order = connector.place_order(limit("BTC-USDT", "buy", "0.01", "50000", client_order_id="job-1"))
    for wrong in ("ETH-USDT", "NOPE-USDT"):
        with pytest.raises(ValidationError) as caught:
            connector.fetch_order(order, symbol=wrong)
        assert caught.value.field == "symbol"
    for odd in ("", "a b", "x" * 99, None):
        with pytest.raises(ValidationError) as caught:
            connector.fetch_order(odd, symbol="BTC-USDT")  # type: ignore[arg-type]
        assert caught.value.field == "order"
