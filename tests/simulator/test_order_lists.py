"""Order lists over the wire: what is taken, what is refused, and how they are cancelled and asked for."""

from typing import Any

import pytest

from exconn_sync.simulator import Simulator

from .clients import Json, Rest, WsApi, now_ms

ORDER, LIST = "/api/v3/order", "/api/v3/orderList"
OCO = {
    "symbol": "BTCUSDT",
    "side": "SELL",
    "quantity": "0.1",
    "aboveType": "LIMIT_MAKER",
    "abovePrice": "61000",
    "belowType": "STOP_LOSS",
    "belowStopPrice": "59000",
}
BUYING = OCO | {
    "side": "BUY",
    "aboveType": "STOP_LOSS_LIMIT",
    "abovePrice": "61100",
    "aboveStopPrice": "61000",
    "aboveTimeInForce": "GTC",
    "belowType": "LIMIT_MAKER",
    "belowPrice": "59000",
    "belowStopPrice": None,
}
WORKING = {
    "symbol": "BTCUSDT",
    "workingType": "LIMIT",
    "workingSide": "BUY",
    "workingPrice": "59900",
    "workingQuantity": "0.1",
    "workingTimeInForce": "GTC",
}
OTO = WORKING | {
    "pendingType": "LIMIT",
    "pendingSide": "SELL",
    "pendingPrice": "61000",
    "pendingQuantity": "0.1",
    "pendingTimeInForce": "GTC",
}
PAIR = {
    "pendingSide": "SELL",
    "pendingAboveType": "LIMIT_MAKER",
    "pendingAbovePrice": "61000",
    "pendingBelowType": "STOP_LOSS",
    "pendingBelowStopPrice": "59000",
}
OTOCO = WORKING | PAIR | {"pendingQuantity": "0.1"}
OPO = WORKING | {"pendingType": "MARKET", "pendingSide": "SELL"}
OPOCO = WORKING | PAIR
KINDS = {"oco": OCO, "oto": OTO, "otoco": OTOCO, "opo": OPO, "opoco": OPOCO}


def sent(params: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in params.items() if value is not None}


def place(rest: Rest, kind: str = "oco", **change: Any) -> Json:
    status, answer = rest.signed("POST", f"{LIST}/{kind}", **sent(KINDS[kind] | change))
    assert status == 200, answer
    return answer


def refused(rest: Rest, kind: str, params: dict[str, Any], path: str = "") -> tuple[int, str]:
    status, answer = rest.signed("POST", path or f"{LIST}/{kind}", **sent(params))
    assert status == 400, answer
    return answer["code"], answer["msg"]


def order(rest: Rest, order_id: int) -> Json:
    return rest.signed("GET", ORDER, symbol="BTCUSDT", orderId=order_id)[1]


# --- placing --------------------------------------------------------------------------------------------------------


def test_a_pair_is_told_with_the_stop_loss_first(rest: Rest) -> None:
    answer = place(rest, listClientOrderId="mine", aboveClientOrderId="goal", belowClientOrderId="stop")
    assert (answer["orderListId"], answer["contingencyType"], answer["listClientOrderId"]) == (0, "OCO", "mine")
    assert (answer["listStatusType"], answer["listOrderStatus"]) == ("EXEC_STARTED", "EXECUTING")
    stop, goal = answer["orderReports"]
    assert [leg["clientOrderId"] for leg in answer["orders"]] == ["stop", "goal"]
    assert (stop["type"], stop["status"], stop["workingTime"]) == ("STOP_LOSS", "NEW", -1)
    assert (goal["type"], goal["status"], goal["orderListId"]) == ("LIMIT_MAKER", "NEW", 0)
    assert goal["workingTime"] == answer["transactionTime"]


def test_every_answer_about_an_order_names_its_list(rest: Rest) -> None:
    single = rest.limit("BUY", "0.01", "59000")[1]["orderId"]
    stop, goal = place(rest)["orders"]
    rows = rest.signed("GET", "/api/v3/openOrders", symbol="BTCUSDT")[1]
    assert {row["orderId"]: row["orderListId"] for row in rows} == {single: -1, stop["orderId"]: 0, goal["orderId"]: 0}
    rest.simulator.market.clear("BTCUSDT")
    rest.simulator.market.trade("BTCUSDT", "buy", "0.1")
    (fill,) = rest.signed("GET", "/api/v3/myTrades", symbol="BTCUSDT")[1]
    assert (fill["orderId"], fill["orderListId"]) == (goal["orderId"], 0)


