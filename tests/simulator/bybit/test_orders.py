"""Orders over REST: acknowledgements, outcomes, words (Bybit: 4.7 to 4.17)."""

import json
import threading
import time
from decimal import Decimal
from typing import Any

import pytest

from exconn_sync.simulator import Simulator
from tests.simulator.clients import eventually

from .clients import Private, Rest

SPOT = {"category": "spot", "symbol": "BTCUSDT"}


def words(order: Any) -> tuple[str, str, str]:
    return order["orderStatus"], order["cancelType"], order["rejectReason"]


# --- acknowledgements and outcomes ----------------------------------------------------------------------------------


def test_a_resting_order(rest: Rest) -> None:
    answer = rest.create("Buy", "0.01", "50000", orderLinkId="mine-1")
    assert answer["result"] == {"orderId": answer["result"]["orderId"], "orderLinkId": "mine-1"}
    order_id = answer["result"]["orderId"]
    assert len(order_id) == 19
    order = rest.order(order_id)
    assert words(order) == ("New", "UNKNOWN", "EC_NoError")
    assert (order["qty"], order["price"], order["leavesQty"], order["leavesValue"]) == ("0.01", "50000", "0.01", "500")
    assert (order["avgPrice"], order["cumExecQty"], order["cumFeeDetail"], order["isLeverage"]) == ("", "0", {}, "0")
    assert (order["timeInForce"], order["orderType"], order["marketUnit"]) == ("GTC", "Limit", "")
    assert (order["createdTime"].isdigit(), order["triggerDirection"], order["reduceOnly"]) == (True, 0, False)
    assert "category" not in order
    assert "createType" not in order


def test_an_order_without_a_client_id_gets_the_number_behind_its_own(rest: Rest) -> None:
    result = rest.create("Buy", "0.01", "50000")["result"]
    assert result["orderLinkId"] == str(int(result["orderId"]) + 1)
    by_link = rest.get("/v5/order/realtime", **SPOT, orderLinkId=result["orderLinkId"])["result"]["list"]
    assert [row["orderId"] for row in by_link] == [result["orderId"]]


def test_a_client_id_is_used_once_for_ever(rest: Rest) -> None:
    order_id = rest.placed("Buy", "0.01", "50000", orderLinkId="once")
    rest.post("/v5/order/cancel", **SPOT, orderId=order_id)
    assert rest.create("Buy", "0.01", "50000", orderLinkId="once")["retCode"] == 170141
    assert rest.create("Sell", "1", "3000", symbol="ETHUSDT", orderLinkId="once")["retCode"] == 170141


def test_a_market_buy_is_in_quote_unless_it_says_otherwise(rest: Rest) -> None:
    in_quote = rest.order(rest.placed("Buy", "100"))
    assert words(in_quote) == ("PartiallyFilledCanceled", "UNKNOWN", "EC_CancelForNoFullFill")
    assert (in_quote["qty"], in_quote["marketUnit"], in_quote["cumExecQty"]) == ("100", "quoteCoin", "0.00166")
    assert (in_quote["leavesQty"], in_quote["leavesValue"], in_quote["price"]) == ("0", "0.3834", "0")
    in_base = rest.order(rest.placed("Buy", "0.01", marketUnit="baseCoin"))
    assert words(in_base) == ("Filled", "UNKNOWN", "EC_NoError")
    assert (in_base["qty"], in_base["avgPrice"], in_base["timeInForce"]) == ("0.01", "60010", "IOC")
    whole = rest.order(rest.placed("Buy", "600.1"))
    assert words(whole)[0] == "Filled"


def test_a_market_sell_is_in_base_unless_it_says_otherwise(rest: Rest) -> None:
    assert rest.order(rest.placed("Sell", "0.01"))["cumExecQty"] == "0.01"
    assert rest.order(rest.placed("Sell", "600", marketUnit="quoteCoin"))["cumExecValue"] == "600"


