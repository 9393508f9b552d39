"""Candles and 24-hour figures over REST: their handlers."""

from exconn_sync.simulator.binance import errors
from exconn_sync.simulator.binance.figures import INTERVALS, derived_figures, end_of_candle, numbers, top_of_book
from exconn_sync.simulator.binance.market_data import MAX_ROWS, chosen_markets, required_market
from exconn_sync.simulator.binance.params import Params
from exconn_sync.simulator.binance.venue import Call
from exconn_sync.simulator.binance.wire import number
from exconn_sync.simulator.core.candles import DAY_MS, Candle
from exconn_sync.simulator.core.exchange import Market
from exconn_sync.simulator.core.symbols import ZERO


def klines(call: Call) -> object:
    """GET klines."""
    params = call.params
    symbol = required_market(call).spec.name
    interval = params.required("interval")
    start, end = params.integer("startTime"), params.integer("endTime")
    params.optional("timeZone")
    limit = params.limit(500, MAX_ROWS)
    params.finish()
    if interval not in INTERVALS:
        raise errors.ApiError(-1120, "Invalid interval.")
    candles = [
        candle
        for candle in call.venue.statistics.candles(symbol, INTERVALS[interval]).candles(call.now)
        if (start is None or candle.start >= start) and (end is None or candle.start <= end)
    ]
    return [_kline_row(candle, call.unit) for candle in (candles[:limit] if start is not None else candles[-limit:])]


def ticker_24h(call: Call) -> object:
    """GET ticker/24hr."""
    markets = chosen_markets(call)
    is_single = call.params.optional("symbol") is not None
    kind = call.params.optional("type") or "FULL"
    call.params.optional("symbolStatus")
    call.params.finish()
    if kind not in ("FULL", "MINI"):
        raise errors.ApiError(-1139, "Invalid ticker type.")
    rows = [_day_row(call, market, full=kind == "FULL") for market in markets]
    return rows[0] if is_single else rows


def ticker_24h_weight(params: Params) -> int:
    """Few symbols are cheap."""
    names = params.peek("symbols")
    asked = names.count(",") + 1 if names else 1 if params.peek("symbol") else None
    if asked is None or asked > 100:
        return 80
    return 2 if asked <= 20 else 40


def _kline_row(candle: Candle, unit: int) -> list[object]:
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


def _day_row(call: Call, market: Market, *, full: bool) -> dict[str, object]:
    day = call.venue.statistics.day(market.spec.name, call.now)
    prices = [("openPrice", day.open), ("highPrice", day.high), ("lowPrice", day.low), ("lastPrice", day.close)]
    amounts = [("volume", day.volume), ("quoteVolume", day.quote_volume)]
    times = {
        "openTime": call.time(call.now - DAY_MS),
        "closeTime": call.time(call.now),
        "firstId": day.first_trade_id,
        "lastId": day.last_trade_id,
        "count": day.trades,
    }
    if not full:
        return {"symbol": market.spec.name, **numbers(prices + amounts), **times}
    change, percent, average = derived_figures(day)
    (bid, bid_quantity), (ask, ask_quantity) = top_of_book(market)
    last = market.trades[-1].quantity if market.trades else ZERO
    return {
        "symbol": market.spec.name,
        "priceChange": number(change),
        "priceChangePercent": percent,
        "weightedAvgPrice": number(average),
        "prevClosePrice": number(day.open),
        "lastPrice": number(day.close),
        "lastQty": number(last),
        "bidPrice": number(bid),
        "bidQty": number(bid_quantity),
        "askPrice": number(ask),
        "askQty": number(ask_quantity),
        **numbers(prices[:3] + amounts),
        **times,
    }
