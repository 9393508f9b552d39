"""What becomes of an order list when something happens to one of its orders (Binance: 5.9)."""

from dataclasses import replace
from decimal import Decimal
from typing import NamedTuple

import pytest

from exconn_sync.simulator.core.commission import Discount, FeeRates
from exconn_sync.simulator.core.events import Event, Execution, ListChange, ListEvent, OrderEvent
from exconn_sync.simulator.core.exchange import Exchange
from exconn_sync.simulator.core.list_placing import PlacedList
from exconn_sync.simulator.core.order_lists import ListKind, NewOrderList
from exconn_sync.simulator.core.orders import (
    ExpiryReason,
    NewOrder,
    OrderStatus,
    OrderType,
    Peg,
    PegPrice,
    PreventionMode,
    Side,
    SimOrder,
    TimeInForce,
)
from exconn_sync.simulator.core.refusals import Reason, Refusal

from .venue_state import SYMBOL, check_invariants, current, limit, make_exchange, market, stop, trade_at

D = Decimal
GOAL = NewOrder(SYMBOL, Side.SELL, OrderType.LIMIT_MAKER, "goal", quantity=D("0.5"), price=D(61000))
STOP = replace(stop(OrderType.STOP_LOSS, Side.SELL, "0.5", "59000"), client_order_id="stop")
WORKING = limit(Side.BUY, "0.5", "59900", "working")
SALE = limit(Side.SELL, "0.5", "61000", "sale")
NEW, PENDING, FILLED = OrderStatus.NEW, OrderStatus.PENDING_NEW, OrderStatus.FILLED
EXPIRED, CANCELED = OrderStatus.EXPIRED, OrderStatus.CANCELED


class Told(NamedTuple):
    """What listeners heard about lists and their orders, in order."""

    what: Execution | ListChange
    client_id: str
    reason: ExpiryReason | None = None


@pytest.fixture
def exchange() -> Exchange:
    return make_exchange()


@pytest.fixture
def told(exchange: Exchange) -> list[Told]:
    heard: list[Told] = []

    def hear(event: Event) -> None:
        if isinstance(event, ListEvent):
            heard.append(Told(event.change, event.order_list.client_list_id))
        elif isinstance(event, OrderEvent) and event.order.list_id is not None:
            heard.append(Told(event.execution, event.order.client_order_id, event.order.expiry_reason))

    exchange.listeners.append(hear)
    return heard


def place(exchange: Exchange, kind: ListKind, *legs: NewOrder) -> PlacedList:
    placed = exchange.place_list("maker", NewOrderList(kind, "list", legs), 1)
    check_invariants(exchange)
    return placed


def statuses(exchange: Exchange, placed: PlacedList) -> list[OrderStatus]:
    check_invariants(exchange)
    return [current(exchange, order).status for order in placed.orders]


def is_done(exchange: Exchange, placed: PlacedList) -> bool:
    found = exchange.lists.get(placed.order_list.list_id)
    assert found is not None
    return found.is_done


def buy(exchange: Exchange, quantity: str, price: str, client_id: str = "b") -> SimOrder:
    return exchange.place("taker", limit(Side.BUY, quantity, price, client_id), 2)


def sell(exchange: Exchange, quantity: str, price: str, client_id: str = "s") -> SimOrder:
    return exchange.place("taker", limit(Side.SELL, quantity, price, client_id), 2)


# --- a pair ---------------------------------------------------------------------------------------------------------


def test_the_limit_order_trades_first_and_then_the_stop_loss_expires(exchange: Exchange, told: list[Told]) -> None:
    placed = place(exchange, ListKind.OCO, STOP, GOAL)
    buy(exchange, "0.2", "61000")
    assert statuses(exchange, placed) == [EXPIRED, OrderStatus.PARTIALLY_FILLED]
    assert not is_done(exchange, placed), "the rest still rests"
    buy(exchange, "0.3", "61000", "b2")
    assert is_done(exchange, placed)
    assert told == [
        Told(Execution.NEW, "stop"),
        Told(Execution.NEW, "goal"),
        Told(ListChange.STARTED, "list"),
        Told(Execution.TRADE, "goal"),
        Told(Execution.EXPIRED, "stop", ExpiryReason.OTHER_CAME_FIRST),
        Told(Execution.TRADE, "goal"),
        Told(ListChange.DONE, "list"),
    ]


