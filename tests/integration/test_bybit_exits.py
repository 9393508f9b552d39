"""Take-profit and stop-loss attached to a limit order, over real sockets (Bybit: 4.7, 4.8)."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

import pytest

from exconn_sync import Connector, Feature, Order, OrderRejected, OrderRequest, OrderState, ValidationError
from exconn_sync.simulator import Simulator
from tests.integration.conftest import LIMIT, Connect
from tests.quiet import quiet_exchange
from tests.simulator.clients import eventually

limit = OrderRequest.limit


@pytest.fixture
def bybit() -> Iterator[Simulator]:
    """BTCUSDT has one bid at 60000 and one ask at 60010, one BTC each; nothing moves by itself."""
    with quiet_exchange("bybit") as simulator:
        yield simulator


def working(order: Order) -> Order:
    assert order.wait(lambda state: state.status != "pending_new", LIMIT)
    return order


def exits(state: OrderState) -> tuple[object, ...]:
    return state.take_profit, state.take_profit_limit_price, state.stop_loss, state.stop_loss_limit_price


def waiting(connector: Connector) -> list[OrderState]:
    """Return the orders that wait for a price, the lowest first."""
    found = [state for state in connector.orders.open() if state.stop_price is not None]
    return sorted(found, key=lambda state: state.stop_price or Decimal(0))


def test_they_are_placed_by_the_exchange_and_followed_here(bybit: Simulator, connect: Connect) -> None:
    connector = connect(bybit)
    request = limit("BTC-USDT", "buy", "0.01", "60010")
    order = connector.place_order(request.with_options(take_profit="61000", stop_loss="59000"))
    assert order.wait("filled", LIMIT)
    assert exits(order.state) == (Decimal(61000), None, Decimal(59000), None)
    eventually(lambda: len(waiting(connector)) == 2)
    stop, goal = waiting(connector)
    assert (stop.type, stop.stop_price, goal.type, goal.stop_price) == (
        "stop_market", Decimal(59000), "take_profit_market", Decimal(61000),
    )  # fmt: skip
    assert {(state.side, state.quantity, state.is_working) for state in (stop, goal)} == {
        ("sell", Decimal("0.00999"), False)
    }
    assert not stop.is_own, "the exchange placed it"
    bybit.market.quote("BTCUSDT", "buy", 61000, 1)
    bybit.market.trade("BTCUSDT", "sell", "0.001")
    bybit.market.quote("BTCUSDT", "buy", 61000, 1)

    def status(of: OrderState) -> object:
        state = connector.orders.get(of.client_order_id)
        return None if state is None else state.status

    eventually(lambda: (status(goal), status(stop)) == ("filled", "expired"))
    ended = connector.orders.get(stop.client_order_id)
    assert ended is not None
    assert ended.reason == "CancelByOCOSlCanceledByTpTriggered"


def test_cancel_all_takes_what_was_placed_along(bybit: Simulator, connect: Connect) -> None:
    connector = connect(bybit)
    request = limit("BTC-USDT", "buy", "0.01", "60010")
    connector.place_order(request.with_options(take_profit="61000", stop_loss="59000")).wait("filled", LIMIT)
    eventually(lambda: len(waiting(connector)) == 2)
    connector.cancel_all("BTC-USDT", timeout=LIMIT)
    assert waiting(connector) == []
    assert connector.fetch_open_orders() == []


@pytest.mark.parametrize("via", ["rest", "socket"])
def test_they_are_changed_taken_away_and_added(bybit: Simulator, connect: Connect, via: str) -> None:
    connector = connect(bybit, commands=via)
    order = working(connector.place_order(limit("BTC-USDT", "buy", "0.01", "50000").with_options(take_profit="61000")))
    connector.amend_order(order, take_profit="62000", stop_loss="49000", stop_loss_limit_price="48900", timeout=LIMIT)
    assert exits(order.state) == (Decimal(62000), None, Decimal(49000), Decimal(48900))
    connector.amend_order(order, "0.02", take_profit=0, timeout=LIMIT)
    assert exits(order.state) == (None, None, Decimal(49000), Decimal(48900))
    assert order.state.quantity == Decimal("0.02")
    connector.submit_amend(order, stop_loss=0, timeout=LIMIT).result(LIMIT)
    assert exits(order.state) == (None,) * 4
    assert exits(connector.fetch_order(order)) == (None,) * 4
    assert order.state.contradictions == ()


def test_what_was_placed_elsewhere_shows_what_it_has_attached(bybit: Simulator, connect: Connect) -> None:
    first = connect(bybit)
    request = limit("BTC-USDT", "buy", "0.01", "50000")
    working(first.place_order(request.with_options(stop_loss="49000", stop_loss_limit_price="48900")))
    (found,) = connect(bybit).fetch_open_orders()
    assert exits(found) == (None, None, Decimal(49000), Decimal(48900))


def test_several_orders_each_with_its_own(bybit: Simulator, connect: Connect) -> None:
    connector = connect(bybit)
    request = limit("BTC-USDT", "buy", "0.01", "50000")
    results = connector.place_orders(
        [request.with_options(take_profit="61000"), request.with_options(stop_loss="49000")], timeout=LIMIT
    )
    orders = [working(result.order) for result in results if result.order is not None]
    assert [exits(connector.fetch_order(order)) for order in orders] == [
        (Decimal(61000), None, None, None),
        (None, None, Decimal(49000), None),
    ]


@pytest.mark.parametrize(
    ("field", "changes"),
    [
        ("take_profit", {"take_profit": "61000.001"}),
        ("stop_loss", {"stop_loss": "49000.001"}),
        ("stop_loss_limit_price", {"stop_loss": "49000", "stop_loss_limit_price": "48000.001"}),
        ("take_profit_limit_price", {"take_profit": "61000", "take_profit_limit_price": "61000.001"}),
    ],
)
def test_prices_off_the_grid_are_refused_here(
    bybit: Simulator, connect: Connect, field: str, changes: dict[str, str]
) -> None:
    connector = connect(bybit)
    request = limit("BTC-USDT", "buy", "0.01", "50000")
    with pytest.raises(ValidationError) as caught:
        connector.place_order(request.with_options(**changes))  # type: ignore[arg-type]
    assert (caught.value.field, caught.value.details["filter"]) == (field, "PRICE_FILTER")
    order = working(connector.place_order(request))
    with pytest.raises(ValidationError) as caught:
        connector.amend_order(order, **changes)  # type: ignore[arg-type]
    assert caught.value.field == field


def test_an_amend_to_what_could_not_be_placed_is_refused_here(bybit: Simulator, connect: Connect) -> None:
    connector = connect(bybit)
    order = working(connector.place_order(limit("BTC-USDT", "buy", "0.01", "50000").with_options(stop_loss="49000")))
    for changes in ({"take_profit": "48000"}, {"take_profit_limit_price": "61000"}, {"take_profit": -1}):
        with pytest.raises(ValidationError):
            connector.amend_order(order, **changes)
    stop = working(connector.place_order(OrderRequest.stop_market("BTC-USDT", "sell", "0.01", "58000")))
    with pytest.raises(ValidationError):
        connector.amend_order(stop, stop_loss="49000")


def test_an_amend_of_an_order_that_is_over_is_refused(bybit: Simulator, connect: Connect) -> None:
    connector = connect(bybit)
    order = working(connector.place_order(limit("BTC-USDT", "buy", "0.01", "50000")))
    order.cancel()
    with pytest.raises(OrderRejected):
        connector.amend_order(order, stop_loss="49000")


def test_binance_has_none_and_says_so_before_anything_is_sent(quiet: Simulator, connect: Connect) -> None:
    connector = connect(quiet)
    assert "take-profit" in connector.capabilities.limited["place_order"]
    assert not connector.instruments.get("BTC-USDT").offers(Feature.EXITS)
    before = len(quiet.request_log())
    with pytest.raises(ValidationError) as caught:
        connector.place_order(limit("BTC-USDT", "buy", "0.01", "50000").with_options(stop_loss="49000"))
    assert (caught.value.field, caught.value.outcome) == ("stop_loss", "not_sent")
    assert not [seen for seen in quiet.request_log()[before:] if seen.method == "POST"]
    order = connector.place_order(limit("BTC-USDT", "buy", "0.01", "50000"))
    with pytest.raises(ValidationError) as caught:
        connector.amend_order(order, "0.005", take_profit="61000")
    assert caught.value.field == "take_profit"
    assert not [seen for seen in quiet.request_log()[before:] if seen.method == "PUT"]
