"""Commands and questions about orders beyond single ones, in Binance's words (Binance: 5.6 to 5.10)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from exconn_sync.errors import (
    ExchangeError,
    FilterViolation,
    OrderNotFound,
    OrderRejected,
    ProtocolError,
    RateLimitError,
    ValidationError,
    WouldTakeLiquidity,
)
from exconn_sync.exchanges.binance.driver import DRIVER
from exconn_sync.model.account_reports import FeeRates, OrderCount
from exconn_sync.model.enums import CommandOutcome, OrderListStatus, OrderStatus, SelfTradePrevention, Side
from exconn_sync.model.ids import ClientOrderId, ExchangeOrderId, TradeId
from exconn_sync.model.instrument import Instruments
from exconn_sync.model.order_lists import OrderListFact, OrderListRequest, OrderListState
from exconn_sync.model.orders import Fill, OrderFact, OrderRequest
from exconn_sync.model.wire import RestCall, TimeSpan
from exconn_sync.ports.trading import ReplaceAnswer
from tests.data import read_json
from tests.exchanges.binance.support import BTCUSDT, INSTRUMENTS, exact, instrument, order_state, response

MINE = ClientOrderId("my-order-1")
BUY = OrderRequest.limit("BTC-USDT", "buy", "1", "100")
GOAL = OrderRequest.limit("BTC-USDT", "sell", "1", "120", post_only=True)
STOP = OrderRequest.stop_limit("BTC-USDT", "sell", "1", "79", "80", trailing_delta=10)
DOCS = ("docs_examples", "binance_spot", "rest")
DONE, REFUSED, NOT_SENT, UNKNOWN = (
    CommandOutcome.DONE, CommandOutcome.REFUSED, CommandOutcome.NOT_SENT, CommandOutcome.UNKNOWN,
)  # fmt: skip


def documented(name: str) -> Any:
    return read_json(*DOCS, f"{name}.json")


def replacing(old: str = "9", new: str = "my-order-1", **options: bool) -> RestCall[ReplaceAnswer]:
    wanted = {"place_anyway": False, "cancel_anyway": False} | options
    return DRIVER.replace_order(
        order_state("old", exchange_order_id=old), BUY, BTCUSDT, ClientOrderId(new), INSTRUMENTS, **wanted
    )


# --- requests -------------------------------------------------------------------------------------------------------


def test_a_replacement_is_a_new_order_and_what_to_cancel() -> None:
    call = replacing()
    assert (call.method, call.path, call.is_command) == ("POST", "/api/v3/order/cancelReplace", True)
    placed = dict(DRIVER.place_order(BUY, BTCUSDT, MINE, INSTRUMENTS).params)
    assert dict(call.params) == placed | {"cancelReplaceMode": "STOP_ON_FAILURE", "cancelOrderId": "9"}
    call = DRIVER.replace_order(
        order_state("old"), BUY, BTCUSDT, MINE, INSTRUMENTS, place_anyway=True, cancel_anyway=True
    )
    assert dict(call.params) == placed | {
        "cancelReplaceMode": "ALLOW_FAILURE", "cancelOrigClientOrderId": "old",
        "orderRateLimitExceededMode": "CANCEL_ONLY",
    }  # fmt: skip


def test_an_amended_order_keeps_its_client_id() -> None:
    call = DRIVER.amend_order(BTCUSDT, order_state(exchange_order_id="33"), exact("0.50"), INSTRUMENTS)
    assert (call.method, call.path, call.is_command) == ("PUT", "/api/v3/order/amend/keepPriority", True)
    assert dict(call.params) == {
        "symbol": "BTCUSDT", "orderId": "33", "newClientOrderId": "my-order-1", "newQty": "0.5",
    }  # fmt: skip
    other = DRIVER.amend_order(BTCUSDT, order_state("mine~34", "34"), Decimal(1), INSTRUMENTS)
    assert "newClientOrderId" not in dict(other.params), "an id that only we use is not sent"
    by_own_id = DRIVER.amend_order(BTCUSDT, order_state(), Decimal(1), INSTRUMENTS)
    assert dict(by_own_id.params)["origClientOrderId"] == "my-order-1"


def test_an_order_is_only_made_smaller() -> None:
    state = replace(order_state(exchange_order_id="33"), quantity=Decimal(1))
    for quantity in ("1", "1.5"):
        with pytest.raises(ValidationError) as caught:
            DRIVER.amend_order(BTCUSDT, state, exact(quantity), INSTRUMENTS)
        assert caught.value.field == "quantity"


def test_a_routed_order_and_its_test_have_paths_of_their_own() -> None:
    routed = BUY.with_options(smart_routing=True)
    placed = DRIVER.place_order(routed, BTCUSDT, MINE, INSTRUMENTS)
    assert (placed.path, placed.is_command) == ("/api/v3/sor/order", True)
    for order, path in ((routed, "/api/v3/sor/order/test"), (BUY, "/api/v3/order/test")):
        tested = DRIVER.test_order(order, BTCUSDT, MINE, with_commission=True)
        assert (tested.method, tested.path, tested.is_command, tested.is_signed) == ("POST", path, False, True)
        assert dict(tested.params) == dict(placed.params) | {"computeCommissionRates": "true"}
        assert "computeCommissionRates" not in dict(
            DRIVER.test_order(order, BTCUSDT, MINE, with_commission=False).params
        )


LISTS: list[tuple[OrderListRequest, str, dict[str, str]]] = [
    (
        OrderListRequest.oco(STOP, GOAL),
        "oco",
        {
            "side": "SELL", "quantity": "1", "aboveType": "LIMIT_MAKER", "abovePrice": "120", "aboveClientOrderId": "a",
            "belowType": "STOP_LOSS_LIMIT", "belowPrice": "79", "belowStopPrice": "80", "belowTrailingDelta": "10",
            "belowTimeInForce": "GTC", "belowClientOrderId": "b",
        },
    ),
    (
        OrderListRequest.oto(BUY, OrderRequest.market("BTC-USDT", "sell", "2")),
        "oto",
        {
            "workingType": "LIMIT", "workingSide": "BUY", "workingQuantity": "1", "workingPrice": "100",
            "workingTimeInForce": "GTC", "workingClientOrderId": "a", "pendingType": "MARKET", "pendingSide": "SELL",
            "pendingQuantity": "2", "pendingClientOrderId": "b",
        },
    ),
    (
        OrderListRequest.otoco(BUY.with_options(strategy_id=3), STOP, GOAL),
        "otoco",
        {
            "workingType": "LIMIT", "workingSide": "BUY", "workingQuantity": "1", "workingPrice": "100",
            "workingTimeInForce": "GTC", "workingClientOrderId": "a", "workingStrategyId": "3", "pendingSide": "SELL",
            "pendingQuantity": "1", "pendingAboveType": "LIMIT_MAKER", "pendingAbovePrice": "120",
            "pendingAboveClientOrderId": "b", "pendingBelowType": "STOP_LOSS_LIMIT", "pendingBelowPrice": "79",
            "pendingBelowStopPrice": "80", "pendingBelowTrailingDelta": "10", "pendingBelowTimeInForce": "GTC",
            "pendingBelowClientOrderId": "c",
        },
    ),
    (
        OrderListRequest.opo(BUY, OrderRequest.pegged("BTC-USDT", "sell", "received", offset=2)),
        "opo",
        {
            "workingType": "LIMIT", "workingSide": "BUY", "workingQuantity": "1", "workingPrice": "100",
            "workingTimeInForce": "GTC", "workingClientOrderId": "a", "pendingType": "LIMIT", "pendingSide": "SELL",
            "pendingTimeInForce": "GTC", "pendingPegPriceType": "PRIMARY_PEG", "pendingPegOffsetType": "PRICE_LEVEL",
            "pendingPegOffsetValue": "2", "pendingClientOrderId": "b",
        },
    ),
    (
        OrderListRequest.opoco(
            BUY,
            OrderRequest.stop_market("BTC-USDT", "sell", "received", "80"),
            OrderRequest.take_profit_market("BTC-USDT", "sell", "received", "120"),
        ),
        "opoco",
        {
            "workingType": "LIMIT", "workingSide": "BUY", "workingQuantity": "1", "workingPrice": "100",
            "workingTimeInForce": "GTC", "workingClientOrderId": "a", "pendingSide": "SELL",
            "pendingAboveType": "TAKE_PROFIT", "pendingAboveStopPrice": "120", "pendingAboveClientOrderId": "b",
            "pendingBelowType": "STOP_LOSS", "pendingBelowStopPrice": "80", "pendingBelowClientOrderId": "c",
        },
    ),
]  # fmt: skip


@pytest.mark.parametrize(("request_", "kind", "params"), LISTS, ids=[kind for _, kind, _ in LISTS])
def test_a_list_names_each_order_by_an_id_of_ours(
    request_: OrderListRequest, kind: str, params: dict[str, str]
) -> None:
    legs = [ClientOrderId(name) for name in "abc"][: len(request_.legs)]
    call = DRIVER.place_list(request_, BTCUSDT, ClientOrderId("list"), legs, INSTRUMENTS)
    assert (call.method, call.path, call.is_command) == ("POST", f"/api/v3/orderList/{kind}", True)
    common = {"symbol": "BTCUSDT", "listClientOrderId": "list", "newOrderRespType": "FULL"}
    assert dict(call.params) == common | params
    assert len(dict(call.params)) == len(call.params)
    orders = {cost.limit: cost.amount for cost in call.costs}["ORDERS"]
    assert orders == len(request_.legs)


def test_the_mode_of_self_trade_prevention_is_stated_once_for_a_list() -> None:
    pair = [leg.with_options(self_trade_prevention="decrement") for leg in (STOP, GOAL)]
    call = DRIVER.place_list(OrderListRequest.oco(*pair), BTCUSDT, MINE, [MINE, MINE], INSTRUMENTS)
    assert [value for name, value in call.params if name == "selfTradePreventionMode"] == ["DECREMENT"]


def test_a_list_is_named_by_the_exchanges_id_where_it_is_known() -> None:
    state = OrderListState("binance", "BTC-USDT", ClientOrderId("list"))
    assert dict(DRIVER.cancel_list(BTCUSDT, state, [], INSTRUMENTS).params)["listClientOrderId"] == "list"
    assert dict(DRIVER.fetch_list(state, INSTRUMENTS).params) == {"origClientOrderId": "list"}
    state = OrderListState("binance", "BTC-USDT", ClientOrderId("list"), "7")
    assert dict(DRIVER.cancel_list(BTCUSDT, state, [], INSTRUMENTS).params)["orderListId"] == "7"
    assert dict(DRIVER.fetch_list(state, INSTRUMENTS).params) == {"orderListId": "7"}


def test_history_is_asked_for_by_time_or_by_number() -> None:
    newest = DRIVER.fetch_order_history(BTCUSDT, INSTRUMENTS, span=None, limit=7)
    assert dict(newest.params) == {"symbol": "BTCUSDT", "limit": "7"}
    span = TimeSpan(5, 9)
    for call in (
        DRIVER.fetch_order_history(BTCUSDT, INSTRUMENTS, span=span, limit=1000),
        DRIVER.fetch_fill_history(BTCUSDT, INSTRUMENTS, span=span, limit=1000),
        DRIVER.fetch_allocations(BTCUSDT, INSTRUMENTS, span=span, limit=1000),
    ):
        assert isinstance(call, RestCall)
        assert dict(call.params) == {"symbol": "BTCUSDT", "limit": "1000", "startTime": "5", "endTime": "9"}
        assert (call.method, call.is_signed, call.is_command) == ("GET", True, False)


def test_allocations_of_an_order_are_paged_by_their_id_from_the_first_one_on() -> None:
    for after, first in ((None, "0"), (TradeId("allocation-41"), "42")):
        call = DRIVER.fetch_allocations(
            BTCUSDT, INSTRUMENTS, span=None, limit=1000, order_id=ExchangeOrderId("5"), after=after
        )
        assert dict(call.params) == {
            "symbol": "BTCUSDT", "limit": "1000", "orderId": "5", "fromAllocationId": first,
        }  # fmt: skip


def test_prevented_trades_are_paged_by_their_id() -> None:
    call = DRIVER.fetch_prevented_matches(BTCUSDT, ExchangeOrderId("5"), after="41", limit=1000)
    assert dict(call.params) == {
        "symbol": "BTCUSDT", "orderId": "5", "limit": "1000", "fromPreventedMatchId": "42",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("body", "is_told"),
    [
        ({"data": {"cancelResult": "SUCCESS", "newOrderResult": "FAILURE", "newOrderResponse": {"code": -1015}}}, True),
        ({"data": {"cancelResult": "FAILURE", "newOrderResult": "FAILURE", "cancelResponse": {"code": -2011},
                   "newOrderResponse": {"code": -1015, "msg": "Too many new orders."}}}, True),
        ({"data": {"cancelResult": "FAILURE", "newOrderResult": "NOT_ATTEMPTED", "cancelResponse": {"code": -2011}}},
         False),
        ({"data": {"cancelResult": "SUCCESS", "newOrderResult": "FAILURE", "newOrderResponse": {"code": "x"}}}, False),
        ({"data": {"cancelResult": "SUCCESS", "newOrderResult": "FAILURE"}}, False),
        ({"cancelResult": "SUCCESS", "newOrderResult": "SUCCESS"}, False),
        ({"data": 7}, False),
        ([], False),
        ("[" * 100_000, False),
    ],
)  # fmt: skip
def test_a_limit_that_one_half_ran_into_is_found_whatever_the_answer_looks_like(body: Any, is_told: bool) -> None:
    """(Binance: 5.7)"""
    call = DRIVER.replace_order(
        order_state(), BUY, BTCUSDT, ClientOrderId("b"), INSTRUMENTS, place_anyway=False, cancel_anyway=False
    )
    assert call.limit_of is not None
    answer = response(body.encode() if isinstance(body, str) else body, 409, {"retry-after": "7"})
    limit = call.limit_of(answer)
    assert (limit is not None) is is_told
    if limit is not None:
        assert (limit.is_per_account, limit.retry_after) == (True, 7.0)


# --- replacements: every row of the table in 5.7 --------------------------------------------------------------------

NO_CANCEL = {"code": -2011, "msg": "Unknown order sent."}
NO_ORDER = {"code": -2010, "msg": "Order would immediately match and take."}
TOO_MANY = {"code": -1015, "msg": "Too many new orders; current limit is 1 orders per 10 SECOND."}
CANCELLED = {
    "symbol": "BTCUSDT", "origClientOrderId": "old", "orderId": 9, "orderListId": -1, "clientOrderId": "of-cancel",
    "transactTime": 1684804350068, "price": "0.01", "origQty": "0.0001", "executedQty": "0.00000000",
    "cummulativeQuoteQty": "0.0", "status": "CANCELED", "timeInForce": "GTC", "type": "LIMIT", "side": "SELL",
}  # fmt: skip
PLACED = {
    "symbol": "BTCUSDT", "orderId": 10, "orderListId": -1, "clientOrderId": "my-order-1", "transactTime": 1684804350069,
}  # fmt: skip


def halves(cancel: str, placement: str, cancelled: Any, placed: Any, code: int) -> dict[str, Any]:
    data = {
        "cancelResult": cancel, "newOrderResult": placement, "cancelResponse": cancelled, "newOrderResponse": placed,
    }  # fmt: skip
    return data if code == 0 else {"code": code, "msg": "Order cancel-replace failed.", "data": data}


S, F, N = "SUCCESS", "FAILURE", "NOT_ATTEMPTED"
ROWS = [
    (200, halves(S, S, CANCELLED, PLACED, 0), DONE, DONE, (None, None)),
    (400, halves(F, N, NO_CANCEL, None, -2022), REFUSED, NOT_SENT, (OrderNotFound, None)),
    (409, halves(S, F, CANCELLED, NO_ORDER, -2021), DONE, REFUSED, (None, WouldTakeLiquidity)),
    (400, halves(F, F, NO_CANCEL, NO_ORDER, -2022), REFUSED, REFUSED, (OrderNotFound, WouldTakeLiquidity)),
    (409, halves(F, S, NO_CANCEL, PLACED, -2021), REFUSED, DONE, (OrderNotFound, None)),
    (409, halves(S, F, CANCELLED, TOO_MANY, -2021), DONE, REFUSED, (None, RateLimitError)),
    (429, halves(S, F, CANCELLED, TOO_MANY, -2021), DONE, REFUSED, (None, RateLimitError)),
    (429, halves(F, N, NO_CANCEL, None, -2022), REFUSED, NOT_SENT, (OrderNotFound, None)),
    (409, halves(S, F, CANCELLED, {"code": -1007, "msg": "Timeout"}, -2021), DONE, UNKNOWN, (None, ExchangeError)),
    (409, halves(S, F, CANCELLED, {"code": -9876, "msg": "New"}, -2021), DONE, UNKNOWN, (None, ExchangeError)),
    (409, halves("MAYBE", S, NO_CANCEL, PLACED, -2021), UNKNOWN, DONE, (OrderNotFound, None)),
]


@pytest.mark.parametrize(("status", "body", "cancel", "placement", "errors"), ROWS)
def test_each_half_of_a_replacement_has_an_outcome_of_its_own(
    status: int, body: Any, cancel: CommandOutcome, placement: CommandOutcome, errors: tuple[Any, Any]
) -> None:
    """(fault F109)"""
    call = replacing()
    answer = response(body, status)
    assert DRIVER.error_of(answer, call) is None, "both halves are read, whatever the status"
    made = call.parse(answer)
    assert (made.cancel.outcome, made.placement.outcome) == (cancel, placement)
    for half, kind in ((made.cancel, errors[0]), (made.placement, errors[1])):
        assert (half.error is None) if kind is None else isinstance(half.error, kind)
        statuses = [fact.status for fact in half.facts if isinstance(fact, OrderFact)]
        expected = OrderStatus.CANCELED if half is made.cancel else OrderStatus.NEW
        assert statuses == ([expected] if half.outcome is DONE else [])


def test_a_replacement_that_was_not_begun_is_an_ordinary_refusal() -> None:
    """Over a limit of orders without ``cancel_anyway`` nothing is done at all (Binance: 5.7)."""
    error = DRIVER.error_of(response(TOO_MANY, 429, {"retry-after": "7"}), replacing())
    assert isinstance(error, RateLimitError)
    assert (error.outcome, error.retry_after) == ("refused", 7)
    refused = DRIVER.error_of(response({"code": -1013, "msg": "Filter failure: LOT_SIZE"}, 400), replacing())
    assert isinstance(refused, FilterViolation)


@pytest.mark.parametrize("body", [b"<html>", b'{"code":-2021,"msg":"x"}', b"[" * 99_999, b'{"data":5}'])
def test_a_failure_without_readable_halves_proves_nothing_of_them(body: bytes) -> None:
    error = DRIVER.error_of(response(body, 409), replacing())
    assert error is not None
    assert error.outcome == "unknown"


def test_halves_in_an_answer_of_a_broken_server_prove_nothing() -> None:
    error = DRIVER.error_of(response(ROWS[2][1], 503), replacing())
    assert error is not None
    assert error.outcome == "unknown"


def test_an_answer_about_other_orders_is_refused() -> None:
    """(fault F084)"""
    for call in (replacing(old="8"), replacing(new="another")):
        with pytest.raises(ProtocolError):
            call.parse(response(halves(S, S, CANCELLED, PLACED, 0)))


def test_a_cancelled_leg_takes_its_list_along() -> None:
    """(Binance: 5.6)"""
    cancelled = documented("DELETE_api_v3_orderList__response") | {"symbol": "BTCUSDT"}
    call = replacing(old="2")
    made = call.parse(response(halves(S, S, cancelled, PLACED, 0)))
    kinds = [type(fact).__name__ for fact in made.cancel.facts]
    assert kinds == ["OrderListFact", "OrderFact", "OrderFact"]


@pytest.mark.parametrize(
    ("name", "old", "new", "outcomes"),
    [
        ("response_success_and_account_has_not_exc", "9", "wOceeeOzNORyLiQfw7jd8S", (DONE, DONE)),
        ("response_when_both_cancel_order_and_new", "9", "x", (REFUSED, REFUSED)),
        ("response_when_cancel_order_fails_with_al", "9", "pfojJMg6IMNDKuJqDxvoxN", (REFUSED, DONE)),
        ("response_when_cancel_order_fails_with_st", "9", "x", (REFUSED, NOT_SENT)),
        ("response_when_cancel_order_succeeds_but", "3", "x", (DONE, REFUSED)),
        ("response_when_using_orderratelimitexceed__2", "64", "x", (DONE, REFUSED)),
    ],
)
def test_documented_replacements_are_understood(name: str, old: str, new: str, outcomes: tuple[Any, Any]) -> None:
    made = replacing(old, new).parse(response(documented(f"POST_api_v3_order_cancelReplace__{name}")))
    assert (made.cancel.outcome, made.placement.outcome) == outcomes


# --- amend ----------------------------------------------------------------------------------------------------------


def test_an_amended_order_is_read_in_its_own_spelling() -> None:
    """(Binance: 5.5, trap 8; faults F103, F108)"""
    call = DRIVER.amend_order(BTCUSDT, order_state("5xrgbMyg6z36NzBn2pbT8H", "33"), Decimal(5), INSTRUMENTS)
    (fact,) = call.parse(response(documented("PUT_api_v3_order_amend_keepPriority__response_for_a_single_order")))
    assert isinstance(fact, OrderFact)
    assert (fact.client_order_id, fact.renamed_to) == ("5xrgbMyg6z36NzBn2pbT8H", "PFaq6hIHxqFENGfdtn4J6Q")
    zero = Decimal(0)
    assert (fact.status, fact.quantity, fact.price) == (OrderStatus.NEW, Decimal(5), Decimal(6))
    assert (fact.filled_quantity, fact.prevented_quantity, fact.is_working) == (zero, zero, True)
    assert fact.exchange_time == 1_741_926_410_255_000_000


def test_an_amended_leg_tells_of_its_list_too() -> None:
    call = DRIVER.amend_order(BTCUSDT, order_state("W0fJ9fiLKHOJutovPK3oJp", "9"), Decimal(4), INSTRUMENTS)
    name = "PUT_api_v3_order_amend_keepPriority__response_for_an_order_that_is_part_of_an"
    order, listed = call.parse(response(documented(name)))
    assert isinstance(order, OrderFact)
    assert isinstance(listed, OrderListFact)
    assert (order.list_id, order.status, order.is_working) == ("1", OrderStatus.NEW, False)
    assert (listed.list_id, listed.status, listed.leg_ids) == ("1", OrderListStatus.EXECUTING, ("8", "9"))


def test_an_amend_of_another_order_is_refused() -> None:
    call = DRIVER.amend_order(BTCUSDT, order_state(exchange_order_id="34"), Decimal(5), INSTRUMENTS)
    with pytest.raises(ProtocolError):
        call.parse(response(documented("PUT_api_v3_order_amend_keepPriority__response_for_a_single_order")))


# --- lists ----------------------------------------------------------------------------------------------------------


def placed_list(name: str) -> tuple[RestCall[Sequence[Any]], Any]:
    body = documented(name)
    base, quote = (body["symbol"][:-3], body["symbol"][-3:]) if body["symbol"] != "BTCUSDT" else ("BTC", "USDT")
    legs = [ClientOrderId(leg["clientOrderId"]) for leg in body["orders"]]
    request = OrderListRequest.otoco(BUY, STOP, GOAL) if len(legs) == 3 else OrderListRequest.oto(BUY, STOP)
    found = instrument(base, quote)
    listed = ClientOrderId(body["listClientOrderId"])
    return DRIVER.place_list(request, found, listed, legs, Instruments("binance", [found])), body


@pytest.mark.parametrize(
    "name",
    [
        "POST_api_v3_orderList_oco__response_format_for_orderreports_is_sele", "POST_api_v3_orderList_opo__response",
        "POST_api_v3_orderList_opoco__response", "POST_api_v3_orderList_oto__response",
        "POST_api_v3_orderList_otoco__response", "POST_api_v3_order_oco__response",
    ],
)  # fmt: skip
def test_documented_lists_are_understood(name: str) -> None:
    call, body = placed_list(name)
    listed, *orders = call.parse(response(body))
    assert isinstance(listed, OrderListFact)
    assert (listed.list_id, listed.status) == (str(body["orderListId"]), OrderListStatus.EXECUTING)
    assert [order.client_order_id for order in orders] == [row["clientOrderId"] for row in body["orderReports"]]
    for order, row in zip(orders, body["orderReports"], strict=True):
        assert isinstance(order, OrderFact)
        assert (order.status, order.list_id) == (OrderStatus.NEW, listed.list_id)
        assert order.is_working == (row.get("workingTime", -1) >= 0 and row["status"] == "NEW")
        assert order.quantity == (Decimal(row["origQty"]) if "origQty" in row else None)


def test_a_list_about_other_orders_is_refused() -> None:
    """(fault F084)"""
    call, body = placed_list("POST_api_v3_orderList_oto__response")
    other = [{**leg, "clientOrderId": "x" + leg["clientOrderId"]} for leg in body["orders"]]
    for wrong in ({"orders": other}, {"listClientOrderId": "x"}, {"symbol": "NOPE"}):
        with pytest.raises(ProtocolError):
            call.parse(response(body | wrong))


def test_immediate_fills_of_a_list_count() -> None:
    call, body = placed_list("POST_api_v3_orderList_oto__response")
    fill = {"price": "1.0", "qty": "0.5", "commission": "0.1", "commissionAsset": "BNB", "tradeId": 56}
    body["orderReports"][0]["fills"] = [fill]
    fills = [fact for fact in call.parse(response(body)) if isinstance(fact, Fill)]
    assert [(fill.trade_id, fill.client_order_id) for fill in fills] == [("56", body["orders"][0]["clientOrderId"])]


def test_everything_cancelled_is_single_orders_and_lists() -> None:
    facts = DRIVER.cancel_all(BTCUSDT, INSTRUMENTS)[0].parse(response(documented("DELETE_api_v3_openOrders__response")))
    orders = [fact for fact in facts if isinstance(fact, OrderFact)]
    assert [order.exchange_order_id for order in orders] == ["11", "13", "20", "21"]
    assert {order.status for order in orders} == {OrderStatus.CANCELED}
    assert [order.client_order_id for order in orders][:2] == ["E6APeyTJvkMvLMYMqu1KQ4", "A3EF2HCwxgZPFMrfwbgrhv"]
    assert orders[3].iceberg_quantity == exact("0.639962")
    (listed,) = [fact for fact in facts if isinstance(fact, OrderListFact)]
    assert (listed.list_id, listed.status) == ("1929", OrderListStatus.ALL_DONE)


def test_nothing_to_cancel_is_an_order_not_found() -> None:
    error = DRIVER.error_of(response(NO_CANCEL, 400), DRIVER.cancel_all(BTCUSDT, INSTRUMENTS)[0])
    assert isinstance(error, OrderNotFound)


def test_a_cancelled_list_reports_each_order() -> None:
    found = instrument("LTC", "BTC")
    state = OrderListState("binance", "LTC-BTC", ClientOrderId("mine"), "0")
    body = documented("DELETE_api_v3_orderList__response")
    listed, *orders = DRIVER.cancel_list(found, state, [], INSTRUMENTS).parse(response(body))
    assert isinstance(listed, OrderListFact)
    ids = [order.client_order_id for order in orders if isinstance(order, OrderFact)]
    assert (listed.status, ids) == (OrderListStatus.ALL_DONE, ["pO9ufTiFGg3nw2fOdgeOXa", "TXOvglzXuaubXAaENpaRCB"])
    other = OrderListState("binance", "LTC-BTC", ClientOrderId("mine"), "1")
    with pytest.raises(ProtocolError):
        DRIVER.cancel_list(found, other, [], INSTRUMENTS).parse(response(body))


def test_queried_lists_are_understood() -> None:
    state = OrderListState("binance", "LTC-BTC", ClientOrderId("mine"))
    fact = DRIVER.fetch_list(state, INSTRUMENTS).parse(response(documented("GET_api_v3_orderList__response")))
    assert (fact.symbol, fact.list_id is not None, len(fact.legs)) == ("LTC-BTC", True, 2)
    facts = DRIVER.fetch_open_lists(INSTRUMENTS).parse(response(documented("GET_api_v3_openOrderList__response")))
    assert [len(fact.leg_ids) for fact in facts] == [2] * len(facts) != []


# --- routed orders, tests, history ----------------------------------------------------------------------------------


def test_what_the_exchange_itself_gave_is_a_fill_without_a_trade() -> None:
    """(Binance: 5.10, SOR)"""
    order = OrderRequest.limit("BTC-USDT", "buy", "0.5", "31000").with_options(smart_routing=True)
    call = DRIVER.place_order(order, BTCUSDT, ClientOrderId("sBI1KM6nNtOfj5tccZSKly"), INSTRUMENTS)
    fact, fill = call.parse(response(documented("POST_api_v3_sor_order__response")))
    assert isinstance(fact, OrderFact)
    assert isinstance(fill, Fill)
    assert (fact.status, fill.trade_id, fill.quantity, fill.price) == (
        OrderStatus.FILLED, "allocation-0", exact("0.5"), exact("28000"),
    )  # fmt: skip
    listed = DRIVER.fetch_allocations(BTCUSDT, INSTRUMENTS, span=None, limit=5)
    (again,) = listed.parse(response(documented("GET_api_v3_myAllocations__response")))
    assert (again.trade_id, again.exchange_order_id, again.quantity) == ("allocation-0", "1", Decimal(5))


def test_a_tested_order_may_tell_what_it_costs() -> None:
    """What is not said of it stays unknown (fault F037)."""
    for name in ("POST_api_v3_order_test", "POST_api_v3_sor_order_test"):
        call = DRIVER.test_order(BUY, BTCUSDT, MINE, with_commission=True)
        told = call.parse(response(documented(f"{name}__with_computecommissionrates")))
        assert told is not None
        assert told.standard == FeeRates(exact("0.00000112"), exact("0.00000114"), None, None)
        assert (told.special is None) is ("sor" in name)
        assert told.rate(Side.BUY, is_maker=True) is None, "of the side nothing is said"
        assert (told.has_discount, told.discount, told.discount_asset) == (True, exact("0.25"), "BNB")
        assert call.parse(response(documented(f"{name}__without_computecommissionrates"))) is None


def test_the_rates_of_the_account_add_up_by_role_and_side() -> None:
    told = DRIVER.fetch_commission(BTCUSDT).parse(response(documented("GET_api_v3_account_commission__response")))
    assert told.standard == FeeRates(exact("0.0000001"), exact("0.0000002"), exact("0.0000003"), exact("0.0000004"))
    assert told.rate(Side.BUY, is_maker=True) == exact("0.0400027")
    assert told.rate(Side.SELL, is_maker=False) == exact("0.0600029")
    call = DRIVER.fetch_commission(instrument("LTC", "BTC"))
    with pytest.raises(ProtocolError):
        call.parse(response(documented("GET_api_v3_account_commission__response")))


@pytest.mark.parametrize(
    "missing",
    ["standardCommission", "specialCommission", "taxCommission", "discount", "taxCommission.seller",
     "specialCommission.maker", "discount.discount", "discount.enabledForSymbol"],
)  # fmt: skip
def test_a_rate_that_is_not_stated_is_not_taken_for_zero(missing: str) -> None:
    """(Binance: 5.10; fault F037)"""
    body = documented("GET_api_v3_account_commission__response")
    part, _, name = missing.partition(".")
    del (body[part] if name else body)[name or part]
    with pytest.raises(ProtocolError) as caught:
        DRIVER.fetch_commission(BTCUSDT).parse(response(body))
    assert "BTCUSDT" in str(caught.value.details)


@pytest.mark.parametrize("missing", ["taxCommissionForOrder", "discount", "standardCommissionForOrder.taker"])
def test_the_rates_of_a_tested_order_are_whole_or_an_error(missing: str) -> None:
    body = documented("POST_api_v3_order_test__with_computecommissionrates")
    part, _, name = missing.partition(".")
    del (body[part] if name else body)[name or part]
    with pytest.raises(ProtocolError):
        DRIVER.test_order(BUY, BTCUSDT, MINE, with_commission=True).parse(response(body))


def test_counts_of_orders_are_by_interval() -> None:
    counts = DRIVER.fetch_order_counts().parse(response(documented("GET_api_v3_rateLimit_order__response")))
    assert counts == [OrderCount(10, 50, 0), OrderCount(86_400, 160_000, 0)]


def test_prevented_trades_say_what_was_taken_off_whom() -> None:
    call = DRIVER.fetch_prevented_matches(BTCUSDT, ExchangeOrderId("5"), after=None, limit=1000)
    (match,) = call.parse(response(documented("GET_api_v3_myPreventedMatches__response")))
    assert (match.match_id, match.taker_order_id, match.maker_order_id) == ("1", "5", "3")
    assert (match.mode, match.price, match.taker_quantity, match.maker_quantity, match.group_id) == (
        SelfTradePrevention.EXPIRE_MAKER, exact("1.1"), None, exact("1.3"), "1",
    )  # fmt: skip


def test_amendments_are_in_the_order_they_happened() -> None:
    call = DRIVER.fetch_amendments(BTCUSDT, order_state(exchange_order_id="9"), limit=1000)
    first, second = call.parse(response(documented("GET_api_v3_order_amendments__response")))
    assert (first.old_quantity, first.new_quantity, second.new_quantity) == (Decimal(5), Decimal(4), Decimal(3))
    assert (first.new_client_order_id, second.old_client_order_id) == ("UQ1Np3bmQ71jJzsSDW9Vpi",) * 2


def test_the_history_has_orders_of_every_state() -> None:
    found = instrument("LTC", "BTC")
    call = DRIVER.fetch_order_history(found, INSTRUMENTS, span=None, limit=500)
    facts = call.parse(response(documented("GET_api_v3_allOrders__response")))
    assert [fact.symbol for fact in facts] == ["LTC-BTC"] * len(facts) != []
    with pytest.raises(ProtocolError):
        DRIVER.fetch_order_history(BTCUSDT, INSTRUMENTS, span=None, limit=500).parse(
            response(documented("GET_api_v3_allOrders__response"))
        )


def test_a_refused_amend_says_so() -> None:
    wire = {"code": -2038, "msg": "Order amend (quantity increase) is not supported."}
    call = DRIVER.amend_order(BTCUSDT, order_state(exchange_order_id="9"), Decimal(5), INSTRUMENTS)
    error = DRIVER.error_of(response(wire, 400), call)
    assert isinstance(error, OrderRejected)
    assert error.outcome == "refused"