@pytest.mark.parametrize(
    ("force", "qty", "price", "expected"),
    [
        ("IOC", "2", "60010", ("PartiallyFilledCanceled", "UNKNOWN", "EC_CancelForNoFullFill")),
        ("IOC", "2", "60005", ("Cancelled", "UNKNOWN", "EC_NoImmediateQtyToFill")),
        ("FOK", "2", "60010", ("Cancelled", "UNKNOWN", "EC_NoEnoughQtyToFill")),
        ("FOK", "1", "60010", ("Filled", "UNKNOWN", "EC_NoError")),
        ("PostOnly", "1", "60010", ("Cancelled", "UNKNOWN", "EC_PostOnlyWillTakeLiquidity")),
        ("PostOnly", "1", "60009", ("New", "UNKNOWN", "EC_NoError")),
    ],
)
def test_outcomes_are_no_part_of_the_acknowledgement(
    rest: Rest, force: str, qty: str, price: str, expected: tuple[str, str, str]
) -> None:
    order = rest.order(rest.placed("Buy", qty, price, timeInForce=force))
    assert (words(order), order["timeInForce"]) == (expected, force)


@pytest.mark.parametrize(
    ("kind", "amount", "filled"), [("TickSize", "99", "1"), ("TickSize", "100", "1.5"), ("Percent", "0.01", "1.5")]
)
def test_a_market_order_goes_as_far_as_it_may(
    quiet: Simulator, rest: Rest, kind: str, amount: str, filled: str
) -> None:
    quiet.market.quote("BTCUSDT", "sell", "60011", "0.5")
    quiet.market.quote("BTCUSDT", "sell", "60100", "5")
    tolerance = {"slippageToleranceType": kind, "slippageTolerance": amount}
    order = rest.order(rest.placed("Buy", "2", marketUnit="baseCoin", **tolerance))
    assert words(order) == ("PartiallyFilledCanceled", "UNKNOWN", "EC_CancelForNoFullFill")
    assert (order["cumExecQty"], order["price"]) == (filled, "0")
    assert quiet.accounts.balances()["USDT"][1] == 0
    (closed,) = rest.get("/v5/order/history", **SPOT)["result"]["list"]
    assert (closed["slippageToleranceType"], closed["slippageTolerance"]) == (kind, amount)


def test_an_amount_is_spent_within_the_tolerance(quiet: Simulator, rest: Rest) -> None:
    quiet.market.quote("BTCUSDT", "sell", "60100", "5")
    tolerance = {"slippageToleranceType": "TickSize", "slippageTolerance": "1"}
    order = rest.order(rest.placed("Buy", "100000", **tolerance))
    assert (order["orderStatus"], order["cumExecValue"], order["leavesValue"]) == (
        "PartiallyFilledCanceled",
        "60010",
        "39990",
    )


