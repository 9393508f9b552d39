"""Rate limits: request weight for an address, unfilled orders for an account. Windows follow the clock."""

from collections import defaultdict

from exconn_sync.simulator.binance import errors
from exconn_sync.simulator.core.events import Event, Execution, OrderEvent
from exconn_sync.simulator.rate_limits import RateLimits

MINUTE_MS = 60_000
_BAN_MS = 120_000
_STRIKES_BEFORE_BAN = 10


class WindowCounter:
    """Counts by key in windows that start at whole multiples of their length."""

    def __init__(self, length_ms: int) -> None:
        self.length_ms = length_ms
        self._window = 0
        self._counts: defaultdict[str, int] = defaultdict(int)

    def count(self, key: str, now: int) -> int:
        """The count in the present window."""
        self._roll(now)
        return self._counts[key]

    def add(self, key: str, amount: int, now: int) -> None:
        """Change the count, never below zero."""
        self._roll(now)
        self._counts[key] = max(0, self._counts[key] + amount)

    def resets_at(self, now: int) -> int:
        """When the present window ends."""
        return (now // self.length_ms + 1) * self.length_ms

    def _roll(self, now: int) -> None:
        window = now // self.length_ms
        if window != self._window:
            self._window = window
            self._counts.clear()


class WeightMeter:
    """Request weight of each address; those who go on after a refusal are banned."""

    def __init__(self, limits: RateLimits) -> None:
        self._limits = limits
        self._used = WindowCounter(MINUTE_MS)
        self._strikes = WindowCounter(MINUTE_MS)
        self._banned_until: dict[str, int] = {}

    def used(self, address: str, now: int) -> int:
        """The weight used in this minute."""
        return self._used.count(address, now)

    def add(self, address: str, weight: int, now: int) -> None:
        """Charge for a request."""
        self._used.add(address, weight, now)

    def admit(self, address: str, weight: int, now: int) -> None:
        """Refuse a request for which no weight is left."""
        until = self._banned_until.get(address, 0)
        if until > now:
            raise errors.banned(until)
        limit = self._limits.weight_per_minute
        if self._used.count(address, now) + weight <= limit:
            return
        self._strikes.add(address, 1, now)
        if self._strikes.count(address, now) > _STRIKES_BEFORE_BAN:
            self._banned_until[address] = now + _BAN_MS
            raise errors.banned(now + _BAN_MS)
        raise errors.too_much_weight(limit, self._used.resets_at(now))


class OrderCounter:
    """Unfilled orders of each account: one more for an accepted order, fewer when it first trades."""

    _TAKER_CREDIT = 1
    _MAKER_CREDIT = 5

    def __init__(self, limits: RateLimits) -> None:
        self._limits = limits
        self._short = WindowCounter(10_000)
        self._long = WindowCounter(86_400_000)

    def counts(self, account: str, now: int) -> tuple[int, int]:
        """The counts of the present 10 seconds and of the present day."""
        return self._short.count(account, now), self._long.count(account, now)

    def admit(self, account: str, now: int) -> None:
        """Refuse an order when the account has placed too many."""
        short, long = self.counts(account, now)
        if long >= self._limits.orders_per_day:
            raise errors.too_many_orders(self._limits.orders_per_day, "1 DAY", self._long.resets_at(now))
        if short >= self._limits.orders_per_10s:
            raise errors.too_many_orders(self._limits.orders_per_10s, "10 SECOND", self._short.resets_at(now))

    def add(self, account: str, amount: int, now: int) -> None:
        """Change both counts."""
        self._short.add(account, amount, now)
        self._long.add(account, amount, now)

    def hear(self, event: Event) -> None:
        """Follow accepted orders and first fills."""
        if not isinstance(event, OrderEvent):
            return
        if event.execution is Execution.NEW:
            self.add(event.order.account, 1, event.time)
        elif event.fill is not None and event.order.filled_quantity == event.fill.quantity:
            credit = self._MAKER_CREDIT if event.fill.is_maker else self._TAKER_CREDIT
            self.add(event.order.account, -credit, event.time)
