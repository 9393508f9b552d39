"""Queries, raw calls and control frames in Binance's words (Binance: 5.6, 8.2)."""

from __future__ import annotations

import re
from collections.abc import Sequence

import msgspec

from exconn_sync.errors import ValidationError
from exconn_sync.exchanges.binance.endpoints import EXCHANGE
from exconn_sync.model.instrument import Instrument
from exconn_sync.model.orders import OrderState
from exconn_sync.model.wire import Params

_METHODS = frozenset({"GET", "POST", "PUT", "DELETE"})
_PATH = re.compile(r"(?:/[A-Za-z0-9_-]+)+", re.ASCII)
_ADDED_BY_SIGNING = frozenset({"recvWindow", "timestamp", "signature"})


def order_params(instrument: Instrument, order: OrderState) -> Params:
    """Return the parameters that name one order to cancel or query.

    The exchange's id is the fastest and outlives renaming: a cancel or amend gives the order another client id
    (Binance: 5.6, fault F103). Before the exchange has told its id, only the client id can name the order.
    """
    symbol = ("symbol", instrument.exchange_symbol)
    if order.exchange_order_id is not None:
        return symbol, ("orderId", order.exchange_order_id)
    return symbol, ("origClientOrderId", order.client_order_id)


def checked_raw_call(method: str, path: str, params: Params, *, is_signed: bool, has_body: bool = False) -> str:
    """Check a call of the user's own making and return its method in upper case.

    Raises:
        ValidationError: another method, a path with more than plain segments (fault F178), a parameter that signing
            adds itself, or a body: everything goes into the query string (Binance: 2).
    """
    if has_body:
        raise ValidationError("body", "<given>", "is not taken; use params", exchange=EXCHANGE)
    if method.upper() not in _METHODS:
        raise ValidationError("method", method, "must be one of " + ", ".join(sorted(_METHODS)), exchange=EXCHANGE)
    if not _PATH.fullmatch(path):
        raise ValidationError("path", path, "must be a plain path such as /api/v3/avgPrice", exchange=EXCHANGE)
    for name, _ in params:
        if is_signed and name in _ADDED_BY_SIGNING:
            raise ValidationError("params", name, "is added to signed calls by the library", exchange=EXCHANGE)
    return method.upper()


def stream_request(method: str, names: Sequence[str], request_id: int) -> bytes:
    """Return the control frame for ``SUBSCRIBE`` or ``UNSUBSCRIBE`` of all the names at once (Binance: 8.2)."""
    return msgspec.json.encode({"method": method, "params": list(names), "id": request_id})


def list_request(request_id: int) -> bytes:
    """Return the control frame that asks for the streams of the connection (Binance: 8.2)."""
    return msgspec.json.encode({"method": "LIST_SUBSCRIPTIONS", "id": request_id})
