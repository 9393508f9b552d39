"""Spans of the calendar, and longer candles out of shorter ones."""

from datetime import datetime, timedelta, timezone
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exconn_sync.simulator.core.candles import DAY_MS, Candle, CandleSeries
from exconn_sync.simulator.core.events import PublicTrade
from exconn_sync.simulator.core.periods import WEEK_MS, Fixed, Month, Period, joined, regrouped

HOUR = 3_600_000
MINUTE = 60_000
D = Decimal


def ms(*moment: int) -> int:
    return int(datetime(*moment, tzinfo=timezone.utc).timestamp()) * 1000  # type: ignore[arg-type, misc]


@pytest.mark.parametrize(
    ("period", "now", "start", "following"),
    [
        (Fixed(DAY_MS), ms(2026, 7, 21, 13), ms(2026, 7, 21), ms(2026, 7, 22)),
        (Fixed(DAY_MS, 8 * HOUR), ms(2026, 7, 21, 17), ms(2026, 7, 21, 16), ms(2026, 7, 22, 16)),
        (Fixed(DAY_MS, -HOUR), ms(2026, 7, 21, 0, 30), ms(2026, 7, 20, 1), ms(2026, 7, 21, 1)),
        (Fixed(WEEK_MS), ms(2026, 7, 26, 23, 59), ms(2026, 7, 20), ms(2026, 7, 27)),
        (Fixed(WEEK_MS), ms(2026, 7, 27), ms(2026, 7, 27), ms(2026, 8, 3)),
        (Fixed(WEEK_MS, 8 * HOUR), ms(2026, 7, 26, 16), ms(2026, 7, 26, 16), ms(2026, 8, 2, 16)),
        (Month(), ms(2024, 2, 29, 23), ms(2024, 2, 1), ms(2024, 3, 1)),
        (Month(), ms(2026, 12, 31, 23), ms(2026, 12, 1), ms(2027, 1, 1)),
        (Month(8 * HOUR), ms(2026, 7, 31, 16), ms(2026, 7, 31, 16), ms(2026, 8, 31, 16)),
    ],
)
def test_where_a_span_begins_and_ends(period: Period, now: int, start: int, following: int) -> None:
    assert period.bounds(now) == (start, following)


@given(st.integers(0, 4 * 10**12), st.integers(-12 * 60, 14 * 60), st.sampled_from([HOUR, DAY_MS, WEEK_MS, 0]))
def test_every_moment_lies_in_one_span(now: int, minutes: int, length: int) -> None:
    offset = minutes * MINUTE
    period: Period = Fixed(length, offset) if length else Month(offset)
    start, following = period.bounds(now)
    assert start <= now < following
    assert period.bounds(start) == period.bounds(following - 1) == (start, following)
    assert period.bounds(following)[0] == following
    local = datetime(1970, 1, 1, tzinfo=timezone.utc) + timedelta(milliseconds=start + offset)
    assert length % DAY_MS != 0 or (local.hour, local.minute) == (0, 0)
    assert length != WEEK_MS or local.weekday() == 0
    assert length != 0 or local.day == 1


@given(st.lists(st.tuples(st.integers(0, 3 * DAY_MS), st.integers(1, 9), st.booleans()), min_size=1, max_size=20))
def test_a_day_of_minutes_is_the_day(trades: list[tuple[int, int, bool]]) -> None:
    minutes, days = CandleSeries(15 * MINUTE, D(5)), CandleSeries(DAY_MS, D(5))
    for number, (time, price, sold) in enumerate(sorted(trades)):
        trade = PublicTrade("BTCUSDT", number, D(price), D(price) / 10, time, buyer_is_maker=sold)
        minutes.add(trade)
        days.add(trade)
    now = 3 * DAY_MS
    assert regrouped(minutes.candles(now), Fixed(DAY_MS)) == days.candles(now)


def test_a_span_without_candles_is_none() -> None:
    candle = Candle(0, MINUTE, D(1), D(2), D(1), D(2), D(3), D(6), trades=1, first_trade_id=7, last_trade_id=7)
    assert joined([candle], MINUTE, MINUTE) is None
    assert joined([candle], 0, DAY_MS) == Candle(
        0, DAY_MS, D(1), D(2), D(1), D(2), D(3), D(6), trades=1, first_trade_id=7, last_trade_id=7
    )