def test_a_market_order_without_a_market(quiet: Simulator, rest: Rest) -> None:
    quiet.market.clear("BTCUSDT")
    for extra in ({}, {"marketUnit": "baseCoin"}):
        qty = "0.01" if extra else "100"
        assert words(rest.order(rest.placed("Buy", qty, **extra))) == (
            "Cancelled",
            "UNKNOWN",
            "EC_NoImmediateQtyToFill",
        )


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"symbol": "NOSUCH"}, 170121),
        ({"category": "linear"}, 10001),
        ({"side": "buy"}, 170117),
        ({"orderType": "Stop"}, 170116),
        ({"timeInForce": "GTX"}, 170115),
        ({"timeInForce": "RPI"}, 170355),
        ({"orderFilter": "All"}, 170201),
        ({"qty": 0.01}, 10001),
        ({"qty": None}, 10001),
        ({"qty": "abc"}, 170130),
        ({"qty": "0.000001"}, 170137),
        ({"qty": "9000.1"}, 170381),
        ({"price": "50000.001"}, 170134),
        ({"price": None}, 10001),
        ({"qty": "0.00001"}, 170140),
        ({"qty": "100"}, 170131),
        ({"isLeverage": 1}, 170036),
        ({"isLeverage": "0"}, 10001),
        ({"orderLinkId": "x" * 37}, 10001),
        ({"orderLinkId": "ä"}, 10001),
        ({"orderType": "Market", "takeProfit": "70000"}, 170227),
        ({"orderType": "Market", "qty": "0.000000001"}, 170148),
        ({"orderType": "Market", "qty": "4.99"}, 170140),
        ({"orderType": "Market", "qty": "121", "marketUnit": "baseCoin"}, 170382),
        ({"orderType": "Market", "marketUnit": "coin"}, 10001),
        ({"smpType": "All"}, 10001),
        ({"slippageToleranceType": "TickSize", "slippageTolerance": "5"}, 10001),
        ({"orderType": "Market", "slippageToleranceType": "TickSize", "slippageTolerance": "0.5"}, 110108),
        ({"orderType": "Market", "slippageToleranceType": "Percent", "slippageTolerance": "0.001"}, 110109),
        ({"orderType": "Market", "slippageToleranceType": "Percent"}, 10001),
    ],
)
def test_what_is_refused_at_first_sight(quiet: Simulator, rest: Rest, changes: dict[str, object], code: int) -> None:
    order = {"side": "Buy", "qty": "0.01", "price": "50000", "orderType": "Limit", **SPOT, **changes}
    answer = rest.post("/v5/order/create", **order)
    assert (answer["retCode"], answer["result"]) == (code, {})
    assert quiet.accounts.orders() == []


def test_null_is_as_good_as_nothing(rest: Rest) -> None:
    assert rest.create("Buy", "0.01", "50000", orderLinkId=None, isLeverage=None, smpType=None)["retCode"] == 0


def test_a_closed_pair(quiet: Simulator, rest: Rest) -> None:
    quiet.market.set_status("BTCUSDT", "HALT")
    assert rest.create("Buy", "0.01", "50000")["retCode"] == 170151


def test_too_many_orders(quiet: Simulator, rest: Rest) -> None:
    quiet.market.rules("BTCUSDT", max_open_orders=2)
    for _ in range(2):
        rest.placed("Buy", "0.001", "50000")
    assert rest.create("Buy", "0.001", "50000")["retCode"] == 170810


def test_own_orders_do_not_trade_when_the_taker_asks(rest: Rest) -> None:
    rest.placed("Sell", "0.5", "60005")
    for prevention, status in (("CancelTaker", "Cancelled"), ("CancelBoth", "Cancelled")):
        taker = rest.order(rest.placed("Buy", "0.5", "60005", smpType=prevention))
        assert words(taker) == (status, "CancelBySmp", "EC_BySelfMatch")
        assert taker["smpType"] == prevention
    assert rest.get("/v5/order/realtime", **SPOT)["result"]["list"] == []


# --- fees -----------------------------------------------------------------------------------------------------------


def fills_of(rest: Rest, order_id: str) -> list[Any]:
    rows = rest.get("/v5/execution/list", category="spot", orderId=order_id)["result"]["list"]
    assert isinstance(rows, list)
    return rows


def test_fees_are_paid_in_what_is_received(rest: Rest) -> None:
    bought, sold = rest.placed("Buy", "0.01", "60010"), rest.placed("Sell", "0.01", "60000")
    (buy,), (sell,) = fills_of(rest, bought), fills_of(rest, sold)
    assert (buy["execFee"], buy["feeCurrency"], buy["feeRate"], buy["isMaker"]) == ("0.00001", "BTC", "0.001", False)
    assert (sell["execFee"], sell["feeCurrency"], sell["execValue"]) == ("0.6", "USDT", "600")
    assert rest.order(bought)["cumFeeDetail"] == {"BTC": "0.00001"}
    assert (buy["execType"], buy["leavesQty"], buy["orderPrice"]) == ("Trade", "0", "60010")
    assert isinstance(buy["seq"], int)
    assert int(buy["execId"]) > 2**53


