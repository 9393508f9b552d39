"""Faults of frames and subscriptions on connections that are well."""

import time
from collections.abc import Iterator

import pytest

from exconn_sync.simulator import Simulator

from .clients import PATIENCE_S, Rest, Socket, WsApi, eventually

TRADE = "btcusdt@trade"
ORDER = {"symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT", "timeInForce": "GTC", "quantity": "0.1", "price": "59000"}


@pytest.fixture
def stream(quiet: Simulator) -> Iterator[Socket]:
    """A raw connection without streams."""
    socket = Socket(quiet.stream + "/ws")
    yield socket
    socket.close()


def trade(simulator: Simulator, times: int = 1) -> None:
    for _ in range(times):
        simulator.market.trade("BTCUSDT", "buy", "0.001")


def change(stream: Socket, method: str = "SUBSCRIBE", request_id: int = 1) -> None:
    stream.send({"method": method, "params": [TRADE], "id": request_id})


def test_duplicated_and_swapped_frames(quiet: Simulator, stream: Socket) -> None:
    """Of one stream alone (fault F049)."""
    change(stream)
    assert stream.receive()["result"] is None
    quiet.faults.duplicate_frames(TRADE)
    quiet.faults.swap_frames("ethusdt@trade")
    trade(quiet, 2)
    assert [stream.receive()["t"] for _ in range(3)] == [1, 1, 2]
    quiet.faults.swap_frames(TRADE, 2)
    trade(quiet, 5)
    assert [stream.receive()["t"] for _ in range(5)] == [4, 3, 6, 5, 7]


def test_swapped_private_events(quiet: Simulator, rest: Rest, ws_api: WsApi) -> None:
    ws_api.subscribe()
    quiet.faults.swap_frames("userDataStream")
    assert rest.signed("POST", "/api/v3/order", **ORDER)[0] == 200
    assert [ws_api.receive()["event"]["e"] for _ in range(2)] == ["outboundAccountPosition", "executionReport"]


def test_lost_replies_to_subscriptions(quiet: Simulator, stream: Socket) -> None:
    """Executed but not answered; other control messages are answered (fault F047)."""
    quiet.faults.lose_replies(count=2)
    change(stream)
    assert stream.ask({"method": "LIST_SUBSCRIPTIONS", "id": 2}) == {"result": [TRADE], "id": 2}
    trade(quiet)
    assert stream.receive()["t"] == 1
    change(stream, "UNSUBSCRIBE", 3)
    eventually(lambda: quiet.subscriptions() == [])
    change(stream, request_id=4)
    assert stream.receive() == {"result": None, "id": 4}


def test_lost_replies_of_the_ws_api(quiet: Simulator, ws_api: WsApi) -> None:
    """The order stands, and nobody says so."""
    quiet.faults.lose_replies("ws_api")
    ws_api.send({"id": "lost", "method": "ping"})
    assert ws_api.call("time")["status"] == 200
    ws_api.send({"id": "found", "method": "ping"})
    assert ws_api.receive()["id"] == "found"


def test_lost_subscriptions(quiet: Simulator, stream: Socket) -> None:
    """An answer but no data; asking again helps (fault F047)."""
    quiet.faults.lose_subscriptions()
    change(stream)
    assert stream.receive() == {"result": None, "id": 1}
    assert quiet.subscriptions() == []
    trade(quiet)
    change(stream, request_id=2)
    assert stream.receive() == {"result": None, "id": 2}
    trade(quiet)
    assert stream.receive()["t"] == 2


def test_refused_subscriptions(quiet: Simulator, stream: Socket) -> None:
    """The whole request is refused; requests that name other streams are not (fault F046)."""
    with quiet.faults.refuse_subscription("nopenope@trade", 2, "Invalid request: no such stream"):
        both = {"method": "SUBSCRIBE", "params": [TRADE, "nopenope@trade"], "id": 1}
        assert stream.ask(both) == {"code": 2, "msg": "Invalid request: no such stream", "id": 1}
        assert quiet.subscriptions() == []
        change(stream, request_id=2)
        assert stream.receive() == {"result": None, "id": 2}
    assert stream.ask({"method": "SUBSCRIBE", "params": ["nopenope@trade"], "id": 3}) == {"result": None, "id": 3}


