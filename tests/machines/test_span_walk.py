"""A long time is asked for in short spans, and no row is lost where an answer is full."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from exconn_sync._machines.span_walk import SpanWalk
from exconn_sync.model.wire import HistoryLimits, TimeSpan
from tests.machines.make import fixed


def walked(times: Sequence[int], first: int, last: int, limits: HistoryLimits) -> tuple[list[int], list[TimeSpan]]:
    """Return what a walk finds at an exchange that has rows at these times, and what it was asked."""
    walk, found, asked = SpanWalk(first, last, limits), [], []
    while (span := walk.next()) is not None:
        asked.append(span)
        rows = [at for at in times if span.first_ms <= at <= span.last_ms]
        if not limits.is_whole:
            rows = rows[: limits.rows]
        if walk.answered(len(rows)):
            found += rows
    return found, asked


@fixed
@given(
    st.lists(st.integers(0, 500), unique=True, max_size=60).map(sorted),
    st.integers(0, 500), st.integers(0, 500), st.integers(1, 200), st.integers(1, 5),
)  # fmt: skip
def test_every_row_is_found_once_in_spans_that_the_exchange_allows(
    times: list[int], one: int, other: int, longest: int, rows: int
) -> None:
    first, last = min(one, other), max(one, other)
    found, asked = walked(times, first, last, HistoryLimits(longest, rows))
    assert found == [at for at in times if first <= at <= last]
    assert all(span.last_ms - span.first_ms < longest for span in asked)


def test_an_empty_day_costs_one_question() -> None:
    day = 86_400_000
    _, asked = walked([], 0, 3 * day - 1, HistoryLimits(day, 1000))
    assert asked == [TimeSpan(0, day - 1), TimeSpan(day, 2 * day - 1), TimeSpan(2 * day, 3 * day - 1)]


def test_more_rows_in_one_millisecond_than_an_answer_holds_end_the_walk() -> None:
    found, _ = walked([5] * 9, 0, 9, HistoryLimits(10, 3))
    assert found == [5, 5, 5]


def test_an_answer_that_is_whole_is_not_asked_for_in_halves() -> None:
    """However many rows it has: it came in pages (Bybit: 4.12)."""
    found, asked = walked([1, 2, 3, 4, 5, 15], 0, 19, HistoryLimits(10, 3, is_whole=True))
    assert (found, asked) == ([1, 2, 3, 4, 5, 15], [TimeSpan(0, 9), TimeSpan(10, 19)])
