"""Answers to calls of the user's own making (Bybit: 2.1)."""

from __future__ import annotations

from typing import Any

from exconn_sync.exchanges.bybit.endpoints import EXCHANGE
from exconn_sync.exchanges.decoding import read_any
from exconn_sync.model.wire import HttpResponse


def parse_raw(response: HttpResponse) -> Any:
    """Read any JSON, the envelope included; numbers with a fraction become Decimal. Raises ProtocolError."""
    return read_any(EXCHANGE, response.body)