def test_a_pair_locks_once_what_the_dearer_order_needs(rest: Rest) -> None:
    place(rest)
    assert str(rest.simulator.accounts.balances()["BTC"][1]) == "0.1"
    place(rest, "oco", **BUYING)
    assert str(rest.simulator.accounts.balances()["USDT"][1]) == "6110.0", "0.1 at 61100, not at both prices"


def test_the_deprecated_call_makes_a_pair_too(rest: Rest) -> None:
    old = {"symbol": "BTCUSDT", "side": "SELL", "quantity": "0.1", "price": "61000", "stopPrice": "59000"}
    status, answer = rest.signed("POST", f"{ORDER}/oco", **old, stopClientOrderId="stop", limitClientOrderId="goal")
    assert (status, [leg["clientOrderId"] for leg in answer["orders"]]) == (200, ["stop", "goal"])
    assert [row["type"] for row in answer["orderReports"]] == ["STOP_LOSS", "LIMIT_MAKER"]
    limited = old | {"stopLimitPrice": "58900", "stopLimitTimeInForce": "GTC"}
    status, answer = rest.signed("POST", f"{ORDER}/oco", **limited)
    assert (status, answer["orderReports"][0]["type"]) == (200, "STOP_LOSS_LIMIT")
    assert refused(rest, "", old | {"stopLimitPrice": "58900"}, f"{ORDER}/oco")[0] == -1102
    assert refused(rest, "", old | {"stopLimitTimeInForce": "GTC"}, f"{ORDER}/oco")[0] == -1106
    assert refused(rest, "", {**old, "price": None}, f"{ORDER}/oco")[0] == -1102


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"aboveType": "LIMIT"}, -1158),
        ({"belowType": "MARKET"}, -1158),
        ({"aboveType": "NOTHING"}, -1116),
        ({"side": "UP"}, -1117),
        ({"belowType": "LIMIT_MAKER"}, -1168),
        ({"aboveType": "STOP_LOSS"}, -1197),
        ({"belowType": "TAKE_PROFIT"}, -1199),
        ({"aboveType": "TAKE_PROFIT", "belowType": "LIMIT_MAKER"}, -1166),
        ({"side": "BUY"}, -1165),
        ({"side": "BUY", "aboveType": "STOP_LOSS"}, -1196),
        ({"side": "BUY", "aboveType": "TAKE_PROFIT", "belowType": "LIMIT_MAKER"}, -1198),
        ({"aboveIcebergQty": "0.01", "aboveTimeInForce": "IOC"}, -1160),
        ({"abovePrice": None}, -1102),
        ({"belowStopPrice": None}, -1102),
        ({"quantity": None}, -1102),
        ({"aboveStopPrice": "61000"}, -1106),
        ({"aboveQuoteOrderQty": "100"}, -1104),
        ({"price": "61000"}, -1104),
        ({"abovePrice": "61000.123456789"}, -1111),
        ({"abovePrice": "61000.001"}, -1013),
        ({"aboveStrategyType": "5"}, -1134),
        ({"listClientOrderId": "a b"}, -1100),
        ({"selfTradePreventionMode": "NEVER"}, -1013),
        ({"abovePrice": "59500"}, -2010),
        ({"belowStopPrice": "60500"}, -2010),
        ({"symbol": "NOTHING"}, -1121),
        ({"quantity": "101"}, -2010),
    ],
)
def test_a_bad_pair_is_refused_without_any_effect(rest: Rest, change: dict[str, Any], code: int) -> None:
    assert refused(rest, "oco", OCO | change)[0] == code
    assert rest.signed("GET", "/api/v3/openOrders")[1] == []
    assert rest.simulator.accounts.balances()["BTC"][1] == 0


def test_prices_in_the_wrong_relation_have_a_text_of_their_own(rest: Rest) -> None:
    text = "The relationship of the prices for the orders is not correct."
    assert refused(rest, "oco", OCO | {"belowStopPrice": "60000"}) == (-2010, text)
    assert refused(rest, "oco", BUYING | {"belowPrice": "60000"}) == (-2010, text)
    assert refused(rest, "otoco", OTOCO | {"pendingAbovePrice": "58000"}) == (-2010, text)


