"""Faults of connections: handshakes, pings, life, closing, and bytes that do not belong there."""

import contextlib
import json
import socket
import time

import pytest
import websocket

from exconn_sync.simulator import Simulator

from .clients import PATIENCE_S, Rest, Socket, WsApi, eventually

TRADES = "/ws/btcusdt@trade"
PING, PONG, CLOSE = 9, 10, 8


def frame(client: Socket) -> tuple[int, bytes]:
    """The next frame, control frames included; pings get their pong from the client."""
    opcode, data = client.socket.recv_data(control_frame=True)
    return opcode, data if isinstance(data, bytes) else data.encode()


def unchecked_frame(client: Socket) -> bytes:
    """The payload of the next frame, whatever it holds and whenever it comes."""
    data = client.socket.recv_frame().data  # type: ignore[no-untyped-call]
    assert isinstance(data, bytes)
    return data


def close_code(client: Socket) -> int:
    opcode, data = frame(client)
    while opcode != CLOSE:
        opcode, data = frame(client)
    return int.from_bytes(data[:2], "big")


def test_refused_upgrades(quiet: Simulator, rest: Rest, ws_api: WsApi) -> None:
    """Both kinds are refused and REST is not; living connections go on (fault F020)."""
    with quiet.faults.refuse_upgrades(503, {"Retry-After": "7"}, "<html>busy</html>"):
        for url in (quiet.stream + TRADES, quiet.ws_api):
            with pytest.raises(websocket.WebSocketBadStatusException) as refused:
                Socket(url)
            assert refused.value.status_code == 503
            assert refused.value.resp_headers is not None
            assert refused.value.resp_headers["retry-after"] == "7"
            assert refused.value.resp_body == b"<html>busy</html>"
        assert rest.get("/api/v3/ping")[0] == 200
        assert ws_api.call("ping")["status"] == 200
        with quiet.faults.refuse_upgrades(403), pytest.raises(websocket.WebSocketBadStatusException, match="403"):
            Socket(quiet.stream + TRADES)
    Socket(quiet.stream + TRADES).close()


def test_attempts_are_logged_and_limited(quiet: Simulator) -> None:
    before = time.monotonic()
    quiet.faults.rate_limits(connections_per_5m=2)
    Socket(quiet.stream + "/ws").close()
    Socket(quiet.stream + "/ws").close()
    with pytest.raises(websocket.WebSocketBadStatusException) as refused:
        Socket(quiet.stream + "/ws")
    assert refused.value.status_code == 429
    assert refused.value.resp_headers is not None
    assert 0 < int(refused.value.resp_headers["retry-after"]) <= 300
    # The other kind has its own count.
    Socket(quiet.ws_api).close()
    log = quiet.connection_log()
    assert [kind for _, kind in log] == ["stream", "stream", "stream", "ws_api"]
    times = [at for at, _ in log]
    assert before <= times[0] <= times[1] <= times[2] <= times[3] <= time.monotonic()
    quiet.faults.rate_limits(connections_per_5m=10)
    Socket(quiet.stream + "/ws").close()


def test_connections_are_cut_at_their_age(quiet: Simulator) -> None:
    """The 24 h rule, shortened (fault F044)."""
    old, private = Socket(quiet.stream + TRADES), Socket(quiet.ws_api)
    quiet.faults.connection_life(0.05)
    assert (close_code(old), close_code(private)) == (1001, 1001)
    eventually(lambda: quiet.cuts() == {"age": 2})
    young = Socket(quiet.stream + TRADES)
    assert close_code(young) == 1001
    quiet.faults.connection_life(None)
    lasting = Socket(quiet.stream + TRADES)
    quiet.faults.send_raw('"still here"')
    assert lasting.receive() == "still here"
    quiet.faults.close_connections(1000)
    assert close_code(lasting) == 1000
    # What a fault closes is no cut of the venue.
    eventually(lambda: quiet.cuts() == {"age": 3})
    for client in (old, private, young, lasting):
        client.close()


def test_shutdown_is_announced_in_three_shapes(quiet: Simulator) -> None:
    """Raw, combined, WebSocket API; nobody is cut (fault F045)."""
    raw, combined, private = Socket(quiet.stream + "/ws"), Socket(quiet.stream + "/stream"), Socket(quiet.ws_api)
    micro = Socket(quiet.stream + "/ws?timeUnit=MICROSECOND")
    quiet.faults.announce_shutdown()
    bare, wrapped, event = raw.receive(), combined.receive(), private.receive()
    assert set(bare) == {"e", "E"}
    assert bare["e"] == "serverShutdown"
    assert abs(bare["E"] - time.time() * 1000) < 60_000
    assert abs(micro.receive()["E"] - time.time() * 1_000_000) < 60_000_000
    assert set(wrapped) == {"stream", "data"}
    assert (wrapped["stream"], wrapped["data"]["e"]) == ("!serverShutdown", "serverShutdown")
    assert set(event) == {"event"}
    assert event["event"]["e"] == "serverShutdown"
    quiet.faults.announce_shutdown("ws_api")
    quiet.faults.send_raw('"behind"', kind=None)
    assert raw.receive() == "behind"
    assert private.receive()["event"]["e"] == "serverShutdown"
    for client in (raw, combined, private, micro):
        client.close()


