"""The streams of candles, in UTC and in the one other time zone that has them (Binance: 8.3)."""

from collections.abc import Iterator

from exconn_sync.simulator.binance.figures import INTERVALS, end_of_candle
from exconn_sync.simulator.binance.klines import CALENDAR, candles_of, period_of
from exconn_sync.simulator.binance.streams import StreamRegistry
from exconn_sync.simulator.binance.venue import Venue
from exconn_sync.simulator.binance.wire import number
from exconn_sync.simulator.core.candles import Candle

_FASTEST_INTERVAL = "1s"
_HOUR_MS = 3_600_000
_ZONES = (("", 0), ("@+08:00", 8 * _HOUR_MS))


class KlineFeed:
    """Sends the present candle every second or two, and the one before it a last time when another has begun."""

    def __init__(self, venue: Venue, registry: StreamRegistry) -> None:
        self._venue = venue
        self._registry = registry
        self._seconds = 0
        self._shown_start: dict[str, int] = {}

    def tick(self, now: int) -> None:
        """Called every second."""
        self._seconds += 1
        for interval in (*INTERVALS, *CALENDAR):
            if interval == _FASTEST_INTERVAL or self._seconds % 2 == 0:
                for suffix, offset in _ZONES:
                    self._send_all(interval, suffix, offset, now)

    def _send_all(self, interval: str, suffix: str, offset: int, now: int) -> None:
        start, _ = period_of(interval, offset).bounds(now)
        for symbol in self._venue.exchange.markets:
            stream = f"{symbol.lower()}@kline_{interval}{suffix}"
            shown, self._shown_start[stream] = self._shown_start.get(stream), start
            # Worked out only for those who are there, and once for all of them.
            if self._registry.is_wanted(stream):
                for candle, closed in self._due(symbol, interval, offset, now, shown):
                    self._publish(stream, symbol, interval, candle, closed=closed)

    def _due(
        self, symbol: str, interval: str, offset: int, now: int, shown: int | None
    ) -> Iterator[tuple[Candle, bool]]:
        candles = candles_of(self._venue.statistics, symbol, interval, offset, now)
        # More than one where the last tick was late: each candle ends in public.
        if shown is not None:
            yield from ((candle, True) for candle in candles[:-1] if candle.start >= shown)
        yield candles[-1], False

    def _publish(self, stream: str, symbol: str, interval: str, candle: Candle, *, closed: bool) -> None:
        clock = self._venue.clock
        self._registry.publish(
            stream, lambda unit: kline_event(symbol, interval, candle, clock.now_in(unit), unit, closed=closed)
        )


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
