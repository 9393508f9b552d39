"""A topic moves from one connection to another (F044, F049, F066)."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from exconn_sync._machines.takeover import Takeover, newer
from tests.machines.make import fixed

Event = tuple[int, int]


def span(event: Event) -> tuple[int, int]:
    return event


def ones(*numbers: int) -> list[Event]:
    return [(number, number) for number in numbers]


def test_the_new_connection_waits_until_it_joins_up() -> None:
    """Both run for a while (fault F044)."""
    takeover = Takeover(span, 10)
    assert takeover.on_new(ones(13, 14)) == []
    assert takeover.last == 10
    assert takeover.on_old(ones(11)) == ones(11)
    assert takeover.on_new(ones(15)) == []
    assert takeover.on_old(ones(12)) == ones(12, 13, 14, 15)
    assert takeover.is_switched
    assert takeover.last == 15
    assert takeover.on_old(ones(13, 14, 15, 16)) == []
    assert takeover.on_new(ones(16)) == ones(16)
    assert takeover.last == 16


@pytest.mark.parametrize(("first", "is_joined"), [(9, True), (10, True), (11, True), (12, False)])
def test_an_event_joins_up_at_the_next_number_or_before(first: int, is_joined: bool) -> None:
    takeover = Takeover(span, 10)
    assert takeover.on_new([(first, 20)]) == ([(first, 20)] if is_joined else [])
    assert takeover.is_switched is is_joined


def test_a_new_connection_that_is_behind_takes_over_without_a_word() -> None:
    """The new server is behind the old one (fault F066)."""
    takeover = Takeover(span, 10)
    assert takeover.on_new(ones(7, 8)) == []
    assert takeover.is_switched
    assert takeover.on_old(ones(11)) == []
    assert takeover.on_new(ones(9, 10, 11, 12)) == ones(11, 12)


def test_repeated_events_are_dropped_on_either_connection() -> None:
    """The same range twice (fault F049)."""
    takeover = Takeover(span, 10)
    assert takeover.on_old([(11, 12), (11, 12)]) == [(11, 12)]
    assert takeover.on_old([(11, 12)]) == []
    assert takeover.on_new([(13, 15), (13, 15)]) == [(13, 15)]
    assert takeover.on_new([(13, 15), (16, 16)]) == [(16, 16)]


def test_before_anything_was_delivered_the_old_connection_goes_first() -> None:
    takeover = Takeover(span, None)
    assert takeover.last is None
    assert takeover.on_new(ones(5)) == []
    assert takeover.on_old(ones(3)) == ones(3)
    assert takeover.on_old(ones(4)) == ones(4, 5)


def test_a_quiet_topic_is_handed_over_at_the_end() -> None:
    takeover = Takeover(span, None)
    takeover.on_new(ones(5, 6))
    assert takeover.finish() == ones(5, 6)
    assert takeover.is_switched
    assert takeover.finish() == []
    assert takeover.last == 6


def test_the_old_connection_ends_before_they_joined_up() -> None:
    takeover = Takeover(span, 10)
    takeover.on_new(ones(13, 14))
    assert takeover.finish() == ones(13, 14)
    assert takeover.on_old(ones(11, 12)) == []
    assert takeover.on_new(ones(14, 15)) == ones(15)


def test_without_a_word_from_the_new_connection_the_end_only_switches() -> None:
    takeover = Takeover(span, 10)
    assert takeover.finish() == []
    assert takeover.last == 10
    assert takeover.on_new(ones(9, 10, 11)) == ones(11)


def test_too_much_kept_back_ends_the_waiting() -> None:
    takeover = Takeover(span, 10, kept=3)
    assert takeover.on_new(ones(20, 21, 22)) == []
    assert takeover.on_new(ones(23)) == ones(20, 21, 22, 23)
    assert takeover.is_switched


def test_events_that_are_cut_differently_overlap_but_leave_no_gap() -> None:
    takeover = Takeover(span, 10)
    assert takeover.on_old([(11, 14)]) == [(11, 14)]
    assert takeover.on_new([(12, 13), (14, 16), (17, 17)]) == [(14, 16), (17, 17)]


@pytest.mark.parametrize(
    ("last", "expected"), [(None, ones(3, 4, 5)), (2, ones(3, 4, 5)), (3, ones(4, 5)), (5, []), (9, [])]
)
def test_newer_drops_what_was_told_before(last: int | None, expected: list[Event]) -> None:
    """After a reconnect the server is behind, and repeats itself (faults F066, F049)."""
    assert newer(ones(3, 4, 3, 4, 5), last, span) == expected
    assert newer([], last, span) == []


@dataclass(frozen=True)
class Case:
    """A true sequence, and how two connections bring it."""

    events: list[Event]
    told: int
    new_from: int
    old_until: int
    steps: list[tuple[bool, int]]


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """Return contiguous ranges as trades and diffs have, or rising numbers with holes as tickers have."""
    holes = draw(st.sampled_from([0, 5]))
    events, number = [], draw(st.integers(0, 1000))
    for _ in range(draw(st.integers(1, 25))):
        first = number + 1 + draw(st.integers(0, holes))
        number = first + (0 if holes else draw(st.integers(0, 4)))
        events.append((first, number))
    count = len(events)
    told = draw(st.integers(0, count))
    old_until = draw(st.integers(told, count))
    # The new connection is subscribed while the old one still runs: it misses nothing that comes after the old's end.
    new_from = draw(st.integers(0, old_until))
    steps = draw(st.lists(st.tuples(st.booleans(), st.integers(1, 6)), max_size=40))
    return Case(events, told, new_from, old_until, steps)


@fixed
@given(cases())
@example(Case(ones(1, 2, 3), 0, 2, 2, [(True, 3), (False, 1)]))
def test_two_connections_give_one_sequence(case: Case) -> None:
    """Whatever the interleaving and the starting point of the new connection (fault F044)."""
    told = case.events[: case.told]
    old, new = case.events[case.told : case.old_until], case.events[case.new_from :]
    takeover = Takeover(span, told[-1][1] if told else None)
    delivered = list(told)
    for is_new, count in case.steps:
        if is_new:
            batch, new = new[:count], new[count:]
            delivered += takeover.on_new(batch)
        else:
            batch, old = old[:count], old[count:]
            delivered += takeover.on_old(batch)
        assert takeover.last == (delivered[-1][1] if delivered else None)
        assert delivered == case.events[: len(delivered)], "in order, nothing missing and nothing twice"
    delivered += takeover.on_old(old)
    delivered += takeover.finish()
    delivered += takeover.on_new(new)
    assert delivered == case.events


@fixed
@given(
    st.lists(st.integers(1, 5), min_size=1, max_size=15),
    st.lists(st.integers(1, 5), min_size=1, max_size=15),
    st.integers(0, 10),
    st.lists(st.booleans(), max_size=40),
)
def test_connections_that_cut_differently_leave_no_number_out(
    old_sizes: list[int], new_sizes: list[int], new_from: int, order: list[bool]
) -> None:
    """Every number is within what was delivered, and each event adds something (fault F044)."""
    old, new = _ranges(0, old_sizes), _ranges(min(new_from, sum(old_sizes)), new_sizes)
    takeover = Takeover(span, 0)
    delivered: list[Event] = [(0, 0)]
    for is_new in order:
        queue = new if is_new else old
        batch = [queue.pop(0)] if queue else []
        delivered += takeover.on_new(batch) if is_new else takeover.on_old(batch)
    delivered += takeover.on_old(old) + takeover.finish() + takeover.on_new(new)
    for before, after in pairwise(delivered):
        assert after[0] <= before[1] + 1
        assert after[1] > before[1]


@fixed
@given(st.lists(st.tuples(st.booleans(), st.lists(st.integers(0, 50), max_size=5)), max_size=30), st.integers(0, 5))
def test_nothing_ever_steps_back_whatever_arrives(batches: list[tuple[bool, list[int]]], kept: int) -> None:
    """Servers that lag, repeat and jump (faults F049, F066); what is kept back is bounded."""
    takeover = Takeover(span, None, kept)
    numbers: list[int] = []
    held = 0
    for is_new, batch in batches:
        got = takeover.on_new(ones(*batch)) if is_new else takeover.on_old(ones(*batch))
        held = 0 if takeover.is_switched else held + (len(batch) if is_new else 0)
        assert held <= kept
        numbers += [last for _, last in got]
    numbers += [last for _, last in takeover.finish()]
    assert numbers == sorted(set(numbers))


def _ranges(after: int, sizes: list[int]) -> list[Event]:
    found = []
    for size in sizes:
        found.append((after + 1, after + size))
        after += size
    return found
