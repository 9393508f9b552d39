"""Smart order routing through a connector: orders, fills without trades, and allocations (Binance: 5.10)."""

from __future__ import annotations

import time
from collections.abc import Iterator
from decimal import Decimal

import pytest

from exconn_sync import Connector, ExchangeError, Fill, Order, OrderRequest, ValidationError, WorkingFloor
from exconn_sync.simulator import Simulator
from exconn_sync.simulator.core.symbols import DEFAULT_SYMBOLS, spec_of
from tests.integration.conftest import LIMIT, Connect
from tests.simulator.clients import eventually

SOR = "/api/v3/sor/order"
USDC = spec_of("BTC", "USDC", tick="0.01", step="0.00001", min_notional="5", start_price="60000")
D = Decimal


@pytest.fixture
def quiet() -> Iterator[Simulator]:
    """BTCUSDT asks 60010, BTCUSDC asks 60005 for 0.3 BTC; the two are routed together."""
    with Simulator(running_market=False, symbols=(*DEFAULT_SYMBOLS, USDC)) as simulator:
        for symbol in ("BTCUSDT", "BTCUSDC"):
            simulator.market.clear(symbol)
        simulator.market.quote("BTCUSDT", "sell", 60010, 1)
        simulator.market.quote("BTCUSDC", "sell", 60005, "0.3")
        simulator.market.route("BTCUSDT", "BTCUSDC")
        yield simulator


def buying(quantity: str, price: str = "60020", client_order_id: str = "routed") -> OrderRequest:
    order = OrderRequest.limit("BTC-USDT", "buy", quantity, price, client_order_id=client_order_id)
    return order.with_options(smart_routing=True)


def ids(fills: list[Fill]) -> list[str]:
    return sorted(str(fill.trade_id) for fill in fills)


def free(connector: Connector, asset: str) -> Decimal:
    balance = connector.balances.get(asset)
    assert balance is not None
    return balance.free


def of_order(connector: Connector, order: Order) -> list[Fill]:
    return [fill for fill in connector.fills() if fill.exchange_order_id == order.exchange_order_id]


def test_a_routed_order_is_filled_by_allocations_once_each(quiet: Simulator, connect: Connect) -> None:
    """Answer, event and question tell the same executions; each is known once."""
    connector = connect(quiet)
    heard: list[Fill] = []
    connector.on_fill(heard.append)
    order = connector.place_order(buying("0.5"))
    assert order.wait("filled", LIMIT)
    eventually(lambda: len(heard) == 2)
    assert (order.filled_quantity, order.average_price) == (D("0.5"), D(60007))
    assert order.state.contradictions == ()
    assert order.state.working_floor == WorkingFloor.SMART_ROUTING
    listed = connector.fetch_allocations("BTC-USDT")
    assert ids(listed) == ids(heard) == ids(of_order(connector, order)) == ["allocation-0", "allocation-1"]
    assert [(fill.price, fill.quantity, fill.fee) for fill in listed] == [
        (D(60005), D("0.3"), D("0.0003")),
        (D(60010), D("0.2"), D("0.0002")),
    ]
    assert connector.fetch_fills("BTC-USDT") == [], "there was no trade"
    position = connector.positions.get("BTC-USDT")
    assert position is not None
    assert position.quantity == D("0.4995")
    eventually(lambda: free(connector, "BTC") == D("100.4995"))
    assert free(connector, "USDT") == D(1_000_000) - D("30003.5")


def test_what_rests_trades_as_any_order(quiet: Simulator, connect: Connect) -> None:
    connector = connect(quiet)
    order = connector.place_order(buying("2"))
    assert order.wait("partially_filled", LIMIT)
    quiet.market.trade("BTCUSDT", "sell", "0.1")
    eventually(lambda: order.filled_quantity == D("1.4"))
    (trade,) = connector.fetch_fills("BTC-USDT")
    assert (trade.is_maker, trade.quantity) == (True, D("0.1"))
    everything = ["allocation-0", "allocation-1", trade.trade_id]
    assert sorted(ids(of_order(connector, order))) == sorted(everything)
    assert [fill.trade_id for fill in connector.fetch_fills("BTC-USDT", order=order)] == everything
    order.cancel()
    assert (order.status, order.filled_quantity, order.state.contradictions) == ("canceled", D("1.4"), ())


def test_allocations_of_a_time(quiet: Simulator, connect: Connect) -> None:
    """Spans over a day are asked for in parts."""
    connector = connect(quiet)
    connector.place_order(buying("0.5"))
    hour, now = 3_600_000_000_000, time.time_ns()
    found = connector.fetch_allocations("BTC-USDT", start=now - 49 * hour)
    assert ids(found) == ["allocation-0", "allocation-1"]
    assert connector.fetch_allocations("BTC-USDT", start=now - 49 * hour, end=now - 48 * hour) == []
    asked = [seen for seen in quiet.request_log() if seen.path == "/api/v3/myAllocations"]
    assert len(asked) > 2


def test_the_test_of_a_routed_order_places_nothing(quiet: Simulator, connect: Connect) -> None:
    connector = connect(quiet)
    connector.test_order(buying("0.5"))
    assert connector.fetch_open_orders() == []
    assert [seen.path for seen in quiet.request_log() if seen.path.startswith(SOR)] == [f"{SOR}/test"]


def test_a_symbol_that_is_not_routed_is_refused_before_sending_and_by_the_exchange(
    quiet: Simulator, connect: Connect
) -> None:
    connector = connect(quiet)
    order = OrderRequest.limit("ETH-USDT", "buy", "0.1", "3000").with_options(smart_routing=True)
    with pytest.raises(ValidationError) as caught:
        connector.place_order(order)
    assert caught.value.field == "smart_routing"
    assert [seen for seen in quiet.request_log() if seen.path == SOR] == []
    # The pool is gone, which nobody knows here yet.
    quiet.market.route()
    with pytest.raises(ExchangeError) as refused:
        connector.place_order(buying("0.5"))
    assert (refused.value.outcome, refused.value.details["exchange_code"]) == ("refused", -1020)


def test_what_cannot_be_routed_is_not_sent(quiet: Simulator, connect: Connect) -> None:
    connector = connect(quiet)
    by_quote = OrderRequest.market("BTC-USDT", "buy", quote_quantity="100")
    with pytest.raises(ValidationError):
        connector.place_order(by_quote.with_options(smart_routing=True))
    assert [seen for seen in quiet.request_log() if seen.path == SOR] == []


def test_a_routed_order_whose_answer_is_lost_is_found_with_its_fills(quiet: Simulator, connect: Connect) -> None:
    """The private stream is silent too: only questions can tell (faults F067, F068)."""
    connector = connect(quiet)
    with quiet.faults.silence("userDataStream"):
        quiet.faults.execute_then_drop("POST", SOR)
        order = connector.place_order(buying("0.5"))
        assert order.wait("filled", LIMIT)
    quiet.faults.drop_connections("ws_api")
    eventually(lambda: len(of_order(connector, order)) == 2)
    assert ids(of_order(connector, order)) == ["allocation-0", "allocation-1"]
    assert order.filled_quantity == D("0.5")
    assert len(quiet.accounts.orders()) == 1
