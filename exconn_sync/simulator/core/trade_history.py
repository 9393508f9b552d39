"""What taker orders traded on every symbol, price by price; the single trades are the market's own."""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from exconn_sync.simulator.core.events import CommandEnded, Event, PublicTrade
from exconn_sync.simulator.core.exchange import Exchange
from exconn_sync.simulator.core.symbols import ZERO

REMEMBERED = 20_000


@dataclass(frozen=True, slots=True)
class Aggregate:
    """What one taker order traded at one price."""

    aggregate_id: int
    price: Decimal
    quantity: Decimal
    first_trade_id: int
    last_trade_id: int
    time: int
    buyer_is_maker: bool


class _Symbol:
    """The history of one symbol."""

    def __init__(self) -> None:
        self.aggregates: deque[Aggregate] = deque(maxlen=REMEMBERED)
        self._open: list[PublicTrade] = []
        self._aggregate_id = 0

    def add(self, trade: PublicTrade) -> None:
        """Take a trade; another price begins another aggregate."""
        if self._open and self._open[-1].price != trade.price:
            self.close()
        self._open.append(trade)

    def close(self) -> None:
        """Complete the aggregate of the command that ended."""
        if not self._open:
            return
        trades, self._open = self._open, []
        self._aggregate_id += 1
        first = trades[0]
        self.aggregates.append(
            Aggregate(
                self._aggregate_id,
                first.price,
                sum((trade.quantity for trade in trades), ZERO),
                first.trade_id,
                trades[-1].trade_id,
                first.time,
                first.buyer_is_maker,
            )
        )


class TradeHistory:
    """Listens to trades and remembers the newest aggregates of each symbol; bursts of the house have none."""

    def __init__(self, exchange: Exchange) -> None:
        self._symbols = {symbol: _Symbol() for symbol in exchange.markets}
        exchange.listeners.append(self.hear)

    def hear(self, event: Event) -> None:
        """Take an event of the core."""
        if isinstance(event, PublicTrade):
            self._symbols[event.symbol].add(event)
        elif isinstance(event, CommandEnded):
            self._symbols[event.symbol].close()

    def aggregates(self, symbol: str) -> Sequence[Aggregate]:
        """The remembered aggregates, oldest first."""
        return self._symbols[symbol].aggregates
