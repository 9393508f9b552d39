"""Counting a limit that holds for any span of a length, with answers that come late or never."""

from __future__ import annotations

import random
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from exconn_sync._machines.request_budget import Lease, Refused, RequestBudget, When
from exconn_sync._machines.rolling_window import RollingWindow
from exconn_sync.model.limits import Lane, UsedFigure
from exconn_sync.model.wire import Cost, RateRule
from tests.machines.make import fixed

LIMIT, SPAN = 10, 1_000
RULE = RateRule("orders", LIMIT, SPAN, is_per_account=True, is_rolling=True)
ADDRESS = RateRule("requests", 600, 5_000, is_rolling=True)
NOW = 1_700_000_000_000


def take(window: RollingWindow, amount: int, now_ms: int) -> Any:
    return window.room(amount, LIMIT, SPAN, now_ms, 0) or window.take(amount, SPAN, now_ms, 0)


def land(window: RollingWindow, hold: Any, now_ms: int, **more: Any) -> None:
    window.settle(hold, SPAN, now_ms, 0, **more)


def test_what_was_answered_counts_for_a_whole_span() -> None:
    """Also over the edge of a second: there are no edges."""
    window = RollingWindow()
    land(window, take(window, 10, NOW + 950), NOW + 960)
    assert take(window, 1, NOW + 1_010) == NOW + 2_000 - (NOW + 1_010)
    assert take(window, 1, NOW + 1_960) > 0
    assert take(window, 10, NOW + 2_000).amount == 10


def test_a_wait_is_as_long_as_the_oldest_that_is_in_the_way() -> None:
    window = RollingWindow()
    for number in range(10):
        land(window, take(window, 1, NOW + 100 * number), NOW + 100 * number)
    assert take(window, 1, NOW + 950) == 150
    assert take(window, 3, NOW + 950) == 350


def test_what_is_under_way_counts_until_a_span_after_its_answer() -> None:
    """It may arrive at any moment until then (fault F160)."""
    window = RollingWindow()
    hold = take(window, 10, NOW)
    assert take(window, 1, NOW + 5_000) > 0
    land(window, hold, NOW + 5_000)
    assert take(window, 1, NOW + 5_900) > 0
    assert take(window, 10, NOW + 6_100).amount == 10


def test_what_was_never_heard_of_is_forgotten() -> None:
    """A process that died in the middle of a request takes nothing from the others for ever (fault F128)."""
    window = RollingWindow()
    hold = take(window, 10, NOW)
    assert take(window, 1, NOW + 20_900) > 0
    assert take(window, 10, NOW + 21_200).amount == 10
    land(window, hold, NOW + 21_300)
    assert window.used == 10, "it is over, and was counted for long enough"


def test_what_was_not_sent_or_is_free_counts_no_longer() -> None:
    window = RollingWindow()
    window.give_back(take(window, 6, NOW))
    land(window, take(window, 10, NOW), NOW + 10, is_free=True)
    assert take(window, 10, NOW + 20).amount == 10


def test_a_higher_figure_of_the_exchange_counts_and_a_lower_one_says_nothing() -> None:
    """Others use the same budget (fault F128)."""
    window = RollingWindow()
    first, second = take(window, 1, NOW), take(window, 1, NOW)
    land(window, first, NOW + 20, figure=7)
    assert window.used == 8, "the seven, and what is under way"
    land(window, second, NOW + 30, figure=0)
    assert take(window, 3, NOW + 40) > 0
    assert take(window, 2, NOW + 40).amount == 2


def test_a_clock_that_is_set_back_lets_nothing_through_that_counts() -> None:
    """(fault F117)"""
    window = RollingWindow()
    land(window, take(window, 10, NOW), NOW)
    assert take(window, 1, NOW - 60_000) > 0
    assert take(window, 10, NOW - 60_000 + 1_100).amount == 10


