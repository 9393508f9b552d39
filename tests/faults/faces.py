"""The same fault on each exchange: how its commands and questions are called, and settings that shorten proofs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from exconn_sync import Connector, Order, OrderRequest
from exconn_sync._live import resolver
from exconn_sync.config.settings import RateLimits, UnknownOrders
from exconn_sync.simulator import Simulator
from tests.faults.conftest import LIMIT
from tests.quiet import quiet_exchange

Target = tuple[str, str]
RESTING = OrderRequest.limit("BTC-USDT", "buy", "0.02", "50000")
SETTLED = ("pending_new", "unknown")


@dataclass(frozen=True)
class Face:
    """A quiet exchange, and the requests that mean something to a fault."""

    exchange: Simulator
    name: str
    place: Target
    cancel: Target
    look: Target
    account_kind: str
    orders: str
    fills: str
    balances: str

    def asked(self, target: Target) -> int:
        """Return how many requests of a kind were answered so far."""
        return sum((seen.method, seen.path) == target for seen in self.exchange.request_log())


def faces(name: str, exchange: Simulator) -> Face:
    """Return the face of an exchange."""
    if name == "bybit":
        return Face(
            exchange, name, ("POST", "/v5/order/create"), ("POST", "/v5/order/cancel"), ("GET", "/v5/order/realtime"),
            "private", "order", "execution", "wallet",
        )  # fmt: skip
    order = "/api/v3/order"
    return Face(
        exchange, name, ("POST", order), ("DELETE", order), ("GET", order),
        "ws_api", "executionReport", "executionReport", "outboundAccountPosition",
    )  # fmt: skip


@pytest.fixture(params=["binance", "bybit"])
def face(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Face]:
    """BTCUSDT has one bid at 60000 and one ask at 60010, one BTC each; nothing moves by itself.

    Looks for unknown orders are a tenth of a second apart, so that no test waits for them.
    """
    monkeypatch.setattr(resolver, "_LOOK_PAUSE", 0.1)
    monkeypatch.setattr(resolver, "_MARGIN_MS", 100)
    with quiet_exchange(request.param) as exchange:
        yield faces(request.param, exchange)


@pytest.fixture
def quiet_bybit() -> Iterator[Simulator]:
    """The same of Bybit alone."""
    with quiet_exchange("bybit") as exchange:
        yield exchange


def proof(window_ms: int = 1000, read_lag: float = 0.2, processing_limit: float = 0.2) -> dict[str, Any]:
    """Return settings with which absence is proven within about two seconds."""
    return {
        "rate_limits": RateLimits(window_ms=window_ms),
        "unknown_orders": UnknownOrders(read_lag=read_lag, processing_limit=processing_limit),
    }


def resting(connector: Connector, request: OrderRequest = RESTING) -> Order:
    """Place an order and wait until it is clear that it rests."""
    order = connector.place_order(request)
    assert order.wait("new", LIMIT)
    return order
