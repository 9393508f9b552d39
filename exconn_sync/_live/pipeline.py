"""From workers to subscribers: every event of one connector passes here."""

from __future__ import annotations

import logging
from typing import Any

from exconn_sync._runtime.bus import Bus
from exconn_sync._runtime.subscription import Key
from exconn_sync.errors import ExconnError
from exconn_sync.model.enums import Channel
from exconn_sync.model.events import ConnectionEvent, ErrorEvent
from exconn_sync.ports.clock import Clock
from exconn_sync.ports.metrics import MetricsSink

logger = logging.getLogger("exconn_sync")


class Pipeline:
    """Gives events their key and hands them to the bus. May be used from any thread; runs no user code."""

    def __init__(self, exchange: str, bus: Bus, clock: Clock, metrics: MetricsSink) -> None:
        self.exchange = exchange
        self.bus = bus
        self.metrics = metrics
        self._clock = clock

    def key(self, channel: Channel, symbol: str = "") -> Key:
        """Return the key of a channel's events for a symbol."""
        return (channel.value, self.exchange, symbol)

    def account(self, channel: Channel, symbol: str, values: list[Any]) -> None:
        """Publish account events."""
        self.bus.publish(self.key(channel, symbol), values)

    def connection(self, event: ConnectionEvent) -> None:
        """Publish that a connection came up or went down; logged once an episode."""
        if event.is_up:
            logger.info("%s %s connected", self.exchange, event.connection)
        elif event.attempt <= 1:
            logger.warning("%s %s disconnected: %s", self.exchange, event.connection, event.reason)
        state = "up" if event.is_up else "down"
        self.metrics.count("connection." + state, exchange=self.exchange, connection=event.connection)
        self.bus.publish(self.key(Channel.CONNECTION), [event])

    def error(self, where: str, error: Exception) -> None:
        """Publish an error that no caller waits for."""
        kind = error.code if isinstance(error, ExconnError) else type(error).__name__
        logger.warning("%s %s: %s", self.exchange, where, error)
        self.metrics.count("errors", exchange=self.exchange, kind=kind)
        self.bus.publish(self.key(Channel.ERROR), [ErrorEvent(self.exchange, where, error, self._clock.time_ns())])

    def callback_error(self, where: str, error: Exception) -> None:
        """Publish that a user's callback raised; a failing ``on_error`` callback is not told of itself."""
        self.metrics.count("callback.errors", exchange=self.exchange)
        if not where.endswith(f"{Channel.ERROR}.{self.exchange}"):
            self.bus.publish(self.key(Channel.ERROR), [ErrorEvent(self.exchange, where, error, self._clock.time_ns())])
