"""Sums of what is reserved are what adding up anew would give."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from exconn_sync._machines.reservations import Need, Reservations, Reserved
from exconn_sync.model.ids import ClientOrderId

NAMES = [ClientOrderId(name) for name in "abcd"]
ASSETS = ["USDT", "BTC"]
steps = st.one_of(
    st.tuples(st.just("drop"), st.sampled_from(NAMES)),
    st.tuples(st.just("settle"), st.sampled_from(ASSETS), st.integers(0, 5)),
    st.tuples(
        st.just("put"),
        st.sampled_from(NAMES),
        st.sampled_from(ASSETS),
        st.decimals("0.00000001", "1000000", places=8),
        st.none() | st.integers(0, 5),
    ),
)


@given(st.lists(steps, max_size=30))
def test_sums_equal_what_adding_up_gives(made: list[tuple[object, ...]]) -> None:
    kept, plain = Reservations(), dict[ClientOrderId, Reserved]()
    for step in made:
        match step:
            case ("drop", str() as name):
                kept.drop(ClientOrderId(name))
                plain.pop(ClientOrderId(name), None)
            case ("settle", str() as asset, int() as at):
                kept.settle(asset, at)
                for name, (need, taken_at) in list(plain.items()):
                    if need.asset == asset and taken_at is not None and at >= taken_at:
                        del plain[name]
            case ("put", str() as name, str() as asset, Decimal() as amount, (int() | None) as taken_at):
                reserved = Reserved(Need(asset, amount), taken_at)
                kept.put(ClientOrderId(name), reserved)
                plain[ClientOrderId(name)] = reserved
        for but in (None, *NAMES):
            for asset in ASSETS:
                amounts = [each.need.amount for name, each in plain.items() if each.need.asset == asset and name != but]
                assert kept.total(asset, but) == sum(amounts, Decimal(0))
        for name in NAMES:
            assert (kept.get(name), name in kept) == (plain.get(name), name in plain)
