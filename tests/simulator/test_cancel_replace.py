"""cancelReplace over the wire: each row of the table of outcomes."""

from collections.abc import Mapping
from typing import Any

import pytest

from exconn_sync.simulator import Simulator

from .clients import Json, Rest, WsApi

PATH = "/api/v3/order/cancelReplace"
NEW = {
    "symbol": "BTCUSDT",
    "side": "BUY",
    "type": "LIMIT",
    "timeInForce": "GTC",
    "quantity": "0.1",
    "price": "59000",
}
REJECTED = NEW | {"type": "LIMIT_MAKER", "timeInForce": None, "price": "60010"}
NO_SUCH = {"code": -2011, "msg": "Unknown order sent."}
TAKES = {"code": -2010, "msg": "Order would immediately match and take."}


def replace(rest: Rest, mode: str, new: Mapping[str, str | None], **extra: object) -> tuple[int, Json]:
    sent: dict[str, object] = {name: value for name, value in new.items() if value is not None}
    return rest.signed("POST", PATH, **sent, cancelReplaceMode=mode, **extra)


def old_order(rest: Rest) -> Any:
    return rest.limit("BUY", "0.2", "58000", newClientOrderId="old")[1]["orderId"]


@pytest.mark.parametrize("mode", ["STOP_ON_FAILURE", "ALLOW_FAILURE"])
def test_both_halves_succeed(quiet: Simulator, rest: Rest, mode: str) -> None:
    old = old_order(rest)
    status, body = replace(
        rest, mode, NEW, cancelOrderId=old, cancelNewClientOrderId="the-cancel", newClientOrderId="old"
    )
    assert status == 200
    assert (body["cancelResult"], body["newOrderResult"]) == ("SUCCESS", "SUCCESS")
    cancelled, placed = body["cancelResponse"], body["newOrderResponse"]
    assert (cancelled["origClientOrderId"], cancelled["clientOrderId"], cancelled["status"]) == (
        "old",
        "the-cancel",
        "CANCELED",
    )
    assert (placed["clientOrderId"], placed["status"], placed["fills"]) == ("old", "NEW", [])
    assert [order.status.name for order in quiet.accounts.orders()] == ["CANCELED", "NEW"]


@pytest.mark.parametrize(
    ("mode", "is_known", "new", "status", "code", "results", "parts"),
    [
        ("STOP_ON_FAILURE", False, NEW, 400, -2022, ("FAILURE", "NOT_ATTEMPTED"), (NO_SUCH, None)),
        ("STOP_ON_FAILURE", True, REJECTED, 409, -2021, ("SUCCESS", "FAILURE"), (..., TAKES)),
        ("ALLOW_FAILURE", False, REJECTED, 400, -2022, ("FAILURE", "FAILURE"), (NO_SUCH, TAKES)),
        ("ALLOW_FAILURE", True, REJECTED, 409, -2021, ("SUCCESS", "FAILURE"), (..., TAKES)),
        ("ALLOW_FAILURE", False, NEW, 409, -2021, ("FAILURE", "SUCCESS"), (NO_SUCH, ...)),
    ],
)
def test_a_half_fails(
    quiet: Simulator,
    rest: Rest,
    mode: str,
    is_known: bool,
    new: dict[str, str | None],
    status: int,
    code: int,
    results: tuple[str, str],
    parts: tuple[Json, Json],
) -> None:
    old = old_order(rest)
    got, body = replace(rest, mode, new, cancelOrderId=old if is_known else 999_999)
    text = "Order cancel-replace partially failed." if code == -2021 else "Order cancel-replace failed."
    assert (got, body["code"], body["msg"]) == (status, code, text)
    data = body["data"]
    assert (data["cancelResult"], data["newOrderResult"]) == results
    for part, expected in zip((data["cancelResponse"], data["newOrderResponse"]), parts, strict=True):
        assert part["symbol"] == "BTCUSDT" if expected is ... else part == expected
    still_there = rest.signed("GET", "/api/v3/order", symbol="BTCUSDT", orderId=old)[1]["status"]
    assert still_there == ("CANCELED" if results[0] == "SUCCESS" else "NEW")


