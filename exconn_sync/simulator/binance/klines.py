"""Candles over REST and the WebSocket API, in the caller's time zone."""

import re

from exconn_sync.simulator.binance import errors
from exconn_sync.simulator.binance.figures import INTERVALS, end_of_candle
from exconn_sync.simulator.binance.market_data import required_market
from exconn_sync.simulator.binance.paging import Page
from exconn_sync.simulator.binance.params import Params
from exconn_sync.simulator.binance.venue import Call
from exconn_sync.simulator.binance.wire import number
from exconn_sync.simulator.core.candles import DAY_MS, Candle
from exconn_sync.simulator.core.periods import WEEK_MS, Fixed, Month, Period, regrouped
from exconn_sync.simulator.core.statistics import TradeStatistics

_MINUTE = 60_000
_QUARTER = 15 * _MINUTE
CALENDAR = ("1w", "1M")
_ZONE = re.compile(r"([+-]?)([0-9]{1,2})(?::([0-9]{2}))?")
_EARLIEST, _LATEST = -12 * 60, 14 * 60


def klines(call: Call) -> object:
    """GET klines and uiKlines."""
    params = call.params
    symbol = required_market(call).spec.name
    interval = params.required("interval")
    offset = time_zone(params)
    page = Page.by_time(params)
    params.finish()
    if interval not in INTERVALS and interval not in CALENDAR:
        raise errors.ApiError(-1120, "Invalid interval.")
    candles = candles_of(call.venue.statistics, symbol, interval, offset, call.now)
    return [_row(candle, call.unit) for candle in page.of(candles, lambda row: row.start, lambda row: row.start)]


def time_zone(params: Params) -> int:
    """How many ms the wanted time zone is ahead of UTC: ``0``, ``8``, ``-1:00``, ``05:45``."""
    text = params.optional("timeZone") or "0"
    match = _ZONE.fullmatch(text)
    minutes = None if match is None else int(match[2]) * 60 + int(match[3] or 0)
    if match is not None and match[1] == "-" and minutes is not None:
        minutes = -minutes
    if minutes is None or not _EARLIEST <= minutes <= _LATEST or int((match and match[3]) or 0) > 59:
        raise errors.ApiError(-1130, "Data sent for parameter 'timeZone' is not valid.")
    return minutes * _MINUTE


def period_of(interval: str, offset: int) -> Period:
    """The spans of an interval in a time zone that is ahead by ``offset`` ms."""
    return Month(offset) if interval == "1M" else Fixed(INTERVALS.get(interval, WEEK_MS), offset)


def candles_of(statistics: TradeStatistics, symbol: str, interval: str, offset: int, now: int) -> list[Candle]:
    """The remembered candles, oldest first. What no series counts is put together out of shorter ones."""
    length = INTERVALS.get(interval)
    if length is not None and offset % length == 0:
        return statistics.candles(symbol, length).candles(now)
    shorter = DAY_MS if offset == 0 else _QUARTER if offset % _QUARTER == 0 else _MINUTE
    return regrouped(statistics.candles(symbol, shorter).candles(now), period_of(interval, offset))


def _row(candle: Candle, unit: int) -> list[object]:
    return [
        candle.start * unit,
        number(candle.open),
        number(candle.high),
        number(candle.low),
        number(candle.close),
        number(candle.volume),
        end_of_candle(candle, unit),
        number(candle.quote_volume),
        candle.trades,
        number(candle.buyer_volume),
        number(candle.buyer_quote_volume),
        "0",
    ]
