"""What all parts of the face share, and one call on it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from exconn_sync.simulator.bybit.books import Books
from exconn_sync.simulator.bybit.ids import WireIds
from exconn_sync.simulator.bybit.limits import AddressGuard, EndpointQuotas
from exconn_sync.simulator.bybit.notes import NoteBook
from exconn_sync.simulator.bybit.params import Params
from exconn_sync.simulator.bybit.security import Access
from exconn_sync.simulator.clock import VenueClock
from exconn_sync.simulator.core.candles import DAY_MS
from exconn_sync.simulator.core.exchange import Exchange
from exconn_sync.simulator.core.statistics import TradeStatistics
from exconn_sync.simulator.keys import ApiKey, KeyTable
from exconn_sync.simulator.order_switches import OrderSwitches
from exconn_sync.simulator.rate_limits import RateLimits
from exconn_sync.simulator.traffic import Traffic

if TYPE_CHECKING:
    from exconn_sync.simulator.bybit.dcp import DisconnectGuard
    from exconn_sync.simulator.bybit.order_desk import OrderDesk

_MINUTE = 60_000
MINUTES = (1, 3, 5, 15, 30, 60, 120, 240, 360, 720)
_FIRST_UID = 24_600_000


class Venue:
    """The exchange behind the face, its clock, its keys and its limits."""

    def __init__(
        self,
        exchange: Exchange,
        clock: VenueClock,
        keys: KeyTable,
        limits: RateLimits,
        traffic: Traffic,
        switches: OrderSwitches,
        *,
        is_demo: bool = False,
    ) -> None:
        self.exchange = exchange
        self.clock = clock
        self.keys = keys
        self.traffic = traffic
        self.switches = switches
        self.is_demo = is_demo
        self.addresses = AddressGuard(limits, traffic)
        self.quotas = EndpointQuotas(limits, traffic)
        self.ids = WireIds(exchange.markets)
        self.notes = NoteBook()
        self.books = Books(exchange)
        self.statistics = TradeStatistics(exchange, [*(minutes * _MINUTE for minutes in MINUTES), DAY_MS])
        self.cache_lost_at = 0
        """Orders that ended before are remembered in the history only."""
        switches.on_cache_loss.append(self._lose_cache)

    def uid(self, account: str) -> int:
        """The number of an account's user."""
        return _FIRST_UID + list(self.exchange.accounts).index(account)

    def _lose_cache(self) -> None:
        self.cache_lost_at = self.clock.now_ms()


@dataclass(slots=True)
class Call:
    """One request, whichever way it came."""

    venue: Venue
    params: Params
    desk: "OrderDesk"
    guard: "DisconnectGuard"
    key: ApiKey | None = None

    @property
    def now(self) -> int:
        """The venue's time in ms."""
        return self.venue.clock.now_ms()

    @property
    def known_key(self) -> ApiKey:
        """The key of a signed call."""
        if self.key is None:
            raise LookupError("a handler asked for the account of an unsigned call")
        return self.key

    @property
    def account(self) -> str:
        """The account of a signed call."""
        return self.known_key.account


@dataclass(frozen=True, slots=True)
class Answer:
    """The ``result`` of a call, and its ``retExtInfo``."""

    result: object
    extra: object = field(default_factory=dict)
    message: str = "OK"


Handler = Callable[[Call], Answer]


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A call the exchange offers: who may make it, how often in a second, what it does."""

    handler: Handler
    access: Access = Access.PUBLIC
    per_second: int | None = None
    is_batch: bool = False
    """Whether its quota counts the orders in it; the handler takes from it by itself."""
    in_demo: bool = True
