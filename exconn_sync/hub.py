"""Several exchanges as one: connectors that come and go while the others run on."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from types import TracebackType
from typing import Any

from exconn_sync._machines.consolidation import BestPrice, best_price
from exconn_sync._machines.deadline import Deadline
from exconn_sync._runtime.subscription import Subscription
from exconn_sync._runtime.threads import join, library_threads, spawn
from exconn_sync.config import Config
from exconn_sync.connector import Connector, Health
from exconn_sync.connector.patterns import parse_pattern
from exconn_sync.errors import ConnectorStopped, ExconnError, NotReady, ValidationError
from exconn_sync.model.enums import ConnectorState

STOP_TIMEOUT = 5.0
_MAX_AGE = 5.0
_STOP_GRACE = 0.5
"""Seconds beyond the deadline in which a connector that used it up can still say which threads are left."""


class Hub:
    """Owns one connector for each added configuration; a failing one never disturbs another.

    All methods may be called from any thread, also from inside a callback. Connectors added to a started hub are
    started at once. Subscriptions of the hub also cover connectors added later, and outlast a stop and another start.
    """

    def __init__(self, *configs: Config) -> None:
        # Guards the tables; connectors are started, stopped and asked after it is released.
        self._lock = threading.Lock()
        self._connectors: dict[str, Connector] = {}
        self._subscriptions: list[_HubSubscription] = []
        self._is_started = False
        # Set when the stop that is going on has ended; None while there is none.
        self._stop_ended: threading.Event | None = None
        for config in configs:
            self.add(config)

    def add(self, config: Config, name: str | None = None) -> Connector:
        """Add a connector under ``name`` (default: its exchange) and return it. Nothing remains when this raises.

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
        with ExitStack() as undo:
            undo.callback(self._forget, key, connector, STOP_TIMEOUT)
            for subscription in subscriptions:
                self._cover(subscription, key, connector)
            if is_started:
                self._start(key, connector)
            undo.pop_all()
        return connector

    def remove(self, name: str, timeout: float | None = STOP_TIMEOUT) -> None:
        """Stop a connector and forget it; the others are not touched.

        Raises:
            ValidationError: no connector of that name.
        """
        connector = self._all().get(name)
        if connector is None or not self._forget(name, connector, timeout):
            raise ValidationError("name", name, "is not in this hub")

    def __getitem__(self, name: str) -> Connector:
        """Return a connector by name. Raises KeyError."""
        return self._connectors[name]

    def __iter__(self) -> Iterator[str]:
        with self._lock:
            return iter(list(self._connectors))

    def __len__(self) -> int:
        return len(self._connectors)

    def start(self) -> None:
        """Start all connectors; returns at once.

        Raises:
            ConnectorStopped: a stop is still going on.
            ExconnError: what the first connector raised that could not be started; the others are started.
        """
        with self._lock:
            if self._stop_ended is not None:
                raise ConnectorStopped("the hub is stopping; start it again when stop has returned")
            self._is_started = True
            connectors, subscriptions = dict(self._connectors), list(self._subscriptions)
        errors: list[ExconnError] = []
        for name, connector in connectors.items():
            try:
                # Before the start, so that no event is missed: an earlier stop has ended what covered it.
                for subscription in subscriptions:
                    self._cover(subscription, name, connector)
                self._start(name, connector)
            except ExconnError as error:
                errors.append(error)
        if errors:
            raise errors[0]

    def stop(self, timeout: float | None = STOP_TIMEOUT) -> list[str]:
        """Stop all connectors at the same time and within one deadline; also from inside a callback.

        Returns the threads that did not end in time, each as ``"<name of the connector>: <name of the thread>"``.
        From inside a callback the connectors are stopped one after the other, each with its share of the time.
        """
        deadline = Deadline.after(time.monotonic_ns(), timeout)
        ended = threading.Event()
        with self._lock:
            going_on = self._stop_ended
            if going_on is None:
                self._stop_ended = ended
                self._is_started = False
            connectors = dict(self._connectors)
        if going_on is not None:
            # The stop that is going on waits for the callbacks: one of these must not wait for it.
            if threading.current_thread() not in library_threads():
                going_on.wait(_remaining(deadline))
            return []
        try:
            return _stop_all(connectors, deadline)
        finally:
            with self._lock:
                self._stop_ended = None
            ended.set()

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
        deadline = Deadline.after(time.monotonic_ns(), timeout)
        for connector in self._all().values():
            connector.wait_ready(_remaining(deadline))

    def subscribe(self, pattern: str, callback: Callable[[Any], object] | None) -> Callable[[], None]:
        """Subscribe ``channel.exchange.symbol`` on every connector; return a function that ends it.

        A connector whose exchange lacks the symbol is left out. Nothing remains when this raises.

        Raises:
            ValidationError: not three parts, an unknown channel, or a callback that is no function.
        """
        _check(pattern, callback)
        subscription = _HubSubscription(pattern, callback)
        with self._lock:
            self._subscriptions.append(subscription)
            connectors = dict(self._connectors)

        def end() -> None:
            with self._lock:
                if subscription in self._subscriptions:
                    self._subscriptions.remove(subscription)
            subscription.stop()

        with ExitStack() as undo:
            undo.callback(end)
            for name, connector in connectors.items():
                self._cover(subscription, name, connector)
            undo.pop_all()
        return end

    def best_price(self, symbol: str, *, max_age: float = _MAX_AGE) -> BestPrice:
        """Return best bid and ask over the connectors, from local books no older than ``max_age`` seconds.

        ``bid_exchange``, ``ask_exchange``, ``ages`` and ``left_out`` hold the names of the connectors in this hub. One
        that is down, whose book is not whole, or that lacks the symbol, is named in ``left_out``. The first call for a
        symbol makes the connectors keep its book, so that one is usually empty.
        """
        views, absent = [], {}
        for name, connector in self._all().items():
            try:
                # Two connectors of one exchange are two legs, and only the hub's names tell them apart.
                views.append(connector.order_book(symbol).renamed(name))
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

    def _cover(self, subscription: _HubSubscription, name: str, connector: Connector) -> None:
        subscription.cover(connector)
        with self._lock:
            is_ours = self._connectors.get(name) is connector
        if not is_ours:
            # It was removed meanwhile, perhaps before this subscription had a part on it.
            subscription.uncover(connector)

    def _start(self, name: str, connector: Connector) -> None:
        connector.start()
        with self._lock:
            is_wanted = self._is_started and self._connectors.get(name) is connector
        if not is_wanted:
            # The hub was stopped or the connector removed meanwhile, perhaps before it had anything to stop.
            connector.stop(STOP_TIMEOUT)

    def _forget(self, name: str, connector: Connector, timeout: float | None) -> bool:
        """Stop a connector that leaves the hub; return whether it was still in it."""
        with self._lock:
            if self._connectors.get(name) is not connector:
                return False
            del self._connectors[name]
            subscriptions = list(self._subscriptions)
        connector.stop(timeout)
        for subscription in subscriptions:
            subscription.uncover(connector)
        return True


