"""Budgets of Bybit spot and what each request takes from them (Bybit: 3)."""

from __future__ import annotations

from exconn_sync.exchanges.bybit import endpoints as urls
from exconn_sync.model.limits import Lane
from exconn_sync.model.wire import Cost, RateRule
from exconn_sync.ports.driver import StreamLimits

REQUESTS = "REQUESTS"

_SECOND_MS = 1_000

PER_SECOND = {
    ("POST", urls.CREATE): 20,
    ("POST", urls.AMEND): 10,
    ("POST", urls.CANCEL): 20,
    ("POST", urls.CANCEL_ALL): 20,
    ("POST", urls.CREATE_BATCH): 20,
    ("POST", urls.AMEND_BATCH): 20,
    ("POST", urls.CANCEL_BATCH): 20,
    ("POST", urls.SET_DCP): 5,
    ("GET", urls.REALTIME): 50,
    ("GET", urls.HISTORY): 50,
    ("GET", urls.EXECUTIONS): 50,
    ("GET", urls.BORROW_CHECK): 50,
    ("GET", urls.WALLET_BALANCE): 50,
    ("GET", urls.ACCOUNT_INFO): 50,
    ("GET", urls.WITHDRAWAL): 50,
    ("GET", urls.SETTING_CONFIG): 50,
    ("GET", urls.FEE_RATE): 5,
    ("GET", urls.QUERY_DCP): 5,
    ("GET", urls.SMP_GROUP): 5,
    ("GET", urls.ACCOUNT_INSTRUMENTS): 10,
    ("GET", urls.TRANSACTION_LOG): 25,
    ("POST", urls.SET_PRICE_ACTION): 10,
    ("GET", urls.KEY_INFO): 10,
    ("GET", urls.COIN_BALANCES): 5,
}
"""What an account of the default tier may do with each endpoint in any second (Bybit: 3.2)."""

RATE_RULES = (
    RateRule(REQUESTS, 600, 5 * _SECOND_MS, is_rolling=True),
    *(
        RateRule(path, amount, _SECOND_MS, is_per_account=True, is_rolling=True)
        for (_, path), amount in PER_SECOND.items()
    ),
    RateRule(urls.DEMO_MONEY, 1, 60 * _SECOND_MS, is_per_account=True, is_rolling=True),
)

PROCESSING_LIMIT_MS = 10_000
"""Bybit documents no time after which a request is dropped: this is what it may take until nothing is owed any more."""

MOST_IN_BATCH = 10
"""Orders in one batch (Bybit: 3.3)."""

LONGEST_TOPIC = 42
"""Characters of a topic: 500 of them fit into the 21,000 that one connection may have (Bybit: 3.4)."""

BAN = 600.0
"""Seconds until the exchange lifts the ban of an address that asked too much (Bybit: 2.2)."""

STREAM_LIMITS = StreamLimits(
    topics_per_connection=500,
    topics_per_request=10,
    requests_per_second=10,
    connections=500,
    connections_period=300.0,
    ping_every=20.0,
    bans={403: BAN},
)

_CANCELS = frozenset({urls.CANCEL, urls.CANCEL_ALL, urls.CANCEL_BATCH})
_URGENT = frozenset({urls.TIME, urls.INSTRUMENTS, urls.REALTIME})
_LIMITED = {path for _, path in PER_SECOND} | {urls.DEMO_MONEY}


def costs_of(path: str, orders: int = 1) -> tuple[Cost, ...]:
    """Return the costs of a request; a batch costs its ``orders``, not 1 (Bybit: 3.3)."""
    costs = (Cost(REQUESTS, 1),)
    return (*costs, Cost(path, orders)) if path in _LIMITED else costs


def lane_of(method: str, path: str) -> Lane | None:
    """Return how urgent a request is where its kind alone does not say it."""
    if method == "POST":
        return Lane.CANCEL if path in _CANCELS else None
    return Lane.QUERY if path in _URGENT else None
