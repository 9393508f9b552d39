"""What the tests of the Binance driver share."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from exconn_sync.model.ids import ClientOrderId, ExchangeOrderId
from exconn_sync.model.instrument import Instrument, Instruments
from exconn_sync.model.market import MarketEvent
from exconn_sync.model.orders import OrderState
from exconn_sync.model.wire import HttpResponse, RestCall

RECEIVED_AT = 1_700_000_000_123_456_789

# The sample key printed in Binance's documentation (Binance: 3.3); it opens nothing.
DOCS_KEY = "vmPUZE6mv9SD5VNHk4HlWFsOr6aKE2zvsw0MuIgwCIPy6utIco14y7Ju91duEh8A"
DOCS_SECRET = "NhqPtmdSJYdKjVHjA7PZj4Mge3R5YNiP1e3UZjInClVN65XAbvqqM6A7H5fATj0j"


def instrument(base: str = "BTC", quote: str = "USDT") -> Instrument:
    """Return an instrument without any rule."""
    return Instrument("binance", f"{base}-{quote}", base + quote, base, quote)


BTCUSDT = instrument()
INSTRUMENTS = Instruments("binance", [BTCUSDT, instrument("LTC", "BTC"), instrument("ETH", "BTC")])


def order_state(
    client_order_id: str = "my-order-1", exchange_order_id: str | None = None, symbol: str = "BTC-USDT"
) -> OrderState:
    """Return an order of which only the ids are known."""
    known = None if exchange_order_id is None else ExchangeOrderId(exchange_order_id)
    return OrderState("binance", symbol, ClientOrderId(client_order_id), known)


def response(body: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> HttpResponse:
    """Return an answer; a body that is not bytes yet is written as JSON."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return HttpResponse(status, headers or {}, raw, RECEIVED_AT)


def read_call(*, is_command: bool = False) -> RestCall[Any]:
    """Return a call whose only interest is whether it is a command."""
    return RestCall("POST" if is_command else "GET", "/api/v3/order", lambda _: None, is_command=is_command)


def decoded(decode: Callable[[bytes, int, Callable[[MarketEvent], None]], None], frame: Any) -> list[MarketEvent]:
    """Return what a decoder emits for one frame."""
    events: list[MarketEvent] = []
    decode(frame if isinstance(frame, bytes) else json.dumps(frame).encode(), RECEIVED_AT, events.append)
    return events


def exact(text: str) -> Decimal:
    """Return the Decimal of a text."""
    return Decimal(text)
