"""What the venue keeps about one symbol."""

from collections import deque
from decimal import Decimal

from exconn_sync.simulator.core.book import OrderBook
from exconn_sync.simulator.core.events import Level, Listener, PublicTrade
from exconn_sync.simulator.core.symbols import ZERO, SymbolSpec
from exconn_sync.simulator.core.triggers import TriggerBook

HOUSE = "house"
"""The account of the generated market: rich, unfiltered, and forgotten by the registry."""

REMEMBERED_TRADES = 1000
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

    def average_price(self, now: int) -> Decimal:
        """The price to which filters compare others: the mean by volume over the last minutes, or the last price."""
        since = now - self.spec.average_minutes * _MINUTE_MS
        recent = [trade for trade in self.trades if trade.time > since] if self.spec.average_minutes else []
        volume = sum((trade.quantity for trade in recent), ZERO)
        if volume == ZERO:
            return self.last_price
        return sum((trade.price * trade.quantity for trade in recent), ZERO) / volume
