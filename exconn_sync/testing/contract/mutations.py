"""Payloads as no exchange should send them, made of documented ones."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator, Sequence
from typing import Any, TypeAlias

Json: TypeAlias = Any
Place: TypeAlias = tuple[str | int, ...]

NEW_KEY = "a_key_of_the_future"
_STRANGE: Sequence[Json] = (
    None, True, -1, 0.1, 10**30, "", "NEW_WORD", "1e400", "-1", "NaN", "9" * 50, [], {}, [[]], {"a": {}},
)  # fmt: skip
_MOST_CUTS = 60


def truncated(payload: bytes) -> Iterator[bytes]:
    """Yield beginnings of a payload."""
    step = max(1, len(payload) // _MOST_CUTS)
    for length in range(0, len(payload), step):
        yield payload[:length]


def damaged(payload: bytes) -> Iterator[bytes]:
    """Yield a payload with one field left out or with another value, one after the other."""
    wire = json.loads(payload)
    for place in _places(wire):
        if isinstance(place[-1], str):
            yield _without(wire, place)
        for strange in _STRANGE:
            yield _with(wire, place, strange)


def with_news(payload: bytes, open_objects: frozenset[str]) -> Iterator[bytes]:
    """Yield a payload with a key that nobody knows, in one object after the other."""
    wire = json.loads(payload)
    for place in _objects(wire):
        if not place or place[-1] not in open_objects:
            yield _with(wire, (*place, NEW_KEY), {"deep": ["er"]})


def hostile() -> Iterator[bytes]:
    """Yield what is no payload at all."""
    yield from (
        b"",
        b"null",
        b"[]",
        b'""',
        b"0",
        b"{",
        b"\xff\xfe",
        b"<html>busy</html>",
        b"[" * 5_000,
        b'{"a":' * 5_000,
    )
    yield b'{"' + b"k" * 10_000 + b'":1}'


def _places(wire: Json, at: Place = ()) -> Iterator[Place]:
    """Yield the place of each field and of each part of a row; of rows of a list only the first is looked into."""
    steps: Iterator[tuple[str | int, Json]]
    if isinstance(wire, dict):
        steps = iter(wire.items())
    elif isinstance(wire, list):
        rows = wire[:1] if wire and isinstance(wire[0], (dict, list)) else wire
        steps = iter(list(enumerate(rows)))
    else:
        return
    for step, inner in steps:
        yield (*at, step)
        yield from _places(inner, (*at, step))


def _objects(wire: Json, at: Place = ()) -> Iterator[Place]:
    if isinstance(wire, dict):
        yield at
    for place in _places(wire):
        if isinstance(_at(wire, place), dict):
            yield place


def _at(wire: Json, place: Place) -> Json:
    for step in place:
        wire = wire[step]
    return wire


def _with(wire: Json, place: Place, value: Json) -> bytes:
    made = copy.deepcopy(wire)
    _at(made, place[:-1])[place[-1]] = value
    return json.dumps(made).encode()


def _without(wire: Json, place: Place) -> bytes:
    made = copy.deepcopy(wire)
    del _at(made, place[:-1])[place[-1]]
    return json.dumps(made).encode()
