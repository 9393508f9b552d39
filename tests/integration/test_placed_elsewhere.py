"""What another program does with the account while the account stream of this one is lost."""

from __future__ import annotations

from decimal import Decimal

from exconn_sync import Connector, OrderRequest
from exconn_sync.metrics import MemoryMetrics
from exconn_sync.model.orders import Fill
from exconn_sync.simulator import Simulator
from tests.integration.conftest import LIMIT, Connect
from tests.quiet import quiet_exchange
from tests.simulator.clients import eventually

BTC = "BTC-USDT"
HISTORY = "/api/v3/allOrders"
LOGIN = ("WS", "userDataStream.subscribe.signature")


def comparisons(connector: Connector) -> int:
    assert isinstance(connector.metrics, MemoryMetrics)
    return connector.metrics.counts()["reconciliations{exchange=binance}"]


def asked(exchange: Simulator) -> int:
    return sum(request.path == HISTORY for request in exchange.request_log())


def lose_the_stream(connector: Connector, exchange: Simulator) -> None:
    """Cut the account streams and return when that has been noticed."""
    exchange.faults.drop_connections("ws_api")
    eventually(lambda: not connector.ready.is_set())


def test_an_order_that_came_and_ended_elsewhere_meanwhile_is_found(quiet: Simulator, connect: Connect) -> None:
    """It stands in no list of open orders, and the stream does not repeat it (faults F098, F100)."""
    connector, other = connect(quiet), connect(quiet)
    told: list[Fill] = []
    connector.on_fill(told.append)
    connector.place_order(OrderRequest.limit(BTC, "buy", "0.01", "50000"))
    assert asked(quiet) == 0, "nothing was missed yet"
    with quiet.faults.delay(*LOGIN, 1.0):
        lose_the_stream(connector, quiet)
        other.place_order(OrderRequest.limit(BTC, "buy", "0.02", "60010", client_order_id="elsewhere"))
    connector.wait_ready(LIMIT)
    found = connector.orders.get("elsewhere")
    assert found is not None
    assert (found.status, found.filled_quantity, found.is_own) == ("filled", Decimal("0.02"), False)
    bought = Decimal("0.02") - sum(fill.fee for fill in connector.fills(BTC))
    assert connector.positions[BTC].quantity == bought
    eventually(lambda: [fill.quantity for fill in told] == [Decimal("0.02")])


def test_what_was_missed_is_asked_for_once_after_each_loss(quiet: Simulator, connect: Connect) -> None:
    """A comparison at the interval asks nobody for the past, and one that failed asks only for what is left (F099)."""
    connector = connect(quiet, metrics=MemoryMetrics())
    connector.place_order(OrderRequest.limit(BTC, "buy", "0.01", "50000"))
    quiet.faults.answer("GET", HISTORY, 500, "", count=2)
    lose_the_stream(connector, quiet)
    connector.wait_ready(LIMIT)
    after_the_loss = asked(quiet)
    assert after_the_loss == 1, "the two that failed are not in the log"
    done = comparisons(connector)
    connector._core.assembly.reconciler.doubt()
    eventually(lambda: comparisons(connector) > done)
    assert asked(quiet) == after_the_loss


def test_comparisons_say_what_they_cost(quiet: Simulator, connect: Connect) -> None:
    """80 for all open orders, 20 for the balances (Binance: 5.6)."""
    connector = connect(quiet, metrics=MemoryMetrics())
    assert isinstance(connector.metrics, MemoryMetrics)
    cost = connector.metrics.counts()["reconciliation.cost{exchange=binance,limit=REQUEST_WEIGHT}"]
    assert cost == 100 * comparisons(connector)


def test_it_is_found_on_bybit_as_well(connect: Connect) -> None:
    """(faults F098, F100)"""
    with quiet_exchange("bybit") as bybit:
        connector = connect(bybit, metrics=MemoryMetrics())
        other = connect(bybit)
        assert connector.place_order(OrderRequest.limit(BTC, "buy", "0.01", "50000")).wait("new", LIMIT)
        with bybit.faults.delay("WS", "auth", 1.0):
            bybit.faults.drop_connections("private")
            eventually(lambda: not connector.ready.is_set())
            other.place_order(OrderRequest.limit(BTC, "buy", "0.02", "60010", client_order_id="elsewhere"))
        connector.wait_ready(LIMIT)
        found = connector.orders.get("elsewhere")
        assert found is not None
        assert (found.status, found.filled_quantity, found.is_own) == ("filled", Decimal("0.02"), False)
        bought = Decimal("0.02") - sum(fill.fee for fill in connector.fills(BTC))
        assert connector.positions[BTC].quantity == bought
        assert connector.stop(LIMIT) == other.stop(LIMIT) == []