def test_a_rebate_is_paid_in_the_other_coin(quiet: Simulator, rest: Rest) -> None:
    quiet.accounts.commission(maker="-0.0002", taker="0.001")
    bid, ask = rest.placed("Buy", "0.5", "60001"), rest.placed("Sell", "0.5", "60009")
    quiet.market.trade("BTCUSDT", "sell", "0.5")
    quiet.market.trade("BTCUSDT", "buy", "0.5")
    (buy,), (sell,) = fills_of(rest, bid), fills_of(rest, ask)
    assert (buy["execFee"], buy["feeCurrency"]) == ("-6.0001", "USDT")
    assert (sell["execFee"], sell["feeCurrency"]) == ("-0.0001", "BTC")
    balances = quiet.accounts.balances()
    assert balances["BTC"] == (Decimal("100.0001"), Decimal(0))
    assert balances["USDT"] == (
        Decimal("1000000") - Decimal("30000.5") + Decimal("30004.5") + Decimal("6.0001"),
        Decimal(0),
    )


def test_fees_are_exact_products(quiet: Simulator, rest: Rest) -> None:
    quiet.accounts.commission(taker="0.00123456789")
    (fill,) = fills_of(rest, rest.placed("Buy", "0.00123", "60010"))
    assert Decimal(fill["execFee"]) == Decimal("0.00123") * Decimal("0.00123456789")


# --- amending and cancelling ----------------------------------------------------------------------------------------


def test_an_order_is_amended_under_its_id(quiet: Simulator, rest: Rest) -> None:
    order_id = rest.placed("Buy", "0.01", "50000")
    answer = rest.post("/v5/order/amend", **SPOT, orderId=order_id, qty="0.02", price="50001")
    assert (answer["retCode"], answer["result"]["orderId"]) == (0, order_id)
    order = rest.order(order_id)
    assert (order["qty"], order["price"], order["orderStatus"]) == ("0.02", "50001", "New")
    assert quiet.accounts.balances()["USDT"][1] == Decimal("1000.02")
    rest.post("/v5/order/amend", **SPOT, orderId=order_id, qty="0.005")
    assert quiet.accounts.balances()["USDT"][1] == Decimal("250.005")
    assert [str(quantity) for _, quantity in quiet.market.order_book("BTCUSDT")[1]] == ["1", "0.005"]


def test_a_new_price_may_trade_at_once(rest: Rest) -> None:
    order_id = rest.placed("Buy", "0.5", "59000")
    rest.post("/v5/order/amend", **SPOT, orderId=order_id, price="60010")
    order = rest.order(order_id)
    assert (order["orderStatus"], order["avgPrice"]) == ("Filled", "60010")


def test_a_post_only_order_amended_into_the_market_is_cancelled(quiet: Simulator, rest: Rest) -> None:
    order_id = rest.placed("Buy", "0.5", "59000", timeInForce="PostOnly")
    assert rest.post("/v5/order/amend", **SPOT, orderId=order_id, price="60010")["retCode"] == 0
    assert words(rest.order(order_id)) == ("Cancelled", "UNKNOWN", "EC_PostOnlyWillTakeLiquidity")
    assert quiet.accounts.balances()["USDT"] == (Decimal(1_000_000), Decimal(0))


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"qty": "0.4"}, 170313),
        ({}, 10001),
        ({"qty": "1"}, 10001),
        ({"price": "50000.001"}, 170134),
        ({"price": "70000"}, 170193),
        ({"qty": "0.000001"}, 170137),
        ({"qty": "30"}, 170131),
        ({"tpLimitPrice": "70000"}, 170202),
        ({"orderId": "1700000000000000099"}, 170213),
        ({"orderId": "", "orderLinkId": ""}, 10001),
    ],
)
def test_bad_amendments(quiet: Simulator, rest: Rest, changes: dict[str, object], code: int) -> None:
    order_id = rest.placed("Buy", "1", "60005")
    quiet.market.trade("BTCUSDT", "sell", "0.5")
    before = rest.order(order_id)
    answer = rest.post("/v5/order/amend", **{**SPOT, "orderId": order_id, **changes})
    assert answer["retCode"] == code, answer
    assert rest.order(order_id) == before


