"""Resolvers that fail or hang and addresses that are dead, for REST calls and streams alike."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest

from exconn_sync._machines.deadline import Deadline
from exconn_sync._runtime.lookup import AddressInfo, LookupPool
from exconn_sync._transport.attempt import Attempt
from exconn_sync._transport.dial import dial
from exconn_sync._transport.http import HttpClient
from exconn_sync._transport.network import NetworkParts
from exconn_sync._transport.wakeup import Wakeup
from exconn_sync._transport.websocket import StreamSocket
from exconn_sync.errors import ConnectionFailed
from exconn_sync.model.wire import HttpRequest
from exconn_sync.ports.clock import SystemClock
from tests.unit.support import LIMIT, Background
from tests.unit.transport.peers import Peer, blackhole, read_head, upgrade, wait_for_end

CLOCK = SystemClock()
Connect = Callable[[NetworkParts, float], None]


def info(port: int) -> AddressInfo:
    return (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))


def serve(sock: socket.socket) -> None:
    """Answer a request of either kind."""
    head = read_head(sock, peek=True)
    if "Upgrade" in head:
        upgrade(sock)
    else:
        read_head(sock)
        sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}")
    wait_for_end(sock)


def ask(network: NetworkParts, seconds: float) -> None:
    client = HttpClient(
        "http://exchange:81", CLOCK, connect_timeout=seconds, read_timeout=LIMIT, max_body_bytes=9, network=network
    )
    try:
        assert client.send(HttpRequest("GET", "/", {}), Deadline.after(CLOCK.monotonic_ns(), LIMIT)).body == b"{}"
    finally:
        client.close()


def stream(network: NetworkParts, seconds: float, stop: threading.Event | None = None) -> None:
    wakeup = Wakeup()
    options: dict[str, Any] = {"connect_timeout": seconds, "write_timeout": LIMIT, "max_message_bytes": 99}
    is_stopped = (stop or threading.Event()).is_set
    try:
        StreamSocket.connect("ws://exchange:81/", wakeup, is_stopped, network=network, **options).close()
    finally:
        wakeup.close()


both = pytest.mark.parametrize("connect", [ask, stream])


@pytest.fixture
def hanging() -> Iterator[NetworkParts]:
    """A resolver that does not answer until the test is over."""
    over = threading.Event()

    def resolve(host: str, port: int) -> Sequence[AddressInfo]:
        over.wait(60)
        return []

    yield NetworkParts(resolver=LookupPool(resolve))
    over.set()


@both
def test_a_name_that_cannot_be_resolved_is_not_sent_and_works_once_it_can(connect: Connect) -> None:
    """(fault F003)"""
    answers: list[AddressInfo] = []

    def resolve(host: str, port: int) -> Sequence[AddressInfo]:
        assert (host, port) == ("exchange", 81)
        if not answers:
            raise socket.gaierror(-3, "Temporary failure in name resolution")
        return answers

    network = NetworkParts(resolver=LookupPool(resolve))
    with Peer(serve) as peer:
        with pytest.raises(ConnectionFailed, match=r"cannot resolve exchange: .*Temporary failure") as caught:
            connect(network, LIMIT)
        assert (caught.value.outcome, caught.value.temporary) == ("not_sent", True)
        answers.append(info(peer.port))
        connect(network, LIMIT)


@both
def test_a_resolver_that_hangs_holds_nobody_up(connect: Connect, hanging: NetworkParts) -> None:
    """(fault F004)"""
    with pytest.raises(ConnectionFailed, match="cannot resolve exchange: timed out") as caught:
        Background(lambda: connect(hanging, 0.05)).result()
    assert caught.value.outcome == "not_sent"


def test_a_deadline_bounds_a_resolver_that_hangs(hanging: NetworkParts) -> None:
    """(fault F004)"""
    client = HttpClient(
        "http://exchange", CLOCK, connect_timeout=3600, read_timeout=3600, max_body_bytes=9, network=hanging
    )
    with pytest.raises(ConnectionFailed, match="cannot resolve"):
        Background(
            lambda: client.send(HttpRequest("GET", "/", {}), Deadline.after(CLOCK.monotonic_ns(), 0.05))
        ).result()
    client.close()


def test_a_stop_breaks_the_wait_for_a_resolver_that_hangs(hanging: NetworkParts) -> None:
    """(fault F003, F004)"""
    stop, wakeup = threading.Event(), Wakeup()
    options: dict[str, Any] = {"connect_timeout": 3600, "write_timeout": LIMIT, "max_message_bytes": 99}
    dialling = Background(
        lambda: StreamSocket.connect("ws://exchange/", wakeup, stop.is_set, network=hanging, **options)
    )
    wakeup.wake()
    assert dialling.is_running
    stop.set()
    wakeup.wake()
    with pytest.raises(ConnectionFailed, match="stopped"):
        dialling.result()
    wakeup.close()


@both
def test_a_dead_address_leaves_time_for_the_next_and_is_not_tried_first_again(connect: Connect) -> None:
    """(fault F002, F005)"""
    with blackhole() as dead, Peer(serve) as peer:
        network = NetworkParts(resolver=LookupPool(lambda host, port: [info(dead), info(peer.port)]))
        connect(network, 0.4)
        # So little time that half of it spent on the dead one would show in the order alone: it is remembered.
        order = network.in_order("exchange", 81, [info(dead), info(peer.port)])
        assert order == [info(peer.port), info(dead)]
        connect(network, LIMIT)
        assert peer.connections == 2


@both
def test_an_address_that_worked_and_died_is_not_kept(connect: Connect) -> None:
    """(fault F005)"""
    with Peer(serve) as first, Peer(serve) as second:
        addresses = [info(first.port), info(second.port)]
        network = NetworkParts(resolver=LookupPool(lambda host, port: addresses))
        connect(network, LIMIT)
        first.refuse()
        connect(network, LIMIT)
        assert network.in_order("exchange", 81, addresses)[0] == info(second.port)
        assert (first.connections, second.connections) == (1, 1)


@both
def test_all_addresses_dead_is_not_sent_within_the_time(connect: Connect) -> None:
    """(fault F002, F005)"""
    with blackhole() as one, blackhole() as other:
        network = NetworkParts(resolver=LookupPool(lambda host, port: [info(one), info(other)]))
        with pytest.raises(ConnectionFailed, match="cannot connect to exchange:81: timed out") as caught:
            Background(lambda: connect(network, 0.1)).result()
        assert caught.value.outcome == "not_sent"


@both
def test_no_address_at_all_is_not_sent(connect: Connect) -> None:
    """(fault F003)"""
    network = NetworkParts(resolver=LookupPool(lambda host, port: []))
    with pytest.raises(ConnectionFailed, match="no address") as caught:
        connect(network, LIMIT)
    assert caught.value.outcome == "not_sent"


def test_an_address_that_does_not_answer_any_more_is_no_longer_tried_first() -> None:
    """What worked a moment ago is forgotten at once (fault F005)."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        host, port = address = listener.getsockname()
    network, wakeup = NetworkParts(), Wakeup()
    network.note_worked(host, port, address)
    try:
        with pytest.raises(ConnectionFailed):
            dial(host, port, Attempt(wakeup, lambda: False, time.monotonic() + LIMIT), network)
    finally:
        wakeup.close()
    assert network._worked == {}
