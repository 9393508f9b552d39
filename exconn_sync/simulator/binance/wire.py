"""How values look on the wire."""

from decimal import Decimal

import msgspec

_encode = msgspec.json.Encoder().encode


def number(value: Decimal) -> str:
    """A price or quantity: eight decimals, as text."""
    return f"{value:.8f}"


def to_json(value: object) -> str:
    """Compact JSON text."""
    return _encode(value).decode()
