"""How many connections may be attempted, kept by pyrate-limiter and shared by everybody in this process.

Its blocking acquire is not used: it sleeps in a way that a stop cannot break, and its background thread would have to
be tidied up. The caller is told how long to wait and waits itself. Requests are counted elsewhere: their counts follow
what the exchange says is used, which a log of what was taken cannot.
"""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING

from exconn_sync.model.limits import LONGEST_SILENCE
from exconn_sync.ports.forking import renew_in_child

if TYPE_CHECKING:
    from pyrate_limiter import InMemoryBucket


class ConnectBudget:
    """How many connections may still be attempted to one host (fault F019). Thread-safe; never blocks.

    Never more than ``amount`` within any ``period_ms``, wherever it begins: exchanges count attempts by address in a
    window of which nobody knows when it began. Times are milliseconds of the monotonic clock.
    """

    def __init__(self, amount: int, period_ms: int) -> None:
        from pyrate_limiter import InMemoryBucket, Rate, SlidingWindowLog

        self._period_ms = period_ms
        self._bucket = InMemoryBucket([Rate(amount, period_ms)], SlidingWindowLog())
        self._held_until_ms = 0
        # Guards the bucket, and until when nobody connects.
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
            if now_ms < self._held_until_ms:
                return (self._held_until_ms - now_ms) / 1000
            at_ms = _in_order(self._bucket, now_ms, self._period_ms)
            self._bucket.leak(at_ms)
            item = RateItem("connect", at_ms)
            if self._bucket.put(item):
                return 0.0
            wait_ms = self._bucket.waiting(item)
            wait_ms = wait_ms if isinstance(wait_ms, int) and wait_ms > 0 else self._period_ms
            return (at_ms - now_ms + wait_ms) / 1000

    def hold(self, seconds: float, now_ms: int) -> None:
        """Allow no attempt for so long: the exchange has asked for it. Never shortens an earlier hold."""
        with self._lock:
            self._held_until_ms = max(self._held_until_ms, now_ms + int(min(seconds, LONGEST_SILENCE) * 1000))

    def is_held(self, now_ms: int) -> bool:
        """Return whether it is the exchange that allows none, and not the count."""
        return now_ms < self._held_until_ms


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


_connect_budgets: dict[str, ConnectBudget] = {}
_budgets_lock = threading.Lock()


def _renew_lock() -> None:
    global _budgets_lock
    _budgets_lock = threading.Lock()


os.register_at_fork(after_in_child=_renew_lock)


def connect_budget(host: str, amount: int, period_ms: int) -> ConnectBudget:
    """Return the budget of connection attempts to a host, shared by the process and kept for its life.

    Who asks first sets ``amount`` and ``period_ms``.
    """
    with _budgets_lock:
        budget = _connect_budgets.get(host)
        if budget is None:
            budget = _connect_budgets[host] = ConnectBudget(amount, period_ms)
        return budget
