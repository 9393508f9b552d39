"""Tickers over a day, a trading day or a rolling window: their handlers."""

import re
from collections.abc import Callable

from exconn_sync.simulator.binance import errors
from exconn_sync.simulator.binance.figures import derived_figures, numbers, top_of_book
from exconn_sync.simulator.binance.klines import time_zone
from exconn_sync.simulator.binance.market_data import count_of_symbols, one_or_many
from exconn_sync.simulator.binance.params import Params
from exconn_sync.simulator.binance.venue import Call
from exconn_sync.simulator.binance.wire import number
from exconn_sync.simulator.core.candles import DAY_MS, Candle
from exconn_sync.simulator.core.exchange import Market
from exconn_sync.simulator.core.periods import Fixed, joined
from exconn_sync.simulator.core.symbols import ZERO

_MINUTE = 60_000
_QUARTER = 15 * _MINUTE
_UNITS = {"m": _MINUTE, "h": 60 * _MINUTE, "d": DAY_MS}
_WINDOW = re.compile(r"([1-9]|[1-5][0-9])m|([1-9]|1[0-9]|2[0-3])h|[1-7]d")
_MAX_SYMBOLS = 100


def day_ticker(call: Call) -> object:
    """GET ticker/24hr."""
    full = _is_full(call.params)
    return one_or_many(call, lambda market: _day_row(call, market, full=full))


def trading_day_ticker(call: Call) -> object:
    """GET ticker/tradingDay."""
    full, offset = _is_full(call.params), time_zone(call.params)
    start, following = Fixed(DAY_MS, offset).bounds(call.now)
    row = _row_of_span(call, start, following - start, (following * call.unit) - 1, full=full)
    return one_or_many(call, row, required=True, most=_MAX_SYMBOLS)


def window_ticker(call: Call) -> object:
    """GET ticker."""
    full = _is_full(call.params)
    size = call.params.matching("windowSize", f"^({_WINDOW.pattern})$") or "1d"
    start = (call.now - int(size[:-1]) * _UNITS[size[-1]]) // _MINUTE * _MINUTE
    row = _row_of_span(call, start, call.now - start, call.time(call.now), full=full)
    return one_or_many(call, row, required=True, most=_MAX_SYMBOLS)


def day_ticker_weight(params: Params) -> int:
    """Few symbols are cheap."""
    asked = count_of_symbols(params)
    if not 0 < asked <= _MAX_SYMBOLS:
        return 80
    return 2 if asked <= 20 else 40


def window_ticker_weight(params: Params) -> int:
    """Each symbol costs."""
    return min(4 * count_of_symbols(params), 200) or 200


def _is_full(params: Params) -> bool:
    kind = params.optional("type") or "FULL"
    if kind not in ("FULL", "MINI"):
        raise errors.ApiError(-1139, "Invalid ticker type.")
    return kind == "FULL"


def _row_of_span(
    call: Call, start: int, length: int, close_time: int, *, full: bool
) -> Callable[[Market], dict[str, object]]:
    """What makes the row of a market over a span of time (ms); ``close_time`` is in the caller's unit."""

    def row(market: Market) -> dict[str, object]:
        statistics, symbol = call.venue.statistics, market.spec.name
        # Minutes are remembered for a day only; what lies further back is counted by quarters of an hour.
        grain = _MINUTE if length <= DAY_MS + _MINUTE else _QUARTER
        candles = statistics.candles(symbol, grain).candles(call.now)
        price = market.last_price
        span = joined(candles, start, length + 1) or Candle(start, length, price, price, price, price)
        changes = _changes(span) if full else {}
        times = {"openTime": call.time(start), "closeTime": close_time}
        return {"symbol": symbol, **changes, **_prices(span), **times, **_counts(span)}

    return row


def _day_row(call: Call, market: Market, *, full: bool) -> dict[str, object]:
    day = call.venue.statistics.day(market.spec.name, call.now)
    times = {"openTime": call.time(call.now - DAY_MS), "closeTime": call.time(call.now)}
    changes = {**_changes(day), **_day_only(market, day)} if full else {}
    return {"symbol": market.spec.name, **changes, **_prices(day), **times, **_counts(day)}


def _changes(span: Candle) -> dict[str, object]:
    change, percent, average = derived_figures(span)
    return {"priceChange": number(change), "priceChangePercent": percent, "weightedAvgPrice": number(average)}


def _day_only(market: Market, day: Candle) -> dict[str, object]:
    (bid, bid_quantity), (ask, ask_quantity) = top_of_book(market)
    last = market.trades[-1].quantity if market.trades else ZERO
    named = [("prevClosePrice", day.open), ("lastQty", last), ("bidPrice", bid), ("bidQty", bid_quantity)]
    return numbers([*named, ("askPrice", ask), ("askQty", ask_quantity)])


def _prices(span: Candle) -> dict[str, object]:
    prices = [("openPrice", span.open), ("highPrice", span.high), ("lowPrice", span.low), ("lastPrice", span.close)]
    return numbers([*prices, ("volume", span.volume), ("quoteVolume", span.quote_volume)])


def _counts(span: Candle) -> dict[str, object]:
    return {"firstId": span.first_trade_id, "lastId": span.last_trade_id, "count": span.trades}
