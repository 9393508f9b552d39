"""Budgets of Binance spot and what each request takes from them (Binance: 4, 5.1)."""

from __future__ import annotations

from exconn_sync.exchanges.binance.endpoints import (
    ACCOUNT,
    DEPTH,
    EXCHANGE_INFO,
    MY_TRADES,
    OPEN_ORDERS,
    ORDER,
    TIME,
    TRADES,
)
from exconn_sync.model.wire import Cost, RateRule
from exconn_sync.ports.driver import StreamLimits

REQUEST_WEIGHT = "REQUEST_WEIGHT"
RAW_REQUESTS = "RAW_REQUESTS"
ORDERS_10S = "ORDERS_10S"
ORDERS_1D = "ORDERS_1D"

_SECOND_MS = 1_000
_MINUTE_MS = 60 * _SECOND_MS
_DAY_MS = 24 * 60 * _MINUTE_MS

RATE_RULES = (
    RateRule(REQUEST_WEIGHT, 6_000, _MINUTE_MS),
    RateRule(RAW_REQUESTS, 300_000, 5 * _MINUTE_MS),
    RateRule(ORDERS_10S, 50, 10 * _SECOND_MS),
    RateRule(ORDERS_1D, 160_000, _DAY_MS),
)

# Binance counts five messages a second, pongs among them (Binance: 8.1): one is left for those. It documents no number
# of topics a request; this one keeps a request below 10 kB.
STREAM_LIMITS = StreamLimits(topics_per_connection=1_024, topics_per_request=200, requests_per_second=4)

PROCESSING_LIMIT_MS = 10_000
"""How long Binance waits for its matching engine before it answers -1007 (Binance: 2)."""

_DEPTH_STEPS = ((100, 5), (500, 25), (1_000, 50))
_DEPTH_MOST = 250

_WEIGHTS = {
    ("GET", "/api/v3/ping"): 1,
    ("GET", TIME): 1,
    ("GET", EXCHANGE_INFO): 20,
    ("GET", "/api/v3/executionRules"): 40,
    ("GET", DEPTH): _DEPTH_MOST,
    ("GET", TRADES): 25,
    ("GET", "/api/v3/historicalTrades"): 25,
    ("GET", "/api/v3/historicalBlockTrades"): 25,
    ("GET", "/api/v3/aggTrades"): 4,
    ("GET", "/api/v3/klines"): 2,
    ("GET", "/api/v3/uiKlines"): 2,
    ("GET", "/api/v3/avgPrice"): 2,
    ("GET", "/api/v3/ticker/24hr"): 80,
    ("GET", "/api/v3/ticker/tradingDay"): 200,
    ("GET", "/api/v3/ticker"): 200,
    ("GET", "/api/v3/ticker/price"): 4,
    ("GET", "/api/v3/ticker/bookTicker"): 4,
    ("GET", "/api/v3/referencePrice"): 2,
    ("GET", "/api/v3/referencePrice/calculation"): 2,
    ("POST", "/api/v3/order/test"): 20,
    ("POST", "/api/v3/sor/order/test"): 20,
    ("PUT", "/api/v3/order/amend/keepPriority"): 4,
    ("GET", ACCOUNT): 20,
    ("GET", ORDER): 4,
    ("GET", OPEN_ORDERS): 80,
    ("GET", "/api/v3/allOrders"): 20,
    ("GET", "/api/v3/orderList"): 4,
    ("GET", "/api/v3/openOrderList"): 6,
    ("GET", "/api/v3/allOrderList"): 20,
    ("GET", MY_TRADES): 20,
    ("GET", "/api/v3/rateLimit/order"): 40,
    ("GET", "/api/v3/account/commission"): 20,
    ("GET", "/api/v3/myPreventedMatches"): 20,
    ("GET", "/api/v3/myAllocations"): 20,
    ("GET", "/api/v3/order/amendments"): 4,
    ("GET", "/api/v3/myFilters"): 40,
}
"""Weight by method and path; where it depends on the parameters, the highest one."""

_ORDERS_PLACED = {
    "/api/v3/order": 1,
    "/api/v3/order/cancelReplace": 1,
    "/api/v3/sor/order": 1,
    "/api/v3/order/oco": 2,
    "/api/v3/orderList/oco": 2,
    "/api/v3/orderList/oto": 2,
    "/api/v3/orderList/opo": 2,
    "/api/v3/orderList/otoco": 3,
    "/api/v3/orderList/opoco": 3,
}
"""Orders that a POST adds to the count of unfilled ones."""


def costs_of_weight(weight: int) -> tuple[Cost, ...]:
    """Return the costs of a request that places no order."""
    return Cost(REQUEST_WEIGHT, weight), Cost(RAW_REQUESTS, 1)


def costs_of(method: str, path: str) -> tuple[Cost, ...]:
    """Return the costs of a request; a path on no table counts with a weight of 1.

    Accepted orders and cancels are weightless since April 2026, failed ones are not (Binance: 4): what counts here is
    the price of a failure, because nobody knows before.
    """
    costs = costs_of_weight(_WEIGHTS.get((method, path), 1))
    placed = _ORDERS_PLACED.get(path, 0) if method == "POST" else 0
    return (*costs, Cost(ORDERS_10S, placed), Cost(ORDERS_1D, placed)) if placed else costs


def depth_costs(limit: int) -> tuple[Cost, ...]:
    """Return the costs of an order book of ``limit`` levels a side."""
    return costs_of_weight(next((weight for most, weight in _DEPTH_STEPS if limit <= most), _DEPTH_MOST))


OPEN_ORDERS_OF_SYMBOL = costs_of_weight(6)
FILLS_OF_ORDER = costs_of_weight(5)
