"""How long candles are: fixed spans from the epoch on, but for months (Bybit: 4.6)."""

from __future__ import annotations

from datetime import datetime, timezone

_MINUTE_MS = 60_000
_HOUR_MS = 60 * _MINUTE_MS
_DAY_MS = 24 * _HOUR_MS
_MONTH = "1M"
_LENGTHS = {
    "1m": _MINUTE_MS, "3m": 3 * _MINUTE_MS, "5m": 5 * _MINUTE_MS, "15m": 15 * _MINUTE_MS, "30m": 30 * _MINUTE_MS,
    "1h": _HOUR_MS, "2h": 2 * _HOUR_MS, "4h": 4 * _HOUR_MS, "6h": 6 * _HOUR_MS, "12h": 12 * _HOUR_MS, "1d": _DAY_MS,
    "1w": 7 * _DAY_MS,
}  # fmt: skip


def end_ms(interval: str, open_ms: int) -> int:
    """Return the last millisecond of the candle that opens then.

    Raises:
        ValueError: no time that a candle can have.
    """
    if interval == _MONTH:
        return _after_months(open_ms, 1) - 1
    return open_ms + _LENGTHS[interval] - 1


def last_open_ms(interval: str, first_ms: int, count: int) -> int:
    """Return a time from ``first_ms`` on until which no more than ``count`` candles open, and no fewer follow."""
    if interval != _MONTH:
        return first_ms + count * _LENGTHS[interval] - 1
    # The first month opens at or after the beginning.
    opened = _after_months(first_ms, 0)
    first_open_ms = opened if opened == first_ms else _after_months(first_ms, 1)
    return _after_months(first_open_ms, count) - 1


def _after_months(at_ms: int, months: int) -> int:
    """Return when the month opens that many months after the one of a time; the last one of the calendar at most."""
    try:
        at = datetime.fromtimestamp(at_ms // 1000, timezone.utc)
    except (OverflowError, OSError) as error:
        raise ValueError("no time of a candle") from error
    index = min(at.year * 12 + at.month - 1 + months, 9999 * 12 + 11)
    opened = datetime(index // 12, index % 12 + 1, 1, tzinfo=timezone.utc)
    return int(opened.timestamp()) * 1000
