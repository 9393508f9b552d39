"""The relay does to bytes what it says, and leaves nothing behind."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from exconn_sync import Connector, RequestTimeout
from exconn_sync.simulator import Simulator
from tests.faults.relay import Relay
from tests.simulator.certificates import make_certificates
from tests.simulator.clients import PATIENCE_S, Socket, eventually


class Echo:
    """A server that sends back what it gets, one connection after the other."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            peer, _ = self._listener.accept()
            with peer:
                try:
                    while data := peer.recv(65_536):
                        if data == b"quit":
                            return
                        peer.sendall(data)
                except ConnectionError:
                    continue

    def close(self) -> None:
        with socket.create_connection(("127.0.0.1", self.port)) as last:
            last.sendall(b"quit")
        self._thread.join(PATIENCE_S)
        self._listener.close()


@pytest.fixture
def echo() -> Iterator[Echo]:
    server = Echo()
    yield server
    server.close()


@pytest.fixture
def relay(echo: Echo) -> Iterator[Relay]:
    with Relay(echo.port) as relay:
        yield relay


@pytest.fixture
def client(relay: Relay) -> Iterator[socket.socket]:
    with connected(relay) as one:
        yield one


def connected(relay: Relay) -> socket.socket:
    return socket.create_connection(("127.0.0.1", relay.port), PATIENCE_S)


def read(client: socket.socket, count: int) -> bytes:
    found = b""
    while len(found) < count:
        piece = client.recv(count - len(found))
        assert piece, "the connection ended"
        found += piece
    return found


def test_bytes_pass_both_ways(relay: Relay, client: socket.socket) -> None:
    """More than all buffers hold, in order, and the end of the data too."""
    data = bytes(range(256)) * 20_000

    def send() -> None:
        client.sendall(data)
        client.shutdown(socket.SHUT_WR)

    sender = threading.Thread(target=send)
    sender.start()
    assert read(client, len(data)) == data
    sender.join(PATIENCE_S)
    assert client.recv(1) == b""
    assert relay.connections == 1
    eventually(lambda: relay.living == 0)


@pytest.mark.parametrize("way", ["upstream", "downstream"])
def test_a_stalled_direction(relay: Relay, client: socket.socket, way: str) -> None:
    """Nothing passes until it is resumed, then all of it (fault F010)."""
    client.sendall(b"before")
    assert read(client, 6) == b"before"
    direction = getattr(relay, way)
    direction.stall()
    client.sendall(b"during")
    client.settimeout(0.1)
    with pytest.raises(TimeoutError):
        client.recv(1)
    client.settimeout(PATIENCE_S)
    direction.resume()
    assert read(client, 6) == b"during"


def test_a_slow_direction(relay: Relay, client: socket.socket) -> None:
    """Never faster than told, from the change on (fault F011)."""
    relay.downstream.rate(100)
    began = time.monotonic()
    client.sendall(b"x" * 20)
    assert read(client, 20) == b"x" * 20
    assert time.monotonic() - began >= 0.15
    relay.downstream.rate(0.01)
    client.sendall(b"y" * 1000)
    assert read(client, 1) == b"y"
    relay.downstream.rate(None)
    assert read(client, 999) == b"y" * 999


def test_chopped_bytes(relay: Relay, client: socket.socket) -> None:
    """Pieces of the size asked for, nothing lost (fault F013)."""
    relay.downstream.chop(3, gap_s=0.002)
    client.sendall(b"0123456789")
    pieces: list[bytes] = []
    while b"".join(pieces) != b"0123456789":
        pieces.append(client.recv(100))
        assert pieces[-1], "the connection ended"
    assert len(pieces) > 1
    relay.downstream.chop(1)
    client.sendall(b"z" * 500)
    assert read(client, 500) == b"z" * 500
    relay.downstream.chop(None)


def test_delayed_bytes(relay: Relay, client: socket.socket) -> None:
    relay.upstream.delay(0.1)
    relay.downstream.delay(0.1)
    began = time.monotonic()
    client.sendall(b"one")
    client.sendall(b"two")
    assert read(client, 6) == b"onetwo"
    assert time.monotonic() - began >= 0.2


@pytest.mark.parametrize("how", ["reset", "eof"])
def test_cut_after_some_bytes(relay: Relay, how: str) -> None:
    """Counted on what the client gets; only the next connection."""
    relay.cut_after(4, "reset" if how == "reset" else "eof")
    with connected(relay) as victim:
        victim.sendall(b"0123456789")
        assert read(victim, 4) == b"0123"
        if how == "eof":
            assert victim.recv(1) == b""
        else:
            with pytest.raises(ConnectionResetError):
                victim.recv(1)
    with connected(relay) as survivor:
        survivor.sendall(b"0123456789")
        assert read(survivor, 10) == b"0123456789"


def test_cut_at_once(relay: Relay) -> None:
    relay.cut_after(0, "eof")
    with connected(relay) as victim:
        assert victim.recv(1) == b""