@pytest.mark.parametrize("mode", ["STOP_ON_FAILURE", "ALLOW_FAILURE"])
@pytest.mark.parametrize("is_known", [True, False])
@pytest.mark.parametrize("exceeded", [None, "DO_NOTHING", "CANCEL_ONLY"])
def test_too_many_unfilled_orders(
    quiet: Simulator, rest: Rest, mode: str, is_known: bool, exceeded: str | None
) -> None:
    quiet.faults.rate_limits(orders_per_day=1)
    old = old_order(rest)
    extra = {} if exceeded is None else {"orderRateLimitExceededMode": exceeded}
    too_many = {"code": -1015, "msg": "Too many new orders; current limit is 1 orders per 1 DAY."}
    status, body = replace(rest, mode, NEW, cancelOrderId=old if is_known else 999_999, **extra)
    if exceeded != "CANCEL_ONLY":
        assert (status, body) == (429, too_many)
    elif is_known:
        assert (status, body["code"], body["data"]["newOrderResponse"]) == (409, -2021, too_many)
        assert (body["data"]["cancelResult"], body["data"]["newOrderResult"]) == ("SUCCESS", "FAILURE")
    elif mode == "ALLOW_FAILURE":
        assert (status, body["code"], body["data"]["newOrderResponse"]) == (400, -2022, too_many)
    else:
        assert (status, body["code"], body["data"]["newOrderResult"]) == (429, -2022, "NOT_ATTEMPTED")
    is_gone = is_known and exceeded == "CANCEL_ONLY"
    assert [order.is_open for order in quiet.accounts.orders()] == [not is_gone]


def test_what_was_not_attempted_counts_as_an_order(rest: Rest) -> None:
    replace(rest, "STOP_ON_FAILURE", NEW, cancelOrderId=1)
    assert rest.signed("GET", "/api/v3/rateLimit/order")[1][1]["count"] == 1


def test_a_replacement_that_comes_too_late_counts_too(quiet: Simulator, rest: Rest) -> None:
    old = old_order(rest)
    with quiet.faults.delay("POST", PATH, 1.0):
        status, body = replace(rest, "ALLOW_FAILURE", NEW, cancelOrderId=old, recvWindow=999)
    assert (status, body["code"]) == (400, -1021)
    assert [order.is_open for order in quiet.accounts.orders()] == [True]
    assert rest.signed("GET", "/api/v3/rateLimit/order")[1][1]["count"] == 2


def test_filters_are_judged_before_the_cancel(quiet: Simulator, rest: Rest) -> None:
    old = old_order(rest)
    quiet.market.rules("BTCUSDT", max_open_orders=1)
    assert replace(rest, "ALLOW_FAILURE", NEW, cancelOrderId=old) == (
        400,
        {"code": -1013, "msg": "Filter failure: MAX_NUM_ORDERS"},
    )
    assert [order.is_open for order in quiet.accounts.orders()] == [True]


def test_a_restriction_that_is_not_met_fails_the_cancel(rest: Rest) -> None:
    old = old_order(rest)
    _, body = replace(rest, "STOP_ON_FAILURE", NEW, cancelOrderId=old, cancelRestrictions="ONLY_PARTIALLY_FILLED")
    assert body["data"]["cancelResponse"] == {
        "code": -2011,
        "msg": "Order was not canceled due to cancel restrictions.",
    }


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"cancelReplaceMode": "SOMETIMES"}, -1100),
        ({"cancelReplaceMode": None}, -1102),
        ({"cancelOrderId": None}, -1102),
        ({"cancelOrigClientOrderId": "other"}, -2039),
        ({"cancelRestrictions": "NEVER"}, -1145),
        ({"orderRateLimitExceededMode": "WAIT"}, -1100),
        ({"price": None}, -1102),
        ({"price": "59000.001"}, -1013),
        ({"unheard": "of"}, -1104),
    ],
)
def test_refused_as_a_whole(quiet: Simulator, rest: Rest, change: dict[str, str | None], code: int) -> None:
    old = old_order(rest)
    sent = NEW | {"cancelReplaceMode": "ALLOW_FAILURE", "cancelOrderId": str(old)} | change
    status, body = rest.signed("POST", PATH, **{name: value for name, value in sent.items() if value is not None})
    assert (status, body["code"]) == (400, code)
    assert "data" not in body
    assert [order.is_open for order in quiet.accounts.orders()] == [True]


def test_a_symbol_may_not_offer_it(quiet: Simulator, rest: Rest) -> None:
    quiet.market.rules("BTCUSDT", replace_allowed=False)
    assert replace(rest, "ALLOW_FAILURE", NEW, cancelOrderId=1)[1] == {
        "code": -2010,
        "msg": "Order cancel-replace is not supported for this symbol.",
    }
    (info,) = rest.get("/api/v3/exchangeInfo", symbol="BTCUSDT")[1]["symbols"]
    assert info["cancelReplaceAllowed"] is False


def test_over_the_socket(rest: Rest, ws_api: WsApi) -> None:
    old = old_order(rest)
    failed = ws_api.call(
        "order.cancelReplace", signed=True, **NEW, cancelReplaceMode="STOP_ON_FAILURE", cancelOrderId=999_999
    )
    assert (failed["status"], failed["error"]["code"]) == (400, -2022)
    assert failed["error"]["data"]["newOrderResponse"] is None
    done = ws_api.call(
        "order.cancelReplace", signed=True, **NEW, cancelReplaceMode="STOP_ON_FAILURE", cancelOrderId=old
    )
    assert (done["status"], done["result"]["newOrderResult"]) == (200, "SUCCESS")
