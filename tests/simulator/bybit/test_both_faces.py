"""The same accounts and books through the wires of two exchanges."""

import pytest

from exconn_sync.simulator import Simulator
from tests.quiet import quiet_exchange
from tests.simulator import clients as binance

from .clients import Private, Public, Rest


def test_an_order_is_seen_from_both_sides() -> None:
    with quiet_exchange(("binance", "bybit")) as simulator:
        one, other = binance.Rest(simulator), Rest(simulator)
        events, frames = Private(simulator).subscribed("order"), Public(simulator)
        frames.subscribe("orderbook.50.BTCUSDT")
        assert frames.receive()["data"]["b"] == [["60000", "1"]]
        status, placed = one.limit("BUY", "0.5", "60005", newClientOrderId="from-binance")
        assert status == 200
        assert frames.receive()["data"]["b"] == [["60005", "0.5"]]
        (row,) = events.rows("order")
        assert (row["orderLinkId"], row["orderStatus"], row["qty"]) == ("from-binance", "New", "0.5")
        answer = other.post("/v5/order/cancel", category="spot", symbol="BTCUSDT", orderId=row["orderId"])
        assert answer["retCode"] == 0
        _, order = one.signed("GET", "/api/v3/order", symbol="BTCUSDT", orderId=placed["orderId"])
        assert order["status"] == "CANCELED"
        link_id = other.create("Buy", "0.1", "60010")["result"]["orderLinkId"]
        _, order = one.signed("GET", "/api/v3/order", symbol="BTCUSDT", origClientOrderId=link_id)
        assert (order["status"], order["executedQty"]) == ("FILLED", "0.10000000")
        for client in (one, other, events, frames):
            client.close()


def test_what_one_wire_rejects_later_the_other_shows() -> None:
    with Simulator(("binance", "bybit"), running_market=False) as simulator:
        simulator.faults.reject_orders()
        one, other, user = binance.Rest(simulator), Rest(simulator), binance.WsApi(simulator)
        user.subscribe()
        link_id = other.create("Buy", "0.1", "50000")["result"]["orderLinkId"]
        event = user.event("executionReport")
        assert (event["x"], event["X"], event["c"]) == ("REJECTED", "REJECTED", link_id)
        _, order = one.signed("GET", "/api/v3/order", symbol="BTCUSDT", origClientOrderId=link_id)
        assert order["status"] == "REJECTED"
        for client in (one, other, user):
            client.close()


def test_an_order_list_is_seen_as_its_orders() -> None:
    with Simulator(("binance", "bybit"), running_market=False) as simulator:
        one, other = binance.Rest(simulator), Rest(simulator)
        events = Private(simulator).subscribed("order")
        first = {"workingType": "LIMIT", "workingSide": "BUY", "workingPrice": "50000", "workingQuantity": "0.1"}
        second = {"pendingType": "LIMIT", "pendingSide": "SELL", "pendingPrice": "70000", "pendingQuantity": "0.1"}
        tifs = {"workingTimeInForce": "GTC", "pendingTimeInForce": "GTC"}
        status, _ = one.signed("POST", "/api/v3/orderList/oto", symbol="BTCUSDT", **first, **second, **tifs)
        assert status == 200
        assert {events.rows("order")[0]["orderStatus"] for _ in range(2)} == {"New", "Untriggered"}
        rows = other.get("/v5/order/realtime", category="spot")["result"]["list"]
        assert {row["side"]: row["orderStatus"] for row in rows} == {"Buy": "New", "Sell": "Untriggered"}
        named = {"category": "spot", "symbol": "BTCUSDT", "orderId": rows[0]["orderId"]}
        # Its orders change and end together, which is beyond this wire's amendments.
        assert other.post("/v5/order/amend", **named, qty="0.05")["retCode"] == 10001
        assert other.post("/v5/order/cancel", **named)["retCode"] == 0
        assert other.get("/v5/order/realtime", category="spot")["result"]["list"] == []
        for client in (one, other, events):
            client.close()


def test_kinds_of_both() -> None:
    with Simulator(("binance", "bybit")) as simulator:
        assert (simulator.exchange, simulator.exchanges) == ("binance", ("binance", "bybit"))
        assert list(simulator.addresses()) == ["rest", "stream", "ws_api"]
        assert list(simulator.addresses("bybit")) == ["rest", "public", "private", "trade"]
        stream, public = binance.Socket(simulator.stream + "/ws"), Public(simulator)
        simulator.faults.drop_connections("public")
        with pytest.raises(ConnectionError):
            public.receive()
        stream.send({"method": "LIST_SUBSCRIPTIONS", "id": 1})
        assert stream.receive()["result"] == []
        stream.close()
        public.close()


def test_no_exchange_and_an_unknown_one() -> None:
    for wrong in ("mtgox", (), ("binance", "mtgox")):
        with pytest.raises(ValueError, match="known: binance, bybit"):
            Simulator(wrong)
