"""What REST and streams share when they show trade statistics."""

from collections.abc import Iterable
from decimal import Decimal

from exconn_sync.simulator.binance.wire import number
from exconn_sync.simulator.core.candles import DAY_MS, Candle
from exconn_sync.simulator.core.events import Level
from exconn_sync.simulator.core.exchange import Market
from exconn_sync.simulator.core.orders import Side
from exconn_sync.simulator.core.symbols import ZERO

_MINUTE = 60_000
_HOUR = 60 * _MINUTE
# Weeks and months are not offered: they do not begin at whole multiples of their length.
INTERVALS = {
    "1s": 1000,
    "1m": _MINUTE,
    "3m": 3 * _MINUTE,
    "5m": 5 * _MINUTE,
    "15m": 15 * _MINUTE,
    "30m": 30 * _MINUTE,
    "1h": _HOUR,
    "2h": 2 * _HOUR,
    "4h": 4 * _HOUR,
    "6h": 6 * _HOUR,
    "8h": 8 * _HOUR,
    "12h": 12 * _HOUR,
    "1d": DAY_MS,
    "3d": 3 * DAY_MS,
}


def derived_figures(day: Candle) -> tuple[Decimal, str, Decimal]:
    """Change, change in percent, average price."""
    change = day.close - day.open
    average = day.quote_volume / day.volume if day.volume else day.close
    return change, f"{change * 100 / day.open:.3f}", average


def top_of_book(market: Market) -> tuple[Level, Level]:
    """Best bid and ask; zeros stand for an empty side."""
    return market.book.best(Side.BUY) or (ZERO, ZERO), market.book.best(Side.SELL) or (ZERO, ZERO)


def numbers(named: Iterable[tuple[str, Decimal]]) -> dict[str, object]:
    """Named amounts as the wire shows them."""
    return {name: number(value) for name, value in named}


def end_of_candle(candle: Candle, unit: int) -> int:
    """The last moment of a candle, in whichever unit is counted."""
    return (candle.end + 1) * unit - 1
