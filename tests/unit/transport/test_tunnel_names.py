"""How a host is called towards a proxy."""

from __future__ import annotations

import socket
import time

import pytest

from exconn_sync._transport.attempt import Attempt
from exconn_sync._transport.tunnel import open_tunnel
from exconn_sync._transport.wakeup import Wakeup
from exconn_sync.config.network import ProxyAddress
from tests.unit.support import LIMIT, Background
from tests.unit.transport.peers import read_head


@pytest.mark.parametrize(("host", "target"), [("exchange", "exchange:443"), ("2001:db8::1", "[2001:db8::1]:443")])
def test_a_host_is_named_as_in_an_address(host: str, target: str) -> None:
    """An IPv6 address stands in brackets, so that its port can be told from it (fault F017)."""

    def serve() -> str:
        head = read_head(theirs)
        theirs.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        return head

    mine, theirs = socket.socketpair()
    with mine, theirs:
        mine.setblocking(False)
        serving, wakeup = Background(serve), Wakeup()
        try:
            attempt = Attempt(wakeup, lambda: False, time.monotonic() + LIMIT)
            open_tunnel(mine, attempt, ProxyAddress("proxy", 3128), host, 443)
        finally:
            wakeup.close()
        lines = str(serving.result()).split("\r\n")
    assert lines[:2] == [f"CONNECT {target} HTTP/1.1", f"Host: {target}"]
