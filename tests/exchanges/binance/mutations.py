"""Payloads with one field changed, and values compared field by field."""

from __future__ import annotations

import copy
import dataclasses
import re
from collections.abc import Iterator, Mapping, Sequence
from enum import Enum
from typing import Any, TypeAlias

import msgspec

from exconn_sync.model.instrument import Instruments

Json: TypeAlias = Any
Step: TypeAlias = str | int
Place: TypeAlias = tuple[Step, ...]

WORD = re.compile(r"[A-Z][A-Z0-9_]*", re.ASCII)
NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?", re.ASCII)


def fields(payload: Json, at: Place = ()) -> Iterator[tuple[Place, Json]]:
    """Yield each field of each object and each part of each row, with its place; of rows of a list only the first."""
    if isinstance(payload, dict):
        items: list[tuple[Step, Json]] = list(payload.items())
    elif isinstance(payload, list):
        items = list(enumerate(payload))
        if payload and isinstance(payload[0], (dict, list)):
            yield from fields(payload[0], (*at, 0))
            return
    else:
        return
    for step, value in items:
        yield (*at, step), value
        yield from fields(value, (*at, step))


def objects(payload: Json, at: Place = ()) -> Iterator[Place]:
    """Yield the place of each object."""
    if isinstance(payload, dict):
        yield at
    steps = payload.items() if isinstance(payload, dict) else enumerate(payload) if isinstance(payload, list) else ()
    for step, value in steps:
        yield from objects(value, (*at, step))


def at_place(payload: Json, place: Place) -> Json:
    """Return what stands at a place."""
    for step in place:
        payload = payload[step]
    return payload


def changed(payload: Json, place: Place, value: Json) -> Json:
    """Return a copy with another value at a place."""
    made = copy.deepcopy(payload)
    if not place:
        return value
    at_place(made, place[:-1])[place[-1]] = value
    return made


def removed(payload: Json, place: Place) -> Json:
    """Return a copy without a field of an object."""
    made = copy.deepcopy(payload)
    del at_place(made, place[:-1])[place[-1]]
    return made


def path_of(payload: Json, place: Place) -> str:
    """Return the place as text; ``[]`` stands for the rows of a list, a number for a part of one row."""
    text = ""
    for depth, step in enumerate(place):
        if isinstance(step, str):
            text += f".{step}" if text else step
        else:
            rows = at_place(payload, place[:depth])
            text += "[]" if isinstance(rows[0], (dict, list)) else f"[{step}]"
    return text


def another(value: Json) -> Json:
    """Return another value of the same kind, or None where there is none."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return value + 1
    if isinstance(value, str):
        if NUMBER.fullmatch(value):
            return value[:-1] + ("2" if value[-1] == "1" else "1")
        return value + "X"
    return None


def plain(value: Any) -> Any:
    """Return a parsed value as lists, dictionaries and plain values, fit for a comparison field by field."""
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, Exception):
        return type(value).__name__, value.args, plain(value.__dict__ | {"timestamp": None})
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, msgspec.Struct):
        return {name: plain(getattr(value, name)) for name in value.__struct_fields__}
    if isinstance(value, Instruments):
        return [plain(instrument) for instrument in value]
    if isinstance(value, (set, frozenset)):
        return sorted(value)
    if isinstance(value, Mapping):
        return {key: plain(inner) for key, inner in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, (str, bytes)):
        return [plain(inner) for inner in value]
    if hasattr(value, "__dict__") and not isinstance(value, type):
        return type(value).__name__, plain({name: inner for name, inner in vars(value).items() if not callable(inner)})
    return value


def says_no_more(now: Any, before: Any) -> bool:
    """Return whether a value equals another one, but for fields that are absent now: nothing was invented."""
    if now == before or now in (None, "", [], {}):
        return True
    if isinstance(now, dict) and isinstance(before, dict) and now.keys() == before.keys():
        return all(says_no_more(now[key], before[key]) for key in now)
    if isinstance(now, (list, tuple)) and isinstance(before, (list, tuple)) and len(now) == len(before):
        return all(says_no_more(one, other) for one, other in zip(now, before, strict=True))
    return False
