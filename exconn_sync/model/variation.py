"""Copies of values with a few fields changed, for the paths that each order passes several times.

``dataclasses.replace`` calls the constructor with all fields again, which for a value of forty fields costs ten times
as much as copying what is there.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

T = TypeVar("T")


def varied(value: T, **changes: Any) -> T:
    """Return a copy of a frozen dataclass with other values in some fields.

    Only for classes that check and compute nothing when they are made, and have no slots: nothing is checked here.
    """
    made = object.__new__(type(value))
    made.__dict__.update(value.__dict__)
    made.__dict__.update(changes)
    return made


def made_of(kind: type[T], fields: Mapping[str, Any]) -> T:
    """Return a frozen dataclass made of the values of all of its fields; the same holds for it as for ``varied``."""
    made = object.__new__(kind)
    made.__dict__.update(fields)
    return made
