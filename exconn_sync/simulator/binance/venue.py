"""What all parts of the face share, and one call on it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random

from exconn_sync.simulator.binance.figures import INTERVALS
from exconn_sync.simulator.binance.limits import OrderCounter, WeightMeter
from exconn_sync.simulator.binance.params import Params
from exconn_sync.simulator.binance.security import Security, TimeWindow
from exconn_sync.simulator.clock import VenueClock
from exconn_sync.simulator.core.exchange import Exchange
from exconn_sync.simulator.core.statistics import TradeStatistics
from exconn_sync.simulator.core.trade_history import TradeHistory
from exconn_sync.simulator.keys import ApiKey, KeyTable
from exconn_sync.simulator.rate_limits import RateLimits
from exconn_sync.simulator.traffic import Traffic

_ID_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
_ID_LENGTH = 22


class Venue:
    """The exchange behind the face, its clock, its keys and its limits."""

    def __init__(
        self,
        exchange: Exchange,
        clock: VenueClock,
        keys: KeyTable,
        limits: RateLimits,
        seed: int,
        traffic: Traffic | None = None,
    ) -> None:
        self.exchange = exchange
        self.clock = clock
        self.keys = keys
        self.limits = limits
        self.traffic = traffic or Traffic()
        self.weights = WeightMeter(limits, self.traffic)
        self.order_counts = OrderCounter(limits, self.traffic)
        self.statistics = TradeStatistics(exchange, INTERVALS.values())
        self.history = TradeHistory(exchange)
        self._random = Random(f"client ids {seed}")
        exchange.listeners.append(self.order_counts.hear)

    def new_client_id(self) -> str:
        """An id for an order or cancel that came without one."""
        return "".join(self._random.choices(_ID_LETTERS, k=_ID_LENGTH))


@dataclass(slots=True)
class Call:
    """One request, whichever way it came. ``unit`` is 1 for answers in milliseconds, 1000 for microseconds."""

    venue: Venue
    params: Params
    unit: int = 1
    key: ApiKey | None = None
    window: TimeWindow | None = None
    placed_order: bool = field(default=False, init=False)
    """Set by a handler that placed an order: its answer tells the order counts."""

    @property
    def now(self) -> int:
        """The venue's time in ms."""
        return self.venue.clock.now_ms()

    @property
    def account(self) -> str:
        """The account of a signed call."""
        return self.known_key.account

    @property
    def known_key(self) -> ApiKey:
        """The key of a signed call."""
        if self.key is None:
            raise LookupError("a handler asked for the account of an unsigned call")
        return self.key

    def time(self, ms: int) -> int:
        """A time in the unit the caller wants."""
        return ms * self.unit

    def check_before_matching(self) -> None:
        """The late look at the time window, right before the matching engine."""
        if self.window is not None:
            self.window.check_before_matching(self.venue.clock.now_us())

    def look_at_time_now(self) -> None:
        """Look at the time window at this moment and never again, however late the matching engine is reached."""
        self.check_before_matching()
        self.window = None


Handler = Callable[[Call], object]


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A call the exchange offers: who may make it, what it costs, what it does."""

    handler: Handler
    weight: Callable[[Params], int]
    security: Security = Security.NONE
    free_on_success: bool = False
