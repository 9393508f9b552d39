"""Reports of one kind: the first at once, then one an interval with the number left out (fault F164)."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from exconn_sync._machines.report_limiter import ReportLimiter
from tests.unit.support import SECOND, fixed


def test_the_first_passes_and_then_one_a_second_with_the_number_left_out() -> None:
    limiter = ReportLimiter()
    assert [limiter.admit("a", at * SECOND // 4) for at in range(9)] == [0, None, None, None, 3, None, None, None, 3]
    assert limiter.admit("b", 0) == 0


def test_what_was_left_out_before_a_pause_is_told_after_it() -> None:
    limiter = ReportLimiter()
    assert [limiter.admit("a", 0), limiter.admit("a", 1), limiter.admit("a", 3600 * SECOND)] == [0, None, 1]
    assert limiter.admit("a", 3602 * SECOND) == 0


@fixed
@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, SECOND)), max_size=200))
def test_every_report_is_told_or_counted_and_none_too_often(plan: list[tuple[str, int]]) -> None:
    limiter = ReportLimiter()
    now, told, counted, came = 0, 0, 0, 0
    last: dict[str, int] = {}
    for kind, pause in plan:
        now += pause
        came += 1
        left_out = limiter.admit(kind, now)
        if left_out is not None:
            assert kind not in last or now - last[kind] >= SECOND
            last[kind] = now
            told += 1
            counted += left_out
    left = sum(limiter.admit(kind, now + SECOND) or 0 for kind in last)
    assert came == told + counted + left


def test_it_remembers_a_bounded_number_of_kinds() -> None:
    limiter = ReportLimiter(kinds=2)
    assert [limiter.admit(kind, 0) for kind in "aabbcc"] == [0, None, 0, None, 0, None]
    assert limiter.admit("a", 1) == 0, "it was forgotten for c"
    assert limiter.admit("c", 1) is None
