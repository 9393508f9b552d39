"""The trades of every symbol, further back than the book's face shows them, one by one and as aggregates."""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from exconn_sync.simulator.core.events import CommandEnded, Event, PublicTrade, TradeBurst
from exconn_sync.simulator.core.exchange import Exchange
from exconn_sync.simulator.core.symbols import ZERO

REMEMBERED = 20_000
_MINUTE_MS = 60_000


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
        self.trades: deque[PublicTrade] = deque(maxlen=REMEMBERED)
        self.aggregates: deque[Aggregate] = deque(maxlen=REMEMBERED)
        self._open: list[PublicTrade] = []
        self._aggregate_id = 0

    def add(self, trade: PublicTrade) -> None:
        """Take a trade; another price begins another aggregate."""
        if self._open and self._open[-1].price != trade.price:
            self.close()
        self._open.append(trade)
        self.trades.append(trade)

    def burst(self, burst: TradeBurst) -> None:
        """Take many trades of the house with itself; they have no aggregates."""
        for index in range(max(0, burst.count - REMEMBERED), burst.count):
            trade_id = burst.first_trade_id + index
            trade = PublicTrade(burst.symbol, trade_id, burst.price, burst.quantity, burst.time, buyer_is_maker=False)
            self.trades.append(trade)

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
    """Listens to trades and remembers the newest of each symbol."""

    def __init__(self, exchange: Exchange) -> None:
        self._symbols = {symbol: _Symbol() for symbol in exchange.markets}
        exchange.listeners.append(self.hear)

    def hear(self, event: Event) -> None:
        """Take an event of the core."""
        if isinstance(event, PublicTrade):
            self._symbols[event.symbol].add(event)
        elif isinstance(event, CommandEnded):
            self._symbols[event.symbol].close()
        elif isinstance(event, TradeBurst):
            self._symbols[event.symbol].burst(event)

    def trades(self, symbol: str) -> Sequence[PublicTrade]:
        """The remembered trades, oldest first."""
        return self._symbols[symbol].trades

    def aggregates(self, symbol: str) -> Sequence[Aggregate]:
        """The remembered aggregates, oldest first."""
        return self._symbols[symbol].aggregates

    def average(self, symbol: str, minutes: int, now: int) -> tuple[Decimal, int] | None:
        """The mean price weighted by volume, and the time of the last trade; None for a symbol that never traded.

        Without a trade in the span, or with a span of zero, the last trade before counts alone.
        """
        trades = self._symbols[symbol].trades
        if not trades:
            return None
        volume = quote = ZERO
        for trade in reversed(trades):
            if trade.time <= now - minutes * _MINUTE_MS:
                break
            volume += trade.quantity
            quote += trade.price * trade.quantity
        last = trades[-1]
        return (quote / volume if volume else last.price), last.time
