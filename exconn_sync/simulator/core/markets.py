"""What the venue keeps about one symbol."""

from collections import deque
from decimal import Decimal
from itertools import takewhile

from exconn_sync.simulator.core.book import OrderBook
from exconn_sync.simulator.core.events import Level, Listener, PublicTrade
from exconn_sync.simulator.core.orders import SimOrder
from exconn_sync.simulator.core.symbols import ZERO, SymbolSpec
from exconn_sync.simulator.core.triggers import TriggerBook

HOUSE = "house"
"""The account of the generated market: rich, unfiltered, and forgotten by the registry."""

REMEMBERED_TRADES = 20_000
_MINUTE_MS = 60_000


class Market:
    """The book, the waiting stop orders and the trades of one symbol."""

    def __init__(self, spec: SymbolSpec, listener: Listener) -> None:
        self.spec = spec
        self.book = OrderBook(spec.name, listener)
        self.triggers = TriggerBook()
        self.trades: deque[PublicTrade] = deque(maxlen=REMEMBERED_TRADES)
        self.last_price = spec.start_price
        self.next_trade_id = 1
        self.next_prevented_id = 0
        self.next_allocation_id = 0
        self.top: tuple[Level | None, Level | None] = (None, None)

    @property
    def last_trade_time(self) -> int:
        """When it traded last (ms), 0 if it never did."""
        return self.trades[-1].time if self.trades else 0

    def withdraw(self, order: SimOrder) -> None:
        """Take an open order away from where it waits or rests; one that has not been placed is nowhere."""
        if order.order_id in self.triggers:
            self.triggers.remove(order.order_id)
        elif order.working_at is not None:
            self.book.remove(order.order_id, order.side, order.resting_price)

    def average_price(self, now: int) -> Decimal:
        """The price to which filters compare others."""
        return self.mean_price(self.spec.average_minutes, now)

    def mean_price(self, minutes: int, now: int) -> Decimal:
        """The mean price weighted by volume over the last minutes; the last price without a trade in them."""
        since = now - minutes * _MINUTE_MS
        volume = quote = ZERO
        for trade in takewhile(lambda trade: trade.time > since, reversed(self.trades)):
            volume += trade.quantity
            quote += trade.price * trade.quantity
        return quote / volume if volume else self.last_price
