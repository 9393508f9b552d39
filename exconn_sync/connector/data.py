"""Events of a connector: pushed to callbacks, pulled by loops, and the local state that follows from them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from exconn_sync._runtime.subscription import Subscription
from exconn_sync._store.readers import FillsReader, OrdersReader
from exconn_sync.connector.making import OF_SYMBOL, OnGap, depth_of
from exconn_sync.connector.market_push import MarketPushFace
from exconn_sync.connector.patterns import ANY, parse_pattern
from exconn_sync.connector.streams import StreamFace
from exconn_sync.errors import ValidationError
from exconn_sync.model.account import Balance, BalanceChange, Position
from exconn_sync.model.book_view import BookView
from exconn_sync.model.enums import Channel
from exconn_sync.model.events import ConnectionEvent, DataGap, ErrorEvent, InstrumentEvent
from exconn_sync.model.instrument import Instruments
from exconn_sync.model.market import BookTicker, Trade
from exconn_sync.model.order_lists import OrderListState
from exconn_sync.model.orders import Fill, OrderState


class DataFace(MarketPushFace, StreamFace):
    """Subscriptions and local state.

    Each ``on_...`` returns a Subscription: call it to end it. Callbacks run one at a time and in order on a thread of
    their own; an exception in one is logged, counted, reported on ``on_error``, and harms nobody else. A callback of
    None subscribes nothing.

    Market data that is not taken away in time gives way by the policy: ``buffer`` events are kept, and ``overflow`` is
    ``drop_oldest``, ``drop_newest``, ``block`` or ``conflate`` (defaults from the Config). ``Subscription.dropped``
    counts what was lost, and ``on_gap(count)`` is told in sequence. Account events are never dropped: where many wait
    for one subscriber, ``on_error`` hears of it (SubscriberLagging), as it does of a callback that has been running for
    5 s (SubscriberStuck).

    A symbol is canonical (``BTC-USDT``), slashed (``BTC/USDT``) or the exchange's own (``BTCUSDT``). One that does not
    exist raises ValidationError, or is reported on ``on_error`` where the instruments are not loaded yet.
    """

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
        depth = depth_of(depth)
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

    def on_balance_change(
        self, callback: Callable[[BalanceChange], object] | None, *, asset: str = ANY
    ) -> Subscription:
        """Call back for each amount that came or went without a trade: deposits, transfers, locks from outside."""
        return self._push_account(Channel.BALANCE_CHANGE, asset, callback)

    def on_order_list(self, callback: Callable[[OrderListState], object] | None, *, symbol: str = ANY) -> Subscription:
        """Call back for each changed order list; its orders are told by ``on_order``."""
        return self._push_account(Channel.ORDER_LIST, symbol, callback)

    def on_position(self, callback: Callable[[Position], object] | None, *, symbol: str = ANY) -> Subscription:
        """Call back for each changed position."""
        return self._push_account(Channel.POSITION, symbol, callback)

    def on_instrument(self, callback: Callable[[InstrumentEvent], object] | None, *, symbol: str = ANY) -> Subscription:
        """Call back where a symbol's rules or status changed, or it came or went (fault F065).

        Rules are asked for each hour, and soon after an order was refused that obeys the known ones.
        """
        return self._push_account(Channel.INSTRUMENT, symbol, callback)

    def on_data_gap(self, callback: Callable[[DataGap], object] | None, *, symbol: str = ANY) -> Subscription:
        """Call back where trades or candles were missed during a cut and cannot be had any more.

        What can be had is delivered with ``is_backfilled``, and nothing is told here. See ``market_streams`` of the
        configuration.
        """
        return self._push_account(Channel.DATA_GAP, symbol, callback)

    def on_connection(self, callback: Callable[[ConnectionEvent], object] | None) -> Subscription:
        """Call back when a connection (``rest``, ``market``, ``account``) comes up or goes down."""
        return self._push_account(Channel.CONNECTION, ANY, callback)

    def on_error(self, callback: Callable[[ErrorEvent], object] | None) -> Subscription:
        """Call back for errors that no caller waits for: malformed messages, callbacks that raise, crashed workers."""
        return self._push_account(Channel.ERROR, ANY, callback)

    def subscribe(self, pattern: str, callback: Callable[[Any], object] | None) -> Subscription:
        """Call back for every event whose topic matches ``channel.exchange.symbol``; each part may hold ``*``.

        A fourth part names the variant: ``kline.binance.BTC-USDT.5m``, ``ticker.binance.BTC-USDT.1h``,
        ``partialbook.binance.BTC-USDT.10``. Without it the usual one is meant (``1m``, ``24h``, ``20``), in a wide
        pattern all.

        A pattern that names one channel of public data and one symbol makes the connector ask for it. A wider one is
        given what others have asked for. One over several channels may bring account events, which are never dropped,
        so it has no bound.

        Raises:
            ValidationError: not two to four parts, an unknown channel, or a variant that the exchange does not offer.
        """
        parts = parse_pattern(pattern)
        known = parts.known_channel
        is_wide = ANY in parts.symbol + parts.variant or parts.exchange not in (ANY, self._core.config.exchange)
        if known is Channel.ORDER_BOOK and parts.variant:
            constraint = "must not name a variant: there is one book a symbol, see market_streams of the configuration"
            raise ValidationError("pattern", pattern, constraint)
        if known is not None and known.is_market_data and not is_wide:
            return self._push(known, parts.symbol, callback, None, None, None, variant=parts.variant)
        if known in OF_SYMBOL and not is_wide:
            return self._push_account(known, parts.symbol, callback)
        if known is not None and known.is_market_data:
            return self._add_push(parts.key, callback, self._mailbox(None, None), None)
        return self._add_lossless(parts.key, callback)

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
        self._core.interests.want_book(canonical)
        return assembly.books.view(canonical, depth_of(depth))

    def top_of_book(self, symbol: str) -> BookTicker:
        """Return best bid and best ask of the local order book as it is now; instant, no I/O, nothing is copied.

        It costs a small part of what ``order_book`` does, and has the ``update_id`` of the book it belongs to. The
        first call for a symbol makes the connector keep its book, as with ``order_book``.

        Raises:
            StaleBook: the book is not live; ``order_book(symbol).state`` can always be asked.
            ValidationError: the exchange has no such symbol.
            NotReady: the instruments are not loaded yet.
            ConnectorStopped: not started, or stopped.
        """
        assembly = self._core.assembly
        canonical = assembly.catalogue.get(symbol).symbol
        self._core.interests.want_book(canonical)
        return assembly.books.best(canonical)

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
