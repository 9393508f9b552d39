"""Candles, tickers, aggregates and partial books, pulled by the user's own loop."""

from __future__ import annotations

from typing import overload

from exconn_sync._runtime.queue_subscription import UserQueue
from exconn_sync._runtime.subscription import PullSubscription, Subscription
from exconn_sync.connector.making import SubscriptionMaker
from exconn_sync.connector.variants import kline_variant, partial_book_variant, text_variant
from exconn_sync.model.enums import Channel
from exconn_sync.model.market import AggregateTrade, PartialBook
from exconn_sync.model.market_statistics import AveragePrice, Kline, Ticker


class MarketPullFace(SubscriptionMaker):
    """Pull subscriptions of what the exchange counts or sums up; see ``StreamFace`` for what all have in common."""

    @overload
    def stream_aggregate_trades(
        self, symbol: str, *, buffer: int | None = None, overflow: str | None = None, queue: None = None
    ) -> PullSubscription[AggregateTrade]: ...

    @overload
    def stream_aggregate_trades(
        self, symbol: str, *, overflow: str | None = None, queue: UserQueue
    ) -> Subscription: ...

    def stream_aggregate_trades(
        self, symbol: str, *, buffer: int | None = None, overflow: str | None = None, queue: UserQueue | None = None
    ) -> Subscription:
        """Return a blocking iterator over the aggregated trades of a symbol, or put them into ``queue``."""
        subscription: Subscription = self._pull(Channel.AGGREGATE_TRADE, symbol, buffer, overflow, queue)
        return subscription

    @overload
    def stream_klines(
        self,
        symbol: str,
        interval: str,
        *,
        utc_offset: str | None = None,
        buffer: int | None = None,
        overflow: str | None = None,
        queue: None = None,
    ) -> PullSubscription[Kline]: ...

    @overload
    def stream_klines(
        self,
        symbol: str,
        interval: str,
        *,
        utc_offset: str | None = None,
        overflow: str | None = None,
        queue: UserQueue,
    ) -> Subscription: ...

    def stream_klines(
        self,
        symbol: str,
        interval: str,
        *,
        utc_offset: str | None = None,
        buffer: int | None = None,
        overflow: str | None = None,
        queue: UserQueue | None = None,
    ) -> Subscription:
        """Return a blocking iterator over the changes of the present candle, or put them into ``queue``.

        ``interval`` is the length of a candle: ``1s``, ``1m``, ``1h``, ``1d``, ``1w``, ``1M`` ... Days begin in UTC, or
        at ``utc_offset``, of which Binance knows ``+08:00``; all times are UTC. The last state of a candle has
        ``is_closed``.

        Raises:
            ValidationError: the exchange does not offer that; the message says what it does.
        """
        subscription: Subscription = self._pull(
            Channel.KLINE, symbol, buffer, overflow, queue, variant=kline_variant(interval, utc_offset)
        )
        return subscription

    @overload
    def stream_ticker(
        self,
        symbol: str,
        *,
        window: str = "24h",
        buffer: int | None = None,
        overflow: str | None = None,
        queue: None = None,
    ) -> PullSubscription[Ticker]: ...

    @overload
    def stream_ticker(
        self, symbol: str, *, window: str = "24h", overflow: str | None = None, queue: UserQueue
    ) -> Subscription: ...

    def stream_ticker(
        self,
        symbol: str,
        *,
        window: str = "24h",
        buffer: int | None = None,
        overflow: str | None = None,
        queue: UserQueue | None = None,
    ) -> Subscription:
        """Return a blocking iterator over the figures of a moving window, or put them into ``queue``.

        ``window`` is how far it reaches back: ``24h``, or ``1h``, ``4h`` and ``1d``, whose tickers have no best prices.

        Raises:
            ValidationError: the exchange does not offer that; the message says what it does.
        """
        subscription: Subscription = self._pull(
            Channel.TICKER, symbol, buffer, overflow, queue, variant=text_variant("window", window)
        )
        return subscription

    @overload
    def stream_mini_ticker(
        self, symbol: str, *, buffer: int | None = None, overflow: str | None = None, queue: None = None
    ) -> PullSubscription[Ticker]: ...

    @overload
    def stream_mini_ticker(self, symbol: str, *, overflow: str | None = None, queue: UserQueue) -> Subscription: ...

    def stream_mini_ticker(
        self, symbol: str, *, buffer: int | None = None, overflow: str | None = None, queue: UserQueue | None = None
    ) -> Subscription:
        """Return a blocking iterator over the figures of 24 hours in short form, or put them into ``queue``."""
        subscription: Subscription = self._pull(Channel.MINI_TICKER, symbol, buffer, overflow, queue)
        return subscription

    @overload
    def stream_average_price(
        self, symbol: str, *, buffer: int | None = None, overflow: str | None = None, queue: None = None
    ) -> PullSubscription[AveragePrice]: ...

    @overload
    def stream_average_price(self, symbol: str, *, overflow: str | None = None, queue: UserQueue) -> Subscription: ...

    def stream_average_price(
        self, symbol: str, *, buffer: int | None = None, overflow: str | None = None, queue: UserQueue | None = None
    ) -> Subscription:
        """Return a blocking iterator over the average price of the last minutes, or put it into ``queue``."""
        subscription: Subscription = self._pull(Channel.AVERAGE_PRICE, symbol, buffer, overflow, queue)
        return subscription

    @overload
    def stream_partial_book(
        self,
        symbol: str,
        *,
        levels: int = 20,
        interval_ms: int | None = None,
        buffer: int | None = None,
        overflow: str | None = None,
        queue: None = None,
    ) -> PullSubscription[PartialBook]: ...

    @overload
    def stream_partial_book(
        self,
        symbol: str,
        *,
        levels: int = 20,
        interval_ms: int | None = None,
        overflow: str | None = None,
        queue: UserQueue,
    ) -> Subscription: ...

    def stream_partial_book(
        self,
        symbol: str,
        *,
        levels: int = 20,
        interval_ms: int | None = None,
        buffer: int | None = None,
        overflow: str | None = None,
        queue: UserQueue | None = None,
    ) -> Subscription:
        """Return a blocking iterator over the best levels of the book, whole each time, or put them into ``queue``.

        ``levels`` a side and ``interval_ms`` between two are what the exchange offers (Binance: 5, 10 or 20; 100, which
        is usual, or 1000). Nothing is kept here: ``stream_order_book`` follows every change of a whole book.

        Raises:
            ValidationError: the exchange does not offer that; the message says what it does.
        """
        subscription: Subscription = self._pull(
            Channel.PARTIAL_BOOK, symbol, buffer, overflow, queue, variant=partial_book_variant(levels, interval_ms)
        )
        return subscription
