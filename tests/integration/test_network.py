"""A whole connector through a proxy (fault F017)."""

from __future__ import annotations

from exconn_sync import OrderRequest
from exconn_sync.config.network import Network
from exconn_sync.simulator import Simulator
from tests.integration.conftest import LIMIT, Connect
from tests.unit.transport.peers import Peer
from tests.unit.transport.test_proxy import Proxy


def test_a_connector_works_through_a_proxy_and_gives_it_no_key(lively: Simulator, connect: Connect) -> None:
    proxy = Proxy()
    with Peer(proxy) as between:
        network = Network(proxy=f"http://me:canary@127.0.0.1:{between.port}")
        connector = connect(lively, network=network)
        connector.stream_trades("BTC-USDT").get(LIMIT)
        assert connector.place_order(OrderRequest.limit("BTC-USDT", "buy", "0.1", "50000")).status == "new"
        assert "canary" not in repr(connector.config)
        connector.stop()
    assert len(proxy.heads) >= 3, "REST, market and account"
    for head in proxy.heads:
        assert head.startswith("CONNECT 127.0.0.1:")
        assert lively.api_key not in head
