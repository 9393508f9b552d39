"""The same faults behind the other wire."""

from exconn_sync.simulator import Simulator

from .clients import Private, Rest, Trade

CREATE = "/v5/order/create"


def test_reads_that_lag(quiet: Simulator, rest: Rest) -> None:
    with quiet.faults.lag_reads(60):
        order_id = rest.placed("Buy", "0.1", "59000")
        asked = [
            rest.get(path, category="spot", orderId=order_id)["result"]["list"]
            for path in ("/v5/order/realtime", "/v5/order/history", "/v5/execution/list")
        ]
        assert asked == [[], [], []]
        assert rest.post("/v5/order/cancel", category="spot", symbol="BTCUSDT", orderId=order_id)["retCode"] == 0
    assert rest.order(order_id)["orderStatus"] == "Cancelled"


def test_answers_of_the_trade_socket_that_are_false_and_swapped(quiet: Simulator, trade: Trade) -> None:
    order = {"symbol": "BTCUSDT", "side": "Buy", "orderType": "Limit", "qty": "0.1", "price": "59000"}
    trade.sign_in()
    quiet.faults.swap_answers("WS", "order.create", 3)
    names = [trade.send_op("order.create", **order) for _ in range(3)]
    answers = [trade.receive() for _ in names]
    assert [answer["reqId"] for answer in answers] == names[::-1]
    assert [answer["retCode"] for answer in answers] == [0] * 3
    quiet.faults.execute_then_answer("WS", "order.create", 200, '{"reqId":"nobody"}')
    trade.send_op("order.create", **order)
    assert trade.receive() == {"reqId": "nobody"}
    assert len(quiet.accounts.orders()) == 4


def test_private_events_that_are_held_back_and_come_again(quiet: Simulator, rest: Rest, private: Private) -> None:
    with quiet.faults.hold_events("execution"):
        rest.placed("Buy", "1000")
        assert [private.receive()["topic"] for _ in range(2)] == ["order", "wallet"]
    told = private.receive()
    assert told["topic"] == "execution"
    with quiet.faults.repeat_events(5):
        other = Private(quiet).subscribed("execution")
        assert other.receive() == told
        other.close()