@pytest.mark.parametrize(
    ("kind", "change", "code"),
    [
        ("oto", {"workingType": "MARKET"}, -1014),
        ("oto", {"workingType": "STOP_LOSS_LIMIT"}, -1014),
        ("oto", {"workingStopPrice": "60000"}, -1104),
        ("oto", {"workingTimeInForce": None}, -1102),
        ("oto", {"workingType": "LIMIT_MAKER"}, -1106),
        ("oto", {"pendingQuantity": None}, -1102),
        ("oto", {"pendingType": None}, -1102),
        ("oto", {"pendingType": "MARKET", "pendingPrice": None, "pendingTimeInForce": None, "pendingQuantity": None,
                 "pendingQuoteOrderQty": "600"}, -1102),
        ("oto", {"pendingPrice": "61000.001"}, -1013),
        ("otoco", {"pendingQuantity": None}, -1102),
        ("otoco", {"pendingAboveType": "LIMIT"}, -1158),
        ("opo", {"pendingQuantity": "0.1"}, -1225),
        ("opo", {"workingSide": "SELL"}, -1222),
        ("opo", {"pendingSide": "BUY"}, -1223),
        ("opoco", {"pendingQuantity": "0.1"}, -1225),
        ("opoco", {"workingSide": "SELL"}, -1222),
        ("opoco", {"pendingSide": "BUY", "pendingAboveType": "STOP_LOSS", "pendingAbovePrice": None,
                   "pendingAboveStopPrice": "61000", "pendingBelowType": "LIMIT_MAKER", "pendingBelowPrice": "59000",
                   "pendingBelowStopPrice": None}, -1223),
        ("opo", {"workingQuantity": "100"}, -2010),
    ],
)  # fmt: skip
def test_a_bad_list_is_refused_without_any_effect(rest: Rest, kind: str, change: dict[str, Any], code: int) -> None:
    assert refused(rest, kind, KINDS[kind] | change)[0] == code
    assert rest.signed("GET", "/api/v3/openOrders")[1] == []
    assert rest.simulator.accounts.balances()["USDT"][1] == 0


def test_what_a_symbol_does_not_offer_is_refused(quiet: Simulator, rest: Rest) -> None:
    info = rest.get("/api/v3/exchangeInfo", symbol="BTCUSDT")[1]["symbols"][0]
    assert (info["ocoAllowed"], info["otoAllowed"], info["opoAllowed"]) == (True, True, True)
    for name, kind in (("oco", "otoco"), ("oto", "oto"), ("opo", "opo")):
        quiet.market.rules("BTCUSDT", **{f"{name}_allowed": False})
        text = f"{name.upper()} orders are not supported for this symbol"
        assert refused(rest, kind, KINDS[kind]) == (-2010, text)
        quiet.market.rules("BTCUSDT", **{f"{name}_allowed": True})


def test_ids_are_unique_among_what_is_open(rest: Rest) -> None:
    place(rest, listClientOrderId="mine", aboveClientOrderId="goal")
    assert refused(rest, "oco", OCO | {"aboveClientOrderId": "goal"}) == (-2010, "Duplicate order sent.")
    assert refused(rest, "oco", OCO | {"listClientOrderId": "mine"}) == (-2010, "Duplicate order sent.")
    same = {"aboveClientOrderId": "x", "belowClientOrderId": "x"}
    assert refused(rest, "oco", OCO | same) == (-2010, "Duplicate order sent.")
    rest.signed("DELETE", LIST, symbol="BTCUSDT", listClientOrderId="mine")
    place(rest, listClientOrderId="mine", aboveClientOrderId="goal")