def test_cut_all(relay: Relay, client: socket.socket) -> None:
    client.sendall(b"x")
    read(client, 1)
    relay.cut_all("reset")
    with pytest.raises(ConnectionResetError):
        client.recv(1)
    with connected(relay) as polite:
        polite.sendall(b"x")
        read(polite, 1)
        relay.cut_all("eof")
        assert polite.recv(1) == b""
    assert relay.living == 0


def test_a_closed_port_opens_again(relay: Relay, client: socket.socket) -> None:
    """Living connections stay; the number stays."""
    client.sendall(b"x")
    read(client, 1)
    port = relay.port
    relay.refuse()
    relay.refuse()
    with pytest.raises(ConnectionRefusedError):
        connected(relay)
    client.sendall(b"y")
    assert read(client, 1) == b"y"
    relay.cut_all()
    relay.accept()
    assert relay.port == port
    with connected(relay) as again:
        again.sendall(b"z")
        assert read(again, 1) == b"z"
    assert relay.connections == 2


def test_swallowed_connections(relay: Relay) -> None:
    """Accepted and never answered, until they are cut."""
    relay.swallow()
    with connected(relay) as lost:
        lost.sendall(b"hello")
        lost.settimeout(0.1)
        with pytest.raises(TimeoutError):
            lost.recv(1)
        relay.accept()
        with connected(relay) as served:
            served.sendall(b"x")
            assert read(served, 1) == b"x"
        lost.settimeout(PATIENCE_S)
        relay.cut_all("eof")
        assert lost.recv(1) == b""


def test_a_target_that_is_not_there() -> None:
    with socket.create_server(("127.0.0.1", 0)) as bound:
        port = bound.getsockname()[1]
    with Relay(port) as relay, connected(relay) as client:
        assert client.recv(1) == b""


def test_settings_before_the_start(echo: Echo) -> None:
    relay = Relay(echo.port)
    relay.upstream.stall()
    relay.refuse()
    with relay:
        with pytest.raises(ConnectionRefusedError):
            connected(relay)
        relay.accept()
        relay.upstream.resume()
        with connected(relay) as client:
            client.sendall(b"x")
            assert read(client, 1) == b"x"


def test_in_front_of_the_simulator() -> None:
    """A stream through the relay: stalled upstream, its data still flows (fault F010)."""
    with Simulator(running_market=False) as simulator, Relay(int(simulator.rest.rpartition(":")[2])) as relay:
        stream = Socket(f"ws://127.0.0.1:{relay.port}/ws/btcusdt@trade")
        relay.upstream.stall()
        stream.send({"method": "LIST_SUBSCRIPTIONS", "id": 1})
        simulator.market.trade("BTCUSDT", "buy", "0.001")
        assert stream.receive()["e"] == "trade"
        assert simulator.client_frames()[0].total == 0
        relay.upstream.resume()
        assert stream.receive() == {"result": ["btcusdt@trade"], "id": 1}
        relay.downstream.chop(1)
        assert simulator.market.burst("btcusdt@trade", 20) == 2
        assert [stream.receive()["t"] for _ in range(20)] == list(range(2, 22))
        stream.close()


def test_under_a_connector() -> None:
    """Its addresses name the relay; a cut of all connections is healed through the same port."""
    with Simulator(running_market=False) as simulator, Relay(int(simulator.rest.rpartition(":")[2])) as relay:
        host = f"127.0.0.1:{relay.port}"
        endpoints = {"rest": f"http://{host}", "stream": f"ws://{host}", "ws_api": f"ws://{host}/ws-api/v3"}
        config = simulator.config(endpoints=endpoints, reconnect={"base": 0.02, "cap": 0.05})
        with Connector(config) as connector:
            trades = connector.stream_trades("BTC-USDT")
            connector.wait_ready(PATIENCE_S)
            eventually(lambda: "btcusdt@trade" in simulator.subscriptions())
            before = relay.connections
            relay.cut_all()

            def arrives() -> bool:
                # The exchange may take a moment to notice that the old connection is gone.
                simulator.market.trade("BTCUSDT", "buy", "0.001")
                try:
                    trades.get(timeout=0.05)
                except RequestTimeout:
                    return False
                return True

            eventually(arrives)
            assert relay.connections > before


def test_tls_passes_unseen(tmp_path: Path) -> None:
    """Also in pieces of one byte (fault F013)."""
    files = make_certificates(tmp_path)
    with (
        Simulator(running_market=False, tls=(files.cert_file, files.key_file)) as simulator,
        Relay(int(simulator.rest.rpartition(":")[2])) as relay,
    ):
        relay.downstream.chop(1)
        stream = Socket(f"wss://127.0.0.1:{relay.port}/ws/btcusdt@trade", files.ca_file)
        simulator.market.trade("BTCUSDT", "buy", "0.001")
        assert stream.receive()["e"] == "trade"
        stream.close()
