"""Public data: handlers of the calls that need no key."""

import json
from collections.abc import Callable, Iterable

from exconn_sync.simulator.binance import errors
from exconn_sync.simulator.binance.params import Params
from exconn_sync.simulator.binance.symbol_info import exchange_info, rate_limits
from exconn_sync.simulator.binance.venue import Call
from exconn_sync.simulator.binance.wire import number
from exconn_sync.simulator.core.events import Level, PublicTrade
from exconn_sync.simulator.core.exchange import Market
from exconn_sync.simulator.core.orders import Side
from exconn_sync.simulator.core.symbols import ZERO

MAX_DEPTH = 5000
MAX_ROWS = 1000


def ping(call: Call) -> object:
    """Nothing, quickly."""
    call.params.finish()
    return {}


def server_time(call: Call) -> object:
    """The venue's clock."""
    call.params.finish()
    clock = call.venue.clock
    return {"serverTime": clock.now_ms() if call.unit == 1 else clock.now_us()}


def info(call: Call) -> object:
    """Limits, symbols and filters."""
    markets = chosen_markets(call)
    call.params.optional("permissions")
    call.params.flag("showPermissionSets", default=True)
    call.params.optional("symbolStatus")
    call.params.finish()
    specs, rules = (market.spec for market in markets), call.venue.exchange.rules
    return exchange_info(rate_limits(call.venue.limits), specs, call.time(call.now), rules)


def depth(call: Call) -> object:
    """The book as it stands."""
    market = required_market(call)
    limit = call.params.limit(100, MAX_DEPTH)
    call.params.finish()
    return {
        "lastUpdateId": market.book.update_id,
        "bids": level_texts(market.book.levels(Side.BUY, limit)),
        "asks": level_texts(market.book.levels(Side.SELL, limit)),
    }


def trades(call: Call) -> object:
    """The newest trades, oldest first."""
    market = required_market(call)
    limit = call.params.limit(500, MAX_ROWS)
    call.params.finish()
    return [_trade(trade, call.unit) for trade in list(market.trades)[-limit:]]


def price_ticker(call: Call) -> object:
    """Last prices."""
    return _one_or_many(call, lambda market: {"symbol": market.spec.name, "price": number(market.last_price)})


def book_ticker(call: Call) -> object:
    """Best bids and asks."""
    return _one_or_many(call, _book_ticker)


def required_market(call: Call) -> Market:
    """The market of the mandatory symbol."""
    return known_market(call, call.params.required("symbol"))


def known_market(call: Call, symbol: str) -> Market:
    """The market of a symbol, or the exchange's error."""
    market = call.venue.exchange.markets.get(symbol)
    if market is None:
        raise errors.bad_symbol()
    return market


def chosen_markets(call: Call) -> list[Market]:
    """The markets that ``symbol`` or ``symbols`` name; all of them without either."""
    symbol, symbols = call.params.optional("symbol"), call.params.optional("symbols")
    if symbol is not None and symbols is not None:
        raise errors.ApiError(-1128, "Combination of optional parameters invalid.")
    if symbol is not None:
        return [known_market(call, symbol)]
    if symbols is not None:
        return [known_market(call, name) for name in symbol_list(symbols)]
    return list(call.venue.exchange.markets.values())


def symbol_list(text: str) -> list[str]:
    """The names in a JSON array."""
    legal = '^\\[("[A-Z0-9-_.]{1,20}"(,"[A-Z0-9-_.]{1,20}"){0,}){0,1}\\]$'
    try:
        names = json.loads(text)
    except ValueError as error:
        raise errors.illegal_characters("symbols", legal) from error
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise errors.illegal_characters("symbols", legal)
    if len(set(names)) < len(names):
        raise errors.ApiError(-1151, "Symbol is present multiple times in the list.")
    return names


def level_texts(levels: Iterable[Level]) -> list[list[str]]:
    """Levels as the wire shows them."""
    return [[number(price), number(quantity)] for price, quantity in levels]


def depth_weight(params: Params) -> int:
    """More levels cost more."""
    text = params.peek("limit") or "100"
    limit = int(text) if text.isdecimal() and len(text) < 10 else 100
    for most, weight in ((100, 5), (500, 25), (1000, 50)):
        if limit <= most:
            return weight
    return 250


def ticker_weight(params: Params) -> int:
    """One symbol is cheaper than several."""
    return 2 if params.peek("symbol") else 4


def _one_or_many(call: Call, row: Callable[[Market], dict[str, object]]) -> object:
    markets = chosen_markets(call)
    is_single = call.params.optional("symbol") is not None
    call.params.optional("symbolStatus")
    call.params.finish()
    return row(markets[0]) if is_single else [row(market) for market in markets]


def _book_ticker(market: Market) -> dict[str, object]:
    bid = market.book.best(Side.BUY) or (ZERO, ZERO)
    ask = market.book.best(Side.SELL) or (ZERO, ZERO)
    return {
        "symbol": market.spec.name,
        "bidPrice": number(bid[0]),
        "bidQty": number(bid[1]),
        "askPrice": number(ask[0]),
        "askQty": number(ask[1]),
    }


def _trade(trade: PublicTrade, unit: int) -> dict[str, object]:
    return {
        "id": trade.trade_id,
        "price": number(trade.price),
        "qty": number(trade.quantity),
        "quoteQty": number(trade.price * trade.quantity),
        "time": trade.time * unit,
        "isBuyerMaker": trade.buyer_is_maker,
        "isBestMatch": True,
    }