@pytest.mark.parametrize(("kind", "orders"), [("oco", 2), ("oto", 2), ("opo", 2), ("otoco", 3), ("opoco", 3)])
def test_each_order_of_a_list_counts(quiet: Simulator, rest: Rest, kind: str, orders: int) -> None:
    quiet.market.rules("BTCUSDT", max_open_orders=orders)
    response = rest.signed_raw("POST", f"{LIST}/{kind}", **sent(KINDS[kind]))
    assert (response.status, response.headers["X-MBX-ORDER-COUNT-10S"]) == (200, str(orders))
    assert rest.limit("BUY", "0.01", "59000")[1]["msg"] == "Filter failure: MAX_NUM_ORDERS"
    quiet.market.rules("BTCUSDT", max_open_orders=2 * orders - 1)
    assert refused(rest, kind, KINDS[kind]) == (-1013, "Filter failure: MAX_NUM_ORDERS")
    quiet.market.rules("BTCUSDT", max_open_orders=2 * orders)
    quiet.faults.rate_limits(orders_per_10s=2 * orders - 1)
    assert rest.signed("POST", f"{LIST}/{kind}", **sent(KINDS[kind]))[0] == 429


def test_a_list_that_comes_too_late_counts_all_the_same(quiet: Simulator, rest: Rest) -> None:
    with quiet.faults.delay("POST", f"{LIST}/otoco", 1.0):
        assert refused(rest, "otoco", OTOCO | {"recvWindow": 999})[0] == -1021
    assert quiet.accounts.order_lists() == []
    assert rest.signed("GET", "/api/v3/rateLimit/order")[1][1]["count"] == 3


def test_the_number_of_lists_is_limited(quiet: Simulator, rest: Rest) -> None:
    filters = rest.get("/api/v3/exchangeInfo", symbol="BTCUSDT")[1]["symbols"][0]["filters"]
    assert {"filterType": "MAX_NUM_ORDER_LISTS", "maxNumOrderLists": 20} in filters
    quiet.market.rules("BTCUSDT", max_order_lists=1)
    place(rest, "otoco")
    assert refused(rest, "oco", OCO) == (-1013, "Filter failure: MAX_NUM_ORDER_LISTS")
    quiet.market.rules("BTCUSDT", max_order_lists=20)
    quiet.market.exchange_rules(max_order_lists=1)
    assert refused(rest, "oco", OCO) == (-1013, "Filter failure: EXCHANGE_MAX_NUM_ORDER_LISTS")
    mine = rest.signed("GET", "/api/v3/myFilters", symbol="BTCUSDT")[1]["exchangeFilters"]
    assert mine == [{"filterType": "EXCHANGE_MAX_NUM_ORDER_LISTS", "maxNumOrderLists": 1}]


def test_stop_orders_of_a_list_count_as_such(quiet: Simulator, rest: Rest) -> None:
    quiet.market.rules("BTCUSDT", max_algo_orders=1)
    place(rest)
    assert refused(rest, "otoco", OTOCO) == (-1013, "Filter failure: MAX_NUM_ALGO_ORDERS")


def test_the_kind_of_answer_is_chosen_for_all_orders(rest: Rest) -> None:
    assert set(place(rest, newOrderRespType="ACK")["orderReports"][0]) == {
        "symbol", "orderId", "orderListId", "clientOrderId", "transactTime",
    }  # fmt: skip
    filled = place(rest, "oto", newOrderRespType="FULL", workingPrice="60010")["orderReports"]
    assert [(row["status"], len(row["fills"])) for row in filled] == [("FILLED", 1), ("PENDING_NEW", 0)]
    assert order(rest, filled[1]["orderId"])["status"] == "NEW", "the answer is of before"


# --- cancelling -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("which", [0, 1])
def test_cancelling_an_order_cancels_its_list(rest: Rest, which: int) -> None:
    made = place(rest)
    leg = made["orders"][which]["orderId"]
    status, answer = rest.signed("DELETE", ORDER, symbol="BTCUSDT", orderId=leg, newClientOrderId="away")
    assert (status, answer["listStatusType"], answer["listOrderStatus"]) == (200, "ALL_DONE", "ALL_DONE")
    assert answer["orders"] == made["orders"]
    assert [(row["status"], row["clientOrderId"]) for row in answer["orderReports"]] == [("CANCELED", "away")] * 2
    assert [row["origClientOrderId"] for row in answer["orderReports"]] == [
        leg["clientOrderId"] for leg in made["orders"]
    ]
    assert rest.simulator.accounts.balances()["BTC"][1] == 0
    assert rest.signed("DELETE", ORDER, symbol="BTCUSDT", orderId=leg)[1]["code"] == -2011


