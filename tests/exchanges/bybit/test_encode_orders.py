"""Commands and questions about orders in Bybit's words (Bybit: 4.7 to 4.12)."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest

from exconn_sync.errors import ValidationError
from exconn_sync.exchanges.bybit.driver import DRIVER
from exconn_sync.model.enums import OrderType
from exconn_sync.model.orders import OrderRequest
from exconn_sync.model.wire import RestCall, TimeSpan
from tests.data import read_json
from tests.exchanges.bybit.orders import MINE, ORDER_ID, order_state
from tests.exchanges.bybit.support import BTCUSDT, INSTRUMENTS

BUY = OrderRequest.limit("BTC-USDT", "buy", "0.010", "28000.50")
COMMON = {"category": "spot", "symbol": "BTCUSDT", "orderLinkId": "my-order-1"}


def said(call: RestCall[Any]) -> dict[str, Any]:
    """Return what a command says; it goes into the body alone."""
    assert (call.method, call.params, call.is_signed, call.is_command) == ("POST", (), True, True)
    assert call.is_receipt, "a success proves only that it was received"
    assert call.body is not None
    body: dict[str, Any] = json.loads(call.body)
    return body


def placed(order: OrderRequest) -> dict[str, Any]:
    call = DRIVER.place_order(order, BTCUSDT, MINE, INSTRUMENTS)
    assert call.path == "/v5/order/create"
    body = said(call)
    assert {name: body.pop(name) for name in COMMON} == COMMON
    return body


@pytest.mark.parametrize(
    ("order", "words"),
    [
        (BUY, {"side": "Buy", "orderType": "Limit", "qty": "0.01", "price": "28000.5", "timeInForce": "GTC"}),
        (
            OrderRequest.limit("BTC-USDT", "sell", 1, 2, time_in_force="IOC"),
            {"side": "Sell", "orderType": "Limit", "qty": "1", "price": "2", "timeInForce": "IOC"},
        ),
        (
            OrderRequest.limit("BTC-USDT", "sell", 1, 2, time_in_force="FOK"),
            {"side": "Sell", "orderType": "Limit", "qty": "1", "price": "2", "timeInForce": "FOK"},
        ),
        (
            OrderRequest.limit("BTC-USDT", "sell", 1, 2, post_only=True),
            {"side": "Sell", "orderType": "Limit", "qty": "1", "price": "2", "timeInForce": "PostOnly"},
        ),
        # The unit is always said: by default a buy would be for an amount of quote, a sell of base.
        (
            OrderRequest.market("BTC-USDT", "buy", quantity="0.5"),
            {"side": "Buy", "orderType": "Market", "qty": "0.5", "marketUnit": "baseCoin"},
        ),
        (
            OrderRequest.market("BTC-USDT", "sell", quantity="0.5"),
            {"side": "Sell", "orderType": "Market", "qty": "0.5", "marketUnit": "baseCoin"},
        ),
        (
            OrderRequest.market("BTC-USDT", "buy", quote_quantity="200"),
            {"side": "Buy", "orderType": "Market", "qty": "200", "marketUnit": "quoteCoin"},
        ),
        (
            OrderRequest.market("BTC-USDT", "sell", quote_quantity="200"),
            {"side": "Sell", "orderType": "Market", "qty": "200", "marketUnit": "quoteCoin"},
        ),
        (
            OrderRequest.stop_limit("BTC-USDT", "sell", 1, "79", "80"),
            {
                "side": "Sell", "orderType": "Limit", "qty": "1", "price": "79", "timeInForce": "GTC",
                "triggerPrice": "80", "orderFilter": "tpslOrder",
            },
        ),
        (
            OrderRequest.take_profit_market("BTC-USDT", "buy", 1, "80"),
            {
                "side": "Buy", "orderType": "Market", "qty": "1", "marketUnit": "baseCoin", "triggerPrice": "80",
                "orderFilter": "tpslOrder",
            },
        ),
        (
            BUY.with_options(self_trade_prevention="expire_both"),
            {
                "side": "Buy", "orderType": "Limit", "qty": "0.01", "price": "28000.5", "timeInForce": "GTC",
                "smpType": "CancelBoth",
            },
        ),
        (
            BUY.with_options(take_profit="30000.50", stop_loss="20000", stop_loss_limit_price="19999"),
            {
                "side": "Buy", "orderType": "Limit", "qty": "0.01", "price": "28000.5", "timeInForce": "GTC",
                "takeProfit": "30000.5", "tpOrderType": "Market",
                "stopLoss": "20000", "slOrderType": "Limit", "slLimitPrice": "19999",
            },
        ),
    ],
)  # fmt: skip
def test_new_orders(order: OrderRequest, words: dict[str, str]) -> None:
    assert placed(order) == words


def test_slippage_is_not_left_to_the_exchange() -> None:
    """Nor is borrowing: both are off unless they are asked for, and neither can be."""
    assert not {"slippageTolerance", "slippageToleranceType", "isLeverage"} & placed(BUY).keys()


@pytest.mark.parametrize(
    ("field", "order"),
    [
        ("iceberg_quantity", BUY.with_options(iceberg_quantity="0.001")),
        ("trailing_delta", OrderRequest.stop_market("BTC-USDT", "sell", 1, trailing_delta=100)),
        ("peg", OrderRequest.pegged("BTC-USDT", "sell", 1)),
        ("smart_routing", BUY.with_options(smart_routing=True)),
        ("strategy_id", BUY.with_options(strategy_id=0)),
        ("strategy_type", BUY.with_options(strategy_type=1_000_000)),
        ("self_trade_prevention", BUY.with_options(self_trade_prevention="decrement")),
        ("self_trade_prevention", BUY.with_options(self_trade_prevention="transfer")),
    ],
)
def test_what_bybit_lacks_is_refused_by_name(field: str, order: OrderRequest) -> None:
    with pytest.raises(ValidationError) as caught:
        DRIVER.place_order(order, BTCUSDT, MINE, INSTRUMENTS)
    assert (caught.value.field, caught.value.exchange, caught.value.outcome) == (field, "bybit", "not_sent")


def test_a_cancel_names_one_id_and_the_class_of_the_order() -> None:
    call = DRIVER.cancel_order(BTCUSDT, order_state(), INSTRUMENTS)
    assert call.path == "/v5/order/cancel"
    assert said(call) == {"category": "spot", "symbol": "BTCUSDT", "orderId": ORDER_ID, "orderFilter": "Order"}
    by_own_id = said(DRIVER.cancel_order(BTCUSDT, order_state(None), INSTRUMENTS))
    assert by_own_id == COMMON | {"orderFilter": "Order"}


@pytest.mark.parametrize(
    ("order", "named"),
    [
        (order_state(type=OrderType.LIMIT), "Order"),
        (order_state(type=OrderType.STOP_LIMIT), "tpslOrder"),
        (order_state(type=OrderType.STOP_LIMIT, is_working=False, order_class="tpslOrder"), "tpslOrder"),
        (order_state(type=OrderType.STOP_LIMIT, is_working=True, order_class="tpslOrder"), "Order"),
        (order_state(type=OrderType.OTHER, is_working=False, order_class="StopOrder"), "StopOrder"),
    ],
)
def test_the_class_of_an_order(order: Any, named: str) -> None:
    assert said(DRIVER.cancel_order(BTCUSDT, order, INSTRUMENTS))["orderFilter"] == named


def test_an_amend_says_the_new_whole_quantity_and_nothing_else() -> None:
    call = DRIVER.amend_order(BTCUSDT, order_state(), Decimal("0.010"), INSTRUMENTS)
    assert call.path == "/v5/order/amend"
    assert said(call) == {"category": "spot", "symbol": "BTCUSDT", "orderId": ORDER_ID, "qty": "0.01"}


def test_an_amend_may_say_what_is_placed_once_the_order_is_filled() -> None:
    """A zero takes it away (Bybit: 4.8)."""
    exits = {"take_profit": Decimal("30000.50"), "stop_loss": Decimal(0), "stop_loss_limit_price": Decimal(2)}
    body = said(DRIVER.amend_order(BTCUSDT, order_state(), None, INSTRUMENTS, exits=exits))
    assert body == {
        "category": "spot", "symbol": "BTCUSDT", "orderId": ORDER_ID, "takeProfit": "30000.5", "stopLoss": "0",
        "slLimitPrice": "2",
    }  # fmt: skip


def test_an_amend_may_say_a_new_price() -> None:
    call = DRIVER.amend_order(BTCUSDT, order_state(), None, INSTRUMENTS, price=Decimal("28001.50"))
    assert said(call) == {"category": "spot", "symbol": "BTCUSDT", "orderId": ORDER_ID, "price": "28001.5"}


def test_cancel_all_names_every_class() -> None:
    """By default only ordinary orders would be cancelled (Bybit: 4.8)."""
    calls = DRIVER.cancel_all(BTCUSDT, INSTRUMENTS)
    assert [said(call)["orderFilter"] for call in calls] == [
        "Order", "tpslOrder", "StopOrder", "OcoOrder", "BidirectionalTpslOrder",
    ]  # fmt: skip
    assert {call.path for call in calls} == {"/v5/order/cancel-all"}
    assert all(said(call)["symbol"] == "BTCUSDT" for call in calls)


def test_questions_about_one_order() -> None:
    wanted = (("category", "spot"), ("symbol", "BTCUSDT"), ("orderId", ORDER_ID))
    present = DRIVER.fetch_order(BTCUSDT, order_state(), INSTRUMENTS)
    past = DRIVER.fetch_past_order(BTCUSDT, order_state(), INSTRUMENTS)
    assert past is not None
    assert (present.path, past.path) == ("/v5/order/realtime", "/v5/order/history")
    assert present.params == past.params == wanted
    by_own_id = DRIVER.fetch_order(BTCUSDT, order_state(None), INSTRUMENTS)
    assert by_own_id.params == (*wanted[:2], ("orderLinkId", "my-order-1"))
    assert (present.body, present.is_signed, present.is_command) == (None, True, False)


def test_questions_about_several_orders() -> None:
    everything = DRIVER.fetch_open_orders(None, INSTRUMENTS)
    assert dict(everything.params) == {"category": "spot", "openOnly": "0", "limit": "50"}
    assert dict(DRIVER.fetch_open_orders(BTCUSDT, INSTRUMENTS).params)["symbol"] == "BTCUSDT"
    history = DRIVER.fetch_order_history(BTCUSDT, INSTRUMENTS, span=TimeSpan(5, 9), limit=1000)
    assert dict(history.params) == {
        "category": "spot", "symbol": "BTCUSDT", "startTime": "5", "endTime": "9", "limit": "50",
    }  # fmt: skip
    fills = DRIVER.fetch_fill_history(BTCUSDT, INSTRUMENTS, span=TimeSpan(5, 9), limit=1000)
    assert (fills.path, dict(fills.params)["limit"]) == ("/v5/execution/list", "100")
    assert dict(DRIVER.fetch_fills(BTCUSDT, ORDER_ID, INSTRUMENTS).params)["orderId"] == ORDER_ID
    newest = DRIVER.fetch_fills(BTCUSDT, None, INSTRUMENTS)
    assert (newest.pages, dict(newest.params)["limit"]) == (None, "100")


# --- other people's requests ----------------------------------------------------------------------------------------


def requests_of(method: str) -> list[tuple[list[Any], dict[str, Any]]]:
    cases = read_json("request_cases", "bybit.json")["cases"]
    return [(case["args"], case["request"]) for case in cases if case["method"] == method]


def test_orders_as_another_client_places_them() -> None:
    """Ours also says the time in force, and the unit of a market order."""
    compared = 0
    for args, request in requests_of("create_order"):
        _, kind, side, quantity, price = args[:5]
        if kind != "limit" or set(args[5] if len(args) > 5 else {}) - {"clientOrderId"}:
            continue
        ours = said(
            DRIVER.place_order(OrderRequest.limit("BTC-USDT", side, str(quantity), str(price)), BTCUSDT, MINE,
                               INSTRUMENTS)
        )  # fmt: skip
        assert ours.items() >= request["params"].items()
        assert ours.keys() - request["params"].keys() <= {"timeInForce"}
        compared += 1
    for args, request in requests_of("create_market_buy_order_with_cost"):
        order = OrderRequest.market("BTC-USDT", "buy", quote_quantity=str(args[1]))
        ours = said(DRIVER.place_order(order, BTCUSDT, MINE, INSTRUMENTS))
        assert ours == request["params"] | {"marketUnit": "quoteCoin"}
        compared += 1
    assert compared >= 2


def test_cancels_as_another_client_sends_them() -> None:
    ((args, request),) = requests_of("cancel_order")
    assert said(DRIVER.cancel_order(BTCUSDT, order_state(args[0]), INSTRUMENTS)) == request["params"]


def test_amends_as_another_client_sends_them() -> None:
    ((args, request),) = requests_of("edit_order")
    quantity, price = Decimal(args[4]), Decimal(args[5])
    ours = said(DRIVER.amend_order(BTCUSDT, order_state(args[0]), quantity, INSTRUMENTS, price=price))
    assert ours == request["params"]