def test_an_amended_total_of_what_is_filled_ends_the_order(quiet: Simulator, rest: Rest) -> None:
    order_id = rest.placed("Buy", "1", "60005")
    quiet.market.trade("BTCUSDT", "sell", "0.5")
    rest.post("/v5/order/amend", **SPOT, orderId=order_id, qty="0.5")
    assert words(rest.order(order_id))[0] == "Filled"
    assert quiet.accounts.balances()["USDT"][1] == 0


def test_cancelling(quiet: Simulator, rest: Rest) -> None:
    order_id = rest.placed("Buy", "0.5", "60005", orderLinkId="c-1")
    quiet.market.trade("BTCUSDT", "sell", "0.2")
    answer = rest.post("/v5/order/cancel", **SPOT, orderLinkId="c-1")
    assert answer["result"] == {"orderId": order_id, "orderLinkId": "c-1"}
    order = rest.order(order_id)
    assert words(order) == ("PartiallyFilledCanceled", "CancelByUser", "EC_PerCancelRequest")
    assert (order["leavesQty"], order["cumExecQty"]) == ("0.3", "0.2")
    for named in ({"orderId": order_id}, {"orderLinkId": "c-1"}, {"orderId": "nothing"}):
        assert rest.post("/v5/order/cancel", **SPOT, **named)["retCode"] == 170213
    assert rest.post("/v5/order/cancel", **SPOT)["retCode"] == 10001


def test_orders_of_others_do_not_exist(quiet: Simulator, rest: Rest) -> None:
    other = Rest(quiet, quiet.accounts.add("other", {"USDT": 1000}))
    order_id = other.placed("Buy", "0.01", "50000", orderLinkId="theirs")
    for named in ({"orderId": order_id}, {"orderLinkId": "theirs"}):
        assert rest.post("/v5/order/cancel", **SPOT, **named)["retCode"] == 170213
        assert rest.get("/v5/order/realtime", **SPOT, **named)["result"]["list"] == []
    other.close()


def test_cancel_all_takes_one_kind(rest: Rest) -> None:
    plain = [rest.placed("Buy", "0.01", price) for price in ("50000", "50001")]
    eth = rest.placed("Buy", "1", "2900", symbol="ETHUSDT")
    stop = rest.placed("Sell", "0.01", "55000", orderFilter="StopOrder", triggerPrice="55500")
    gone = rest.post("/v5/order/cancel-all", **SPOT)["result"]
    assert (sorted(row["orderId"] for row in gone["list"]), gone["success"]) == (sorted(plain), "1")
    assert [row["orderId"] for row in rest.post("/v5/order/cancel-all", category="spot")["result"]["list"]] == [eth]
    left = rest.get("/v5/order/realtime", category="spot")["result"]["list"]
    assert [row["orderId"] for row in left] == [stop]
    gone = rest.post("/v5/order/cancel-all", category="spot", orderFilter="StopOrder")["result"]
    assert [row["orderId"] for row in gone["list"]] == [stop]
    assert words(rest.order(stop))[0] == "Deactivated"


# --- conditional orders ---------------------------------------------------------------------------------------------


def test_a_conditional_order_waits_without_funds_and_fires(quiet: Simulator, rest: Rest) -> None:
    extra = {"orderFilter": "StopOrder", "triggerPrice": "60010"}
    stop = rest.placed("Buy", "0.5", "60020", **extra)
    held = rest.placed("Buy", "0.5", "60020", **(extra | {"orderFilter": "tpslOrder"}))
    assert (words(rest.order(stop))[0], rest.order(stop)["stopOrderType"]) == ("Untriggered", "Stop")
    assert rest.order(held)["stopOrderType"] == "tpslOrder"
    assert quiet.accounts.balances()["USDT"][1] == Decimal("30010")
    assert rest.post("/v5/order/cancel", **SPOT, orderId=held)["retCode"] == 170213
    assert rest.post("/v5/order/cancel", **SPOT, orderId=held, orderFilter="tpslOrder")["retCode"] == 0
    quiet.market.trade("BTCUSDT", "buy", "0.1")
    fired = rest.order(stop)
    assert (fired["orderStatus"], fired["triggerPrice"], fired["cumExecQty"]) == ("Filled", "60010", "0.5")


