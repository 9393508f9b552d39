"""Several exchanges as one: connectors that come and go while the others run on."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from types import TracebackType
from typing import Any

from exconn_sync._machines.consolidation import BestPrice, best_price
from exconn_sync._runtime.subscription import Subscription
from exconn_sync.config import Config
from exconn_sync.connector import Connector, Health
from exconn_sync.errors import ConnectorStopped, ExconnError, NotReady, ValidationError

STOP_TIMEOUT = 5.0
_MAX_AGE = 5.0


class Hub:
    """Owns one connector for each added configuration; a failing one never disturbs another.

    All methods may be called from any thread. Connectors added to a started hub are started at once. Subscriptions of
    the hub also cover connectors added later.
    """

    def __init__(self, *configs: Config) -> None:
        # Guards the tables; connectors are started, stopped and asked after it is released.
        self._lock = threading.Lock()
        self._connectors: dict[str, Connector] = {}
        self._subscriptions: list[_HubSubscription] = []
        self._is_started = False
        for config in configs:
            self.add(config)

    def add(self, config: Config, name: str | None = None) -> Connector:
        """Add a connector under ``name`` (default: its exchange) and return it.

        Raises:
            ValidationError: the name is taken.
        """
        connector = Connector(config)
        key = name or config.exchange
        with self._lock:
            if key in self._connectors:
                raise ValidationError("name", key, "is taken; pass another name for a second account")
            self._connectors[key] = connector
            subscriptions = list(self._subscriptions)
            is_started = self._is_started
        for subscription in subscriptions:
            subscription.cover(key, connector)
        if is_started:
            connector.start()
        return connector

    def remove(self, name: str, timeout: float | None = STOP_TIMEOUT) -> None:
        """Stop a connector and forget it; the others are not touched.

        Raises:
            ValidationError: no connector of that name.
        """
        with self._lock:
            if name not in self._connectors:
                raise ValidationError("name", name, "is not in this hub")
            connector = self._connectors.pop(name)
            subscriptions = list(self._subscriptions)
        for subscription in subscriptions:
            subscription.uncover(name)
        connector.stop(timeout)

    def __getitem__(self, name: str) -> Connector:
        """Return a connector by name. Raises KeyError."""
        return self._connectors[name]

    def __iter__(self) -> Iterator[str]:
        with self._lock:
            return iter(list(self._connectors))

    def __len__(self) -> int:
        return len(self._connectors)

    def start(self) -> None:
        """Start all connectors; returns at once."""
        with self._lock:
            self._is_started = True
        for connector in self._all().values():
            connector.start()

    def stop(self, timeout: float | None = STOP_TIMEOUT) -> list[str]:
        """Stop all connectors within one deadline; return the names of threads that did not end in time."""
        limit = None if timeout is None else time.monotonic() + timeout
        with self._lock:
            self._is_started = False
        left: list[str] = []
        for connector in self._all().values():
            left += connector.stop(None if limit is None else max(limit - time.monotonic(), 0.0))
        return left

    def __enter__(self) -> Hub:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def wait_ready(self, timeout: float | None = None) -> None:
        """Wait until all connectors are ready within one time limit.

        Raises:
            ExconnError: what ``Connector.wait_ready`` raises for the first that is not.
        """
        limit = None if timeout is None else time.monotonic() + timeout
        for connector in self._all().values():
            connector.wait_ready(None if limit is None else max(limit - time.monotonic(), 0.0))

    def subscribe(self, pattern: str, callback: Callable[[Any], object] | None) -> Callable[[], None]:
        """Subscribe ``channel.exchange.symbol`` on every connector; return a function that ends it.

        A connector whose exchange lacks the symbol is left out.
        """
        subscription = _HubSubscription(pattern, callback)
        with self._lock:
            self._subscriptions.append(subscription)
            connectors = dict(self._connectors)
        for name, connector in connectors.items():
            subscription.cover(name, connector)

        def end() -> None:
            with self._lock:
                if subscription in self._subscriptions:
                    self._subscriptions.remove(subscription)
            subscription.stop()

        return end

    def best_price(self, symbol: str, *, max_age: float = _MAX_AGE) -> BestPrice:
        """Return best bid and ask over the exchanges, from local books no older than ``max_age`` seconds.

        An exchange that is down, whose book is not whole, or that lacks the symbol, is named in ``left_out``. The first
        call for a symbol makes the connectors keep its book, so that one is usually empty.
        """
        views, absent = [], {}
        for name, connector in self._all().items():
            try:
                views.append(connector.order_book(symbol))
            except (ConnectorStopped, NotReady, ValidationError) as error:
                absent[name] = error.message
        best = best_price(views, max_age)
        return replace(best, left_out={**best.left_out, **absent})

    def health(self) -> dict[str, Health]:
        """Return the condition of each connector by name."""
        return {name: connector.health() for name, connector in self._all().items()}

    def _all(self) -> dict[str, Connector]:
        with self._lock:
            return dict(self._connectors)


class _HubSubscription:
    """One pattern over all connectors."""

    def __init__(self, pattern: str, callback: Callable[[Any], object] | None) -> None:
        self._pattern = pattern
        self._callback = callback
        self._parts: dict[str, Subscription] = {}

    def cover(self, name: str, connector: Connector) -> None:
        """Subscribe on one more connector."""
        try:
            self._parts[name] = connector.subscribe(self._pattern, self._callback)
        except ExconnError as error:
            if not isinstance(error, ValidationError) or error.field != "symbol":
                raise

    def uncover(self, name: str) -> None:
        """End the part of one connector."""
        part = self._parts.pop(name, None)
        if part is not None:
            part.stop()

    def stop(self) -> None:
        """End all parts."""
        for name in list(self._parts):
            self.uncover(name)
