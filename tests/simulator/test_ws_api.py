"""The WebSocket API and the user data stream."""

from decimal import Decimal

import pytest
import websocket

from exconn_sync.simulator import Simulator
from exconn_sync.simulator.binance.endpoints import REST, WS_API

from .clients import Rest, WsApi


def test_ping_time_and_limits(ws_api: WsApi) -> None:
    reply = ws_api.call("ping")
    assert (reply["status"], reply["result"]) == (200, {})
    (weight,) = reply["rateLimits"]
    assert (weight["rateLimitType"], weight["limit"]) == ("REQUEST_WEIGHT", 6000)
    assert weight["count"] >= 1
    assert "rateLimits" not in ws_api.call("v3/time", returnRateLimits=False)


def test_limits_can_be_hidden_by_address(quiet: Simulator) -> None:
    socket = WsApi(quiet, "?returnRateLimits=false")
    assert "rateLimits" not in socket.call("ping")
    assert "rateLimits" in socket.call("ping", returnRateLimits=True)
    socket.close()


@pytest.mark.parametrize("unit", ["MICROSECOND", "microsecond", "MILLISECOND"])
def test_times_of_answers_and_events_are_in_the_unit_of_the_address(quiet: Simulator, rest: Rest, unit: str) -> None:
    """(Binance: 11)"""
    socket = WsApi(quiet, f"?timeUnit={unit}")
    is_fine = unit.upper() == "MICROSECOND"
    times = [socket.call("time")["result"]["serverTime"]]
    socket.subscribe()
    rest.limit("BUY", "0.1", "59000")
    report, position = socket.event("executionReport"), socket.event("outboundAccountPosition")
    times += [report["E"], report["T"], report["O"], report["W"], position["E"], position["u"]]
    assert [at > 10**14 for at in times] == [is_fine] * len(times)
    socket.close()


@pytest.mark.parametrize("option", ["timeUnit=second", "returnRateLimits=maybe", "responseFormat=sbe"])
def test_a_wish_in_the_address_that_cannot_be_fulfilled_is_refused(quiet: Simulator, option: str) -> None:
    with pytest.raises(websocket.WebSocketBadStatusException, match="400"):
        WsApi(quiet, f"?{option}")


def test_errors(ws_api: WsApi, quiet: Simulator) -> None:
    ws_api.socket.send("nonsense")
    assert ws_api.receive()["error"]["code"] == -1135
    strange = [f'{{"id":{text},"method":"ping"}}' for text in ("1.5", "[]", "{}", "true")]
    for text in ("[" * 20_000, *strange, '{"id":1}', '{"method":"ping"}', "[]"):
        ws_api.socket.send(text)
        assert ws_api.receive()["error"]["code"] == -1135
    assert ws_api.call("no.such.method")["error"]["code"] == -1020
    assert ws_api.call("depth", symbol="NOPE")["error"] == {"code": -1121, "msg": "Invalid symbol."}
    unsigned = ws_api.call("userDataStream.subscribe.signature", apiKey=quiet.api_key, timestamp=1, signature="0")
    assert (unsigned["status"], unsigned["error"]["code"]) == (400, -1021)
    stranger = ws_api.call("userDataStream.subscribe.signature", apiKey="x" * 64, timestamp=1, signature="0")
    assert (stranger["status"], stranger["error"]["code"]) == (401, -2015)


def test_numbers_are_signed_as_they_are_written(ws_api: WsApi) -> None:
    order = {"symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT", "timeInForce": "GTC"}
    reply = ws_api.call("order.test", signed=True, **order, quantity=1, price="59000.50")
    assert reply["status"] == 200, reply


def test_the_wish_for_limits_is_signed_like_every_parameter(ws_api: WsApi, rest: Rest) -> None:
    """All parameters but the signature are signed (Binance: 3.1), also those that are about the answer."""
    reply = ws_api.call("account.status", signed=True, returnRateLimits=False)
    assert reply["status"] == 200, reply
    assert "rateLimits" not in reply
    ws_api.send({"id": 1, "method": "ping", "params": {"returnRateLimits": False}})
    assert ws_api.receive() == {"id": 1, "status": 200, "result": {}}
    assert rest.get("/api/v3/ping", returnRateLimits="false")[1]["code"] == -1101


def test_subscriptions(ws_api: WsApi) -> None:
    assert ws_api.subscribe() == 0
    again = ws_api.call("userDataStream.subscribe.signature", signed=True)
    assert again["error"]["code"] == -2035
    assert ws_api.call("session.subscriptions")["result"] == [{"subscriptionId": 0}]
    ws_api.send({"id": 9, "method": "userDataStream.unsubscribe", "params": {"subscriptionId": 0}})
    farewell = ws_api.receive()
    assert (farewell["subscriptionId"], farewell["event"]["e"]) == (0, "eventStreamTerminated")
    assert ws_api.receive()["result"] == {}
    assert ws_api.call("userDataStream.unsubscribe", subscriptionId=0)["error"]["code"] == -2036
    assert ws_api.subscribe() == 1