@fixed
@given(
    st.integers(0, 2**32), st.integers(1, LIMIT), st.integers(0, 400), st.integers(0, 400),
    st.sampled_from([1, 7, 100, 333]),
)  # fmt: skip
def test_no_span_at_the_exchange_ever_sees_more_than_the_limit(
    seed: int, most: int, there: int, back: int, step: int
) -> None:
    """Requests travel for different times, and some are never answered; whatever span is looked at, it holds."""
    rng, window, now = random.Random(seed), RollingWindow(), NOW
    arrivals: list[tuple[int, int]] = []
    answers: list[tuple[int, Any]] = []
    for _ in range(150):
        now += rng.randrange(step + 1)
        for at, hold in [item for item in answers if item[0] <= now]:
            land(window, hold, at)
        answers = [item for item in answers if item[0] > now]
        amount = rng.randint(1, most)
        hold = take(window, amount, now)
        if isinstance(hold, int):
            now += rng.choice([0, hold])
            continue
        arrived = now + rng.randint(0, there)
        arrivals.append((arrived, amount))
        if rng.random() < 0.95:
            answers.append((arrived + rng.randint(0, back), hold))
    for end, _ in arrivals:
        assert sum(amount for at, amount in arrivals if end - SPAN < at <= end) <= LIMIT


def budget() -> RequestBudget:
    return RequestBudget([ADDRESS, RULE])


def taken(budget: RequestBudget, amount: int, account: str = "one", now_ms: int = NOW) -> Lease | Refused:
    return budget.take([Cost("requests", 1), Cost("orders", amount)], account, Lane.ORDER, When(now_ms))


def test_a_budget_counts_spans_by_account() -> None:
    mine = budget()
    lease = taken(mine, 10)
    assert isinstance(lease, Lease)
    refused = taken(mine, 1)
    assert isinstance(refused, Refused)
    assert refused.limit == "orders"
    assert isinstance(taken(mine, 10, "two"), Lease)
    mine.settle(lease, When(NOW + 50), [UsedFigure("orders", SPAN, 10)], has_succeeded=True)
    assert mine.used("orders", "one", When(NOW + 60)) == {SPAN: 10}
    assert isinstance(taken(mine, 10, now_ms=NOW + 1_200), Lease)
    mine.learn([ADDRESS])
    assert mine.used("requests", "", When(NOW + 1_300)) == {5_000: 3}
    assert "orders/1000@one" not in mine.rolling


def test_an_account_may_have_more_or_less_than_is_documented() -> None:
    """The exchange tells it, for this account alone, and until it states its limits as a whole."""
    mine = budget()
    lease = taken(mine, 1)
    assert isinstance(lease, Lease)
    mine.settle(lease, When(NOW), [UsedFigure("orders", SPAN, 1, 25)], has_succeeded=True)
    more = taken(mine, 24)
    assert isinstance(more, Lease)
    assert isinstance(taken(mine, 1), Refused)
    assert isinstance(taken(mine, 11, "two"), Refused)
    mine.settle(more, When(NOW), [UsedFigure("orders", SPAN, 25, 3)], has_succeeded=True)
    assert isinstance(taken(mine, 4, now_ms=NOW + 2_000), Refused)
    mine.learn([ADDRESS, RULE])
    assert isinstance(taken(mine, 10, now_ms=NOW + 4_000), Lease)


def test_a_state_can_be_shared_with_other_processes() -> None:
    mine = budget()
    lease = taken(mine, 4)
    other = msgspec.json.decode(msgspec.json.encode(mine), type=RequestBudget)
    assert isinstance(taken(other, 7), Refused)
    assert isinstance(lease, Lease)
    other.settle(lease, When(NOW + 10), has_succeeded=True)
    assert other.used("orders", "one", When(NOW + 10)) == {SPAN: 4}


@pytest.mark.parametrize("lane", list(Lane))
def test_an_address_leaves_a_part_to_those_before_it(lane: Lane) -> None:
    mine = budget()
    count = 0
    while isinstance(mine.take([Cost("requests", 1)], "", lane, When(NOW)), Lease):
        count += 1
    assert count == {Lane.CANCEL: 600, Lane.ORDER: 570, Lane.QUERY: 540, Lane.SNAPSHOT: 516, Lane.BULK: 480}[lane]
