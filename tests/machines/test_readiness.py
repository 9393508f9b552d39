"""Conditions that must hold before something is ready."""

from __future__ import annotations

import pytest

from exconn_sync._machines.readiness import Conditions


def answers(conditions: Conditions) -> list[object]:
    return [conditions.is_ready, *conditions.missing]


def test_it_is_ready_while_all_conditions_are_met() -> None:
    conditions = Conditions(["clock", "stream", "orders"])
    assert answers(conditions) == [False, "clock", "stream", "orders"]
    conditions.met("orders")
    conditions.met("clock")
    assert answers(conditions) == [False, "stream"]
    conditions.met("stream")
    assert answers(conditions) == [True]
    conditions.lost("clock")
    assert answers(conditions) == [False, "clock"]


def test_without_conditions_it_is_ready() -> None:
    assert Conditions([]).is_ready


def test_meeting_one_twice_does_not_stand_for_another() -> None:
    conditions = Conditions(["a", "b", "b"])
    conditions.met("a")
    conditions.met("a")
    assert not conditions.is_ready
    conditions.met("b")
    assert conditions.is_ready


def test_a_failure_says_why_and_ends_when_the_condition_is_met() -> None:
    conditions = Conditions(["a", "b"])
    error = ValueError("no")
    conditions.met("a")
    conditions.fail("a", error)
    seen = conditions.errors
    assert (conditions.missing, dict(seen)) == (("a", "b"), {"a": error})
    conditions.lost("a")
    assert dict(conditions.errors) == {"a": error}
    conditions.met("a")
    assert (conditions.missing, dict(conditions.errors)) == (("b",), {})
    assert dict(seen) == {"a": error}, "what was handed out does not change"


def test_an_unknown_name_is_a_mistake() -> None:
    conditions = Conditions(["a"])
    with pytest.raises(KeyError):
        conditions.met("b")
    with pytest.raises(KeyError):
        conditions.lost("b")
    with pytest.raises(KeyError):
        conditions.fail("b", ValueError())
