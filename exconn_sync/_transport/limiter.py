"""The request budgets of one exchange host, kept by pyrate-limiter and shared by everybody in this process.

pyrate-limiter's buckets do the counting, with its fixed windows, which reset with the exchange's clock. Its blocking
acquire is not used: it sleeps in a way that a stop cannot break, and its background thread would have to be tidied up.
The caller is told how long to wait and waits itself.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING

from exconn_sync.model.wire import Cost, RateRule

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
        """Return the time to use with a bucket, whose entries must stay in order: it forgets too much otherwise.

        Threads come with times that are a little behind each other, and the clock is corrected from time to time. A
        little behind counts as the newest time; after a large correction all that was taken counts as taken now.
        """
        from pyrate_limiter import RateItem

        newest_ms = bucket.items[-1].timestamp if bucket.items else now_ms
        if newest_ms <= now_ms:
            return now_ms
        if newest_ms - now_ms < self._intervals[limit]:
            return newest_ms
        bucket.items[:] = [RateItem(item.name, now_ms, weight=item.weight) for item in bucket.items]
        return now_ms


_budgets: dict[str, Budget] = {}
_budgets_lock = threading.Lock()


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
