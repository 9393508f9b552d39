"""The streams of rolling windows and of all symbols at once, of average and of reference prices (Binance: 8.3)."""

from exconn_sync.simulator.binance.figures import derived_figures, numbers
from exconn_sync.simulator.binance.history import AVERAGE_MINUTES
from exconn_sync.simulator.binance.statistics_feed import mini_ticker_event
from exconn_sync.simulator.binance.streams import StreamRegistry
from exconn_sync.simulator.binance.venue import Venue
from exconn_sync.simulator.binance.wire import number
from exconn_sync.simulator.core.candles import DAY_MS, Candle
from exconn_sync.simulator.core.exchange import Market
from exconn_sync.simulator.core.periods import joined

_MINUTE_MS = 60_000
_HOUR_MS = 60 * _MINUTE_MS
WINDOWS = {"1h": _HOUR_MS, "4h": 4 * _HOUR_MS, "1d": DAY_MS}
_ALL_MINI = "!miniTicker@arr"


class WindowFeed:
    """Sends once a second what changed; of single symbols always."""

    def __init__(self, venue: Venue, registry: StreamRegistry) -> None:
        self._venue = venue
        self._registry = registry
        self._next_trade_ids: dict[str, int] = {}

    def tick(self, now: int) -> None:
        """Called every second."""
        markets = list(self._venue.exchange.markets.values())
        changed = [market for market in markets if self._next_trade_ids.get(market.spec.name) != market.next_trade_id]
        self._next_trade_ids = {market.spec.name: market.next_trade_id for market in markets}
        for window, length in WINDOWS.items():
            for market in markets:
                stream = f"{market.spec.name.lower()}@ticker_{window}"
                if self._registry.is_wanted(stream):
                    self._publish_window(stream, market, window, length, now)
            self._publish_all_windows([market for market in changed if market.trades], window, length, now)
        self._publish_all_mini([market for market in changed if market.trades], now)
        for market in markets:
            self._publish_average(market, now)
            self._publish_reference(market)

    def _publish_window(self, stream: str, market: Market, window: str, length: int, now: int) -> None:
        clock, span = self._venue.clock, self._span(market, length, now)
        symbol = market.spec.name
        self._registry.publish(stream, lambda unit: window_event(symbol, window, span, now, clock.now_in(unit), unit))

    def _publish_all_windows(self, markets: list[Market], window: str, length: int, now: int) -> None:
        stream, clock = f"!ticker_{window}@arr", self._venue.clock
        if not markets or not self._registry.is_wanted(stream):
            return
        spans = [(market.spec.name, self._span(market, length, now)) for market in markets]
        self._registry.publish(
            stream,
            lambda unit: [window_event(symbol, window, span, now, clock.now_in(unit), unit) for symbol, span in spans],
        )

    def _publish_all_mini(self, markets: list[Market], now: int) -> None:
        clock = self._venue.clock
        if not markets or not self._registry.is_wanted(_ALL_MINI):
            return
        days = [(market.spec.name, self._venue.statistics.day(market.spec.name, now)) for market in markets]
        self._registry.publish(
            _ALL_MINI, lambda unit: [mini_ticker_event(symbol, day, clock.now_in(unit)) for symbol, day in days]
        )

    def _publish_average(self, market: Market, now: int) -> None:
        symbol, clock = market.spec.name, self._venue.clock
        stream = f"{symbol.lower()}@avgPrice"
        if not self._registry.is_wanted(stream):
            return
        price, last = market.mean_price(AVERAGE_MINUTES, now), market.last_trade_time
        payload = {"s": symbol, "i": f"{AVERAGE_MINUTES}m", "w": number(price)}
        self._registry.publish(
            stream, lambda unit: {"e": "avgPrice", "E": clock.now_in(unit), **payload, "T": last * unit}
        )

    def _publish_reference(self, market: Market) -> None:
        symbol = market.spec.name
        found = self._venue.exchange.references.get(symbol)
        if found is None:
            return
        price = None if found.price is None else number(found.price)
        self._registry.publish(
            f"{symbol.lower()}@referencePrice",
            lambda unit: {"e": "referencePrice", "s": symbol, "r": price, "t": found.time * unit},
        )

    def _span(self, market: Market, length: int, now: int) -> Candle:
        """What was traded in a window that ends now; it begins at a whole minute, up to one too early."""
        start = (now - length) // _MINUTE_MS * _MINUTE_MS
        minutes = self._venue.statistics.candles(market.spec.name, _MINUTE_MS).candles(now)
        price = market.last_price
        return joined(minutes, start, now - start + 1) or Candle(start, now - start, price, price, price, price)


def window_event(symbol: str, window: str, span: Candle, now: int, event_time: int, unit: int) -> object:
    """The payload of a rolling window."""
    change, percent, average = derived_figures(span)
    prices = [("o", span.open), ("h", span.high), ("l", span.low), ("c", span.close), ("w", average)]
    return {
        "e": f"{window}Ticker",
        "E": event_time,
        "s": symbol,
        "p": number(change),
        "P": percent,
        **numbers([*prices, ("v", span.volume), ("q", span.quote_volume)]),
        "O": span.start * unit,
        "C": now * unit,
        "F": span.first_trade_id,
        "L": span.last_trade_id,
        "n": span.trades,
    }
