"""The streams of a symbol's last 24 hours, sent by the second."""

from exconn_sync.simulator.binance.figures import derived_figures, numbers, top_of_book
from exconn_sync.simulator.binance.streams import StreamRegistry
from exconn_sync.simulator.binance.venue import Venue
from exconn_sync.simulator.binance.wire import number
from exconn_sync.simulator.core.candles import DAY_MS, Candle
from exconn_sync.simulator.core.exchange import Market
from exconn_sync.simulator.core.symbols import ZERO


class StatisticsFeed:
    """Feeds the ticker streams of single symbols."""

    def __init__(self, venue: Venue, registry: StreamRegistry) -> None:
        self._venue = venue
        self._registry = registry

    def tick(self, now: int) -> None:
        """Called every second."""
        for market in self._venue.exchange.markets.values():
            self._send_tickers(market, now)

    def _send_tickers(self, market: Market, now: int) -> None:
        symbol = market.spec.name
        prefix = symbol.lower()
        statistics, clock = self._venue.statistics, self._venue.clock
        self._registry.publish(
            f"{prefix}@ticker",
            lambda unit: ticker_event(market, statistics.day(symbol, now), now, clock.now_in(unit), unit),
        )
        self._registry.publish(
            f"{prefix}@miniTicker",
            lambda unit: mini_ticker_event(symbol, statistics.day(symbol, now), clock.now_in(unit)),
        )


def mini_ticker_event(symbol: str, day: Candle, event_time: int) -> object:
    """The payload of a miniTicker stream."""
    return {
        "e": "24hrMiniTicker",
        "E": event_time,
        "s": symbol,
        "c": number(day.close),
        "o": number(day.open),
        "h": number(day.high),
        "l": number(day.low),
        "v": number(day.volume),
        "q": number(day.quote_volume),
    }


def ticker_event(market: Market, day: Candle, now: int, event_time: int, unit: int) -> object:
    """The payload of a ticker stream."""
    change, percent, average = derived_figures(day)
    (bid, bid_quantity), (ask, ask_quantity) = top_of_book(market)
    last = market.trades[-1].quantity if market.trades else ZERO
    named = [("p", change), ("w", average), ("x", day.open), ("c", day.close), ("Q", last)]
    named += [("b", bid), ("B", bid_quantity), ("a", ask), ("A", ask_quantity)]
    named += [("o", day.open), ("h", day.high), ("l", day.low), ("v", day.volume), ("q", day.quote_volume)]
    return {
        "e": "24hrTicker",
        "E": event_time,
        "s": market.spec.name,
        **numbers(named),
        "P": percent,
        "O": (now - DAY_MS) * unit,
        "C": now * unit,
        "F": day.first_trade_id,
        "L": day.last_trade_id,
        "n": day.trades,
    }
