"""Many topics are asked about at once (faults F047, F060)."""

from __future__ import annotations

import pytest

from exconn_sync._machines.survey_plan import SurveyPlan

S = 1_000_000_000

Mark = tuple[str, ...]


def plan(*topics: str, at: int = 0) -> SurveyPlan[str, Mark]:
    made: SurveyPlan[str, Mark] = SurveyPlan(3, 1)
    for topic in topics:
        made.started(topic, at)
    return made


def test_after_a_subscription_the_first_mark_is_asked_for() -> None:
    """What happened before it is no news that the topic owes (faults F047, F060)."""
    surveys = plan("a", "b")
    assert surveys.until_due(0) == 3
    assert surveys.begin(3 * S - 1) == []
    assert sorted(surveys.begin(3 * S)) == ["a", "b"]
    assert surveys.answered({"a": ("5",), "b": ("7",)}) == {}
    assert surveys.until_due(4 * S) is None
    for topic in ("a", "b"):
        surveys.is_due(topic)
    assert surveys.begin(63 * S) == ["a", "b"]
    assert surveys.answered({"a": ("5",), "b": ("8",)}) == {"a": "quiet", "b": "silent"}


@pytest.mark.parametrize(
    ("held", "mark", "finding"), [("9", "9", "quiet"), ("9", "10", "silent"), ("9", None, "unknown")]
)
def test_what_a_topic_brought_counts_more_than_its_first_mark(held: str, mark: str | None, finding: str) -> None:
    """(fault F060)"""
    surveys = plan("a")
    surveys.begin(3 * S)
    surveys.answered({"a": ("5",)})
    surveys.is_due("a")
    surveys.begin(100 * S)
    surveys.brought({"a": (held,)})
    assert surveys.answered({} if mark is None else {"a": (mark,)}) == {"a": finding}


def test_a_survey_that_failed_says_nothing_and_the_next_one_takes_its_place() -> None:
    surveys = plan("a")
    surveys.begin(3 * S)
    assert surveys.answered(None) == {}
    findings = []
    for second, marks in ((60, None), (120, {"a": ("5",)}), (180, {"a": ("5",)}), (240, {"a": ("6",)})):
        surveys.is_due("a")
        surveys.begin(second * S)
        findings.append(surveys.answered(marks)["a"])
    assert findings == ["unknown", "unknown", "quiet", "silent"]


def test_nothing_for_a_day_is_quiet_whatever_came_before_it_and_something_after_it_is_not() -> None:
    """A symbol without a trade in a day has no newest one (fault F060)."""
    surveys = plan("a", "b")
    surveys.begin(3 * S)
    surveys.answered({"b": ()})
    findings = []
    for second, mark in ((60, ()), (120, ()), (180, ("5",))):
        surveys.is_due("a")
        surveys.is_due("b")
        surveys.begin(second * S)
        surveys.brought({"a": ("4",)} if second == 60 else {})
        findings.append(surveys.answered({"a": mark, "b": mark}))
    assert findings == [{"a": "quiet", "b": "quiet"}, {"a": "quiet", "b": "quiet"}, {"a": "silent", "b": "silent"}]


def test_a_topic_that_is_subscribed_anew_or_ended_meanwhile_is_not_judged() -> None:
    surveys = plan("a", "b")
    surveys.begin(3 * S)
    surveys.answered({"a": ("1",), "b": ("1",)})
    surveys.is_due("a")
    surveys.is_due("b")
    surveys.begin(60 * S)
    surveys.started("a", 60 * S)
    surveys.stopped("b")
    assert surveys.answered({"a": ("2",), "b": ("2",)}) == {}
    assert surveys.begin(63 * S) == ["a"]
    surveys.clear()
    assert surveys.answered({"a": ("3",)}) == {}
    assert surveys.until_due(100 * S) is None


@pytest.mark.parametrize(("count", "pause"), [(20, 1.0), (21, 10.0), (1000, 10.0)])
def test_after_a_large_survey_the_pause_is_longer(count: int, pause: float) -> None:
    """It costs more request weight (fault F078)."""
    surveys = plan(*map(str, range(count)))
    assert len(surveys.begin(3 * S)) == count
    surveys.answered({})
    surveys.is_due("1")
    assert surveys.until_due(3 * S) == pause
    assert surveys.begin(3 * S + int(pause * S)) == ["1"]
