"""Lists of orders that depend on each other are checked when they are made."""

from __future__ import annotations

import pickle
from collections.abc import Callable

import pytest

from exconn_sync.errors import ValidationError
from exconn_sync.model.enums import OrderListKind
from exconn_sync.model.order_lists import OrderListRequest
from exconn_sync.model.orders import OrderRequest

BUY = OrderRequest.limit("BTC-USDT", "buy", "1", "100")
GOAL = OrderRequest.limit("BTC-USDT", "sell", "1", "120", post_only=True)
STOP = OrderRequest.stop_market("BTC-USDT", "sell", "1", "80")
ALL_GOAL = OrderRequest.limit("BTC-USDT", "sell", "received", "120", post_only=True)
ALL_STOP = OrderRequest.stop_limit("BTC-USDT", "sell", "received", "79", "80")


def test_the_upper_order_of_a_pair_stands_first() -> None:
    for pair in ((GOAL, STOP), (STOP, GOAL)):
        made = OrderListRequest.oco(*pair, list_id="mine")
        assert (made.kind, made.legs, made.list_id, made.symbol) == ("oco", (GOAL, STOP), "mine", "BTC-USDT")
    stop = OrderRequest.stop_market("BTC-USDT", "buy", "1", "120")
    goal = OrderRequest.take_profit_market("BTC-USDT", "buy", "1", "80")
    assert OrderListRequest.oco(goal, stop).legs == (stop, goal)


def test_every_kind_keeps_its_order_of_legs() -> None:
    assert OrderListRequest.oto(BUY, STOP).legs == (BUY, STOP)
    assert OrderListRequest.otoco(BUY, STOP, GOAL).legs == (BUY, GOAL, STOP)
    assert OrderListRequest.opo(BUY, ALL_GOAL).legs == (BUY, ALL_GOAL)
    assert OrderListRequest.opoco(BUY, ALL_STOP, ALL_GOAL).legs == (BUY, ALL_GOAL, ALL_STOP)


def test_a_level_that_follows_the_market_is_the_exchanges_to_judge() -> None:
    trailing = OrderRequest.stop_market("BTC-USDT", "sell", "1", trailing_delta=100)
    assert OrderListRequest.oco(GOAL, trailing).legs == (GOAL, trailing)


def test_a_list_can_be_pickled() -> None:
    made = OrderListRequest.otoco(BUY, STOP, GOAL)
    assert pickle.loads(pickle.dumps(made)) == made


other_symbol = OrderRequest.stop_market("ETH-USDT", "sell", "1", "80")
BROKEN: list[tuple[str, Callable[[], OrderListRequest]]] = [
    ("legs", lambda: OrderListRequest(OrderListKind.OCO, (GOAL,))),
    ("legs", lambda: OrderListRequest(OrderListKind.OTO, (BUY, "sell"))),  # type: ignore[arg-type]
    ("kind", lambda: OrderListRequest("pair", (GOAL, STOP))),  # type: ignore[arg-type]
    ("client_order_id", lambda: OrderListRequest.oco(GOAL, STOP, list_id="a b")),
    ("client_order_id", lambda: OrderListRequest.oco(
        GOAL.with_options(client_order_id="x"), STOP.with_options(client_order_id="x"))),
    ("symbol", lambda: OrderListRequest.oco(GOAL, other_symbol)),
    ("self_trade_prevention", lambda: OrderListRequest.oco(GOAL, STOP.with_options(self_trade_prevention="none"))),
    ("smart_routing", lambda: OrderListRequest.oto(BUY.with_options(smart_routing=True), STOP)),
    ("type", lambda: OrderListRequest.oco(STOP, STOP)),
    ("type", lambda: OrderListRequest.oco(GOAL, GOAL)),
    ("type", lambda: OrderListRequest.oco(STOP, OrderRequest.limit("BTC-USDT", "sell", "1", "120"))),
    ("type", lambda: OrderListRequest.oto(STOP, GOAL)),
    ("side", lambda: OrderListRequest.oco(OrderRequest.limit("BTC-USDT", "buy", "1", "70", post_only=True), STOP)),
    ("quantity", lambda: OrderListRequest.oco(
        OrderRequest.limit("BTC-USDT", "sell", "2", "120", post_only=True), STOP)),
    ("stop_price", lambda: OrderListRequest.oco(GOAL, OrderRequest.stop_market("BTC-USDT", "sell", "1", "120"))),
    ("quantity", lambda: OrderListRequest.oco(ALL_GOAL, ALL_STOP)),
    ("quantity", lambda: OrderListRequest.oto(BUY, ALL_GOAL)),
    ("quantity", lambda: OrderListRequest.opo(BUY, GOAL)),
    ("side", lambda: OrderListRequest.opo(GOAL, ALL_GOAL)),
    ("side", lambda: OrderListRequest.opo(BUY, OrderRequest.limit("BTC-USDT", "buy", "received", "9"))),
    ("quote_quantity", lambda: OrderListRequest.oto(BUY, OrderRequest.market("BTC-USDT", "sell", quote_quantity="9"))),
]  # fmt: skip


@pytest.mark.parametrize(("field", "make"), BROKEN, ids=[f"{index}-{field}" for index, (field, _) in enumerate(BROKEN)])
def test_what_does_not_fit_together_is_named(field: str, make: Callable[[], OrderListRequest]) -> None:
    with pytest.raises(ValidationError) as caught:
        make()
    assert caught.value.field == field
