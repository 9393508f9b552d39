"""The pace of what a connection sends (F023, F048)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exconn_sync._machines.pacing import OutboundPace
from tests.machines.make import SECOND, fixed

WINDOW = 1_100_000_000
DELAY = 100_000_000


def test_the_budget_can_be_spent_at_once_and_comes_back_one_by_one() -> None:
    """Requests of a batch of subscriptions (fault F048)."""
    pace = OutboundPace(2)
    assert pace.may_request(0)
    pace.requested(0)
    assert pace.may_request(10)
    pace.requested(10)
    assert not pace.may_request(WINDOW - 1)
    assert pace.until_request(100_000_000) == 1.0
    assert pace.may_request(WINDOW)
    assert pace.until_request(WINDOW) == 0.0
    pace.requested(WINDOW)
    assert not pace.may_request(WINDOW + 9)
    assert pace.may_request(WINDOW + 10)


def test_control_messages_have_their_own_budget_of_one() -> None:
    """A flood of pings gets one pong in a second (fault F023), also while requests wait."""
    pace = OutboundPace(1)
    pace.requested(0)
    assert pace.may_control(0)
    pace.controlled(0)
    assert not pace.may_control(WINDOW - 1)
    assert pace.until_control(SECOND) == 0.1
    assert pace.may_control(WINDOW)
    assert pace.may_request(WINDOW)


def test_what_was_sent_without_leave_counts() -> None:
    pace = OutboundPace(2)
    for moment in (0, 1, 2, 500):
        pace.requested(moment)
        pace.controlled(moment)
    assert not pace.may_request(2 + WINDOW - 1)
    assert pace.may_request(2 + WINDOW)
    assert not pace.may_control(500 + WINDOW - 1)


def test_a_budget_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 1"):
        OutboundPace(0)


def test_a_thousand_pings_in_a_second_get_one_pong() -> None:
    """The exchange pings a thousand times in a second (fault F023)."""
    pace, pongs = OutboundPace(4), 0
    for millisecond in range(1000):
        if pace.may_control(millisecond * 1_000_000):
            pace.controlled(millisecond * 1_000_000)
            pongs += 1
    assert pongs == 1


attempts = st.lists(
    st.tuples(st.integers(0, 300_000_000), st.booleans(), st.booleans(), st.integers(0, DELAY)), max_size=80
)


@fixed
@given(st.integers(1, 6), attempts)
def test_no_second_at_the_exchange_sees_too_many(rate: int, attempts: list[tuple[int, bool, bool, int]]) -> None:
    """Each message is delayed by any amount up to 0.1 s (fault F048)."""
    pace, now, arrivals = OutboundPace(rate), 0, []
    for pause, is_control, waits, delay in attempts:
        now += pause
        if is_control:
            if waits:
                now += round(pace.until_control(now) * SECOND)
                assert pace.may_control(now)
            if not pace.may_control(now):
                continue
            pace.controlled(now)
        else:
            if waits:
                now += round(pace.until_request(now) * SECOND)
                assert pace.may_request(now)
            if not pace.may_request(now):
                continue
            pace.requested(now)
        arrivals.append(now + delay)
    for begin in arrivals:
        assert sum(begin <= arrival < begin + SECOND for arrival in arrivals) <= rate + 1


@fixed
@given(st.integers(1, 6))
def test_the_budget_is_used_up(rate: int) -> None:
    pace, now = OutboundPace(rate), 0
    for _ in range(10 * rate):
        now += round(pace.until_request(now) * SECOND)
        pace.requested(now)
    assert now == 9 * WINDOW