def test_when_the_stop_loss_fires_the_limit_order_goes_first(exchange: Exchange, told: list[Told]) -> None:
    placed = place(exchange, ListKind.OCO, STOP, GOAL)
    trade_at(exchange, "59000")
    # Nobody buys: what was to be sold at any price expires.
    assert statuses(exchange, placed) == [EXPIRED, EXPIRED]
    assert told[3:] == [
        Told(Execution.EXPIRED, "goal", ExpiryReason.OTHER_CAME_FIRST),
        Told(Execution.TRIGGERED, "stop"),
        Told(Execution.EXPIRED, "stop", ExpiryReason.NO_LIQUIDITY),
        Told(ListChange.DONE, "list"),
    ]
    assert exchange.accounts["maker"].balance("BTC").locked == 0


def test_a_stop_loss_that_fires_into_the_book_is_the_only_one_to_trade(exchange: Exchange) -> None:
    placed = place(exchange, ListKind.OCO, STOP, GOAL)
    buy(exchange, "1", "58900")
    trade_at(exchange, "59000")
    assert statuses(exchange, placed) == [FILLED, EXPIRED]


def test_a_stop_limit_order_that_fired_keeps_its_list_open(exchange: Exchange) -> None:
    placed = place(exchange, ListKind.OCO, stop(OrderType.STOP_LOSS_LIMIT, Side.SELL, "0.5", "59000", "59500"), GOAL)
    trade_at(exchange, "59000")
    assert (statuses(exchange, placed), is_done(exchange, placed)) == ([NEW, EXPIRED], False)
    buy(exchange, "0.5", "59500")
    assert (statuses(exchange, placed), is_done(exchange, placed)) == ([FILLED, EXPIRED], True)


def test_a_buying_pair_locks_what_the_dearer_order_needs(exchange: Exchange) -> None:
    goal = NewOrder(SYMBOL, Side.BUY, OrderType.LIMIT_MAKER, "goal", quantity=D(2), price=D(59000))
    placed = place(exchange, ListKind.OCO, stop(OrderType.STOP_LOSS_LIMIT, Side.BUY, "2", "61000", "61500"), goal)
    balance = exchange.accounts["maker"].balance("USDT")
    assert balance.locked == D(2) * D(61500)
    sell(exchange, "0.5", "59000")
    assert statuses(exchange, placed) == [EXPIRED, OrderStatus.PARTIALLY_FILLED]
    assert exchange.accounts["maker"].balance("USDT").locked == D("1.5") * D(59000)


def test_a_pair_that_is_too_dear_is_refused_whole(exchange: Exchange) -> None:
    goal = NewOrder(SYMBOL, Side.BUY, OrderType.LIMIT_MAKER, "goal", quantity=D("16.5"), price=D(59000))
    dear = stop(OrderType.STOP_LOSS_LIMIT, Side.BUY, "16.5", "61000", "61500")
    with pytest.raises(Refusal) as caught:
        place(exchange, ListKind.OCO, dear, goal)
    assert caught.value.reason is Reason.INSUFFICIENT_BALANCE
    assert exchange.accounts["maker"].balance("USDT").locked == 0
    assert exchange.registry.open_orders("maker") == []


def test_a_take_profit_beside_a_stop_loss_ends_it_when_it_fires(exchange: Exchange, told: list[Told]) -> None:
    goal = stop(OrderType.TAKE_PROFIT_LIMIT, Side.SELL, "0.5", "61000", "61200")
    placed = place(exchange, ListKind.OCO, STOP, goal)
    trade_at(exchange, "61000")
    assert statuses(exchange, placed) == [EXPIRED, NEW]
    assert [what.what for what in told[3:]] == [Execution.EXPIRED, Execution.TRIGGERED]


def test_a_trailing_stop_in_a_pair(exchange: Exchange) -> None:
    placed = place(exchange, ListKind.OCO, stop(OrderType.STOP_LOSS, Side.SELL, "0.5", None, delta=100), GOAL)
    trade_at(exchange, "60500")
    buy(exchange, "1", "59000")
    trade_at(exchange, "59895", 3)
    assert statuses(exchange, placed) == [FILLED, EXPIRED]


