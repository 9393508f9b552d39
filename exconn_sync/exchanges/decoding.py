"""Typed decoding of JSON: whatever an exchange sends becomes a value or a ProtocolError, nothing else.

Unknown fields are ignored (fault F036), missing and mistyped ones refused (F038, F039), and so is what only crashes a
decoder: absurd nesting, broken UTF-8, monstrous numbers (F032 to F034, F041).
"""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any, Generic, TypeVar

import msgspec

from exconn_sync.errors import ProtocolError
from exconn_sync.model.numbers import decimal_of

Wire = TypeVar("Wire")
Value = TypeVar("Value")

MALFORMED = (ValueError, RecursionError, ArithmeticError)
"""All that decoding raises: msgspec's and json's errors and UnicodeDecodeError are ValueErrors."""

_PAYLOAD_LENGTH = 200
_MESSAGE_LENGTH = 120


def clean_text(text: str, length: int = _MESSAGE_LENGTH) -> str:
    """Return a foreign text on one printable line, shortened (fault F184)."""
    clean = "".join(char if char.isprintable() else "?" for char in text[:length])
    return clean if len(text) <= length else clean + "..."


def protocol_error(exchange: str, payload: bytes, reason: object) -> ProtocolError:
    """Return the error for a payload that does not have the documented form; it carries the payload's beginning."""
    shown = clean_text(payload[: _PAYLOAD_LENGTH + 1].decode("utf-8", "replace"), _PAYLOAD_LENGTH)
    message = f"{exchange} sent something that cannot be understood: {clean_text(str(reason))}"
    return ProtocolError(message, exchange=exchange, details={"payload": shown})


class Reader(Generic[Wire]):
    """Reads payloads of one documented form.

    With ``refuse_repeated_keys`` an object that has a key twice is refused, as it must be for everything about the
    account: the last one would silently win (fault F034). It costs a second look, so market data goes without.
    """

    def __init__(self, exchange: str, kind: type[Wire], *, refuse_repeated_keys: bool = False) -> None:
        self._exchange = exchange
        self._decode = msgspec.json.Decoder(kind).decode
        self._refuse_repeated_keys = refuse_repeated_keys

    def read(self, payload: bytes, build: Callable[[Wire], Value]) -> Value:
        """Return what ``build`` makes of the decoded payload; a ValueError of it means a malformed payload too.

        Raises:
            ProtocolError: the payload does not have the documented form.
        """
        try:
            if self._refuse_repeated_keys:
                _STRICT.decode(payload.decode("utf-8", "surrogatepass"))
            return build(self._decode(payload))
        except MALFORMED as error:
            raise protocol_error(self._exchange, payload, error) from error


def read_any(exchange: str, payload: bytes) -> Any:
    """Return any JSON as plain values; numbers with a fraction or exponent become Decimal, never float.

    Raises:
        ProtocolError: not JSON, or a number beyond the library's limits.
    """
    try:
        return _ANY.decode(payload)
    except MALFORMED as error:
        raise protocol_error(exchange, payload, error) from error


def _checked_pairs(pairs: list[tuple[str, Any]]) -> None:
    if len({key for key, _ in pairs}) != len(pairs):
        raise ValueError("an object has a key twice")


def _limited_decimal(text: str) -> Decimal:
    return decimal_of("number", text)


_ANY = msgspec.json.Decoder(float_hook=_limited_decimal)
_STRICT = json.JSONDecoder(object_pairs_hook=_checked_pairs)
