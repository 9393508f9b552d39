"""What may stand in a value that a driver makes of a payload."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import fields, is_dataclass
from enum import Enum
from typing import Any

import msgspec

from exconn_sync.model.instrument import Instruments


def parts(value: Any) -> Iterator[tuple[str, Any]]:
    """Yield each plain part of a value, however deep, with the name of the field that holds it."""
    yield from _parts("", value)


def _parts(name: str, value: Any) -> Iterator[tuple[str, Any]]:
    if is_dataclass(value) and not isinstance(value, type):
        for item in fields(value):
            yield from _parts(item.name, getattr(value, item.name))
    elif isinstance(value, msgspec.Struct):
        for field_name in value.__struct_fields__:
            yield from _parts(field_name, getattr(value, field_name))
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _parts(name, key)
            yield from _parts(name, inner)
    elif isinstance(value, (Instruments, Sequence, Set)) and not isinstance(value, (str, bytes)):
        for inner in value:
            yield from _parts(name, inner)
    elif isinstance(value, Exception):
        yield from _parts("error", str(value))
        yield from _parts("exchange", getattr(value, "exchange", None))
    else:
        yield name, value


def plain(value: Any) -> list[tuple[str, Any]]:
    """Return a value in a form that can be compared; a moment of our own clock is no part of it."""
    return [(name, part.value if isinstance(part, Enum) else part) for name, part in parts(value)]


def faults_of(value: Any, exchange: str, symbol: str, received_at: int) -> list[str]:
    """Return what is wrong with a value that came out of a payload about one symbol; nothing where all is well."""
    found = []
    for name, part in parts(value):
        if isinstance(part, float):
            found.append(f"{name} is the float {part}; numbers are Decimal")
        if name == "exchange" and part not in (exchange, None):
            found.append(f"exchange is {part!r}; every value names {exchange!r}")
        if name == "symbol" and part != symbol:
            found.append(f"symbol is {part!r}; values have the canonical {symbol!r}")
        if name == "received_at" and part != received_at:
            found.append(f"received_at is {part}; it is handed in as {received_at}")
        if name in ("exchange_time", "created_at", "open_time") and part is not None and not _is_ns(part):
            found.append(f"{name} is {part}; times are nanoseconds since the epoch")
    return found


def _is_ns(time: Any) -> bool:
    return type(time) is int and 10**18 < time < 10**19