def test_a_prevented_trade_ends_the_pair_too(exchange: Exchange) -> None:
    placed = place(exchange, ListKind.OCO, STOP, GOAL)
    taker = replace(limit(Side.BUY, "0.2", "61000"), prevention=PreventionMode.EXPIRE_MAKER)
    exchange.place("maker", taker, 2)
    assert statuses(exchange, placed) == [EXPIRED, OrderStatus.EXPIRED_IN_MATCH]
    assert is_done(exchange, placed)


def test_a_pair_of_which_the_fired_order_is_refused_is_over(exchange: Exchange) -> None:
    pegged = NewOrder(
        SYMBOL, Side.SELL, OrderType.STOP_LOSS_LIMIT, "stop", quantity=D("0.5"), stop_price=D(59000),
        peg=Peg(PegPrice.MARKET_PEG),
    )  # fmt: skip
    placed = place(exchange, ListKind.OCO, pegged, GOAL)
    trade_at(exchange, "59000")
    assert (statuses(exchange, placed), is_done(exchange, placed)) == ([EXPIRED, EXPIRED], True)
    assert current(exchange, placed.orders[0]).expiry_reason is ExpiryReason.REJECTED


def test_one_trade_that_fires_an_order_and_fills_its_partner_lets_only_one_of_them_work(
    exchange: Exchange, told: list[Told]
) -> None:
    """The same trade fires somebody else's order, which is older and buys from our limit order."""
    exchange.place("taker", stop(OrderType.TAKE_PROFIT, Side.BUY, "0.5", "59000"), 1)
    placed = place(exchange, ListKind.OCO, STOP, GOAL)
    trade_at(exchange, "59000", 3)
    assert statuses(exchange, placed) == [EXPIRED, FILLED]
    assert Execution.TRIGGERED not in [heard.what for heard in told]


# --- one triggers others --------------------------------------------------------------------------------------------


def test_what_is_pending_is_placed_once_the_working_order_is_filled_whole(exchange: Exchange, told: list[Told]) -> None:
    placed = place(exchange, ListKind.OTO, WORKING, SALE)
    assert statuses(exchange, placed) == [NEW, PENDING]
    sell(exchange, "0.2", "59900")
    assert statuses(exchange, placed) == [OrderStatus.PARTIALLY_FILLED, PENDING]
    assert exchange.markets[SYMBOL].book.best(Side.SELL) is None
    sell(exchange, "0.3", "59900", "s2")
    assert statuses(exchange, placed) == [FILLED, NEW]
    assert exchange.markets[SYMBOL].book.best(Side.SELL) == (D(61000), D("0.5"))
    buy(exchange, "0.5", "61000")
    assert is_done(exchange, placed)
    assert [heard.what for heard in told] == [
        Execution.NEW, Execution.NEW, ListChange.STARTED, Execution.TRADE, Execution.TRADE, Execution.ACTIVATED,
        Execution.TRADE, ListChange.DONE,
    ]  # fmt: skip


def test_a_pending_order_locks_nothing_and_is_refused_when_it_cannot_be_paid(exchange: Exchange) -> None:
    dear = limit(Side.BUY, "16", "60000", "dear")
    placed = place(exchange, ListKind.OTO, limit(Side.BUY, "1", "59900", "working"), dear)
    assert exchange.accounts["maker"].balance("USDT").locked == D(59900)
    sell(exchange, "1", "59900")
    assert statuses(exchange, placed) == [FILLED, EXPIRED]
    assert current(exchange, placed.orders[1]).expiry_reason is ExpiryReason.REJECTED
    assert is_done(exchange, placed)


def test_a_pending_market_order_trades_at_once(exchange: Exchange) -> None:
    placed = place(exchange, ListKind.OTO, WORKING, market(Side.SELL, "0.5"))
    buy(exchange, "1", "59000")
    sell(exchange, "0.5", "59900")
    assert statuses(exchange, placed) == [FILLED, FILLED]


def test_the_answer_to_a_list_that_fills_at_once_is_of_before(exchange: Exchange) -> None:
    sell(exchange, "1", "59900")
    placed = place(exchange, ListKind.OTO, WORKING, SALE)
    assert [order.status for order in placed.orders] == [FILLED, PENDING]
    assert statuses(exchange, placed) == [FILLED, NEW]