class _HubSubscription:
    """One pattern over all connectors. Thread-safe; once ended it covers nothing any more."""

    def __init__(self, pattern: str, callback: Callable[[Any], object] | None) -> None:
        self._pattern = pattern
        self._callback = callback
        # Guards the parts and whether it has ended; parts are made and ended after it is released.
        self._lock = threading.Lock()
        self._parts: dict[Connector, Subscription] = {}
        self._has_ended = False

    def cover(self, connector: Connector) -> None:
        """Subscribe on one more connector, or again on one that has been stopped since."""
        if not self._lacks(connector):
            return
        try:
            part = connector.subscribe(self._pattern, self._callback)
        except ValidationError as error:
            if error.field != "symbol":
                raise
            return
        with self._lock:
            is_kept = self._lacks_now(connector)
            if is_kept:
                self._parts[connector] = part
        if not is_kept:
            part.stop()

    def uncover(self, connector: Connector) -> None:
        """Let go of the part of one connector that was stopped, without waiting for its callback once more."""
        with self._lock:
            part = self._parts.pop(connector, None)
        if part is not None:
            part.abandon()

    def stop(self) -> None:
        """End all parts, for good."""
        with self._lock:
            self._has_ended = True
            parts, self._parts = list(self._parts.values()), {}
        for part in parts:
            part.stop()

    def _lacks(self, connector: Connector) -> bool:
        with self._lock:
            return self._lacks_now(connector)

    def _lacks_now(self, connector: Connector) -> bool:
        part = self._parts.get(connector)
        return not self._has_ended and (part is None or not part.is_active)


class _Stop:
    """The stop of one connector, on a thread of its own or on the caller's."""

    def __init__(self, name: str, connector: Connector) -> None:
        self._name = name
        self._connector = connector
        self._thread: threading.Thread | None = None
        self._left: list[str] = []
        self._error: ExconnError | None = None

    def begin(self, timeout: float | None) -> bool:
        """Stop on a thread of its own; return whether there is one to be had."""
        try:
            self._thread = spawn(f"stop-{self._name}", lambda: self.run(timeout))
        except RuntimeError:
            # Python starts no more threads, as in an exit hook.
            return False
        return True

    def run(self, timeout: float | None) -> None:
        """Stop on this thread; what that raises is kept for ``result``."""
        try:
            self._left = self._connector.stop(timeout)
        except ExconnError as error:
            self._error = error

    def result(self, deadline: Deadline) -> list[str]:
        """Wait for the end of the stop; return the threads that are left. Raises ExconnError."""
        remaining = _remaining(deadline)
        if not join(self._thread, None if remaining is None else remaining + _STOP_GRACE):
            return [] if self._thread is None else [f"{self._name}: {self._thread.name}"]
        if self._error is not None:
            raise self._error
        if self._connector.state is ConnectorState.STOPPING:
            # Somebody else stops it, for which our thread did not wait, but a thread of the user does.
            self._connector.stop(_remaining(deadline))
        return [f"{self._name}: {thread}" for thread in self._left]


def _stop_all(connectors: dict[str, Connector], deadline: Deadline) -> list[str]:
    stops = [_Stop(name, connector) for name, connector in connectors.items()]
    # A stop waits for the callbacks of its connector, unless it is called from one. So a callback must call it itself
    # for its connector; and because it does not know which one that is, for all of them.
    is_callback = threading.current_thread() in library_threads()
    here = [stop for stop in stops if is_callback or not stop.begin(_remaining(deadline))]
    for position, stop in enumerate(here):
        remaining = _remaining(deadline)
        stop.run(None if remaining is None else remaining / (len(here) - position))
    left: list[str] = []
    errors: list[ExconnError] = []
    for stop in stops:
        try:
            left += stop.result(deadline)
        except ExconnError as error:
            errors.append(error)
    if errors:
        raise errors[0]
    return left


def _remaining(deadline: Deadline) -> float | None:
    return deadline.remaining(time.monotonic_ns())


def _check(pattern: object, callback: object) -> None:
    """Refuse what every connector would refuse: an empty hub would only find out when the first one is added."""
    parse_pattern(pattern)
    if callback is not None and not callable(callback):
        raise ValidationError("callback", callback, "must be a function")
