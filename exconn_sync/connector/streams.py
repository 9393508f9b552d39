"""Events that the user's own loop pulls: as iterators, or out of a queue."""

from __future__ import annotations

from typing import overload

from exconn_sync._runtime.queue_subscription import UserQueue
from exconn_sync._runtime.subscription import PullSubscription, Subscription
from exconn_sync.connector.making import depth_of
from exconn_sync.connector.market_pull import MarketPullFace
from exconn_sync.model.book_view import BookView
from exconn_sync.model.enums import Channel
from exconn_sync.model.market import BookTicker, Trade
from exconn_sync.model.orders import Fill, OrderState


class StreamFace(MarketPullFace):
    """Pull subscriptions.

    Each ``stream_...`` returns a blocking iterator with ``get(timeout)``. With ``queue``, a ``queue.Queue`` or
    ``queue.SimpleQueue`` of your own, it returns a Subscription, and the events are put into that queue: an End is the
    last, and in a bounded queue a Gap stands where events were lost, by ``overflow`` (``drop_oldest``, which is the
    default, or ``drop_newest``). One for account events must have no bound.
    """

    @overload
    def stream_trades(
        self, symbol: str, *, buffer: int | None = None, overflow: str | None = None, queue: None = None
    ) -> PullSubscription[Trade]: ...

    @overload
    def stream_trades(self, symbol: str, *, overflow: str | None = None, queue: UserQueue) -> Subscription: ...

    def stream_trades(
        self, symbol: str, *, buffer: int | None = None, overflow: str | None = None, queue: UserQueue | None = None
    ) -> Subscription:
        """Return a blocking iterator over the public trades of a symbol, or put them into ``queue``."""
        subscription: Subscription = self._pull(Channel.TRADE, symbol, buffer, overflow, queue)
        return subscription

    @overload
    def stream_book_ticker(
        self, symbol: str, *, buffer: int | None = None, overflow: str | None = None, queue: None = None
    ) -> PullSubscription[BookTicker]: ...

    @overload
    def stream_book_ticker(self, symbol: str, *, overflow: str | None = None, queue: UserQueue) -> Subscription: ...

    def stream_book_ticker(
        self, symbol: str, *, buffer: int | None = None, overflow: str | None = None, queue: UserQueue | None = None
    ) -> Subscription:
        """Return a blocking iterator over the changes of best bid and ask, or put them into ``queue``."""
        subscription: Subscription = self._pull(Channel.BOOK_TICKER, symbol, buffer, overflow, queue)
        return subscription

    @overload
    def stream_order_book(
        self,
        symbol: str,
        *,
        depth: int | None = 20,
        buffer: int | None = None,
        overflow: str | None = None,
        queue: None = None,
    ) -> PullSubscription[BookView]: ...

    @overload
    def stream_order_book(
        self, symbol: str, *, depth: int | None = 20, overflow: str | None = None, queue: UserQueue
    ) -> Subscription: ...

    def stream_order_book(
        self,
        symbol: str,
        *,
        depth: int | None = 20,
        buffer: int | None = None,
        overflow: str | None = None,
        queue: UserQueue | None = None,
    ) -> Subscription:
        """Return a blocking iterator over views of the local order book, or put them into ``queue``.

        A view has at least ``depth`` levels a side, or all that are known.
        """
        subscription: Subscription = self._pull(Channel.ORDER_BOOK, symbol, buffer, overflow, queue, depth_of(depth))
        return subscription

    @overload
    def stream_orders(self, *, queue: None = None) -> PullSubscription[OrderState]: ...

    @overload
    def stream_orders(self, *, queue: UserQueue) -> Subscription: ...

    def stream_orders(self, *, queue: UserQueue | None = None) -> Subscription:
        """Return a blocking iterator over the changes of the account's orders, or put them into ``queue``."""
        subscription: Subscription = self._pull_account(Channel.ORDER, queue)
        return subscription

    @overload
    def stream_fills(self, *, queue: None = None) -> PullSubscription[Fill]: ...

    @overload
    def stream_fills(self, *, queue: UserQueue) -> Subscription: ...

    def stream_fills(self, *, queue: UserQueue | None = None) -> Subscription:
        """Return a blocking iterator over the account's executions, or put them into ``queue``."""
        subscription: Subscription = self._pull_account(Channel.FILL, queue)
        return subscription
