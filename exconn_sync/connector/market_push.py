"""Candles, tickers, aggregates and partial books, pushed to callbacks."""

from __future__ import annotations

from collections.abc import Callable

from exconn_sync._runtime.subscription import Subscription
from exconn_sync.connector.making import OnGap, SubscriptionMaker
from exconn_sync.connector.variants import kline_variant, partial_book_variant, text_variant
from exconn_sync.model.enums import Channel
from exconn_sync.model.market import AggregateTrade, PartialBook
from exconn_sync.model.market_statistics import AveragePrice, Kline, Ticker


class MarketPushFace(SubscriptionMaker):
    """Push subscriptions of what the exchange counts or sums up; see ``DataFace`` for what all have in common."""

    def on_aggregate_trade(
        self,
        symbol: str,
        callback: Callable[[AggregateTrade], object] | None,
        *,
        buffer: int | None = None,
        overflow: str | None = None,
        on_gap: OnGap = None,
    ) -> Subscription:
        """Call back for what one taker order traded at one price, as one (Binance: ``<symbol>@aggTrade``, 8.3)."""
        return self._push(Channel.AGGREGATE_TRADE, symbol, callback, buffer, overflow, on_gap)

    def on_kline(
        self,
        symbol: str,
        interval: str,
        callback: Callable[[Kline], object] | None,
        *,
        utc_offset: str | None = None,
        buffer: int | None = None,
        overflow: str | None = None,
        on_gap: OnGap = None,
    ) -> Subscription:
        """Call back for the present candle as it grows, and its end (Binance: ``<symbol>@kline_<interval>``, 8.3).

        ``interval`` is the length of a candle: ``1s``, ``1m``, ``1h``, ``1d``, ``1w``, ``1M`` ... Days begin in UTC, or
        at ``utc_offset``, of which Binance knows ``+08:00``; all times are UTC. The last state of a candle has
        ``is_closed``.

        Raises:
            ValidationError: the exchange does not offer that; the message says what it does.
        """
        variant = kline_variant(interval, utc_offset)
        return self._push(Channel.KLINE, symbol, callback, buffer, overflow, on_gap, variant=variant)

    def on_ticker(
        self,
        symbol: str,
        callback: Callable[[Ticker], object] | None,
        *,
        window: str = "24h",
        buffer: int | None = None,
        overflow: str | None = None,
        on_gap: OnGap = None,
    ) -> Subscription:
        """Call back for the figures of a moving window, about once a second (Binance: ``<symbol>@ticker``, 8.3).

        ``window`` is how far it reaches back: ``24h``, or ``1h``, ``4h`` and ``1d``, whose tickers have no best prices.

        Raises:
            ValidationError: the exchange does not offer that; the message says what it does.
        """
        variant = text_variant("window", window)
        return self._push(Channel.TICKER, symbol, callback, buffer, overflow, on_gap, variant=variant)

    def on_mini_ticker(
        self,
        symbol: str,
        callback: Callable[[Ticker], object] | None,
        *,
        buffer: int | None = None,
        overflow: str | None = None,
        on_gap: OnGap = None,
    ) -> Subscription:
        """Call back for the figures of 24 hours in short form (Binance: ``<symbol>@miniTicker``, 8.3)."""
        return self._push(Channel.MINI_TICKER, symbol, callback, buffer, overflow, on_gap)

    def on_average_price(
        self,
        symbol: str,
        callback: Callable[[AveragePrice], object] | None,
        *,
        buffer: int | None = None,
        overflow: str | None = None,
        on_gap: OnGap = None,
    ) -> Subscription:
        """Call back for the average price, about once a second (Binance: ``<symbol>@avgPrice``, 8.3)."""
        return self._push(Channel.AVERAGE_PRICE, symbol, callback, buffer, overflow, on_gap)

    def on_partial_book(
        self,
        symbol: str,
        callback: Callable[[PartialBook], object] | None,
        *,
        levels: int = 20,
        interval_ms: int | None = None,
        buffer: int | None = None,
        overflow: str | None = None,
        on_gap: OnGap = None,
    ) -> Subscription:
        """Call back for the best levels of the book, whole each time (Binance: ``<symbol>@depth<levels>``, 8.3).

        ``levels`` a side and ``interval_ms`` between two are what the exchange offers (Binance: 5, 10 or 20; 100, which
        is usual, or 1000). Nothing is kept here: ``on_order_book`` follows every change of a whole book.

        Raises:
            ValidationError: the exchange does not offer that; the message says what it does.
        """
        variant = partial_book_variant(levels, interval_ms)
        return self._push(Channel.PARTIAL_BOOK, symbol, callback, buffer, overflow, on_gap, variant=variant)