def test_a_working_order_that_expires_takes_the_pending_ones_with_it(exchange: Exchange, told: list[Told]) -> None:
    sell(exchange, "0.2", "59900")
    placed = place(exchange, ListKind.OTOCO, replace(WORKING, time_in_force=TimeInForce.IOC), STOP, GOAL)
    assert (statuses(exchange, placed), is_done(exchange, placed)) == ([EXPIRED] * 3, True)
    assert told[-4:] == [
        Told(Execution.EXPIRED, "working", ExpiryReason.UNFILLED_IOC),
        Told(Execution.EXPIRED, "stop", ExpiryReason.NEVER_PLACED),
        Told(Execution.EXPIRED, "goal", ExpiryReason.NEVER_PLACED),
        Told(ListChange.DONE, "list"),
    ]


def test_a_pair_is_placed_and_works_as_a_pair(exchange: Exchange) -> None:
    placed = place(exchange, ListKind.OTOCO, WORKING, STOP, GOAL)
    sell(exchange, "0.5", "59900")
    assert statuses(exchange, placed) == [FILLED, NEW, NEW]
    trade_at(exchange, "59000", 3)
    assert statuses(exchange, placed) == [FILLED, EXPIRED, EXPIRED]


@pytest.mark.parametrize(
    ("stop_price", "goal_price"), [("60000", "61000"), ("59000", "59900")], ids=["the stop", "the limit"]
)
def test_a_pair_that_does_not_fit_the_market_when_its_turn_comes_is_refused(
    exchange: Exchange, stop_price: str, goal_price: str
) -> None:
    legs = replace(STOP, stop_price=D(stop_price)), replace(GOAL, price=D(goal_price))
    placed = place(exchange, ListKind.OTOCO, WORKING, *legs)
    sell(exchange, "0.5", "59900")
    assert statuses(exchange, placed) == [FILLED, EXPIRED, EXPIRED]
    reasons = {current(exchange, order).expiry_reason for order in placed.orders[1:]}
    assert reasons == {ExpiryReason.REJECTED}


def test_a_pending_stop_order_waits_for_its_price(exchange: Exchange) -> None:
    placed = place(exchange, ListKind.OTO, WORKING, STOP)
    sell(exchange, "0.5", "59900")
    assert statuses(exchange, placed) == [FILLED, NEW]
    assert current(exchange, placed.orders[1]).working_at is None
    trade_at(exchange, "59000", 3)
    assert (current(exchange, placed.orders[1]).working_at, is_done(exchange, placed)) == (3, True)


def test_a_pending_peg_takes_its_price_when_it_is_placed(exchange: Exchange) -> None:
    pegged = replace(SALE, price=None, peg=Peg(PegPrice.PRIMARY_PEG))
    placed = place(exchange, ListKind.OTO, WORKING, pegged)
    sell(exchange, "0.1", "60700", "ask")
    sell(exchange, "0.5", "59900")
    assert current(exchange, placed.orders[1]).pegged_price == D(60700)
    assert statuses(exchange, placed) == [FILLED, NEW]


def test_a_pending_peg_is_judged_by_the_price_that_it_gets(exchange: Exchange) -> None:
    placed = place(exchange, ListKind.OTO, WORKING, replace(SALE, price=None, peg=Peg(PegPrice.PRIMARY_PEG)))
    sell(exchange, "0.1", "60700", "ask")
    exchange.markets[SYMBOL].spec = replace(exchange.markets[SYMBOL].spec, ask_multiplier_up=D("1.01"))
    sell(exchange, "0.5", "59900")
    assert statuses(exchange, placed) == [FILLED, EXPIRED]


def test_a_pending_peg_without_a_price_to_take_is_refused(exchange: Exchange) -> None:
    placed = place(exchange, ListKind.OTO, WORKING, replace(SALE, price=None, peg=Peg(PegPrice.PRIMARY_PEG)))
    sell(exchange, "0.5", "59900")
    assert statuses(exchange, placed) == [FILLED, EXPIRED]


def test_cancelling_the_working_order_cancels_the_list(exchange: Exchange, told: list[Told]) -> None:
    placed = place(exchange, ListKind.OTOCO, WORKING, STOP, GOAL)
    exchange.cancel(placed.orders[0], 2, "away")
    assert (statuses(exchange, placed), is_done(exchange, placed)) == ([CANCELED] * 3, True)
    assert told[-1].what is ListChange.DONE


