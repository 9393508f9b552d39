"""Client ids that an earlier run, or another program, has used: orders are never taken for each other (F101, F102)."""

from __future__ import annotations

from decimal import Decimal

import pytest

from exconn_sync import ErrorEvent, OrderRequest, OutcomeUnknown
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
    eventually(lambda: any("used before" in event.error.message for event in told))
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
