"""Stop, take-profit and trailing orders in the core: when they fire, what they lock, what becomes of them."""

from dataclasses import replace
from decimal import Decimal

import pytest

from exconn_sync.simulator.core.accounts import Balance
from exconn_sync.simulator.core.events import CommandEnded, Event, Execution, OrderEvent
from exconn_sync.simulator.core.exchange import Exchange
from exconn_sync.simulator.core.orders import ExpiryReason, OrderStatus, OrderType, Side, TimeInForce
from exconn_sync.simulator.core.refusals import Reason, Refusal

from .venue_state import SYMBOL, check_invariants, current, limit, make_exchange, stop, trade_at

D = Decimal
BUY, SELL = Side.BUY, Side.SELL


@pytest.fixture
def exchange() -> Exchange:
    """Somebody buys at 50000 and sells at 70000, so that what fires finds a market; the last price is 60000."""
    made = make_exchange()
    made.place("maker", limit(BUY, "1", "50000", "far-bid"), 0)
    made.place("maker", limit(SELL, "1", "70000", "far-ask"), 0)
    return made


@pytest.mark.parametrize(
    ("kind", "side", "stop_price", "quiet_price", "firing_price"),
    [
        (OrderType.STOP_LOSS, SELL, "59000", "59000.01", "59000"),
        (OrderType.STOP_LOSS, BUY, "61000", "60999.99", "61000"),
        (OrderType.TAKE_PROFIT, SELL, "61000", "60999.99", "61500"),
        (OrderType.TAKE_PROFIT, BUY, "59000", "59000.01", "58000"),
    ],
)
def test_a_stop_fires_when_the_last_trade_reaches_it(
    exchange: Exchange, kind: OrderType, side: Side, stop_price: str, quiet_price: str, firing_price: str
) -> None:
    waiting = exchange.place("taker", stop(kind, side, "0.1", stop_price), 1)
    assert (waiting.status, waiting.working_at) == (OrderStatus.NEW, None)
    trade_at(exchange, quiet_price, 2)
    assert current(exchange, waiting).status is OrderStatus.NEW
    trade_at(exchange, firing_price, 3)
    fired = current(exchange, waiting)
    assert (fired.status, fired.working_at, fired.filled_quantity) == (OrderStatus.FILLED, 3, D("0.1"))
    assert fired.filled_quote == (D(7000) if side is BUY else D(5000))
    check_invariants(exchange)


@pytest.mark.parametrize(
    ("kind", "side", "stop_price"),
    [
        (OrderType.STOP_LOSS, SELL, "60000"),
        (OrderType.STOP_LOSS, BUY, "59999.99"),
        (OrderType.TAKE_PROFIT, SELL, "59000"),
        (OrderType.TAKE_PROFIT, BUY, "60000"),
    ],
)
def test_a_stop_price_on_the_wrong_side_is_refused(
    exchange: Exchange, kind: OrderType, side: Side, stop_price: str
) -> None:
    with pytest.raises(Refusal) as refused:
        exchange.place("taker", stop(kind, side, "0.1", stop_price), 1)
    assert refused.value.reason is Reason.WOULD_TRIGGER
    assert exchange.registry.open_orders("taker") == []


def test_a_stop_limit_rests_at_its_limit_once_it_works(exchange: Exchange) -> None:
    waiting = exchange.place("taker", stop(OrderType.STOP_LOSS_LIMIT, BUY, "0.1", "61000", "60500"), 1)
    book = exchange.markets[SYMBOL].book
    assert book.best(BUY) == (D(50000), D(1))
    assert exchange.accounts["taker"].balance("USDT") == Balance(D(993_950), D(6050))
    trade_at(exchange, "61000", 2)
    assert book.best(BUY) == (D(60500), D("0.1"))
    assert current(exchange, waiting).working_at == 2
    check_invariants(exchange)


def test_a_stop_limit_keeps_its_time_in_force_until_it_fires(exchange: Exchange) -> None:
    order = stop(OrderType.STOP_LOSS_LIMIT, SELL, "0.1", "59000", "58000")
    waiting = exchange.place("taker", replace(order, time_in_force=TimeInForce.FOK), 1)
    assert waiting.is_open
    trade_at(exchange, "59000", 2)
    killed = current(exchange, waiting)
    assert (killed.status, killed.expiry_reason) == (OrderStatus.EXPIRED, ExpiryReason.UNFILLED_FOK)
    check_invariants(exchange)


def test_a_stop_that_is_canceled_never_fires_and_gives_its_lock_back(exchange: Exchange) -> None:
    waiting = exchange.place("taker", stop(OrderType.STOP_LOSS, SELL, "0.1", "59000"), 1)
    assert exchange.accounts["taker"].balance("BTC") == Balance(D("9.9"), D("0.1"))
    exchange.cancel(waiting, 2)
    assert exchange.accounts["taker"].balance("BTC") == Balance(D(10), D(0))
    trade_at(exchange, "58000", 3)
    assert current(exchange, waiting).status is OrderStatus.CANCELED


