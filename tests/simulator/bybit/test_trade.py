"""The trade socket: orders without a signature of their own (Bybit: 8)."""

import pytest

from exconn_sync.simulator import Simulator
from tests.simulator.clients import eventually, now_ms

from .clients import Private, Rest, Trade

LIMIT = {"symbol": "BTCUSDT", "side": "Buy", "orderType": "Limit", "qty": "0.01", "price": "50000"}


def test_signing_in_once(trade: Trade) -> None:
    assert trade.call("order.create", **LIMIT)["retCode"] == 10004
    reply = trade.sign_in()
    assert {**reply, "connId": ""} == {"reqId": "a", "retCode": 0, "retMsg": "OK", "op": "auth", "connId": ""}
    assert trade.sign_in()["retCode"] == 20001
    assert trade.ask({"op": "auth", "args": ["nobody", now_ms() + 10_000, "x"]})["retCode"] == 20001


def test_bad_sign_ins(trade: Trade) -> None:
    expires = now_ms() + 10_000
    assert trade.ask({"op": "auth", "args": [trade.key.api_key, expires, "00"]})["retCode"] == 10004
    assert trade.ask({"op": "auth", "args": [trade.key.api_key]})["retCode"] == 10001
    assert trade.ask({"op": "auth", "args": ["nobody", expires, "00"]})["retCode"] == 10003


def test_the_pong(trade: Trade) -> None:
    reply = trade.ask({"op": "ping"})
    assert (reply["retCode"], reply["retMsg"], reply["op"], "reqId" in reply) == (0, "OK", "pong", False)
    assert abs(int(reply["data"][0]) - now_ms()) < 5000
    assert trade.ask({"op": "ping", "reqId": "p"})["reqId"] == "p"


def test_an_order_from_its_beginning_to_its_end(quiet: Simulator, trade: Trade, private: Private) -> None:
    trade.sign_in()
    reply = trade.call("order.create", **LIMIT, orderLinkId="t-1")
    assert (reply["retCode"], reply["retMsg"], reply["op"], reply["retExtInfo"]) == (0, "OK", "order.create", {})
    order_id = reply["data"]["orderId"]
    assert reply["data"] == {"orderId": order_id, "orderLinkId": "t-1"}
    header = reply["header"]
    assert (header["X-Bapi-Limit"], header["X-Bapi-Limit-Status"]) == ("20", "19")
    assert all(isinstance(value, str) for value in header.values())
    assert {"Traceid", "Timenow", "X-Bapi-Limit-Reset-Timestamp"} <= set(header)
    assert private.rows("order")[0]["orderStatus"] == "New"
    assert trade.call("order.amend", symbol="BTCUSDT", orderId=order_id, qty="0.02")["retCode"] == 0
    assert private.rows("order")[0]["qty"] == "0.02"
    assert trade.call("order.cancel", symbol="BTCUSDT", orderId=order_id)["retCode"] == 0
    assert private.rows("order")[0]["orderStatus"] == "Cancelled"
    assert trade.call("order.cancel", symbol="BTCUSDT", orderId=order_id)["retCode"] == 170213


