"""Answers about orders and executions, and what they state (Bybit: 4.7 to 4.17)."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest

from exconn_sync._machines.order_fold import fold
from exconn_sync.errors import OrderNotFound, ProtocolError, ValidationError
from exconn_sync.exchanges.bybit.driver import DRIVER
from exconn_sync.model.enums import FactSource, OrderStatus, OrderType, SelfTradePrevention, Side, TimeInForce
from exconn_sync.model.ids import ClientOrderId
from exconn_sync.model.orders import Fill, OrderFact, OrderRequest
from exconn_sync.model.wire import RestCall, TimeSpan
from tests.data import read_json
from tests.exchanges.bybit.orders import (
    CANCELED,
    COIN,
    EXECUTION,
    FEES,
    MINE,
    OPEN,
    ORDER_ID,
    SPENT,
    STEPPED,
    WALLET,
    order_state,
    rows,
)
from tests.exchanges.bybit.support import BTCUSDT, INSTRUMENTS, RECEIVED_AT, envelope, response

NEW, FILLED, CANCELED_, EXPIRED, REJECTED = (
    OrderStatus.NEW, OrderStatus.FILLED, OrderStatus.CANCELED, OrderStatus.EXPIRED, OrderStatus.REJECTED,
)  # fmt: skip


def queried(row: dict[str, Any]) -> OrderFact:
    """Return what a queried order states."""
    return DRIVER.fetch_order(BTCUSDT, order_state(), STEPPED).parse(response(envelope(rows(row))))


def filled(row: dict[str, Any]) -> Fill:
    """Return what an execution states."""
    (fill,) = DRIVER.fetch_fills(BTCUSDT, None, INSTRUMENTS).parse(response(envelope(rows(row))))
    return fill


# --- receipts -------------------------------------------------------------------------------------------------------


def place(order: OrderRequest | None = None) -> RestCall[Any]:
    return DRIVER.place_order(order or OrderRequest.limit("BTC-USDT", "buy", 1, 2), BTCUSDT, MINE, INSTRUMENTS)


def test_a_receipt_says_nothing_of_what_became_of_the_order() -> None:
    answer = response(envelope({"orderId": ORDER_ID, "orderLinkId": "my-order-1"}))
    assert list(place().parse(answer)) == [
        OrderFact(
            "bybit", "BTC-USDT", MINE, FactSource.ANSWER, RECEIVED_AT, may_grow=True,
            exchange_order_id=ORDER_ID,  # type: ignore[arg-type]
        )
    ]  # fmt: skip
    (waiting,) = place(OrderRequest.stop_market("BTC-USDT", "sell", 1, 2)).parse(answer)
    assert (waiting.status, waiting.order_class) == (None, "tpslOrder")


@pytest.mark.parametrize(
    "result",
    [
        {"orderId": "", "orderLinkId": "my-order-1"},
        {"orderLinkId": "my-order-1"},
        {"orderId": ORDER_ID, "orderLinkId": "another"},
        {"orderId": 17, "orderLinkId": "my-order-1"},
        {},
    ],
)
def test_a_receipt_of_something_else_is_none(result: Any) -> None:
    """(fault F084)"""
    with pytest.raises(ProtocolError):
        place().parse(response(envelope(result)))


def test_receipts_of_a_cancel_and_an_amend_are_about_their_order() -> None:
    for call in (
        DRIVER.cancel_order(BTCUSDT, order_state(), INSTRUMENTS),
        DRIVER.amend_order(BTCUSDT, order_state(), Decimal(1), INSTRUMENTS),
    ):
        (fact,) = call.parse(response(envelope({"orderId": ORDER_ID, "orderLinkId": "my-order-1"})))
        assert isinstance(fact, OrderFact)
        assert (fact.status, fact.quantity, fact.exchange_order_id) == (None, None, ORDER_ID)
        with pytest.raises(ProtocolError):
            call.parse(response(envelope({"orderId": "9", "orderLinkId": "my-order-1"})))


def test_a_receipt_for_all_orders_names_them() -> None:
    call = DRIVER.cancel_all(BTCUSDT, INSTRUMENTS)[0]
    listed = [{"orderId": ORDER_ID, "orderLinkId": "my-order-1"}, {"orderId": "9", "orderLinkId": ""}]
    facts = call.parse(response(envelope({"list": listed, "success": "1"})))
    assert [(fact.client_order_id, fact.exchange_order_id) for fact in facts if isinstance(fact, OrderFact)] == [
        ("my-order-1", ORDER_ID), ("9", "9"),
    ]  # fmt: skip
    assert list(call.parse(response(envelope({"list": [], "success": "1"})))) == []
    with pytest.raises(ProtocolError):
        call.parse(response(envelope({"list": [], "success": "0"})))


# --- orders ---------------------------------------------------------------------------------------------------------


def test_an_order_states_what_it_says() -> None:
    fact = queried(CANCELED)
    assert fact == OrderFact(
        exchange="bybit", symbol="BTC-USDT", client_order_id=MINE, source=FactSource.QUERY, received_at=RECEIVED_AT,
        status=CANCELED_, exchange_order_id=ORDER_ID, side=Side.SELL, type=OrderType.LIMIT,  # type: ignore[arg-type]
        time_in_force=TimeInForce.GTC, quantity=Decimal(10), price=Decimal("0.5"), filled_quantity=Decimal(0),
        cumulative_quote=Decimal(0), exchange_time=1_700_000_001_000_000_000,
        self_trade_prevention=SelfTradePrevention.NONE, may_grow=True, created_at=1_700_000_000_000_000_000,
            post_only=False, take_profit=Decimal(0), stop_loss=Decimal(0),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("word", "cancel_type", "reject_reason", "traded", "status", "reason"),
    [
        ("New", "UNKNOWN", "EC_NoError", "0", NEW, ""),
        ("Untriggered", "UNKNOWN", "EC_NoError", "0", NEW, ""),
        ("Triggered", "UNKNOWN", "EC_NoError", "0", NEW, ""),
        ("PartiallyFilled", "UNKNOWN", "EC_NoError", "1", OrderStatus.PARTIALLY_FILLED, ""),
        ("Filled", "UNKNOWN", "EC_NoError", "10", FILLED, ""),
        # A cancel that lost the race says so beside the fill, and nothing of the order.
        ("Filled", "CancelByUser", "EC_OrigClOrdIDDoesNotExist", "10", FILLED, ""),
        ("Cancelled", "CancelByUser", "EC_PerCancelRequest", "0", CANCELED_, ""),
        ("Cancelled", "UNKNOWN", "EC_NoError", "0", CANCELED_, ""),
        ("Cancelled", "", "", "0", CANCELED_, ""),
        ("PartiallyFilledCanceled", "CancelByUser", "EC_NoError", "1", CANCELED_, ""),
        ("Cancelled", "UNKNOWN", "EC_PostOnlyWillTakeLiquidity", "0", EXPIRED, "EC_PostOnlyWillTakeLiquidity"),
        ("Cancelled", "UNKNOWN", "EC_NoImmediateQtyToFill", "0", EXPIRED, "EC_NoImmediateQtyToFill"),
        ("Cancelled", "UNKNOWN", "EC_PerCancelRequest", "0", CANCELED_, ""),
        ("Cancelled", "CancelByDCP", "EC_NoError", "0", EXPIRED, "CancelByDCP"),
        ("Cancelled", "CancelByDCP", "EC_PerCancelRequest", "0", EXPIRED, "CancelByDCP"),
        ("Cancelled", "CancelBySmp", "EC_NoError", "0", EXPIRED, "CancelBySmp"),
        ("Cancelled", "CancelByAdmin", "EC_NoError", "0", EXPIRED, "CancelByAdmin"),
        ("Cancelled", "UNKNOWN", "EC_OfTheFuture", "0", EXPIRED, "EC_OfTheFuture"),
        ("PartiallyFilledCanceled", "UNKNOWN", "EC_CancelForNoFullFill", "1", EXPIRED, "EC_CancelForNoFullFill"),
        ("Deactivated", "CancelByUser", "EC_NoError", "0", CANCELED_, "Deactivated"),
        ("Deactivated", "UNKNOWN", "EC_NoError", "0", CANCELED_, "Deactivated"),
        ("Rejected", "UNKNOWN", "EC_DuplicatedClOrdID", "0", REJECTED, "EC_DuplicatedClOrdID"),
        ("Rejected", "UNKNOWN", "EC_NoError", "0", REJECTED, "Rejected"),
        ("Rejected", "UNKNOWN", "EC_NoEnoughQtyToFill", "1", EXPIRED, "EC_NoEnoughQtyToFill"),
        ("OfTheFuture", "UNKNOWN", "EC_NoError", "0", None, "OfTheFuture"),
    ],
)
def test_what_became_of_an_order(
    word: str, cancel_type: str, reject_reason: str, traded: str, status: OrderStatus | None, reason: str
) -> None:
    more = {"orderStatus": word, "cancelType": cancel_type, "rejectReason": reject_reason, "cumExecQty": traded}
    fact = queried(OPEN | more)
    assert (fact.status, fact.reason, fact.filled_quantity) == (status, reason, Decimal(traded))


def test_a_rejected_order_keeps_its_fills() -> None:
    fact = queried(OPEN | {"orderStatus": "Rejected", "rejectReason": "EC_Others", "cumExecQty": "1"})
    state = fold([fact, filled(EXECUTION)])
    assert (state.status, state.filled_quantity, state.contradictions) == (EXPIRED, Decimal(1), ())


def test_a_race_of_cancel_and_fill_is_one_filled_order() -> None:
    """Two messages come, the second of which only says that the cancel lost (Bybit: 7.3; fault F094)."""
    first = queried(OPEN | {"orderStatus": "Filled", "cumExecQty": "10.0"})
    second = queried(
        OPEN | {"orderStatus": "Filled", "cumExecQty": "10.0", "cancelType": "CancelByUser",
                "rejectReason": "EC_OrigClOrdIDDoesNotExist", "updatedTime": "1700000001001"}
    )  # fmt: skip
    assert fold([first, second]).status is FILLED
    assert fold([second, first]).contradictions == ()


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        # 0.02 is left of 200, and 0.000001 costs 0.06.
        ({}, FILLED),
        ({"cumExecValue": "200"}, FILLED),
        ({"rejectReason": "EC_NoError"}, FILLED),
        ({"rejectReason": "EC_NoError", "cumExecValue": "100"}, CANCELED_),
        ({"rejectReason": "EC_PerCancelRequest"}, CANCELED_),
        # A thin book: for 0.07 more could have been bought.
        ({"cumExecValue": "199.93"}, EXPIRED),
        ({"cumExecValue": "100"}, EXPIRED),
        ({"cumExecQty": "0", "cumExecValue": "0"}, EXPIRED),
        ({"marketUnit": "baseCoin", "qty": "1"}, EXPIRED),
        ({"cumExecValue": ""}, EXPIRED),
        ({"cancelType": "CancelByUser"}, CANCELED_),
        # More spent than asked for is no dust, whatever it is.
        ({"cumExecValue": "201"}, EXPIRED),
    ],
)
def test_an_order_for_an_amount_is_filled_when_only_dust_is_left(changes: dict[str, str], status: OrderStatus) -> None:
    """(Bybit: 4.14, 10)"""
    assert queried(SPENT | changes).status is status
    without_step = DRIVER.fetch_order(BTCUSDT, order_state(), INSTRUMENTS).parse(response(envelope(rows(SPENT))))
    assert without_step.status is EXPIRED, "without the step nothing can be proven"


@pytest.mark.parametrize(
    ("kind", "unit", "side", "quantity", "quote_quantity"),
    [
        ("Market", "quoteCoin", "Buy", None, "200"),
        ("Market", "quoteCoin", "Sell", None, "200"),
        ("Market", "baseCoin", "Buy", "200", None),
        ("Market", "", "Buy", None, "200"),
        ("Market", "", "Sell", "200", None),
        ("Limit", "", "Buy", "200", None),
    ],
)
def test_the_unit_of_a_quantity(
    kind: str, unit: str, side: str, quantity: str | None, quote_quantity: str | None
) -> None:
    fact = queried(OPEN | {"orderType": kind, "marketUnit": unit, "side": side, "qty": "200"})
    assert fact.quantity == (None if quantity is None else Decimal(quantity))
    assert fact.quote_quantity == (None if quote_quantity is None else Decimal(quote_quantity))


def test_the_price_of_a_market_order_is_none() -> None:
    """It is a bound that the exchange has set, not what was paid (Bybit: 4.13)."""
    assert queried(OPEN | {"orderType": "Market", "price": "63010.2", "timeInForce": "IOC"}).price is None


@pytest.mark.parametrize(
    ("side", "kind", "trigger", "base", "last", "wanted"),
    [
        ("Sell", "Limit", "79", "80", "", OrderType.STOP_LIMIT),
        ("Sell", "Limit", "81", "80", "", OrderType.TAKE_PROFIT_LIMIT),
        ("Buy", "Market", "81", "", "80", OrderType.STOP_MARKET),
        ("Buy", "Market", "79", "0.00", "80", OrderType.TAKE_PROFIT_MARKET),
        ("Buy", "Market", "79", "", "", OrderType.OTHER),
        ("Buy", "Trailing", "79", "80", "", OrderType.OTHER),
    ],
)
def test_which_way_a_conditional_order_waits(
    side: str, kind: str, trigger: str, base: str, last: str, wanted: OrderType
) -> None:
    fact = queried(
        OPEN | {"orderStatus": "Untriggered", "stopOrderType": "Stop", "side": side, "orderType": kind,
                "triggerPrice": trigger, "basePrice": base, "lastPriceOnCreated": last}
    )  # fmt: skip
    assert (fact.type, fact.stop_price, fact.order_class, fact.is_working) == (
        wanted, Decimal(trigger), "StopOrder", False,
    )  # fmt: skip


def test_a_triggered_order_works_and_keeps_its_class() -> None:
    asked = {"stopOrderType": "tpslOrder", "triggerPrice": "79", "basePrice": "80"}
    waiting = queried(OPEN | asked | {"orderStatus": "Untriggered"})
    working = queried(OPEN | asked | {"updatedTime": "1700000002000"})
    state = fold([working, waiting])
    assert (state.is_working, state.order_class, state.status) == (True, "tpslOrder", NEW)


@pytest.mark.parametrize(
    ("detail", "fees"),
    [
        ({"MNT": "0.00242968"}, (("MNT", Decimal("0.00242968")),)),
        ({"USDT": "-0.1", "BTC": "0.2"}, (("BTC", Decimal("0.2")), ("USDT", Decimal("-0.1")))),
        ({"BTC": ""}, None), ({}, None), ("", None), (None, None),
    ],
)  # fmt: skip
def test_the_fees_of_a_whole_order(detail: Any, fees: Any) -> None:
    """(Bybit: 4.13)"""
    assert queried(OPEN | {"cumFeeDetail": detail}).cumulative_fees == fees


@pytest.mark.parametrize("detail", [{"BTC": "x"}, {"BTC": 1}, ["BTC"], 7])
def test_fees_that_are_none(detail: Any) -> None:
    with pytest.raises(ProtocolError):
        queried(OPEN | {"cumFeeDetail": detail})


def test_a_foreign_order_without_an_id_of_its_own_is_named_by_the_exchange() -> None:
    (fact,) = DRIVER.fetch_open_orders(None, INSTRUMENTS).parse(response(envelope(rows(OPEN | {"orderLinkId": ""}))))
    assert (fact.client_order_id, fact.exchange_order_id) == (ORDER_ID, ORDER_ID)


@pytest.mark.parametrize("field", ["symbol", "orderId", "orderStatus", "cumExecQty"])
@pytest.mark.parametrize("value", ["absent", None, 7])
def test_what_must_not_be_missing(field: str, value: Any) -> None:
    """(faults F038, F039)"""
    row = {name: given for name, given in OPEN.items() if name != field}
    with pytest.raises(ProtocolError) as caught:
        queried(row if value == "absent" else row | {field: value})
    assert caught.value.details["payload"]


@pytest.mark.parametrize("field", sorted(OPEN.keys() - {"symbol", "orderId", "orderStatus", "cumExecQty"}))
def test_what_may_be_missing_or_empty(field: str) -> None:
    """(faults F036, F037)"""
    row = {name: given for name, given in OPEN.items() if name != field}
    for changed in (row, row | {"new": {"field": 1}}, row | ({field: ""} if isinstance(OPEN[field], str) else {})):
        assert queried(changed).status is NEW


@pytest.mark.parametrize("text", ["abc", "1e5", "NaN", "-1", "1" * 40, "1,5"])
@pytest.mark.parametrize("field", ["qty", "price", "cumExecQty", "cumExecValue"])
def test_numbers_that_are_none(field: str, text: str) -> None:
    """(faults F039, F041)"""
    with pytest.raises(ProtocolError):
        queried(OPEN | {field: text})


@pytest.mark.parametrize("text", ["x", "-5", "1.5", "1" * 16, "٣"])
def test_times_that_are_none(text: str) -> None:
    with pytest.raises(ProtocolError):
        queried(OPEN | {"updatedTime": text})


def test_an_order_that_is_not_listed_is_not_found() -> None:
    for call in (
        DRIVER.fetch_order(BTCUSDT, order_state(), INSTRUMENTS),
        DRIVER.fetch_past_order(BTCUSDT, order_state(), INSTRUMENTS),
    ):
        assert call is not None
        with pytest.raises(OrderNotFound):
            call.parse(response(envelope(rows())))


@pytest.mark.parametrize("change", [{"orderId": "9"}, {"symbol": "ETHUSDT"}])
def test_an_answer_about_another_order_is_none(change: dict[str, str]) -> None:
    """(fault F084)"""
    with pytest.raises(ProtocolError):
        queried(OPEN | change)


def test_an_answer_about_another_market_is_none() -> None:
    result = rows(OPEN) | {"category": "linear"}
    with pytest.raises(ProtocolError):
        DRIVER.fetch_open_orders(None, INSTRUMENTS).parse(response(envelope(result)))


# --- pages ----------------------------------------------------------------------------------------------------------


def test_pages_are_followed_by_the_cursor_as_it_came() -> None:
    call = DRIVER.fetch_open_orders(BTCUSDT, INSTRUMENTS)
    assert call.pages is not None
    cursor = "page_args%3Dfd43%26symbol%3D6%26"
    following = call.pages.next_params(response(envelope(rows(OPEN, cursor=cursor))))
    assert following == (*call.params, ("cursor", cursor))
    assert call.pages.next_params(response(envelope(rows(OPEN)))) is None
    assert call.pages.next_params(response(envelope(rows(cursor=cursor)))) is None, "an empty page is the last"


def test_what_comes_newest_first_is_given_oldest_first() -> None:
    call = DRIVER.fetch_fill_history(BTCUSDT, INSTRUMENTS, span=TimeSpan(1, 2), limit=1000)
    assert call.pages is not None
    newer = call.parse(response(envelope(rows(EXECUTION | {"execId": "4"}, EXECUTION | {"execId": "3"}))))
    older = call.parse(response(envelope(rows(EXECUTION | {"execId": "2"}, EXECUTION | {"execId": "1"}))))
    assert [fill.trade_id for fill in call.pages.join([newer, older])] == ["1", "2", "3", "4"]


@pytest.mark.parametrize(("limit", "a_page", "pages"), [(1, "1", 1), (50, "50", 1), (51, "50", 2), (1000, "50", 20)])
def test_the_newest_orders_are_asked_for_in_as_many_pages_as_it_takes(limit: int, a_page: str, pages: int) -> None:
    call = DRIVER.fetch_order_history(BTCUSDT, INSTRUMENTS, span=None, limit=limit)
    assert call.pages is not None
    assert (dict(call.params)["limit"], call.pages.most) == (a_page, pages)
    facts = [call.parse(response(envelope(rows(OPEN)))) * 50 for _ in range(pages)]
    assert len(call.pages.join(facts)) == limit
    whole = DRIVER.fetch_order_history(BTCUSDT, INSTRUMENTS, span=TimeSpan(1, 2), limit=limit)
    assert whole.pages is not None
    assert whole.pages.most is None


# --- executions, balances, fees -------------------------------------------------------------------------------------


def test_an_execution_states_what_it_says() -> None:
    assert filled(EXECUTION) == Fill(
        exchange="bybit", symbol="BTC-USDT", trade_id="2100000000007764263",  # type: ignore[arg-type]
        exchange_order_id=ORDER_ID, price=Decimal("60005.5"), quantity=Decimal("0.01"),  # type: ignore[arg-type]
        side=Side.BUY, fee=Decimal("0.00001"), fee_asset="BTC", is_maker=False,
        exchange_time=1_700_000_001_500_000_000, received_at=RECEIVED_AT, source=FactSource.QUERY, client_order_id=MINE,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("change", "fee", "asset"),
    [
        ({"feeCurrency": "USDT", "execFee": "-0.006", "isMaker": True}, "-0.006", "USDT"),
        ({"feeCurrency": "MNT", "execFee": "0.0024"}, "0.0024", "MNT"),
        ({"feeCurrency": "", "execFee": "0.5"}, "0.5", None),
        ({"feeCurrency": "BTC", "execFee": "0.100000000000000001"}, "0.100000000000000001", "BTC"),
        ({"feeCurrency": "", "execFee": ""}, "0", None),
    ],
)
def test_a_fee_is_in_the_coin_that_is_named(change: dict[str, Any], fee: str, asset: str | None) -> None:
    """A rebate is negative; a fill is not lost for its fee (Bybit: 4.17; fault F113)."""
    fill = filled(EXECUTION | change)
    assert (fill.fee, fill.fee_asset) == (Decimal(fee), asset)


def test_an_execution_that_is_no_trade_is_no_fill() -> None:
    call = DRIVER.fetch_fills(BTCUSDT, None, INSTRUMENTS)
    assert call.parse(response(envelope(rows(EXECUTION | {"execType": "CorporateAction"})))) == []


@pytest.mark.parametrize("field", ["symbol", "orderId", "execId", "execPrice", "execQty", "side", "execTime"])
def test_what_an_execution_must_have(field: str) -> None:
    for row in ({name: given for name, given in EXECUTION.items() if name != field}, EXECUTION | {field: None}):
        with pytest.raises(ProtocolError):
            filled(row)


def test_what_is_free_is_not_what_orders_hold() -> None:
    answer = response(envelope({"list": [WALLET]}, time=1_700_000_000_456))
    (balance,) = DRIVER.fetch_balances().parse(answer)
    assert (balance.asset, balance.free, balance.locked) == ("USDT", Decimal("800.25"), Decimal("200.25"))
    assert balance.exchange_time == 1_700_000_000_456_000_000
    bare = {"coin": [{"coin": "BTC", "walletBalance": "-0.5", "locked": ""}, COIN | {"coin": "ETH", "locked": "0"}]}
    owed, other = DRIVER.fetch_balances().parse(response(envelope({"list": [bare]})))
    assert (owed.free, owed.locked, other.free) == (Decimal("-0.5"), Decimal(0), Decimal("1000.5"))


def test_balances_without_a_time_are_none() -> None:
    """Which of two statements is the newer one could not be told."""
    with pytest.raises(ProtocolError):
        DRIVER.fetch_balances().parse(response({"retCode": 0, "result": {"list": [WALLET]}}))


def test_fees_of_a_symbol() -> None:
    commission = DRIVER.fetch_commission(BTCUSDT).parse(response(envelope({"list": [FEES]})))
    assert commission.rate(Side.BUY, is_maker=True) == Decimal("-0.0001")
    assert commission.rate(Side.SELL, is_maker=False) == Decimal("0.001")
    with pytest.raises(ProtocolError):
        DRIVER.fetch_commission(BTCUSDT).parse(response(envelope({"list": [FEES | {"symbol": "ETHUSDT"}]})))


def test_the_window_after_which_orders_are_cancelled() -> None:
    """Always of spot: without a product it would be about options (Bybit: 9.1, 10)."""
    call = DRIVER.set_cancel_on_disconnect(10)
    assert (call.path, call.is_command, json.loads(call.body or b"")) == (
        "/v5/order/disconnected-cancel-all", True, {"product": "SPOT", "timeWindow": 10},
    )  # fmt: skip
    call.parse(response({"retCode": 0, "retMsg": "success"}))
    for seconds in (2, 301, True, 10.0):
        with pytest.raises(ValidationError):
            DRIVER.set_cancel_on_disconnect(seconds)  # type: ignore[arg-type]
    windows = [
        {"product": "OPTIONS", "dcpStatus": "ON", "timeWindow": "5"},
        {"product": "SPOT", "dcpStatus": "ON", "timeWindow": "10"},
    ]
    query = DRIVER.fetch_cancel_on_disconnect()
    assert query.parse(response(envelope({"dcpInfos": windows}))) == 10
    assert query.parse(response(envelope({"dcpInfos": windows[:1]}))) is None
    assert query.parse(response(envelope({"dcpInfos": [windows[1] | {"dcpStatus": "OFF"}]}))) is None


# --- what is not offered --------------------------------------------------------------------------------------------


def test_what_bybit_does_not_have_is_refused_before_anything_is_sent() -> None:
    order = OrderRequest.limit("BTC-USDT", "buy", 1, 2)
    tries: list[Any] = [
        lambda: DRIVER.test_order(order, BTCUSDT, MINE, with_commission=False),
        lambda: DRIVER.replace_order(
            order_state(), order, BTCUSDT, MINE, INSTRUMENTS, place_anyway=False, cancel_anyway=False
        ),
        lambda: DRIVER.fetch_open_lists(INSTRUMENTS),
        lambda: DRIVER.fetch_order_counts(),
        lambda: DRIVER.fetch_allocations(BTCUSDT, INSTRUMENTS, span=None, limit=1),
        lambda: DRIVER.fetch_amendments(BTCUSDT, order_state(), limit=1),
        lambda: DRIVER.fetch_prevented_matches(BTCUSDT, ORDER_ID, after=None, limit=1),  # type: ignore[arg-type]
    ]
    for attempt in tries:
        with pytest.raises(ValidationError, match="does not offer") as caught:
            attempt()
        assert (caught.value.outcome, caught.value.exchange) == ("not_sent", "bybit")


# --- other people's readings ----------------------------------------------------------------------------------------


def test_receipts_as_another_client_reads_them() -> None:
    compared = 0
    for name in ("bybit_rest", "bybit_ccxt_static"):
        for case in read_json("parse_cases", f"{name}.json")["cases"]:
            if case["method"] not in ("create_order", "edit_order", "cancel_order"):
                continue
            wanted = case.get("ccxt_result") or case["expected_fields"]
            body = case["http_responses"][0].encode() if "http_responses" in case else None
            if body is None:
                answer = case["http_response"]
                body = response(answer | {"retCode": int(answer["retCode"]), "time": int(answer["time"])}).body
            own = ClientOrderId(wanted["clientOrderId"] or "")
            order = order_state(wanted["id"], own)
            (fact,) = DRIVER.cancel_order(BTCUSDT, order, INSTRUMENTS).parse(response(body))
            assert isinstance(fact, OrderFact)
            assert (fact.exchange_order_id, fact.client_order_id) == (wanted["id"], own)
            compared += 1
    assert compared >= 5


# --- what is placed once an order is filled ---------------------------------------------------------------------------


def test_what_an_order_has_attached() -> None:
    """Empty texts and zeros to the scale are none; what is not told at all is not known (Bybit: 4.13; fault F037)."""
    row = {**OPEN, "takeProfit": "61000.50", "tpLimitPrice": "60900", "stopLoss": "0.0000", "slLimitPrice": ""}
    fact = queried(row)
    assert (fact.take_profit, fact.take_profit_limit_price) == (Decimal("61000.5"), Decimal(60900))
    assert (fact.stop_loss, fact.stop_loss_limit_price) == (Decimal(0), Decimal(0))
    silent = {name: value for name, value in OPEN.items() if name not in ("takeProfit", "stopLoss")}
    assert (queried(silent).take_profit, queried(silent).stop_loss) == (None, None)
    state = fold([fact])
    assert (state.take_profit, state.stop_loss) == (Decimal("61000.5"), None)


def test_what_was_taken_away_is_gone_and_what_was_changed_is_as_it_was_stated_last() -> None:
    rows = [
        {**OPEN, "takeProfit": "61000", "stopLoss": "50000", "updatedTime": "1700000001000"},
        {**OPEN, "takeProfit": "60000", "stopLoss": "", "updatedTime": "1700000002000"},
    ]
    facts = [queried(row) for row in rows]
    for order in (facts, facts[::-1]):
        state = fold(order)
        assert (state.take_profit, state.stop_loss, state.contradictions) == (Decimal(60000), None, ())


@pytest.mark.parametrize(("word", "is_post_only"), [("PostOnly", True), ("GTC", False), ("IOC", False)])
def test_orders_that_add_liquidity_only_are_known_as_such(word: str, is_post_only: bool) -> None:
    assert queried({**OPEN, "timeInForce": word}).post_only is is_post_only