# --- one pays for others --------------------------------------------------------------------------------------------


def free(exchange: Exchange, asset: str, account: str = "maker") -> Decimal:
    return exchange.accounts[account].balance(asset).free


def spend_all(exchange: Exchange) -> None:
    """Leave the account none of the goods free."""
    exchange.place("maker", limit(Side.SELL, "10", "90000", "all"), 1)


def opo(exchange: Exchange, sale: NewOrder, quantity: str = "0.50001") -> PlacedList:
    working = limit(Side.BUY, quantity, "59900", "working")
    return place(exchange, ListKind.OPO, working, replace(sale, quantity=None))


def test_what_is_received_stays_locked_and_is_sold(exchange: Exchange) -> None:
    placed = opo(exchange, SALE)
    before = free(exchange, "BTC")
    sell(exchange, "0.2", "59900")
    assert exchange.accounts["maker"].balance("BTC").locked == D("0.2")
    assert current(exchange, placed.orders[0]).received == D("0.2")
    # The commission came out of what was free, so all that was received can be sold.
    assert free(exchange, "BTC") == before - D("0.0002")
    sell(exchange, "0.30001", "59900", "s2")
    sale = current(exchange, placed.orders[1])
    assert (sale.status, sale.quantity) == (NEW, D("0.50001"))


def test_without_free_funds_the_commission_comes_out_of_what_is_received(exchange: Exchange) -> None:
    spend_all(exchange)
    placed = opo(exchange, SALE)
    sell(exchange, "1", "59900")
    sale = current(exchange, placed.orders[1])
    # 0.50001 less 0.1 %, in whole steps of 0.00001; the fraction of a step is free again.
    assert (sale.status, sale.quantity) == (NEW, D("0.49950"))
    assert free(exchange, "BTC") == D("0.50001") - D("0.00050001") - D("0.49950")


def test_a_commission_paid_in_another_asset_takes_nothing_off(exchange: Exchange) -> None:
    spend_all(exchange)
    exchange.deposit("maker", "BNB", D(100), 1)
    exchange.accounts["maker"].wants_discount = True
    exchange.fees.discount = Discount(share=D(0))
    placed = opo(exchange, SALE)
    sell(exchange, "1", "59900")
    assert current(exchange, placed.orders[1]).quantity == D("0.50001")


def test_a_sale_of_what_is_received_honours_the_steps_of_market_orders(exchange: Exchange) -> None:
    spec = exchange.markets[SYMBOL].spec
    exchange.markets[SYMBOL].spec = replace(spec, market_step=D("0.01"))
    placed = opo(exchange, market(Side.SELL, "1"))
    buy(exchange, "1", "59000")
    sell(exchange, "1", "59900", "s2")
    sale = current(exchange, placed.orders[1])
    assert (sale.status, sale.quantity) == (FILLED, D("0.50"))


def test_too_little_is_received_to_sell_it(exchange: Exchange) -> None:
    spec = exchange.markets[SYMBOL].spec
    spend_all(exchange)
    placed = opo(exchange, SALE, "0.001")
    exchange.markets[SYMBOL].spec = replace(spec, min_quantity=D("0.001"))
    sell(exchange, "1", "59900")
    sale = current(exchange, placed.orders[1])
    assert (sale.status, sale.expiry_reason) == (EXPIRED, ExpiryReason.REJECTED)
    assert exchange.accounts["maker"].balance("BTC").locked == D(10)


@pytest.mark.parametrize(("part", "status"), [("0.5", NEW), ("0.6", EXPIRED), ("0.004", EXPIRED)])
def test_parts_of_what_is_received_are_judged_once_it_is_known(
    exchange: Exchange, part: str, status: OrderStatus
) -> None:
    placed = opo(exchange, replace(SALE, iceberg_quantity=D(part)))
    sell(exchange, "1", "59900")
    assert statuses(exchange, placed) == [FILLED, status]


