"""Rate limits: weight and number of requests of an address, unfilled orders of an account. Windows follow the clock."""

from collections import defaultdict
from collections.abc import Callable

from exconn_sync.simulator.binance import errors
from exconn_sync.simulator.core.events import Event, Execution, OrderEvent
from exconn_sync.simulator.rate_limits import RateLimits
from exconn_sync.simulator.traffic import Traffic

DAY_MS = 86_400_000
_RAW_WINDOW_MS = 300_000
_LONGEST_BAN_MS = 3 * DAY_MS


def window_of(seconds: int) -> tuple[str, int]:
    """Return the length of a window in the exchange's words: the unit and how many of it."""
    return ("MINUTE", seconds // 60) if seconds % 60 == 0 else ("SECOND", seconds)


def window_text(seconds: int) -> str:
    """Return the length of a window as messages tell it."""
    unit, number = window_of(seconds)
    return f"{number} {unit}"


class WindowCounter:
    """Counts by key in windows that start at whole multiples of their length, which may change."""

    def __init__(self, length_ms: Callable[[], int]) -> None:
        self._length_ms = length_ms
        self._window = (0, 0)
        self._counts: defaultdict[str, int] = defaultdict(int)

    def count(self, key: str, now: int) -> int:
        """The count in the present window."""
        self._roll(now)
        return self._counts[key]

    def add(self, key: str, amount: int, now: int) -> None:
        """Change the count, never below zero."""
        self._roll(now)
        self._counts[key] = max(0, self._counts[key] + amount)

    def give_back(self, key: str, amount: int, added_at: int, now: int) -> None:
        """Undo what was added a moment ago, unless that was in another window."""
        length = self._length_ms()
        if added_at // length == now // length:
            self.add(key, -amount, now)

    def resets_at(self, now: int) -> int:
        """When the present window ends."""
        length = self._length_ms()
        return (now // length + 1) * length

    def _roll(self, now: int) -> None:
        length = self._length_ms()
        window = (now // length, length)
        if window != self._window:
            self._window = window
            self._counts.clear()


class WeightMeter:
    """Weight and number of the requests of each address; those who go on after a refusal are banned.

    Attributes:
        on_ban: called with each address that is banned from now on.
    """

    def __init__(self, limits: RateLimits, traffic: Traffic) -> None:
        self._limits = limits
        self._breaches = traffic.breaches
        self._used = WindowCounter(lambda: limits.weight_window_s * 1000)
        self._strikes = WindowCounter(lambda: limits.weight_window_s * 1000)
        self._raw = WindowCounter(lambda: _RAW_WINDOW_MS)
        self._banned_until: dict[str, int] = {}
        self._bans: defaultdict[str, int] = defaultdict(int)
        self.on_ban: list[Callable[[str], None]] = []

    def used(self, address: str, now: int) -> int:
        """The weight used in this window."""
        return self._used.count(address, now)

    def admit_raw(self, address: str, now: int) -> None:
        """Count a request of REST, whatever it is, and refuse it when there were too many."""
        self._check_ban(address, now)
        limit = self._limits.raw_requests_per_5m
        if self._raw.count(address, now) >= limit:
            self._breaches.raw_requests += 1
            self._strike(address, now)
            raise errors.too_many_requests(limit, self._raw.resets_at(now))
        self._raw.add(address, 1, now)

    def admit(self, address: str, weight: int, now: int) -> None:
        """Charge for a request, or refuse it when too little weight is left."""
        self._check_ban(address, now)
        limit = self._limits.weight_per_minute
        if self._used.count(address, now) + weight > limit:
            self._breaches.weight += 1
            self._strike(address, now)
            raise errors.too_much_weight(limit, self._used.resets_at(now), window_text(self._limits.weight_window_s))
        self._used.add(address, weight, now)

    def give_back(self, address: str, weight: int, admitted_at: int, now: int) -> None:
        """Let a request that succeeded be free."""
        self._used.give_back(address, weight, admitted_at, now)

    def _check_ban(self, address: str, now: int) -> None:
        until = self._banned_until.get(address, 0)
        if until > now:
            self._breaches.during_ban += 1
            raise errors.banned(until)

    def _strike(self, address: str, now: int) -> None:
        self._strikes.add(address, 1, now)
        if self._strikes.count(address, now) <= self._limits.strikes_before_ban:
            return
        length_ms = min(self._limits.ban_s * 1000 * 2 ** self._bans[address], _LONGEST_BAN_MS)
        self._bans[address] += 1
        self._breaches.bans += 1
        until = self._banned_until[address] = now + length_ms
        for tell in self.on_ban:
            tell(address)
        raise errors.banned(until)


class OrderCounter:
    """Unfilled orders of each account: one more for an accepted order, fewer when it first trades."""

    _TAKER_CREDIT = 1
    _MAKER_CREDIT = 5

    def __init__(self, limits: RateLimits, traffic: Traffic) -> None:
        self._limits = limits
        self._breaches = traffic.breaches
        self._short = WindowCounter(lambda: limits.order_window_s * 1000)
        self._long = WindowCounter(lambda: DAY_MS)

    def counts(self, account: str, now: int) -> tuple[int, int]:
        """The counts of the present 10 seconds and of the present day."""
        return self._short.count(account, now), self._long.count(account, now)

    def admit(self, account: str, now: int, amount: int = 1) -> None:
        """Refuse orders when the account has placed too many."""
        short, long = self.counts(account, now)
        limits = self._limits
        if long + amount > limits.orders_per_day:
            self._breaches.orders += 1
            raise errors.too_many_orders(limits.orders_per_day, "1 DAY", self._long.resets_at(now))
        if short + amount > limits.orders_per_10s:
            self._breaches.orders += 1
            window = window_text(limits.order_window_s)
            raise errors.too_many_orders(limits.orders_per_10s, window, self._short.resets_at(now))

    def add(self, account: str, amount: int, now: int) -> None:
        """Change both counts; once the day's limit is reached, the other one grows no more."""
        if amount < 0 or self._long.count(account, now) < self._limits.orders_per_day:
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
