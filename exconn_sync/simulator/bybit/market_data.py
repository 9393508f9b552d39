"""Public data: handlers of the calls that need no key (Bybit: 4.1 to 4.6, 4.10)."""

from decimal import Decimal

from exconn_sync.simulator.bybit import errors
from exconn_sync.simulator.bybit.books import DEEPEST
from exconn_sync.simulator.bybit.venue import MINUTES, Answer, Call, Venue
from exconn_sync.simulator.bybit.wire import number
from exconn_sync.simulator.core.candles import DAY_MS, Candle
from exconn_sync.simulator.core.conversion import worth
from exconn_sync.simulator.core.events import PublicTrade
from exconn_sync.simulator.core.exchange import Market
from exconn_sync.simulator.core.orders import Side
from exconn_sync.simulator.core.periods import WEEK_MS, Fixed, Month, Period, regrouped
from exconn_sync.simulator.core.symbols import ZERO

_MINUTE = 60_000
INTERVALS = {str(minutes): minutes * _MINUTE for minutes in MINUTES} | {"D": DAY_MS}
_CALENDAR: dict[str, Period] = {"W": Fixed(WEEK_MS), "M": Month()}
_RATIO = Decimal("0.0001")
_USD_QUOTES = ("USDT", "USDC")


def known_market(call: Call, symbol: str) -> Market:
    """The market of a symbol, or an error."""
    found = call.venue.exchange.markets.get(symbol)
    if found is None:
        raise errors.unknown_symbol()
    return found


def required_market(call: Call) -> Market:
    """The market that the parameter ``symbol`` names."""
    return known_market(call, call.params.required("symbol"))


def server_time(call: Call) -> Answer:
    """GET market/time."""
    micro = call.venue.clock.now_us()
    return Answer({"timeSecond": str(micro // 1_000_000), "timeNano": str(micro * 1000)})


def order_book(call: Call) -> Answer:
    """GET market/orderbook: numbered like the stream of the deepest book."""
    call.params.category()
    market, limit = required_market(call), call.params.limit(1, DEEPEST)
    return Answer(_book(call, market, limit))


def full_order_book(call: Call) -> Answer:
    """GET market/full_orderbook."""
    call.params.category()
    return Answer(_book(call, required_market(call), None))


def _book(call: Call, market: Market, limit: int | None) -> dict[str, object]:
    books, symbol, now = call.venue.books, market.spec.name, call.now
    view = books.advance(symbol, DEEPEST)
    data = books.data(view, symbol, view.rows(limit))
    return {**data, "ts": now, "cts": books.touched_at(symbol, now)}


def tickers(call: Call) -> Answer:
    """GET market/tickers."""
    call.params.category()
    name = call.params.text("symbol")
    markets = [known_market(call, name)] if name else list(call.venue.exchange.markets.values())
    return Answer({"category": "spot", "list": [_ticker(call, market) for market in markets]})


def _ticker(call: Call, market: Market) -> dict[str, object]:
    bid = market.book.best(Side.BUY) or (ZERO, ZERO)
    ask = market.book.best(Side.SELL) or (ZERO, ZERO)
    figures = day_figures(call.venue, market, call.now)
    return {
        "symbol": market.spec.name,
        "bid1Price": number(bid[0]),
        "bid1Size": number(bid[1]),
        "ask1Price": number(ask[0]),
        "ask1Size": number(ask[1]),
        **figures,
    }


def day_figures(venue: Venue, market: Market, now: int) -> dict[str, object]:
    """The last 24 hours, as REST and streams tell them."""
    day = venue.statistics.day(market.spec.name, now)
    return {
        "lastPrice": number(market.last_price),
        "prevPrice24h": number(day.open),
        "price24hPcnt": number(((day.close - day.open) / day.open).quantize(_RATIO)),
        "highPrice24h": number(day.high),
        "lowPrice24h": number(day.low),
        "turnover24h": number(day.quote_volume),
        "volume24h": number(day.volume),
        "usdIndexPrice": _usd_index(venue, market),
    }


def _usd_index(venue: Venue, market: Market) -> str:
    if market.spec.quote not in _USD_QUOTES:
        return ""
    price = worth(venue.exchange.markets.values(), market.spec.base, market.spec.quote)
    return "" if price is None else number(price)


def recent_trades(call: Call) -> Answer:
    """GET market/recent-trade, newest first."""
    call.params.category()
    market, limit = required_market(call), call.params.limit(60, 60)
    trades = list(market.trades)[-limit:][::-1]
    return Answer({"category": "spot", "list": [_trade(call.venue, trade) for trade in trades]})


def _trade(venue: Venue, trade: PublicTrade) -> dict[str, object]:
    return {
        "execId": venue.ids.trade(trade.symbol, trade.trade_id),
        "symbol": trade.symbol,
        "price": number(trade.price),
        "size": number(trade.quantity),
        "side": "Sell" if trade.buyer_is_maker else "Buy",
        "time": str(trade.time),
        "isBlockTrade": False,
        "isRPITrade": False,
        "seq": str(venue.books.seq(trade.symbol)),
    }


def klines(call: Call) -> Answer:
    """GET market/kline, newest first. Without a category the exchange shows another product, which is not here."""
    if call.params.text("category", "linear") != "spot":
        raise errors.bad_parameter("only category spot is served")
    symbol = required_market(call).spec.name
    interval = call.params.one_of("interval", (*INTERVALS, *_CALENDAR))
    if not interval:
        raise errors.bad_parameter("interval is required")
    start, end = call.params.integer("start"), call.params.integer("end")
    limit = call.params.limit(200, 1000)
    candles = [
        candle
        for candle in candles_of(call.venue, symbol, interval, call.now)
        if (start is None or candle.start >= start) and (end is None or candle.start <= end)
    ]
    # With a start alone the oldest are wanted; otherwise the newest.
    chosen = candles[:limit] if start is not None and end is None else candles[-limit:]
    return Answer({"category": "spot", "symbol": symbol, "list": [_row(candle) for candle in reversed(chosen)]})


def candles_of(venue: Venue, symbol: str, interval: str, now: int) -> list[Candle]:
    """The remembered candles, oldest first."""
    length = INTERVALS.get(interval)
    if length is not None:
        return venue.statistics.candles(symbol, length).candles(now)
    return regrouped(venue.statistics.candles(symbol, DAY_MS).candles(now), _CALENDAR[interval])


def _row(candle: Candle) -> list[str]:
    prices = (candle.open, candle.high, candle.low, candle.close, candle.volume, candle.quote_volume)
    return [str(candle.start), *(number(value) for value in prices)]


def price_limit(call: Call) -> Answer:
    """GET market/price-limit."""
    if call.params.text("category", "linear") != "spot":
        raise errors.bad_parameter("only category spot is served")
    market = required_market(call)
    return Answer({**price_bounds(market), "ts": str(call.now)}, message="")


def price_bounds(market: Market) -> dict[str, object]:
    """Between which prices orders may be placed now."""
    spec = market.spec
    highest, lowest = market.last_price * spec.price_multiplier_up, market.last_price * spec.ask_multiplier_down
    highest, lowest = highest // spec.tick * spec.tick, -(-lowest // spec.tick) * spec.tick
    return {"symbol": spec.name, "buyLmt": number(highest), "sellLmt": number(lowest)}
