"""Order requests are checked when they are made."""

from __future__ import annotations

import dataclasses
import pickle
from decimal import Decimal
from typing import Any

import pytest

from exconn_sync.errors import ValidationError
from exconn_sync.model.enums import OrderStatus, OrderType, Side, TimeInForce
from exconn_sync.model.ids import ClientOrderId
from exconn_sync.model.orders import OrderRequest, OrderState


def test_a_limit_order_holds_exact_values() -> None:
    order = OrderRequest.limit("BTC-USDT", "BUY", "0.010", 58000, time_in_force="ioc", client_order_id="mine-1")
    assert (order.side, order.type, order.time_in_force) == (Side.BUY, OrderType.LIMIT, TimeInForce.IOC)
    assert (order.quantity, order.price, order.client_order_id) == (Decimal("0.01"), Decimal(58000), "mine-1")


def test_a_market_order_has_one_of_two_amounts() -> None:
    assert OrderRequest.market("BTC-USDT", "sell", "1").quantity == 1
    assert OrderRequest.market("BTC-USDT", "buy", quote_quantity=100).quote_quantity == 100


def test_stop_orders_hold_their_trigger() -> None:
    limit = OrderRequest.stop_limit("BTC-USDT", "sell", "1", "90", "95")
    assert (limit.price, limit.stop_price, limit.type) == (Decimal(90), Decimal(95), OrderType.STOP_LIMIT)
    market = OrderRequest.stop_market("BTC-USDT", "sell", "1", "95")
    assert (market.price, market.stop_price, market.type) == (None, Decimal(95), OrderType.STOP_MARKET)


BROKEN: list[tuple[str, dict[str, Any]]] = [
    ("symbol", {"symbol": ""}),
    ("symbol", {"symbol": None}),
    ("symbol", {"symbol": 10**5000}),
    ("side", {"side": "hold"}),
    ("side", {"side": None}),
    ("type", {"type": "iceberg"}),
    ("type", {"type": "other"}),
    ("quantity", {"quantity": None}),
    ("quantity", {"quantity": 0.5}),
    ("quantity", {"quantity": "0"}),
    ("quantity", {"quantity": "-1"}),
    ("quantity", {"type": "market", "price": None, "quantity": None}),
    ("quantity", {"type": "market", "price": None, "quote_quantity": "5"}),
    ("price", {"price": None}),
    ("price", {"price": "NaN"}),
    ("price", {"price": True}),
    ("price", {"type": "stop_limit", "price": None, "stop_price": "1"}),
    ("stop_price", {"type": "stop_limit"}),
    ("stop_price", {"type": "stop_market", "price": None}),
    ("stop_price", {"stop_price": "0"}),
    ("quote_quantity", {"type": "market", "price": None, "quantity": None, "quote_quantity": 1.5}),
    ("time_in_force", {"time_in_force": "GTX"}),
    ("time_in_force", {"post_only": True, "time_in_force": "IOC"}),
    ("post_only", {"type": "market", "price": None, "post_only": True}),
    ("client_order_id", {"client_order_id": ""}),
    ("client_order_id", {"client_order_id": "a b"}),
    ("client_order_id", {"client_order_id": "x" * 37}),
    ("client_order_id", {"client_order_id": "é"}),
    ("client_order_id", {"client_order_id": "x\n"}),
    ("client_order_id", {"client_order_id": 7}),
]


@pytest.mark.parametrize(("field", "change"), BROKEN, ids=[f"{field}-{len(change)}" for field, change in BROKEN])
def test_what_breaks_a_rule_is_named(field: str, change: dict[str, Any]) -> None:
    """(fault F179)"""
    values: dict[str, Any] = {"symbol": "BTC-USDT", "side": "buy", "type": "limit", "quantity": "1", "price": "2"}
    with pytest.raises(ValidationError) as caught:
        OrderRequest(**{**values, **change})
    assert caught.value.field == field


def test_a_post_only_order_stays_until_cancelled() -> None:
    assert OrderRequest.limit("BTC-USDT", "buy", "1", "2", post_only=True).post_only


def test_a_request_cannot_be_changed_and_can_be_pickled() -> None:
    order = OrderRequest.limit("BTC-USDT", "buy", "1", "2")
    with pytest.raises(dataclasses.FrozenInstanceError):
        order.price = Decimal(3)  # type: ignore[misc]
    assert pickle.loads(pickle.dumps(order)) == order
    assert hash(order) == hash(OrderRequest.limit("BTC-USDT", "buy", "1.0", "2"))


@pytest.mark.parametrize("status", OrderStatus)
def test_only_the_four_final_states_are_terminal(status: OrderStatus) -> None:
    state = OrderState("binance", "BTC-USDT", ClientOrderId("c"), status=status)
    assert state.is_terminal is (status.value in ("filled", "canceled", "expired", "rejected"))


def test_words_print_and_compare_as_their_text() -> None:
    assert [f"{Side.BUY}", str(Side.BUY), Side.BUY] == ["buy", "buy", "buy"]
    assert Side.of("side", "Sell") is Side.SELL
    with pytest.raises(ValidationError, match="buy, sell"):
        Side.of("side", "hold")