def test_a_withheld_login(quiet: Simulator, ws_api: WsApi) -> None:
    """Nothing comes back, other requests work, and nothing is subscribed (fault F063)."""
    with quiet.faults.withhold_login():
        ws_api.send({"id": "login", "method": "userDataStream.subscribe.signature", "params": {}})
        ws_api.send({"id": "other", "method": "ping"})
        assert ws_api.receive()["id"] == "other"
    assert quiet.subscriptions() == []
    assert ws_api.subscribe() == 0


def test_a_login_that_fails_by_script(quiet: Simulator, ws_api: WsApi) -> None:
    """Any error can be scripted for it (fault F062)."""
    method = "userDataStream.subscribe.signature"
    quiet.faults.answer("WS", method, 401, '{"code":-2015,"msg":"Invalid API-key, IP, or permissions for action."}')
    failed = ws_api.call(method, signed=True)
    assert (failed["status"], failed["error"]["code"]) == (401, -2015)
    assert ws_api.subscribe() == 0


def test_an_ended_user_stream(quiet: Simulator, rest: Rest, ws_api: WsApi) -> None:
    """No events until it is subscribed again; what happens meanwhile is lost (fault F061)."""
    assert ws_api.subscribe() == 0
    quiet.faults.end_user_stream()
    ended = ws_api.receive()
    assert (ended["subscriptionId"], ended["event"]["e"]) == (0, "eventStreamTerminated")
    rest.signed("POST", "/api/v3/order", **ORDER, newClientOrderId="unheard")
    assert ws_api.subscribe() == 1
    rest.signed("POST", "/api/v3/order", **ORDER, newClientOrderId="heard")
    assert ws_api.event("executionReport")["c"] == "heard"


def test_a_front_end_that_is_behind(quiet: Simulator) -> None:
    """What the old connection has seen comes again, in order, then the rest, late (fault F066)."""
    late_s = 0.3
    old = Socket(f"{quiet.stream}/ws/{TRADE}")
    with quiet.faults.lag(late_s):
        trade(quiet, 3)
        assert [old.receive()["t"] for _ in range(3)] == [1, 2, 3]
        new = Socket(f"{quiet.stream}/stream?streams={TRADE}&timeUnit=MICROSECOND")
        # Its control messages are not late.
        assert new.ask({"method": "LIST_SUBSCRIPTIONS", "id": 1}) == {"result": [TRADE], "id": 1}
    began = time.monotonic()
    trade(quiet)
    assert old.receive()["t"] == 4
    again = [new.receive() for _ in range(4)]
    assert time.monotonic() - began >= late_s
    assert [message["data"]["t"] for message in again] == [1, 2, 3, 4]
    assert again[0]["data"]["E"] > time.time() * 1000 * 100
    # Connections of later are up to date.
    fresh = Socket(f"{quiet.stream}/ws/{TRADE}")
    trade(quiet)
    assert fresh.receive()["t"] == 5
    assert old.receive()["t"] == 5
    for client in (old, new, fresh):
        client.close()


def test_late_private_events(quiet: Simulator, rest: Rest) -> None:
    with quiet.faults.lag(0.2, "ws_api"):
        behind = WsApi(quiet)
    behind.subscribe()
    began = time.monotonic()
    rest.signed("POST", "/api/v3/order", **ORDER)
    assert behind.call("ping")["status"] == 200
    assert [behind.receive()["event"]["e"] for _ in range(2)] == ["executionReport", "outboundAccountPosition"]
    assert 0.2 <= time.monotonic() - began < PATIENCE_S
    behind.close()


def test_blocks_of_one_kind_can_be_nested(quiet: Simulator) -> None:
    with quiet.faults.lag(5):
        with quiet.faults.lag(0.05):
            inner = Socket(f"{quiet.stream}/ws/{TRADE}")
        with quiet.faults.withhold_login():
            with quiet.faults.withhold_login():
                pass
            private = WsApi(quiet)
            private.send({"id": 1, "method": "userDataStream.subscribe.signature"})
            assert private.call("ping")["id"] == "ping"
    trade(quiet)
    assert inner.receive()["t"] == 1
    private.close()
    inner.close()
