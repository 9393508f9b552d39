"""Take-profit and stop-loss attached to a limit order (Bybit: 4.7, 4.8)."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from exconn_sync.simulator import Simulator
from tests.simulator.clients import eventually

from .clients import Private, Rest

SPOT = {"category": "spot", "symbol": "BTCUSDT"}
BOTH = {"takeProfit": "61000", "stopLoss": "59000"}


def open_orders(rest: Rest) -> list[Any]:
    rows: list[Any] = rest.get("/v5/order/realtime", **SPOT)["result"]["list"]
    return sorted(rows, key=lambda row: Decimal(row["triggerPrice"]))


def attached(order: Any) -> tuple[str, str, str, str]:
    return order["takeProfit"], order["tpLimitPrice"], order["stopLoss"], order["slLimitPrice"]


def told(private: Private, is_wanted: Callable[[Any], bool]) -> Any:
    """Wait for an order in an event."""
    while True:
        for row in private.rows("order"):
            if is_wanted(row):
                return row


def test_what_is_attached_is_told_and_nothing_is_placed_before_the_order_trades(rest: Rest) -> None:
    order_id = rest.placed("Buy", "0.01", "50000", **BOTH, tpOrderType="Limit", tpLimitPrice="60900")
    assert attached(rest.order(order_id)) == ("61000", "60900", "59000", "")
    assert [row["orderId"] for row in open_orders(rest)] == [order_id]
    rest.post("/v5/order/cancel", **SPOT, orderId=order_id)
    assert open_orders(rest) == []


def test_both_come_for_what_was_got_and_one_ends_the_other(quiet: Simulator, rest: Rest) -> None:
    rest.placed("Buy", "0.01", "60010", **BOTH)
    eventually(lambda: len(open_orders(rest)) == 2)
    stop, goal = open_orders(rest)
    for order, trigger in ((stop, "59000"), (goal, "61000")):
        assert (order["side"], order["orderType"], order["stopOrderType"]) == ("Sell", "Market", "OcoOrder")
        assert (order["orderStatus"], order["triggerPrice"]) == ("Untriggered", trigger)
        assert (order["qty"], order["marketUnit"]) == ("0.00999", "baseCoin"), "a tenth of a per cent was the fee"
    quiet.market.quote("BTCUSDT", "buy", 61000, 1)
    quiet.market.trade("BTCUSDT", "sell", "0.001")
    quiet.market.quote("BTCUSDT", "buy", 61000, 1)
    eventually(lambda: open_orders(rest) == [])
    sold, left = rest.order(goal["orderId"]), rest.order(stop["orderId"])
    assert (sold["orderStatus"], sold["ocoTriggerBy"]) == ("Filled", "OcoTriggerByTp")
    assert (left["orderStatus"], left["cancelType"]) == ("Deactivated", "CancelByOCOSlCanceledByTpTriggered")


def test_one_alone_is_an_order_like_any_that_waits(quiet: Simulator, rest: Rest) -> None:
    rest.placed("Sell", "0.01", "60000", stopLoss="61000", slOrderType="Limit", slLimitPrice="61100")
    eventually(lambda: len(open_orders(rest)) == 1)
    (order,) = open_orders(rest)
    assert (order["side"], order["orderType"], order["stopOrderType"]) == ("Buy", "Limit", "tpslOrder")
    assert (order["price"], order["triggerPrice"], order["qty"]) == ("61100", "61000", "0.01")
    answer = rest.post("/v5/order/cancel", **SPOT, orderId=order["orderId"], orderFilter="tpslOrder")
    assert answer["retCode"] == 0
    assert open_orders(rest) == []


def test_an_order_that_ends_half_filled_brings_them_for_that_half(quiet: Simulator, rest: Rest) -> None:
    order_id = rest.placed("Sell", "1.5", "60000", takeProfit="58000")
    assert rest.order(order_id)["orderStatus"] == "PartiallyFilled"
    assert [row["orderId"] for row in open_orders(rest)] == [order_id]
    rest.post("/v5/order/cancel", **SPOT, orderId=order_id)
    eventually(lambda: len(open_orders(rest)) == 1)
    assert open_orders(rest)[0]["qty"] == "1"


def test_a_pair_goes_as_a_whole(quiet: Simulator, rest: Rest) -> None:
    rest.placed("Buy", "0.01", "60010", **BOTH)
    eventually(lambda: len(open_orders(rest)) == 2)
    assert rest.post("/v5/order/cancel-all", **SPOT)["result"]["list"] == [], "they are no ordinary orders"
    assert len(rest.post("/v5/order/cancel-all", **SPOT, orderFilter="OcoOrder")["result"]["list"]) == 2
    assert open_orders(rest) == []


def test_what_cannot_be_placed_any_more_is_rejected_and_told(quiet: Simulator, rest: Rest, private: Private) -> None:
    """The market is beyond the stop already when the order has traded."""
    rest.placed("Buy", "0.01", "60010", takeProfit="62000", stopLoss="61000")
    rejected = [told(private, lambda row: row["orderStatus"] == "Rejected") for _ in range(2)]
    assert [(row["stopOrderType"], row["triggerPrice"]) for row in rejected] == [
        ("OcoOrder", "61000"),
        ("OcoOrder", "62000"),
    ]
    assert open_orders(rest) == []


def test_they_can_be_changed_taken_away_and_added(rest: Rest) -> None:
    order_id = rest.placed("Buy", "0.01", "50000", takeProfit="61000")

    def amended(**changes: str) -> tuple[str, str, str, str]:
        answer = rest.post("/v5/order/amend", **SPOT, orderId=order_id, **changes)
        assert answer["retCode"] == 0, answer
        return attached(rest.order(order_id))

    assert amended(takeProfit="62000", stopLoss="49000") == ("62000", "", "49000", "")
    assert amended(slLimitPrice="48900") == ("62000", "", "49000", "48900")
    assert amended(takeProfit="0", qty="0.02") == ("", "", "49000", "48900")
    assert amended(slLimitPrice="0") == ("", "", "49000", "")
    assert amended(stopLoss="0") == ("", "", "", "")
    assert rest.order(order_id)["qty"] == "0.02"


def test_a_refused_amend_changes_nothing_of_them(rest: Rest) -> None:
    order_id = rest.placed("Buy", "0.01", "50000", takeProfit="61000")
    answer = rest.post("/v5/order/amend", **SPOT, orderId=order_id, takeProfit="62000", qty="1000000")
    assert answer["retCode"] != 0
    assert attached(rest.order(order_id))[0] == "61000"


def test_an_amend_of_them_is_told(rest: Rest, private: Private) -> None:
    order_id = rest.placed("Buy", "0.01", "50000", takeProfit="61000")
    rest.post("/v5/order/amend", **SPOT, orderId=order_id, takeProfit="62000")
    row = told(private, lambda row: row["orderId"] == order_id and row["takeProfit"] == "62000")
    assert int(row["updatedTime"]) >= int(row["createdTime"])


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"orderType": "Market", "takeProfit": "61000"}, 170227),
        ({"triggerPrice": "55000", "orderFilter": "tpslOrder", "stopLoss": "49000"}, 170227),
        ({"takeProfit": "61000", "tpOrderType": "Limit"}, 170202),
        ({"takeProfit": "61000", "tpLimitPrice": "60000"}, 170202),
        ({"tpOrderType": "Limit", "tpLimitPrice": "60000"}, 170202),
        ({"stopLoss": "49000.001"}, 170134),
        ({"stopLoss": "49000", "slOrderType": "Limit", "slLimitPrice": "49000.001"}, 170134),
        ({"stopLoss": "soon"}, 170130),
        ({"takeProfit": "61000", "tpOrderType": "Iceberg"}, 10001),
    ],
)
def test_what_is_refused_at_first_sight(rest: Rest, changes: dict[str, str], code: int) -> None:
    order = {"side": "Buy", "qty": "0.01", "price": "50000", "orderType": "Limit", **SPOT, **changes}
    assert rest.post("/v5/order/create", **order)["retCode"] == code
    assert open_orders(rest) == []


def test_an_amend_that_asks_for_half_of_one_is_refused(rest: Rest) -> None:
    order_id = rest.placed("Buy", "0.01", "50000")
    answer = rest.post("/v5/order/amend", **SPOT, orderId=order_id, slLimitPrice="48000")
    assert answer["retCode"] == 170202


def test_what_waits_itself_takes_none(rest: Rest) -> None:
    order_id = rest.placed("Sell", "0.01", "58900", triggerPrice="59000", orderFilter="tpslOrder")
    answer = rest.post("/v5/order/amend", **SPOT, orderId=order_id, stopLoss="49000")
    assert answer["retCode"] == 170312
