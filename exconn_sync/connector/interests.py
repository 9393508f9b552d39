"""What subscribers want from the market stream, kept over reconnects and restarts.

A symbol may be spelt in several ways, and only the table of instruments knows them all. Until it is loaded, wishes
wait here; afterwards a symbol that does not exist is an error at once.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

from exconn_sync._live.market_feed import MarketFeed
from exconn_sync._live.pipeline import Pipeline
from exconn_sync._runtime.subscription import Subscription
from exconn_sync.errors import ExconnError, ValidationError
from exconn_sync.model.enums import Channel
from exconn_sync.model.instrument import Instruments
from exconn_sync.model.wire import Topic


class _Wish:
    """One subscription's wish; ``topic`` is None until the symbol is understood, and always for account events.

    ``is_handed`` says that a feed was told of it, and has to be told when it ends: exactly once each.
    """

    def __init__(self, subscription: Subscription | None, channel: Channel, symbol: str, variant: str) -> None:
        self.subscription = subscription
        self.channel = channel
        self.symbol = symbol
        self.variant = variant
        self.topic: Topic | None = None
        self.is_handed = False


class Interests:
    """Wishes of all subscribers, handed to the feed of the present life. Thread-safe.

    ``book_variant`` tells how often order books are brought up to date: one book of a symbol serves all who want it.
    """

    def __init__(self, pipeline: Pipeline, book_variant: Callable[[], str] = lambda: "") -> None:
        self._pipeline = pipeline
        self._book_variant = book_variant
        # Guards the list and which feed is attached; the feed is called after it is released. Reentrant: the garbage
        # collector may end a subscription while we hold it (fault F153), so the list is only ever changed in place.
        self._lock = threading.RLock()
        self._wishes: list[_Wish] = []
        # Books that the connector itself wants, for a look without the lock: a reader asks with every read.
        self._own_books: set[str] = set()
        self._feed: MarketFeed | None = None
        self._instruments: Instruments | None = None

    def add(self, subscription: Subscription | None, channel: Channel, symbol: str, variant: str = "") -> None:
        """Want a channel of a symbol as long as the subscription lives; None stands for the connector itself.

        ``variant`` is in the driver's spelling.

        Raises:
            ValidationError: the exchange has no such symbol (only once the instruments are loaded).
            ThreadsUnavailable, ConnectorStopped: it needs a further connection, which cannot be begun.
        """
        wish = _Wish(subscription, channel, symbol, variant)
        with self._lock:
            feed = self._feed
            if self._instruments is not None:
                self._understand(wish, self._instruments)
            wish.is_handed = feed is not None
            self._wishes.append(wish)
        self._refresh(subscription)
        if feed is not None:
            try:
                self._want(feed, wish)
            except ExconnError:
                with self._lock:
                    self._forget(wish)
                raise

    def want_book(self, symbol: str) -> None:
        """Keep the local book of a canonical symbol. Raises ValidationError where the exchange has no such symbol."""
        if symbol in self._own_books:
            return
        if not self.wants_book(symbol):
            self.add(None, Channel.ORDER_BOOK, symbol)
        self._own_books.add(symbol)

    def wants_book(self, symbol: str) -> bool:
        """Return whether the connector itself already wants the book of a canonical symbol."""
        with self._lock:
            return any(
                wish.subscription is None and symbol in (wish.symbol, wish.topic and wish.topic.symbol)
                for wish in self._wishes
            )

    def remove(self, subscription: Subscription) -> None:
        """Want nothing more for a subscription."""
        with self._lock:
            feed = self._feed
            gone = [wish for wish in list(self._wishes) if wish.subscription is subscription]
            for wish in gone:
                self._forget(wish)
        for wish in gone:
            if feed is not None and wish.is_handed and wish.topic is not None:
                feed.release(wish.topic)

    def attach(self, feed: MarketFeed, instruments: Instruments) -> None:
        """Hand all wishes to a feed that it was not told of yet, now that symbols can be understood.

        Raises:
            ThreadsUnavailable, ConnectorStopped: a further connection cannot be begun; call it again for the rest.
        """
        with self._lock:
            self._instruments = instruments
            self._feed = feed
            wishes = [wish for wish in self._wishes if not wish.is_handed]
        for wish in wishes:
            try:
                self._hand_over(feed, wish, instruments)
            except ValidationError as error:
                if wish.subscription is not None:
                    wish.subscription.set_failure(error)
                    wish.subscription.abandon()
                self._pipeline.error(f"{wish.channel}.{wish.symbol}", error)

    def _hand_over(self, feed: MarketFeed, wish: _Wish, instruments: Instruments) -> None:
        """Tell a feed of a wish, unless it has ended meanwhile. Raises ValidationError."""
        with self._lock:
            if wish not in self._wishes:
                return
            self._understand(wish, instruments)
            wish.is_handed = True
        self._refresh(wish.subscription)
        self._want(feed, wish)

    def _want(self, feed: MarketFeed, wish: _Wish) -> None:
        """Tell a feed of a wish; one that it refuses is forgotten."""
        if wish.topic is None:
            return
        try:
            feed.want(wish.topic)
        except ExconnError as error:
            with self._lock:
                wish.is_handed = False
                if isinstance(error, ValidationError):
                    self._forget(wish)
            raise

    def _forget(self, wish: _Wish) -> None:
        if wish in self._wishes:
            self._wishes.remove(wish)
            if wish.subscription is None:
                self._own_books.discard(wish.symbol if wish.topic is None else wish.topic.symbol)

    def detach(self) -> None:
        """Forget the feed and the table of the life that ended; the wishes stay."""
        with self._lock:
            self._feed = None
            self._instruments = None
            for wish in self._wishes:
                wish.is_handed = False

    def renew(self) -> None:
        """Begin anew in a forked child: a new lock, no feed; the wishes stay. Only one thread exists."""
        self._lock = threading.RLock()
        self.detach()

    def _understand(self, wish: _Wish, instruments: Instruments) -> None:
        symbol = instruments.get(wish.symbol).symbol
        if wish.channel.is_market_data:
            is_book = wish.channel is Channel.ORDER_BOOK
            wish.topic = Topic(wish.channel, symbol, self._book_variant() if is_book else wish.variant)
        if wish.subscription is not None:
            wish.subscription.pattern = self._pipeline.key(wish.channel, symbol, wish.variant)

    def _refresh(self, subscription: Subscription | None) -> None:
        if subscription is not None:
            self._pipeline.bus.refresh()
