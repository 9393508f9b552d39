"""Attempts to connect that fail, and what is waited for between them."""

from __future__ import annotations

import itertools
import random
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from exconn_sync import ConnectionFailed
from exconn_sync.config.settings import Timeouts
from exconn_sync.metrics import MemoryMetrics
from exconn_sync.simulator import Simulator
from tests.faults.conftest import LIMIT, Connect, Errors, Ups, counted, pace, through
from tests.faults.relay import Relay
from tests.simulator.certificates import make_certificates
from tests.simulator.clients import eventually
from tests.unit.transport.peers import Peer, frame, read_head, wait_for_end

Resolve = Callable[..., Any]


def test_refused_connections_are_tried_again_with_pauses_and_told_once(
    lively: Simulator, relay: Relay, connect: Connect
) -> None:
    """(fault F001)"""
    metrics = MemoryMetrics()
    connector = connect(
        lively, credentials=None, metrics=metrics, endpoints=through(lively, relay, "stream"), reconnect=pace(cap=0.1)
    )
    ups = Ups(connector)
    trades = connector.stream_trades("BTC-USDT")
    trades.get(LIMIT)
    relay.refuse()
    relay.cut_all()
    down = ups.down()
    assert 0 <= down.retry_in <= 0.05
    eventually(lambda: counted(metrics, "connection.down") >= 6)
    assert len(ups.told) == 1, "an episode is told once, however many attempts it takes"
    assert "refused" in str(connector.health().reasons)
    relay.accept()
    ups.up()
    while trades.pending:
        trades.get(LIMIT)
    trades.get(LIMIT)


def test_a_command_over_a_closed_port_is_not_sent(lively: Simulator, relay: Relay, connect: Connect) -> None:
    """(fault F001)"""
    connector = connect(lively, endpoints=through(lively, relay, "rest"))
    relay.refuse()
    relay.cut_all()
    with pytest.raises(ConnectionFailed) as caught:
        connector.fetch_trades("BTC-USDT", timeout=0.5)
    assert caught.value.outcome == "not_sent"
    relay.accept()


def test_an_attempt_that_is_swallowed_ends_with_its_time_and_a_stop_breaks_it(
    lively: Simulator, relay: Relay, connect: Connect
) -> None:
    """The port takes the connection and never says a word (fault F002)."""
    connector = connect(
        lively, credentials=None, endpoints=through(lively, relay, "stream"), timeouts=Timeouts(connect=0.3)
    )
    ups = Ups(connector)
    relay.swallow()
    relay.cut_all()
    ups.down()
    before = relay.connections
    eventually(lambda: relay.connections >= before + 2)
    eventually(lambda: "timed out" in str(connector.health().reasons) or "time" in str(connector.health().reasons))
    relay.accept()
    ups.up()
    patient = connect(
        lively, wait=False, credentials=None, endpoints=through(lively, relay, "stream"), timeouts=Timeouts(connect=60)
    )
    patient.rest_ready.wait(LIMIT)
    relay.swallow()
    relay.cut_all()
    before = relay.connections
    eventually(lambda: relay.connections >= before + 1)
    began = time.monotonic()
    assert patient.stop(LIMIT) == []
    assert time.monotonic() - began < LIMIT / 2


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> dict[str, Resolve]:
    """Name resolution: a function for each host name replaces the system's."""
    table: dict[str, Resolve] = {}
    real = socket.getaddrinfo

    def resolve(host: Any, port: Any, *rest: Any, **named: Any) -> Any:
        found = table.get(host)
        return real(host, port, *rest, **named) if found is None else found(port)

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    return table


def addresses(*hosts: str) -> Resolve:
    """Return a resolution to these addresses."""
    return lambda port: [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (host, port)) for host in hosts]


def at_localhost(simulator: Simulator) -> dict[str, str]:
    """Return the endpoints of a simulator, of which the market stream has a name."""
    stream = simulator.stream.replace("127.0.0.1", "localhost")
    return {"rest": simulator.rest, "stream": stream, "ws_api": simulator.ws_api}


