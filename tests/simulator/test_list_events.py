"""What the user data stream tells of order lists (Binance: 10.3)."""

from typing import Any

import pytest

from exconn_sync.simulator import Simulator

from .clients import Json, Rest, WsApi
from .test_order_lists import LIST, place

AMEND = "/api/v3/order/amend/keepPriority"


def heard(ws_api: WsApi, last: str) -> list[Json]:
    """The events until a listStatus of some type, or until the balances where none is named."""
    events: list[Json] = []
    while True:
        event = ws_api.receive()["event"]
        events.append(event)
        if event["e"] == ("listStatus" if last else "outboundAccountPosition") and last in ("", event.get("l")):
            return events


def told(events: list[Json]) -> list[tuple[Any, ...]]:
    """What happened to whom, and in which list."""
    return [
        (event["x"], event["X"], event["i"], event["g"])
        if event["e"] == "executionReport"
        else (event["l"], event["L"], event["C"], event["g"])
        for event in events
        if event["e"] != "outboundAccountPosition"
    ]


def test_the_life_of_a_pair(ws_api: WsApi, rest: Rest) -> None:
    ws_api.subscribe()
    made = place(rest, listClientOrderId="mine", aboveClientOrderId="goal", belowClientOrderId="stop")
    stop, goal = (leg["orderId"] for leg in made["orders"])
    events = heard(ws_api, "EXEC_STARTED")
    assert told(events) == [
        ("NEW", "NEW", stop, 0),
        ("NEW", "NEW", goal, 0),
        ("EXEC_STARTED", "EXECUTING", "mine", 0),
    ]
    assert ([event["w"] for event in events[:2]], events[2]["T"]) == ([False, True], made["transactionTime"])
    assert [leg["i"] for leg in events[2]["O"]] == [stop, goal]
    rest.signed("PUT", AMEND, symbol="BTCUSDT", orderId=goal, newQty="0.05", newClientOrderId="renamed")
    events = heard(ws_api, "UPDATED")[1:]
    assert told(events) == [
        ("REPLACED", "NEW", goal, 0),
        ("REPLACED", "NEW", stop, 0),
        ("UPDATED", "EXECUTING", "mine", 0),
    ]
    assert [(event["c"], event["C"], event["q"]) for event in events[:2]] == [
        ("renamed", "goal", "0.05000000"),
        ("stop", "stop", "0.05000000"),
    ]
    assert [leg["c"] for leg in events[2]["O"]] == ["stop", "renamed"]
    rest.signed("DELETE", LIST, symbol="BTCUSDT", orderListId=0, newClientOrderId="away")
    events = heard(ws_api, "ALL_DONE")[1:]
    assert told(events) == [
        ("CANCELED", "CANCELED", stop, 0),
        ("CANCELED", "CANCELED", goal, 0),
        ("ALL_DONE", "ALL_DONE", "away", 0),
    ]
    assert [event["C"] for event in events[:2]] == ["stop", "renamed"]
    assert [leg["c"] for leg in events[2]["O"]] == ["stop", "renamed"]


def test_a_pair_of_which_one_fires(quiet: Simulator, ws_api: WsApi, rest: Rest) -> None:
    stop, goal = (leg["orderId"] for leg in place(rest)["orders"])
    ws_api.subscribe()
    quiet.market.clear("BTCUSDT")
    quiet.market.quote("BTCUSDT", "buy", 58_900, 1)
    quiet.market.trade("BTCUSDT", "sell", "0.1")
    events = heard(ws_api, "ALL_DONE")
    assert told(events)[:-1] == [
        ("EXPIRED", "EXPIRED", goal, 0),
        ("NEW", "NEW", stop, 0),
        ("TRADE", "FILLED", stop, 0),
    ]
    assert (events[0]["eR"], events[0]["w"], events[1]["w"]) == ("OCO_TRIGGER", False, True)


def test_what_waits_is_told_as_pending_and_then_as_placed(quiet: Simulator, ws_api: WsApi, rest: Rest) -> None:
    ws_api.subscribe()
    working, sale = (leg["orderId"] for leg in place(rest, "oto", workingPrice="60005")["orders"])
    events = heard(ws_api, "EXEC_STARTED")
    assert told(events)[:-1] == [("NEW", "NEW", working, 0), ("NEW", "PENDING_NEW", sale, 0)]
    assert (events[2]["c"], [event["w"] for event in events[:2]]) == ("OTO", [True, False])
    heard(ws_api, "")
    quiet.market.trade("BTCUSDT", "sell", "0.1")
    events = heard(ws_api, "")
    assert told(events) == [("TRADE", "FILLED", working, 0), ("NEW", "NEW", sale, 0)]
    assert (events[1]["w"], events[1]["W"]) == (True, events[1]["T"])


def test_what_is_received_is_a_quantity_of_zero_until_it_is_known(quiet: Simulator, ws_api: WsApi, rest: Rest) -> None:
    ws_api.subscribe()
    made = place(rest, "opoco", workingPrice="60005")
    events = heard(ws_api, "EXEC_STARTED")
    assert [event["q"] for event in events[1:3]] == ["0.00000000"] * 2
    assert not any("origQty" in row for row in made["orderReports"][1:])
    heard(ws_api, "")
    quiet.market.trade("BTCUSDT", "sell", "0.1")
    events = heard(ws_api, "")
    assert [event["q"] for event in events[1:3]] == ["0.10000000"] * 2
    locked = {row["a"]: row["l"] for row in events[-1]["B"]}
    assert locked["BTC"] == "0.10000000"


@pytest.mark.parametrize("kind", ["otoco", "opoco"])
def test_orders_whose_turn_never_comes(ws_api: WsApi, rest: Rest, kind: str) -> None:
    ws_api.subscribe()
    place(rest, kind, workingTimeInForce="FOK", workingPrice="59900")
    events = heard(ws_api, "ALL_DONE")
    assert [event.get("eR") for event in events if event.get("x") == "EXPIRED"] == [
        "UNFILLED_FOK_ORDER_EXPIRED",
        "OTO_PHASE_ONE_EXPIRED",
        "OTO_PHASE_ONE_EXPIRED",
    ]


def test_times_to_the_microsecond(quiet: Simulator, rest: Rest) -> None:
    client = WsApi(quiet, "?timeUnit=MICROSECOND")
    client.subscribe()
    made = place(rest)
    assert client.event("listStatus")["T"] == made["transactionTime"] * 1000
    row = client.call("orderList.status", signed=True, orderListId=0)["result"]
    assert row["transactionTime"] == made["transactionTime"] * 1000
    client.close()
