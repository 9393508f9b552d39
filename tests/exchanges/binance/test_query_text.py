"""The text of a query is the same whether it is looked at as a whole or part by part."""

from __future__ import annotations

from urllib.parse import quote

from hypothesis import given
from hypothesis import strategies as st

from exconn_sync.exchanges.binance.signing import encoded_query

_TEXTS = st.text(st.sampled_from("aZ09_.~-=&% +/é\n"), max_size=6)


@given(st.lists(st.tuples(_TEXTS, _TEXTS), max_size=5).map(tuple))
def test_each_part_is_encoded(params: tuple[tuple[str, str], ...]) -> None:
    expected = "&".join(f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in params)
    assert encoded_query(params) == expected
