"""The streams of trade statistics: klines and tickers, sent by the second."""

from exconn_sync.simulator.binance.figures import INTERVALS, derived_figures, end_of_candle, numbers, top_of_book
from exconn_sync.simulator.binance.streams import StreamRegistry
from exconn_sync.simulator.binance.venue import Venue
from exconn_sync.simulator.binance.wire import number
from exconn_sync.simulator.core.candles import DAY_MS, Candle
from exconn_sync.simulator.core.exchange import Market
from exconn_sync.simulator.core.symbols import ZERO

_FASTEST_INTERVAL = "1s"


class StatisticsFeed:
    """Feeds the kline and ticker streams."""

    def __init__(self, venue: Venue, registry: StreamRegistry) -> None:
        self._venue = venue
        self._registry = registry
        self._seconds = 0
        self._shown_start: dict[tuple[str, str], int] = {}

    def tick(self) -> None:
        """Called every second."""
        self._seconds += 1
        now = self._venue.clock.now_ms()
        for market in self._venue.exchange.markets.values():
            self._send_tickers(market, now)
            for interval in INTERVALS:
                if interval == _FASTEST_INTERVAL or self._seconds % 2 == 0:
                    self._send_kline(market.spec.name, interval, now)

    def _send_tickers(self, market: Market, now: int) -> None:
        symbol = market.spec.name
        prefix = symbol.lower()
        statistics, event_time = self._venue.statistics, self._event_time
        self._registry.publish(
            f"{prefix}@ticker",
            lambda unit: ticker_event(market, statistics.day(symbol, now), now, event_time(unit), unit),
        )
        self._registry.publish(
            f"{prefix}@miniTicker",
            lambda unit: mini_ticker_event(symbol, statistics.day(symbol, now), event_time(unit)),
        )

    def _send_kline(self, symbol: str, interval: str, now: int) -> None:
        series = self._venue.statistics.candles(symbol, INTERVALS[interval])
        current = series.at(now)
        shown = self._shown_start.get((symbol, interval))
        self._shown_start[symbol, interval] = current.start
        previous = series.previous()
        if shown is not None and shown < current.start and previous is not None:
            self._publish_kline(symbol, interval, previous, closed=True)
        self._publish_kline(symbol, interval, current, closed=False)

    def _publish_kline(self, symbol: str, interval: str, candle: Candle, *, closed: bool) -> None:
        self._registry.publish(
            f"{symbol.lower()}@kline_{interval}",
            lambda unit: kline_event(symbol, interval, candle, self._event_time(unit), unit, closed=closed),
        )

    def _event_time(self, unit: int) -> int:
        clock = self._venue.clock
        return clock.now_ms() if unit == 1 else clock.now_us()


def kline_event(symbol: str, interval: str, candle: Candle, event_time: int, unit: int, *, closed: bool) -> object:
    """The payload of a kline stream."""
    return {
        "e": "kline",
        "E": event_time,
        "s": symbol,
        "k": {
            "t": candle.start * unit,
            "T": end_of_candle(candle, unit),
            "s": symbol,
            "i": interval,
            "f": candle.first_trade_id,
            "L": candle.last_trade_id,
            "o": number(candle.open),
            "c": number(candle.close),
            "h": number(candle.high),
            "l": number(candle.low),
            "v": number(candle.volume),
            "n": candle.trades,
            "x": closed,
            "q": number(candle.quote_volume),
            "V": number(candle.buyer_volume),
            "Q": number(candle.buyer_quote_volume),
            "B": "0",
        },
    }


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
