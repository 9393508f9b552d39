"""Several exchanges as one: connectors that come, go and fail while the others run on."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from types import TracebackType
from typing import Any

from exconn_sync._machines.consolidation import BestPrice, best_price
from exconn_sync._machines.deadline import Deadline
from exconn_sync._runtime.process import ProcessGuard
from exconn_sync._runtime.reviver import Reviver
from exconn_sync._runtime.threads import library_threads
from exconn_sync.config import Config
from exconn_sync.connector import Connector, Health
from exconn_sync.errors import ConnectorStopped, ExconnError, NotReady, ThreadsUnavailable, ValidationError
from exconn_sync.hub.stopping import remaining, stop_all
from exconn_sync.hub.subscription import HubSubscription, check
from exconn_sync.model.enums import ConnectorState
from exconn_sync.ports.clock import SystemClock
from exconn_sync.ports.forking import renew_in_child

logger = logging.getLogger("exconn_sync")

STOP_TIMEOUT = 5.0
RESTARTS, RESTART_PERIOD = 5, 60.0
"""A connector whose worker dies at each start takes 6 s to give up: within 10 s it could never be too often."""
_MAX_AGE = 5.0


class Hub:
    """Owns one connector for each added configuration; a failing one never disturbs another.

    A connector that gives up (state ``failed``) is started again, up to 5 times within 60 s; each connector is counted
    by itself. Beyond that it stays ``failed``, which ``health``, ``on_error`` and its own calls say; ``start`` begins
    anew.

    All methods may be called from any thread, also from inside a callback. Connectors added to a started hub are
    started at once. Subscriptions of the hub also cover connectors added later, and outlast a stop and another start.
    """

    def __init__(self, *configs: Config) -> None:
        # Guards the tables; connectors are started, stopped and asked after it is released. Reentrant: the garbage
        # collector may end a subscription while we hold it (fault F153).
        self._lock = threading.RLock()
        self._connectors: dict[str, Connector] = {}
        self._subscriptions: list[HubSubscription] = []
        self._is_started = False
        self._guard = ProcessGuard()
        # Set when the stop that is going on has ended; None while there is none.
        self._stop_ended: threading.Event | None = None
        self._reviver = self._new_reviver()
        renew_in_child(self)
        for config in configs:
            self.add(config)

    def renew_in_child(self) -> None:
        """Replace the lock in a forked child, and forget the stop that the parent is carrying out (fault F125)."""
        self._lock = threading.RLock()
        self._stop_ended = None
        self._reviver = self._new_reviver()

    def _new_reviver(self) -> Reviver:
        return Reviver("hub-supervisor", RESTARTS, RESTART_PERIOD, SystemClock(), self._revive, self._give_up)

    def add(self, config: Config, name: str | None = None) -> Connector:
        """Add a connector under ``name`` (default: its exchange) and return it. Nothing remains when this raises.

        Raises:
            ValidationError: the name is taken.
        """
        connector = Connector(config)
        key = name or config.exchange
        connector._core.on_failed = lambda error: self._reviver.failed(key, error)
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
            self._guard.adopt()
            connectors, subscriptions = dict(self._connectors), list(self._subscriptions)
        errors: list[ExconnError] = []
        try:
            self._reviver.start()
        except ThreadsUnavailable as error:
            errors.append(error)
        for name, connector in connectors.items():
            try:
                connector._adopt()
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
                going_on.wait(remaining(deadline))
            return []
        try:
            self._reviver.tell_stop()
            return stop_all(connectors, deadline) + self._reviver.join(deadline)
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
        # A forked child that leaves the block of its parent has nothing to stop, and its own error must go on.
        if not self._guard.is_foreign:
            self.stop()

    def wait_ready(self, timeout: float | None = None) -> None:
        """Wait until all connectors are ready within one time limit.

        Raises:
            ExconnError: what ``Connector.wait_ready`` raises for the first that is not.
        """
        deadline = Deadline.after(time.monotonic_ns(), timeout)
        for connector in self._all().values():
            connector.wait_ready(remaining(deadline))

    def subscribe(self, pattern: str, callback: Callable[[Any], object] | None) -> HubSubscription:
        """Subscribe ``channel.exchange.symbol`` on every connector; call what is returned to end it.

        The pattern is as for ``Connector.subscribe``, a fourth part for the variant included.

        A connector whose exchange lacks the symbol, the channel or the variant is left out, and named in ``left_out``
        of what is returned; so is one that is added later. Nothing remains when this raises.

        Raises:
            ValidationError: not two to four parts, an unknown channel, a callback that is no function, or something
                that none of the exchanges has; ``details["left_out"]`` then has the reason of each.
        """
        check(pattern, callback)
        subscription = HubSubscription(pattern, callback, self._unsubscribe)
        with self._lock:
            self._subscriptions.append(subscription)
            connectors = dict(self._connectors)
        with ExitStack() as undo:
            undo.callback(subscription)
            lacks = [self._cover(subscription, name, connector) for name, connector in connectors.items()]
            errors = [error for error in lacks if error is not None]
            if errors and len(errors) == len(lacks):
                errors[0].details["left_out"] = subscription.left_out
                raise errors[0]
            undo.pop_all()
        return subscription

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

    def _unsubscribe(self, subscription: HubSubscription) -> None:
        with self._lock:
            if subscription in self._subscriptions:
                self._subscriptions.remove(subscription)

    def _cover(self, subscription: HubSubscription, name: str, connector: Connector) -> ValidationError | None:
        lacks = subscription.cover(name, connector)
        with self._lock:
            is_ours = self._connectors.get(name) is connector
        if not is_ours:
            # It was removed meanwhile, perhaps before this subscription had a part on it.
            subscription.uncover(connector)
        return lacks

    def _start(self, name: str, connector: Connector) -> None:
        connector.start()
        with self._lock:
            is_wanted = self._is_started and self._connectors.get(name) is connector
        if not is_wanted:
            # The hub was stopped or the connector removed meanwhile, perhaps before it had anything to stop.
            connector.stop(STOP_TIMEOUT)

    def _revive(self, name: str) -> None:
        """Start a connector that gave up, unless somebody was quicker or does not want it any more."""
        with self._lock:
            connector = self._connectors.get(name) if self._is_started else None
        if connector is not None and connector.state is ConnectorState.FAILED:
            self._start(name, connector)

    def _give_up(self, name: str, error: Exception) -> None:
        connector = self._all().get(name)
        if connector is not None:
            logger.critical("hub: connector %s keeps failing and is not started again", name)
            connector._core.pipeline.error(f"hub gave up on {name}", error, always=True)

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
