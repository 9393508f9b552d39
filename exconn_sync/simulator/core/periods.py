"""Spans of the calendar by which candles are counted: days of another time zone, weeks, months."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

from exconn_sync.simulator.core.candles import DAY_MS, Candle

WEEK_MS = 7 * DAY_MS
_MONDAY_MS = 4 * DAY_MS
"""The first Monday after the epoch."""
_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_MS = timedelta(milliseconds=1)


@dataclass(frozen=True, slots=True)
class Fixed:
    """Spans of one length that begin at whole multiples of it, in a time zone that is ahead by ``offset`` ms."""

    length: int
    offset: int = 0

    def bounds(self, now: int) -> tuple[int, int]:
        """Where the span around a moment begins, and where the next one does."""
        # Weeks begin on Mondays; the epoch was a Thursday.
        shift = self.offset - (_MONDAY_MS if self.length == WEEK_MS else 0)
        start = (now + shift) // self.length * self.length - shift
        return start, start + self.length


@dataclass(frozen=True, slots=True)
class Month:
    """The months of the calendar, in a time zone that is ahead by ``offset`` ms."""

    offset: int = 0

    def bounds(self, now: int) -> tuple[int, int]:
        """Where the month around a moment begins, and where the next one does."""
        local = _EPOCH + (now + self.offset) * _MS
        first = datetime(local.year, local.month, 1, tzinfo=timezone.utc)
        following = datetime(local.year + local.month // 12, local.month % 12 + 1, 1, tzinfo=timezone.utc)
        return (first - _EPOCH) // _MS - self.offset, (following - _EPOCH) // _MS - self.offset


Period = Fixed | Month


def regrouped(candles: Iterable[Candle], period: Period) -> list[Candle]:
    """Longer candles out of shorter ones, oldest first; a short one belongs where it begins."""
    found: list[Candle] = []
    for candle in candles:
        start, end = period.bounds(candle.start)
        if found and found[-1].start == start:
            found[-1].join(candle)
        else:
            longer = Candle(start, end - start, candle.open, candle.high, candle.low, candle.close)
            longer.join(candle)
            found.append(longer)
    return found


def joined(candles: Iterable[Candle], start: int, length: int) -> Candle | None:
    """One candle over a span out of the candles that begin in it, or None where there is none."""
    whole: Candle | None = None
    for candle in candles:
        if start <= candle.start < start + length:
            if whole is None:
                whole = Candle(start, length, candle.open, candle.high, candle.low, candle.close)
            whole.join(candle)
    return whole
