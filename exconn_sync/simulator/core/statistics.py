"""Trade statistics of every symbol, for whoever shows candles and daily figures."""

from collections.abc import Collection

from exconn_sync.simulator.core.candles import Candle, CandleSeries, RollingDay
from exconn_sync.simulator.core.events import Event, PublicTrade
from exconn_sync.simulator.core.exchange import Exchange

MINUTE_MS = 60_000


class TradeStatistics:
    """Listens to trades and keeps candles of the wanted lengths, those of a minute always."""

    def __init__(self, exchange: Exchange, lengths_ms: Collection[int]) -> None:
        self._series = {
            symbol: {length: CandleSeries(length, market.last_price) for length in {MINUTE_MS, *lengths_ms}}
            for symbol, market in exchange.markets.items()
        }
        exchange.listeners.append(self.hear)

    def hear(self, event: Event) -> None:
        """Take an event of the core."""
        if isinstance(event, PublicTrade):
            for series in self._series[event.symbol].values():
                series.add(event)

    def candles(self, symbol: str, length_ms: int) -> CandleSeries:
        """The candles of one length."""
        return self._series[symbol][length_ms]

    def day(self, symbol: str, now: int) -> Candle:
        """The last 24 hours."""
        return RollingDay(self._series[symbol][MINUTE_MS]).summary(now)
