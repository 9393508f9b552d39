"""The answers about orders have the fields of the exchange's own examples: none is missing, and no other is there."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from exconn_sync.simulator import Simulator

from .clients import Json, Rest, WsApi
from .test_order_lists import KINDS

ORDER = "/api/v3/order"
LIMIT = {"symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT", "timeInForce": "GTC", "quantity": "0.1", "price": "59000"}
REPLACE = LIMIT | {"cancelReplaceMode": "ALLOW_FAILURE"}
TAKING = {"symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT_MAKER", "quantity": "0.1", "price": "60010"}


@pytest.fixture
def examples(recordings: Path) -> Path:
    return recordings.parents[1] / "docs_examples" / "binance_spot"


def shape(value: Json) -> Json:
    """Names and kinds of values, without the values; of a list the first entry."""
    if isinstance(value, dict):
        return {name: shape(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [shape(value[0])] if value else []
    return type(value).__name__


Ask = Callable[[Rest], Json]


def place(rest: Rest, **change: object) -> Json:
    return rest.signed("POST", ORDER, **LIMIT | change)[1]


def sold_in_parts(rest: Rest) -> Json:
    return rest.signed("POST", ORDER, symbol="BTCUSDT", side="SELL", type="MARKET", quantity="0.5")[1]


def cancelled(rest: Rest) -> Json:
    return rest.signed("DELETE", ORDER, symbol="BTCUSDT", orderId=place(rest)["orderId"])[1]


def replaced(rest: Rest, *, is_known: bool, new: dict[str, str]) -> Json:
    old = place(rest)["orderId"] if is_known else 999_999
    sent = new | {"cancelReplaceMode": "ALLOW_FAILURE", "cancelOrderId": old}
    return rest.signed("POST", f"{ORDER}/cancelReplace", **sent)[1]


def not_attempted(rest: Rest) -> Json:
    sent = LIMIT | {"cancelReplaceMode": "STOP_ON_FAILURE", "cancelOrderId": "999999"}
    return rest.signed("POST", f"{ORDER}/cancelReplace", **sent)[1]


def too_many(rest: Rest) -> Json:
    old = place(rest)["orderId"]
    rest.simulator.faults.rate_limits(orders_per_day=1)
    sent = REPLACE | {"cancelOrderId": old, "orderRateLimitExceededMode": "CANCEL_ONLY"}
    return rest.signed("POST", f"{ORDER}/cancelReplace", **sent)[1]


def amended(rest: Rest) -> Json:
    which = {"symbol": "BTCUSDT", "orderId": place(rest)["orderId"]}
    return rest.signed("PUT", f"{ORDER}/amend/keepPriority", **which, newQty="0.05")[1]


def new_list(rest: Rest, kind: str, **change: object) -> Json:
    params = {name: value for name, value in (KINDS[kind] | change).items() if value is not None}
    return rest.signed("POST", f"/api/v3/orderList/{kind}", **params)[1]


ICEBERG_STOP = {"belowType": "STOP_LOSS_LIMIT", "belowPrice": "58000", "belowTimeInForce": "GTC",
                "belowIcebergQty": "0.05"}  # fmt: skip
LIMITED_STOP = {"pendingBelowType": "STOP_LOSS_LIMIT", "pendingBelowPrice": "58000", "pendingBelowTimeInForce": "IOC"}
BUYING_BACK = {"workingSide": "SELL", "workingPrice": "61000", "pendingType": "MARKET", "pendingSide": "BUY",
               "pendingPrice": None, "pendingTimeInForce": None}  # fmt: skip


def pair_of_parts(rest: Rest) -> Json:
    return new_list(rest, "oco", **ICEBERG_STOP)


def old_pair(rest: Rest) -> Json:
    old = {"symbol": "BTCUSDT", "side": "SELL", "quantity": "0.1", "price": "61000", "stopPrice": "59000"}
    return rest.signed("POST", f"{ORDER}/oco", **old)[1]


def cancelled_list(rest: Rest) -> Json:
    made = new_list(rest, "oco", belowType="STOP_LOSS_LIMIT", belowPrice="58000", belowTimeInForce="GTC")
    return rest.signed("DELETE", "/api/v3/orderList", symbol="BTCUSDT", orderListId=made["orderListId"])[1]


def cancelled_all(rest: Rest) -> Json:
    new_list(rest, "oco", **ICEBERG_STOP, aboveIcebergQty="0.05")
    place(rest)
    return rest.signed("DELETE", "/api/v3/openOrders", symbol="BTCUSDT")[1]


def amended_leg(rest: Rest) -> Json:
    leg = new_list(rest, "oto", **BUYING_BACK)["orders"][1]["orderId"]
    return rest.signed("PUT", f"{ORDER}/amend/keepPriority", symbol="BTCUSDT", orderId=leg, newQty="0.05")[1]


def queried_lists(rest: Rest, which: str) -> Json:
    new_list(rest, "oco")
    return rest.signed("GET", f"/api/v3/{which}", **({"orderListId": 0} if which == "orderList" else {}))[1]


def amendments(rest: Rest) -> Json:
    which = {"symbol": "BTCUSDT", "orderId": amended(rest)["amendedOrder"]["orderId"]}
    return rest.signed("GET", f"{ORDER}/amendments", **which)[1]


def prevented(rest: Rest) -> Json:
    place(rest, side="SELL", price="60005")
    place(rest, price="60005", selfTradePreventionMode="EXPIRE_MAKER")
    return rest.signed("GET", "/api/v3/myPreventedMatches", symbol="BTCUSDT", preventedMatchId=0)[1]


def rates(rest: Rest) -> Json:
    order = LIMIT | {"computeCommissionRates": "true"}
    return rest.signed("POST", f"{ORDER}/test", **order)[1]


def routed(rest: Rest) -> Json:
    rest.simulator.market.route("BTCUSDT")
    return rest.signed("POST", "/api/v3/sor/order", **LIMIT | {"price": "60010"})[1]


def allocated(rest: Rest) -> Json:
    routed(rest)
    return rest.signed("GET", "/api/v3/myAllocations", symbol="BTCUSDT")[1]


def routed_rates(rest: Rest) -> Json:
    rest.simulator.market.route("BTCUSDT")
    order = LIMIT | {"computeCommissionRates": "true"}
    return rest.signed("POST", "/api/v3/sor/order/test", **order)[1]


@pytest.mark.parametrize(
    ("example", "ask"),
    [
        ("POST_api_v3_order__response_ack", lambda rest: place(rest, newOrderRespType="ACK")),
        ("POST_api_v3_order__response_result", lambda rest: place(rest, newOrderRespType="RESULT")),
        ("POST_api_v3_order__response_full", sold_in_parts),
        ("DELETE_api_v3_order__response", cancelled),
        (
            "POST_api_v3_order_cancelReplace__response_when_cancel_order_fails_with_st",
            not_attempted,
        ),
        (
            "POST_api_v3_order_cancelReplace__response_when_cancel_order_succeeds_but",
            lambda rest: replaced(rest, is_known=True, new=TAKING),
        ),
        (
            "POST_api_v3_order_cancelReplace__response_when_both_cancel_order_and_new",
            lambda rest: replaced(rest, is_known=False, new=TAKING),
        ),
        (
            "POST_api_v3_order_cancelReplace__response_when_cancel_order_fails_with_al",
            lambda rest: replaced(rest, is_known=False, new=TAKING | {"price": "59000"}),
        ),
        (
            "POST_api_v3_order_cancelReplace__response_success_and_account_has_not_exc",
            lambda rest: replaced(rest, is_known=True, new=LIMIT),
        ),
        ("POST_api_v3_order_cancelReplace__response_when_using_orderratelimitexceed__2", too_many),
        ("PUT_api_v3_order_amend_keepPriority__response_for_a_single_order", amended),
        ("GET_api_v3_order_amendments__response", amendments),
        ("GET_api_v3_myPreventedMatches__response", prevented),
        ("POST_api_v3_order_test__with_computecommissionrates", rates),
        ("POST_api_v3_sor_order__response", routed),
        ("POST_api_v3_sor_order_test__with_computecommissionrates", routed_rates),
        ("GET_api_v3_myAllocations__response", allocated),
        (
            "POST_api_v3_orderList_oco__response_format_for_orderreports_is_sele",
            lambda r: new_list(r, "oco", **ICEBERG_STOP),
        ),
        ("POST_api_v3_orderList_oto__response", lambda rest: new_list(rest, "oto", **BUYING_BACK)),
        ("POST_api_v3_orderList_otoco__response", lambda rest: new_list(rest, "otoco", **LIMITED_STOP)),
        ("POST_api_v3_orderList_opo__response", lambda rest: new_list(rest, "opo")),
        ("POST_api_v3_orderList_opoco__response", lambda rest: new_list(rest, "opoco", **LIMITED_STOP)),
        ("POST_api_v3_order_oco__response", old_pair),
        ("DELETE_api_v3_orderList__response", cancelled_list),
        ("DELETE_api_v3_openOrders__response", cancelled_all),
        ("PUT_api_v3_order_amend_keepPriority__response_for_an_order_that_is_part_of_an", amended_leg),
        ("GET_api_v3_orderList__response", lambda rest: queried_lists(rest, "orderList")),
        ("GET_api_v3_openOrderList__response", lambda rest: queried_lists(rest, "openOrderList")),
        ("GET_api_v3_allOrderList__response", lambda rest: queried_lists(rest, "allOrderList")),
        (
            "GET_api_v3_account_commission__response",
            lambda rest: rest.signed("GET", "/api/v3/account/commission", symbol="BTCUSDT")[1],
        ),
    ],
)
def test_an_answer_has_the_shape_of_the_example(rest: Rest, examples: Path, example: str, ask: Ask) -> None:
    expected = json.loads((examples / "rest" / f"{example}.json").read_text())
    assert shape(ask(rest)) == shape(expected)


def test_the_kinds_of_filters_of_the_account(quiet: Simulator, rest: Rest, examples: Path) -> None:
    quiet.market.exchange_rules(max_open_orders=1000, asset_limits={"USDT": 1_000_000})
    expected = json.loads((examples / "rest" / "GET_api_v3_myFilters__response.json").read_text())
    mine = rest.signed("GET", "/api/v3/myFilters", symbol="BTCUSDT")[1]
    assert mine.keys() == expected.keys()
    for kind in ("exchangeFilters", "assetFilters"):
        assert shape(mine[kind]) == shape(expected[kind])


def test_an_event_has_the_fields_of_the_example(ws_api: WsApi, rest: Rest, examples: Path) -> None:
    path = examples / "user_data" / "Order_Update__executionReport__payload.json"
    expected = json.loads(path.read_text())["event"]
    # The example has the id of a prevented match, which the documentation itself calls conditional.
    del expected["v"]
    ws_api.subscribe()
    place(rest)
    assert shape(ws_api.event("executionReport")) == shape(expected)


def test_the_event_of_a_list_has_the_fields_of_the_example(ws_api: WsApi, rest: Rest, examples: Path) -> None:
    path = examples / "user_data" / "Order_Reject_Reason__listStatus__payload.json"
    expected = json.loads(path.read_text())["event"]
    ws_api.subscribe()
    new_list(rest, "oco")
    event = ws_api.event("listStatus")
    assert shape(event) == shape(expected)
    assert [event[name] for name in "clLr"] == [expected[name] for name in "clLr"]
