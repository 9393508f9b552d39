"""Payloads that nobody should send, and what a parser may do with them: return a value, or raise ProtocolError."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st

from exconn_sync.errors import ProtocolError

# A busy machine is no failure; what hangs ends with the time of its test.
unhurried = settings(deadline=None)

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=6,
)
DEEPEST = 5
"""Steps down into a payload, of which a part is replaced there."""


def attempt(parse: Callable[[], object]) -> None:
    """Have something parsed; fail unless that gives a value or a ProtocolError whose payload and text are bounded."""
    refusal: ProtocolError | None = None
    try:
        parse()
    except ProtocolError as error:
        refusal = error
    if refusal is not None:
        assert len(refusal.details["payload"]) <= 203
        assert str(refusal).isprintable()


def truncated(payloads: Sequence[bytes]) -> st.SearchStrategy[bytes]:
    """Return beginnings of payloads."""
    return st.builds(lambda payload, length: payload[:length], st.sampled_from(payloads), st.integers(0, 500))


@st.composite
def with_bytes_changed(draw: st.DrawFn, payloads: Sequence[bytes]) -> bytes:
    """Return payloads of which some bytes were replaced, added or left out."""
    mutated = bytearray(draw(st.sampled_from(payloads)))
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(mutated) - 1))
        replacement = draw(st.binary(max_size=3))
        mutated[at : at + draw(st.integers(0, 3))] = replacement
        if not mutated:
            break
    return bytes(mutated)


@st.composite
def with_a_value_replaced(draw: st.DrawFn, payloads: Sequence[bytes]) -> bytes:
    """Return payloads that are JSON still, and of which some part is anything else."""
    wire = json.loads(draw(st.sampled_from(payloads)))
    place: Any = wire
    parent: Any = None
    key: Any = None
    for _ in range(draw(st.integers(1, DEEPEST))):
        if isinstance(place, dict) and place:
            parent, key = place, draw(st.sampled_from(sorted(place)))
        elif isinstance(place, list) and place:
            parent, key = place, draw(st.integers(0, len(place) - 1))
        else:
            break
        place = parent[key]
    if parent is not None:
        parent[key] = draw(JSON)
    return json.dumps(wire).encode()
