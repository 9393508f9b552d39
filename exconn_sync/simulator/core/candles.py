"""Candles of every length, kept up to date trade by trade."""

from collections import deque
from dataclasses import dataclass
from decimal import Decimal

from exconn_sync.simulator.core.events import PublicTrade
from exconn_sync.simulator.core.symbols import ZERO

REMEMBERED_CANDLES = 1500
DAY_MS = 86_400_000


@dataclass(slots=True)
class Candle:
    """What was traded in one span of time; without a trade all prices are the last known one."""

    start: int
    length: int
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: Decimal = ZERO
    quote_volume: Decimal = ZERO
    buyer_volume: Decimal = ZERO
    """What takers bought."""
    buyer_quote_volume: Decimal = ZERO
    trades: int = 0
    first_trade_id: int = -1
    last_trade_id: int = -1

    @property
    def end(self) -> int:
        """The last millisecond that belongs to it."""
        return self.start + self.length - 1

    def add(self, trade: PublicTrade) -> None:
        """Count a trade."""
        if self.trades == 0:
            self.open = self.high = self.low = trade.price
            self.first_trade_id = trade.trade_id
        self.high = max(self.high, trade.price)
        self.low = min(self.low, trade.price)
        self.close = trade.price
        quote = trade.price * trade.quantity
        self.volume += trade.quantity
        self.quote_volume += quote
        if not trade.buyer_is_maker:
            self.buyer_volume += trade.quantity
            self.buyer_quote_volume += quote
        self.trades += 1
        self.last_trade_id = trade.trade_id

    def join(self, later: "Candle") -> None:
        """Count what another candle has counted, which does not begin before this one."""
        if not later.trades:
            return
        if self.trades == 0:
            self.open, self.high, self.low = later.open, later.high, later.low
            self.first_trade_id = later.first_trade_id
        self.high, self.low = max(self.high, later.high), min(self.low, later.low)
        self.close = later.close
        self.volume += later.volume
        self.quote_volume += later.quote_volume
        self.buyer_volume += later.buyer_volume
        self.buyer_quote_volume += later.buyer_quote_volume
        self.trades += later.trades
        self.last_trade_id = later.last_trade_id


class CandleSeries:
    """The candles of one length, without a gap from the first trade on."""

    def __init__(self, length: int, price: Decimal) -> None:
        self.length = length
        self._price = price
        self._candles: deque[Candle] = deque(maxlen=REMEMBERED_CANDLES)

    def add(self, trade: PublicTrade) -> None:
        """Count a trade."""
        self.at(trade.time).add(trade)
        self._price = trade.price

    def at(self, now: int) -> Candle:
        """The newest candle, after those between the last one and now were made."""
        start = now // self.length * self.length
        if not self._candles:
            self._append(start)
        # Only as many as are kept; a clock that goes backwards adds to the newest one.
        missing = (start - self._candles[-1].start) // self.length
        for back in range(min(missing, REMEMBERED_CANDLES) - 1, -1, -1):
            self._append(start - back * self.length)
        return self._candles[-1]

    def previous(self) -> Candle | None:
        """The candle before the newest one."""
        return self._candles[-2] if len(self._candles) > 1 else None

    def candles(self, now: int) -> list[Candle]:
        """All remembered candles up to now, oldest first."""
        self.at(now)
        return list(self._candles)

    def _append(self, start: int) -> None:
        price = self._price
        self._candles.append(Candle(start, self.length, price, price, price, price))


class RollingDay:
    """What was traded in the last 24 hours, to the minute."""

    def __init__(self, minutes: CandleSeries) -> None:
        self._minutes = minutes

    def summary(self, now: int) -> Candle:
        """One candle over the day that ends now."""
        recent = [candle for candle in self._minutes.candles(now) if candle.start > now - DAY_MS]
        day = Candle(recent[0].start, DAY_MS, recent[0].open, recent[0].high, recent[0].low, recent[-1].close)
        for candle in recent:
            day.join(candle)
        return day
