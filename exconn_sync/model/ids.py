"""Own types for the three kinds of identifier, so that mypy refuses to mix them up.

All are text: exchanges use ids beyond 2**53, which JSON numbers would damage.
"""

from __future__ import annotations

import re
from typing import NewType

from exconn_sync.errors import ValidationError

ClientOrderId = NewType("ClientOrderId", str)
"""Chosen by us or the user before the request leaves; finds the order again whatever happened."""

ExchangeOrderId = NewType("ExchangeOrderId", str)
"""Given by the exchange when it accepts the order."""

TradeId = NewType("TradeId", str)
"""Given by the exchange to each execution; unique per symbol."""

_CLIENT_ID = re.compile(r"[A-Za-z0-9_-]{1,36}", re.ASCII)


def client_order_id_of(value: object) -> ClientOrderId:
    """Return a checked client order id.

    The alphabet and length are those that every supported exchange accepts: 1 to 36 of ``A-Z a-z 0-9 _ -`` (Binance:
    reference sheet 5.4). It is never shortened, because shortened ids collide (fault F179).

    Raises:
        ValidationError: another alphabet, length or type.
    """
    if not is_client_order_id(value):
        raise ValidationError("client_order_id", value, "must be 1 to 36 characters out of A-Z a-z 0-9 _ -")
    return ClientOrderId(str(value))


def is_client_order_id(value: object) -> bool:
    """Return whether a value is a client order id that every supported exchange accepts."""
    return isinstance(value, str) and _CLIENT_ID.fullmatch(value) is not None