@pytest.mark.parametrize("ends", ["cancel", "expire"])
def test_what_was_received_is_free_when_the_list_ends_before(exchange: Exchange, ends: str) -> None:
    exchange.fees.rates = FeeRates(D(0), D(0))
    placed = opo(exchange, SALE)
    sell(exchange, "0.2", "59900")
    if ends == "cancel":
        exchange.cancel(current(exchange, placed.orders[1]), 3)
    else:
        taker = replace(limit(Side.SELL, "0.1", "59900"), prevention=PreventionMode.EXPIRE_MAKER)
        exchange.place("maker", taker, 3)
    assert is_done(exchange, placed)
    assert exchange.accounts["maker"].balance("BTC").locked == sum(
        order.remaining for order in exchange.registry.open_orders("maker")
    )
    check_invariants(exchange)


def test_what_is_received_pays_for_a_pair(exchange: Exchange) -> None:
    spend_all(exchange)
    stop_leg, goal = replace(STOP, quantity=None), replace(GOAL, quantity=None)
    placed = place(exchange, ListKind.OPOCO, limit(Side.BUY, "0.5", "59900", "working"), stop_leg, goal)
    sell(exchange, "0.5", "59900")
    assert [current(exchange, order).quantity for order in placed.orders[1:]] == [D("0.4995")] * 2
    buy(exchange, "0.4995", "61000")
    assert statuses(exchange, placed) == [FILLED, EXPIRED, FILLED]


# --- amending -------------------------------------------------------------------------------------------------------


def test_both_orders_of_a_pair_become_smaller(exchange: Exchange, told: list[Told]) -> None:
    placed = place(exchange, ListKind.OCO, STOP, GOAL)
    exchange.amend(placed.orders[0], D("0.3"), 2, "renamed")
    orders = [current(exchange, order) for order in placed.orders]
    assert [(order.quantity, order.client_order_id) for order in orders] == [
        (D("0.3"), "renamed"), (D("0.3"), "goal"),
    ]  # fmt: skip
    assert exchange.accounts["maker"].balance("BTC").locked == D("0.3")
    assert told[-1] == Told(ListChange.RENAMED, "list")
    assert exchange.markets[SYMBOL].book.best(Side.SELL) == (D(61000), D("0.3"))
    exchange.amend(orders[1], D("0.2"), 3, "goal")
    assert told[-1].what is Execution.REPLACED, "no id changed"
    check_invariants(exchange)


def test_a_buying_pair_gives_back_what_it_does_not_need_any_more(exchange: Exchange) -> None:
    goal = NewOrder(SYMBOL, Side.BUY, OrderType.LIMIT_MAKER, "goal", quantity=D(2), price=D(59000))
    placed = place(exchange, ListKind.OCO, stop(OrderType.STOP_LOSS_LIMIT, Side.BUY, "2", "61000", "61500"), goal)
    exchange.amend(placed.orders[1], D(1), 2)
    assert exchange.accounts["maker"].balance("USDT").locked == D(61500)
    check_invariants(exchange)


def test_orders_of_a_triggering_list_are_amended_apart(exchange: Exchange) -> None:
    placed = place(exchange, ListKind.OTOCO, WORKING, STOP, GOAL)
    exchange.amend(placed.orders[0], D("0.4"), 2)
    exchange.amend(placed.orders[1], D("0.3"), 2)
    check_invariants(exchange)
    assert [current(exchange, order).quantity for order in placed.orders] == [D("0.4"), D("0.3"), D("0.3")]
    sell(exchange, "0.4", "59900")
    assert statuses(exchange, placed) == [FILLED, NEW, NEW]


def test_what_will_be_received_cannot_be_amended_before(exchange: Exchange) -> None:
    placed = opo(exchange, SALE)
    with pytest.raises(Refusal) as caught:
        exchange.amend(placed.orders[1], D("0.1"), 2)
    assert caught.value.reason is Reason.PENDING_AMOUNT
    sell(exchange, "1", "59900")
    assert exchange.amend(current(exchange, placed.orders[1]), D("0.1"), 3).quantity == D("0.1")
    check_invariants(exchange)


def test_a_working_order_that_is_amended_to_what_is_filled_ends_its_list(exchange: Exchange) -> None:
    placed = place(exchange, ListKind.OTO, WORKING, SALE)
    sell(exchange, "0.2", "59900")
    exchange.amend(current(exchange, placed.orders[0]), D("0.2"), 3)
    assert (statuses(exchange, placed), is_done(exchange, placed)) == ([EXPIRED, EXPIRED], True)