def test_a_conditional_order_without_funds_is_cancelled_when_it_fires(quiet: Simulator, rest: Rest) -> None:
    stop = rest.placed("Sell", "0.5", "59000", orderFilter="StopOrder", triggerPrice="60010")
    quiet.accounts.lock("BTC", "100")
    quiet.market.trade("BTCUSDT", "buy", "0.1")
    assert words(rest.order(stop))[0] == "Cancelled"


# --- queries --------------------------------------------------------------------------------------------------------


def test_open_and_closed_orders(quiet: Simulator, rest: Rest) -> None:
    resting, filled = rest.placed("Buy", "0.01", "50000"), rest.placed("Buy", "0.01", "60010")
    realtime = "/v5/order/realtime"
    assert [row["orderId"] for row in rest.get(realtime, **SPOT)["result"]["list"]] == [resting]
    assert [row["orderId"] for row in rest.get(realtime, **SPOT, openOnly=1)["result"]["list"]] == [filled]
    history = rest.get("/v5/order/history", **SPOT)["result"]["list"]
    assert [row["orderId"] for row in history] == [filled]
    quiet.faults.forget_closed_orders()
    assert rest.get(realtime, **SPOT, openOnly=1)["result"]["list"] == []
    assert rest.get(realtime, **SPOT, orderId=filled)["result"]["list"] == []
    assert len(rest.get("/v5/order/history", **SPOT, orderId=filled)["result"]["list"]) == 1
    assert rest.get("/v5/order/history", **SPOT, orderStatus="New")["retCode"] == 181017