def test_events_of_a_market_order_that_runs_out(ws_api: WsApi, rest: Rest) -> None:
    ws_api.subscribe()
    rest.market("BUY", quantity="1.5")
    reports = [ws_api.event("executionReport") for _ in range(3)]
    assert [(report["x"], report["X"], report["w"]) for report in reports] == [
        ("NEW", "NEW", True),
        ("TRADE", "PARTIALLY_FILLED", False),
        ("EXPIRED", "EXPIRED", False),
    ]
    assert len({report["T"] for report in reports}) == 1
    assert reports[2]["eR"] == "INSUFFICIENT_LIQUIDITY"
    new, trade, _ = reports
    always = set("eEscSofqpPFgCxXrilzLnNTtIwmMOZYQV")
    assert always <= new.keys()
    assert (new["n"], new["N"], new["t"], new["C"]) == ("0", None, -1, "")
    assert (trade["l"], trade["L"], trade["n"], trade["N"]) == ("1.00000000", "60010.00000000", "0.00100000", "BTC")
    position = ws_api.receive()["event"]
    assert position["e"] == "outboundAccountPosition"
    assert {entry["a"]: entry["f"] for entry in position["B"]} == {"USDT": "939990.00000000", "BTC": "100.99900000"}


def test_a_resting_order_is_filled_and_canceled(quiet: Simulator, ws_api: WsApi, rest: Rest) -> None:
    ws_api.subscribe()
    rest.limit("BUY", "0.3", "60005", newClientOrderId="mine")
    assert ws_api.event("executionReport")["x"] == "NEW"
    quiet.market.trade("BTCUSDT", "sell", "0.1")
    fill = ws_api.event("executionReport")
    assert (fill["x"], fill["X"], fill["m"], fill["w"]) == ("TRADE", "PARTIALLY_FILLED", True, True)
    assert ws_api.event("outboundAccountPosition")["B"][0]["l"] == "12001.00000000"
    rest.signed("DELETE", "/api/v3/order", symbol="BTCUSDT", origClientOrderId="mine", newClientOrderId="stop")
    canceled = ws_api.event("executionReport")
    assert (canceled["x"], canceled["c"], canceled["C"]) == ("CANCELED", "stop", "mine")
    assert quiet.accounts.balances()["USDT"] == (Decimal("993999.5"), Decimal(0))


def test_orders_over_the_socket(quiet: Simulator, ws_api: WsApi) -> None:
    order = {"symbol": "BTCUSDT", "side": "SELL", "type": "LIMIT", "timeInForce": "GTC"}
    placed = ws_api.call("order.place", signed=True, **order, quantity="0.2", price="61000", newClientOrderId="ws-1")
    assert placed["result"]["status"] == "NEW"
    assert [limit["rateLimitType"] for limit in placed["rateLimits"]] == ["ORDERS", "ORDERS", "REQUEST_WEIGHT"]
    which = {"symbol": "BTCUSDT", "origClientOrderId": "ws-1"}
    assert ws_api.call("order.status", signed=True, **which)["result"]["origQty"] == "0.20000000"
    assert ws_api.call("order.cancel", signed=True, **which)["result"]["status"] == "CANCELED"
    refused = ws_api.call("order.cancel", signed=True, **which)
    assert (refused["status"], refused["error"]["code"]) == (400, -2011)
    assert [known.client_order_id for known in quiet.accounts.orders()] != ["ws-1"]


def test_a_deposit_is_told(quiet: Simulator, ws_api: WsApi) -> None:
    ws_api.subscribe()
    quiet.accounts.deposit("BTC", "0.5")
    assert ws_api.event("balanceUpdate")["d"] == "0.50000000"
    assert ws_api.event("outboundAccountPosition")["B"] == [{"a": "BTC", "f": "100.50000000", "l": "0.00000000"}]


def test_both_ways_lead_to_the_same_calls() -> None:
    """All but these: limits on connections, routed orders, and which id of a list wins (Binance: 4, 5.10, 15)."""
    rest_only = {("GET", "/api/v3/exchangeInfo"), ("POST", "/api/v3/sor/order"), ("GET", "/api/v3/orderList")}
    ws_only = {"exchangeInfo", "sor.order.place", "orderList.status"}
    rest = {id(endpoint) for target, endpoint in REST.items() if target not in rest_only}
    assert rest == {id(endpoint) for method, endpoint in WS_API.items() if method not in ws_only}


def test_every_kind_of_order_over_the_socket(quiet: Simulator, ws_api: WsApi) -> None:
    common = {"symbol": "BTCUSDT", "side": "SELL", "quantity": "0.1", "newOrderRespType": "RESULT"}
    kinds: list[dict[str, object]] = [
        {"type": "LIMIT_MAKER", "price": "61000", "selfTradePreventionMode": "DECREMENT"},
        {"type": "LIMIT", "price": "61000", "timeInForce": "GTC", "icebergQty": "0.05"},
        {"type": "LIMIT", "timeInForce": "GTC", "pegPriceType": "PRIMARY_PEG"},
        {"type": "STOP_LOSS", "stopPrice": "50000", "strategyId": 1, "strategyType": 1_000_000},
        {"type": "TAKE_PROFIT_LIMIT", "price": "70000", "timeInForce": "GTC", "stopPrice": "69000"},
        {"type": "STOP_LOSS_LIMIT", "price": "50000", "timeInForce": "GTC", "trailingDelta": 100},
    ]
    for kind in kinds:
        assert ws_api.call("order.test", signed=True, **common, **kind)["result"] == {}
        placed = ws_api.call("order.place", signed=True, **common, **kind)
        assert placed["status"] == 200, placed
        assert {name: placed["result"][name] for name in ("type", "status")} == {"type": kind["type"], "status": "NEW"}
    opened = ws_api.call("openOrders.status", signed=True, symbol="BTCUSDT")["result"]
    assert [order["type"] for order in opened] == [kind["type"] for kind in kinds]
    assert len(ws_api.call("openOrders.cancelAll", signed=True, symbol="BTCUSDT")["result"]) == len(kinds)
    assert quiet.accounts.balances()["BTC"] == (Decimal(100), Decimal(0))
