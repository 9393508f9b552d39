"""Topics on several connections (F048, F158)."""

from __future__ import annotations

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from exconn_sync._machines.allocation import Allocation


def test_connections_are_filled_one_after_the_other() -> None:
    allocation: Allocation[str] = Allocation(2)
    assert [allocation.add(topic) for topic in "abcde"] == [1, 1, 2, 2, 3]
    assert allocation.numbers == (1, 2, 3)
    assert allocation.topics_of(2) == frozenset("cd")
    assert allocation.topics_of(9) == frozenset()
    assert allocation.number_of("e") == 3
    assert allocation.number_of("z") is None


def test_a_known_topic_keeps_its_number() -> None:
    allocation: Allocation[str] = Allocation(1)
    assert [allocation.add(topic) for topic in "aba"] == [1, 2, 1]
    allocation.remove("a")
    assert allocation.add("b") == 2


def test_the_lowest_with_room_comes_before_a_new_one() -> None:
    allocation: Allocation[str] = Allocation(2)
    for topic in "abcdef":
        allocation.add(topic)
    assert allocation.remove("e") is None
    assert allocation.remove("b") is None
    assert [allocation.add(topic) for topic in "xyz"] == [1, 3, 4]


def test_an_empty_connection_is_returned_and_its_number_used_again() -> None:
    allocation: Allocation[str] = Allocation(1)
    for topic in "abc":
        allocation.add(topic)
    assert allocation.remove("b") == 2
    assert allocation.numbers == (1, 3)
    assert allocation.topics_of(2) == frozenset()
    assert [allocation.add("d"), allocation.add("e")] == [2, 4]


def test_the_first_connection_is_never_given_up() -> None:
    allocation: Allocation[str] = Allocation(1)
    allocation.add("a")
    assert allocation.remove("a") is None
    assert allocation.numbers == (1,)
    assert allocation.add("b") == 1


def test_removing_what_is_not_there_changes_nothing() -> None:
    allocation: Allocation[str] = Allocation(1)
    assert allocation.remove("a") is None
    assert allocation.numbers == (1,)


def test_what_was_handed_out_does_not_change() -> None:
    allocation: Allocation[str] = Allocation(3)
    allocation.add("a")
    topics = allocation.topics_of(1)
    allocation.add("b")
    assert topics == {"a"}


def test_a_capacity_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 1"):
        Allocation(0)


@pytest.mark.parametrize("capacity", [1, 7, 1024])
def test_thousands_of_topics_find_their_place(capacity: int) -> None:
    """Five thousand symbols come, go and come again (fault F158)."""
    allocation: Allocation[int] = Allocation(capacity)
    for _ in range(2):
        assert [allocation.add(topic) for topic in range(5000)] == [1 + topic // capacity for topic in range(5000)]
        emptied = [number for topic in range(5000) if (number := allocation.remove(topic)) is not None]
        assert emptied == list(range(2, 2 + 4999 // capacity))


class Placed(RuleBasedStateMachine):
    """The same rules with plain loops over everything."""

    @initialize(capacity=st.integers(1, 3))
    def begin(self, capacity: int) -> None:
        self.capacity = capacity
        self.allocation: Allocation[int] = Allocation(capacity)
        self.places: dict[int, list[int]] = {1: []}

    def place_of(self, topic: int) -> int | None:
        return next((number for number, topics in self.places.items() if topic in topics), None)

    @rule(topic=st.integers(0, 12))
    def add(self, topic: int) -> None:
        expected = self.place_of(topic)
        if expected is None:
            rooms = [number for number, topics in self.places.items() if len(topics) < self.capacity]
            expected = min(rooms) if rooms else min(set(range(1, 20)) - set(self.places))
            self.places.setdefault(expected, []).append(topic)
        assert self.allocation.add(topic) == expected

    @rule(topic=st.integers(0, 12))
    def remove(self, topic: int) -> None:
        number, expected = self.place_of(topic), None
        if number is not None:
            self.places[number].remove(topic)
            if not self.places[number] and number > 1:
                del self.places[number]
                expected = number
        assert self.allocation.remove(topic) == expected

    @invariant()
    def it_is_the_same(self) -> None:
        if not hasattr(self, "places"):
            return
        assert self.allocation.numbers == tuple(sorted(self.places))
        for number in range(1, 16):
            assert self.allocation.topics_of(number) == frozenset(self.places.get(number, []))
        for topic in range(13):
            assert self.allocation.number_of(topic) == self.place_of(topic)


TestPlaced = Placed.TestCase
TestPlaced.settings = settings(derandomize=True, deadline=None, max_examples=80, stateful_step_count=40)
