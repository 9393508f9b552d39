"""What to look at after a silence (F098, F100, F103, F106)."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from exconn_sync._machines.reconcile import Plan, plan, unlisted
from exconn_sync.model.account import Balance
from exconn_sync.model.enums import FactSource, OrderStatus
from exconn_sync.model.ids import ClientOrderId, ExchangeOrderId
from exconn_sync.model.orders import OrderFact, OrderState
from tests.machines.make import order_fact


def held(
    name: str, status: OrderStatus = OrderStatus.NEW, filled: str = "0", exchange_id: str | None = None
) -> OrderState:
    return OrderState(
        "binance",
        "BTC-USDT",
        ClientOrderId(name),
        exchange_order_id=None if exchange_id is None else ExchangeOrderId(exchange_id),
        status=status,
        filled_quantity=Decimal(filled),
        is_own=True,
    )


def listed(name: str, exchange_id: str | None = None, symbol: str = "BTC-USDT") -> OrderFact:
    return replace(order_fact(exchange_order_id=exchange_id), client_order_id=ClientOrderId(name), symbol=symbol)


def test_nothing_is_to_do_where_both_agree() -> None:
    agreed = plan([held("a"), held("b", OrderStatus.FILLED, "1")], [listed("a")], {ClientOrderId("b"): Decimal("1.0")})
    assert agreed == Plan()
    assert agreed.is_empty


@pytest.mark.parametrize("status", list(OrderStatus))
def test_an_order_that_is_not_final_and_not_listed_is_looked_at(status: OrderStatus) -> None:
    assert plan([held("a", status)], [], {}).look_at == (() if status.is_terminal else ("a",))


def test_a_listed_order_nobody_knows_is_foreign() -> None:
    result = plan([held("a")], [listed("a"), listed("z"), listed("z")], {})
    assert result == Plan(foreign=(ClientOrderId("z"),))
    assert not result.is_empty


def test_a_renamed_order_is_recognized_by_the_exchanges_id() -> None:
    assert plan([held("a", exchange_id="7")], [listed("renamed", "7")], {}) == Plan()


def test_the_same_exchange_id_of_another_symbol_is_another_order() -> None:
    result = plan([held("a", exchange_id="7")], [listed("z", "7", "ETH-USDT")], {})
    assert result == Plan(look_at=(ClientOrderId("a"),), foreign=(ClientOrderId("z"),))


def test_orders_without_an_exchange_id_are_not_mixed_up() -> None:
    result = plan([held("a")], [listed("z")], {})
    assert result == Plan(look_at=(ClientOrderId("a"),), foreign=(ClientOrderId("z"),))


@pytest.mark.parametrize(("known", "is_asked"), [(None, True), ("2.9", True), ("3.0", False), ("4", False)])
def test_fills_are_asked_for_where_the_known_ones_do_not_add_up(known: str | None, is_asked: bool) -> None:
    sums = {} if known is None else {ClientOrderId("a"): Decimal(known)}
    result = plan([held("a", OrderStatus.CANCELED, "3")], [], sums)
    assert result == Plan(fills_for=(ClientOrderId("a"),) if is_asked else ())


def test_generators_are_read_once() -> None:
    result = plan((state for state in [held("a")]), (fact for fact in [listed("z")]), {})
    assert result == Plan(look_at=(ClientOrderId("a"),), foreign=(ClientOrderId("z"),))


def balance(asset: str, free: str, at: int) -> Balance:
    return Balance("bybit", asset, Decimal(free), Decimal(1), at, 9, FactSource.RECONCILIATION)


def test_an_asset_that_is_not_listed_any_more_is_empty() -> None:
    """Bybit lists coins of which there is something only (Bybit: 4.18)."""
    known = [balance("BTC", "1", 5), balance("USDT", "2", 6), balance("ETH", "3", 7)]
    (empty,) = unlisted(known, [balance("BTC", "1", 8), balance("ETH", "3", 10)])
    assert (empty.asset, empty.free, empty.locked, empty.exchange_time) == ("USDT", Decimal(0), Decimal(0), 10)
    assert unlisted(known, known) == []


def test_an_empty_list_has_no_time_and_says_nothing() -> None:
    assert unlisted([balance("BTC", "1", 5)], []) == []
