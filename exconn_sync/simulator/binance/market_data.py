"""Public data: handlers of the calls that need no key."""

import json
from collections.abc import Callable, Iterable, Reversible
from itertools import islice
from typing import TypeVar

from exconn_sync.simulator.binance import errors
from exconn_sync.simulator.binance.params import Params
from exconn_sync.simulator.binance.symbol_info import (
    DEFAULT_PERMISSIONS,
    PERMISSIONS,
    exchange_info,
    has_permission,
    rate_limit,
    rate_limits,
)
from exconn_sync.simulator.binance.venue import Call
from exconn_sync.simulator.binance.wire import number
from exconn_sync.simulator.core.events import Level, PublicTrade
from exconn_sync.simulator.core.exchange import Market
from exconn_sync.simulator.core.orders import Side
from exconn_sync.simulator.core.symbols import ZERO, SymbolStatus

_Row = TypeVar("_Row")
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
    return _info(call, rate_limits(call.venue.limits))


def ws_info(call: Call) -> object:
    """The same over the WebSocket API, which alone tells how many connections are allowed."""
    connections = rate_limit("CONNECTIONS", "MINUTE", 5, call.venue.limits.connections_per_5m)
    return _info(call, [*rate_limits(call.venue.limits), connections])


def _info(call: Call, limits: list[dict[str, object]]) -> object:
    params = call.params
    wanted_status, permissions = status_of(params), _permissions(params)
    is_named = params.peek("symbol") is not None or params.peek("symbols") is not None
    if is_named and (wanted_status is not None or permissions is not None):
        raise errors.bad_combination()
    markets = chosen_markets(call)
    shows_sets = params.flag("showPermissionSets", default=True)
    params.finish()
    if not is_named:
        asked = permissions or DEFAULT_PERMISSIONS
        markets = [market for market in markets if has_permission(market.spec, asked)]
        markets = [market for market in markets if wanted_status in (None, market.spec.status)]
    specs = (market.spec for market in markets)
    exchange = call.venue.exchange
    pools = exchange.router.pools
    return exchange_info(limits, specs, call.time(call.now), exchange.rules, pools, shows_sets=shows_sets)


def depth(call: Call) -> object:
    """The book as it stands."""
    market = required_market(call)
    limit = call.params.limit(100, MAX_DEPTH)
    check_status(market, status_of(call.params))
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
    return [public_trade(trade, call.unit) for trade in newest(market.trades, limit)]


def newest(rows: Reversible[_Row], limit: int) -> list[_Row]:
    """The last rows of a long list, oldest first."""
    return list(islice(reversed(rows), limit))[::-1]


def price_ticker(call: Call) -> object:
    """Last prices."""
    return one_or_many(call, lambda market: {"symbol": market.spec.name, "price": number(market.last_price)})


def book_ticker(call: Call) -> object:
    """Best bids and asks."""
    return one_or_many(call, _book_ticker)


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
        raise errors.bad_combination()
    if symbol is not None:
        return [known_market(call, symbol)]
    if symbols is not None:
        return [known_market(call, name) for name in symbol_list(symbols)]
    return list(call.venue.exchange.markets.values())


def symbol_list(text: str) -> list[str]:
    """The names in a JSON array."""
    names = _names("symbols", text)
    if len(set(names)) < len(names):
        raise errors.ApiError(-1151, "Symbol is present multiple times in the list.")
    return names


def count_of_symbols(params: Params) -> int:
    """How many symbols a request names, roughly: what is malformed is refused later."""
    if params.peek("symbol"):
        return 1
    listed = (params.peek("symbols") or "").strip("[] ")
    return listed.count(",") + 1 if listed else 0


def status_of(params: Params) -> SymbolStatus | None:
    """The status that the symbols must have, where one was asked for."""
    name = params.optional("symbolStatus")
    if name is None:
        return None
    try:
        return SymbolStatus[name]
    except KeyError:
        raise errors.ApiError(-1122, "Invalid symbolStatus.") from None


def check_status(market: Market, wanted: SymbolStatus | None) -> None:
    """Refuse a single symbol whose status is another one."""
    if wanted not in (None, market.spec.status):
        raise errors.ApiError(-1220, "The symbol's status does not match the requested symbolStatus.")


def _names(field: str, text: str) -> list[str]:
    legal = '^\\[("[\\w\\-._&&[^a-z]]{1,50}"(,"[\\w\\-._&&[^a-z]]{1,50}"){0,})?\\]$'
    try:
        names = json.loads(text)
    except ValueError as error:
        raise errors.illegal_characters(field, legal) from error
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise errors.illegal_characters(field, legal)
    return names


def _permissions(params: Params) -> frozenset[str] | None:
    """One permission or an array of them."""
    text = params.optional("permissions")
    if text is None:
        return None
    names = frozenset(_names("permissions", text) if text.startswith("[") else [text])
    if not names or not names <= PERMISSIONS:
        raise errors.ApiError(-1130, "Data sent for parameter 'permissions' is not valid.")
    return names


def level_texts(levels: Iterable[Level]) -> list[list[str]]:
    """Levels as the wire shows them."""
    return [[number(price), number(quantity)] for price, quantity in levels]


def depth_weight(params: Params) -> int:
    """More levels cost more."""
    text = params.peek("limit") or "100"
    if not text.isascii() or not text.isdecimal():
        return 5
    for most, weight in ((100, 5), (500, 25), (1000, 50)):
        # As text: Python refuses to make a number of thousands of digits.
        if len(text.lstrip("0")) < 5 and int(text.lstrip("0") or "0") <= most:
            return weight
    return 250


def ticker_weight(params: Params) -> int:
    """One symbol is cheaper than several."""
    return 2 if params.peek("symbol") else 4


def one_or_many(
    call: Call, row: Callable[[Market], dict[str, object]], *, required: bool = False, most: int | None = None
) -> object:
    """An object for ``symbol``; an array for ``symbols`` or, where none is required, for all of them.

    A single symbol of another status than the one asked for is an error, among several it is left out.
    """
    params = call.params
    markets = chosen_markets(call)
    is_single, wanted = params.peek("symbol") is not None, status_of(params)
    params.finish()
    if required and (not markets or (not is_single and params.peek("symbols") is None)):
        raise errors.missing_parameter("symbol")
    if most is not None and len(markets) > most:
        raise errors.too_many_parameters(most, len(markets))
    if is_single:
        check_status(markets[0], wanted)
        return row(markets[0])
    return [row(market) for market in markets if wanted in (None, market.spec.status)]


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


def public_trade(trade: PublicTrade, unit: int) -> dict[str, object]:
    """One trade as the lists of trades show it."""
    return {
        "id": trade.trade_id,
        "price": number(trade.price),
        "qty": number(trade.quantity),
        "quoteQty": number(trade.price * trade.quantity),
        "time": trade.time * unit,
        "isBuyerMaker": trade.buyer_is_maker,
        "isBestMatch": True,
    }
