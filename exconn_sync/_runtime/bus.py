"""Who gets which event: a table from keys to subscriptions, replaced whole when one comes or goes."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from exconn_sync._runtime.subscription import Key, Subscription
from exconn_sync.errors import ExconnError

_LOOK_EVERY = 1_000_000_000


class _Routes:
    """The subscriptions at one moment, and which of them each key concerns, worked out when first asked."""

    __slots__ = ("by_key", "subscriptions")

    def __init__(self, subscriptions: tuple[Subscription, ...]) -> None:
        self.subscriptions = subscriptions
        self.by_key: dict[Key, tuple[Subscription, ...]] = {}


class Bus:
    """Delivers batches of events to the subscriptions they concern. Publishing takes no lock of the bus."""

    def __init__(self) -> None:
        # Guards replacing the routes; readers use whatever is current. Reentrant: the garbage collector may end a
        # subscription while we hold it (fault F153).
        self._lock = threading.RLock()
        self._routes = _Routes(())
        self._failure: ExconnError | None = None
        self._look_at_ns = 0

    def add(self, subscription: Subscription) -> None:
        """Deliver to this subscription from now on."""
        with self._lock:
            self._routes = _Routes((*self._others(subscription), subscription))
            failure = self._failure
        if failure is not None:
            subscription.set_failure(failure)

    def remove(self, subscription: Subscription) -> None:
        """Deliver to this subscription no longer; an unknown one is ignored."""
        with self._lock:
            self._routes = _Routes(self._others(subscription))

    def _others(self, subscription: Subscription) -> tuple[Subscription, ...]:
        # Those that have ended are left out: a finaliser may remove one while this very tuple is made.
        return tuple(item for item in self._routes.subscriptions if item is not subscription and item.is_active)

    def refresh(self) -> None:
        """Work out anew which subscriptions each key concerns, after the pattern of one has changed."""
        with self._lock:
            self._routes = _Routes(self._routes.subscriptions)

    def renew(self) -> None:
        """Begin anew in a forked child with the same subscriptions, each renewed; only one thread exists."""
        self._lock = threading.RLock()
        self._routes = _Routes(self._routes.subscriptions)
        self._failure = None
        for subscription in self._routes.subscriptions:
            subscription.renew()

    def subscriptions(self) -> tuple[Subscription, ...]:
        """Return all subscriptions."""
        return self._routes.subscriptions

    def concerned(self, key: Key) -> tuple[Subscription, ...]:
        """Return the subscriptions that events with this key belong to."""
        routes = self._routes
        found = routes.by_key.get(key)
        if found is None:
            found = routes.by_key[key] = tuple(item for item in routes.subscriptions if item.matches(key))
        return found

    def publish(self, key: Key, events: list[Any], but: Subscription | None = None) -> None:
        """Hand events, oldest first, to every subscription they concern, ``but`` to one."""
        now = 0
        for subscription in self.concerned(key):
            if subscription is not but:
                now = subscription.deliver(events)
        if now >= self._look_at_ns:
            self.look(now)

    def look(self, now_ns: int) -> None:
        """Look after all subscribers, also those for which nothing comes: see ``Subscription.look``.

        Whatever is published does this once a second; where nothing is for long, others may.
        """
        self._look_at_ns = now_ns + _LOOK_EVERY
        for subscription in self._routes.subscriptions:
            subscription.look(now_ns)

    def let_writers_wait(self, allowed: bool) -> None:
        """Say whether subscriptions may hold up the threads that bring events: not during a stop."""
        for subscription in self._routes.subscriptions:
            subscription.let_writers_wait(allowed)

    def set_failure(self, failure: ExconnError | None) -> None:
        """Tell all who wait for events, and who come later, why none come for now; None once they may come again."""
        with self._lock:
            self._failure = failure
            subscriptions = self._routes.subscriptions
        for subscription in subscriptions:
            subscription.set_failure(failure)

    def close(self, remaining: Callable[[], float | None]) -> list[str]:
        """End all subscriptions, delivering what waits as long as time remains; return the threads that did not end."""
        subscriptions = self._routes.subscriptions
        for subscription in subscriptions:
            subscription.seal()
        left = [subscription.finish(remaining()) for subscription in subscriptions]
        return [name for name in left if name]
