"""What is new in a payload is named, shortly and on one line, whatever the payload holds."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exconn_sync.exchanges.known_parts import known, read_json, unknown_parts
from tests.unit.support import fixed

ORDERS = known("id side legs fees modes", {"side": ("BUY", "SELL"), "modes": ("A", "B")}, "fees")


@pytest.mark.parametrize(
    ("payload", "parts"),
    [
        (b'{"id":1,"side":"BUY"}', ()),
        (b'{"id":1,"side":"SIDEWAYS"}', ("order side SIDEWAYS",)),
        (b'{"id":1,"zz":{"yy":1}}', ("order field zz",)),
        (b'[{"id":1},{"legs":[{"id":2,"new":0}]}]', ("order field new",)),
        (b'{"modes":["A","C"]}', ("order modes C",)),
        (b'{"side":null,"modes":7}', ()),
        (b'{"side":""}', ()),
        (b'{"fees":{"BTC":"1"}}', ()),
        (b'{"side":"a\\nb"}', ("order side a?b",)),
        (b'[["1","2"],["3","4"]]', ()),
        (b"7", ()),
        (b"{", ()),
        (b"[" * 100_000, ()),
    ],
)
def test_fields_and_words_that_are_on_no_table(payload: bytes, parts: tuple[str, ...]) -> None:
    """(faults F036, F040)"""
    assert unknown_parts("order", ORDERS, read_json(payload)) == parts


def test_there_are_few_and_short_ones_however_many_and_long_they_come() -> None:
    wire = [{f"{'x' * 5000}{number}": number} for number in range(1000)] + [{f"n{n}": n for n in range(1000)}]
    parts = unknown_parts("order", ORDERS, wire)
    assert 0 < len(parts) <= 8
    assert all(len(part) < 80 for part in parts)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(), lambda of: st.lists(of) | st.dictionaries(st.text(), of)
)


@fixed
@given(JSON)
def test_it_never_raises_and_says_printable_lines(wire: object) -> None:
    parts = unknown_parts("order", ORDERS, wire)
    assert all(part.isprintable() and part.startswith("order ") for part in parts)