def test_stops_fire_one_another_within_one_command(exchange: Exchange) -> None:
    exchange.place("maker", limit(BUY, "0.1", "58500", "step"), 1)
    first = exchange.place("taker", stop(OrderType.STOP_LOSS, SELL, "0.1", "59000"), 1)
    second = exchange.place("taker", stop(OrderType.STOP_LOSS, SELL, "0.2", "58500"), 1)
    heard: list[Event] = []
    exchange.place("maker", limit(SELL, "0.001", "59000", "m"), 2)
    exchange.listeners.append(heard.append)
    exchange.place("taker", limit(BUY, "0.001", "59000", "t"), 2)
    assert [current(exchange, order).status for order in (first, second)] == [OrderStatus.FILLED] * 2
    told = [event.execution for event in heard if isinstance(event, OrderEvent) and event.order.type.is_stop]
    assert told == [Execution.TRIGGERED, Execution.TRADE, Execution.TRIGGERED, Execution.TRADE]
    assert len([event for event in heard if isinstance(event, CommandEnded)]) == 1
    check_invariants(exchange)


def test_what_fires_and_cannot_be_paid_is_rejected(exchange: Exchange) -> None:
    exchange.place("maker", limit(SELL, "5", "69000", "offer"), 1)
    waiting = exchange.place("taker", stop(OrderType.STOP_LOSS, BUY, "1", "61000"), 1)
    assert exchange.accounts["taker"].balance("USDT").locked == D(61000)
    exchange.place("taker", limit(BUY, "15.1", "62000", "rest"), 1)
    exchange.place("maker", limit(SELL, "0.1", "62000", "hit"), 2)
    rejected = current(exchange, waiting)
    assert (rejected.status, rejected.expiry_reason) == (OrderStatus.EXPIRED, ExpiryReason.REJECTED)
    assert rejected.working_at is None
    check_invariants(exchange)


def test_a_limit_that_is_too_far_away_when_it_fires_is_rejected(exchange: Exchange) -> None:
    waiting = exchange.place("taker", stop(OrderType.TAKE_PROFIT_LIMIT, BUY, "0.01", "55000", "290000"), 1)
    trade_at(exchange, "55000", 2)
    rejected = current(exchange, waiting)
    # Five times 55000 is less than 290000.
    assert (rejected.status, rejected.expiry_reason) == (OrderStatus.EXPIRED, ExpiryReason.REJECTED)
    check_invariants(exchange)


def test_at_most_five_stops_wait(exchange: Exchange) -> None:
    for number in range(5):
        exchange.place("taker", stop(OrderType.STOP_LOSS, SELL, "0.1", str(59000 - number)), 1)
    with pytest.raises(Refusal) as refused:
        exchange.place("taker", stop(OrderType.STOP_LOSS, SELL, "0.1", "58000"), 1)
    assert refused.value.detail == "MAX_NUM_ALGO_ORDERS"
    exchange.place("taker", limit(SELL, "0.1", "65000", "no stop"), 1)


@pytest.mark.parametrize(
    ("side", "prices", "fires_at"),
    [
        # A seller follows the highest price, 62000, and one per cent below is 61380.
        (SELL, ["61000", "62000", "61380.01", "61500", "61380"], "61380"),
        # A buyer follows the lowest price, 58000, and one per cent above is 58580.
        (BUY, ["59000", "58000", "58579.99", "58580"], "58580"),
    ],
)
def test_a_trailing_stop_follows_the_price_and_fires_on_the_way_back(
    exchange: Exchange, side: Side, prices: list[str], fires_at: str
) -> None:
    waiting = exchange.place("taker", stop(OrderType.STOP_LOSS, side, "0.1", None, delta=100), 1)
    assert waiting.trailing_since is None
    for now, price in enumerate(prices, start=2):
        trade_at(exchange, price, now)
        seen = current(exchange, waiting)
        assert seen.trailing_since == 2, "it follows from the first trade after it came"
        assert (seen.status is OrderStatus.FILLED) == (price == fires_at)
    check_invariants(exchange)


def test_a_trailing_stop_with_a_stop_price_follows_from_there(exchange: Exchange) -> None:
    waiting = exchange.place("taker", stop(OrderType.TAKE_PROFIT, SELL, "0.1", "62000", delta=100), 1)
    trade_at(exchange, "61999", 2)
    trade_at(exchange, "61000", 3)
    assert current(exchange, waiting).trailing_since is None
    trade_at(exchange, "62000", 4)
    trade_at(exchange, "61400", 5)
    assert (current(exchange, waiting).trailing_since, current(exchange, waiting).is_open) == (4, True)
    trade_at(exchange, "61380", 6)
    assert current(exchange, waiting).status is OrderStatus.FILLED


@pytest.mark.parametrize(
    ("delta", "failure"), [(9, "TRAILING_DELTA"), (10, None), (2000, None), (2001, "TRAILING_DELTA")]
)
def test_the_trailing_delta_has_bounds(exchange: Exchange, delta: int, failure: str | None) -> None:
    order = stop(OrderType.STOP_LOSS, SELL, "0.1", None, delta=delta)
    if failure is None:
        assert exchange.place("taker", order, 1).is_open
        return
    with pytest.raises(Refusal, match=failure):
        exchange.place("taker", order, 1)
