"""From core events to the payloads of the market streams."""

from collections.abc import Callable, Iterator
from functools import partial

from exconn_sync.simulator.binance.market_data import level_texts
from exconn_sync.simulator.binance.streams import StreamRegistry
from exconn_sync.simulator.binance.wire import number, to_json
from exconn_sync.simulator.clock import VenueClock
from exconn_sync.simulator.core.book import OrderBook
from exconn_sync.simulator.core.events import BookChange, CommandEnded, Event, PublicTrade, TradeBurst
from exconn_sync.simulator.core.exchange import Exchange
from exconn_sync.simulator.core.orders import Side

TICK_MS = 100
_PARTIAL_DEPTHS = (5, 10, 20)
_MARK = 987_654_321_987


class _Diff:
    """The changed levels since the last depth event of one speed. Ids continue without a hole."""

    def __init__(self, book: OrderBook) -> None:
        self._book = book
        self._last_sent = book.update_id
        self._levels: dict[Side, dict[object, list[str]]] = {side: {} for side in Side}

    def add(self, change: BookChange) -> None:
        """Remember the newest quantity of a level."""
        self._levels[change.side][change.price] = [number(change.price), number(change.quantity)]

    def take(self) -> Callable[[int], object] | None:
        """A builder of the event for everything since the last one, or None when nothing changed."""
        first, last = self._last_sent + 1, self._book.update_id
        if last < first:
            return None
        bids, asks = list(self._levels[Side.BUY].values()), list(self._levels[Side.SELL].values())
        self._levels = {side: {} for side in Side}
        self._last_sent = last
        return lambda event_time: {
            "e": "depthUpdate",
            "E": event_time,
            "s": self._book.symbol,
            "U": first,
            "u": last,
            "b": bids,
            "a": asks,
        }


class _SymbolFeed:
    """The streams of one symbol."""

    def __init__(self, book: OrderBook, registry: StreamRegistry, clock: VenueClock) -> None:
        self._book = book
        self._registry = registry
        self._clock = clock
        self._prefix = book.symbol.lower()
        self._fast, self._slow = _Diff(book), _Diff(book)
        self._aggregate: list[PublicTrade] = []
        self._aggregate_id = 0

    def trade(self, trade: PublicTrade) -> None:
        """Send a trade and gather it for the aggregate."""
        if self._aggregate and self._aggregate[-1].price != trade.price:
            self._flush_aggregate()
        self._aggregate.append(trade)
        self._publish("trade", lambda event_time, unit: _trade(trade, event_time, unit))

    def burst(self, burst: TradeBurst) -> None:
        """Send many trades at once; they have no aggregates."""
        clock = self._clock

        def build(unit: int) -> Iterator[str]:
            trade = PublicTrade(burst.symbol, _MARK, burst.price, burst.quantity, burst.time, buyer_is_maker=False)
            # Only the id differs: the text around it is made once.
            text = to_json(_trade(trade, clock.now_ms() if unit == 1 else clock.now_us(), unit))
            before, after = text.split(f'"t":{_MARK}')
            ids = range(burst.first_trade_id, burst.first_trade_id + burst.count)
            return (f'{before}"t":{trade_id}{after}' for trade_id in ids)

        self._registry.publish_burst(f"{self._prefix}@trade", build)

    def book_changed(self, change: BookChange) -> None:
        """Remember a changed level for both speeds."""
        self._fast.add(change)
        self._slow.add(change)

    def command_ended(self, ended: CommandEnded) -> None:
        """Send what waits for the end of a command."""
        self._flush_aggregate()
        bid, ask = ended.best_bid, ended.best_ask
        if ended.top_changed and bid is not None and ask is not None:
            payload = {
                "u": ended.update_id,
                "s": ended.symbol,
                "b": number(bid[0]),
                "B": number(bid[1]),
                "a": number(ask[0]),
                "A": number(ask[1]),
            }
            self._publish("bookTicker", lambda *_: payload)

    def tick(self, *, slow: bool) -> None:
        """Send the depth of the 100 ms streams, and of the 1 s streams when it is their turn."""
        self._send_depth(self._fast, "@100ms")
        if slow:
            self._send_depth(self._slow, "")

    def _send_depth(self, diff: _Diff, suffix: str) -> None:
        build = diff.take()
        if build is None:
            return
        self._publish(f"depth{suffix}", lambda event_time, _: build(event_time))
        for levels in _PARTIAL_DEPTHS:
            self._publish(f"depth{levels}{suffix}", partial(self._partial, levels))

    def _partial(self, levels: int, _event_time: int, _unit: int) -> object:
        return {
            "lastUpdateId": self._book.update_id,
            "bids": level_texts(self._book.levels(Side.BUY, levels)),
            "asks": level_texts(self._book.levels(Side.SELL, levels)),
        }

    def _flush_aggregate(self) -> None:
        if not self._aggregate:
            return
        trades, self._aggregate = self._aggregate, []
        self._aggregate_id += 1
        aggregate_id = self._aggregate_id
        self._publish("aggTrade", lambda event_time, unit: _aggregate(aggregate_id, trades, event_time, unit))

    def _publish(self, name: str, build: Callable[[int, int], object]) -> None:
        clock = self._clock
        self._registry.publish(
            f"{self._prefix}@{name}",
            lambda unit: build(clock.now_ms() if unit == 1 else clock.now_us(), unit),
        )


class MarketFeed:
    """Listens to the exchange and feeds the streams."""

    def __init__(self, exchange: Exchange, registry: StreamRegistry, clock: VenueClock) -> None:
        self._feeds = {symbol: _SymbolFeed(market.book, registry, clock) for symbol, market in exchange.markets.items()}
        self._ticks = 0
        exchange.listeners.append(self.hear)

    def hear(self, event: Event) -> None:
        """Take an event of the core."""
        if isinstance(event, BookChange):
            self._feeds[event.symbol].book_changed(event)
        elif isinstance(event, CommandEnded):
            self._feeds[event.symbol].command_ended(event)
        elif isinstance(event, PublicTrade):
            self._feeds[event.symbol].trade(event)
        elif isinstance(event, TradeBurst):
            self._feeds[event.symbol].burst(event)

    def flush(self) -> None:
        """Send the depth of the 100 ms streams now."""
        for feed in self._feeds.values():
            feed.tick(slow=False)

    def tick(self) -> None:
        """Called every 100 ms."""
        self._ticks += 1
        for feed in self._feeds.values():
            feed.tick(slow=self._ticks % 10 == 0)


def _trade(trade: PublicTrade, event_time: int, unit: int) -> object:
    return {
        "e": "trade",
        "E": event_time,
        "s": trade.symbol,
        "t": trade.trade_id,
        "p": number(trade.price),
        "q": number(trade.quantity),
        "T": trade.time * unit,
        "m": trade.buyer_is_maker,
        "M": True,
    }


def _aggregate(aggregate_id: int, trades: list[PublicTrade], event_time: int, unit: int) -> object:
    first, last = trades[0], trades[-1]
    return {
        "e": "aggTrade",
        "E": event_time,
        "s": first.symbol,
        "a": aggregate_id,
        "p": number(first.price),
        "q": number(sum((trade.quantity for trade in trades[1:]), first.quantity)),
        "f": first.trade_id,
        "l": last.trade_id,
        "T": first.time * unit,
        "m": first.buyer_is_maker,
        "M": True,
    }
