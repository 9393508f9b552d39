"""What a request costs of the request weight, by path and parameters (Binance: 5.1)."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from exconn_sync.exchanges.binance import endpoints as urls
from exconn_sync.model.wire import Params

_OTHERWISE = 1
"""The weight of a path that is on no table."""

_FIXED = {
    ("GET", urls.PING): 1,
    ("GET", urls.TIME): 1,
    ("GET", urls.EXCHANGE_INFO): 20,
    ("GET", urls.TRADES): 25,
    ("GET", urls.HISTORICAL_TRADES): 25,
    ("GET", "/api/v3/historicalBlockTrades"): 25,
    ("GET", urls.AGGREGATE_TRADES): 4,
    ("GET", urls.KLINES): 2,
    ("GET", "/api/v3/uiKlines"): 2,
    ("GET", urls.AVERAGE_PRICE): 2,
    ("GET", "/api/v3/referencePrice"): 2,
    ("GET", "/api/v3/referencePrice/calculation"): 2,
    ("PUT", "/api/v3/order/amend/keepPriority"): 4,
    ("GET", urls.ACCOUNT): 20,
    ("GET", urls.ORDER): 4,
    ("GET", "/api/v3/allOrders"): 20,
    ("GET", "/api/v3/orderList"): 4,
    ("GET", "/api/v3/openOrderList"): 6,
    ("GET", "/api/v3/allOrderList"): 20,
    ("GET", "/api/v3/rateLimit/order"): 40,
    ("GET", "/api/v3/account/commission"): 20,
    ("GET", "/api/v3/myAllocations"): 20,
    ("GET", "/api/v3/order/amendments"): 4,
    ("GET", "/api/v3/myFilters"): 40,
}

_DEPTH_STEPS = ((100, 5), (500, 25), (1_000, 50))
_DEPTH_MOST = 250
_DEPTH_LIMIT = "100"
_DEPTH_DIGITS = 10
_DAY_STEPS = ((20, 2), (100, 40))
_DAY_MOST = 80


def weight_of(method: str, path: str, params: Params = ()) -> int:
    """Return the weight of a request as documented for its parameters; 1 for a path on no table."""
    by_params = _BY_PARAMS.get((method, path))
    return _FIXED.get((method, path), _OTHERWISE) if by_params is None else by_params(dict(params))


def _of_depth(params: Mapping[str, str]) -> int:
    text = params.get("limit", _DEPTH_LIMIT)
    if not text.isascii() or not text.isdigit() or len(text) >= _DEPTH_DIGITS:
        # The exchange cuts a larger one to what it has. How it reads other texts is not documented: not too little.
        return _DEPTH_MOST
    limit = int(text)
    return next((weight for most, weight in _DEPTH_STEPS if limit <= most), _DEPTH_MOST)


def _of_day_ticker(params: Mapping[str, str]) -> int:
    count = _symbols_in(params)
    steps = _DAY_STEPS if count else ()
    return next((weight for most, weight in steps if count <= most), _DAY_MOST)


def _per_symbol(each: int, most: int) -> Callable[[Mapping[str, str]], int]:
    """Return the weight of calls that cost ``each`` for every symbol; those that name none cost the most."""

    def weight(params: Mapping[str, str]) -> int:
        return min(each * _symbols_in(params), most) or most

    return weight


def _with(name: str, cheap: int, dear: int) -> Callable[[Mapping[str, str]], int]:
    """Return the weight of calls that are cheap where a parameter narrows them down."""
    return lambda params: cheap if params.get(name) else dear


def _of_test(params: Mapping[str, str]) -> int:
    return 20 if params.get("computeCommissionRates", "").lower() == "true" else 1


def _symbols_in(params: Mapping[str, str]) -> int:
    """Return how many symbols are asked for, 0 where none is named. A symbol holds neither quotes nor commas."""
    if params.get("symbol"):
        return 1
    listed = params.get("symbols", "").strip().strip("[]").strip()
    return listed.count(",") + 1 if listed else 0


_BY_PARAMS: Mapping[tuple[str, str], Callable[[Mapping[str, str]], int]] = {
    ("GET", urls.DEPTH): _of_depth,
    ("GET", urls.DAY_TICKER): _of_day_ticker,
    ("GET", urls.TRADING_DAY_TICKER): _per_symbol(4, 200),
    ("GET", urls.WINDOW_TICKER): _per_symbol(4, 200),
    ("GET", urls.EXECUTION_RULES): _per_symbol(2, 40),
    ("GET", urls.PRICE_TICKER): _with("symbol", 2, 4),
    ("GET", urls.BOOK_TICKER): _with("symbol", 2, 4),
    ("GET", urls.OPEN_ORDERS): _with("symbol", 6, 80),
    ("GET", urls.MY_TRADES): _with("orderId", 5, 20),
    ("GET", "/api/v3/myPreventedMatches"): _with("preventedMatchId", 2, 20),
    ("POST", "/api/v3/order/test"): _of_test,
    ("POST", "/api/v3/sor/order/test"): _of_test,
}
