"""Two connections side by side: what flows over the old one alone (faults F044, F047)."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from exconn_sync._machines.flow_comparison import FlowComparison

S = 1_000_000_000


def test_what_the_old_one_goes_on_to_bring_is_missing_on_the_new_one() -> None:
    """An acknowledgement proves nothing (faults F044, F047)."""
    flows: FlowComparison[str] = FlowComparison(2.0)
    flows.acknowledged("a", 0)
    for tenth in range(100):
        flows.on_old("a", tenth * S // 10)
    assert flows.missing(39 * S // 10) == []
    assert flows.missing(4 * S) == ["a"]


def test_what_was_on_its_way_at_the_acknowledgement_is_not_owed() -> None:
    """The old connection may be behind."""
    flows: FlowComparison[str] = FlowComparison(2.0)
    flows.acknowledged("a", 0)
    flows.on_old("a", 2 * S - 1)
    assert flows.missing(100 * S) == []


def test_a_topic_on_which_nothing_happens_or_that_came_once_is_not_missing() -> None:
    flows: FlowComparison[str] = FlowComparison(2.0)
    for topic in ("quiet", "early", "late"):
        flows.acknowledged(topic, 0)
    flows.on_new("early")
    flows.on_old("early", 3 * S)
    flows.on_old("late", 3 * S)
    flows.on_new("late")
    flows.on_old("late", 4 * S)
    assert flows.missing(100 * S) == []


def test_a_topic_without_an_acknowledgement_or_a_wish_is_not_missing() -> None:
    flows: FlowComparison[str] = FlowComparison(2.0)
    flows.on_old("a", 3 * S)
    flows.acknowledged("b", 0)
    flows.on_old("b", 3 * S)
    flows.ended("b")
    assert flows.missing(100 * S) == []


def test_a_topic_asked_for_again_gets_its_time_again() -> None:
    flows: FlowComparison[str] = FlowComparison(2.0)
    flows.acknowledged("a", 0)
    flows.on_old("a", 3 * S)
    flows.acknowledged("a", 4 * S)
    assert flows.missing(100 * S) == []
    flows.on_old("a", 6 * S)
    assert flows.missing(8 * S) == ["a"]


@given(st.lists(st.tuples(st.integers(0, 3000), st.integers(0, 1900)), max_size=50))
def test_a_new_connection_that_brings_everything_a_little_later_lacks_nothing(steps: list[tuple[int, int]]) -> None:
    """Whatever the pauses between messages, in ms, and however far it is behind, within its patience."""
    flows: FlowComparison[str] = FlowComparison(2.0)
    flows.acknowledged("a", 0)
    words: list[tuple[int, str]] = []
    now = 2000
    for pause, behind in steps:
        now += pause
        words += [(now, "old"), (now + behind, "new")]
    for at, source in sorted(words):
        if source == "old":
            flows.on_old("a", at * S // 1000)
        else:
            flows.on_new("a")
        assert flows.missing(at * S // 1000) == []
