"""Events of a connector: pushed to callbacks, pulled by loops, and the local state that follows from them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from exconn_sync._runtime.mailbox import Mailbox
from exconn_sync._runtime.subscription import Key, PullSubscription, PushSubscription, Subscription
from exconn_sync._store.readers import FillsReader, OrdersReader
from exconn_sync.connector.core import Core
from exconn_sync.connector.patterns import ANY, parse_pattern
from exconn_sync.errors import ValidationError
from exconn_sync.model.account import Balance, Position
from exconn_sync.model.book_view import BookView
from exconn_sync.model.enums import Channel
from exconn_sync.model.events import ConnectionEvent, ErrorEvent
from exconn_sync.model.instrument import Instruments
from exconn_sync.model.market import BookTicker, Trade
from exconn_sync.model.orders import Fill, OrderState

OnGap = Callable[[int], object] | None
_OF_SYMBOL = (Channel.ORDER, Channel.FILL, Channel.POSITION)
"""Account channels whose events belong to a symbol."""


class DataFace:
    """Subscriptions and local state.

    Each ``on_...`` returns a Subscription: call it to end it. Callbacks run one at a time and in order on a thread of
    their own; an exception in one is logged, counted, reported on ``on_error``, and harms nobody else. A callback of
    None subscribes nothing.

    Market data that is not taken away in time gives way by the policy: ``buffer`` events are kept, and ``overflow`` is
    ``drop_oldest``, ``drop_newest``, ``block`` or ``conflate`` (defaults from the Config). ``Subscription.dropped``
    counts what was lost, and ``on_gap(count)`` is told in sequence. Account events are never dropped.

    A symbol is canonical (``BTC-USDT``), slashed (``BTC/USDT``) or the exchange's own (``BTCUSDT``). One that does not
    exist raises ValidationError, or is reported on ``on_error`` where the instruments are not loaded yet.
    """

    _core: Core

    # --- push -------------------------------------------------------------------------------------------------------

    def on_trade(
        self,
        symbol: str,
        callback: Callable[[Trade], object] | None,
        *,
        buffer: int | None = None,
        overflow: str | None = None,
        on_gap: OnGap = None,
    ) -> Subscription:
        """Call back for each public trade of a symbol (Binance: ``<symbol>@trade``, 8.3)."""
        return self._push(Channel.TRADE, symbol, callback, buffer, overflow, on_gap)

    def on_book_ticker(
        self,
        symbol: str,
        callback: Callable[[BookTicker], object] | None,
        *,
        buffer: int | None = None,
        overflow: str | None = None,
        on_gap: OnGap = None,
    ) -> Subscription:
        """Call back for each change of best bid or ask of a symbol (Binance: ``<symbol>@bookTicker``, 8.3)."""
        return self._push(Channel.BOOK_TICKER, symbol, callback, buffer, overflow, on_gap)

    def on_order_book(
        self,
        symbol: str,
        callback: Callable[[BookView], object] | None,
        *,
        depth: int | None = 20,
        buffer: int | None = None,
        overflow: str | None = None,
        on_gap: OnGap = None,
    ) -> Subscription:
        """Call back with an immutable view after each change of the local order book; only whole books are shown.

        ``depth`` is the number of levels a side, None for all that are known (1,000 a side and what moved in).
        """
        depth = _depth_of(depth)
        if callback is None or depth is None:
            return self._push(Channel.ORDER_BOOK, symbol, callback, buffer, overflow, on_gap)
        wanted, limit = callback, depth
        cut = lambda view: wanted(view.limited(limit))  # noqa: E731 - one expression, used once
        return self._push(Channel.ORDER_BOOK, symbol, cut, buffer, overflow, on_gap, depth=limit)

    def on_order(self, callback: Callable[[OrderState], object] | None, *, symbol: str = ANY) -> Subscription:
        """Call back with the state of an order after each change of it; ``sequence`` numbers an order's states."""
        return self._push_account(Channel.ORDER, symbol, callback)

    def on_fill(self, callback: Callable[[Fill], object] | None, *, symbol: str = ANY) -> Subscription:
        """Call back for each execution of an order of the account, once each, whatever source told of it first."""
        return self._push_account(Channel.FILL, symbol, callback)

    def on_balance(self, callback: Callable[[Balance], object] | None, *, asset: str = ANY) -> Subscription:
        """Call back for each changed balance."""
        return self._push_account(Channel.BALANCE, asset, callback)

    def on_position(self, callback: Callable[[Position], object] | None, *, symbol: str = ANY) -> Subscription:
        """Call back for each changed position."""
        return self._push_account(Channel.POSITION, symbol, callback)

    def on_connection(self, callback: Callable[[ConnectionEvent], object] | None) -> Subscription:
        """Call back when a connection (``rest``, ``market``, ``account``) comes up or goes down."""
        return self._push_account(Channel.CONNECTION, ANY, callback)

    def on_error(self, callback: Callable[[ErrorEvent], object] | None) -> Subscription:
        """Call back for errors that no caller waits for: malformed messages, callbacks that raise, crashed workers."""
        return self._push_account(Channel.ERROR, ANY, callback)

    def subscribe(self, pattern: str, callback: Callable[[Any], object] | None) -> Subscription:
        """Call back for every event whose topic matches ``channel.exchange.symbol``; each part may hold ``*``.

        A pattern that names one channel of public data and one symbol makes the connector ask for it. A wider one is
        given what others have asked for. One over several channels may bring account events, which are never dropped,
        so it has no bound.

        Raises:
            ValidationError: not two or three parts, or an unknown channel.
        """
        parts = parse_pattern(pattern)
        known = parts.known_channel
        is_wide = ANY in parts.symbol or parts.exchange not in (ANY, self._core.config.exchange)
        if known is not None and known.is_market_data and not is_wide:
            return self._push(known, parts.symbol, callback, None, None, None)
        if known in _OF_SYMBOL and not is_wide:
            return self._push_account(known, parts.symbol, callback)
        is_market_data = known is not None and known.is_market_data
        mailbox = self._mailbox(None, None) if is_market_data else Mailbox(0, "drop_oldest")
        return self._add_push(parts, callback, mailbox, None)

    # --- pull -------------------------------------------------------------------------------------------------------

    def stream_trades(
        self, symbol: str, *, buffer: int | None = None, overflow: str | None = None
    ) -> PullSubscription[Trade]:
        """Return a blocking iterator over the public trades of a symbol."""
        return self._pull(Channel.TRADE, symbol, buffer, overflow)

    def stream_book_ticker(
        self, symbol: str, *, buffer: int | None = None, overflow: str | None = None
    ) -> PullSubscription[BookTicker]:
        """Return a blocking iterator over the changes of best bid and ask of a symbol."""
        return self._pull(Channel.BOOK_TICKER, symbol, buffer, overflow)

    def stream_order_book(
        self, symbol: str, *, depth: int | None = 20, buffer: int | None = None, overflow: str | None = None
    ) -> PullSubscription[BookView]:
        """Return a blocking iterator over views of the local order book, at least ``depth`` levels a side or all."""
        return self._pull(Channel.ORDER_BOOK, symbol, buffer, overflow, depth=_depth_of(depth))

    def stream_orders(self) -> PullSubscription[OrderState]:
        """Return a blocking iterator over the changes of the account's orders."""
        return self._pull_account(Channel.ORDER)

    def stream_fills(self) -> PullSubscription[Fill]:
        """Return a blocking iterator over the account's executions."""
        return self._pull_account(Channel.FILL)

    # --- local state ------------------------------------------------------------------------------------------------

    def order_book(self, symbol: str, depth: int | None = None) -> BookView:
        """Return the local order book as it is now; instant, no I/O.

        The first call for a symbol makes the connector keep its book, so that one is not readable yet: ``is_valid``
        is False and reading its levels raises StaleBook.

        Raises:
            ValidationError: the exchange has no such symbol.
            NotReady: the instruments are not loaded yet.
            ConnectorStopped: not started, or stopped.
        """
        assembly = self._core.assembly
        canonical = assembly.catalogue.get(symbol).symbol
        if not self._core.interests.wants_book(canonical):
            self._core.interests.add(None, Channel.ORDER_BOOK, canonical)
        return assembly.books.view(canonical, _depth_of(depth))

    @property
    def orders(self) -> OrdersReader:
        """Known orders: ``get(id)``, ``open(symbol)``, ``history(symbol)``."""
        return OrdersReader(self._core.own_store, self._core.understood)

    @property
    def fills(self) -> FillsReader:
        """Known executions of the account: ``fills()`` or ``fills(symbol)``."""
        return FillsReader(self._core.own_store, self._core.understood)

    @property
    def balances(self) -> Mapping[str, Balance]:
        """Balances by asset, as the exchange last stated them."""
        return self._core.own_store.balances()

    @property
    def positions(self) -> Mapping[str, Position]:
        """Positions by canonical symbol, counted from the first fill known to this connector."""
        return self._core.own_store.positions()

    @property
    def instruments(self) -> Instruments:
        """All symbols of the exchange and their rules; empty until they are loaded."""
        self._core.guard.check("connector")
        running = self._core.running
        return Instruments(self._core.config.exchange) if running is None else running.catalogue.instruments

    # --- making subscriptions ---------------------------------------------------------------------------------------

    def _push(
        self,
        channel: Channel,
        symbol: str,
        callback: Callable[[Any], object] | None,
        buffer: int | None,
        overflow: str | None,
        on_gap: OnGap,
        depth: int | None = None,
    ) -> Subscription:
        key = self._core.pipeline.key(channel, _symbol_of(symbol))
        subscription = self._add_push(key, callback, self._mailbox(buffer, overflow), on_gap, depth)
        return self._want(subscription, channel, symbol)

    def _push_account(self, channel: Channel, symbol: str, callback: Callable[[Any], object] | None) -> Subscription:
        key = self._core.pipeline.key(channel, _symbol_of(symbol))
        subscription = self._add_push(key, callback, Mailbox(0, "drop_oldest"), None)
        is_of_symbol = channel in _OF_SYMBOL and ANY not in symbol
        return self._want(subscription, channel, symbol) if is_of_symbol else subscription

    def _add_push(
        self,
        key: Key,
        callback: Callable[[Any], object] | None,
        mailbox: Mailbox,
        on_gap: OnGap,
        depth: int | None = None,
    ) -> Subscription:
        self._core.guard.check("connector")
        if callback is not None and not callable(callback):
            raise ValidationError("callback", callback, "must be a function")
        report = self._core.pipeline.callback_error
        subscription = PushSubscription(key, mailbox, self._end, callback or _nothing, on_gap, report)
        subscription.depth = depth
        if callback is None:
            subscription.abandon()
        else:
            self._core.bus.add(subscription)
        return subscription

    def _pull(
        self, channel: Channel, symbol: str, buffer: int | None, overflow: str | None, depth: int | None = None
    ) -> PullSubscription[Any]:
        self._core.guard.check("connector")
        key = self._core.pipeline.key(channel, _symbol_of(symbol))
        subscription: PullSubscription[Any] = PullSubscription(key, self._mailbox(buffer, overflow), self._end)
        subscription.depth = depth
        self._core.bus.add(subscription)
        self._want(subscription, channel, symbol)
        return subscription

    def _pull_account(self, channel: Channel) -> PullSubscription[Any]:
        self._core.guard.check("connector")
        key = self._core.pipeline.key(channel, ANY)
        subscription: PullSubscription[Any] = PullSubscription(key, Mailbox(0, "drop_oldest"), self._end)
        self._core.bus.add(subscription)
        return subscription

    def _want(self, subscription: Subscription, channel: Channel, symbol: str) -> Subscription:
        if subscription.is_active:
            try:
                self._core.interests.add(subscription, channel, symbol)
            except ValidationError:
                subscription.abandon()
                raise
        return subscription

    def _mailbox(self, buffer: int | None, overflow: str | None) -> Mailbox:
        defaults = self._core.config.delivery
        size = defaults.buffer if buffer is None else buffer
        if isinstance(size, bool) or not isinstance(size, int) or size < 1:
            raise ValidationError("buffer", buffer, "must be a whole number of at least 1")
        return Mailbox(size, defaults.overflow if overflow is None else overflow, lambda event: event.symbol)

    def _end(self, subscription: Subscription) -> None:
        self._core.bus.remove(subscription)
        self._core.interests.remove(subscription)


def _nothing(event: object) -> None:
    """Take an event of a subscription that has no callback."""


def _symbol_of(symbol: object) -> str:
    if not isinstance(symbol, str) or not symbol:
        raise ValidationError("symbol", symbol, "must be a symbol such as BTC-USDT")
    return symbol


def _depth_of(depth: object) -> int | None:
    if depth is not None and (isinstance(depth, bool) or not isinstance(depth, int) or depth < 1):
        raise ValidationError("depth", depth, "must be a whole number of at least 1, or None")
    return depth
