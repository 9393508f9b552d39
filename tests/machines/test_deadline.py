"""One budget for several steps."""

from __future__ import annotations

import pytest

from exconn_sync._machines.deadline import Deadline
from tests.machines.make import SECOND


def test_remaining_time_shrinks_and_stops_at_zero() -> None:
    deadline = Deadline.after(5 * SECOND, 2.0)
    assert deadline.remaining(5 * SECOND) == 2.0
    assert deadline.remaining(6 * SECOND) == 1.0
    assert deadline.remaining(60 * SECOND) == 0.0


def test_it_is_over_exactly_at_its_moment() -> None:
    deadline = Deadline.after(0, 1.0)
    assert not deadline.is_over(SECOND - 1)
    assert deadline.is_over(SECOND)


@pytest.mark.parametrize(
    "seconds", [None, float("inf"), 1e300, 10**400, 10**10], ids=["none", "infinity", "float", "huge", "century"]
)
def test_without_a_limit_it_is_never_over(seconds: float | None) -> None:
    deadline = Deadline.after(0, seconds)
    assert deadline.remaining(10**18) is None
    assert not deadline.is_over(10**18)


def test_a_budget_of_zero_or_less_is_over_at_once() -> None:
    assert Deadline.after(7, 0).is_over(7)
    assert Deadline.after(7, -1.0).remaining(7) == 0.0
