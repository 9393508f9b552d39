"""Every fault does what it says, and nothing after it was switched off."""

import contextlib
import gc
import json
import socket
import threading
import time
import warnings
from urllib.parse import urlsplit

import pytest
import urllib3

from exconn_sync.simulator import Simulator

from .clients import Rest, Socket, WsApi, eventually

ORDER = {"symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT", "timeInForce": "GTC", "quantity": "0.1", "price": "59000"}


def test_drop_connections_of_a_kind(quiet: Simulator, ws_api: WsApi) -> None:
    stream = Socket(f"{quiet.stream}/ws/btcusdt@trade")
    quiet.faults.drop_connections("stream")
    with pytest.raises(ConnectionResetError):
        stream.receive()
    stream.close()
    assert ws_api.call("ping")["status"] == 200
    quiet.faults.drop_connections("ws_api")
    with pytest.raises(ConnectionResetError):
        ws_api.receive()


def test_drop_all_connections(quiet: Simulator, ws_api: WsApi, rest: Rest) -> None:
    rest.get("/api/v3/ping")
    quiet.faults.drop_connections()
    with pytest.raises(ConnectionResetError):
        ws_api.receive()
    # The pool had one connection, which is dead now; the next one works.
    eventually(lambda: _answers(rest))


def _answers(rest: Rest) -> bool:
    try:
        return rest.get("/api/v3/ping")[0] == 200
    except urllib3.exceptions.HTTPError:
        return False


def test_close_connections(quiet: Simulator) -> None:
    stream = Socket(f"{quiet.stream}/ws/btcusdt@trade")
    quiet.faults.close_connections(code=1012)
    opcode, data = stream.socket.recv_data(control_frame=True)
    assert (opcode, int.from_bytes(data[:2], "big")) == (8, 1012)
    stream.close()


def test_refuse_connections(quiet: Simulator, ws_api: WsApi) -> None:
    host, port = urlsplit(quiet.rest).hostname or "", urlsplit(quiet.rest).port or 0
    with quiet.faults.refuse_connections():
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection((host, port))
        assert ws_api.call("ping")["status"] == 200
    socket.create_connection((host, port)).close()


def test_lost_frames_leave_a_gap(quiet: Simulator) -> None:
    stream = Socket(f"{quiet.stream}/ws/btcusdt@trade")
    quiet.faults.lose_frames("btcusdt@trade", 2)
    for _ in range(4):
        quiet.market.trade("BTCUSDT", "buy", "0.01")
    first, second = stream.receive(), stream.receive()
    assert second["t"] == first["t"] + 1
    assert first["t"] == 3
    stream.close()


def test_silence_hits_one_stream(quiet: Simulator) -> None:
    stream = Socket(f"{quiet.stream}/stream?streams=btcusdt@trade/btcusdt@bookTicker")
    with quiet.faults.silence("btcusdt@trade"):
        quiet.market.trade("BTCUSDT", "buy", "0.01")
        assert stream.receive()["stream"] == "btcusdt@bookTicker"
    quiet.market.trade("BTCUSDT", "buy", "0.01")
    assert stream.receive()["stream"] == "btcusdt@trade"
    stream.close()


def test_silenced_user_data(quiet: Simulator, ws_api: WsApi, rest: Rest) -> None:
    ws_api.subscribe()
    with quiet.faults.silence("userDataStream"):
        rest.signed("POST", "/api/v3/order", **ORDER, newClientOrderId="unheard")
    rest.signed("POST", "/api/v3/order", **ORDER, newClientOrderId="heard")
    assert ws_api.event("executionReport")["c"] == "heard"


def test_scripted_answers(quiet: Simulator, rest: Rest) -> None:
    busy = json.dumps({"code": -1008, "msg": "Server is currently overloaded with other requests."})
    quiet.faults.answer("POST", "/api/v3/order", 503, busy, count=2, headers={"Retry-After": "1"})
    for _ in range(2):
        response = rest.signed_raw("POST", "/api/v3/order", **ORDER)
        assert (response.status, response.headers["Retry-After"]) == (503, "1")
    assert quiet.accounts.orders() == []
    assert rest.signed("POST", "/api/v3/order", **ORDER)[0] == 200


