"""Questions about market data in Binance's words (Binance: 5.2)."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence

from exconn_sync.errors import ValidationError
from exconn_sync.exchanges.binance import endpoints as urls
from exconn_sync.exchanges.wire_numbers import NS_PER_MS
from exconn_sync.model.ids import TradeId
from exconn_sync.model.instrument import Instrument
from exconn_sync.model.wire import Params

INTERVALS = (
    "1s", "1m", "3m", "5m", "15m", "30m", "1h", "2h", "4h", "6h", "8h", "12h", "1d", "3d", "1w", "1M",
)  # fmt: skip
"""Lengths of candles; the letter case matters (Binance: 5.2)."""

DAY_WINDOW = "24h"
TRADING_DAY = "day"

_WINDOW = re.compile(r"([1-9]|[1-5][0-9])m|([1-9]|1[0-9]|2[0-3])h|[1-7]d", re.ASCII)
_MOST_SYMBOLS = 100


def checked_interval(interval: str) -> str:
    """Return the interval, which Binance spells as the library does. Raises ValidationError."""
    if interval not in INTERVALS:
        known = ", ".join(INTERVALS)
        raise ValidationError("interval", interval, f"must be one of {known}", exchange=urls.EXCHANGE)
    return interval


def rows_params(instrument: Instrument, limit: int) -> Params:
    """Return the parameters for the newest rows of one symbol."""
    return ("symbol", instrument.exchange_symbol), ("limit", str(limit))


def page_params(from_id: TradeId | None, start: int | None, end: int | None) -> Params:
    """Return where a list of trades or candles begins and ends.

    Raises:
        ValidationError: an id and a time; Binance takes one of them.
    """
    if from_id is None:
        # Both bounds are inclusive and the wire counts milliseconds: nothing from before the start may come.
        bounds = (
            ("startTime", None if start is None else -(-start // NS_PER_MS)),
            ("endTime", None if end is None else end // NS_PER_MS),
        )
        return tuple((name, str(value)) for name, value in bounds if value is not None)
    if start is not None or end is not None:
        raise ValidationError("from_id", from_id, "goes without start and end", exchange=urls.EXCHANGE)
    return (("fromId", from_id),)


def ticker_path(window: str) -> str:
    """Return the endpoint that counts over a window.

    Raises:
        ValidationError: no such window on Binance.
    """
    if window == DAY_WINDOW:
        return urls.DAY_TICKER
    if window == TRADING_DAY:
        return urls.TRADING_DAY_TICKER
    if not _WINDOW.fullmatch(window):
        rule = "must be 24h, day, or a rolling window: 1m to 59m, 1h to 23h, 1d to 7d"
        raise ValidationError("window", window, rule, exchange=urls.EXCHANGE)
    return urls.WINDOW_TICKER


def ticker_params(window: str, chosen: Sequence[Instrument] | None) -> Params:
    """Return the parameters of a ticker over a window.

    Raises:
        ValidationError: all symbols or more than 100 of them, for a window where Binance does not take that.
    """
    path = ticker_path(window)
    if path != urls.DAY_TICKER and (chosen is None or len(chosen) > _MOST_SYMBOLS):
        rule = f"a window other than {DAY_WINDOW} takes 1 to {_MOST_SYMBOLS} symbols"
        count = None if chosen is None else len(chosen)
        raise ValidationError("symbols", count, rule, exchange=urls.EXCHANGE)
    size = (("windowSize", window),) if path == urls.WINDOW_TICKER else ()
    return (*symbols_params(chosen), *size)


def symbols_params(chosen: Sequence[Instrument] | None) -> Params:
    """Return the parameter that names one symbol, several, or none for all of them.

    Raises:
        ValidationError: no symbol, or one twice, which Binance refuses (-1151).
    """
    if chosen is None:
        return ()
    names = [instrument.exchange_symbol for instrument in chosen]
    if not names or len(set(names)) < len(names):
        raise ValidationError("symbols", names, "must name each symbol once, at least one", exchange=urls.EXCHANGE)
    if len(names) == 1:
        return (("symbol", names[0]),)
    return (("symbols", json.dumps(names, ensure_ascii=False, separators=(",", ":"))),)
