"""Risk limits through a connector: what they refuse never reaches the exchange, and what ends gives back its part."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from exconn_sync import (
    Connector,
    Order,
    OrderListRequest,
    OrderRejected,
    OrderRequest,
    OutcomeUnknown,
    Proposal,
    RiskRejected,
)
from exconn_sync._live.wanted_terms import Wanted
from exconn_sync.config.risk_limits import RiskLimits
from exconn_sync.model.enums import FactSource, OrderStatus
from exconn_sync.model.orders import OrderFact, OrderState, own_statement
from exconn_sync.simulator import Simulator
from tests.integration.conftest import LIMIT, Connect
from tests.simulator.clients import eventually
from tests.unit.support import in_threads

limit = OrderRequest.limit
ORDER = "/api/v3/order"
BTC = "BTC-USDT"


def buy(quantity: str, price: str = "50000") -> OrderRequest:
    return limit(BTC, "buy", quantity, price)


def refused(call: Callable[[], Any], rule: str) -> RiskRejected:
    with pytest.raises(RiskRejected) as caught:
        call()
    assert (caught.value.rule, caught.value.outcome) == (rule, "not_sent")
    return caught.value


def limited(quiet: Simulator, connect: Connect, **limits: Any) -> Connector:
    return connect(quiet, risk=RiskLimits(**limits))


def test_fifty_threads_on_one_limit(quiet: Simulator, connect: Connect) -> None:
    connector = limited(quiet, connect, max_position="0.05", max_open_orders=40)
    outcomes: list[object] = []

    def place(index: int) -> None:
        try:
            outcomes.append(connector.place_order(buy("0.01"), timeout=LIMIT))
        except RiskRejected as error:
            outcomes.append(error.rule)

    in_threads(50, place)
    placed = [order for order in outcomes if isinstance(order, Order)]
    assert len(placed) == len(quiet.accounts.orders()) == 5
    assert outcomes.count("max_position") == 45
    placed[0].cancel()
    connector.place_order(buy("0.01"))
    refused(lambda: connector.place_order(buy("0.01")), "max_position")


def test_a_fill_becomes_position_and_selling_makes_room(quiet: Simulator, connect: Connect) -> None:
    connector = limited(quiet, connect, max_position="0.05")
    market = OrderRequest.market
    assert connector.order_book(BTC) is not None
    eventually(lambda: connector.order_book(BTC).is_valid)
    assert connector.place_order(market(BTC, "buy", "0.04")).wait(timeout=LIMIT)
    refused(lambda: connector.place_order(buy("0.02")), "max_position")
    assert connector.place_order(market(BTC, "sell", "0.03")).wait(timeout=LIMIT)
    connector.place_order(buy("0.04"))
    refused(lambda: connector.place_order(market(BTC, "buy", quote_quantity=100)), "max_position")


def test_an_unknown_order_keeps_its_part_until_it_is_resolved(quiet: Simulator, connect: Connect) -> None:
    connector = limited(quiet, connect, max_open_orders=1)
    quiet.faults.answer("POST", ORDER, 503, "busy")
    with pytest.raises(OutcomeUnknown) as caught:
        connector.place_order(buy("0.01"), timeout=1.0)
    order = caught.value.order
    refused(lambda: connector.place_order(buy("0.01")), "max_open_orders")
    # The library's own proof takes 17 s; what the reconciler states counts as well.
    connector._core.store.apply([_rejected(order.state)])
    connector.place_order(buy("0.01"))


def _rejected(state: OrderState) -> OrderFact:
    return own_statement(state, OrderStatus.REJECTED, "never arrived", 1)


def _stated(state: OrderState, **more: Any) -> OrderFact:
    return OrderFact(state.exchange, state.symbol, state.client_order_id, FactSource.ANSWER, 1, **more)


def test_what_the_exchange_refuses_gives_its_part_back(quiet: Simulator, connect: Connect) -> None:
    connector = limited(quiet, connect, max_open_orders=1, max_order_rate=(3, 1000))
    quiet.faults.answer("POST", ORDER, 400, '{"code": -2010, "msg": "Account has insufficient balance."}')
    with pytest.raises(OrderRejected):
        connector.place_order(buy("0.01"))
    assert connector.balances["USDT"].reserved == 0
    connector.place_order(buy("0.01"))
    refused(lambda: connector.place_order(buy("0.01")), "max_open_orders")


def test_a_replacement_is_judged_by_the_difference(quiet: Simulator, connect: Connect) -> None:
    connector = limited(quiet, connect, max_position="0.02", max_open_orders=1, check_balance=True)
    first = connector.place_order(buy("0.02"))
    refused(lambda: connector.replace_order(first, buy("0.03")), "max_position")
    refused(lambda: connector.replace_order(first, buy("0.01"), place_anyway=True), "max_open_orders")
    second = connector.replace_order(first, buy("0.02", "50100")).new
    assert (first.status, second.status) == ("canceled", "new")
    assert connector.amend_order(second, "0.01").quantity == Decimal("0.01")
    connector.replace_order(second, buy("0.02"))


class Asked:
    """A rule that notes what it was asked about."""

    name = "asked"

    def __init__(self) -> None:
        self.proposals: list[Proposal] = []

    def check(self, proposal: Proposal) -> None:
        self.proposals.append(proposal)


def amend(connector: Connector, order: Order, quantity: str, error: Exception | None = None) -> None:
    """Do what an amend does on an exchange that makes orders larger, which Binance does not."""
    core = connector._core
    instrument = connector.instruments.get(BTC)
    with core.assembly.risk.amending(order.state, instrument, Wanted(Decimal(quantity))):
        if error is not None:
            raise error
        # Later than all that the stream has said, by the exchange's own clock.
        at = core.assembly.server_clock.now_ns()
        core.store.apply([_stated(order.state, quantity=Decimal(quantity), exchange_time=at)])


def test_an_amend_to_more_needs_leave_and_one_to_less_does_not(quiet: Simulator, connect: Connect) -> None:
    asked = Asked()
    connector = connect(quiet, risk=RiskLimits(max_position=Decimal("0.04")), rules=(asked,))
    order = connector.place_order(buy("0.02"))
    eventually(lambda: any(entry.source == "stream" for entry in order.history))
    refused(lambda: amend(connector, order, "0.05"), "max_position")
    with pytest.raises(OrderRejected):
        amend(connector, order, "0.04", OrderRejected("no"))
    amend(connector, order, "0.03")
    refused(lambda: connector.place_order(buy("0.02")), "max_position")
    shown = [(each.order.quantity, each.replaces) for each in asked.proposals[1:]]
    assert shown == [(Decimal(wanted), order.client_order_id) for wanted in ("0.04", "0.03")]
    connector.amend_order(order, "0.01")
    connector.place_order(buy("0.03"))
    assert len(asked.proposals) == 4


def test_an_amend_whose_outcome_is_unknown_counts_until_the_order_ends(quiet: Simulator, connect: Connect) -> None:
    connector = limited(quiet, connect, max_position="0.04")
    order = connector.place_order(buy("0.01"))
    with pytest.raises(OutcomeUnknown):
        amend(connector, order, "0.03", OutcomeUnknown("no answer"))
    refused(lambda: connector.place_order(buy("0.02")), "max_position")
    order.cancel()
    connector.place_order(buy("0.04"))


def test_money_that_is_under_way_cannot_be_spent_twice(quiet: Simulator, connect: Connect) -> None:
    connector = limited(quiet, connect, check_balance=True)
    free = connector.balances["USDT"].free
    quiet.faults.answer("POST", ORDER, 503, "busy")
    most = str(int(free * 2 / 3 / 50000 * 1000) / Decimal(1000))
    with pytest.raises(OutcomeUnknown):
        connector.place_order(buy(most), timeout=1.0)
    shown = connector.balances["USDT"]
    assert shown.reserved == Decimal(most) * 50000
    assert shown.available == shown.free - shown.reserved
    error = refused(lambda: connector.place_order(buy(most)), "check_balance")
    assert "are free and not reserved" in error.message


def test_what_is_locked_is_not_reserved_as_well(quiet: Simulator, connect: Connect) -> None:
    connector = limited(quiet, connect, check_balance=True)
    total = connector.balances["USDT"].total
    connector.place_order(buy("0.1"))
    eventually(lambda: connector.balances["USDT"].locked == 5000)
    eventually(lambda: connector.balances["USDT"].reserved == 0)
    assert connector.balances["USDT"].available == total - 5000


def test_the_collar_needs_a_live_book_and_asks_for_it(quiet: Simulator, connect: Connect) -> None:
    connector = limited(quiet, connect, max_price_deviation="0.05")
    assert "cannot be judged" in refused(lambda: connector.place_order(buy("0.001")), "max_price_deviation").message
    # Nobody but the limit wants the book.
    eventually(lambda: connector.health().books.get(BTC) == "live")
    connector.place_order(buy("0.001"))
    refused(lambda: connector.place_order(buy("0.001", "63100")), "max_price_deviation")
    refused(lambda: connector.place_order(OrderRequest.market(BTC, "buy", "2")), "max_price_deviation")
    with quiet.faults.refuse_connections():
        quiet.faults.drop_connections("stream")
        eventually(lambda: not connector.order_book(BTC).is_valid)
        refused(lambda: connector.place_order(buy("0.001")), "max_price_deviation")
    eventually(lambda: connector.health().books.get(BTC) == "live")


def test_the_daily_loss_needs_prices_and_asks_for_them(quiet: Simulator, connect: Connect) -> None:
    connector = limited(quiet, connect, max_daily_loss=20)
    assert connector.place_order(OrderRequest.market(BTC, "buy", "0.1")).wait(timeout=LIMIT)
    eventually(lambda: bool(connector.fills()))
    error = refused(lambda: connector.place_order(buy("0.001")), "max_daily_loss")
    assert "without a price of BTC-USDT" in error.message
    eventually(lambda: connector.health().books.get(BTC) == "live")
    connector.place_order(buy("0.001")).cancel()
    # Bought at 60010 for a fee of 6, at a bid of 59800.
    quiet.market.clear("BTCUSDT")
    quiet.market.quote("BTCUSDT", "buy", 59800, 1)
    quiet.market.quote("BTCUSDT", "sell", 60010, 1)
    eventually(lambda: connector.order_book(BTC).best_bid == (Decimal(59800), Decimal(1)))
    assert "26.98 USDT were lost" in refused(lambda: connector.place_order(buy("0.001")), "max_daily_loss").message
    # The fee was paid in BTC, so less than that is held; to close it is allowed, and nothing else.
    refused(lambda: connector.place_order(OrderRequest.market(BTC, "sell", "0.1")), "max_daily_loss")
    assert connector.place_order(OrderRequest.market(BTC, "sell", "0.0999")).wait(timeout=LIMIT)


def test_orders_placed_elsewhere_count_for_nothing(quiet: Simulator, connect: Connect) -> None:
    """(fault F100)"""
    other = connect(quiet)
    foreign = other.place_order(buy("0.05"))
    connector = limited(quiet, connect, max_open_orders=1, max_position="0.01")
    eventually(lambda: connector.orders.get(foreign.client_order_id) is not None)
    connector.place_order(buy("0.01"))
    refused(lambda: connector.place_order(buy("0.01")), "max_open_orders")


def test_an_order_list_is_judged_as_a_whole(quiet: Simulator, connect: Connect) -> None:
    connector = limited(quiet, connect, max_open_orders=1)
    pair = OrderListRequest.oto(buy("0.01"), limit(BTC, "sell", "0.01", "70000"))
    refused(lambda: connector.place_order_list(pair), "max_open_orders")
    assert connector.orders.history() == []
    connector.place_order(buy("0.01"))


def test_profit_of_a_position_with_fees_in_the_base_asset(quiet: Simulator, connect: Connect) -> None:
    connector = connect(quiet)
    assert connector.profit(BTC).total == 0
    assert connector.place_order(OrderRequest.market(BTC, "buy", "0.1")).wait(timeout=LIMIT)
    eventually(lambda: bool(connector.positions))
    if not connector.order_book(BTC).is_valid:
        unknown = connector.profit("BTCUSDT")
        assert unknown.total is None or connector.order_book(BTC).is_valid
        eventually(lambda: connector.profit(BTC).total is not None)
    # 0.1 bought at 60010, 0.0001 of it the fee; the rest could be sold at 60000.
    profit = connector.profit("BTC/USDT")
    assert (profit.realized, profit.unrealized) == (Decimal("-6.001"), Decimal("-0.999"))
    assert profit.total == Decimal("-7")