def test_unfilled_orders_are_forgotten_after_a_day(quiet: Simulator, rest: Rest) -> None:
    filled = rest.placed("Buy", "0.01", "60010")
    order_id = rest.placed("Buy", "0.01", "50000")
    rest.post("/v5/order/cancel", **SPOT, orderId=order_id)
    assert len(rest.get("/v5/order/history", **SPOT)["result"]["list"]) == 2
    later = 25 * 3_600_000
    quiet.faults.offset_clock(later)
    query = f"category=spot&orderId={order_id}"
    headers = rest.headers(query, time.time_ns() // 1_000_000 + later)
    answer = rest.raw("GET", "/v5/order/history", query, headers=headers)
    assert json.loads(answer.data)["result"]["list"] == []
    headers = rest.headers("category=spot", time.time_ns() // 1_000_000 + later)
    answer = rest.raw("GET", "/v5/order/history", "category=spot", headers=headers)
    assert [row["orderId"] for row in json.loads(answer.data)["result"]["list"]] == [filled]


def test_pages_and_their_encoded_tokens(rest: Rest) -> None:
    placed = [rest.placed("Buy", "0.01", str(50000 + index)) for index in range(5)]
    seen, query = [], "category=spot&limit=2"
    for _ in range(3):
        answer = json.loads(rest.get_raw("/v5/order/realtime", query).data)["result"]
        seen += [row["orderId"] for row in answer["list"]]
        token = answer["nextPageCursor"]
        query = f"category=spot&limit=2&cursor={token}"
    assert seen == placed[::-1]
    assert token == ""
    first = json.loads(rest.get_raw("/v5/order/realtime", "category=spot&limit=2").data)["result"]["nextPageCursor"]
    assert "%3A" in first
    twice = first.replace("%", "%25")
    assert json.loads(rest.get_raw("/v5/order/realtime", f"category=spot&cursor={twice}").data)["retCode"] == 10001


def test_executions_by_page_and_time(quiet: Simulator, rest: Rest) -> None:
    for price in ("60011", "60012"):
        quiet.market.quote("BTCUSDT", "sell", price, "1")
    order_id = rest.placed("Buy", "2.5", "60012")
    rows = fills_of(rest, order_id)
    assert [row["execPrice"] for row in rows] == ["60012", "60011", "60010"]
    first = rest.get("/v5/execution/list", category="spot", limit=2)["result"]
    assert [row["execQty"] for row in first["list"]] == ["0.5", "1"]
    query = f"category=spot&limit=2&cursor={first['nextPageCursor']}"
    second = json.loads(rest.get_raw("/v5/execution/list", query).data)["result"]
    assert ([row["execQty"] for row in second["list"]], second["nextPageCursor"]) == (["1"], "")
    moment = int(rows[0]["execTime"])
    ask = "/v5/execution/list"
    assert rest.get(ask, category="spot", startTime=moment + 1)["result"]["list"] == []
    assert rest.get(ask, category="spot", startTime=0, endTime=8 * 86_400_000)["retCode"] == 10001


# --- batches --------------------------------------------------------------------------------------------------------


def test_each_order_of_a_batch_has_its_own_outcome(rest: Rest) -> None:
    good = {"symbol": "BTCUSDT", "side": "Buy", "orderType": "Limit", "qty": "0.01", "price": "50000"}
    request = [good | {"orderLinkId": "b-1"}, good | {"symbol": "NOSUCH"}, good | {"orderLinkId": "b-1"}]
    answer = rest.post("/v5/order/create-batch", category="spot", request=request)
    assert answer["retCode"] == 0
    assert [row["code"] for row in answer["retExtInfo"]["list"]] == [0, 170121, 170141]
    first, second, _ = answer["result"]["list"]
    assert (first["orderLinkId"], first["createAt"].isdigit(), first["category"]) == ("b-1", True, "spot")
    assert (second["orderId"], second["createAt"], second["symbol"]) == ("", "", "NOSUCH")
    named = {"symbol": "BTCUSDT", "orderId": first["orderId"]}
    amended = rest.post("/v5/order/amend-batch", category="spot", request=[named | {"qty": "0.02"}])
    assert amended["result"]["list"][0]["orderId"] == first["orderId"]
    assert rest.order(first["orderId"])["qty"] == "0.02"
    unknown = {"symbol": "BTCUSDT", "orderLinkId": "nothing"}
    canceled = rest.post("/v5/order/cancel-batch", category="spot", request=[named, unknown])
    assert [row["code"] for row in canceled["retExtInfo"]["list"]] == [0, 170213]
    assert rest.get("/v5/order/realtime", **SPOT)["result"]["list"] == []


@pytest.mark.parametrize("count", [0, 11])
def test_a_batch_has_one_to_ten_orders(rest: Rest, count: int) -> None:
    assert rest.post("/v5/order/cancel-batch", category="spot", request=[{}] * count)["retCode"] == 10001


# --- between acknowledgement and outcome ----------------------------------------------------------------------------


def test_acknowledged_first_and_matched_later(quiet: Simulator, rest: Rest, private: Private) -> None:
    with quiet.faults.match_late(0.2):
        order_id = rest.placed("Buy", "0.01", "50000", orderLinkId="late")
        assert rest.get("/v5/order/realtime", **SPOT)["result"]["list"] == []
        assert rest.create("Buy", "0.01", "50000", orderLinkId="late")["retCode"] == 170141
        assert [row["orderId"] for row in private.rows("order")] == [order_id]
        rest.post("/v5/order/amend", **SPOT, orderId=order_id, qty="0.02")
        assert private.rows("order")[0]["qty"] == "0.02"
        rest.post("/v5/order/cancel", **SPOT, orderId=order_id)
        assert private.rows("order")[0]["orderStatus"] == "Cancelled"


def test_an_order_is_cancelled_before_it_reaches_the_book(quiet: Simulator, rest: Rest, private: Private) -> None:
    with quiet.faults.match_late(0.2):
        order_id = rest.placed("Buy", "0.01", "60010")
        assert rest.post("/v5/order/cancel", **SPOT, orderId=order_id)["retCode"] == 0
        assert rest.post("/v5/order/cancel", **SPOT, orderId=order_id)["retCode"] == 170213
        assert words(private.rows("order")[0]) == ("Cancelled", "CancelByUser", "EC_PerCancelRequest")
    assert quiet.accounts.fills() == []


def test_a_fill_wins_against_an_acknowledged_cancel(quiet: Simulator, rest: Rest, private: Private) -> None:
    order_id = rest.placed("Buy", "0.01", "60005")
    private.rows("order")
    with quiet.faults.match_late(0.2):
        assert rest.post("/v5/order/cancel", **SPOT, orderId=order_id)["retCode"] == 0
        quiet.market.trade("BTCUSDT", "sell", "0.01")
        assert words(private.rows("order")[0]) == ("Filled", "UNKNOWN", "EC_NoError")
        assert words(private.rows("order")[0]) == ("Filled", "CancelByUser", "EC_OrigClOrdIDDoesNotExist")


def test_the_event_comes_before_a_late_answer(quiet: Simulator, rest: Rest, private: Private) -> None:
    answers: list[Any] = []
    with quiet.faults.answer_late("POST", "/v5/order/create", 0.3):
        thread = threading.Thread(target=lambda: answers.append(rest.create("Buy", "0.01", "60010")))
        thread.start()
        assert private.rows("order")[0]["orderStatus"] == "Filled"
        assert answers == []
        thread.join(5)
    assert answers[0]["retCode"] == 0


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"qty": "100"}, "EC_Others"),
        ({"price": "64000"}, "EC_ReachMarketPriceLimit"),
        ({"qty": "0.00001"}, "EC_InvalidAmount"),
        ({"orderLinkId": "used"}, "EC_DuplicatedClOrdID"),
    ],
)
def test_refusals_that_come_late(
    quiet: Simulator, rest: Rest, private: Private, changes: dict[str, str], reason: str
) -> None:
    rest.placed("Buy", "0.01", "50000", orderLinkId="used")
    private.rows("order")
    with quiet.faults.refuse_late():
        order = {"qty": "0.01", "price": "50000", **changes}
        order_id = rest.placed("Buy", order.pop("qty"), order.pop("price"), **order)
    (row,) = private.rows("order")
    assert (row["orderId"], words(row)) == (order_id, ("Rejected", "UNKNOWN", reason))
    assert words(rest.order(order_id))[0] == "Rejected"
    assert len(rest.get("/v5/order/realtime", **SPOT)["result"]["list"]) == 1