def test_muted_pings() -> None:
    """No ping comes, and nobody is cut for the pong it never owed (fault F024)."""
    with Simulator(running_market=False) as simulator:
        simulator.faults.keep_alive(ping_every=0.02, pong_within=0.2)
        with simulator.faults.mute_pings():
            client = Socket(simulator.stream + "/ws")
            client.socket.settimeout(0.3)
            with pytest.raises(websocket.WebSocketTimeoutException):
                frame(client)
        client.socket.settimeout(PATIENCE_S)
        assert frame(client)[0] == PING
        assert simulator.cuts() == {}
        client.close()


def test_a_client_that_answers_no_ping_is_cut() -> None:
    with Simulator(running_market=False) as simulator:
        client = Socket(simulator.stream + "/ws")
        # Those that live already are pinged at the new pace, too.
        simulator.faults.keep_alive(ping_every=0.02, pong_within=0.05)
        eventually(lambda: simulator.cuts() == {"no pong": 1})
        client.close()


def test_pongs_that_nobody_asked_for_keep_nobody_alive() -> None:
    """Only what a ping has said counts, however many pongs come (Binance: 8.1)."""
    with Simulator(running_market=False) as simulator:
        simulator.faults.keep_alive(ping_every=0.3, pong_within=0.5)
        client = Socket(simulator.stream + "/ws")
        for _ in range(3):
            client.socket.pong("I am here")
        eventually(lambda: simulator.client_frames()[-1].pong == 3)
        eventually(lambda: simulator.cuts() == {"no pong": 1})
        client.close()


def test_who_answers_lives() -> None:
    """A pong answers its ping and those before it: a client may skip all but the newest."""
    with Simulator(running_market=False) as simulator:
        simulator.faults.keep_alive(ping_every=0.25, pong_within=0.6)
        client = Socket(simulator.ws_api)
        pings = []
        for _ in range(8):
            pings.append(unchecked_frame(client))
            if len(pings) % 2 == 0:
                client.socket.pong(pings[-1].decode())
        assert len(set(pings)) == 8, "each says something else"
        assert simulator.cuts() == {}
        client.close()


def test_ignored_pings(quiet: Simulator) -> None:
    """Data flows, but no pong comes (faults F010, F025)."""
    client = Socket(quiet.stream + TRADES)
    with quiet.faults.ignore_pings():
        client.socket.ping("first")
        eventually(lambda: quiet.client_frames()[-1].ping == 1)
        quiet.market.trade("BTCUSDT", "buy", "0.01")
        assert client.receive()["e"] == "trade"
    client.socket.ping("second")
    assert frame(client) == (PONG, b"second")
    client.close()


def test_a_flood_of_pings_cuts_who_answers_all(quiet: Simulator) -> None:
    """Pongs count towards five messages a second (fault F023)."""
    client = Socket(quiet.stream + "/ws")
    quiet.faults.flood_pings(per_second=200, seconds=5)
    # The end may find the client in the middle of a pong.
    with contextlib.suppress(OSError, websocket.WebSocketException):
        while frame(client)[0] != CLOSE:
            continue
    eventually(lambda: quiet.cuts() == {"too many messages": 1})
    (counted,) = quiet.client_frames()
    assert counted.pong > 5
    assert counted.total == counted.pong
    client.close()


def test_a_flood_ends_and_hits_one_kind(quiet: Simulator) -> None:
    """Exactly as many pings as ordered (fault F023)."""
    private, stream = Socket(quiet.ws_api), Socket(quiet.stream + "/ws")
    quiet.faults.flood_pings(per_second=100, seconds=0.2, kind="ws_api")
    for number in range(1, 21):
        assert frame(private) == (PING, b"flood %d" % number)
    quiet.faults.send_raw('"behind"', kind=None)
    assert private.receive() == "behind"
    assert stream.receive() == "behind"
    eventually(lambda: quiet.client_frames()[0].pong == 20)
    assert quiet.client_frames()[1].total == 0
    private.close()
    stream.close()


@pytest.mark.parametrize("opcode", [PING, PONG])
def test_control_frames_count_as_messages(quiet: Simulator, opcode: int) -> None:
    client = Socket(quiet.stream + "/ws")
    # A second of the count may begin in between; more than ten are too many in any case.
    with contextlib.suppress(OSError):
        for _ in range(11):
            client.socket.send(b"x", opcode)
    eventually(lambda: quiet.cuts() == {"too many messages": 1})
    client.close()


def test_nothing_is_read(quiet: Simulator) -> None:
    """Writes of the client block, while data still flows to it (fault F012)."""
    with quiet.faults.stop_reading():
        client = Socket(quiet.stream + TRADES)
        quiet.market.trade("BTCUSDT", "buy", "0.01")
        assert client.receive()["e"] == "trade"
        client.socket.settimeout(0.2)
        # More than all buffers between the two hold.
        with pytest.raises((websocket.WebSocketTimeoutException, TimeoutError)):
            client.socket.send("x" * 50_000_000)
        assert quiet.client_frames()[-1].total == 0
        client.socket.shutdown()  # type: ignore[no-untyped-call]


