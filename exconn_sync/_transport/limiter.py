"""The request budgets of one exchange host, kept by pyrate-limiter and shared by everybody in this process.

pyrate-limiter's buckets do the counting, with its fixed windows, which reset with the exchange's clock. Its blocking
acquire is not used: it sleeps in a way that a stop cannot break, and its background thread would have to be tidied up.
The caller is told how long to wait and waits itself.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING

from exconn_sync.model.wire import Cost, RateRule
from exconn_sync.ports.forking import renew_in_child

if TYPE_CHECKING:
    from pyrate_limiter import InMemoryBucket

_MARGIN_MS = 5


class Budget:
    """What may still be asked of one exchange host. Thread-safe; never blocks.

    Times are milliseconds of the exchange's clock, because its windows are aligned to it.
    """

    def __init__(self, rules: Sequence[RateRule]) -> None:
        from pyrate_limiter import FixedWindow, InMemoryBucket, Rate

        self._intervals = {rule.limit: rule.interval_ms for rule in rules}
        self._buckets: dict[str, InMemoryBucket] = {
            rule.limit: InMemoryBucket([Rate(rule.amount, rule.interval_ms)], FixedWindow()) for rule in rules
        }
        # Guards taking from several buckets in one step.
        self._lock = threading.Lock()
        self._silent_until_ms = 0
        renew_in_child(self)

    def renew_in_child(self) -> None:
        """Replace all locks in a forked child, those of the buckets too; what was used stays used (fault F128)."""
        from pyrate_limiter import FixedWindow, InMemoryBucket

        self._lock = threading.Lock()
        for limit, old in list(self._buckets.items()):
            bucket = InMemoryBucket(old.rates, FixedWindow())
            bucket.items[:] = old.items
            self._buckets[limit] = bucket

    def take(self, costs: Sequence[Cost], now_ms: int) -> float:
        """Take all costs or none; return 0.0 when taken, else the seconds after which to ask again."""
        from pyrate_limiter import RateItem

        with self._lock:
            if now_ms < self._silent_until_ms:
                return (self._silent_until_ms - now_ms) / 1000
            taken: list[tuple[InMemoryBucket, int]] = []
            for cost in costs:
                bucket = self._buckets.get(cost.limit)
                if bucket is None or cost.amount == 0:
                    continue
                at_ms = self._ordered(cost.limit, bucket, now_ms)
                bucket.leak(at_ms)
                item = RateItem(cost.limit, at_ms, weight=cost.amount)
                if not bucket.put(item):
                    for other, amount in taken:
                        del other.items[-amount:]
                    wait_ms = bucket.waiting(item)
                    # A cost above the whole budget never fits (-1), and asking again at once would not help.
                    wait_ms = wait_ms if isinstance(wait_ms, int) and wait_ms >= 0 else self._intervals[cost.limit]
                    return (at_ms - now_ms + wait_ms + _MARGIN_MS) / 1000
                taken.append((bucket, cost.amount))
        return 0.0

    def silence(self, seconds: float, now_ms: int) -> None:
        """Let nothing pass for a while: the exchange said so (429, 418)."""
        with self._lock:
            self._silent_until_ms = max(self._silent_until_ms, now_ms + int(seconds * 1000))

    def used(self, limit: str, now_ms: int) -> int:
        """Return what this process has taken of a limit in the present window."""
        with self._lock:
            bucket = self._buckets.get(limit)
            if bucket is None:
                return 0
            bucket.leak(self._ordered(limit, bucket, now_ms))
            return bucket.count()

    def _ordered(self, limit: str, bucket: InMemoryBucket, now_ms: int) -> int:
        """Return the time to use with a bucket."""
        return _in_order(bucket, now_ms, self._intervals[limit])


class ConnectBudget:
    """How many connections may still be attempted to one host (fault F019). Thread-safe; never blocks.

    Never more than ``amount`` within any ``period_ms``, wherever it begins: exchanges count attempts by address in a
    window of which nobody knows when it began. Times are milliseconds of the monotonic clock.
    """

    def __init__(self, amount: int, period_ms: int) -> None:
        from pyrate_limiter import InMemoryBucket, Rate, SlidingWindowLog

        self._period_ms = period_ms
        self._bucket = InMemoryBucket([Rate(amount, period_ms)], SlidingWindowLog())
        # Guards the bucket.
        self._lock = threading.Lock()
        renew_in_child(self)

    def renew_in_child(self) -> None:
        """Replace all locks in a forked child; the attempts of the parent still count for this address (fault F128)."""
        from pyrate_limiter import InMemoryBucket, SlidingWindowLog

        self._lock = threading.Lock()
        old, self._bucket = self._bucket, InMemoryBucket(self._bucket.rates, SlidingWindowLog())
        self._bucket.items[:] = old.items

    def take(self, now_ms: int) -> float:
        """Take one attempt and return 0.0, or return the seconds after which to ask again."""
        from pyrate_limiter import RateItem

        with self._lock:
            at_ms = _in_order(self._bucket, now_ms, self._period_ms)
            self._bucket.leak(at_ms)
            item = RateItem("connect", at_ms)
            if self._bucket.put(item):
                return 0.0
            wait_ms = self._bucket.waiting(item)
            wait_ms = wait_ms if isinstance(wait_ms, int) and wait_ms > 0 else self._period_ms
            return (at_ms - now_ms + wait_ms) / 1000


def _in_order(bucket: InMemoryBucket, now_ms: int, interval_ms: int) -> int:
    """Return the time to use with a bucket, whose entries must stay in order: it forgets too much otherwise.

    Threads come with times that are a little behind each other, and the clock is corrected from time to time. A
    little behind counts as the newest time; after a large correction all that was taken counts as taken now.
    """
    from pyrate_limiter import RateItem

    newest_ms = bucket.items[-1].timestamp if bucket.items else now_ms
    if newest_ms <= now_ms:
        return now_ms
    if newest_ms - now_ms < interval_ms:
        return newest_ms
    bucket.items[:] = [RateItem(item.name, now_ms, weight=item.weight) for item in bucket.items]
    return now_ms


_budgets: dict[str, Budget] = {}
_connect_budgets: dict[str, ConnectBudget] = {}
_budgets_lock = threading.Lock()


def _renew_lock() -> None:
    global _budgets_lock
    _budgets_lock = threading.Lock()


os.register_at_fork(after_in_child=_renew_lock)


def shared_budget(host: str, rules: Sequence[RateRule]) -> Budget:
    """Return the budget of a host that all connectors of this process share.

    It stays for the life of the process, because the exchange goes on counting: a connector that is started again
    begins with what its predecessor left. Programs talk to a handful of hosts.
    """
    with _budgets_lock:
        budget = _budgets.get(host)
        if budget is None:
            budget = _budgets[host] = Budget(rules)
        return budget


def connect_budget(host: str, amount: int, period_ms: int) -> ConnectBudget:
    """Return the budget of connection attempts to a host, shared by the process like ``shared_budget``.

    Who asks first sets ``amount`` and ``period_ms``.
    """
    with _budgets_lock:
        budget = _connect_budgets.get(host)
        if budget is None:
            budget = _connect_budgets[host] = ConnectBudget(amount, period_ms)
        return budget