def test_rejections_at_will(quiet: Simulator, rest: Rest) -> None:
    quiet.faults.reject_orders("EC_InvalidSymbolStatus")
    assert words(rest.order(rest.placed("Buy", "0.01", "50000"))) == ("Rejected", "UNKNOWN", "EC_InvalidSymbolStatus")
    assert words(rest.order(rest.placed("Buy", "0.01", "50000")))[0] == "New"
    with quiet.faults.reject_post_only():
        order = rest.order(rest.placed("Buy", "0.01", "60010", timeInForce="PostOnly"))
    assert words(order) == ("Rejected", "UNKNOWN", "EC_PostOnlyWillTakeLiquidity")


def test_scripted_answers_and_lost_ones(quiet: Simulator, rest: Rest) -> None:
    quiet.faults.answer("POST", "/v5/order/create", 429, "slow down")
    assert rest.post_raw("/v5/order/create", **SPOT).status == 429
    quiet.faults.execute_then_drop("POST", "/v5/order/create")
    with pytest.raises(Exception, match=r"[Cc]onnection"):
        rest.create("Buy", "0.01", "50000", orderLinkId="lost")
    eventually(lambda: len(quiet.accounts.orders()) == 1)
    assert rest.get("/v5/order/realtime", **SPOT, orderLinkId="lost")["result"]["list"][0]["orderStatus"] == "New"