def test_a_name_that_cannot_be_resolved_is_tried_again(
    lively: Simulator, connect: Connect, names: dict[str, Resolve]
) -> None:
    """(fault F003)"""

    def fail(port: object) -> Any:
        raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")

    names["localhost"] = fail
    connector = connect(lively, wait=False, start=False, credentials=None, endpoints=at_localhost(lively))
    ups = Ups(connector)
    trades = connector.stream_trades("BTC-USDT")
    connector.start()
    down = ups.down()
    assert "resolve" in down.reason
    assert "name resolution" in down.reason
    names["localhost"] = addresses("127.0.0.1")
    ups.up()
    trades.get(LIMIT)


def test_a_resolution_that_hangs_does_not_hold_up_the_stop(
    lively: Simulator, connect: Connect, names: dict[str, Resolve]
) -> None:
    """(fault F004)"""
    asked, answer = threading.Event(), threading.Event()

    def hang(port: int) -> Any:
        asked.set()
        answer.wait(LIMIT)
        return addresses("127.0.0.1")(port)

    names["localhost"] = hang
    try:
        connector = connect(lively, wait=False, credentials=None, endpoints=at_localhost(lively))
        assert asked.wait(LIMIT)
        began = time.monotonic()
        connector.stop(1.0)
        assert time.monotonic() - began < LIMIT / 2
    finally:
        answer.set()


def test_of_several_addresses_the_living_one_is_found(
    lively: Simulator, connect: Connect, names: dict[str, Resolve]
) -> None:
    """First the second one is alive, later the first one (fault F005)."""
    # Nobody listens at the other address of this machine.
    names["localhost"] = addresses("127.0.0.2", "127.0.0.1")
    connector = connect(lively, credentials=None, endpoints=at_localhost(lively))
    ups = Ups(connector)
    connector.stream_trades("BTC-USDT").get(LIMIT)
    names["localhost"] = addresses("127.0.0.1", "127.0.0.2")
    lively.faults.drop_connections("stream")
    ups.recover()
    connector.stream_trades("ETH-USDT").get(LIMIT)


@pytest.fixture
def untrusted(tmp_path: Path) -> Iterator[Simulator]:
    """An exchange with a certificate that nobody has vouched for."""
    files = make_certificates(tmp_path)
    with Simulator(tls=(files.cert_file, files.key_file)) as simulator:
        yield simulator


def test_a_certificate_that_nobody_vouches_for_is_refused_and_nothing_is_sent(
    lively: Simulator, untrusted: Simulator, connect: Connect
) -> None:
    """Only the stream is on TLS, so that the refusal can be told (fault F014)."""
    connector = connect(
        lively,
        wait=False,
        start=False,
        credentials=None,
        endpoints={"rest": lively.rest, "stream": untrusted.stream, "ws_api": lively.ws_api},
        reconnect=pace(cap=0.7),
    )
    ups = Ups(connector)
    connector.start()
    down = ups.down()
    assert "certificate refused" in down.reason
    assert down.retry_in == 0.7, "it does not get better by itself: the longest pause"
    assert untrusted.connection_log() == [], "the handshake was never sent, in whichever way"
    assert not connector.is_connected


