"""A connector that has all its parts and no thread: the exchange's answers are made up where they would be read.

What is measured is the code that a real order passes. Only two things are not the real ones: the signer, whose
signature is a constant, and the HTTP client, which returns an accepted order for whatever it is told to send.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from decimal import Decimal
from itertools import count
from typing import Any, cast

from exconn_sync import Balance, Config, Connector, FactSource, OrderRequest
from exconn_sync._live.assembly import Assembly
from exconn_sync._machines.deadline import Deadline
from exconn_sync._transport.http import HttpClient
from exconn_sync.model.wire import HttpRequest, HttpResponse
from exconn_sync.simulator import DEFAULT_SYMBOLS
from exconn_sync.simulator.binance.symbol_info import exchange_info, rate_limits
from exconn_sync.simulator.rate_limits import RateLimits

LIMITS: Mapping[str, Any] = {
    "max_order_notional": {"*": 10**12},
    "max_order_quantity": {"*": 10**9},
    "max_position": {"*": 10**9},
    "max_open_orders": 10**9,
    "max_open_orders_per_symbol": 10**9,
    "max_order_rate": (10**6, 1.0),
    "max_daily_loss": {"USDT": 10**9},
    "check_balance": True,
    "allowed_symbols": ["BTC-USDT", "ETH-USDT"],
}
"""All limits that need no book and no watch, wide enough to let everything in."""

_NEVER_REACHED = 10**9
_HEADERS = {"x-mbx-used-weight-1m": "10", "x-mbx-order-count-10s": "3", "x-mbx-order-count-1d": "40"}


class ConstantSigner:
    """Signs nothing: what a signature costs is that of the algorithm, and is no part of the path."""

    api_key = "benchmark"
    key_type = "hmac"

    def sign(self, payload: bytes) -> str:
        """Return a text that is as long as a signature."""
        del payload
        return "0" * 64


class AcceptingHttp:
    """Stands where the HTTP client does, and accepts every order. The answer is made before the time that counts."""

    def __init__(self) -> None:
        self._numbers = count(1)
        self._answers: list[HttpResponse] = []

    def expect(self, requests: list[OrderRequest]) -> None:
        """Make the answers to these orders, which come in this order."""
        self._answers = [accepted(request, next(self._numbers)) for request in reversed(requests)]

    def send(self, request: HttpRequest, deadline: Deadline, *, is_background: bool = False) -> HttpResponse:
        """Return the next answer."""
        del request, deadline, is_background
        return self._answers.pop()


def accepted(request: OrderRequest, number: int) -> HttpResponse:
    """Return the answer to an order that rests in the book (Binance: 5.5)."""
    now_ms = time.time_ns() // 1_000_000
    body = {
        "symbol": "BTCUSDT", "orderId": number, "orderListId": -1, "clientOrderId": request.client_order_id,
        "transactTime": now_ms, "price": str(request.price), "origQty": str(request.quantity),
        "executedQty": "0.00000000", "origQuoteOrderQty": "0.00000000", "cummulativeQuoteQty": "0.00000000",
        "status": "NEW", "timeInForce": "GTC", "type": "LIMIT", "side": "BUY", "workingTime": now_ms, "fills": [],
        "selfTradePreventionMode": "EXPIRE_MAKER",
    }  # fmt: skip
    return HttpResponse(200, _HEADERS, json.dumps(body).encode(), time.time_ns())


class OrderDesk:
    """The parts of a connector that an order passes.

    ``core`` is the assembly of the connector; ``gateway`` and ``desk`` are those of its commands.
    """

    def __init__(self, core: Assembly, http: AcceptingHttp) -> None:
        self.core = core
        self.http = http
        self.gateway = core.gateway
        self.desk = cast(Any, core.gateway)._desk


@contextmanager
def order_desk(*, with_limits: bool, url: str | None = None) -> Iterator[OrderDesk]:
    """Give a desk with a clock, instruments, a budget and a balance, as after a start.

    Nothing is ever connected to, unless there is a ``url``: then orders are signed and sent there.
    """
    config = Config.builder("binance").endpoints(
        rest=url or "http://127.0.0.1:9", stream="ws://127.0.0.1:9", ws_api="ws://127.0.0.1:9"
    )
    config = config.credentials("benchmark", "no-secret")
    connector = Connector((config.risk(**LIMITS) if with_limits else config).build())
    core = connector._core._begin()
    http = AcceptingHttp()
    if url is None:
        cast(Any, core.rest)._http = cast(HttpClient, http)
        core.keys.replace(ConstantSigner())
    now_ns, wall_ns = time.monotonic_ns(), time.time_ns()
    core.server_clock.add(now_ns, now_ns + 1_000_000, wall_ns)
    _learn(core)
    core.admission.open()
    funds = Balance("binance", "USDT", Decimal(10**15), Decimal(0), 1, 1, FactSource.QUERY)
    connector._core.store.apply([funds])
    try:
        yield OrderDesk(core, http)
    finally:
        connector.stop()


def _learn(core: Assembly) -> None:
    """Take up instruments and limits from an answer as the exchange gives it (Binance: 5.3)."""
    limits = RateLimits()
    for name in ("weight_per_minute", "orders_per_10s", "orders_per_day", "raw_requests_per_5m"):
        setattr(limits, name, _NEVER_REACHED)
    body = json.dumps(exchange_info(rate_limits(limits), DEFAULT_SYMBOLS, 0)).encode()
    answer = HttpResponse(200, {}, body, time.time_ns())
    call = core.gateway._desk.driver.fetch_instruments()
    core.admission.budget.learn(core.gateway._desk.driver.stated_rules(answer, call))
    core.catalogue.replace(call.parse(answer))


def requests(calls: int, first: int = 0) -> list[OrderRequest]:
    """Return so many orders, each with an id of its own."""
    return [
        OrderRequest.limit("BTC-USDT", "buy", "0.01", "50000.01", client_order_id=f"bench-{first + number}")
        for number in range(calls)
    ]