def test_a_list_is_cancelled_by_either_id(rest: Rest) -> None:
    for name, value in (("orderListId", 0), ("listClientOrderId", "mine")):
        place(rest, "otoco", listClientOrderId="mine")
        status, answer = rest.signed("DELETE", LIST, symbol="BTCUSDT", **{name: value}, newClientOrderId="away")
        assert (status, answer["listClientOrderId"], len(answer["orderReports"])) == (200, "away", 3)
        assert {row["status"] for row in answer["orderReports"]} == {"CANCELED"}
    found = rest.signed("GET", LIST, origClientOrderId="mine")[1]
    assert (found["orderListId"], found["listOrderStatus"]) == (1, "ALL_DONE"), "found by its first id, the newest"


def test_a_cancel_of_a_list_that_is_not_there(rest: Rest) -> None:
    made = place(rest, listClientOrderId="mine")

    def cancel(**which: Any) -> Json:
        return rest.signed("DELETE", LIST, symbol="BTCUSDT", **which)[1]["code"]

    assert cancel() == -1102
    assert cancel(orderListId=77) == -2011
    assert cancel(listClientOrderId="other") == -2011
    assert cancel(orderListId=made["orderListId"], listClientOrderId="other") == -2039
    assert rest.signed("DELETE", LIST, symbol="ETHUSDT", orderListId=0)[1]["code"] == -2011
    assert rest.signed("DELETE", LIST, symbol="BTCUSDT", orderListId=0)[0] == 200
    assert cancel(orderListId=0) == -2011


def test_the_lists_of_others_are_out_of_reach(quiet: Simulator, rest: Rest) -> None:
    place(rest, listClientOrderId="mine")
    other = Rest(quiet, quiet.accounts.add("other"))
    for which in ({"orderListId": 0}, {"listClientOrderId": "mine"}):
        assert other.signed("DELETE", LIST, symbol="BTCUSDT", **which)[1]["code"] == -2011
    assert other.signed("GET", LIST, orderListId=0)[1]["code"] == -2013
    assert other.signed("GET", "/api/v3/openOrderList")[1] == []
    other.close()


def test_cancelling_everything_tells_lists_as_lists(rest: Rest) -> None:
    single = rest.limit("BUY", "0.01", "59000")[1]["orderId"]
    place(rest)
    place(rest, "otoco")
    status, rows = rest.signed("DELETE", "/api/v3/openOrders", symbol="BTCUSDT")
    assert (status, rows[0]["orderId"]) == (200, single)
    assert [(row["orderListId"], len(row["orderReports"])) for row in rows[1:]] == [(0, 2), (1, 3)]
    assert rest.signed("GET", "/api/v3/openOrders")[1] == []
    assert {name: balance[1] for name, balance in rest.simulator.accounts.balances().items() if balance[1]} == {}


def test_a_restriction_is_about_the_order_that_is_named(rest: Rest) -> None:
    working, pending = place(rest, "oto")["orders"]
    which = {"symbol": "BTCUSDT", "cancelRestrictions": "ONLY_NEW"}
    assert rest.signed("DELETE", ORDER, **which, orderId=pending["orderId"])[1]["code"] == -2011
    assert rest.signed("DELETE", ORDER, **which, orderId=working["orderId"])[0] == 200


def test_replacing_an_order_of_a_list_cancels_the_list(rest: Rest) -> None:
    stop = place(rest)["orders"][0]
    new = {"symbol": "BTCUSDT", "side": "SELL", "type": "LIMIT", "timeInForce": "GTC", "quantity": "0.1"}
    status, answer = rest.signed(
        "POST", f"{ORDER}/cancelReplace", **new, price="61500", cancelReplaceMode="STOP_ON_FAILURE",
        cancelOrderId=stop["orderId"],
    )  # fmt: skip
    assert (status, answer["cancelResponse"]["listOrderStatus"]) == (200, "ALL_DONE")
    assert answer["newOrderResponse"]["orderListId"] == -1


# --- asking ---------------------------------------------------------------------------------------------------------


