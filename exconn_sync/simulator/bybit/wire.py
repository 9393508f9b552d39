"""How values look on the wire."""

from decimal import Decimal

import msgspec

_encode = msgspec.json.Encoder().encode


def number(value: Decimal) -> str:
    """A price or quantity as text: no exponent, no needless zeros (Bybit: 2.7)."""
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def to_json(value: object) -> str:
    """Compact JSON text."""
    return _encode(value).decode()