def test_batches(trade: Trade) -> None:
    trade.sign_in()
    reply = trade.call("order.create-batch", request=[LIMIT, LIMIT | {"qty": "0"}])
    assert [row["code"] for row in reply["retExtInfo"]["list"]] == [0, 170130]
    order_id = reply["data"]["list"][0]["orderId"]
    assert reply["header"]["X-Bapi-Limit-Status"] == "18"
    named = {"symbol": "BTCUSDT", "orderId": order_id}
    assert trade.call("order.amend-batch", request=[named | {"price": "50001"}])["retExtInfo"]["list"][0]["code"] == 0
    assert trade.call("order.cancel-batch", request=[named])["retExtInfo"]["list"] == [{"code": 0, "msg": "OK"}]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"op": "order.dance"}, 10404),
        ({"args": [{"category": "coffee"}]}, 10404),
        ({"args": []}, 10001),
        ({"args": [{"category": "spot"}, {}]}, 10001),
        ({"header": {}}, 10001),
        ({"header": {"X-BAPI-TIMESTAMP": "1700000000000"}}, 10002),
        ({"reqId": "x" * 37}, 10001),
        ({"reqId": "used"}, 20006),
    ],
)
def test_bad_requests(quiet: Simulator, trade: Trade, changes: dict[str, object], code: int) -> None:
    trade.sign_in()
    request: dict[str, object] = {"op": "order.create", "args": [{"category": "spot", **LIMIT}]}
    request["header"] = {"X-BAPI-TIMESTAMP": now_ms(), "X-BAPI-RECV-WINDOW": "5000"}
    assert trade.ask({"reqId": "used", **request})["retCode"] == 0
    assert trade.ask({"reqId": "new", **request, **changes})["retCode"] == code
    assert len(quiet.accounts.orders()) == 1


def test_what_is_no_request(trade: Trade) -> None:
    for text in ("nonsense", "[]", '{"op":1}'):
        trade.socket.send(text)
        assert trade.receive()["retCode"] == 10001


def test_no_id_comes_back_where_none_was_sent(trade: Trade) -> None:
    trade.sign_in()
    header = {"X-BAPI-TIMESTAMP": str(now_ms())}
    reply = trade.ask({"op": "order.create", "header": header, "args": [{"category": "spot", **LIMIT}]})
    assert ("reqId" in reply, reply["retCode"]) == (False, 0)


def test_answers_may_overtake_each_other(quiet: Simulator, trade: Trade) -> None:
    trade.sign_in()
    with quiet.faults.delay("WS", "order.create", 0.3):
        slow = trade.send_op("order.create", **LIMIT)
        assert trade.call("order.cancel", symbol="BTCUSDT", orderId="nothing")["retCode"] == 170213
        assert trade.receive()["reqId"] == slow


def test_faults_of_commands(quiet: Simulator, trade: Trade, private: Private) -> None:
    trade.sign_in()
    quiet.faults.answer("WS", "order.create", 200, '{"retCode":10016}')
    trade.send_op("order.create", **LIMIT)
    assert trade.receive() == {"retCode": 10016}
    quiet.faults.lose_replies("trade")
    trade.send_op("order.create", **LIMIT)
    assert private.rows("order")[0]["orderStatus"] == "New"
    with quiet.faults.answer_late("WS", "order.create", 0.2):
        name = trade.send_op("order.create", **LIMIT)
        assert private.rows("order")[0]["orderStatus"] == "New"
        assert trade.receive()["reqId"] == name
    quiet.faults.execute_then_drop("WS", "order.create")
    trade.send_op("order.create", **LIMIT)
    with pytest.raises(ConnectionError):
        trade.receive()
    eventually(lambda: len(quiet.accounts.orders()) == 3)


def test_a_restart_refuses_new_requests(quiet: Simulator, trade: Trade) -> None:
    trade.sign_in()
    quiet.faults.announce_shutdown("trade")
    assert trade.call("order.create", **LIMIT)["retCode"] == 10019
    assert trade.ask({"op": "ping"})["op"] == "pong"
    assert quiet.accounts.orders() == []


def test_a_key_that_may_not_trade_or_was_revoked(quiet: Simulator) -> None:
    looking = Trade(quiet, quiet.accounts.add_key(can_trade=False))
    looking.sign_in()
    assert looking.call("order.create", **LIMIT)["retCode"] == 10005
    quiet.accounts.revoke(looking.key.api_key)
    assert looking.call("order.create", **LIMIT)["retCode"] == 10003
    looking.close()


def test_the_quota_is_that_of_rest(trade: Trade, rest: Rest) -> None:
    trade.sign_in()
    rest.placed("Buy", "0.01", "50000")
    assert trade.call("order.create", **LIMIT)["header"]["X-Bapi-Limit-Status"] == "18"
