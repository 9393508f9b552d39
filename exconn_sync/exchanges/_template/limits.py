"""Budgets of the exchange, what each request takes from them, and what answers say is used.

Look up: each limit with its window and whether it counts by address or by account; the cost of each path; the headers
that tell what is used; the limits on streams.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import urlsplit

from exconn_sync.exchanges._template import endpoints as urls
from exconn_sync.model.limits import Lane, UsedFigure
from exconn_sync.model.wire import Cost, HttpResponse, RateRule
from exconn_sync.ports.driver import StreamLimits

REQUESTS, ORDERS = "REQUESTS", "ORDERS"

_MINUTE_MS, _SECOND_MS = 60_000, 1_000

RATE_RULES = (
    RateRule(REQUESTS, 1200, _MINUTE_MS),
    RateRule(ORDERS, 50, _SECOND_MS, is_per_account=True),
)

PROCESSING_LIMIT_MS = 5_000
"""How long the exchange may work on a request before it gives up; where nobody says, choose too long a time."""

STREAM_LIMITS = StreamLimits(topics_per_connection=200, topics_per_request=50, requests_per_second=5)

USED_HEADER = "x-used-requests"

_COUNT = re.compile(r"[0-9]{1,9}", re.ASCII)
_BEARERS_OF_MANY = {urls.OPEN_ORDERS: 5, urls.SYMBOLS: 10}
_URGENT = frozenset({urls.TIME, urls.SYMBOLS})


def costs_of(method: str, path: str) -> tuple[Cost, ...]:
    """Return what a request takes; each cost names a rule of ``RATE_RULES``."""
    costs = (Cost(REQUESTS, _BEARERS_OF_MANY.get(path, 1)),)
    return (*costs, Cost(ORDERS, 1)) if (method, path) == ("POST", urls.ORDERS) else costs


def lane_of(method: str, path: str) -> Lane | None:
    """Return how urgent a request is where its kind alone does not say it: cancels go before everything else."""
    if method == "DELETE":
        return Lane.CANCEL
    return Lane.QUERY if method == "GET" and path in _URGENT else None


def used_figures(response: HttpResponse) -> list[UsedFigure]:
    """Return what is used of the requests of this minute; nothing where the answer does not say it."""
    text = response.headers.get(USED_HEADER, "")
    return [UsedFigure(REQUESTS, _MINUTE_MS, int(text))] if _COUNT.fullmatch(text) else []


def budget_name(endpoints: Mapping[str, str]) -> str:
    """Return what stands for the hosts that count together; here each counts on its own."""
    return f"{urls.EXCHANGE}:{urlsplit(endpoints[urls.REST]).netloc}"