def test_reading_goes_on(quiet: Simulator) -> None:
    client = Socket(quiet.stream + "/ws")
    with quiet.faults.stop_reading():
        client.send({"method": "LIST_SUBSCRIPTIONS", "id": 1})
        quiet.faults.send_raw('"first"')
        assert client.receive() == "first"
    assert client.receive() == {"result": [], "id": 1}
    client.close()


def test_an_unanswered_close(quiet: Simulator) -> None:
    """The server goes on sending, and answers when the block ends (fault F009)."""
    client = Socket(quiet.stream + TRADES)
    with quiet.faults.ignore_close():
        client.socket.send_close()
        quiet.market.trade("BTCUSDT", "buy", "0.01")
        assert json.loads(frame(client)[1])["e"] == "trade"
        client.socket.settimeout(0.1)
        with pytest.raises(websocket.WebSocketTimeoutException):
            frame(client)
    client.socket.settimeout(5)
    assert close_code(client) == 1000
    client.close()


def test_stop_while_a_close_is_ignored(quiet: Simulator) -> None:
    """The end of the server does not wait for the end of the block (fault F009)."""
    client = Socket(quiet.stream + TRADES)
    with quiet.faults.ignore_close():
        client.socket.send_close()
        quiet.stop(timeout=3)
    client.close()


def test_raw_messages(quiet: Simulator) -> None:
    """Garbage, wrong shapes, stragglers, text that is not UTF-8 (faults F030, F032, F033, F064)."""
    client, private = Socket(quiet.stream + "/ws"), Socket(quiet.ws_api)
    quiet.faults.send_raw("{half", times=2)
    quiet.faults.send_raw("", kind="ws_api")
    quiet.faults.send_raw(b"\x00\x01", binary=True)
    quiet.faults.send_raw("[" * 70_000)
    quiet.faults.send_raw(b"\xff\xfe")
    assert [frame(client) for _ in range(3)] == [(1, b"{half"), (1, b"{half"), (2, b"\x00\x01")]
    assert frame(client) == (1, b"[" * 70_000)
    assert unchecked_frame(client) == b"\xff\xfe"
    assert frame(private) == (1, b"")
    client.close()
    private.close()


def test_raw_bytes(quiet: Simulator) -> None:
    """A message in pieces with a ping in between, then data behind a close frame (faults F022, F027, F031)."""
    client = Socket(quiet.stream + "/ws")
    quiet.faults.send_bytes(b"\x01\x02{}" + b"\x89\x01p" + b"\x80\x01 ")
    assert frame(client) == (PING, b"p")
    assert frame(client) == (1, b"{} ")
    quiet.faults.send_bytes(b"\x88\x02\x03\xe8" + b"\x81\x04late")
    assert close_code(client) == 1000
    assert unchecked_frame(client) == b"late"
    client.close()
    broken = Socket(quiet.stream + "/ws")
    quiet.faults.send_bytes(b"\xf1\x00")
    with pytest.raises(websocket.WebSocketProtocolException):
        frame(broken)
    broken.close()


def test_unknown_kinds_and_numbers_are_refused(quiet: Simulator) -> None:
    with pytest.raises(ValueError, match="'stream' or 'ws_api'"):
        quiet.faults.send_raw("x", kind="streams")
    with pytest.raises(ValueError, match="seconds must be above zero"):
        quiet.faults.connection_life(0)
    with pytest.raises(ValueError, match="pong_within must be above zero"):
        quiet.faults.keep_alive(pong_within=0)
    with pytest.raises(ValueError, match="per_second"):
        quiet.faults.flood_pings(-1, 1)
    with pytest.raises(ValueError, match="between 200 and 599"), quiet.faults.refuse_upgrades(101):
        raise AssertionError("not reached")


def test_faults_without_a_running_server() -> None:
    """Switches may be set before the start; there is nobody to send to."""
    simulator = Simulator(running_market=False)
    simulator.faults.send_raw("x")
    simulator.faults.flood_pings(1, 1)
    simulator.faults.announce_shutdown()
    simulator.faults.end_user_stream()
    simulator.faults.connection_life(0.05)
    with simulator.faults.stop_reading(), simulator.faults.lag(1):
        simulator.market.trade("BTCUSDT", "buy", "0.01")
    assert (simulator.connection_log(), simulator.client_frames(), simulator.cuts()) == ([], [], {})
    with simulator:
        client = Socket(simulator.stream + "/ws")
        assert close_code(client) == 1001
        client.close()


def test_a_client_that_only_connects_is_no_attempt(quiet: Simulator) -> None:
    host, _, port = quiet.rest.removeprefix("http://").partition(":")
    socket.create_connection((host, int(port))).close()
    assert quiet.connection_log() == []
