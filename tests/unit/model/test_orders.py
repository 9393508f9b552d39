"""Order requests are checked when they are made."""

from __future__ import annotations

import dataclasses
import pickle
from decimal import Decimal
from typing import Any

import pytest

from exconn_sync.errors import ValidationError
from exconn_sync.model.enums import OrderStatus, OrderType, PegPrice, SelfTradePrevention, Side, TimeInForce
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


@pytest.mark.parametrize("kind", ["stop_limit", "take_profit_limit"])
def test_a_triggered_limit_order_may_follow_the_market(kind: str) -> None:
    made = getattr(OrderRequest, kind)("BTC-USDT", "sell", "1", "90", trailing_delta=250)
    assert (made.type, made.stop_price, made.trailing_delta) == (OrderType(kind), None, 250)
    both = getattr(OrderRequest, kind)("BTC-USDT", "sell", "1", "90", "95", "IOC", "mine", trailing_delta=250)
    assert (both.stop_price, both.time_in_force, both.client_order_id) == (Decimal(95), TimeInForce.IOC, "mine")


@pytest.mark.parametrize("kind", ["stop_market", "take_profit_market"])
def test_a_triggered_market_order_may_follow_the_market(kind: str) -> None:
    made = getattr(OrderRequest, kind)("BTC-USDT", "sell", "1", trailing_delta=250)
    assert (made.type, made.price, made.stop_price, made.trailing_delta) == (OrderType(kind), None, None, 250)


def test_a_pegged_order_has_no_price_of_its_own() -> None:
    order = OrderRequest.pegged("BTC-USDT", "buy", "1", "MARKET", 3, "IOC")
    assert (order.type, order.price, order.peg, order.peg_offset) == (OrderType.LIMIT, None, PegPrice.MARKET, 3)


def test_options_are_added_to_any_order_that_takes_them() -> None:
    plain = OrderRequest.limit("BTC-USDT", "buy", "1", "2", client_order_id="mine")
    order = plain.with_options(iceberg_quantity="0.1", self_trade_prevention="Expire_Both", strategy_id=0)
    assert (order.iceberg_quantity, order.self_trade_prevention) == (Decimal("0.1"), SelfTradePrevention.EXPIRE_BOTH)
    assert (order.strategy_id, order.client_order_id, plain.iceberg_quantity) == (0, "mine", None)
    assert plain.with_options(smart_routing=True).smart_routing
    with pytest.raises(ValidationError):
        plain.with_options(iceberg_quantity="1.5")


def test_an_order_may_sell_what_another_one_receives() -> None:
    order = OrderRequest.limit("BTC-USDT", "sell", "received", "2")
    assert (order.quantity, order.sells_received) == (None, True)
    assert dataclasses.replace(order, price=Decimal(3)).sells_received


def test_what_can_still_trade_is_what_neither_traded_nor_was_prevented() -> None:
    state = OrderState("binance", "BTC-USDT", ClientOrderId("c"), quantity=Decimal(5), filled_quantity=Decimal(2),
                       prevented_quantity=Decimal(1))  # fmt: skip
    assert state.open_quantity == 2
    assert dataclasses.replace(state, status=OrderStatus.EXPIRED).open_quantity == 0
    assert dataclasses.replace(state, quantity=None).open_quantity is None


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
    ("quote_quantity", {"quote_quantity": "5"}),
    ("price", {"type": "market"}),
    ("price", {"type": "stop_market", "stop_price": "1"}),
    ("stop_price", {"stop_price": "1"}),
    ("stop_price", {"type": "take_profit_limit"}),
    ("stop_price", {"type": "take_profit_market", "price": None}),
    ("time_in_force", {"type": "market", "price": None, "time_in_force": "GTC"}),
    ("trailing_delta", {"trailing_delta": 100}),
    ("trailing_delta", {"type": "stop_limit", "trailing_delta": 0}),
    ("trailing_delta", {"type": "stop_limit", "trailing_delta": "100"}),
    ("trailing_delta", {"type": "stop_limit", "trailing_delta": True}),
    ("iceberg_quantity", {"iceberg_quantity": "1.1"}),
    ("iceberg_quantity", {"iceberg_quantity": 0.5}),
    ("iceberg_quantity", {"type": "market", "price": None, "iceberg_quantity": "1"}),
    ("time_in_force", {"iceberg_quantity": "1", "time_in_force": "IOC"}),
    ("self_trade_prevention", {"self_trade_prevention": "fight"}),
    ("peg", {"peg": "middle", "price": None}),
    ("peg", {"peg": "market", "price": None, "post_only": True}),
    ("peg", {"type": "market", "price": None, "peg": "market"}),
    ("peg_offset", {"peg_offset": 1}),
    ("peg_offset", {"peg": "market", "price": None, "peg_offset": 101}),
    ("peg_offset", {"peg": "market", "price": None, "peg_offset": 0}),
    ("time_in_force", {"peg": "primary", "price": None, "time_in_force": "IOC"}),
    ("smart_routing", {"smart_routing": True, "post_only": True}),
    ("smart_routing", {"smart_routing": True, "type": "stop_limit", "stop_price": "1"}),
    ("smart_routing", {"smart_routing": "yes"}),
    (
        "quote_quantity",
        {"smart_routing": True, "type": "market", "quantity": None, "price": None, "quote_quantity": "1"},
    ),
    ("strategy_id", {"strategy_id": -1}),
    ("strategy_type", {"strategy_type": 2**63}),
    ("quantity", {"sells_received": True}),
    ("take_profit_limit_price", {"take_profit_limit_price": "3"}),
    ("stop_loss_limit_price", {"take_profit": "3", "stop_loss_limit_price": "1"}),
    ("take_profit", {"type": "market", "price": None, "take_profit": "3"}),
    ("stop_loss", {"type": "stop_limit", "stop_price": "1", "stop_loss": "1"}),
    ("take_profit", {"take_profit": "1", "stop_loss": "1"}),
    ("take_profit", {"side": "sell", "take_profit": "3", "stop_loss": "2"}),
    ("stop_loss", {"stop_loss": 1.5}),
    ("stop_loss", {"stop_loss": 0}),
    ("client_order_id", {"client_order_id": ""}),
    ("client_order_id", {"client_order_id": "a b"}),
    ("client_order_id", {"client_order_id": "x" * 37}),
    ("client_order_id", {"client_order_id": "é"}),
    ("client_order_id", {"client_order_id": "x\n"}),
    ("client_order_id", {"client_order_id": 7}),
]


def test_a_market_order_with_both_quantities_is_told_that_it_is_one_too_many() -> None:
    with pytest.raises(ValidationError, match="does not go with quote_quantity"):
        OrderRequest.market("BTC-USDT", "buy", "1", quote_quantity="5")
    with pytest.raises(ValidationError, match="needs quantity or quote_quantity"):
        OrderRequest.market("BTC-USDT", "buy")


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
