"""What was refused is tried again, at growing pauses (fault F046)."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from exconn_sync._machines.retries import Retries

S = 1_000_000_000


def test_pauses_double_up_to_the_cap_and_begin_anew_after_a_success() -> None:
    """(fault F046)"""
    retries: Retries[str] = Retries(1, 5)
    now, pauses = 0, []
    for _ in range(6):
        retries.failed("a", now)
        pauses.append(retries.until_due(now))
        now += int((pauses[-1] or 0) * S)
        assert retries.due(now) == "a"
        assert (retries.due(now), retries.until_due(now)) == (None, None), "under way"
    assert pauses == [1, 2, 4, 5, 5, 5]
    retries.forget("a")
    retries.failed("a", now)
    assert retries.until_due(now) == 1


def test_nothing_is_due_before_its_time_or_after_it_was_forgotten() -> None:
    retries: Retries[str] = Retries(1, 60)
    assert (retries.due(0), retries.until_due(0)) == (None, None)
    retries.failed("a", 0)
    assert retries.due(S - 1) is None
    retries.forget("a")
    assert retries.due(S) is None


@given(st.integers(1, 50), st.floats(0.01, 3))
def test_however_many_there_are_one_a_second_is_tried_and_each_gets_its_turn(count: int, base: float) -> None:
    """A thousand topics that are refused for good must not take the place of others (faults F046, F048)."""
    retries: Retries[int] = Retries(base, 10)
    for key in range(count):
        retries.failed(key, 0)
    now = 0
    tried: list[tuple[int, int]] = []
    while now < 4 * count * S + 20 * S:
        due = retries.due(now)
        if due is not None:
            tried.append((now, due))
            retries.failed(due, now)
        now += S // 4
    assert all(later - earlier >= S for (earlier, _), (later, _) in pairwise(tried))
    assert {key for _, key in tried} == set(range(count))
