"""Every fault over the admin port."""

import inspect
from collections.abc import Callable

import pytest
import websocket

from exconn_sync.simulator import Faults, Simulator
from exconn_sync.simulator.fault_commands import NOT_OVER_HTTP

from .clients import Json, Rest, Socket, WsApi, eventually

Admin = Callable[..., tuple[int, Json]]

ARGUMENTS: dict[str, dict[str, object]] = {
    "announce_shutdown": {"kind": "stream"},
    "answer_late": {"method": "GET", "path": "/api/v3/ping", "seconds": 0.01},
    "answer": {"method": "GET", "path": "/api/v3/ping", "status": 503, "body": "", "headers": {"Retry-After": "1"}},
    "call_off": {},
    "close_connections": {"code": 1012, "kind": "stream"},
    "connection_life": {"seconds": 3600.5},
    "delay": {"method": "GET", "path": "/api/v3/ping", "seconds": 0.01},
    "drop_connections": {"kind": None},
    "duplicate_frames": {"stream_name": "btcusdt@trade"},
    "end_user_stream": {},
    "execute_then_answer": {"method": "GET", "path": "/api/v3/depth", "status": 502, "body": "bad gateway"},
    "execute_late": {"method": "GET", "path": "/api/v3/ping", "seconds": 0.01},
    "hold_answers": {"method": "GET", "path": "/api/v3/ping", "seconds": 0.01},
    "lose_requests": {"method": "GET", "path": "/api/v3/ping", "reset": True},
    "execute_then_drop": {"method": "GET", "path": "/api/v3/depth", "count": 1},
    "flood_pings": {"per_second": 1, "seconds": 1},
    "forget_closed_orders": {},
    "hold_events": {"stream_name": "executionReport"},
    "idle_limit": {"seconds": 60},
    "ignore_close": {},
    "ignore_pings": {},
    "keep_alive": {"ping_every": 5, "pong_within": 30.5},
    "lag": {"seconds": 1},
    "lag_reads": {"seconds": 0.01},
    "latency": {"seconds": 0.01},
    "lose_frames": {"stream_name": "btcusdt@trade"},
    "lose_replies": {"count": 1},
    "lose_subscriptions": {},
    "match_late": {"seconds": 0.01},
    "mute_pings": {},
    "offset_clock": {"ms": 5},
    "disagreeing_clocks": {"ms": 5},
    "queue_in_engine": {"method": "GET", "path": "/api/v3/ping", "seconds": 0.01},
    "rate_limits": {"connections_per_5m": 9},
    "refuse_late": {},
    "refuse_subscription": {"stream_name": "btcusdt@trade"},
    "refuse_upgrades": {"status": 503},
    "reject_orders": {"reason": "EC_Others", "count": 2},
    "reject_post_only": {},
    "repeat_events": {"count": 2},
    "restart_books": {"symbol": "BTCUSDT"},
    "send_bytes": {"data": "8100"},
    "send_raw": {"payload": "x", "binary": True},
    "shuffle_events": {},
    "silence": {"stream_name": "btcusdt@trade"},
    "stop_reading": {},
    "swap_answers": {"method": "WS", "path": "order.create", "count": 2},
    "swap_frames": {"stream_name": "btcusdt@trade"},
    "tell_new": {},
    "withhold_login": {},
}


@pytest.fixture
def admin(quiet: Simulator, rest: Rest) -> Admin:
    def post(path: str, /, **body: object) -> tuple[int, Json]:
        response = rest.pool.request("POST", f"{quiet.admin}/{path}", json=body)
        return response.status, response.json()

    return post


def test_every_fault_has_a_command() -> None:
    methods = {name for name, _ in inspect.getmembers(Faults, inspect.isfunction) if name[0] != "_"}
    assert set(ARGUMENTS) == methods - set(NOT_OVER_HTTP)


@pytest.mark.parametrize("name", ARGUMENTS)
def test_each_command_is_understood(admin: Admin, name: str) -> None:
    assert admin(f"faults/{name}", **ARGUMENTS[name]) == (200, {"ok": True})


def test_a_block_lasts_until_it_is_ended(quiet: Simulator, admin: Admin) -> None:
    url = quiet.stream + "/ws"
    for status in (503, 403):
        # The second one takes the place of the first.
        assert admin("faults/refuse_upgrades", status=status, body="no")[0] == 200
        with pytest.raises(websocket.WebSocketBadStatusException, match=str(status)):
            Socket(url)
    for _ in range(2):
        assert admin("faults/refuse_upgrades", active=False)[0] == 200
    Socket(url).close()


def test_messages_and_bytes(quiet: Simulator, admin: Admin) -> None:
    stream, private = Socket(quiet.stream + "/ws"), WsApi(quiet)
    admin("faults/send_raw", payload='{"e":"new"}')
    admin("faults/send_bytes", data="8104 6e756c6c", kind="ws_api")
    assert stream.receive() == {"e": "new"}
    assert private.receive() is None
    stream.close()
    private.close()


def test_a_burst(quiet: Simulator, admin: Admin) -> None:
    assert admin("market/burst", stream_name="btcusdt@trade", count=3) == (200, {"first_trade_id": 1})
    for wrong in ({"stream_name": "btcusdt@depth", "count": 1}, {"stream_name": "btcusdt@trade", "count": "1"}):
        assert admin("market/burst", **wrong)[0] == 400


def test_connections_are_told(quiet: Simulator, rest: Rest) -> None:
    client = Socket(quiet.stream + "/ws")
    client.send({"method": "LIST_SUBSCRIPTIONS", "id": 1})
    client.receive()
    told = rest.pool.request("GET", f"{quiet.admin}/connections").json()
    assert [kind for _, kind in told["attempts"]] == ["stream"]
    assert told["client_frames"] == [{"kind": "stream", "text": 1, "ping": 0, "pong": 0}]
    assert told["cuts"] == {}
    client.close()
    eventually(lambda: not rest.pool.request("GET", f"{quiet.admin}/status").json()["connections"])


@pytest.mark.parametrize(
    ("name", "arguments", "complaint"),
    [
        ("lag", {}, "missing: seconds"),
        ("lag", {"seconds": "1"}, "'seconds' must be float"),
        ("lag", {"seconds": True}, "'seconds' must be float"),
        ("lag", {"seconds": 1, "speed": 2}, "unknown argument 'speed'; known: seconds, kind"),
        ("lag", {"seconds": -1}, "seconds must be above zero"),
        ("mute_pings", {"active": 1}, "'active' is true or false"),
        ("mute_pings", {"off": True}, "unknown argument 'off'; known: none"),
        ("send_bytes", {"data": "xy"}, "non-hexadecimal"),
        ("send_raw", {"payload": "x", "kind": "rest"}, "'stream' or 'ws_api'"),
        ("refuse_upgrades", {"status": 503, "headers": {"a": 1}}, "'headers' must be Mapping or None"),
        ("connection_life", {"seconds": []}, "'seconds' must be float or None"),
    ],
)
def test_what_is_wrong_is_told(admin: Admin, name: str, arguments: dict[str, object], complaint: str) -> None:
    status, answer = admin(f"faults/{name}", **arguments)
    assert status == 400
    assert complaint in answer["error"]


def test_refusing_connections_has_no_command(admin: Admin) -> None:
    assert admin("faults/refuse_connections")[0] == 404