def test_lists_are_asked_for(rest: Rest) -> None:
    first = place(rest, listClientOrderId="first")
    second = place(rest, "opo")
    rest.signed("DELETE", LIST, symbol="BTCUSDT", orderListId=0)
    (row,) = rest.signed("GET", "/api/v3/openOrderList")[1]
    assert row == {name: value for name, value in second.items() if name != "orderReports"}
    done = rest.signed("GET", LIST, orderListId=0)[1]
    assert (done["listStatusType"], done["orders"]) == ("ALL_DONE", first["orders"])
    assert [row["orderListId"] for row in rest.signed("GET", "/api/v3/allOrderList")[1]] == [0, 1]
    assert rest.signed("GET", LIST)[1]["code"] == -1102
    assert rest.signed("GET", LIST, orderListId=9)[1]["code"] == -2013
    assert rest.signed("GET", LIST, orderListId=1, origClientOrderId="first")[1]["code"] == -2039


def test_all_lists_come_in_pages(rest: Rest) -> None:
    for _ in range(3):
        place(rest)

    def ask(**which: Any) -> Json:
        return rest.signed("GET", "/api/v3/allOrderList", **which)[1]

    def ids(**which: Any) -> list[int]:
        return [row["orderListId"] for row in ask(**which)]

    assert ids(fromId=1) == [1, 2]
    assert ids(fromId=0, limit=2) == [0, 1]
    assert ids(limit=2) == [1, 2]
    start = now_ms() - 60_000
    assert ids(startTime=start, limit=1) == [0]
    assert ids(startTime=start - 1000, endTime=start) == []
    assert ask(fromId=1, startTime=start)["code"] == -1128
    assert ask(startTime=start, endTime=start + 86_400_001)["code"] == -1127


def test_the_weights_are_those_of_the_table(rest: Rest) -> None:
    def weight(method: str, path: str, **params: Any) -> int:
        before, after = (
            int(rest.raw("GET", "/api/v3/ping").headers["X-MBX-USED-WEIGHT-1M"]),
            int(rest.signed_raw(method, path, **params).headers["X-MBX-USED-WEIGHT-1M"]),
        )
        return after - before

    assert weight("POST", f"{LIST}/oco", **OCO) == 0
    assert weight("POST", f"{LIST}/oco", **OCO | {"side": "BUY"}) == 1, "refused, so not free"
    assert weight("GET", LIST, orderListId=0) == 4
    assert weight("GET", "/api/v3/openOrderList") == 6
    assert weight("GET", "/api/v3/allOrderList") == 20
    assert weight("DELETE", LIST, symbol="BTCUSDT", orderListId=0) == 0


# --- the WebSocket API ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_each_call_has_a_twin(ws_api: WsApi, rest: Rest, kind: str) -> None:
    reply = ws_api.call(f"orderList.place.{kind}", signed=True, **sent(KINDS[kind]))
    assert (reply["status"], reply["result"]["orderListId"]) == (200, 0)
    assert len(reply["result"]["orderReports"]) == next(row["count"] for row in reply["rateLimits"])
    assert ws_api.call("orderList.status", signed=True, orderListId=0)["result"]["listOrderStatus"] == "EXECUTING"
    assert len(ws_api.call("openOrderLists.status", signed=True)["result"]) == 1
    cancelled = ws_api.call("orderList.cancel", signed=True, symbol="BTCUSDT", orderListId=0)
    assert cancelled["result"]["listOrderStatus"] == "ALL_DONE"
    assert ws_api.call("openOrderLists.status", signed=True)["result"] == []
    assert len(ws_api.call("allOrderLists", signed=True)["result"]) == 1
    assert rest.signed("GET", LIST, orderListId=0)[1] == ws_api.call("allOrderLists", signed=True)["result"][0]


def test_the_twin_of_the_deprecated_call(ws_api: WsApi) -> None:
    old = {"symbol": "BTCUSDT", "side": "SELL", "quantity": "0.1", "price": "61000", "stopPrice": "59000"}
    assert ws_api.call("orderList.place", signed=True, **old)["result"]["contingencyType"] == "OCO"


def test_over_the_socket_the_client_id_wins(ws_api: WsApi) -> None:
    for name in ("first", "second"):
        ws_api.call("orderList.place.oco", signed=True, **OCO, listClientOrderId=name)
    found = ws_api.call("orderList.status", signed=True, orderListId=0, origClientOrderId="second")
    assert found["result"]["orderListId"] == 1
