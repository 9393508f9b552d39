"""Questions about market data in Bybit's words (Bybit: 4.1 to 4.6)."""

from __future__ import annotations

from collections.abc import Sequence

from exconn_sync.errors import ValidationError
from exconn_sync.exchanges.bybit.candles import last_open_ms
from exconn_sync.exchanges.bybit.endpoints import CATEGORY, EXCHANGE
from exconn_sync.exchanges.bybit.words import INTERVALS
from exconn_sync.exchanges.wire_numbers import NS_PER_MS
from exconn_sync.model.instrument import Instrument
from exconn_sync.model.wire import Params

SPOT = ("category", CATEGORY)
"""Always sent: without it some endpoints answer about other markets (Bybit: 4.6)."""

INSTRUMENTS: Params = (SPOT, ("limit", "1000"))
"""Spot comes whole; where pages begin one day, they are as large as they may be."""

MOST_LEVELS = 1000
MOST_TRADES = 60
"""Rows that one answer holds at most (Bybit: 4.3, 4.5)."""

DAY_WINDOW = "24h"


def not_offered(field: str, value: object, what: str) -> ValidationError:
    """Return the error for a question that Bybit has no answer to; nothing was sent."""
    return ValidationError(field, value, what, exchange=EXCHANGE)


def symbol_params(instrument: Instrument) -> Params:
    """Return the parameters that name one symbol."""
    return SPOT, ("symbol", instrument.exchange_symbol)


def book_params(instrument: Instrument, limit: int) -> Params:
    """Return the parameters for a snapshot; without a number of levels there would be one.

    Raises:
        ValidationError: more levels than there are.
    """
    if limit > MOST_LEVELS:
        raise not_offered("depth", limit, f"must be at most {MOST_LEVELS}")
    return (*symbol_params(instrument), ("limit", str(limit)))


def trades_params(instrument: Instrument, limit: int) -> Params:
    """Return the parameters for the newest trades, of which there are 60 at most."""
    return (*symbol_params(instrument), ("limit", str(min(limit, MOST_TRADES))))


def checked_interval(interval: str) -> str:
    """Return the exchange's word for an interval. Raises ValidationError."""
    if interval not in INTERVALS:
        raise not_offered("interval", interval, "must be one of " + ", ".join(INTERVALS))
    return INTERVALS[interval]


def kline_params(instrument: Instrument, interval: str, limit: int, start: int | None, end: int | None) -> Params:
    """Return the parameters for candles.

    The exchange begins with the newest ones of a span. The oldest ones from a start come by a span that holds no more
    than were asked for. Both bounds are inclusive and the wire counts milliseconds: nothing from before the start may
    come.

    Raises:
        ValidationError: an interval that Bybit does not have.
    """
    word = checked_interval(interval)
    first_ms = None if start is None else -(-start // NS_PER_MS)
    last_ms = None if end is None else end // NS_PER_MS
    if first_ms is not None:
        reach_ms = last_open_ms(interval, first_ms, limit)
        last_ms = reach_ms if last_ms is None else min(last_ms, reach_ms)
    bounds = (("start", first_ms), ("end", last_ms))
    return (
        *symbol_params(instrument), ("interval", word), ("limit", str(limit)),
        *((name, str(value)) for name, value in bounds if value is not None),
    )  # fmt: skip


def tickers_params(chosen: Sequence[Instrument] | None) -> Params:
    """Return the parameters for the tickers of one symbol, or of all where several are asked for: Bybit takes one.

    Raises:
        ValidationError: no symbol, or one twice.
    """
    if chosen is None:
        return (SPOT,)
    names = [instrument.exchange_symbol for instrument in chosen]
    if not names or len(set(names)) < len(names):
        raise not_offered("symbols", names, "must name each symbol once, at least one")
    return symbol_params(chosen[0]) if len(chosen) == 1 else (SPOT,)


def check_window(window: str) -> None:
    """Raise ValidationError for a window other than the last 24 hours."""
    if window != DAY_WINDOW:
        raise not_offered("window", window, f"must be {DAY_WINDOW}")
