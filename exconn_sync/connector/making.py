"""How subscriptions are made: checked, given a mailbox, put on the bus, and wanted from the exchange."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from fnmatch import fnmatchcase
from typing import Any

from exconn_sync._runtime.dispatch import PushSubscription
from exconn_sync._runtime.mailbox import Mailbox
from exconn_sync._runtime.queue_subscription import QueueSubscription, UserQueue, check_queue
from exconn_sync._runtime.subscription import Key, PullSubscription, Subscription
from exconn_sync.connector.core import Core
from exconn_sync.connector.patterns import ANY
from exconn_sync.errors import ExconnError, ValidationError
from exconn_sync.model.enums import Channel
from exconn_sync.model.market_statistics import Kline, Ticker

OnGap = Callable[[int], object] | None
OF_SYMBOL = (Channel.ORDER, Channel.ORDER_LIST, Channel.FILL, Channel.POSITION, Channel.INSTRUMENT, Channel.DATA_GAP)
"""Channels without loss whose events belong to a symbol."""


class SubscriptionMaker:
    """What the faces of a connector make subscriptions with."""

    _core: Core

    def _push(
        self,
        channel: Channel,
        symbol: str,
        callback: Callable[[Any], object] | None,
        buffer: int | None,
        overflow: str | None,
        on_gap: OnGap,
        depth: int | None = None,
        variant: str = "",
    ) -> Subscription:
        variant = self._core.driver.variant(channel, variant)
        key = self._core.pipeline.key(channel, symbol_of(symbol), variant)
        subscription = self._add_push(key, callback, self._mailbox(buffer, overflow), on_gap, depth)
        return self._want(subscription, channel, symbol, variant)

    def _push_account(self, channel: Channel, symbol: str, callback: Callable[[Any], object] | None) -> Subscription:
        key = self._core.pipeline.key(channel, symbol_of(symbol))
        subscription = self._add_lossless(key, callback)
        is_of_symbol = channel in OF_SYMBOL and ANY not in symbol
        return self._want(subscription, channel, symbol) if is_of_symbol else subscription

    def _add_lossless(self, key: Key, callback: Callable[[Any], object] | None) -> Subscription:
        alarm = self._core.config.delivery.alarm
        return self._add_push(key, callback, Mailbox(0, "drop_oldest"), None, alarm=alarm)

    def _add_push(
        self,
        key: Key,
        callback: Callable[[Any], object] | None,
        mailbox: Mailbox,
        on_gap: OnGap,
        depth: int | None = None,
        alarm: int | None = None,
    ) -> Subscription:
        self._core.guard.check("connector")
        if callback is not None and not callable(callback):
            raise ValidationError("callback", callback, "must be a function")
        reporter = self._core.pipeline
        subscription = PushSubscription(key, mailbox, self._end, callback or _nothing, on_gap, reporter, alarm)
        subscription.depth = depth
        if callback is None:
            subscription.abandon()
        else:
            self._add(subscription)
        return subscription

    def _pull(
        self,
        channel: Channel,
        symbol: str,
        buffer: int | None,
        overflow: str | None,
        queue: UserQueue | None,
        depth: int | None = None,
        variant: str = "",
    ) -> Any:
        self._core.guard.check("connector")
        variant = self._core.driver.variant(channel, variant)
        key = self._core.pipeline.key(channel, symbol_of(symbol), variant)
        subscription: Subscription
        if queue is None:
            subscription = PullSubscription(key, self._mailbox(buffer, overflow), self._end, self._core.pipeline)
        elif buffer is not None:
            raise ValidationError("buffer", buffer, "must not be given with a queue of your own, which is the buffer")
        else:
            subscription = self._queued(key, queue, overflow or "drop_oldest", is_lossless=False)
        subscription.depth = depth
        self._core.bus.add(subscription)
        return self._want(subscription, channel, symbol, variant)

    def _pull_account(self, channel: Channel, queue: UserQueue | None) -> Any:
        self._core.guard.check("connector")
        key = self._core.pipeline.key(channel, ANY)
        alarm = self._core.config.delivery.alarm
        subscription: Subscription
        if queue is None:
            mailbox = Mailbox(0, "drop_oldest")
            subscription = PullSubscription(key, mailbox, self._end, self._core.pipeline, alarm)
        else:
            subscription = self._queued(key, queue, "drop_oldest", is_lossless=True)
        self._add(subscription)
        return subscription

    def _add(self, subscription: Subscription) -> None:
        if fnmatchcase(Channel.FILL.value, subscription.pattern[0]):
            self._core.holder.receipts.watch(subscription)
        self._core.bus.add(subscription)

    def _queued(self, key: Key, queue: UserQueue, overflow: str, *, is_lossless: bool) -> Subscription:
        check_queue(queue, overflow, is_lossless=is_lossless)
        alarm = self._core.config.delivery.alarm if is_lossless else None
        return QueueSubscription(
            key, self._end, queue, overflow, self._core.pipeline, is_lossless=is_lossless, alarm=alarm
        )

    def _want(self, subscription: Subscription, channel: Channel, symbol: str, variant: str = "") -> Subscription:
        if subscription.is_active:
            try:
                self._core.interests.add(subscription, channel, symbol, variant)
            except ExconnError:
                subscription.abandon()
                raise
        return subscription

    def _mailbox(self, buffer: int | None, overflow: str | None) -> Mailbox:
        defaults = self._core.config.delivery
        size = defaults.buffer if buffer is None else buffer
        if isinstance(size, bool) or not isinstance(size, int) or size < 1:
            raise ValidationError("buffer", buffer, "must be a whole number of at least 1")
        policy = defaults.overflow if overflow is None else overflow
        return Mailbox(size, policy, _conflated_by, block_limit=defaults.block_limit)

    def _end(self, subscription: Subscription) -> None:
        self._core.bus.remove(subscription)
        self._core.interests.remove(subscription)
        self._core.holder.receipts.left(subscription)


def _conflated_by(event: Any) -> Hashable:
    """Return what two events share of which the newer replaces the older: the symbol, and the span they count."""
    if isinstance(event, Kline):
        return event.symbol, event.interval
    return (event.symbol, event.window) if isinstance(event, Ticker) else event.symbol


def _nothing(event: object) -> None:
    """Take an event of a subscription that has no callback."""


def symbol_of(symbol: object) -> str:
    """Return a checked symbol, as it was spelt. Raises ValidationError."""
    if not isinstance(symbol, str) or not symbol:
        raise ValidationError("symbol", symbol, "must be a symbol such as BTC-USDT")
    return symbol


def depth_of(depth: object) -> int | None:
    """Return a checked number of levels a side, None for all. Raises ValidationError."""
    if depth is not None and (isinstance(depth, bool) or not isinstance(depth, int) or depth < 1):
        raise ValidationError("depth", depth, "must be a whole number of at least 1, or None")
    return depth
