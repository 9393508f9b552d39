"""Orders that ended, or seem to have ended, while nobody told: they are asked for, and nothing is taken for granted."""

from __future__ import annotations

import pytest

from exconn_sync import Connector, Order, OrderNotFound, OrderRequest
from exconn_sync.simulator import Simulator
from tests.integration.conftest import LIMIT, Connect
from tests.simulator.clients import eventually

ORDER = "/api/v3/order"


def resting(connector: Connector) -> Order:
    return connector.place_order(OrderRequest.limit("BTC-USDT", "buy", "0.01", "60005"))


@pytest.mark.parametrize("end", ["filled", "canceled"])
def test_a_cancel_of_an_order_that_has_ended_was_refused(end: str, quiet: Simulator, connect: Connect) -> None:
    """The exchange does not know it any more: that is no cancel, and what became of it is found out (fault F094)."""
    connector = connect(quiet)
    order = resting(connector)
    with quiet.faults.silence("userDataStream"):
        if end == "filled":
            quiet.market.trade("BTCUSDT", "sell", "0.01")
        else:
            other = {"symbol": "BTCUSDT", "orderId": order.exchange_order_id or ""}
            connector.request("DELETE", ORDER, other, signed=True)
    assert order.status == "new"
    with pytest.raises(OrderNotFound) as caught:
        order.cancel()
    assert (caught.value.outcome, order.status) == ("refused", end)


def test_an_order_that_is_not_listed_is_asked_for(quiet: Simulator, connect: Connect) -> None:
    """It is open all the same: a list that does not hold it proves nothing (faults F070, F098)."""
    connector = connect(quiet)
    order = resting(connector)
    quiet.faults.answer("GET", "/api/v3/openOrders", 200, "[]")
    quiet.faults.drop_connections("ws_api")
    eventually(lambda: any((seen.method, seen.path) == ("GET", ORDER) for seen in quiet.request_log()))
    connector.wait_ready(LIMIT)
    assert (order.status, order.state.contradictions) == ("new", ())
    assert [state.client_order_id for state in connector.orders.open()] == [order.client_order_id]
