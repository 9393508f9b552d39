"""What the tests of the Bybit driver share."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from exconn_sync.model.instrument import Instrument, Instruments
from exconn_sync.model.wire import HttpResponse, RestCall

RECEIVED_AT = 1_700_000_000_123_456_789

# Made up; they open nothing (Bybit: 2.6).
KEY = "TESTKEY00000000001"
SECRET = "testsecret0123456789abcdefghijklmnop"


def instrument(base: str = "BTC", quote: str = "USDT") -> Instrument:
    """Return an instrument without any rule."""
    return Instrument("bybit", f"{base}-{quote}", base + quote, base, quote)


BTCUSDT = instrument()
INSTRUMENTS = Instruments("bybit", [BTCUSDT, instrument("ETH"), instrument("ADA")])


def envelope(result: Any, **more: Any) -> dict[str, Any]:
    """Return a success with this result (Bybit: 2.1)."""
    return {"retCode": 0, "retMsg": "OK", "result": result, "retExtInfo": {}, "time": 1_700_000_000_000} | more


def refusal(code: int, text: str = "no") -> dict[str, Any]:
    """Return the body of an error (Bybit: 2.1)."""
    return {"retCode": code, "retMsg": text, "result": {}, "retExtInfo": {}, "time": 1_700_000_000_000}


def response(body: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> HttpResponse:
    """Return an answer; a body that is not bytes yet is written as JSON."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return HttpResponse(status, headers or {}, raw, RECEIVED_AT)


def read_call(path: str = "/v5/order/realtime", *, is_command: bool = False) -> RestCall[Any]:
    """Return a call whose only interest is its path and whether it is a command."""
    return RestCall("POST" if is_command else "GET", path, lambda _: None, is_command=is_command)


def decoded(decode: Callable[[bytes, int, Callable[[Any], None]], None], frame: Any) -> list[Any]:
    """Return what a decoder emits for one frame."""
    events: list[Any] = []
    decode(frame if isinstance(frame, bytes) else json.dumps(frame).encode(), RECEIVED_AT, events.append)
    return events
