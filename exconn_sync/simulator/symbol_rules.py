"""Changed rules of a symbol, from what a test says to what the core understands."""

from collections.abc import Iterable, Mapping
from dataclasses import fields, replace
from decimal import Decimal
from enum import Enum
from typing import Any

from exconn_sync.simulator.core.order_words import OrderType, PreventionMode
from exconn_sync.simulator.core.symbols import SymbolSpec, SymbolStatus

_ENUMS: Mapping[str, type[Enum]] = {
    "order_types": OrderType,
    "prevention_modes": PreventionMode,
    "default_prevention": PreventionMode,
    "status": SymbolStatus,
}
_FIXED = frozenset({"name", "base", "quote", "start_price"})
_TYPES = {field.name: str(field.type) for field in fields(SymbolSpec)}


def exact(value: object) -> Decimal:
    """A price or quantity; a float is refused because it is already inexact."""
    if not isinstance(value, (Decimal, int, str)):
        raise TypeError("prices and quantities are Decimal, int or text; a float is not exact")
    return Decimal(value)


def changed_spec(spec: SymbolSpec, changes: Mapping[str, object]) -> SymbolSpec:
    """The rules with some of them changed; ValueError names a rule that does not exist."""
    for name in changes:
        if name not in _TYPES or name in _FIXED:
            known = ", ".join(sorted(_TYPES.keys() - _FIXED))
            raise ValueError(f"{name!r} is not a rule that can be changed; known: {known}")
    values: dict[str, Any] = {name: _value(name, value) for name, value in changes.items()}
    return replace(spec, **values)


def _value(name: str, value: object) -> object:
    kind = _ENUMS.get(name)
    if kind is not None:
        if isinstance(value, str):
            return kind(value.lower())
        if isinstance(value, Iterable):
            return frozenset(kind(str(word).lower()) for word in value)
    if "Decimal" in _TYPES[name] and value is not None:
        return exact(value)
    return value
