"""Second looks cost a bounded share of time, and rare messages always get one."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from exconn_sync._machines.look_plan import LookPlan
from tests.unit.support import SECOND, fixed


def test_so_many_bytes_are_looked_at_in_a_second() -> None:
    plan = LookPlan(1000)
    assert [plan.may_look(400, at) for at in (0, 1, 2, 3)] == [True, True, False, False]
    assert plan.may_look(200, 4)
    assert [plan.may_look(400, SECOND), plan.may_look(601, SECOND + 1)] == [True, False]


def test_a_large_message_gets_its_look_at_the_begin_of_a_second() -> None:
    plan = LookPlan(1000)
    assert plan.may_look(5_000_000, 0)
    assert not plan.may_look(1, 1)
    assert plan.may_look(1, SECOND)


@fixed
@given(st.lists(st.tuples(st.integers(0, SECOND), st.integers(1, 3000)), max_size=100))
def test_no_second_is_spent_on_looking(messages: list[tuple[int, int]]) -> None:
    plan, now, looked = LookPlan(1000), 0, 0
    for pause, length in messages:
        now += pause
        if plan.may_look(length, now):
            looked += min(length, 1000)
    # A window of a second begins with the message that opens it.
    assert looked <= 1000 * (now // SECOND + 1)