def test_executed_but_never_answered(quiet: Simulator, rest: Rest) -> None:
    quiet.faults.execute_then_drop("POST", "/api/v3/order")
    with pytest.raises(urllib3.exceptions.ProtocolError):
        rest.signed_raw("POST", "/api/v3/order", **ORDER, newClientOrderId="lost-answer")
    (order,) = quiet.accounts.orders()
    assert order.client_order_id == "lost-answer"
    _, found = rest.signed("GET", "/api/v3/order", symbol="BTCUSDT", origClientOrderId="lost-answer")
    assert found["status"] == "NEW"


def test_faults_of_the_ws_api(quiet: Simulator, ws_api: WsApi) -> None:
    quiet.faults.answer("WS", "order.place", 400, '{"code":-2010,"msg":"no"}')
    refused = ws_api.call("order.place", signed=True, **ORDER)
    assert (refused["status"], refused["error"]["code"]) == (400, -2010)
    quiet.faults.execute_then_drop("WS", "order.place")
    with pytest.raises(ConnectionResetError):
        ws_api.call("order.place", signed=True, **ORDER)
    assert len(quiet.accounts.orders()) == 1


def test_a_delay_inside_the_exchange_can_outlast_the_window(quiet: Simulator, rest: Rest) -> None:
    with quiet.faults.delay("POST", "/api/v3/order", 0.1):
        began = time.monotonic()
        _, late = rest.signed("POST", "/api/v3/order", **ORDER, recvWindow=50)
        assert time.monotonic() - began >= 0.1
        assert late == {"code": -1021, "msg": "Timestamp for this request is outside of the recvWindow."}
        assert rest.signed("POST", "/api/v3/order", **ORDER)[0] == 200
    # The late check comes when the order is already counted.
    assert rest.signed("GET", "/api/v3/rateLimit/order")[1][1]["count"] == 2


def test_a_delay_holds_nobody_else(quiet: Simulator, rest: Rest) -> None:
    answered = threading.Event()

    def slow() -> None:
        other = Rest(quiet)
        other.get("/api/v3/depth", symbol="BTCUSDT")
        other.close()
        answered.set()

    with quiet.faults.delay("GET", "/api/v3/depth", 0.3):
        thread = threading.Thread(target=slow)
        thread.start()
        assert rest.get("/api/v3/ping")[0] == 200
        assert not answered.is_set()
        thread.join(5)
    assert answered.is_set()


def test_admin_routes(quiet: Simulator, rest: Rest, ws_api: WsApi) -> None:
    def admin(path: str, body: object = None) -> tuple[int, object]:
        response = rest.pool.request("POST", quiet.admin + path, json=body)
        return response.status, response.json()

    trade = {"symbol": "BTCUSDT", "side": "buy", "quantity": "0.5"}
    assert admin("/market/trade", trade) == (200, {"filled": "0.5", "quote": "30005.0"})
    assert admin("/market/trade", trade | {"side": "up"})[0] == 400
    assert admin("/market/trade", trade | {"quantity": 0.5})[0] == 400
    assert admin("/market/trade", trade | {"symbol": "NOPE"})[0] == 400
    assert admin("/nothing")[0] == 404
    assert admin("/market/resume") == (200, {"ok": True})
    assert admin("/market/pause") == (200, {"ok": True})
    assert admin("/faults/drop_connections", {"kind": None}) == (200, {"ok": True})
    with pytest.raises(ConnectionResetError):
        ws_api.receive()


def test_a_connection_accepted_at_the_moment_of_refusal_is_not_lost(quiet: Simulator) -> None:
    address = ("127.0.0.1", int(quiet.rest.rpartition(":")[2]))
    done = threading.Event()

    def knock() -> None:
        while not done.is_set():
            with contextlib.suppress(OSError), socket.create_connection(address, timeout=5):
                continue

    knockers = [threading.Thread(target=knock) for _ in range(4)]
    with warnings.catch_warnings(record=True) as complaints:
        warnings.simplefilter("always")
        for knocker in knockers:
            knocker.start()
        for _ in range(100):
            with quiet.faults.refuse_connections():
                continue
        done.set()
        for knocker in knockers:
            knocker.join()
        # asyncio complains of a lost socket when it is collected.
        gc.collect()
    assert [str(complaint.message) for complaint in complaints] == []
