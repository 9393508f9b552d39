"""An order that is routed over several books takes an order of a list on another one: its list hears of it."""

from dataclasses import replace
from decimal import Decimal

from exconn_sync.simulator.core.events import BalanceEvent, Event, ListChange, ListEvent
from exconn_sync.simulator.core.order_lists import ListKind, NewOrderList
from exconn_sync.simulator.core.orders import NewOrder, OrderStatus, OrderType

from .test_routing import BUY, SELL, make_exchange, routed

D = Decimal
GOAL = NewOrder("BTCUSDC", SELL, OrderType.LIMIT_MAKER, "goal", quantity=D(2), price=D(30100))
STOP = NewOrder("BTCUSDC", SELL, OrderType.STOP_LOSS, "stop", quantity=D(2), stop_price=D(29000))
WORKING = NewOrder("BTCUSDC", SELL, OrderType.LIMIT, "working", quantity=D(1), price=D(30100))


def test_a_pair_on_another_book() -> None:
    exchange = make_exchange()
    placed = exchange.place_list("maker", NewOrderList(ListKind.OCO, "list", (STOP, GOAL)), 1)
    exchange.place("taker", routed(BUY, "1", "30100"), 2)
    stop, goal = exchange.orders_of(placed.order_list)
    assert (stop.status, goal.status) == (OrderStatus.EXPIRED, OrderStatus.PARTIALLY_FILLED)
    assert exchange.accounts["maker"].balance("BTC").locked == 1


def test_what_waits_on_another_book_is_placed_there() -> None:
    exchange = make_exchange()
    told: list[Event] = []
    exchange.listeners.append(told.append)
    pending = replace(WORKING, side=BUY, client_order_id="pending", price=D(29000))
    placed = exchange.place_list("maker", NewOrderList(ListKind.OTO, "list", (WORKING, pending)), 1)
    told.clear()
    exchange.place("taker", routed(BUY, "1", "30100"), 2)
    assert [order.status for order in exchange.orders_of(placed.order_list)] == [OrderStatus.FILLED, OrderStatus.NEW]
    assert exchange.markets["BTCUSDC"].book.best(BUY) == (D(29000), D(1))
    # Its balances are told together with those of the command that did it.
    (event,) = [event for event in told if isinstance(event, BalanceEvent) and event.account == "maker"]
    assert event.balances["USDC"].locked == 29000
    exchange.cancel_list(placed.order_list, 3)
    assert [event.change for event in told if isinstance(event, ListEvent)] == [ListChange.DONE]
