"""No error of connecting holds a secret, whatever a proxy, an exchange or something in its place repeats."""

from __future__ import annotations

import socket
from collections.abc import Callable
from dataclasses import replace

import pytest

from exconn_sync import ConnectionEvent, Connector, ErrorEvent, ExconnError
from exconn_sync.config.network import Network
from exconn_sync.simulator import Simulator
from tests.integration.test_secrets_everywhere import Canaries, everything_in, use
from tests.simulator.clients import eventually
from tests.unit.transport.peers import Peer, read_head, wait_for_end

PASSWORD = "canary-of-the-proxy-77e0"
Talk = Callable[[str], bytes]


def repeating(status: str) -> Talk:
    """Answer with all that was heard, as a careless front end does: in a header and in the body."""

    def talk(head: str) -> bytes:
        heard = head.replace("\r\n", " | ")
        body = head.encode()
        return f"HTTP/1.1 {status}\r\nX-Heard: {heard}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body

    return talk


TALKS: dict[str, Talk] = {
    "403": repeating("403 Forbidden"),
    "407": repeating("407 Proxy Authentication Required"),
    "502": repeating("502 Bad Gateway"),
    "301": lambda head: f"HTTP/1.1 301 Moved\r\nLocation: http://x/?{head.split()[1]}\r\n\r\n".encode(),
    "no HTTP": lambda head: head.encode() * 20 + b"\r\n\r\n",
    "cut": lambda head: b"",
}


def speaking(talk: Talk) -> Callable[[socket.socket], None]:
    def script(sock: socket.socket) -> None:
        answer = talk(read_head(sock))
        if answer:
            sock.sendall(answer)
            wait_for_end(sock)

    return script


def searched(config: object, canaries: Canaries) -> list[str]:
    """Start with a configuration that cannot work, and return the kinds of the errors that were searched."""
    connector = Connector(config)  # type: ignore[arg-type]
    told: list[ErrorEvent] = []
    connector.on_error(told.append)
    with connector:
        raised: list[BaseException] = use(connector)
        for attempt in (lambda: connector.fetch_server_time(timeout=1.0), lambda: connector.wait_ready(0.5)):
            with pytest.raises((ExconnError, TimeoutError)) as caught:
                attempt()
            raised.append(caught.value)
    raised += [event.error for event in told]
    texts = [text for error in raised for text in everything_in(error, set())]
    canaries.no_secret(texts)
    shown = [text for error in raised for text in (str(error), repr(error), repr(vars(error)))]
    canaries.nothing(shown)
    return [type(error).__name__ for error in raised]


@pytest.mark.parametrize("talk", TALKS.values(), ids=TALKS)
@pytest.mark.parametrize("kind", ["hmac", "rsa"])
def test_a_peer_that_repeats_what_it_hears(talk: Talk, kind: str, quiet: Simulator) -> None:
    """(fault F171)"""
    canaries = Canaries(quiet, kind)
    with Peer(speaking(talk)) as peer:
        urls = {"rest": f"http://127.0.0.1:{peer.port}", "stream": f"ws://127.0.0.1:{peer.port}"}
        config = replace(canaries.config, endpoints={**urls, "ws_api": f"ws://127.0.0.1:{peer.port}/ws-api/v3"})
        assert set(searched(config, canaries)) - {"NotReady"}


@pytest.mark.parametrize("talk", TALKS.values(), ids=TALKS)
def test_a_proxy_that_repeats_what_it_hears(talk: Talk, quiet: Simulator) -> None:
    """(faults F017, F171)"""
    canaries = Canaries(quiet, "hmac")
    with Peer(speaking(talk)) as peer:
        network = Network(proxy=f"http://me:{PASSWORD}@127.0.0.1:{peer.port}")
        token = network.proxy_address.authorization.reveal()  # type: ignore[union-attr]
        canaries.secrets += [PASSWORD, token.removeprefix("Basic ")]
        config = replace(canaries.config, network=network)
        assert "ConnectionFailed" in searched(config, canaries)


@pytest.mark.parametrize("status", [401, 403, 429, 500])
def test_an_upgrade_that_is_refused(status: int, quiet: Simulator) -> None:
    """(faults F020, F171)"""
    canaries = Canaries(quiet, "hmac")
    with quiet.faults.refuse_upgrades(status, body="<html>" + canaries.api_key + "</html>"):
        connector = Connector(canaries.config)
        told: list[ConnectionEvent] = []
        connector.on_connection(told.append)
        with connector:
            eventually(lambda: {event.connection for event in told if not event.is_up} >= {"market", "account"})
            with pytest.raises((ExconnError, TimeoutError)) as caught:
                connector.wait_ready(0.2)
        texts = [text for error in (*told, caught.value) for text in everything_in(error, set())]
        canaries.nothing([repr(event) for event in told])
        canaries.no_secret(texts)
