"""From core events to the messages of the public socket (Bybit: 6.3 to 6.8)."""

from collections import defaultdict
from collections.abc import Iterator

from exconn_sync.simulator.bybit.books import DEPTHS, DepthView, Rows
from exconn_sync.simulator.bybit.market_data import INTERVALS, candles_of, day_figures, price_bounds
from exconn_sync.simulator.bybit.public_session import TopicRegistry
from exconn_sync.simulator.bybit.venue import Venue
from exconn_sync.simulator.bybit.wire import number, to_json
from exconn_sync.simulator.core.candles import Candle
from exconn_sync.simulator.core.events import CommandEnded, Event, PublicTrade, TradeBurst

TICK_MS = 10
_DEPTH_TICKS = {1: 1, 50: 2, 200: 10, 1000: 20}
"""Every so many ticks a book of that depth is told."""
_TICKER_TICKS, _PRICE_LIMIT_TICKS, _KLINE_TICKS = 5, 30, 100
_REPEAT_MS = 3000
"""A book of one level is told again after so long without a change."""
_MOST_TRADES = 1024
_BEST_ONLY = 1
_MARK = 987_654_321_987
_CANDLES = (*INTERVALS, "W", "M")


class PublicFeed:
    """Listens to the exchange and feeds the topics."""

    def __init__(self, venue: Venue, registry: TopicRegistry) -> None:
        self._venue = venue
        self._registry = registry
        self._trades: defaultdict[str, list[PublicTrade]] = defaultdict(list)
        self._traded: set[str] = set()
        self._told_at: dict[str, int] = {}
        self._shown_start: dict[str, int] = {}
        self._ticks = 0
        registry.greet = self.greet
        venue.books.on_change.append(self._book_changed)
        venue.switches.on_restart.append(self.restart)
        venue.exchange.listeners.append(self.hear)

    def hear(self, event: Event) -> None:
        """Take an event of the core."""
        if isinstance(event, PublicTrade):
            self._trades[event.symbol].append(event)
        elif isinstance(event, CommandEnded):
            self._send_trades(event.symbol)
        elif isinstance(event, TradeBurst):
            self._burst(event)

    def greet(self, topic: str) -> dict[str, object] | None:
        """The first message for somebody new: a snapshot of what the others have been told."""
        kind, _, rest = topic.partition(".")
        if kind == "orderbook":
            depth, _, symbol = rest.partition(".")
            key = (symbol, int(depth))
            if not self._registry.is_wanted(topic):
                self._venue.books.advance(*key)
            return self._book(key, self._venue.books.views[key].rows(), "snapshot")
        if kind == "tickers":
            return self._ticker(rest)
        if kind == "kline":
            interval, _, symbol = rest.partition(".")
            candle = candles_of(self._venue, symbol, interval, self._now)[-1]
            return self._kline(topic, interval, candle, closed=False)
        return None

    def restart(self, symbol: str | None) -> None:
        """Tell all books of a symbol, or of all, anew, beginning with 1."""
        books = self._venue.books
        books.restart(symbol)
        for key, view in books.views.items():
            if symbol in (None, key[0]):
                self._registry.publish(_book_topic(key), self._book(key, view.rows(), "snapshot"))

    def tick(self) -> None:
        """Called every 10 ms."""
        self._ticks += 1
        for symbol in self._venue.exchange.markets:
            for depth in DEPTHS:
                if self._ticks % _DEPTH_TICKS[depth] == 0 and self._registry.is_wanted(_book_topic((symbol, depth))):
                    self._venue.books.advance(symbol, depth)
            self._repeat(symbol)
        if self._ticks % _TICKER_TICKS == 0:
            traded, self._traded = self._traded, set()
            for symbol in traded:
                if self._registry.is_wanted(f"tickers.{symbol}"):
                    self._registry.publish(f"tickers.{symbol}", self._ticker(symbol))
        if self._ticks % _PRICE_LIMIT_TICKS == 0:
            self._send_price_limits()
        if self._ticks % _KLINE_TICKS == 0:
            self._send_klines()

    # --- books ------------------------------------------------------------------------------------------------------

    def _book_changed(self, symbol: str, view: DepthView, changes: tuple[Rows, Rows]) -> None:
        key = (symbol, view.depth)
        topic = _book_topic(key)
        if not self._registry.is_wanted(topic):
            return
        if view.depth == _BEST_ONLY:
            self._told_at[topic] = self._now
            self._registry.publish(topic, self._book(key, view.rows(), "snapshot"))
        else:
            self._registry.publish(topic, self._book(key, changes, "delta"))

    def _repeat(self, symbol: str) -> None:
        key = (symbol, _BEST_ONLY)
        topic = _book_topic(key)
        if not self._registry.is_wanted(topic):
            self._told_at.pop(topic, None)
        elif self._now - self._told_at.setdefault(topic, self._now) >= _REPEAT_MS:
            self._told_at[topic] = self._now
            self._registry.publish(topic, self._book(key, self._venue.books.views[key].rows(), "snapshot"))

    def _book(self, key: tuple[str, int], rows: tuple[Rows, Rows], kind: str) -> dict[str, object]:
        books, symbol = self._venue.books, key[0]
        return {
            "topic": _book_topic(key),
            "ts": self._now,
            "type": kind,
            "data": books.data(books.views[key], symbol, rows),
            "cts": books.touched_at(symbol, self._now),
        }

    # --- trades -----------------------------------------------------------------------------------------------------

    def _send_trades(self, symbol: str) -> None:
        trades = self._trades.pop(symbol, None)
        if trades is None:
            return
        self._traded.add(symbol)
        topic = f"publicTrade.{symbol}"
        if self._registry.is_wanted(topic):
            for start in range(0, len(trades), _MOST_TRADES):
                rows = [self._trade(trade) for trade in trades[start : start + _MOST_TRADES]]
                self._registry.publish(topic, self._envelope(topic, rows))

    def _trade(self, trade: PublicTrade) -> dict[str, object]:
        return {
            "T": trade.time,
            "s": trade.symbol,
            "S": "Sell" if trade.buyer_is_maker else "Buy",
            "v": number(trade.quantity),
            "p": number(trade.price),
            "i": self._venue.ids.trade(trade.symbol, trade.trade_id),
            "BT": False,
            "RPI": False,
            "seq": self._venue.books.seq(trade.symbol),
        }

    def _burst(self, burst: TradeBurst) -> None:
        """Send many trades at once, each in a message of its own."""
        topic, ids = f"publicTrade.{burst.symbol}", self._venue.ids

        def build() -> Iterator[str]:
            trade = PublicTrade(burst.symbol, _MARK, burst.price, burst.quantity, burst.time, buyer_is_maker=False)
            # Only the id differs: the text around it is made once.
            text = to_json(self._envelope(topic, [self._trade(trade)]))
            before, after = text.split(ids.trade(burst.symbol, _MARK))
            numbers = range(burst.first_trade_id, burst.first_trade_id + burst.count)
            return (f"{before}{ids.trade(burst.symbol, number)}{after}" for number in numbers)

        self._registry.publish_burst(topic, build)

    # --- what comes by the clock --------------------------------------------------------------------------------------

    def _ticker(self, symbol: str) -> dict[str, object]:
        figures = day_figures(self._venue, self._venue.exchange.market(symbol), self._now)
        return {
            "topic": f"tickers.{symbol}",
            "ts": self._now,
            "type": "snapshot",
            "cs": self._venue.books.seq(symbol),
            "data": {"symbol": symbol, **figures},
        }

    def _send_price_limits(self) -> None:
        for symbol, market in self._venue.exchange.markets.items():
            topic = f"priceLimit.{symbol}"
            if self._registry.is_wanted(topic):
                self._registry.publish(topic, {"topic": topic, "ts": self._now, "data": price_bounds(market)})

    def _send_klines(self) -> None:
        for symbol in self._venue.exchange.markets:
            for interval in _CANDLES:
                topic = f"kline.{interval}.{symbol}"
                if not self._registry.is_wanted(topic):
                    self._shown_start.pop(topic, None)
                    continue
                candles = candles_of(self._venue, symbol, interval, self._now)
                shown, self._shown_start[topic] = self._shown_start.get(topic), candles[-1].start
                # More than one where the last tick was late: each candle ends in public.
                for candle in candles[:-1]:
                    if shown is not None and candle.start >= shown:
                        self._registry.publish(topic, self._kline(topic, interval, candle, closed=True))
                self._registry.publish(topic, self._kline(topic, interval, candles[-1], closed=False))

    def _kline(self, topic: str, interval: str, candle: Candle, *, closed: bool) -> dict[str, object]:
        row = {
            "start": candle.start,
            "end": candle.end,
            "interval": interval,
            "open": number(candle.open),
            "close": number(candle.close),
            "high": number(candle.high),
            "low": number(candle.low),
            "volume": number(candle.volume),
            "turnover": number(candle.quote_volume),
            "confirm": closed,
            "timestamp": min(self._now, candle.end),
        }
        return self._envelope(topic, [row])

    def _envelope(self, topic: str, rows: object) -> dict[str, object]:
        return {"topic": topic, "ts": self._now, "type": "snapshot", "data": rows}

    @property
    def _now(self) -> int:
        return self._venue.clock.now_ms()


def _book_topic(key: tuple[str, int]) -> str:
    return f"orderbook.{key[1]}.{key[0]}"
