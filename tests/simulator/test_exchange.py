"""The matching engine: what orders become, and where the money is."""

from decimal import Decimal

import pytest

from exconn_sync.simulator.core.accounts import Balance
from exconn_sync.simulator.core.events import BalanceEvent, Event, Execution, OrderEvent
from exconn_sync.simulator.core.exchange import Exchange
from exconn_sync.simulator.core.orders import ExpiryReason, NewOrder, OrderStatus, OrderType, Side, TimeInForce
from exconn_sync.simulator.core.refusals import Reason, Refusal

from .venue_state import SYMBOL, limit, make_exchange, market

D = Decimal


@pytest.fixture
def exchange() -> Exchange:
    return make_exchange()


def test_a_resting_order_locks_what_it_may_need(exchange: Exchange) -> None:
    exchange.place("maker", limit(Side.BUY, "0.5", "60000"), 1)
    exchange.place("maker", limit(Side.SELL, "0.25", "61000", "other"), 1)
    account = exchange.accounts["maker"]
    assert account.balance("USDT") == Balance(D(970_000), D(30_000))
    assert account.balance("BTC") == Balance(D("9.75"), D("0.25"))


def test_a_trade_moves_money_less_commission(exchange: Exchange) -> None:
    resting = exchange.place("maker", limit(Side.SELL, "1", "60000"), 1)
    taken = exchange.place("taker", limit(Side.BUY, "0.4", "60500", "t"), 2)
    assert (taken.status, taken.filled_quote) == (OrderStatus.FILLED, D(24000))
    partly = exchange.registry.get(SYMBOL, resting.order_id)
    assert partly is not None
    assert (partly.status, partly.remaining) == (OrderStatus.PARTIALLY_FILLED, D("0.6"))
    assert exchange.accounts["taker"].balance("USDT") == Balance(D(976_000), D(0))
    assert exchange.accounts["taker"].balance("BTC").free == D("10.3996")
    assert exchange.accounts["maker"].balance("USDT").free == D(1_023_976)
    assert exchange.accounts["maker"].balance("BTC") == Balance(D(9), D("0.6"))


def test_events_come_in_the_order_of_what_happened(exchange: Exchange) -> None:
    exchange.place("maker", limit(Side.SELL, "0.1", "60000"), 1)
    exchange.place("maker", limit(Side.SELL, "0.1", "60001", "second"), 1)
    heard: list[Event] = []
    exchange.listeners.append(heard.append)
    exchange.place("taker", market(Side.BUY, "0.3"), 2)
    own = [event for event in heard if isinstance(event, OrderEvent) and event.order.account == "taker"]
    assert [event.execution for event in own] == [Execution.NEW, Execution.TRADE, Execution.TRADE, Execution.EXPIRED]
    assert own[-1].order.expiry_reason is ExpiryReason.NO_LIQUIDITY
    assert own[-1].order.filled_quantity == D("0.2")
    balances = [event.account for event in heard if isinstance(event, BalanceEvent)]
    assert balances == ["taker", "maker"]
    assert heard.index(own[-1]) < min(heard.index(event) for event in heard if isinstance(event, BalanceEvent))


def test_time_in_force(exchange: Exchange) -> None:
    exchange.place("maker", limit(Side.SELL, "0.1", "60000"), 1)
    killed = exchange.place("taker", limit(Side.BUY, "0.2", "60000", "fok", TimeInForce.FOK), 2)
    assert (killed.status, killed.filled_quantity) == (OrderStatus.EXPIRED, D(0))
    partial = exchange.place("taker", limit(Side.BUY, "0.2", "60000", "ioc", TimeInForce.IOC), 3)
    assert (partial.status, partial.filled_quantity) == (OrderStatus.EXPIRED, D("0.1"))
    assert exchange.accounts["taker"].balance("USDT").locked == D(0)


@pytest.mark.parametrize(
    ("request_", "reason"),
    [
        (limit(Side.BUY, "20", "60000"), Reason.INSUFFICIENT_BALANCE),
        (limit(Side.SELL, "11", "60000"), Reason.INSUFFICIENT_BALANCE),
        (limit(Side.BUY, "0.1", "60000", "taken"), Reason.DUPLICATE_CLIENT_ID),
        (NewOrder(SYMBOL, Side.BUY, OrderType.LIMIT_MAKER, "", quantity=D(1), price=D(62000)), Reason.WOULD_TAKE),
        (limit(Side.BUY, "0.1", "60000.001"), Reason.FILTER),
        (NewOrder("NOPE", Side.BUY, OrderType.MARKET, "", quantity=D(1)), Reason.UNKNOWN_SYMBOL),
        (NewOrder(SYMBOL, Side.SELL, OrderType.MARKET, "", quote_quantity=D(100)), Reason.NO_LIQUIDITY),
    ],
)
def test_a_refusal_changes_nothing(exchange: Exchange, request_: NewOrder, reason: Reason) -> None:
    exchange.place("taker", limit(Side.SELL, "1", "61000", "taken"), 1)
    before = exchange.accounts["taker"].balances(), exchange.markets[SYMBOL].book.update_id
    with pytest.raises(Refusal) as refused:
        exchange.place("taker", request_, 2)
    assert refused.value.reason is reason
    assert (exchange.accounts["taker"].balances(), exchange.markets[SYMBOL].book.update_id) == before


def test_a_client_id_is_free_again_when_its_order_is_over(exchange: Exchange) -> None:
    first = exchange.place("taker", limit(Side.BUY, "0.1", "50000", "mine"), 1)
    canceled = exchange.cancel(first, 2, "the-cancel")
    assert (canceled.client_order_id, canceled.original_client_order_id) == ("the-cancel", "mine")
    assert exchange.accounts["taker"].balance("USDT") == Balance(D(1_000_000), D(0))
    assert exchange.registry.find("taker", SYMBOL, "mine") == canceled
    second = exchange.place("taker", limit(Side.BUY, "0.1", "50000", "mine"), 3)
    assert exchange.registry.find("taker", SYMBOL, "mine") == second
    with pytest.raises(Refusal):
        exchange.cancel(canceled, 4)


def test_a_trader_can_meet_an_own_order(exchange: Exchange) -> None:
    exchange.place("taker", limit(Side.SELL, "1", "60000", "a"), 1)
    exchange.place("taker", limit(Side.BUY, "1", "60000", "b"), 2)
    account = exchange.accounts["taker"]
    assert account.balance("BTC") == Balance(D("9.999"), D(0))
    assert account.balance("USDT") == Balance(D(999_940), D(0))


@pytest.mark.parametrize(
    ("side", "amount", "quantity"),
    [
        (Side.BUY, "90000", "1.4918"),
        (Side.BUY, "30000", "0.5"),
        (Side.BUY, "900000", "3"),
        (Side.SELL, "29000", "0.58"),
    ],
)
def test_quantity_for_an_amount_of_the_quote_is_in_whole_steps_and_affordable(
    exchange: Exchange, side: Side, amount: str, quantity: str
) -> None:
    exchange.place("maker", limit(Side.SELL, "1", "60000", "near"), 1)
    exchange.place("maker", limit(Side.SELL, "2", "61000", "far"), 1)
    exchange.place("maker", limit(Side.BUY, "1", "50000", "bid"), 1)
    order = exchange.place("taker", NewOrder(SYMBOL, side, OrderType.MARKET, "", quote_quantity=D(amount)), 2)
    assert (order.status, order.quantity) == (OrderStatus.FILLED, D(quantity))
    assert order.filled_quote <= D(amount)