def test_a_flapping_exchange_is_tried_with_growing_pauses(
    lively: Simulator, relay: Relay, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every connection brings data and ends before it has lived for long enough (fault F019)."""
    # Each pause is the longest one that may be drawn.
    monkeypatch.setattr(random.Random, "uniform", lambda self, low, high: high)
    for _ in range(6):
        relay.cut_after(350, "eof")
    metrics = MemoryMetrics()
    connector = connect(
        lively,
        wait=False,
        start=False,
        credentials=None,
        metrics=metrics,
        endpoints=through(lively, relay, "stream"),
        reconnect=pace(base=0.01, cap=10.0, settle=1.0),
    )
    ups = Ups(connector)
    tickers = connector.stream_book_ticker("BTC-USDT")
    connector.start()
    tickers.get(LIMIT)
    eventually(lambda: relay.connections == 7)
    attempts = [when for when, kind in lively.connection_log() if kind == "stream"]
    pauses = [later - earlier for earlier, later in itertools.pairwise(attempts)]
    for number, pause in enumerate(pauses):
        assert pause >= 0.01 * 2**number
    assert counted(metrics, "connection.down") == 6
    assert [event.is_up for event in ups.told] == [True, False], "the flapping is one episode"
    ups.recover()


@pytest.mark.parametrize("status", [403, 418, 429, 503])
def test_a_refused_upgrade_is_tried_again(status: int, lively: Simulator, connect: Connect) -> None:
    """(fault F020)"""
    connector = connect(lively, credentials=None)
    ups, errors = Ups(connector), Errors(connector)
    with lively.faults.refuse_upgrades(status, {"Retry-After": "1"}, body="<html>" + "no entry " * 100):
        before = len(lively.connection_log())
        lively.faults.drop_connections("stream")
        ups.down()
        eventually(lambda: len(lively.connection_log()) >= before + 2)
        reasons = str(connector.health().reasons)
        assert f"HTTP {status}" in reasons
        assert "no entry" not in reasons
    ups.up()
    # A ban is told; the page was not taken for data.
    assert {event.where for event in errors.told} == ({"request budget"} if status == 418 else set())
    connector.stream_trades("BTC-USDT").get(LIMIT)


@pytest.mark.parametrize("status", [400, 404])
def test_an_upgrade_refused_for_good_is_tried_at_the_longest_pause(
    status: int, lively: Simulator, connect: Connect
) -> None:
    """(fault F020)"""
    connector = connect(lively, wait=False, start=False, credentials=None, reconnect=pace(cap=0.4))
    ups = Ups(connector)
    with lively.faults.refuse_upgrades(status):
        connector.start()
        down = ups.down()
        assert (f"HTTP {status}" in down.reason, down.retry_in) == (True, 0.4)
    ups.up()


SWITCHING = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"


@pytest.mark.parametrize(
    "answer",
    [
        SWITCHING + b"Sec-WebSocket-Accept: bm9uc2Vuc2U=\r\n\r\n",
        SWITCHING + b"\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}",
        b"nothing like HTTP\r\n\r\n",
    ],
    ids=["wrong key", "no key", "no headers", "no upgrade", "no HTTP"],
)
def test_an_invalid_answer_to_the_upgrade_is_no_connection(answer: bytes, lively: Simulator, connect: Connect) -> None:
    """(fault F021)"""

    def script(sock: socket.socket) -> None:
        read_head(sock)
        sock.sendall(answer + frame(b'{"stream":"btcusdt@trade","data":{}}'))
        wait_for_end(sock)

    with Peer(script) as peer:
        stream = f"ws://127.0.0.1:{peer.port}"
        connector = connect(
            lively,
            wait=False,
            start=False,
            credentials=None,
            endpoints={"rest": lively.rest, "stream": stream, "ws_api": lively.ws_api},
        )
        ups, errors = Ups(connector), Errors(connector)
        connector.start()
        assert "refused" in ups.down().reason or "handshake failed" in ups.told[0].reason
        eventually(lambda: peer.connections >= 2)
        assert [event.is_up for event in ups.told] == [False]
        assert errors.told == []
        assert connector.stop(LIMIT) == []


def test_tls_is_never_given_up_for_plain_text(lively: Simulator, connect: Connect) -> None:
    """The port speaks plain text only (fault F014)."""
    secure = lively.stream.replace("ws://", "wss://")
    connector = connect(
        lively,
        wait=False,
        start=False,
        credentials=None,
        endpoints={"rest": lively.rest, "stream": secure, "ws_api": lively.ws_api},
    )
    ups = Ups(connector)
    connector.start()
    assert "TLS failed" in ups.down().reason
    assert lively.connection_log() == []
