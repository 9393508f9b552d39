"""Budgets of Binance spot and what each request takes from them (Binance: 4, 5.1)."""

from __future__ import annotations

from exconn_sync.exchanges.binance.endpoints import EXCHANGE_INFO, ORDER, TIME
from exconn_sync.exchanges.binance.weights import weight_of
from exconn_sync.model.limits import Lane
from exconn_sync.model.wire import Cost, Params, RateRule
from exconn_sync.ports.driver import StreamLimits

REQUEST_WEIGHT = "REQUEST_WEIGHT"
RAW_REQUESTS = "RAW_REQUESTS"
ORDERS = "ORDERS"
FILL_CREDIT = 1
"""What the first fill of an order gives back of the unfilled ones: as a taker one, as a maker more (Binance: 4).

How much more is not documented; the next answer to an order tells.
"""

_SECOND_MS = 1_000
_MINUTE_MS = 60 * _SECOND_MS
_DAY_MS = 24 * 60 * _MINUTE_MS

RATE_RULES = (
    RateRule(REQUEST_WEIGHT, 6_000, _MINUTE_MS),
    RateRule(RAW_REQUESTS, 300_000, 5 * _MINUTE_MS),
    RateRule(ORDERS, 50, 10 * _SECOND_MS, is_per_account=True, fill_credit=FILL_CREDIT),
    RateRule(ORDERS, 160_000, _DAY_MS, is_per_account=True, fill_credit=FILL_CREDIT),
)

# Binance counts five messages a second, pongs among them (Binance: 8.1): one is left for those. It documents no number
# of topics a request; this one keeps a request below 10 kB.
STREAM_LIMITS = StreamLimits(topics_per_connection=1_024, topics_per_request=200, requests_per_second=4)

PROCESSING_LIMIT_MS = 10_000
"""How long Binance waits for its matching engine before it answers -1007 (Binance: 2)."""

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

_CANCELS = frozenset({"/api/v3/order", "/api/v3/openOrders", "/api/v3/orderList"})
"""What a DELETE cancels orders with."""
_URGENT = frozenset({TIME, EXCHANGE_INFO, ORDER})


def costs_of(method: str, path: str, params: Params = ()) -> tuple[Cost, ...]:
    """Return the costs of a request; a path on no table counts with a weight of 1.

    Accepted orders and cancels are weightless since April 2026, failed ones are not (Binance: 4): what counts here is
    the price of a failure, because nobody knows before; a success gives it back.
    """
    is_free = (method == "POST" and path in _ORDERS_PLACED) or (method == "DELETE" and path in _CANCELS)
    weight = Cost(REQUEST_WEIGHT, weight_of(method, path, params), is_free_on_success=is_free)
    placed = _ORDERS_PLACED.get(path, 0) if method == "POST" else 0
    costs = weight, Cost(RAW_REQUESTS, 1)
    return (*costs, Cost(ORDERS, placed)) if placed else costs


def lane_of(method: str, path: str) -> Lane | None:
    """Return how urgent a request is where its kind alone does not say it.

    Looks for orders, the clock and the rules of the symbols are never bulk, whoever asks.
    """
    if method == "DELETE":
        return Lane.CANCEL if path in _CANCELS else None
    return Lane.QUERY if method == "GET" and path in _URGENT else None
